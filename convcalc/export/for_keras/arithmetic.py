"""Keras: arithmetic, reductions, joins and tensors that are held."""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING, NamedTuple

from ..program import Call, Inline, Step, keywords, optional, positional
from .common import (
    NAME,
    Mapped,
    Mapper,
    Order,
    along_axis,
    elementwise,
    in_order,
    naturally,
    over_space,
    permuted,
    place_of,
)

if TYPE_CHECKING:
    from ...layers.arithmetic import Clamp, Pow, Rescale
    from ...layers.base import Layer, Shape, Shapes
    from ...layers.constant import Parameter
    from ...layers.join import Concat, Gate, Split
    from ...layers.reduce import Argmax, Deviation, Norm, Reduce


def _parameter(layer: Parameter, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    given = (optional("learned", layer.learned, True), optional("repeats", layer.repeats, ()))
    arguments = (*positional(shape=layer.shape), *given, NAME)
    return Mapped([Call("Constant", arguments)], tuple(range(len(output))))


def _operation(function: str) -> Mapper:
    return elementwise(lambda layer: Inline(f"ops.{function}({{0}})"))


def _pow(layer: Pow) -> Step:
    return Inline("{0} ** {exponent}", keywords(exponent=layer.exponent))


def _clamp(layer: Clamp) -> Step:
    if layer.min is None:
        return Inline("ops.minimum({0}, {max})", keywords(max=layer.max))
    if layer.max is None:
        return Inline("ops.maximum({0}, {min})", keywords(min=layer.min))
    return Inline("ops.clip({0}, {min}, {max})", keywords(min=layer.min, max=layer.max))


def _rescale(layer: Rescale, inputs: Shapes, output: Shape) -> list[Step]:
    given = ((name, list(value) if isinstance(value, tuple) else value) for name, value in dict(layer).items())
    values = {name: value for name, value in given if name in ("scale", "offset")}
    return [Call("layers.Rescaling", (*positional(scale=values["scale"]), optional("offset", values["offset"], 0.0)))]


class Reduced(NamedTuple):
    """What an expression over a reduced tensor is made of."""

    over: str
    """The axes, as arguments."""
    order: Order
    """Of what is left."""


def _reduced(layer: Reduce | Deviation | Norm | Argmax, inputs: Shapes, order: Order) -> Reduced:
    gone = layer.reduced(inputs[0])
    places = sorted(order.index(axis) + 1 for axis in gone)
    kept = [axis for axis in order if axis not in gone]
    left = order if layer.keepdim else tuple(sorted(kept).index(axis) for axis in kept)
    axes = places[0] if len(places) == 1 else tuple(places)
    return Reduced(f"axis={axes}" + (", keepdims=True" if layer.keepdim else ""), left)


def _reduce(function: str) -> Mapper:
    def map_(layer: Reduce, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        over, order = _reduced(layer, inputs, orders[0])
        return Mapped([Inline(f"ops.{function}({{0}}, {over})" if inputs[0] else "{0}")], order)

    return map_


def _deviation(layer: Deviation, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Keras divides by how many there are."""
    if not inputs[0]:
        return Mapped([Inline("ops.zeros_like({0})")], ())
    over, order = _reduced(layer, inputs, orders[0])
    count = prod(inputs[0][axis] for axis in layer.reduced(inputs[0]))
    factor = count / (count - layer.correction)
    text = f"ops.{layer.kind}({{0}}, {over})"
    scaled = f"{text} * {{factor}}" if layer.correction else text
    return Mapped([Inline(scaled, keywords(factor=sqrt(factor) if layer.kind == "std" else factor))], order)


def _norm(layer: Norm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if not inputs[0]:
        return Mapped([Inline("ops.abs({0})")], ())
    over, order = _reduced(layer, inputs, orders[0])
    powers = keywords(power=layer.p, root=1 / layer.p)
    text = f"ops.sum(ops.abs({{0}}) ** {{power}}, {over}) ** {{root}}"
    if layer.p in (1, 2):
        text = f"ops.sum(ops.abs({{0}}), {over})" if layer.p == 1 else f"ops.sqrt(ops.sum(ops.square({{0}}), {over}))"
    return Mapped([Inline(text, powers)], order)


def _argmax(layer: Argmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Positions among all are counted with the channels first."""
    if layer.dim is not None:
        over, order = _reduced(layer, inputs, orders[0])
        return Mapped([Inline(f"ops.argmax({{0}}, {over})")], order)
    plain = tuple(range(len(inputs[0])))
    flat = "ops.argmax(layers.Flatten()({0}), axis=1)"
    text = f"ops.reshape({flat}, (-1{', 1' * len(output)}))" if output else flat
    return Mapped([*permuted(orders[0], plain), Inline(text)], tuple(range(len(output))))


def _pair(text: str) -> Mapper:
    """An expression over two tensors in the order of the first."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([Inline(text.format(*_joined(orders)))], orders[0])

    return map_


def _joined(orders: list[Order]) -> list[str]:
    """The inputs of a join in the order of the first, as they stand in an expression."""
    return [in_order(number, order, orders[0]) for number, order in enumerate(orders)]


def _concat(layer: Concat, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if len(inputs) == 1:
        return Mapped([Inline("{0}")], orders[0])
    axis = place_of(orders[0], layer.joined_axis(inputs))
    text = f"layers.Concatenate(axis={{axis}})([{', '.join(_joined(orders))}])"
    return Mapped([Inline(text, keywords(axis=axis))], orders[0])


def _merge(name: str) -> Mapper:
    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([Inline(f"layers.{name}()([{', '.join(_joined(orders))}])")], orders[0])

    return map_


def _gate(layer: Gate, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    transform, gate, carry = _joined(orders)
    return Mapped([Inline(f"{transform} * {gate} + {carry} * (1 - {gate})")], orders[0])


def _split(layer: Split, inputs: Shapes, output: Shape) -> list[Step]:
    start, axis = sum(layer.channels[: layer.part]), along_axis(layer, output)
    arguments = keywords(start=start, stop=start + output[axis - 1])
    return [Inline(f"{{0}}[{':, ' * axis}{{start}}:{{stop}}]", arguments)]


def _split_channels(layer: Split, inputs: Shapes, output: Shape) -> list[Step]:
    start = sum(layer.channels[: layer.part])
    return [Inline("{0}[..., {start}:{stop}]", keywords(start=start, stop=start + output[0]))]


def _parts(layer: Split, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    mapper = over_space(_split_channels) if layer.dim % len(output) == 0 else naturally(_split)
    return mapper(layer, inputs, output, orders)


ROWS: dict[str, Mapper] = {
    "Parameter": _parameter,
    **{kind: _operation(kind) for kind in ("exp", "log", "sqrt", "rsqrt", "abs", "square", "reciprocal", "sin")},
    **{kind: _operation(kind) for kind in ("cos", "erf", "sign", "floor", "ceil", "round")},
    "neg": _operation("negative"),
    "Pow": elementwise(_pow),
    "Clamp": elementwise(_clamp),
    "Rescale": over_space(_rescale),
    "mean": _reduce("mean"),
    "sum": _reduce("sum"),
    "amax": _reduce("max"),
    "amin": _reduce("min"),
    "prod": _reduce("prod"),
    "logsumexp": _reduce("logsumexp"),
    "Deviation": _deviation,
    "Norm": _norm,
    "Argmax": _argmax,
    "Sub": _pair("{} - {}"),
    "Div": _pair("{} / {}"),
    "maximum": _pair("ops.maximum({}, {})"),
    "minimum": _pair("ops.minimum({}, {})"),
    "Concat": _concat,
    "Add": _merge("Add"),
    "Multiply": _merge("Multiply"),
    "Gate": _gate,
    "Split": _parts,
}
"""Kind or family -> what it becomes."""
