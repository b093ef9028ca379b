"""Protobuf's wire format, as far as ONNX files use it: fields are walked over, payloads are not touched.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
COUNTED = frozenset({VARINT, LENGTH})
"""Wire types whose fields begin with a number: the value, or the size of the payload."""


MOST_WORK = 3_000_000
"""Fields and packed numbers that are read of a file; a message counts as `MESSAGE` more."""
MOST_FIELDS = 1_000_000
"""Fields of one message, which are all kept: 150 MB of them."""
MESSAGE = 4
MOST_NUMBERS = 1000
"""Different numbers that the fields of one message have: ONNX has none above 30."""


class Damaged(ValueError):
    """Bytes that are not protobuf; the message says where."""


class Excessive(ValueError):
    """A file that holds more than is read."""


class Work:
    """What may still be read of a file."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def take(self, count: int) -> None:
        """Count before, or while, it is read. Raises `Excessive`."""
        self.left -= count
        if self.left < 0:
            raise Excessive(f"more than {MOST_WORK:,} fields beside the weights")


Field = tuple[int, int, int, int]
"""(wire type, number, start, stop): the number is a varint's, the bytes start … stop are another's payload."""


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """(the unsigned integer at a position, the position after it).

    >>> varint(bytes([0xAC, 0x02]), 0, 2)
    (300, 2)
    """
    result = shift = 0
    while at < stop:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise Damaged(f"a number of more than 10 bytes ends at byte {at}")
    raise Damaged(f"the file ends inside a number at byte {at}")


def signed(value: int) -> int:
    """A varint as a signed 64-bit integer.

    >>> signed(2**64 - 1)
    -1
    """
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


class Message:
    """A message of the file that fills start … stop: its fields found, their payloads unread.

    A field that should stand once counts where it stands last, as protobuf has it. Raises `Damaged` where the bytes
    are no fields, and for what is asked for under another wire type than it has.

    >>> message = Message(bytes([0x08, 0x05, 0x12, 0x01, 0x61]))
    >>> message.integer(1), message.text(2), message.text(3)
    (5, 'a', '')
    """

    __slots__ = ("data", "fields", "span", "work")

    def __init__(self, data: bytes, start: int = 0, stop: int | None = None, work: Work | None = None) -> None:
        self.data = data
        self.work = work or Work()
        """Shared by all messages of a file."""
        self.fields: dict[int, list[Field]] = {}
        """Number -> the fields that have it, in their order."""
        at, stop, found = start, len(data) if stop is None else stop, self.fields
        self.span = (start, stop)
        """Where it stands in the data."""
        left, count = min(self.work.left, MOST_FIELDS + MESSAGE), MESSAGE
        while at < stop:
            count += 1
            if count > left:
                break
            key = data[at]
            at += 1
            if key >= 0x80:
                key, at = varint(data, at - 1, stop)
            number, wire, value = key >> 3, key & 7, 0
            if wire in COUNTED:
                if at < stop and data[at] < 0x80:
                    value = data[at]
                    at += 1
                else:
                    value, at = varint(data, at, stop)
            begin = at
            if wire == LENGTH:
                at += value
                if at > stop:
                    raise Damaged(f"a field of {value} bytes at byte {begin} reaches {at - stop} beyond its message")
            elif wire in (FIXED32, FIXED64):
                at += 4 if wire == FIXED32 else 8
                if at > stop:
                    raise Damaged(f"the file ends inside a number at byte {begin}")
            elif wire != VARINT:
                raise Damaged(f"wire type {wire} at byte {at - 1}, which ONNX does not use")
            if number == 0:
                raise Damaged(f"field number 0 before byte {at}")
            if number in found:
                found[number].append((wire, value, begin, at))
            elif len(found) < MOST_NUMBERS:
                found[number] = [(wire, value, begin, at)]
            else:
                raise Damaged(f"a message of more than {MOST_NUMBERS} kinds of fields before byte {at}")
        if count > MOST_FIELDS + MESSAGE:
            raise Excessive(f"more than {MOST_FIELDS:,} fields in one message")
        self.work.take(count)

    def __contains__(self, number: int) -> bool:
        return number in self.fields

    def every(self) -> Iterator[tuple[int, Field]]:
        """(number, field) of all its fields, those of one number together."""
        return ((number, field) for number, found in self.fields.items() for field in found)

    def spans(self, number: int) -> list[tuple[int, int]]:
        """(start, stop) of the payloads of a field."""
        return [_span(number, field) for field in self.fields.get(number, ())]

    def texts(self, number: int) -> list[str]:
        """The strings of a field; bytes that are not UTF-8 are written as escapes."""
        return [_text(self.data, number, field) for field in self.fields.get(number, ())]

    def text(self, number: int) -> str:
        """The string of a field, empty where it is missing."""
        found = self.fields.get(number)
        return _text(self.data, number, found[-1]) if found is not None else ""

    def messages(self, number: int) -> list[Message]:
        """The messages of a field."""
        found = self.fields.get(number)
        return [self._inner(number, field) for field in found] if found is not None else []

    def _inner(self, number: int, field: Field) -> Message:
        return Message(self.data, *_span(number, field), self.work)

    def integer(self, number: int, default: int = 0) -> int:
        """The signed integer of a field."""
        found = self.fields.get(number)
        if found is None:
            return default
        wire, value, _, stop = found[-1]
        if wire != VARINT:
            raise _mismatch(number, wire, VARINT, stop)
        return signed(value)

    def integers(self, number: int) -> list[int]:
        """The signed integers of a repeated field, packed or not."""
        result: list[int] = []
        for field in self.fields.get(number, ()):
            if field[0] == VARINT:
                result.append(signed(field[1]))
                continue
            at, stop = _span(number, field)
            self.work.take(stop - at)
            while at < stop:
                value, at = varint(self.data, at, stop)
                result.append(signed(value))
        return result

    def floats(self, number: int, size: int = 4) -> list[float]:
        """The floats of a repeated field, packed or not; `size` is an element's bytes, 4 or 8."""
        result: list[float] = []
        for wire, _, start, stop in self.fields.get(number, ()):
            if wire == VARINT or (stop - start) % size:
                raise Damaged(f"field {number} before byte {stop} holds no floats")
            count = (stop - start) // size
            self.work.take(count)
            result += struct.unpack_from(f"<{count}{'f' if size == 4 else 'd'}", self.data, start)
        return result


def _span(number: int, field: Field) -> tuple[int, int]:
    wire, _, start, stop = field
    if wire != LENGTH:
        raise _mismatch(number, wire, LENGTH, stop)
    return start, stop


def _text(data: bytes, number: int, field: Field) -> str:
    wire, _, start, stop = field
    if wire != LENGTH:
        raise _mismatch(number, wire, LENGTH, stop)
    return data[start:stop].decode("utf-8", "backslashreplace")


def _mismatch(number: int, wire: int, wanted: int, stop: int) -> Damaged:
    return Damaged(f"field {number} before byte {stop} has wire type {wire}, not {wanted}")


def written(data: bytes, number: int, field: Field) -> bytes:
    """The bytes of a field as it stands in `data`."""
    wire, value, start, stop = field
    if wire == LENGTH:
        return written_message(number, data[start:stop])
    return _written_varint(number << 3 | wire) + (_written_varint(value) if wire == VARINT else data[start:stop])


def written_message(number: int, content: bytes) -> bytes:
    """The bytes of a field that holds a message, a string or bytes.

    >>> written_message(1, b"ab")
    b'\\n\\x02ab'
    """
    return _written_varint(number << 3 | LENGTH) + _written_varint(len(content)) + content


def _written_varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
