"""Undoing the shape of a convolution: the transposed convolution that gives every size back.

A transposed convolution takes the same k, s, p and d as the convolution that it undoes. What differs
from size to size is the output padding: it gives back the positions that the stride left over.
Shapes come back; values do not (the transposed convolution is the adjoint, not the inverse).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..version import FORMAT
from .errors import InvalidWindow, checked
from .transposed import conv_transpose_output, interior_overlap, transposed_padding, uniform_overlap, zeros_between
from .window import check_window, conv_output, effective_kernel, input_sizes, leftover


@dataclass(frozen=True, slots=True)
class SizeInversion:
    """One input size, through the convolution and back."""

    size: int
    conv_output: int
    remainder: int
    """Padded positions that the last window leaves over: (i + pl + pr − K) mod s."""
    output_padding: int
    """What gives `size` back; it equals the remainder."""
    restored: int
    """Size that the transposed convolution returns with that output padding."""
    family: range
    """Every input size that shares `conv_output`, this one among them."""

    @property
    def without_output_padding(self) -> int | None:
        """Size that comes back without output padding: i − a; None where the cropping would leave nothing."""
        bare = self.size - self.remainder
        return bare if bare >= 1 else None

    def to_dict(self) -> dict[str, object]:
        """One row of `sizes` in the JSON contract of `invert`."""
        return {
            "input": self.size,
            "conv_output": self.conv_output,
            "remainder": self.remainder,
            "without_output_padding": self.without_output_padding,
            "output_padding": self.output_padding,
            "restored": self.restored,
            "family": [self.family.start, self.family.stop - 1],
        }


@dataclass(frozen=True, slots=True)
class AxisInversion:
    """The convolution of one axis and the transposed convolution that undoes its shape."""

    kernel_size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        check_window(self.kernel_size, self.stride, self.dilation, self.before, self.after)
        checked("an effective kernel", self.effective_kernel)
        checked("a padding", self.before + self.after)
        checked("a stride", self.stride)

    @property
    def effective_kernel(self) -> int:
        """K = d(k − 1) + 1."""
        return effective_kernel(self.kernel_size, self.dilation)

    @property
    def zeros_between(self) -> int:
        """Zeros inserted between neighbouring inputs: z = s − 1."""
        return zeros_between(self.stride)

    @property
    def transposed_padding(self) -> tuple[int, int]:
        """(before, after) of the stride-1 convolution: p' = d(k − 1) − p; negative where it crops."""
        return (
            transposed_padding(self.kernel_size, self.before, self.dilation),
            transposed_padding(self.kernel_size, self.after, self.dilation),
        )

    @property
    def exact_residue(self) -> int:
        """Sizes come back without output padding iff they are this number modulo the stride: (K − pl − pr) mod s."""
        return (self.effective_kernel - self.before - self.after) % self.stride

    @property
    def overlap(self) -> tuple[int, ...]:
        """Contributions to each interior output, by its position in the full extent modulo the stride."""
        return interior_overlap(self.kernel_size, self.stride, self.dilation)

    @property
    def uniform_overlap(self) -> bool:
        """Whether every interior output gets the same number of contributions."""
        return uniform_overlap(self.kernel_size, self.stride, self.dilation)

    def family(self, output: int) -> range:
        """Every input size that the convolution maps to `output`: s of them, those below 1 dropped."""
        return input_sizes(output, self.kernel_size, self.stride, self.before, self.after, self.dilation)

    def at(self, size: int) -> SizeInversion:
        """One size, forth and back. Raises `KernelTooLarge` where the window does not fit.

        >>> at = AxisInversion(7, stride=2, before=3, after=3).at(224)
        >>> at.conv_output, at.remainder, at.without_output_padding, at.restored
        (112, 1, 223, 224)
        """
        checked("a size", size)
        window = (self.kernel_size, self.stride, self.before, self.after, self.dilation)
        output, remainder = conv_output(size, *window), leftover(size, *window)
        return SizeInversion(
            size=size,
            conv_output=output,
            remainder=remainder,
            output_padding=remainder,
            restored=conv_transpose_output(output, *window, output_padding=remainder),
            family=self.family(output),
        )

    def sample_sizes(self) -> tuple[int, ...]:
        """A small ladder for a first look: sizes with three and four outputs, and 224 where it fits.

        >>> AxisInversion(3, stride=2, before=1, after=1).sample_sizes()
        (5, 6, 7, 8, 224)
        """
        first = max(1, 2 * self.stride + self.effective_kernel - self.before - self.after)
        steps = range(max(2 * self.stride, 4)) if self.stride <= 4 else (0, 1, self.stride - 1, self.stride)
        fits = 224 + self.before + self.after >= self.effective_kernel
        return tuple(sorted({*(first + step for step in steps), *((224,) if fits else ())}))

    def to_dict(self, sizes: Iterable[SizeInversion]) -> dict[str, object]:
        """This axis in the JSON contract of `invert`."""
        return {
            "kernel": self.kernel_size,
            "stride": self.stride,
            "padding": [self.before, self.after],
            "dilation": self.dilation,
            "zeros_between": self.zeros_between,
            "transposed_padding": list(self.transposed_padding),
            "exact": {"residue": self.exact_residue, "modulus": self.stride},
            "sizes": [size.to_dict() for size in sizes],
            "uniform_overlap": self.uniform_overlap,
            "overlap": list(self.overlap),
        }


