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
