"""A document as text: lines of (text, style) pieces, so that a terminal gets colours and a pipe the same text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..findings import Finding, Role, pieces
from ..terminal import printable, width
from .document import (
    EACH,
    ZERO,
    Bars,
    Block,
    Code,
    Column,
    Document,
    Equation,
    Equations,
    Findings,
    Heading,
    KeyLines,
    Listing,
    Note,
    Notes,
    Paragraph,
    References,
    Section,
    Table,
    Tree,
    TreeRow,
    described_as,
    share_text,
)

if TYPE_CHECKING:
    from fractions import Fraction

Piece = tuple[str, str]
Line = list[Piece]

INDENT = "  "
GAP = "  "
LEAST = 12
"""Columns that a shrunk column keeps."""
UNBROKEN = "\x00"
"""Stands for a blank of a piece of code while its paragraph is broken into lines."""
EIGHTHS = " ▏▎▍▌▋▊▉"
SHORTEST_BAR = 10
SOURCE_GAP = "   "
SHORTEST_LABEL = 12
"""Columns that labels of a tree keep beside its cells."""
WHAT = "kind"
SHORTEST_WHAT = 10
CUT_FIRST = 8
"""Columns that what rows are gives up before the bars go."""
SHARE_BARS = (10, 5, 3)
"""Columns of the bar beside a share: the most that fits."""
ABBREVIATED = ".."

_SEVERITIES = {"error": "bold red", "warning": "bold yellow", "advice": "bold cyan"}


def document_lines(document: Document, terminal: int | None) -> Iterator[Line]:
    """The document for a terminal of this many columns; None in a pipe."""
    return _spaced(document.blocks, document.measure.within(terminal))


def plain(lines: Iterable[Line]) -> str:
    """Lines without their styles.

    >>> plain([[("layer", "bold"), ("  1", "")], []])
    'layer  1\\n'
    """
    return "\n".join("".join([text for text, _ in line]) for line in lines)


def _spaced(blocks: Sequence[Block], limit: int | None) -> Iterator[Line]:
    for number, block in enumerate(blocks):
        if number:
            yield []
        yield from _block_lines(block, limit)


def _block_lines(block: Block, limit: int | None) -> Iterator[Line]:
    match block:
        case Heading():
            yield from _heading_lines(block, limit)
        case Section():
            yield [(printable(block.title), "" if block.bare else "bold")]
            yield from _set_in(INDENT, _spaced(block.blocks, None if limit is None else limit - len(INDENT)))
        case Table():
            yield from table_lines(block, limit)
        case Tree():
            yield from tree_lines(block, limit)
        case KeyLines():
            yield from _key_lines(block, limit)
        case Notes():
            yield from _note_lines(block.notes, limit)
        case Paragraph():
            yield from _paragraph_lines(block.text, limit)
        case Code():
            lines = [line.rstrip() for line in block.lines]
            if block.drawn and limit is not None:
                lines = [line if width(line) <= limit else f"{line[: limit - 1]}…" for line in lines]
            style = "" if block.language == "text" else "cyan"
            yield from _set_in(INDENT if block.displayed else "", ([(line, style)] for line in lines))
        case Equations():
            margin = max((len(line.result) for line in block.lines), default=0)
            for line in block.lines:
                yield from _equation_lines(line, margin, limit)
        case References():
            yield [("sources", "bold")]
            for number, source in enumerate(block.sources, start=1):
                yield from _hung(f"{INDENT}[{number}] ", source, limit)
        case Bars():
            yield [(printable(block.title), "bold")]
            yield from bar_lines(block, limit)
        case Listing():
            yield [(block.title, "bold")]
            for (sign, text), style in zip(block.rows, block.styles, strict=True):
                yield [(f"{sign} {printable(text)}", style)]
            if block.more:
                yield [(block.more, "dim")]
        case Findings():
            for finding in block.findings:
                yield from finding_lines(finding)


def _set_in(indent: str, lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with blanks before them, but for the empty ones."""
    for line in lines:
        yield [(indent, ""), *line] if indent and any(text for text, _ in line) else line


