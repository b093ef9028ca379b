"""What makes the blocks of a written spec good, as measures: each finds what a person would strike out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from convcalc.language import loads
from convcalc.language.write import write
from convcalc.language.write_blocks import equal, write_blocks
from convcalc.naming import underscored
from convcalc.network import Group, Network

LITERAL = re.compile(r"[^A-Za-z]*|true|false|none", re.IGNORECASE)
"""A value that is the same wherever it stands: it reads no param and no counter."""


def survives(network: Network) -> str:
    """The text of a network, which is read as the same network, its paths included."""
    text = write_blocks(network)
    again = loads(text)
    assert equal(network, again), text
    assert [node.name for node in network.nodes] == [node.name for node in again.nodes], text
    assert [name for name, _, _ in network.stages()] == [name for name, _, _ in again.stages()]
    assert faults(network, text, again) == [], text
    return text


def items(network: Network) -> list[str]:
    """The lines of the written text from the first block or layer on."""
    lines = survives(network).splitlines()
    return lines[next(n for n, line in enumerate(lines) if line in ("blocks:", "layers:")) :]


def faults(network: Network, text: str, again: Network) -> list[str]:
    """What is wrong with the blocks of a text that was written of a network, and read again: one line each."""
    spec = yaml.safe_load(text)
    return [*_names(network, spec), *_uses(again, spec), *_params(spec), *_lines(network, spec, text)]


def _blocks(spec: Mapping[str, Any]) -> dict[str, Any]:
    return spec.get("blocks") or {}


def _names(network: Network, spec: Mapping[str, Any]) -> Iterator[str]:
    """A block is called by the class of its uses, or, without classes, as its uses are; a number tells some apart."""
    groups = [group for group in network.groups.values() if group.is_block]
    given = {group.kind for group in groups} or {group.path.rpartition(".")[2] for group in network.groups.values()}
    given |= {re.sub(r"(_?[0-9]+[a-z]?)+$|_+$", "", name) for name in given}
    words = {re.sub(r"[^a-z0-9]+", "_", underscored(name).lower()).strip("_") or "block" for name in given} | {"unit"}
    seen = Counter(name.lower() for name in _blocks(spec))
    for name in _blocks(spec):
        if not {name, re.sub(r"_[0-9]+$", "", name), name.removeprefix("block_")} & words:
            yield f"{name}: nothing is called so"
        if seen[name.lower()] > 1:
            yield f"{name}: two blocks are called so"


def _uses(again: Network, spec: Mapping[str, Any]) -> Iterator[str]:
    """A block stands at least twice in the network, unless its names would hide those that it reads."""
    uses: dict[str, list[Group]] = defaultdict(list)
    for group in again.groups.values():
        if group.is_block:
            uses[group.kind].append(group)
    for name in _blocks(spec):
        found = uses[name]
        if not found or (len(found) == 1 and not _hides(again, found[0])):
            yield f"{name}: used {len(found)} times"


def _hides(network: Network, group: Group) -> bool:
    """Whether a group has an item of a name by which it would read what stands before it."""
    inside = range(group.start, group.stop)
    own = {network.nodes[i].name[len(group.path) + 1 :].split(".")[0] for i in inside}
    read = {source for i in inside for source in network.nodes[i].inputs if source < group.start}
    return any(not own.isdisjoint(network.nodes[source].name.split(".")) for source in read)


def _params(spec: Mapping[str, Any]) -> Iterator[str]:
    """A param is read in its block, and differs among its uses; an argument is no default."""
    given: dict[str, list[dict[str, object]]] = defaultdict(list)
    written = [spec["layers"], *(block["layers"] for block in _blocks(spec).values())]
    for name, arguments in _arguments(written, _blocks(spec)):
        defaults = _defaults(spec, name)
        if isinstance(arguments, list):
            arguments = dict(zip(defaults, arguments, strict=False))
        given[name].append({**defaults, **(arguments or {})})
        for param, value in (arguments or {}).items():
            if repr(value) == repr(defaults[param]):
                yield f"{name}: {param} is given its default"
    for name, block in _blocks(spec).items():
        said = str(block.get("layers")) + str(list(_defaults(spec, name).values()))
        for param in _defaults(spec, name):
            values = {repr(arguments[param]) for arguments in given[name]}
            if len(values) == 1 and all(LITERAL.fullmatch(value.strip("'")) for value in values):
                yield f"{name}: {param} is always the same"
            if not re.search(rf"\b{re.escape(param)}\b", said):
                yield f"{name}: {param} is not read"


def _defaults(spec: Mapping[str, Any], name: str) -> dict[str, object]:
    params = _blocks(spec)[name].get("params") or {}
    return dict(params) if isinstance(params, dict) else dict.fromkeys(params)


def _arguments(written: object, blocks: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The uses of blocks in items: name and what is given."""
    if isinstance(written, str):
        if written in blocks:
            yield written, {}
    elif isinstance(written, list):
        for item in written:
            yield from _arguments(item, blocks)
    elif isinstance(written, dict):
        for key, inner in written.items():
            if key in blocks:
                yield key, inner
            elif key == "layers":
                yield from _arguments(inner, blocks)
            elif isinstance(inner, dict) and "branches" in inner:
                yield from _arguments(list(inner["branches"].values()), blocks)


def _lines(network: Network, spec: Mapping[str, Any], text: str) -> Iterator[str]:
    """It takes no more lines than a layer on each, two for each group that has a name, and three for each block."""
    most = write(network).count("\n") + 2 * len(network.groups) + 3 * len(_blocks(spec))
    if text.count("\n") > most:
        yield f"{text.count(chr(10))} lines, more than {most}"
