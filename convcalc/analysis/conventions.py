"""How a printed number may have been counted and written: sums of quantities, units, roundings, what each allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from ..language.published import ROUNDINGS, SUM
from .published import Printed, divisor, parse_number, write_number
from .quantities import quantity

if TYPE_CHECKING:
    from ..language.published import Round

Units = Mapping[str, Fraction | None]

WORK = ("macs", "conv_macs", "effective_macs", "mac_flops")
"""What a paper may call operations: products of all weighted layers, of convolutions, without padding, or twice."""
BESIDE = (
    "bias_flops",
    "activation_flops",
    "normalization_flops",
    "pooling_flops",
    "elementwise_flops",
    "interpolation_flops",
)
"""What it may count beside them."""
NUMBERS = ("filter_weights", "filter_params", "weights", "params")
"""What it may call parameters: without biases and normalization, without normalization, without biases, all."""
FAMILIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (WORK, BESIDE),
    (NUMBERS, ("buffers",)),
    (("activations",), ()),
    (("time_complexity",), ()),
    (("space_complexity",), ()),
)
"""(what is counted, what may be added to it): quantities that sum over layers, each layer's own."""
COUNTED = tuple(dict.fromkeys(name for family in FAMILIES for names in family for name in names))
"""Every quantity of these."""


def counted(value: str) -> list[tuple[str, str]] | None:
    """(path, quantity) of each term of a value; None where one of them is not summed over layers.

    >>> counted("macs + **.se.pooling_flops"), counted("patch")
    ([('', 'macs'), ('**.se', 'pooling_flops')], None)
    """
    found: list[tuple[str, str]] = []
    for term in value.split(SUM):
        path, _, name = term.rpartition(".")
        known = quantity(name)
        if known is None or known.name not in COUNTED:
            return None
        found.append((path, known.name))
    return found


def candidates(value: str) -> list[str]:
    """The values that may be meant in place of one, itself first, then shorter sums before longer ones.

    >>> candidates("params")[:4], len(candidates("macs"))
    (['params', 'filter_weights', 'filter_params', 'weights'], 256)
    """
    terms = counted(value)
    if terms is None:
        return []
    paths = {path for path, _ in terms}
    before = f"{paths.pop()}." if len(paths) == 1 and terms[0][0] else ""
    bases, beside = next(family for family in FAMILIES if terms[0][1] in (*family[0], *family[1]))
    sums = [
        SUM.join(before + name for name in (base, *more))
        for count in range(len(beside) + 1)
        for base in bases
        for more in combinations(beside, count)
    ]
    return list(dict.fromkeys((value, *sums)))


class Writing(NamedTuple):
    """One way to write numbers."""

    units: Units
    round: Round

    def allowed(self, text: str) -> tuple[int, int]:
        """The integers that are written as a printed text: from the first up to, without it, the second; none: (0, 0).

        >>> Writing({"K": Fraction(1024)}, "down").allowed("159K")
        (162816, 163840)
        """
        form = parse_number(text)
        if form is None:
            return 0, 0
        scale, written = divisor(form, {suffix: n for suffix, n in self.units.items() if n is not None})
        number = printed_number(text, form)
        if write_number(number, written, self.round) != text.strip():
            return 0, 0
        low, high = _bounds(int(number * 10**form.decimals), self.round)
        step = scale / 10**form.decimals
        first = low[0] * step
        last = high[0] * step
        start = -floor(-first) if low[1] else floor(first) + 1
        stop = floor(last) + 1 if high[1] else -floor(-last)
        return max(start, 0), max(stop, 0)


def printed_number(text: str, form: Printed) -> Fraction:
    """The number that a text prints, before its unit.

    >>> printed_number("~1,234.5 K", parse_number("~1,234.5 K"))
    Fraction(2469, 2)
    """
    body = text.strip()[len(form.lead) :]
    digits = body[: len(body) - len(form.rest)] if form.rest else body
    return Fraction(digits.replace(form.separator, "") if form.separator else digits)


def _bounds(number: int, rule: Round) -> tuple[tuple[Fraction, bool], tuple[Fraction, bool]]:
    """(lower, upper) of what is rounded to a number, each with whether it is among them."""
    half = Fraction(1, 2)
    if rule == "down":
        return (Fraction(number), True), (Fraction(number + 1), False)
    if rule == "up":
        return (Fraction(number - 1), False), (Fraction(number), True)
    even = number % 2 == 0
    return (number - half, rule == "half_up" or even), (number + half, rule == "half_even" and even)


def writings(units: Units | None, round: Round | None) -> list[Writing]:
    """The ways to write that may be meant in place of one, itself first.

    Units that are powers of a thousand may be powers of 1024, or of one times the other.
    """
    own = dict(units or {})
    return [
        Writing(scaled, rule)
        for scaled in _distinct(_scaled(own))
        for rule in dict.fromkeys((round or "half_up", *ROUNDINGS))
    ]


def _scaled(units: Units) -> Iterator[Units]:
    yield units
    for ratio in (Fraction(1000), Fraction(1024)):
        yield {suffix: None if n is None else _power(n, ratio, ratio) for suffix, n in units.items()}
    yield {suffix: None if n is None else _power(n, Fraction(1000), Fraction(1024)) for suffix, n in units.items()}


def _power(number: Fraction, first: Fraction, other: Fraction) -> Fraction:
    """The unit of the same order: 1000^k or 1024^k become first · other^(k − 1); what is none of these stays."""
    for order in range(1, 7):
        mixed = {Fraction(1000) ** (order - n) * Fraction(1024) ** n for n in range(order + 1)}
        if number in mixed:
            return first * other ** (order - 1)
    return number


def _distinct(units: Iterable[Units]) -> list[Units]:
    return list({tuple(found.items()): found for found in units}.values())
