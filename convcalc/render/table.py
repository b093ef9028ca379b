"""`table` as a document: the tree, layers or stages, one column as bars, printed tables beside computed ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ..analysis.figures import Figures, Subject
from ..analysis.quantity import Quantity, Shaped, Value, number
from ..analysis.tree import Row, sort_key
from ..findings import UsageError
from ..hints import shortened
from ..network import sizes, unknown_costs
from ..units import amount, counted, scaled, scaled_bytes, scaled_time
from .document import (
    ZERO,
    Axis,
    Bar,
    Bars,
    Block,
    Column,
    Document,
    Heading,
    Note,
    Notes,
    Point,
    Scatter,
    Table,
    Tree,
    TreeRow,
)

if TYPE_CHECKING:
    from ..analysis.published import Cell, TableResult
    from ..analysis.report import Report
    from ..network import Network


SCALES = "K, M, G: 10^3, 10^6, 10^9; KiB, MiB: 2^10, 2^20 bytes; ·: 0"
"""The signs of cells."""
SHARED = "shared"
"""Stands for weights that another layer holds, and counts."""
SIGNS = (
    f"{SCALES}; each: the figures of one of several equal ones",
    f"{SHARED}: it has the weights of another layer, which counts them; the column shares names that layer",
    "below: exact totals; what the params take at --dtype; the most that is alive at inference, and where",
)
"""What stands in every tree and below it."""
MOST_TITLE = 30
"""Characters of a printed table's number that one line names it by."""
COUNTED = frozenset({"numbers", "MACs", "FLOPs", "multiplications", "products", "elements"})
"""Units of counts that a tree gives to three digits."""


def tree_document(
    report: Report,
    rows: Sequence[Row],
    quantities: Sequence[Quantity],
    shared: Quantity | None,
    *,
    labels: str = "layer",
    exact: bool = False,
    total: bool = False,
    remarks: Iterable[str] = (),
    below: Iterable[str] = (),
) -> Document:
    """The rows of a tree under quantities, and what the whole network has.

    `shared` is the quantity whose share is drawn; `exact` shows integers; `total` adds a row of what adds up, `below`
    what was left out. `remarks` stand under all of it.
    """
    block = tree_block(report, rows, quantities, shared, labels, exact, total)
    return _about(report, (block,), below, remarks)


def layer_rows(report: Report, layers: Sequence[Subject], quantities: Sequence[Quantity]) -> list[Row]:
    """Layers below each other by their whole paths, as rows of a tree."""
    rows = []
    for layer in layers:
        name, kind = layer.name, report.node(layer.nodes[0]).kind
        values = tuple([None if quantity.words else quantity.get(report, layer) for quantity in quantities])
        rows.append(Row(layer, name, name, "" if kind == name.rpartition(".")[2] else kind, values))
    return rows


def tree_block(
    report: Report,
    rows: Sequence[Row],
    quantities: Sequence[Quantity],
    shared: Quantity | None,
    labels: str = "layer",
    exact: bool = False,
    total: bool = False,
) -> Tree:
    """The rows with their cells as text."""
    places = [i for i, quantity in enumerate(quantities) if quantity.name not in ("name", "kind")]
    described = any(quantity.name == "kind" for quantity in quantities)
    columns = [Column(quantities[i].heading, "left" if quantities[i].name == "patch" else "right") for i in places]
    whole = None if shared is None else shared.get(report, report.whole)
    found: list[TreeRow] = []

    def add(rows: Sequence[Row], level: int) -> None:
        for row in rows:
            cells = tuple([_row_cell(report, row, i, quantities[i], exact) for i in places])
            share = None
            if shared is not None and isinstance(whole, int) and whole:
                part = shared.get(report, row.subject)
                share = Fraction(part, whole) if isinstance(part, int) else None
            what = row.what if described else ""
            found.append(
                TreeRow(level, row.label, row.path, what, cells, share, row.times > 1, level == 0 and bool(row.rows))
            )
            add(row.rows, level + 1)

    add(rows, 0)
    last: tuple[str, ...] = ()
    if total and any(quantities[i].total for i in places):
        kept = [quantities[i] for i in places]
        last = tuple([cell_text(q.get(report, report.whole), q, exact) if q.total else "" for q in kept])
    return Tree(labels, columns, tuple(found), "" if shared is None else shared.heading, last)


