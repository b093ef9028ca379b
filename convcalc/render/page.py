"""A page of sections, as plain text of 80 columns or as Markdown. ASCII alone, no colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 80
INDENT = "  "
UNBROKEN = "\x00"
"""Stands for a blank of a piece of code while its paragraph is broken into lines."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; what stands between backticks is code."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that stay as they are."""

    lines: tuple[str, ...]
    language: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells under headings, set flush right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Code | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its blocks."""

    title: str
    blocks: tuple[Block, ...]


def as_text(sections: Iterable[Section]) -> str:
    """The page for a terminal.

    >>> print(as_text([Section("Sizes", (Paragraph("The `stride` divides."),))]), end="")
    Sizes
      The stride divides.
    """
    return "\n".join(f"{section.title}\n{_text_blocks(section.blocks)}" for section in sections)


def as_markdown(sections: Sequence[Section]) -> str:
    """The page as Markdown; the first section's heading is the page's."""
    parts = []
    for number, section in enumerate(sections):
        parts.append(f"{'#' if number == 0 else '##'} {_escaped(section.title)}")
        parts += [_markdown_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def aligned(rows: Sequence[Sequence[str]], gap: str = "  ") -> tuple[str, ...]:
    """Rows as lines, each column flush right.

    >>> aligned([("input", "o"), ("224", "112")])
    ('input    o', '  224  112')
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple(gap.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _text_blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(_text_block(block) for block in blocks)


def _text_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        pieces = block.text.split("`")
        kept = "".join(piece.replace(" ", UNBROKEN) if odd % 2 else piece for odd, piece in enumerate(pieces))
        room = WIDTH - len(INDENT)
        lines = textwrap.wrap(kept, room, break_long_words=False, break_on_hyphens=False)
        return "".join(f"{INDENT}{line}\n" for line in lines).replace(UNBROKEN, " ")
    if isinstance(block, Table):
        return "".join(f"{INDENT * 2}{line}\n" for line in aligned([block.header, *block.rows]))
    indent = INDENT * 2 if block.language == "text" else INDENT
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in block.lines)


def _markdown_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _escaped(block.text)
    if isinstance(block, Code):
        return "\n".join([f"```{block.language}", *block.lines, "```"])
    head, *body = ([_escaped(cell) for cell in row] for row in (block.header, *block.rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---:"] * len(head), *body))


def _escaped(text: str) -> str:
    """Markdown's signs outside of code, escaped."""
    pieces = text.split("`")
    return "`".join(piece if odd % 2 else re.sub(r"([*_|<\\])", r"\\\1", piece) for odd, piece in enumerate(pieces))
