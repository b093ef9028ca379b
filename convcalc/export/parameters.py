"""The parameters of a definition: which arguments follow from others, and what those that do not are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from .program import REQUIRED, Argument
from .python_code import Names, identifier, literal
from .twins import Present

if TYPE_CHECKING:
    from ..network import BlockParam

ABSENT = object()
"""Stands for an argument of a module that a block lacks."""

ARRIVING = frozenset({"in_channels", "in_features", "num_features", "normalized_shape"})
"""Arguments that say how many channels arrive."""
SHAPES = frozenset({"shape", "target_shape", "unflattened_size", "channels"})
"""Arguments that are sizes of several axes, of which each may follow from something else."""
SIZES = frozenset({"size", "stop"})
"""Arguments that are the size of an axis."""
CHANNELS = frozenset({*ARRIVING, "out_channels", "out_features", "filters", "units", "channels"})
"""Arguments that count channels: those of one block are related."""
MULTIPLES = (2, 3, 4)
PARTS = (2, 4, 8, 16)
"""Of how many channels others are so many times as many, or such a part."""
POINTS = 3
"""From so many different values a multiple is believed."""
PLAIN = {"num_features": "channels", "normalized_shape": "channels"}
"""Arguments of norms under the name that other layers have for them."""
SHORT = {
    "c": "channels",
    "k": "kernel_size",
    "s": "stride",
    "g": "groups",
    "d": "dilation",
    "p": "padding",
    "t": "expansion",
    "r": "reduction",
}
"""The letters of papers that specs use, written out."""
NOUNS = {"out_channels": "channels", "out_features": "features"}
"""What an argument is, beside the name of whose it is."""


Cell = tuple[int, int]
"""An argument by its number, and one of its elements; −1 for the argument itself."""


@dataclass(frozen=True, slots=True)
class Column:
    """An argument that differs between blocks, or several that are equal in all of them."""

    number: int
    slots: tuple[Cell, ...]
    """Where it stands among the arguments."""
    values: tuple[object, ...]
    """What it is in each block."""
    arguments: Sequence[tuple[str, Argument]]
    """(whose, argument) at each of its places."""

    @property
    def quantity(self) -> str:
        """The framework's name of what it is."""
        return self.arguments[0][1].quantity

    @property
    def arrives(self) -> bool:
        """Whether it is how many channels the block reads: the first argument, where that is so."""
        return self.number == 0 and any(argument.quantity in ARRIVING for _, argument in self.arguments)

    def is_arriving(self, channels: Sequence[int]) -> bool:
        """Whether it is how many channels arrive at each block, wherever it is something."""
        pairs = zip(self.values, channels, strict=True)
        return self.arrives and all(value is ABSENT or value == arriving for value, arriving in pairs)

    @property
    def default(self) -> object:
        """The framework's default, where some block has it and all its arguments have that default.

        A number that some blocks have no use for is 0 there.
        """
        given = [value for value in self.values if value is not ABSENT]
        if len(given) < len(self.values) and all(type(value) in (int, float) for value in given):
            return 0 if isinstance(given[0], int) else 0.0
        defaults = [argument.default for _, argument in self.arguments]
        default = defaults[0]
        plain = default is not REQUIRED and all(type(d) is type(default) and d == default for d in defaults)
        return default if plain and default in self.values else REQUIRED

    @property
    def usual(self) -> object:
        """What most blocks have."""
        given = [value for value in self.values if value is not ABSENT]
        return Counter(tuple(v) if isinstance(v, list) else v for v in given).most_common(1)[0][0]


class Relation(NamedTuple):
    """How an argument follows from a parameter, or from whether a module is there."""

    of: int | Present
    """The number of the parameter's column, or which blocks have the module."""
    form: str
    """What is made of it."""


def related(
    columns: Sequence[Column], params: Sequence[tuple[BlockParam, ...]], flags: Mapping[Present, str]
) -> dict[int, Relation]:
    """The columns that follow from others, by their numbers.

    What a use of the spec's block gives stays a parameter, and so does a padding that only some blocks add.
    """
    found: dict[int, Relation] = {}
    for column in columns:
        optional = any(value is ABSENT for value in column.values)
        if column.arrives or (column.quantity == "padding" and optional):
            continue
        relation = by_presence(column, flags, {})
        if relation is None and not any(_is_param(column, params, param.name, given=True) for param in params[0]):
            others = [other for other in columns if other.number not in found and other is not column]
            relation = next((Relation(other.number, form) for form, other in _multiples(column, others)), None)
        if relation is not None:
            found[column.number] = relation
    return found


def by_presence(column: Column, flags: Mapping[Present, str], numbers: Mapping[Present, Column]) -> Relation | None:
    """How a word or a truth follows from whether a module is there, which a number tells that is 0 where it is not."""
    if any(value is ABSENT for value in column.values):
        return None
    for present in flags:
        having = {_key(v): v for v, here in zip(column.values, present, strict=True) if here}
        lacking = {_key(v): v for v, here in zip(column.values, present, strict=True) if not here}
        if len(having) == len(lacking) == 1 and all(
            isinstance(v, bool | str) for v in (*having.values(), *lacking.values())
        ):
            (one,), (other,) = having.values(), lacking.values()
            of = numbers[present].number if present in numbers else present
            return Relation(of, f"{_braced(one)} if {{}} else {_braced(other)}")
    return None


