"""Layers with weights of others, held against modules that PyTorch ran: numbers, gradients, memory."""

from __future__ import annotations

import json
from math import cos, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc import loads
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.network import Network, own_weights
from convcalc.reference import backpropagate, run
from convcalc.verify.confirm import verify

RECORD = json.loads((Path(__file__).parent / "oracle" / "shared_weights.json").read_text("utf-8"))["cases"]
SMALL, LARGE, BATCH = 3, 64, 4
BESIDE = 2e-4
"""What PyTorch has beside in these small networks: targets, the loss, the counter of a batch norm."""
CASES = pytest.mark.parametrize("case", RECORD, ids=lambda case: str(loads(case["spec"].replace("C,", "3,")).name))


def network(case: dict[str, Any], channels: int) -> Network:
    return loads(case["spec"].replace("C,", f"{channels},"))


def pattern(shape: tuple[int, ...], number: int) -> np.ndarray[Any, Any]:
    """The numbers of tensor `number`, as tools/shared_weights.py makes them."""
    return np.array([0.3 * cos(0.37 * i + number) for i in range(prod(shape))]).reshape(shape)


def example(shape: tuple[int, ...], number: int) -> np.ndarray[Any, Any]:
    """Input `number`: numbers, or rows of a table of forty."""
    return pattern(shape, 100 + number) if len(shape) > 2 else np.arange(float(prod(shape))).reshape(shape) * 7 % 40


def weights(case: dict[str, Any]) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """The tensors of the layers that hold some, in the order of PyTorch's parameters; statistics at their start."""
    found: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    net, count = network(case, SMALL), 0
    for name in case["layers"]:
        found[name] = {}
        for weight in own_weights(net.nodes, [node.name for node in net.nodes].index(name)):
            if weight.learnable:
                found[name][weight.name] = pattern(weight.shape, count)
                count += 1
            else:
                found[name][weight.name] = np.full(weight.shape, float(weight.name == "running_var"))
    return found


@CASES
def test_numbers_and_gradients_are_pytorch_s(case: dict[str, Any]) -> None:
    net, given = network(case, SMALL), weights(case)
    inputs = {name: example((2, *shape), n) for n, (name, shape) in enumerate(net.inputs.items())}
    steps = list(run(net, inputs, weights=given, dtype="float64", training=True))
    ends = [output.node for output in net.outputs]
    outputs = {step.number: step.output for step in steps}
    for end, expected in zip(ends, case["outputs"], strict=True):
        np.testing.assert_allclose(outputs[end].reshape(-1), expected, rtol=1e-10, atol=1e-12)
    gradients = {end: pattern(outputs[end].shape, 200 + n) for n, end in enumerate(ends)}
    found = {}
    for back in backpropagate(steps, gradients):
        for name, grad in back.grad_weights.items():
            found[back.node.name, name] = np.ldexp(grad, back.weights_exponent)
    names = [(layer, name) for layer in case["layers"] for name in given[layer] if (layer, name) in found]
    assert len(names) == len(found) == len(case["gradients"]), "each holder has its gradient once"
    for name, expected in zip(names, case["gradients"].values(), strict=True):
        np.testing.assert_allclose(found[name].reshape(-1), expected, rtol=1e-9, atol=1e-12)


@CASES
def test_peaks_of_a_training_step_are_pytorch_s(case: dict[str, Any]) -> None:
    net = network(case, LARGE)
    for peak in case["peaks"]:
        report = analyse(net, BATCH, optimizer=peak["optimizer"])
        assert report.totals.params == case["params"]
        for name, quantity in (("kept", "training"), ("released", "training_released")):
            found = QUANTITIES[quantity].get(report, report.whole)
            assert found == pytest.approx(peak[name], rel=BESIDE), (peak["optimizer"], name)


@CASES
def test_verify_confirms_them(case: dict[str, Any]) -> None:
    outcome = verify(network(case, SMALL), batch=2, backward=True)
    assert outcome.ok and outcome.flow is not None
    held = {layer.name for layer in outcome.layers if layer.actual_params}
    assert held == set(case["layers"])
    shown = {row.name for row in outcome.flow.rows if row.weight_gradient_rms is not None}
    assert shown == {name for name, tensors in weights(case).items() if "weight" in tensors}
