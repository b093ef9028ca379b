"""How often an item stands, and whether: what `repeat` and `when` say of it."""

from __future__ import annotations

from ..marked import Marked
from .expressions import Env, Expression
from .items import Item
from .params import Compiled, counted, evaluated
from .problems import Problem
from .values import say


def repetitions(item: Item, env: Env) -> int | None:
    """How often an item is repeated; None without `repeat`. Raises a Problem placed at it."""
    if item.repeat is None:
        return None
    compiled, at = item.repeat
    return counted(compiled, env, at, "repeat takes", 0)


def holds(when: tuple[Compiled, Marked], env: Env) -> bool:
    """Whether a condition is true. Raises a Problem placed at it."""
    value = evaluated(when[0], env, when[1])
    if isinstance(value, bool):
        return value
    problem = Problem("CC103", f"when takes true or false, not {say(value or 0)}", "compare: x != 0")
    problem.at = when[1]
    raise problem


def without_input(item: Item, env: Env) -> tuple[int, bool]:
    """(repetitions, whether the item is passed over) as far as they do not depend on what arrives.

    An item whose input may be missing is judged by this: what reads `in_channels` counts as repeated once,
    and as true.
    """
    times = 1
    if item.repeat is not None and _blind(item.repeat[0]):
        times = repetitions(item, env) or 0
    if times and item.when is not None and _blind(item.when[0]) and not (item.repeat and item.indexed):
        return times, not holds(item.when, env)
    return times, times == 0


def _blind(compiled: Compiled) -> bool:
    """Whether a value does not depend on what arrives."""
    return not (isinstance(compiled, Expression) and "in_channels" in compiled.names)
