"""Bytes and text changed at a few places."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .words import TEXTS

LENGTHS = (0, 0, 1, 1, 2, 5, 20, 80)
"""Of what is taken out."""


def changed_text(random: Random, text: str, words: Sequence[str] = TEXTS) -> str:
    """A text with one to four places cut, replaced or doubled."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        start = random.randint(0, len(text))
        stop = start + random.choice(LENGTHS)
        if random.random() < 0.2:
            text = changed_lines(random, text)
        else:
            text = text[:start] + random.choice(("", random.choice(words))) + text[stop:]
    return text


def changed_lines(random: Random, text: str) -> str:
    """A text with one line taken out, doubled, moved or indented otherwise."""
    lines = text.splitlines(keepends=True) or [""]
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(to, lines[at])
        case 2:
            lines.insert(to, lines.pop(at))
        case _:
            lines[at] = " " * random.choice((1, 2, 4)) + lines[at]
    return "".join(lines)


def changed_bytes(random: Random, data: bytes) -> bytes:
    """Bytes cut off, changed, taken out or doubled."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(content) + 1)
        match random.randrange(5):
            case 0:
                del content[at:]
            case 1:
                content[at : at + random.choice(LENGTHS)] = b""
            case 2:
                content[at:at] = content[at : at + random.choice((1, 4, 20))] * random.choice((1, 2, 9))
            case 3:
                content[at : at + 1] = bytes([random.choice((0, 1, 127, 128, 255, random.randrange(256)))])
            case _:
                content[at:at] = random.randbytes(random.choice((1, 2, 8)))
    return bytes(content)
