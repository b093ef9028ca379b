"""Files of torch.export: read without torch, and refused with a reason where they are damaged."""

from __future__ import annotations

import io
import json
import random
import zipfile
from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcalc.api.load import load
from convcalc.findings import SpecError, UsageError
from convcalc.torch.exported.costs import FORMULAS, macs
from convcalc.torch.exported.expressions import symbols, value
from convcalc.torch.exported.fields import Malformed

FOLDER = Path(__file__).parent / "oracle" / "exported"


def archive(**members: object) -> bytes:
    """A zip archive with these members; `/` stands as two underscores."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            text = content if isinstance(content, (bytes, str)) else json.dumps(content)
            target.writestr(name.replace("__", "/"), text)
    return found.getvalue()


def graph(name: str = "fixed") -> dict[str, Any]:
    with zipfile.ZipFile(FOLDER / f"{name}.pt2") as source:
        member = next(member for member in source.namelist() if member.endswith("models/model.json"))
        found: dict[str, Any] = json.loads(source.read(member))
    return found


def code(tmp_path: Path, content: bytes) -> str:
    """The code with which a file is refused."""
    path = tmp_path / "model.pt2"
    path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        load(path)
    return error.value.findings[0].code


@pytest.mark.parametrize("name", ["fixed", "open"])
def test_the_layers_are_those_of_the_model(name: str) -> None:
    network = load(FOLDER / f"{name}.pt2")
    assert network.inputs == {"input": (3, 16, 16)}
    assert [network.nodes[output.node].shape for output in network.outputs] == [(10,)]
    assert network["stem.1"].kind == "batch_norm"  # type: ignore[union-attr]
    assert network["attention"].kind == "MultiheadAttention"
    assert network.notes == ()


@pytest.mark.parametrize("name", ["fixed", "open"])
def test_parameters_count_once_and_macs_at_each_call(name: str) -> None:
    network = load(FOLDER / f"{name}.pt2")
    weights = [
        weight
        for node in network
        if node.layer is not None and node.shares is None
        for weight in node.layer.weights(network.input_shapes(node))
    ]
    # sum(p.numel() for p in Net().parameters()), and torch.utils.flop_counter of a run at a batch of 1, halved
    assert sum(prod(weight.shape) for weight in weights if weight.learnable) == 1122
    macs = [
        node.layer.operations(network.input_shapes(node), node.shape).get("mac", 0) for node in network if node.layer
    ]
    assert sum(macs) == 177_744


def test_archives_of_older_versions_have_the_graph_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "old.pt2"
    path.write_bytes(archive(**{"serialized_exported_program.json": graph(), "version": "5.3"}))
    assert len(load(path)) == len(load(FOLDER / "fixed.pt2"))


def test_a_batch_that_is_fixed_and_not_one_is_refused(tmp_path: Path) -> None:
    assert code(tmp_path, (FOLDER / "batch_of_4.pt2").read_bytes()) == "CC728"


@pytest.mark.parametrize("input", [(3, 16, 16), [3, 16, 16], {"input": [3, 16, 16]}])
def test_the_sizes_of_the_example_may_be_asked_for(input: Any) -> None:
    assert load(FOLDER / "fixed.pt2", input=input).inputs == {"input": (3, 16, 16)}


@pytest.mark.parametrize("input", [(3, 32, 32), [3], {"input": [1]}, {"other": [3, 16, 16]}])
def test_other_sizes_are_refused(input: Any) -> None:
    with pytest.raises(UsageError, match="reads 3,16,16, not what --input says"):
        load(FOLDER / "fixed.pt2", input=input)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no file"):
        load("missing.pt2")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.pt2"
    folder.mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "CC727"),
        (b"\x80\x02}q\x00.", "CC727"),
        ((FOLDER / "fixed.pt2").read_bytes()[:-30], "CC727"),
        (archive(data="nothing"), "CC727"),
        (archive(models__model__=b""), "CC727"),
        (archive(**{"models/model.json": b"{"}), "CC727"),
        (archive(**{"models/model.json": b"[]"}), "CC727"),
        (archive(**{"models/model.json": b'{"a":' * 5000 + b"1" + b"}" * 5000}), "CC727"),
        (archive(**{"models/model.json": b" " * (1 << 25)}), "CC004"),
        (archive(**{"models/model.json": b"[" + b"{}," * 1_500_000 + b"0]"}), "CC004"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    assert code(tmp_path, content) == expected


def damaged(data: Any, chance: random.Random) -> Any:
    """JSON data with one of its parts changed."""
    place: Any = data["graph_module"][chance.choice(["graph", "signature"])]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return data
        key = chance.choice(keys)
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.85:
            place = inner
            continue
        new = chance.choice([None, -1, 0, 2**70, 1.5, "x", [], {}, [[]], {"as_int": -7}, {"as_tensor": {"name": "?"}}])
        if chance.random() < 0.3:
            del place[key]
        else:
            place[key] = new
        return data


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fixed", "open"])
def test_a_damaged_graph_is_read_or_refused(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    path, refused = tmp_path / "damaged.pt2", 0
    for _ in range(150):
        path.write_bytes(archive(**{"models/model.json": damaged(graph(name), chance)}))
        try:
            load(path)
        except SpecError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Integer(7)", 7),
        ("s0", 224),
        ("2*s0 + 1", 449),
        ("Mul(Integer(2), Symbol('s0', positive=True, integer=True))", 448),
        ("Add(FloorDiv(Add(Symbol('s0', integer=True), Integer(-1)), Integer(2)), Integer(1))", 112),
        ("Pow(Symbol('s0'), Integer(2))", 50176),
        ("(s0 - 1)//2", 111),
    ],
)
def test_open_sizes_are_computed(text: str, number: int) -> None:
    assert value(text, {"s0": 224}) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "s1", "__import__('os')", "s0.real", "lambda: 1", "Pow(s0, Integer(99))", "FloorDiv(s0, Integer(0))"),
        *("Symbol()", "Mul()//0", "(" * 400, "-s0", "Rational(1, 2)", "1" * 2000, "9**9**9"),
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        value(text, {"s0": 224})


def test_the_symbols_of_an_expression() -> None:
    assert symbols("Add(Symbol('s0'), Mul(Integer(2), Symbol('s1')))") == ["s0", "s1"]


@pytest.mark.parametrize("weight", ["r", ("a", "b"), (2**70, 2), (2,) * 10_000, ((1, 2), (3, 4)), None, 7, True])
@pytest.mark.parametrize("operator", sorted(FORMULAS))
def test_an_argument_that_is_no_tensor_is_multiplied_by_nothing(operator: str, weight: object) -> None:
    """A file may have text where a tensor is expected, whose product with a size is a text of that many bytes."""
    names = ("input", "weight", "self", "mat1", "query", "key", "value", "equation", "tensors")
    assert macs(f"aten.{operator}.default", dict.fromkeys(names, weight), (2**40, 2**20)) == 0
