"""Keras's applications and every layer against what Keras 3 said of them: shapes, params, MACs, values."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

from convcalc.keras import loads_keras
from convcalc.keras.configuration import MOST_VALUES
from convcalc.keras.convert import Conversion
from convcalc.keras.graph import read_model
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.language.write_blocks import write_blocks
from convcalc.models.document import parsed
from convcalc.network import Network
from convcalc.reference import forward

from .keras_records import configuration, records

OPEN = (3, 224, 224)
"""What an application with an open input is read on."""
QUICK = ("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "MobileNet", "MobileNetV2")
QUICK += ("MobileNetV3Small", "ResNet50", "ResNet50V2", "VGG16", "Xception")
APPLICATIONS = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name) for name in records("applications")
]
LAYERS = list(records("layers"))

OPAQUE = {
    "additive_attention": ["AdditiveAttention"],
    "conv_lstm_hard": ["ConvLSTM2D"],
    "lstm_cells": ["LSTM"],
    "multi_head_scores": ["MultiHeadAttention"],
    "op_einsum": ["Einsum"],
    "op_where": ["Greater", "Where"],
    "prelu_positions": ["PReLU"],
}
"""Cases with layers that the language cannot say, and their classes."""
BEYOND = {"normalization_adapted": 1, "spectral_norm": 3, "op_constant": -4}
"""Numbers that Keras holds, learns never, and that have no place in the network (the count of a Normalization, the
vector of a spectral norm); a constant is a buffer here and a number in Keras's code."""
FIRST_STEP_TWICE = {"simple_rnn": (12, 13), "conv_lstm": (5, 6), "conv_lstm1d": (5, 6), "conv_lstm3d": (3, 4)}
FIRST_STEP_TWICE |= {"conv_lstm_dilated": (4, 5), "conv_lstm_hard": (5, 6)}
FIRST_STEP_TWICE |= dict.fromkeys(
    ("gru_reset_first", "gru_reset_first_without_bias", "gru_reset_first_both_ways", "gru_state_alone"), (12, 13)
)
FIRST_STEP_TWICE |= {"rnn_of_a_cell": (12, 13), "rnn_of_cells": (12, 14)}
"""Keras's loop over positions on PyTorch takes the first step once more than there are."""


def read(file: str, name: str) -> Network:
    """A recorded model."""
    shapes = records(file)[name]["config"]["config"]["layers"][0]["config"].get("batch_shape", [])
    return loads_keras(configuration(file, name), name, input=OPEN if None in shapes[1:] else None)


def figures(network: Network) -> tuple[int, int, int]:
    """(numbers that are learned, all that are held but counters, multiply-accumulates), each weight once."""
    learned = held = macs = 0
    for node in network:
        assert node.layer is not None
        inputs = network.input_shapes(node)
        macs += node.layer.operations(inputs, node.shape).get("mac", 0)
        if node.shares is None:
            for weight in node.layer.weights(inputs):
                held += prod(weight.shape) * (weight.name != "num_batches_tracked")
                learned += prod(weight.shape) * weight.learnable
    return learned, held, macs


def check_shapes(network: Network, record: dict[str, Any]) -> int:
    """Each layer has a node of Keras's shape, whose axes may stand in another order; how many were compared."""
    assert network.origin is not None
    found: dict[str, set[tuple[int, ...]]] = {}
    for node in network:
        name = network.origin.nodes[node.name]  # type: ignore[attr-defined]
        found.setdefault(name, set()).add(tuple(sorted(node.shape)))
    compared = 0
    for path, shapes in record["shapes"].items():
        name = path.rpartition("/")[2]
        for shape in shapes:
            sizes = tuple(shape[1:])
            if name in found and None not in sizes:
                assert tuple(sorted(sizes)) in found[name], (path, sizes, found[name])
                compared += 1
    return compared


@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_are_what_keras_says(name: str) -> None:
    record, network = records("applications")[name], read("applications", name)
    counts = sum(
        layer["class_name"] == "Normalization" and layer["config"].get("mean") is None for layer in flat(record)
    )
    learned, held, macs = figures(network)
    assert (learned, macs) == (record["trainable"], record["macs"])
    assert held + counts == record["params"]
    assert [node.name for node in network if node.kind == "opaque"] == []
    assert [note.code for note in network.notes] == []
    if name not in ("MobileNetV3Large", "MobileNetV3Small"):
        assert check_shapes(network, record) > len(network) // 2


