"""The outcome of a verification as a document: what was predicted beside what happened, and the flow of gradients."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, isfinite, prod
from typing import TYPE_CHECKING

from ..units import amount, scaled
from .document import Block, Column, Document, Heading, Note, Notes, Table

if TYPE_CHECKING:
    from ..verify.confirm import LayerCheck, Verification
    from ..verify.flow import Extremes, Flow, FlowRow, MeasuredLoss

CONFIRMED = "ok"
DIFFERS = "differs"
NOT_RUN = "-"
LARGEST = 3
"""Layers that are named where all are confirmed."""

LOSS_WORDS = {
    "cross_entropy": "cross-entropy over {reads}, {value}",
    "mean_square": "mean square of {reads} against noise, {value}",
    "linear": "{reads} x noise",
}
NOTES = (
    "activation, gradient: root mean square (rms) of the output and of the gradient that arrives at it; weights: of the"
    " gradient of the weights.",
    "ratio: of the output to what the layer reads; of the gradient that it hands up to the one that it receives.",
    "expected: a prediction for independent weights and numbers, not a measurement (docs/verify.md).",
    "saturated (sat): share of an activation's inputs at which its slope is less than 5 % of its steepest.",
)


def verification_document(outcome: Verification, every: bool) -> Document:
    """The outcome, with the rows that differ, or `every` one."""
    shown = outcome.layers if every else tuple(layer for layer in outcome.layers if not layer.ok)
    blocks: list[Block] = [_heading(outcome)]
    blocks += [_layers_table(shown)] if shown else []
    if outcome.flow is not None:
        flow = outcome.flow
        blocks += [flow_table(flow.rows), Notes(tuple(_flow_notes(flow, outcome.scheme)))]
    last = [Note(summary(outcome), "bold" if outcome.ok else "bold red")]
    last += [Note(_largest(outcome.layers))] if not every and outcome.ok and outcome.layers else []
    last += [Note(_quick_note(outcome), "dim")] if outcome.quick else []
    memory = amount(outcome.needed, "bytes", 0, "up")
    more = "" if every or not outcome.layers else "; --all shows every layer"
    last.append(Note(f"{outcome.seconds:.2f} s, arrays of up to {memory} (estimate){more}", "dim"))
    return Document((*blocks, Notes(tuple(last))))


def _flow_notes(flow: Flow, scheme: str) -> Iterator[Note]:
    """What the table cannot say: where numbers leave their range first of all."""
    yield from (Note(text, "yellow") for text in extreme_remarks(flow.extremes))
    yield Note(f"weights by {scheme}. {_passage(flow.rows)}".rstrip(), "dim")
    if flow.losses:
        yield Note(f"loss: {' + '.join(_loss_text(loss) for loss in flow.losses)}.", "dim")
    yield from (Note(text, "dim") for text in NOTES)


def extreme_remarks(extremes: Extremes) -> Iterator[str]:
    """A sentence for each way in which numbers leave the range of the run's type."""
    dtype = extremes.dtype
    wider = "" if dtype == "float64" else " --dtype float64 goes further."
    if extremes.activation_overflow:
        yield (
            f"{dtype} overflows at {extremes.activation_overflow}: its output is not finite, so that there is no loss"
            f" and no gradient.{wider}"
        )
    if extremes.gradient_zero:
        yield (
            f"the gradient ends at {extremes.gradient_zero}: wherever it arrives the slope is 0 in {dtype}, so that"
            " nothing is handed up."
        )
    for verb, where in (("underflows", extremes.gradient_underflow), ("overflows", extremes.gradient_overflow)):
        if where:
            yield (
                f"{dtype} {verb} at {where} on the gradient's way up: trained in {dtype}, the layers from there on are"
                " lost. The figures are right: they are of a run that takes powers of two out."
            )


