"""CC1: text that says nothing in the language."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page(
        "CC101",
        "A key that the language does not have there: a misspelt field or section, a field beside the kind instead of "
        "under it, input channels (they follow from what arrives and are never written).",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, pad: 1}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, padding: 1}}]
""",
    ),
    Page(
        "CC102",
        "A kind that the language does not have, or a block that the spec does not define.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2: {out: 8, k: 3}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]
""",
    ),
    Page(
        "CC103",
        "A value of the wrong type or out of what the field takes: a word where a number stands, a fraction where an "
        "integer does, a list that is nested too deep.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, bias: 1}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, bias: true}}]
""",
    ),
    Page(
        "CC104",
        "A field, an argument or a section that has no default is missing.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]
""",
    ),
    Page(
        "CC105",
        "A name that is not allowed or stands twice. Names are letters, digits, `_` and `-`, not digits alone; `in`, "
        "`input`, `index` and `total` are reserved. Names are unique in their block or branch.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3}, name: stem}
  - {conv2d: {out: 8, k: 3}, name: stem}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3}, name: stem1}
  - {conv2d: {out: 8, k: 3}, name: stem2}
""",
    ),
    Page(
        "CC106",
        "A name that means nothing where it stands: `from` sees only what stands above, in its branch, the branches "
        "around it, its block and the top level; an expression sees the parameters of its block and of the spec.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, name: stem}
  - {add: {}, from: [stem, steam]}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, name: stem}
  - {relu: {}, name: steam}
  - {add: {}, from: [stem, steam]}
""",
    ),
    Page(
        "CC107",
        "An expression that cannot be read: a syntax error, or something that expressions do not have (attributes, "
        "assignments, functions other than those of the language).",
        """\
convcalc: 1
input: [3, 32, 32]
params: {width: 8}
layers: [{conv2d: {out: 2 * width +, k: 3}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
params: {width: 8}
layers: [{conv2d: {out: 2 * width + 1, k: 3}}]
""",
    ),
    Page(
        "CC108",
        "An expression that has no value: a division by zero, a word in arithmetic, an index beyond its list.",
        """\
convcalc: 1
input: [3, 32, 32]
params: {ratio: 0}
layers: [{conv2d: {out: 64 // ratio, k: 3}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
params: {ratio: 4}
layers: [{conv2d: {out: 64 // ratio, k: 3}}]
""",
    ),
    Page(
        "CC109",
        "A parameter or an argument that does not exist, or a word that a parameter does not take.",
        """\
convcalc: 1
input: [3, 32, 32]
params: {norm: batch}
variants: {plain: {norms: none}}
layers: [{conv2d: {out: 8, k: 3, bias: false}}, {batch_norm: {}, when: norm == 'batch'}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
params: {norm: batch}
variants: {plain: {norm: none}}
layers: [{conv2d: {out: 8, k: 3, bias: false}}, {batch_norm: {}, when: norm == 'batch'}]
""",
    ),
    Page(
        "CC110",
        "A block that contains itself, directly or through others: it would never end.",
        """\
convcalc: 1
input: [3, 32, 32]
blocks:
  deeper: {layers: [relu, {deeper: {}}]}
layers: [{deeper: {}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
blocks:
  deeper: {layers: [relu]}
layers: [{deeper: {}, repeat: 3}]
""",
    ),
    Page(
        "CC111",
        "The spec would expand to more than 250,000 layers or take more than 1,000,000 steps.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{relu: {}, repeat: 1000000000}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{relu: {}, repeat: 10}]
""",
    ),
    Page(
        "CC112",
        "`convcalc` says a version of the language that this program does not know. The only one is 1.",
        """\
convcalc: 2
input: [3, 32, 32]
layers: [relu]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [relu]
""",
    ),
)
