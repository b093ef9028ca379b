"""Keras: norms and learned scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import Call, Inline, Step, keywords, optional
from .common import NAME, Mapped, Mapper, Order, over_space, permuted, place_of, with_last

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale


def _batch_norm(layer: BatchNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if not layer.track_running_stats or layer.momentum is None:
        raise Refused("Keras always keeps running statistics, with a fixed momentum")
    arguments = (
        optional("axis", place_of(orders[0], layer.dim % len(output)), -1),
        optional("momentum", round(1 - layer.momentum, 12), 0.99),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine and layer.bias, True),
        optional("scale", layer.affine and layer.weight, True),
        NAME,
    )
    return Mapped([Call("layers.BatchNormalization", arguments)], orders[0])


def _grouped(layer: GroupNorm | InstanceNorm, groups: int, order: Order, scale: bool, center: bool) -> Mapped:
    arguments = (
        *keywords(groups=groups),
        optional("axis", place_of(order, 0), -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine and center, True),
        optional("scale", layer.affine and scale, True),
        NAME,
    )
    return Mapped([Call("layers.GroupNormalization", arguments)], order)


def _group_norm(layer: GroupNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return _grouped(layer, layer.num_groups, orders[0], layer.weight, layer.bias)


def _instance_norm(layer: InstanceNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if layer.track_running_stats:
        raise Refused("Keras has no instance norm with running statistics")
    return _grouped(layer, -1, orders[0], scale=True, center=True)


def _layer_norm(layer: LayerNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    count = len(layer.normalized_shape or (0,))
    axes = [0] if layer.dim is not None else range(len(output) - count, len(output))
    places = sorted(orders[0].index(axis) + 1 for axis in axes)
    arguments = (
        optional("axis", -1 if places == [len(output)] else places, -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.elementwise_affine and layer.bias, True),
        optional("scale", layer.elementwise_affine and layer.weight, True),
        NAME,
    )
    return Mapped([Call("layers.LayerNormalization", arguments)], orders[0])


def _local_response_norm(layer: LocalResponseNorm, inputs: Shapes, output: Shape) -> list[Step]:
    template = "local_response_norm({0}, {size}, {alpha}, {beta}, {k})"
    return [Inline(template, keywords(size=layer.size, alpha=layer.alpha, beta=layer.beta, k=layer.k))]


def _scale(layer: Scale, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    arguments = (optional("use_bias", layer.bias, False), optional("size", layer.size, None), NAME)
    order = orders[0] if layer.size is not None else with_last(orders[0], layer.dim % len(output))
    return Mapped([*permuted(orders[0], order), Call("Scale", arguments)], order)


def _rms_norm(layer: RMSNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    plain = tuple(range(len(output)))
    count = len(layer.normalized_shape or (0,))
    arguments = (
        optional("axes", count, 1),
        *keywords(epsilon=2.0**-23 if layer.eps is None else layer.eps),
        optional("scale", layer.elementwise_affine, True),
        NAME,
    )
    return Mapped([*permuted(orders[0], plain), Call("RMSNorm", arguments)], plain)


ROWS: dict[str, Mapper] = {
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": over_space(_local_response_norm),
    "Scale": _scale,
    "RMSNorm": _rms_norm,
}
"""Kind or family -> what it becomes."""
