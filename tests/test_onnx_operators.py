"""Single operators: the layer that each becomes, with ONNX's own shape inference as the judge of its shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convcalc.analysis.report import analyse
from convcalc.findings import SpecError

from .command import run
from .onnx_models import Maker, conversion_of, inferred_shapes, kinds, shapes_of

Case = tuple[str, tuple[int, ...], int, Callable[[Maker], Any], list[str], dict[str, Any]]


def _fields(maker: Maker, path: Path) -> tuple[list[str], dict[str, Any]]:
    network = maker.load(path)
    layer = network.nodes[-1].layer
    assert layer is not None
    return kinds(network), layer.fields()


CASES: list[Case] = [
    (
        "asymmetric pads",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("Conv", "x", m.weight(4, 3, 3, 3), pads=[1, 0, 2, 1]),
        ["conv2d"],
        {"padding": ((1, 2), (0, 1)), "bias": False},
    ),
    (
        "SAME_UPPER",
        (1, 3, 224, 224),
        17,
        lambda m: m.node("Conv", "x", m.weight(8, 3, 7, 7), m.weight(8), auto_pad="SAME_UPPER", strides=[2, 2]),
        ["conv2d"],
        {"padding": "same", "stride": (2, 2)},
    ),
    (
        "VALID, dilated, grouped, 1-d",
        (1, 4, 10),
        17,
        lambda m: m.node("Conv", "x", m.weight(6, 2, 3), auto_pad="VALID", dilations=[2], group=2),
        ["conv1d"],
        {"dilation": (2,), "groups": 2},
    ),
    (
        "Col2Im",
        (1, 54, 20),
        18,
        lambda m: m.node("Col2Im", "x", m.constant([8, 9]), m.constant([3, 3]), pads=[1, 1, 1, 1], strides=[2, 2]),
        ["fold"],
        {"output_size": (8, 9), "kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1)},
    ),
    (
        "Col2Im with uneven pads is opaque",
        (1, 54, 20),
        18,
        lambda m: m.node("Col2Im", "x", m.constant([8, 9]), m.constant([3, 3]), pads=[1, 0, 1, 2], strides=[2, 2]),
        ["opaque"],
        {"output": (6, 8, 9)},
    ),
    (
        "transposed with output_shape",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("ConvTranspose", "x", m.weight(3, 2, 3, 3), strides=[2, 2], output_shape=[9, 10]),
        ["conv_transpose2d"],
        {"padding": ((1, 1), (1, 0))},
    ),
    (
        "transposed with output_shape above the full extent",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("ConvTranspose", "x", m.weight(3, 2, 3, 3), strides=[2, 2], output_shape=[12, 12]),
        ["conv_transpose2d"],
        {"output_padding": (1, 1)},
    ),
    (
        "transposed SAME_UPPER",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("ConvTranspose", "x", m.weight(3, 2, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
        ["conv_transpose2d"],
        {"padding": ((0, 1), (0, 1))},
    ),
    (
        "a pool's stride is 1 by default",
        (1, 3, 7, 7),
        17,
        lambda m: m.node("MaxPool", "x", kernel_shape=[3, 3]),
        ["max_pool2d"],
        {"stride": (1, 1)},
    ),
    (
        "average without padding in the divisor",
        (1, 3, 7, 7),
        17,
        lambda m: m.node("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        ["avg_pool2d"],
        {"count_include_pad": False},
    ),
    (
        "a pool padded by more than half its kernel",
        (1, 3, 7, 7),
        17,
        lambda m: m.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[2, 2, 2, 2]),
        ["max_pool2d"],
        {"padding": ((2, 2), (2, 2))},
    ),
    (
        "rounded up",
        (1, 3, 112, 112),
        17,
        lambda m: m.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        ["max_pool2d"],
        {"ceil_mode": True},
    ),
    (
        "lp pool",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("LpPool", "x", kernel_shape=[2, 2], strides=[2, 2], p=3),
        ["lp_pool2d"],
        {"norm_type": 3.0},
    ),
    (
        "a linear layer without transB",
        (1, 10),
        17,
        lambda m: m.node("Gemm", "x", m.weight(10, 8), m.weight(8)),
        ["linear"],
        {"out_features": 8},
    ),
    (
        "MatMul and Add are one linear layer",
        (1, 5, 10),
        17,
        lambda m: m.node("Add", m.node("MatMul", "x", m.weight(10, 8)), m.weight(8)),
        ["linear"],
        {"bias": True, "dim": "last"},
    ),
    (
        "a bias a channel joins the convolution",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("Add", m.node("Conv", "x", m.weight(8, 3, 1, 1)), m.weight(1, 8, 1, 1)),
        ["conv2d"],
        {"bias": True},
    ),
    (
        "factor and bias a channel",
        (1, 3, 5, 5),
        17,
        lambda m: m.node("Add", m.node("Mul", "x", m.weight(3, 1, 1)), m.weight(3, 1, 1)),
        ["scale"],
        {"bias": True},
    ),
    (
        "a bias along an axis, before opset 7",
        (1, 3, 5, 5),
        6,
        lambda m: m.node(
            "Add", m.node("Conv", "x", m.weight(8, 3, 1, 1), kernel_shape=[1, 1]), m.weight(8), axis=1, broadcast=1
        ),
        ["conv2d"],
        {"bias": True},
    ),
    (
        "reflection",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("Pad", "x", m.constant([0, 0, 1, 2, 0, 0, 1, 2]), mode="reflect"),
        ["pad"],
        {"padding": ((1, 1), (2, 2)), "mode": "reflect"},
    ),
    (
        "pads as an attribute",
        (1, 3, 8, 8),
        9,
        lambda m: m.node("Pad", "x", pads=[0, 0, 1, 1, 0, 0, 1, 1]),
        ["pad"],
        {"padding": 1},
    ),
    (
        "a slice of the space",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("Slice", "x", m.constant([1, 0]), m.constant([-1, 6]), m.constant([2, 3])),
        ["crop"],
        {"cropping": ((1, 1), (0, 2))},
    ),
    (
        "a slice of the channels",
        (1, 6, 8, 8),
        17,
        lambda m: m.node("Slice", "x", m.constant([2]), m.constant([5]), m.constant([1])),
        ["split", "split", "split"],
        {"channels": (2, 3, 1)},
    ),
    (
        "halves",
        (1, 6, 8, 8),
        17,
        lambda m: m.node("Split", "x", outputs=2, axis=1),
        ["split", "split"],
        {"channels": (3, 3)},
    ),
    (
        "upsampled by scales",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("Resize", "x", "", m.constant([1.0, 1.0, 2.0, 2.0], floating=True), mode="linear"),
        ["upsample"],
        {"scale_factor": 2, "mode": "bilinear"},
    ),
    (
        "resized to sizes",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("Resize", "x", "", "", m.constant([1, 3, 5, 7]), mode="nearest"),
        ["upsample"],
        {"size": (5, 7)},
    ),
    (
        "upsample of opset 9",
        (1, 3, 8, 8),
        9,
        lambda m: m.node("Upsample", "x", m.constant([1.0, 1.0, 2.0, 3.0], floating=True)),
        ["upsample"],
        {"scale_factor": (2, 3)},
    ),
    (
        "the mean of all space",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("ReduceMean", "x", axes=[2, 3], keepdims=0),
        ["global_avg_pool", "flatten"],
        {},
    ),
    ("softmax before opset 13", (1, 8), 11, lambda m: m.node("Softmax", "x"), ["softmax"], {}),
    (
        "softmax of the last axis",
        (1, 8, 5),
        17,
        lambda m: m.node("Softmax", "x", axis=-1),
        ["softmax"],
        {"dim": 1},
    ),
    (
        "relu6",
        (1, 8),
        17,
        lambda m: m.node("Clip", "x", m.constant(0.0, floating=True), m.constant(6.0, floating=True)),
        ["relu6"],
        {},
    ),
    ("relu6 before opset 11", (1, 8), 6, lambda m: m.node("Clip", "x", min=0.0, max=6.0), ["relu6"], {}),
    ("layer norm", (1, 7, 7, 96), 17, lambda m: m.node("LayerNormalization", "x", m.weight(96)), ["layer_norm"], {}),
    (
        "permuted",
        (1, 3, 8, 9),
        17,
        lambda m: m.node("Transpose", "x", perm=[0, 2, 3, 1]),
        ["permute"],
        {"dims": (1, 2, 0)},
    ),
    (
        "space to depth",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("SpaceToDepth", "x", blocksize=2),
        ["pixel_unshuffle"],
        {"downscale_factor": 2},
    ),
    (
        "one a channel",
        (1, 3, 8, 8),
        17,
        lambda m: m.node("PRelu", "x", m.weight(3, 1, 1)),
        ["prelu"],
        {"num_parameters": 3},
    ),
    (
        "local response",
        (1, 8, 5, 5),
        17,
        lambda m: m.node("LRN", "x", size=5, alpha=1e-4, bias=2.0),
        ["local_response_norm"],
        {"size": 5, "k": 2.0},
    ),
]


@pytest.mark.parametrize(
    ("shape", "opset", "make", "wanted", "fields"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_operator(
    shape: tuple[int, ...],
    opset: int,
    make: Callable[[Maker], Any],
    wanted: list[str],
    fields: dict[str, Any],
    tmp_path: Path,
) -> None:
    maker = Maker(*shape, opset=opset)
    make(maker)
    found, given = _fields(maker, tmp_path)
    assert found == wanted
    assert {name: given.get(name) for name in fields} == fields
    model = maker.model(*(name for name in maker.nodes[-1].output))
    ours = shapes_of(conversion_of(model.SerializeToString()))
    inferred = inferred_shapes(model)
    assert {name: ours[name] for name in inferred if name in ours} == {n: s for n, s in inferred.items() if n in ours}


def test_sizes_are_scaled_in_float32_as_onnxruntime_does(tmp_path: Path) -> None:
    """100 by 0.29 is 29 in float32 and 28 in float64, which onnx infers."""
    maker = Maker(1, 3, 100, 100)
    maker.node("Resize", "x", "", maker.constant([1.0, 1.0, 0.29, 0.29], floating=True))
    network = maker.load(tmp_path)
    assert network.nodes[-1].shape == (3, 29, 29)
    assert network.nodes[-1].layer is not None and network.nodes[-1].layer.fields() == {"size": 29}


def test_a_window_in_the_padding_is_dropped_as_onnxruntime_does(tmp_path: Path) -> None:
    maker = Maker(1, 1, 6, 6, opset=19)
    maker.node("MaxPool", "x", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1, pads=[0, 0, 0, 0])
    assert maker.load(tmp_path).nodes[-1].shape == (1, 3, 3)


def test_the_file_may_say_that_it_rounds_as_the_standard_did(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    from convcalc.onnx import load_onnx

    maker = Maker(1, 1, 6, 6, opset=19)
    pooled = maker.node("MaxPool", "x", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)
    model = maker.model(maker.node("Relu", pooled))
    model.graph.value_info.append(helper.make_tensor_value_info(pooled, TensorProto.FLOAT, [1, 1, 4, 4]))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    network = load_onnx(str(path))
    assert network.nodes[1].shape == (1, 4, 4)
    assert network.nodes[1].layer is not None and network.nodes[1].layer.fields()["ceil_mode"] == "onnx"


def test_what_the_language_lacks_stays_with_shape_and_weights(tmp_path: Path) -> None:
    maker = Maker(1, 8, 5, 5)
    sampled = maker.node("GridSample", "x", maker.weight(1, 4, 6, 2))
    network = maker.load(tmp_path, maker.node("Relu", sampled))
    assert kinds(network) == ["opaque", "relu"]
    assert network.nodes[1].shape == (8, 4, 6)
    assert analyse(network).totals.params == 48
    (note,) = network.notes
    assert note.code == "CC701" and note.severity == "warning" and "GridSample (1)" in note.message
    with pytest.raises(SpecError, match="known for inputs of"):
        network.at({"input": (8, 6, 6)})


def branching(maker: Maker, condition: str) -> str:
    """An If over two convolutions, the second of 3x3, of what a relu gives."""
    from onnx import TensorProto, helper

    relu, branches = maker.node("Relu", "x"), []
    for name, kernel in (("then", 1), ("else", 3)):
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 5, 5])
        weight = TensorProto(name=f"{name}.weight", dims=(4, 8, kernel, kernel), data_type=TensorProto.FLOAT)
        node = helper.make_node("Conv", [relu, weight.name], [name], auto_pad="SAME_UPPER")
        branches.append(helper.make_graph([node], name, [], [info], [weight]))
    return maker.node("If", condition, then_branch=branches[0], else_branch=branches[1])


@pytest.mark.parametrize(("number", "params"), [(1, 32), (0, 288)])
def test_of_an_if_the_branch_that_is_taken_is_read(number: int, params: int, tmp_path: Path) -> None:
    maker = Maker(1, 8, 5, 5)
    network = maker.load(tmp_path, branching(maker, maker.constant(number)))
    assert kinds(network) == ["relu", "conv2d"] and network.nodes[-1].shape == (4, 5, 5)
    totals = analyse(network).totals
    assert (totals.params, totals.macs) == (params, params * 25)


def test_an_if_that_may_take_either_branch_holds_the_weights_of_both_and_costs_the_dearer(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    maker = Maker(1, 8, 5, 5)
    maker.inputs.append(helper.make_tensor_value_info("which", TensorProto.BOOL, []))
    network = maker.load(tmp_path, branching(maker, "which"))
    assert kinds(network) == ["relu", "opaque"] and network.nodes[-1].shape == (4, 5, 5)
    totals = analyse(network).totals
    assert (totals.params, totals.macs) == (32 + 288, 288 * 25)


def test_weights_of_a_file_without_initialisers_are_weights(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    maker = Maker(1, 3, 5, 5)
    maker.inputs.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [4, 3, 3, 3]))
    maker.node("Conv", "x", "weight")
    network = maker.load(tmp_path)
    assert list(network.inputs) == ["input"] and analyse(network).totals.params == 108


def test_functions_of_the_file_are_written_out(tmp_path: Path) -> None:
    from onnx import AttributeProto, helper

    from convcalc.onnx import load_onnx

    maker = Maker(1, 3, 8, 8)
    maker.node("block", "x", maker.weight(4, 3, 3, 3), domain="mine", step=2)
    model = maker.model("t0")
    conv = helper.make_node("Conv", ["a", "w"], ["c"])
    conv.attribute.append(AttributeProto(name="strides", ref_attr_name="step", type=AttributeProto.INTS))
    body = [conv, helper.make_node("Relu", ["c"], ["b"])]
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("mine", "block", ["a", "w"], ["b"], body, opsets, ["step"]))
    model.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("step", [2, 2]))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    network = load_onnx(str(path))
    assert kinds(network) == ["conv2d", "relu"] and network.nodes[-1].shape == (4, 3, 3)


@pytest.mark.parametrize(
    "arguments",
    [("table",), ("table", "--layers"), ("diff", "model.onnx"), ("check", "--advice"), ("explain",), ("verify",)],
    ids=" ".join,
)
@pytest.mark.parametrize("op", ["ReduceMax", "Einsum"])
def test_an_output_that_is_one_number(
    op: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(1, 4)
    if op == "Einsum":
        tensor = maker.node(op, "x", equation="bc->")
    else:
        tensor = maker.node("Squeeze", maker.node(op, "x"))
    maker.load(tmp_path, maker.node("Relu", tensor))
    monkeypatch.chdir(tmp_path)
    command, *options = arguments
    done = run(command, "model.onnx", *options)
    assert done.code in (0, 2) and "Error" not in done.stdout + done.stderr
