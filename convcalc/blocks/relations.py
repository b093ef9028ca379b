"""Values that differ between the uses of a block: what they follow from, and the params that remain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .fields import Quantity
from .literals import literal
from .pieces import Series, same
from .repetitions import FACTORS

RELATED: dict[Quantity, tuple[Quantity, ...]] = {
    "width": ("width",),
    "groups": ("groups", "width"),
    "padding": ("padding", "dilation"),
}
"""Quantity -> those whose params may stand for it as they are."""
NONE = "none"
"""The word for no item; a default, for that is how the language knows a word that nothing compares with."""
POINTS = 3
"""Different values that a relation with a factor needs."""

Column = Mapping[int, object]
"""Scope -> value."""


@dataclass(slots=True, eq=False)
class Param:
    """A parameter of a block."""

    quantity: Quantity
    values: dict[int, object]
    """Scope -> what is given there."""
    hints: tuple[str, ...]
    """What it may be called: from the plainest name to the one that says most."""
    name: str = ""
    default: Expression | None = None
    """None for one that has to be given."""
    usual: dict[int, object] = field(default_factory=dict)
    """Scope -> what the default gives there."""
    computed: bool = False
    """Whether the default is always right."""


Expression = tuple["str | Param", ...]
"""The pieces of an expression's text, params by themselves."""


class Known(NamedTuple):
    """An expression with its value in each scope."""

    expression: Expression
    values: Column


