"""Files of torch.export: read without torch, and refused with a reason where they are damaged."""

from __future__ import annotations

import io
import json
import random
import warnings
import zipfile
from math import inf, prod
from pathlib import Path
from typing import Any

import pytest

from convcalc.api.load import load
from convcalc.findings import SpecError, UsageError
from convcalc.language.write import write
from convcalc.models.document import Malformed
from convcalc.network import Network, held_weights
from convcalc.torch.exported.costs import FORMULAS, macs
from convcalc.torch.exported.expressions import symbols, value
from tools.fuzz.generators.exported_graphs import Program, Raw, Size, Tensor, fixed

FOLDER = Path(__file__).parent / "oracle" / "exported"
CLAMP = "clamp: {min: 0.5}"


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
    weights = list(held_weights(network.nodes))
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


def test_a_type_of_numbers_that_is_not_known_changes_no_layer(tmp_path: Path) -> None:
    model, path = graph(), tmp_path / "model.pt2"
    for tensor in model["graph_module"]["graph"]["tensor_values"].values():
        tensor["dtype"] = 99
    path.write_bytes(archive(**{"models/model.json": model}))
    assert len(load(path)) == len(load(FOLDER / "fixed.pt2"))


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


@pytest.fixture
def program() -> Program:
    """A program of a new version, to be written call by call."""
    made = Program(random.Random(0), hostile=False)
    made.older = made.core = False
    return made


def read(program: Program, folder: Path) -> Network:
    """The network of a program that puts out its end."""
    program.output(program.end)
    path = folder / "model.pt2"
    path.write_bytes(archive(**{"models/model.json": program.model()}))
    return load(path)


def layers(network: Network) -> list[str]:
    """Its layers as a spec has them."""
    return [line.removeprefix("  - ") for line in write(network).splitlines() if line.startswith("  - ")]


def test_an_open_size_opens_no_batch(tmp_path: Path, program: Program) -> None:
    """The batch is no axis of the network where the sizes of the image alone are open."""
    image = program.input("image", (*fixed(1, 3), program.symbol(8, 4), program.symbol(9, 4)))
    program.call("relu.default", {"self": image}, image.dims)
    network = read(program, tmp_path)
    assert network.inputs == {"input": (3, 8, 9)} and layers(network) == ["relu"]


def test_the_only_axis_of_an_input_is_no_batch(tmp_path: Path, program: Program) -> None:
    wave = program.input("wave", (program.symbol(100, 4),))
    program.call("relu.default", {"self": wave}, wave.dims)
    assert read(program, tmp_path).inputs == {"input": (100,)}


def test_rows_of_a_table_are_an_embedding(tmp_path: Path, program: Program) -> None:
    ids, table = program.input("ids", fixed(1, 6)), program.weight("table", 10, 4)
    program.call("embedding.default", {"weight": table, "indices": ids}, fixed(1, 6, 4))
    assert layers(read(program, tmp_path)) == ["embedding: {num_embeddings: 10, embedding_dim: 4}"]


def test_a_product_in_the_notation_of_einstein(tmp_path: Path, program: Program) -> None:
    tokens = program.input("tokens", fixed(1, 6, 4))
    program.call("einsum.default", {"equation": "bij,bkj->bik", "tensors": [tokens, tokens]}, fixed(1, 6, 6))
    assert [node.kind for node in read(program, tmp_path) if node.layer] == ["permute", "matmul"]


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("rnn_tanh", 1)])
def test_a_recurrent_layer_multiplies_at_each_position(tmp_path: Path, program: Program, kind: str, gates: int) -> None:
    tokens, rows = program.input("tokens", fixed(1, 6, 4)), 2 * gates
    held = [program.weight("ih", rows, 4), program.weight("hh", rows, 2), program.weight("b", rows)]
    states = [program.call("zeros.default", {"size": [1, 1, 2]}, fixed(1, 1, 2)) for _ in range(1 + (kind == "lstm"))]
    given: dict[str, Any] = {"input": tokens, "hx": states if kind == "lstm" else states[0]}
    given |= {"params": [*held, program.weight("c", rows)], "has_biases": True, "num_layers": 1, "dropout": 0.0}
    given |= {"train": False, "bidirectional": False, "batch_first": True}
    program.call(f"{kind}.input", given, fixed(1, 6, 2), *[fixed(1, 1, 2)] * len(states))
    (layer,) = [node for node in read(program, tmp_path) if node.layer]
    assert layer.kind == kind.partition("_")[0] and layer.shape == (6, 2)
    assert layer.layer.operations(((6, 4),), (6, 2))["mac"] == 6 * rows * (4 + 2)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("operator", "given", "dims", "expected"),
    [
        ("linalg_vector_norm.default", {"ord": 1, "dim": [2]}, fixed(1, 3), "norm: {dim: -1, p: 1.0}"),
        ("tile.default", {"dims": [1, 2, 1]}, fixed(1, 6, 8), "tile: {reps: [2, 1]}"),
        ("clamp.default", {"min": Raw("as_sym_float", {"as_float": 0.5})}, fixed(1, 3, 8), CLAMP),
        ("clamp.default", {"min": 0.5, "max": Raw("as_optional_tensor", {"as_none": True})}, fixed(1, 3, 8), CLAMP),
    ],
)
def test_an_argument_under_the_name_that_aten_gives_it(
    tmp_path: Path, program: Program, operator: str, given: dict[str, Any], dims: tuple[Size, ...], expected: str
) -> None:
    program.call(operator, {"self": program.input("x", fixed(1, 3, 8)), **given}, dims)
    assert layers(read(program, tmp_path)) == [expected]


