"""Keras: pools."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import Call, Inline, Step, keywords, optional, scalar
from ..windows import counted_pads, declared_pads, fitted_pads, overhangs
from .common import Mapper, bordered, over_space, says_same, spread

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool


def _pool(name: str, layer: MaxPool | AvgPool, padding: str = "valid") -> Call:
    arguments = (
        *keywords(pool_size=scalar(layer.kernel_size), strides=scalar(layer.stride)),
        optional("padding", padding, "valid"),
    )
    return Call(f"layers.{name}Pooling{layer.rank}D", arguments)


def _max_pool(layer: MaxPool, inputs: Shapes, output: Shape) -> list[Step]:
    if max(layer.dilation) > 1:
        raise Refused("Keras has no dilated pool")
    if layer.padding == "same" and not layer.ceil_mode:
        return [_pool("Max", layer, "same")]
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if says_same(pads, layer, inputs[0]):
        return [_pool("Max", layer, "same")]
    return [*bordered(pads, "constant", float("-inf")), _pool("Max", layer)]


def _avg_pool(layer: AvgPool, inputs: Shapes, output: Shape) -> list[Step]:
    windows = layer.windows(inputs[0])
    declared, pads = declared_pads(windows), fitted_pads(windows, inputs[0], output)
    if layer.divisor_override is not None:
        factor = keywords(factor=prod(layer.kernel_size) / layer.divisor_override)
        return [*bordered(pads, "constant"), _pool("Average", layer), Inline("{0} * {factor}", factor)]
    if layer.padding == "same" and not layer.ceil_mode and not layer.count_include_pad:
        return [_pool("Average", layer, "same")]
    if not any(map(any, pads)) or (layer.count_include_pad and not any(overhangs(declared, pads))):
        return [*bordered(pads, "constant"), _pool("Average", layer)]
    counted = counted_pads(declared, pads) if layer.count_include_pad else ((0, 0),) * layer.rank
    template = "padded_average({0}, {pool_size}, {strides}, {padding}, {counted})"
    arguments = keywords(pool_size=layer.kernel_size, strides=layer.stride, padding=pads, counted=counted)
    return [Inline(template, arguments)]


def _lp_pool(layer: LpPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if any(map(any, pads)):
        raise Refused("windows of a power pool that overhang have no equal in Keras")
    template = '({count} * ops.average_pool({0} ** {power}, {kernel}, {stride}, "valid")) ** (1 / {power})'
    arguments = keywords(
        count=prod(layer.kernel_size), power=layer.norm_type, kernel=layer.kernel_size, stride=layer.stride
    )
    return [Inline(template, arguments)]


def _adaptive(layer: AdaptivePool | GlobalPool, inputs: Shapes, output: Shape) -> list[Step]:
    return spread(layer.reduction, inputs[0], output)


ROWS: dict[str, Mapper] = {
    "MaxPool": over_space(_max_pool),
    "AvgPool": over_space(_avg_pool),
    "LpPool": over_space(_lp_pool),
    "AdaptivePool": over_space(_adaptive),
    "GlobalPool": over_space(_adaptive),
}
"""Kind or family -> what it becomes."""