def _heading_lines(heading: Heading, limit: int | None) -> Iterator[Line]:
    pieces = [(printable(heading.text), "bold"), (printable(heading.rest), "")]
    if limit is not None and heading.rest and sum(width(text) for text, _ in pieces) > limit:
        yield pieces[:1]
        yield from wrapped(heading.rest.strip(), limit)
        pieces = []
    elif heading.source:
        used = sum(width(text) for text, _ in pieces) + len(SOURCE_GAP)
        source = shortened(printable(heading.source), None if limit is None else limit - used)
        pieces.append((SOURCE_GAP + source if source else "", "dim"))
    elif not heading.rest:
        yield from wrapped(heading.text, limit, "bold")
        pieces = []
    if pieces:
        yield [piece for piece in pieces if piece[0]]
    if heading.note:
        yield from wrapped(heading.note, limit, heading.note_style)


def shortened(source: str, room: int | None) -> str:
    """A source in so many columns: whole, else its first part and its identifiers, else the first part or nothing.

    >>> shortened("He et al. 2015, Deep residual learning, arXiv:1512.03385, Table 1", 40)
    'He et al. 2015, arXiv:1512.03385'
    """
    if room is None or width(source) <= room:
        return source
    first, *others = source.split(", ")
    named = [part for part in others if part.lower().startswith(("arxiv:", "doi:", "http"))]
    return next((text for text in (", ".join([first, *named]), first) if width(text) <= room), "")


def _note_lines(notes: Iterable[Note], limit: int | None) -> Iterator[Line]:
    for note in notes:
        yield from wrapped(note.text, limit, note.style)


def wrapped(text: str, limit: int | None, style: str = "") -> Iterator[Line]:
    """A text as lines that fit, further lines under the first one's beginning."""
    text = printable(text)
    if limit is None or width(text) <= limit:
        yield [(text, style)]
        return
    from textwrap import wrap

    indent = " " * (len(text) - len(text.lstrip()))
    for line in wrap(text.strip(), limit, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False):
        yield [(line, style)]


def _paragraph_lines(text: str, limit: int | None) -> Iterator[Line]:
    """Running text; a piece of code is not broken."""
    from textwrap import wrap

    pieces = printable(text).split("`")
    kept = "".join(piece.replace(" ", UNBROKEN) if odd % 2 else piece for odd, piece in enumerate(pieces))
    lines = [kept] if limit is None else wrap(kept, limit, break_long_words=False, break_on_hyphens=False)
    for line in lines:
        yield [(line.replace(UNBROKEN, " "), "")]


def _hung(head: str, text: str, limit: int | None) -> Iterator[Line]:
    """A dim text after a head, further lines below its beginning; words longer than a line stay whole."""
    from textwrap import wrap

    below = " " * len(head)
    text = printable(text)
    lines = [head + text]
    if limit is not None:
        lines = wrap(
            text, limit, initial_indent=head, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
        )
    for line in lines:
        yield [(line, "dim")]


def _key_lines(answers: KeyLines, limit: int | None) -> Iterator[Line]:
    from textwrap import wrap

    yield [(printable(answers.title), "bold")]
    margin = max((len(label) for label, _ in answers.lines), default=0) + len(GAP)
    for label, text in answers.lines:
        text = printable(text)
        lines = [text] if limit is None else wrap(text, max(limit - margin, 30), break_on_hyphens=False)
        for number, line in enumerate(lines):
            head = "" if number else label
            yield [(head, "bold"), (" " * (margin - len(head)) + line, "")]


def _equation_lines(equation: Equation, margin: int, limit: int | None) -> Iterator[Line]:
    """An equation on one line where it fits, else an equals sign to a line."""
    rows = [printable(part) for part in (*equation.formulas, equation.value)]
    mark = f"  [{equation.mark}]" if equation.mark else ""
    note = f"  ({printable(equation.note)})" if equation.note else ""
    head = f"{printable(equation.result):<{margin}} = "
    joined = head + " = ".join(rows)
    if limit is None or len(joined) + len(note) + len(mark) <= limit:
        yield [(joined, ""), (note + mark, "dim")]
        return
    indent = " " * (len(head) - 2) + "= "
    *first, last = [_wrapped_after(indent if number else head, row, limit) for number, row in enumerate(rows)]
    for lines in first:
        yield from ([(line, "")] for line in lines)
    *above, end = last
    yield from ([(line, "")] for line in above)
    if len(end) + len(note) + len(mark) <= limit:
        yield [(end, ""), (note + mark, "dim")]
        return
    yield [(end, ""), (mark, "dim")]
    if note:
        yield from ([(line, "dim")] for line in _wrapped_after(" " * len(head), note.strip(), limit))


