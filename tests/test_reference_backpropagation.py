"""Gradients of whole networks: against differences, through joins, and only where the loss looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc import loads
from convcalc.network import Network
from convcalc.reference import Step, backpropagate, run

BRANCHES = """convcalc: 1
input: [2, 6, 6]
layers:
  - {conv2d: {out: 4, k: 3, p: 1}, name: stem}
  - tanh
  - add:
      branches:
        long: [{conv2d: {out: 4, k: 3, p: 1}}, batch_norm, sigmoid]
        short: []
    name: block
  - concat:
      branches:
        pool: [{avg_pool2d: {k: 3, s: 1, p: 1}}]
        same: [tanh]
    name: wide
  - global_avg_pool
  - flatten
  - {linear: {out: 3}, name: fc}
"""


def losses(network: Network, x: Any, weights: Any, noise: dict[int, Any]) -> float:
    """The loss: the sum of output times noise."""
    found = 0.0
    for step in run(network, x, dtype="float64", weights=weights, training=True):
        if step.number in noise:
            found += float((step.output * noise[step.number]).sum())
    return found


def test_gradients_are_differences() -> None:
    network = loads(BRANCHES)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 2, 6, 6))
    steps = list(run(network, x, dtype="float64", training=True))
    weights = {step.node.name: step.weights for step in steps}
    seen = [step for step in steps if step.node.name in ("fc", "block")]
    noise = {step.number: rng.standard_normal(step.output.shape) for step in seen}
    backs = {back.node.name: back for back in backpropagate(steps, noise)}
    assert steps == []
    (grad_x,) = backs["stem"].grad_inputs
    step = 1e-5
    for place in [(0, 0, 0, 0), (1, 1, 3, 2), (0, 1, 5, 5)]:
        moved = np.zeros_like(x)
        moved[place] = step
        slope = (losses(network, x + moved, weights, noise) - losses(network, x - moved, weights, noise)) / (2 * step)
        assert grad_x[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    weight: Any = weights["stem"]["weight"]
    for index in [(0, 0, 0, 0), (3, 1, 1, 2)]:
        kept = weight[index]
        values = []
        for change in (step, -step):
            weight[index] = kept + change
            values.append(losses(network, x, weights, noise))
        weight[index] = kept
        slope = (values[0] - values[1]) / (2 * step)
        assert backs["stem"].grad_weights["weight"][index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_layers_behind_the_loss_are_passed_over() -> None:
    network = loads("{convcalc: 1, input: [2, 4, 4], layers: [relu, {tanh: {}, name: seen}, sigmoid]}")
    steps: list[Step] = list(run(network))
    backs = [back.node.name for back in backpropagate(steps, {2: np.ones((1, 2, 4, 4), np.float32)})]
    assert backs == ["seen", "relu"]


def test_gradients_of_several_readers_add_up() -> None:
    network = loads("{convcalc: 1, input: [2], layers: [{identity: {}, name: x}, {add: {}, from: [x, x, x]}]}")
    steps = list(run(network))
    backs = {back.node.name: back for back in backpropagate(steps, {2: np.ones((1, 2))})}
    assert backs["x"].grad_output.tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(
    ("largest", "exponent"), [(0.0, 0), (0.99 * 2.0**-9, -9), (2.0**-9, 0), (255.0, 0), (256.0, 9)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_power_of_two_is_taken_out_of_what_is_far_from_1(largest: float, exponent: int, sign: int) -> None:
    network = loads("{convcalc: 1, input: [2], layers: [neg]}")
    gradient = sign * largest * np.array([[1.0, 0.5]])
    (back,) = backpropagate(list(run(network, dtype="float64")), {1: gradient})
    assert back.exponent == exponent
    np.testing.assert_array_equal(np.ldexp(back.grad_output, exponent), gradient)


@pytest.mark.parametrize("scale", [2.0**-40, 1.0, 2.0**40])
def test_gradients_of_shared_weights_add_up_whatever_power_each_has(scale: float) -> None:
    """y = W (s W x + b) + b: dW = g (s W x + b)ᵀ + s Wᵀg xᵀ, db = g + s Wᵀg, with an s that moves one term far away."""
    fields = f"name: a}}, {{rescale: {{scale: {scale!r}}}}}, {{linear: {{out: 2}}, share: a, name: b}}"
    network = loads(f"{{convcalc: 1, input: [2], layers: [{{linear: {{out: 2}}, {fields}]}}")
    w, b, x, g = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([1.0, -2.0]), np.array([3.0, 5.0]), np.array([2.0, 7.0])
    steps = list(run(network, x[None], weights={"a": {"weight": w, "bias": b}}, dtype="float64"))
    (first, second) = [back for back in backpropagate(steps, {3: g[None]}) if back.node.name in "ab"][::-1]
    assert second.grad_weights == {}, "they come with the layer that holds the weights"
    through = scale * (w.T @ g)
    expected = {"weight": np.outer(g, scale * (w @ x + b)) + np.outer(through, x), "bias": g + through}
    for name, gradient in expected.items():
        np.testing.assert_allclose(np.ldexp(first.grad_weights[name], first.weights_exponent), gradient, rtol=1e-12)
