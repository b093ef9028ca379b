"""Protobuf's wire format: numbers, strings and spans, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from convcalc.onnx import wire
from convcalc.onnx.messages import parse_model

from .onnx_models import Maker


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), st.text(max_size=9), st.floats(width=32, allow_nan=False)
)
def test_attributes_as_protobuf_writes_them(numbers: list[int], text: str, number: float) -> None:
    maker = Maker(1, 3)
    maker.node("Relu", "x", numbers=numbers or [1], text=text, number=number, strings=[text])
    graph = parse_model(maker.model("t0").SerializeToString()).graph
    assert graph is not None
    found = graph.nodes[0].attributes
    assert found == {"numbers": numbers or [1], "text": text, "number": number, "strings": [text]}


@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "INT64", "INT32", "INT8", "UINT8", "BOOL", "FLOAT16", "UINT64"])
@pytest.mark.parametrize("raw", [False, True])
def test_numbers_of_tensors(kind: str, raw: bool) -> None:
    data_type = getattr(TensorProto, kind)
    tensor = helper.make_tensor("k", data_type, [3], [1, 0, 1])
    if raw:
        tensor = numpy_helper.from_array(numpy_helper.to_array(tensor), "k")
    maker = Maker(1, 3)
    maker.tensors.append(tensor)
    graph = parse_model(maker.model("x").SerializeToString()).graph
    assert graph is not None
    # float16 among int32_data is a weight's format: nothing reads numbers from it.
    assert graph.tensors["k"].numbers() == (None if kind == "FLOAT16" and not raw else (1, 0, 1))


def test_attributes_without_a_type() -> None:
    """Before IR version 2 an attribute did not say its type."""
    maker = Maker(1, 3)
    maker.node("Relu", "x", axes=[1, 2])
    maker.nodes[0].attribute[0].type = AttributeProto.UNDEFINED
    graph = parse_model(maker.model("t0").SerializeToString()).graph
    assert graph is not None and graph.nodes[0].attributes == {"axes": [1, 2]}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x0a\x05abc", "reaches 2 beyond"),
        (b"\x08\x80", "ends inside a number"),
        (b"\x08" + b"\x80" * 11, "more than 10 bytes"),
        (b"\x0d\x00\x00", "ends inside a number"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x01", "field number 0"),
    ],
)
def test_damage(data: bytes, match: str) -> None:
    with pytest.raises(wire.Damaged, match=match):
        wire.Message(data)


def test_a_node_is_shown_without_large_tensors_and_subgraphs() -> None:
    import onnx

    maker = Maker(1, 3, 8, 8)
    large = helper.make_tensor("value", TensorProto.FLOAT, [64, 3, 3, 3], b"\0" * 6912, raw=True)
    maker.nodes.append(helper.make_node("Mine", ["x"], ["t"], alpha=2.0, value=large, domain="mine"))
    graph = parse_model(maker.model("t").SerializeToString()).graph
    assert graph is not None
    short = onnx.NodeProto.FromString(graph.nodes[0].content)
    assert short == helper.make_node("Mine", ["x"], ["t"], alpha=2.0, domain="mine")
