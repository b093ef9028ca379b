"""A formula is one record: the function, its expression as text, and its source.

`@formula(...)` files the record and returns the function untouched, so the code that computes is
the code that `convcalc explain` prints. A test evaluates every expression on random numbers and
holds it equal to its function.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

SYMBOLS = {
    "size": "i",
    "kernel_size": "k",
    "stride": "s",
    "before": "pl",
    "after": "pr",
    "dilation": "d",
    "output_padding": "op",
    "output": "o",
    "groups": "g",
    "in_channels": "c_in",
    "out_channels": "c_out",
    "middle": "m",
    "first": "u",
    "last": "v",
    "jump": "j",
}
"""Parameter name -> the letter that stands for it in an expression."""

Function = TypeVar("Function", bound=Callable[..., Any])


class Formula(NamedTuple):
    """One formula: `result = expression`, the function that computes it, and where it is from."""

    name: str
    result: str
    expression: str
    source: str
    function: Callable[..., Any]

    @property
    def symbols(self) -> dict[str, str]:
        """Letter in the expression -> parameter of the function."""
        return {SYMBOLS.get(p, p): p for p in _parameters(self.function)}

    def substituted(self, **values: object) -> str:
        """The expression with the letters replaced by `values` (keyed by parameter name)."""
        import re

        letters = {letter: _number(values[p]) for letter, p in self.symbols.items() if p in values}
        return re.sub(r"[A-Za-z_]\w*", lambda m: letters.get(m[0], m[0]), self.expression)


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters."""
    return tuple(inspect.signature(function).parameters)


def _number(value: object) -> str:
    """A number in the place of a letter: what is negative or a fraction stands in brackets."""
    text = str(value)
    return f"({text})" if text.startswith("-") or "/" in text else text


FORMULAS: dict[str, Formula] = {}
"""Every formula, by the name of its function."""


def formula(result: str, expression: str, source: str) -> Callable[[Function], Function]:
    """File the decorated function as a formula: `result = expression`, from `source`."""

    def register(function: Function) -> Function:
        name = function.__name__
        FORMULAS[name] = Formula(name, result, expression, source, function)
        return function

    return register
