"""Networks as steps, so that two descriptions of one can be compared: what each step computes, and from what.

Steps that only pass numbers on are dropped by whoever makes steps. `joins` (concat, add, multiply, split) are
compared through the steps that read them: adding is associative and commutative, concatenating associative, and
frameworks run them at other moments than the spec names them. All other steps are compared in order, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.analysis.report import analyse
from convcalc.geometry import Window
from convcalc.network import Network, Node

JOINS = frozenset({"concat", "add", "multiply", "split"})
ASSOCIATIVE = frozenset({"concat", "add", "multiply"})
COMMUTATIVE = frozenset({"add", "multiply"})
FIELDS = (
    *("alpha", "beta", "k", "size", "eps", "affine", "track_running_stats", "elementwise_affine", "out_features"),
    *("p", "negative_slope", "mode", "value", "upscale_factor", "groups", "channels", "part", "count_include_pad"),
    *("approximate", "align_corners"),
)


class Step(NamedTuple):
    """One layer: its kind, its resolved fields, its costs, and the steps that it reads (below 0: inputs)."""

    name: str
    kind: str
    fields: dict[str, Any]
    inputs: tuple[int, ...]
    output_shape: tuple[int, ...]
    params: int = 0
    macs: int = 0


class Steps(NamedTuple):
    """A network as steps in the order of execution, and the steps that are its outputs."""

    steps: list[Step]
    outputs: list[int]


def steps_of(network: Network) -> Steps:
    """The steps of a network of the gallery."""
    report = analyse(network)
    found: list[Step] = []
    place: dict[int, int] = {}
    inputs = 0
    for index, node in enumerate(network.nodes):
        if node.layer is None:
            inputs += 1
            place[index] = -inputs
            continue
        sources = tuple(place[i] for i in node.inputs)
        if node.kind == "crop" and node.shape == network.nodes[node.inputs[0]].shape:
            place[index] = sources[0]
            continue
        if node.kind in ("crop", "upsample"):
            sources = sources[:1]
        cost = report.costs[index]
        place[index] = len(found)
        kind, fields = node.kind, layer_fields(network, node)
        if averages_all(kind, fields, network.input_shapes(node)[0], node.shape):
            kind, fields = "global_avg_pool", {}
        found.append(Step(node.name, kind, fields, sources, node.shape, cost.params, cost.macs))
    return Steps(found, [place[output.node] for output in network.outputs])


def averages_all(kind: str, fields: dict[str, Any], before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether a pool is the mean over all space, whatever it is called."""
    if set(after[1:]) != {1}:
        return False
    whole = [(size, 0, 0) for size in before[1:]]
    windows = [(k, p, q) for k, _, p, q, _ in fields.get("windows", ())]
    return kind.startswith("adaptive_avg_pool") or (kind.startswith("avg_pool") and windows == whole)


def layer_fields(network: Network, node: Node) -> dict[str, Any]:
    """What tells a layer from others of its kind, read from its model and its facts."""
    layer, shapes = node.layer, network.input_shapes(node)
    assert layer is not None
    found: dict[str, Any] = {name: getattr(layer, name) for name in FIELDS if hasattr(layer, name)}
    if node.kind == "upsample":
        return {"mode": found["mode"], "align_corners": bool(found["align_corners"])}
    if node.kind == "crop":
        return {"cropping": [(-w.before, -w.after) for w in spatial_windows(layer, shapes)]}
    if node.kind == "pad":
        return {**found, "padding": [(w.before, w.after) for w in spatial_windows(layer, shapes)]}
    if node.kind == "layer_norm":
        found["normalized"] = list(layer.weights(shapes)[0].shape)
        found["dim"] = getattr(layer, "dim", None)
    if node.kind == "permute":
        found["dims"] = list(getattr(layer, "order", ()))
    if node.kind in ("flatten", "concat"):
        return {}
    if layer.windows(shapes[0]):
        found["windows"] = [tuple(w) for w in layer.windows(shapes[0])]
        found["rounding"] = getattr(layer, "rounding", None)
    if hasattr(layer, "bias"):
        found["bias"] = layer.bias
    return found


def spatial_windows(layer: Any, shapes: Any) -> list[Window]:
    """How each space axis reads its input."""
    return [link.map for link in layer.axes(shapes)[1:]]


def rounded(value: Any) -> Any:
    """Decimals to twelve places: the records hold what binary arithmetic made of them."""
    return round(value, 12) if isinstance(value, float) else value


Signature = Any
"""What a value is computed from: the number of its step in order, or a join of such."""


def ordered(network: Steps) -> tuple[list[tuple[Step, list[Signature]]], list[Signature]]:
    """The steps that are no joins, each with the signatures of its inputs; and the signatures of the outputs."""
    signatures: dict[int, Signature] = {}
    sequence: list[tuple[Step, list[Signature]]] = []
    for index, step in enumerate(network.steps):
        sources = [signatures.get(i, ("input", i)) for i in step.inputs]
        if step.kind not in JOINS:
            signatures[index] = len(sequence)
            sequence.append((step, sources))
        elif step.kind == "split":
            signatures[index] = ("split", tuple(step.fields["channels"]), step.fields["part"], sources[0])
        else:
            parts = [part for source in sources for part in operands(source, step.kind)]
            signatures[index] = (step.kind, *(sorted(parts, key=repr) if step.kind in COMMUTATIVE else parts))
    return sequence, [signatures.get(i, ("input", i)) for i in network.outputs]


def operands(signature: Signature, kind: str) -> list[Signature]:
    """The operands of a join of this kind; a value of another kind is its own operand."""
    if isinstance(signature, tuple) and signature[0] == kind and kind in ASSOCIATIVE:
        return list(signature[1:])
    return [signature]


def differences(ours: Steps, theirs: Steps) -> list[str]:
    """Everything in which two networks differ, step by step; empty where they agree."""
    found: list[str] = []
    mine, my_outputs = ordered(ours)
    other, other_outputs = ordered(theirs)
    for (a, from_a), (b, from_b) in zip(mine, other, strict=False):
        where = f"{a.name} and {b.name}"
        for what, x, y in (
            ("kind", a.kind, b.kind),
            ("output", a.output_shape, b.output_shape),
            ("params", a.params, b.params),
            ("macs", a.macs, b.macs),
            ("inputs", from_a, from_b),
        ):
            if x != y:
                found.append(f"{where}: {what} {x} and {y}")
        for field in sorted({*a.fields, *b.fields}):
            x, y = rounded(a.fields.get(field)), rounded(b.fields.get(field))
            if x != y:
                found.append(f"{where}: {field} {x!r} and {y!r}")
    if len(mine) != len(other):
        found.append(f"{len(mine)} and {len(other)} steps")
    if sorted(my_outputs, key=repr) != sorted(other_outputs, key=repr):
        found.append(f"outputs {my_outputs} and {other_outputs}")
    return found
