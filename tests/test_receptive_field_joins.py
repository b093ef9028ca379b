"""Receptive fields where paths join, against brute force: patterns of unequal periods, gaps, bounds, whole axes."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from convcalc import load
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.receptive_field import AxisField, receptive_fields
from convcalc.analysis.report import analyse
from convcalc.analysis.seen import seen_from
from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output, output_shape

from .published_architectures import network
from .test_receptive_field import adjacency

Pieces = list[tuple[str, dict[str, Any]]]
SIZE = 36

DOUBLED: dict[str, Pieces] = {
    "nearest": [("upsample", {"scale_factor": 2})],
    "linear": [("upsample", {"size": 72, "mode": "linear"})],
    "two taps": [("conv_transpose1d", {"out": 1, "k": 2, "s": 2})],
    "four taps": [("conv_transpose1d", {"out": 1, "k": 4, "s": 2, "p": 1})],
    "gaps": [("conv_transpose1d", {"out": 1, "k": 1, "s": 2, "output_padding": 1})],
    "gaps one to the left": [("conv_transpose1d", {"out": 1, "k": 1, "s": 2}), ("pad", {"padding": [[-1, 2]]})],
    "far to the left": [("upsample", {"scale_factor": 2}), ("pad", {"padding": [[-6, 6]]})],
    "by six and back": [("upsample", {"scale_factor": 6}), ("max_pool1d", {"k": 2, "s": 3})],
    "in two steps": [("upsample", {"size": 48, "mode": "linear"}), ("upsample", {"size": 72, "mode": "linear"})],
}
"""From 36 positions to 72."""
KEPT: dict[str, Pieces] = {
    "straight": [("conv1d", {"out": 1, "k": 3, "p": 1})],
    "down and up": [("upsample", {"size": 24, "mode": "linear"}), ("upsample", {"size": 36, "mode": "linear"})],
    "by areas": [("adaptive_avg_pool1d", {"output_size": 24}), ("upsample", {"size": 36, "mode": "linear"})],
    "up and down": [("conv_transpose1d", {"out": 1, "k": 3, "s": 2, "p": 1, "output_padding": 1}),
                    ("max_pool1d", {"k": 2, "s": 2})],
}  # fmt: skip
"""From 36 positions to 36."""
PAIRS = [*combinations(DOUBLED.items(), 2), *combinations(KEPT.items(), 2)]


def chain(pieces: Pieces) -> tuple[Network, list[set[int]]]:
    """The network of the pieces, and what each position of its last node sees."""
    nodes = [Node("input", None, (), (1, SIZE))]
    sees: list[set[int]] = [{q} for q in range(SIZE)]
    for number, (kind, fields) in enumerate(pieces):
        layer = build(kind, fields)
        shape = output_shape(layer, (nodes[-1].shape,))
        rows = adjacency(kind, layer, nodes[-1].shape[1], shape[1])
        sees = [set().union(*(sees[i] for i in row)) for row in rows]
        nodes.append(Node(f"n{number}", layer, (number,), shape))
    return Network("chain", tuple(nodes), (Output("out", len(nodes) - 1),), {}), sees


def joined(one: Pieces, other: Pieces) -> tuple[Network, list[set[int]]]:
    """Two paths and their sum, and what each of its positions sees by brute force, without borders in the way."""
    left, left_sees = chain(one)
    right, right_sees = chain(other)
    assert left.nodes[-1].shape == right.nodes[-1].shape
    shift = len(left.nodes) - 1
    moved = [n._replace(name=f"r{n.name}", inputs=tuple(i + shift if i else 0 for i in n.inputs)) for n in right.nodes]
    add = Node("add", build("add", {}), (shift, shift + len(moved) - 1), left.nodes[-1].shape)
    nodes = (*left.nodes, *moved[1:], add)
    sees = [a | b for a, b in zip(left_sees, right_sees, strict=True)]
    return Network("join", nodes, (Output("out", len(nodes) - 1),), {}), sees


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{a[0]} and {b[0]}" for a, b in PAIRS])
@pytest.mark.parametrize("turned", [False, True])
def test_a_join_has_the_hull_of_both_paths(one: tuple[str, Pieces], other: tuple[str, Pieces], turned: bool) -> None:
    first, second = (other, one) if turned else (one, other)
    net, sees = joined(first[1], second[1])
    field = last_field(net)
    assert field.exact
    inner = range(len(sees) // 4, len(sees) * 3 // 4)
    for q, seen in enumerate(sees):
        assert set(seen_from(net, len(net.nodes) - 1, (q,))[0].axes[0]) == seen
        interval = field.at(q)
        if q in inner:
            assert interval == ((min(seen), max(seen)) if seen else None), q
        elif seen:
            assert interval is not None and interval[0] <= min(seen) and max(seen) <= interval[1]
    assert field.size == max(max(sees[q]) - min(sees[q]) + 1 for q in inner if sees[q])
    found = receptive_fields(net)
    centres = {sum(f[0].at(0) or (0, 0)) for f in (found.fields[i] for i in net.nodes[-1].inputs) if f}
    assert {note.kind for note in found.notes} <= {"misaligned"} and bool(found.notes) <= (len(centres) > 0)


def last_field(net: Network) -> AxisField:
    fields = receptive_fields(net).fields[-1]
    assert fields is not None
    return fields[0]


@pytest.mark.parametrize("turned", [False, True])
def test_a_path_of_which_bounds_are_known_leaves_bounds(turned: bool) -> None:
    """Both paths stretch by 2.7; behind one of them lie two positions more to the left."""
    paths: list[Pieces] = [
        [("upsample", {"scale_factor": 2.7, "mode": "linear"})],
        [("upsample", {"scale_factor": 2.7, "mode": "linear"}), ("conv1d", {"out": 1, "k": 9, "p": 4})],
    ]
    net, _ = joined(*reversed(paths)) if turned else joined(*paths)
    alone, _ = chain(paths[1])
    field, wide = last_field(net), last_field(alone)
    for q in range(net.nodes[-1].shape[1]):
        reach, path = field.at(q), wide.at(q)
        assert reach is not None and path is not None and reach[0] <= path[0] and path[1] <= reach[1]
        seen = seen_from(net, len(net.nodes) - 1, (q,))[0].axes[0]
        assert reach[0] <= seen[0] and seen[-1] <= reach[1]
        assert reach[1] - reach[0] <= path[1] - path[0] + 2


@pytest.mark.parametrize("order", ["[conv, squeeze]", "[squeeze, conv]"])
def test_a_path_that_sees_all_makes_the_join_see_all(order: str) -> None:
    """Squeeze and excitation: the scale of each channel sees every position, the scaled map three beside."""
    net = network(
        f"""
