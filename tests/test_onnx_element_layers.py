"""Constants, arithmetic, reductions and forms of weights go through ONNX and come back as the same layers."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from convcalc import analyse, loads
from convcalc.export.onnx_model import onnx_model
from convcalc.network import Network
from convcalc.onnx import load_onnx
from tests.exported_layers import drawn_weights, layer_cases

from .onnx_models import Maker, kinds
from .test_spec_constants import TOKENS

WORDS = (
    *("exp", "log", "sqrt", "abs", "neg", "reciprocal", "sin", "cos", "erf", "sign", "floor", "ceil", "round", "clamp"),
    *("softsign", "logsigmoid", "celu", "hardshrink", "softshrink", "log_softmax", "sub", "div", "maximum", "minimum"),
    *("sum", "amax", "amin", "prod", "logsumexp"),
)
FORMS = (
    *("pow exponent=3", "norm dim=", "argmax dim=", "rms_norm on", "rms_norm elementwise", "rescale scale=-1"),
    *("rescale scale=0.125", "rescale offset", "mean dim=-1", "mean dim=[0", "scale dim=-1"),
    *("conv2d out=4 k=3 standardize=True gain", "conv2d out=4 k=3 p=same s=2 g=2 gain", "linear out=5 gain"),
    *("linear out=5 dim=last standardize", "conv_transpose1d out=4 k=3 s=2 g=2 standardize"),
    "conv_transpose2d out=4 k=2 s=2 standardize",
)
"""Layers, and how the labels of others begin, that ONNX has an operator of, or operators that are recognised."""
CASES = [case for case in layer_cases() if case[0].split()[0] in WORDS or case[0].startswith(FORMS)]


def returned(network: Network, folder: Path, *, seeded: bool) -> Network:
    weights = drawn_weights(network)
    path = folder / "model.onnx"
    path.write_bytes(onnx_model(network, (lambda node: weights[node.name]) if seeded else None))
    return load_onnx(str(path))


@pytest.mark.parametrize(("label", "network"), CASES, ids=[label for label, _ in CASES])
def test_a_layer_comes_back_as_itself(label: str, network: Network, tmp_path: Path) -> None:
    back = returned(network, tmp_path, seeded=True)
    assert [node.kind for node in back] == [network.nodes[-1].kind], label
    assert back.nodes[-1].shape == network.nodes[-1].shape
    found, wanted = analyse(back).totals, analyse(network).totals
    assert (found.params, found.macs) == (wanted.params, wanted.macs)


@pytest.mark.parametrize("seeded", [True, False])
def test_constants_come_back_as_parameters(seeded: bool, tmp_path: Path) -> None:
    network = loads(TOKENS)
    back = returned(network, tmp_path, seeded=seeded)
    shapes = [node.shape for node in back if node.kind == "parameter"]
    assert sorted(shapes) == sorted([(1, 8), (1, 8), (5, 8)])
    assert analyse(back).totals.params == analyse(network).totals.params
    assert back.nodes[-1].shape == (10,)


def _squared(m: Maker) -> str:
    squares = m.node("Pow", "x", m.constant(2.0, floating=True))
    mean = m.node("ReduceMean", squares, axes=[-1], keepdims=1)
    return m.node("Sqrt", m.node("Add", mean, m.constant(1e-6, floating=True)))


@pytest.mark.parametrize("reciprocal", [True, False])
def test_a_root_mean_square_norm_is_put_together(reciprocal: bool, tmp_path: Path) -> None:
    """As PyTorch's exporters write it: x times the reciprocal of the root, or over the root."""
    m = Maker(1, 5, 8)
    root = _squared(m)
    normal = m.node("Mul", "x", m.node("Reciprocal", root)) if reciprocal else m.node("Div", "x", root)
    network = m.load(tmp_path, m.node("Mul", normal, m.weight(8)))
    assert kinds(network) == ["rms_norm"]
    assert network.nodes[-1].layer is not None
    assert network.nodes[-1].layer.fields() == {"eps": 1e-6, "elementwise_affine": True}


def test_the_root_of_other_squares_is_no_norm(tmp_path: Path) -> None:
    m = Maker(1, 5, 8)
    network = m.load(tmp_path, m.node("Div", m.node("Exp", "x"), _squared(m)))
    assert "rms_norm" not in kinds(network)


def test_a_token_that_others_read_is_no_bias_of_a_scale(tmp_path: Path) -> None:
    m = Maker(1, 8)
    token = m.node("Reshape", m.weight(8), m.constant([1, 8]))
    added = m.node("Add", m.node("Mul", "x", m.weight(8)), token)
    network = m.load(tmp_path, m.node("Concat", added, token, axis=1))
    assert kinds(network) == ["scale", "parameter", "add", "concat"]
    assert analyse(network).totals.params == 16


def test_one_learned_number_is_a_bias_of_the_one_before(tmp_path: Path) -> None:
    """As HGNetV2's learned affine block has it."""
    m = Maker(1, 4, 5, 5)
    for name in ("act.lab.scale", "act.lab.bias"):
        m.tensors.append(helper.make_tensor(name, TensorProto.FLOAT, [1], [0.5]))
    network = m.load(tmp_path, m.node("Add", m.node("Mul", "x", "act.lab.scale"), "act.lab.bias"))
    assert kinds(network) == ["scale"]
    assert analyse(network).totals.params == 2


@pytest.mark.parametrize(("name", "params"), [("/norm/Constant_3_output_0", 0), ("12", 4)])
def test_constants_of_the_code_are_no_parameters(name: str, params: int, tmp_path: Path) -> None:
    """PyTorch's exporter names them so; it writes parameters as initialisers, where others do not."""
    m = Maker(1, 4, 5, 5)
    m.node("Constant", value=helper.make_tensor("", TensorProto.FLOAT, [4, 1, 1], [1.0, 2.0, 3.0, 4.0]))
    m.nodes[-1].output[0] = name
    network = m.load(tmp_path, m.node("Mul", "x", name))
    assert analyse(network).totals.params == params


def test_weights_that_a_batch_norm_standardizes_in_training_mode(tmp_path: Path) -> None:
    """As PyTorch's exporter writes an NF-Net's convolution, be its weights too many to compute with."""
    m = Maker(1, 32, 7, 7, opset=15)
    flat = m.node("Reshape", m.weight(64, 32, 3, 3), m.constant([1, 64, -1]))
    gain = m.node("Reshape", m.weight(64, 1, 1, 1), m.constant([-1]))
    m.node("Constant", value=helper.make_tensor("", TensorProto.FLOAT, [64], [0.0] * 64))
    m.nodes[-1].output[0] = zeros = "/conv/Constant_3_output_0"
    mean = m.node("ReduceMean", flat, axes=[0, 2], keepdims=0)
    variance = m.node("ReduceMean", m.node("Mul", flat, flat), axes=[0, 2], keepdims=0)
    normal = m.node("BatchNormalization", flat, gain, zeros, mean, variance, outputs=3, training_mode=1)
    weight = m.node("Reshape", normal, m.constant([64, 32, 3, 3]))
    network = m.load(tmp_path, m.node("Conv", "x", weight))
    assert kinds(network) == ["conv2d"]
    assert network.nodes[-1].layer is not None
    assert {"standardize": True, "gain": True}.items() <= network.nodes[-1].layer.fields().items()
    assert analyse(network).totals.params == 64 * 32 * 9 + 64
