"""Receptive fields against fields measured by automatic differentiation, published ones, and brute force."""

from __future__ import annotations

import json
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load
from convcalc.analysis import receptive_field as receptive_field_module
from convcalc.analysis import seen as seen_module
from convcalc.analysis.field_steps import simplest
from convcalc.analysis.receptive_field import (
    AxisField,
    Fields,
    advance,
    receptive_fields,
    source,
)
from convcalc.analysis.seen import effective, reads, seen_from, taps
from convcalc.findings import UsageError
from convcalc.geometry import TransposedWindow
from convcalc.inference import output_shape
from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output

from .published_architectures import (
    ALEXNET,
    CONTEXT,
    INCEPTION_V2,
    MOBILENET_V1,
    MOBILENET_V2,
    RESNET18,
    VGG16,
    bottleneck_resnet,
    network,
)

MEASURED = json.loads((Path(__file__).parent / "data" / "receptive_fields.json").read_text("utf-8"))
"""Gradient support of the centre unit behind each window: [size, jump, first input of position 0]."""


def fields_by_name(net: Network) -> dict[str, Fields | None]:
    return dict(zip([node.name for node in net.nodes], receptive_fields(net).fields, strict=True))


def windows(net: Network) -> list[list[object]]:
    """[size, jump, first] of every layer whose window slides, in order."""
    found = receptive_fields(net).fields
    rows = []
    for node, fields in zip(net.nodes, found, strict=True):
        if hasattr(node.layer, "kernel_size"):
            assert fields is not None and fields[0] == fields[1]._replace(axis=1)
            rows.append([fields[0].size, fields[0].jump, fields[0].first])
    return rows


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vgg16", VGG16),
        ("alexnet", ALEXNET),
        ("resnet18", RESNET18),
        ("mobilenet_v1_224", MOBILENET_V1),
        ("mobilenet_v2", MOBILENET_V2),
        ("context_basic_64", CONTEXT),
    ],
)
def test_fields_equal_measured_ones_tap_by_tap(name: str, text: str) -> None:
    measured = MEASURED[name]
    if name == "resnet18":
        # The measurement lists the layers by name; the network's shortcut stands behind its main branch too.
        measured = sorted(measured)
        assert sorted(windows(network(text))) == measured
        return
    assert windows(network(text)) == measured


def test_googlenet_equals_measured_fields() -> None:
    from convcalc import load

    rows = windows(load("googlenet", variant="torchvision", input=[3, 225, 225]))
    assert [row for row in rows[:-1] if row in MEASURED["googlenet"]] == rows[:-1]
    assert rows[-2] == [379, 32, -167]


@pytest.mark.parametrize(
    ("repeats", "first_strides", "size"),
    [
        ((3, 4, 6, 3), True, 483),
        ((3, 4, 6, 3), False, 427),
        ((3, 4, 23, 3), True, 1027),
        ((3, 8, 36, 3), True, 1507),
    ],
)
def test_published_resnets(repeats: tuple[int, int, int, int], first_strides: bool, size: int) -> None:
    found = fields_by_name(network(bottleneck_resnet(repeats, first_strides)))
    last = found[f"layer4.{repeats[3] - 1}.relu"]
    assert last is not None and [(f.size, f.jump) for f in last] == [(size, 32)] * 2
    assert receptive_fields(network(bottleneck_resnet(repeats, first_strides))).notes == []


@pytest.mark.parametrize(
    ("text", "size", "first"), [(INCEPTION_V2, 699, -318), (MOBILENET_V1.replace("p: 1", "p: same"), 315, -126)]
)
def test_published_same_padded_networks(text: str, size: int, first: int) -> None:
    """README of google-research/receptive_field: 699 and 318, 315 and 126 (the padding is −first)."""
    found = receptive_fields(network(text))
    last = found.fields[-1]
    assert last is not None and [(f.size, f.jump, f.first) for f in last] == [(size, 32, first)] * 2
    assert found.notes == []


def test_context_network_of_yu_and_koltun() -> None:
    assert [row[0] for row in windows(network(CONTEXT))] == [3, 5, 9, 17, 33, 65, 67, 67]


