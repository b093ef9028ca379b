"""What operators compute of small constants, as exporters compute the shapes, pads and scales of a network.

Numbers stand in row order. A fold gives None, or a constant without numbers, where they are not known; what they mean
is ONNX's (https://onnx.ai/onnx/operators), and tests hold each fold against the onnx package's reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, product
from math import prod

from ...layers.base import Shape
from ..messages import SMALL, Malformed
from ..values import Call, Constant, Numbers, counted, strides
from .record import Fold

UNBOUNDED = 2**64
"""Numbers from here on are given up: they are no sizes, and would grow without bound."""


def computed(compute: Callable[..., float], inputs: int | None = None) -> Fold:
    """The fold of an operator that computes each element on its own, of inputs that broadcast: the first, or all."""

    def fold(call: Call, shape: Shape) -> Constant:
        return elementwise(compute, [value for value in call.inputs[:inputs] if isinstance(value, Constant)], shape)

    return fold


def few(shape: Sequence[int]) -> bool:
    """Whether numbers of this shape are written out: not where an axis is long, be another one empty.

    >>> few((64, 64)), few((64, 65)), few((0, 5000))
    (True, False, False)
    """
    return prod(shape) <= SMALL and max(shape, default=0) <= SMALL


def _numbers(call: Call, position: int = 0) -> Numbers | None:
    """The numbers of an input that must be there; None where they are not known, or many."""
    value = call.constant(position)
    return value.numbers if few(value.shape) else None


def elementwise(compute: Callable[..., float], inputs: list[Constant], shape: Shape) -> Constant:
    """Each element computed on its own, of inputs that broadcast to a shape."""
    name = next((value.name for value in inputs if value.is_weight), "")
    numbers: list[float] | None = None
    if few(shape) and all(value.numbers is not None for value in inputs):
        numbers = _elements(compute, inputs, shape)
    floating = any(value.floating for value in inputs)
    return Constant(shape, tuple(numbers) if numbers is not None else None, name=name, floating=floating)


def _elements(compute: Callable[..., float], inputs: list[Constant], shape: Shape) -> list[float] | None:
    """The elements in row order; None where they grow without bound."""
    columns = [(value.numbers or (), _broadcasting(value, len(shape))) for value in inputs]
    numbers = []
    for at in product(*map(range, shape)):
        row = [column[_place(at, own)] for column, own in columns]
        try:
            number = compute(*row)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise Malformed(f"it cannot be computed: {error}") from error
        if abs(number) >= UNBOUNDED:
            return None
        numbers.append(number)
    return numbers


def _broadcasting(value: Constant, rank: int) -> list[int]:
    """How far apart its elements are along each axis of a shape that it broadcasts to: not at all where it repeats."""
    own = [step if size != 1 else 0 for step, size in zip(strides(value.shape), value.shape, strict=True)]
    return [0] * (rank - len(own)) + own


def _place(at: Iterable[int], steps: Iterable[int]) -> int:
    """Where the element at these positions stands in row order."""
    return sum(i * step for i, step in zip(at, steps, strict=True))


def taken(value: Constant, steps: Sequence[int], spans: Sequence[Sequence[int]]) -> Numbers | None:
    """The numbers at the positions of the cross product of `spans`, `steps` apart; None for many."""
    numbers = value.numbers
    if numbers is None or not few([len(span) for span in spans]):
        return None
    return tuple(numbers[_place(at, steps)] for at in product(*spans))


def broadcast_to(call: Call, shape: Shape) -> Constant:
    """Expand: the first input, repeated along axes of size 1 and new ones."""
    value = call.constant()
    return value.become(shape, taken(value, _broadcasting(value, len(shape)), [range(size) for size in shape]))


def repeated(call: Call, shape: Shape) -> Constant:
    """Tile: the first input, over and over along each axis."""
    value = call.constant()
    if not few(shape):
        return value.become(shape, None)
    spans = [[i % own for i in range(size)] for size, own in zip(shape, value.shape, strict=True)]
    return value.become(shape, taken(value, strides(value.shape), spans))


def reduction(reduce: Callable[[Sequence[float]], float], axes_of: Callable[[Call], Sequence[int]]) -> Fold:
    """The fold of an operator that makes one number of all those along some axes."""

    def fold(call: Call, shape: Shape) -> Constant | None:
        value, axes, numbers = call.constant(), axes_of(call), _numbers(call)
        if numbers is None:
            return Constant(shape, name=value.name, floating=value.floating)
        kept = [range(1 if axis in axes else size) for axis, size in enumerate(value.shape)]
        inner = [range(size if axis in axes else 1) for axis, size in enumerate(value.shape)]
        steps = strides(value.shape)
        found = []
        for at in product(*kept):
            start = _place(at, steps)
            row = [numbers[start + _place(within, steps)] for within in product(*inner)]
            try:
                found.append(reduce(row))
            except (ArithmeticError, ValueError):  # Of nothing, or beyond floats.
                return None
        return Constant(shape, tuple(found)) if all(abs(number) < UNBOUNDED for number in found) else None

    return fold


def added_up(call: Call, shape: Shape) -> Constant | None:
    """CumSum: sums along an axis so far, from either end, with or without the element itself."""
    value, axes, numbers = call.constant(), call.integers(1, "axis"), _numbers(call)
    if len(axes) != 1:
        raise Malformed(f"its axis {list(axes)} is not one")
    if numbers is None:
        return None
    position, steps = counted(axes[0], len(shape)), strides(shape)
    backward, before = call.node.integer("reverse"), call.node.integer("exclusive")
    found = list(numbers)
    for at in product(*[range(1 if n == position else size) for n, size in enumerate(shape)]):
        places = [_place(at, steps) + i * steps[position] for i in range(shape[position])]
        places = places[::-1] if backward else places
        sums = list(accumulate([numbers[place] for place in places], initial=0))
        for place, total in zip(places, sums if before else sums[1:], strict=False):
            found[place] = total
    return value.become(shape, tuple(found)) if all(abs(number) < UNBOUNDED for number in found) else None


def gathered_elements(call: Call, shape: Shape) -> Constant:
    """GatherElements: each element from the position that its index says along one axis."""
    value, axis, numbers = call.constant(), call.axis(), _numbers(call)
    steps = strides(value.shape)
    if numbers is None or _numbers(call, 1) is None:
        return value.become(shape, None)
    if len(shape) != len(value.shape):
        raise Malformed(f"its indices {list(shape)} and {list(value.shape)} have different ranks")
    wanted = [_inside(index, value.shape[axis]) for index in call.integers(1, "indices")]
    found = []
    for at, index in zip(product(*map(range, shape)), wanted, strict=True):
        where = (*at[:axis], index, *at[axis + 1 :])
        found.append(numbers[_within(where, value.shape, steps, shape)])
    return value.become(shape, tuple(found))


def gathered_slices(call: Call, shape: Shape) -> Constant | None:
    """GatherND without batch axes: the slices at positions that stand along the last axis of the indices."""
    value, indices, numbers = call.constant(), call.constant(1), _numbers(call)
    if numbers is None or _numbers(call, 1) is None or not few(shape):
        return None
    width = indices.shape[-1]
    each = prod(value.shape[width:])
    found: list[float] = []
    for start in _starts(call.integers(1, "indices"), value.shape[:width], each):
        found += numbers[start : start + each]
    return value.become(shape, tuple(found))


def scattered_slices(call: Call, shape: Shape) -> Constant:
    """ScatterND: the first input with slices put where the indices say, one behind the other."""
    value, indices, updates = call.constant(), call.constant(1), call.constant(2)
    numbers, given = _numbers(call), _numbers(call, 2)
    if numbers is None or given is None or _numbers(call, 1) is None or _combines(call):
        return Constant(shape, floating=value.floating or updates.floating)
    width = indices.shape[-1] if indices.shape else 0
    if not 0 < width <= len(shape):
        raise Malformed(f"its indices {list(indices.shape)} are not positions in {list(shape)}")
    each = prod(shape[width:])
    found = list(numbers)
    for n, start in enumerate(_starts(call.integers(1, "indices"), shape[:width], each)):
        if len(given) < (n + 1) * each:
            raise Malformed(f"its updates {list(updates.shape)} are fewer than its indices ask for")
        found[start : start + each] = given[n * each : (n + 1) * each]
    return value.become(shape, tuple(found))


def scattered_elements(call: Call, shape: Shape) -> Constant | None:
    """ScatterElements: the first input with each element put at the position that its index says along one axis."""
    value, indices, updates = call.constant(), call.constant(1), call.constant(2)
    numbers, given = _numbers(call), _numbers(call, 2)
    if numbers is None or given is None or _numbers(call, 1) is None or _combines(call):
        return None
    if updates.shape != indices.shape or len(shape) != len(indices.shape):
        raise Malformed(f"its indices {list(indices.shape)} and updates {list(updates.shape)} do not fit {list(shape)}")
    axis, steps = call.axis(), strides(shape)
    found = list(numbers)
    rows = zip(product(*map(range, indices.shape)), call.integers(1, "indices"), given, strict=True)
    for at, index, number in rows:
        where = (*at[:axis], _inside(index, shape[axis]), *at[axis + 1 :])
        found[_within(where, shape, steps, indices.shape)] = number
    return value.become(shape, tuple(found))


def _within(where: Sequence[int], sizes: Shape, steps: Sequence[int], indices: Shape) -> int:
    """Where the element at these positions stands. Raises `Malformed` for one outside, of the shape of its indices."""
    if any(i >= size for i, size in zip(where, sizes, strict=True)):
        raise Malformed(f"its indices {list(indices)} reach outside {list(sizes)}")
    return _place(where, steps)


def _combines(call: Call) -> bool:
    """Whether a scatter reckons with what stands where it writes."""
    return call.node.word("reduction", "none") != "none"


def _starts(indices: Sequence[int], sizes: Shape, each: int) -> list[int]:
    """Where the slices of `each` numbers begin, whose positions on the first axes are given one after the other."""
    width, steps = len(sizes), [step * each for step in strides(sizes)]
    rows = [indices[n : n + width] for n in range(0, len(indices), width)] if width else []
    return [_place([_inside(i, size) for i, size in zip(row, sizes, strict=True)], steps) for row in rows]


def _inside(index: int, size: int) -> int:
    """An index counted from the front. Raises `Malformed` for one outside."""
    found = index + size * (index < 0)
    if not 0 <= found < size:
        raise Malformed(f"index {index} reaches outside {size}")
    return found
