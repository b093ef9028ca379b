"""What expressions give under names, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from convcalc.language.expressions import compile_expression
from convcalc.language.problems import Problem


def value(text: str, **names: Any) -> Any:
    """The value of an expression."""
    return compile_expression(text).evaluate(names)


def problem(text: str, **names: Any) -> Problem:
    """The problem that an expression has."""
    with pytest.raises(Problem) as caught:
        value(text, **names)
    return caught.value
