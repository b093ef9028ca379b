"""Keras layers that change space's size or trade it for channels: adaptive pools, interpolation, padding, shuffles."""

from __future__ import annotations

from typing import Any

from .calls import Call, Inline, Refused, Step, keywords, positional, scalar
from .keras_space import Mapper, bordered

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _check_rank(shape: Shape) -> None:
    if not 2 <= len(shape) <= 4:
        raise Refused(f"Keras works on 1 to 3 space axes, not on {len(shape) - 1}")


def _spread(reduction: str, shape: Shape, output: Shape) -> list[Step]:
    """A pool that spreads space over an output."""
    _check_rank(shape)
    name, rank = {"avg": "Average", "max": "Max"}[reduction], len(shape) - 1
    if set(output[1:]) == {1}:
        return [Call(f"layers.Global{name}Pooling{rank}D", keywords(keepdims=True))]
    if all(size % wanted == 0 for size, wanted in zip(shape[1:], output[1:], strict=True)):
        kernel = scalar([size // wanted for size, wanted in zip(shape[1:], output[1:], strict=True)])
        return [Call(f"layers.{name}Pooling{rank}D", keywords(pool_size=kernel))]
    reduce = {"avg": "ops.mean", "max": "ops.max"}[reduction]
    return [Inline(f"adaptive_pool({{0}}, {{sizes}}, {reduce})", keywords(sizes=output[1:]))]


def _adaptive(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return _spread(layer.reduction, inputs[0], output)


def _upsample(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.mode == "area":
        return _spread("avg", inputs[0], output)
    space, rank = inputs[0][1:], len(output) - 1
    if layer.mode in ("nearest", "nearest-exact") and layer.scale_factor is not None:
        factors = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * rank
        if all(isinstance(factor, int) for factor in factors):
            return [Call(f"layers.UpSampling{rank}D", keywords(size=scalar(factors)))]
    mode = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(layer.mode, layer.mode)
    scales: tuple[object, ...] = (None,) * rank
    if layer.scale_factor is not None:
        scales = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * len(space)
    arguments = keywords(sizes=output[1:], scales=scales, mode=mode, align_corners=bool(layer.align_corners))
    return [Inline("interpolated({0}, {sizes}, {scales}, {mode}, {align_corners})", arguments)]


def _border(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    _check_rank(output)
    pads = tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:])
    return bordered(pads, getattr(layer, "mode", "constant"), getattr(layer, "value", 0.0)) or [Inline("{0}")]


def _channel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    channels, *space = output
    axes = len(space)
    return [
        Call("layers.Reshape", positional(target_shape=(*space, layer.groups, channels // layer.groups))),
        Call("layers.Permute", positional(dims=(*range(1, axes + 1), axes + 2, axes + 1))),
        Call("layers.Reshape", positional(target_shape=(*space, channels))),
    ]


def _pixel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    factor, space, axes = layer.upscale_factor, inputs[0][1:], len(output) - 1
    order = (axis for n in range(axes) for axis in (1 + n, axes + 2 + n))
    return [
        Call("layers.Reshape", positional(target_shape=(*space, output[0], *(factor,) * axes))),
        Call("layers.Permute", positional(dims=(*order, axes + 1))),
        Call("layers.Reshape", positional(target_shape=(*output[1:], output[0]))),
    ]


def _pixel_unshuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = (size for n in range(axes) for size in (output[1 + n], factor))
    order = (*(1 + 2 * n for n in range(axes)), 2 * axes + 1, *(2 + 2 * n for n in range(axes)))
    return [
        Call("layers.Reshape", positional(target_shape=(*halves, inputs[0][0]))),
        Call("layers.Permute", positional(dims=order)),
        Call("layers.Reshape", positional(target_shape=(*output[1:], output[0]))),
    ]


RESIZING: dict[str, Mapper] = {
    "AdaptivePool": _adaptive,
    "GlobalPool": _adaptive,
    "Upsample": _upsample,
    "Pad": _border,
    "Crop": _border,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
}
"""Class of a layer model -> its layers, channels last."""
