"""Graphs of Keras 2 and 3: functions as layers, models in models, weights of several calls, and groups by names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from convcalc import SpecError, UsageError, analyse, from_keras
from convcalc.keras import Subclassed, loads_keras
from convcalc.keras.grouping import Called, Span, spans
from convcalc.network import Network

from .keras_records import configuration, records


def old(kind: str, name: str, reads: list[Any], **settings: Any) -> dict[str, Any]:
    """A layer as Keras 2 writes it; a tensor that it reads is given by its layer's name."""
    calls = [[[read, 0, 0, {}] if isinstance(read, str) else read for read in call] for call in reads]
    return {"class_name": kind, "config": {"name": name, **settings}, "name": name, "inbound_nodes": calls}


def network(*layers: dict[str, Any], end: str = "end", shape: tuple[int, ...] = (6, 5, 4)) -> Network:
    """A model of Keras 2 of these layers behind an input `x`."""
    items = [old("InputLayer", "x", [], batch_input_shape=[None, *shape]), *layers]
    config = {"name": "net", "layers": items, "input_layers": [["x", 0, 0]], "output_layers": [[end, 0, 0]]}
    return loads_keras(json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.15.0"}), "net")


def function(name: str, reads: list[Any], **named: Any) -> dict[str, Any]:
    """A function of TensorFlow's as a layer, whose one call stands one list less deep."""
    return {
        "class_name": "TFOpLambda",
        "config": {"name": "end", "function": name},
        "name": "end",
        "inbound_nodes": [[*reads, named]],
    }


X = ["x", 0, 0]


@pytest.mark.parametrize(
    ("layer", "kinds", "shape"),
    [
        (function("math.multiply", X, y=0.5), ["rescale"], (4, 6, 5)),
        (function("__operators__.add", X, y=X), ["add"], (4, 6, 5)),
        (function("math.subtract", ["_CONSTANT_VALUE", -1, 1.0], y=X), ["rescale"], (4, 6, 5)),
        (function("math.reduce_mean", X, axis=[1, 2], keepdims=True), ["mean"], (4, 1, 1)),
        (function("math.reduce_mean", X, axis=-1), ["mean"], (6, 5)),
        (function("reshape", X, shape=[-1, 30, 4]), ["reshape"], (4, 30)),
        (function("transpose", X, perm=[0, 3, 1, 2]), ["permute"], (5, 4, 6)),
        (function("expand_dims", X, axis=1), ["unsqueeze"], (4, 1, 6, 5)),
        (function("nn.relu6", X), ["relu6"], (4, 6, 5)),
        (function("clip_by_value", X, clip_value_min=0, clip_value_max=1), ["clamp"], (4, 6, 5)),
        (function("pad", X, paddings=[[0, 0], [1, 2], [0, 0], [0, 0]]), ["pad"], (4, 9, 5)),
        (function("image.resize", X, size=[3, 3]), ["upsample"], (4, 3, 3)),
        (function("nn.softmax", X, axis=-1), ["softmax"], (4, 6, 5)),
    ],
)
def test_functions_of_tensorflow_are_layers(layer: dict[str, Any], kinds: list[str], shape: tuple[int, ...]) -> None:
    found = network(layer)
    assert [node.kind for node in found] == kinds and found.nodes[-1].shape == shape


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (function("math.special", X), "the language has no math.special, and nothing"),
        (function("reshape", X, shape=[4, -1]), "it merges the batch with other axes"),
        (function("transpose", X, perm=[1, 0, 2, 3]), "it moves the batch axis"),
        (function("math.reduce_mean", X), "it reduces the batch"),
        (function("math.truediv", X, y=0), "it divides by 0"),
        (function("expand_dims", X, axis=0), "it works on the batch axis"),
        (function("pad", X, paddings=[[1, 0], [0, 0], [0, 0], [0, 0]]), "it pads the batch"),
        (function("math.multiply", X, y="two"), "its operand is 'two'"),
    ],
)
def test_what_a_function_does_with_the_batch_is_said(layer: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        network(layer)


def test_brackets_of_keras_2_take_positions() -> None:
    spec = [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 5, "step": 2}, 0]
    layer = {**function("", X, slice_spec=spec), "class_name": "SlicingOpLambda"}
    found = network(layer)
    assert [node.kind for node in found] == ["slice", "select"] and found.nodes[-1].shape == (4, 2)


