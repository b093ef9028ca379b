"""A document as text: lines of (text, style) pieces, so that a terminal gets colours and a pipe the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..findings import Finding, Role, pieces
from ..terminal import printable, width
from .document import (
    Bars,
    Block,
    Code,
    Document,
    Equation,
    Equations,
    Findings,
    Heading,
    KeyLines,
    Listing,
    Matrices,
    Notes,
    Paragraph,
    References,
    Scatter,
    Section,
    Table,
    Tree,
)
from .grid import table_lines
from .lines import GAP, INDENT, Line, bar_text, note_lines, plain, set_in, wrapped
from .tree_text import tree_lines

UNBROKEN = "\x00"
"""Stands for a blank of a piece of code while its paragraph is broken into lines."""
SHORTEST_BAR = 10
SOURCE_GAP = "   "
ARROW_IN_ASCII = 1
"""Columns by which a heading with an arrow is longer where that is spelled `->`."""

_SEVERITIES = {"error": "bold red", "warning": "bold magenta", "advice": "bold cyan"}


def document_lines(document: Document, terminal: int | None) -> Iterator[Line]:
    """The document for a terminal of this many columns; None in a pipe."""
    return _spaced(document.blocks, document.measure.within(terminal))


def _spaced(blocks: Sequence[Block], limit: int | None) -> Iterator[Line]:
    """Blocks with an empty line between them; a source ends where the block below its heading is widest."""
    written: list[Line] | None = None
    for number, block in enumerate(blocks):
        if number:
            yield []
        if written is not None:
            yield from written
            written = None
        elif isinstance(block, Heading) and block.source and limit is not None and number + 1 < len(blocks):
            written = list(_block_lines(blocks[number + 1], limit))
            widest = max((sum(width(text) for text, _ in line) for line in written), default=0)
            yield from _heading_lines(block, limit, min(widest, limit - ARROW_IN_ASCII))
        else:
            yield from _block_lines(block, limit)


def _block_lines(block: Block, limit: int | None) -> Iterator[Line]:
    match block:
        case Heading():
            yield from _heading_lines(block, limit)
        case Section():
            yield [(printable(block.title), "bold")]
            yield from set_in(INDENT, _spaced(block.blocks, None if limit is None else limit - len(INDENT)))
        case Table():
            yield from table_lines(block, limit)
        case Tree():
            yield from tree_lines(block, limit)
        case KeyLines():
            yield from _key_lines(block, limit)
        case Notes():
            yield from note_lines(block.notes, limit)
        case Paragraph():
            yield from _paragraph_lines(block.text, limit)
        case Code():
            lines = [line.rstrip() for line in block.lines]
            if block.drawn and limit is not None:
                lines = [line if width(line) <= limit else f"{line[: limit - 1]}…" for line in lines]
            style = "" if block.language == "text" else "cyan"
            yield from set_in(INDENT if block.displayed else "", ([(line, style)] for line in lines))
        case Equations():
            margin = max((len(line.result) for line in block.lines), default=0)
            for line in block.lines:
                yield from _equation_lines(line, margin, limit)
        case Matrices():
            from .matrices import matrix_lines

            yield from ([(line, "")] for line in matrix_lines(block, limit))
        case References():
            yield [("sources", "bold")]
            for number, source in enumerate(block.sources, start=1):
                yield from _hung(f"{INDENT}[{number}] ", source, limit)
        case Bars():
            yield from wrapped(block.title, limit, "bold")
            yield from bar_lines(block, limit)
        case Scatter():
            from .scatter import scatter_lines

            yield [(printable(block.title), "bold")]
            yield from scatter_lines(block, limit)
        case Listing():
            yield [(block.title, "bold")]
            for (sign, text), style in zip(block.rows, block.styles, strict=True):
                yield from _hung(f"{sign} ", text, limit, style)
            if block.more:
                yield [(block.more, "dim")]
        case Findings():
            for finding in block.findings:
                yield from finding_lines(finding)


def _heading_lines(heading: Heading, limit: int | None, end: int = 0) -> Iterator[Line]:
    """A heading; its source stands behind it, or farther right so that it ends at a column."""
    pieces = [(printable(heading.text), "bold"), (printable(heading.rest), "")]
    if limit is not None and heading.rest and sum(width(text) for text, _ in pieces) > limit:
        yield pieces[:1]
        yield from wrapped(heading.rest.strip(), limit)
        pieces = []
    elif heading.source:
        used = sum(width(text) for text, _ in pieces) + len(SOURCE_GAP)
        source = shortened(printable(heading.source), None if limit is None else limit - used)
        gap = SOURCE_GAP + " " * (end - used - width(source))
        pieces.append((gap + source if source else "", "dim"))
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
    >>> shortened("torchvision.models:resnet18 (torchvision 0.29.1, torch 2.14.1)", 40)
    'torchvision.models:resnet18'
    """
    if room is None or width(source) <= room:
        return source
    first, *others = re.split(r", (?![^()]*\))", source)
    named = [part for part in others if part.lower().startswith(("arxiv:", "doi:", "http"))]
    alone = first.partition(" (")[0]
    return next((text for text in (", ".join([first, *named]), first, alone) if width(text) <= room), "")


def _paragraph_lines(text: str, limit: int | None) -> Iterator[Line]:
    """Running text; a piece of code is not broken."""
    from textwrap import wrap

    pieces = printable(text).split("`")
    kept = "".join(piece.replace(" ", UNBROKEN) if odd % 2 else piece for odd, piece in enumerate(pieces))
    lines = [kept] if limit is None else wrap(kept, limit, break_long_words=False, break_on_hyphens=False)
    for line in lines:
        yield [(line.replace(UNBROKEN, " "), "")]


def _hung(head: str, text: str, limit: int | None, style: str = "dim") -> Iterator[Line]:
    """A text after a head, further lines below its beginning; words longer than a line stay whole."""
    from textwrap import wrap

    below = " " * len(head)
    text = printable(text)
    lines = [head + text]
    if limit is not None and width(lines[0]) > limit:
        lines = wrap(
            text, limit, initial_indent=head, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
        )
    for line in lines:
        yield [(line, style)]


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
    """A bar a row, in eighths of a column; a label that leaves it no room stands on a line of its own.

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
        if width(label) > label_width:
            yield [(label, "")]
            label = ""
        name = label + " " * (label_width - width(label))
        filled = bar_text(bar.length or 0, largest, length)
        yield [(f"{name}  ", ""), (filled.ljust(length), "cyan"), (f" {bar.value.rjust(text_width)}", "")]


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