@dataclass(slots=True, eq=False)
class Relations:
    """The params of one block, found value by value."""

    scopes: tuple[int, ...]
    arriving: Column
    """The channels that the block's first input has."""
    params: list[Param] = field(default_factory=list)
    widths: list[Known] = field(default_factory=list)
    """Widths inside the block that follow from its params."""

    def expression(self, column: Column, quantity: Quantity, width: Column, hints: tuple[str, ...]) -> Expression:
        """What a value is in all scopes that have it; `width` is what arrives at its item."""
        if not any(isinstance(value, Series) for value in column.values()):
            return self._plain(column, quantity, width, hints)
        numbers = list(column)
        lists = [_listed(column[n], width[n]) for n in numbers]
        factor = _factor([pair for found in lists for pair in found]) if quantity in ("width", "groups") else None
        if factor is not None:
            return _times(("in_channels",), factor)
        found = {n: column[n] for n in numbers}
        if all(not isinstance(v, Series) or v.later is not None for v in found.values()):
            later = {n: v.later if isinstance(v, Series) else v for n, v in found.items()}
            return self._in_turn("index", found, later, quantity, hints)
        if all(not isinstance(v, Series) or v.other is not None for v in found.values()):
            other = {n: v.other if isinstance(v, Series) else v for n, v in found.items()}
            return self._in_turn("index % 2", found, other, quantity, hints)
        steps = {v.step if isinstance(v, Series) else None for v in found.values()}
        step = steps.pop()
        if steps or step is None:
            return self._listing(found, quantity, hints)
        start = self._plain({n: v.first for n, v in found.items() if isinstance(v, Series)}, quantity, {}, hints)
        if start == ("0",):
            return (f"{step} * index" if step != 1 else "index",)
        return (*start, f" {'-' if step < 0 else '+'} ", f"{abs(step)} * index" if abs(step) != 1 else "index")

    def _listing(self, column: Column, quantity: Quantity, hints: tuple[str, ...]) -> Expression:
        """A list of the values of the repetitions, of which each takes its own."""
        if not all(isinstance(value, Series) for value in column.values()):
            raise Unrelated
        lists = {n: value.values for n, value in column.items() if isinstance(value, Series)}
        return (*self._plain(lists, f"{quantity} list", {}, hints), "[index]")

    def _in_turn(
        self, counter: str, column: Column, later: Column, quantity: Quantity, hints: tuple[str, ...]
    ) -> Expression:
        """One value where a counter of the repetitions is 0, the `later` one where it is not."""
        first = {n: v.first if isinstance(v, Series) else v for n, v in column.items()}
        if all(isinstance(v, bool) for v in first.values()):
            return _counter_flag(counter, first, later)
        start = self._plain(first, quantity, {}, hints)
        then = self._plain(later, quantity, {}, tuple(f"{hint}_later" for hint in hints))
        return start if start == then else (*start, f" if {counter} == 0 else ", *then)

    def _plain(self, column: Column, quantity: Quantity, width: Column, hints: tuple[str, ...]) -> Expression:
        found = self._related(column, quantity, width)
        if found is None:
            found = (self._param(column, quantity, hints),)
        if quantity == "width" and not any(isinstance(value, tuple) for value in column.values()):
            known = column if len(column) == len(self.scopes) else self._everywhere(found)
            if known is not None:
                self.widths.append(Known(found, known))
        return found

    def _everywhere(self, width: Expression) -> Column | None:
        """The values of a width of an item that only some scopes have, where it follows from a param alone."""
        params = [part for part in width if isinstance(part, Param)]
        if len(params) != 1 or params[0].values.keys() < set(self.scopes):
            return None
        sign, number = _operation(width)
        values = {n: params[0].values[n] for n in self.scopes}
        if not all(type(value) is int for value in values.values()):
            return None
        return {n: value * number if sign == "*" else value // number for n, value in values.items()}  # type: ignore[operator]

    def _related(self, column: Column, quantity: Quantity, width: Column) -> Expression | None:
        values = list(column.values())
        if all(same(value, values[0]) for value in values):
            return (literal(values[0]),)
        listed = self._list(column, quantity, width)
        if listed is not None:
            return listed
        wanted = RELATED.get(quantity, (quantity,))
        for param in self.params:
            if param.quantity in wanted and _equal(column, param.values):
                return (param,)
        if quantity == "width":
            for param in self.params:
                if param.quantity == "width" and _continues(column, param.values):
                    self._settle(param, column)
                    return (param,)
        if quantity in ("width", "groups"):
            return self._scaled(column, width)
        if quantity == "padding":
            for param in self.params:
                if param.quantity == "kernel" and _half(column, param.values):
                    return (param, " // 2")
        return None

    def _scaled(self, column: Column, width: Column) -> Expression | None:
        """What arrives, or a multiple of it or of a width."""
        widths = {n: width[n] for n in column} if all(n in width for n in column) else {}
        if widths and _equal(column, widths):
            return ("in_channels",)
        for param in self.params:
            if param.quantity == "width":
                factor = _column_factor(column, param.values)
                if factor is not None:
                    return _times((param,), factor)
        factor = _column_factor(column, widths) if widths else None
        return None if factor is None else _times(("in_channels",), factor)

    def _list(self, column: Column, quantity: Quantity, width: Column) -> Expression | None:
        """A list whose entries all follow from params and from what arrives; None where one does not."""
        lists = {n: value for n, value in column.items() if isinstance(value, tuple)}
        if len(lists) < len(column) or len({len(value) for value in lists.values()}) > 1:
            return None
        size = len(next(iter(lists.values())))
        found: list[str | Param] = ["["]
        for position in range(size):
            entries = {n: value[position] for n, value in lists.items()}
            entry = self._related(entries, "width" if quantity == "shape" else quantity, width)
            if entry is None:
                return None
            found += [", "] * (position > 0) + list(entry)
        return (*found, "]")

    def _param(self, column: Column, quantity: Quantity, hints: tuple[str, ...]) -> Param:
        """A new param for a value."""
        made = Param(quantity, {}, hints)
        self.params.append(made)
        self._settle(made, column)
        return made

    def _settle(self, made: Param, column: Column) -> None:
        """Give a param its values, and its default."""
        made.values, made.default, made.usual, made.computed = dict(column), None, {}, False
        quantity, whole = made.quantity, len(column) == len(self.scopes)
        if quantity == "width":
            arriving = {n: self.arriving[n] for n in column}
            factor = _column_factor(column, arriving)
            if factor is not None:
                made.default, made.computed = _times(("in_channels",), factor), True
                return
        halves = self._halves(column) if quantity == "padding" and whole else None
        value, count = Counter(map(_Value, column.values())).most_common(1)[0]
        if halves is not None:
            made.default, made.usual = halves
        elif not whole or (quantity != "width" and 2 * count > len(column)):
            made.default, made.usual = (literal(value.value),), dict.fromkeys(self.scopes, value.value)

    def _halves(self, column: Column) -> tuple[Expression, dict[int, object]] | None:
        """Half of the kernel, where most paddings are that; and what it is in each scope."""
        for param in self.params:
            if param.quantity == "kernel" and param.values.keys() >= column.keys():
                usual: dict[int, object] = {n: k // 2 for n, k in param.values.items() if type(k) is int}
                if 2 * sum(n in usual and same(usual[n], value) for n, value in column.items()) > len(column):
                    return (param, " // 2"), usual
        return None

    def choice(self, chosen: Mapping[int, str], hints: tuple[str, ...]) -> Param:
        """A param that says which of several items stands, by a word."""
        for param in self.params:
            if param.quantity == "choice" and _equal(chosen, param.values):
                return param
        made = Param("choice", dict(chosen), hints)
        often = NONE if NONE in chosen.values() else Counter(chosen.values()).most_common(1)[0][0]
        made.default, made.usual = (often,), dict.fromkeys(self.scopes, often)
        self.params.append(made)
        return made

    def count(self, counts: Mapping[int, int], stem: str) -> Param:
        """A param that says how many items there are."""
        made = Param("count", dict(counts), ("depth", f"{stem}s"))
        self.params.append(made)
        return made

    def flag(self, present: Mapping[int, bool], hints: tuple[str, ...]) -> Expression:
        """A condition that is true in the scopes that have an item."""
        for param in self.params:
            if param.quantity == "flag" and param.values.keys() >= present.keys():
                if all(param.values[n] is value for n, value in present.items()):
                    return (param,)
                if all(param.values[n] is not value for n, value in present.items()):
                    return ("not ", param)
        made = Param("flag", dict(present), hints)
        condition = self._condition(present)
        if condition is not None:
            made.default, made.computed = condition, True
        else:
            often = 2 * sum(present.values()) > len(present)
            made.default, made.usual = ("true" if often else "false",), dict.fromkeys(self.scopes, often)
        self.params.append(made)
        return (made,)

    def _condition(self, present: Mapping[int, bool]) -> Expression | None:
        """What is true exactly where an item is present, from what arrives, widths and strides."""
        if len(present) != len(self.scopes):
            return None
        differ = [
            (("in_channels", " {} ", *known.expression), {n: known.values[n] != self.arriving[n] for n in self.scopes})
            for known in self._last_widths()
        ]
        moved = [
            ((param, " {} 1"), {n: param.values[n] != 1 for n in self.scopes})
            for param in self.params
            if param.quantity == "stride" and param.values.keys() >= set(self.scopes)
        ]
        for text, holds in (*moved, *differ):
            if self._agrees(present, holds, [holds]):
                return _compared(text, present[self.scopes[0]] is holds[self.scopes[0]])
        for one, moves in moved:
            for other, differs in differ:
                holds = {n: moves[n] or differs[n] for n in self.scopes}
                if self._agrees(present, holds, [moves, differs]):
                    positive = present[self.scopes[0]] is holds[self.scopes[0]]
                    return (*_compared(one, positive), " or " if positive else " and ", *_compared(other, positive))
        return None

    def _last_widths(self) -> Iterator[Known]:
        """The widths that follow from params alone, the last one first, each once.

        What an item takes from the channels that arrive at it is none: in the params the word means another number.
        """
        seen: set[Expression] = set()
        for known in reversed(self.widths):
            if known.expression not in seen and "in_channels" not in _words(known.expression):
                seen.add(known.expression)
                yield known

    def _agrees(self, present: Mapping[int, bool], holds: Mapping[int, bool], parts: list[dict[int, bool]]) -> bool:
        """Whether a condition, or its contrary, is true exactly where something is, on enough different scopes."""
        if len({present[n] is holds[n] for n in self.scopes}) > 1:
            return False
        rows = {
            (self.arriving[n], *(_Value(p.values.get(n)) for p in self.params if p.quantity in ("width", "stride")))
            for n in self.scopes
        }
        return len(rows) >= POINTS and all(len(set(part.values())) > 1 for part in parts)


class Unrelated(Exception):
    """Values that nothing says in common."""


class _Value:
    """A value that can be counted; true is no 1."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Value) and same(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def _compared(text: Expression, positive: bool) -> Expression:
    sign = "!=" if positive else "=="
    return tuple(part.replace("{}", sign) if isinstance(part, str) else part for part in text)


def _counter_flag(counter: str, first: Column, later: Column) -> Expression:
    """A truth value that the repetitions alone have, or lack, where a counter is 0."""
    pairs = {(first[n], later[n]) for n in first}
    if pairs == {(True, False)}:
        return (f"{counter} == 0",)
    if pairs == {(False, True)}:
        return (f"{counter} != 0",)
    raise Unrelated


def _words(expression: Expression) -> set[str]:
    """The words in the texts of an expression."""
    return {word for part in expression if isinstance(part, str) for word in part.split()}


def _times(base: Expression, factor: tuple[str, int]) -> Expression:
    sign, number = factor
    if number == 1:
        return base
    return (f"{number} * ", *base) if sign == "*" else (*base, f" // {number}")


def _operation(width: Expression) -> tuple[str, int]:
    """What `_times` has done to the param of a width."""
    for part in width:
        if isinstance(part, str):
            return (
                ("*", int(part.removesuffix(" * "))) if part.endswith(" * ") else ("//", int(part.removeprefix(" // ")))
            )
    return "*", 1


def _equal(column: Column, values: Column) -> bool:
    """Whether a column is another one, in all its scopes; it is not constant."""
    return values.keys() >= column.keys() and all(same(value, values[n]) for n, value in column.items())


def _continues(column: Column, values: Column) -> bool:
    """Whether a column has the different values of another one in all its scopes, and those of others too."""
    more = column.keys() > values.keys() and all(same(value, column[n]) for n, value in values.items())
    return more and len(set(map(_Value, values.values()))) > 1


def _half(column: Column, kernels: Column) -> bool:
    """Whether a padding is half of the kernel, rounded down."""
    return kernels.keys() >= column.keys() and all(
        type(value) is int and type(kernels[n]) is int and value == kernels[n] // 2  # type: ignore[operator]
        for n, value in column.items()
    )


def _column_factor(column: Column, bases: Column) -> tuple[str, int] | None:
    """How a column is a multiple, or a part, of another one; None where too few points say it."""
    if not bases.keys() >= column.keys():
        return None
    return _factor([(value, bases[n]) for n, value in column.items()])


def _factor(pairs: Iterable[tuple[object, object]]) -> tuple[str, int] | None:
    pairs = list(pairs)
    if not all(type(value) is int and type(base) is int for value, base in pairs):
        return None
    numbers: set[tuple[int, int]] = set(pairs)  # type: ignore[arg-type]
    if len(numbers) < 2:
        return None
    for factor in FACTORS:
        if factor > 1 and len({base for _, base in numbers}) < POINTS:
            return None
        if all(value == factor * base for value, base in numbers):
            return "*", factor
        if all(value == base // factor and base % factor == 0 for value, base in numbers):
            return "//", factor
    return None


def _listed(value: object, width: object) -> list[tuple[object, object]]:
    """The values of the repetitions with what arrives at each."""
    values = value.values if isinstance(value, Series) else (value,)
    widths = width.values if isinstance(width, Series) else (width,) * len(values)
    if len(values) == 1:
        values = values * len(widths)
    return list(zip(values, widths, strict=False))
