"""What is a spec: a YAML file that has `convcalc` among the keys of its top level. Decided here, by the parser."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..findings import SpecError
from ..limits import SPEC_BYTES, SPEC_DEPTH, SPEC_NODES
from ..marked import Source
from .events import Loader
from .sources import decode

KEY = "convcalc"

_WRITTEN = re.compile(r"^[ \t{]*[\"']?convcalc[\"']?[ \t]*:", re.MULTILINE)


def declares(source: Source) -> bool:
    """Whether a text is a spec, however the key is written: plain, quoted, escaped, after others.

    A text that is not YAML, or more than is read of it, is one where it says so before the mistake, or on a line below.

    >>> declares(Source("{name: x, \\"convcalc\\": 1}")), declares(Source("services: {convcalc: 1}"))
    (True, False)
    """
    if KEY not in source.text and "\\" not in source.text:
        return False
    loader = Loader(source.text)
    try:
        return _has_key(loader)
    except yaml.YAMLError:
        return _WRITTEN.search(source.text) is not None
    finally:
        loader.dispose()


def declared(data: bytes, path: str) -> bool:
    """Whether the bytes of a file are a spec. What is too large to be read, or no text, is one where it says so."""
    try:
        return declares(decode(data, path))
    except SpecError:
        return _WRITTEN.search(data[:SPEC_BYTES].decode("utf-8", "replace")) is not None


def _has_key(loader: Any) -> bool:
    """Whether the first document is a mapping with the key. Raises YAMLError, also for more than SPEC_NODES events."""
    depth, values, anchors = 0, 0, set()
    for _ in range(SPEC_NODES):
        event = loader.get_event()
        at_key = depth == 1 and values % 2 == 0
        if isinstance(event, yaml.ScalarEvent):
            if depth == 0:
                return False
            if event.anchor is not None and event.value == KEY:
                anchors.add(event.anchor)
            if at_key and event.value == KEY:
                return True
            values += depth == 1
        elif isinstance(event, yaml.AliasEvent):
            if at_key and event.anchor in anchors:
                return True
            values += depth == 1
        elif isinstance(event, yaml.CollectionStartEvent):
            if depth == 0 and isinstance(event, yaml.SequenceStartEvent):
                return False
            values += depth == 1
            depth += 1
            if depth > SPEC_DEPTH:
                raise yaml.YAMLError("too deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            if depth == 0:
                return False
        elif isinstance(event, yaml.StreamEndEvent):
            return False
    raise yaml.YAMLError("too many")
