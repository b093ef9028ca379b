"""Operations of Keras that work on every element: arithmetic with tensors and numbers, functions, activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...models.document import Malformed, shown
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use
from ..graph import Array
from ..tensor import Tensor
from .activation import activated
from .arguments import given, number

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]


def _shape_of(value: object) -> tuple[int, ...]:
    """The shape of nested lists."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _constant(builder: Builder, array: Array, like: Tensor) -> Tensor:
    """An array as a tensor that training leaves alone, with as many axes as another."""
    shape = _shape_of(array.value)
    if len(shape) > like.rank:
        if len(shape) > like.rank + 1 or shape[0] != 1:
            raise Unsupported("a constant has a batch")
        shape = shape[1:]
    sizes = (*(1,) * (like.rank - len(shape)), *shape)
    placed = tuple([sizes[like.order.index(axis)] for axis in range(like.rank)])
    return builder.emit("parameter", {"shape": placed, "learned": False}, order=like.order, label="constant")


With = Callable[[Builder, Tensor, float], Tensor]


def _binary(kind: str, left: With, right: With) -> Rule:
    """A function of two operands: of two tensors, or of a tensor and a number on its right or on its left."""

    def rule(builder: Builder, use: Use) -> Tensor:
        one, other = given(use, 0, "x1", "x", "a"), given(use, 1, "x2", "y", "b")
        if isinstance(one, Tensor) and isinstance(other, Tensor):
            return _two(builder, kind, one, other)
        tensor, operand = (one, other) if isinstance(one, Tensor) else (other, one)
        if not isinstance(tensor, Tensor):
            raise Malformed("it reads nothing")
        scalar = number(operand)
        if scalar is not None:
            return (left if tensor is one else right)(builder, tensor, scalar)
        if not isinstance(operand, Array):
            raise Malformed(f"its operand is {shown(operand)}")
        constant = _constant(builder, operand, tensor)
        pair = (tensor, constant) if tensor is one else (constant, tensor)
        return builder.emit(kind, {}, *pair, order=tensor.order)

    return rule


def _two(builder: Builder, kind: str, one: Tensor, other: Tensor) -> Tensor:
    if one.rank != other.rank:
        raise Unsupported("it broadcasts over the batch")
    return builder.emit(kind, {}, *builder.aligned([one, other]))


def _affine(scale: float = 1.0, offset: float = 0.0) -> Fields:
    return {"scale": scale, "offset": offset}


def _rescale(builder: Builder, tensor: Tensor, fields: Fields) -> Tensor:
    return builder.emit("rescale", fields, tensor)


def _inverse(builder: Builder, tensor: Tensor, number: float) -> Tensor:
    made = builder.emit("reciprocal", {}, tensor)
    return made if number == 1 else _rescale(builder, made, _affine(number))


def _divided(builder: Builder, tensor: Tensor, number: float) -> Tensor:
    if number == 0:
        raise Malformed("it divides by 0")
    return _rescale(builder, tensor, _affine(1 / number))


BINARY: dict[str, Rule] = {
    "Add": _binary(
        "add",
        lambda b, x, n: _rescale(b, x, _affine(offset=n)),
        lambda b, x, n: _rescale(b, x, _affine(offset=n)),
    ),
    "Subtract": _binary(
        "sub",
        lambda b, x, n: _rescale(b, x, _affine(offset=-n)),
        lambda b, x, n: _rescale(b, x, _affine(-1.0, n)),
    ),
    "Multiply": _binary(
        "multiply",
        lambda b, x, n: _rescale(b, x, _affine(n)),
        lambda b, x, n: _rescale(b, x, _affine(n)),
    ),
    "TrueDivide": _binary("div", _divided, _inverse),
    "Maximum": _binary(
        "maximum", lambda b, x, n: b.emit("clamp", {"min": n}, x), lambda b, x, n: b.emit("clamp", {"min": n}, x)
    ),
    "Minimum": _binary(
        "minimum", lambda b, x, n: b.emit("clamp", {"max": n}, x), lambda b, x, n: b.emit("clamp", {"max": n}, x)
    ),
}


