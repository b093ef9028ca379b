"""Run what `convcalc export --to keras` writes in Keras, and record what it does.

python -m benchmarks.exported_keras          checks everything against convcalc, prints differences
python -m benchmarks.exported_keras --write  and writes tests/recorded_keras.json, which the tests hold on to

Needs Keras 3 with TensorFlow beside convcalc; runs on a CPU. Every spec of the gallery is built: shapes, parameters.
Every single layer runs in float32: values.
"""

from __future__ import annotations

import math
import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

from benchmarks.exported import Framework, Row, main, model_of
from convcalc import analyse
from convcalc.export.keras_module import keras_module
from convcalc.network import Network


def counted(network: Network, text: str) -> Row:
    """What Keras counts; shapes with the channels first again."""
    keras.backend.clear_session()
    model = model_of(text)()
    shapes = [[output.shape[-1], *output.shape[1:-1]] for output in model.outputs]
    return {"outputs": shapes, "params": sum(math.prod(w.shape) for w in model.trainable_weights)}


def expected(network: Network) -> Row:
    """What convcalc counts in the layers that lead to an output: Keras's models hold no others."""
    nodes = dict.fromkeys(output.node for output in network.outputs)
    reached = set(nodes)
    for index in reversed(range(len(network.nodes))):
        if index in reached:
            reached.update(network.nodes[index].inputs)
    names = {network.nodes[index].name for index in reached}
    rows = analyse(network).to_dict()["layers"]
    return {
        "outputs": [list(network.nodes[n].shape) for n in nodes],
        "params": sum(row["params"] for row in rows if row["name"] in names),
    }


def layout(array: Any, like: tuple[int, ...], kind: str) -> Any:
    """PyTorch's layout of a tensor as Keras's, whose shape is `like`."""
    if min(array.ndim, len(like)) < 2 or kind in ("layer_norm", "rms_norm", "parameter", "embedding"):
        return array.reshape(like)
    if kind == "linear":
        return array.T
    depthwise = array.shape[1] == 1 and like[-2] * like[-1] == array.shape[0] and like[-2] > 1
    if depthwise and "transpose" not in kind:
        return np.moveaxis(array[:, 0], 0, -1).reshape(like)
    return np.moveaxis(array, (0, 1), (-1, -2))


def heads(tensors: dict[str, Any], count: int) -> list[Any]:
    """The tensors of PyTorch's multi-head attention as Keras's: a kernel and a bias for each projection."""
    apart = (
        np.split(tensors["in_proj_weight"], 3)
        if "in_proj_weight" in tensors
        else [tensors[f"{letter}_proj_weight"] for letter in "qkv"]
    )
    biases = np.split(tensors["in_proj_bias"], 3) if "in_proj_bias" in tensors else None
    found = []
    for number, matrix in enumerate(apart):
        found.append(matrix.T.reshape(matrix.shape[1], count, -1))
        if biases is not None:
            found.append(biases[number].reshape(count, -1))
    out = tensors["out_proj.weight"]
    found.append(out.T.reshape(count, -1, out.shape[0]))
    return [*found, tensors["out_proj.bias"]] if biases is not None else found


def gates(tensors: dict[str, Any], kind: str) -> list[Any]:
    """The tensors of a recurrent layer of PyTorch as Keras's: of all gates side by side, a GRU's second one first."""

    def ordered(array: Any) -> Any:
        if kind != "gru":
            return array.T
        reset, update, new = np.split(array, 3)
        return np.concatenate([update, reset, new]).T

    found = []
    for end in ("", "_reverse"):
        if f"weight_ih_l0{end}" in tensors:
            found += [ordered(tensors[f"weight_{name}_l0{end}"]) for name in ("ih", "hh")]
            biases = [ordered(tensors[name]) for part in ("ih", "hh") if (name := f"bias_{part}_l0{end}") in tensors]
            found += [np.stack(biases) if len(biases) > 1 else biases[0]] if biases else []
    return found


def values(network: Network, text: str, inputs: Row, weights: Row) -> Any:
    """The last layer's output in float32, its channels first again."""
    model = model_of(text)()
    node = network.nodes[-1]
    given = [(n, a) for n, a in weights[node.name].items() if n != "num_batches_tracked"]
    if given:
        layer = model.get_layer(node.name)
        if node.kind == "multihead_attention":
            layer.set_weights(heads(dict(given), node.layer.inside.num_heads))
        elif node.kind in ("rnn", "gru", "lstm"):
            layer.set_weights(gates(dict(given), node.kind))
        else:
            layer.set_weights([layout(a, w.shape, node.kind) for (_, a), w in zip(given, layer.weights, strict=True)])
    arrays = [(np.moveaxis(x, 1, -1) if x.ndim > 1 else x).astype("float32") for x in inputs.values()]
    found = keras.ops.convert_to_numpy(model(arrays if len(arrays) > 1 else arrays[0]))
    return np.moveaxis(found, -1, 1) if found.ndim > 1 else found


KERAS = Framework("keras", str(keras.__version__), keras_module, counted, expected, values, 2e-6)

if __name__ == "__main__":
    sys.exit(main(KERAS))
