"""Data as JSON, piece by piece: the bytes of the standard library's `json.dumps(data, indent=2)`, without all of them
in memory at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from json import dumps
from json.encoder import encode_basestring, encode_basestring_ascii

from ..analysis.report import Joined
from ..limits import PATH_CHARACTERS
from ..terminal import without_hidden

STEP = "  "
MOST_KEPT = 4096
"""Strings, keys and shared parts that are kept when they are written, of each."""


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
    strings = _Strings(ascii)
    level = _Level(strings, f"\n{STEP}")
    opening = "{"
    for key, value in data.items():
        before = f"{opening}{level.line}{strings.text(key)}: "
        if isinstance(value, Iterator):
            yield from _array(level, value, before)
        else:
            yield before + level.text(value)
        opening = ","
    yield "\n}" if data else "{}"


def _array(level: _Level, values: Iterator[object], before: str) -> Iterator[str]:
    """An array whose elements come one after the other."""
    opening, inner = "[", level.inner
    for value in values:
        yield f"{before}{opening}{inner.line}{inner.text(value)}"
        before, opening = "", ","
    yield f"{before}[]" if opening == "[" else f"{level.line}]"


class _Strings:
    """Strings between their quotes."""

    def __init__(self, ascii: bool) -> None:
        self._encode = encode_basestring_ascii if ascii else encode_basestring
        self.known: dict[str, str] = {}
        """String -> its text: a layer's name is read by the next, stages and kinds have many layers."""

    def text(self, string: str) -> str:
        """A string between its quotes."""
        encoded = self.known.get(string)
        if encoded is None:
            encoded = self._encode(string)
            if not (encoded.isascii() and encoded.isprintable()):
                encoded = without_hidden(encoded, lambda character: encode_basestring_ascii(character)[1:-1])
            if len(string) <= PATH_CHARACTERS:
                if len(self.known) == MOST_KEPT:
                    self.known.clear()
                self.known[string] = encoded
        return encoded


class _Level:
    """Values as text at one depth."""

    def __init__(self, strings: _Strings, line: str) -> None:
        self.line = line
        """The line break that stands before what closes a value."""
        self.between = f",{line}"
        self._strings = strings
        self._begun: dict[str, str] = {}
        """Key of an object -> the line that it begins."""
        self._forms: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        """Keys of objects with shared parts -> the lines that they begin."""
        self._shared: dict[int, tuple[dict[str, object], str]] = {}
        """The id of a shared part -> the part, which keeps its id from another, and its text."""

    @cached_property
    def inner(self) -> _Level:
        """What stands inside of these values."""
        return _Level(self._strings, self.line + STEP)

    def text(self, value: object) -> str:
        """A value, however deep; what most are is asked first."""
        if type(value) is str:
            return self._strings.known.get(value) or self._strings.text(value)
        if type(value) is int:
            return repr(value)
        if isinstance(value, (list, tuple)):
            return self._joined(value) if isinstance(value, Joined) else self._list(value)
        if value is None:
            return "null"
        if isinstance(value, dict):
            return f"{{{self._entries(value)}{self.line}}}" if value else "{}"
        return self._strings.text(value) if isinstance(value, str) else dumps(value)

    def _list(self, values: Sequence[object]) -> str:
        if not values:
            return "[]"
        inner = self.inner
        if len(values) == 1:
            return f"[{inner.line}{inner.text(values[0])}{self.line}]"
        texts = [repr(value) if type(value) is int else inner.text(value) for value in values]
        return f"[{inner.line}{inner.between.join(texts)}{self.line}]"

    def _joined(self, joined: Joined) -> str:
        keys, values = joined
        form = self._forms.get(keys)
        if form is None:
            form = self._forms[keys] = tuple([None if key is None else self._begin(key) for key in keys])
        shared, inner = self._shared, self.inner
        texts = []
        for before, value in zip(form, values, strict=True):
            if before is not None:
                texts.append(before + inner.text(value))
            elif value:
                found = shared.get(id(value))
                texts.append(found[1] if found else self._share(value))
        return f"{{{','.join(texts)}{self.line}}}" if texts else "{}"

    def _share(self, part: object) -> str:
        assert isinstance(part, dict)
        if len(self._shared) == MOST_KEPT:
            self._shared.clear()
        text = self._entries(part)
        self._shared[id(part)] = part, text
        return text

    def _entries(self, values: dict[str, object]) -> str:
        """Keys and values, a line break before each."""
        begun, inner = self._begun, self.inner
        return ",".join([(begun.get(key) or self._begin(key)) + inner.text(value) for key, value in values.items()])

    def _begin(self, key: str) -> str:
        if len(self._begun) == MOST_KEPT:
            self._begun.clear()
        before = self._begun[key] = f"{self.inner.line}{self._strings.text(key)}: "
        return before
