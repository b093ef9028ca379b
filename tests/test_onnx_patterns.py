"""Layers that exporters write out as several operators come back as one."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from pathlib import Path

import pytest

from convcalc.analysis.report import analyse

from .onnx_models import Maker, kinds


def _number(m: Maker, value: float) -> str:
    return m.constant(value, floating=True)


def _gelu(m: Maker) -> str:
    one_plus = m.node("Add", m.node("Erf", m.node("Div", "x", _number(m, sqrt(2)))), _number(m, 1.0))
    return m.node("Mul", m.node("Mul", "x", one_plus), _number(m, 0.5))


def _gelu_halved_first(m: Maker) -> str:
    one_plus = m.node("Add", m.node("Erf", m.node("Mul", "x", _number(m, sqrt(0.5)))), _number(m, 1.0))
    return m.node("Mul", m.node("Mul", "x", _number(m, 0.5)), one_plus)


def _gelu_tanh(m: Maker) -> str:
    cubed = m.node("Mul", m.node("Pow", "x", _number(m, 3.0)), _number(m, 0.044715))
    inner = m.node("Tanh", m.node("Mul", m.node("Add", "x", cubed), _number(m, sqrt(2 / pi))))
    return m.node("Mul", m.node("Mul", "x", m.node("Add", inner, _number(m, 1.0))), _number(m, 0.5))


def _relu6_of_x_plus_3(m: Maker) -> str:
    return m.node("Clip", m.node("Add", "x", _number(m, 3.0)), _number(m, 0.0), _number(m, 6.0))


def _hardswish(m: Maker) -> str:
    return m.node("Div", m.node("Mul", "x", _relu6_of_x_plus_3(m)), _number(m, 6.0))


def _hardswish_of_hardsigmoid(m: Maker) -> str:
    return m.node("Mul", m.node("HardSigmoid", "x", alpha=1 / 6), "x")


def _hardsigmoid(m: Maker) -> str:
    return m.node("Mul", _relu6_of_x_plus_3(m), _number(m, 1 / 6))


def _silu(m: Maker) -> str:
    return m.node("Mul", "x", m.node("Sigmoid", "x"))


def _mish(m: Maker) -> str:
    return m.node("Mul", "x", m.node("Tanh", m.node("Softplus", "x")))


def _channel_shuffle(m: Maker) -> str:
    spread = m.node("Reshape", "x", m.constant([1, 2, 6, 8, 8]))
    return m.node("Reshape", m.node("Transpose", spread, perm=[0, 2, 1, 3, 4]), m.constant([1, -1, 8, 8]))


def _pixel_shuffle(m: Maker) -> str:
    spread = m.node("Reshape", "x", m.constant([1, 3, 2, 2, 8, 8]))
    return m.node("Reshape", m.node("Transpose", spread, perm=[0, 1, 4, 2, 5, 3]), m.constant([1, 3, 16, 16]))


def _layer_norm(axis: int) -> Callable[[Maker], str]:
    def make(m: Maker) -> str:
        difference = m.node("Sub", "x", m.node("ReduceMean", "x", axes=[axis]))
        square = m.node("Pow", difference, _number(m, 2.0))
        variance = m.node("Add", m.node("ReduceMean", square, axes=[axis]), _number(m, 1e-6))
        normal = m.node("Div", difference, m.node("Sqrt", variance))
        shape = (12, 1, 1) if axis == 1 else (8,)
        return m.node("Add", m.node("Mul", normal, m.weight(*shape)), m.weight(*shape))

    return make


def _group_norm(m: Maker) -> str:
    spread = m.node("Reshape", "x", m.constant([0, 4, -1]))
    normal = m.node("InstanceNormalization", spread, m.weight(4), m.weight(4), epsilon=1e-6)
    whole = m.node("Reshape", normal, m.constant([1, 12, 8, 8]))
    return m.node("Add", m.node("Mul", whole, m.weight(12, 1, 1)), m.weight(12, 1, 1))


@pytest.mark.parametrize(
    ("make", "kind", "fields", "params"),
    [
        (_gelu, "gelu", {}, 0),
        (_gelu_halved_first, "gelu", {}, 0),
        (_gelu_tanh, "gelu", {"approximate": "tanh"}, 0),
        (_hardswish, "hardswish", {}, 0),
        (_hardswish_of_hardsigmoid, "hardswish", {}, 0),
        (_hardsigmoid, "hardsigmoid", {}, 0),
        (_silu, "silu", {}, 0),
        (_mish, "mish", {}, 0),
        (_channel_shuffle, "channel_shuffle", {"groups": 2}, 0),
        (_pixel_shuffle, "pixel_shuffle", {"upscale_factor": 2}, 0),
        (_layer_norm(3), "layer_norm", {"eps": 1e-6, "elementwise_affine": True, "bias": True}, 16),
        (_layer_norm(1), "layer_norm", {"dim": 0, "eps": 1e-6, "elementwise_affine": True, "bias": True}, 24),
        (_group_norm, "group_norm", {"num_groups": 4, "eps": 1e-6}, 24),
    ],
)
def test_pattern(
    make: Callable[[Maker], str], kind: str, fields: dict[str, object], params: int, tmp_path: Path
) -> None:
    maker = Maker(1, 12, 8, 8)
    network = maker.load(tmp_path, make(maker))
    assert kinds(network) == [kind]
    layer = network.nodes[1].layer
    assert layer is not None and layer.fields() == fields
    assert analyse(network).totals.params == params


def test_a_piece_that_something_else_reads_stays(tmp_path: Path) -> None:
    maker = Maker(1, 12, 8, 8)
    gate = maker.node("Sigmoid", "x")
    network = maker.load(tmp_path, maker.node("Mul", "x", gate), gate)
    assert sorted(kinds(network)) == ["sigmoid", "silu"]


def test_another_constant_is_no_gelu(tmp_path: Path) -> None:
    maker = Maker(1, 12)
    one_plus = maker.node("Add", maker.node("Erf", maker.node("Div", "x", _number(maker, 1.5))), _number(maker, 1.0))
    network = maker.load(tmp_path, maker.node("Mul", maker.node("Mul", "x", one_plus), _number(maker, 0.5)))
    assert "gelu" not in kinds(network)


def test_a_bias_that_follows_what_others_read_is_no_bias_of_it(tmp_path: Path) -> None:
    maker = Maker(1, 3, 5, 5)
    conv = maker.node("Conv", "x", maker.weight(8, 3, 1, 1))
    network = maker.load(tmp_path, maker.node("Add", conv, maker.weight(8, 1, 1)), maker.node("Relu", conv))
    assert kinds(network) == ["conv2d", "parameter", "add", "relu"]
    assert analyse(network).totals.params == 32
