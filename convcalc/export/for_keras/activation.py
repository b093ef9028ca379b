"""Keras: activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Call, Code, Inline, Step, keywords, optional, positional
from .common import NAME, Mapped, Mapper, Order, elementwise, over_space, place_of

if TYPE_CHECKING:
    from ...layers.activation import CELU, ELU, GLU, Gelu, Hardtanh, LeakyReLU, PReLU, Softmax, Softplus, Threshold
    from ...layers.base import Shape, Shapes


def _activation(name: str) -> Mapper:
    return elementwise(lambda layer: Call("layers.Activation", positional(activation=name)))


def _gelu(layer: Gelu) -> Step:
    if layer.approximate == "none":
        return Call("layers.Activation", positional(activation="gelu"))
    return Inline("keras.activations.gelu({0}, approximate=True)")


def _leaky_relu(layer: LeakyReLU) -> Step:
    return Call("layers.LeakyReLU", keywords(negative_slope=layer.negative_slope))


def _elu(layer: ELU) -> Step:
    return Call("layers.ELU", (optional("alpha", layer.alpha, 1.0),))


def _softplus(layer: Softplus) -> Step:
    if layer.beta == 1 and layer.threshold >= 20:
        return Call("layers.Activation", positional(activation="softplus"))
    template = "ops.where({beta} * {0} > {threshold}, {0}, ops.softplus({beta} * {0}) / {beta})"
    return Inline(template, keywords(beta=layer.beta, threshold=layer.threshold))


def _hardtanh(layer: Hardtanh) -> Step:
    return Inline("ops.clip({0}, {min_val}, {max_val})", keywords(min_val=layer.min_val, max_val=layer.max_val))


def _celu(layer: CELU) -> Step:
    return Inline("ops.celu({0}, {alpha})", keywords(alpha=layer.alpha))


def _threshold(layer: Threshold) -> Step:
    numbers = keywords(threshold=layer.threshold, value=layer.value)
    return Inline("ops.where({0} > {threshold}, {0}, {value})", numbers)


def _shrink(function: str) -> Mapper:
    return elementwise(lambda layer: Inline(f"ops.{function}({{0}}, {{lambd}})", keywords(lambd=dict(layer)["lambd"])))


def _log_softmax(layer: Softmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = keywords(axis=place_of(orders[0], layer.dim % len(output)))
    return Mapped([Inline("ops.log_softmax({0}, axis={axis})", axis)], orders[0])


def _glu(layer: GLU, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = keywords(axis=place_of(orders[0], layer.dim % len(output)))
    return Mapped([Inline("ops.glu({0}, axis={axis})", axis)], orders[0])


def _prelu(layer: PReLU, inputs: Shapes, output: Shape) -> list[Step]:
    axes = len(output)
    shared = list(range(1, axes + 1 if layer.num_parameters == 1 else axes))
    start = keywords(alpha_initializer=Code("keras.initializers.Constant(0.25)"))
    return [Call("layers.PReLU", (*start, optional("shared_axes", shared, []), NAME))]


def _softmax(layer: Softmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = place_of(orders[0], layer.dim % len(output))
    return Mapped([Call("layers.Softmax", (optional("axis", axis, -1),))], orders[0])


ROWS: dict[str, Mapper] = {
    "Hardtanh": elementwise(_hardtanh),
    "CELU": elementwise(_celu),
    "Threshold": elementwise(_threshold),
    "hardshrink": _shrink("hard_shrink"),
    "softshrink": _shrink("soft_shrink"),
    "softsign": _activation("softsign"),
    "logsigmoid": _activation("log_sigmoid"),
    "tanhshrink": _activation("tanh_shrink"),
    "log_softmax": _log_softmax,
    "GLU": _glu,
    "relu": _activation("relu"),
    "relu6": elementwise(lambda layer: Call("layers.ReLU", keywords(max_value=6))),
    "silu": _activation("silu"),
    "hardswish": _activation("hard_silu"),
    "hardsigmoid": _activation("hard_sigmoid"),
    "sigmoid": _activation("sigmoid"),
    "tanh": _activation("tanh"),
    "mish": _activation("mish"),
    "selu": _activation("selu"),
    "Gelu": elementwise(_gelu),
    "LeakyReLU": elementwise(_leaky_relu),
    "PReLU": over_space(_prelu),
    "ELU": elementwise(_elu),
    "Softplus": elementwise(_softplus),
    "Softmax": _softmax,
}
"""Kind or family -> what it becomes."""
