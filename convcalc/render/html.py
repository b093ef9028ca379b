"""A document as a piece of HTML for notebooks: no script, no colour of its own but the bars, rows that fold.

Every text is escaped. Colours and fonts are the page's, so that it is right on light and dark. A row folds by its check
box and one rule of CSS; where a page drops the style, all rows are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..findings import pieces
from ..terminal import printable
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
    Section,
    Table,
    Tree,
    TreeRow,
    described_as,
    share_text,
)

if TYPE_CHECKING:
    from fractions import Fraction

OPEN_ROWS = 24
"""Rows of a tree up to which it starts unfolded."""
LONGEST_BAR = 6
"""Width of the longest bar, in em."""
STYLE = (
    ".convcalc{line-height:1.45}"
    ".convcalc table{border-collapse:collapse;margin:.4em 0;font-size:inherit}"
    ".convcalc th,.convcalc td{padding:.1em .7em;border:0;text-align:left;background:none;color:inherit;"
    "white-space:nowrap;vertical-align:top}"
    ".convcalc thead th,.convcalc tr.rule td{border-bottom:1px solid rgba(128,128,128,.5)}"
    ".convcalc tbody tr:hover td{background:rgba(128,128,128,.12)}"
    ".convcalc .right{text-align:right;font-variant-numeric:tabular-nums}"
    ".convcalc .dim{opacity:.65}.convcalc .bold{font-weight:600}"
    ".convcalc .share{display:inline-block;width:3.2em;text-align:right;font-variant-numeric:tabular-nums}"
    ".convcalc .head{white-space:pre-wrap;margin-top:.3em}"
    ".convcalc .bar{display:inline-block;height:.65em;background:#4c8dd6}"
    ".convcalc input{appearance:none;border:0;background:none;margin:0 .2em 0 -1em;width:.8em;cursor:pointer;"
    "font:inherit;color:inherit}"
    '.convcalc input::before{content:"▸"}.convcalc input:checked::before{content:"▾"}'
    ".convcalc label{cursor:pointer}.convcalc pre{margin:.3em 0;background:none;color:inherit}"
)
COLOURS = {"red": "#d1495b", "yellow": "#b8860b", "green": "#3a9a5b", "cyan": "#2a9aa8"}
"""Colours of text that are read on white and on black."""


def html(document: Document) -> str:
    """The document as one element with its style.

    >>> from convcalc.render.document import Notes, Note
    >>> html(Document((Notes((Note("a < b"),)),))).partition("</style>")[2]
    '<div>a &lt; b</div></div>'
    """
    body = "".join(part for block in document.blocks for part in _parts(block))
    folds = "".join(_fold(number) for number in range(body.count("<input ")))
    return f'<div class="convcalc"><style>{STYLE}{folds}</style>{body}</div>'


def _fold(number: int) -> str:
    """The rule that hides what stands below a folded row."""
    return f".convcalc:has(.i{number}:not(:checked)) .b{number}{{display:none}}"


def _text(text: str) -> str:
    return escape(printable(text))


def _parts(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            source = f'   <span class="dim">{_text(block.source)}</span>' if block.source else ""
            yield f'<div class="head"><span class="bold">{_text(block.text)}</span>{_text(block.rest)}{source}</div>'
            yield from [_note(Note(block.note, block.note_style))] if block.note else []
        case Section():
            yield f'<div class="bold">{_text(block.title)}</div>'
            for inner in block.blocks:
                yield from _parts(inner)
        case Table():
            yield _table(block)
        case Tree():
            yield _tree(block)
        case KeyLines():
            yield _table(block.table)
        case Bars():
            lengths: list[Fraction | int] = [bar.length or 0 for bar in block.bars]
            rows = [
                [_text(bar.label), _bar(length, max(lengths)), _text(bar.value)]
                for bar, length in zip(block.bars, lengths, strict=True)
            ]
            yield f'<div class="bold">{_text(block.title)}</div>{_rows([], rows)}'
        case Notes():
            yield "".join(map(_note, block.notes))
        case Paragraph():
            texts = block.text.split("`")
            yield "".join(
                ["<p>", *(f"<code>{_text(t)}</code>" if odd % 2 else _text(t) for odd, t in enumerate(texts)), "</p>"]
            )
        case Code():
            yield f"<pre>{_lines(block.lines)}</pre>"
        case Equations():
            yield _rows([], list(map(_equation, block.lines)))
        case Matrices():
            from .matrices import matrix_lines

            yield f"<pre>{_lines(matrix_lines(block, None))}</pre>"
        case References():
            items = "".join(f"<li>{_text(source)}</li>" for source in block.sources)
            yield f'<div class="bold">sources</div><ol>{items}</ol>'
        case Listing():
            yield f"<details><summary>{_text(block.summary)}</summary>{_table(block.table)}</details>"
        case Findings():
            lines = ["".join(text for text, _ in line) for finding in block.findings for line in pieces(finding)]
            yield f"<pre>{_lines(lines)}</pre>"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(map(_text, lines))


def _style(style: str) -> str:
    """The attributes of a style of the text writer: `bold red`."""
    words = style.split()
    classes = " ".join(word for word in words if word in ("bold", "dim"))
    colour = next((COLOURS[word] for word in words if word in COLOURS), "")
    return (f' class="{classes}"' if classes else "") + (f' style="color:{colour}"' if colour else "")


def _note(note: Note) -> str:
    return f"<div{_style(note.style)}>{_text(note.text) or '&nbsp;'}</div>"


def _equation(equation: Equation) -> list[str]:
    formula = "".join(f"<code>{_text(part)}</code> = " for part in equation.formulas)
    mark = f" [{equation.mark}]" if equation.mark else ""
    note = f'<span class="dim">{_text(equation.note)}{mark}</span>'
    return [_text(equation.result), f'= {formula}<span class="bold">{_text(equation.value)}</span>', note]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Finished cells as a table."""
    top = f"<thead><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _table(table: Table) -> str:
    sides = [' class="right"' if column.align == "right" else "" for column in table.columns]
    title = f'<div class="bold">{_text(table.title)}</div>' if table.title else ""
    head = _cells("th", sides, [column.heading for column in table.columns])
    rows = []
    for number, row in enumerate(table.rows):
        line = ' class="rule"' if number + 1 in table.rules else ""
        texts = [_styled(cell, table.styles.get((number, place), "")) for place, cell in enumerate(row)]
        rows.append(
            f"<tr{line}>{''.join(f'<td{side}>{text}</td>' for side, text in zip(sides, texts, strict=True))}</tr>"
        )
    notes = "".join(map(_note, table.notes))
    return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{notes}"


