"""Network -> the text of a flat spec: one item a line, short forms, names only where they are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..blocks.fields import fields_of
from ..blocks.literals import literal, scalar
from ..blocks.pieces import parts_of
from ..blocks.sheet import Sharing
from ..findings import SpecError, UsageError
from ..flow import consumers
from ..marked import Source
from ..naming import NAME, RESERVED, UniqueNames
from ..network import Network, Output
from .events import parse

if TYPE_CHECKING:
    from ..layers.base import Layer

ALWAYS_READ = 10_000
"""Items up to which a flat spec is within the limits of what is read."""


def write(network: Network, *, title: str | None = None) -> str:
    """The text of a spec that gives the same layers, shapes and wiring.

    Blocks, branches and repetitions are written out, and the dots of paths become underscores. Raises
    ValueError for a split whose parts do not stand together, UsageError where the text would be more than is read.

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
    inputs = [names.of_input(index, node.name) for index, node in enumerate(network.nodes) if node.layer is None]
    lines = head(network, title, inputs)
    lines.append("layers:")
    body = _items(network, len(inputs), names)
    lines += [f"  - {item}" for item in body] or ["  []"]
    text = "\n".join(lines + outputs(network, names.given)) + "\n"
    if len(body) > ALWAYS_READ:
        _refuse_unreadable(text, network)
    return text


def _refuse_unreadable(text: str, network: Network) -> None:
    """Raises UsageError where a text has more nodes or bytes than a spec may have."""
    try:
        parse(Source(text, network.name))
    except SpecError as error:
        raise UsageError(
            f"{network.name} has {len(network.nodes):,} layers: one a line, the spec would have "
            f"{error.findings[0].message}",
            "take a part of it, or a network whose repetitions stand in blocks",
        ) from None


def head(network: Network, title: str | None, inputs: Sequence[str]) -> list[str]:
    """The lines before the layers; `inputs` are the names of the inputs. Raises ValueError where these do not stand
    first.
    """
    lines = ["convcalc: 1", f"name: {scalar(network.name)}"]
    if title is not None:
        lines.append(f"title: {scalar(title)}")
    if network.source is not None:
        lines.append(f"source: {scalar(network.source)}")
    nodes = network.nodes[: len(inputs)]
    if any(node.layer is not None for node in nodes) or len(network.inputs) != len(inputs):
        raise ValueError("the inputs of a network stand first")
    if list(inputs) == ["input"] and nodes[0].shape:
        return [*lines, f"input: {literal(nodes[0].shape)}"]
    return [*lines, "input:", *(f"  {name}: {literal(node.shape)}" for name, node in zip(inputs, nodes, strict=True))]


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

    def of_input(self, index: int, name: str) -> str:
        """The name of an input, which may be `input`."""
        if name != "input":
            return self.give(index, name)
        self.given[index] = self._unique.give(name)
        return self.given[index]

    def needed(self, index: int, path: str, kind: str) -> str | None:
        """The name of a node, or None where an unnamed item gets the same."""
        count = self._counts.get(kind, 0) + 1
        automatic = kind if count == 1 else f"{kind}_{count}"
        name = self.give(index, path)
        if name == automatic:
            self._counts[kind] = count
            return None
        return name


def _items(network: Network, start: int, names: _Names) -> list[str]:
    nodes = network.nodes
    texts: dict[int, str] = {}
    items: list[str] = []
    current: tuple[int, ...] = tuple(range(start))
    index = start
    while index < len(nodes):
        node = nodes[index]
        layer = node.layer
        assert layer is not None
        parts = parts_of(network, index) if layer.splits else 1
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
        if layer.batch_axes:
            wiring.append(f"batch_axes: {layer.batch_axes}")
        if node.shares is not None or node.tied:
            item = "" if node.shares is None else names.given[node.shares]
            tied = [(tensor, names.given[held_by]) for tensor, held_by in node.tied]
            wiring.append(f"share: {Sharing(item, tuple(tied)).text}")
        if wiring:
            items.append(f"{{{text if ':' in text else f'{text}: {{}}'}, {', '.join(wiring)}}}")
        else:
            items.append(text)
        current = tuple(range(index, index + parts))
        index += parts
    return items


def _layer_text(layer: Layer) -> str:
    """A layer in flow style: `conv2d: {out: 64, k: 3}`, or its kind alone."""
    letters = {name: letter for letter, name in type(layer).short_forms.items()}
    fields = fields_of(layer)
    said = [f"{letters.get(name, name)}: {literal(fields.values[name])}" for name in fields.needed]
    return f"{layer.kind}: {{{', '.join(said)}}}" if said else layer.kind


def outputs(network: Network, names: Mapping[int, str]) -> list[str]:
    """The section `outputs`, where it says more than what nothing consumes; `names` are those of the nodes."""
    readers = consumers(network.nodes, len(network.nodes))
    loose = [i for i, node in enumerate(network.nodes) if not readers[i] and node.layer is not None]
    given = [output.node for output in network.outputs]
    said = [_said_of(output) for output in network.outputs]
    if not any(said) and (given == loose or not loose):
        return []
    lines = [f"  {names[output.node]}:{text}" for output, text in zip(network.outputs, said, strict=True)]
    return ["outputs:", *lines]


def _said_of(output: Output) -> str:
    """What the section says of an output besides its name."""
    loss = [] if output.loss is None else [f"loss: {output.loss}"]
    weight = [] if output.loss_weight == 1 else [f"loss_weight: {output.loss_weight}"]
    return f" {{{', '.join(loss + weight)}}}" if loss or weight else ""
