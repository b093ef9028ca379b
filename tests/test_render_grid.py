"""Tables on terminals of any width, and as markdown, CSV and LaTeX."""

from __future__ import annotations

from convcalc import terminal
from convcalc.render.document import Column, Document, Table
from convcalc.render.grid import table_lines
from convcalc.render.markup import csv, latex, markdown


def lines(g: Table, limit: int | None) -> list[str]:
    return ["".join(text for text, _ in line) for line in table_lines(g, limit)]


WIDE = Table(
    [Column("layer"), Column("macs", "right"), Column("output")], [["conv1", "118", "64×112×112"], ["fc", "1", "10"]]
)


def test_columns_are_aligned() -> None:
    assert lines(WIDE, None) == [
        "layer  macs  output",
        "─────  ────  ──────────",
        "conv1   118  64×112×112",
        "fc        1  10",
    ]


def test_a_narrow_terminal_folds_columns_and_repeats_the_first() -> None:
    folded = lines(WIDE, 18)
    assert folded == [
        "layer  macs",
        "─────  ────",
        "conv1   118",
        "fc        1",
        "",
        "layer  output",
        "─────  ──────────",
        "conv1  64×112×112",
        "fc     10",
    ]
    assert all(terminal.width(line) <= 18 for line in folded)


def test_long_names_are_cut_in_the_middle() -> None:
    g = Table(
        [Column("layer", shrinks=True), Column("macs", "right")], [["inception_3a.3x3.reduce.conv2d", "14450688"]]
    )
    assert lines(g, 34)[2] == "inception_3…educe.conv2d  14450688"


def test_a_rule_stands_above_the_totals() -> None:
    g = Table([Column("layer")], [["a"], ["total"]], rules=frozenset({1}))
    assert lines(g, None) == ["layer", "─────", "a", "─────", "total"]


def test_text_of_a_spec_is_escaped_for_markdown() -> None:
    g = Table([Column("a|b")], [["*x* <b> `c` [l](u) snake_case _em_"]])
    assert markdown(Document((g,))).splitlines()[2] == (r"| \*x\* &lt;b&gt; \`c\` \[l\](u) snake_case \_em\_ |")


def test_csv_is_raw_and_harmless() -> None:
    g = Table([Column("name"), Column("value", "right")], [["=cmd()", "1"], ["a,b", "2"], ["@x", "3"]])
    assert csv(Document((g,))) == "name,value\n'=cmd(),1\n\"a,b\",2\n'@x,3"


def test_latex_escapes_what_it_must() -> None:
    text = latex(Document((Table([Column("ops"), Column("n", "right")], [["50% & _{x}", "7×7"]]),)))
    assert r"50\% \& \_\{x\} & 7$\times$7 \\" in text
    assert r"\begin{tabular}{lr}" in text


def test_controls_are_shown_not_sent() -> None:
    assert terminal.printable("a\x1b]0;x\x07\u202eb\ud800") == r"a\x1b]0;x\x07\u202eb\ud800"
    assert lines(Table([Column("\x1b[2J")], [["\r\n"]]), None)[0] == r"\x1b[2J"


def test_wide_characters_take_two_columns() -> None:
    g = Table([Column("層"), Column("n")], [["ab", "1"]])
    assert lines(g, None) == ["層  n", "──  ─", "ab  1"]