def test_activations_of_keras_2_are_its_own() -> None:
    hard = network(old("Activation", "end", [["x"]], activation="hard_sigmoid"))
    assert [(node.kind, node.layer.fields()) for node in hard if node.layer is not None] == [
        ("rescale", {"scale": 0.2, "offset": 0.5}),
        ("clamp", {"min": 0.0, "max": 1.0}),
    ]
    (leaky,) = network(old("LeakyReLU", "end", [["x"]], alpha=0.1))
    assert leaky.layer is not None and leaky.layer.fields() == {"negative_slope": 0.1}


def inner(name: str) -> dict[str, Any]:
    """A model of one convolution."""
    layers = [
        old("InputLayer", "i", [], batch_input_shape=[None, 6, 5, 4]),
        old("Conv2D", "conv", [["i"]], filters=4, kernel_size=[1, 1]),
    ]
    config = {"layers": layers, "input_layers": [["i", 0, 0]], "output_layers": [["conv", 0, 0]]}
    return old("Functional", name, [], **config)


def test_calls_of_a_model_in_a_model_are_counted_from_1_by_keras_2() -> None:
    block = {**inner("block"), "inbound_nodes": [[["x", 0, 0, {}]], [["block", 1, 0, {}]]]}
    found = network(block, old("ReLU", "end", [[["block", 2, 0, {}]]]))
    assert [(node.name, node.shares) for node in found] == [("block", None), ("block_2", 1), ("end", None)]
    assert analyse(found).totals.params == 20


def test_layers_that_are_called_twice_hold_their_weights_once() -> None:
    found = loads_keras(configuration("layers", "shared"), "net")
    first, second = (node for node in found if node.kind == "conv2d")
    assert (first.shares, second.shares) == (None, found.nodes.index(first))
    assert analyse(found).totals.params == records("layers")["shared"]["params"]


def names(*called: str) -> list[Called]:
    return [Called(name, name.startswith("add"), {index - 1}, False) for index, name in enumerate(called)]


def test_names_tell_parts_of_which_there_are_several() -> None:
    resnet = names("conv1_conv", "conv2_block1_1_conv", "conv2_block1_out", "conv2_block2_1_conv", "conv2_block2_out")
    assert spans(resnet) == [Span(("conv2", "block1"), 1, 3), Span(("conv2", "block2"), 3, 5)]
    mobile = names("conv", "block_1_expand", "block_1_project", "add", "block_2_expand", "block_2_project", "add_1")
    assert spans(mobile) == [Span(("block", "1"), 1, 4), Span(("block", "2"), 4, 7)]
    assert spans(names("conv2d", "conv2d_1", "add", "add_1")) == []
    apart = names("a1_x", "b", "a1_y", "a2_x", "a2_y", "a3_x", "a3_y")
    assert spans(apart) == [Span(("a2",), 3, 5), Span(("a3",), 5, 7)]


def test_groups_of_an_application_are_those_of_its_names() -> None:
    found = loads_keras(configuration("applications", "ResNet50"), "net")
    blocks = [path for path, group in found.groups.items() if group.is_block and path.startswith("conv3.")]
    assert blocks == ["conv3.block1", "conv3.block2", "conv3.block3", "conv3.block4"]
    assert found["conv3.block2.3_conv"].shape == (512, 28, 28)
    assert found.origin is not None
    assert "layer conv3_block2_3_conv" in found.origin.finding("CC401", "odd", "conv3.block2.3_conv").message


class Live:
    """What a live model of Keras has that is read."""

    name = "live"

    def __init__(self, text: str, layers: list[Any]) -> None:
        self.text = text
        self.layers = layers

    def to_json(self) -> str:
        return self.text


class Weight:
    def __init__(self, *shape: int) -> None:
        self.shape = shape


class Held:
    """A layer of a live model."""

    trainable = True

    def __init__(self, name: str, *shapes: tuple[int, ...]) -> None:
        self.name = name
        self.weights = self.trainable_weights = [Weight(*shape) for shape in shapes]


