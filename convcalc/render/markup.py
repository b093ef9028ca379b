"""A document as Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..findings import place, said
from ..terminal import csv_cell, printable
from . import escape
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
    Note,
    Notes,
    Paragraph,
    References,
    Scatter,
    Section,
    Table,
    Tree,
)


def markdown(document: Document) -> str:
    """The document as Markdown (GitHub's tables)."""
    return "\n\n".join(part for block in document.blocks for part in _markdown_parts(block))


def _markdown_parts(block: Block) -> Iterator[str]:
    """What an empty line separates."""
    match block:
        case Heading():
            if block.level is not None:
                yield f"{'#' * block.level} {escape.markdown(block.text + block.rest)}"
                yield from [escape.markdown(block.note)] if block.note else []
        case Section():
            title = escape.prose_markdown(block.title) if block.bare else escape.markdown(block.title)
            yield f"{'#' * block.level} {title}"
            for inner in block.blocks:
                yield from _markdown_parts(inner)
        case Table():
            yield _markdown_table(block)
            if block.notes:
                yield "\n".join(_markdown_notes(block.notes))
        case Tree():
            yield from _markdown_parts(block.table)
        case KeyLines() | Bars() | Scatter():
            yield _markdown_table(block.table)
        case Notes():
            yield "\n".join(_markdown_notes(block.notes)).rstrip()
        case Paragraph():
            yield escape.prose_markdown(block.text)
        case Code():
            yield "\n".join([f"```{block.language}", *block.lines, "```"])
        case Equations():
            yield "\n".join(map(_markdown_equation, block.lines))
        case Matrices():
            from .matrices import matrix_lines

            yield "\n".join(["```text", *matrix_lines(block, None), "```"])
        case References():
            yield "\n".join(f"{n}. {escape.cited_markdown(source)}" for n, source in enumerate(block.sources, start=1))
        case Listing():
            yield f"<details><summary>{escape.markdown(block.summary)}</summary>"
            yield _markdown_table(block.table)
            yield "</details>"
        case Findings():
            yield _markdown_findings(block)


def _markdown_table(table: Table) -> str:
    escaped = escape.prose_markdown if table.bare else escape.markdown
    title = [f"**{escaped(table.title)}**", ""] if table.title else []
    under = ["---:" if column.align == "right" else "---" for column in table.columns]
    rows = ([escaped(cell) for cell in row] for row in ([c.heading for c in table.columns], *table.rows))
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([*title, head, f"| {' | '.join(under)} |" if table.bare else f"|{'|'.join(under)}|", *body])


def _markdown_notes(notes: Iterable[Note]) -> list[str]:
    """Remarks that end with a break of the line."""
    return [f"{escape.markdown(note.text)}  " if note.text else "" for note in notes]


def _markdown_equation(equation: Equation) -> str:
    formula = "".join(f"`{part}` = " for part in equation.formulas)
    note = f" ({escape.markdown(equation.note)})" if equation.note else ""
    mark = f" [{equation.mark}]" if equation.mark else ""
    return f"- {escape.markdown(equation.result)} = {formula}**{escape.markdown(equation.value)}**{note}{mark}"


def _markdown_findings(block: Findings) -> str:
    """One row a finding, its hint on a line of its own."""
    lines = ["| place | code | finding |", "|:--|:--|:--|"]
    for finding in block.findings:
        hint = f"<br>{escape.markdown(finding.hint)}" if finding.hint else ""
        message = escape.markdown(said(finding))
        lines.append(f"| {escape.markdown(place(finding))} | {finding.code} | {message}{hint} |")
    return "\n".join(lines)


def latex(document: Document) -> str:
    """The document as LaTeX: tabulars (booktabs), formulas in typewriter, drawings verbatim, remarks as comments."""
    return "\n\n".join(part for block in document.blocks for part in _latex_parts(block))


def _latex_parts(block: Block) -> Iterator[str]:
    """What an empty line separates."""
    match block:
        case Heading():
            if block.level is not None:
                yield rf"\section*{{{escape.latex(block.text + block.rest)}}}"
                yield from [escape.latex(block.note)] if block.note else []
        case Section():
            title = escape.prose_latex(block.title) if block.bare else escape.latex(block.title)
            yield "\n".join([rf"\subsection*{{{title}}}", *(p for inner in block.blocks for p in _latex_parts(inner))])
        case Table():
            yield _latex_table(block)
            yield from _latex_notes(block.notes)
        case Tree():
            yield from _latex_parts(block.table)
        case KeyLines() | Bars() | Scatter() | Listing() | Findings():
            yield _latex_table(block.table)
        case Notes():
            yield from _latex_notes(block.notes)
        case Paragraph():
            yield rf"{escape.prose_latex(block.text)}\par"
        case Code():
            yield "\n".join([r"\begin{verbatim}", *block.lines, r"\end{verbatim}"])
        case Equations():
            yield "\n".join([r"\begin{itemize}", *map(_latex_equation, block.lines), r"\end{itemize}"])
        case Matrices():
            from .matrices import latex_matrices

            yield latex_matrices(block)
        case References():
            pass  # each equation names its source in full


def _latex_table(table: Table) -> str:
    escaped = escape.prose_latex if table.bare else escape.latex
    align = "".join("r" if column.align == "right" else "l" for column in table.columns)
    lines = [f"% {escaped(table.title)}"] if table.title else []
    lines += [rf"\begin{{tabular}}{{{align}}}", r"\toprule"]
    lines += [" & ".join(escaped(column.heading) for column in table.columns) + r" \\", r"\midrule"]
    for r, row in enumerate(table.rows):
        lines += [r"\midrule"] if r in table.rules else []
        lines.append(" & ".join(escaped(cell) for cell in row) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _latex_notes(notes: Iterable[Note]) -> list[str]:
    return [f"% {printable(note.text)}" for note in notes]


def _latex_equation(equation: Equation) -> str:
    formula = "".join(rf"\texttt{{{escape.latex(part)}}} = " for part in equation.formulas)
    note = f" ({escape.latex(equation.note)})" if equation.note else ""
    source = rf" \emph{{{escape.latex(equation.source)}}}" if equation.source else ""
    return rf"\item {escape.latex(equation.result)} = {formula}{escape.latex(equation.value)}{note}{source}"


def csv(document: Document) -> str:
    """The document's tables as CSV, an empty line between them; no spreadsheet takes a cell for a formula."""
    return "\n\n".join(_csv_table(table) for table in tables(document.blocks))


def _csv_table(table: Table) -> str:
    import io
    from csv import writer

    buffer = io.StringIO()
    rows = ([column.heading for column in table.columns], *table.rows)
    writer(buffer, lineterminator="\n").writerows([csv_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue().rstrip("\n")


def tables(blocks: Sequence[Block]) -> Iterator[Table]:
    """The tables among blocks, and those that other blocks are when they are written as one."""
    for block in blocks:
        match block:
            case Table():
                yield block
            case KeyLines() | Bars() | Scatter() | Tree() | Listing() | Findings():
                yield block.table
            case Section():
                yield from tables(block.blocks)
            case _:
                pass
