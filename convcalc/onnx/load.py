"""Load an ONNX file: read, convert, name."""

from __future__ import annotations

import gc
import mmap
import os
import stat
from collections import Counter
from collections.abc import Mapping
from math import prod
from pathlib import Path

from ..findings import Finding, SpecError, UsageError
from ..layers.base import Shape
from ..network import Group, Network, Node, Output
from . import graph
from .builder import Step
from .convert import Conversion
from .model import FLOATS, Graph, Malformed, Model, ValueInfo
from .names import step_paths
from .origin import OnnxOrigin
from .parse import parse_model
from .wire import Damaged, Data

MAPPED = 1 << 24
"""Bytes from which a file is mapped instead of read, so that its weights are never in memory."""
SHOWN = 6
"""Names that a warning lists."""


def load_onnx(path: str, *, input: object = None) -> Network:
    """The network of an ONNX file; its weights are not read, their shapes are.

    `input` gives the shape of the only input without the batch ([channels, *space]), or shapes by the names of
    several. Warnings (operators that the language does not have, shared weights, dead nodes) are in
    `network.origin.notes`. Raises SpecError where the file is wrong, UsageError where its sizes are open or the
    onnx package is needed and missing, OSError where the file cannot be read.
    Source: onnx/onnx.proto, onnx/defs of the opset that the file names.

    >>> load_onnx("model.onnx", input=[3, 224, 224]).outputs[0].name  # doctest: +SKIP
    'fc'
    """
    origin = OnnxOrigin(path)
    _refuse_what_is_no_file(path)
    collecting = gc.isenabled()
    gc.disable()
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < MAPPED:
                return _network(file.read(), origin, input)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _network(data, origin, input)
    finally:
        if collecting:
            gc.enable()


