"""Network -> the text of a flat spec: one item a line, short forms, names only where they are needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..network import Network, Node, Output, UniqueNames, consumers
from ..terminal import printable
from .names import NAME, RESERVED

if TYPE_CHECKING:
    from ..layers.base import Layer


def write(network: Network, *, title: str | None = None) -> str:
    """The text of a spec that gives the same layers, shapes and wiring.

    Blocks, branches and repetitions are written out, and the dots of paths become underscores. Raises
    ValueError for a split whose parts do not stand together.

    >>> from convcalc.language import loads
    >>> print(write(loads("{input: [3, 8, 8], name: tiny, layers: [{conv2d: {out: 4, k: [3, 3]}}, relu]}")), end="")
    convcalc: 1
    name: tiny
    input: [3, 8, 8]
    layers:
      - conv2d: {out: 4, k: 3}
      - relu
    """
    names = _Names()
    lines = ["convcalc: 1", f"name: {scalar(network.name)}"]
    if title is not None:
        lines.append(f"title: {scalar(title)}")
    if network.source is not None:
        lines.append(f"source: {scalar(network.source)}")
    inputs = [(index, node) for index, node in enumerate(network.nodes) if node.layer is None]
    if [index for index, _ in inputs] != list(range(len(inputs))):
        raise ValueError("the inputs of a network stand first")
    if len(inputs) == 1 and inputs[0][1].name == "input":
        names.given[0] = "input"
        lines.append(f"input: {_flow(inputs[0][1].shape)}")
    else:
        lines.append("input:")
        lines += [f"  {names.give(index, node.name)}: {_flow(node.shape)}" for index, node in inputs]
    lines.append("layers:")
    body = _items(network.nodes, len(inputs), names)
    lines += [f"  - {item}" for item in body] or ["  []"]
    return "\n".join(lines + _outputs(network, names)) + "\n"


class _Names:
    """Names of a flat spec for the nodes: unique, allowed, and left out where an unnamed item would get them."""

    def __init__(self) -> None:
        self.given: dict[int, str] = {}
        self._unique = UniqueNames()
        self._counts: dict[str, int] = {}

    def give(self, index: int, path: str) -> str:
        """The name of a node, from its path."""
        base = re.sub(r"[^A-Za-z0-9_-]", "_", path)
        if NAME.fullmatch(base) is None or base.isdigit() or base in RESERVED:
            base = f"_{base}"
        name = self.given[index] = self._unique.give(base)
        return name

    def needed(self, index: int, path: str, kind: str) -> str | None:
        """The name of a node, or None where an unnamed item gets the same."""
        count = self._counts.get(kind, 0) + 1
        automatic = kind if count == 1 else f"{kind}_{count}"
        name = self.give(index, path)
        if name == automatic:
            self._counts[kind] = count
            return None
        return name


def _items(nodes: tuple[Node, ...], start: int, names: _Names) -> list[str]:
    texts: dict[int, str] = {}
    items: list[str] = []
    current: tuple[int, ...] = tuple(range(start))
    index = start
    while index < len(nodes):
        node = nodes[index]
        layer = node.layer
        assert layer is not None
        parts = _parts(nodes, index) if layer.splits else 1
        path = node.name if not layer.splits else node.name.rpartition(".")[0] or node.name
        name = names.needed(index, path, layer.kind)
        text = texts.get(id(layer))
        if text is None:
            text = texts[id(layer)] = _layer_text(layer.inside)
        wiring = [] if name is None else [f"name: {name}"]
        if layer.splits:
            flat = names.given[index]
            names.given.update({index + part: f"{flat}.{part}" for part in range(parts)})
        if node.inputs != current and layer.arity[1] != 0:
            sources = [names.given[source] for source in node.inputs]
            wiring.append(f"from: {sources[0]}" if len(sources) == 1 else f"from: [{', '.join(sources)}]")
        if node.shares is not None:
            wiring.append(f"share: {names.given[node.shares]}")
        if layer.batch_axes:
            wiring.append(f"batch_axes: {layer.batch_axes}")
        if wiring:
            items.append(f"{{{text if ':' in text else f'{text}: {{}}'}, {', '.join(wiring)}}}")
        else:
            items.append(text)
        current = tuple(range(index, index + parts))
        index += parts
    return items


def _parts(nodes: tuple[Node, ...], index: int) -> int:
    """The number of parts of the split that starts at a node."""
    first = nodes[index].layer
    sizes = first.part_of.sizes if first is not None and first.part_of is not None else ()
    for which in range(len(sizes)):
        node = nodes[index + which] if index + which < len(nodes) else None
        layer = node.layer if node is not None else None
        same = layer is not None and layer.part_of == (which, sizes)
        if node is None or not same or node.inputs != nodes[index].inputs:
            raise ValueError(f"the parts of the split {nodes[index].name} do not stand together")
    return len(sizes)


def _layer_text(layer: Layer) -> str:
    """A layer in flow style: `conv2d: {out: 64, k: 3}`, or its kind alone."""
    cls = type(layer)
    letters = {name: letter for letter, name in cls.short_forms.items()}
    fields = {name: value for name, value in layer.fields().items() if name != "part"}
    for name in list(fields):
        rest = {key: value for key, value in fields.items() if key != name}
        if not cls.model_fields[name].is_required() and _gives(layer, rest):
            fields = rest
            continue
        for shorter in _shorter(fields[name]):
            if _gives(layer, {**fields, name: shorter}):
                fields[name] = shorter
                break
    if not fields:
        return layer.kind
    return f"{layer.kind}: {{{', '.join(f'{letters.get(name, name)}: {_flow(v)}' for name, v in fields.items())}}}"


def _shorter(value: object) -> list[object]:
    """Shorter ways to write a value: one number for all axes, one an axis for equal pairs."""
    if not isinstance(value, tuple) or not value:
        return []
    flat = [item[0] if isinstance(item, tuple) and len(set(item)) == 1 else item for item in value]
    forms: list[object] = [flat[0]] if all(item == flat[0] for item in flat) else []
    return [*forms, tuple(flat)] if tuple(flat) != value else forms


def _gives(layer: Layer, fields: dict[str, object]) -> bool:
    """Whether these fields give the layer."""
    from pydantic import ValidationError

    part = {"part": layer.fields()["part"]} if "part" in layer.fields() else {}
    try:
        other = type(layer).model_validate({"kind": layer.kind, **fields, **part})
    except ValidationError:
        return False
    names = type(layer).model_fields
    return all(getattr(other, name) == getattr(layer, name) for name in names)


def _flow(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return scalar(value)
    return "~" if value is None else str(value)


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where it is a simple name, else in double quotes.

    >>> scalar("GoogLeNet"), scalar("a: b")
    ('GoogLeNet', '"a: b"')
    """
    if re.fullmatch(r"[A-Za-z][\w.-]*", text, re.ASCII) and text != "null":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'  # the escapes of Python are among those of YAML


def _outputs(network: Network, names: _Names) -> list[str]:
    """The section `outputs`, where it says more than what nothing consumes."""
    readers = consumers(network.nodes, len(network.nodes))
    loose = [i for i, node in enumerate(network.nodes) if not readers[i] and node.layer is not None]
    given = [output.node for output in network.outputs]
    said = [_said_of(output) for output in network.outputs]
    if not any(said) and (given == loose or not loose):
        return []
    lines = [f"  {names.given[output.node]}:{text}" for output, text in zip(network.outputs, said, strict=True)]
    return ["outputs:", *lines]


def _said_of(output: Output) -> str:
    """What the section says of an output besides its name."""
    loss = [] if output.loss is None else [f"loss: {output.loss}"]
    weight = [] if output.loss_weight == 1 else [f"loss_weight: {output.loss_weight}"]
    return f" {{{', '.join(loss + weight)}}}" if loss or weight else ""
