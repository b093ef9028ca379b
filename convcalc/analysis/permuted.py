"""Permuted tables: what chance explains is measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from math import factorial
from random import Random
from typing import TYPE_CHECKING

from .conventions import printed_number
from .published import divisor, parse_number, write_number

if TYPE_CHECKING:
    from .conventions import Writing


def permuted(texts: Sequence[str], computed: Sequence[Fraction], way: Writing, most: int) -> Iterator[list[str]]:
    """Tables whose cells keep their sizes and take over each other's deviations from what is computed."""
    forms = [parse_number(text) for text in texts]
    scales, numbers = [], []
    for text, form in zip(texts, forms, strict=True):
        assert form is not None
        scales.append(divisor(form, {suffix: n for suffix, n in way.units.items() if n is not None})[0])
        numbers.append(printed_number(text, form))
    places = [place for place, value in enumerate(computed) if value > 0]
    ratios = {place: numbers[place] * scales[place] / computed[place] for place in places}
    for order in _orders(len(places), most):
        permuted = list(texts)
        for place, source in zip(places, order, strict=True):
            form = forms[place]
            assert form is not None
            permuted[place] = write_number(computed[place] * ratios[places[source]] / scales[place], form, "half_up")
        if permuted != list(texts):
            yield permuted


def _orders(count: int, most: int) -> Iterator[Sequence[int]]:
    """Permutations of so many cells: all but the identity, or so many that are drawn, the same in every run."""
    if count <= 8 and factorial(count) - 1 <= most:
        yield from list(permutations(range(count)))[1:]
        return
    random = Random(0)
    order = list(range(count))
    for _ in range(most):
        random.shuffle(order)
        yield tuple(order)
