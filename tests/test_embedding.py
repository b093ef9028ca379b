"""`embedding`: rows of a table, through the rooms that know it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convcalc import analyse, load, loads
from convcalc.export.onnx_model import onnx_model
from convcalc.reference import run
from convcalc.verify.confirm import verify
from tests.exported_layers import drawn_weights
from tests.exports import judge, keras_module, torch_module

SPEC = """
convcalc: 1
name: words
input: [12]
layers:
  - {embedding: {num_embeddings: 100, embedding_dim: 8}}
  - {lstm: {hidden_size: 5, biases: 1}}
  - {select: {dim: 0, index: -1}}
  - {linear: {out: 2}}
"""


def test_it_holds_a_table_and_multiplies_nothing() -> None:
    report = analyse(loads(SPEC))
    first = report.to_dict()["layers"][0]
    assert (first["params"], first["macs"]) == (800, 0)
    assert loads(SPEC).nodes[1].shape == (12, 8)
    assert verify(loads(SPEC)).ok


def test_a_run_takes_the_rows() -> None:
    network = loads("{convcalc: 1, input: [3], layers: [{embedding: {num_embeddings: 5, embedding_dim: 2}}]}")
    weights = drawn_weights(network)
    (*_, last) = run(network, np.array([[4.0, 0.0, 4.0]]), dtype="float64", weights=weights)
    np.testing.assert_array_equal(last.output[0], weights["embedding"]["weight"][[4, 0, 4]])


def test_it_is_exported_as_what_frameworks_call_it(tmp_path: Path) -> None:
    assert "self.embedding = Embedding(100, 8)" in torch_module(loads(SPEC))
    keras = keras_module(loads(SPEC))
    assert 'x = layers.Embedding(100, 8, name="embedding")(x)' in keras
    assert 'x = layers.LSTM(5, return_sequences=True, name="lstm")(x)' in keras
    alone = loads("{convcalc: 1, input: [3], layers: [{embedding: {num_embeddings: 5, embedding_dim: 2}}]}")
    path = tmp_path / "words.onnx"
    path.write_bytes(onnx_model(alone))
    judge("onnx", path.read_bytes())
    read = load(path)
    assert [node.kind for node in read.nodes if node.layer is not None] == ["embedding"]
    assert analyse(read).totals.params == 10
