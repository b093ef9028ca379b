"""Products of activations, recurrent layers and layers of layout against what PyTorch gave, recorded by a tool."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc.reference import Counter, backward, forward
from tests.token_numbers import BATCH, RECORDED, agree, gradient, numbers, saved_bytes

CASES = json.loads((Path(__file__).parent / "oracle" / "token_layers.json").read_text("utf-8"))["cases"]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['sample']}-{case['kind']}")


def test_every_sample_was_recorded() -> None:
    assert [case["sample"] for case in CASES] == list(range(len(RECORDED)))


@each_case
def test_shapes_parameters_and_macs_equal_pytorchs(case: dict[str, Any]) -> None:
    sample = RECORDED[case["sample"]]
    layer = sample.layer()
    output = layer.output_shape(sample.inputs)
    weights = layer.weights(sample.inputs)
    assert list(output) == case["shape"] == list(sample.output)
    assert sum(prod(weight.shape) for weight in weights) == case["params"]
    assert [weight.name for weight in weights] == case["names"]
    assert layer.operations(sample.inputs, output).get("mac", 0) == case["macs"]


@each_case
def test_what_backward_keeps_equals_pytorchs(case: dict[str, Any]) -> None:
    """torch.autograd.graph.saved_tensors_hooks; of recurrent layers it is up to the kernel."""
    sample = RECORDED[case["sample"]]
    assert saved_bytes(sample) == case["saved"] or sample.layer().multiplies == "recurrent"


@each_case
def test_values_and_gradients_equal_pytorchs(case: dict[str, Any]) -> None:
    number = case["sample"]
    sample = RECORDED[number]
    layer, inputs = sample.layer(), numbers(sample.inputs, number)
    weights = {w.name: numbers((w.shape,), number, w.name)[0][0] for w in layer.weights(sample.inputs)}
    counter = Counter()
    y = forward(layer, inputs, weights, counter=counter)
    agree(y, case["output"], number)
    assert counter.macs == BATCH * layer.operations(sample.inputs, sample.output).get("mac", 0)
    grads, grad_weights = backward(layer, inputs, weights, gradient(y.shape, number))
    for grad, recorded in zip(grads, case["grad_inputs"], strict=True):
        agree(grad, recorded, number)
    assert set(grad_weights) == set(case["grad_weights"])
    for name, recorded in case["grad_weights"].items():
        agree(grad_weights[name], recorded, number)


def test_a_wrong_value_is_noticed() -> None:
    case = next(case for case in CASES if case["kind"] == "lstm")
    with pytest.raises(AssertionError):
        agree(np.ones((BATCH, *case["shape"])), case["output"], case["sample"])
