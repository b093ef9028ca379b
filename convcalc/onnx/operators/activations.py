"""Activations, and what else keeps the shape of its one input."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf, prod

from ...layers.base import Shape
from ...models.making import Fields, Unsupported
from ..builder import Builder
from ..patterns import recognise, tagged
from ..values import Activation, Call, Constant
from .folding import added_up, computed, elementwise
from .record import Operator, Rule, kept


def plain(kind: str) -> Rule:
    """The rule of an activation without fields."""

    def rule(b: Builder) -> Activation:
        value = b.activation()
        return recognise(b, value) or tagged(b, b.emit(kind, {}, value), value)

    return rule


def unary(b: Builder) -> Activation:
    """An operator of one input that the language does not have, and that keeps the shape."""
    value = b.activation()
    return recognise(b, value) or tagged(b, b.elementwise(value), value)


FUNCTIONS = {
    "Abs": "abs",
    "Ceil": "ceil",
    "Cos": "cos",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "Log": "log",
    "Neg": "neg",
    "Reciprocal": "reciprocal",
    "Round": "round",
    "Sign": "sign",
    "Sin": "sin",
    "Softsign": "softsign",
    "Sqrt": "sqrt",
}
"""Functions of one element -> the kind."""


def function(op: str) -> Rule:
    """The rule of an operator of one input that keeps the shape: a function of the language, or opaque."""
    kind = FUNCTIONS.get(op)
    return unary if kind is None else plain(kind)


def _gelu(b: Builder) -> Activation:
    return b.emit("gelu", {"approximate": "tanh"} if b.node.word("approximate") == "tanh" else {}, b.activation())


def _leaky_relu(b: Builder) -> Activation:
    return b.emit("leaky_relu", {"negative_slope": b.node.number("alpha", 0.01)}, b.activation())


def _elu(b: Builder) -> Activation:
    return b.emit("elu", {"alpha": b.node.number("alpha", 1.0)}, b.activation())


def _hard_sigmoid(b: Builder) -> Activation:
    """With PyTorch's numbers, else what it is: cut off at 0 and 1 behind a factor and an offset."""
    alpha, beta = b.node.number("alpha", 0.2), b.node.number("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-3) and beta == 0.5:
        return plain("hardsigmoid")(b)  # type: ignore[return-value]
    return b.emit(
        "clamp", {"min": 0.0, "max": 1.0}, b.emit("rescale", {"scale": alpha, "offset": beta}, b.activation())
    )


def _prelu(b: Builder) -> Activation:
    """With one slope, or one a channel."""
    value, slope = b.activation(), b.weight(1)
    count = prod(slope.shape)
    if count != 1 and (count != value.shape[0] or count not in slope.shape):
        raise Unsupported(f"its slope {list(slope.shape)} is neither one number nor one a channel")
    return b.emit("prelu", {"num_parameters": count}, value, weights=[slope])


def _bounds(call: Call) -> tuple[float | None, float | None]:
    """The least and the most that a Clip lets through; None where it is not known, infinite where there is none."""
    bounds: list[float | None] = []
    for position, name, default in ((1, "min", -inf), (2, "max", inf)):
        if name in call.node.attributes:
            bounds.append(call.node.number(name))
        else:
            bounds.append(default if call.value(position) is None else call.constant(position).scalar)
    return bounds[0], bounds[1]


def _clipped(call: Call, shape: Shape) -> Constant:
    """Where the bounds cross, the upper one wins."""
    low, high = _bounds(call)
    if low is None or high is None:
        return call.constant().become(shape, None)
    return elementwise(lambda a: min(max(a, low), high), [call.constant()], shape)


def _clip(b: Builder) -> Activation:
    """relu and relu6 where the bounds are theirs."""
    value = b.activation()
    low, high = _bounds(b.call)
    if low == 0 and high == 6:
        return recognise(b, value) or b.emit("relu6", {}, value)
    if low == 0 and high is not None and high > 3e38:
        return b.emit("relu", {}, value)
    bounds = {"min": low, "max": high}
    finite: Fields = {
        name: float(f"{number:.7g}") for name, number in bounds.items() if number is not None and abs(number) < 3e38
    }
    if None in (low, high) or not finite or (low is not None and high is not None and low > high):
        return b.elementwise(value)
    return b.emit("clamp", finite, value)


def _softmax(default: int, kind: str = "softmax") -> Rule:
    """Along one axis; before opset 13 along this and all that follow, by default from axis 1."""

    def rule(b: Builder) -> Activation:
        value = b.activation()
        dim = b.call.axis(default) - value.batched
        if dim < 0:
            raise Unsupported("it runs along the batch")
        return b.emit(kind, {"dim": dim} if dim else {}, value)

    return rule


def _celu(b: Builder) -> Activation:
    alpha = b.node.number("alpha", 1.0)
    return b.emit("celu", {"alpha": alpha} if alpha != 1 else {}, b.activation())


def _shrink(b: Builder) -> Activation:
    """Hard where what is left keeps its size, soft where it is as much smaller."""
    size, bias = b.node.number("lambd", 0.5), b.node.number("bias", 0.0)
    if bias not in (0, size):
        return unary(b)
    return b.emit("softshrink" if bias else "hardshrink", {"lambd": size} if size != 0.5 else {}, b.activation())


def _thresholded(b: Builder) -> Activation:
    alpha = b.node.number("alpha", 1.0)
    return b.emit("threshold", {"threshold": alpha, "value": 0.0}, b.activation())


def _dropout(b: Builder) -> Activation:
    """Nothing reads its mask at inference."""
    value = b.activation()
    if any(b.uses.get(name) for name in b.node.outputs[1:] if name):
        raise Unsupported("its mask is read")
    ratio, given = b.node.number("ratio", 0.5), b.call.value(1)
    if isinstance(given, Constant) and given.scalar is not None:
        ratio = float(f"{given.scalar:.7g}")
    fields: Fields = {"p": ratio} if ratio != 0.5 else {}
    return b.emit("dropout", fields, value)


_PLAIN = {
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSwish": "hardswish",
    "Mish": "mish",
    "Swish": "silu",
    "Softplus": "softplus",
}
_COMPUTED: dict[str, Callable[[float], float]] = {
    "Acos": math.acos,
    "Acosh": math.acosh,
    "Asin": math.asin,
    "Asinh": math.asinh,
    "Atan": math.atan,
    "Atanh": math.atanh,
    "Cos": math.cos,
    "Cosh": math.cosh,
    "Erf": math.erf,
    "Exp": lambda a: math.exp(min(a, 700)),
    "Log": lambda a: math.log(a) if a > 0 else -math.inf,
    "Sin": math.sin,
    "Sinh": math.sinh,
    "Softsign": lambda a: a / (1 + abs(a)),
    "Tan": math.tan,
}
"""Functions of one element that tables of constants are computed by."""
_UNKNOWN = (
    "Hardmax",
    "IsInf",
    "IsNaN",
    "LpNormalization",
    "MeanVarianceNormalization",
)
"""Operators of one input that the language does not have, and that keep its shape."""

OPERATORS = (
    Operator("Relu", plain("relu"), dims=kept, fold=computed(lambda a: max(a, 0))),
    *(Operator(name, plain(kind), dims=kept) for name, kind in _PLAIN.items()),
    *(Operator(name, unary, dims=kept) for name in _UNKNOWN),
    *(Operator(name, function(name), dims=kept, fold=computed(compute)) for name, compute in _COMPUTED.items()),
    Operator("HardSigmoid", _hard_sigmoid, dims=kept),
    Operator("Celu", _celu, dims=kept),
    Operator("Shrink", _shrink, dims=kept),
    Operator("ThresholdedRelu", _thresholded, dims=kept),
    Operator("CumSum", unary, inputs=(2, 2), dims=kept, fold=added_up),
    Operator("Gelu", _gelu, dims=kept, domains=("", "com.microsoft")),
    Operator("LeakyRelu", _leaky_relu, dims=kept),
    Operator("Elu", _elu, dims=kept),
    Operator("PRelu", _prelu, dims=kept, weights=(1,), inputs=(2, 2)),
    Operator("Clip", _clip, dims=kept, inputs=(1, 3), fold=_clipped),
    Operator("Softmax", _softmax(default=1), dims=kept),
    Operator("Softmax", _softmax(default=-1), dims=kept, since=13),
    Operator("LogSoftmax", _softmax(default=1, kind="log_softmax"), dims=kept),
    Operator("LogSoftmax", _softmax(default=-1, kind="log_softmax"), dims=kept, since=13),
    Operator("Dropout", _dropout, dims=kept, inputs=(1, 3)),
)
