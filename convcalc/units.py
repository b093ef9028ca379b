"""Amounts with units: the one reader and the one writer of them.

K, M, G, T and P are powers of 1000, Ki, Mi, Gi, Ti and Pi powers of 1024, everywhere: of params, of MACs, of bytes
and of rates. A B for bytes may follow; letters may be small. Amounts are exact: a decimal is a fraction.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)(?:\.[0-9]+)?"
"""Pattern of a number: `7000000`, `7_000_000`, `7,000,000` or `7.5`."""

PREFIXES = "KMGTP"
LONGEST = 60
"""Characters that an amount may have."""

Rounding = Literal["half_up", "up", "down"]

_UNIT = r"(?:(?P<prefix>[KMGTP])(?P<binary>i?))?B?"
_AMOUNT = rf"\s*({NUMBER})(?:[eE]([+-]?[0-9]{{1,2}}))?\s*([A-Za-z]*)\s*"


class NoAmount(ValueError):
    """A text that is no amount."""


def factor(unit: str) -> int | None:
    """What a unit multiplies by; None for what is no unit.

    >>> factor("M"), factor("Mi"), factor("kB"), factor("MiB"), factor(""), factor("x")
    (1000000, 1048576, 1000, 1048576, 1, None)
    """
    match = re.fullmatch(_UNIT, unit, re.I | re.ASCII)
    if match is None:
        return None
    if match["prefix"] is None:
        return 1
    base: int = 1024 if match["binary"] else 1000
    power = 1 + PREFIXES.index(match["prefix"].upper())
    return int(base**power)


def exact(number: str) -> Fraction:
    """The value of what NUMBER matches.

    >>> exact("1,582.5"), exact("7_000")
    (Fraction(3165, 2), Fraction(7000, 1))
    """
    return Fraction(number.replace(",", "").replace("_", ""))


def read_amount(text: str) -> Fraction:
    """An amount as it is written: a number, with a power of ten, with a unit, or without. Raises NoAmount.

    >>> read_amount("1.5G"), read_amount("20 MiB"), read_amount("1,000"), read_amount("6e3")
    (Fraction(1500000000, 1), Fraction(20971520, 1), Fraction(1000, 1), Fraction(6000, 1))
    """
    match = re.fullmatch(_AMOUNT, text) if len(text) <= LONGEST else None
    scale = None if match is None else factor(match[3])
    if match is None or scale is None:
        raise NoAmount(f"'{text[:LONGEST]}' is no amount: write 7000000, 7M (7·10^6) or 20 MiB (20·2^20)")
    return exact(match[1]) * Fraction(10) ** int(match[2] or 0) * scale


def read_bytes(text: str) -> int:
    """A size in bytes, rounded down to whole bytes. Raises NoAmount, also above 2^63 − 1.

    >>> read_bytes("500M"), read_bytes("1.5GiB")
    (500000000, 1610612736)
    """
    found = int(read_amount(text))
    if found >= 2**63:
        raise NoAmount(f"'{text}' is above 2^63 − 1 bytes: write for example 500M or 2GiB")
    return found


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "spec"), counted(1200, "layer")
    ('1 spec', '1,200 layers')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def amount(value: int, unit: str = "", places: int = 2, rounding: Rounding = "half_up") -> str:
    """An integer with thousands separators; bytes in the unit that keeps them readable, MiB at the most.

    `places` and `rounding` are those of the KiB and MiB.

    >>> amount(6422528, "bytes"), amount(802816, "numbers"), amount(4000, "bytes")
    ('6.13 MiB', '802,816', '3.91 KiB')
    >>> amount(6422528, "bytes", 0, "up")
    '7 MiB'
    """
    if unit != "bytes":
        return f"{value:,}"
    for prefix in ("Mi", "Ki"):
        size = factor(prefix)
        assert size is not None
        if value >= size:
            return f"{_decimal(value, size, places, rounding)} {prefix}B"
    return f"{value} B"


def scaled(value: int) -> str:
    """A count to three digits with its decimal prefix, rounded half up.

    >>> scaled(1582671872), scaled(6998552), scaled(512)
    ('1.58 G', '7.00 M', '512')
    """
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "K")):
        if value >= 10**power:
            digits = len(str(value // 10**power))
            return f"{_decimal(value, 10**power, max(3 - digits, 0), 'half_up', '')} {prefix}"
    return str(value)


def scaled_bytes(value: int) -> str:
    """A size to three digits, MiB at the most, rounded half up.

    >>> scaled_bytes(6422528), scaled_bytes(200600000), scaled_bytes(409600), scaled_bytes(40)
    ('6.13 MiB', '191 MiB', '400 KiB', '40 B')
    """
    size = next((size for prefix in ("Mi", "Ki") if (size := factor(prefix)) is not None and value >= size), 1)
    return amount(value, "bytes", max(3 - len(str(value // size)), 0))


def scaled_time(value: int) -> str:
    """Nanoseconds to three digits, seconds at the most, rounded half up.

    >>> scaled_time(1421), scaled_time(13714), scaled_time(2500000000), scaled_time(40)
    ('1.42 µs', '13.7 µs', '2.50 s', '40 ns')
    """
    size, unit = next(((size, unit) for size, unit in _TIMES if value >= size), (1, "ns"))
    return f"{_decimal(value, size, max(3 - len(str(value // size)), 0) if size > 1 else 0, 'half_up')} {unit}"


_TIMES = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"))
"""Nanoseconds -> the unit of so many."""


def _decimal(value: int, size: int, places: int, rounding: Rounding, separator: str = ",") -> str:
    """value/size with so many decimals."""
    whole, rest = divmod(value * 10**places, size)
    if rest and (rounding == "up" or (rounding == "half_up" and 2 * rest >= size)):
        whole += 1
    whole, fraction = divmod(whole, 10**places)
    digits = f"{whole:,}".replace(",", separator)
    return f"{digits}.{fraction:0{places}d}" if places else digits
