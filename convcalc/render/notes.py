"""What stands under a table because of its columns: conventions, the peak, joins, the device."""

from __future__ import annotations

from collections.abc import Iterable

from ..analysis.conventions import COLUMN_CONVENTIONS
from ..analysis.report import Report
from ..units import amount

FIELD_COLUMNS = frozenset({"receptive_field", "jump", "start", "centre"})
DEVICE_COLUMNS = frozenset({"time", "bound"})
MOST_NAMES = 4


def column_notes(report: Report, columns: Iterable[str]) -> list[str]:
    """The lines that the shown columns need."""
    chosen = set(columns)
    lines = []
    if "live" in chosen:
        lines += _peak(report)
    if chosen & FIELD_COLUMNS:
        lines += [f"{note.node}: {note.message}" for note in report.receptive_fields.notes[:MOST_NAMES]]
        more = len(report.receptive_fields.notes) - MOST_NAMES
        lines += [f"{more} more joins of unequal or misaligned paths"] if more > 0 else []
    if chosen & DEVICE_COLUMNS and report.device is not None:
        device = report.device
        source = f" ({device.source})" if device.source else ""
        lines.append(f"device {device.name}: {device.flops:,} FLOP/s, {device.bandwidth:,} B/s{source}")
    lines += [f"{name}: {COLUMN_CONVENTIONS[name]}" for name in COLUMN_CONVENTIONS if name in chosen]
    return lines


def _peak(report: Report) -> list[str]:
    facts, nodes = report.liveness, report.network.nodes
    alive = facts.alive(facts.peak)
    names = ", ".join(nodes[i].name for i in alive[-MOST_NAMES:])
    more = f" and {len(alive) - MOST_NAMES} more" if len(alive) > MOST_NAMES else ""
    peak = amount(facts.live[facts.peak] * report.batch * report.item, "bytes")
    lines = [f"peak: {peak} at {nodes[facts.peak].name}; alive there: {names}{more}"]
    if report.dtype == "int8":
        flash = amount(report.totals.params * report.item, "bytes")
        lines.append(f"microcontroller: flash {flash} for the params, RAM (arena) {peak}")
    return lines
