"""Recurrent layers and ONNX: of the two biases that its operators add, those count that something learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convcalc import SpecError, analyse, loads
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


@pytest.mark.parametrize("both", [False, True])
def test_last_states_of_two_directions(both: bool, tmp_path: Path) -> None:
    """Read alone they keep the layer, its weights and its cost."""
    m = Maker(1, 6, 5)
    x = m.node("Transpose", "x", perm=[1, 0, 2])
    weights = m.weight(2, 12, 5), m.weight(2, 12, 4)
    states = m.node("GRU", x, *weights, hidden_size=4, direction="bidirectional", linear_before_reset=1, outputs=2)
    last = m.node("Transpose", f"{states}_1", perm=[1, 0, 2])
    outputs = (last, states) if both else (last,)
    read = m.load(tmp_path, *outputs)
    assert [node.shape for node in read if node.kind == "stack"] == [(2, 4)]
    assert analyse(read).totals.params == 2 * 12 * (5 + 4)
    assert analyse(read).totals.macs == 2 * 6 * 12 * (5 + 4) and not read.notes


def test_last_states_of_two_directions_over_rows(tmp_path: Path) -> None:
    m = Maker(6, 3, 5)
    x = m.node("Relu", "x")
    weights = m.weight(2, 16, 5), m.weight(2, 16, 4)
    states = m.node("LSTM", x, *weights, hidden_size=4, direction="bidirectional", outputs=3)
    read = m.load(tmp_path, f"{states}_1")
    assert analyse(read).totals.params == 2 * 16 * (5 + 4)


def test_a_layer_that_stays_as_it_is_has_its_weights_where_it_is_read(tmp_path: Path) -> None:
    m = Maker(1, 6, 5)
    x = m.node("Transpose", "x", perm=[1, 0, 2])
    weights = m.weight(1, 12, 5), m.weight(1, 12, 4)
    states = m.node("GRU", x, *weights, hidden_size=4, direction="reverse", outputs=2)
    read = m.load(tmp_path, f"{states}_1")
    (left,) = (node.layer for node in read if node.layer is not None and node.kind == "opaque")
    assert left.fields()["reason"] == "it reads backwards alone"
    assert analyse(read).totals.params == 12 * (5 + 4) and analyse(read).totals.macs == 6 * 12 * (5 + 4)


@pytest.mark.parametrize("op", ["RandomNormalLike", "RandomUniformLike"])
def test_noise_is_a_constant_that_nothing_learns(op: str, tmp_path: Path) -> None:
    m = Maker(1, 6)
    m.node("Mul", m.node(op, "x"), "x")
    read = m.load(tmp_path)
    assert [node.kind for node in read if node.layer is not None] == ["parameter", "multiply"]
    assert analyse(read).totals.params == 0 and not read.notes


def test_noise_of_a_stated_shape(tmp_path: Path) -> None:
    m = Maker(1, 6)
    m.node("Add", "x", m.node("RandomNormal", shape=[1, 6]))
    assert analyse(m.load(tmp_path)).totals.params == 0


def test_the_smallest_is_the_largest_of_the_negatives(tmp_path: Path) -> None:
    m = Maker(1, 6, 5)
    m.node("ArgMin", "x", axis=1, keepdims=0)
    assert [node.kind for node in m.load(tmp_path) if node.layer is not None] == ["neg", "argmax"]


def test_noise_without_sizes_is_refused(tmp_path: Path) -> None:
    m = Maker(1, 6)
    m.node("Add", "x", m.node("RandomNormal", shape=[1, -6]))
    with pytest.raises(SpecError, match="its shape is no list of sizes"):
        m.load(tmp_path)
