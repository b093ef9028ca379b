"""Activations and layer norms that exporters write out as several operators are put together again.

Each step that may begin one carries a tag: what it computes of its base x. When the last operator arrives, the
layer is made of x; the steps in between, which nothing else reads, fall away.
"""

from __future__ import annotations

from math import isclose, pi, sqrt

from ..layers.base import Shape
from ..models.making import Fields, spelled
from .builder import Builder, Tag
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
    ("Neg", "x", ""): "-x",
    ("Softplus", "-x", ""): "softplus(-x)",
    ("Neg", "softplus(-x)", ""): "logsigmoid",
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

LAYERS: dict[str, tuple[str, Fields]] = {
    "gelu": ("gelu", {}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "hardswish": ("hardswish", {}),
    "silu": ("silu", {}),
    "mish": ("mish", {}),
    "logsigmoid": ("logsigmoid", {}),
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


def _readings(b: Builder, value: Activation) -> list[Tag]:
    """What a value is: what its tag says of another, and x itself."""
    tag, own = b.steps[value.step].tag, Tag("x", value.step)
    return [own] if tag is None else [tag, own]


def _result(b: Builder, value: Activation, operand: Activation | Constant | None, reverse: bool) -> Tag | None:
    """What the node gives, of which step; None where no pattern has it."""
    op = b.node.op
    if isinstance(operand, Activation):
        for first in _readings(b, value):
            for second in _readings(b, operand):
                if first.base == second.base:
                    found = OF_TWO.get((op, first.name, second.name)) or OF_TWO.get((op, second.name, first.name))
                    if found:
                        return Tag(found, first.base)
        return None
    name = _named(operand)
    if name is not None and not (reverse and op in ("Div", "Sub", "Pow")):
        for tag in _readings(b, value):
            found = WITH_CONSTANT.get((op, tag.name, name))
            if found:
                return Tag(found, tag.base)
    return None


def recognise(
    b: Builder, value: Activation, operand: Activation | Constant | None = None, reverse: bool = False
) -> Activation | None:
    """The layer that the node completes, made of the x that it began with; None where it completes none."""
    found = _result(b, value, operand, reverse)
    if found is not None:
        source = Activation(found.base, value.dims, value.batched)
        if found.name in LAYERS:
            kind, fields = LAYERS[found.name]
            return b.emit(kind, fields, source)
        made: Activation | None = None
        if found.name == "relu6(x+3)":
            made = b.emit("relu6", {}, value)
        elif found.name == "hardsigmoid" and b.node.op != "HardSigmoid":
            made = b.emit("hardsigmoid", {}, source)
        if made is not None:
            b.steps[made.step].tag = found
            return made
    if not isinstance(operand, Activation):
        return None
    return _layer_norm(b, value, operand) or _rms_norm(b, value, operand) or _rms_norm(b, operand, value)


def tagged(
    b: Builder,
    made: Activation,
    value: Activation,
    operand: Activation | Constant | None = None,
    reverse: bool = False,
) -> Activation:
    """The same output, tagged with what it computes where that is part of a pattern."""
    step = b.steps[made.step]
    step.tag = _result(b, value, operand, reverse) or _norm_tag(b, step.node.op, value, operand) or step.tag
    return made


def tag_mean(b: Builder, made: Activation, value: Activation, axes: tuple[int, ...]) -> None:
    """Note a mean that may begin a norm: of x, of its squares, or of the squared differences."""
    step, source = b.steps[made.step], b.steps[value.step].tag
    if source is not None and source.name == "x²":
        step.tag = Tag("mean of x²", source.base, axes)
        return
    if source is not None and source.name == "d²" and source.axes == axes:
        step.tag = Tag("variance", source.base, axes)
    else:
        step.tag = Tag("mean", value.step, axes)


def _norm_tag(b: Builder, op: str, value: Activation, operand: Activation | Constant | None) -> Tag | None:
    """Carry on the tags of a norm: x − mean, its square or that of x, variance + eps, the deviation."""
    tag = b.steps[value.step].tag
    number = operand.scalar if isinstance(operand, Constant) else None
    squared = op == "Pow" and number == 2
    if isinstance(operand, Activation):
        other = b.steps[operand.step].tag
        if op == "Sub" and other is not None and other.name == "mean" and other.base == value.step:
            return Tag("d", value.step, other.axes)
        squared = op == "Mul" and operand.step == value.step
    if squared:
        return tag._replace(name="d²") if tag is not None and tag.name == "d" else Tag("x²", value.step)
    if tag is None:
        return None
    if tag.name in ROOTS and op == "Add" and number is not None and 0 <= number < 0.01:
        return tag._replace(eps=float(f"{number:.7g}"))
    if op == "Sqrt" and tag.name in ROOTS:
        return tag._replace(name=ROOTS[tag.name])
    return tag._replace(name="1/rms") if op == "Reciprocal" and tag.name == "rms" else None


ROOTS = {"variance": "deviation", "mean of x²": "rms"}
"""What a square root of it is called."""


def _layer_norm(b: Builder, value: Activation, operand: Activation) -> Activation | None:
    """The layer norm that (x − mean) / deviation is, over trailing axes or over the channels."""
    difference, deviation = b.steps[value.step].tag, b.steps[operand.step].tag
    if b.node.op != "Div" or difference is None or deviation is None or not value.batched:
        return None
    if difference != Tag("d", deviation.base, deviation.axes) or deviation.name != "deviation":
        return None
    axes = tuple(axis - 1 for axis in difference.axes)
    rank = len(value.shape)
    if axes == tuple(range(axes[0], rank)) and axes[0] >= 0:
        fields = layer_norm_fields(value.shape, axes[0], deviation.eps)
    elif axes == (0,):
        fields = spelled("layer_norm", {"dim": 0, "eps": deviation.eps})
    else:
        return None
    fields["elementwise_affine"] = False
    return b.emit("layer_norm", fields, Activation(difference.base, value.dims))


def _rms_norm(b: Builder, value: Activation, operand: Activation) -> Activation | None:
    """The norm that x / rms or x · (1 / rms) is, over trailing axes."""
    tag = b.steps[operand.step].tag
    if tag is None or (b.node.op, tag.name) not in (("Div", "rms"), ("Mul", "1/rms")) or tag.base != value.step:
        return None
    axes, rank = tuple(axis - value.batched for axis in tag.axes), len(value.shape)
    if axes != tuple(range(axes[0], rank)) or axes[0] < 0:
        return None
    fields: Fields = {"eps": tag.eps, "elementwise_affine": False}
    if axes[0] != rank - 1:
        fields["normalized_shape"] = value.shape[axes[0] :]
    return b.emit("rms_norm", fields, value)


def layer_norm_fields(shape: Shape, axis: int, eps: float) -> Fields:
    """Fields of a layer norm over the axes from `axis` on."""
    return spelled("layer_norm", {"normalized_shape": None if axis == len(shape) - 1 else shape[axis:], "eps": eps})
