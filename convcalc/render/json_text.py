"""Data as JSON, piece by piece: the bytes of the standard library's `json.dumps(data, indent=2)`, without all of them
in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from json import dumps
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import cast

from ..analysis.alike import Alike, Part
from ..limits import PATH_CHARACTERS
from ..terminal import without_hidden

STEP = "  "
AT_ONCE = 64
"""Objects of which one piece is made."""
MOST_KEPT = 256
"""Strings, and keys, that are kept when they are written: few, so that they stay near."""


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
    """An array whose elements come one after the other; of many that are alike several in one piece."""
    inner, opening = level.inner, "["
    for text in inner.alike(values) if isinstance(values, Alike) else map(inner.text, values):
        yield f"{before}{opening}{inner.line}{text}"
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
        self._open, self._next, self._close = f"[{line}{STEP}", f",{line}{STEP}", f"{line}]"
        """What stands around the values of a list."""
        self._strings = strings
        self._begun: dict[str, str] = {}
        """Key of an object -> the line that it begins."""

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
            return self._list(value)
        if value is None:
            return "null"
        if isinstance(value, dict):
            return f"{{{self._entries(value)}{self.line}}}" if value else "{}"
        return self._strings.text(value) if isinstance(value, str) else dumps(value)

    def _list(self, values: Sequence[object]) -> str:
        if not values:
            return "[]"
        if len(values) == 1:
            return f"{self._open}{self.inner.text(values[0])}{self._close}"
        if len(values) == 2:  # sizes of two axes, mostly
            one, other = values
            if type(one) is int is type(other):
                return f"{self._open}{one}{self._next}{other}{self._close}"
        return f"{self._open}{self._next.join(self.inner.texts(values))}{self._close}"

    def alike(self, objects: Alike) -> Iterator[str]:
        """Objects with the same keys, several a piece: their values become text a column after the other."""
        entries: list[str] = []
        columns: list[Callable[[Sequence[object]], list[str]]] = []
        for key in objects.keys:
            if isinstance(key, str):
                entries.append(self._form(key))
                columns.append(self.inner.texts)
            else:
                entries.append("%s")
                columns.append(partial(self._parts, ",".join(map(self._form, key))))
        form = f"{{{','.join(entries)}{self.line}}}"
        while values := list(islice(objects.values, AT_ONCE)):
            texts = [write(column) for write, column in zip(columns, zip(*values, strict=True), strict=True)]
            yield self.between.join(map(form.__mod__, zip(*texts, strict=True)))

    def texts(self, values: Sequence[object]) -> list[str]:
        """Values, one by one."""
        text = self.text
        return [text(value) for value in values]

    def _parts(self, form: str, column: Sequence[object]) -> list[str]:
        """What several objects share, which is written once."""
        parts = cast("Sequence[Part]", column)
        for part in parts:
            if not part.text:
                part.text = form % tuple(self.inner.texts(part.values))
        return [part.text for part in parts]

    def _form(self, key: str) -> str:
        """The line of a key, with a place for its value."""
        return self._begin(key).replace("%", "%%") + "%s"

    def _entries(self, values: dict[str, object]) -> str:
        """Keys and values, a line break before each."""
        begun, inner = self._begun, self.inner
        return ",".join([(begun.get(key) or self._begin(key)) + inner.text(value) for key, value in values.items()])

    def _begin(self, key: str) -> str:
        if len(self._begun) == MOST_KEPT:
            self._begun.clear()
        before = self._begun[key] = f"{self.inner.line}{self._strings.text(key)}: "
        return before
