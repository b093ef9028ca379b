"""Data as JSON, piece by piece: the bytes of the standard library's `json.dumps(data, indent=2)`, without all of them
in memory at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from json import dumps
from json.encoder import encode_basestring, encode_basestring_ascii

from ..analysis.report import Joined
from ..limits import PATH_CHARACTERS
from ..terminal import without_hidden

STEP = "  "
KEPT, MOST_KEPT = (int, list, tuple), 4096
"""Lists that begin with one of these are kept when they are written, and how many of them, as of shared parts."""


def json_pieces(data: Mapping[str, object], ascii: bool = False) -> Iterator[str]:
    """The text of a mapping in pieces, one a value of the mapping, and one an element where a value is an iterator.

    An iterator is written as an array, and used up. Characters that nobody sees are escaped; with `ascii` all that are
    beyond ASCII are.

    >>> print("".join(json_pieces({"a": iter([1, {"b": "x"}]), "c": []})))
    {
      "a": [
        1,
        {
          "b": "x"
        }
      ],
      "c": []
    }
    """
    writer = _Writer(ascii)
    opening, line = "{", f"\n{STEP}"
    for key, value in data.items():
        before = f"{opening}{line}{writer.string(key)}: "
        if isinstance(value, Iterator):
            yield from _array(writer, value, before, line)
        else:
            yield before + writer.text(value, line)
        opening = ","
    yield "\n}" if data else "{}"


def _array(writer: _Writer, values: Iterator[object], before: str, line: str) -> Iterator[str]:
    """An array whose elements come one after the other."""
    opening, inner = "[", line + STEP
    for value in values:
        yield f"{before}{opening}{inner}{writer.text(value, inner)}"
        before, opening = "", ","
    yield f"{before}[]" if opening == "[" else f"{line}]"


class _Writer:
    """Values as text; `line` is the line break that stands before what closes a value."""

    def __init__(self, ascii: bool) -> None:
        self._encode = encode_basestring_ascii if ascii else encode_basestring
        self._strings: dict[str, str] = {}
        """Strings as they are written: a layer's name is read by the next, stages and kinds have many layers."""
        self._keys: dict[str, dict[str, str]] = {}
        """Line break -> key -> the break, the key and its colon: most mappings have the same few keys."""
        self._lists: dict[str, dict[str, str]] = {}
        """Line break -> how Python writes a list -> its text: layers have the same few shapes."""
        self._parts: dict[tuple[int, str], tuple[dict[str, object], str]] = {}
        """The id of a shared part and its line break -> the part, which keeps its id from another, and its text."""

    def string(self, text: str) -> str:
        """A string between its quotes."""
        encoded = self._strings.get(text)
        if encoded is None:
            encoded = self._encode(text)
            if not (encoded.isascii() and encoded.isprintable()):
                encoded = without_hidden(encoded, lambda character: encode_basestring_ascii(character)[1:-1])
            if len(text) <= PATH_CHARACTERS:
                if len(self._strings) == MOST_KEPT:
                    self._strings.clear()
                self._strings[text] = encoded
        return encoded

    def text(self, value: object, line: str) -> str:
        """A value, however deep."""
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, Joined):
            return self._joined(value, line)
        if isinstance(value, (list, tuple)):
            return self._list(value, line)
        if isinstance(value, dict):
            return self._object(value, line)
        return "null" if value is None else dumps(value)

    def _list(self, values: Sequence[object], line: str) -> str:
        if not values:
            return "[]"
        inner = line + STEP
        if len(values) == 1 and type(values[0]) is str:
            return f"[{inner}{self.string(values[0])}{line}]"
        if type(values[0]) not in KEPT:
            return f"[{inner}{f',{inner}'.join([self.text(value, inner) for value in values])}{line}]"
        known = self._lists.get(line)
        if known is None or len(known) == MOST_KEPT:
            known = self._lists[line] = {}
        written = repr(values)
        text = known.get(written)
        if text is None:
            parts = [repr(value) if type(value) is int else self.text(value, inner) for value in values]
            text = known[written] = f"[{inner}{f',{inner}'.join(parts)}{line}]"
        return text

    def _object(self, values: dict[str, object], line: str) -> str:
        return f"{{{self._entries(values, line + STEP)}{line}}}" if values else "{}"

    def _joined(self, value: Joined, line: str) -> str:
        inner = line + STEP
        parts = [self._entries(value.own, inner), *[self._shared(part, inner) for part in value.shared]]
        entries = ",".join([part for part in parts if part])
        return f"{{{entries}{line}}}" if entries else "{}"

    def _shared(self, part: dict[str, object], inner: str) -> str:
        known = self._parts.get((id(part), inner))
        if known is None:
            if len(self._parts) == MOST_KEPT:
                self._parts.clear()
            known = self._parts[id(part), inner] = part, self._entries(part, inner)
        return known[1]

    def _entries(self, values: dict[str, object], inner: str) -> str:
        """Keys and values, `inner` before each."""
        keys, known = self._keys.setdefault(inner, {}), self._strings.get
        parts = []
        for key, value in values.items():
            before = keys.get(key)
            if before is None:
                before = keys[key] = f"{inner}{self.string(key)}: "
            if type(value) is str:
                parts.append(before + (known(value) or self.string(value)))
            elif value is None:
                parts.append(f"{before}null")
            else:
                parts.append(f"{before}{value if type(value) is int else self.text(value, inner)}")
        return ",".join(parts)