def _row_cell(report: Report, row: Row, place: int, quantity: Quantity, exact: bool) -> str:
    """A value of a row as its cell: `SHARED` where it counts nothing, since others hold what it has."""
    value = row.values[place]
    if quantity.held and value == 0:
        holders = report.shared(row.subject)
        if any(quantity.get(report, Subject("", (i,), i)) for i in holders):
            return SHARED
    return cell_text(value, quantity, exact)


def cell_text(value: Value, quantity: Quantity, exact: bool) -> str:
    """A value as a cell of a tree: counts and bytes to three digits unless `exact`, and nothing at all as a dot."""
    if quantity.total and value == 0 and not exact:
        return ZERO
    short = count_text(value, quantity.unit, exact) if isinstance(value, int) else None
    return value_text(value, unit=quantity.unit) if short is None else short


def count_text(count: int, unit: str, exact: bool) -> str | None:
    """A count or a size as a cell: to three digits unless `exact`; None for what is written as it is.

    >>> count_text(7002000, "MACs", False), count_text(9216, "bytes", True), count_text(3, "layers", False)
    ('7.00 M', '9,216 B', None)
    >>> count_text(1421, "ns", False), count_text(1421, "ns", True)
    ('1.42 µs', '1,421 ns')
    """
    if unit == "bytes":
        return f"{count:,} B" if exact else scaled_bytes(count)
    if unit == "ns":
        return f"{count:,} ns" if exact else scaled_time(count)
    return scaled(count) if unit in COUNTED and not exact else None


def share_of(quantities: Sequence[Quantity], by: Quantity | None) -> Quantity | None:
    """The quantity whose share is drawn: the one that rows are sorted by, else the last that adds up."""
    adding = [quantity for quantity in (*quantities, by) if quantity is not None and quantity.total == "sum"]
    return adding[-1] if adding else None


def values_document(
    report: Report,
    subjects: Sequence[Subject],
    quantities: Sequence[Quantity],
    first: str,
    remarks: Iterable[str] = (),
) -> Document:
    """Subjects as rows, quantities as columns, in exact figures, and what the whole network has."""
    return _about(report, (values_table(report, subjects, quantities, first=first),), (), remarks)


def values_rows(report: Figures, subjects: Sequence[Subject], quantities: Sequence[Quantity], first: str) -> Document:
    """The rows alone with raw numbers, for programs."""
    return Document((values_table(report, subjects, quantities, raw=True, total=False, first=first),))


def tree_rows(rows: Sequence[Row], quantities: Sequence[Quantity]) -> Document:
    """The rows of a tree alone with raw numbers, for programs: paths of those that stand for several say which."""
    found: list[list[str]] = []

    def add(rows: Sequence[Row]) -> None:
        for row in rows:
            words = {"name": row.path, "kind": row.what}
            cells = zip(quantities, row.values, strict=True)
            found.append([words.get(q.name, value_text(value, raw=True)) for q, value in cells])
            add(row.rows)

    add(rows)
    return Document((Table([Column("layer" if q.name == "name" else q.heading) for q in quantities], found),))


def published_document(
    report: Report, results: Sequence[TableResult], below: Iterable[str] = (), remarks: Iterable[str] = ()
) -> Document:
    """Printed tables beside the computed ones."""
    return _about(report, tuple(published_table(result) for result in results), below, remarks)


def drawn_document(report: Report, drawn: Block, left_out: Iterable[str] = (), remarks: Iterable[str] = ()) -> Document:
    """Bars or a scatter of one report's figures below its heading."""
    said = [Notes(tuple(Note(text, "dim") for text in texts)) for texts in (left_out, remarks) if texts]
    return Document((heading(report), drawn, *said))