convcalc: 1
input: [4, 6, 7]
layers:
  - {{conv2d: {{out: 4, k: 3, p: 1}}, name: conv}}
  - {{global_avg_pool: {{}}, name: pool}}
  - {{conv2d: {{out: 4, k: 1}}, name: squeeze}}
  - {{multiply: {{}}, from: {order}, name: scaled}}
"""
    )
    assert seen_from(net, 1, (3, 3))[0].axes == ((2, 3, 4), (2, 3, 4))
    assert seen_from(net, 4, (3, 3))[0].axes == (tuple(range(6)), tuple(range(7)))
    assert seen_from(net, 4, (0, 6))[0].pixels == 42


def test_paths_that_read_one_node_are_united_in_both_orders() -> None:
    """A dilated and a plain convolution of one map: a gap of one path is filled by the other alone."""
    text = (
        "{{convcalc: 1, input: [1, 30], layers: [{{conv1d: {{out: 1, k: 1}}, name: stem}},"
        " {{conv1d: {{out: 1, k: 3, d: 5, p: 5}}, name: wide}},"
        " {{conv1d: {{out: 1, k: 3, p: 1}}, from: stem, name: near}}, {{add: {{}}, from: [{}], name: sum}}]}}"
    )
    for order in ("wide, near", "near, wide"):
        net = network(text.format(order))
        assert seen_from(net, 4, (15,))[0].axes == ((10, 14, 15, 16, 20),)
        assert seen_from(net, 4, (2,))[0].axes == ((1, 2, 3, 7),)
        field = last_field(net)
        assert (field.at(15), field.size, field.jump) == ((10, 20), 11, 1)


NEAR = {
    "plain": "{conv1d: {out: 1, k: 3, p: 1}, from: input, name: near}",
    "with a pattern": "{upsample: {size: 2500, mode: linear}, from: input},"
    " {upsample: {size: 5000, mode: linear}, name: near}",
}


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("order", ["long, near", "near, long"])
def test_a_join_is_exact_only_where_both_paths_are(order: str, near: str) -> None:
    """5,000 positions stretched to 5,003 and back move as the other path does; what is exact is what is seen."""
    net = network(
        "{convcalc: 1, input: [1, 5000], layers: [{upsample: {size: 5003, mode: linear}},"
        " {upsample: {size: 5000, mode: linear}, name: long},"
        f" {NEAR[near]}, {{add: {{}}, from: [{order}], name: sum}}]}}"
    )
    field = last_field(net)
    for q in (700, 2500, 2501, 4444):
        seen = seen_from(net, len(net.nodes) - 1, (q,))[0].axes[0]
        interval = field.at(q)
        assert interval is not None and interval[0] <= seen[0] and seen[-1] <= interval[1]
        assert not field.exact or interval == (seen[0], seen[-1])


EXCITED = (
    "{convcalc: 1, input: [4, 40, 40], layers: [{conv2d: {out: 4, k: 3, s: 2, p: 1}, name: stem},"
    " {multiply: {branches: {gate: [global_avg_pool, {conv2d: {out: 4, k: 1}}, sigmoid], features: []}}, name: scaled},"
    " {conv2d: {out: 4, k: 5, p: 2}, name: last}, {global_avg_pool: {}, name: pool}]}"
)


def test_local_fields_leave_out_the_gate_of_squeeze_and_excitation() -> None:
    """As if the gate were not there; what stands behind the last pool sees the whole input all the same."""
    net = network(EXCITED)
    index = {node.name: i for i, node in enumerate(net.nodes)}
    everything, local = receptive_fields(net), receptive_fields(net, local=True)
    plain = receptive_fields(network(EXCITED.replace("{multiply: {branches: {gate: [global_avg_pool, {conv2d: {out: 4,"
                                                     " k: 1}}, sigmoid], features: []}}", "{relu: {}")))  # fmt: skip
    assert everything.fields[index["last"]] != local.fields[index["last"]] == plain.fields[3]
    seen = local.fields[index["last"]]
    assert seen is not None and [(field.size, field.jump, field.start) for field in seen] == [(11, 2, -5)] * 2
    assert everything.fields[index["pool"]] == local.fields[index["pool"]]
    gate = next(i for i, node in enumerate(net.nodes) if node.kind == "sigmoid")
    assert everything.fields[gate] == local.fields[gate]


@pytest.mark.parametrize("order", [("stem", "up"), ("up", "stem")])
def test_local_fields_leave_out_a_pooled_branch_whatever_the_order(order: tuple[str, str]) -> None:
    text = (
        "{convcalc: 1, input: [1, 32], layers: [{conv1d: {out: 2, k: 3, p: 1}, name: stem}, global_avg_pool,"
        " {upsample: {size: 32}, name: up}, {concat: {}, from: [%s, %s]}]}"
    )
    found = receptive_fields(network(text % order), local=True)
    fields = found.fields[-1]
    assert fields is not None and fields[0].size == 3 and fields[0].jump == 1 and found.notes == []


def test_one_axis_alone_may_be_seen_whole() -> None:
    """Pooled along one axis, joined: the other axis keeps the union of both paths."""
    text = (
        "{convcalc: 1, input: [1, 16, 16], layers: [{adaptive_avg_pool2d: {output_size: [1, null]}, name: strip},"
        " {conv2d: {out: 1, k: [1, 5], p: [0, 2]}, name: wide},"
        " {conv2d: {out: 1, k: 3, p: 1}, name: near, from: input}, {multiply: {}, from: [near, wide]}]}"
    )
    fields = receptive_fields(network(text), local=True).fields[-1]
    assert fields is not None and [(field.size, field.jump) for field in fields] == [(3, 1), (5, 1)]


def test_without_global_context_local_fields_are_the_fields() -> None:
    for name in ("resnet", "googlenet", "unet", "densenet", "vgg"):
        report = analyse(load(name))
        assert report.local_fields == report.receptive_fields


def test_the_columns_say_which() -> None:
    report = analyse(load("se_resnet"))
    stage = next(stage for stage in report.stages if stage.name == "conv5_x")
    names = ("receptive_field", "local_receptive_field", "jump", "local_jump", "local_start", "local_centre")
    row = report.to_dict(stages=[stage], layers=[], columns=[QUANTITIES[name] for name in names])["stages"]
    assert row == [
        {
            "receptive_field": [224, 224],
            "local_receptive_field": [483, 483],
            "jump": None,
            "local_jump": [32, 32],
            "local_start": [-241, -241],
            "local_centre": [0, 0],
        }
    ]
    assert "left out" in QUANTITIES["local_receptive_field"].note
