"""Numbers as they are printed: decimals, separators and unit suffix taken from the printed cell.

`159K` under `unit: {K: 1024}, round: down` reads: floor(value / 1024), no decimals, then `K`. The computed
value is written in the printed cell's own form, so that the two strings can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..language.published import Round

_NUMBER = re.compile(
    r"(?P<lead>[^\d]*?)(?P<digits>\d[\d,' \u00a0\u2009_]*\d|\d)(?P<fraction>\.\d+)?(?P<rest>\D.*)?", re.S
)


class Printed(NamedTuple):
    """The form of a printed number: `~1,234.5 K` is lead `~`, separator `,`, 1 decimal, rest ` K`."""

    lead: str
    separator: str
    decimals: int
    rest: str

    @property
    def suffix(self) -> str:
        """The unit's text, without the space before it."""
        return self.rest.strip()


def parse_number(text: str) -> Printed | None:
    """The form of a printed number; None where the text is none.

    >>> parse_number("2.7K")
    Printed(lead='', separator='', decimals=1, rest='K')
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    digits = match["digits"]
    separators = {c for c in digits if not c.isdigit()}
    if len(separators) > 1:
        return None
    fraction = match["fraction"] or ""
    return Printed(match["lead"], "".join(separators), max(len(fraction) - 1, 0), match["rest"] or "")


def rounded(value: Fraction, decimals: int, rule: Round) -> int:
    """value·10^decimals as an integer under a rounding rule.

    >>> [rounded(Fraction(5, 2), 0, rule) for rule in ("half_up", "half_even", "down", "up")]
    [3, 2, 2, 3]
    """
    scaled = value * 10**decimals
    whole: int
    rest: int
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    if rule == "down":
        return whole if scaled >= 0 or not rest else whole + 1
    if rule == "up":
        return whole + 1 if rest and scaled >= 0 else whole
    twice = 2 * rest
    if twice == scaled.denominator:
        return whole + 1 if rule == "half_up" else whole + whole % 2
    return whole + 1 if twice > scaled.denominator else whole


def write_number(value: Fraction, form: Printed, rule: Round) -> str:
    """A value in the form of a printed cell.

    >>> write_number(Fraction(163696, 1024), parse_number("159K"), "down")
    '159K'
    """
    number = rounded(value, form.decimals, rule)
    sign, number = ("-", -number) if number < 0 else ("", number)
    whole, fraction = divmod(number, 10**form.decimals)
    digits = f"{whole:,}".replace(",", form.separator) if form.separator else str(whole)
    tail = f".{fraction:0{form.decimals}d}" if form.decimals else ""
    return f"{form.lead}{sign}{digits}{tail}{form.rest}"


def divisor(form: Printed, units: Mapping[str, Fraction]) -> tuple[Fraction, Printed]:
    """The divisor of the printed suffix and the form to write in; the first unit where the suffix is unknown."""
    if not units:
        return Fraction(1), form
    if form.suffix in units:
        return units[form.suffix], form
    for suffix in sorted(units, key=len, reverse=True):
        if form.suffix.startswith(suffix):
            return units[suffix], form
    suffix, first = next(iter(units.items()))
    return first, Printed(form.lead, form.separator, form.decimals, suffix)
