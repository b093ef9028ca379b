"""`solve`: every layer that maps one size to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..geometry import solve as solving
from .shown import Shown, made

if TYPE_CHECKING:
    from ..render.document import Document

SHOWN = 20
"""Solutions that are printed."""


class Search(Shown, solving.Search):
    """The layers that map the sizes: iterate over it, or ask for the `best`. Printed, it is `convcalc solve`.

    >>> import convcalc
    >>> search = convcalc.solve(112, 56, kernel=range(3, 4))
    >>> [(layer.kernel_size, layer.stride, layer.before) for layer in search.best(2)]
    [(3, 2, 1), (3, 2, 2)]
    """

    __slots__ = ()

    def _document(self, width: int | None) -> Document:
        from ..render.solve import solutions_document

        return solutions_document(self, self.best(SHOWN), self.count())

    def __repr__(self) -> str:
        what = "transposed convolutions" if self.transposed else "convolutions"
        read, made = ("×".join(map(str, sizes)) for sizes in (self.input, self.output))
        return f"<Search {what} {read} → {made}>"


def solve(
    input: int | Sequence[int],
    output: int | Sequence[int],
    *,
    kernel: int | range = solving.KERNELS,
    stride: int | range = solving.STRIDES,
    padding: int | range | None = None,
    dilation: int | range = solving.DILATIONS,
    transposed: bool = False,
    asymmetric: bool = False,
    exact: bool = False,
) -> Search:
    """Every layer that maps `input` to `output`: an iterable that finds its solutions as it is read.

    Several sizes are several axes, which one layer must serve at once. Ranges are Python's: `range(1, 8)` is 1 … 7.
    `.best(limit)` sorts by preference, what people use first; `asymmetric` also has paddings with one more after than
    before, `exact` leaves out what leaves something over. Raises `InvalidWindow`, a GeometryError, for ranges that are
    empty, start below 1 (padding: 0) or span more than a million combinations.

    >>> solve(224, 112)
    <Search convolutions 224 → 112>
    >>> [first[:3] for first in solve(224, 112).best(4)]
    [(1, 2, 0), (2, 2, 0), (3, 2, 1), (4, 2, 1)]
    """
    found = solving.solve(
        input,
        output,
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        transposed=transposed,
        asymmetric=asymmetric,
        exact=exact,
    )
    return made(Search, found)
