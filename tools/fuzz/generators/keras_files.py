"""Files of Keras: small models that are right, most of them, as Keras 2 and Keras 3 write them; and damaged ones."""

from __future__ import annotations

import io
import json
import zipfile
from copy import deepcopy
from random import Random
from typing import Any

from ..case import Case
from .mutations import changed_bytes

Layer = tuple[str, dict[str, Any]]

PADDINGS = ("valid", "same", "same", "causal", "Same", "full", 3)
ACTIVATIONS = (
    "linear",
    "relu",
    "softmax",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "sparsemax",
    None,
    3,
    {"config": "relu"},
)
EDGES: tuple[Any, ...] = (
    0,
    1,
    2,
    3,
    -1,
    7,
    255,
    2**31,
    2**63,
    2**70,
    -(2**63),
    1.5,
    True,
    None,
    "3",
    [],
    [1],
    {},
    [[1, 2]],
)
IMAGES = 12
"""The first layers of the list, which take images and give images."""
COMMANDS = (
    *(("import", "m.keras"), ("import", "m.keras"), ("import", "m.keras", "--flat"), ("table", "m.keras")),
    *(("table", "m.keras", "--format", "json"), ("check", "m.keras"), ("check", "m.keras", "--format", "sarif")),
    *(("explain", "m.keras"), ("diff", "m.keras", "lenet5"), ("export", "m.keras", "--to", "torch")),
    *(("export", "m.keras", "--to", "svg"), ("import", "m.keras", "--input", "3,8,8")),
    ("verify", "m.keras", "--quick", "--max-memory", "50M"),
)


def case(random: Random) -> Case:
    """A command on a file of Keras."""
    data = archive(random, model(random))
    if random.random() < 0.08:
        data = changed_bytes(random, data)
    return Case(random.choice(COMMANDS), files={"m.keras": data}, ci=random.random() < 0.5)


def archive(random: Random, root: Any) -> bytes:
    """A zip archive that holds the configuration."""
    text = json.dumps(root)
    if random.random() < 0.05:
        text = random.choice((text[: random.randrange(len(text))], "[" * random.choice((10, 10_000)), text * 2, ""))
    file = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(file, "w", method) as writer:
        if random.random() < 0.8:
            writer.writestr(zipfile.ZipInfo("metadata.json"), "{}")
        name = "config.json" if random.random() < 0.98 else random.choice(("../config.json", "config", "/config.json"))
        writer.writestr(zipfile.ZipInfo(name), text, compress_type=method)
    return file.getvalue()


def model(random: Random) -> Any:
    """A configuration; some of its values are others."""
    modern = random.random() < 0.6
    config = functional(random, modern, 0) if random.random() < 0.7 else sequential(random, modern)
    root: dict[str, Any] = {"class_name": "Functional" if "input_layers" in config else "Sequential", "config": config}
    root = deepcopy(root)  # so that no part of it stands in it twice
    root |= {"module": "keras"} if modern else {"keras_version": "2.15.0"}
    layers = root["config"]["layers"]
    for _ in range(random.choice((0, 0, 0, 1, 1, 3))):
        damage(random, root if random.random() < 0.05 else layers)
    return root


def layer(random: Random) -> Layer:
    """A class and its settings."""
    fits = random.random() < 0.85
    rank = 2 if fits else random.choice((1, 3))
    window = {"padding": random.choice(PADDINGS[:3] if random.random() < 0.9 else PADDINGS)}
    window["strides"] = random.choice((1, 1, 2, [1] * rank))
    conv = {"kernel_size": random.choice((1, 3, [3] * rank)), **window, "use_bias": random.random() < 0.5}
    conv["activation"] = random.choice(ACTIVATIONS[:4] if random.random() < 0.9 else ACTIVATIONS)
    filters = random.choice((1, 4, 6))
    choices: tuple[Layer, ...] = (
        (f"Conv{rank}D", {"filters": filters, **conv, "groups": random.choice((1, 1, 2))}),
        ("Conv2D", {"filters": filters, **conv}),
        (f"DepthwiseConv{min(rank, 2)}D", {"depth_multiplier": random.choice((1, 2)), **conv}),
        (f"SeparableConv{min(rank, 2)}D", {"filters": filters, **conv}),
        (f"Conv{rank}DTranspose", {"filters": filters, **conv, "output_padding": random.choice((None, None, 0))}),
        (random.choice(("MaxPooling2D", "AveragePooling2D")), {"pool_size": random.choice((2, [3, 3])), **window}),
        ("BatchNormalization", {"axis": random.choice((-1, 3, 1)), "scale": random.random() < 0.7}),
        ("LayerNormalization", {"axis": random.choice((-1, [3], [1, 2, 3]))}),
        ("GroupNormalization", {"groups": random.choice((1, 2, -1))}),
        (
            random.choice(("Flatten", "ReLU", "Dropout", "Add", "Multiply", "Maximum", "Mystery", "Lambda", "Average")),
            {},
        ),
        ("Activation", {"activation": random.choice(ACTIVATIONS)}),
        ("Reshape", {"target_shape": random.choice(([-1], [-1, 4], [4, -1], [2, 2, -1], [-1, -1]))}),
        ("Permute", {"dims": random.choice(([2, 1, 3], [3, 1, 2], [2, 1], [1]))}),
        ("Concatenate", {"axis": random.choice((-1, 1, 3, 0))}),
        ("ZeroPadding2D", {"padding": random.choice((1, [1, 2], [[1, 0], [0, 1]]))}),
        ("UpSampling3D", {"size": 2, "interpolation": random.choice(("nearest", "bilinear", "lanczos3"))}),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": random.choice((2, 3))}),
        (random.choice(("LSTM", "GRU", "SimpleRNN")), {"units": 3, "use_bias": random.random() < 0.5}),
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"name": "inner", "units": 2}}}),
        ("Rescaling", {"scale": random.choice((0.5, [1, 2, 3])), "offset": 0}),
        ("TFOpLambda", {"function": random.choice(("math.multiply", "reshape", "nn.relu", "reduce_mean", "concat"))}),
    )
    return random.choice(choices[:IMAGES] if fits else choices)