def test_infinity_is_written_as_a_word(tmp_path: Path, program: Program) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    padded = program.call(
        "pad.default", {"self": image, "pad": [1, 1, 1, 1], "mode": "constant", "value": -inf}, fixed(1, 3, 10, 10)
    )
    given = {"self": padded, "kernel_size": [3, 3], "stride": [2, 2]}
    program.call("max_pool2d.default", given, fixed(1, 3, 4, 4))
    assert layers(read(program, tmp_path)) == ["max_pool2d: {k: 3, s: 2, p: 1}"]


@pytest.mark.parametrize(
    "argument",
    [
        *(
            Raw("as_tensors", 3),
            Raw("as_tensors", {"a": 1}),
            Raw("as_float", "much"),
            Raw("as_int", 1.5),
            Raw("as_int", []),
        ),
        *(
            Raw("as_tensors", 3),
            Raw("as_ints", {}),
            Raw("as_sym_int", "s"),
            Raw("as_bool", 1),
            Raw("as_ints", [True]),
            Raw("as_string", None),
            Raw("as_nested_tensors", [{"name": "x"}]),
        ),
        *(Raw("as_optional_tensor", None), Raw("as_sym_float", 0.5), Raw("as_tensor", {}), Tensor("none", ())),
    ],
)
def test_an_argument_of_another_type_is_refused(tmp_path: Path, program: Program, argument: object) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("relu.default", {"self": image, "other": argument}, image.dims)
    with pytest.raises(SpecError) as error:
        read(program, tmp_path)
    assert error.value.findings[0].code == "CC727"


@pytest.mark.parametrize("dtype", [{}, [7], "float32", None, 7.5])
def test_a_dtype_that_is_no_number_is_refused(tmp_path: Path, program: Program, dtype: object) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("relu.default", {"self": image}, image.dims)
    program.tensors["image"]["dtype"] = dtype
    with pytest.raises(SpecError, match="a dtype must be a whole number"):
        read(program, tmp_path)


@pytest.mark.parametrize("sizes", [(1, 2**62, 8), (1, 2**40, 2**40)])
def test_a_tensor_of_more_numbers_than_there_are_is_refused(
    tmp_path: Path, program: Program, sizes: tuple[int, ...]
) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("cumsum.default", {"self": image}, fixed(*sizes))
    with pytest.raises(SpecError, match=r"above 2\^63 - 1"):
        read(program, tmp_path)


def test_an_infinity_where_a_whole_number_is_meant_is_read_as_it_is(tmp_path: Path, program: Program) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("softmax.int", {"self": image, "dim": Raw("as_float", inf)}, image.dims)
    (node,) = [node for node in read(program, tmp_path) if node.layer]
    assert node.kind == "opaque"


def test_operands_that_are_no_tensors_make_no_product(tmp_path: Path, program: Program) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("einsum.default", {"equation": "a,b->ab", "operands": ["a", "b"], "self": image}, image.dims)
    assert [node.name for node in read(program, tmp_path) if node.layer] == ["einsum"]


def test_a_layer_is_called_after_its_operator_rather_than_its_overload(tmp_path: Path, program: Program) -> None:
    image = program.input("image", fixed(1, 3, 8, 8))
    program.call("gt.Scalar", {"self": image, "other": 0}, image.dims)
    assert [node.name for node in read(program, tmp_path) if node.layer] == ["gt"]


@pytest.mark.parametrize("text", ["1or 2", "'\\d'"])
def test_python_warns_of_no_size(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with warnings.catch_warnings(record=True) as said, pytest.raises(Malformed):
            value(text, {})
    assert said == []


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
