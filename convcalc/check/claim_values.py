"""Claims as they are written: names of quantities; exact numbers, bounds, tolerances, with units."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, NamedTuple

from ..analysis.quantity.registry import QUANTITY_NAMES, Quantity, quantity

NAMED = {"peak_memory": "live"}
"""Names of claims and budgets that are no quantity's own -> the quantity."""
CLAIM_NAMES = dict(sorted({**QUANTITY_NAMES, **{name: name for name in NAMED}}.items()))
"""Every name that a claim may have -> what it means."""

UNITS = {
    "": 1,
    "B": 1,
    **{prefix: 1000**power for power, prefix in enumerate("KMGTP", start=1)},
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGTP", start=1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTP", start=1)},
    "k": 1000,
    "kB": 1000,
}
"""Suffix -> factor: decimal prefixes for counts, binary ones (KiB, MiB) for memory."""

Relation = Literal["=", "<=", ">=", "<", ">"]
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)(?:\.\d+)?"
_CLAIM = re.compile(
    rf"(?P<relation><=|>=|<|>|≤|≥|==?)?\s*(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-z]*)"
    rf"(?:\s*(?:±|\+/?-)\s*(?P<tolerance>{_NUMBER})\s*(?P<of>%|[A-Za-z]*))?",
    re.ASCII,
)
_RELATIONS: dict[str | None, Relation] = {
    None: "=",
    "=": "=",
    "==": "=",
    "<=": "<=",
    "≤": "<=",
    ">=": ">=",
    "≥": ">=",
    "<": "<",
    ">": ">",
}
LONGEST = 60


class NumberClaim(NamedTuple):
    """A number that is claimed: exactly, as a bound, or within a tolerance."""

    relation: Relation
    number: Fraction
    tolerance: Fraction = Fraction(0)
    approximate: bool = False
    """Whether a tolerance is written."""
    text: str = ""

    def met(self, value: int | Fraction) -> bool:
        """Whether a value is as claimed."""
        if self.relation == "=":
            return abs(value - self.number) <= self.tolerance
        if self.relation == "<=":
            return value <= self.number
        if self.relation == ">=":
            return value >= self.number
        return value < self.number if self.relation == "<" else value > self.number

    @property
    def exact(self) -> bool:
        """Whether it claims one value."""
        return self.relation == "=" and not self.approximate


def claimed_quantity(name: str) -> Quantity | None:
    """The quantity of a claim's or a budget's name."""
    return quantity(NAMED.get(name, name))


def parse_number_claim(text: str) -> NumberClaim | None:
    """What a text claims of a number; None where it is no such claim.

    >>> parse_number_claim("<= 7M").number
    Fraction(7000000, 1)
    >>> parse_number_claim("7.0M ± 1%").met(6998552)
    True
    """
    if len(text) > LONGEST:
        return None
    match = _CLAIM.fullmatch(text.strip())
    if match is None or match["unit"] not in UNITS:
        return None
    relation = _RELATIONS[match["relation"]]
    number = _exact(match["number"]) * UNITS[match["unit"]]
    if match["tolerance"] is None:
        return NumberClaim(relation, number, text=text)
    if relation != "=" or (match["of"] != "%" and match["of"] not in UNITS):
        return None
    tolerance = _exact(match["tolerance"])
    share = number * tolerance / 100 if match["of"] == "%" else tolerance * UNITS[match["of"]]
    return NumberClaim(relation, number, share, True, text)


def with_number(text: str, value: int) -> str:
    """A claim's text with another number in it; its relation and tolerance stay.

    >>> with_number("7.0M ± 1%", 6998552)
    '6998552 ± 1%'
    """
    match = _CLAIM.fullmatch(text.strip())
    if match is None:
        return str(value)
    head, tail = text.strip()[: match.start("number")], text.strip()[match.end("unit") :]
    return f"{head}{value}{tail}"


def _exact(text: str) -> Fraction:
    return Fraction(text.replace(",", "").replace("_", ""))
