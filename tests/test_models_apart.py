"""Positions of an axis that a model takes one by one become an `unbind`: of PyTorch, ONNX and Keras alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from convcalc import loads
from convcalc.export.onnx_model import onnx_model
from convcalc.keras import loads_keras
from convcalc.layers.base import Layer, Shape
from convcalc.layers.batched import batched
from convcalc.layers.registry import build
from convcalc.models.apart import taken_apart
from convcalc.onnx import load_onnx

from .onnx_models import Maker, kinds
from .torch_tapes import BATCH, Recorder


@dataclass
class Step:
    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape
    scope: int = 0


X = Step(None, (), (3, 2, 5))


def select(index: int, source: int = 0, dim: int = 0, scope: int = 0, shape: Shape = (2, 5)) -> Step:
    return Step(build("select", {"dim": dim, "index": index}), (source,), shape, scope)


def split(part: int) -> Step:
    return Step(build("split", {"channels": [1, 1, 1], "part": part}), (0,), (1, 2, 5))


def view(source: int, shape: Shape = (2, 5), kind: str = "reshape") -> Step:
    fields: dict[str, Any] = {"reshape": {"shape": shape}, "squeeze": {"dim": 0}, "permute": {"dims": [0, 2, 1]}}[kind]
    return Step(build(kind, fields), (source,), shape)


def found(*steps: Step, ends: tuple[int, ...] = ()) -> list[tuple[str, tuple[int, ...]]]:
    """(kind with its part, inputs) of each step behind the input."""
    read = {source for step in steps for source in step.inputs}
    last = {number for number in range(1, len(steps) + 1) if number not in read} | set(ends)
    made, _ = taken_apart([X, *steps], last, lambda step: step.scope)
    named = [(step.layer, step.inputs) for step in made if step.layer is not None]
    parts = [("" if layer.part_of is None else f".{layer.part_of.which}", layer, inputs) for layer, inputs in named]
    return [(f"{layer.kind}{part}", inputs) for part, layer, inputs in parts]


def test_selections_of_every_position_are_parts_where_the_first_stood() -> None:
    relu = Step(build("relu", {}), (1,), (2, 5))
    add = Step(build("add", {}), (1, 3), (2, 5))
    assert found(select(1), relu, select(-1), select(0), add) == [
        *(("unbind.0", (0,)), ("unbind.1", (0,)), ("unbind.2", (0,))),
        *(("relu", (2,)), ("add", (2, 3))),
    ]


@pytest.mark.parametrize(
    "steps",
    [
        (select(0), select(1)),
        (select(0), select(1), select(1)),
        (select(0), select(1), select(2), select(2)),
        (select(0), select(1), select(2, scope=1)),
        (select(0), select(1), select(2, source=1, shape=(5,))),
    ],
    ids=["a position is left", "one is taken twice", "all and one twice", "in another module", "of another tensor"],
)
def test_other_selections_stay(steps: tuple[Step, ...]) -> None:
    assert {kind for kind, _ in found(*steps)} == {"select"}


def test_one_position_of_an_axis_of_one_stays_a_selection() -> None:
    made, places = taken_apart([Step(None, (), (1, 5)), select(0, shape=(5,))], {1})
    assert [step.layer and step.layer.kind for step in made] == [None, "select"] and places == [0, 1]


def test_axes_behind_batch_axes_are_counted_from_there() -> None:
    steps = [Step(None, (), (4, 7, 2)), *(select(index, dim=1, shape=(4, 7)) for index in (0, 1))]
    for step in steps[1:]:
        assert step.layer is not None
        step.layer = batched(step.layer, 1)
    (_, first, second), _ = taken_apart(steps, {1, 2})
    for step in (first, second):
        assert step.layer is not None and step.layer.batch_axes == 1 and step.layer.inside.kind == "unbind"
        assert step.layer.output_shape(((4, 7, 2),)) == (4, 7)
    assert second.layer is not None and second.layer.inside.fields() == {"parts": 2, "dim": 1, "part": 1}


@pytest.mark.parametrize("kind", ["reshape", "squeeze"])
def test_parts_of_one_position_that_lose_their_axis(kind: str) -> None:
    steps = [split(0), split(1), split(2), *(view(part, kind=kind) for part in (2, 1, 3))]
    assert found(*steps, Step(build("add", {}), (4, 5), (2, 5))) == [
        *(("unbind.0", (0,)), ("unbind.1", (0,)), ("unbind.2", (0,)), ("add", (2, 1))),
    ]


def test_parts_that_something_else_reads_stay() -> None:
    parts, views = (split(0), split(1), split(2)), [view(part) for part in (1, 2, 3)]
    whole = [*parts, *views]
    assert {kind for kind, _ in found(*whole)} == {"unbind.0", "unbind.1", "unbind.2"}
    kept = {"split.0", "split.1", "split.2"}
    assert kept < {kind for kind, _ in found(*whole, Step(build("relu", {}), (3,), (1, 2, 5)))}
    assert kept < {kind for kind, _ in found(*whole, ends=(2,))}
    assert kept < {kind for kind, _ in found(*parts, *views[:2])}
    assert kept < {kind for kind, _ in found(*parts, *views[:2], view(3, (1, 5, 2), "permute"))}
    assert kept < {kind for kind, _ in found(*parts, *views[:2], view(3, (5, 2)))}


def test_the_places_say_where_each_step_went() -> None:
    _, places = taken_apart([X, split(0), split(1), split(2), view(3), view(1), view(2)], {4, 5, 6})
    assert places == [0, 1, 2, 3, 3, 1, 2]


def test_what_leads_nowhere_takes_nothing() -> None:
    """As each of three calls of `unbind` of which one part alone is used."""
    steps = [X, *(select(index) for _ in range(3) for index in range(3))]
    made, places = taken_apart(steps, {1, 5, 9})
    kinds = [step.layer.kind for step in made if step.layer is not None]
    assert kinds.count("unbind") == 3 and kinds.count("select") == 6
    assert [made[places[index]].layer.part_of.which for index in (1, 5, 9)] == [0, 1, 2]  # type: ignore[union-attr]


def test_names_of_parts_that_an_export_wrote_come_back(tmp_path: Path) -> None:
    parts = (
        "{unbind: {parts: 3}, name: qkv}, {relu: {}, from: qkv.2, name: last}, {add: {}, from: [qkv.0, qkv.1, last]}"
    )
    network = loads(f"{{convcalc: 1, input: [3, 4], layers: [{{layers: [{parts}], name: attention}}]}}")
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_model(network))
    found = load_onnx(str(path))
    names = [node.name for node in found if node.kind == "unbind"]
    assert [name[-5:] for name in names] == ["qkv.0", "qkv.1", "qkv.2"] and "qkv.0." not in " ".join(names)


@pytest.mark.parametrize("how", ["unbind", "indices"])
def test_queries_keys_and_values_of_pytorch(how: str) -> None:
    tape = Recorder()
    x = tape.input(7, 3, 2, 4)
    x = tape.call("torch.Tensor.permute", x, 2, 0, 3, 1, 4, to=(3, BATCH, 2, 7, 4))
    if how == "unbind":
        parts = [tape.tensor(BATCH, 2, 7, 4) for _ in range(3)]
        tape.tape.calls.append(tape.tape.calls[-1]._replace(function="torch.Tensor.unbind", args=(x, 0), kwargs={}))
        tape.tape.calls[-1] = tape.tape.calls[-1]._replace(outputs=tuple(part.tensor for part in parts))
    else:
        parts = [tape.call("torch.Tensor.__getitem__", x, index, to=(BATCH, 2, 7, 4)) for index in (0, 1, 2)]
    products = 2 * 7 * 7 * 4 * 2
    tape.call("torch.nn.functional.scaled_dot_product_attention", *parts, to=(BATCH, 2, 7, 4), macs=products)
    assert tape.layers() == ["permute: {dims: [1, 2, 0, 3]}", "unbind: {parts: 3}", "scaled_dot_product_attention"]


def test_a_split_and_squeezes_of_onnx(tmp_path: Path) -> None:
    m = Maker(1, 3, 4, 5)
    first = m.node("Split", "x", outputs=3, axis=1)
    parts = (first, f"{first}_1", f"{first}_2")
    query, key, value = (m.node("Squeeze", part, m.constant([1])) for part in parts)
    network = m.load(tmp_path, m.node("Mul", m.node("Add", query, key), value))
    assert kinds(network) == ["unbind", "unbind", "unbind", "add", "multiply"]
    assert network["unbind.2"].shape == (4, 5) and network.groups["unbind"].kind == "split"


def test_gathers_of_onnx(tmp_path: Path) -> None:
    m = Maker(1, 4, 3, 5)
    last, first, middle = (m.node("Gather", "x", m.constant(index), axis=2) for index in (-1, 0, 1))
    network = m.load(tmp_path, m.node("Sub", m.node("Sub", last, first), middle))
    assert kinds(network) == ["unbind", "unbind", "unbind", "sub", "sub"]
    assert network["unbind.0"].layer.fields() == {"parts": 3, "dim": 1, "part": 0}
    assert network["sub"].inputs == (3, 1) and network["sub_2"].inputs == (4, 2)


def test_brackets_of_keras() -> None:
    def layer(kind: str, name: str, reads: list[str], **settings: Any) -> dict[str, Any]:
        calls = [[[read, 0, 0, {}] for read in reads]] if reads else []
        return {"class_name": kind, "config": {"name": name, **settings}, "name": name, "inbound_nodes": calls}

    whole = {"start": None, "stop": None, "step": None}
    takes = [layer("SlicingOpLambda", f"part{n}", [], slice_spec=[whole, n]) for n in range(3)]
    for take in takes:
        take["inbound_nodes"] = [["x", 0, 0, {"slice_spec": take["config"].pop("slice_spec")}]]
    items = [
        layer("InputLayer", "x", [], batch_input_shape=[None, 3, 5]),
        *takes,
        layer("Add", "end", ["part0", "part1", "part2"]),
    ]
    config = {"name": "net", "layers": items, "input_layers": [["x", 0, 0]], "output_layers": [["end", 0, 0]]}
    text = json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.15.0"})
    network = loads_keras(text, "net")
    assert [node.kind for node in network] == ["unbind", "unbind", "unbind", "add"]
    assert network.nodes[-1].inputs == (1, 2, 3)
