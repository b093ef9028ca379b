"""Protobuf's wire format, as far as ONNX files use it: fields are walked over, payloads are not touched.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

Data = bytes | mmap

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class Damaged(ValueError):
    """Bytes that are not protobuf; the message says where."""


class Field(NamedTuple):
    """One field: `value` of a varint, else the span start … stop of its payload."""

    number: int
    wire: int
    value: int
    start: int
    stop: int


def varint(data: Data, at: int, stop: int) -> tuple[int, int]:
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


def fields(data: Data, start: int, stop: int) -> Iterator[Field]:
    """The fields of a message that fills start … stop; raises `Damaged` where it does not."""
    at = start
    # A named tuple made directly takes half the time, and this is where the time of reading goes.
    new = tuple.__new__
    while at < stop:
        key = data[at]
        at += 1
        if key >= 0x80:
            key, at = varint(data, at - 1, stop)
        number, wire = key >> 3, key & 7
        if wire == LENGTH:
            if at < stop and data[at] < 0x80:
                size = data[at]
                at += 1
            else:
                size, at = varint(data, at, stop)
            end = at + size
            if end > stop:
                raise Damaged(f"a field of {size} bytes at byte {at} reaches {end - stop} beyond its message")
            yield new(Field, (number, wire, 0, at, end))
            at = end
        elif wire == VARINT:
            value, at = varint(data, at, stop)
            yield new(Field, (number, wire, value, at, at))
        elif wire in (FIXED32, FIXED64):
            end = at + (4 if wire == FIXED32 else 8)
            if end > stop:
                raise Damaged(f"the file ends inside a number at byte {at}")
            yield new(Field, (number, wire, 0, at, end))
            at = end
        else:
            raise Damaged(f"wire type {wire} at byte {at - 1}, which ONNX does not use")
        if number == 0:
            raise Damaged(f"field number 0 before byte {at}")


def signed(value: int) -> int:
    """A varint as a signed 64-bit integer.

    >>> signed(2**64 - 1)
    -1
    """
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


class Message:
    """A message of the file, its fields found and their payloads unread.

    A field that should stand once counts where it stands last, as protobuf has it. What is asked for under another
    wire type than it has is `Damaged`.

    >>> message = Message(bytes([0x08, 0x05, 0x12, 0x01, 0x61]))
    >>> message.integer(1), message.text(2), message.text(3)
    (5, 'a', '')
    """

    __slots__ = ("_fields", "data")

    def __init__(self, data: Data, start: int = 0, stop: int | None = None) -> None:
        self.data = data
        found: dict[int, list[Field]] = {}
        for field in fields(data, start, len(data) if stop is None else stop):
            if field.number in found:
                found[field.number].append(field)
            else:
                found[field.number] = [field]
        self._fields = found

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    @property
    def numbers(self) -> list[int]:
        """The numbers of its fields, in the order in which they first stand."""
        return list(self._fields)

    def spans(self, number: int) -> list[tuple[int, int]]:
        """(start, stop) of the payloads of a field."""
        found = []
        for field in self._fields.get(number, ()):
            _expect(field, LENGTH)
            found.append((field.start, field.stop))
        return found

    def texts(self, number: int) -> list[str]:
        """The strings of a field; bytes that are not UTF-8 are written as escapes."""
        data = self.data
        return [data[start:stop].decode("utf-8", "backslashreplace") for start, stop in self.spans(number)]

    def text(self, number: int) -> str:
        """The string of a field, empty where it is missing."""
        found = self.texts(number)
        return found[-1] if found else ""

    def messages(self, number: int) -> Iterator[Message]:
        """The messages of a field."""
        data = self.data
        return (Message(data, start, stop) for start, stop in self.spans(number))

    def integer(self, number: int, default: int = 0) -> int:
        """The signed integer of a field."""
        if number not in self._fields:
            return default
        field = self._fields[number][-1]
        _expect(field, VARINT)
        return signed(field.value)

    def integers(self, number: int) -> list[int]:
        """The signed integers of a repeated field, packed or not."""
        result: list[int] = []
        for field in self._fields.get(number, ()):
            if field.wire == VARINT:
                result.append(signed(field.value))
                continue
            _expect(field, LENGTH)
            at = field.start
            while at < field.stop:
                value, at = varint(self.data, at, field.stop)
                result.append(signed(value))
        return result

    def floats(self, number: int, size: int = 4) -> list[float]:
        """The floats of a repeated field, packed or not; `size` is an element's bytes, 4 or 8."""
        result: list[float] = []
        for field in self._fields.get(number, ()):
            if field.wire == VARINT or (field.stop - field.start) % size:
                raise Damaged(f"field {number} before byte {field.stop} holds no floats")
            count = (field.stop - field.start) // size
            result += struct.unpack_from(f"<{count}{'f' if size == 4 else 'd'}", self.data, field.start)
        return result


def _expect(field: Field, wire: int) -> None:
    if field.wire != wire:
        raise Damaged(f"field {field.number} before byte {field.stop} has wire type {field.wire}, not {wire}")


def written(data: Data, field: Field) -> bytes:
    """The bytes of a field as it stands in `data`."""
    if field.wire == LENGTH:
        return written_message(field.number, data[field.start : field.stop])
    key = _written_varint(field.number << 3 | field.wire)
    return key + (_written_varint(field.value) if field.wire == VARINT else data[field.start : field.stop])


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
