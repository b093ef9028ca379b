"""`forensics`: which single reading gives most cells of a printed table, and how much of that chance gives too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..analysis import forensic_answers
from ..analysis import forensics as searches
from ..network import described
from ..units import counted
from .load import Spec, network_of
from .shown import Shown, made

if TYPE_CHECKING:
    from ..network import Network
    from ..render.document import Document

SHOWN = 10
"""Readings of each question that are kept."""


class Forensics(Shown, forensic_answers.Forensics):
    """The readings that were found, best first, in `answers`. Printed, they are what `convcalc forensics` prints.

    >>> import convcalc
    >>> convcalc.forensics("lenet5")  # all of its printed cells follow
    <Forensics LeNet-5: 1×32×32 → 10, 0 questions>
    """

    def _document(self, width: int | None) -> Document:
        from ..render.forensics import forensics_document

        return forensics_document(self)

    def __repr__(self) -> str:
        found = [f"{answer.best} of {len(answer.now)}" for answer in self.answers]
        best = f": {', '.join(found)} cells" if found else ""
        return f"<Forensics {described(self.network)}, {counted(len(self.answers), 'question')}{best}>"


class Search(searches.Search):
    """A search that is ready to run."""

    def run(self, top: int = SHOWN, starts: Callable[[str, int], None] | None = None) -> Forensics:
        """Search; `starts` is told name and work of each network that is tried."""
        return made(Forensics, super().run(top, starts))


def plan(
    network: Network,
    *,
    table: str | int | None = None,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    widths: Mapping[str, Sequence[int]] | None = None,
    every: bool = False,
) -> Search:
    """What `forensics` searches under these arguments. Raises UsageError, SpecError."""
    chosen = None if table is None else str(table)
    return Search(network, table=chosen, rows=rows, columns=columns, widths=widths, every=every)


def forensics(
    spec: Spec,
    *,
    table: str | int | None = None,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    widths: Mapping[str, Sequence[int]] | None = None,
    every: bool = False,
    top: int = SHOWN,
    starts: Callable[[str, int], None] | None = None,
) -> Forensics:
    """Search the printed tables of a spec for single readings that give more of their cells.

    Tried are what may have been counted, units of 1000 and 1024, roundings, the spec's variants, its params that take
    words and truth values, and `widths` of single layers: path -> numbers of channels. `table` is a number, from 1, or
    the beginning of a title; `rows` (keys or labels) and `columns` choose cells; with `every` cells are searched too
    that all follow. `top` readings are kept of each question; `starts` is told of each network that is tried. Raises
    UsageError for what there is not, SpecError where a reading of the spec cannot be.

    >>> answer = forensics("shufflenet_v2", table=1, rows=["total"], every=True).answers[0]
    >>> answer.best, len(answer.now), str(answer.found[2].reading)
    (4, 4, 'value macs, round up, unit M: 1000000')
    """
    search = plan(network_of(spec), table=table, rows=rows, columns=columns, widths=widths, every=every)
    return search.run(top, starts)
