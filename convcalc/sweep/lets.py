"""Derived values: `NAME=EXPRESSION`, worked out for every candidate in the order in which they are said.

An expression sees the axes, what was derived before it, and the params of the spec as they are until then. What it
sets is a param, an element of one, a size of the input, or a name of its own that later ones read. What is required of
all that is an expression too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..language.document import Document, Variant
from ..language.expressions import Expression, compile_expression
from ..language.load import input_shapes
from ..language.params import evaluate
from ..language.problems import Problem
from ..language.values import Value, truth
from .words import Target, assignment, read_target

LET = "--let 'widths[1]=2*widths[0]'"
INPUT = "input"


class Let(NamedTuple):
    """A derived value."""

    target: Target
    expression: Expression
    offset: int
    """Characters before the expression."""

    @property
    def hidden(self) -> bool:
        """Whether nobody is to see it: a name that starts with `_`."""
        return self.target.name.startswith("_")


def read_let(text: str) -> Let:
    """The derived value of `NAME=EXPRESSION`. Raises a Problem.

    >>> read_let("widths[1] = 2 * widths[0]").target
    Target(name='widths', indices=(1,))
    """
    name, behind = assignment(text, "NAME=EXPRESSION", LET)
    target = read_target(name)
    try:
        return Let(target, compile_expression(behind.text), behind.offset)
    except Problem as problem:
        problem.offset += behind.offset
        raise


class Requirement(NamedTuple):
    """What axes and derived values have to be."""

    text: str
    expression: Expression

    def check(self, names: Mapping[str, Value]) -> None:
        """Raise a Problem (CC301) where it does not hold."""
        if not truth(self.expression.evaluate(names), "require"):
            raise Problem("CC301", f"{self.text} does not hold")


def read_requirement(text: str) -> Requirement:
    """What a text requires. Raises a Problem.

    >>> read_requirement("len(widths) == 4").expression.names
    {'widths': 4}
    """
    return Requirement(text.strip(), compile_expression(text))


class Names(dict[str, Value]):
    """The values that expressions see: what a candidate gives, and params of the spec, worked out when they are read.

    A param that is given another value makes those that follow from it be worked out again.
    """

    def __init__(self, document: Document, variant: Variant, given: Mapping[str, Value]) -> None:
        super().__init__(given)
        self._document = document
        self._variant = variant
        self.given = dict(given)

    def __missing__(self, name: str) -> Value:
        param = self._document.params.get(name)
        if param is None:
            shapes = [sizes for sizes, _ in input_shapes(self._document, self).values()]
            found: Value = shapes[0]
        else:
            chosen = self._variant.get(name)
            found = param.check(evaluate(param.default if chosen is None else chosen[0], self))
        self[name] = found
        return found

    def give(self, name: str, value: Value) -> None:
        """Set a name. Raises a Problem where it is a param that does not take the value."""
        param = self._document.params.get(name)
        self.given[name] = value if param is None else param.check(value)
        self.clear()
        self.update(self.given)

    def put(self, target: Target, value: Value) -> None:
        """Set what a target names. Raises a Problem."""
        self.give(target.name, value if not target.indices else _replaced(self[target.name], target, 0, value))


def _replaced(found: Value, target: Target, level: int, value: Value) -> Value:
    """A list with one element, or an element of its elements, replaced."""
    index = target.indices[level]
    so_far = Target(target.name, target.indices[:level])
    if not isinstance(found, tuple):
        raise Problem("CC108", f"{so_far} is no list: it has no element {index}")
    if not -len(found) <= index < len(found):
        raise Problem("CC108", f"{so_far} has {len(found)} elements: it has no element {index}", "they count from 0")
    last = level + 1 == len(target.indices)
    inner = value if last else _replaced(found[index], target, level + 1, value)
    place = index % len(found)
    return (*found[:place], inner, *found[place + 1 :])
