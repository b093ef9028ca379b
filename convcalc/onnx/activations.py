"""Rules of activations, and of what works element by element on one input."""

from __future__ import annotations

from math import inf, prod

from .builder import Builder, Unsupported
from .dims import counted
from .patterns import recognise, tagged
from .values import Activation, Constant

PLAIN = {
    "Relu": "relu",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSwish": "hardswish",
    "HardSigmoid": "hardsigmoid",
    "Mish": "mish",
    "Swish": "silu",
    "Softplus": "softplus",
}


def plain(b: Builder) -> Activation:
    """An activation without fields."""
    value = b.activation(0)
    return recognise(b, value) or tagged(b, b.emit(PLAIN[b.node.op], {}, value), value)


def gelu(b: Builder) -> Activation:
    """Gelu."""
    return b.emit("gelu", {"approximate": "tanh"} if b.node.word("approximate") == "tanh" else {}, b.activation(0))


def leaky_relu(b: Builder) -> Activation:
    """LeakyRelu."""
    return b.emit("leaky_relu", {"negative_slope": b.node.number("alpha", 0.01)}, b.activation(0))


def elu(b: Builder) -> Activation:
    """Elu."""
    return b.emit("elu", {"alpha": b.node.number("alpha", 1.0)}, b.activation(0))


def prelu(b: Builder) -> Activation:
    """PRelu with one slope, or one a channel."""
    value, slope = b.activation(0), b.weight(1)
    count = prod(slope.shape)
    if count != 1 and (count != value.shape[0] or count not in slope.shape):
        raise Unsupported(f"its slope {list(slope.shape)} is neither one number nor one a channel")
    return b.emit("prelu", {"num_parameters": count}, value, weights=[slope])


def clip(b: Builder) -> Activation:
    """Clip: relu and relu6 where the bounds are theirs."""
    value = b.activation(0)
    bounds: list[float | None] = []
    for position, name, default in ((1, "min", -inf), (2, "max", inf)):
        if name in b.node.attributes:
            bounds.append(b.node.number(name))
        else:
            given = b.constant(position)
            bounds.append(default if given is None else given.scalar)
    if bounds[0] == 0 and bounds[1] == 6:
        return recognise(b, value) or b.emit("relu6", {}, value)
    if bounds[0] == 0 and bounds[1] is not None and bounds[1] > 3e38:
        return b.emit("relu", {}, value)
    return b.elementwise(value)


def softmax(b: Builder) -> Activation:
    """Softmax along one axis; before opset 13 along this and all that follow, by default from axis 1."""
    value = b.activation(0)
    axis = counted(b.node.integer("axis", 1 if b.opset < 13 else -1), len(value.dims))
    dim = axis - value.batched
    if dim < 0:
        raise Unsupported("it runs along the batch")
    return b.emit("softmax", {"dim": dim} if dim else {}, value)


def unary(b: Builder) -> Activation:
    """An operator of one input that the language does not have, and that keeps the shape."""
    value = b.activation(0)
    return recognise(b, value) or tagged(b, b.elementwise(value), value)


def power(b: Builder) -> Activation:
    """Pow: with a constant exponent it keeps the shape."""
    value, exponent = b.activation(0), b.value(1)
    if not isinstance(exponent, Constant):
        return b.elementwise(*[v for v in (value, exponent) if v is not None])
    return recognise(b, value, exponent) or tagged(b, b.elementwise(value, exponent), value, exponent)


def dropout(b: Builder) -> list[Activation]:
    """Dropout, whose mask nothing reads at inference."""
    value = b.activation(0)
    if any(b.uses.get(name) for name in b.node.outputs[1:] if name):
        raise Unsupported("its mask is read")
    ratio = b.node.number("ratio", 0.5)
    given = b.value(1)
    if isinstance(given, Constant) and given.scalar is not None:
        ratio = float(f"{given.scalar:.7g}")
    return [b.emit("dropout", {"p": ratio} if ratio != 0.5 else {}, value)]
