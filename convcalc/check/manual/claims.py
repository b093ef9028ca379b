"""CC3: what a spec or its configuration claims, and what is computed."""

from __future__ import annotations

from .page import Page

_TABLE = """\
convcalc: 1
input: [3, 32, 32]
layers: [{{conv2d: {{out: 8, k: 3, p: 1}}, name: conv1}}]
published:
  - title: Table 1
    columns: {{"output size": {{value: output_size}}, "params": {{value: params}}}}
    rows: {{conv1: [32×32×8, "{params}"]}}
{differs}"""

_BY_WEIGHTS = "    differs: [{row: conv1, column: params, reason: without the biases, reading: {value: weights}}]\n"

PAGES = (
    Page(
        "CC301",
        "A value that `expect` claims is not what is computed. `convcalc check --update` writes the present values; "
        "bounds (`<= 7M`, `>= 1.5G`) and tolerances (`7.0M ± 1%`) are for values that may move.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}, name: conv1}]
expect: {params: 216, macs: <= 200K, output: [8, 30, 30]}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}, name: conv1}]
expect: {params: 224, macs: <= 200K, output: [8, 30, 30]}
""",
    ),
    Page(
        "CC302",
        "A printed cell differs from what follows from the architecture, and `differs` does not list it. Correct the "
        "spec, or list the cell with the reason.",
        _TABLE.format(params="216", differs=""),
        _TABLE.format(params="216", differs=_BY_WEIGHTS),
    ),
    Page(
        "CC303",
        "A cell is listed under `differs`, and does not differ: the list is out of date.",
        _TABLE.format(
            params="224", differs="    differs: [{row: conv1, column: params, reason: without the biases}]\n"
        ),
        _TABLE.format(params="224", differs=""),
    ),
    Page(
        "CC304",
        "The explanation of a listed difference (`with`, `variant`, `reading`) is run, and does not give the printed "
        "cell.",
        _TABLE.format(
            params="216",
            differs="    differs: [{row: conv1, column: params, reason: in thousands, reading: {unit: {K: 1000}}}]\n",
        ),
        _TABLE.format(params="216", differs=_BY_WEIGHTS),
    ),
    Page(
        "CC305",
        "A quantity of the network is above the budget that the configuration gives to its folder: `max_params`, "
        "`max_macs`, `max_peak_memory` and others of the form `max_<quantity>`.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 64, k: 3}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 32, k: 3}}]
""",
        config='max_params = "1K"\n',
    ),
    Page(
        "CC306",
        "A claim about something that does not exist: a quantity, a stage, a row, a variant, an output. Such a claim "
        "can neither hold nor fail.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}, name: conv1}]
expect: {stages: {conv2: {params: 224}}}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}, name: conv1}]
expect: {stages: {conv1: {params: 224}}}
""",
    ),
    Page(
        "CC307",
        "A comment `# convcalc: ignore[...]` ignores a finding that is not on its line (a warning). Such comments "
        "outlive what they were written for and then hide something else.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]   # convcalc: ignore[CC401]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3}}]
""",
    ),
)
