"""The arena of a microcontroller: plans equal those that TensorFlow Lite Micro made, offsets those of its planner."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc import UsageError, load, loads
from convcalc.analysis import arena as arenas
from convcalc.analysis.arena import ALIGNMENT, Arena, arena, greedy
from convcalc.analysis.controller import Controller, figures_of
from convcalc.analysis.flash import SCALE_BYTES
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.export.arena import MOST_RECTANGLES
from convcalc.inference import output_shape
from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output

from .command import run
from .controller_specs import RECORD, SPECS

RECORDED = json.loads(RECORD.read_text("utf-8"))["networks"]
"""What TensorFlow's converter left of each network, and what TensorFlow Lite Micro allocated for it."""


@pytest.fixture(scope="module", params=SPECS)
def recorded(request: pytest.FixtureRequest) -> tuple[Network, dict[str, Any]]:
    return loads(SPECS[request.param]), RECORDED[request.param]


class TestAsTensorFlowLiteMicro:
    """Runs recorded by `benchmarks/microcontroller.py`."""

    def test_the_arena_is_the_one_that_was_allocated(self, recorded: tuple[Network, dict[str, Any]]) -> None:
        net, found = recorded
        assert arena(net, 1, 1, with_pads=True).size == found["arena"]

    def test_there_are_as_many_operators(self, recorded: tuple[Network, dict[str, Any]]) -> None:
        net, found = recorded
        assert len(arena(net, 1, 1, with_pads=True).operators) == len(found["operators"].split())

    def test_a_pad_stands_before_the_layers_that_are_named(self, recorded: tuple[Network, dict[str, Any]]) -> None:
        net, found = recorded
        pads = sum(word in ("PAD", "PADV2") for word in found["operators"].split())
        own = sum(node.layer is not None and node.layer.changes_border for node in net.nodes)
        assert len(Controller(analyse(net)).padded) == pads - own

    def test_the_flash_is_that_of_the_file(self, recorded: tuple[Network, dict[str, Any]]) -> None:
        net, found = recorded
        flash = Controller(analyse(net, dtype="int8")).flash
        assert (flash.weights, flash.biases, flash.scales) == (
            found["weights"],
            found["biases"],
            SCALE_BYTES * found["scales"],
        )


@pytest.mark.parametrize(
    ("name", "variant", "size", "unfused"),
    [("mobilenet_v2", None, 1_505_280, 2_408_448), ("resnet", "resnet18", 1_003_520, 1_605_632)],
)
def test_batch_norm_and_relu_need_no_buffers_of_their_own(
    name: str, variant: str | None, size: int, unfused: int
) -> None:
    report = analyse(load(name, variant=variant), dtype="int8")
    assert (report.arena.size, report.arena.bound, max(report.liveness.live)) == (size, size, unfused)


PLANS = {
    "basics": ([(10, 0, 1), (20, 2, 3)], [0, 0], 20),
    "medium": ([(10, 0, 1), (20, 1, 2), (30, 2, 3), (40, 3, 4), (50, 0, 1)], [50, 70, 40, 0, 0], 90),
    "overlap": ([(100, 0, 1), (50, 2, 3), (20, 1, 2)], [0, 0, 100], 120),
}
"""Requests, offsets and size in the planner's own tests: greedy_memory_planner_test.cc of tflite-micro."""


@pytest.mark.parametrize("name", PLANS)
def test_offsets_are_those_of_the_planners_own_tests(name: str) -> None:
    requests, offsets, size = PLANS[name]
    found = greedy(requests)
    assert (found[: len(offsets)], max(o + r[0] for o, r in zip(found, requests, strict=True))) == (offsets, size)


GREEDY = json.loads((Path(__file__).parent / "oracle" / "greedy_memory_planner.json").read_text("utf-8"))["plans"]


@pytest.mark.parametrize("plan", GREEDY, ids=lambda plan: f"{len(plan['requests'])} buffers")
def test_offsets_are_those_of_the_planner_itself(plan: dict[str, Any]) -> None:
    """Runs of GreedyMemoryPlanner, compiled from tflite-micro; the first is its test of a person detection model."""
    assert greedy([tuple(request) for request in plan["requests"]]) == plan["offsets"]


REQUESTS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 12), st.integers(0, 12)).map(
        lambda found: (found[0], min(found[1:]), max(found[1:]))
    ),
    max_size=14,
)


