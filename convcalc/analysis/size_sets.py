"""Sets of sizes that repeat with a period, and functions of the size that grow with one, written out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

LONGEST_TABLE = 64
"""Residues of a function that is written out as a table."""
SHOWN = 6
"""Residues or ranges that a text lists before it leaves the rest out."""


@dataclass(frozen=True, slots=True)
class SizeSet:
    """The sizes from `start` whose residue modulo `modulus` is one of `residues`, and `extra` below it."""

    modulus: int
    residues: tuple[int, ...]
    start: int
    extra: tuple[int, ...] = ()

    def __contains__(self, size: object) -> bool:
        if not isinstance(size, int):
            return False
        return size in self.extra or (size >= self.start and size % self.modulus in self.residues)

    @property
    def minimum(self) -> int | None:
        """The smallest size; None where there is none."""
        if self.extra:
            return self.extra[0]
        return self.start if self.residues else None

    def to_dict(self) -> dict[str, object] | None:
        """The residue, the modulus and the smallest size of the class; None for the empty set.

        Sizes that belong to no class stand in `ranges`, pairs of the first and the last; where no class belongs to the
        set, residue and modulus are None.

        >>> SizeSet(1, (), 50, extra=(49,)).to_dict()
        {'residue': None, 'modulus': None, 'minimum': 49, 'ranges': [[49, 49]]}
        """
        if not self.residues and not self.extra:
            return None
        found: dict[str, object] = (
            {"residue": self.residues[0], "modulus": self.modulus, "minimum": self.start}
            if self.residues
            else {"residue": None, "modulus": None, "minimum": self.minimum}
        )
        if len(self.residues) > 1:
            found["residues"] = list(self.residues)
        if self.extra:
            found["ranges"] = runs(self.extra)
        return found

    def __str__(self) -> str:
        parts = []
        if self.residues:
            parts.append(f"every size from {self.start}" if self.modulus == 1 else self._classes())
        if self.extra:
            parts.append(f"{'and' if parts else 'only'} {ranges(self.extra)}")
        return ", ".join(parts) or "none"

    def _classes(self) -> str:
        return f"{ranges(self.residues, 'or')} mod {self.modulus}, from {self.start}"


def periodic_set(members: Iterable[int], tried: range, period: int, pattern: frozenset[int]) -> SizeSet:
    """The set that holds `members` among the sizes `tried`, and beyond them repeats `pattern` (residues).

    >>> str(periodic_set([3, 5, 7, 9, 11], range(1, 12), 4, frozenset({1, 3})))
    '1 mod 2, from 3'
    """
    inside = set(members)
    modulus, residues = reduced(period, pattern)
    start = tried.start
    for size in reversed(tried):
        if (size in inside) != (size % modulus in residues):
            start = size + 1
            break
    extra = tuple(sorted(size for size in inside if size < start))
    if residues:
        start = min(start + (residue - start) % modulus for residue in residues)
    return SizeSet(modulus, tuple(sorted(residues)), start, extra)


def reduced(period: int, residues: frozenset[int]) -> tuple[int, frozenset[int]]:
    """The smallest modulus under which the residues say the same.

    >>> reduced(8, frozenset({1, 5}))
    (4, frozenset({1}))
    """
    for modulus in divisors(period):
        folded = frozenset(residue % modulus for residue in residues)
        if len(folded) * (period // modulus) == len(residues):
            return modulus, folded
    return period, residues


def divisors(number: int) -> list[int]:
    """In ascending order.

    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    low = [n for n in range(1, int(number**0.5) + 1) if number % n == 0]
    return low + [number // n for n in reversed(low) if n * n != number]


def runs(numbers: Iterable[int]) -> list[list[int]]:
    """The first and the last of neighbours among ascending numbers.

    >>> runs([1, 2, 3, 7])
    [[1, 3], [7, 7]]
    """
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def ranges(numbers: Sequence[int], last: str = "and") -> str:
    """Ascending numbers, neighbours joined.

    >>> ranges([1, 2, 3, 7]), ranges([0, 1], "or"), ranges(range(0, 90, 9))
    ('1 to 3 and 7', '0 or 1', '0, 9, 18, 27, 36, 45, …')
    """
    texts: list[str] = []
    for low, high in runs(numbers):
        texts += [f"{low} to {high}"] if high - low > 1 else [str(number) for number in range(low, high + 1)]
    if len(texts) > SHOWN:
        return ", ".join([*texts[:SHOWN], "…"])
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}" if len(texts) > 1 else "".join(texts)


def floor_expression(values: Mapping[int, int], period: int, delta: int) -> str:
    """A function that grows by `delta` a `period`, as an expression in `i` that gives these values.

    A single floor where there is one, else a straight part and a table by residue; `//` and `%` floor.

    >>> floor_expression({i: -(-i // 32) for i in range(1, 65)}, 32, 1)
    'ceil(i/32)'
    >>> floor_expression({i: 16 * ((i - 188) // 16) + 4 for i in range(188, 240)}, 16, 16)
    '16*((i - 188)//16) + 4'
    >>> floor_expression({i: 2 * (i // 4) + i % 2 for i in range(8)}, 4, 2)
    '2*(i//4) + [0, 1, 0, 1][i % 4]'
    """
    rate = Fraction(delta, period)
    single = _one_floor(values, rate)
    if single is not None:
        return single
    first = next(iter(values.values()))
    step = gcd(*(value - first for value in values.values()))
    if step > 1:
        offset = first % step
        inner = _one_floor({size: (value - offset) // step for size, value in values.items()}, rate / step)
        if inner is not None:
            return _times(step, f"({inner})" if not inner.startswith("ceil") else inner) + _plus(offset)
    table = {size % period: value - delta * (size // period) for size, value in values.items()}
    settled = all(table[size % period] == value - delta * (size // period) for size, value in values.items())
    if not settled or not len(table) == period <= LONGEST_TABLE:
        return approximate(rate)
    listed = ", ".join(str(table[residue]) for residue in range(period))
    return f"{_times(delta, f'(i//{period})')} + [{listed}][i % {period}]"


def approximate(rate: Fraction) -> str:
    """What is said of a function that has no short expression."""
    return f"about {'' if rate.numerator == 1 else f'{rate.numerator}*'}i/{rate.denominator}: --all lists it"


def _one_floor(values: Mapping[int, int], rate: Fraction) -> str | None:
    """The values as (p*i + c)//q, where one constant c serves them all; 0 or the one of a ceiling preferred."""
    p, q = rate.numerator, rate.denominator
    low = max(q * value - p * size for size, value in values.items())
    high = min(q * value - p * size for size, value in values.items()) + q - 1
    if low > high:
        return None
    scaled = _times(p, "i")
    if low <= 0 <= high:
        return scaled if q == 1 else f"{scaled}//{q}"
    if p == 1 and low <= q - 1 <= high:
        return f"ceil(i/{q})"
    constant = low if low > 0 else high
    return scaled + _plus(constant) if q == 1 else f"({scaled}{_plus(constant)})//{q}"


def _times(factor: int, text: str) -> str:
    return text if factor == 1 else f"{factor}*{text}"


def _plus(constant: int) -> str:
    return "" if constant == 0 else f" {'+' if constant > 0 else '-'} {abs(constant)}"