def test_an_axis_behind_a_global_pool_sees_the_whole_input() -> None:
    net = network(
        """
convcalc: 1
input: [16, 20, 30]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: conv}
  - {global_avg_pool: {}, name: pool}
  - {conv2d: {out: 16, k: 1}, name: squeeze}
  - {multiply: {}, from: [conv, squeeze], name: scaled}
  - {conv2d: {out: 8, k: 5, p: 2}, name: after}
  - {upsample: {size: 40}, from: squeeze, name: wide}
"""
    )
    found = fields_by_name(net)
    for name in ("pool", "squeeze", "scaled", "after", "wide"):
        fields = found[name]
        assert fields is not None
        assert [(f.size, f.jump) for f in fields] == [(20, None), (30, None)], name
    assert receptive_fields(net).notes == []


def test_flattening_keeps_what_an_element_sees_until_all_are_read() -> None:
    net = network(
        "{convcalc: 1, input: [1, 9, 9], layers: [{conv2d: {out: 2, k: 3}}, flatten, relu, {linear: {out: 4}}]}"
    )
    found = fields_by_name(net)
    assert [[f.size for f in fields or ()] for fields in found.values()] == [[1, 1], [3, 3], [3, 3], [3, 3], [9, 9]]
    flat = found["flatten"]
    assert flat is not None and flat[0].jump is None


def test_jumps_after_upsampling_are_fractions_and_sizes_exact() -> None:
    net = network(
        "{convcalc: 1, input: [1, 32], layers: [{conv_transpose1d: {out: 1, k: 3, s: 2, p: 1}, name: up},"
        " {conv1d: {out: 1, k: 3, p: 1}, name: conv}, {conv1d: {out: 1, k: 2, s: 2}, name: down}]}"
    )
    found = fields_by_name(net)
    up, conv, down = (found[name] for name in ("up", "conv", "down"))
    assert up is not None and conv is not None and down is not None
    assert (up[0].size, up[0].jump, up[0].start, up[0].centre) == (2, Fraction(1, 2), 0, 0)
    assert (conv[0].size, conv[0].jump) == (3, Fraction(1, 2))
    assert (down[0].size, down[0].jump, type(down[0].jump)) == (3, 1, int)


def test_unequal_jumps_are_noted_with_both_paths_and_are_no_error() -> None:
    net = network(
        "{convcalc: 1, input: [1, 8, 8], layers: [{conv2d: {out: 1, k: 1, s: 2}, name: strided},"
        " {crop: {size: 4}, from: input, name: cut}, {add: {}, from: [strided, cut], name: join},"
        " {conv2d: {out: 1, k: 3}, name: after}]}"
    )
    found = receptive_fields(net)
    assert [(note.kind, note.node, note.paths) for note in found.notes] == [
        ("unequal_jumps", "join", ("strided", "cut"))
    ] * 2
    assert "moves by 2" in found.notes[0].message and "by 1" in found.notes[0].message
    after = found.fields[-1]
    assert after is not None and [(f.size, f.jump) for f in after] == [(7, None)] * 2


def test_a_misaligned_join_is_noted_with_the_union() -> None:
    net = network(
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 1, k: 3, p: [[0, 2]]}, name: right},"
        " {add: {}, from: [right, input], name: join}]}"
    )
    found = receptive_fields(net)
    assert [(note.kind, note.node, note.paths) for note in found.notes] == [("misaligned", "join", ("right", "input"))]
    assert "1 pixels" in found.notes[0].message
    last = found.fields[-1]
    assert last is not None and (last[0].size, last[0].first) == (3, 0)


def test_several_inputs_are_followed_from_the_first_that_arrives() -> None:
    net = network(
        "{convcalc: 1, input: {left: [1, 16], right: [1, 16]}, layers: ["
        "{conv1d: {out: 1, k: 3, p: 1}, from: left, name: a}, {conv1d: {out: 1, k: 5, p: 2}, from: right, name: b},"
        " {add: {}, from: [a, b], name: c}]}"
    )
    found = receptive_fields(net)
    assert found.origins == [0, 1, 0, 1, 0]
    assert [fields[0].size for fields in found.fields if fields] == [1, 1, 3, 5, 3]
    assert [fields and fields[0].size for fields in receptive_fields(net, origin=1).fields] == [None, 1, None, 5, 5]


