"""Multiply-accumulates of the operators of an exported graph, those that ATen makes of others among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Shape = tuple[int, ...]
Shaped = Mapping[str, Any]
"""Arguments by name, with shapes in place of tensors."""


MOST_AXES = 64
MOST_SIZE = 2**63 - 1


def _shape(argument: object) -> Shape:
    """An argument as the shape of a tensor. Raises TypeError for what is none: a file may have anything there."""
    if not isinstance(argument, tuple) or len(argument) > MOST_AXES:
        raise TypeError
    if not all(isinstance(size, int) and 0 <= size <= MOST_SIZE for size in argument):
        raise TypeError
    return argument


def _windows(given: Shaped, output: Shape) -> int:
    return prod(output) * prod(_shape(given["weight"])[1:])


def _transposed(given: Shaped, output: Shape) -> int:
    return prod(_shape(given["input"])) * prod(_shape(given["weight"])[1:])


def _convolution(given: Shaped, output: Shape) -> int:
    return _transposed(given, output) if given.get("transposed") else _windows(given, output)


def _matmul(given: Shaped, output: Shape) -> int:
    return prod(output) * _shape(given["self"])[-1]


def _added(given: Shaped, output: Shape) -> int:
    return prod(output) * _shape(given["mat1" if "mat1" in given else "batch1"])[-1]


def _attention(given: Shaped, output: Shape) -> int:
    query, key, value = (_shape(given[name]) for name in ("query", "key", "value"))
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _einsum(given: Shaped, output: Shape) -> int:
    """Of two operands, each combination of their axes once."""
    if not isinstance(given["equation"], str):
        raise TypeError
    terms = given["equation"].partition("->")[0].replace(" ", "").split(",")
    operands = [_shape(operand) for operand in given["tensors"]]
    if len(terms) != 2 or len(operands) != 2 or any(len(t) != len(o) for t, o in zip(terms, operands, strict=True)):
        return 0
    return prod(
        {
            axis: size
            for term, shape in zip(terms, operands, strict=True)
            for axis, size in zip(term, shape, strict=True)
        }.values()
    )


def _recurrent(given: Shaped, output: Shape) -> int:
    """Each matrix once for every position of every sequence; the other params are biases."""
    params = [_shape(param) for param in given["params"]]
    return prod(_shape(given["input"])[:-1]) * sum([prod(param) for param in params if len(param) == 2])


FORMULAS: dict[str, Callable[[Shaped, Shape], int]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _windows),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    **dict.fromkeys(("convolution", "_convolution"), _convolution),
    **dict.fromkeys(("matmul", "bmm", "mm", "mv"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm"), _added),
    "linear": lambda given, output: prod(output) * _shape(given["weight"])[-1],
    "scaled_dot_product_attention": _attention,
    "einsum": _einsum,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
}
"""Operator without its overload -> what it multiplies. What is not here multiplies nothing with a sum."""


def macs(operator: str, given: Shaped, output: Shape) -> int:
    """Products with a sum of a call of `aten.NAME.OVERLOAD`; 0 where the shapes are none that it takes.

    >>> macs("aten.conv2d.default", {"input": (1, 3, 8, 8), "weight": (16, 3, 3, 3)}, (1, 16, 8, 8))
    27648
    """
    formula = FORMULAS.get(operator.split(".")[1] if operator.count(".") else operator)
    try:
        return formula(given, output) if formula is not None else 0
    except (KeyError, IndexError, TypeError):
        return 0
