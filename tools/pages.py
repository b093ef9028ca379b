"""The generated pages: docs/kinds.md, docs/codes.md, the formulas of arithmetic.md, the columns of
analysis.md, the limits of security.md, the seconds of README."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path

import convcalc
from convcalc.analysis.decoder_answers import refusal
from convcalc.analysis.quantities import QUANTITIES
from convcalc.codes import codes, markdown
from convcalc.export.keras_layers import KERAS
from convcalc.export.onnx_layers import ONNX
from convcalc.export.torch_layers import TORCH
from convcalc.geometry import FORMULAS, SYMBOLS
from convcalc.geometry.formulas import Formula
from convcalc.keras import configuration, h5
from convcalc.language.items import fields_of
from convcalc.layers.base import OPERATIONS
from convcalc.layers.registry import KINDS, layer_class
from convcalc.limits import LIMITS, Limit
from convcalc.onnx import wire
from convcalc.onnx.graph import MOST_NODES
from convcalc.onnx.inference import MOST_BYTES, MOST_SECONDS
from convcalc.reference.dispatch import twin
from convcalc.serve.server import MOST_CONNECTIONS
from convcalc.sweep import axes, join, opening, plan, processes, space
from convcalc.torch.exported import graph as exported_graph
from convcalc.torch.exported import load as exported_load
from convcalc.units import amount
from convcalc.verify.prediction import RULES

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SPEED = ROOT / "tests" / "oracle" / "processes.json"
"""A run of `benchmarks/processes.py`."""
REMARKS = {
    "--help": "",
    "invert --k 3 --s 2 --p 1": "",
    "table googlenet.yaml": ", 143 layers",
    "check googlenet.yaml": "",
    "verify googlenet.yaml --quick": ", a forward pass",
    "report googlenet.yaml -o report.html": "",
    "table layers.yaml": ", 10,000 layers written out",
    "table repeated.yaml": ", 100,000 layers by `repeat`",
}
"""The calls that README shows, and what is said behind them."""
FAMILIES = {
    "CC0": "Reading",
    "CC1": "Schema",
    "CC2": "Geometry",
    "CC3": "Claims",
    "CC4": "Advice",
    "CC5": "Verification",
    "CC6": "Comparisons",
    "CC7": "Models that are read",
    "CC8": "convcalc itself",
}
CODES = """\
# Codes of findings

<!-- Made by tools/pages.py from convcalc/codes; the tests run the examples. -->

