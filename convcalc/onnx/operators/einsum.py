"""Einsum: of one tensor a sum and another order of the axes, of two a product of matrices."""

from __future__ import annotations

import re
from math import prod

from ...layers.base import Shape
from ...models.making import Unsupported
from ..builder import Builder
from ..messages import Malformed, Unknown
from ..values import Activation, Call, Constant, Value
from .products import linear, product
from .record import Operator


def _terms(call: Call) -> tuple[list[str], str]:
    """(the axes of each input of an Einsum, those of its output), a letter each."""
    equation = call.node.word("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not re.fullmatch("[a-zA-Z,]*", left) or len(terms) != len(call.inputs):
        raise Unknown(f"its equation is {equation}")
    letters = [letter for letter in left if letter != ","]
    return terms, right if arrow else "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))


def _letter_sizes(call: Call) -> dict[str, int]:
    terms, right = _terms(call)
    sizes: dict[str, int] = {}
    for position, term in enumerate(terms):
        if len(term) != len(call.dims(position)):
            raise Malformed(f"its term '{term}' is not of {list(call.dims(position))}")
        for letter, size in zip(term, call.dims(position), strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    if not set(right) <= sizes.keys():
        raise Malformed(f"its output '{right}' has axes that no input has")
    return sizes


def _einsum_dims(call: Call) -> Shape:
    sizes = _letter_sizes(call)
    return tuple(sizes[letter] for letter in _terms(call)[1])


def _einsum_macs(call: Call, dims: Shape) -> int:
    """Of two tensors: the product of all sizes; of one nothing is multiplied."""
    return prod(_letter_sizes(call).values()) if len(call.inputs) == 2 else 0


def _ordered(b: Builder, value: Activation, have: str, want: str) -> Activation:
    """The axes in another order; letters are those that the language sees."""
    order = tuple(have.index(letter) for letter in want)
    return value if order == tuple(range(len(order))) else b.emit("permute", {"dims": order}, value)


def _merged(b: Builder, value: Activation, sizes: tuple[int, ...]) -> Activation:
    """The same numbers under these sizes, which exclude the batch."""
    return b.relayout(value, (*value.dims[:1], *sizes) if value.batched else sizes, batched=value.batched)


def _einsum(b: Builder) -> Activation:
    """Of two tensors: their axes in groups (both keep, one keeps, summed), which are merged around one product."""
    terms, right = _terms(b.call)
    values = [b.call.given(position) for position in range(len(terms))]
    _letter_sizes(b.call)  # each term has a letter for each axis
    if any(len(set(term)) < len(term) for term in terms):
        raise Unsupported("it takes a diagonal")
    if len(terms) == 1:
        return _of_one(b, b.activation(), terms[0], right)
    if len(terms) != 2:
        raise Unsupported(f"it multiplies {len(terms)} tensors")
    return _of_two(b, values, terms, right)


def _of_one(b: Builder, value: Activation, term: str, right: str) -> Activation:
    if value.batched:
        if right[:1] != term[0]:
            raise Unsupported("it moves the batch")
        term, right = term[1:], right[1:]
    gone = tuple(axis for axis, letter in enumerate(term) if letter not in right)
    if gone:
        value = b.emit("sum", {"dim": gone}, value)
        term = "".join(letter for letter in term if letter in right)
    return _ordered(b, value, term, right)


def _of_two(b: Builder, values: list[Value], terms: list[str], right: str) -> Activation:
    first, second = values
    shared = set(terms[0]) & set(terms[1])
    summed = "".join(letter for letter in terms[0] if letter in shared and letter not in right)
    if isinstance(first, Activation) and isinstance(second, Constant) and len(summed) == 1 and len(second.shape) == 2:
        (free,) = set(terms[1]) - {summed} or {""}
        if free and terms[0].endswith(summed) and right == terms[0][:-1] + free:
            rows, columns = second.shape if terms[1][0] == summed else second.shape[::-1]
            return linear(b, first, second, rows, columns, None)
    active = [value if isinstance(value, Activation) else b.parameter(value) for value in values]
    sizes = _letter_sizes(b.call)
    inside = list(terms)
    batched = [value.batched for value in active]
    if any(batched):
        batch = next(term[0] for term, given in zip(terms, batched, strict=True) if given)
        if right[:1] != batch or any(
            (batch in term) if not given else term[0] != batch for term, given in zip(terms, batched, strict=True)
        ):
            raise Unsupported("it moves the batch, or sums over it")
        inside = [term.replace(batch, "") for term in terms]
        right = right.replace(batch, "")
    both = "".join(letter for letter in right if all(letter in term for term in inside))
    own = ["".join(letter for letter in right if letter in term and letter not in both) for term in inside]
    if any(set(term) != set(both + free + summed) for term, free in zip(inside, own, strict=True)):
        raise Unsupported("it sums over an axis of one tensor alone")
    lengths = [prod(sizes[letter] for letter in letters) for letters in (own[0], summed, own[1])]
    kept = tuple(sizes[letter] for letter in both)
    left = _merged(b, _ordered(b, active[0], inside[0], both + own[0] + summed), (*kept, lengths[0], lengths[1]))
    other = _merged(b, _ordered(b, active[1], inside[1], both + summed + own[1]), (*kept, lengths[1], lengths[2]))
    made = product(b, left, other)
    letters = both + own[0] + own[1]
    return _ordered(b, _merged(b, made, tuple(sizes[letter] for letter in letters)), letters, right)


OPERATORS = (Operator("Einsum", _einsum, inputs=(1, None), dims=_einsum_dims, macs=_einsum_macs),)
