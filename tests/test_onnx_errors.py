"""Files that are wrong or open: a finding or a usage error, never a traceback."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from convcalc.analysis.report import analyse
from convcalc.findings import SpecError, UsageError
from convcalc.network import Tied
from convcalc.onnx import inference, load_onnx

from .onnx_models import Maker, recorded

SEED = recorded("dcgan_generator_64.onnx")


def refuse(maker: Maker, path: Path, match: str, code: str = "CC706") -> None:
    with pytest.raises(SpecError, match=match) as caught:
        maker.load(path)
    assert [finding.code for finding in caught.value.findings] == [code]


def test_no_onnx_file(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    for content in (b"", b"convcalc: 1\ninput: [3]\n", SEED[:1000], b"\x08\x08"):
        path.write_bytes(content)
        with pytest.raises(SpecError) as caught:
            load_onnx(str(path))
        assert caught.value.findings[0].code == "CC705"
    with pytest.raises(UsageError):
        load_onnx(str(tmp_path / "missing.onnx"))


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_damaged_files(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes cut off or changed anywhere: a network, a finding or a usage error."""
    content = bytearray(SEED)
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content)
    with suppress(SpecError, UsageError):
        analyse(load_onnx(str(path))).to_dict()


def test_cycle(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    maker.nodes += [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    refuse(maker, tmp_path, "the graph is a cycle")


def test_order_does_not_matter(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    maker.nodes += [helper.make_node("Relu", ["a"], ["b"]), helper.make_node("Sigmoid", ["x"], ["a"])]
    assert [node.kind for node in maker.load(tmp_path, "b").nodes] == ["input", "sigmoid", "relu"]


@pytest.mark.parametrize(
    ("node", "match", "code"),
    [
        (("Relu", ["missing"], {}), "reads tensor 'missing', which nothing gives", "CC706"),
        (("Relu", [], {}), "input 0 is missing", "CC706"),
        (("Conv", ["x", "w"], {"strides": [0, 1]}), "stride must be at least 1, not 0", "CC706"),
        (("Conv", ["x", "w"], {"pads": [-1, 0, 0, 0]}), "padding must be at least 0", "CC202"),
        (("Conv", ["x", "w"], {"pads": [1]}), "'pads' has 1 values for 2 axes", "CC706"),
        (("Conv", ["x", "w"], {"kernel_shape": "k"}), "must be a list of integers", "CC706"),
        (("Conv", ["x", "w"], {"group": 2}), "takes 6 channels", "CC706"),
        (("Conv", ["x", "w"], {"dilations": [9, 9]}), "kernel of 19", "CC201"),
        (("MaxPool", ["x"], {}), "'kernel_shape' is missing", "CC706"),
        (("MaxPool", ["x"], {"kernel_shape": [9, 9]}), "no window", "CC207"),
        (("Transpose", ["x"], {"perm": [0, 0, 1, 2]}), "is no order of 4 axes", "CC706"),
        (("Concat", ["x", "x"], {"axis": 7}), "axis 7 does not exist", "CC706"),
        (("Reshape", ["x", "sizes"], {}), "do not fit the shape", "CC706"),
    ],
)
def test_wrong_nodes(node: tuple[str, list[str], dict[str, Any]], match: str, code: str, tmp_path: Path) -> None:
    op, inputs, attributes = node
    maker = Maker(1, 3, 8, 8)
    maker.tensors.append(TensorProto(name="w", dims=[4, 3, 3, 3], data_type=TensorProto.FLOAT))
    maker.tensors.append(helper.make_tensor("sizes", TensorProto.INT64, [2], [1, 100]))
    maker.node(op, *inputs, **attributes)
    refuse(maker, tmp_path, match, code)


def test_huge_and_negative_sizes(tmp_path: Path) -> None:
    maker = Maker(1, 2**62, 8, 8)
    maker.node("Relu", "x")
    with pytest.raises(SpecError):
        maker.load(tmp_path)
    maker = Maker(1, 3, 8, 8)
    maker.tensors.append(TensorProto(name="w", dims=[4, -3, 3, 3], data_type=TensorProto.FLOAT))
    maker.node("Conv", "x", "w")
    refuse(maker, tmp_path, "has the shape")


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    maker.node("f", "x", domain="mine")
    model = maker.model("t0")
    body = [helper.make_node("f", ["a"], ["b"], domain="mine")]
    model.functions.append(helper.make_function("mine", "f", ["a"], ["b"], body, [helper.make_opsetid("mine", 1)]))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SpecError, match="calls itself"):
        load_onnx(str(path))


def test_open_sizes_are_asked_for(tmp_path: Path) -> None:
    maker = Maker("N", 3, "H", "W")
    maker.node("Conv", "x", maker.weight(4, 3, 3, 3))
    with pytest.raises(UsageError, match=r"leaves the size of input 'x' open: \[N, 3, H, W\]") as caught:
        maker.load(tmp_path)
    assert caught.value.hint is not None and "--input 3,224,224" in caught.value.hint
    network = maker.load(tmp_path, input=[3, 32, 32])
    assert network.nodes[-1].shape == (4, 30, 30)
    assert network.origin is not None
    assert network.origin.reload(input={"x": [3, 64, 64]}).nodes[-1].shape == (4, 62, 62)
    for wrong in ([3, 32], [3, 0, 32], {"y": [3, 32, 32]}):
        with pytest.raises(UsageError):
            maker.load(tmp_path, input=wrong)


def test_an_onnx_file_has_no_params(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    maker.node("Relu", "x")
    origin = maker.load(tmp_path).origin
    assert origin is not None and origin.section("expect") is None
    for given_ in ({"params": {"a": 1}}, {"variant": "v"}):
        with pytest.raises(UsageError, match="no params and no variants"):
            origin.reload(**given_)  # type: ignore[arg-type]


def test_the_package_is_asked_for_where_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading needs no onnx package; only the shape of an unknown operator does."""
    known, unknown = Maker(1, 8, 5, 5), Maker(1, 8, 5, 5)
    known.node("Relu", "x")
    unknown.node("GridSample", "x", unknown.weight(1, 4, 6, 2))
    real = inference.find_spec
    monkeypatch.setattr(inference, "find_spec", lambda name: None if name == "onnx" else real(name))
    known.load(tmp_path)
    with pytest.raises(UsageError) as caught:
        unknown.load(tmp_path)
    assert caught.value.hint == 'pip install "convcalc[onnx]"'


def test_layers_of_the_same_initialisers_share_their_weights(tmp_path: Path) -> None:
    maker = Maker(1, 3, 5, 5)
    weight, bias = maker.weight(3, 3, 1, 1), maker.weight(3)
    first = maker.node("Conv", "x", weight, bias)
    network = maker.load(tmp_path, maker.node("Conv", maker.node("Relu", first), weight, bias))
    assert [(node.kind, node.shares) for node in network.nodes][1:] == [("conv2d", None), ("relu", None), ("conv2d", 1)]
    assert analyse(network).totals.params == 12
    assert network.notes == ()


def test_a_kernel_that_layers_of_other_kinds_or_biases_have_counts_once(tmp_path: Path) -> None:
    maker = Maker(1, 3, 5, 5)
    weight, bias = maker.weight(3, 3, 1, 1), maker.weight(3)
    first = maker.node("Conv", "x", weight)
    second = maker.node("ConvTranspose", first, weight, kernel_shape=[1, 1])
    network = maker.load(tmp_path, maker.node("Conv", second, weight, bias))
    assert [(node.shares, node.tied) for node in network.nodes] == [
        (None, ()), (None, ()), (None, (Tied("weight", 1),)), (None, (Tied("weight", 1),))
    ]  # fmt: skip
    assert analyse(network).totals.params == 9 + 3
    assert network.notes == ()


def test_a_head_has_the_table_of_an_embedding_through_a_transpose(tmp_path: Path) -> None:
    maker = Maker(1, 12)
    table = maker.weight(100, 8)
    rows = maker.node("Gather", table, maker.node("Cast", "x", to=7))
    network = maker.load(tmp_path, maker.node("MatMul", rows, maker.node("Transpose", table, perm=[1, 0])))
    assert [(node.kind, node.tied) for node in network][-2:] == [("embedding", ()), ("linear", (Tied("weight", 1),))]
    assert analyse(network).totals.params == 800


def test_a_vector_beside_other_weights_is_said(tmp_path: Path) -> None:
    """PyTorch's exporter merges equal vectors, so that it need not be one parameter."""
    maker = Maker(1, 3, 5, 5)
    bias = maker.weight(3)
    first = maker.node("Conv", "x", maker.weight(3, 3, 1, 1), bias)
    network = maker.load(tmp_path, maker.node("Conv", first, maker.weight(3, 3, 1, 1), bias))
    assert analyse(network).totals.params == 24
    (note,) = network.notes
    assert note.code == "CC703" and "3 too high" in note.message


def test_dead_nodes_and_unread_initialisers_are_said(tmp_path: Path) -> None:
    maker = Maker(1, 3, 5, 5)
    maker.weight(7, 7)
    maker.node("Sigmoid", "x")
    network = maker.load(tmp_path, maker.node("Conv", "x", maker.weight(3, 3, 1, 1)))
    assert [node.kind for node in network.nodes] == ["input", "conv2d"]
    assert [note.message for note in network.notes if note.code == "CC704"] == [
        "left out, for they lead to no output: Sigmoid '→ t0'",
        "initialisers that no layer reads are not counted: w0",
    ]
