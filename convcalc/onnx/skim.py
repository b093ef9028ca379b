"""A large file without the numbers of its weights, so that no more of it is held than says what the network is.

The file is read piece by piece and never mapped: who truncates it meanwhile gets a finding, not a dead process.
Field numbers: onnx/onnx.proto.
"""

from __future__ import annotations

from typing import BinaryIO

from .messages import DEEPEST
from .wire import FIXED32, FIXED64, LENGTH, VARINT, Damaged, Excessive, varint, written_message

LARGE = 1 << 16
"""Bytes of a field up to which it is copied as it is; of larger numbers so many are kept, too few to be weights."""
MOST_COPIED = 1 << 26
"""Bytes that are kept of a file."""

NUMBERS = ""
"""What holds numbers and nothing else."""
INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": dict.fromkeys((4, 5, 6, 7, 9, 10, 11), NUMBERS),
}
"""Message -> field number -> what the field holds, for what may hold weights."""
HEAD = 20
"""Bytes of a field's key and length at the most."""


def skimmed(file: BinaryIO, size: int) -> bytes:
    """The file's bytes, large numbers of tensors cut off. Raises `Damaged`, and `Excessive` where too much is left."""
    return _Skimming(file).message("model", 0, size, 0)


class _Skimming:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.copied = 0

    def read(self, start: int, stop: int) -> bytes:
        """These bytes of the file."""
        self.copied += stop - start
        if self.copied > MOST_COPIED:
            raise Excessive(f"more than {MOST_COPIED >> 20} MiB beside the weights")
        self.file.seek(start)
        found = self.file.read(stop - start)
        if len(found) < stop - start:
            raise Damaged(f"the file ends at byte {start + len(found)}")
        return found

    def message(self, kind: str, start: int, stop: int, depth: int) -> bytes:
        """The message that fills start … stop, large numbers inside cut off."""
        if depth > 4 * DEEPEST:
            raise Damaged(f"messages nest deeper than {4 * DEEPEST}")
        parts: list[bytes] = []
        at = begin = start
        while at < stop:
            number, payload, after = self.field(at, stop)
            inside = INSIDE[kind].get(number)
            if after - payload > LARGE and inside is not None:
                parts.append(self.read(begin, at))
                if inside == NUMBERS:
                    content = self.read(payload, payload + LARGE)
                else:
                    content = self.message(inside, payload, after, depth + 1)
                parts.append(written_message(number, content))
                begin = after
            at = after
        parts.append(self.read(begin, stop))
        return b"".join(parts)

    def field(self, at: int, stop: int) -> tuple[int, int, int]:
        """(number, start of the payload, its end) of the field at a position."""
        self.file.seek(at)
        head = self.file.read(min(HEAD, stop - at))
        key, after = varint(head, 0, len(head))
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            _, after = varint(head, after, len(head))
            return number, at + after, at + after
        if wire == LENGTH:
            length, after = varint(head, after, len(head))
            end = at + after + length
        elif wire in (FIXED32, FIXED64):
            end = at + after + (4 if wire == FIXED32 else 8)
        else:
            raise Damaged(f"wire type {wire} at byte {at}, which ONNX does not use")
        if end > stop:
            raise Damaged(f"a field at byte {at} reaches {end - stop} beyond its message")
        return number, at + after, end
