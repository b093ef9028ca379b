"""A spec's text with other values in it: one network of its params, variants and inputs as a spec of its own.

Only the characters of values change: comments, order and layout stay. Variants, and what the spec claims of itself, are
of other networks and are left out. The new text is read again; where it gives another network, which takes an alias of
a value that is replaced, the network is written out flat: what is written may be unlovely, never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import yaml

from ..blocks.literals import scalar
from ..findings import SpecError
from ..marked import List
from ..network import Network
from .document import Document
from .events import Loader
from .load import SpecOrigin, loads
from .params import TRUTHS
from .values import Value
from .write import write

OF_OTHERS = ("variants", "expect", "published")
"""Sections about other networks than the one that is written."""
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SURPRISES = {*TRUTHS, *(text.lower() for text in TRUTHS), "yes", "no", "on", "off", "null"}
_SECTION_END = re.compile(r"[^\n]*(?:\n|$)(?:[ \t]+#[^\n]*(?:\n|$))*")
"""The rest of a section's last line, and remarks that are set in below it."""
_REMARKS_ABOVE = re.compile(r"(?:^#[^\n]*\n)+\Z", re.MULTILINE)


def settled(network: Network, about: str = "") -> str:
    """The text of the spec that a network was read from, as one that gives this network as it stands.

    `about` is a remark on its first line. Raises UsageError where the network can only be written out flat and that is
    more than is read.

    >>> spec = "input: [3, 8, 8]\\nparams: {c: 4}  # width\\nlayers: [{conv2d: {out: c, k: 3}}]\\n"
    >>> print(settled(loads(spec, params={"c": 16}), "row 1"), end="")
    # row 1
    input: [3, 8, 8]
    params: {c: 16}  # width
    layers: [{conv2d: {out: c, k: 3}}]
    """
    origin = network.origin
    assert isinstance(origin, SpecOrigin)
    head = f"# {about}\n" if about else ""
    try:
        text = head + _edited(origin, network)
        if _same(loads(text, path=origin.path), network):
            return text
    except (_NotInPlace, SpecError):
        pass
    return head + write(network)


