"""Backward passes: exact adjoints where a layer is linear, finite differences everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import layer_class
from convcalc.reference import backward, forward
from convcalc.reference.dispatch import operation, twin
from tests.layer_samples import COMPUTED
from tests.reference_examples import EXAMPLES, Example

LINEAR = [example for example in EXAMPLES if example.linear]
STEP = 1e-6


def differing(gradient: Any, difference: float, direction: Any) -> float:
    """How far the gradient is from the difference quotient, relative to what it sums."""
    scale = 1e-3 + float(np.abs(gradient * direction).sum())
    return abs(float((gradient * direction).sum()) - difference) / scale


def quotient(example: Example, inputs: list[Any], weights: dict[str, Any], grad: Any, moved: Any, along: Any) -> float:
    """The central difference of sum(output·grad) when the array `moved` moves along a direction, in place."""
    values = []
    kept = moved.copy()
    for sign in (1, -1):
        moved += sign * STEP * along
        values.append(float((forward(example.layer, inputs, weights) * grad).sum()))
        moved[...] = kept
    return (values[0] - values[1]) / (2 * STEP)


def test_every_kind_has_an_example_and_both_passes() -> None:
    assert {example.kind for example in EXAMPLES} == set(COMPUTED)
    assert all(twin(layer_class(kind), kind) for kind in COMPUTED)
    for example in EXAMPLES:
        assert callable(operation(example.layer).forward)
        assert callable(operation(example.layer).backward)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_gradients_equal_finite_differences(example: Example) -> None:
    rng = np.random.default_rng(7)
    inputs, weights = example.inputs(rng), example.weights(rng)
    if example.kind == "lp_pool1d" or example.kind == "lp_pool2d":
        inputs = [np.abs(x) + 0.1 for x in inputs]
    grad = rng.standard_normal(forward(example.layer, inputs, weights).shape)
    grad_inputs, grad_weights = backward(example.layer, inputs, weights, grad)
    assert len(grad_inputs) == len(inputs)
    for x, gradient in zip(inputs, grad_inputs, strict=True):
        assert gradient.shape == x.shape
        along = rng.standard_normal(x.shape)
        assert differing(gradient, quotient(example, inputs, weights, grad, x, along), along) < 1e-5
    learnable = {weight.name for weight in example.layer.weights(example.shapes) if weight.learnable}
    assert set(grad_weights) == learnable
    for name, gradient in grad_weights.items():
        assert gradient.shape == weights[name].shape
        along = rng.standard_normal(gradient.shape)
        assert differing(gradient, quotient(example, inputs, weights, grad, weights[name], along), along) < 1e-5


@pytest.mark.parametrize("example", LINEAR, ids=str)
def test_backward_of_a_linear_layer_is_exactly_its_adjoint(example: Example) -> None:
    """⟨A x, g⟩ = ⟨x, Aᵀ g⟩, without rounding on whole numbers, and the same for the weights."""
    rng = np.random.default_rng(3)
    inputs, weights = example.integers(rng), example.whole_weights(rng)
    y = forward(example.layer, inputs, weights)
    grad = rng.integers(-4, 5, y.shape).astype(float)
    grad_inputs, grad_weights = backward(example.layer, inputs, weights, grad)
    product = (y * grad).sum()
    assert product == sum((x * g).sum() for x, g in zip(inputs, grad_inputs, strict=True))
    for name, gradient in grad_weights.items():
        if not name.endswith("bias"):
            assert product == (weights[name] * gradient).sum()


@pytest.mark.parametrize("kind", ["batch_norm", "instance_norm"])
def test_statistics_of_the_batch_in_training(kind: str) -> None:
    """In training the statistics take part in the gradient; running ones are not used."""
    rng = np.random.default_rng(1)
    example = Example(kind, {"affine": True, "track_running_stats": True}, ((4, 7, 6),), False)
    (x,), weights = example.inputs(rng), example.weights(rng)
    trained = forward(example.layer, x, weights, training=True)
    assert not np.allclose(trained, forward(example.layer, x, weights))
    without = {name: w for name, w in weights.items() if not name.startswith("running")}
    np.testing.assert_array_equal(trained, forward(example.layer, x, without))
    grad = rng.standard_normal(x.shape)
    ((grad_x,), _) = backward(example.layer, x, weights, grad, training=True)
    along = rng.standard_normal(x.shape)
    assert differing(grad_x, quotient(example, [x], without, grad, x, along), along) < 1e-5


def test_a_wrong_gradient_is_noticed() -> None:
    example = next(example for example in EXAMPLES if example.kind == "tanh")
    rng = np.random.default_rng(0)
    inputs = example.inputs(rng)
    grad, along = rng.standard_normal(inputs[0].shape), rng.standard_normal(inputs[0].shape)
    ((gradient,), _) = backward(example.layer, inputs, {}, grad)
    measured = quotient(example, inputs, {}, grad, inputs[0], along)
    assert differing(gradient, measured, along) < 1e-5 < differing(1.001 * gradient, measured, along)


def test_the_gradient_of_equal_maxima_goes_to_the_first() -> None:
    example = Example("max_pool2d", {"k": 2}, ((1, 2, 2),), False)
    ((gradient,), _) = backward(example.layer, np.zeros((1, 1, 2, 2)), {}, np.ones((1, 1, 1, 1)))
    np.testing.assert_array_equal(gradient[0, 0], [[1, 0], [0, 0]])
