"""A kernel learned by gradient descent from what another made: either kind of sum learns the other's kernel flipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..analysis.explain_flip import FLIPPED
from ..analysis.explain_matrix import picture
from ..analysis.explanation import Matrix, Section, Step
from ..layers.registry import build
from ..reference import backward, forward
from ..reference.definition import im2col

if TYPE_CHECKING:
    from ..analysis.small_layer import Integers
    from ..layers.base import Layer
    from ..reference.context import Array

MOST_STEPS = 2000
LEFT = 1e-12
"""What may be left of the loss that a kernel of zeros has."""


class Learned(NamedTuple):
    """What a layer has learned from examples that another made."""

    kernel: Array
    steps: int
    """Of gradient descent, from a kernel of zeros on."""
    first_loss: float
    loss: float


def learned(teacher: Integers, teacher_flips: bool, student_flips: bool, seed: int = 0) -> Learned:
    """The kernel that a layer learns from a teacher, each a cross-correlation or, where it flips, a convolution.

    The input is noise with four times as many positions as there are taps or more. The loss is half the mean square of
    the differences; the gradient is that of the reference, the step the inverse of the loss's largest curvature.

    >>> found = learned(np.array([1, 2, 3]), teacher_flips=True, student_flips=False)
    >>> found.kernel.round(3).tolist(), learned(np.array([1, 2, 3]), True, True).kernel.round(3).tolist()
    ([3.0, 2.0, 1.0], [1.0, 2.0, 3.0])
    """
    shape = teacher.shape
    layer = build(f"conv{len(shape)}d", {"out_channels": 1, "kernel_size": list(shape), "bias": False})
    x = np.random.default_rng(seed).standard_normal((1, 1, *(3 * k + 6 for k in shape)))
    goal = _sum(layer, x, teacher.astype(float), teacher_flips)
    ones = (1,) * len(shape)
    columns = im2col(x, shape, ones, ones)[0]
    rate = 1 / np.linalg.eigvalsh(columns @ columns.T / goal.size)[-1]
    kernel = np.zeros(shape)
    losses = []
    while True:
        off = _sum(layer, x, kernel, student_flips) - goal
        losses.append(float((off**2).mean()) / 2)
        if len(losses) > MOST_STEPS or losses[-1] <= LEFT * losses[0]:
            return Learned(kernel, len(losses) - 1, losses[0], losses[-1])
        kernel = kernel - rate * _gradient(layer, x, kernel, student_flips, off / off.size)


LESSONS = (
    ("cross-correlation", "cross-correlation", False, False),
    ("convolution", "cross-correlation", True, False),
    ("cross-correlation", "convolution", False, True),
    ("convolution", "convolution", True, True),
)
"""Who teaches, who learns, and which of them flip their kernel."""


def learning_section(teacher: Integers) -> Section:
    """What each kind of layer learns from each kind of teacher with this kernel."""
    steps, shown = [], []
    for by, who, *flips in LESSONS:
        found = learned(teacher, *flips)
        steps.append(
            Step(
                f"{who} from {by}",
                f"{found.steps} steps",
                note=f"loss {found.first_loss:.3g} at first",
                source=FLIPPED,
            )
        )
        rows = found.kernel.reshape(-1, teacher.shape[-1])
        shown.append(Matrix(f"{who} from {by}", tuple(tuple(float(n) for n in row) for row in rows)))
    kernels = (picture("K of the teacher", teacher), picture("flipped", np.flip(teacher)))
    return Section(
        f"learned from noise by gradient descent, until {LEFT:g} of the loss is left",
        tuple(steps),
        matrices=(kernels, tuple(shown)),
    )


def _sum(layer: Layer, x: Array, kernel: Array, flips: bool) -> Array:
    return forward(layer, x, {"weight": _as_held(kernel, flips)})


def _gradient(layer: Layer, x: Array, kernel: Array, flips: bool, grad: Array) -> Array:
    """Of the kernel before it is flipped."""
    _, grads = backward(layer, x, {"weight": _as_held(kernel, flips)}, grad)
    found: Array = grads["weight"][0, 0]
    return np.flip(found) if flips else found


def _as_held(kernel: Array, flips: bool) -> Array:
    """The weight with which a layer, which is a cross-correlation, does the sum."""
    return (np.flip(kernel) if flips else kernel)[None, None]
