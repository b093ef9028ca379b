"""What exporters compute of constants, folded as the onnx package's reference computes it; padding as TensorFlow's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from convcalc import SpecError, analyse
from convcalc.onnx import load_onnx
from convcalc.onnx.operators.folding import few
from convcalc.onnx.values import Constant

from .onnx_models import RECORDED, Maker, conversion_of, kinds

INTS = np.array([[3, -7, 2], [0, 5, 11]])
ROW = np.array([5, -3, 2, 9])
FLOATS = np.array([2.5, -0.5, 7.0, 0.0], dtype=np.float32)
FLAGS = np.array([True, False, True, False])
OTHER = np.array([True, True, False, False])


def case(op: str, *inputs: Any, opset: int = 17, outputs: int = 1, **attributes: Any) -> Any:
    said = ",".join(f"{name}={value}" for name, value in attributes.items())
    name = f"{op}-{'-'.join('none' if x is None else 'x'.join(map(str, np.shape(x))) for x in inputs)}-{said}-{opset}"
    return pytest.param(op, inputs, opset, outputs, attributes, id=name)


CASES = [
    case("Clip", ROW, np.array(0), None),
    case("Clip", ROW, None, np.array(4)),
    case("Clip", ROW, np.array(-1), np.array(4)),
    case("Clip", ROW, np.array(6), np.array(4)),
    case("Clip", FLOATS, np.float32(0.5)),
    case("Clip", FLOATS, opset=10, min=-0.25, max=3.0),
    case("Clip", FLOATS, opset=10, max=3.0),
    case("Clip", INTS, np.array(0)),
    case("Relu", FLOATS),
    case("Sign", ROW),
    case("Sum", ROW, ROW, np.array([10])),
    case("Mean", FLOATS, FLOATS * 3),
    case("Xor", FLAGS, OTHER),
    case("Mod", ROW, np.array([3, 2, -5, 4])),
    case("Mod", ROW, np.array([3, 2, -5, 4]), fmod=1),
    case("BitShift", np.array([1, 6, 200], dtype=np.uint64), np.array([3, 1, 2], dtype=np.uint64), direction="LEFT"),
    case("BitShift", np.array([1, 6, 200], dtype=np.uint64), np.array([3, 1, 2], dtype=np.uint64), direction="RIGHT"),
    case("BitwiseAnd", ROW, np.array([6]), opset=18),
    case("BitwiseOr", ROW, np.array([6]), opset=18),
    case("BitwiseXor", ROW, np.array([6]), opset=18),
    case("BitwiseNot", ROW, opset=18),
    case("Tile", INTS, np.array([2, 3])),
    case("Tile", ROW, np.array([0])),
    case("Expand", INTS, np.array([2, 2, 3])),
    case("Expand", ROW.reshape(4, 1), np.array([4, 2])),
    case("Expand", np.array(7), np.array([3])),
    case("Split", ROW, np.array([1, 3]), outputs=2),
    case("Split", INTS, np.array([2, 1]), outputs=2, axis=1),
    case("Split", ROW, opset=11, outputs=2, split=[3, 1]),
    case("CumSum", INTS, np.array(1)),
    case("CumSum", INTS, np.array(0), reverse=1),
    case("CumSum", INTS, np.array(-1), exclusive=1),
    case("CumSum", INTS, np.array(1), exclusive=1, reverse=1),
    *(
        case(f"Reduce{what}", INTS, opset=13 if what != "Sum" else 11, axes=axes, keepdims=keep)
        for what in ("Max", "Min", "Sum", "Prod", "L1", "SumSquare")
        for axes, keep in (([0], 1), ([-1], 0), ([0, 1], 0))
    ),
    case("ReduceSum", INTS, np.array([1]), keepdims=0),
    case("ReduceMean", FLOATS, axes=[0], keepdims=0),
    case("ReduceMax", ROW, keepdims=0),
    case("ArgMax", INTS, axis=1, keepdims=0),
    case("ArgMin", np.array([4, 1, 1, 9]), axis=0),
    case("ArgMin", np.array([4, 1, 1, 9]), axis=0, select_last_index=1),
    case("GatherElements", INTS, np.array([[0, 2, -1], [1, 1, 0]]), axis=1),
    case("GatherElements", INTS, np.array([[1, 0, 1], [0, 0, 1]]), axis=0),
    case("GatherND", INTS, np.array([[1], [0], [-1]])),
    case("GatherND", INTS, np.array([[[0, 2]], [[1, -3]]])),
    case("ScatterND", ROW, np.array([[1], [-1]]), np.array([70, 80])),
    case("ScatterND", INTS, np.array([[1]]), np.array([[7, 8, 9]])),
    case("ScatterElements", ROW, np.array([2, 0]), np.array([70, 80]), axis=0),
    case("ScatterElements", INTS, np.array([[2, 0]]), np.array([[70, 80]]), axis=1),
    case("Cast", ROW, to=TensorProto.FLOAT),
    case("Cast", FLOATS, to=TensorProto.INT64),
    case("CastLike", ROW, FLOATS),
    case("CastLike", FLOATS, ROW),
]


@pytest.mark.parametrize(("op", "inputs", "opset", "outputs", "attributes"), CASES)
def test_what_is_folded_equals_the_reference(
    op: str, inputs: tuple[Any, ...], opset: int, outputs: int, attributes: dict[str, Any]
) -> None:
    arrays = [None if value is None else np.asarray(value) for value in inputs]
    names = ["" if value is None else f"in{n}" for n, value in enumerate(arrays)]
    made = [f"out{n}" for n in range(outputs)]
    tensors = [numpy_helper.from_array(array, name) for array, name in zip(arrays, names, strict=True) if name]
    node = helper.make_node(op, names, made, **attributes)
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in made]
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(helper.make_graph([node], "g", [], infos, tensors), opset_imports=opsets)
    expected = ReferenceEvaluator(model).run(None, {})
    # A file has an input and an output that depends on it.
    shown = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    nodes = [node, helper.make_node("Relu", ["x"], ["y"])]
    whole = helper.make_graph(nodes, "g", shown[:1], [shown[1], *infos], tensors)
    values = conversion_of(helper.make_model(whole, opset_imports=opsets).SerializeToString()).builder.values
    for name, array in zip(made, expected, strict=True):
        found = values[name]
        assert isinstance(found, Constant) and found.numbers is not None
        assert found.shape == array.shape
        assert list(found.numbers) == pytest.approx(array.reshape(-1).astype(float).tolist())


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "message"),
    [
        ("GatherElements", ([1, 2], [5]), {"axis": 0}, "index 5 reaches outside 2"),
        ("GatherND", ([1, 2], [-3]), {}, "index -3 reaches outside 2"),
        ("ScatterND", ([1, 2], [4], [1]), {}, "index 4 reaches outside 2"),
        ("ScatterND", ([1, 2], [0], []), {}, "its updates"),
        ("ScatterElements", ([1, 2], [0], [1, 2]), {"axis": 0}, "do not fit"),
        ("Tile", ([1, 2], [1, 2]), {}, "its repeats"),
        ("Tile", ([1, 2], [-1]), {}, "its repeats"),
        ("CumSum", ([1, 2], 4), {}, "axis 4 does not exist"),
        ("CumSum", ([1, 2], [0, 0]), {}, "is not one"),
        ("Split", ([1, 2, 3], [1, 1]), {"outputs": 2}, "do not make up 3"),
    ],
)
def test_what_cannot_be_computed_is_refused_by_its_node(
    tmp_path: Path, op: str, inputs: tuple[Any, ...], attributes: dict[str, Any], message: str
) -> None:
    maker = Maker(1, 3, 8, 8)
    maker.node("Reshape", "x", maker.node(op, *map(maker.constant, inputs), **attributes))
    with pytest.raises(SpecError, match=message) as error:
        maker.load(tmp_path)
    assert error.value.findings[0].code == "CC706"


def test_what_is_large_is_not_written_out(tmp_path: Path) -> None:
    """Nor what is empty along one axis and long along another."""
    assert not few((0, 10**12)) and not few((10**12, 0))
    maker = Maker(1, 3, 8, 8)
    empty = maker.node("ConstantOfShape", maker.constant([0, 10**12]))
    maker.node("Add", empty, empty)
    maker.node("ReduceSum", empty, keepdims=0)
    maker.node("CumSum", empty, maker.constant(0))
    maker.node("Tile", maker.constant([1, 2]), maker.constant([10**12]))
    network = maker.load(tmp_path, *[f"t{n}" for n in range(1, 5)], maker.node("Relu", "x"))
    assert kinds(network) == ["relu"]


def test_a_weight_that_is_clipped_is_still_a_weight(tmp_path: Path) -> None:
    maker = Maker(1, 10)
    weight = maker.node("Clip", maker.weight(10, 8), maker.constant(0, floating=True))
    assert analyse(maker.load(tmp_path, maker.node("MatMul", "x", weight))).totals.params == 80


FACTS: dict[str, Any] = json.loads((RECORDED / "same_padding.json").read_text("utf-8"))


@pytest.mark.parametrize("case", FACTS["shapes"], ids=lambda case: "x".join(map(str, case["input"])))
def test_padding_that_is_computed_from_the_size_is_folded(tmp_path: Path, case: dict[str, Any]) -> None:
    """The shapes are those of PyTorch at each size, though the file holds no pads but their arithmetic."""
    path = tmp_path / "same.onnx"
    path.write_bytes(gzip.decompress((RECORDED / "same_padding.onnx.gz").read_bytes()))
    network = load_onnx(str(path), input=case["input"])
    assert network.notes == () and analyse(network).totals.params == FACTS["params"]
    shapes = {node.name.removesuffix(".conv2d"): list(node.shape) for node in network}
    assert {name: shapes[name] for name in case["layers"]} == case["layers"]
    assert kinds(network).count("pad") == 2
