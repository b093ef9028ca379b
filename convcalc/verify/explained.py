"""Explanations of a convolution on numbers: what they print is held against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..analysis.explain_backward import backward_sections
from ..analysis.explain_flip import MOST_TAPS, flip, flip_sections
from ..analysis.explain_matrix import matrix_sections, products
from ..analysis.explain_shift import axis_of, shift_sections
from ..analysis.explanation import Section, Step
from ..analysis.small_gradients import gradients
from ..analysis.small_layer import MOST, small_layer
from ..findings import UsageError
from ..layers.conv import Conv, ConvTranspose
from ..layers.registry import build
from ..reference import backward, forward
from ..reference.border import border
from ..reference.context import Array
from ..reference.definition import im2col
from ..reference.gradient_convolutions import input_gradient, kernel_gradient
from ..reference.windows import resolved_pads
from .learning import learning_section

if TYPE_CHECKING:
    from ..analysis.explain_flip import Flip
    from ..analysis.explain_matrix import Products
    from ..analysis.explain_shift import Axis
    from ..analysis.small_gradients import Gradients
    from ..analysis.small_layer import SmallLayer
    from ..layers.base import Shape
    from ..network import Network
    from ..reference.windows import Pairs

HEADING = "confirmed by the reference"


class Confirmed(NamedTuple):
    """One thing that was printed, and whether the reference gives the same."""

    name: str
    how: str
    """What the reference does."""
    same: bool


class OnNumbers(NamedTuple):
    """What is said of a layer on numbers."""

    sections: tuple[Section, ...]
    confirmed: bool
    """Whether the reference gives all that is printed."""


SUBJECTS = ("matrix", "backward", "flip", "shift")
"""What can be said of a convolution on numbers."""


def convolution(network: Network, nodes: Sequence[int], name: str) -> tuple[int, Conv | ConvTranspose]:
    """The one convolution, or transposed one, among some nodes. Raises UsageError where there is none, or several."""
    found = [(i, layer) for i in nodes if isinstance(layer := network.nodes[i].layer, (Conv, ConvTranspose))]
    if len(found) == 1:
        return found[0]
    named = found or [(i, n.layer) for i, n in enumerate(network.nodes) if isinstance(n.layer, (Conv, ConvTranspose))]
    some = ", ".join([network.nodes[i].name for i, _ in named[:3]] + ["…"] * (len(named) > 3))
    if found:
        raise UsageError(f"'{name}' has {len(found)} convolutions: numbers are of one", f"one of {some}")
    raise UsageError(
        f"'{name}' has no convolution and no transposed one: numbers are of those",
        f"one of {some}" if some else "convcalc explain -k 3 --size 5 --matrix",
    )


def on_numbers(
    subjects: Sequence[str], layer: Conv | ConvTranspose, shape: Shape, output: Shape, batch: int = 1
) -> OnNumbers:
    """The sections of each of these subjects, for a layer from `shape` to `output`, with what confirms them.

    Raises UsageError where a kernel is too large to be written out, or the subject is of convolutions alone.
    """
    sections: list[Section] = []
    good = True
    for subject in subjects:
        if subject not in SUBJECTS:
            raise UsageError(f"there is nothing called {subject!r} to say on numbers", f"one of {', '.join(SUBJECTS)}")
        if subject == "flip":
            found, confirmed = _flip(layer)
        elif subject == "shift":
            found, confirmed = _shift(layer, shape)
        else:
            found, confirmed = _small(subject, layer, shape, output, batch)
        sections += [*found, _section(confirmed)]
        good &= all(one.same for one in confirmed)
    return OnNumbers(tuple(sections), good)


Said = tuple[tuple[Section, ...], tuple[Confirmed, ...]]


def _small(subject: str, layer: Conv | ConvTranspose, shape: Shape, output: Shape, batch: int) -> Said:
    small = small_layer(layer, shape, output)
    if small is None:
        raise UsageError(
            f"a window of {_times(layer.kernel_size)} gives matrices of more than {MOST:,} numbers on any input",
            "a smaller kernel says the same: convcalc explain -k 3 --size 5 --matrix",
        )
    if subject == "matrix":
        made = products(small)
        return matrix_sections(small, made, layer, shape, output), confirm_products(small, made)
    backwards = gradients(small)
    return backward_sections(small, backwards, layer, shape, output, batch), confirm_gradients(small, backwards)


def _flip(layer: Conv | ConvTranspose) -> Said:
    if not isinstance(layer, Conv):
        raise UsageError(
            "flip is of convolutions: a transposed one flips back what its convolution does",
            "convcalc explain -k 3 --size 5 --flip",
        )
    if prod(layer.kernel_size) > MOST_TAPS:
        raise UsageError(
            f"a kernel of {_times(layer.kernel_size)} is too large to be written out: at most {MOST_TAPS} taps",
            "a smaller one says the same: convcalc explain -k 3 --size 5 --flip",
        )
    made = flip(layer.kernel_size)
    return (*flip_sections(made), learning_section(made.w)), _confirm_flip(made)


def _shift(layer: Conv | ConvTranspose, shape: Shape) -> Said:
    if not isinstance(layer, Conv):
        raise UsageError("shift is of convolutions", "convcalc explain -k 3 --size 5 --shift")
    axis = axis_of(layer.windows(shape)[-1], layer.padding_mode)
    if axis is None:
        raise UsageError(
            f"a window of {_times(layer.kernel_size)} is too long to be shown", "convcalc explain -k 3 --size 5 --shift"
        )
    return shift_sections(axis), _confirm_shift(axis)


def _times(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))


def _section(confirmed: tuple[Confirmed, ...]) -> Section:
    """What was confirmed, a line each."""
    steps = tuple(Step(one.name, "the same" if one.same else "NOT the same", note=one.how) for one in confirmed)
    return Section(HEADING if all(one.same for one in confirmed) else f"NOT {HEADING}", steps)


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


def _confirm_flip(made: Flip) -> tuple[Confirmed, ...]:
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


def _confirm_shift(axis: Axis) -> tuple[Confirmed, ...]:
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
