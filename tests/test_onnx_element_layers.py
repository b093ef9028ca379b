"""Constants, arithmetic, reductions and forms of weights go through ONNX and come back as the same layers."""

from __future__ import annotations

from pathlib import Path

import pytest

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
