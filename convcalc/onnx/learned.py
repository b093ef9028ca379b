"""Which tensors of a file are parameters: what their names and their numbers tell where the file does not say it.

PyTorch's newer exporter notes what each tensor was. The older one writes parameters and buffers alike; a buffer is
known by its name where that is PyTorch's own, or by numbers that nobody learns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product
from math import prod

from .messages import OnnxNode, Tensor

OF_PYTORCH = re.compile(
    r"/(?:.*/)?Constant(?:_\d+)?_output_0|onnx::(?:Add|Concat|Expand|Gather|Mul|Sub)_\d+", re.DOTALL
)
"""How PyTorch's exporter calls constants of the code; it never writes a parameter or a buffer as one."""
STATISTICS = (".running_mean", ".running_var")
"""How the names of the buffers of a batch norm end."""
MOST_COORDINATES = 4
"""Axes of a grid whose positions a table has: width and height, of a video also time."""
LARGEST = 1 << 14
"""Numbers of a tensor that are looked at."""
SMALLEST_MASK = 16
"""Positions among which a mask chooses."""
MASKED = -10
"""The most that a mask adds where it lets nothing through."""
RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
"""Operators that add two biases."""
NORMS = frozenset({"BatchNormalization", "SpatialBN"})
"""Operators that read the statistics of a batch norm as such."""


def of_a_module(name: str) -> bool:
    """Whether a tensor's name is that of a module's own: no exporter made it up.

    >>> of_a_module("blocks.0.gain"), of_a_module("onnx::Mul_193"), of_a_module("/Constant_output_0")
    (True, False, False)
    """
    return "." in name and not re.search(r"::|/|\s", name)


def frozen_norms(nodes: Iterable[OnnxNode]) -> frozenset[str]:
    """The modules whose running variance is computed with, as torchvision's FrozenBatchNorm2d does: all are buffers.

    Batch norms of folded files may be computed with as well, but keep no tensor of the name of their weight.
    """
    return frozenset(
        name.removesuffix(STATISTICS[1])
        for node in nodes
        if node.op not in NORMS
        for name in node.reads
        if name.endswith(STATISTICS[1])
    )


def is_buffer(tensor: Tensor, frozen: frozenset[str]) -> bool:
    """Whether nothing learns a tensor of the file, as far as names and numbers tell."""
    module, _, name = tensor.name.rpartition(".")
    if tensor.name.endswith(STATISTICS) or module in frozen:
        return True
    dims = tensor.dims
    if len(dims) > 2 and dims[-1] == dims[-2] >= SMALLEST_MASK and not of_a_module(tensor.name) and tensor.floating:
        return is_mask(tensor.first_numbers(LARGEST))
    if len(dims) < 3 or prod(dims) > LARGEST or name in ("weight", "bias") or not tensor.floating:
        return False
    test = is_filter if dims[1] == 1 < dims[0] else is_grid if 2 <= dims[-1] <= MOST_COORDINATES else None
    numbers = tensor.numbers(LARGEST) if test is not None else None
    return test is not None and bool(numbers) and test(dims, numbers or ())


def recurrent_biases(nodes: Iterable[OnnxNode]) -> frozenset[str]:
    """The tensors that recurrent operators read as both of their biases."""
    return frozenset(node.inputs[3] for node in nodes if node.op in RECURRENT and len(node.inputs) > 3)


def is_half_zero(tensor: Tensor) -> bool:
    """Whether of two biases side by side the second is 0, and the first is not: nothing learns it.

    What a state adds to its product with the input and to that with the state before gets one gradient, so that two
    learned biases that start at 0 both leave it.
    """
    if len(tensor.dims) != 2 or prod(tensor.dims) > LARGEST or not tensor.floating:
        return False
    numbers, width = tensor.numbers(LARGEST) or (), tensor.dims[1]
    rows = [numbers[start : start + width] for start in range(0, len(numbers), width)]
    return any(any(row[: width // 2]) for row in rows) and not any(any(row[width // 2 :]) for row in rows)


def is_mask(numbers: Sequence[float]) -> bool:
    """Whether numbers are those of a mask that is added to scores: 0 where they stay, else the same far below it.

    >>> is_mask((0, 0, -100, 0)), is_mask((0, 0, 0.5, 0)), is_mask(())
    (True, False, False)
    """
    below = set(numbers) - {0}
    return bool(numbers) and len(below) < 2 and all(number <= MASKED for number in below)


def is_grid(dims: Sequence[int], numbers: Sequence[float]) -> bool:
    """Whether a table [..., c] has the coordinates of the points of a grid: each along an axis of its own.

    >>> is_grid((2, 2, 2), (0, 0, 0, 1, 1, 0, 1, 1)), is_grid((2, 2, 2), (0, 0, 0, 1, 1, 0, 1, 2))
    (True, False)
    """
    *sizes, coordinates = dims
    axes: list[int] = []
    for which in range(coordinates):
        plane = numbers[which::coordinates]
        varied = [axis for axis, size in enumerate(sizes) if size > 1 and not _same_along(plane, sizes, axis)]
        if len(varied) != 1:
            return False
        axes += varied
    return len(set(axes)) == coordinates


def _same_along(numbers: Sequence[float], sizes: Sequence[int], axis: int) -> bool:
    """Whether the numbers do not change along an axis."""
    inner, size = prod(sizes[axis + 1 :]), sizes[axis]
    rows = range(0, len(numbers), inner * size)
    return all(
        numbers[start + step * inner : start + (step + 1) * inner] == numbers[start : start + inner]
        for start, step in product(rows, range(1, size))
    )


def is_filter(dims: Sequence[int], numbers: Sequence[float]) -> bool:
    """Whether a tensor [C, 1, ...] holds one filter for all channels, as those that blur do.

    >>> is_filter((2, 1, 3), (1, 2, 1, 1, 2, 1)), is_filter((2, 1, 3), (1, 2, 1, 1, 2, 2))
    (True, False)
    """
    first = tuple(numbers[: prod(dims[1:])])
    return len(set(first)) > 1 and tuple(numbers) == first * dims[0]
