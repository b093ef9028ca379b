"""The fields of the kinds, read from their models: what each takes, and values made to fit."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from ..hints import suggest
from ..layers.registry import layer_class
from .arithmetic import Value, say
from .problems import Problem

if TYPE_CHECKING:
    from pydantic import ValidationError

    from ..layers.base import Layer

HIDDEN = ("kind", "part")
"""Fields that are not written: the kind is the key, the part of a split is its node's number."""
RANGES = frozenset({"kernel_size", "stride", "padding", "dilation", "groups", "output_padding"})

FieldValue = int | float | str | tuple[Any, ...] | None


class FieldType(NamedTuple):
    """What a field of a kind takes."""

    name: str
    required: bool
    integer: bool
    fractional: bool
    boolean: bool
    optional: bool
    words: frozenset[str]
    depth: int
    """How deep lists may nest: 0 for a single value."""

    @property
    def expected(self) -> str:
        """What it takes, for messages."""
        parts = ["true or false"] * self.boolean
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
    elif annotation in (int, float, bool):
        traits[{int: "integer", float: "fractional", bool: "boolean"}[annotation]] = True
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
        if value in field.words:
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


def model_problems(error: ValidationError) -> list[tuple[str, Problem]]:
    """What a model refused, as (field, problem); the field is empty where the fields do not go together."""
    found = []
    for entry in error.errors():
        field = str(entry["loc"][0]) if entry["loc"] else ""
        context = entry.get("ctx", {})
        cause = context.get("error")
        code, hint = getattr(cause, "code", "CC103"), getattr(cause, "hint", None)
        given = entry["input"]
        shown = (
            f"{given:g}"
            if isinstance(given, float)
            else say(given)
            if isinstance(given, (int, str, Fraction, tuple))
            else repr(given)
        )
        if cause is not None:
            message = str(cause)
        elif entry["type"] in _BOUNDS:
            key, phrase = _BOUNDS[entry["type"]]
            bound = context[key]
            bound = f"{bound:g}" if isinstance(bound, float) else bound
            message = f"{field} must be {phrase} {bound}, not {shown}"
            if code == "CC103" and field in RANGES:
                code = "CC202"
        else:
            text = entry["msg"]
            message = f"{field}: {text[:1].lower()}{text[1:]}, not {shown}"
        found.append((field, Problem(code, message, hint)))
    return found


_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}
