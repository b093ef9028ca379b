"""Network -> the text of a spec with blocks, as a person would write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from ..blocks.find import find
from ..blocks.merging import Merging
from ..blocks.relations import Unrelated
from ..blocks.sheet import Block, Item, Sheet
from ..findings import SpecError
from ..layers.registry import KINDS, layer_class
from ..naming import RESERVED
from ..network import Network
from .expressions import CONSTANTS
from .functions import FUNCTIONS
from .items import fields_of
from .load import loads
from .names import GROUP, MEANINGS
from .sections import WIRING
from .write import head, outputs, write

WIDTH = 120
"""Columns of a line."""
STEP = "  "


def write_blocks(network: Network, *, title: str | None = None) -> str:
    """The text of a spec that gives the same layers, wiring and paths, with blocks for what is alike.

    Where the language cannot say the network by its groups, the spec is flat.

    >>> from convcalc.language import loads
    >>> print(write_blocks(loads("{input: [3, 8, 8], name: tiny, layers: [{relu: , repeat: 2, name: a}]}")), end="")
    convcalc: 1
    name: tiny
    input: [3, 8, 8]
    layers:
      - {relu: {}, name: a, repeat: 2}
    """
    taken = {*KINDS, *WIRING, GROUP}
    words = {word for kind in {node.kind for node in network} if kind in KINDS for word in _words(kind)}
    reserved = {*KINDS, *FUNCTIONS, *CONSTANTS, *MEANINGS, *RESERVED, *words}
    texts: list[str] = []
    for merging, joins in product(Merging, (True, False)):
        if (merging is Merging.NEVER or not joins) and texts:
            continue
        try:
            sheet = find(network, taken, reserved, merging=merging, joins=joins)
        except Unrelated:
            continue
        text = _text(network, sheet, title)
        if _gives(text, network):
            texts.append(text)
    return min(texts, key=lambda text: text.count("\n"), default=None) or write(network, title=title)


def _words(kind: str) -> Iterator[str]:
    for field in fields_of(kind).values():
        yield from field.words


def _gives(text: str, network: Network) -> bool:
    """Whether a text gives the network."""
    try:
        other = loads(text)
    except SpecError:
        return False
    return equal(network, other)


def equal(network: Network, other: Network) -> bool:
    """Whether two networks have the same layers, wiring, shapes, shared weights and outputs."""
    if [node[1:] for node in network.nodes] != [node[1:] for node in other.nodes]:
        return False
    ends = [(output.node, output.loss_weight, output.loss) for output in network.outputs]
    return ends == [(output.node, output.loss_weight, output.loss) for output in other.outputs]


def _text(network: Network, sheet: Sheet, title: str | None) -> str:
    lines = head(network, title, sheet.paths[: len(network.inputs)])
    if sheet.blocks:
        lines.append("blocks:")
        for block in sheet.blocks:
            lines += _block(block)
    lines.append("layers:")
    lines += [line for item in sheet.items for line in _item(item, STEP)] or ["  []"]
    return "\n".join(lines + outputs(network, dict(enumerate(sheet.paths)))) + "\n"


def _block(block: Block) -> Iterator[str]:
    """The lines of a block: one where it fits, else its params and its layers below each other."""
    params = _params(block)
    layers = f"layers: [{', '.join(map(_flow, block.items))}]"
    short = not any(_holds(item) for item in block.items)
    alone = f"{STEP}{block.name}: {{{', '.join([*params, layers])}}}"
    if short and len(alone) <= WIDTH:
        yield alone
        return
    yield f"{STEP}{block.name}:"
    for line in params:
        yield from wrapped(f"{STEP * 2}{line}", STEP * 4)
    if short and len(f"{STEP * 2}{layers}") <= WIDTH:
        yield f"{STEP * 2}{layers}"
        return
    yield f"{STEP * 2}layers:"
    for item in block.items:
        yield from _item(item, STEP * 3)


def _params(block: Block) -> list[str]:
    """The line of a block's params; none where it has none."""
    if not block.params:
        return []
    required = [name for name, default in block.params if default is None]
    if len(required) == len(block.params):
        return [f"params: [{', '.join(required)}]"]
    return [f"params: {_mapping([(name, '~' if default is None else default) for name, default in block.params])}"]


