"""CC0: what keeps the text from being read."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page(
        "CC001",
        "The text is not YAML. Usual causes: tabs as indentation, a bracket or a quote that is never closed, an "
        "expression with commas inside braces that is not quoted.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]
""",
    ),
    Page(
        "CC002",
        "A key stands twice in one mapping, or a field stands beside its own short form. YAML parsers silently take "
        "the last one; here it is an error.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, out_channels: 16}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]
""",
    ),
    Page(
        "CC003",
        "The file is not UTF-8 text: it is saved in another encoding, or it is binary. (The wrong spec below is saved "
        "as Latin-1.)",
        """\
convcalc: 1
name: Müller's net
input: [3, 32, 32]
layers: [relu]
""",
        """\
convcalc: 1
name: Müller's net
input: [3, 32, 32]
layers: [relu]
""",
        encoding="latin-1",
    ),
    Page(
        "CC004",
        "A limit of reading is exceeded: 16 MiB of text, 100 levels of nesting, 2,000,000 nodes with aliases expanded. "
        "The limits keep a slip, or a hostile file, from filling the memory.",
        """\
convcalc: 1
input: [3, 32, 32]
notes:
  - &a [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]
  - &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
  - &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
  - &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
  - &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
  - [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
layers: [relu]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [relu]
""",
    ),
    Page(
        "CC005",
        "YAML reads the text as something else than it says: `yes` and `off` are truth values to YAML 1.1, `1:30` is a "
        "number in base 60, tags and merge keys change what a node is. Write what is meant.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, bias: no}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, bias: false}}]
""",
    ),
    Page(
        "CC006",
        "There is no spec in the file: it is empty, its document is a list or a scalar, or a second document follows "
        "the first.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [relu]
---
convcalc: 1
input: [3, 64, 64]
layers: [relu]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [relu]
""",
    ),
)