def _loss_text(loss: MeasuredLoss) -> str:
    """What an output is trained with, and its value.

    >>> from convcalc.verify.flow import MeasuredLoss
    >>> from convcalc.verify.loss import OutputLoss
    >>> _loss_text(MeasuredLoss(OutputLoss("aux1", "cross_entropy", 0.3, 9), "aux1.classifier", 6.9078))
    '0.3 x (cross-entropy over aux1.classifier, 6.91)'
    """
    value = "unknown" if loss.value is None else figure(loss.value)
    text = LOSS_WORDS[loss.output.loss].format(reads=loss.reads, value=value)
    if loss.output.folded:
        text += f", with {loss.output.folded}"
    return text if loss.output.weight == 1 else f"{loss.output.weight:g} x ({text})"


def _quick_note(outcome: Verification) -> str:
    """What the search for a smaller input found."""
    if outcome.full_inputs is None:
        return "quick: no smaller input of the same residue class builds with the same weights; this is the full size"
    before, after = (
        ", ".join("×".join(map(str, shape)) for shape in shapes.values())
        for shapes in (outcome.full_inputs, outcome.network.inputs)
    )
    return f"quick: {after} in place of {before}, with the same remainders at every stride and the same weights"


def summary(outcome: Verification) -> str:
    """What is confirmed, in one line."""
    layers = outcome.layers
    good = sum(layer.ok for layer in layers)
    if outcome.ok:
        params = sum(layer.predicted_params for layer in layers)
        macs = sum(layer.predicted_macs for layer in layers)
        return f"confirmed: {good} of {good} layers, {params:,} params, {macs:,} macs counted"
    missing = sum(node.layer is not None for node in outcome.network.nodes) - len(layers)
    rest = f"; {missing} not reached" if missing else ""
    return f"NOT confirmed: {len(layers) - good} of {len(layers) + missing} layers differ{rest}"


def _largest(layers: tuple[LayerCheck, ...]) -> str:
    """The layers that compute most, or where none computes, those that put out most."""
    first = sorted(layers, key=lambda layer: (-layer.predicted_macs, -prod(layer.predicted_shape)))[:LARGEST]
    rows = [
        f"{layer.name} ({scaled(layer.predicted_macs)} macs)" if layer.predicted_macs else layer.name for layer in first
    ]
    return f"largest: {', '.join(rows)}"


def _heading(outcome: Verification) -> Heading:
    network = outcome.network
    shapes = ", ".join(
        ("" if name == "input" else f"{name} ") + "×".join(map(str, shape)) for name, shape in network.inputs.items()
    )
    variant = f" ({network.variant})" if network.variant else ""
    batch = f", batch {outcome.batch}" if outcome.batch != 1 else ""
    return Heading(network.name + variant, rest=f"  input {shapes}{batch}, {outcome.dtype}, seed {outcome.seed}")


def _layers_table(layers: tuple[LayerCheck, ...]) -> Table:
    """Predicted and actual in columns of their own; where these do not fit, one column that shows both if unequal."""
    narrow = Table(
        [
            Column("layer", shrinks=True),
            Column("shape"),
            Column("params", "right"),
            Column("macs", "right"),
            Column("verdict"),
        ],
        [[layer.name, *(a if a == b else f"{a} ≠ {b}" for a, b in _pairs(layer)), _verdict(layer)] for layer in layers],
        styles=_styles(layers, 4),
    )
    return Table(
        [
            Column("layer", shrinks=True),
            Column("shape"),
            Column("actual"),
            Column("params", "right"),
            Column("actual", "right"),
            Column("macs", "right"),
            Column("counted", "right"),
            Column("verdict"),
        ],
        [[layer.name, *(text for pair in _pairs(layer) for text in pair), _verdict(layer)] for layer in layers],
        styles=_styles(layers, 7),
        narrow=narrow,
    )


def _pairs(layer: LayerCheck) -> tuple[tuple[str, str], ...]:
    """(predicted, actual) as text."""
    return (
        (_shape(layer.predicted_shape), _shape(layer.actual_shape)),
        (f"{layer.predicted_params:,}", _number(layer.actual_params)),
        (f"{layer.predicted_macs:,}", _number(layer.counted_macs)),
    )


