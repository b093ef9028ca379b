"""Impossible geometry, as typed errors that carry their numbers.

Every error knows the code under which `convcalc check` reports it, the numbers that made it
impossible (`error.numbers`) and, where there is one, a remedy (`error.hint`). Places in a file are
added further up, where the text is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

LIMIT = 2**63 - 1
"""The largest integer that is given or computed: what a signed 64-bit size can hold."""


def padded_text(size: int, before: int, after: int) -> str:
    """A size and its padding, as messages show it.

    >>> padded_text(5, 0, 0), padded_text(5, 1, 2)
    ('5', '5 + 1 + 2 padding')
    """
    return f"{size} + {before} + {after} padding" if before or after else str(size)


class GeometryError(ValueError):
    """Base of all errors of the arithmetic.

    >>> print(KernelTooLarge(size=5, before=0, after=0, kernel_size=7, dilation=1))
    kernel of 7 is larger than the input of 5
      hint: the input is 2 too small: pad it, or use a smaller kernel or dilation
    """

    code: ClassVar[str] = "CC200"
    """Under which `convcalc check` reports it."""
    message: str
    """What is impossible, in a line."""
    hint: str | None
    """How to mend it, where there is something to say."""
    numbers: dict[str, object]
    """What made it impossible."""

    def __init__(self, message: str, *, hint: str | None = None, **numbers: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.numbers = numbers

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def said(self, inputs: Sequence[str]) -> str:
        """The message with the layer's inputs called by these names; the message itself where it names none."""
        return self.message


class KernelTooLarge(GeometryError):
    """The window does not fit into the padded input."""

    code = "CC201"

    def __init__(self, size: int, before: int, after: int, kernel_size: int, dilation: int) -> None:
        effective = dilation * (kernel_size - 1) + 1
        padded = padded_text(size, before, after)
        window = f"{kernel_size}" if dilation == 1 else f"{effective} ({kernel_size} dilated by {dilation})"
        missing = effective - size - before - after
        super().__init__(
            f"kernel of {window} is larger than the input of {padded}",
            hint=f"the input is {missing} too small: pad it, or use a smaller kernel or dilation",
            size=size,
            before=before,
            after=after,
            kernel_size=kernel_size,
            dilation=dilation,
        )


class InvalidWindow(GeometryError):
    """A kernel, stride, dilation, padding or group count outside its range."""

    code = "CC202"


class ChannelMismatch(GeometryError):
    """Channels (or other axes) at a join that do not agree."""

    code = "CC203"


class UnequalInputs(ChannelMismatch):
    """Two inputs of a join, number `one` and number `other`, whose shapes do not agree.

    >>> error = UnequalInputs("add", 0, (8, 4), 1, (8, 2), "axis 1: 4 and 2")
    >>> error.message
    'add cannot join [8, 4] and [8, 2] (input 1): axis 1: 4 and 2'
    >>> error.said(["a", "b"])
    'add cannot join a [8, 4] and b [8, 2]: axis 1: 4 and 2'
    """

    def __init__(
        self,
        kind: str,
        one: int,
        first: tuple[int, ...],
        other: int,
        second: tuple[int, ...],
        where: str,
        *,
        hint: str | None = None,
        **numbers: object,
    ) -> None:
        super().__init__(
            f"{kind} cannot join {list(first)} and {list(second)} (input {other}): {where}",
            hint=hint,
            first=first,
            other=second,
            **numbers,
        )
        self._parts = (kind, one, list(first), other, list(second), where)

    def said(self, inputs: Sequence[str]) -> str:
        kind, one, first, other, second, where = self._parts
        if other >= len(inputs):
            return self.message
        return f"{kind} cannot join {inputs[one]} {first} and {inputs[other]} {second}: {where}"


class NotDivisible(GeometryError):
    """Channels that the groups do not divide."""

    code = "CC204"


class OutputPaddingOutOfRange(GeometryError):
    """Output padding must be smaller than the stride or the dilation."""

    code = "CC205"

    def __init__(self, output_padding: int, stride: int, dilation: int) -> None:
        bound = max(stride, dilation)
        super().__init__(
            f"output_padding {output_padding} must be smaller than max(stride {stride}, dilation {dilation}) = {bound}",
            hint=f"use an output_padding from 0 to {bound - 1}",
            output_padding=output_padding,
            stride=stride,
            dilation=dilation,
        )


class IndivisibleShuffle(GeometryError):
    """A pixel or channel shuffle whose factor does not divide the axis."""

    code = "CC206"


class EmptyOutput(GeometryError):
    """An output with no position left."""

    code = "CC207"


class RankMismatch(GeometryError):
    """A layer of one rank on an input of another."""

    code = "CC208"


class FeatureMismatch(GeometryError):
    """A linear layer on an input that still has its space axes."""

    code = "CC209"


class PoolPaddingTooLarge(GeometryError):
    """Padding of a pool of more than half its kernel (PyTorch), or a whole one (ONNX)."""

    code = "CC210"


class PaddingOutOfRange(GeometryError):
    """Padding that its mode cannot take from the input."""

    code = "CC211"


class TooLarge(GeometryError):
    """An integer above 2^63 - 1."""

    code = "CC212"

    def __init__(self, what: str, value: int) -> None:
        digits = str(value) if value.bit_length() < 256 else f"a number of {value.bit_length()} bits"
        super().__init__(f"{what} of {digits} is above 2^63 - 1", value=value)


class WrongArity(GeometryError):
    """A layer that was given too few or too many inputs."""

    code = "CC213"


def checked(what: str, value: int) -> int:
    """`value`, or `TooLarge` when it is above 2^63 − 1.

    >>> checked("a size", 224)
    224
    """
    if value > LIMIT:
        raise TooLarge(what, value)
    return value
