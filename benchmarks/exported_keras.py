"""Run what `convcalc export --to keras` writes in Keras, and record what it does.

python -m benchmarks.exported_keras          checks everything against convcalc, prints differences
python -m benchmarks.exported_keras --write  and writes tests/recorded_keras.json, which the tests hold on to

Needs Keras 3 with TensorFlow beside convcalc; runs on a CPU. Every spec of the gallery is built: shapes, parameters.
Every single layer runs in float32: values.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

from convcalc import analyse, load
from convcalc.export.keras_module import keras_module
from convcalc.findings import UsageError
from convcalc.language import gallery_names
from convcalc.network import Network
from convcalc.reference import run
from tests.exported_layers import drawn_weights, layer_cases
from tests.recorded_exports import fingerprint, record_path, record_text


def built(text: str) -> Any:
    """The model of an exported file."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), space)
    functions = [v for v in space.values() if callable(v) and getattr(v, "__module__", "") == "exported"]
    return functions[-1]()


def counted(text: str) -> dict[str, Any]:
    """What Keras counts; shapes with the channels first again."""
    model = built(text)
    shapes = [[output.shape[-1], *output.shape[1:-1]] for output in model.outputs]
    return {"outputs": shapes, "params": sum(math.prod(w.shape) for w in model.trainable_weights)}


def expected(network: Network) -> dict[str, Any]:
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
    if array.ndim < 2 or kind == "layer_norm":
        return array.reshape(like)
    if kind == "linear":
        return array.T
    depthwise = array.shape[1] == 1 and like[-2] * like[-1] == array.shape[0] and like[-2] > 1
    if depthwise and "transpose" not in kind:
        return np.moveaxis(array[:, 0], 0, -1).reshape(like)
    return np.moveaxis(array, (0, 1), (-1, -2))


def values_differ(network: Network, text: str) -> float:
    """The largest difference of values over the largest value."""
    weights = drawn_weights(network)
    rng = np.random.default_rng(1)
    inputs = {name: rng.standard_normal((2, *shape)) for name, shape in network.inputs.items()}
    (*_, last) = run(network, inputs, dtype="float64", weights=weights)
    model = built(text)
    node = network.nodes[-1]
    given = [(n, a) for n, a in weights[node.name].items() if n != "num_batches_tracked"]
    if given:
        layer = model.get_layer(node.name)
        layer.set_weights([layout(a, w.shape, node.kind) for (_, a), w in zip(given, layer.weights, strict=True)])
    arrays = [np.moveaxis(x, 1, -1).astype("float32") for x in inputs.values()]
    y = np.moveaxis(np.asarray(model(arrays if len(arrays) > 1 else arrays[0])), -1, 1)
    assert y.shape == last.output.shape, (y.shape, last.output.shape)
    same = (y == last.output) | (np.isnan(y) & np.isnan(last.output))
    differences = np.where(same, 0, np.abs(y - last.output))
    return float(differences.max() / np.abs(np.where(np.isfinite(y), y, 1)).max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    networks: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    wrong = 0
    for label, network in layer_cases():
        try:
            text = keras_module(network)
        except UsageError as refused:
            layers[label] = {"refused": refused.message}
            print(refused.message)
            continue
        try:
            difference = values_differ(network, text)
        except Exception as error:
            difference = float("inf")
            print(label, network.nodes[-1].layer, type(error).__name__, str(error)[:300])
        layers[label] = {"code": fingerprint(text)}
        if not difference < 2e-6:
            wrong += 1
            print(label, "values differ by", difference)
    for name in gallery_names():
        network = load(name)
        try:
            text = keras_module(network)
        except UsageError as refused:
            networks[name] = {"refused": refused.message}
            print(refused.message)
            continue
        found, wanted = counted(text), expected(network)
        networks[name] = {"code": fingerprint(text), **found}
        if found != wanted:
            wrong += 1
            print(name, found, wanted)
        keras.backend.clear_session()
    print(f"keras {keras.__version__}: {len(networks)} networks, {len(layers)} layers, {wrong} differ")
    if write and not wrong:
        text = record_text("keras", str(keras.__version__), networks, layers)
        record_path("keras").write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