def test_a_resize_too_long_to_tabulate_gives_bounds() -> None:
    net = network("{convcalc: 1, input: [1, 100], layers: [{upsample: {scale_factor: 0.29}}]}")
    fields = receptive_fields(net).fields[-1]
    assert fields is not None and not fields[0].exact and fields[0].size >= 1


def one_axis(*layers: tuple[str, dict[str, object]], size: int = 10) -> Network:
    """A chain of layers on one axis."""
    nodes = [Node("input", None, (), (1, size))]
    for n, (kind, given_fields) in enumerate(layers):
        layer = build(kind, given_fields)
        nodes.append(Node(f"n{n}", layer, (n,), output_shape(layer, (nodes[-1].shape,))))
    return Network("chain", tuple(nodes), (Output("out", len(layers)),), {})


def last_field(net: Network) -> AxisField:
    found = receptive_fields(net).fields[-1]
    assert found is not None
    return found[0]


@given(
    st.integers(1, 40), st.integers(1, 9), st.integers(0, 9), st.integers(1, 6), st.integers(-50, 90)
)  # fmt: skip
def test_taps_of_a_transposed_window_are_those_of_its_definition(k: int, s: int, p: int, d: int, q: int) -> None:
    wanted = sorted((q + p - t * d) // s for t in range(k) if (q + p - t * d) % s == 0)
    assert list(taps(TransposedWindow(k, s, p, p, d), q)) == wanted


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 5), st.integers(1, 4))
def test_bounds_of_a_transposed_window_are_those_of_its_pattern(k: int, s: int, p: int, d: int) -> None:
    """A stride that is too long to tabulate is held against a short one: the bounds have one formula."""
    window = TransposedWindow(k, s, p, p, d)
    tabulated = reads(window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen_module, "LARGEST_PERIOD", 0)
        assert reads.__wrapped__(window)[:3] == tabulated[:3]


def test_a_transposed_stride_too_long_to_tabulate_gives_bounds() -> None:
    field = last_field(one_axis(("conv_transpose1d", {"out": 1, "k": 5000, "s": 4999})))
    assert (field.size, field.jump, field.exact) == (2, Fraction(1, 4999), False)