def _power(builder: Builder, use: Use) -> Tensor:
    exponent = number(given(use, 1, "x2", "y"))
    if exponent is None:
        raise Unsupported("the language has powers of numbers alone")
    if exponent == 2:
        return builder.emit("square", {}, use.tensor)
    return builder.emit("pow", {"exponent": exponent}, use.tensor)


def _clip(builder: Builder, use: Use) -> Tensor:
    low = number(given(use, 1, "x_min", "clip_value_min"))
    high = number(given(use, 2, "x_max", "clip_value_max"))
    fields: Fields = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    return builder.emit("clamp", fields, use.tensor)


UNARY = {
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "Rsqrt": "rsqrt",
    "Absolute": "abs",
    "Abs": "abs",
    "Negative": "neg",
    "Square": "square",
    "Reciprocal": "reciprocal",
    "Sin": "sin",
    "Cos": "cos",
    "Erf": "erf",
    "Sign": "sign",
    "Floor": "floor",
    "Ceil": "ceil",
    "Round": "round",
}
"""Operation -> kind, for functions of every element."""
ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "Swish": "silu",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "LogSigmoid": "log_sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "HardTanh": "hard_tanh",
    "Selu": "selu",
    "TanhShrink": "tanh_shrink",
}
"""Operation -> activation of Keras's."""


def _unary(kind: str) -> Rule:
    return lambda builder, use: builder.emit(kind, {}, use.tensor)


def _activation(name: str) -> Rule:
    return lambda builder, use: activated(builder, use.tensor, name)


def _gelu(builder: Builder, use: Use) -> Tensor:
    tanh = given(use, 1, "approximate") is True
    return builder.emit("gelu", {"approximate": "tanh"} if tanh else {}, use.tensor)


def _elu(builder: Builder, use: Use) -> Tensor:
    return builder.emit("elu", {"alpha": number(given(use, 1, "alpha")) or 1.0}, use.tensor)


def _leaky(builder: Builder, use: Use) -> Tensor:
    slope = number(given(use, 1, "negative_slope", "alpha"))
    return builder.emit("leaky_relu", {"negative_slope": 0.2 if slope is None else slope}, use.tensor)


UNKNOWN = (
    *("Where", "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "Mod", "FloorDivide"),
    *("LogicalAnd", "LogicalOr", "LogicalNot", "Tan", "Sinh", "Cosh", "Arctan", "Arctan2", "Arcsin", "Arccos"),
    *("Log1p", "Expm1", "Log2", "Log10", "Isnan", "Isfinite", "Sparsemax", "Squareplus", "SparsePlus"),
)
"""Functions of every element that the language does not have."""


def _unknown(builder: Builder, use: Use) -> Tensor:
    name = use.config.class_name
    fields: Fields = {"operator": name, "reason": f"the language has no {name}"}
    tensors = use.tensors
    if not tensors or any(tensor.rank != tensors[0].rank for tensor in tensors):
        raise Unsupported(f"the language has no {name}")
    inputs = builder.aligned(tensors)
    return builder.emit("opaque", fields, *inputs)


ELEMENTWISE: dict[str, Rule] = {
    **dict.fromkeys(UNKNOWN, _unknown),
    **BINARY,
    "Power": _power,
    **{name: _unary(kind) for name, kind in UNARY.items()},
    **{name: _activation(kind) for name, kind in ACTIVATIONS.items()},
    "Gelu": _gelu,
    "Elu": _elu,
    "LeakyRelu": _leaky,
    "Clip": _clip,
    **dict.fromkeys(("Cast", "Copy", "Identity", "StopGradient", "Positive"), _unary("identity")),
}
"""Class in keras.src.ops -> its rule, of functions of every element."""
