"""Convolutions: conv1d|2d|3d and separable_conv1d|2d, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .borders import border, border_gradient
from .context import Array, Arrays, Context, Gradients, Operation, Weights, sum_but_channels
from .correlation import correlate, correlate_weights, scatter
from .windows import resolved_pads

if TYPE_CHECKING:
    from ..layers.conv import Conv, SeparableConv


def _conv(layer: Conv, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    bordered = _bordered(layer, x, layer.padding_mode)
    steps = (layer.stride, layer.dilation, layer.groups)
    return correlate(bordered, weights["weight"], *steps, context.counter, weights["bias"] if layer.bias else None)


def _conv_backward(layer: Conv, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    w = weights["weight"]
    grad_x, grad_w = _gradients(layer, x, w, grad, layer.groups, layer.padding_mode, context)
    gradients = {"weight": grad_w}
    if layer.bias:
        gradients["bias"] = sum_but_channels(grad)
    return (grad_x,), gradients


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
    bordered = _bordered(layer, x, "zeros")
    return correlate(bordered, weights["depthwise.weight"], layer.stride, layer.dilation, x.shape[1], context.counter)


def _bordered(layer: Conv | SeparableConv, x: Array, mode: str) -> Array:
    pads = resolved_pads(layer.padding, x.shape[2:], layer.kernel_size, layer.stride, layer.dilation)
    return border(x, pads, mode)


def _gradients(
    layer: Conv | SeparableConv, x: Array, w: Array, grad: Array, groups: int, mode: str, context: Context
) -> tuple[Array, Array]:
    """Of the input and of the weights."""
    pads = resolved_pads(layer.padding, x.shape[2:], layer.kernel_size, layer.stride, layer.dilation)
    bordered = border(x, pads, mode)
    space, steps = bordered.shape[2:], (layer.stride, layer.dilation)
    grad_bordered = scatter(grad, w, *steps, groups, space, context.counter)
    grad_w = correlate_weights(bordered, grad, w.shape[2:], *steps, groups, context.counter)
    return border_gradient(grad_bordered, x.shape[2:], pads, mode), grad_w


OPERATIONS = {
    "Conv": Operation(_conv, _conv_backward),
    "SeparableConv": Operation(_separable, _separable_backward),
}
