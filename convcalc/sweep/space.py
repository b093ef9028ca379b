"""A design space: the product of axes, or draws from it, and what is derived of each candidate.

Candidates are made from their numbers alone: the same on every machine, and none needs those before it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from math import prod

from ..geometry import LIMIT
from ..hints import nearest, suggest
from ..language.document import Document, Variant
from ..language.expressions import Expression
from ..language.problems import Problem
from ..language.sections import MAX_SPACE_AXES
from ..language.values import Value
from .axes import VARIANT, Axis
from .candidates import Candidate, Refused
from .lets import INPUT, Let, Names, Requirement
from .words import Target

MOST_CANDIDATES = 10**9
"""Candidates of a run."""
MOST_AXES = 100
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
        requirements: Sequence[Requirement] = (),
        fixed: Mapping[str, Value] | None = None,
        variant: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ) -> None:
        self.document = document
        self.axes = tuple(axes)
        self.lets = tuple(lets)
        self._steps = _ordered(document, self.lets, requirements)
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
        targets = [*(axis.target for axis in self.axes), *(let.target for let in self.lets if not let.hidden)]
        self._shown = [target for place, target in enumerate(targets) if target not in targets[:place]]
        named = [place for place, axis in enumerate(self.axes) if axis.target.name == VARIANT]
        self._variants = named[0] if named and VARIANT not in document.params else None
        """The axis of the variants."""
        self._sets_input = any(input_name(document, target.name) is not None for target in targets)

    @property
    def names(self) -> tuple[str, ...]:
        """Axes, then derived values, in the order in which they were said."""
        return tuple(map(str, self._shown))

    def candidate(self, number: int) -> Candidate | Refused:
        """The candidate of a number from 0 to `size` - 1."""
        values = [axis.value(place) for axis, place in zip(self.axes, self._places(number), strict=True)]
        variant, known = self._variant, 0
        if self._variants is not None:
            named = values[self._variants]
            assert isinstance(named, str)
            variant = named
        chosen: Variant = {} if variant is None else self.document.variants[variant]
        names = Names(self.document, chosen, self._fixed)
        try:
            for known, (axis, value) in enumerate(zip(self.axes, values, strict=True)):
                if known != self._variants:
                    names.put(axis.target, value)
            known = len(self.axes)
            for let, requirements in self._steps:
                if let is not None:
                    names.put(let.target, let.expression.evaluate(names))
                    known += 1
                for requirement in requirements:
                    requirement.check(names)
            shapes = self._shapes(names)
        except Problem as problem:
            return Refused(number, self._known(names, variant, known), problem.code, problem.message)
        params = {name: value for name, value in names.given.items() if name in self.document.params}
        return Candidate(number, params, variant, shapes, self._values(names, variant, self._shown))

    def _known(self, values: Names, variant: str | None, known: int) -> tuple[Value | None, ...]:
        """What is known of a candidate that is refused, after so many axes and derived values."""
        targets = [*(axis.target for axis in self.axes), *(let.target for let in self.lets)]
        shown = self._values(values, variant, [target for target in self._shown if target in targets[:known]])
        return (*shown, *[None] * (len(self._shown) - len(shown)))

    def _values(self, names: Names, variant: str | None, targets: Iterable[Target]) -> tuple[Value | None, ...]:
        """What the targets are in the end; None for an element of a list that became shorter."""
        found: list[Value | None] = []
        for target in targets:
            if target.name == VARIANT and self._variants is not None:
                found.append(variant)
                continue
            value: Value | None = names[target.name]
            for index in target.indices:
                there = isinstance(value, tuple) and -len(value) <= index < len(value)
                value = value[index] if there and isinstance(value, tuple) else None
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
                return [axis.drawn(draw) for axis, draw in zip(self.axes, self._drawn(number), strict=False)]
            number = self._permuted(number)
        places: list[int] = []
        for axis in reversed(self.axes):
            number, place = divmod(number, axis.size)
            places.append(place)
        return places[::-1]

    def _drawn(self, number: int) -> Iterator[int]:
        """64 bits for each axis, which follow from the seed, the number and the axis."""
        for block in range((len(self.axes) + 7) // 8):
            digest = blake2b(b"%d:%d" % (number, block), key=self._key).digest()
            yield from struct.unpack(">8Q", digest)

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


def _ordered(
    document: Document, lets: Sequence[Let], requirements: Iterable[Requirement]
) -> list[tuple[Let | None, list[Requirement]]]:
    """Derived values in their order, behind each what can be required then: what it reads has its last value.

    What reads a param of the spec waits for the last derived value that sets one, since params follow from others.
    """
    steps: list[tuple[Let | None, list[Requirement]]] = [(None, []), *((let, []) for let in lets)]
    for requirement in requirements:
        read = set(requirement.expression.names)
        if any(name in document.params or name == INPUT for name in read):
            read.update(document.params, (let.target.name for let in lets if let.target.name.startswith(INPUT)))
        last = max((place for place, let in enumerate(lets, 1) if let.target.name in read), default=0)
        steps[last][1].append(requirement)
    return steps


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


def judge_expression(document: Document, expression: Expression, seen: Iterable[str], offset: int) -> None:
    """Raise a Problem unless an expression, behind so many characters, reads names that are there."""
    known = {*document.params, *seen}
    if input_name(document, INPUT) is not None:
        known.add(INPUT)
    for name, at in expression.names.items():
        if name not in known:
            hint = suggest(name, known, f"known here: {', '.join(sorted(known))}" if known else None)
            raise Problem("CC106", f"'{name}' names nothing here", hint, offset + at, len(name))


def judge_let(document: Document, let: Let, seen: Collection[str], later: Container[str]) -> None:
    """Raise a Problem unless a derived value reads names that are there, and sets what is there or is read later."""
    judge_expression(document, let.expression, seen, let.offset)
    target = let.target
    if target.name in document.params or input_name(document, target.name) is not None or target.name in seen:
        return
    if target.name == VARIANT:
        raise Problem("CC105", "the variant is an axis, it is not derived", "--grid variant=…", 0, len(VARIANT))
    if target.indices or "." in target.name:
        raise unknown_name(document, target, "a name of its own has no elements")
    if target.name not in later and nearest(target.name, document.params):
        raise unknown_name(document, target, "")
