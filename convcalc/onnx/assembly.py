"""Steps -> Network: those that lead to an output, with names and groups, and what there is to say about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from math import prod
from pathlib import Path

from ..findings import Finding
from ..geometry import GeometryError
from ..layers.opaque import Opaque
from ..layers.sharing import check_shared
from ..models.origin import ModelOrigin
from ..network import Group, Network, Node, Output, used
from .builder import Step
from .convert import Conversion
from .messages import Malformed
from .names import step_paths

SHOWN = 6
"""Names that a warning lists."""
OF_NORM = re.compile(r"onnx::Conv_\d+|.*\.weight_bias", re.DOTALL)
"""How PyTorch's exporters call the bias of a convolution that they have folded a batch norm into."""


def assemble(conversion: Conversion, path: str, load: Callable[..., Network]) -> Network:
    """The network of the steps that lead to an output, inputs first, with names and groups."""
    steps, model = conversion.builder.steps, conversion.model
    kept = _kept(steps, [step for _, step in conversion.outputs])
    inputs = [index for index in kept if steps[index].layer is None]
    if not inputs:
        raise Malformed("no output depends on an input")
    order = [*inputs, *(index for index in kept if steps[index].layer is not None)]
    place = {index: position for position, index in enumerate(order)}
    paths = _paths([steps[index] for index in order], len(inputs))
    nodes = _shared(
        [
            Node(name, steps[i].layer, tuple([place[source] for source in steps[i].inputs]), steps[i].shape)
            for name, i in zip(paths, order, strict=True)
        ],
        [steps[i].weights for i in order],
    )
    holding = [steps[i] for node, i in zip(nodes, order, strict=True) if node.shares is None]
    outputs = dict.fromkeys(place[step] for _, step in conversion.outputs)
    producer = f"{model.producer}, " if model.producer else ""
    return Network(
        name=Path(path).stem or "model",
        nodes=nodes,
        outputs=tuple(Output(nodes[position].name, position) for position in outputs),
        groups=_groups(nodes, len(inputs)),
        source=f"{Path(path).name}: {producer}opset {model.opset}",
        origin=ModelOrigin(
            path,
            "an ONNX file",
            nodes={name: steps[i].node.label for name, i in zip(paths, order, strict=True)},
            load=lambda input: load(path, input=input),
        ),
        notes=_notes(conversion, [steps[i] for i in order], holding, path),
    )


def _shared(nodes: list[Node], weights: list[tuple[str, ...]]) -> tuple[Node, ...]:
    """The nodes, each of which has the weights of the first one of its kind that holds the same initialisers."""
    first: dict[tuple[str, ...], int] = {}
    for index, names in enumerate(weights):
        if not names or not all(names):
            continue
        held_by = first.setdefault((nodes[index].kind, *names), index)
        if held_by == index:
            continue
        with suppress(GeometryError):
            check_shared(used(nodes, index), used(nodes, held_by))
            nodes[index] = nodes[index]._replace(shares=held_by)
    return tuple(nodes)


def _kept(steps: list[Step], ends: list[int]) -> list[int]:
    """Steps that an output needs, all parts of a split together; the rest was absorbed by other layers."""
    needed = set(ends)
    for index in reversed(range(len(steps))):
        step = steps[index]
        if index in needed:
            needed.update(step.inputs)
            if step.part is not None:
                # Parts stand next to each other: they come and go together.
                first = index - step.part
                needed.update(range(first, index))
                after = index + 1
                while after < len(steps) and steps[after].part == after - first:
                    needed.add(after)
                    after += 1
    return sorted(needed)


def _paths(steps: list[Step], inputs: int) -> list[str]:
    """Names of the steps: inputs, then layers; the parts of a split share one and are numbered."""
    heads = [step for step in steps[inputs:] if not step.part]
    found = iter(step_paths([step.node.name for step in steps[:inputs]], heads))
    names = [next(found) for _ in range(inputs)]
    name = ""
    for step in steps[inputs:]:
        name = next(found) if not step.part else name
        names.append(name if step.part is None else f"{name}.{step.part}")
    return names


def _groups(nodes: tuple[Node, ...], start: int) -> dict[str, Group]:
    """Every prefix of the paths as a group; `split` where its members are the parts of one."""
    spans: dict[str, list[int]] = {}
    for index, node in enumerate(nodes[start:], start=start):
        at = node.name.find(".")
        while at >= 0:
            spans.setdefault(node.name[:at], []).append(index)
            at = node.name.find(".", at + 1)
    groups = {}
    for path, members in spans.items():
        own = nodes[members[0]]
        split = own.layer is not None and own.layer.part_of is not None and own.name == f"{path}.0"
        groups[path] = Group(path, "split" if split else "layers", members[0], members[-1] + 1, members[-1])
    return groups


def _notes(conversion: Conversion, steps: list[Step], holding: list[Step], path: str) -> tuple[Finding, ...]:
    """The warnings: opaque operators, where it ends, weights that several layers hold, what is left out or folded."""
    notes: list[Finding] = []
    opaque = Counter(step.layer.operator for step in steps if isinstance(step.layer, Opaque))
    if opaque:
        reasons = [f"{op}: {why[0]}" for op, why in conversion.reasons.items() if op in opaque]
        message = f"the language does not have {_counted(opaque)}: kept with shape and weights"
        notes.append(Finding("CC701", message, path, hint="; ".join(reasons[:SHOWN]) or None))
    if conversion.lost_outputs:
        message = f"the network ends where shapes are not known any more: {_some(conversion.lost_outputs)}"
        held = {name for step in holding for name in step.weights}
        behind = sum(prod(dims) for name, dims in conversion.lost_weights.items() if name not in held)
        message += f"; {behind:,} parameters behind it are not counted" if behind else ""
        notes.append(Finding("CC708", message, path))
    b = conversion.builder
    folded = [step for step in steps if len(step.weights) > 1 and OF_NORM.fullmatch(step.weights[1])]
    if folded:
        fewer = sum(step.shape[0] for step in folded)
        message = f"{len(folded)} convolutions have taken in the batch norm behind them: {fewer:,} parameters fewer"
        notes.append(Finding("CC709", message, path))
    holders = Counter(name for step in holding for name in step.weights if name)
    shared = {name: count for name, count in holders.items() if count > 1}
    if shared:
        extra = sum((count - 1) * prod(b.values[name].dims) for name, count in shared.items() if name in b.values)
        message = f"{_some(shared)} shared by several layers: params counts them {extra} too high"
        notes.append(Finding("CC703", message, path))
    if conversion.dead:
        dead = [node.label for node in conversion.dead]
        notes.append(Finding("CC704", f"left out, for they lead to no output: {_some(dead)}", path))
    unread = [
        name
        for name, tensor in conversion.graph.tensors.items()
        if not b.uses.get(name) and tensor.floating and prod(tensor.dims) > 1
    ]
    if unread:
        notes.append(Finding("CC704", f"initialisers that no layer reads are not counted: {_some(unread)}", path))
    return tuple(notes)


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{op} ({count})" for op, count in sorted(operators.items()))


def _some(names: Collection[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(list(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")
