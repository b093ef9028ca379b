"""Sums, products and what else works element by element, on activations and on small constants."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from math import prod

from ...layers.base import Shape
from ...models.making import Fields, Unsupported
from ..builder import Builder
from ..messages import Malformed
from ..patterns import recognise, tagged
from ..values import Activation, Call, Constant, counted
from .activations import function
from .folding import computed
from .record import Operator, broadcasted, kept


def _quotient(a: float, b: float) -> float:
    if not b:
        return 0
    if isinstance(a, int) and isinstance(b, int):
        return int(a / b) if abs(a) < 2**53 else a // b
    return a / b


def _power(a: float, b: float) -> float:
    return math.pow(a, b) if abs(a) < 1e9 and abs(b) < 30 and (a > 0 or b == int(b) >= 0) else math.nan


def _chosen(condition: float, a: float, b: float) -> float:
    return a if condition else b


def _rounded(rounding: Callable[[float], float]) -> Callable[[float], float]:
    return lambda a: float(rounding(a)) if math.isfinite(a) else a


def binary(b: Builder) -> Activation:
    """Add, Sub, Mul, Div of two activations, or of one and a constant.

    A constant with one number a channel is a bias of the layer before it, or a `scale`; the sum with the bias of a
    MatMul makes the `linear` of it. One number is a `rescale`; every other constant is a `parameter`.
    """
    first, second = b.call.value(0), b.call.value(1)
    if first is None or second is None:
        raise Malformed("an input is missing")
    if isinstance(first, Constant):
        return _with_constant(b, b.activation(1), first, reverse=True)
    return _with_constant(b, first, second) if isinstance(second, Constant) else join(b)


def _with_constant(b: Builder, active: Activation, operand: Constant, reverse: bool = False) -> Activation:
    operand = _aligned(b, operand, active)
    found = recognise(b, active, operand, reverse=reverse)
    if found is None and operand.is_weight:
        found = _learned(b, active, operand)
    if found is None:
        found = _rescaled(b, active, operand, reverse)
        if found is None:
            raise Unsupported("it broadcasts a constant")
    return tagged(b, found, active, operand, reverse=reverse)


def _rescaled(b: Builder, active: Activation, operand: Constant, reverse: bool) -> Activation | None:
    """The arithmetic with one number, or with one a channel that nothing learns; None for other constants."""
    op, numbers, step = b.node.op, operand.numbers, b.steps[active.step]
    if operand.is_learned_number and op in ("Mul", "Div"):
        return b.emit("scale", {"size": 1}, active, weights=[operand])
    if operand.is_learned_number and op == "Add" and step.fields.get("size") == 1 and not step.fields.get("bias"):
        shifted = _shifted(b, active, operand) if step.family == "Scale" else None
        if shifted is not None:
            return shifted
    single = prod(operand.shape) == 1 and len(operand.shape) <= len(active.shape)
    if single and numbers is None and operand.call is not None and op in ("Mul", "Div"):
        return b.elementwise(active)
    if not single or numbers is None:
        return None
    number = float(f"{numbers[0]:.7g}")
    if not math.isfinite(number) or (op == "Div" and not reverse and not number):
        return b.elementwise(active)
    if op == "Div" and reverse:
        made = b.emit("reciprocal", {}, active)
        return made if number == 1 else b.emit("rescale", {"scale": number}, made)
    arithmetic: dict[str, Fields] = {
        "Add": {"offset": number},
        "Sub": {"scale": -1.0, "offset": number} if reverse else {"offset": -number},
        "Mul": {"scale": number},
        "Div": {"scale": float(f"{1 / (number or 1):.9g}")},
    }
    fields = arithmetic[op]
    factor = {"Rescale": step.fields.get("scale"), "Unary": -1.0 if step.kind == "neg" else None}.get(step.family)
    if factor is not None and "offset" in fields and "scale" not in fields and "offset" not in step.fields:
        if b.private(active) and not step.weights:
            step.layer = b.layer("rescale", {"scale": factor, **fields})
            step.names = 0
            return active
    if fields == {"scale": -1.0}:
        return b.emit("neg", {}, active)
    return b.emit("rescale", fields, active)


def _aligned(b: Builder, value: Constant, active: Activation) -> Constant:
    """A constant operand as it broadcasts: the batch axis of 1 is dropped, `axis` before opset 7 applied."""
    if b.call.opset < 7 and b.node.integer("broadcast") and "axis" in b.node.attributes:
        axis = counted(b.node.integer("axis"), len(active.dims))
        value = value.reshaped((*value.shape, *(1,) * (len(active.dims) - axis - len(value.shape))))
    if active.batched and len(value.shape) == len(active.dims) and value.shape[0] == 1:
        return value.reshaped(value.shape[1:])
    return value


def _a_channel(operand: Constant, shape: Shape) -> bool:
    """Whether a constant holds one number for each channel."""
    padded = (1,) * (len(shape) - len(operand.shape)) + operand.shape
    return padded == shape[:1] + (1,) * (len(shape) - 1) and padded[0] > 1


def _learned(b: Builder, active: Activation, operand: Constant) -> Activation | None:
    """A learned constant as part of the layer before it, or as a `scale`."""
    if not operand.is_stored:
        return None
    step, op = b.steps[active.step], b.node.op
    fields, multiplies = step.fields, step.layer.multiplies if step.layer is not None else None
    channelwise = _a_channel(operand, active.shape)
    trailing = len(operand.shape) >= 1 and operand.shape[-1:] == active.shape[-1:] == (prod(operand.shape),)
    if op == "Add":
        windowed = multiplies in ("convolution", "transposed") and channelwise
        linear = multiplies == "linear" and trailing
        if (windowed or linear) and fields.get("bias") is False and fields.get("weight") is None:
            return b.extend(active, operand, bias=True)
        along = trailing if fields.get("dim") == -1 else channelwise
        if step.family == "Scale" and along and not fields.get("bias") and fields.get("size") is None:
            return _group_affine(b, active, operand) or _shifted(b, active, operand)
    if step.family == "RMSNorm" and op == "Mul" and trailing and fields.get("elementwise_affine") is False:
        return b.extend(active, operand, elementwise_affine=True)
    if step.family == "LayerNorm" and (channelwise if fields.get("dim") == 0 else trailing):
        if op == "Mul" and fields.get("elementwise_affine") is False:
            return b.extend(active, operand, elementwise_affine=True, bias=False)
        if op == "Add" and fields.get("elementwise_affine") is True and fields.get("bias") is False:
            return b.extend(active, operand, bias=True)
    if op == "Mul" and (channelwise or trailing):
        return b.emit("scale", {} if channelwise else {"dim": -1}, active, weights=[operand])
    return None


def _shifted(b: Builder, active: Activation, operand: Constant) -> Activation | None:
    """A `scale` with a bias; None where more reads the bias than the factors: a token that something is added to."""
    names = [name for name in b.node.reads if isinstance(b.values.get(name), Constant)]
    reads = max(b.uses[name] for name in (*names, operand.name))
    return b.extend(active, operand, bias=True) if reads == b.uses[b.steps[active.step].weights[0]] else None


def _group_affine(b: Builder, active: Activation, operand: Constant) -> Activation | None:
    """A group norm that PyTorch exports as an instance norm, a factor and a bias a channel."""
    scale = b.steps[active.step]
    norm = b.steps[scale.inputs[0]]
    if norm.family != "GroupNorm" or norm.fields.get("affine") is not False:
        return None
    fields = {name: value for name, value in norm.fields.items() if name != "affine"}
    source = norm.inputs[0]
    made = b.emit("group_norm", fields, Activation(source, (active.dims[0], *b.steps[source].shape)))
    b.steps[made.step].weights = (*scale.weights, operand.name)
    return made


def join(b: Builder) -> Activation:
    """Add, Mul, Sum and their like of activations; unbatched operands get the axes that they lack."""
    values = b.activations()
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        found = recognise(b, values[0], values[1])
        if found is not None:
            return found
    rank = max(len(value.shape) for value in values)
    batched = any(value.batched for value in values)
    operands = []
    for value in values:
        if batched and not value.batched and len(value.shape) == rank + 1:
            value = b.batched(value)
        missing = rank - len(value.shape)
        if missing < 0 or (batched and value.batched and missing):
            raise Unsupported(f"it broadcasts {list(value.dims)} over the batch")
        operands.append(b.relayout(value, (*(1,) * missing, *value.dims), batched=False) if missing else value)
    if b.node.op == "Mean":
        return b.emit("rescale", {"scale": 1 / len(operands)}, b.emit("add", {}, *operands))
    kind = JOINS[b.node.op]
    if kind not in ("add", "multiply") and len(operands) != 2:
        made = operands[0]
        for operand in operands[1:]:
            made = b.emit(kind, {}, made, operand)
        return made
    made = b.emit(kind, {}, *operands)
    return tagged(b, made, values[0], values[1]) if len(values) == 2 else made


JOINS = {
    "Add": "add",
    "Sum": "add",
    "Mul": "multiply",
    "Sub": "sub",
    "Div": "div",
    "Max": "maximum",
    "Min": "minimum",
}
"""Operator -> the kind that joins two activations so."""


def extreme(b: Builder) -> Activation:
    """Max and Min: of activations, or cut off at a number."""
    numbers = [value.scalar for value in b.call.inputs if isinstance(value, Constant)]
    if len(numbers) != 1 or len(b.call.inputs) != 2 or numbers[0] is None or not math.isfinite(numbers[0]):
        return join(b)
    active = b.activation(0 if isinstance(b.call.value(0), Activation) else 1)
    number = float(f"{numbers[0]:.7g}")
    if b.node.op == "Max" and not number:
        return b.emit("relu", {}, active)
    return b.emit("clamp", {"min" if b.node.op == "Max" else "max": number}, active)


def _pow(b: Builder) -> Activation:
    """With a constant exponent."""
    value, exponent = b.activation(), b.call.value(1)
    if not isinstance(exponent, Constant) or exponent.scalar is None:
        return b.elementwise(value) if exponent is None else b.elementwise(value, exponent)
    found = recognise(b, value, exponent)
    if found is not None:
        return found
    number = float(f"{exponent.scalar:.7g}")
    roots: dict[float, str] = {2: "square", 0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}
    made = b.emit(roots[number], {}, value) if number in roots else b.emit("pow", {"exponent": number}, value)
    return tagged(b, made, value, exponent)


def _unknown(b: Builder) -> Activation:
    """An operator of several inputs that the language does not have, and that broadcasts."""
    return b.elementwise(*[value for value in b.call.inputs if value is not None])


def _bit_shift(call: Call, shape: Shape) -> Constant | None:
    """By fewer bits than an integer has."""
    left = call.node.word("direction") == "LEFT"

    def shifted(a: float, b: float) -> float:
        if not 0 <= b < 64:
            return 0
        return int(a) << int(b) if left else int(a) >> int(b)

    return computed(shifted)(call, shape)


def _remainder(call: Call, shape: Shape) -> Constant | None:
    """With the sign of the divisor, or under `fmod` of what is divided."""
    truncated = call.node.integer("fmod")

    def remainder(a: float, b: float) -> float:
        if not b:
            return 0
        if truncated:
            return -(abs(a) % abs(b)) if a < 0 else abs(a) % abs(b)
        return a % b

    return computed(remainder)(call, shape)


_OF_ONE: dict[str, Callable[..., float]] = {
    "Abs": abs,
    "Ceil": _rounded(math.ceil),
    "Floor": _rounded(math.floor),
    "Neg": operator.neg,
    "BitwiseNot": lambda a: ~int(a),
    "Not": lambda a: int(not a),
    "Reciprocal": lambda a: 1 / a if a else math.inf,
    "Round": _rounded(round),
    "Sign": lambda a: (a > 0) - (a < 0),
    "Sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
}
_OF_TWO: dict[str, Callable[..., float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _quotient,
}
_OF_SEVERAL: dict[str, Callable[..., float]] = {
    "Max": lambda *numbers: max(numbers),
    "Min": lambda *numbers: min(numbers),
    "Sum": lambda *numbers: sum(numbers),
    "Mean": lambda *numbers: sum(numbers) / len(numbers),
}
_UNKNOWN: dict[str, Callable[..., float]] = {
    "And": lambda a, b: int(bool(a and b)),
    "Or": lambda a, b: int(bool(a or b)),
    "Equal": lambda a, b: int(a == b),
    "Greater": lambda a, b: int(a > b),
    "GreaterOrEqual": lambda a, b: int(a >= b),
    "Less": lambda a, b: int(a < b),
    "LessOrEqual": lambda a, b: int(a <= b),
    "Xor": lambda a, b: int(bool(a) != bool(b)),
    "BitwiseAnd": lambda a, b: int(a) & int(b),
    "BitwiseOr": lambda a, b: int(a) | int(b),
    "BitwiseXor": lambda a, b: int(a) ^ int(b),
}

OPERATORS = (
    *(Operator(name, function(name), dims=kept, fold=computed(compute)) for name, compute in _OF_ONE.items()),
    *(
        Operator(name, binary, inputs=(2, 2), dims=broadcasted, fold=computed(compute))
        for name, compute in _OF_TWO.items()
    ),
    *(
        Operator(
            name,
            extreme if name in ("Max", "Min") else join,
            inputs=(1, None),
            dims=broadcasted,
            fold=computed(compute),
        )
        for name, compute in _OF_SEVERAL.items()
    ),
    *(
        Operator(name, _unknown, inputs=(2, 2), dims=broadcasted, fold=computed(compute))
        for name, compute in _UNKNOWN.items()
    ),
    Operator("BitShift", _unknown, inputs=(2, 2), dims=broadcasted, fold=_bit_shift),
    Operator("Mod", _unknown, inputs=(2, 2), dims=broadcasted, fold=_remainder),
    Operator("Where", _unknown, inputs=(3, 3), dims=broadcasted, fold=computed(_chosen)),
    Operator("Pow", _pow, inputs=(2, 2), dims=broadcasted, fold=computed(_power)),
)
