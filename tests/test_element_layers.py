"""Constants, arithmetic, activations, reductions and forms of weights against what PyTorch gave, recorded by a tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc.reference import backward, forward
from tests.element_numbers import RECORDED, inputs_of, tensor_of
from tests.token_numbers import BATCH, agree, gradient, saved_bytes

CASES = json.loads((Path(__file__).parent / "oracle" / "element_layers.json").read_text("utf-8"))["cases"]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['sample']}-{case['kind']}")


def test_every_sample_was_recorded() -> None:
    assert [(case["sample"], case["kind"]) for case in CASES] == [(n, s.kind) for n, s in enumerate(RECORDED)]


@each_case
def test_what_backward_keeps_equals_pytorchs(case: dict[str, Any]) -> None:
    """torch.autograd.graph.saved_tensors_hooks, without the layer's own tensors.

    The weights of a transposed convolution are turned before they are standardised: what that keeps is up to the code.
    """
    sample = RECORDED[case["sample"]]
    assert saved_bytes(sample) == case["saved"] or case["kind"].startswith("conv_transpose")


@each_case
def test_values_and_gradients_equal_pytorchs(case: dict[str, Any]) -> None:
    number = case["sample"]
    sample = RECORDED[number]
    layer, inputs = sample.layer(), inputs_of(sample, number)
    weights = {
        name: tensor_of(shape, number, name)
        for name, shape, _ in layer.weights(sample.inputs)
        if name != "num_batches_tracked"
    }
    y = forward(layer, inputs, weights, batch=BATCH)
    assert list(y.shape) == [BATCH, *case["shape"]] == [BATCH, *sample.output]
    agree(y, case["output"], number)
    grads, grad_weights = backward(layer, inputs, weights, gradient(y.shape, number))
    for grad, recorded in zip(grads, case["grad_inputs"], strict=True):
        agree(grad, recorded, number)
    assert set(grad_weights) == set(case["grad_weights"])
    for name, recorded in case["grad_weights"].items():
        agree(grad_weights[name], recorded, number)


def test_a_wrong_value_is_noticed() -> None:
    case = next(case for case in CASES if case["kind"] == "logsumexp")
    with pytest.raises(AssertionError):
        agree(np.ones((BATCH, *case["shape"])), case["output"], case["sample"])
