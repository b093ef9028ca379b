"""What a version promises stays: the record of the last one is held against the program."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent
from typing import Any

import pytest

import convcalc
from tools import contract

CLASSES = [found for name in convcalc.__all__ if inspect.isclass(found := getattr(convcalc, name))]


@pytest.fixture(scope="module")
def recorded() -> Any:
    return contract.recorded()


@pytest.mark.parametrize("part", ["formats", "language", "exits", "options", "python"])
def test_nothing_is_lost(part: str, recorded: Any) -> None:
    now = {
        "formats": contract.formats,
        "language": contract.language,
        "exits": contract.exits,
        "options": contract.options,
        "python": contract.names,
    }[part]()
    assert contract.broken({part: recorded[part]}, {part: now}) == []


@pytest.mark.slow
def test_no_key_of_json_is_lost(recorded: Any) -> None:
    assert contract.broken({"json": recorded["json"]}, {"json": contract.keys()}) == []


def test_a_lost_word_and_a_parameter_that_became_required_are_found() -> None:
    recorded = {"language": ["conv2d.dilation"], "python": ["load(0, spec)", "load(variant) optional"]}
    now = {"language": [], "python": ["load(0, spec)", "load(variant)"]}
    assert contract.broken(recorded, now) == ["language: conv2d.dilation", "python: load(variant) optional"]


def described(of: type) -> set[str]:
    """The members of a class that have a docstring: methods their own, fields the text behind them."""
    (body,) = ast.parse(dedent(inspect.getsource(of))).body
    assert isinstance(body, ast.ClassDef)
    found = {each.name for each in body.body if isinstance(each, ast.FunctionDef) and ast.get_docstring(each)}
    for field, text in pairwise(body.body):
        if isinstance(text, ast.Expr) and isinstance(field, ast.AnnAssign | ast.Assign):
            (name,) = [field.target] if isinstance(field, ast.AnnAssign) else field.targets
            assert isinstance(name, ast.Name)
            found.add(name.id)
    return found


@pytest.mark.parametrize("of", CLASSES, ids=lambda of: of.__name__)
def test_what_is_promised_is_described(of: type) -> None:
    bases = [base for base in of.__mro__ if base.__module__.startswith("convcalc.")]
    assert contract.members(of) - set().union(*map(described, bases)) == set()