def _styled(text: str, style: str) -> str:
    return f"<span{_style(style)}>{_text(text)}</span>" if style else _text(text)


def _cells(tag: str, sides: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(f"<{tag}{side}>{_text(text)}</{tag}>" for side, text in zip(sides, texts, strict=True))


def _tree(tree: Tree) -> str:
    described = any(row.what or row.each for row in tree.rows)
    sides = [' class="right"' if column.align == "right" else "" for column in tree.columns]
    largest = max((row.share for row in tree.rows if row.share is not None), default=None)
    head = [f"<th>{_text(tree.labels)}</th>", *["<th>kind</th>"] * described]
    head.append(_cells("th", sides, [column.heading for column in tree.columns]))
    head += [f"<th>% of {_text(tree.share)}</th>"] * bool(tree.share)
    state = " checked" if len(tree.rows) <= OPEN_ROWS else ""
    above: list[int] = []
    rows: list[str] = []
    folds = 0
    for number, row in enumerate(tree.rows):
        del above[row.level :]
        opens = number + 1 < len(tree.rows) and tree.rows[number + 1].level > row.level
        box = f'<input type="checkbox" class="i{folds}"{state}>' if opens else ""
        hidden = " ".join(f"b{fold}" for fold in above if fold >= 0)
        rows.append(f'<tr class="{hidden}">' if hidden else "<tr>")
        rows.append(_label(row, box))
        rows += [f'<td class="dim">{_text(described_as(row))}</td>'] * described
        rows.append(_cells("td", sides, row.cells))
        rows += [f"<td>{_share(row.share, largest)}</td>"] * bool(tree.share)
        rows.append("</tr>")
        above.append(folds if opens else -1)
        folds += opens
    if tree.total:
        rows.append(f'<tr class="bold"><td>total</td>{"<td></td>" * described}{_cells("td", sides, tree.total)}')
        rows.append(f"{'<td></td>' * bool(tree.share)}</tr>")
    notes = "".join(map(_note, tree.notes))
    return f"<table><thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table>{notes}"


def _label(row: TreeRow, box: str) -> str:
    """The cell of a row's label, set in by its level; the whole of it folds."""
    text = f"<label>{box}{_text(row.label)}</label>" if box else _text(row.label)
    bold = ' class="bold"' if row.above else ""
    return f'<td{bold} title="{_text(row.path)}" style="padding-left:{1.2 + 1.3 * row.level:.1f}em">{text}</td>'


def _share(share: Fraction | None, largest: Fraction | None) -> str:
    """A share in per cent with its bar."""
    if not share or not largest:
        return ""
    return f'<span class="share">{share_text(share)}</span> {_bar(share, largest)}'


def _bar(length: Fraction | int, largest: Fraction | int) -> str:
    wide = float(LONGEST_BAR * length / largest) if largest > 0 else 0.0
    return f'<span class="bar" style="width:{max(wide, 0):.2f}em"></span>'