def _refuse_what_is_no_file(path: str) -> None:
    """Raise UsageError for what cannot be opened, or would never end: a missing file, a folder, a FIFO, a device."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"'{path}' cannot be read: {reason.lower()}") from None
    if not stat.S_ISREG(mode):
        raise UsageError(f"'{path}' is not a file", "give an ONNX file")


def _network(data: Data, origin: OnnxOrigin, given: object) -> Network:
    try:
        model = parse_model(data)
    except Damaged as error:
        raise SpecError([origin.finding("CC705", str(error), hint="it is truncated, or no ONNX file")]) from error
    if model.graph is None or not (model.graph.nodes or model.graph.outputs):
        raise SpecError([origin.finding("CC705", "the file holds no ONNX graph", hint="export the model as .onnx")])
    inner = model.graph
    try:
        sizes = input_sizes(inner, origin, given)
        conversion = Conversion(model, inner, data, origin, sizes)
    except (Malformed, Damaged) as error:
        raise SpecError([origin.finding("CC706", str(error))]) from error
    return _named(model, conversion, origin)


def input_sizes(inner: Graph, origin: OnnxOrigin, given: object) -> dict[str, Shape]:
    """ONNX's dims of the inputs that are no weights: the file's, or with the sizes that were given."""
    weights = graph.open_weights(inner, inner.nodes)
    read = {name for node in inner.nodes for name in graph.reads(node)} | {info.name for info in inner.outputs}
    data = read - inner.tensors.keys() - weights
    inputs = [info for info in inner.inputs if info.name in data]
    chosen = _chosen(inputs, given)
    origin.as_stated = not chosen
    origin.open_batches = frozenset(
        info.dims[0] for info in inputs if info.dims and len(info.dims) > 1 and isinstance(info.dims[0], str)
    )
    return {info.name: _dims(info, chosen.get(info.name), origin.path) for info in inputs}


def _chosen(inputs: list[ValueInfo], given: object) -> dict[str, Shape]:
    if not given:
        return {}
    names = [info.name for info in inputs]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            listed = ", ".join(names) or "none"
            raise UsageError(f"--input names no input, and the file has {len(names)}: {listed}", "NAME=3,224,224")
        given = {names[0]: given}
    elif len(names) == 1 and set(given) == {"input"}:
        given = {names[0]: given["input"]}
    found: dict[str, Shape] = {}
    for name, sizes in given.items():
        if name not in names:
            raise UsageError(f"the file has no input '{name}'", f"inputs: {', '.join(names)}")
        if not isinstance(sizes, (list, tuple)) or not all(isinstance(size, int) and size > 0 for size in sizes):
            raise UsageError(f"the input '{name}' takes sizes of at least 1, not {sizes!r}", "for example 3,224,224")
        found[name] = tuple(sizes)
    return found


def _dims(info: ValueInfo, given: Shape | None, path: str) -> Shape:
    dims = info.dims
    if dims is None:
        if not info.tensor:
            raise Malformed(f"input '{info.name}' is no tensor")
        if given is None:
            raise UsageError(f"{path} does not say what shape input '{info.name}' has", "give it: --input 3,224,224")
        return (1, *given)
    batched = len(dims) > 1
    first = dims[0] if dims else None
    batch = ((first if isinstance(first, int) and first > 0 else 1),) if batched else ()
    rest = dims[1:] if batched else dims
    if given is not None:
        if len(given) != len(rest):
            raise UsageError(f"input '{info.name}' has {len(rest)} axes beside the batch, not {len(given)}")
        return (*batch, *given)
    known = tuple(size for size in rest if isinstance(size, int) and size > 0)
    if len(known) != len(rest):
        shown = ", ".join("?" if dim is None else str(dim) for dim in dims)
        example = ",".join(str(dim) if isinstance(dim, int) and dim > 0 else "224" for dim in rest)
        raise UsageError(
            f"{path} leaves the size of input '{info.name}' open: [{shown}]",
            f"give it without the batch: --input {example}",
        )
    return (*batch, *known)


def _named(model: Model, conversion: Conversion, origin: OnnxOrigin) -> Network:
    """The network of the steps that lead to an output, inputs first, with names and groups."""
    steps = conversion.builder.steps
    kept = _kept(steps, [step for _, step in conversion.outputs])
    inputs = [index for index in kept if steps[index].layer is None]
    order = [*inputs, *(index for index in kept if steps[index].layer is not None)]
    place = {index: position for position, index in enumerate(order)}
    paths = _paths([steps[index] for index in order], len(inputs))
    nodes = tuple(
        Node(path, steps[i].layer, tuple([place[source] for source in steps[i].inputs]), steps[i].shape)
        for path, i in zip(paths, order, strict=True)
    )
    origin.nodes = {path: steps[i].node.label for path, i in zip(paths, order, strict=True)}
    groups, outputs = _groups(nodes, len(inputs)), list(dict.fromkeys(place[step] for _, step in conversion.outputs))
    origin.notes = tuple(_notes(conversion, [steps[i] for i in order], origin))
    producer = f"{model.producer}, " if model.producer else ""
    return Network(
        name=Path(origin.path).stem or "model",
        nodes=nodes,
        outputs=tuple(Output(nodes[position].name, position) for position in outputs),
        groups=groups,
        source=f"{Path(origin.path).name}: {producer}opset {model.opset}",
        origin=origin,
    )


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
        split = own.kind == "split" and own.name == f"{path}.0"
        groups[path] = Group(path, "split" if split else "layers", members[0], members[-1] + 1, members[-1])
    return groups


def _notes(conversion: Conversion, steps: list[Step], origin: OnnxOrigin) -> list[Finding]:
    """The warnings: opaque operators, stand-ins, shared weights, what is left out."""
    notes: list[Finding] = []
    kinds = Counter(step.kind.removeprefix("onnx:") for step in steps if step.kind.startswith("onnx:"))
    if kinds:
        listed = ", ".join(f"{op} ({count})" for op, count in sorted(kinds.items()))
        reasons = list(dict.fromkeys(f"{op}: {why[0]}" for op, why in conversion.opaque.items() if op in kinds))
        notes.append(
            origin.finding(
                "CC701",
                f"the language does not have {listed}: kept with shape and weights, without operations",
                hint="; ".join(reasons[:SHOWN]) or None,
            )
        )
    if conversion.builder.standins:
        listed = ", ".join(f"{op} ({count})" for op, count in sorted(conversion.builder.standins.items()))
        notes.append(origin.finding("CC702", f"{listed} stand as add, multiply or scale, of the same shape and cost"))
    holders = Counter(name for step in steps for name in step.weights if name)
    shared = {name: count for name, count in holders.items() if count > 1}
    if shared:
        values = conversion.builder.values
        extra = sum((count - 1) * prod(values[name].shape) for name, count in shared.items() if name in values)
        notes.append(
            origin.finding("CC703", f"{_some(shared)} shared by several layers: params counts them {extra} too high")
        )
    if conversion.dead:
        names = [node.label for node in conversion.dead]
        notes.append(origin.finding("CC704", f"left out, for they lead to no output: {_some(names)}"))
    read = conversion.builder.uses
    unread = [
        name
        for name, tensor in conversion.graph.tensors.items()
        if not read.get(name) and tensor.data_type in FLOATS and prod(tensor.dims) > 1
    ]
    if unread:
        notes.append(origin.finding("CC704", f"initialisers that no layer reads are not counted: {_some(unread)}"))
    return notes


def _some(names: object) -> str:
    found = list(names) if isinstance(names, (list, dict)) else []
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