def bars(drawn: Quantity, values: Sequence[tuple[str, Value]]) -> Bars:
    """One quantity's labelled values as bars. Raises UsageError where they are no numbers."""
    lengths = [_number(value) for _, value in values]
    if values and all(length is None for length in lengths):
        raise UsageError(f"--plot draws numbers, and '{drawn.heading}' has none here", "for example --plot macs")
    title = f"{drawn.heading}{f' ({drawn.unit})' if drawn.unit else ''}: {drawn.meaning}"
    return Bars(
        title,
        tuple(
            Bar(label, length, value_text(value, unit=drawn.unit))
            for (label, value), length in zip(values, lengths, strict=True)
        ),
    )


def scatter(
    x: Quantity, y: Quantity, values: Sequence[tuple[str, Value, Value]], first: str, exact: bool
) -> tuple[Scatter, list[str]]:
    """Labelled pairs of two quantities' values as a scatter, and what is said of those that are not in it.

    A pair without a number, or with a 0, is left out. Raises UsageError where none is left.
    """
    points, others = [], []
    for label, *pair in values:
        places = [_number(value) for value in pair]
        if places[0] and places[1]:
            written = (cell_text(pair[0], x, exact), cell_text(pair[1], y, exact))
            points.append(Point(label, places[0], places[1], written))
        else:
            others.append(label)
    if not points:
        names = f"'{x.heading}' and '{y.heading}'"
        raise UsageError(
            f"--plot draws numbers above 0, and nothing here has {names}", "for example --plot params,macs"
        )
    more = f"not drawn, since {x.heading} or {y.heading} is 0 or missing: {len(others)}"
    axes = [Axis(each.heading, _drawn_unit(each, [pair[i] for _, *pair in values])) for i, each in enumerate((x, y))]
    return Scatter(axes[0], axes[1], tuple(points), first), [more] if others else []


def _drawn_unit(quantity: Quantity, values: Iterable[Value]) -> str:
    """The unit of what is drawn: of shapes the product of their axes is."""
    shapes = any(isinstance(value, Shaped) and isinstance(value.raw, tuple) for value in values)
    return f"{quantity.unit.removesuffix(' an axis')}, all axes" if shapes and quantity.unit else quantity.unit


def _number(value: Value) -> int | Fraction | None:
    """What is drawn of a value: its number, or the elements of its shape."""
    key = sort_key(value)
    return key if isinstance(key, (int, Fraction)) else None


def labelled(rows: Sequence[Row], level: int = 0) -> list[tuple[str, Subject]]:
    """The rows of a tree with their labels set in."""
    found: list[tuple[str, Subject]] = []
    for row in rows:
        found.append(("  " * level + row.label + (" each" if row.times > 1 else ""), row.subject))
        found += labelled(row.rows, level + 1)
    return found


def leaves(rows: Sequence[Row], each: bool = False) -> list[tuple[str, Subject]]:
    """The rows of a tree that nothing stands below, by their paths; those of several equal ones are of `each`."""
    found: list[tuple[str, Subject]] = []
    for row in rows:
        several = each or row.times > 1
        found += leaves(row.rows, several) if row.rows else [(row.path + " each" * several, row.subject)]
    return found


def columns_document(groups: Mapping[str, Iterable[Quantity]], limit: int | None) -> Document:
    """Every column with its unit and meaning, under what it is about, in lines of at most `limit` columns."""
    rows: list[list[str]] = []
    heads: dict[tuple[int, int], str] = {}
    headings = ("column", "unit", "meaning")
    for about, quantities in groups.items():
        heads[len(rows), 0] = "bold"
        rows.append([about, "", ""])
        rows += [[f"  {each.name}", each.unit, each.described] for each in quantities]
    from .hanging import hanging

    hung, first = hanging(headings, rows, limit)
    styles = {(first[row], column): style for (row, column), style in heads.items()}
    rules = frozenset(row for row, _ in styles) - {0}
    return Document((Table(tuple(map(Column, headings)), hung, styles=styles, rules=rules),))


