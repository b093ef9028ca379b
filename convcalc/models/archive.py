"""One member of a zip archive, within bounds: nothing is unpacked to disk, and names lead nowhere.

Source: PKWARE APPNOTE.TXT 6.3.10: sections 4.3.7 (local headers), 4.3.12 (the list), 4.3.14 to 4.3.16 (its end).
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import BinaryIO, NamedTuple

MOST_DIRECTORY = 1 << 20
"""Bytes of an archive's list of members."""
LONGEST_END = 22 + 0xFFFF
"""Bytes in which the end of an archive is looked for: its record with the longest comment."""
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
WIDE = 0xFFFFFFFF
"""What stands for a number that does not fit in 32 bits."""
STORED, DEFLATED = 0, 8
"""Ways in which a member may be packed."""
ENCRYPTED = 1
"""The flag of a member that is encrypted."""


class Damaged(Exception):
    """The archive cannot be read; the message says why."""


class Excessive(Exception):
    """There is more of something than is read."""


class Member(NamedTuple):
    """A member as the list of the archive has it."""

    name: str
    flags: int
    method: int
    packed: int
    """Bytes in the archive."""
    size: int
    """Bytes that it claims to unpack to."""
    offset: int
    """Where its header stands."""
    check: int
    """Its CRC-32."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive.

    >>> is_archive(b"PK\\x03\\x04...."), is_archive(b"\\x89HDF\\r\\n")
    (True, False)
    """
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def members(file: BinaryIO) -> dict[str, Member]:
    """Name -> member. Raises `Damaged`, and `Excessive` where the list is too long."""
    size = file.seek(0, os.SEEK_END)
    start = max(size - LONGEST_END, 0)
    tail = _at(file, start, size - start)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < END.size:
        raise Damaged("the end of the archive is missing")
    *_, length, offset, _ = END.unpack_from(tail, place)
    if WIDE in (length, offset):
        length, offset = _wide_end(file, start + place)
    if length > MOST_DIRECTORY:
        raise Excessive(f"the list of its members takes {length:,} bytes, more than {MOST_DIRECTORY:,}")
    return _listed(_at(file, offset, length))


def _wide_end(file: BinaryIO, end: int) -> tuple[int, int]:
    """(bytes of the list, where it starts) of an archive with numbers of 64 bits."""
    if end < LOCATOR64.size:
        raise Damaged("the end of the archive is missing")
    mark, _, place, _ = LOCATOR64.unpack(_at(file, end - LOCATOR64.size, LOCATOR64.size))
    if mark != b"PK\x06\x07":
        raise Damaged("the end of the archive is missing")
    mark, *_, length, offset = END64.unpack(_at(file, place, END64.size))
    if mark != b"PK\x06\x06":
        raise Damaged("the end of the archive is missing")
    return length, offset


def _listed(directory: bytes) -> dict[str, Member]:
    found: dict[str, Member] = {}
    place = 0
    while place + ENTRY.size <= len(directory):
        fields = ENTRY.unpack_from(directory, place)
        mark, _, _, flags, method, _, _, check, packed, size, named, extra, comment, *_, offset = fields
        if mark != b"PK\x01\x02":
            raise Damaged("the list of its members is damaged")
        after = place + ENTRY.size + named
        name = directory[place + ENTRY.size : after].decode("utf-8", "replace")
        packed, size, offset = _widened(directory[after : after + extra], packed, size, offset)
        found.setdefault(name, Member(name, flags, method, packed, size, offset, check))
        place = after + extra + comment
    return found


def _widened(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The numbers of a member, those that did not fit taken from its extra field."""
    place = 0
    while place + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, place)
        if tag == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - place - 4) // 8}Q", extra, place + 4))
            size = next(numbers, size) if size == WIDE else size
            packed = next(numbers, packed) if packed == WIDE else packed
            offset = next(numbers, offset) if offset == WIDE else offset
        place += 4 + length
    return packed, size, offset


def content(file: BinaryIO, member: Member, most: int) -> bytes:
    """What a member holds, unpacked. Raises `Damaged`, and `Excessive` above `most` bytes, whatever it claims."""
    if member.flags & ENCRYPTED:
        raise Damaged(f"{member.name} is encrypted")
    if member.method not in (STORED, DEFLATED):
        raise Damaged(f"{member.name} is packed by method {member.method}, not stored or deflated")
    if member.packed > most or member.size > most:
        raise Excessive(f"{member.name} has {max(member.packed, member.size):,} bytes, more than {most:,}")
    mark, *_, named, extra = LOCAL.unpack(_at(file, member.offset, LOCAL.size))
    if mark != b"PK\x03\x04":
        raise Damaged(f"{member.name} is not where the list says")
    packed = _at(file, member.offset + LOCAL.size + named + extra, member.packed)
    data = packed if member.method == STORED else _unpacked(member, packed, most)
    if zlib.crc32(data) != member.check:
        raise Damaged(f"{member.name} is not what was packed: its checksum differs")
    return data


def _unpacked(member: Member, packed: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacking.decompress(packed, most + 1)
    except zlib.error:
        raise Damaged(f"{member.name} does not unpack") from None
    if len(data) > most:
        raise Excessive(f"{member.name} unpacks to more than {most:,} bytes")
    if not unpacking.eof:
        raise Damaged(f"{member.name} is cut off")
    return data


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    """So many bytes from there on. Raises `Damaged` where the file has fewer."""
    try:
        file.seek(offset)
        data = file.read(length)
    except (OSError, OverflowError, ValueError):
        raise Damaged("it names a place that no file has") from None
    if len(data) < length:
        raise Damaged("it is cut off")
    return data