@settings(max_examples=200)
@given(REQUESTS)
def test_each_buffer_lies_at_the_lowest_place_that_those_before_it_leave(requests: list[tuple[int, int, int]]) -> None:
    """The rule of the planner, by brute force: no overlap, and no lower offset among the larger ones."""
    offsets = greedy(requests)
    order = sorted(range(len(requests)), key=lambda i: (-requests[i][0], -i))
    for place, which in enumerate(order):
        size, first, last = requests[which]
        before = [i for i in order[:place] if requests[i][1] <= last and requests[i][2] >= first]

        def free(offset: int, size: int = size, before: list[int] = before) -> bool:
            return all(offset + size <= offsets[i] or offsets[i] + requests[i][0] <= offset for i in before)

        assert free(offsets[which]) and not any(map(free, range(offsets[which])))


KINDS = ("relu", "batch_norm", "conv", "silu", "add", "concat", "flat", "pool", "dropout")


@st.composite
def graphs(draw: st.DrawFn) -> Network:
    """A random graph over [c, 6], with one or two outputs."""
    nodes = [Node("input", None, (), (2, 6))]
    for n in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(KINDS))
        picks = st.integers(max(0, len(nodes) - 4), len(nodes) - 1)
        sources = tuple(draw(picks) for _ in range(2 if kind in ("add", "concat") else 1))
        if kind == "add" and nodes[sources[0]].shape != nodes[sources[1]].shape:
            kind, sources = "relu", sources[:1]
        made: dict[str, tuple[str, dict[str, object]]] = {
            "conv": ("conv1d", {"out": draw(st.integers(1, 4)), "k": 1}),
            "flat": ("identity", {}),
            "pool": ("max_pool1d", {"k": 3, "s": 1, "p": 1}),
        }
        layer = build(*made.get(kind, (kind, {})))
        nodes.append(Node(f"n{n}", layer, sources, output_shape(layer, tuple(nodes[i].shape for i in sources))))
    outputs = {len(nodes) - 1, draw(st.integers(1, len(nodes) - 1))}
    return Network("random", tuple(nodes), tuple(Output(f"o{i}", i) for i in sorted(outputs)), {})


def overlapping(plan: Arena) -> list[tuple[int, int]]:
    """Buffers that are alive together and lie on one another."""
    assert plan.offsets is not None
    found = []
    for a in range(len(plan.buffers)):
        for b in range(a):
            (x, y), (p, q) = (plan.buffers[a], plan.buffers[b]), (plan.offsets[a], plan.offsets[b])
            if x.first <= y.last and y.first <= x.last and p < q + y.aligned and q < p + x.aligned:
                found.append((a, b))
    return found


@settings(max_examples=150)
@given(graphs(), st.integers(1, 5))
def test_a_plan_is_one_that_can_be_run(net: Network, batch: int) -> None:
    """What an operator reads is still there, nothing alive lies on anything else, and no plan is below its bound."""
    plan = arena(net, batch, 1)
    assert plan.offsets is not None and plan.size is not None
    assert overlapping(plan) == [] and all(offset % ALIGNMENT == 0 for offset in plan.offsets)
    assert plan.bound <= plan.size <= sum(buffer.aligned for buffer in plan.buffers)
    for index, node in enumerate(net.nodes):
        for source in node.inputs:
            held = plan.buffers[plan.holds[source]]
            assert held.first <= plan.runs[index][0] <= held.last or plan.holds[source] == plan.holds[index]
    for output in net.outputs:
        assert plan.buffers[plan.holds[output.node]].last == len(plan.operators)
    together = [sum(b.size for b in plan.buffers if b.first <= at <= b.last) for at in range(len(plan.live))]
    assert plan.live == together


def small(layers: str, outputs: str = "") -> Arena:
    return arena(loads(f"{{convcalc: 1, input: [4, 8, 8], layers: [{layers}]{outputs}}}"), 1, 1)


CONV = "{conv2d: {out: 4, k: 1}, name: c}"


@pytest.mark.parametrize(
    ("layers", "operators"),
    [
        (f"{CONV}, batch_norm, scale, relu", 1),
        (f"{CONV}, dropout, relu6", 1),
        (f"{CONV}, relu, relu", 2),
        (f"{CONV}, relu, batch_norm", 3),
        (f"{CONV}, tanh, relu", 3),
        (f"{CONV}, relu, {{add: {{}}, from: [c, relu]}}", 3),
        ("{max_pool2d: {k: 2}}, relu", 1),
        ("global_avg_pool, relu", 2),
        ("relu", 1),
        ("batch_norm, relu", 2),
        ("{batch_norm: {track_running_stats: false}}, relu", 3),
        (f"{CONV}, {{batch_norm: {{track_running_stats: false}}}}", 3),
        (f"{CONV}, {{concat: {{}}, from: [c, c]}}, relu", 3),
        ("flatten, {linear: {out: 4}}, batch_norm, relu", 1),
        ("{linear: {out: 8, dim: last}}, batch_norm", 3),
        ("{permute: {dims: [0, 2, 1]}}, relu", 2),
        ("{split: {channels: [1, 3]}, name: s}, {add: {}, from: [s.0, s.0]}", 3),
    ],
)
def test_what_is_an_operator_of_its_own(layers: str, operators: int) -> None:
    assert len(small(layers).operators) == operators


