"""Published tables: unlisted differences, listed ones that are none any more, failing explanations (CC302-304, 306)."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.published import Cell, Comparison, TableResult
from ..findings import Finding, SpecError, UsageError
from .builds import Builds


def check_published(builds: Builds) -> list[Finding]:
    """Findings about the printed tables of a spec."""
    if builds.origin.section("published") is None:
        return []
    builds.report()
    try:
        tables = Comparison(builds.network, builds.reports).tables()
    except SpecError as error:
        return list(error.findings)
    except UsageError as error:
        return [builds.origin.finding_at("CC306", error.message, builds.origin.section("published"), hint=error.hint)]
    return [finding for table in tables for finding in _table(builds, table)]


def _table(builds: Builds, result: TableResult) -> Iterator[Finding]:
    origin = builds.origin
    for row, column, cell in result.differing():
        place = f"{row}, {column}"
        computed = f"'{cell.computed}'" if cell.computed else "nothing"
        if cell.difference is None:
            message = f"{place}: printed '{cell.printed.text}', computed {computed}"
            hint = f'correct the spec, or list it: differs: [{{row: "{row}", column: "{column}", reason: "..."}}]'
            yield origin.finding_at("CC302", message, cell.printed.written, hint=hint)
        elif cell.explained is False:
            message = (
                f"{place}: {cell.difference.explanation} does not give the printed '{cell.printed.text}'; "
                f"without it {computed}"
            )
            hint = "correct the explanation, or leave the reason alone"
            yield origin.finding_at("CC304", message, cell.difference.written, hint=hint)
    for row, column, cell in _equal_but_listed(result):
        assert cell.difference is not None
        message = f"{row}, {column}: the printed '{cell.printed.text}' is computed too, and listed as different"
        yield origin.finding_at("CC303", message, cell.difference.written, hint="remove it from 'differs'")
    for difference in result.stray:
        message = f"the table has no compared cell in row '{difference.row}', column '{difference.column}'"
        yield origin.finding_at(
            "CC306", message, difference.written, hint="row is the row's key or label, column a heading"
        )


def _equal_but_listed(result: TableResult) -> Iterator[tuple[str, str, Cell]]:
    for row, cells in zip(result.table.rows.values(), result.rows, strict=True):
        for heading, cell in zip(result.table.columns, cells, strict=True):
            if cell.status == "equal" and cell.difference is not None:
                yield row.label, heading, cell
