"""Convolutional long short-term memory, forward and backward through time: conv_lstm1d|2d|3d."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .border import border, border_gradient
from .context import (
    Array,
    Arrays,
    Context,
    Counter,
    DoesNotFit,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    sum_but_channels,
)
from .correlation import correlate, correlate_weights
from .recurrent import Kept, remembered, remembered_gradients
from .scattering import scatter
from .windows import Pairs, Sizes, resolved_pads

if TYPE_CHECKING:
    from ..layers.conv_lstm import ConvLSTM


class Product(NamedTuple):
    """A convolution of the layer: how its window steps over what it reads, and the border that it puts around that."""

    stride: Sizes
    dilation: Sizes
    pads: Pairs

    def forward(self, x: Array, w: Array, counter: Counter | None) -> Array:
        """The convolution of x."""
        return correlate(x, w, self.stride, self.dilation, 1, counter, pads=self.pads)

    def backward(self, x: Array, w: Array, grad: Array, counter: Counter | None) -> tuple[Array, Array]:
        """The gradients of x and of the weights."""
        bordered = border(x, self.pads, "zeros")
        back = scatter(grad, w, self.stride, self.dilation, 1, bordered.shape[2:], counter)
        of_weights = correlate_weights(bordered, grad, w.shape[2:], self.stride, self.dilation, 1, counter)
        return border_gradient(back, x.shape[2:], self.pads, "zeros"), of_weights


def _of_input(layer: ConvLSTM, space: Sizes) -> Product:
    pads = resolved_pads(layer.padding, space, layer.kernel_size, layer.stride, layer.dilation)
    return Product(layer.stride, layer.dilation, pads)


def _of_state(layer: ConvLSTM, space: Sizes) -> Product:
    """Of stride 1, and as large as the state."""
    ones = (1,) * len(layer.kernel_size)
    return Product(ones, ones, resolved_pads("same", space, layer.kernel_size, ones, ones))


def _kept(layer: ConvLSTM, inputs: Arrays, weights: Weights, counter: Counter | None) -> list[Kept]:
    """What each position keeps, its state first; before the first position zeros."""
    (x,) = inputs
    if x.ndim != len(layer.kernel_size) + 3 or x.shape[2] != weights["weight_ih"].shape[1]:
        raise DoesNotFit(f"positions of {x.shape[2:]} for a kernel over {layer.kernel_size}")
    of_input = _of_input(layer, x.shape[3:])
    found: list[Kept] = []
    for position in range(x.shape[1]):
        total = of_input.forward(x[:, position], weights["weight_ih"], counter)
        if layer.bias:
            total = total + weights["bias_ih"].reshape(-1, *(1 for _ in layer.kernel_size))
        if not found:
            zeros = np.zeros((len(x), layer.out_channels, *total.shape[2:]), x.dtype)
            found.append((zeros, zeros))
        state, memory, *_ = found[-1]
        total = total + _of_state(layer, total.shape[2:]).forward(state, weights["weight_hh"], counter)
        found.append(remembered(total, memory, 1))
    return found


def _forward(layer: ConvLSTM, inputs: Arrays, weights: Weights, context: Context) -> Array:
    kept = _kept(layer, inputs, weights, context.counter)
    return np.stack([state for state, *_ in kept[1:]], axis=1)


def _backward(layer: ConvLSTM, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    kept = _kept(layer, inputs, weights, None)
    of_input, of_state = _of_input(layer, x.shape[3:]), _of_state(layer, grad.shape[3:])
    gradients = {name: np.zeros_like(weights[name]) for name in ("weight_ih", "weight_hh")}
    if layer.bias:
        gradients["bias_ih"] = np.zeros_like(weights["bias_ih"])
    back = np.zeros_like(x)
    later, flow = np.zeros_like(grad[:, 0]), np.zeros_like(grad[:, 0])
    for position in range(x.shape[1], 0, -1):
        state, memory, *_ = kept[position - 1]
        step, flow = remembered_gradients(kept[position], memory, grad[:, position - 1] + later, flow, 1)
        back[:, position - 1], of_weights = of_input.backward(
            x[:, position - 1], weights["weight_ih"], step, context.counter
        )
        gradients["weight_ih"] += of_weights
        later, of_weights = of_state.backward(state, weights["weight_hh"], step, context.counter)
        gradients["weight_hh"] += of_weights
        if layer.bias:
            gradients["bias_ih"] += sum_but_channels(step)
    return (back,), gradients


def _tensors(layer: ConvLSTM, shape: tuple[int, ...]) -> Starts:
    """As convolutions start, each gate as one of its own."""
    outputs, taps = layer.out_channels, prod(layer.kernel_size)
    found: Starts = {}
    for name, inputs in (("weight_ih", shape[1]), ("weight_hh", outputs)):
        found[name] = Start((4 * outputs, inputs, *layer.kernel_size), inputs * taps, outputs * taps, inputs * taps)
    if layer.bias:
        found["bias_ih"] = Start((4 * outputs,), torch_fan=shape[1] * taps)
    return found


OPERATIONS = {"ConvLSTM": Operation(_forward, _backward, _tensors)}