`convcalc check` reports findings under these codes. Errors fail (exit code 1), warnings fail with `--strict`, advice
(CC4) is given with `--advice` or `--select CC4` and never fails. `convcalc check --explain CC201` prints one of these
pages; `# convcalc: ignore[CC201]` at the end of a line ignores a code on that line.
"""
END = "<!-- end -->\n"


ROOMS: dict[str, Callable[[str], str | None]] = {
    "reference": lambda kind: None if twin(layer_class(kind), kind) else "the reference has no forward pass of it",
    "flow": lambda kind: None if RULES.knows(kind) else RULES.reason(kind),
    "decoder": refusal,
    "PyTorch": lambda kind: None if TORCH.knows(kind) else TORCH.reason(kind),
    "Keras": lambda kind: None if KERAS.knows(kind) else KERAS.reason(kind),
    "ONNX": lambda kind: None if ONNX.knows(kind) else ONNX.reason(kind),
}
"""Where kinds are known -> why it does not know a kind; None where it does."""


def known_section(families: list[list[str]]) -> list[str]:
    """Kind by room: where each is known, and the reasons where it is not, as footnotes."""
    lines = ["| kind | " + " | ".join(ROOMS) + " |", "|---|" + "---|" * len(ROOMS)]
    reasons: list[str] = []
    for kinds in families:
        rows: dict[tuple[str | None, ...], list[str]] = {}
        for kind in kinds:
            rows.setdefault(tuple(room(kind) for room in ROOMS.values()), []).append(kind)
        for row, alike in rows.items():
            for reason in row:
                if reason is not None and reason not in reasons:
                    reasons.append(reason)
            marks = ["✓" if reason is None else f"[{reasons.index(reason) + 1}]" for reason in row]
            lines.append(f"| {', '.join(f'`{kind}`' for kind in alike)} | " + " | ".join(marks) + " |")
    return [*lines, "", *(f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)), ""]


KINDS_OF_LAYERS = """\
Every kind of layer that a spec may have, with its fields; a short form may stand in place of a field's name, and what
has a default may be left out. [The language](language.md) says how layers stand in a spec.
[At the end](#where-each-kind-is-known) stands which kinds `verify`, `invert` and `export` know.

<!-- Made by tools/pages.py from convcalc/layers. -->
"""
KNOWN = """\
## Where each kind is known

To the NumPy reference that `verify` runs, to what `verify --backward` expects of activations and gradients (flow), to
the decoder that `invert` mirrors, and to the targets of `export`. A target may still refuse some fields of a kind that
it knows; it then says which.
"""


def kinds_page() -> str:
    """docs/kinds.md: every kind with its docstring and its fields, and where it is known."""
    lines = ["# Kinds of layers", "", *KINDS_OF_LAYERS.splitlines(), ""]
    by_class: dict[tuple[str, str], list[str]] = {}
    for kind, place in KINDS.items():
        by_class.setdefault(place, []).append(kind)
    for kinds in by_class.values():
        cls = layer_class(kinds[0])
        lines += ["## " + ", ".join(f"`{kind}`" for kind in kinds), "", inspect.cleandoc(cls.__doc__ or ""), ""]
        letters = {name: letter for letter, name in cls.short_forms.items()}
        fields = {field.name: field for field in fields_of(kinds[0]).values()}
        if fields:
            lines += ["| field | short | takes | default |", "|---|---|---|---|"]
        for name, field in fields.items():
            short = f"`{letters[name]}`" if name in letters else ""
            info = cls.model_fields[name]
            default = "required" if field.required else f"`{_yaml(info.default)}`"
            lines.append(f"| `{name}` | {short} | {field.expected} | {default} |")
        lines.append("")
    lines += [*KNOWN.splitlines(), "", *known_section(list(by_class.values()))]
    return "\n".join(lines)


def _yaml(value: object) -> str:
    """A default as YAML writes it."""
    if value is None:
        return "~"
    return str(value).lower() if isinstance(value, bool) else str(value)


def codes_page() -> str:
    """docs/codes.md: the page of every code, by families, each at an address of its own."""
    parts = [CODES]
    for prefix, family in FAMILIES.items():
        parts.append(f"## {prefix}: {family}\n")
        parts += [f'<a id="{code.lower()}"></a>\n\n{markdown(code)}' for code in codes() if code.startswith(prefix)]
    return "\n".join(parts)


def formulas_section() -> str:
    """The table of formulas and of operations of docs/arithmetic.md."""
    for module in pkgutil.walk_packages(convcalc.__path__, "convcalc."):
        if not module.name.endswith(("__main__", "_helpers")) and ".live" not in module.name:  # those need frameworks
            importlib.import_module(module.name)
    letters = ", ".join(f"`{letter}` {name}" for name, letter in SYMBOLS.items())
    lines = [f"Letters: {letters}.", "", "| formula | computed by | source |", "|---|---|---|"]
    for formula in sorted(FORMULAS.values(), key=_place):
        function = f"{formula.function.__module__}.{formula.name}"
        lines.append(f"| `{formula.result} = {formula.expression}` | `{function}` | {formula.source} |")
    lines += ["", "| operation | flops each | what is counted |", "|---|---|---|"]
    lines += [f"| {kind} | {flops} | {meaning} |" for kind, (flops, meaning) in OPERATIONS.items()]
    return "\n".join(lines) + "\n"


def _place(formula: Formula) -> tuple[bool, str]:
    """The order of formulas: geometry, then the rooms that build on it, by their modules."""
    module = formula.function.__module__
    return not module.startswith("convcalc.geometry."), module


def columns_section() -> str:
    """The table of every quantity of docs/analysis.md."""
    lines = ["| name | unit | meaning | of the network |", "|---|---|---|---|"]
    for quantity in QUANTITIES.values():
        names = ", ".join(f"`{name}`" for name in (quantity.name, *quantity.aliases))
        total = {"sum": "the sum", "largest": "the largest", "own": "its own", None: ""}[quantity.total]
        lines.append(f"| {names} | {quantity.unit} | {quantity.meaning} | {total} |")
    return "\n".join(lines) + "\n"


def limits_section() -> str:
    """The table of every limit of docs/security.md."""
    limits = (
        *LIMITS,
        Limit(MOST_NODES, "nodes", "the graph of an ONNX file, its functions written out"),
        Limit(wire.MOST_WORK, "fields", "what is read of an ONNX file beside the weights"),
        Limit(wire.MOST_FIELDS, "fields", "one message of an ONNX file"),
        Limit(MOST_BYTES, "bytes", "the memory of the process in which the onnx package infers shapes"),
        Limit(MOST_SECONDS, "seconds", "the time of a processor that it takes"),
        Limit(configuration.MOST_BYTES, "bytes", "the configuration of a Keras model, unpacked"),
        Limit(configuration.MOST_VALUES, "values and keys", "the same"),
        Limit(h5.MOST_MEMORY, "bytes", "the memory of the process that reads an HDF5 file"),
        Limit(h5.MOST_SECONDS, "seconds", "the time of a processor that it takes"),
        Limit(exported_load.MOST_BYTES, "bytes", "the graph of a .pt2 file, unpacked"),
        Limit(exported_load.MOST_VALUES, "values and keys", "the same"),
        Limit(exported_graph.MOST_NODES, "nodes", "the same"),
        Limit(opening.LONGEST_VALUE, "bytes", "a value of a run's manifest, the spec's text among them"),
        Limit(opening.LONGEST_WORDS, "bytes", "the words of the plan of a run"),
        Limit(opening.LONGEST_ROW, "bytes", "any other row of a run"),
        Limit(opening.MOST_COLUMNS, "columns", "the axes and figures of a run"),
        Limit(space.MOST_CANDIDATES, "candidates", "a sweep"),
        Limit(plan.MOST_WORDS, "words", "what is said of a sweep: axes, conditions, columns and the rest"),
        Limit(plan.MOST_CHARACTERS, "characters", "the same, the axes left out"),
        Limit(axes.MOST_CHARACTERS, "characters", "an axis of a sweep"),
        Limit(processes.MOST_JOBS, "processes", "a sweep on one machine"),
        Limit(join.MOST_BYTES, "bytes", "the measured figures of --join"),
        Limit(join.MOST_ROWS, "rows", "the measured figures of --join"),
        Limit(join.MOST_CELLS, "values", "the measured figures of --join"),
        Limit(join.LONGEST_ROW, "characters", "a row of the measured figures of --join"),
        Limit(MOST_CONNECTIONS, "connections", "what watch serves at one time"),
    )
    rows = [f"| {limit.what} | {_most(limit)} |" for limit in limits]
    return "\n".join(["| what | at most |", "|---|---|", *rows]) + "\n"


def _most(limit: Limit) -> str:
    return amount(limit.most, "bytes", 0) if limit.unit == "bytes" else f"{limit.most:,} {limit.unit}"


def speed_section() -> str:
    """README's table of what calls of the command take."""
    recorded = json.loads(SPEED.read_text("utf-8"))
    lines = [
        f"Whole calls, from an installed wheel, on {recorded['machine']} ({recorded['python']}):",
        "",
        "| command | seconds | × `python -c pass` | memory |",
        "|---|---|---|---|",
    ]
    for name, row in recorded["commands"].items():
        if name in REMARKS:
            call = f"`convcalc {name}`{REMARKS[name]}"
            lines.append(f"| {call} | {row['seconds']:.2f} s | {row['multiple']:.0f} | {row['mebibytes']:.0f} MiB |")
    return "\n".join(lines) + "\n"


def texts() -> dict[Path, str]:
    """Every generated page and its text."""
    return {
        DOCS / "kinds.md": kinds_page(),
        DOCS / "codes.md": codes_page(),
        DOCS / "arithmetic.md": _replaced(DOCS / "arithmetic.md", "formulas", formulas_section()),
        DOCS / "analysis.md": _replaced(DOCS / "analysis.md", "columns", columns_section()),
        DOCS / "security.md": _replaced(DOCS / "security.md", "limits", limits_section()),
        ROOT / "README.md": _replaced(ROOT / "README.md", "speed", speed_section()),
    }


def _replaced(page: Path, name: str, section: str) -> str:
    """A page with its generated section of that name written anew."""
    start = f"<!-- generated: {name} -->\n"
    text = page.read_text("utf-8")
    return re.sub(re.escape(start) + ".*?" + re.escape(END), lambda _: start + section + END, text, flags=re.S)
