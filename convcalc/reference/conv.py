"""Convolutions: conv1d|2d|3d, separable_conv1d|2d and conv_transpose1d|2d|3d, forward and backward.

The full extent (i − 1)s + d(k − 1) + 1 of a transposed convolution is what its windows reach; padding crops it, and
output padding moves the crop's end outwards. Positions beyond the full extent hold 0, and the bias.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .border import border, border_gradient
from .context import (
    Array,
    Arrays,
    Context,
    DoesNotFit,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    along_channels,
    sum_but_channels,
)
from .correlation import correlate, correlate_weights
from .formed import operation
from .scattering import scatter
from .windows import Pairs, Sizes, over, reach, resolved_pads

if TYPE_CHECKING:
    from ..layers.conv import Conv, ConvTranspose, SeparableConv


def _conv(layer: Conv, x: Array, w: Array, bias: Array | None, context: Context) -> Array:
    pads = _pads(layer, x.shape[2:])
    steps = (layer.stride, layer.dilation, layer.groups, context.counter, bias)
    if layer.padding_mode == "zeros":
        return correlate(x, w, *steps, pads)
    return correlate(border(x, pads, layer.padding_mode), w, *steps)


def _conv_backward(layer: Conv, x: Array, w: Array, grad: Array, context: Context) -> tuple[Array, Array, Array]:
    grad_x, grad_w = _gradients(layer, x, w, grad, layer.groups, layer.padding_mode, context)
    return grad_x, grad_w, sum_but_channels(grad)


def _separable(layer: SeparableConv, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    middle = _depthwise(layer, x, weights, context)
    ones = (1,) * len(layer.stride)
    bias = weights["pointwise.bias"] if layer.bias else None
    return correlate(middle, weights["pointwise.weight"], ones, ones, 1, context.counter, bias)


def _separable_backward(
    layer: SeparableConv, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    ones = (1,) * len(layer.stride)
    middle = _depthwise(layer, x, weights, context)
    pointwise = weights["pointwise.weight"]
    gradients = {"pointwise.weight": correlate_weights(middle, grad, ones, ones, ones, 1, context.counter)}
    if layer.bias:
        gradients["pointwise.bias"] = sum_but_channels(grad)
    grad_middle = scatter(grad, pointwise, ones, ones, 1, middle.shape[2:], context.counter)
    grad_x, grad_depthwise = _gradients(
        layer, x, weights["depthwise.weight"], grad_middle, x.shape[1], "zeros", context
    )
    return (grad_x,), {"depthwise.weight": grad_depthwise, **gradients}


def _depthwise(layer: SeparableConv, x: Array, weights: Weights, context: Context) -> Array:
    steps = (layer.stride, layer.dilation, x.shape[1], context.counter)
    return correlate(x, weights["depthwise.weight"], *steps, pads=_pads(layer, x.shape[2:]))


def _pads(layer: Conv | SeparableConv, space: Sizes) -> Pairs:
    return resolved_pads(layer.padding, space, layer.kernel_size, layer.stride, layer.dilation)


def _gradients(
    layer: Conv | SeparableConv, x: Array, w: Array, grad: Array, groups: int, mode: str, context: Context
) -> tuple[Array, Array]:
    """Of the input and of the weights."""
    pads = _pads(layer, x.shape[2:])
    bordered = border(x, pads, mode)
    space, steps = bordered.shape[2:], (layer.stride, layer.dilation)
    grad_bordered = scatter(grad, w, *steps, groups, space, context.counter)
    grad_w = correlate_weights(bordered, grad, w.shape[2:], *steps, groups, context.counter)
    return border_gradient(grad_bordered, x.shape[2:], pads, mode), grad_w


def _full_extent(layer: ConvTranspose, space: Sizes) -> tuple[int, ...]:
    """How far the windows reach on each axis."""
    fields = zip(space, layer.kernel_size, layer.stride, layer.dilation, strict=True)
    return tuple(range(0, i * s, s)[-1] + reach(k, d) + 1 for i, k, s, d in fields)


def _crop(layer: ConvTranspose, space: Sizes) -> Pairs:
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


def _transposed(layer: ConvTranspose, x: Array, w: Array, bias: Array | None, context: Context) -> Array:
    full, crop = _full_extent(layer, x.shape[2:]), _crop(layer, x.shape[2:])
    space = _with_room(full, crop)
    whole = scatter(x, w, layer.stride, layer.dilation, layer.groups, space, context.counter)
    y: Array = whole[over(..., *(slice(begin, end) for begin, end in crop))]
    if bias is not None:
        y += along_channels(bias, y)
    return y


def _with_room(full: Sizes, crop: Pairs) -> tuple[int, ...]:
    """The full extent, and what the crop takes beyond it."""
    return tuple(max(extent, end) for extent, (_, end) in zip(full, crop, strict=True))


def _transposed_backward(
    layer: ConvTranspose, x: Array, w: Array, grad: Array, context: Context
) -> tuple[Array, Array, Array]:
    full, crop = _full_extent(layer, x.shape[2:]), _crop(layer, x.shape[2:])
    space = _with_room(full, crop)
    cut = tuple((-begin, end - size) for (begin, end), size in zip(crop, space, strict=True))
    uncropped = border_gradient(grad, space, cut, "zeros")[over(..., *map(slice, full))]
    steps = (layer.stride, layer.dilation, layer.groups)
    grad_x = correlate(uncropped, w, *steps, context.counter)
    grad_w = correlate_weights(uncropped, x, layer.kernel_size, *steps, context.counter)
    return grad_x, grad_w, sum_but_channels(grad)


def _rows_of_transposed(layer: ConvTranspose, w: Array) -> Array:
    """Weights [inputs, outputs/groups, *kernel] with one row an output channel."""
    grouped = w.reshape(layer.groups, w.shape[0] // layer.groups, w.shape[1], -1)
    return grouped.swapaxes(1, 2).reshape(layer.groups * w.shape[1], -1)


def _with_gain(layer: Conv | ConvTranspose, found: Starts) -> Starts:
    if layer.gain:
        found["gain"] = Start((layer.out_channels, 1, *(1 for _ in layer.kernel_size)), constant=1.0)
    return found


def _with_bias(layer: Conv | ConvTranspose | SeparableConv, weight: Start, prefix: str = "") -> Starts:
    found = {f"{prefix}weight": weight}
    if layer.bias:
        found[f"{prefix}bias"] = Start((layer.out_channels,), torch_fan=weight.torch_fan)
    return found


def _conv_tensors(layer: Conv, shape: tuple[int, ...]) -> Starts:
    inputs, outputs, taps = shape[0] // layer.groups, layer.out_channels // layer.groups, prod(layer.kernel_size)
    weight_shape = (layer.out_channels, inputs, *layer.kernel_size)
    start = Start(weight_shape, inputs * taps, outputs * taps / prod(layer.stride), inputs * taps)
    return _with_gain(layer, _with_bias(layer, start))


def _transposed_tensors(layer: ConvTranspose, shape: tuple[int, ...]) -> Starts:
    inputs, outputs, taps = shape[0] // layer.groups, layer.out_channels // layer.groups, prod(layer.kernel_size)
    weight_shape = (shape[0], outputs, *layer.kernel_size)
    start = Start(weight_shape, inputs * taps / prod(layer.stride), outputs * taps, outputs * taps)
    return _with_gain(layer, _with_bias(layer, start))


def _separable_tensors(layer: SeparableConv, shape: tuple[int, ...]) -> Starts:
    multiplier, taps = layer.depth_multiplier, prod(layer.kernel_size)
    middle = shape[0] * multiplier
    depthwise = Start((middle, 1, *layer.kernel_size), taps, multiplier * taps / prod(layer.stride), taps)
    pointwise = Start((layer.out_channels, middle, *(1 for _ in layer.kernel_size)), middle, layer.out_channels, middle)
    return {"depthwise.weight": depthwise, **_with_bias(layer, pointwise, "pointwise.")}


OPERATIONS = {
    "Conv": operation(_conv, _conv_backward, _conv_tensors),
    "SeparableConv": Operation(_separable, _separable_backward, _separable_tensors),
    "ConvTranspose": operation(_transposed, _transposed_backward, _transposed_tensors, _rows_of_transposed),
}
