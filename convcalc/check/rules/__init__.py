"""Rules of advice (CC4): legal networks that probably are not what was meant.

A rule is a function that yields a `Remark` for each layer that it advises about. What its codes mean, with a wrong
and a right spec, say their pages in `codes/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...findings import Finding
from ...network import Network, finding_in
from .channels import groups_of_one_channel, useless_bias
from .inputs import channels_last
from .remark import Remark
from .transposed import uneven_overlap
from .unused import dead_layers, unused_names
from .windows import kernels_larger_than_inputs, unread_inputs, windows_of_padding

RULES = (
    unread_inputs,
    uneven_overlap,
    useless_bias,
    windows_of_padding,
    dead_layers,
    unused_names,
    kernels_larger_than_inputs,
    groups_of_one_channel,
    channels_last,
)


def advise(network: Network) -> list[Finding]:
    """The advice of every rule, one finding for each line and rule, the layers that share them counted."""
    first: dict[tuple[str, int, int], Finding] = {}
    layers: dict[tuple[str, int, int], set[str]] = {}
    for rule in RULES:
        for finding in findings(network, rule(network)):
            key = (finding.code, finding.line, finding.column)
            first.setdefault(key, finding)
            layers.setdefault(key, set()).add(finding.where)
    return [_counted(finding, len(layers[key]) - 1) for key, finding in first.items()]


def findings(network: Network, remarks: Iterable[Remark]) -> Iterable[Finding]:
    """What a rule remarks, at its place."""
    for remark in remarks:
        if remark.at is not None and network.origin is not None:
            yield network.origin.finding_at(remark.code, remark.message, remark.at, hint=remark.hint)
        else:
            yield finding_in(network, remark.code, remark.message, remark.where, hint=remark.hint)


def _counted(finding: Finding, others: int) -> Finding:
    if not others:
        return finding
    layers = "layer" if others == 1 else "layers"
    return replace(finding, message=f"{finding.message} (and {others} more {layers} from this line)")
