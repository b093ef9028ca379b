"""Arithmetic: of two tensors, of a tensor and a number, and functions of every element."""

from __future__ import annotations

from math import prod

from ....models.making import Fields, Unsupported
from ...tape import Call
from ..builder import Builder
from ..names import base_name
from ..values import Activation, Constant, Parameter, Value
from .activations import alone
from .record import Function, Rule

UNARY = "exp log sqrt rsqrt abs neg square reciprocal sin cos erf sign floor ceil round"


def joined(b: Builder, kind: str, *values: Value) -> Activation:
    """An element-by-element join of values that broadcast."""
    steps, place = b.aligned([b.active(value) for value in values], b.output())
    return b.made(b.layer(kind, {}, *steps), place)


def rescaled(b: Builder, value: Value, scale: float = 1.0, offset: float = 0.0) -> Value:
    """scale·x + offset; x itself where that changes nothing."""
    if scale == 1 and offset == 0:
        return value
    source = b.active(value)
    fields: Fields = {}
    if scale != 1:
        fields["scale"] = scale
    if offset != 0:
        fields["offset"] = offset
    return b.made(b.layer("rescale", fields, b.settled(source)), source.place)


def _sum(sign: int, reverse: bool = False) -> Rule:
    """x + alpha·y, x − alpha·y, or with `reverse` y − alpha·x."""

    def rule(b: Builder) -> Value:
        names = ("other", "input") if reverse else ("input", "other")
        left, right = (b.scalar(b.arguments[name]) for name in names)
        alpha = b.number("alpha", 1)
        if left is not None and right is not None:
            raise Unsupported("it adds two numbers")
        if right is not None:
            return rescaled(b, b.given(names[0]), offset=sign * alpha * right)
        if left is not None:
            return rescaled(b, b.given(names[1]), scale=sign * alpha, offset=left)
        other = b.given(names[1])
        if alpha != 1:
            other = rescaled_alone(b, other, alpha)
        return joined(b, "add" if sign > 0 else "sub", b.given(names[0]), other)

    return rule


def rescaled_alone(b: Builder, value: Value, scale: float) -> Activation:
    """scale·x, where it is not the output of the call."""
    source = b.active(value)
    return source._replace(step=b.layer("rescale", {"scale": scale}, b.settled(source)))


def _product(b: Builder) -> Value:
    numbers = [b.scalar(b.arguments[name]) for name in ("input", "other")]
    for number, name in zip(numbers, ("other", "input"), strict=True):
        if number == 1 and any(_factor(call) not in (None, 1) for call in b.alike()):
            return b.made(b.layer("rescale", {}, b.settled(b.active(b.given(name)))), b.activation(name).place)
        if number is not None:
            return rescaled(b, b.given(name), scale=number)
    left, right = b.given("input"), b.given("other")
    for factor, value in ((right, left), (left, right)):
        if isinstance(factor, Parameter) and not isinstance(value, Parameter):
            found = scaled(b, value, factor)
            if found is not None:
                return found
    return joined(b, "multiply", left, right)


def _factor(call: Call) -> float | None:
    """The number by which a call multiplies; None where it multiplies by none."""
    if base_name(call.function) != "mul":
        return None
    return next((arg for arg in call.args if isinstance(arg, (int, float)) and not isinstance(arg, bool)), None)


def scaled(b: Builder, value: Value, factor: Parameter) -> Activation | None:
    """A value times a learned factor that is one number for all, or one a position of one axis."""
    source, output = b.active(value), b.output()
    if output.first != source.sizes.first:
        return None
    shape = source.shape
    absent = source.sizes.rank - factor.sizes.rank
    wide = [axis + absent for axis, size in enumerate(factor.sizes.first) if size != 1]
    weights = {"weight": factor.source}
    if prod(factor.sizes.first) == 1:
        if not shape:
            return None
        return b.made(b.layer("scale", {"size": 1}, b.settled(source), weights=weights), source.place)
    axis = source.axis(wide[0]) if len(wide) == 1 else None
    if axis is None or (source.place is not None and wide[0] == source.place.axis):
        return None
    last = axis == len(shape) - 1
    fields: Fields = {"dim": -1} if last and axis else {}
    return b.made(
        b.layer("scale", fields, b.settled(source), weights=weights, leading=0 if last else axis), source.place
    )


