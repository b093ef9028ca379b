"""The records that a spec's text is compiled to, once, before anything is expanded; and the fields of kinds.

What a kind takes is read from its model, and values are made to fit it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from ..hints import suggest
from ..layers.registry import layer_class
from ..limits import DIFFERENT_LAYERS
from ..marked import Marked, Text
from .params import Compiled, Param, Params, evaluate, is_constant
from .problems import Problem, TooMuch
from .values import Value, say

if TYPE_CHECKING:
    from ..layers.base import Layer
    from .sections import Shared


HIDDEN = ("kind", "part")
"""Fields that are not written: the kind is the key, the part of a split is its node's number."""

FieldValue = int | float | str | tuple[Any, ...] | None


class FieldType(NamedTuple):
    """What a field of a kind takes."""

    name: str
    required: bool
    integer: bool
    fractional: bool
    boolean: bool
    verbatim: bool
    """Whether it takes a text as it stands."""
    optional: bool
    words: frozenset[str]
    depth: int
    """How deep lists may nest: 0 for a single value."""

    @property
    def expected(self) -> str:
        """What it takes, for messages."""
        parts = ["a text"] * self.verbatim + ["true or false"] * self.boolean
        parts += ["a number"] if self.fractional else ["an integer"] if self.integer else []
        parts += ["a list"] * (self.depth > 0)
        parts += [" or ".join(sorted(self.words))] if self.words else []
        return " or ".join(parts) or "nothing"


def fields_of(kind: str) -> dict[str, FieldType]:
    """Field name (short forms too) -> what it takes. Raises KeyError for an unknown kind."""
    return _fields(layer_class(kind))


@cache
def _fields(cls: type[Layer]) -> dict[str, FieldType]:
    found: dict[str, FieldType] = {}
    for name, info in cls.model_fields.items():
        if name not in HIDDEN:
            traits: dict[str, Any] = {"words": set(), "depth": 0}
            _describe(info.annotation, traits, 0)
            found[name] = FieldType(
                name,
                info.is_required(),
                traits.get("integer", False),
                traits.get("fractional", False),
                traits.get("boolean", False),
                traits.get("verbatim", False),
                traits.get("optional", False) or info.default is None,
                frozenset(traits["words"]),
                traits["depth"],
            )
    for letter, name in cls.short_forms.items():
        found.setdefault(letter, found[name])
    return found


def _describe(annotation: Any, traits: dict[str, Any], depth: int) -> None:
    """Note what an annotation admits."""
    origin = get_origin(annotation)
    if origin is Annotated:
        _describe(get_args(annotation)[0], traits, depth)
    elif origin in (Union, UnionType):
        for option in get_args(annotation):
            _describe(option, traits, depth)
    elif origin is Literal:
        for word in get_args(annotation):
            if isinstance(word, str):
                traits["words"].add(word)
            else:
                traits["boolean" if isinstance(word, bool) else "integer"] = True
    elif origin in (tuple, list):
        traits["depth"] = max(traits["depth"], depth + 1)
        for item in get_args(annotation):
            _describe(item, traits, depth + 1)
    elif annotation is type(None):
        traits["optional"] = True
    elif annotation in (int, float, bool, str):
        traits[{int: "integer", float: "fractional", bool: "boolean", str: "verbatim"}[annotation]] = True
    elif annotation is not Ellipsis:
        raise TypeError(f"a field of type {annotation} has no form in the language")


def fit(field: FieldType, value: Value | None, depth: int | None = None) -> FieldValue:
    """A value made to fit a field: fractions become floats where those are taken. Raises a Problem (CC103)."""
    depth = field.depth if depth is None else depth
    if isinstance(value, tuple):
        if depth == 0:
            raise Problem("CC103", f"{field.name} takes {field.expected}, and no list this deep: {say(value)}")
        return tuple([fit(field, item, depth - 1) for item in value])
    if value is None:
        if field.optional:
            return None
        raise Problem("CC103", f"{field.name} takes {field.expected}, not nothing", "give a value or drop the field")
    if isinstance(value, str):
        if field.verbatim or value in field.words:
            return value
        hint = suggest(value, field.words) if field.words else None
        raise Problem("CC103", f"{field.name} takes {field.expected}, not {say(value)}", hint)
    if isinstance(value, bool):
        if field.boolean:
            return value
        raise Problem("CC103", f"{field.name} takes {field.expected}, not {say(value)}")
    if field.fractional:
        return value if field.integer and isinstance(value, int) else float(value)
    if field.integer:
        if isinstance(value, Fraction):
            hint = "divide with //, or use floor, ceil, round or make_divisible"
            raise Problem("CC103", f"{field.name} takes an integer, not {say(value)}", hint)
        return value
    hint = "write true or false" if field.boolean else None
    raise Problem("CC103", f"{field.name} takes {field.expected}, not {say(value)}", hint)


Known = dict[tuple[object, ...], "Layer"]
"""(kind, names, values) -> the one model that equal layers share."""


