"""Data as JSON, piece by piece: the bytes of the standard library's `json.dumps(data, indent=2)`, without all of them
in memory at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, repeat
from json import dumps
from json.encoder import encode_basestring, encode_basestring_ascii
from operator import is_
from typing import cast

from ..analysis.alike import Alike, Part
from ..terminal import without_hidden

STEP = "  "
AT_ONCE = 128
"""Objects of which one piece is made."""
SHORT = 4
"""Values of lists that are written together with others of their length, a place after the other."""
MOST_KEPT = 256
"""Keys that are kept when they are written: few, so that they stay near."""


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

    def text(self, string: str) -> str:
        """A string between its quotes."""
        encoded = self._encode(string)
        if encoded.isascii() and encoded.isprintable():
            return encoded
        return without_hidden(encoded, lambda character: encode_basestring_ascii(character)[1:-1])

    def texts(self, strings: Collection[str]) -> list[str]:
        """Several of them; what has nothing to be escaped stands between the quotes as it is."""
        together = "".join(strings)
        if together.isascii() and len(self.text(together)) == len(together) + 2:
            return [f'"{string}"' for string in strings]
        return list(map(self.text, strings))


class _Level:
    """Values as text at one depth."""

    def __init__(self, strings: _Strings, line: str) -> None:
        self.line = line
        """The line break that stands before what closes a value."""
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
            return self._strings.text(value)
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
        return f"{self._open}{self._next.join(self.inner.texts(values))}{self._close}" if values else "[]"

    def _entries(self, values: dict[str, object]) -> str:
        """Keys and values, a line break before each."""
        inner = self.inner
        return ",".join([self.begin(key) + inner.text(value) for key, value in values.items()])

    def alike(self, objects: Alike) -> Iterator[str]:
        """Objects with the same keys, several a piece: their values become text a column after the other."""
        columns = [_Column(self, key) for key in objects.keys]
        before = _before("{", [column.begin for column in columns])
        while rows := list(islice(objects.values, AT_ONCE)):
            texts = [column.texts(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
            yield f",{self.line}".join(_woven(before, texts, f"{self.line}}}"))

    def texts(self, values: Sequence[object]) -> list[str]:
        """Values one by one; those that are all of one kind are written together."""
        kind, *others = set(map(type, values))
        if not others and kind is str:
            return self._strings.texts(cast("Sequence[str]", values))
        if not others and kind is int:
            return list(map(repr, values))
        if not others and kind is list:
            return self._lists(cast("Sequence[list[object]]", values))
        return list(map(self.text, values))

    def _lists(self, lists: Sequence[list[object]]) -> list[str]:
        """Lists, short ones together with others of their length."""
        lengths = set(map(len, lists))
        if len(lengths) == 1 and len(lists[0]) <= SHORT:
            return self._short(lists)
        short = {n: iter(self._short([x for x in lists if len(x) == n])) for n in lengths if n <= SHORT}
        return [next(short[len(x)]) if len(x) <= SHORT else self._list(x) for x in lists]

    def _short(self, lists: Sequence[list[object]]) -> list[str]:
        """Lists of one length: what all hold in one place is a column; where that is what they hold first, its text."""
        length = len(lists[0])
        if length == 0:
            return ["[]"] * len(lists)
        first, *others = zip(*lists, strict=True)
        text = self.inner.texts(first)
        columns = [text, *[text if all(map(is_, first, place)) else self.inner.texts(place) for place in others]]
        return _woven([self._open, *[self._next] * (length - 1)], columns, self._close)

    def begin(self, key: str) -> str:
        """The line of a key, up to its value."""
        found = self._begun.get(key)
        if found is None:
            if len(self._begun) == MOST_KEPT:
                self._begun.clear()
            found = self._begun[key] = f"{self.inner.line}{self._strings.text(key)}: "
        return found


class _Column:
    """What objects that are alike have under one key, or have in common under several."""

    def __init__(self, level: _Level, key: str | tuple[str, ...]) -> None:
        self._level = level.inner
        self._shared = () if isinstance(key, str) else _before("", map(level.begin, key))
        """What stands before each value of a part."""
        self.begin = level.begin(key) if isinstance(key, str) else ""
        """What stands before a value that is none."""

    def texts(self, values: Sequence[object]) -> list[str]:
        """The values as text; a part's is made once, and left at it."""
        if not self._shared:
            return self._level.texts(values)
        parts = cast("Sequence[Part]", values)
        texts = [part.text for part in parts]
        if all(texts):
            return texts
        new = [part for part in dict.fromkeys(parts) if not part.text]
        columns = [self._level.texts(column) for column in zip(*[part.values for part in new], strict=True)]
        for part, text in zip(new, _woven(self._shared, columns, ""), strict=True):
            part.text = text
        return [part.text for part in parts]


def _before(opening: str, begins: Iterable[str]) -> list[str]:
    """The beginnings of an object's entries, its opening and the commas between them before them."""
    return [(opening if place == 0 else ",") + begin for place, begin in enumerate(begins)]


def _woven(before: Sequence[str], texts: Sequence[list[str]], close: str) -> list[str]:
    """Rows of columns of texts: the same text stands before all of a column, and behind the last."""
    woven: list[Iterable[str]] = []
    for text, column in zip(before, texts, strict=True):
        woven += repeat(text), column
    return list(map("".join, zip(*woven, repeat(close), strict=False)))
