"""Keras layers: one table from the kinds of the language to what builds them.

Source: Keras 3 on TensorFlow, channels last. Every mapper says in which order its output's axes are. Those that work
on space stand in `keras_space` and `keras_resizing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..layers.registry import KINDS
from .calls import Call, Code, Inline, Refused, Step, keywords, optional, positional
from .keras_orders import Mapped, Order, channels_last, permuted
from .keras_resizing import RESIZING
from .keras_space import NAME, SPACE

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]
KerasMapper = Callable[[Any, Shapes, Shape, list[Order]], Mapped]
"""(layer, input shapes, output shape, input orders) -> steps and output order. Raises `Refused`."""


def _space(mapper: Callable[[Any, Shapes, Shape], list[Step]]) -> KerasMapper:
    """A layer that takes and gives channels last."""

    def map_(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        before = permuted(orders[0], channels_last(len(inputs[0])))
        return Mapped([*before, *mapper(layer, inputs, output)], channels_last(len(output)))

    return map_


def _elementwise(make: Callable[[Any], Step]) -> KerasMapper:
    """A layer of every element on its own, in whatever order."""

    def map_(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([make(layer)], orders[0])

    return map_


def _activation(name: str) -> KerasMapper:
    return _elementwise(lambda layer: Call("layers.Activation", positional(activation=name)))


def _gelu(layer: Any) -> Step:
    if layer.approximate == "none":
        return Call("layers.Activation", positional(activation="gelu"))
    return Inline("keras.activations.gelu({0}, approximate=True)")


def _softplus(layer: Any) -> Step:
    if layer.beta == 1 and layer.threshold >= 20:
        return Call("layers.Activation", positional(activation="softplus"))
    template = "ops.where({beta} * {0} > {threshold}, {0}, ops.softplus({beta} * {0}) / {beta})"
    return Inline(template, keywords(beta=layer.beta, threshold=layer.threshold))


def _linear(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    last = len(inputs[0]) - 1
    order = orders[0] if orders[0][-1] == last else tuple(range(last + 1))
    dense = Call("layers.Dense", (*positional(units=layer.out_features), optional("use_bias", layer.bias, True), NAME))
    return Mapped([*permuted(orders[0], order), dense], order)


def _reshape(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Numbers are read with the channels first; one axis alone that is longer than 1 has no other order."""
    plain = tuple(range(len(inputs[0])))
    before = permuted(orders[0], plain) if sum(size > 1 for size in inputs[0]) > 1 else []
    shaped: Step = (
        Call("layers.Flatten") if len(output) == 1 else Call("layers.Reshape", positional(target_shape=output))
    )
    return Mapped([*before, shaped], tuple(range(len(output))))


