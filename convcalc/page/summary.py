"""What the page shows first: the totals of a network, and its tree down to every layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.figures import find
from ..analysis.quantities import QUANTITIES
from ..analysis.tree import fitting, size, tree
from ..render.document import described_as, share_text
from ..render.first_screen import windowed
from ..render.table import COUNTED, share_of, tree_block
from ..units import scaled, scaled_bytes
from .environment import MOST_ROWS

if TYPE_CHECKING:
    from ..analysis.diff import Difference
    from ..analysis.figures import Subject
    from ..analysis.quantity import Quantity
    from ..analysis.report import Report
    from ..analysis.tree import Row

COLUMNS = ("name", "kind", "patch", "output", "receptive_field", "live", "activation", "params", "flops", "macs")
TOTALS = ("params", "macs", "flops", "activation", "live", "depth")
LABELS = {"activation": "activations", "live": "peak memory", "depth": "depth", "time": "least time"}
"""Quantity -> what its total is called, where that is another name."""
OPEN_ROWS = 32
"""Rows that are unfolded at first."""


class Total(NamedTuple):
    """A figure of the whole network."""

    label: str
    short: str
    exact: str
    meaning: str


class Line(NamedTuple):
    """A row of the tree."""

    level: int
    label: str
    path: str
    what: str
    cells: tuple[str, ...]
    share: str
    """In per cent."""
    opens: bool
    """Whether rows stand below it."""
    open: bool
    """Whether these are shown at first."""
    change: str
    """`added` or `changed` against the other network; empty for what is the same."""
    subject: Subject
    """Whose page it leads to: of several equal ones the first."""


class Summary(NamedTuple):
    """The tree as a table."""

    columns: tuple[Quantity, ...]
    lines: list[Line]
    last: tuple[str, ...]
    """Cells of the whole network."""
    shared: str
    """The quantity whose share is drawn."""
    counted: frozenset[str]
    """Units of the columns whose figures are shown short."""
    missing: int
    """Layers that have no row of their own or with their equals, since there are too many."""


def totals(report: Report) -> list[Total]:
    """The figures of the whole network, short and exact."""
    names = (*TOTALS, *(("time",) if report.device is not None else ()))
    found = []
    for name in names:
        quantity = QUANTITIES[name]
        value = quantity.get(report, report.whole)
        if not isinstance(value, int):
            continue
        in_bytes = quantity.unit == "bytes"
        exact = f"{value:,} {'B' if in_bytes else 'ns' if quantity.unit == 'ns' else ''}".rstrip()
        short = scaled_bytes(value) if in_bytes else scaled(value) if quantity.unit != "ns" else exact
        found.append(Total(LABELS.get(name, name), short, exact, f"{quantity.meaning} ({quantity.unit})"))
    return found


def summary(report: Report, difference: Difference | None = None) -> Summary:
    """The tree of a report down to every layer; where that is too long, as deep as `MOST_ROWS` allow. Its rows say what
    of them is new or changed where it is compared.
    """
    names = (*COLUMNS, *(("time", "bound") if report.device is not None else ()))
    quantities = windowed(report.network, [QUANTITIES[name] for name in names])
    rows = tree(report, quantities, None)
    missing = 0
    if size(rows) > MOST_ROWS:
        rows = fitting(report, quantities, MOST_ROWS, top=MOST_ROWS)
        missing = len(report.layers) - sum(row.times for row in leaves(rows))
    block = tree_block(report, rows, quantities, share_of(quantities, None), exact=True, total=True)
    opened = first_open(report, rows)
    status = {} if difference is None else {layer.after: layer.status for layer in difference.layers if layer.after}
    lines = []
    for row, grown in zip(block.rows, preorder(rows), strict=True):
        shown = grown.subject if grown.times > 1 else find(report, grown.path) or grown.subject
        lines.append(
            Line(
                row.level,
                row.label,
                grown.path,
                described_as(row),
                row.cells,
                share_text(row.share),
                bool(grown.rows),
                id(grown) in opened,
                _change(report, shown, status),
                shown,
            )
        )
    columns = tuple([quantity for quantity in quantities if quantity.name not in ("name", "kind")])
    return Summary(columns, lines, block.total, block.share, COUNTED | {"bytes"}, missing)


def _change(report: Report, subject: Subject, status: Mapping[str, str]) -> str:
    """What happened to a subject: `added` where all of it is new."""
    if not status:
        return ""
    found = {status.get(report.node(index).name, "same") for index in subject.nodes}
    if found == {"added"}:
        return "added"
    return "changed" if found & {"added", "changed"} else ""


def preorder(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows, each with those below it behind it."""
    for row in rows:
        yield row
        yield from preorder(row.rows)


def leaves(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows that nothing stands below."""
    return (row for row in preorder(rows) if not row.rows)


def first_open(report: Report, rows: Sequence[Row]) -> set[int]:
    """The identities of the rows that are unfolded at first: level by level those of several windows or weights, as
    long as `OPEN_ROWS` have room."""
    opened: set[int] = set()
    shown, level = len(rows), list(rows)
    while level:
        opening = [row for row in level if row.rows and _cores(report, row) > 1]
        below = [inner for row in opening for inner in row.rows]
        shown += len(below)
        if not below or shown > OPEN_ROWS:
            break
        opened.update(map(id, opening))
        level = below
    return opened


def _cores(report: Report, row: Row) -> int:
    """Layers of a row that slide a window or multiply."""
    layers = (report.node(index).layer for index in row.subject.nodes)
    return sum(layer is not None and (layer.weighted or layer.patch is not None) for layer in layers)
