"""Multiply-accumulates of the operators of an exported graph, those that ATen makes of others among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Shape = tuple[int, ...]
Shaped = Mapping[str, Any]
"""Arguments by name, with shapes in place of tensors."""


def _product(shape: Shape) -> int:
    return prod(shape)


def _windows(given: Shaped, output: Shape) -> int:
    weight: Shape = given["weight"]
    return prod(output) * prod(weight[1:])


def _transposed(given: Shaped, output: Shape) -> int:
    source, weight = given["input"], given["weight"]
    return _product(source) * _product(weight[1:])


def _convolution(given: Shaped, output: Shape) -> int:
    return _transposed(given, output) if given.get("transposed") else _windows(given, output)


def _matmul(given: Shaped, output: Shape) -> int:
    return prod(output) * int(given["self"][-1])


def _added(given: Shaped, output: Shape) -> int:
    return prod(output) * int(given["mat1" if "mat1" in given else "batch1"][-1])


def _attention(given: Shaped, output: Shape) -> int:
    query, key, value = given["query"], given["key"], given["value"]
    return _product(query[:-1]) * int(key[-2] * (query[-1] + value[-1]))


def _einsum(given: Shaped, output: Shape) -> int:
    """Of two operands, each combination of their axes once."""
    terms = given["equation"].partition("->")[0].replace(" ", "").split(",")
    operands = given["tensors"]
    if len(terms) != 2 or len(operands) != 2 or any(len(t) != len(o) for t, o in zip(terms, operands, strict=True)):
        return 0
    return prod(
        {
            axis: size
            for term, shape in zip(terms, operands, strict=True)
            for axis, size in zip(term, shape, strict=True)
        }.values()
    )


FORMULAS: dict[str, Callable[[Shaped, Shape], int]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _windows),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    **dict.fromkeys(("convolution", "_convolution"), _convolution),
    **dict.fromkeys(("matmul", "bmm", "mm", "mv"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm"), _added),
    "linear": lambda given, output: prod(output) * int(given["weight"][-1]),
    "scaled_dot_product_attention": _attention,
    "einsum": _einsum,
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