def _permute(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return Mapped([Inline("{0}")], tuple(layer.order.index(axis) for axis in orders[0]))


def _place(order: Order, axis: int) -> int:
    """Keras's number of an axis, counted from the end where it is the last."""
    place = order.index(axis) + 1
    return -1 if place == len(order) else place


def _batch_norm(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if not layer.track_running_stats or layer.momentum is None:
        raise Refused("Keras always keeps running statistics, with a fixed momentum")
    arguments = (
        optional("axis", _place(orders[0], 0), -1),
        optional("momentum", round(1 - layer.momentum, 12), 0.99),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine, True),
        optional("scale", layer.affine, True),
        NAME,
    )
    return Mapped([Call("layers.BatchNormalization", arguments)], orders[0])


def _grouped(layer: Any, groups: int, order: Order) -> Mapped:
    arguments = (
        *keywords(groups=groups),
        optional("axis", _place(order, 0), -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine, True),
        optional("scale", layer.affine, True),
        NAME,
    )
    return Mapped([Call("layers.GroupNormalization", arguments)], order)


def _group_norm(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return _grouped(layer, layer.num_groups, orders[0])


def _instance_norm(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if layer.track_running_stats:
        raise Refused("Keras has no instance norm with running statistics")
    return _grouped(layer, -1, orders[0])


def _layer_norm(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    count = len(layer.normalized_shape or (0,))
    axes = [0] if layer.dim is not None else range(len(output) - count, len(output))
    places = sorted(orders[0].index(axis) + 1 for axis in axes)
    arguments = (
        optional("axis", -1 if places == [len(output)] else places, -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.elementwise_affine and layer.bias, True),
        optional("scale", layer.elementwise_affine, True),
        NAME,
    )
    return Mapped([Call("layers.LayerNormalization", arguments)], orders[0])


def _local_response_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    template = "local_response_norm({0}, {size}, {alpha}, {beta}, {k})"
    return [Inline(template, keywords(size=layer.size, alpha=layer.alpha, beta=layer.beta, k=layer.k))]


def _scale(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Scale", (optional("use_bias", getattr(layer, "bias", False), False), NAME))]


def _prelu(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    axes = len(output)
    shared = list(range(1, axes + 1 if layer.num_parameters == 1 else axes))
    start = keywords(alpha_initializer=Code("keras.initializers.Constant(0.25)"))
    return [Call("layers.PReLU", (*start, optional("shared_axes", shared, []), NAME))]


def _softmax(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = _place(orders[0], layer.dim % len(output))
    return Mapped([Call("layers.Softmax", (optional("axis", axis, -1),))], orders[0])


def _stochastic_depth(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    shape = (None if layer.mode == "row" else 1, *(1,) * len(output))
    return Mapped([Call("layers.Dropout", (*positional(rate=layer.p), *keywords(noise_shape=shape)))], orders[0])


def _joined(orders: list[Order]) -> list[str]:
    """The inputs of a join in the order of the first, as they stand in an expression."""
    texts = []
    for number, order in enumerate(orders):
        step = permuted(order, orders[0])
        texts.append(f"layers.Permute({step[0].arguments[0].value})({{{number}}})" if step else f"{{{number}}}")
    return texts


def _concat(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if len(inputs) == 1:
        return Mapped([Inline("{0}")], orders[0])
    axis = _place(orders[0], layer.dim % len(output))
    text = f"layers.Concatenate(axis={{axis}})([{', '.join(_joined(orders))}])"
    return Mapped([Inline(text, keywords(axis=axis))], orders[0])


def _merge(name: str) -> KerasMapper:
    def map_(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([Inline(f"layers.{name}()([{', '.join(_joined(orders))}])")], orders[0])

    return map_


def _gate(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    transform, gate, carry = _joined(orders)
    return Mapped([Inline(f"{transform} * {gate} + {carry} * (1 - {gate})")], orders[0])


def _split(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    start = sum(layer.channels[: layer.part])
    return [Inline("{0}[..., {start}:{stop}]", keywords(start=start, stop=start + output[0]))]


def _unfold(layer: Any, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    raise Refused("Keras has no layer that writes windows out as columns")


_MAPPERS: dict[str, KerasMapper] = {
    **{name: _space(mapper) for name, mapper in (SPACE | RESIZING).items()},
    "Linear": _linear,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Permute": _permute,
    "Identity": _elementwise(lambda layer: Call("layers.Identity")),
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": _space(_local_response_norm),
    "Scale": _space(_scale),
    "relu": _activation("relu"),
    "relu6": _elementwise(lambda layer: Call("layers.ReLU", keywords(max_value=6))),
    "silu": _activation("silu"),
    "hardswish": _activation("hard_silu"),
    "hardsigmoid": _activation("hard_sigmoid"),
    "sigmoid": _activation("sigmoid"),
    "tanh": _activation("tanh"),
    "mish": _activation("mish"),
    "selu": _activation("selu"),
    "Gelu": _elementwise(_gelu),
    "LeakyReLU": _elementwise(lambda layer: Call("layers.LeakyReLU", keywords(negative_slope=layer.negative_slope))),
    "PReLU": _space(_prelu),
    "ELU": _elementwise(lambda layer: Call("layers.ELU", (optional("alpha", layer.alpha, 1.0),))),
    "Softplus": _elementwise(_softplus),
    "Softmax": _softmax,
    "Dropout": _elementwise(lambda layer: Call("layers.Dropout", positional(rate=layer.p))),
    "StochasticDepth": _stochastic_depth,
    "Concat": _concat,
    "Add": _merge("Add"),
    "Multiply": _merge("Multiply"),
    "Gate": _gate,
    "Split": _space(_split),
    "Unfold": _unfold,
}
KERAS: dict[str, KerasMapper] = {
    kind: _MAPPERS[kind if kind in _MAPPERS else model] for kind, (_, model) in KINDS.items()
}
"""Kind -> its layers."""
