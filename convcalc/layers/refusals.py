"""What a model refuses, in words of the language: pydantic's own never reach a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}
_TAKES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a word",
    "tuple_type": "a list",
    "missing": "pairs [before, after]",
}


def is_bound(entry: ErrorDetails) -> bool:
    """Whether a value is refused for its size alone."""
    return entry["type"] in _BOUNDS


def asked(entry: ErrorDetails) -> str:
    """What is asked of the value that an entry of a ValidationError refuses; `not …` may follow.

    >>> from pydantic import ValidationError
    >>> from convcalc.layers.registry import build
    >>> try:
    ...     build("conv2d", {"out_channels": 8, "kernel_size": 0})
    ... except ValidationError as error:
    ...     asked(error.errors()[0])
    'must be at least 1'
    """
    kind, context = entry["type"], entry.get("ctx", {})
    if kind in _BOUNDS:
        key, phrase = _BOUNDS[kind]
        bound = context[key]
        return f"must be {phrase} {f'{bound:g}' if isinstance(bound, float) else bound}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in ("too_short", "too_long"):
        most = context.get("max_length")
        count = context["min_length"] if most is None else most
        return f"takes at {'least' if most is None else 'most'} {count} value{'s' * (count != 1)}"
    return f"takes {_TAKES.get(kind, 'another value')}"


def deepest(entries: list[ErrorDetails]) -> ErrorDetails:
    """Of what the forms that a field may take say of one value: the entry of the form that fits it furthest."""
    return max(entries, key=lambda entry: len(entry["loc"]))
