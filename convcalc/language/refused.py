"""What the model of a layer refused, as problems of its fields."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ..geometry.errors import GeometryError
from ..layers.refusals import asked, deepest, is_bound
from .problems import Problem
from .values import say

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

RANGES = frozenset({"kernel_size", "stride", "padding", "dilation", "groups", "output_padding"})
"""Fields whose numbers decide a shape: out of range, they have a code of their own."""


def model_problems(error: ValidationError) -> list[tuple[str, Problem]]:
    """What a model refused, as (field, problem); the field is empty where the fields do not go together."""
    by_field: dict[str, list[ErrorDetails]] = {}
    for entry in error.errors():
        by_field.setdefault(str(entry["loc"][0]) if entry["loc"] else "", []).append(entry)
    return [(field, _problem(field, entry)) for field, found in by_field.items() for entry in _told(found)]


def _told(entries: list[ErrorDetails]) -> list[ErrorDetails]:
    """The entries of a field that are told: all, or where it takes several forms and has none, one."""
    if all(is_bound(entry) or "error" in entry.get("ctx", {}) for entry in entries):
        return entries
    return [deepest(entries)]


def _problem(field: str, entry: ErrorDetails) -> Problem:
    cause = entry.get("ctx", {}).get("error")
    if isinstance(cause, GeometryError):
        return Problem(cause.code, cause.message, cause.hint)
    if cause is not None:
        return Problem("CC103", str(cause))
    given = entry["input"]
    shown = (
        f"{given:g}"
        if isinstance(given, float)
        else say(given)
        if isinstance(given, (int, str, Fraction, tuple))
        else repr(given)
    )
    code = "CC202" if is_bound(entry) and field in RANGES else "CC103"
    return Problem(code, f"{field} {asked(entry)}, not {shown}")
