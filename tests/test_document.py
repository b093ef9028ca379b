"""One document with every kind of block, as each writer writes it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from convcalc.findings import Finding
from convcalc.render.document import (
    PAGE,
    Axis,
    Bar,
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
    Matrices,
    Matrix,
    Measure,
    Note,
    Notes,
    Paragraph,
    Point,
    References,
    Scatter,
    Section,
    Table,
    Tree,
    TreeRow,
)
from convcalc.render.lines import plain
from convcalc.render.markup import csv, latex, markdown
from convcalc.render.text import document_lines

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "a|b <i> *c* `d` e_f 50%"
NUMBERS = (Column("size", "right"), Column("output_padding", "right"))
DOCUMENT = Document(
    (
        Heading("Net (wide)", 2, rest="  input 3×8×8", note="Somebody 2015, A long title of a paper about networks"),
        Table(
            (Column("layer", shrinks=True), Column("macs", "right")),
            (("stem.conv.of.the.first.stage", "1,728"), (HOSTILE, "=1"), ("total", "1,729")),
            "Table 1",
            (Note("reproduced: 2 of 2"), Note(""), Note("  set in")),
            {(2, 0): "bold"},
            frozenset({2}),
        ),
        Tree(
            "layer",
            (Column("patch"), Column("macs", "right")),
            (
                TreeRow(0, "conv2_x", "conv2_x", "3 × residual", ("", "668 M"), Fraction(163, 1000), above=True),
                TreeRow(1, "1–2", "conv2_x.1–2", "bottleneck", ("3×3/1", "218 M"), Fraction(53, 1000), each=True),
                TreeRow(0, HOSTILE, HOSTILE, "", ("", "·"), Fraction(0)),
            ),
            "macs",
            ("", "886 M"),
            (Note("886,000,000 macs", "bold"),),
        ),
        KeyLines("sizes i", (("builds", "every i ≥ 1"), ("", HOSTILE), ("exact", "i even")), ("answer", "sizes")),
        Section(
            "output, axis h_1",
            (
                Equations(
                    (
                        Equation("o", "4 positions", "(i - k)//s + 1", "(8 - 2)//2 + 1", "rounded", "Dumoulin 2016", 1),
                        Equation("params", "9 numbers"),
                    )
                ),
                Matrices((Matrix("C^T", (("1", "."), (".", "-2"))), "·", Matrix("x", (("3",), ("4",))), "*^T", "9")),
                Code(("[a b] c d", "", " a b [c d]")),
            ),
            3,
        ),
        Section(
            "Undoing `o`: with output_padding",
            (
                Paragraph("A size comes back if `s` divides `i + 2p - k`; the *rest* is output_padding of the layer."),
                Code(("o = floor((i - k) / s) + 1",), displayed=True),
                Table(NUMBERS, (("224", "1"), ("7", "0")), bare=True),
                Code(("up = layer(3)",), "python"),
            ),
            bare=True,
        ),
        References(("Dumoulin & Visin 2016",)),
        Bars("macs (MACs)", (Bar("stem", 3, "3"), Bar("half", Fraction(3, 2), "3/2"), Bar("none", None, ""))),
        Scatter(
            Axis("params", "numbers"),
            Axis("macs", "MACs"),
            (Point(HOSTILE, 10, 2000, ("10", "2.00 K")), Point("none", 900, 3000, ("900", "3.00 K"))),
            "network",
        ),
        Listing("layers", "layers: 1 added", (("+", HOSTILE),), ("green",), "layer", "… and 3 more"),
        Findings((Finding("CC101", "unknown key", "a.yaml", 2, 3, "stem", "did you mean 'k'?", "  kk: 3", 2),)),
        Notes((Note("total: 1,729", "bold"), Note("macs: all taps", "dim"))),
    )
)
TEXTS = {
    "text": lambda: plain(document_lines(DOCUMENT, None)),
    "narrow": lambda: plain(document_lines(DOCUMENT, 30)),
    "markdown": lambda: markdown(DOCUMENT),
    "latex": lambda: latex(DOCUMENT),
    "csv": lambda: csv(DOCUMENT),
}


def kinds(blocks: tuple[Block, ...]) -> set[type]:
    inner = [kinds(block.blocks) for block in blocks if isinstance(block, Section)]
    return {type(block) for block in blocks}.union(*inner)


def test_every_kind_of_block_is_in_it() -> None:
    assert kinds(DOCUMENT.blocks) == set(get_args(Block))


@pytest.mark.parametrize("name", TEXTS)
def test_golden(name: str) -> None:
    assert TEXTS[name]() + "\n" == (GOLDEN / f"document.{name}.txt").read_text("utf-8")


def test_styles_change_no_character() -> None:
    styles = {style for line in document_lines(DOCUMENT, 80) for _, style in line}
    assert {"", "bold", "dim", "green", "cyan", "bold red"} <= styles


def test_a_table_that_does_not_fit_gives_way_to_its_narrow_form() -> None:
    narrow = Table((Column("a"),), (("1",),))
    wide = Table((Column("a" * 30), Column("b" * 30)), (("1", "2"),), narrow=narrow)
    assert plain(document_lines(Document((wide,)), 40)) == plain(document_lines(Document((narrow,)), 40))
    assert "b" in plain(document_lines(Document((wide,)), 80))


def test_a_heading_without_a_level_stands_in_text_alone() -> None:
    document = Document((Heading("Net", note="source"), Table((Column("a"),), (("1",),))))
    assert plain(document_lines(document, None)) == "Net\nsource\n\na\n─\n1"
    assert markdown(document) == "| a |\n|---|\n| 1 |"
    assert csv(document) == "a\n1"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@team", "@<!-- -->team"),
        ("by a@b.org, 3 @ 4", "by a@<!-- -->b.org, 3 @ 4"),
        ("https://evil.example and FTP://x", "https:<!-- -->//evil.example and FTP:<!-- -->//x"),
        ("www.evil.example, awww.", "www<!-- -->.evil.example, awww."),
        ("#12 a/b#3 GH-4 # 5", "#<!-- -->12 a/b#<!-- -->3 GH-<!-- -->4 # 5"),
    ],
)
def test_a_text_in_markdown_becomes_no_link_and_mentions_nobody(text: str, written: str) -> None:
    """What GitHub links by itself: addresses, names, numbers of issues (GFM, "Autolinks"; "Autolinked references")."""
    assert markdown(Document((Notes((Note(text),)),))) == written


@pytest.mark.parametrize(
    ("measure", "terminal", "columns"),
    [
        (Measure(), None, None),
        (Measure(), 10, 20),
        (Measure(40, piped=100), None, 100),
        (Measure(40, piped=100), 200, 200),
        (PAGE, None, 80),
        (PAGE, 60, 60),
        (PAGE, 200, 80),
    ],
)
def test_measures(measure: Measure, terminal: int | None, columns: int | None) -> None:
    assert measure.within(terminal) == columns