def test_a_live_model_tells_the_weights_of_classes_that_are_not_kerass_own() -> None:
    text = json.dumps(
        {
            "class_name": "Sequential",
            "config": {
                "name": "net",
                "layers": [
                    {"class_name": "my>Odd", "config": {"name": "odd", "batch_input_shape": [None, 5]}},
                    {
                        "class_name": "Dense",
                        "config": {"name": "d", "units": 2},
                        "build_config": {"input_shape": [None, 7]},
                    },
                ],
            },
        }
    )
    found = from_keras(Live(text, [Held("odd", (5, 7), (7,))]))
    assert analyse(found).totals.params == 5 * 7 + 7 + 7 * 2 + 2
    assert [note.code for note in found.notes] == ["CC701"]
    assert [note.code for note in from_keras(Live(text, [])).notes] == ["CC701", "CC718"]


def test_what_is_no_model_of_keras_or_keeps_its_layers_in_code_is_refused() -> None:
    with pytest.raises(UsageError, match="int is no model of Keras"):
        from_keras(3)
    with pytest.raises(Subclassed, match="Net states no layers") as caught:
        from_keras(Live('{"class_name": "Net", "config": {}, "build_config": {"input_shape": [null, 8, 8, 3]}}', []))
    assert caught.value.sizes == (8, 8, 3)


def recurrent(**settings: Any) -> dict[str, Any]:
    return {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", **settings}


def test_a_layer_of_which_another_output_than_the_first_is_read_keeps_its_weights() -> None:
    first = old("LSTM", "first", [["x"]], **recurrent(return_state=True))
    read = [["x", ["first", 0, 1, {}], ["first", 0, 2, {}]]]
    second = old("LSTM", "second", read, **recurrent(return_state=True))
    found = network(first, second, old("ReLU", "end", [[["second", 0, 1, {}]]]), shape=(6, 5))
    weights = 4 * 3 * (5 + 3 + 1)
    assert analyse(found).totals.params == 2 * weights
    assert analyse(found).totals.macs == 2 * 6 * 4 * 3 * (5 + 3)
    said = [node.layer.fields()["reason"] for node in found if node.layer and node.kind == "opaque"]
    assert set(said) == {"the language has no output of an LSTM's cells", "it is given a first state"}


def test_a_recurrent_layer_with_a_mask_says_so() -> None:
    read = [[["x", 0, 0, {"mask": ["seen", 0, 0]}]]]
    seen = old("Activation", "seen", [["x"]], activation="relu")
    found = network(seen, old("LSTM", "end", read, **recurrent()), shape=(6, 5))
    (last,) = (node for node in found if node.kind == "opaque")
    assert last.layer is not None
    assert last.layer.fields()["reason"] == "it passes over positions that a mask leaves out"


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            old("RNN", "end", [["x"]], cell={"class_name": "Own", "config": {"units": 3}}),
            "the language has no RNN of Own",
        ),
        (
            old(
                "RNN",
                "end",
                [["x"]],
                return_state=True,
                cell={
                    "class_name": "StackedRNNCells",
                    "config": {"cells": [{"class_name": "LSTMCell", "config": recurrent()}]},
                },
            ),
            "it gives the last states of several cells",
        ),
        (old("RNN", "end", [["x"]], cell={"class_name": "LSTMCell", "config": 3}), "the config of the cell"),
    ],
)
def test_cells_that_cannot_be_read_are_refused_with_their_reason(layer: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        network(layer, shape=(6, 5))


def test_two_directions_that_both_read_from_the_end_are_opaque() -> None:
    inside = {"class_name": "LSTM", "config": recurrent(go_backwards=True)}
    found = network(old("Bidirectional", "end", [["x"]], layer=inside, merge_mode="concat"), shape=(6, 5))
    (only,) = found
    assert only.layer is not None and only.layer.fields()["reason"] == "its first direction reads from the end"


def test_a_model_at_each_position_has_the_weights_of_one() -> None:
    held = {"class_name": "Functional", "config": inner("block")["config"]}
    found = network(old("TimeDistributed", "end", [["x"]], layer=held), shape=(3, 6, 5, 4))
    conv = next(node for node in found if node.kind == "conv2d")
    assert conv.name == "end.conv" and analyse(found).totals.params == 20
    assert analyse(found).totals.macs == 3 * 30 * 16


def test_a_model_of_two_inputs_has_no_positions() -> None:
    block = inner("block")["config"]
    held = {"class_name": "Functional", "config": {**block, "output_layers": [["conv", 0, 0], ["i", 0, 0]]}}
    with pytest.raises(SpecError, match="a model at each position has one input and one output"):
        network(old("TimeDistributed", "end", [["x"]], layer=held), shape=(3, 6, 5, 4))
