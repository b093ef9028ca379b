"""YAML -> marked data: one pass over the events of libyaml, without recursion."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..collector import without_collector
from ..limits import SPEC_DEPTH, SPEC_NODES
from ..marked import List, Map, Marked, Source, Text

Loader: Any
if yaml.__with_libyaml__:
    Loader = yaml.CSafeLoader
else:
    from .pure_yaml import PureLoader as Loader


_HALF = re.compile("[\ud800-\udfff]")
"""Half a character: a text of Python can have one, a file in UTF-8 cannot."""


def parse(source: Source) -> Marked:
    """The document of a source as marked data. Raises SpecError with CC0 findings."""
    _refuse_halves(source)
    try:
        with without_collector():
            return _Builder(source).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Text("", True, mark.line + 1, mark.column + 1, 1) if mark else None
        problem = (error.problem or "not YAML") + (f", {error.context}" if error.context else "")
        source.fail("CC001", f"YAML: {problem}", at, hint=_syntax_hint(source, at))
    except yaml.reader.ReaderError as error:
        source.fail("CC003", f"YAML: {error.reason} (character #x{_ordinal(error):04x})", hint="save it as UTF-8 text")


def _refuse_halves(source: Source) -> None:
    half = None if source.text.isascii() else _HALF.search(source.text)
    if half is not None:
        lines = source.text[: half.end()].splitlines()
        at = Text(half[0], True, len(lines), len(lines[-1]), 1)
        message = f"the text holds half a character, U+{ord(half[0]):04X}"
        source.fail("CC003", message, at, hint="copy it again, whole")


def _ordinal(error: yaml.reader.ReaderError) -> int:
    character: Any = error.character
    return character if isinstance(character, int) else ord(character[:1] or "\0")


def _syntax_hint(source: Source, at: Text | None) -> str | None:
    line = source.line(at.line) if at else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces: YAML forbids tabs"
    if ("(" in line and "," in line) or re.search(r"\w\[", line):
        return 'an expression with commas or brackets inside { } or [ ] must be quoted: "make_divisible(c * 0.75, 8)"'
    return None


class _Builder:
    """Builds the tree from parser events with an explicit stack."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchors: dict[str, Marked | None] = {}
        self.total = 0

    def build(self) -> Marked:
        loader = Loader(self.source.text)
        try:
            return self._build(loader)
        finally:
            loader.dispose()

    def _build(self, loader: Any) -> Marked:
        root: Marked | None = None
        stack: list[tuple[List | Map, str | None]] = []
        parent: List | Map | None = None
        key: Text | None = None
        next_event = loader.get_event
        scalar, mapping_end, sequence_end = yaml.ScalarEvent, yaml.MappingEndEvent, yaml.SequenceEndEvent
        while True:
            event = next_event()
            kind = type(event)
            node: Marked
            opened: List | Map | None = None
            if kind is scalar:
                start, end = event.start_mark, event.end_mark
                width = end.column - start.column if end.line == start.line else 1
                plain = not event.style
                node = Text(event.value, plain, start.line + 1, start.column + 1, width)
                if event.tag is not None:
                    self._refuse_tag(event, node)
            elif kind is mapping_end or kind is sequence_end:
                closed, anchor = stack.pop()
                if anchor is not None:
                    self.anchors[anchor] = closed
                if not stack:
                    break
                parent = stack[-1][0]
                parent.size += closed.size
                key = None
                continue
            elif kind is yaml.MappingStartEvent:
                mark = event.start_mark
                node = opened = Map(mark.line + 1, mark.column + 1, event.flow_style is True)
                self._refuse_tag(event, node)
            elif kind is yaml.SequenceStartEvent:
                mark = event.start_mark
                node = opened = List(mark.line + 1, mark.column + 1, event.flow_style is True)
                self._refuse_tag(event, node)
            elif kind is yaml.AliasEvent:
                node = self._alias(event)
            elif kind is yaml.StreamEndEvent:
                self.source.fail("CC006", "the file is empty", hint="start with 'convcalc: 1'")
            else:
                continue

            self.total += node.size
            if self.total > SPEC_NODES:
                self.source.fail("CC004", f"more than {SPEC_NODES:,} nodes, aliases expanded", node)
            if parent is None:
                root = node
            elif type(parent) is List:
                parent.items.append(node)
                if opened is None:
                    parent.size += node.size
            elif type(parent) is not Map:
                raise AssertionError("a collection is a List or a Map")
            elif key is None:
                key = self._key(parent, node)
                parent.size += 1
            else:
                parent.entries[key.text] = node
                key = None
                if opened is None:
                    parent.size += node.size
            if opened is not None:
                anchor = event.anchor
                if anchor is not None:
                    self.anchors[anchor] = None
                stack.append((opened, anchor))
                if len(stack) > SPEC_DEPTH:
                    self.source.fail("CC004", f"nested deeper than {SPEC_DEPTH} levels", node)
                parent, key = opened, None
            elif kind is scalar:
                if event.anchor is not None:
                    self.anchors[event.anchor] = node
                if parent is None:
                    break
        self._refuse_more_documents(loader)
        assert root is not None
        return root

    def _key(self, parent: Map, node: Marked) -> Text:
        if not isinstance(node, Text):
            self.source.fail("CC103", "a key must be a name", node)
        if node.text == "<<" and node.plain:
            message = "merge keys (<<) are not part of the language"
            self.source.fail("CC005", message, node, hint="use a block with params")
        if node.text in parent.keys:
            first = parent.keys[node.text].line
            self.source.fail("CC002", f"the key '{node.text}' stands twice, first on line {first}", node)
        parent.keys[node.text] = node
        return node

    def _alias(self, event: Any) -> Marked:
        mark = event.start_mark
        at = Text("", True, mark.line + 1, mark.column + 1, len(event.anchor) + 1)
        if event.anchor not in self.anchors:
            self.source.fail("CC001", f"the alias *{event.anchor} has no anchor above it", at)
        node = self.anchors[event.anchor]
        if node is None:
            self.source.fail("CC004", f"the alias *{event.anchor} contains itself", at)
        return node

    def _refuse_tag(self, event: Any, node: Marked) -> None:
        if event.tag is not None and event.tag != "!":
            self.source.fail("CC005", f"tags such as {event.tag} are not part of the language", node)

    def _refuse_more_documents(self, loader: Any) -> None:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                at = Text("", True, line, 1, 3)
                self.source.fail("CC006", "a second document starts here", at, hint="one spec a file")
