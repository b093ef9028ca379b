"""Convolution against cross-correlation: the same sum with the kernel flipped, on numbers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry import Window
from .explain_matrix import picture
from .explanation import Section, Step
from .small_gradients import slid
from .small_layer import counting

if TYPE_CHECKING:
    from ..layers.base import Shape
    from .small_layer import Integers

FLIPPED = "Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.1"
MOST_TAPS = 121
"""Of a kernel that is written out and learned."""


class Flip(NamedTuple):
    """An image and a kernel, and what both sums make of them."""

    x: Integers
    w: Integers
    correlation: Integers
    convolution: Integers
    impulse: Integers
    """An image of zeros with a 1 in the middle, so large that the kernel reaches the 1 by each of its taps."""
    correlated: Integers
    """The impulse under the cross-correlation."""
    convolved: Integers
    """The impulse under the convolution."""


def flip(kernel: Shape) -> Flip:
    """The kernel 1, 2, 3, … of these sizes on an image of one more position an axis, by both sums."""
    x, w = counting(tuple(k + 1 for k in kernel)), counting(kernel)
    impulse = np.zeros([2 * k - 1 for k in kernel], dtype=object)
    impulse[tuple(k - 1 for k in kernel)] = 1
    windows = tuple(Window(k) for k in kernel)
    two = (2,) * len(kernel)
    return Flip(
        x,
        w,
        slid(x, w, windows, two),
        slid(x, np.flip(w), windows, two),
        impulse,
        slid(impulse, w, windows, kernel),
        slid(impulse, np.flip(w), windows, kernel),
    )


def flip_sections(made: Flip) -> tuple[Section, ...]:
    """What `--flip` says of both sums."""
    flipped = np.flip(made.w)
    rank = made.w.ndim
    at = ",".join("0" * rank)
    sums = (
        Step("cross-correlation", "Y[q] = sum over t of X[q + t]*K[t]", note="what the layers of all frameworks do"),
        Step("convolution", "Y[q] = sum over t of X[q + k - 1 - t]*K[t]", note="the kernel is flipped", source=FLIPPED),
    )
    written = (
        Step(f"cross-correlation, Y[{at}]", int(made.correlation.flat[0]), "", _summed(made.x, made.w)),
        Step(f"convolution, Y[{at}]", int(made.convolution.flat[0]), "", _summed(made.x, flipped)),
    )
    image, kernel, turned = picture("X", made.x), picture("K", made.w), picture("K, flipped", flipped)
    single = picture("one 1", made.impulse)
    return (
        Section("two sums", sums),
        Section(
            "on numbers",
            written if prod(made.w.shape) <= 16 else (),
            matrices=(
                (image, kernel, turned),
                (image, "and", kernel, "=", picture("cross-correlation", made.correlation)),
                (image, "and", turned, "=", picture("convolution", made.convolution)),
            ),
        ),
        Section(
            "a single 1: a convolution gives K, a cross-correlation K flipped",
            (),
            matrices=(
                (single, "and", kernel, "=", picture("cross-correlation", made.correlated)),
                (single, "and", kernel, "=", picture("convolution", made.convolved)),
            ),
        ),
    )


def _summed(x: Integers, w: Integers) -> str:
    """The products of the first window."""
    window = x[tuple(slice(0, k) for k in w.shape)]
    return " + ".join(f"{a}*{b}" for a, b in zip(window.flat, w.flat, strict=True))
