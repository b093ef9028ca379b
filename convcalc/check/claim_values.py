"""The values of claims as they are written: exact numbers, bounds, tolerances, with units."""

import re
from fractions import Fraction
from typing import Literal, NamedTuple

from ..units import NUMBER, exact, factor

Relation = Literal["=", "<=", ">=", "<", ">"]
_CLAIM = re.compile(
    rf"(?P<relation><=|>=|<|>|≤|≥|==?)?\s*(?P<number>{NUMBER})\s*(?P<unit>[A-Za-z]*)"
    rf"(?:\s*(?:±|\+/?-)\s*(?P<tolerance>{NUMBER})\s*(?P<of>%|[A-Za-z]*))?",
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
    scale = None if match is None else factor(match["unit"])
    if match is None or scale is None:
        return None
    relation = _RELATIONS[match["relation"]]
    number = exact(match["number"]) * scale
    if match["tolerance"] is None:
        return NumberClaim(relation, number, text=text)
    share = number / 100 if match["of"] == "%" else factor(match["of"])
    if relation != "=" or share is None:
        return None
    return NumberClaim(relation, number, exact(match["tolerance"]) * share, True, text)


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
