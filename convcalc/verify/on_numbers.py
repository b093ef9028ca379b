"""Explanations of a convolution on numbers, each with what the reference says of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ..analysis.explain_backward import backward_sections
from ..analysis.explain_flip import MOST_TAPS, flip, flip_sections
from ..analysis.explain_matrix import matrix_sections, products
from ..analysis.explain_shift import axis_of, shift_sections
from ..analysis.explanation import Section, Step
from ..analysis.small_gradients import gradients
from ..analysis.small_layer import MOST, small_layer
from ..findings import UsageError
from ..layers.conv import Conv, ConvTranspose
from ..network import sizes
from .explained import Confirmed, confirm_flip, confirm_gradients, confirm_products, confirm_shift
from .learning import learning_section

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Network

LARGEST_STEP = 10_000
"""A stride or a dilation of what is written out."""
HEADING = "confirmed by the reference"


class OnNumbers(NamedTuple):
    """What is said of a layer on numbers."""

    sections: tuple[Section, ...]
    confirmed: bool
    """Whether the reference gives all that is printed."""


Question = Literal["matrix", "backward", "flip", "shift"]
"""What a convolution does with small numbers."""
QUESTIONS: tuple[Question, ...] = get_args(Question)


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
    largest = max(*layer.stride, *layer.dilation)
    if largest > LARGEST_STEP:
        raise UsageError(
            f"a stride or a dilation of {largest} is too large to be written out: at most {LARGEST_STEP:,}",
            "a smaller one says the same: convcalc explain -k 3 -s 2 --size 7 --matrix",
        )
    sections: list[Section] = []
    good = True
    for subject in subjects:
        if subject not in QUESTIONS:
            raise UsageError(f"there is nothing called {subject!r} to say on numbers", f"one of {', '.join(QUESTIONS)}")
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
            f"a window of {sizes(layer.kernel_size)} gives matrices of more than {MOST:,} numbers on any input",
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
            f"a kernel of {sizes(layer.kernel_size)} is too large to be written out: at most {MOST_TAPS} taps",
            "a smaller one says the same: convcalc explain -k 3 --size 5 --flip",
        )
    made = flip(layer.kernel_size)
    return (*flip_sections(made), learning_section(made.w)), confirm_flip(made)


def _shift(layer: Conv | ConvTranspose, shape: Shape) -> Said:
    if not isinstance(layer, Conv):
        raise UsageError("shift is of convolutions", "convcalc explain -k 3 --size 5 --shift")
    axis = axis_of(layer.windows(shape)[-1], layer.padding_mode)
    if axis is None:
        raise UsageError(
            f"a window of {sizes(layer.kernel_size)} is too long to be shown", "convcalc explain -k 3 --size 5 --shift"
        )
    return shift_sections(axis), confirm_shift(axis)


def _section(confirmed: tuple[Confirmed, ...]) -> Section:
    """What was confirmed, a line each."""
    steps = tuple(Step(one.name, "the same" if one.same else "NOT the same", note=one.how) for one in confirmed)
    return Section(HEADING if all(one.same for one in confirmed) else f"NOT {HEADING}", steps)
