"""A design space: the product of axes, or draws from it, and what is derived of each candidate.

Candidates are made from their numbers alone: the same on every machine, and none needs those before it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from hashlib import blake2b
from math import prod

from ..geometry import LIMIT
from ..hints import nearest, suggest
from ..language.document import Document, Variant
from ..language.problems import Problem
from ..language.sections import MAX_SPACE_AXES
from ..language.values import Value
from .axes import Axis
from .candidates import Candidate, Refused
from .lets import INPUT, Let, Names
from .words import Target

MOST_CANDIDATES = 10**9
"""Candidates of a run."""
MOST_AXES = 100
VARIANT = "variant"
_ROUNDS = 4


class DesignSpace:
    """Candidates of one spec by their numbers: the product of the axes in the order of nested loops, the last axis
    the fastest; or, with `draws`, so many drawn from it.

    Draws that are even on every axis are different candidates, as long as there are any. With an axis that is drawn
    evenly in the logarithm they are independent, and may be equal.
    """

    def __init__(
        self,
        document: Document,
        axes: Sequence[Axis],
        lets: Sequence[Let] = (),
        fixed: Mapping[str, Value] | None = None,
        variant: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ) -> None:
        self.document = document
        self.axes = tuple(axes)
        self.lets = tuple(lets)
        self.product = prod(axis.size for axis in self.axes)
        """Candidates that there are."""
        self.distinct = draws is None or all(axis.log is None for axis in self.axes)
        """Whether no two candidates have the same values."""
        self.size = self.product if draws is None else min(draws, self.product) if self.distinct else draws
        self._draws = draws
        self._variant = variant
        self._fixed = dict(fixed or {})
        self._key = blake2b(str(seed).encode(), digest_size=32).digest()
        self._half = max((self.product - 1).bit_length() + 1, 2) // 2
        self._inputs = tuple(document.inputs)
        targets = [*(axis.target for axis in self.axes), *(let.target for let in self.lets)]
        self._shown = [target for place, target in enumerate(targets) if target not in targets[:place]]
        self._sets_input = any(input_name(document, target.name) is not None for target in targets)

    @property
    def names(self) -> tuple[str, ...]:
        """Axes, then derived values, in the order in which they were said."""
        return tuple(map(str, self._shown))

    def candidate(self, number: int) -> Candidate | Refused:
        """The candidate of a number from 0 to `size` - 1."""
        values = [axis.value(place) for axis, place in zip(self.axes, self._places(number), strict=True)]
        variant, names = self._variant, None
        try:
            for axis, value in zip(self.axes, values, strict=True):
                if axis.target.name == VARIANT and VARIANT not in self.document.params:
                    assert isinstance(value, str)
                    variant = value
            chosen: Variant = {} if variant is None else self.document.variants[variant]
            names = Names(self.document, chosen, self._fixed)
            for axis, value in zip(self.axes, values, strict=True):
                names.put(axis.target, value)
            for let in self.lets:
                names.put(let.target, let.expression.evaluate(names))
            shapes = self._shapes(names)
            shown = self._values(names, variant)
        except Problem as problem:
            code, message = problem.code, problem.message
            return Refused(number, self._known(values), code, message)
        params = {name: value for name, value in names.given.items() if name in self.document.params}
        return Candidate(number, params, variant, shapes, shown)

    def _known(self, values: Iterable[Value]) -> tuple[Value | None, ...]:
        """What is known of a candidate whose derived values could not be worked out."""
        axes = {axis.target: value for axis, value in zip(self.axes, values, strict=True)}
        return tuple(axes.get(target) for target in self._shown)

    def _values(self, names: Names, variant: str | None) -> tuple[Value, ...]:
        found: list[Value] = []
        for target in self._shown:
            value: Value
            if target.name == VARIANT and VARIANT not in self.document.params:
                value = variant or ""
            else:
                value = names[target.name]
            for index in target.indices:
                assert isinstance(value, tuple)
                value = value[index]
            found.append(value)
        return tuple(found)

    def _shapes(self, names: Names) -> dict[str, tuple[int, ...]] | None:
        """The shapes of the inputs that axes and derived values set. Raises a Problem."""
        if not self._sets_input:
            return None
        found: dict[str, tuple[int, ...]] = {}
        for name, value in names.given.items():
            named = input_name(self.document, name)
            if named is not None:
                found[named] = checked_shape(name, value)
        return found

    def _places(self, number: int) -> list[int]:
        """The number of the value that a candidate has on each axis."""
        if self._draws is not None:
            if not self.distinct:
                return [axis.drawn(self._draw(number, place)) for place, axis in enumerate(self.axes)]
            number = self._permuted(number)
        places: list[int] = []
        for axis in reversed(self.axes):
            number, place = divmod(number, axis.size)
            places.append(place)
        return places[::-1]

    def _draw(self, number: int, place: int) -> int:
        """64 bits that follow from the seed, the number and the axis."""
        digest = blake2b(b"%d:%d" % (number, place), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def _permuted(self, number: int) -> int:
        """Where a permutation of the product that follows from the seed takes a number.

        A Feistel network over twice `_half` bits, walked until it is back below the product (Black and Rogaway 2002,
        Ciphers with arbitrary finite domains).
        """
        half, mask, size = self._half, (1 << self._half) - 1, (self._half + 7) // 8
        while True:
            left, right = number >> half, number & mask
            for turn in range(_ROUNDS):
                digest = blake2b(b"%d:%d" % (turn, right), key=self._key, digest_size=size).digest()
                left, right = right, left ^ (int.from_bytes(digest, "big") & mask)
            number = left << half | right
            if number < self.product:
                return number


def input_name(document: Document, name: str) -> str | None:
    """The input that a name of an axis or of a derived value means: `input`, or `input.NAME` of several."""
    if name in document.params:
        return None
    first, _, rest = name.partition(".")
    if first != INPUT:
        return None
    if not rest:
        return next(iter(document.inputs)) if len(document.inputs) == 1 else None
    return rest if rest in document.inputs else None


def checked_shape(name: str, value: Value) -> tuple[int, ...]:
    """A shape that an input takes. Raises a Problem."""
    sizes = value if isinstance(value, tuple) else ()
    whole = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size >= 1]
    if not 1 <= len(sizes) <= MAX_SPACE_AXES + 1 or len(whole) != len(sizes):
        message = f"{name} is a list of channels and 0 to {MAX_SPACE_AXES} sizes, whole numbers of at least 1"
        raise Problem("CC103", message, "input=[3, 224, 224]")
    if prod(whole) > LIMIT:
        raise Problem("CC212", f"an input of {' x '.join(map(str, whole))} numbers is above 2^63 - 1")
    return tuple(whole)


def judge_axis(document: Document, axis: Axis, read: Container[str]) -> None:
    """Raise a Problem unless the spec has what an axis goes through, and takes its values.

    `read` are the names that derived values read: such an axis may be no param.
    """
    target = axis.target
    if target.name == VARIANT and VARIANT not in document.params:
        for value in axis.samples():
            if value not in document.variants:
                known = ", ".join(document.variants)
                hint = suggest(str(value), document.variants, f"variants: {known}" if known else "the spec has none")
                raise Problem("CC109", f"there is no variant '{value}'", hint)
        return
    if input_name(document, target.name) is not None:
        if not target.indices:
            for value in axis.samples():
                checked_shape(target.name, value)
        return
    param = document.params.get(target.name)
    if param is not None:
        if not target.indices:
            for value in axis.samples():
                param.check(value)
        return
    if target.indices or target.name not in read:
        raise unknown_name(document, target, "an axis that is none has to be read by a --let")


def unknown_name(document: Document, target: Target, otherwise: str) -> Problem:
    """The problem of a target that names nothing."""
    if target.name.partition(".")[0] == INPUT and len(document.inputs) > 1:
        known = ", ".join(f"{INPUT}.{name}" for name in document.inputs)
        return Problem("CC106", f"there is no input '{target.name}'", f"inputs: {known}", 0, len(target.name))
    close = nearest(target.name, document.params)
    known = ", ".join(document.params)
    listed = f"parameters: {known}; {otherwise}" if known else f"the spec has no parameters; {otherwise}"
    hint = f"did you mean '{close}'?" if close else listed
    return Problem("CC106", f"there is no parameter '{target.name}'", hint, 0, len(target.name))


def judge_let(document: Document, let: Let, seen: Iterable[str], later: Iterable[Let]) -> None:
    """Raise a Problem unless a derived value reads names that are there, and sets what is there or is read later."""
    known = {*document.params, *seen}
    if input_name(document, INPUT) is not None:
        known.add(INPUT)
    for name, offset in let.expression.names.items():
        if name not in known:
            hint = suggest(name, known, f"known here: {', '.join(sorted(known))}" if known else None)
            raise Problem("CC106", f"'{name}' names nothing here", hint, let.offset + offset, len(name))
    target = let.target
    if target.name in document.params or input_name(document, target.name) is not None or target.name in known:
        return
    if target.name == VARIANT:
        raise Problem("CC105", "the variant is an axis, it is not derived", "--grid variant=…", 0, len(VARIANT))
    if target.indices or "." in target.name:
        raise unknown_name(document, target, "a name of its own has no elements")
    if nearest(target.name, document.params) and not any(target.name in other.expression.names for other in later):
        raise unknown_name(document, target, "")
