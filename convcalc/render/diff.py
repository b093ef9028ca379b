"""The difference of two specs as a document and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ..analysis.diff import Change, Difference, LayerChange, Threshold
from ..analysis.report import Report
from ..findings import Finding
from ..network import finding_in
from .document import Block, Column, Document, Findings, Heading, Listing, Table

if TYPE_CHECKING:
    from ..check.growth import Growth

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "="}
STYLES = {"added": "green", "removed": "red", "changed": "magenta", "renamed": "cyan"}
LABELS = {"live": "peak memory (bytes)", "receptive_field": "receptive field"}
LONGEST = 400
"""Layers that text and Markdown list; JSON lists all."""
MOST_NAMES = 8
"""Layers up to which each is listed that only has another name; of more one line says so."""


def diff_data(difference: Difference, findings: Sequence[Finding] = ()) -> dict[str, object]:
    """The difference and what grows too much, in the JSON contract of `diff`."""
    return {
        "before": _named(difference.before),
        "after": _named(difference.after),
        "totals": {change.what: {"before": change.before, "after": change.after} for change in difference.totals},
        "stages": [
            {"name": stage.name, "status": stage.status, "changes": _changes(stage.changes)}
            for stage in difference.stages
        ],
        "layers": [
            {
                "status": layer.status,
                "before": layer.before,
                "after": layer.after,
                "kind": layer.kind,
                "changes": _changes(layer.changes),
            }
            for layer in difference.layers
        ],
        "findings": [finding.to_dict() for finding in findings],
    }


def _changes(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [{"what": change.what, "before": change.before, "after": change.after} for change in changes]


def _named(report: Report) -> dict[str, object]:
    network = report.network
    return {
        "spec": network.name,
        "variant": network.variant,
        "input": {name: list(shape) for name, shape in network.inputs.items()},
    }


def diff_document(difference: Difference, findings: Sequence[Finding] = (), comment: bool = False) -> Document:
    """What changed, and what grows too much; `comment` says it in sentences for one under a pull request."""
    nothing = "no difference" if difference.empty else "nothing changed but names" if difference.only_names else ""
    note = f"{nothing.capitalize()}." if nothing and comment else nothing
    blocks: list[Block] = [Heading(_title(difference), 3, note=note, note_style="")]
    blocks += _tables(difference)
    if difference.layers:
        blocks.append(_listing(difference.layers))
    if findings:
        blocks.append(Findings(tuple(findings)))
    return Document(tuple(blocks))


def growth_blocks(growth: Growth, comment: bool) -> Iterator[Block]:
    """What has changed in each spec since a revision, one after the other."""
    for spec in growth.compared:
        moved = f" (was {spec.before})" if spec.moved else ""
        heading, *rest = diff_document(spec.difference, comment=comment).blocks
        assert isinstance(heading, Heading)
        yield heading._replace(text=f"{spec.path} since {growth.base}{moved}", note=heading.text)
        yield from rest


def growth_data(growth: Growth) -> dict[str, object]:
    """What has changed since a revision, in the JSON contract of `check`."""
    compared = [
        {"path": spec.path, "before_path": spec.before, **diff_data(spec.difference)} for spec in growth.compared
    ]
    return {"base": growth.base, "compared": compared, "not_compared": list(growth.notices)}


def _listing(layers: Sequence[LayerChange]) -> Listing:
    """The layers that changed, cut short where they are too many to read."""
    renamed = [layer for layer in layers if layer.status == "renamed"]
    listed = [layer for layer in layers if layer.status != "renamed" or len(renamed) <= MOST_NAMES]
    shown, hidden = listed[:LONGEST], len(listed) - LONGEST
    lines = [(SIGNS[layer.status], layer_text(layer)) for layer in shown]
    styles = [STYLES[layer.status] for layer in shown]
    if len(renamed) > MOST_NAMES:
        text = f"{len(renamed):,} layers have other names, such as {renamed[0].before} → {renamed[0].after}"
        lines.append((SIGNS["renamed"], text))
        styles.append(STYLES["renamed"])
    return Listing(
        "layers",
        _counts(layers) + (f"; the first {LONGEST} are listed" if hidden > 0 else ""),
        tuple(lines),
        tuple(styles),
        "layer",
        f"… and {hidden:,} more; --format json lists them all" if hidden > 0 else "",
    )


def _counts(layers: Sequence[LayerChange]) -> str:
    counts = {status: sum(layer.status == status for layer in layers) for status in SIGNS}
    return "layers: " + ", ".join(f"{count:,} {status}" for status, count in counts.items() if count)


def _title(difference: Difference) -> str:
    names = [_spec_name(difference.before), _spec_name(difference.after)]
    return f"{names[0]} → {names[1]}" if names[0] != names[1] else names[0]


def _spec_name(report: Report) -> str:
    network = report.network
    return f"{network.name} ({network.variant})" if network.variant else network.name


def _tables(difference: Difference) -> Iterator[Table]:
    columns = [Column("total"), *(Column(name, "right") for name in ("before", "after", "change", "%"))]
    rows = [[LABELS.get(c.what, c.what), *_cells(c)] for c in difference.totals if c.before != c.after]
    if rows:
        yield Table(columns, rows)
    columns = [Column("stage", shrinks=True), Column(""), *columns[1:]]
    rows = [
        [f"{SIGNS[stage.status]} {stage.name}" if n == 0 else "", LABELS.get(c.what, c.what), *_cells(c)]
        for stage in difference.stages
        for n, c in enumerate(change for change in stage.changes if (change.before or 0) != (change.after or 0))
    ]
    if rows:
        yield Table(columns, rows)


def _cells(change: Change) -> list[str]:
    before, after = change.before, change.after
    if not isinstance(before, int | None) or not isinstance(after, int | None):
        return [said(before), said(after), "", ""]
    delta = (after or 0) - (before or 0)
    return [said(before), said(after), f"{delta:+,}", percentage(before, after)]


def percentage(before: int | None, after: int | None) -> str:
    """The change in per cent, with its sign; empty where there was nothing before.

    >>> percentage(200, 199), percentage(61706, 60965224)
    ('-0.5', '+98,700')
    """
    if not before or after is None:
        return ""
    share = Fraction((after - before) * 100, before)
    return f"{float(share):+.3g}" if abs(share) < 1000 else f"{int(round(share, -2)):+,}"


def growth(quantity: str, before: int, after: int) -> str:
    """How much a quantity grows, in words.

    >>> growth("params", 1000, 1100)
    'params grows by 100 (+10 %), from 1,000 to 1,100'
    """
    share = f" ({percentage(before, after)} %)" if before else ""
    return f"{quantity} grows by {after - before:,}{share}, from {before:,} to {after:,}"


def growth_findings(difference: Difference, limits: Sequence[Threshold]) -> list[Finding]:
    """The findings about what grows by more than these limits allow."""
    return [
        growth_finding(difference, threshold.quantity, *totals, threshold.text)
        for threshold in limits
        if (totals := threshold.broken(difference))
    ]


def growth_finding(difference: Difference, quantity: str, before: int, after: int, limit: str) -> Finding:
    """The finding about a quantity that grows by more than its limit allows, at the spec that it grows in."""
    network = difference.after.network
    message = f"{growth(quantity, before, after)}; the limit is {limit}"
    hint = f"--fail-over {quantity}={limit} sets the limit"
    if network.origin is None:
        return finding_in(network, "CC601", message, hint=hint)
    return network.origin.finding_at("CC601", message, network.origin.section("name"), hint=hint)


def said(value: object) -> str:
    """A value as the difference shows it.

    >>> said([64, 112, 112]), said(9472), said(None)
    ('64×112×112', '9,472', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return (
            "×".join(map(str, value)) or "[]" if all(isinstance(n, int) for n in value) else ", ".join(map(said, value))
        )
    return str(value)


def layer_text(layer: LayerChange) -> str:
    """One layer's change in one line."""
    if layer.status == "renamed":
        return f"{layer.before} → {layer.after} ({layer.kind})"
    name = layer.after if layer.before == layer.after or layer.before is None else layer.before
    if layer.before is not None and layer.after is not None and layer.before != layer.after:
        name = f"{layer.before} → {layer.after}"
    changes = [changed_text(change) for change in layer.changes]
    return f"{name} ({layer.kind}): {', '.join(changes)}" if changes else f"{name} ({layer.kind})"


def changed_text(change: Change) -> str:
    """A value before and after; the one that there is where it is new or gone."""
    if change.before is None or change.after is None:
        return f"{change.what} {said(change.after if change.before is None else change.before)}"
    return f"{change.what} {said(change.before)} → {said(change.after)}"