def value_text(value: Value) -> str:
    """A value as params have it; a fraction without an end as a quotient.

    >>> value_text((64, Fraction(1, 3), Fraction(5, 2), "projection", "no", True))
    "[64, 1/3, 2.5, projection, 'no', true]"
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return _decimal(value) or f"{value.numerator}/{value.denominator}"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) is not None and value not in _SURPRISES
        return value if plain else f"'{value}'" if _PLAIN.fullmatch(value) else scalar(value)
    return str(value)


def _decimal(value: Fraction) -> str:
    """A fraction as a decimal of at most twelve places; empty where it is none."""
    text = f"{value.numerator / value.denominator:.12f}".rstrip("0")
    return text if Fraction(text) == value else ""


def _same(found: Network, network: Network) -> bool:
    return found.nodes == network.nodes and found.outputs == network.outputs


class _NotInPlace(Exception):
    """The values cannot be written where they stand."""


class _Edit(NamedTuple):
    """Characters of a text to replace."""

    start: int
    stop: int
    text: str


def _edited(origin: SpecOrigin, network: Network) -> str:
    """The text with the values of the call and of the variant. Raises _NotInPlace."""
    text = origin.source.text
    places = _Places(text)
    document, given = origin.document, origin.given
    chosen = {*given.params, *(document.variants[given.variant] if given.variant is not None else ())}
    values = {name: origin.params[name] for name in document.params if name in chosen}
    edits = [*_of_params(document, places, values), *_of_inputs(document, places, network.inputs)]
    if isinstance(places.flow, bool):
        edits += [_without(text, places, name) for name in OF_OTHERS if (name,) in places.found]
    edits.sort()
    for edit in edits:
        if any(edit.start <= at < edit.stop for at in places.aliased()):
            raise _NotInPlace
    parts, position = [], 0
    for edit in edits:
        parts += [text[position : edit.start], edit.text]
        position = max(edit.stop, position)
    return "".join([*parts, text[position:]])


def _of_params(document: Document, places: _Places, values: Mapping[str, Value]) -> Iterator[_Edit]:
    if isinstance(document.section("params"), List):
        _, start, stop = places.at("params")
        yield _Edit(start, stop, f"{{{', '.join(f'{name}: {value_text(value)}' for name, value in values.items())}}}")
        return
    for name, value in values.items():
        if document.params[name].default != value:
            yield places.edit(value_text(value), "params", name)


def _of_inputs(document: Document, places: _Places, shapes: Mapping[str, Sequence[int]]) -> Iterator[_Edit]:
    for name, (sizes, _) in document.inputs.items():
        shape = tuple(shapes[name])
        if tuple(compiled for compiled, _ in sizes) != shape:
            way = ("input", name) if ("input", name) in places.found else ("input",)
            yield places.edit(value_text(shape), *way)


class _Places:
    """Where the sections of a text and their entries stand, as offsets: (key, start, stop) by their names."""

    def __init__(self, text: str) -> None:
        self.found: dict[tuple[str, ...], tuple[int, int, int]] = {}
        self.flow: bool | None = None
        """Whether the sections stand in braces."""
        self.anchors: dict[str, int] = {}
        self.aliases: set[str] = set()
        self.text = text
        loader = Loader(text)
        try:
            self._read(loader)
        finally:
            loader.dispose()

    def at(self, *names: str) -> tuple[int, int, int]:
        """Where the key, and where the value of an entry begins and ends. Raises _NotInPlace."""
        found = self.found.get(names)
        if found is None:
            raise _NotInPlace
        return found

    def edit(self, text: str, *names: str) -> _Edit:
        """The value of an entry, replaced."""
        _, start, stop = self.at(*names)
        close = start == stop and start > 0 and not self.text[start - 1].isspace()
        return _Edit(start, stop, f" {text}" if close else text)

    def aliased(self) -> Iterator[int]:
        """Where values stand that have an alias elsewhere."""
        return (start for name, start in self.anchors.items() if name in self.aliases)

    def _read(self, loader: Any) -> None:
        stack: list[_Open] = []
        while (kind := type(event := loader.get_event())) is not yaml.StreamEndEvent:
            if not issubclass(kind, yaml.NodeEvent | yaml.CollectionEndEvent):
                continue
            start, stop = event.start_mark.index, event.end_mark.index
            name = ""
            if kind is yaml.AliasEvent:
                self.aliases.add(event.anchor)
            elif issubclass(kind, yaml.NodeEvent) and event.anchor is not None:
                self.anchors[event.anchor] = start
            if issubclass(kind, yaml.CollectionStartEvent):
                way = (*stack[-1].way, stack[-1].key or "") if stack else ()
                stack.append(_Open(start, stop, kind is yaml.MappingStartEvent, bool(event.flow_style), way))
                self.flow = bool(event.flow_style) if self.flow is None else self.flow
                continue
            if issubclass(kind, yaml.CollectionEndEvent):
                closed = stack.pop()
                start, stop = closed.start, stop if closed.flow else closed.stop
            elif kind is yaml.ScalarEvent:
                name = event.value
            if stack:
                self._complete(stack[-1], name, start, stop)

    def _complete(self, parent: _Open, name: str, start: int, stop: int) -> None:
        """A node ends: it is a key of the mapping around it, or the value of the key before."""
        parent.stop = max(parent.stop, stop)
        if not parent.mapping:
            return
        if parent.key is None:
            parent.key, parent.key_start = name, start
        else:
            if len(parent.way) < 2:
                self.found[(*parent.way, parent.key)] = parent.key_start, start, stop
            parent.key = None


class _Open:
    """A list or a mapping that is being read."""

    __slots__ = ("flow", "key", "key_start", "mapping", "start", "stop", "way")

    def __init__(self, start: int, stop: int, mapping: bool, flow: bool, way: tuple[str, ...]) -> None:
        self.start, self.stop = start, stop
        self.mapping, self.flow, self.way = mapping, flow, way
        self.key: str | None = None
        self.key_start = start


def _without(text: str, places: _Places, name: str) -> _Edit:
    """A section left out: its lines and the remarks right above it; in braces, its entry and a comma."""
    key, _, stop = places.at(name)
    if places.flow:
        behind = re.compile(r"\s*,\s*").match(text, stop)
        if behind is not None:
            return _Edit(key, behind.end(), "")
        before = re.compile(r",\s*\Z").search(text[:key])
        return _Edit(before.start() if before else key, stop, "")
    start = text.rfind("\n", 0, key) + 1
    remarks = _REMARKS_ABOVE.search(text, 0, start)
    start = remarks.start() if remarks is not None else start
    end = stop if stop > 0 and text[stop - 1] == "\n" else _end(text, stop)
    blank = re.compile(r"(?:[ \t]*\r?\n)*").match(text, end)
    if blank is not None and (start == 0 or text[:start].endswith(("\n\n", "\n\r\n"))):
        end = blank.end()
    return _Edit(start, end, "")


def _end(text: str, stop: int) -> int:
    found = _SECTION_END.match(text, stop)
    return found.end() if found is not None else len(text)