def _wrapped_after(head: str, text: str, limit: int) -> list[str]:
    """A text after a head on lines that fit, further lines below its beginning where its words have room there."""
    from textwrap import wrap

    below = len(head) if len(head) + max(map(len, text.split()), default=0) <= limit else min(len(head), 4)
    start = head if head.strip() else " " * below
    return wrap(text, limit, initial_indent=start, subsequent_indent=" " * below, break_on_hyphens=False) or [start]


def bar_lines(drawn: Bars, limit: int | None) -> Iterator[Line]:
    """A bar a row, in eighths of a column.

    >>> from convcalc.render.document import Bar
    >>> print(plain(bar_lines(Bars("macs", (Bar("a", 2, "2"), Bar("bb", 3, "3"))), 20)))
    a   █████████▎     2
    bb  ██████████████ 3
    """
    labels = [printable(bar.label) for bar in drawn.bars]
    room = limit if limit is not None else 100
    text_width = max((width(bar.value) for bar in drawn.bars), default=0)
    label_width = min(max(map(width, labels), default=0), max(room - text_width - 3 - SHORTEST_BAR, 8))
    length = max(room - label_width - text_width - 3, SHORTEST_BAR)
    largest = max((bar.length for bar in drawn.bars if bar.length is not None), default=0)
    for label, bar in zip(labels, drawn.bars, strict=True):
        name = label if width(label) <= label_width else cut(label, label_width)
        name += " " * (label_width - width(name))
        filled = bar_text(bar.length or 0, largest, length)
        yield [(f"{name}  ", ""), (filled.ljust(length), "cyan"), (f" {bar.value.rjust(text_width)}", "")]


