"""The gradients of a convolution as convolutions: equal to the backward pass, and to the sums of the chain rule."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.layers.registry import build
from convcalc.reference import backward, forward
from convcalc.reference.gradient_convolutions import input_gradient, kernel_gradient

Axes = tuple[int, ...]


class Case(NamedTuple):
    batch: int
    groups: int
    inputs: int
    """Channels a group that are read."""
    outputs: int
    """Channels a group that are made."""
    kernel: Axes
    stride: Axes
    dilation: Axes
    padding: tuple[tuple[int, int], ...]
    space: Axes

    @property
    def layer(self) -> Any:
        fields = {"out": self.groups * self.outputs, "k": list(self.kernel), "s": list(self.stride)}
        padding = [list(pair) for pair in self.padding]
        more = {"d": list(self.dilation), "padding": padding, "g": self.groups, "bias": False}
        return build(f"conv{len(self.kernel)}d", fields | more)

    def arrays(self) -> tuple[Any, Any, Any]:
        """(x, w, gradient of the output) of whole numbers, on which every order of summation is exact."""
        rng = np.random.default_rng(prod(self.space) + self.batch)
        x = rng.integers(-5, 6, (self.batch, self.groups * self.inputs, *self.space)).astype(float)
        w = rng.integers(-5, 6, (self.groups * self.outputs, self.inputs, *self.kernel)).astype(float)
        return x, w, rng.integers(-5, 6, forward(self.layer, x, {"weight": w}).shape).astype(float)

    def gradients(self, x: Any, w: Any, grad: Any) -> tuple[Any, Any]:
        """(of the input, of the kernel), as convolutions."""
        how = (self.stride, self.dilation, self.padding)
        return (
            input_gradient(grad, w, *how, self.space, self.groups),
            kernel_gradient(x, grad, self.kernel, *how, self.groups),
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 3))
    largest = 4 if rank < 3 else 2

    def each(least: int, most: int) -> Axes:
        return tuple(draw(st.lists(st.integers(least, most), min_size=rank, max_size=rank)))

    kernel, stride, dilation = each(1, largest), each(1, 3), each(1, 3 if rank < 3 else 2)
    padding = tuple(zip(each(0, 3), each(0, 3), strict=True))
    room = each(0, 4)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    space = tuple(max(e - sum(p), 1) + r for e, p, r in zip(extents, padding, room, strict=True))
    numbers = [draw(st.integers(1, 3)) for _ in range(4)]
    return Case(*numbers, kernel, stride, dilation, padding, space)


@given(case=cases())
@settings(max_examples=200)
def test_they_are_the_backward_pass(case: Case) -> None:
    x, w, grad = case.arrays()
    (grad_x,), weights = backward(case.layer, x, {"weight": w}, grad)
    of_input, of_kernel = case.gradients(x, w, grad)
    np.testing.assert_array_equal(of_input, grad_x)
    np.testing.assert_array_equal(of_kernel, weights["weight"])


@given(case=cases())
@settings(max_examples=30)
def test_they_are_the_sums_of_the_chain_rule(case: Case) -> None:
    """Every product y += x·w hands w·∂f/∂y to x and x·∂f/∂y to w: nothing but loops and an index."""
    x, w, grad = case.arrays()
    of_x, of_w = np.zeros_like(x), np.zeros_like(w)
    for (n, a, *position), received in np.ndenumerate(grad):
        group = a // case.outputs
        for b, tap in product(range(case.inputs), product(*map(range, case.kernel))):
            at = tuple(
                q * s + t * d - p
                for q, s, t, d, (p, _) in zip(position, case.stride, tap, case.dilation, case.padding, strict=True)
            )
            if all(0 <= i < size for i, size in zip(at, case.space, strict=True)):
                source = (n, group * case.inputs + b, *at)
                of_x[source] += w[(a, b, *tap)] * received
                of_w[(a, b, *tap)] += x[source] * received
    of_input, of_kernel = case.gradients(x, w, grad)
    np.testing.assert_array_equal(of_input, of_x)
    np.testing.assert_array_equal(of_kernel, of_w)


@pytest.mark.parametrize("size", [6, 7])
def test_what_a_stride_leaves_over_is_told_by_the_space(size: int) -> None:
    """Both sizes give three windows; no window reads the seventh input."""
    case = Case(1, 1, 1, 1, (2,), (2,), (1,), ((0, 0),), (size,))
    _, w, grad = case.arrays()
    of_input, _ = case.gradients(np.ones((1, 1, size)), w, grad)
    assert of_input.shape == (1, 1, size)
    assert (of_input[0, 0, 6:] == 0).all()