def shape(random: Random) -> list[Any]:
    """The shape of an input, its batch first."""
    if random.random() < 0.85:
        return [None, 8, 8, 4]
    return random.choice(
        ([None, 8, 8, 3], [None, 9, 7, 4], [None, 6, 4], [None, 5], [None, None, None, 3], [2, 4, 4, 4, 2])
    )


def sequential(random: Random, modern: bool) -> dict[str, Any]:
    """A chain of layers."""
    key = "batch_shape" if modern else "batch_input_shape"
    items: list[dict[str, Any]] = [{"class_name": "InputLayer", "config": {key: shape(random), "name": "x"}}]
    for number in range(random.randrange(6)):
        name, settings = layer(random)
        items.append({"class_name": name, "config": {"name": f"l{number}", **settings}})
    return {"name": "net", "layers": marked(items, modern)}


def marked(items: list[dict[str, Any]], modern: bool) -> list[dict[str, Any]]:
    """Layers with the module of their class, as Keras 3 has it."""
    return [{**item, "module": "keras.layers"} for item in items] if modern else items


def functional(random: Random, modern: bool, depth: int) -> dict[str, Any]:
    """A graph of layers, models inside the model among them."""
    key = "batch_shape" if modern else "batch_input_shape"
    items: list[dict[str, Any]] = []
    for number in range(random.choice((1, 1, 2))):
        settings = {key: shape(random), "name": f"in{number}"}
        items.append({"class_name": "InputLayer", "name": f"in{number}", "config": settings, "inbound_nodes": []})
    inputs = len(items)
    for number in range(random.randrange(1, 7)):
        name, settings = layer(random)
        item: dict[str, Any] = {"class_name": name, "name": f"l{number}", "config": {"name": f"l{number}", **settings}}
        if depth < 2 and random.random() < 0.1:
            item |= {"class_name": "Functional", "config": functional(random, modern, depth + 1)}
        item["inbound_nodes"] = [call(random, items, modern) for _ in range(random.choice((1, 1, 1, 2)))]
        items.append(item)
    outputs = [[random.choice(items)["name"], 0, 0] for _ in range(random.choice((0, 0, 0, 1)))]
    return {
        "name": f"net{depth}",
        "layers": marked(items, modern),
        "input_layers": [[f"in{number}", 0, 0] for number in range(inputs)],
        "output_layers": [[items[-1]["name"], 0 if random.random() < 0.95 else 1, 0], *outputs],
    }


def call(random: Random, items: list[dict[str, Any]], modern: bool) -> Any:
    """A call that reads layers before it."""
    read = [[random.choice(items)["name"], 0 if random.random() < 0.95 else 1, 0]]
    read += read if random.random() < 0.2 else []
    if not modern:
        return [[*entry, {"y": 2.0} if random.random() < 0.1 else {}] for entry in read]
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": entry}} for entry in read]
    return {"args": [tensors] if len(tensors) > 1 else tensors, "kwargs": {}}


def damage(random: Random, root: Any) -> None:
    """One value somewhere in it becomes another."""
    place = root
    while isinstance(place, (dict, list)) and place:
        key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or not place[key] or random.random() < 0.1:
            place[key] = deepcopy(random.choice(EDGES))
            return
        place = place[key]
