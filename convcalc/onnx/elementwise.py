"""Arithmetic on small constants, element by element."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from .model import SMALL, Malformed, OnnxNode
from .opaque import broadcast
from .values import Constant, strides


def _quotient(a: float, b: float) -> float:
    if not b:
        return 0
    if isinstance(a, int) and isinstance(b, int):
        return int(a / b) if abs(a) < 2**53 else a // b
    return a / b


ELEMENTWISE: dict[str, Callable[..., float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _quotient,
    "Mod": lambda a, b: a % b if b else 0,
    "Pow": lambda a, b: math.pow(a, b) if abs(a) < 1e9 and abs(b) < 30 and (a > 0 or b == int(b) >= 0) else math.nan,
    "Max": max,
    "Min": min,
    "Equal": lambda a, b: int(a == b),
    "Greater": lambda a, b: int(a > b),
    "GreaterOrEqual": lambda a, b: int(a >= b),
    "Less": lambda a, b: int(a < b),
    "LessOrEqual": lambda a, b: int(a <= b),
    "And": lambda a, b: int(bool(a and b)),
    "Or": lambda a, b: int(bool(a or b)),
    "Not": lambda a: int(not a),
    "Where": lambda condition, a, b: a if condition else b,
    "Neg": operator.neg,
    "Abs": abs,
    "Floor": lambda a: float(math.floor(a)) if math.isfinite(a) else a,
    "Ceil": lambda a: float(math.ceil(a)) if math.isfinite(a) else a,
    "Round": lambda a: float(round(a)) if math.isfinite(a) else a,
    "Sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "Reciprocal": lambda a: 1 / a if a else math.inf,
}


def elementwise(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """What an operator of `ELEMENTWISE` gives on constants that broadcast."""
    shape = broadcast(*(value.shape for value in inputs))
    floating = any(value.floating for value in inputs)
    name = next((value.name for value in inputs if value.is_weight), "")
    columns = [value.numbers for value in inputs]
    if prod(shape) > SMALL or any(column is None for column in columns):
        return Constant(shape, name=name, floating=floating)
    rank = len(shape)
    steps = []
    for value in inputs:
        own = strides(value.shape)
        sizes = value.shape
        lead = [0] * (rank - len(sizes))
        steps.append(lead + [stride if size != 1 else 0 for stride, size in zip(own, sizes, strict=True)])
    compute = ELEMENTWISE[node.op]
    numbers = []
    for at in product(*map(range, shape)):
        row = [
            (column or ())[sum(i * s for i, s in zip(at, own, strict=True))]
            for column, own in zip(columns, steps, strict=True)
        ]
        try:
            number = compute(*row)
        except (ArithmeticError, TypeError) as error:
            raise Malformed(f"it cannot be computed: {error}") from error
        if abs(number) >= 2**64:
            return Constant(shape, name=name, floating=floating)
        numbers.append(number)
    return Constant(shape, tuple(numbers), name=name, floating=floating)