def test_what_the_network_puts_out_takes_nothing_in() -> None:
    assert len(small(f"{CONV}, relu", ", outputs: [c, relu]").operators) == 2


def test_an_operator_of_two_holds_what_passes_between_them() -> None:
    plan = small("silu")
    assert [(b.size, b.first, b.last, b.between) for b in plan.buffers] == [
        (256, 0, 2, False),
        (256, 1, 2, True),
        (256, 2, 2, False),
    ]
    separable = small("{separable_conv2d: {out: 2, k: 3, p: 1, depth_multiplier: 3}}")
    assert [b.size for b in separable.buffers] == [256, 3 * 256, 128]


def test_batch_and_dtype_scale_the_buffers() -> None:
    net = load("lenet5")
    plan, wide = arena(net, 1, 1), arena(net, 3, 4)
    assert [b.size for b in wide.buffers] == [12 * b.size for b in plan.buffers]


def test_float32_has_no_scales_and_keeps_what_is_folded_away_out() -> None:
    net = loads("{convcalc: 1, input: [4, 8, 8], layers: [{conv2d: {out: 8, k: 1, bias: false}}, batch_norm]}")
    wide, narrow = (Controller(analyse(net, dtype=dtype)).flash for dtype in ("float32", "int8"))
    assert (wide.weights, wide.biases, wide.scales) == (4 * 32, 4 * 8, 0)
    assert (narrow.weights, narrow.biases, narrow.scales) == (32, 4 * 8, 4 * 8)


def test_more_than_can_be_planned_has_a_bound_and_no_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arenas, "MOST_LIVED", 3)
    plan = convcalc.arena("lenet5")
    assert plan.arena.offsets is plan.arena.size is plan.fragmentation is plan.size_with_pads is None
    assert plan.to_dict()["arena"] is None and plan.to_dict()["live_bound"] == plan.arena.bound
    assert "too many buffers" in str(plan) and "█" not in str(plan)
    assert QUANTITIES["offset"].get(figures_of(plan), figures_of(plan).whole) is None
    with pytest.raises(UsageError, match="not planned"):
        plan.svg()


def test_long_chains_are_planned_and_long_skips_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = loads("{convcalc: 1, input: [2, 4], layers: [{layers: [tanh], repeat: 5000, name: t}]}")
    assert arena(chain, 1, 1).size == 2 * ALIGNMENT
    monkeypatch.setattr(arenas, "MOST_LIVED", 15_000)
    assert arena(chain, 1, 1).size is not None
    skip = "{layers: [tanh], repeat: 5000, name: t}, {add: {}, from: [t, input]}"
    net = loads(f"{{convcalc: 1, input: [2, 4], layers: [{skip}]}}")
    assert arena(net, 1, 1).size is None


class TestColumns:
    def test_a_layer_that_rides_lies_where_its_head_lies(self) -> None:
        report = analyse(load("mobilenet_v2"), dtype="int8")
        rows = {layer.name: layer for layer in report.layers}
        expand = "bottleneck2.0.body.expand"
        offsets = {
            QUANTITIES["offset"].get(report, rows[f"{expand}.{name}"])
            for name in ("conv_bn.conv2d", "conv_bn.batch_norm", "relu6")
        }
        assert offsets == {0}
        depthwise = rows["bottleneck2.0.body.depthwise.relu6"]
        assert QUANTITIES["offset"].get(report, depthwise) == 1_204_224
        assert QUANTITIES["arena_live"].get(report, depthwise) == 1_505_280

    def test_flash_adds_up_and_stands_where_it_is_folded_into(self) -> None:
        report = analyse(load("mobilenet_v2"), dtype="int8")
        values = [QUANTITIES["flash"].get(report, layer) for layer in report.layers]
        assert (
            sum(v for v in values if isinstance(v, int)) == QUANTITIES["flash"].get(report, report.whole) == 3_614_208
        )
        assert values[1] == 0 and values[0] == 32 * 3 * 9 + 4 * 32 + 4 * 32

    def test_the_remark_says_what_is_planned(self) -> None:
        shown = run("table", "mobilenet_v2", "--dtype", "int8", "--columns", "name,offset")
        assert "arena: 1,505,280 B planned (1.44 MiB); 1,505,280 B alive at bottleneck2.0" in shown.stdout
        assert "float32" not in shown.stdout
        other = run("table", "mobilenet_v2", "--columns", "name,offset").stdout
        assert "(5.74 MiB)" in other and "in float32: --dtype int8 counts as microcontrollers do" in other


