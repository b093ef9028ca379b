"""How a run lies in SQLite: its tables and columns, and how cells are bound.

The SQL that this program runs has names of its own alone (`a0`, `q0`); the names of axes and quantities, which come
from files, stand in the view `results`, which is there for other programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import isinf

from ..naming import free_name
from ..terminal import printable
from .cells import Cell

APPLICATION = 0x636E7663
"""What SQLite's header says whose file it is."""
LAYOUT = 1
"""Version of the tables."""
LONGEST_KEPT = 32
"""Characters of an axis's or derived value that is kept; what is longer is made again of the candidate's number."""

LONGEST_NUMBER = 64
"""Bytes of an integer."""

Bound = int | float | str | bytes | None
"""What SQLite keeps."""


def fields(axes: int, figures: int) -> list[str]:
    """The columns of candidates: those of axes and derived values, then those of figures.

    >>> fields(2, 1)
    ['a0', 'a1', 'q0']
    """
    return [*(f"a{place}" for place in range(axes)), *(f"q{place}" for place in range(figures))]


def statements(axes: Sequence[str], figures: Sequence[str]) -> list[str]:
    """The SQL that makes the tables of a run, each by its name."""
    columns = fields(len(axes), len(figures))
    shown = [f"{field} AS {name}" for field, name in zip(columns, _quoted((*axes, *figures)), strict=True)]
    everything = ", ".join(["number", "fits", *shown, '"code"', '"message"'])
    return [
        "CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT)",
        "CREATE TABLE chunks (start INTEGER PRIMARY KEY, stop INTEGER)",
        "CREATE TABLE refusals (id INTEGER PRIMARY KEY, code TEXT, message TEXT)",
        f"CREATE TABLE candidates ({', '.join(['number INTEGER PRIMARY KEY', 'fits', 'refusal', *columns])})",
        f"CREATE VIEW results AS SELECT {everything} FROM candidates LEFT JOIN refusals ON refusals.id = refusal",
    ]


def _quoted(names: Iterable[str]) -> list[str]:
    """Names as identifiers of SQL, which knows no case: one that is taken gets a number behind it.

    >>> _quoted(["w", "W", 'a"b'])
    ['"w"', '"W_2"', '"a""b"']
    """
    taken = {"number", "fits", "code", "message"}
    found = []
    for name in map(printable, names):
        free = free_name(name, lambda name: name.casefold() in taken)
        taken.add(free.casefold())
        doubled = free.replace('"', '""')
        found.append(f'"{doubled}"')
    return found


def bound(kept: Cell) -> Bound:
    """A cell as SQLite keeps it. What is beyond its 64 bits is its length and its bytes, which sort behind all numbers.

    >>> bound(2**63 - 1) == 2**63 - 1, bound(2**64)
    (True, b'\\t\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00')
    """
    if isinstance(kept, int) and not -(2**63) <= kept < 2**63:
        size = (kept.bit_length() + 7) // 8
        return bytes([min(size, 255)]) + abs(kept).to_bytes(size, "big")
    return kept


def unbound(kept: Bound) -> Cell:
    """The cell that SQLite keeps; no number is longer than `LONGEST_NUMBER` bytes, or endless.

    >>> unbound(bound(2**64)) == 2**64, unbound(float("inf"))
    (True, None)
    """
    if isinstance(kept, bytes):
        return int.from_bytes(kept[1 : LONGEST_NUMBER + 1], "big")
    return None if isinstance(kept, float) and isinf(kept) else kept


def kept_setting(value: Cell) -> Cell:
    """What is kept of an axis's value: None in place of a long text."""
    return None if isinstance(value, str) and len(value) > LONGEST_KEPT else value


def refusal_id(code: str, message: str) -> int:
    """The number under which a message is kept once: 63 bits of its hash, so that no list of them is held."""
    digest = sha256(f"{code} {message}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