class LayerTemplate:
    """A layer as it is written: its kind and its fields, some of them expressions."""

    __slots__ = ("cls", "fields", "kind", "layer", "names")

    def __init__(self, kind: str, cls: type[Layer], fields: list[tuple[FieldType, Compiled, Marked]]) -> None:
        self.kind = kind
        self.cls = cls
        self.fields = sorted(fields, key=lambda entry: entry[0].name)
        self.names = tuple([entry[0].name for entry in self.fields])
        self.layer: Layer | None = None
        """The model, once it is built from constants alone."""

    @property
    def constant(self) -> bool:
        """Whether no field needs names."""
        return all(is_constant(value) for _, value, _ in self.fields)

    def build(self, env: dict[str, Value], known: Known, part: int | None = None) -> Layer:
        """The model under these names. Raises `LayerProblems`, and TooMuch where a file has too many."""
        values: list[FieldValue] = []
        wrong: list[Problem] = []
        for field, compiled, at in self.fields:
            try:
                values.append(fit(field, evaluate(compiled, env)))
            except Problem as problem:
                problem.at = at
                wrong.append(problem)
        if wrong:
            raise LayerProblems(wrong)
        key = (self.kind, part, self.names, tuple(values))
        layer = known.get(key)
        if layer is None:
            if len(known) >= DIFFERENT_LAYERS:
                raise TooMuch("CC111", f"more than {DIFFERENT_LAYERS:,} layers that differ from each other")
            layer = known[key] = self._validated(dict(zip(self.names, values, strict=True)), part)
        return layer

    def _validated(self, fields: dict[str, FieldValue], part: int | None) -> Layer:
        from pydantic import ValidationError

        if part is not None:
            fields["part"] = part
        try:
            return self.cls.model_validate({"kind": self.kind, **fields})
        except ValidationError as error:
            from .refused import model_problems

            places = {field.name: at for field, _, at in self.fields}
            wrong = []
            for name, problem in model_problems(error):
                problem.at = places.get(name)
                wrong.append(problem)
            raise LayerProblems(wrong) from None


class LayerProblems(Exception):
    """What is wrong with the fields of one layer."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


class Branch:
    """A named branch of a join."""

    __slots__ = ("at", "items", "name")

    def __init__(self, name: str, at: Text, items: list[Item]) -> None:
        self.name = name
        self.at = at
        self.items = items


class Join:
    """A join with branches."""

    __slots__ = ("branches", "template")

    def __init__(self, template: LayerTemplate, branches: list[Branch]) -> None:
        self.template = template
        self.branches = branches


class Split:
    """A split: one node a part."""

    __slots__ = ("template",)

    def __init__(self, template: LayerTemplate) -> None:
        self.template = template


class Group:
    """An anonymous group, `layers: [...]`."""

    __slots__ = ("items",)

    def __init__(self, items: list[Item]) -> None:
        self.items = items


class Block:
    """A block of the spec."""

    __slots__ = ("at", "called", "items", "name", "params", "reads", "size", "used")

    def __init__(self, name: str, at: Text) -> None:
        self.name = name
        self.at = at
        self.params: Params = {}
        self.items: list[Item] = []
        self.size: int
        """Expansion steps of one call, computed repetitions counted once; set when the whole text is measured."""
        self.used: set[str] = set()
        """Its parameters that it uses."""
        self.reads: set[str] = set()
        """The parameters of the spec that it uses."""
        self.called = False
        """Whether the layers reach it."""


class Call:
    """A block with its arguments."""

    __slots__ = ("arguments", "block")

    def __init__(self, block: Block, arguments: list[tuple[Param, Compiled, Marked]]) -> None:
        self.block = block
        self.arguments = arguments


What = LayerTemplate | Join | Split | Group | Call


class Item:
    """One item: what it is, and where it stands."""

    __slots__ = (
        *("at", "indexed", "kind", "layer", "name", "name_at", "number", "plain"),
        *("batch_axes", "reads", "repeat", "share", "size", "sources", "weight", "what", "when"),
    )

    def __init__(self, kind: str, what: What, at: Marked) -> None:
        self.kind = kind
        self.what = what
        self.at = at
        self.name: str | None = None
        self.name_at: Marked = at
        self.number: int | None = None
        """Its name, where that is a number."""
        self.sources: list[tuple[tuple[str, ...], Marked]] | None = None
        self.repeat: tuple[Compiled, Marked] | None = None
        self.share: Shared | None = None
        """Whose weights it has, and where that stands."""
        self.when: tuple[Compiled, Marked] | None = None
        self.batch_axes = 0
        """How many of the first axes count as batch in it."""
        self.indexed = False
        """Whether `when` depends on the repetition."""
        self.reads = not (isinstance(what, LayerTemplate) and what.cls.arity[1] == 0)
        """Whether it takes an input."""
        self.plain = isinstance(what, LayerTemplate) and self.reads
        """Whether it is a layer that takes what comes before it, and nothing but its name stands beside its kind."""
        self.layer = what.layer if isinstance(what, LayerTemplate) and self.reads else None
        """The model of a plain item whose fields are constants."""
        self.weight: int
        """Steps that it counts as itself: one, and what its expressions weigh; set when the whole text is measured."""
        self.size: int
        """Expansion steps of one repetition; set with `weight`."""

    @property
    def lists(self) -> list[list[Item]]:
        """The items inside a group, or in each branch of a join; of anything else none."""
        if isinstance(self.what, Group):
            return [self.what.items]
        return [branch.items for branch in self.what.branches] if isinstance(self.what, Join) else []


def below(items: list[Item]) -> Iterator[Item]:
    """Items, and those inside their groups and branches; a list that stands in several places once."""
    stack, seen = [items], set()
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for item in current:
            yield item
            stack += item.lists
