"""The data of the diagram: every layer in a box, every connection drawn, figures that add up to the report's."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from convcalc import load, loads
from convcalc.analysis.diff import diff
from convcalc.analysis.report import Report, analyse
from convcalc.page.diagram import COSTS, MOST_BOXES, MOST_STAGES, graph

GALLERY = sorted(path.stem for path in (Path(__file__).parent.parent / "specs").glob("*.yaml"))


def total(found: dict[str, Any], cost: str) -> int:
    """A cost of all boxes, each as often as it and the groups around it are repeated."""
    groups = found["groups"]
    summed = 0
    for node in found["nodes"]:
        value, group = node["times"] * node["figures"][cost], node["group"]
        while group is not None:
            value, group = value * groups[group]["times"], groups[group]["parent"]
        summed += value
    return summed


def check(found: dict[str, Any], report: Report) -> None:
    """What holds of the graph of any network."""
    assert {cost: total(found, cost) for cost in COSTS} == {
        "macs": report.totals.macs,
        "params": report.totals.params,
        "flops": report.totals.flops,
        "activations": report.activations(report.whole.nodes),
    }
    assert [node["id"] for node in found["nodes"]] == list(range(len(found["nodes"])))
    assert all(source < node["id"] for node in found["nodes"] for source in node["from"])
    read = {source for node in found["nodes"] for source in node["from"]}
    ends = [node["label"] for node in found["nodes"] if node["kind"] == "output"]
    assert sorted(ends) == sorted(output.name for output in report.network.outputs)
    unread = [node for node in found["nodes"] if node["id"] not in read and node["kind"] != "output"]
    assert all(node["kind"] == "input" or _ends_unread(report, node["path"]) for node in unread)
    json.dumps(found)


def _ends_unread(report: Report, path: str) -> bool:
    nodes = report.network.nodes
    read = {source for node in nodes for source in node.inputs}
    return any(node.name.startswith(path) and index not in read for index, node in enumerate(nodes))


@pytest.mark.parametrize("name", ["googlenet", "resnet", "unet", "swin", "nasnet", "vgg"])
def test_figures_add_up_and_lines_lead_on(name: str) -> None:
    report = analyse(load(name))
    check(graph(report), report)


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_every_network_of_the_gallery(name: str) -> None:
    report = analyse(load(name))
    check(graph(report), report)


def test_repetitions_are_one_box_with_their_count() -> None:
    found = graph(analyse(load("resnet", variant="resnet50")))
    groups = {group["path"]: group for group in found["groups"]}
    assert groups["conv4_x.1–5"]["times"] == 5
    assert groups["conv4_x.1–5"]["label"] == "1–5"
    assert "conv4_x.2" not in groups
    assert groups["conv4_x"]["what"] == "6 × residual"
    assert groups["conv4_x"]["figures"]["macs"] == (
        groups["conv4_x.0"]["figures"]["macs"] + 5 * groups["conv4_x.1–5"]["figures"]["macs"]
    )


def test_what_reads_a_repetition_reads_its_box() -> None:
    found = graph(analyse(load("resnet", variant="resnet50")))
    nodes = {node["path"]: node for node in found["nodes"]}
    after = nodes["conv3_x.0.shortcut.conv_bn.conv2d"]
    assert [found["nodes"][source]["path"] for source in after["from"]] == ["conv2_x.1.relu"]


def test_windows_and_shapes_are_said() -> None:
    found = graph(analyse(load("resnet")))
    first = next(node for node in found["nodes"] if node["kind"] == "conv2d")
    assert (first["window"], first["shape"], first["shape_text"]) == ("7×7/2", [64, 112, 112], "64×112×112")


def test_outputs_stand_behind_the_stages_that_make_them() -> None:
    text = (
        "{convcalc: 1, input: [3, 8, 8], outputs: [a, b], layers: [{conv2d: {out: 4, k: 1}, name: a}, relu,"
        " {conv2d: {out: 5, k: 1}, name: b}]}"
    )
    kinds = [(node["label"], node["kind"]) for node in graph(analyse(loads(text)))["nodes"]]
    assert kinds == [
        ("input", "input"),
        ("a", "conv2d"),
        ("a", "output"),
        ("relu", "relu"),
        ("b", "conv2d"),
        ("b", "output"),
    ]


def test_many_layers_are_drawn_less_deep() -> None:
    block = "{name: b%d, layers: [{conv2d: {out: %d, k: 1}}, batch_norm, relu]}"
    blocks = ", ".join(block % (i, i % 7 + 1) for i in range(700))
    report = analyse(loads(f"{{convcalc: 1, input: [8, 16, 16], layers: [{blocks}]}}"))
    found = graph(report)
    assert len(report.network) > MOST_BOXES
    assert len(found["nodes"]) == 702 and not found["groups"]
    assert found["nodes"][1]["kind"] == "conv2d"
    check(found, report)


def test_more_stages_than_a_diagram_shows_are_left_out() -> None:
    layers = ", ".join(["relu"] * (MOST_STAGES + 1))
    found = graph(analyse(loads(f"{{convcalc: 1, input: [1, 4, 4], layers: [{layers}]}}")))
    assert found["nodes"] == [] and found["left_out"] == MOST_STAGES + 1


def changes(found: dict[str, Any]) -> dict[str, str]:
    """What happened to each layer and group, by its path."""
    items = (*found["nodes"], *found["groups"])
    return {item["path"]: item["change"] for item in items if item.get("kind") != "output"}


def compared(before: str, after: str) -> dict[str, Any]:
    reports = [analyse(loads(f"{{convcalc: 1, input: [8, 16, 16], layers: [{layers}]}}")) for layers in (before, after)]
    return graph(reports[1], diff(*reports))


CONV = "{name: %s, conv2d: {out: %d, k: 3, p: 1}}"


def test_a_comparison_says_what_happened_to_each_box() -> None:
    found = compared(
        ", ".join((CONV % ("a", 8), CONV % ("b", 8), CONV % ("c", 4))),
        ", ".join((CONV % ("a", 8), CONV % ("c", 6), "{name: d, relu: }")),
    )
    assert changes(found) == {"input": "same", "a": "same", "b": "removed", "c": "changed", "d": "added"}
    nodes = found["nodes"]
    assert [node["path"] for node in nodes[:4]] == ["input", "a", "b", "c"]
    assert {nodes[source]["path"] for source in nodes[3]["from"]} == {"a", "b"}


def test_repetitions_of_which_some_are_new_are_two_boxes() -> None:
    block = "{name: stem, repeat: %d, conv2d: {out: 8, k: 3, p: 1}}"
    found = compared(block % 3, block % 5)
    boxes = [(node["path"], node["times"], node["change"]) for node in found["nodes"] if node["kind"] == "conv2d"]
    assert boxes == [("stem.0–2", 3, "same"), ("stem.3–4", 2, "added")]


def test_what_was_removed_stands_in_the_group_that_it_stood_in() -> None:
    block = "{name: stem, layers: [%s]}"
    found = compared(
        block % ", ".join((CONV % ("a", 8), CONV % ("b", 8), CONV % ("c", 8))),
        block % ", ".join((CONV % ("a", 8), CONV % ("c", 8))),
    )
    groups = {group["id"]: group["path"] for group in found["groups"]}
    assert {node["path"]: groups.get(node["group"]) for node in found["nodes"][1:-1]} == {
        "stem.a": "stem",
        "stem.b": "stem",
        "stem.c": "stem",
    }
    assert changes(found)["stem"] == "changed"


def test_a_network_compared_with_itself_is_the_same() -> None:
    report = analyse(load("googlenet"))
    found = graph(report, diff(report, report))
    plain = graph(report)
    assert Counter(changes(found).values()).keys() == {"same"}
    assert [{**node, "change": "same"} for node in plain["nodes"]] == found["nodes"]


@pytest.mark.parametrize("layers", ["[]", "[identity]", "[{layers: []}, {layers: []}]"])
def test_networks_of_next_to_nothing(layers: str) -> None:
    """Somebody has just begun to write."""
    report = analyse(loads(f"convcalc: 1\ninput: [3, 8, 8]\nlayers: {layers}\n"))
    check(graph(report), report)