def _about(report: Report, blocks: tuple[Block, ...], below: Iterable[str], remarks: Iterable[str]) -> Document:
    """Blocks of a report between its heading and what the whole network has, and remarks behind that."""
    footer = (totals_note(report), *_unknown_note(report), memory_note(report), *(Note(text, "dim") for text in below))
    *first, last = blocks
    ended: list[Block] = [last._replace(notes=footer)] if isinstance(last, Tree) else [last, Notes(footer)]
    notes = tuple(Note(text, "dim") for text in remarks)
    return Document((heading(report), *first, *ended, *([Notes(notes)] if notes else [])))


def legend(quantities: Iterable[Quantity], signs: Sequence[str] = SIGNS) -> list[str]:
    """What the figures of these quantities mean, a line each, and what the signs and the lines below them do."""
    from ..analysis.report import CONVENTIONS

    lines = []
    for quantity in quantities:
        if quantity.name in ("name", "kind"):
            continue
        said = CONVENTIONS.get(quantity.name, quantity.meaning)
        unit = f" ({quantity.unit})" if quantity.unit else ""
        lines.append(f"{quantity.heading}{unit}: {said}" + (f"; {quantity.note}" if quantity.note else ""))
    return [*lines, *signs]


def value_text(value: Value, raw: bool = False, unit: str = "") -> str:
    """A value as a cell: integers with thousands separators (or `raw`), shapes as [channels, *space] joined by ×.

    >>> value_text(1582671872), value_text(None)
    ('1,582,671,872', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if raw else amount(value, unit)
    if isinstance(value, Shaped):
        if isinstance(value.raw, tuple) and "n" in value.parts:
            return "×".join(map(str, value.raw)) or "[]"
        return value.written()
    if isinstance(value, Fraction):
        return str(value)
    return value


def values_table(
    report: Figures,
    subjects: Sequence[Subject],
    quantities: Sequence[Quantity],
    *,
    raw: bool = False,
    total: bool = True,
    first: str = "layer",
) -> Table:
    """Subjects as rows, quantities as columns; a last row re-adds what adds up."""
    values = [[quantity.get(report, subject) for quantity in quantities] for subject in subjects]
    numeric = [any(number(row[i]) is not None for row in values) for i in range(len(quantities))]
    columns = [
        Column(
            first if quantity.name == "name" else quantity.heading,
            "right" if numeric[i] else "left",
            quantity.words,
        )
        for i, quantity in enumerate(quantities)
    ]

    def written(value: Value, quantity: Quantity) -> str:
        return value_text(value, raw=True) if raw else cell_text(value, quantity, exact=True)

    rows = [list(map(written, row, quantities)) for row in values]
    if not total or not any(quantity.total for quantity in quantities):
        return Table(columns, rows)
    last = [
        "total" if q.name == "name" else written(q.get(report, report.whole), q) if q.total else "" for q in quantities
    ]
    return Table(columns, [*rows, last], rules=frozenset({len(rows)}), styles={(len(rows), 0): "bold"})


def heading(report: Figures) -> Heading:
    """What the report is about: name, variant, what goes in and comes out, and the source."""
    network = report.network
    variant = f" · {network.variant}" if network.variant else ""
    read = shapes_text(network.inputs, "input", "inputs")
    made = shapes_text({output.name: network.nodes[output.node].shape for output in network.outputs}, "", "outputs")
    return Heading(network.name + variant, rest=f"   {read} → {made}{at_text(report)}", source=source_text(report))


def source_text(report: Figures) -> str:
    """Where a network comes from, on one line."""
    return " ".join((report.network.source or "").split())


def at_text(report: Figures) -> str:
    """At which batch and type figures are taken, where these are not the usual ones."""
    batch = f", batch {report.batch}" if report.batch != 1 else ""
    return batch + (f", {report.dtype}" if report.dtype != "float32" else "")


def shapes_text(shapes: Mapping[str, Sequence[int]], unnamed: str, many: str) -> str:
    """Shapes with their names, or how many there are where that is more than two."""
    if len(shapes) > 2:
        return f"{len(shapes)} {many}"
    named = len(shapes) > 1
    return ", ".join(
        f"{name} {sizes(tuple(shape))}" if named or (unnamed and name != unnamed) else sizes(tuple(shape))
        for name, shape in shapes.items()
    )


def totals_note(report: Report) -> Note:
    """The exact totals in one line."""
    totals = report.totals
    depth = report.depth(range(len(report.network.nodes)))
    counted = f"{totals.params:,} params · {totals.macs:,} macs"
    return Note(f"{counted} · {totals.flops:,} flops · depth {depth}", "bold", shorter=f"{counted} · depth {depth}")


def _unknown_note(report: Report) -> Iterator[Note]:
    """How many layers have weights and no known cost, in a line of its own."""
    text = unknown_text(report.network, 3)
    if text is not None:
        yield Note(text, "yellow")


def unknown_text(network: Network, most: int) -> str | None:
    """Which layers have weights and no known cost, the first few by name; None where there are none."""
    unknown = unknown_costs(network)
    if not unknown:
        return None
    names = shortened((finding.where for finding in unknown), most)
    return f"without the macs of {counted(len(unknown), 'opaque layer')} with weights: {names}"


def memory_note(report: Report) -> Note:
    """What the params take, and the most that is alive at inference, and where, in one line."""
    if report.dtype == "int8":
        return _controller_note(report)
    params = amount(report.totals.params * report.item, "bytes")
    live = report.liveness
    peak = amount(live.live[live.peak] * report.batch * report.item, "bytes")
    place = report.network.nodes[live.peak]
    said = f"{params} params · {peak} peak"
    return Note(f"{said} ({place.name})", shorter=f"{said} (in {place.stage})")


def _controller_note(report: Report) -> Note:
    """The flash and the arena of a microcontroller, and where most of that is alive, in one line."""
    from ..analysis.controller import Controller

    plan = Controller(report)
    arena = plan.arena.bound if plan.arena.size is None else plan.arena.size
    place = plan.place(plan.arena.peak)
    said = f"microcontroller: flash {amount(plan.flash.total, 'bytes')} · RAM {amount(arena, 'bytes')}"
    return Note(f"{said} ({place})", shorter=f"{said} (in {place.partition('.')[0]})")


def skipped_line(report: Report) -> str:
    """Which options keep the printed tables from being compared."""
    return f"published tables skipped: they describe the spec without {', '.join(report.skipped)} (--published)"


def judged_line(report: Report) -> str:
    """Under which options printed tables are compared that describe the spec without them."""
    return f"computed under {', '.join(report.skipped)}; the printed tables describe the spec without"


def followed_line(results: Sequence[TableResult]) -> str:
    """How many cells of printed tables follow, in one line."""
    titles = list(dict.fromkeys(result.table.title.partition(":")[0] for result in results))
    cells, reproduced = sum(result.cells for result in results), sum(result.reproduced for result in results)
    what = titles[0] if len(titles) == 1 and len(titles[0]) <= MOST_TITLE else f"{len(results)} printed tables"
    return f"{what}: {reproduced} of {cells} printed cells follow (--published)"


def others_line(report: Report) -> str:
    """What is said below the printed tables that are the first screen: how others follow, and where the network is."""
    others = [result for result in report.published if result not in report.outlines]
    if not others:
        return "the network itself: --layers"
    cells, reproduced = sum(result.cells for result in others), sum(result.reproduced for result in others)
    return f"other tables: {reproduced} of {cells} printed cells follow (--published); the network: --layers"


def published_table(result: TableResult) -> Table:
    """A printed table with the computed text beside every printed cell that differs.

    The rows' labels stand in a column of their own unless the table's first column is text that names them.
    """
    table = result.table
    labelled = not next((column.ignored for column in table.columns.values()), False)
    columns = [Column("")] * labelled
    for place, heading in enumerate(table.columns):
        printed = [row.cells[place].text for row in table.rows.values()]
        columns.append(Column(heading, "right" if _are_numbers(printed) else "left"))
    rows, styles = [], {}
    for r, (row, cells) in enumerate(zip(table.rows.values(), result.rows, strict=True)):
        texts = [row.label] * labelled + [cell.printed.text for cell in cells]
        for c, cell in enumerate(cells, start=labelled):
            if cell.status == "differs":
                texts[c] = _pair(cell)
                styles[(r, c)] = "magenta" if cell.difference else "bold red"
        rows.append(texts)
    notes = tuple(map(Note, published_notes(result)))
    return Table(columns, rows, table.title, notes, styles)


def _are_numbers(printed: Iterable[str]) -> bool:
    """Whether a printed column is one of numbers, some of which may be missing.

    >>> _are_numbers(["2.7K", "", "1388K"]), _are_numbers(["7×7/2", ""]), _are_numbers(["", "-"])
    (True, False, False)
    >>> _are_numbers(["conv1", "pool2"])
    False
    """
    from ..analysis.published import parse_number

    cells = [text for text in printed if text not in ("", "-", "–", "—")]
    if any(text[:1].isalpha() for text in cells):
        return False
    forms = list(map(parse_number, cells))
    return bool(forms) and all(form is not None and not any(map(str.isdigit, form.rest)) for form in forms)


def published_notes(result: TableResult) -> list[str]:
    """How many printed cells are reproduced, the table's note, and each difference with its reason."""
    lines = [f"reproduced: {result.reproduced} of {result.cells} printed cells{_by_column(result)}"]
    counts = {heading: (equal, cells) for heading, equal, cells in result.column_counts()}
    for explanation, more in result.explanations().items():
        columns = ", ".join(f"{h} {counts[h][0] + n} of {counts[h][1]}" for h, n in more.items())
        lines.append(f"  {explanation}: {sum(more.values())} more ({columns})")
    for also in result.also:
        place = " ".join(name for name in (also.reading.row, also.reading.column) if name) or "all"
        lines.append(f"  also {_by(str(also.reading))}: {also.given} of {also.cells} ({place})")
    if result.table.note:
        lines.append(f"note: {result.table.note.strip()}")
    if result.table.specs:
        lines.append(f"computed from other specs too: {', '.join(result.table.specs)}")
    if result.table.source:
        lines.append(f"source: {result.table.source}")
    differing = result.differing()
    if differing:
        lines += ["", "differences (printed ≠ computed):"]
    groups: dict[tuple[str, str, bool | None], list[str]] = {}
    for row, column, cell in differing:
        groups.setdefault(_why(cell), []).append(f"{row} {column} {_pair(cell)}")
    for (reason, explanation, explained), cells in groups.items():
        lines.append("  " + ", ".join(cells))
        lines.append(f"      {reason}")
        if explanation:
            lines.append(f"      {'reproduced' if explained else 'NOT reproduced'} {_by(explanation)}")
    return lines


def _pair(cell: Cell) -> str:
    return f"{cell.printed.text} ≠ {cell.computed or '-'}"


def _why(cell: Cell) -> tuple[str, str, bool | None]:
    if cell.difference is None:
        return "not listed in the spec", "", None
    return cell.difference.reason, cell.difference.explanation, cell.explained


def _by_column(result: TableResult) -> str:
    """The columns that are reproduced whole by name, the others with their counts."""
    counts = result.column_counts()
    whole = [heading for heading, equal, cells in counts if equal == cells]
    if len(whole) == len(counts):
        return ""
    parts = [f"all of {', '.join(whole)}"] if whole else []
    parts += [f"{heading} {equal} of {cells}" for heading, equal, cells in counts if equal != cells]
    return " (" + "; ".join(parts) + ")"


def _by(explanation: str) -> str:
    return explanation if explanation.startswith("with ") else f"by {explanation}"