@dataclass(frozen=True, slots=True)
class Inversion:
    """A convolution's inversion, axis by axis, with the sizes worked out."""

    axes: tuple[AxisInversion, ...]
    """For each space axis, the convolution and the transposed one that undoes it."""
    sizes: tuple[tuple[SizeInversion, ...], ...]
    """For each axis, the sizes asked for."""

    @property
    def axes_agree(self) -> bool:
        """Whether one axis speaks for all of them."""
        return len(set(zip(self.axes, self.sizes, strict=True))) == 1

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `invert`: one object, or one an axis under `axes` where they differ.

        `overlap` holds the contributions that an interior output gets, by its position modulo the stride;
        positions count in the full extent, before `padding` crops it: output y stands at y + padding[0].
        """
        axes = [axis.to_dict(sizes) for axis, sizes in zip(self.axes, self.sizes, strict=True)]
        return {"format": FORMAT, **(axes[0] if self.axes_agree else {"axes": axes})}


def invert(
    kernel: int | Sequence[int] = 3,
    stride: int | Sequence[int] = 2,
    padding: int | tuple[int, int] | Sequence[int | tuple[int, int]] = 1,
    dilation: int | Sequence[int] = 1,
    sizes: Sequence[int | Sequence[int]] = (),
) -> Inversion:
    """The transposed convolution that undoes the shape of a convolution.

    Zeros between z = s − 1, padding p' = d(k − 1) − p, output padding a = (i + pl + pr − K) mod s; the
    sizes come back exactly, and without output padding iff s divides i + pl + pr − K.

    One number serves every axis, a list gives one an axis. `padding` is a number, a tuple (before, after)
    for every axis, or a list of either, one an axis. Every entry of `sizes` is a number or one an axis;
    without sizes a small ladder is worked out. Raises `InvalidWindow` for values out of range
    or numbers of axes that disagree, `KernelTooLarge` for a size that the window does not fit.
    Source: Dumoulin & Visin 2016, arXiv:1603.07285, relationships 13 and 14.

    >>> result = invert(kernel=7, stride=2, padding=3, sizes=[224])
    >>> result.axes[0].zeros_between, result.axes[0].transposed_padding, result.sizes[0][0].output_padding
    (1, (3, 3), 1)
    """
    sides = _sides(padding)
    given = (kernel, stride, sides, dilation, *sizes)
    ranks = {len(value) for value in given if isinstance(value, Sequence) and len(value) > 1}
    if len(ranks) > 1:
        counts = " and ".join(map(str, sorted(ranks)))
        raise InvalidWindow(f"values for {counts} axes: every list needs as many values as there are axes")
    rank = max(ranks, default=1)
    letters = (_per_axis(kernel, rank), _per_axis(stride, rank), _per_axis(dilation, rank))
    pads = sides if len(sides) == rank else sides * rank
    axes = tuple(AxisInversion(k, s, *pair, d) for k, s, d, pair in zip(*letters, pads, strict=True))
    columns = [_per_axis(size, rank) for size in sizes]
    worked = tuple(
        tuple(axis.at(size) for size in ([column[n] for column in columns] or axis.sample_sizes()))
        for n, axis in enumerate(axes)
    )
    return Inversion(axes, worked)


def _sides(padding: int | tuple[int, int] | Sequence[int | tuple[int, int]]) -> list[tuple[int, int]]:
    """Padding as (before, after), one an axis, or a single one for every axis."""
    if isinstance(padding, int):
        return [(padding, padding)]
    items = [padding] if isinstance(padding, tuple) and len(padding) == 2 else list(padding)
    pairs = [(item, item) if isinstance(item, int) else tuple(item) for item in items]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise InvalidWindow(f"padding {padding!r}: give a number, a pair (before, after), or a list of these")
    return [(before, after) for before, after in pairs]


def _per_axis(value: int | Sequence[int], rank: int) -> Sequence[int]:
    if isinstance(value, int):
        return [value] * rank
    if not value:
        raise InvalidWindow("an empty list of values: give one number, or one an axis")
    return value if len(value) == rank else [value[0]] * rank
