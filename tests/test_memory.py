"""Memory: saved tensors equal PyTorch's, liveness equals a simulation, the best order equals trying them all."""

from __future__ import annotations

import json
from itertools import permutations
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load, loads
from convcalc.analysis import memory
from convcalc.analysis.memory import best_order, liveness
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.inference import output_shape
from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output

from .published_architectures import RESNET18, VGG16, bottleneck_resnet, network


@pytest.mark.parametrize(
    ("text", "bytes"),
    [(RESNET18, 44_398_080), (VGG16, 146_710_528), (bottleneck_resnet(), 172_031_488)],
    ids=["resnet18", "vgg16", "resnet50"],
)
def test_saved_tensors_equal_those_of_pytorch(text: str, bytes: int) -> None:
    """torch.autograd.graph.saved_tensors_hooks at batch 2, 224 × 224, inputs included, params not."""
    assert sum(analyse(network(text), 2).saved) == bytes


SAVED = json.loads((Path(__file__).parent / "oracle" / "saved_tensors.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", SAVED, ids=lambda case: "-".join([case["kind"], *map(str, case["fields"].values())]))
def test_what_each_kind_keeps_equals_pytorchs(case: dict[str, Any]) -> None:
    names = [f"input{n}" for n in range(case["inputs"])]
    item = {case["kind"]: case["fields"], "from": names}
    spec = {"convcalc": 1, "input": dict.fromkeys(names, case["shape"]), "layers": [item]}
    assert sum(analyse(loads(json.dumps(spec)), 2).saved) == case["bytes"]


def test_a_tensor_that_two_layers_keep_counts_once() -> None:
    net = network(
        "{convcalc: 1, input: [4, 8, 8],"
        " layers: [relu, {conv2d: {out: 4, k: 1}}, {conv2d: {out: 4, k: 1}, from: relu}]}"
    )
    assert analyse(net).saved == [0, 4 * 8 * 8 * 4, 0, 0]


def test_batch_norm_keeps_its_statistics_once_for_the_batch() -> None:
    net = network("{convcalc: 1, input: [4, 8, 8], layers: [batch_norm]}")
    assert analyse(net, 3).saved[1] == 3 * 4 * 64 * 4 + 2 * 4 * 4
    group = network("{convcalc: 1, input: [4, 8, 8], layers: [{group_norm: {num_groups: 2}}]}")
    assert analyse(group, 3).saved[1] == 3 * (4 * 64 + 2 * 2) * 4


def test_dtype_scales_every_memory() -> None:
    net = load("googlenet")
    wide, narrow = analyse(net), analyse(net, dtype="int8")
    for name in ("params_memory", "activation", "live", "workspace"):
        assert QUANTITIES[name].get(wide, wide.whole) == 4 * QUANTITIES[name].get(narrow, narrow.whole)  # type: ignore[operator]
    with pytest.raises(ValueError, match="dtype must be one of"):
        analyse(net, dtype="int4")


def test_the_peak_names_its_layer_and_what_is_alive() -> None:
    net = network(
        "{convcalc: 1, input: [1, 10], layers: [{conv1d: {out: 4, k: 1}, name: a}, {conv1d: {out: 8, k: 1}, name: b},"
        " {conv1d: {out: 1, k: 1}, name: c}, {concat: {}, from: [a, c], name: d}]}"
    )
    facts = liveness(net)
    assert facts.live == [10, 50, 120, 130, 100]
    assert net.nodes[facts.peak].name == "c"
    assert [net.nodes[i].name for i in facts.alive(facts.peak)] == ["a", "b", "c"]


def test_views_and_dropout_need_no_memory() -> None:
    net = network("{convcalc: 1, input: [2, 4], layers: [flatten, dropout, {linear: {out: 3}}]}")
    assert liveness(net).live == [8, 8, 8, 11]


def test_in_place_layers_write_over_what_nothing_else_reads() -> None:
    net = network("{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 4, k: 1}}, relu, {conv1d: {out: 4, k: 1}}]}")
    assert liveness(net).live == [8, 40, 64, 64]
    assert liveness(net, in_place=True).live == [8, 40, 32, 64]
    conv = "conv1d: {out: 4, k: 1}"
    branches = f"{{{conv}, name: a}}, {{{conv}, name: b, from: input}}, {{add: {{}}, from: [a, b]}}"
    both = network(f"{{convcalc: 1, input: [1, 8], layers: [{branches}, {{{conv}}}]}}")
    assert liveness(both, in_place=True).live == [8, 40, 72, 64, 64], "over one of two, and the other is free"


KINDS = st.sampled_from(["relu", "narrow", "wide", "add", "concat", "flat"])


@st.composite
def graphs(draw: st.DrawFn, most: int = 7) -> Network:
    """A random graph over [c, 4], with one input and the last node as output."""
    nodes = [Node("input", None, (), (2, 4))]
    for n in range(draw(st.integers(2, most))):
        kind = draw(KINDS)
        picks = st.integers(max(0, len(nodes) - 4), len(nodes) - 1)
        sources = tuple(draw(picks) for _ in range(2 if kind in ("add", "concat") else 1))
        if kind == "add" and nodes[sources[0]].shape != nodes[sources[1]].shape:
            kind, sources = "relu", sources[:1]
        layer = {
            "relu": lambda: build("relu", {}),
            "narrow": lambda: build("conv1d", {"out": 1, "k": 1}),
            "wide": lambda: build("conv1d", {"out": 5, "k": 1}),
            "add": lambda: build("add", {}),
            "concat": lambda: build("concat", {}),
            "flat": lambda: build("identity", {}),
        }[kind]()
        shape = output_shape(layer, tuple(nodes[i].shape for i in sources))
        nodes.append(Node(f"n{n}", layer, sources, shape))
    return Network("random", tuple(nodes), (Output("out", len(nodes) - 1),), {})


def simulated(net: Network, order: list[int], in_place: bool = False) -> list[int]:
    """What is alive while each node of an order runs, by holding sets of memories."""
    held: dict[int, int] = {}
    alive: set[int] = set()
    live = []

    def needed(at: int) -> set[int]:
        later = {held[i] for j in order[at:] for i in net.nodes[j].inputs if i in held}
        return later | {held[output.node] for output in net.outputs if output.node in held}

    for at, i in enumerate(order):
        node = net.nodes[i]
        free = [
            held[source]
            for source in node.inputs
            if held[source] not in needed(at + 1)
            and net.nodes[held[source]].layer is not None
            and net.nodes[source].shape == node.shape
        ]
        if node.layer is not None and node.layer.is_view:
            held[i] = held[node.inputs[0]]
        else:
            held[i] = free[0] if in_place and node.layer is not None and node.layer.in_place and free else i
        alive.add(held[i])
        live.append(sum(prod(net.nodes[b].shape) for b in alive))
        alive &= needed(at + 1)
    return live


@settings(max_examples=80)
@given(graphs(9), st.booleans())
def test_liveness_equals_a_simulation(net: Network, in_place: bool) -> None:
    facts = liveness(net, in_place)
    assert facts.live == simulated(net, list(range(len(net.nodes))), in_place)
    assert facts.peak == facts.live.index(max(facts.live))


@settings(max_examples=60)
@given(graphs())
def test_the_best_order_equals_trying_all(net: Network) -> None:
    found = best_order(net)
    assert sorted(found.order) == list(range(len(net.nodes)))
    assert max(simulated(net, found.order)) == found.peak <= max(liveness(net).live)
    legal = (
        [0, *order]
        for order in permutations(range(1, len(net.nodes)))
        if all(order.index(i) < at for at, n in enumerate(order) for i in net.nodes[n].inputs if i)
    )
    least = min(max(simulated(net, order)) for order in legal)
    assert found.peak == least if found.proven else found.peak >= least


def test_an_output_that_nothing_reads_stands_in_the_way_of_a_proof_before_the_last_part_alone() -> None:
    """The first head could also run behind the convolution that all else is read from; the other two could not."""
    conv = "conv1d: {out: 4, k: 1}"
    layers = f"{{{conv}, name: a}}, {{{conv}, name: b}}, {{{conv}, from: a, name: c}}"
    heads = f"{{{conv}, name: d}}, {{{conv}, from: c, name: e}}"
    text = f"{{convcalc: 1, input: [1, 8], layers: [{layers}, {heads}], outputs: "
    assert not best_order(network(text + "[b, d, e]}")).proven
    assert best_order(network(text.replace(", {conv1d: {out: 4, k: 1}, name: b}", "") + "[d, e]}")).proven
    held = "{convcalc: 1, input: [4], layers: [relu, {parameter: {shape: [4]}, name: held}], outputs: [relu, held]}"
    assert not best_order(network(held)).proven


def test_an_input_that_nothing_reads_is_alive_at_the_start_alone() -> None:
    net = network("{convcalc: 1, input: {unread: [3], read: [4]}, layers: [{relu: , from: read}]}")
    assert liveness(net).live == [7, 4, 8]
    assert best_order(net) == ([0, 1, 2], 8, True)


def parallel(branches: list[int], behind: int) -> str:
    """Branches of so many layers and what joins them, so many layers and a wide one behind it, beside a shortcut."""
    narrow = "conv1d: {out: 1, k: 1}"
    layers = []
    for n, count in enumerate(branches):
        layers.append(f"{{{narrow}, name: b{n}_0, from: input}}")
        layers += [f"{{{narrow}, name: b{n}_{i}}}" for i in range(1, count)]
    ends = ", ".join(f"b{n}_{count - 1}" for n, count in enumerate(branches))
    layers += [f"{{concat: {{}}, from: [{ends}]}}", *[f"{{{narrow}}}"] * behind]
    layers.append("{conv1d: {out: 99, k: 1}, name: wide}")
    return f"{{convcalc: 1, input: [1, 4], layers: [{', '.join(layers)}, {{concat: {{}}, from: [wide, input]}}]}}"


def test_a_graph_too_wide_to_search_keeps_its_order_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_STATES", 1000)
    found = best_order(network(parallel([1] * 24, 0)))
    assert not found.proven and found.order == list(range(1 + 24 + 3))
    assert found.peak == 4 * (99 + 1 + 100)


@pytest.mark.parametrize("behind", [2, 3])
def test_a_part_is_searched_through_so_many_sets_of_layers(monkeypatch: pytest.MonkeyPatch, behind: int) -> None:
    """All of the branches, and then one for each layer: whatever comes before the wide one needs less memory."""
    branches = [2, 2, 3]
    monkeypatch.setattr(memory, "MOST_STATES", prod(count + 1 for count in branches) + 1 + 2 + 1)
    assert best_order(network(parallel(branches, behind))).proven is (behind == 2)


@pytest.mark.parametrize("behind", [2, 3])
def test_a_part_is_searched_up_to_so_many_layers(monkeypatch: pytest.MonkeyPatch, behind: int) -> None:
    branches = [2, 2, 3]
    monkeypatch.setattr(memory, "MOST_NODES", sum(branches) + 1 + 2 + 2)
    assert best_order(network(parallel(branches, behind))).proven is (behind == 2)


def test_googlenet_is_searched_and_proven() -> None:
    assert best_order(load("googlenet")).proven
