"""Networks of the gallery through the reference: what the layer models predict is what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest

from convcalc import analyse, load
from convcalc.reference import run

NETWORKS = [
    "conv_autoencoder",
    "dcgan_generator",
    "densenet",
    "espcn",
    "googlenet",
    "lenet5",
    "mobilenet_v3",
    "shufflenet_v2",
    "squeezenet",
    "wavenet",
]
"""Of every style, those that run in less than half a second."""


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_weights_and_multiplications_are_confirmed(name: str) -> None:
    network = load(name)
    macs = numbers = 0
    for step in run(network):
        shapes, layer = network.input_shapes(step.node), step.node.layer
        assert layer is not None
        assert step.output.shape == (1, *step.node.shape), step.node.name
        assert {n: w.shape for n, w in step.weights.items()} == {w.name: w.shape for w in layer.weights(shapes)}
        assert step.macs == layer.operations(shapes, step.node.shape).get("mac", 0), step.node.name
        assert np.isfinite(step.output).all(), step.node.name
        learnable = {w.name for w in layer.weights(shapes) if w.learnable}
        numbers += sum(w.size for n, w in step.weights.items() if n in learnable)
        macs += step.macs
    totals = analyse(network).totals
    assert (macs, numbers) == (totals.macs, totals.params)
