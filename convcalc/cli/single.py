"""One network as `table` shows it: a tree, its layers or stages, or its printed tables beside the computed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import UsageError
from .options import number
from .output import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..analysis.figures import Subject
    from ..analysis.report import Report
    from ..analysis.tree import Row
    from ..render.document import Document
    from .columns import View


class Rows:
    """What stands in the rows: which of the network's parts, or its printed tables. Raises UsageError."""

    def __init__(
        self,
        by: str | None,
        depth: str | None,
        published: bool | None,
        flat: bool,
        given: Sequence[str],
        format: str,
    ) -> None:
        if by is not None and depth is not None:
            raise UsageError("--depth is of the tree: it goes without --by")
        if depth is not None and format == "json":
            raise UsageError("--depth is of the tree: json has all layers and all stages")
        if published and given:
            raise UsageError(f"--published shows the tables as they are printed: it goes without {', '.join(given)}")
        self.first = "stage" if by == "stage" else "layer"
        """What a row stands for where all stand for one thing each."""
        self.flat = flat
        """Whether they do, else they are a tree."""
        self.fits = depth is None
        """Whether the tree has the levels that fit the screen."""
        self.levels = None if depth is None else _levels(depth)
        self.published = published
        """Whether printed tables were asked for, or the network itself."""
        self.given = given
        """The options that change which rows and columns there are."""


def show(report: Report, view: View, rows: Rows) -> None:
    """Print a network. Raises UsageError where printed tables are asked for and there are none."""
    from ..render.first_screen import windowed

    quantities = view.quantities if view.asked else windowed(report.network, view.quantities)
    if rows.published:
        _refuse_unpublished(report)
    view = view._replace(quantities=quantities)

    def data() -> Mapping[str, object]:
        from ..analysis.tree import arranged

        columns = quantities if view.asked else None
        if view.by is None and view.top is None:
            return report.streamed(columns=columns, judged=bool(rows.published))
        layers, stages = (arranged(report, found, view.by, view.top) for found in (report.layers, report.stages))
        return report.streamed(layers, stages, columns, bool(rows.published))

    write(view.format, lambda: _document(report, view, rows), data)


def _document(report: Report, view: View, rows: Rows) -> Document:
    from ..render import table

    signs = table.legend(()) if view.legend else []
    if rows.published:
        below = [table.judged_line(report)] if report.skipped else ()
        return table.published_document(report, report.judged, below, signs)
    if rows.published is None and not rows.given and view.format != "csv" and report.outlines:
        return table.published_document(report, report.outlines, [table.others_line(report)], signs)
    return _flat(report, view, rows) if rows.flat else _tree(report, view, rows)


def _flat(report: Report, view: View, rows: Rows) -> Document:
    """Layers or stages, a row each."""
    from ..analysis.tree import arranged, tree
    from ..render import table

    remarks = _remarks(report, view)
    stages = rows.first == "stage"
    subjects = arranged(report, report.stages if stages else report.layers, view.by, view.top)
    if view.drawn:
        return _drawn(report, [(subject.name, subject) for subject in subjects], view, rows.first, remarks)
    if view.format == "csv":
        return table.values_rows(report, subjects, view.quantities, rows.first)
    if view.format != "text":
        return table.values_document(report, subjects, view.quantities, rows.first, remarks)
    return table.tree_document(
        report,
        tree(report, view.quantities, 1, view.by, view.top)
        if stages
        else table.layer_rows(report, subjects, view.quantities),
        view.quantities,
        table.share_of(view.quantities, view.by),
        labels=rows.first,
        exact=view.exact,
        total=view.asked,
        remarks=remarks,
    )


def _tree(report: Report, view: View, rows: Rows) -> Document:
    from ..render import table

    found = _rows(report, view, rows)
    if view.drawn:
        subjects = table.labelled(found) if len(view.drawn) == 1 else table.leaves(found)
        return _drawn(report, subjects, view, rows.first, _remarks(report, view))
    if view.format == "csv":
        return table.tree_rows(found, view.quantities)
    text = view.format == "text"
    return table.tree_document(
        report,
        found,
        view.quantities,
        table.share_of(view.quantities, view.by),
        exact=view.exact or not text,
        total=view.asked or not text,
        remarks=_remarks(report, view),
        below=_below(report, found, view, rows),
    )


def _rows(report: Report, view: View, rows: Rows) -> list[Row]:
    """The rows of the tree: so many levels, or those that fit the screen."""
    from ..analysis.tree import fitting, tree
    from ..render.first_screen import AROUND
    from ..render.streams import PIPED_LINES, screen_lines

    if not rows.fits:
        return tree(report, view.quantities, rows.levels, view.by, view.top)
    lines = screen_lines() if view.format == "text" else PIPED_LINES
    return fitting(report, view.quantities, lines - AROUND, view.by, view.top)


def _drawn(
    report: Report, subjects: Sequence[tuple[str, Subject]], view: View, first: str, remarks: list[str]
) -> Document:
    """One quantity of labelled subjects as bars, or the second over the first as a scatter."""
    from ..render import table

    x, y = view.drawn[0], view.drawn[-1]
    if len(view.drawn) == 1:
        block = table.bars(x, [(label, x.get(report, subject)) for label, subject in subjects])
        return table.drawn_document(report, block, (), remarks)
    values = [(label, x.get(report, subject), y.get(report, subject)) for label, subject in subjects]
    return table.drawn_document(report, *table.scatter(x, y, values, first, view.exact), remarks)


def _below(report: Report, found: Sequence[Row], view: View, rows: Rows) -> list[str]:
    """What is said below a tree: of the printed tables that it stands for, else how a long one gets short."""
    from ..analysis.tree import size
    from ..render.first_screen import about_published
    from ..render.streams import screen_lines

    if rows.published is False or rows.given not in ([], ["--depth"]):
        return []
    if about := about_published(report):
        return about
    long = view.format == "text" and size(found) > screen_lines()
    return ["the rows with most macs alone: --sort macs --top 10"] if long else []


def _remarks(report: Report, view: View) -> list[str]:
    """What stands behind the totals: of this network under columns that were asked for, and what the figures mean."""
    if not view.legend and not view.asked:
        return []
    from ..analysis.quantities import remarks
    from ..render import table

    shown = view.drawn or view.quantities
    found = remarks(report, shown)
    return [*found, *table.legend(shown)] if view.legend else found


def _refuse_unpublished(report: Report) -> None:
    """Raise UsageError where there are no printed tables to show."""
    if not report.judged:
        raise UsageError(f"--published: {report.network.name} has no printed tables")


def _levels(text: str) -> int | None:
    """The levels of `--depth`; None for all. Raises UsageError."""
    if text == "all":
        return None
    levels = number("--depth", text, "a number of levels, or all")
    if levels < 1:
        raise UsageError("--depth is at least 1: the stages")
    return levels
