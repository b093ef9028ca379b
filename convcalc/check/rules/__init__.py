"""Rules of advice (CC4): legal networks that probably are not what was meant.

One rule a module. A rule is a function that yields a `Remark` for each layer that it advises about; what the
rule means, with a wrong and a right spec, stands in the same module as a `Page`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...findings import Finding
from ...network import Network
from . import bias, dead, groups, leftover, overlap, padding, unused, windows
from .remark import Remark

RULES = (leftover, overlap, bias, padding, dead, unused, windows, groups)


def advise(network: Network) -> list[Finding]:
    """The advice of every rule, one finding for each line and rule, the layers that share them counted."""
    first: dict[tuple[str, int, int], Finding] = {}
    layers: dict[tuple[str, int, int], set[str]] = {}
    for rule in RULES:
        for finding in _findings(network, rule.remarks(network)):
            key = (finding.code, finding.line, finding.column)
            first.setdefault(key, finding)
            layers.setdefault(key, set()).add(finding.where)
    return [_counted(finding, len(layers[key]) - 1) for key, finding in first.items()]


def _findings(network: Network, remarks: Iterable[Remark]) -> Iterable[Finding]:
    for remark in remarks:
        if remark.at is not None and network.origin is not None:
            yield network.origin.finding_at(remark.code, remark.message, remark.at, hint=remark.hint)
        else:
            yield network.finding(remark.code, remark.message, remark.where, hint=remark.hint)


def _counted(finding: Finding, others: int) -> Finding:
    from dataclasses import replace

    if not others:
        return finding
    layers = "layer" if others == 1 else "layers"
    return replace(finding, message=f"{finding.message} (and {others} more {layers} from this line)")