def flat(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers of a model."""
    layers: list[dict[str, Any]] = record["config"]["config"]["layers"]
    return layers


@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_written_as_specs_are_the_same(name: str) -> None:
    network = read("applications", name)
    for text in (write(network), write_blocks(network)):
        again = loads(text)
        assert figures(again) == figures(network)
        assert [node.shape for node in again] == [node.shape for node in network]
        assert [node.inputs for node in again.nodes] == [node.inputs for node in network.nodes]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_what_keras_says(name: str) -> None:
    record, network = records("layers")[name], read("layers", name)
    learned, held, macs = figures(network)
    assert learned == record["learned"]
    assert held + BEYOND.get(name, 0) == record["params"]
    steps, taken = FIRST_STEP_TWICE.get(name, (1, 1))
    assert macs * taken == record["macs"] * steps
    opaque = [node.layer.fields()["operator"] for node in network if node.layer is not None and node.kind == "opaque"]
    assert opaque == OPAQUE.get(name, [])
    check_shapes(network, record)


def test_every_case_that_is_opaque_is_listed() -> None:
    assert set(OPAQUE) | set(BEYOND) | set(FIRST_STEP_TWICE) <= set(LAYERS)
    assert len(LAYERS) > 100 and len(APPLICATIONS) == 39


def drawn(shape: tuple[int, ...], which: int) -> Any:
    """The numbers that the recorder drew for tensor number `which`."""
    return np.sin(0.7 * np.arange(prod(shape)) + which).reshape(shape)


def as_ours(kind: str, array: Any, shape: tuple[int, ...]) -> Any:
    """A weight of Keras's in the layout of the language's layer."""
    if kind == "gru":
        update, reset, new = np.split(array, 3, axis=-1)
        array = np.concatenate((reset, update, new), axis=-1)
    if array.ndim < 2 or len(shape) < 2:
        return array.reshape(shape)
    if kind in ("rnn", "gru", "lstm"):
        return array.T
    if kind == "layer_norm":
        return np.moveaxis(array, -1, 0)
    if kind == "linear":
        return array.reshape(-1, shape[0]).T
    if kind.startswith("conv_transpose"):
        return np.moveaxis(array, (-1, -2), (0, 1))
    depthwise = shape[1] == 1 and array.shape[-2] * array.shape[-1] == shape[0] and array.shape[-2] > 1
    if depthwise:
        return np.moveaxis(array, (-2, -1), (0, 1)).reshape(shape)
    return np.moveaxis(array, (-1, -2), (0, 1))


NO_VALUES = {
    *OPAQUE,
    # Weights in another order than the layer's, or that stand in no settings.
    *(
        "gru",
        "gru_both_ways",
        "multi_head",
        "multi_head_wide",
        "multi_head_causal",
        "multi_head_causal_alone",
    ),
    # What the language has no output of.
    *("multi_head_scores", "lstm_cells"),
    # What is true is no drawn number.
    *("multi_head_masked", "multi_head_masked_positions", "attention_masked"),
    *("grouped_query", "tokens", "spectral_norm", "normalization_adapted", "op_constant", "nested", "several_inputs"),
    # It reads positions, which no drawn numbers are.
    "embedding",
    # On PyTorch it counts the padding that it puts on one side alone; elsewhere, and here, a mean is over the input.
    "average_pool2d",
}


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in NO_VALUES])
def test_values_are_keras_values(name: str) -> None:
    record = records("layers")[name]
    conversion = Conversion(read_model(parsed(configuration("layers", name), MOST_VALUES), True), True, {}, {})
    steps = conversion.builder.steps
    values: list[Any] = []
    held: dict[int, dict[str, Any]] = {}
    given_of: dict[str, Any] = {}
    inputs = 0
    for number, step in enumerate(steps):
        if step.kind == "opaque":  # numbers of an LSTM's cells, which nothing reads
            values.append(None)
            continue
        if step.layer is None:
            order = conversion.orders[number]
            sizes = tuple(step.shape[axis] for axis in order)
            array = drawn((1, *sizes), inputs)
            values.append(np.transpose(array, (0, *(1 + order.index(axis) for axis in range(len(order))))))
            inputs += 1
            continue
        if step.weights and step.shares is None:
            given = given_of.setdefault(step.name, iter(record["weights"].get(step.name, [])))
            held[number] = {}
            for weight in step.weights:
                if weight.name == "num_batches_tracked":
                    continue
                which, shape = next(given)
                array = drawn(tuple(shape), which)
                array = np.abs(array) + 0.5 if weight.name == "running_var" else array
                held[number][weight.name] = as_ours(step.kind, array, weight.shape)
        weights = held.get(number if step.shares is None else step.shares, {})
        values.append(forward(step.layer, [values[source] for source in step.inputs], weights))
    for tensor, wanted in zip(conversion.outputs, record["values"], strict=True):
        array = np.transpose(values[tensor.step], (0, *(1 + axis for axis in tensor.order))).ravel()
        assert array @ np.cos(0.11 * np.arange(array.size)) == pytest.approx(wanted, rel=2e-4, abs=2e-4)
