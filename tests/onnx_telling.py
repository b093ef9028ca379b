"""What it takes to tell an ONNX test case of one operator as a layer of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class LeftOut(Exception):
    """The language has no such layer; the message is the rule."""


class Case(NamedTuple):
    name: str
    op: str
    attributes: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]


class Told(NamedTuple):
    kind: str
    fields: dict[str, Any]
    inputs: list[Any]
    weights: dict[str, Any]
    compared: Callable[[Any], Any] = lambda y: y
    """How the layer's output becomes the shape of the recorded one."""


def without(case: Case, **rules: bool) -> None:
    """Raise LeftOut for the first rule that holds; underscores of its name are spaces."""
    for rule, holds in rules.items():
        if holds:
            raise LeftOut(rule.replace("_", " "))


def one_more_axis(arrays: list[Any]) -> list[Any]:
    """A batch of one before arrays that have no batch, so that all their axes are the language's."""
    return [array[None] for array in arrays]


def alone(case: Case, kind: str, fields: dict[str, Any], inputs: list[Any] | None = None) -> Told:
    return Told(kind, fields, one_more_axis(case.inputs[:1] if inputs is None else inputs), {}, lambda y: y[0])


def pairs(pads: list[int]) -> list[list[int]]:
    """ONNX lists all begins, then all ends."""
    half = len(pads) // 2
    return [[begin, end] for begin, end in zip(pads[:half], pads[half:], strict=True)]
