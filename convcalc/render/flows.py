"""Training steps beside each other: one table of the gradient's way back, and a drawing of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING

from ..network import sizes
from ..terminal import printable
from .document import Block, Code, Column, Document, Heading, Note, Notes, Table
from .verify import extreme_remarks, figure, power_figure, share

if TYPE_CHECKING:
    from ..verify.comparison import FactorFlow, FlowComparison, RunFlow

MARKS = "abcdefghijklmnopqrstuvwxyz"
SEVERAL = "*"
"""The mark of a place that several runs share."""
SHOWN = 6
"""Factors that are shown unless every one is asked for."""
ROWS, COLUMNS, STEP, TICKS = 13, 60, 4, 4
"""Of the drawing, the columns from one factor to the next where there is room, and the steps of its ticks."""
FIGURES = ("gradient", "gain", "norm", "saturated")
NOTES = (
    "A row goes from a layer to the next one that all paths go through in every run (of all rows, shown or not).",
    "gradient: 2-norm of the gradient of the loss at what the layer reads. gain: over that at what the next one reads;"
    " heads that join in between add to it.",
    "norm: spectral norm of the row's Jacobian, W^T diag(s'(a)) for a layer with its activation: the most by which it"
    " lets a gradient grow. whole: products over all rows. a row: their geometric mean.",
    "saturated: share of the activations' inputs at which the slope is less than 5 % of the steepest.",
)


def flows_document(comparison: FlowComparison, every: bool) -> Document:
    """One table of the factors, some or `every` one, and a drawing."""
    runs = comparison.runs
    labels = [run_label(run) for run in runs]
    first = runs[0].variation.network
    shapes = ", ".join(map(sizes, first.inputs.values()))
    batch = f", batch {comparison.batch}" if comparison.batch != 1 else ""
    rest = f"  input {shapes}{batch}, {comparison.dtype}, seed {comparison.seed}"
    count = len(runs[0].factors)
    chosen = list(range(count)) if every or count <= SHOWN else _spread(count, SHOWN)
    blocks: list[Block] = [Heading(comparison.network.name, rest=rest), _table(runs, labels, chosen)]
    drawing = tuple(drawing_lines(runs, labels))
    blocks += [Code(drawing, drawn=True)] if drawing else []
    remarks = [Note(text, "yellow") for text in _remarks(runs, labels)]
    fewer = [Note(f"{len(chosen)} of {count} rows; --all shows every one", "dim")] if len(chosen) < count else []
    return Document((*blocks, Notes((*remarks, *fewer, *(Note(text, "dim") for text in NOTES)))))


def run_label(run: RunFlow) -> str:
    """What sets a run apart, in short."""
    settings = run.variation.settings
    return " ".join(
        value if name in ("activation", "variant") else f"{name}={value}" for name, value in settings.items()
    )


def _spread(count: int, wanted: int) -> list[int]:
    """Evenly spread numbers below `count`, the first and the last among them.

    >>> _spread(30, 6)
    [0, 6, 12, 17, 23, 29]
    """
    return [round(number * (count - 1) / (wanted - 1)) for number in range(wanted)]


def _table(runs: Sequence[RunFlow], labels: Sequence[str], chosen: Sequence[int]) -> Table:
    """The runs side by side under their names; under their letters where these do not fit."""
    rows = []
    rules = set()
    for number in chosen:
        for place, name in enumerate(FIGURES):
            factors = [run.factors[number] for run in runs]
            rows.append([factors[0].name if not place else "", name, *(_cells(factor)[place] for factor in factors)])
    for label, whole in (("whole", True), ("a row", False)):
        rules.add(len(rows))
        for place, name in enumerate(("gain", "norms" if whole else "norm", "saturated")):
            if whole and name == "saturated":
                continue
            rows.append([label if not place else "", name, *(_whole(run, whole)[place] for run in runs)])

    def under(heads: Sequence[str], narrow: Table | None) -> Table:
        columns = [Column("layer", shrinks=True), Column(""), *(Column(head, "right") for head in heads)]
        return Table(columns, rows, rules=frozenset(rules), narrow=narrow)

    marked = [f"{mark} {label}" for mark, label in zip(MARKS, labels, strict=False)]
    return under(marked, under(MARKS[: len(runs)], None))


def _cells(factor: FactorFlow) -> tuple[str, ...]:
    log = factor.gradient_log10
    gain = factor.gain_log10
    return (
        "" if log is None else power_figure(log),
        "" if gain is None else power_figure(gain),
        figure(factor.norm),
        share(factor.saturated),
    )


def _whole(run: RunFlow, whole: bool) -> tuple[str, ...]:
    """Of all rows together, or of one on average."""
    count = 1 if whole else max(len(run.factors), 1)
    gain, bound = run.gain_log10, run.bound_log10
    return (
        "" if gain is None else power_figure(gain / count),
        "" if bound is None else power_figure(bound / count),
        share(run.saturated),
    )


def _remarks(runs: Sequence[RunFlow], labels: Sequence[str]) -> Iterator[str]:
    """Where numbers leave their range, by run."""
    for label, run in zip(labels, runs, strict=True):
        yield from (f"{label}: {text}" for text in extreme_remarks(run.flow.extremes))


def drawing_lines(runs: Sequence[RunFlow], labels: Sequence[str]) -> Iterator[str]:
    """The gradient over the depth, its logarithm upwards: a letter a run; nothing where no run has a gradient."""
    curves = [[factor.gradient_log10 for factor in run.factors] for run in runs]
    known = [value for curve in curves for value in curve if value is not None and isfinite(value)]
    if not known:
        return
    count = len(curves[0])
    low = floor(min(known))
    tall = max(ceil((max(known) - low) / TICKS), 1) * TICKS
    columns = min(max(count, 2) * STEP, COLUMNS) if count <= COLUMNS else COLUMNS
    grid: dict[tuple[int, int], str] = {}
    for mark, curve in zip(MARKS, curves, strict=False):
        for number, value in enumerate(curve):
            if value is not None:
                column = round(number * (columns - 1) / max(count - 1, 1))
                place = (column, round((value - low) / tall * (ROWS - 1)))
                grid[place] = SEVERAL if grid.get(place, mark) != mark else mark
    texts = {round(tick * (ROWS - 1) / TICKS): f"1e{low + tick * tall // TICKS:+d}" for tick in range(TICKS + 1)}
    margin = max(map(len, texts.values()))
    yield "gradient (2-norm, log)"
    for row in reversed(range(ROWS)):
        line = "".join(grid.get((column, row), " ") for column in range(columns))
        yield f"{texts.get(row, '').rjust(margin)} {'┤' if row in texts else '│'} {line}".rstrip()
    yield f"{' ' * margin} └{'─' * (columns + 1)}"
    names = printable(runs[0].factors[0].name), printable(runs[0].factors[-1].name)
    gap = " " * max(columns - len(names[0]) - len(names[1]), 1)
    yield f"{' ' * (margin + 3)}{names[0]}" + (f"{gap}{names[1]}" if count > 1 else "")
    for mark, label in zip(MARKS, labels, strict=False):
        yield f"{mark}  {printable(label)}"
    if SEVERAL in grid.values():
        yield f"{SEVERAL}  several"
