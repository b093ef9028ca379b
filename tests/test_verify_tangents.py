"""Derivatives along a direction: the transpose of every backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import layer_class
from convcalc.reference import backward, forward
from convcalc.verify.tangent import TANGENTS, tangent
from tests.layer_samples import COMPUTED
from tests.reference_examples import EXAMPLES, Example


@pytest.mark.parametrize("ties", [False, True], ids=["", "ties"])
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_it_is_the_transpose_of_the_backward_pass(example: Example, ties: bool) -> None:
    """〈g, J v〉 = 〈Jᵀ g, v〉 for any g and v; of whole numbers several are largest."""
    rng = np.random.default_rng(3)
    inputs: list[Any] = example.integers(rng) if ties else example.inputs(rng)
    if example.layer.reduction == "power":
        inputs = [np.abs(x) + 0.5 for x in inputs]
    weights = example.weights(rng)
    direction = [rng.standard_normal(x.shape) for x in inputs]
    along = tangent(example.layer, tuple(inputs), weights, tuple(direction))
    y = forward(example.layer, inputs, weights, training=True)
    assert along.shape == y.shape
    g = rng.standard_normal(y.shape)
    handed, _ = backward(example.layer, inputs, weights, g, training=True)
    there, back = float((g * along).sum()), sum(float((h * v).sum()) for h, v in zip(handed, direction, strict=True))
    assert there == pytest.approx(back, rel=1e-5, abs=1e-6)


def test_every_kind_has_one() -> None:
    assert not list(TANGENTS.strangers())
    assert all(TANGENTS.knows(kind) != layer_class(kind).activates for kind in COMPUTED)


def test_where_nothing_moves_nothing_changes() -> None:
    softmax = next(example for example in EXAMPLES if example.kind == "softmax")
    x = np.zeros((1, *softmax.shapes[0]))
    assert not tangent(softmax.layer, (x,), {}, (x,)).any()
