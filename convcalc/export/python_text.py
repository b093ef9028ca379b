"""What the exported Python files share: literals in their slots, inline expressions, the head of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING

from .calls import REQUIRED, Argument, Call, Inline, literal
from .definitions import Definition, Slot
from .identifiers import docstring

if TYPE_CHECKING:
    from ..network import Network

Slots = Iterator[Slot]


def value_text(slot: Slot, owner: str = "") -> str:
    """The parameter's name (an attribute of `owner` where it is one) or the literal."""
    return f"{owner}{slot.parameter}" if slot.parameter else literal(slot.argument.value)


def argument_texts(call: Call, slots: Slots) -> list[str]:
    """The arguments of a call as they are written; fixed ones that equal their default are left out."""
    found = []
    for argument in call.arguments:
        slot = next(slots)
        fixed = slot.parameter is None
        if fixed and argument.default is not REQUIRED and slot.argument.value == argument.default:
            continue
        text = value_text(slot)
        found.append(text if argument.positional else f"{argument.name}={text}")
    return found


def inline_text(work: Inline, slots: Slots, reads: list[str], owner: str = "") -> str:
    """An expression over variables."""
    values: dict[str, str] = {argument.name: value_text(next(slots), owner) for argument in work.arguments}
    values |= {str(number): name for number, name in enumerate(reads)}
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], work.template)


def inline_parameters(definition: Definition, inline_slots: list[Slot]) -> list[str]:
    """Parameters that expressions read, each once."""
    used = {slot.parameter for slot in inline_slots}
    return [name for name in definition.parameters if name in used]


def given_texts(arguments: tuple[Argument, ...], slots: Slots) -> list[str]:
    """What a use of a block gives for its parameters."""
    return [value_text(next(slots)) for _ in arguments]


def file_head(network: Network, framework: str) -> list[str]:
    """The docstring of the file: the network's name, source, input, outputs and size."""
    inputs = ", ".join(f"{name} {list(shape)}" for name, shape in network.inputs.items())
    outputs = ", ".join(f"{output.name} {list(network.nodes[output.node].shape)}" for output in network.outputs)
    variant = f", variant {network.variant}" if network.variant else ""
    lines = [f"{network.name}{variant}, for {framework}.", ""]
    lines += [network.source, ""] if network.source else []
    lines += [f"Input: {inputs}", f"Output: {outputs}", f"Parameters: {parameter_count(network):,}"]
    return docstring("\n".join(lines))


def parameter_count(network: Network) -> int:
    """Learnable numbers of the network."""
    total = 0
    for node in network.nodes:
        if node.layer is not None:
            weights = node.layer.weights(network.input_shapes(node))
            total += sum(prod(weight.shape) for weight in weights if weight.learnable)
    return total


def helper_texts(helpers: Mapping[str, str], text: str) -> list[str]:
    """The helpers that a text names, and those that they name, in the order of the table."""
    wanted: set[str] = set()
    texts = [text]
    while texts:
        words = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", texts.pop()))
        new = {name for name in helpers if name in words} - wanted
        wanted |= new
        texts += [helpers[name] for name in new]
    return [helpers[name] for name in helpers if name in wanted]
