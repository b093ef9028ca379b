"""Protobuf's wire format, as far as ONNX files use it: fields are walked over, payloads are not touched.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
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


def text(data: Data, field: Field) -> str:
    """The string of a field; bytes that are not UTF-8 are written as escapes."""
    expect(field, LENGTH)
    return data[field.start : field.stop].decode("utf-8", "backslashreplace")


def expect(field: Field, wire: int) -> None:
    """Raise `Damaged` unless the field has this wire type."""
    if field.wire != wire:
        raise Damaged(f"field {field.number} before byte {field.stop} has wire type {field.wire}, not {wire}")


def integer(field: Field) -> int:
    """The signed integer of a field."""
    expect(field, VARINT)
    return signed(field.value)


def integers(data: Data, found: Sequence[Field]) -> list[int]:
    """The signed integers of a repeated field, packed or not."""
    result: list[int] = []
    for field in found:
        if field.wire == VARINT:
            result.append(signed(field.value))
            continue
        expect(field, LENGTH)
        at = field.start
        while at < field.stop:
            value, at = varint(data, at, field.stop)
            result.append(signed(value))
    return result


def floats(data: Data, found: Sequence[Field], size: int = 4) -> list[float]:
    """The floats of a repeated field, packed or not; `size` is an element's bytes, 4 or 8."""
    result: list[float] = []
    for field in found:
        if field.wire == VARINT or (field.stop - field.start) % size:
            raise Damaged(f"field {field.number} before byte {field.stop} holds no floats")
        count = (field.stop - field.start) // size
        result += struct.unpack_from(f"<{count}{'f' if size == 4 else 'd'}", data, field.start)
    return result