def bar_text(value: int | Fraction, largest: int | Fraction, length: int) -> str:
    """A bar of value/largest of `length` columns, rounded down to an eighth of a column.

    >>> bar_text(1, 2, 3)
    '█▌'
    """
    if largest <= 0 or value <= 0:
        return ""
    eighths = int(8 * length * value // largest)
    full, part = divmod(eighths, 8)
    return "█" * full + (EIGHTHS[part] if part else "")


class _Widths(NamedTuple):
    """Columns of the parts of a tree's line; 0: the part is left out."""

    label: int
    what: int
    cells: tuple[int, ...]
    share: int
    bar: int


def tree_lines(tree: Tree, limit: int | None) -> Iterator[Line]:
    """The tree as lines of at most `limit` columns (None: no limit): labels, what they are, cells, share and bar.

    Where it is too wide, the bars get shorter, what rows are is cut, the bars go, then what rows are; then labels that
    are too long stand on lines of their own. Cells that do not fit beside a short label fold like those of a table.
    """
    labels = [INDENT * row.level + printable(row.label) for row in tree.rows]
    whats = [printable(described_as(row)) for row in tree.rows]
    cells = [[printable(cell) for cell in row.cells] for row in tree.rows]
    total = [printable(cell) for cell in tree.total]
    everything = [*cells, total] if total else cells
    widths = _tree_widths(tree, labels, whats, everything, limit)
    if widths is not None and not widths.what and any(whats):
        labels = [f"{label} {EACH}" if row.each else label for label, row in zip(labels, tree.rows, strict=True)]
        widths = _tree_widths(tree, labels, [""] * len(whats), everything, limit)
    if widths is None:
        table = tree.table
        rows = [[label, *row[1:]] for label, row in zip(labels, table.rows, strict=False)]
        yield from table_lines(table._replace(rows=[*rows, *table.rows[len(rows) :]]), limit)
        return
    largest = max((row.share for row in tree.rows if row.share), default=None)
    yield [(_tree_head(tree, widths, limit).rstrip(), "bold")]
    for label, what, texts, row in zip(labels, whats, cells, tree.rows, strict=True):
        style = "bold" if row.above else ""
        if width(label) > widths.label:
            yield [(label, style)]
            label, what = "", what if widths.what else ""
        yield _tree_line(label, style, what, texts, row, largest, tree.columns, widths)
    if total:
        yield _tree_line("total", "bold", "", total, TreeRow(0, "", "", "", ()), largest, tree.columns, widths)
    yield from _note_lines(tree.notes, limit)


def _tree_widths(
    tree: Tree, labels: list[str], whats: list[str], cells: list[list[str]], limit: int | None
) -> _Widths | None:
    """The widest parts that fit; None where the cells do not fit beside a short label."""
    columns = tuple(
        max([width(column.heading), *[width(row[i]) for row in cells]]) for i, column in enumerate(tree.columns)
    )
    label = max([width(tree.labels), *map(width, labels)])
    what = max(map(width, whats), default=0)
    what = max(what, len(WHAT)) if what else 0
    share = max(map(len, map(share_text, (row.share for row in tree.rows))), default=0) if tree.share else 0
    bars = SHARE_BARS if share else (0,)
    if limit is None:
        return _Widths(label, what, columns, share, bars[0])
    less = min(what, max(what - CUT_FIRST, SHORTEST_WHAT))
    for kept, bar in (*((kept, bar) for kept in (what, less) for bar in bars), (what, 0)):
        found = _Widths(label, kept, columns, share, bar)
        if _tree_width(found) <= limit:
            return found
    room = limit - _tree_width(_Widths(label, 0, columns, share, 0))
    if room - len(GAP) >= min(what, SHORTEST_WHAT) > 0:
        return _Widths(label, min(what, room - len(GAP)), columns, share, 0)
    if any(row.each for row in tree.rows) and room - len(GAP) >= len(EACH):
        return _Widths(label, len(EACH), columns, share, 0)
    if label + room >= min(label, SHORTEST_LABEL):
        return _Widths(min(label, label + room), 0, columns, share, 0)
    return None


def _tree_width(widths: _Widths) -> int:
    parts = [widths.label, widths.what, *widths.cells, widths.share]
    bar = 1 + widths.bar if widths.bar else 0
    return sum(parts) + len(GAP) * (sum(part > 0 for part in parts) - 1) + bar


def _tree_head(tree: Tree, widths: _Widths, limit: int | None) -> str:
    texts = [tree.labels.ljust(widths.label)]
    longest = max((width(row.what) for row in tree.rows), default=0)
    described = longest > 0 and (widths.what > len(EACH) or longest <= widths.what)
    texts += [(WHAT if described else "").ljust(widths.what)] * (widths.what > 0)
    texts += [_padded(c.heading, n, c.align) for c, n in zip(tree.columns, widths.cells, strict=True)]
    if widths.share:
        head = f"% {tree.share}"
        used = sum(map(width, texts)) + len(GAP) * len(texts)
        texts.append(head if limit is None or used + len(head) <= limit else "%")
    return GAP.join(texts)


def _tree_line(
    label: str,
    style: str,
    what: str,
    texts: Sequence[str],
    row: TreeRow,
    largest: Fraction | None,
    columns: Sequence[Column],
    widths: _Widths,
) -> Line:
    pieces: Line = [(label.ljust(widths.label + len(label) - width(label)), style)]
    if widths.what:
        pieces.append((GAP + _padded(_abbreviated(what, row.each, widths.what), widths.what, "left"), "dim"))
    for text, column, room in zip(texts, columns, widths.cells, strict=True):
        pieces.append((GAP + _padded(text, room, column.align), "dim" if text == ZERO else ""))
    if widths.share and row.share is not None:
        pieces.append((GAP + share_text(row.share).rjust(widths.share), ""))
        if widths.bar and largest:
            pieces.append((" " + bar_text(row.share, largest, widths.bar), "cyan"))
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    text, last = pieces.pop()
    return [*pieces, (text.rstrip(), last)]


def _abbreviated(what: str, each: bool, room: int) -> str:
    """What a row is in so many columns; that it stands for several is said in any case.

    >>> _abbreviated("bottleneck, each", True, 15), _abbreviated("bottleneck, each", True, 4)
    ('bottlen.., each', 'each')
    """
    if width(what) <= room:
        return what
    if room < SHORTEST_WHAT:
        return EACH if each else ""
    end = f"{ABBREVIATED}, {EACH}" if each else ABBREVIATED
    return what[: room - len(end)] + end


def _padded(text: str, columns: int, align: str) -> str:
    blanks = " " * (columns - width(text))
    return blanks + text if align == "right" else text + blanks


def table_lines(table: Table, limit: int | None) -> Iterator[Line]:
    """The table as lines of at most `limit` columns where that is possible (None: no limit)."""
    cells = [[printable(cell) for cell in row] for row in table.rows]
    headings = [printable(column.heading) for column in table.columns]
    widths = [max([width(headings[i]), *[width(row[i]) for row in cells]]) for i in range(len(headings))]
    if limit is not None:
        if table.narrow is not None and _total(widths) > limit:
            yield from table_lines(table.narrow, limit)
            return
        _shrink(widths, table.columns, limit)
    if table.title:
        yield from wrapped(table.title, limit, "bold")
    if table.bare:
        yield from _set_in(INDENT, _row_lines(table, headings, cells, widths, limit and limit - len(INDENT)))
    else:
        yield from _row_lines(table, headings, cells, widths, limit)
    if table.notes:
        yield []
        yield from _note_lines(table.notes, limit)


def _row_lines(
    table: Table, headings: list[str], cells: list[list[str]], widths: list[int], limit: int | None
) -> Iterator[Line]:
    ruled = not table.bare
    for number, block in enumerate(_folded(widths, limit)):
        if number:
            yield []
        rule = GAP.join("─" * widths[i] for i in block)
        yield _row_line(headings, block, widths, table.columns, ["bold" if ruled else ""] * len(headings))
        if ruled:
            yield [(rule, "dim")]
        for r, row in enumerate(cells):
            if ruled and r in table.rules:
                yield [(rule, "dim")]
            styles = [table.styles.get((r, i), "") for i in range(len(row))] if table.styles else None
            yield _row_line(row, block, widths, table.columns, styles)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _shrink(widths: list[int], columns: Sequence[Column], limit: int) -> None:
    """Narrow the columns that may be cut, the last first, until the table fits or none can give more."""
    surplus = _total(widths) - limit
    for i in reversed(range(len(widths))):
        if columns[i].shrinks and surplus > 0:
            given = min(surplus, max(widths[i] - LEAST, 0))
            widths[i] -= given
            surplus -= given


def _folded(widths: Sequence[int], limit: int | None) -> Iterator[list[int]]:
    """Columns of each part of a folded table: all that fit beside the first."""
    block, used = [0], widths[0] if widths else 0
    for i in range(1, len(widths)):
        needed = len(GAP) + widths[i]
        if limit is not None and used + needed > limit and len(block) > 1:
            yield block
            block, used = [0], widths[0]
        block.append(i)
        used += needed
    yield block


def _row_line(
    cells: Sequence[str],
    block: Sequence[int],
    widths: Sequence[int],
    columns: Sequence[Column],
    styles: Sequence[str] | None,
) -> Line:
    pieces: Line = []
    plain = ""
    last = block[-1]
    for i in block:
        text = cells[i]
        missing = widths[i] - width(text)
        if missing < 0:
            text, missing = cut(text, widths[i]), 0
        padding = " " * missing
        text = padding + text if columns[i].align == "right" else text if i == last else text + padding
        gap = "" if i == last else GAP
        if styles is not None and styles[i]:
            if plain:
                pieces.append((plain, ""))
                plain = ""
            pieces.append((text, styles[i]))
            plain = gap
        else:
            plain += text + gap
    if plain.strip():
        pieces.append((plain.rstrip() if not cells[last] else plain, ""))
    return pieces


def cut(text: str, columns: int) -> str:
    """The text cut to a width, the middle left out: paths differ at both ends.

    >>> cut("inception_3a.3x3.conv", 11)
    'incep….conv'
    """
    if columns < 3:
        return text[:columns]
    head = (columns - 1) // 2
    tail = columns - 1 - head
    while width(text[:head]) + 1 + width(text[-tail:]) > columns:
        head, tail = max(head - 1, 1), max(tail - 1, 1)
        if head == tail == 1:
            break
    return f"{text[:head]}…{text[-tail:]}"


def finding_lines(finding: Finding) -> Iterator[Line]:
    """A finding: place and message, the line of the source with a caret, and a hint."""
    severity = _SEVERITIES[finding.severity]
    styles: dict[Role, str] = {
        "place": "bold",
        "severity": severity,
        "margin": "dim",
        "caret": severity,
        "hint": "bold",
    }
    for line in pieces(finding):
        yield [(text, styles.get(role, "")) for text, role in line]


def finding_text(findings: Iterable[Finding]) -> str:
    """Findings as plain text."""
    return plain(line for finding in findings for line in finding_lines(finding))
