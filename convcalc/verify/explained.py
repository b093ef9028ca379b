"""What explanations print of a convolution on numbers, held against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..layers.conv import Conv
from ..layers.registry import build
from ..reference import backward, forward
from ..reference.border import border
from ..reference.context import Array
from ..reference.definition import im2col
from ..reference.gradient_convolutions import input_gradient, kernel_gradient
from ..reference.windows import resolved_pads

if TYPE_CHECKING:
    from ..analysis.explain_flip import Flip
    from ..analysis.explain_matrix import Products
    from ..analysis.explain_shift import Axis
    from ..analysis.small_gradients import Gradients
    from ..analysis.small_layer import SmallLayer
    from ..reference.windows import Pairs


class Confirmed(NamedTuple):
    """One thing that was printed, and whether the reference gives the same."""

    name: str
    how: str
    """What the reference does."""
    same: bool


def confirm_products(small: SmallLayer, made: Products) -> tuple[Confirmed, ...]:
    """im2col, the output, and both matrices of `--matrix`."""
    x, weights = _arrays(small)
    columns: tuple[Confirmed, ...] = ()
    if isinstance(small.layer, Conv):
        layer, pads = small.layer, _pads(small.layer, x)
        found = im2col(border(x, pads, layer.padding_mode), layer.kernel_size, layer.stride, layer.dilation)
        read = _same(found.reshape(made.columns.shape), made.columns)
        columns = (Confirmed("im2col(X)", "windows of the padded array", read),)
    linear = made.linear.astype(float)[None]
    (back,), _ = backward(small.layer, x, weights, linear)
    here, there = ("C^T", "C") if small.transposed else ("C", "C^T")
    forwards, backwards = int((made.linear**2).sum()), int((small.x() * made.back).sum())
    return (
        *columns,
        Confirmed("Y", "the layer, forwards", _same(forward(small.layer, x, weights)[0], small.forward())),
        Confirmed(f"{there} · vec(Y)", "the layer, backwards", _same(back[0], made.back)),
        Confirmed(
            f"<{here} x, y> = <x, {there} y>", f"{forwards:,} and {backwards:,}, for x = vec(X)", forwards == backwards
        ),
    )


def confirm_gradients(small: SmallLayer, made: Gradients) -> tuple[Confirmed, ...]:
    """dK, dX and db of `--backward`: by the layer's backward pass, and by convolutions where padding is zeros."""
    x, weights = _arrays(small)
    grad = made.y.astype(float)[None]
    (grad_x,), grads = backward(small.layer, x, weights, grad)
    found = [
        Confirmed("dK", "the layer, backwards", _same(grads["weight"], made.w)),
        Confirmed("dX", "the layer, backwards", _same(grad_x[0], made.x)),
    ]
    if isinstance(small.layer, Conv) and small.layer.padding_mode == "zeros":
        layer, pads = small.layer, _pads(small.layer, x)
        steps = (layer.stride, layer.dilation, pads)
        as_kernel = kernel_gradient(x, grad, layer.kernel_size, *steps, layer.groups)
        as_input = input_gradient(grad, weights["weight"], *steps, x.shape[2:], layer.groups)
        found.append(Confirmed("dK = X * dY", "that convolution, in NumPy", _same(as_kernel, made.w)))
        found.append(Confirmed("dX = dY *^T K", "that convolution, in NumPy", _same(as_input[0], made.x)))
    if small.layer.bias:
        found.append(Confirmed("db", "the layer, backwards", _same(grads["bias"], made.b)))
    return tuple(found)


def confirm_flip(made: Flip) -> tuple[Confirmed, ...]:
    """Both sums of `--flip`: the layer with the kernel as it is, and NumPy's own correlation and convolution."""
    layer = build(f"conv{made.w.ndim}d", {"out_channels": 1, "kernel_size": list(made.w.shape), "bias": False})
    x, w = made.x.astype(float), made.w.astype(float)

    def layers(kernel: Array) -> Array:
        found: Array = forward(layer, x[None, None], {"weight": kernel[None, None]})[0, 0]
        return found

    transformed = np.fft.fftn(w, s=x.shape, axes=range(x.ndim))
    valid = np.fft.ifftn(np.fft.fftn(x) * transformed).real.round()[tuple(slice(k - 1, None) for k in w.shape)]
    return (
        Confirmed("cross-correlation", "the layer, forwards", _same(layers(w), made.correlation)),
        Confirmed("convolution", "the layer with K flipped", _same(layers(np.flip(w)), made.convolution)),
        Confirmed("convolution", "the product of both Fourier transforms", _same(valid, made.convolution)),
    )


def confirm_shift(axis: Axis) -> tuple[Confirmed, ...]:
    """The output of the digits and of the moved digits: the layer of one axis."""
    k, s, before, after, d = axis.window
    fields = {"out_channels": 1, "kernel_size": k, "stride": s, "padding": [[before, after]], "dilation": d}
    layer = build("conv1d", {**fields, "padding_mode": axis.mode, "bias": False})
    weights = {"weight": axis.w.astype(float)[None, None]}
    return tuple(
        Confirmed(
            name, "the layer, forwards", _same(forward(layer, x.astype(float)[None, None], weights)[0, 0], axis.y(x))
        )
        for name, x in (("Y", axis.x), ("Y of X moved by 1", np.roll(axis.x, 1)))
    )


def _arrays(small: SmallLayer) -> tuple[Array, dict[str, Array]]:
    """The input, as a batch of one, and the weights."""
    weights = {"weight": small.w().astype(float)}
    if small.layer.bias:
        weights["bias"] = small.b().astype(float)
    return small.x().astype(float)[None], weights


def _pads(layer: Conv, x: Array) -> Pairs:
    return resolved_pads(layer.padding, x.shape[2:], layer.kernel_size, layer.stride, layer.dilation)


def _same(found: Array, printed: Array) -> bool:
    return bool(np.array_equal(found, printed.astype(float)))