def _shape(shape: tuple[int, ...] | None) -> str:
    return NOT_RUN if shape is None else "×".join(map(str, shape)) or "[]"


def _number(value: int | None) -> str:
    return NOT_RUN if value is None else f"{value:,}"


def _verdict(layer: LayerCheck) -> str:
    return CONFIRMED if layer.ok else DIFFERS


def _styles(layers: tuple[LayerCheck, ...], column: int) -> dict[tuple[int, int], str]:
    return {(row, column): "green" if layer.ok else "bold red" for row, layer in enumerate(layers)}


def flow_table(rows: tuple[FlowRow, ...]) -> Table:
    """Activations and gradients by layer, the measured ratio beside the expected one.

    Where it does not fit, the saturated share stands under the weights, which activations have not.
    """
    columns = [
        Column("layer", shrinks=True),
        *(Column(text, "right") for text in ("activation", "ratio", "expected")),
        *(Column(text, "right") for text in ("gradient", "ratio", "expected")),
        Column("weights", "right"),
    ]
    cells = [
        [
            row.name,
            figure(row.activation_rms),
            figure(row.activation_ratio),
            figure(row.predicted_activation_ratio),
            size_figure(row.gradient_rms, row.gradient_log10),
            figure(row.gradient_ratio),
            figure(row.predicted_gradient_ratio),
            size_figure(row.weight_gradient_rms, row.weight_gradient_log10),
        ]
        for row in rows
    ]
    shares = [share(row.saturated) for row in rows]
    merged = [[*line[:-1], f"{flat} sat" if flat else line[-1]] for line, flat in zip(cells, shares, strict=True)]
    whole = [[*line, flat] for line, flat in zip(cells, shares, strict=True)]
    return Table([*columns, Column("saturated", "right")], whole, narrow=Table(columns, merged))


def share(value: float | None) -> str:
    """A share in per cent.

    >>> share(0.4972), share(0.0004), share(0.0), share(None)
    ('50%', '<1%', '0%', '')
    """
    if value is None:
        return ""
    return "<1%" if 0 < value < 0.005 else f"{100 * value:.0f}%"


def size_figure(value: float | None, log10: float | None) -> str:
    """A size to three digits, also where a double cannot hold it.

    >>> size_figure(0.25, -0.602), size_figure(0.0, -400.301), size_figure(0.0, None)
    ('0.250', '5.00e-401', '0')
    """
    if log10 is None or not isfinite(log10) or (value and isfinite(value)):
        return figure(value)
    power = floor(log10)
    return f"{10 ** (log10 - power):.2f}e{power:+d}"


def figure(value: float | None) -> str:
    """A measured number to three digits.

    >>> figure(0.70710678), figure(3.2e-19), figure(None)
    ('0.707', '3.20e-19', '')
    """
    if value is None:
        return ""
    if not isfinite(value):
        return "overflow"
    if value == 0:
        return "0"
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= value < 1e4 else f"{value:.2e}"


def _passage(rows: tuple[FlowRow, ...]) -> str:
    """How the gradient has changed between the last and the first layer with weights."""
    learning = [row for row in rows if row.weight_gradient_rms is not None and row.gradient_log10 is not None]
    if len(learning) < 2:
        return ""
    first, last = learning[0], learning[-1]
    assert first.gradient_log10 is not None and last.gradient_log10 is not None
    change = first.gradient_log10 - last.gradient_log10
    each = 10 ** (change / (len(learning) - 1))
    return (
        f"gradient: {size_figure(last.gradient_rms, last.gradient_log10)} at {last.name},"
        f" {size_figure(first.gradient_rms, first.gradient_log10)} at {first.name}:"
        f" a factor of {power_figure(change)}, {figure(each)} a layer with weights."
    )


def power_figure(log10: float) -> str:
    """A factor by its logarithm.

    >>> power_figure(-0.30103), power_figure(-400.301)
    ('0.500', '5.00e-401')
    """
    return size_figure(10**log10 if abs(log10) < 300 else 0.0, log10)
