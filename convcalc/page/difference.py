"""What changed between two reports, with what each change costs: the totals, the stages, and every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..network import described
from ..render.diff import changed_text, percentage, said
from .environment import MOST_ROWS

if TYPE_CHECKING:
    from ..analysis.diff import Change, Difference, LayerChange
    from ..analysis.report import Report

ORDER = ("changed", "added", "removed", "renamed")
"""Of the rows of a table."""


class Compared(NamedTuple):
    """A quantity before and after."""

    name: str
    before: str
    after: str
    change: str
    """With its sign; empty for what is no number."""
    percent: str
    grows: int
    """1, 0 or −1."""


class StageRow(NamedTuple):
    """A stage whose figures changed."""

    name: str
    status: str
    changes: list[Compared]


class LayerRow(NamedTuple):
    """A layer that is in one network alone, or not the same in both."""

    status: str
    name: str
    path: str
    """Where it stands in the later network; empty where it does not."""
    kind: str
    said: str
    """Its fields and shapes that changed."""
    params: Compared
    macs: Compared


class Changes(NamedTuple):
    """What the page says of a comparison."""

    before: str
    after: str
    totals: list[Compared]
    stages: list[StageRow]
    layers: list[LayerRow]
    counts: str
    missing: int
    nothing: str
    """Said where nothing changed, or names alone."""


def changes(difference: Difference) -> Changes:
    """What changed, as rows of text."""
    before, after = difference.before, difference.after
    counted = dict.fromkeys(ORDER, 0)
    for layer in difference.layers:
        counted[layer.status] += 1
    listed = [layer for status in counted for layer in difference.layers if layer.status == status]
    nothing = "Nothing differs." if difference.empty else "Only names differ." if difference.only_names else ""
    return Changes(
        described(before.network),
        described(after.network),
        [_compared(change) for change in difference.totals],
        [
            StageRow(stage.name, stage.status, [_compared(change) for change in stage.changes])
            for stage in difference.stages
        ],
        [_layer(before, after, layer) for layer in listed[:MOST_ROWS]],
        ", ".join(f"{count:,} {status}" for status, count in counted.items() if count),
        max(len(difference.layers) - MOST_ROWS, 0),
        nothing,
    )


def _compared(change: Change) -> Compared:
    return _pair(change.what, change.before, change.after)


def _pair(name: str, before: object, after: object) -> Compared:
    if not isinstance(before, int | None) or not isinstance(after, int | None):
        return Compared(name, said(before), said(after), "", "", 0)
    grows = (after or 0) - (before or 0)
    sign = (grows > 0) - (grows < 0)
    return Compared(name, said(before), said(after), f"{grows:+,}" if grows else "0", percentage(before, after), sign)


def _layer(before: Report, after: Report, layer: LayerChange) -> LayerRow:
    a = None if layer.before is None else before.index[layer.before]
    b = None if layer.after is None else after.index[layer.after]
    costs = [[None if a is None else old(before, a), None if b is None else old(after, b)] for old in (_params, _macs)]
    moved = [f"was {layer.before}"] if None not in (layer.before, layer.after) and layer.before != layer.after else []
    fields = [change for change in layer.changes if change.what not in ("params", "macs")]
    return LayerRow(
        layer.status,
        layer.after or layer.before or "",
        layer.after or "",
        layer.kind,
        ", ".join([*moved, *map(changed_text, fields)]),
        _pair("params", *costs[0]),
        _pair("macs", *costs[1]),
    )


def _params(report: Report, index: int) -> int:
    return report.costs[index].params


def _macs(report: Report, index: int) -> int:
    return report.costs[index].macs * report.batch
