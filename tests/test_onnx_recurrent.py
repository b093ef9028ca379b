"""Recurrent layers and ONNX: of the two biases that its operators add, those count that something learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convcalc import analyse, loads
from convcalc.export.onnx_model import onnx_model
from convcalc.network import Network
from convcalc.onnx import load_onnx
from tests.exported_layers import drawn_weights
from tests.onnx_models import Maker

KERAS = {"rnn": 4 * (5 + 4 + 1), "gru": 12 * (5 + 4 + 1), "lstm": 16 * (5 + 4 + 1)}
"""Numbers that layers of 4 units on 5 features learn with one bias: units · gates · (features + units + 1)."""


def spec(kind: str, more: str = "") -> Network:
    return loads(f"{{convcalc: 1, input: [6, 5], layers: [{{{kind}: {{hidden_size: 4{more}}}}}]}}")


@pytest.mark.parametrize("kind", KERAS)
@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize(("more", "times"), [("", 1), (", bidirectional: true", 2)])
def test_one_bias_comes_back_as_one(kind: str, drawn: bool, more: str, times: int, tmp_path: Path) -> None:
    network = spec(kind, f", biases: 1{more}")
    weights = drawn_weights(network)
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_model(network, (lambda node: weights[node.name]) if drawn else None))
    read = load_onnx(str(path))
    layer = read.nodes[1].layer
    assert layer is not None and layer.fields()["biases"] == 1 and not read.notes
    assert analyse(read).totals.params == times * KERAS[kind] == analyse(network).totals.params


@pytest.mark.parametrize(
    ("bias", "biases"),
    [([0.5, 0, 0, 1, 0, 0, 0, 0], 1), ([0.0] * 8, 2), ([0.5, 0, 0, 1, 0, 0, 0, 1], 2), ([0, 0, 0, 0, 1, 0, 0, 0], 2)],
    ids=["the second is 0", "both are 0", "neither is 0", "the first is 0"],
)
def test_two_biases_in_one_tensor(bias: list[float], biases: int, tmp_path: Path) -> None:
    """As converters of Keras write its SimpleRNN: [Wb, 0]."""
    m = Maker(1, 6, 5)
    both = m.constant(bias, floating=True)
    m.tensors[-1].dims[:] = [1, 8]
    x = m.node("Transpose", "x", perm=[1, 0, 2])
    states = m.node("RNN", x, m.weight(1, 4, 5), m.weight(1, 4, 4), both, hidden_size=4)
    read = m.load(tmp_path, m.node("Transpose", m.node("Squeeze", states, m.constant([1])), perm=[1, 0, 2]))
    assert analyse(read).totals.params == 4 * (5 + 4 + biases)


def test_bias_tensors_of_other_forms_are_counted_as_they_are(tmp_path: Path) -> None:
    m = Maker(1, 6)
    m.node("Add", "x", m.constant([*np.arange(3.0), 0, 0, 0], floating=True))
    assert analyse(m.load(tmp_path)).totals.params == 6
