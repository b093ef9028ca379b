"""What the JSON of `table` has for whoever draws a network: groups, lifetimes, fields, intensity, offsets."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any

import pytest

import convcalc
from convcalc import arena, load, loads
from convcalc.analysis import rows as report_rows
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.quantity import plain_figure
from convcalc.analysis.report import analyse

SPECS = ("lenet5", "resnet", "googlenet", "unet", "densenet", "squeezenet", "textcnn", "vit")


def contract(spec: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = convcalc.analyse(spec, **options).to_dict()
    return found


@pytest.mark.parametrize("spec", SPECS)
def test_figures_of_layers_are_those_of_the_columns(spec: str) -> None:
    report = analyse(load(spec), 3, dtype="float16")
    rows: Any = report.to_dict()["layers"]
    for layer, row in zip(report.layers, rows, strict=True):
        for name in ("live", "bytes_moved", "intensity", "offset"):
            assert row[name] == plain_figure(QUANTITIES[name].get(report, layer)), (layer.name, name)
        start = plain_figure(QUANTITIES["start"].get(report, layer))
        assert row["start"] == start or (start is None and set(row["start"] or [None]) == {None})


@pytest.mark.parametrize("spec", SPECS)
def test_lifetimes_alone_give_what_is_alive(spec: str) -> None:
    found = contract(spec, batch=2)
    names = [*found["input"], *(layer["name"] for layer in found["layers"])]
    place = {name: i for i, name in enumerate(names)}
    readers: dict[str, int] = {}
    memory = {layer["name"]: layer["view_of"] or layer["name"] for layer in found["layers"]}
    for layer in found["layers"]:
        for source in layer["from"]:
            readers[memory.get(source, source)] = place[layer["name"]]
    sizes = {name: 2 * 4 * prod(shape) for name, shape in found["input"].items()}
    sizes |= {row["name"]: 2 * 4 * prod(row["output_shape"]) for row in found["layers"] if _made(row)}
    ends = {name: readers.get(name, 0) for name in found["input"]}
    ends |= {
        row["name"]: len(names) if row["last_reader"] is None else place[row["last_reader"]]
        for row in found["layers"]
        if _made(row)
    }
    for layer in found["layers"]:
        at = place[layer["name"]]
        alive = [name for name in sizes if (place[name] <= at or name in found["input"]) and ends[name] >= at]
        assert sum(sizes[name] for name in alive) == layer["live"], layer["name"]


def _made(row: dict[str, Any]) -> bool:
    """Whether its output is a tensor of its own that the pass makes: the network holds what reads nothing."""
    return row["view_of"] is None and bool(row["from"])


def test_groups_hold_layers_in_order_and_inside_each_other() -> None:
    found = contract("resnet")
    place = {layer["name"]: i for i, layer in enumerate(found["layers"])}
    spans = {
        group["path"]: range(place[group["first"]], place[group["last"]] + 1)
        for group in found["groups"]
        if group["first"]
    }
    assert {"conv2_x", "conv2_x.0", "conv2_x.0.body"} <= set(spans)
    for path, span in spans.items():
        group = next(group for group in found["groups"] if group["path"] == path)
        assert place[group["output"]] in span
        assert all(found["layers"][i]["name"].startswith(f"{path}.") for i in span)
        outer = spans.get(path.rpartition(".")[0], range(len(place)))
        assert outer.start <= span.start and span.stop <= outer.stop
    repeated = next(group for group in found["groups"] if group["path"] == "conv2_x")
    assert (repeated["kind"], repeated["repeats"]) == ("repeat", 3)
    assert [spans[f"conv2_x.{i}"].stop == spans[f"conv2_x.{i + 1}"].start for i in range(2)] == [True, True]


def test_a_branch_without_layers_has_neither_first_nor_last() -> None:
    layers = "[{add: {branches: {a: [], b: [{conv2d: {out: 4, k: 1}}]}}, name: block}]"
    found = contract(loads(f"{{convcalc: 1, input: [4, 8, 8], layers: {layers}}}"))  # type: ignore[arg-type]
    empty = [group for group in found["groups"] if group["first"] is None]
    assert len(empty) == 1 and empty[0]["last"] is None and empty[0]["output"] == "input"


def test_offsets_are_those_of_the_arena() -> None:
    rows = analyse(load("mobilenet_v2"), dtype="int8").to_dict()["layers"]
    plan: Any = arena("mobilenet_v2").to_dict()
    where = {name: buffer["offset"] for buffer in plan["buffers"] for name in buffer["layers"] if not buffer["between"]}
    assert {row["name"]: row["offset"] for row in rows} == {row["name"]: where[row["name"]] for row in rows}  # type: ignore[index, attr-defined]


def test_large_networks_have_no_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_rows, "MOST_PLANNED", 5)
    assert {layer["offset"] for layer in contract("lenet5")["layers"]} == {None}


def test_fields_start_in_the_padding() -> None:
    rows = {row["name"]: row for row in contract(load("resnet", variant="resnet50"))["layers"]}  # type: ignore[arg-type]
    assert rows["conv1.conv_bn.conv2d"]["start"] == [-3, -3]
    assert rows["pool5"]["start"] == [None, None] and rows["pool5"]["jump"] == [None, None]


def test_keys_are_those_that_programs_rely_on() -> None:
    found = contract("lenet5")
    first = ["format", "convcalc", "spec", "variant", "input", "batch", "conventions"]
    assert list(found) == [*first, "groups", "layers", "stages", "outputs", "totals", "published"]
    for one, other in pairwise(found["layers"]):
        assert list(one) == list(other)