class TestCommand:
    def test_text_has_a_row_a_buffer_and_draws_the_arena(self) -> None:
        lines = run("arena", "mobilenet_v2").stdout.splitlines()
        (row,) = [line.split() for line in lines if line.startswith("   5 ")]
        assert row[2:5] == ["301,056", "1,204,224", "6"] and row[5] == "▒" * 19 + "█" * 5
        assert "2,451,840 B where a converter writes a PAD before each" in "\n".join(lines)
        assert any(line.startswith("left out: scratch memory of kernels") for line in lines)

    def test_json_has_the_plan(self) -> None:
        found = json.loads(run("arena", "resnet", "--variant", "resnet18", "--format", "json").stdout)
        assert (found["arena"], found["live_bound"], found["fragmentation"]) == (1_003_520, 1_003_520, 0)
        assert found["peak"] == {"operator": 2, "layer": "pool1", "alive": ["conv1", "pool1"]}
        assert found["buffers"][1] == {
            "layers": ["conv1.conv_bn.conv2d", "conv1.conv_bn.batch_norm", "conv1.relu"],
            "between": False,
            "bytes": 802_816,
            "offset": 0,
            "first": 1,
            "last": 2,
        }
        assert found["flash"]["total"] == sum(found["flash"][part] for part in ("weights", "biases", "scales"))
        assert len(found["operators"]) == found["buffers"][-1]["last"]

    def test_csv_has_raw_numbers(self) -> None:
        rows = run("arena", "lenet5", "--format", "csv").stdout.splitlines()
        assert rows[0] == "step,buffer,bytes,offset,until" and rows[1] == "0,input,1024,0,1"

    def test_the_default_is_int8_and_dtype_and_batch_are_those_of_table(self) -> None:
        assert json.loads(run("arena", "lenet5", "--format", "json").stdout)["dtype"] == "int8"
        wide = json.loads(run("arena", "lenet5", "--format", "json", "--dtype", "float32", "--batch", "2").stdout)
        assert (wide["dtype"], wide["batch"], wide["buffers"][0]["bytes"]) == ("float32", 2, 8192)


class TestPicture:
    def test_every_buffer_is_a_rectangle_where_it_lies(self) -> None:
        plan = convcalc.arena("mobilenet_v2")
        root = ElementTree.fromstring(run("export", "mobilenet_v2", "--to", "arena").stdout)
        space = "{http://www.w3.org/2000/svg}"
        drawn = [r for r in root.iter(f"{space}rect") if r.get("class") not in ("paper", "peak")]
        assert plan.arena.offsets is not None and plan.arena.size is not None
        assert len(drawn) == len(plan.arena.buffers)
        for rectangle, buffer, offset in zip(drawn, plan.arena.buffers, plan.arena.offsets, strict=True):
            said = rectangle.findtext(f"{space}title") or ""
            assert re.search(rf": {buffer.size:,} B at {offset:,}, operators {buffer.first} to {buffer.last}$", said)
            share = float(rectangle.get("height", "")) / 360
            assert share == pytest.approx(buffer.size / plan.arena.size, abs=1e-3)

    def test_names_are_escaped_and_too_many_buffers_are_refused(self) -> None:
        net = Network("<b>&", *(getattr(load("lenet5"), name) for name in ("nodes", "outputs", "groups")))
        assert ElementTree.fromstring(convcalc.arena(net).svg())[0].text.startswith("<b>&")  # type: ignore[union-attr]
        many = loads(f"{{convcalc: 1, input: [1], layers: [{{layers: [tanh], repeat: {MOST_RECTANGLES}, name: t}}]}}")
        with pytest.raises(UsageError, match="too many buffers for a picture"):
            convcalc.arena(many).svg()

    def test_dtype_goes_with_arena_alone(self) -> None:
        done = run("export", "lenet5", "--to", "svg", "--dtype", "int8")
        assert (done.code, done.stderr) == (2, "error: --dtype goes with arena, not with svg\n")
        wide = run("export", "lenet5", "--to", "arena", "--dtype", "float32").stdout
        assert "LeNet-5, float32" in wide and "4,096 B" in wide


def test_names_are_whole_at_80_columns_where_a_narrower_picture_leaves_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for network, columns in (("lenet5", 24), ("mobilenet_v2", 14)):
        rows = run("arena", network).stdout.splitlines()[4:-8]
        assert not any("…" in row for row in rows)
        assert len(rows[0].split()[-1]) == columns
