"""`invert`: the transposed convolution that undoes the shape of a convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..geometry import inversion as inversions
from ..units import counted
from .shown import Shown, made

if TYPE_CHECKING:
    from ..render.document import Document


class Inversion(Shown, inversions.Inversion):
    """A convolution's inversion, axis by axis, with the sizes worked out. Printed, it is `convcalc invert`.

    >>> import convcalc
    >>> inversion = convcalc.invert(kernel=3, stride=2, padding=1, sizes=[7, 8])
    >>> inversion
    <Inversion of k3 s2 p1:1 d1: 2 sizes>
    >>> [row.output_padding for row in inversion.sizes[0]]
    [0, 1]
    """

    __slots__ = ()

    def _document(self, width: int | None) -> Document:
        from ..render.invert import inversion_document

        return inversion_document(self)

    def __repr__(self) -> str:
        windows = ", ".join(
            f"k{axis.kernel_size} s{axis.stride} p{axis.before}:{axis.after} d{axis.dilation}" for axis in self.axes
        )
        return f"<Inversion of {windows}: {counted(sum(map(len, self.sizes)), 'size')}>"


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
    without sizes a small ladder is worked out. Raises `InvalidWindow`, a GeometryError, for values out of range
    or numbers of axes that disagree, `KernelTooLarge` for a size that the window does not fit.
    Source: Dumoulin & Visin 2016, arXiv:1603.07285, relationships 13 and 14.

    >>> result = invert(kernel=7, stride=2, padding=3, sizes=[224])
    >>> result
    <Inversion of k7 s2 p3:3 d1: 1 size>
    >>> result.axes[0].zeros_between, result.axes[0].transposed_padding, result.sizes[0][0].output_padding
    (1, (3, 3), 1)
    """
    return made(Inversion, inversions.invert(kernel, stride, padding, dilation, sizes))