def _quotient(reverse: bool = False) -> Rule:
    def rule(b: Builder) -> Value:
        if b.arguments.get("rounding_mode") is not None:
            raise Unsupported("it rounds")
        names = ("other", "input") if reverse else ("input", "other")
        left, right = (b.scalar(b.arguments[name]) for name in names)
        if right is not None:
            if right == 0:
                raise Unsupported("it divides by 0")
            return rescaled(b, b.given(names[0]), scale=1 / right)
        if left is not None:
            source = b.active(b.given(names[1]))
            made = b.layer("reciprocal", {}, b.settled(source))
            if left != 1:
                made = b.layer("rescale", {"scale": left}, made)
            return b.made(made, source.place)
        return joined(b, "div", b.given(names[0]), b.given(names[1]))

    return rule


def _power(b: Builder) -> Value:
    exponent = b.scalar(b.arguments["exponent"])
    if exponent is None or b.scalar(b.arguments["input"]) is not None:
        raise Unsupported("its exponent is a tensor")
    return _powered(b, exponent)


def _powered(b: Builder, exponent: float) -> Value:
    value = b.given("input")
    if exponent == 1:
        return value
    source = b.active(value)
    kind: str = {2: "square", 0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}.get(exponent, "pow")
    fields: Fields = {"exponent": exponent} if kind == "pow" else {}
    return b.made(b.layer(kind, fields, b.settled(source)), source.place)


def _clamp(b: Builder) -> Value:
    """Bounds that are numbers; a tensor is joined as the larger, or the smaller, of two."""
    value = b.given("input")
    bounds: Fields = {}
    for name, kind in (("min", "maximum"), ("max", "minimum")):
        bound = b.value(name)
        if bound is not None and b.scalar(b.arguments[name]) is None:
            value = joined(b, kind, value, bound)
        elif b.arguments.get(name) is not None:
            bounds[name] = b.number(name)
    if not bounds:
        return value
    source = b.active(value)
    return b.made(b.layer("clamp", bounds, b.settled(source)), source.place)


def _extreme(kind: str) -> Rule:
    return lambda b: joined(b, kind, b.given("input"), b.given("other"))


def _added_product(sign: int) -> Rule:
    """input + value·tensor1·tensor2: addcmul."""

    def rule(b: Builder) -> Value:
        source = b.given("input")
        one, other = b.active(b.given("tensor1")), b.given("tensor2")
        number = b.number("value", 1)
        product = joined(b, "multiply" if sign > 0 else "div", one, other)
        if number != 1:
            product = rescaled_alone(b, product, number)
        return joined(b, "add", source, product)

    return rule


def _masked(b: Builder) -> Activation:
    """Numbers of which some are −∞, always the same ones: a constant of 0 and −∞ is added."""
    if b.scalar(b.arguments["value"]) != float("-inf"):
        raise Unsupported("it writes other numbers than −∞ where a mask says so")
    mask = b.given("mask")
    if not isinstance(mask, Constant):
        raise Unsupported("its mask is computed while it runs")
    return joined(b, "add", b.given("input"), mask)


def _lerp(b: Builder) -> Value:
    """start + weight·(end − start)."""
    start, end, weight = b.given("input"), b.given("end"), b.scalar(b.arguments["weight"])
    if weight is None:
        return joined(b, "add", start, joined(b, "multiply", b.given("weight"), joined(b, "sub", end, start)))
    return joined(b, "add", start, rescaled_alone(b, joined(b, "sub", end, start), weight))


FUNCTIONS = (
    Function("zero", "input", lambda b: rescaled(b, b.given("input"), scale=0)),
    Function("add", "input other alpha=1", _sum(1)),
    Function("sub subtract", "input other alpha=1", _sum(-1)),
    Function("rsub", "input other alpha=1", _sum(-1, reverse=True)),
    Function("mul multiply", "input other", _product),
    Function("div divide true_divide", "input other rounding_mode=None", _quotient()),
    Function("rdiv rtruediv", "input other rounding_mode=None", _quotient(reverse=True)),
    Function("pow float_power", "input exponent", _power),
    *(Function(kind, "input", alone(kind)) for kind in UNARY.split()),
    Function("negative", "input", alone("neg")),
    Function("absolute", "input", alone("abs")),
    Function("clamp clip", "input min=None max=None", _clamp),
    Function("clamp_min", "input min", _clamp),
    Function("clamp_max", "input max", _clamp),
    Function("maximum", "input other", _extreme("maximum")),
    Function("minimum", "input other", _extreme("minimum")),
    Function("addcmul", "input tensor1 tensor2 value=1", _added_product(1)),
    Function("addcdiv", "input tensor1 tensor2 value=1", _added_product(-1)),
    Function("masked_fill", "input mask value", _masked),
    Function("lerp", "input end weight", _lerp),
)