def _key(value: object) -> object:
    return (type(value), tuple(value) if isinstance(value, list) else value)


def _braced(value: object) -> str:
    """A literal inside a form."""
    return literal(value).replace("{", "{{").replace("}", "}}")


def _multiples(column: Column, others: Sequence[Column]) -> Iterator[tuple[str, Column]]:
    """How a column follows from others: a multiple of channels, a part of them, half a kernel."""
    for other in others:
        pairs = [
            (own, value)
            for own, value in zip(column.values, other.values, strict=True)
            if own is not ABSENT and value is not ABSENT
        ]
        if len(pairs) < sum(value is not ABSENT for value in column.values):
            continue
        numbers = [(own, value) for own, value in pairs if type(own) is int and type(value) is int]
        if len(numbers) < len(pairs):
            continue
        points = len(set(numbers))
        if column.quantity == "padding" and other.quantity == "kernel_size" and points > 1:
            if all(own == kernel // 2 for own, kernel in numbers):
                yield "{} // 2", other
        counted = {column.quantity, other.quantity} <= CHANNELS | SIZES
        if counted and points >= POINTS:
            yield from ((form, other) for form in _products(numbers, sizes=column.quantity in SIZES))


def _products(pairs: Sequence[tuple[int, int]], *, sizes: bool) -> Iterator[str]:
    """Which multiple, or which part, the first of each two numbers is of the second; of sizes, the square of a part."""
    own, value = max(pairs)
    multiple, part = own // (value or 1), value // (own or 1)
    if (sizes or multiple in MULTIPLES) and all(own == multiple * value for own, value in pairs):
        yield f"{multiple} * {{}}"
    if (sizes or part in PARTS) and part and all(own * part == value for own, value in pairs):
        yield f"{{}} // {part}"
    root = isqrt(own)
    part = value // (root or 1)
    if sizes and part and all(value % part == 0 and own == (value // part) ** 2 for own, value in pairs):
        yield f"({{}} // {part}) ** 2" if part > 1 else "{}**2"


def _is_param(column: Column, params: Sequence[tuple[BlockParam, ...]], name: str, *, given: bool) -> bool:
    """Whether a column has the values of a parameter of the spec's block, with `given` one that is given."""
    for value, own in zip(column.values, params, strict=True):
        param = next((param for param in own if param.name == name), None)
        if param is None or (given and not param.given):
            return False
        if value is not ABSENT and (type(value) is not type(param.value) or value != param.value):
            return False
    return True


def told_by(params: Sequence[tuple[BlockParam, ...]], present: Present) -> str | None:
    """The parameter of the spec's block that is true, or a number but 0, where some module is, and nowhere else."""
    for param in params[0]:
        values = [next((one.value for one in own if one.name == param.name), None) for own in params]
        plain = all(isinstance(value, bool | int) for value in values)
        if plain and tuple(map(bool, values)) == present:
            return SHORT.get(param.name, param.name)
    return None


class Naming:
    """The names of the parameters of a definition, each given once."""

    def __init__(
        self,
        names: Names,
        columns: Sequence[Column],
        params: Sequence[tuple[BlockParam, ...]],
        bases: Collection[int | Present],
    ) -> None:
        self.names = names
        self.params = params
        self.bases = bases
        """The columns of which others are made."""
        self.plain = Counter(map(_plain, columns))
        self.own = {column.number: name for column in columns if (name := self._of_spec(column))}
        self.spec = Counter(self.own.values())
        self.last = Counter(_last(column) for column in columns)

    def _of_spec(self, column: Column) -> str | None:
        """The parameter of the spec's block that a column has the values of, one that is given first."""
        names = [param.name for param in sorted(self.params[0], key=lambda param: not param.given)]
        return next((name for name in names if _is_param(column, self.params, name, given=False)), None)

    def name(self, column: Column) -> str:
        """What a column is called: as the framework does, where that is no other's name too, else as the spec does.

        Else it is the name of whose it is, with what it is of that.
        """
        if column.arrives:
            return self.names.unique("in_channels")
        plain, own = _plain(column), self.own.get(column.number)
        if own is not None and self.spec[own] == 1 and len({_noun(a.quantity) for _, a in column.arguments}) > 1:
            return self.names.unique(identifier(SHORT.get(own, own)))
        width = plain == "out_channels" and column.number in self.bases
        if self.plain[plain] == 1 and not width:
            return self.names.unique(identifier(plain))
        if own is not None and self.spec[own] == 1:
            return self.names.unique(identifier(plain if own == "out" else SHORT.get(own, own)))
        if width and self.plain[plain] == 1:
            return self.names.unique("channels")
        last = _last(column)
        owner = column.arguments[0][0].replace(".", "_")
        return self.names.unique(identifier(last if self.last[last] == 1 else f"{owner}_{NOUNS.get(plain, plain)}"))


def _plain(column: Column) -> str:
    """What the framework calls it; a size has the name that it has where it is used."""
    (_, argument), *_ = column.arguments
    return argument.name if argument.quantity in SIZES else PLAIN.get(argument.quantity, argument.quantity)


def _noun(quantity: str) -> str:
    """Whether something counts channels, or what else it is."""
    return "channels" if quantity in CHANNELS else quantity


def _last(column: Column) -> str:
    """The last piece of the name of whose a column is, with what it is of that."""
    plain = _plain(column)
    return f"{column.arguments[0][0].rpartition('.')[2]}_{NOUNS.get(plain, plain)}"
