"""Transposed convolutions: conv_transpose1d|2d|3d, forward and backward.

The full extent (i − 1)s + d(k − 1) + 1 is what the windows reach; padding crops it, and output padding moves the
crop's end outwards. Positions beyond the full extent hold 0, and the bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .borders import border_gradient
from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights, along_channels, sum_but_channels
from .correlation import correlate, correlate_weights, scatter
from .windows import Sizes, over, reach

if TYPE_CHECKING:
    from ..layers.conv import ConvTranspose

Crop = tuple[tuple[int, int], ...]


def _full_extent(layer: ConvTranspose, space: Sizes) -> tuple[int, ...]:
    """How far the windows reach on each axis."""
    fields = zip(space, layer.kernel_size, layer.stride, layer.dilation, strict=True)
    return tuple(range(0, i * s, s)[-1] + reach(k, d) + 1 for i, k, s, d in fields)


def _crop(layer: ConvTranspose, space: Sizes) -> Crop:
    """[begin, end) of the output within the full extent; the end may lie beyond it.

    `same` keeps size·stride outputs and crops half the surplus before (`same_lower`: the larger half); `valid`
    is Keras's: nothing is cropped, and a kernel smaller than the stride still fills the stride.
    """
    full = _full_extent(layer, space)
    if not isinstance(layer.padding, str):
        fields = zip(full, layer.padding, layer.output_padding, strict=True)
        found = tuple((before, end - after + extra) for end, (before, after), extra in fields)
    elif layer.padding == "valid":
        found = tuple((0, max(end, i * s)) for end, i, s in zip(full, space, layer.stride, strict=True))
    else:
        surplus = [max(end - i * s, 0) for end, i, s in zip(full, space, layer.stride, strict=True)]
        begins = [extra - extra // 2 if layer.padding == "same_lower" else extra // 2 for extra in surplus]
        found = tuple((begin, begin + i * s) for begin, i, s in zip(begins, space, layer.stride, strict=True))
    if any(end <= begin for begin, end in found):
        raise DoesNotFit(f"cropping the full extent {full} to {found} leaves nothing")
    return found


def _forward(layer: ConvTranspose, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    full, crop = _full_extent(layer, x.shape[2:]), _crop(layer, x.shape[2:])
    space = _with_room(full, crop)
    whole = scatter(x, weights["weight"], layer.stride, layer.dilation, layer.groups, space, context.counter)
    y: Array = whole[over(..., *(slice(begin, end) for begin, end in crop))]
    if layer.bias:
        y += along_channels(weights["bias"], y)
    return y


def _with_room(full: Sizes, crop: Crop) -> tuple[int, ...]:
    """The full extent, and what the crop takes beyond it."""
    return tuple(max(extent, end) for extent, (_, end) in zip(full, crop, strict=True))


def _backward(layer: ConvTranspose, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    full, crop = _full_extent(layer, x.shape[2:]), _crop(layer, x.shape[2:])
    space = _with_room(full, crop)
    cut = tuple((-begin, end - size) for (begin, end), size in zip(crop, space, strict=True))
    uncropped = border_gradient(grad, space, cut, "zeros")[over(..., *map(slice, full))]
    steps = (layer.stride, layer.dilation, layer.groups)
    grad_x = correlate(uncropped, weights["weight"], *steps, context.counter)
    gradients = {"weight": correlate_weights(uncropped, x, layer.kernel_size, *steps, context.counter)}
    if layer.bias:
        gradients["bias"] = sum_but_channels(grad)
    return (grad_x,), gradients


OPERATIONS = {"ConvTranspose": Operation(_forward, _backward)}
