"""Activations and layer norms that exporters write out as several operators are put together again.

Each step that may begin one carries a tag: what it computes of its base x. When the last operator arrives, the
layer is made of x; the steps in between, which nothing else reads, fall away.
"""

from __future__ import annotations

from math import isclose, pi, sqrt
from typing import Any

from ..layers.base import Shape
from .builder import Builder
from .values import Activation, Constant

CONSTANTS = {
    "√2": sqrt(2),
    "1/√2": sqrt(0.5),
    "1": 1.0,
    "1/2": 0.5,
    "2": 2.0,
    "3": 3.0,
    "6": 6.0,
    "1/6": 1 / 6,
    "0.044715": 0.044715,
    "√(2/π)": sqrt(2 / pi),
}
"""Numbers that the patterns know, under their names."""

WITH_CONSTANT = {
    ("Div", "x", "√2"): "x/√2",
    ("Mul", "x", "1/√2"): "x/√2",
    ("Erf", "x/√2", ""): "erf",
    ("Add", "erf", "1"): "1+erf",
    ("Mul", "1+erf", "1/2"): "Φ",
    ("Mul", "x", "1/2"): "x/2",
    ("Mul", "x(1+erf)", "1/2"): "gelu",
    ("Pow", "x", "3"): "x³",
    ("Mul", "x³", "0.044715"): "0.044715x³",
    ("Mul", "x+0.044715x³", "√(2/π)"): "u",
    ("Tanh", "u", ""): "tanh",
    ("Add", "tanh", "1"): "1+tanh",
    ("Mul", "1+tanh", "1/2"): "½(1+tanh)",
    ("Mul", "x(1+tanh)", "1/2"): "gelu_tanh",
    ("Add", "x", "3"): "x+3",
    ("Clip", "x+3", ""): "relu6(x+3)",
    ("Div", "relu6(x+3)", "6"): "hardsigmoid",
    ("Mul", "relu6(x+3)", "1/6"): "hardsigmoid",
    ("Div", "x·relu6(x+3)", "6"): "hardswish",
    ("Mul", "x·relu6(x+3)", "1/6"): "hardswish",
    ("Sigmoid", "x", ""): "sigmoid",
    ("HardSigmoid", "x", ""): "hardsigmoid",
    ("Softplus", "x", ""): "softplus",
    ("Tanh", "softplus", ""): "tanh(softplus)",
}
"""(operator, what it reads, constant) -> what it gives."""

OF_TWO = {
    ("Mul", "x", "1+erf"): "x(1+erf)",
    ("Mul", "x/2", "1+erf"): "gelu",
    ("Mul", "x", "Φ"): "gelu",
    ("Add", "x", "0.044715x³"): "x+0.044715x³",
    ("Mul", "x", "1+tanh"): "x(1+tanh)",
    ("Mul", "x/2", "1+tanh"): "gelu_tanh",
    ("Mul", "x", "½(1+tanh)"): "gelu_tanh",
    ("Mul", "x", "relu6(x+3)"): "x·relu6(x+3)",
    ("Mul", "x", "hardsigmoid"): "hardswish",
    ("Mul", "x", "sigmoid"): "silu",
    ("Mul", "x", "tanh(softplus)"): "mish",
}
"""(operator, one operand, the other) -> what it gives; both of the same x."""

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu": ("gelu", {}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "hardswish": ("hardswish", {}),
    "silu": ("silu", {}),
    "mish": ("mish", {}),
}
"""What is a layer when it is complete."""


def _named(operand: Constant | None) -> str | None:
    """The name of a constant that the patterns know; empty for none, None for another."""
    if operand is None:
        return ""
    number = operand.scalar
    if number is None:
        return None
    return next((name for name, value in CONSTANTS.items() if isclose(number, value, rel_tol=1e-3)), None)


def _readings(b: Builder, value: Activation) -> list[tuple[str, int]]:
    """What a value is: x itself, and what its tag says of another."""
    step = b.steps[value.step]
    tag = [(str(step.tag[0]), step.base)] if len(step.tag) == 1 else []
    return [*tag, ("x", value.step)]


def _result(b: Builder, value: Activation, operand: Activation | Constant | None, reverse: bool) -> tuple[str, int]:
    """(what the node gives, of which step); ("", -1) where no pattern has it."""
    op = b.node.op
    if isinstance(operand, Activation):
        for first, base in _readings(b, value):
            for second, other in _readings(b, operand):
                if base == other:
                    found = OF_TWO.get((op, first, second)) or OF_TWO.get((op, second, first))
                    if found:
                        return found, base
        return "", -1
    name = _named(operand)
    if name is not None and not (reverse and op in ("Div", "Sub", "Pow")):
        for tag, base in _readings(b, value):
            found = WITH_CONSTANT.get((op, tag, name))
            if found:
                return found, base
    return "", -1


