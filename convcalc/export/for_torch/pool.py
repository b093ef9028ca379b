"""PyTorch: pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...geometry import Rounding, pool_output
from ...layers.kind_table import Refused
from ..program import Argument, Call, Step, keywords, optional, positional, scalar
from ..windows import (
    Pads,
    counted_pads,
    declared_pads,
    fitted_pads,
    flat_pads,
    overhangs,
    symmetric,
)
from .common import Mapper, pad_module, ranked

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool


def _native_pool(layer: MaxPool | AvgPool | LpPool, inputs: Shapes, output: Shape, pads: Pads) -> bool:
    """Whether PyTorch's pool takes this padding and gives this output."""
    windows = layer.windows(inputs[0])
    if not symmetric(pads) or any(w.before > w.kernel_size // 2 for w in windows):
        return False
    rounding: Rounding = "ceil" if layer.ceil_mode else "floor"
    return all(
        pool_output(size, w.kernel_size, w.stride, w.before, w.after, w.dilation, rounding) == wanted
        for size, w, wanted in zip(inputs[0][1:], windows, output[1:], strict=True)
    )


def _pool_arguments(layer: MaxPool | AvgPool, pads: Pads | None, **more: Argument) -> tuple[Argument, ...]:
    """Kernel and stride; padding and rounding unless they are written out."""
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = [*keywords(kernel_size=kernel), optional("stride", stride, kernel)]
    if pads is not None:
        arguments += [optional("padding", scalar([before for before, _ in pads]), 0)]
    return (*arguments, *more.values(), optional("ceil_mode", pads is not None and bool(layer.ceil_mode), False))


def _max_pool(layer: MaxPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    dilation = optional("dilation", scalar(layer.dilation), 1)
    name = f"nn.MaxPool{layer.rank}d"
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, dilation=dilation))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    return [pad_module(fitted, value=float("-inf")), Call(name, _pool_arguments(layer, None, dilation=dilation))]


def _avg_pool(layer: AvgPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    name = f"nn.AvgPool{layer.rank}d"
    counts = optional("count_include_pad", layer.count_include_pad, True)
    override = {} if layer.rank == 1 else {"divisor": optional("divisor_override", layer.divisor_override, None)}
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, counts=counts, **override))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if layer.divisor_override is not None or (layer.count_include_pad and not any(overhangs(pads, fitted))):
        return [pad_module(fitted), Call(name, _pool_arguments(layer, None, **override))]
    counted = counted_pads(pads, fitted) if layer.count_include_pad else ((0, 0),) * layer.rank
    arguments = keywords(
        kernel_size=layer.kernel_size, stride=layer.stride, padding=flat_pads(fitted), counted=flat_pads(counted)
    )
    return [Call("PaddedAvgPool", arguments)]


def _lp_pool(layer: LpPool, inputs: Shapes, output: Shape) -> list[Step]:
    if not _native_pool(layer, inputs, output, declared_pads(layer.windows(inputs[0]))):
        raise Refused("torch's LPPool does not round up as this one does")
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = (
        *keywords(norm_type=layer.norm_type, kernel_size=kernel),
        optional("stride", stride, kernel),
        optional("ceil_mode", bool(layer.ceil_mode), False),
    )
    return [Call(f"nn.LPPool{layer.rank}d", arguments)]


def _adaptive(layer: AdaptivePool, inputs: Shapes, output: Shape) -> list[Step]:
    name = f"nn.Adaptive{layer.reduction.capitalize()}Pool{layer.rank}d"
    return [Call(name, positional(output_size=scalar(layer.output_size)))]


def _global(layer: GlobalPool, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call(ranked(f"Adaptive{layer.reduction.capitalize()}Pool", inputs[0]), positional(output_size=1))]


ROWS: dict[str, Mapper] = {
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _global,
}
"""Kind or family -> what it becomes."""