def test_a_window_of_any_size_is_no_work() -> None:
    large = 10**9
    assert last_field(one_axis(("conv_transpose1d", {"out": 1, "k": large, "s": 4}))).size == large // 4
    twice = ("conv_transpose1d", {"out": 1, "k": 2, "s": 2})
    assert last_field(one_axis(twice, ("global_avg_pool", {}), size=large)).size == large
    gaps = ("conv_transpose1d", {"out": 1, "k": 1, "s": 2})
    wide = ("conv1d", {"out": 1, "k": large, "p": large // 2})
    assert last_field(one_axis(gaps, wide)).size == large // 2


@pytest.mark.slow
def test_long_patterns_are_followed_up_to_a_limit() -> None:
    steps = [("conv1d", {"out": 1, "k": 3, "p": 1})] * 2000
    started = process_time()
    field = last_field(one_axis(("conv_transpose1d", {"out": 1, "k": 4097, "s": 4096}), *steps))
    assert process_time() - started < 5
    assert field.size == 2 and not field.exact


def test_what_is_seen_has_a_limit() -> None:
    net = one_axis(("conv1d", {"out": 1, "k": 10**9, "p": 10**9 // 2}), size=10**9)
    with pytest.raises(UsageError, match="up to 1,000,000 positions"):
        seen_from(net, 1, (0,))
    short = one_axis(("conv1d", {"out": 1, "k": 10**9, "p": 10**9 // 2}))
    assert seen_from(short, 1, (0,))[0].axes == (tuple(range(10)),)


def test_effective_is_the_share_of_real_pixels() -> None:
    net = network("{convcalc: 1, input: [1, 8, 8], layers: [{conv2d: {out: 1, k: 3, p: 1}, name: c}]}")
    fields = receptive_fields(net).fields[1]
    assert fields is not None
    corner = seen_from(net, 1, (0, 0))[0]
    assert corner.axes == ((0, 1), (0, 1))
    assert effective(corner, (3, 3)) == Fraction(4, 9)
    with pytest.raises(ValueError, match="no position"):
        seen_from(net, 1, (8, 0))


def test_masks_keep_gaps() -> None:
    net = network("{convcalc: 1, input: [1, 11], layers: [{conv1d: {out: 1, k: 3, d: 3, p: 3}, name: c}]}")
    assert seen_from(net, 1, (1,))[0].axes == ((1, 4),)
    assert seen_from(net, 1, (5,))[0].axes == ((2, 5, 8),)


# Random graphs in one dimension: the boolean matrix of what each output position reads, layer by layer, is the
# truth; it is built from the definition of each layer and multiplied out.

PIECES = st.one_of(
    st.builds(
        lambda k, s, p, d: ("conv1d", {"out": 1, "k": k, "s": s, "p": p, "d": d}),
        st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3),
    ),
    st.builds(
        lambda k, s, p, d: ("conv_transpose1d", {"out": 1, "k": k, "s": s, "p": p, "d": d}),
        st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2),
    ),
    st.builds(
        lambda k, s: ("max_pool1d", {"k": k, "s": s, "p": k // 2, "ceil_mode": True}),
        st.integers(1, 3), st.integers(1, 3),
    ),
    st.builds(lambda f: ("upsample", {"scale_factor": f}), st.integers(2, 3)),
    st.builds(lambda size, mode, corners: ("upsample", {"size": size, "mode": mode, **corners}), st.integers(3, 12),
              st.just("linear"), st.sampled_from([{}, {"align_corners": True}])),
    st.builds(lambda a, b: ("pad", {"padding": [[a, b]]}), st.integers(-1, 2), st.integers(-1, 2)),
    st.builds(lambda n: ("adaptive_avg_pool1d", {"output_size": n}), st.integers(2, 7)),
)  # fmt: skip


def adjacency(kind: str, layer: object, size: int, outputs: int) -> list[set[int]]:
    """For each output position, the inputs that it reads, from the layer's definition alone."""
    f = layer.__dict__
    if kind in ("conv1d", "max_pool1d"):
        k, s, d, p = f["kernel_size"][0], f["stride"][0], f["dilation"][0], f["padding"][0][0]
        return [{i for t in range(k) if 0 <= (i := q * s - p + t * d) < size} for q in range(outputs)]
    if kind == "conv_transpose1d":
        k, s, d, p = f["kernel_size"][0], f["stride"][0], f["dilation"][0], f["padding"][0][0]
        return [{i for i in range(size) for t in range(k) if i * s + t * d - p == q} for q in range(outputs)]
    if kind == "pad":
        before = f["padding"][0][0]
        return [{q - before} if 0 <= q - before < size else set() for q in range(outputs)]
    if kind == "adaptive_avg_pool1d":
        return [set(range(q * size // outputs, -(-(q + 1) * size // outputs))) for q in range(outputs)]
    if f["mode"] == "nearest":
        return [{q // f["scale_factor"]} for q in range(outputs)]
    rows = []
    for q in range(outputs):
        if f["align_corners"]:
            place = Fraction(q * (size - 1), outputs - 1)
        else:
            place = max(Fraction(2 * q + 1, 2) * size / outputs - Fraction(1, 2), Fraction(0))
        left = int(place)
        rows.append({left} | ({min(left + 1, size - 1)} if place > left else set()))
    return rows


def chain(pieces: list[tuple[str, dict[str, object]]], size: int) -> tuple[Network, list[list[set[int]]]]:
    """The network of the pieces that fit, and what each position of each node sees, by brute force."""
    nodes = [Node("input", None, (), (1, size))]
    sees: list[list[set[int]]] = [[{q} for q in range(size)]]
    for n, (kind, given_fields) in enumerate(pieces):
        try:
            layer = build(kind, given_fields)
            shape = output_shape(layer, (nodes[-1].shape,))
        except ValueError:
            continue
        if shape[1] > 60:
            continue
        rows = adjacency(kind, layer, nodes[-1].shape[1], shape[1])
        before = sees[-1]
        sees.append([set().union(*(before[i] for i in row)) for row in rows])
        nodes.append(Node(f"n{n}", layer, (len(nodes) - 1,), shape))
    return Network("chain", tuple(nodes), (Output("out", len(nodes) - 1),), {}), sees


@settings(max_examples=150)
@given(st.lists(PIECES, min_size=1, max_size=5), st.integers(4, 24))
def test_masks_equal_brute_force(pieces: list[tuple[str, dict[str, object]]], size: int) -> None:
    net, sees = chain(pieces, size)
    last = len(net.nodes) - 1
    for q in range(net.nodes[last].shape[1]):
        assert set(seen_from(net, last, (q,))[0].axes[0]) == sees[last][q]


@settings(max_examples=150)
@given(st.lists(PIECES, min_size=1, max_size=5))
def test_fields_are_exact_away_from_the_borders(pieces: list[tuple[str, dict[str, object]]]) -> None:
    """Every position's field, clipped, contains what is seen; where padding plays no part its ends are equal."""
    net, sees = chain(pieces, 40)
    for node, fields, rows in zip(net.nodes, receptive_fields(net).fields, sees, strict=True):
        assert fields is not None
        field = fields[0]
        for q, seen in enumerate(rows):
            interval = field.at(q)
            if not seen:
                continue
            assert interval is not None and interval[0] <= min(seen) and max(seen) <= interval[1], (node.name, q)
            assert floor(interval[1]) - ceil(interval[0]) + 1 <= field.size, "bounds may lie between positions"
            if field.jump is not None and interval[0] >= 12 and interval[1] < 28 and field.exact:
                assert (min(seen), max(seen)) == interval, (node.name, q)


@settings(max_examples=100)
@given(st.lists(PIECES, max_size=3), st.lists(PIECES, max_size=3))
def test_a_join_sees_the_union(
    left: list[tuple[str, dict[str, object]]], right: list[tuple[str, dict[str, object]]]
) -> None:
    one, one_sees = chain(left, 30)
    other, other_sees = chain(right, 30)
    if one.nodes[-1].shape != other.nodes[-1].shape:
        return
    shift = len(one.nodes) - 1
    moved = [
        n._replace(name=f"r{n.name}", inputs=tuple(i + shift if i else 0 for i in n.inputs)) for n in other.nodes[1:]
    ]
    ends = (shift, shift + len(moved) if moved else 0)
    add = Node("add", build("add", {}), ends, one.nodes[-1].shape)
    net = Network("join", (*one.nodes, *moved, add), (Output("out", shift + len(moved) + 1),), {})
    found = receptive_fields(net)
    for q in range(add.shape[1]):
        wanted = one_sees[-1][q] | other_sees[-1][q]
        assert set(seen_from(net, len(net.nodes) - 1, (q,))[0].axes[0]) == wanted
        field = found.fields[-1]
        assert field is not None
        interval = field[0].at(q)
        if wanted:
            assert interval is not None and interval[0] <= min(wanted) and max(wanted) <= interval[1]


SQUARES = (
    "{convcalc: 1, input: [1, 9, 9], layers: [{conv2d: {out: 2, k: 3}}, {conv2d: {out: 2, k: [3, 2], s: [1, 2]}},"
    " {conv2d: {out: 2, k: 2}}]}",
    "{convcalc: 1, input: [3, 9, 9], layers: [{conv2d: {out: 9, k: 3, p: 1}}, {permute: {dims: [1, 0, 2]}},"
    " {conv2d: {out: 2, k: 3}}, {conv2d: {out: 2, k: 3}}]}",
    "{convcalc: 1, input: [1, 7, 7, 7], layers: [{conv3d: {out: 2, k: 3, s: 2, p: 1}}, {upsample: {scale_factor: 2}},"
    " {conv3d: {out: 2, k: 3}}]}",
    "{convcalc: 1, input: [3, 9, 9], layers: [global_avg_pool, {conv2d: {out: 2, k: 1}}]}",
    "{convcalc: 1, input: [3, 8, 8], layers: [{add: {branches: {a: [{conv2d: {out: 3, k: 3, p: 1}}],"
    " b: [{conv2d: {out: 3, k: [1, 3], p: [0, 1]}}]}}}, {conv2d: {out: 2, k: 3, s: 3}}, {conv2d: {out: 2, k: 2}}]}",
    "{convcalc: 1, input: [3, 9, 9], layers: [{conv2d: {out: 3, k: 3, s: 2, p: 1}}, {conv_transpose2d: {out: 3, k: 4,"
    " s: 3}}, {conv2d: {out: 3, k: 1}}, relu, {concat: {branches: {a: [{conv2d: {out: 1, k: 3, p: 1}}], b: [],"
    " c: [{conv_transpose2d: {out: 2, k: 5, p: 2}}], d: [{conv2d: {out: 1, k: 2, p: [[1, 0], [1, 0]]}}]}}},"
    " {multiply: {branches: {x: [], gate: [global_avg_pool]}}}, {upsample: {size: [31, 17]}}, {conv2d: {out: 1, k: 1}},"
    " {conv2d: {out: 1, k: 3}}]}",
    "{convcalc: 1, input: [3, 1, 1], layers: [{parameter: {shape: [3, 5, 5]}, name: held}, {add: {}, from: [input,"
    " held]}, {conv2d: {out: 2, k: 3}}]}",
    "{convcalc: 1, input: [3, 4, 4], layers: [{add: {branches: {a: [{conv2d: {out: 3, k: 3}}],"
    " b: [{conv2d: {out: 3, k: 3, s: 2, p: [[0, 1], [0, 1]]}}]}}}, {conv2d: {out: 2, k: 2}}]}",
    "{convcalc: 1, input: [3, 1, 1], layers: [{multiply: {branches: {a: [{conv2d: {out: 3, k: 1}}], b: [{upsample:"
    " {scale_factor: 5}}]}}}, {conv2d: {out: 3, k: 3}}, {add: {branches: {c: [{adaptive_avg_pool2d: {output_size: 2}}],"
    " d: [{max_pool2d: {k: 2, s: 1}}]}}}]}",
)
NAMES = ("swin", "unet", "c3d", "teaching_spatially_separable")


@pytest.mark.parametrize("text", [*SQUARES, *NAMES])
def test_axes_that_are_read_alike_have_the_fields_that_each_has_alone(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = load(text) if text in NAMES else network(text)
    together = {most: _followed(net, most, monkeypatch) for most in (500_000, 5, 0)}
    monkeypatch.setattr(receptive_field_module, "_settled_axes", tuple)
    assert {most: _followed(net, most, monkeypatch) for most in together} == together


def _followed(net: Network, most: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The fields axis by axis where patterns are followed up to so many intervals, where they start, and the notes."""
    monkeypatch.setattr(receptive_field_module, "MOST_TABULATED", most)
    fields, origins, notes = receptive_fields(net)
    return [[None if found is None else tuple(found) for found in fields], origins, notes]


@pytest.mark.parametrize(("kernel", "before", "dilation"), [(1, 0, 1), (3, 1, 1), (4, 0, 1), (5, 2, 3), (2, 1, 2)])
def test_a_transposed_window_that_spreads_nothing_is_an_ordinary_one(kernel: int, before: int, dilation: int) -> None:
    """Both read what brute force says: the inputs j with j + t*dilation = q + before for a tap t."""
    window = TransposedWindow(kernel, 1, before, before, dilation)
    field = source(1)
    found = advance(field, 1, simplest(window), 20, 20)
    assert found == advance(field, 1, window, 20, 20)
    taps = [before - t * dilation for t in range(kernel)]
    assert found.at(0) == (min(taps), max(taps)) and found.jump == 1