def recognise(
    b: Builder, value: Activation, operand: Activation | Constant | None = None, reverse: bool = False
) -> Activation | None:
    """The layer that the node completes, made of the x that it began with; None where it completes none."""
    found, base = _result(b, value, operand, reverse)
    made: Activation | None = None
    if found in LAYERS:
        kind, fields = LAYERS[found]
        made = b.emit(kind, fields, Activation(base, value.dims, value.batched))
    elif found == "relu6(x+3)":
        made = b.emit("relu6", {}, value)
    elif found == "hardsigmoid" and b.node.op != "HardSigmoid":
        made = b.emit("hardsigmoid", {}, Activation(base, value.dims, value.batched))
    if made is not None:
        if found not in LAYERS:
            b.steps[made.step].tag, b.steps[made.step].base = (found,), base
        return made
    return _layer_norm(b, value, operand) if isinstance(operand, Activation) else None


def tagged(
    b: Builder,
    made: Activation,
    value: Activation,
    operand: Activation | Constant | None = None,
    reverse: bool = False,
) -> Activation:
    """The same output, tagged with what it computes where that is part of a pattern."""
    found, base = _result(b, value, operand, reverse)
    step = b.steps[made.step]
    if found:
        step.tag, step.base = (found,), base
    else:
        _tag_norm(b, step.node.op, made, value, operand)
    return made


def tag_mean(b: Builder, made: Activation, value: Activation, axes: tuple[int, ...]) -> None:
    """Note a mean that may begin a layer norm: of x, or of the squared differences."""
    step, source = b.steps[made.step], b.steps[value.step]
    if len(source.tag) == 3 and source.tag[0] == "d²" and source.tag[1] == axes:
        step.tag, step.base = ("variance", axes, 0.0), source.base
    else:
        step.tag, step.base = ("mean", axes, 0.0), value.step


def _tag_norm(b: Builder, op: str, made: Activation, value: Activation, operand: Activation | Constant | None) -> None:
    """Carry on the tags of a layer norm: x − mean, its square, variance + eps, the deviation."""
    step, source = b.steps[made.step], b.steps[value.step]
    name, axes, eps = source.tag if len(source.tag) == 3 else ("", (), 0.0)
    found: tuple[Any, ...] = ()
    if isinstance(operand, Activation):
        other = b.steps[operand.step]
        if op == "Sub" and len(other.tag) == 3 and other.tag[0] == "mean" and other.base == value.step:
            step.tag, step.base = ("d", other.tag[1], 0.0), value.step
            return
        if op == "Mul" and name == "d" and operand.step == value.step:
            found = ("d²", axes, eps)
    else:
        number = operand.scalar if operand is not None else None
        if op == "Pow" and name == "d" and number == 2:
            found = ("d²", axes, eps)
        elif op == "Add" and name == "variance" and number is not None and 0 <= number < 0.01:
            found = ("variance", axes, float(f"{number:.7g}"))
        elif op == "Sqrt" and name == "variance":
            found = ("deviation", axes, eps)
    if found:
        step.tag, step.base = found, source.base


def _layer_norm(b: Builder, value: Activation, operand: Activation) -> Activation | None:
    """The layer norm that (x − mean) / deviation is, over trailing axes or over the channels."""
    difference, deviation = b.steps[value.step].tag, b.steps[operand.step].tag
    if b.node.op != "Div" or len(difference) != 3 or len(deviation) != 3:
        return None
    base = b.steps[value.step].base
    if (difference[0], deviation[0]) != ("d", "deviation") or b.steps[operand.step].base != base:
        return None
    if difference[1] != deviation[1] or not value.batched:
        return None
    axes = tuple(axis - 1 for axis in difference[1])
    rank = len(value.shape)
    if axes == tuple(range(axes[0], rank)) and axes[0] >= 0:
        fields = layer_norm_fields(value.shape, axes[0], deviation[2])
    elif axes == (0,):
        fields = {"dim": 0, **({"eps": deviation[2]} if deviation[2] != 1e-5 else {})}
    else:
        return None
    fields["elementwise_affine"] = False
    return b.emit("layer_norm", fields, Activation(base, value.dims))


def layer_norm_fields(shape: Shape, axis: int, eps: float) -> dict[str, Any]:
    """Fields of a layer norm over the axes from `axis` on."""
    fields: dict[str, Any] = {}
    if axis != len(shape) - 1:
        fields["normalized_shape"] = shape[axis:]
    if eps != 1e-5:
        fields["eps"] = eps
    return fields