def _item(item: Item, indent: str) -> Iterator[str]:
    """The lines of an item: one where it fits, else its keys below each other."""
    text = _flow(item)
    if text.startswith("{") and len(item.fields) and not _beside(item):
        text = text[1:-1]
    if len(indent) + 2 + len(text) > WIDTH:
        text = _flow(item, in_order=True)
    if len(indent) + 2 + len(text) <= WIDTH and _simple(item):
        yield f"{indent}- {text}"
        return
    inner = indent + STEP
    before = [] if item.name is None else [f"name: {item.name}"]
    after = _beside(item)[len(before) :]
    if not _holds(item):
        yield from wrapped(f"{indent}- {text}", inner + STEP)
        return
    dash = f"{indent}- "
    for line in before:
        yield dash + line
        dash = inner
    for line in after:
        yield from wrapped(dash + line, inner + STEP)
        dash = inner
    yield f"{dash}{item.kind}:"
    for entry in item.items:
        yield from _item(entry, inner + STEP)
    if item.branches:
        for field, value in item.fields:
            yield f"{inner + STEP}{field}: {value}"
        yield f"{inner + STEP}branches:"
        for name, items in item.branches:
            yield from _branch(name, items, inner + STEP * 2)


def _branch(name: str, items: list[Item], indent: str) -> Iterator[str]:
    """The lines of a branch: one where it fits."""
    line = f"{indent}{name}: [{', '.join(map(_flow, items))}]"
    if len(line) <= WIDTH and len(items) <= 4 and not any(map(_holds, items)):
        yield line
        return
    yield f"{indent}{name}:"
    for entry in items:
        yield from _item(entry, indent + STEP)


def _holds(item: Item) -> bool:
    """Whether items stand in an item."""
    return bool(item.items or item.branches)


def _simple(item: Item) -> bool:
    """Whether an item may stand in one line: no group of groups, and not many items."""
    return not item.branches and len(item.items) <= 4 and not any(map(_holds, item.items))


def _beside(item: Item) -> list[str]:
    """What stands beside the kind."""
    found = [] if item.name is None else [f"name: {item.name}"]
    if item.sources is not None:
        sources = ", ".join(item.sources)
        found.append(f"from: {sources}" if len(item.sources) == 1 else f"from: [{sources}]")
    if item.share is not None:
        found.append(f"share: {item.share.text}")
    if item.batch_axes:
        found.append(f"batch_axes: {item.batch_axes}")
    if item.repeat is not None:
        found.append(f"repeat: {_quoted(item.repeat)}")
    if item.when is not None:
        found.append(f"when: {_quoted(item.when)}")
    return found


def _flow(item: Item, *, in_order: bool = False) -> str:
    """An item in one line, its arguments by name or in order."""
    beside = _beside(item)
    if item.branches:
        inner = [f"{name}: [{', '.join(map(_flow, items))}]" for name, items in item.branches]
        fields = "".join(f", {name}: {_quoted(text)}" for name, text in item.fields)
        body = f"{{branches: {{{', '.join(inner)}}}{fields}}}"
    elif item.items:
        body = f"[{', '.join(_flow(entry, in_order=in_order) for entry in item.items)}]"
    elif item.fields and in_order and item.in_order:
        body = f"[{', '.join(_quoted(text) for _, text in item.fields)}]"
    elif item.fields:
        body = _mapping(item.fields)
    elif not beside and not (item.kind in KINDS and _needs_fields(item.kind)):
        return item.kind
    else:
        body = "{}"
    return f"{{{', '.join([f'{item.kind}: {body}', *beside])}}}"


def _needs_fields(kind: str) -> bool:
    return any(field.is_required() for name, field in layer_class(kind).model_fields.items() if name != "kind")


def _mapping(entries: list[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{name}: {_quoted(text)}' for name, text in entries)}}}"


def _quoted(text: str) -> str:
    """A value inside braces: in quotes where it is an expression that holds what ends one."""
    listed = text.startswith("[") and text.endswith("]") and not text.endswith("[index]")
    return f'"{text}"' if not listed and any(sign in text for sign in ",[]{}") else text


def wrapped(line: str, indent: str) -> Iterator[str]:
    """A line of flow style, broken at commas where it is too long, inside of quotes where there is no other."""
    quoted = False
    while len(line) > WIDTH:
        commas = [match.end() - 1 for match in re.finditer(", ", line[:WIDTH]) if match.start() > len(indent)]
        if not commas:
            break
        outside = [at for at in commas if line[:at].count('"') % 2 == quoted]
        at = (outside or commas)[-1]
        quoted ^= line[:at].count('"') % 2 == 1
        yield line[:at]
        line = indent + line[at + 1 :]
    yield line
