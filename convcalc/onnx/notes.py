"""What there is to say of a network that was read from an ONNX file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod

from ..findings import Finding
from ..hints import shortened
from ..layers.opaque import Opaque
from .builder import Step
from .convert import Conversion

SHOWN = 6
"""Names that a warning lists."""
OF_NORM = re.compile(r"onnx::Conv_\d+|.*\.weight_bias", re.DOTALL)
"""How PyTorch's exporters call the bias of a convolution that they have folded a batch norm into."""


def notes(conversion: Conversion, steps: Sequence[Step], held: Sequence[str], path: str) -> tuple[Finding, ...]:
    """The warnings: opaque operators, where it ends, weights that several layers hold, what is left out or folded.

    `held` are the tensors of the file that steps hold, once for each step.
    """
    found: list[Finding] = []
    opaque = Counter(step.layer.operator for step in steps if isinstance(step.layer, Opaque))
    if opaque:
        reasons = [f"{op}: {why[0]}" for op, why in conversion.reasons.items() if op in opaque]
        message = f"the language does not have {_counted(opaque)}: kept with shape and weights"
        found.append(Finding("CC701", message, path, hint="; ".join(reasons[:SHOWN]) or None))
    if conversion.lost_outputs:
        message = f"the network ends where shapes are not known any more: {shortened(conversion.lost_outputs, SHOWN)}"
        counted = set(held)
        behind = sum(prod(dims) for name, dims in conversion.lost_weights.items() if name not in counted)
        message += f"; {behind:,} parameters behind it are not counted" if behind else ""
        found.append(Finding("CC708", message, path))
    b = conversion.builder
    norms = [step for step in steps if folded(step)]
    if norms:
        fewer = sum(step.shape[0] for step in norms)
        message = f"{len(norms)} convolutions have taken in the batch norm behind them: {fewer:,} parameters fewer"
        found.append(Finding("CC709", message, path))
    holders = Counter(name for name in held if name)
    shared = {name: count for name, count in holders.items() if count > 1}
    if shared:
        extra = sum((count - 1) * prod(b.values[name].dims) for name, count in shared.items() if name in b.values)
        message = f"{shortened(shared, SHOWN)} shared by several layers: params counts them {extra} too high"
        found.append(Finding("CC703", message, path))
    if conversion.dead:
        dead = [node.label for node in conversion.dead]
        found.append(Finding("CC704", f"left out, for they lead to no output: {shortened(dead, SHOWN)}", path))
    unread = [
        name
        for name, tensor in conversion.graph.tensors.items()
        if not b.uses.get(name) and tensor.floating and prod(tensor.dims) > 1
    ]
    if unread:
        found.append(
            Finding("CC704", f"initialisers that no layer reads are not counted: {shortened(unread, SHOWN)}", path)
        )
    return tuple(found)


def folded(step: Step) -> bool:
    """Whether a convolution has taken in a batch norm, as the name of its bias says."""
    return len(step.weights) > 1 and OF_NORM.fullmatch(step.weights[1]) is not None


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{op} ({count})" for op, count in sorted(operators.items()))
