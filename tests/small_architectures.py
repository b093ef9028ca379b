"""Small specs of published networks, as text, for tests that need whole architectures."""

from __future__ import annotations

import json
from typing import Any


def spec(input: object, layers: list[Any], name: str = "random", **more: object) -> str:
    """A spec as text: JSON is YAML."""
    return json.dumps({"convcalc": 1, "name": name, "input": input, **more, "layers": layers})


def _conv(out: int, k: int = 3, s: int = 1, p: int = 0, kind: str = "conv2d") -> dict[str, Any]:
    return {kind: {"out": out, "k": k, "s": s, "p": p}}


def _pool(k: int, s: int) -> dict[str, Any]:
    return {"max_pool2d": {"k": k, "s": s}}


def _two(out: int) -> dict[str, Any]:
    return {"layers": [_conv(out), "relu", _conv(out), "relu"]}


def _unet() -> list[Any]:
    layers: list[Any] = []
    for level in range(4):
        layers += [{**_two(64 * 2**level), "name": f"down{level}"}, _pool(2, 2)]
    layers.append({**_two(1024), "name": "bottom"})
    for level in (3, 2, 1, 0):
        layers += [
            {**_conv(64 * 2**level, 2, 2, kind="conv_transpose2d"), "name": f"up{level}"},
            {"crop": {}, "from": [f"down{level}", f"up{level}"], "name": f"crop{level}"},
            {"concat": {}, "from": [f"crop{level}", f"up{level}"]},
            {**_two(64 * 2**level), "name": f"merge{level}"},
        ]
    return [*layers, _conv(2, 1)]


def _vgg16() -> list[Any]:
    layers: list[Any] = []
    for count, out in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        layers += [*[_conv(out, 3, 1, 1), "relu"] * count, _pool(2, 2)]
    return [*layers, "flatten", {"linear": {"out": 4096}, "name": "fc6"}, "relu", {"linear": {"out": 1000}}]


def _resnet() -> list[Any]:
    layers: list[Any] = [{**_conv(64, 7, 2, 3), "name": "conv1"}, "batch_norm", "relu"]
    layers.append({"max_pool2d": {"k": 3, "s": 2, "p": 1}, "name": "pool"})
    for level, (out, s) in enumerate(((64, 1), (128, 2), (256, 2), (512, 2)), start=1):
        main = [_conv(out, 3, s, 1), "batch_norm", "relu", _conv(out, 3, 1, 1), "batch_norm"]
        shortcut = [_conv(out, 1, s), "batch_norm"] if s > 1 else []
        layers += [{"add": {"branches": {"main": main, "shortcut": shortcut}}, "name": f"l{level}"}, "relu"]
    return [*layers, "global_avg_pool", "flatten", {"linear": {"out": 1000}}]


def _alexnet() -> list[Any]:
    return [
        {**_conv(64, 11, 4, 2), "name": "conv1"},
        "relu",
        {**_pool(3, 2), "name": "pool1"},
        _conv(192, 5, 1, 2),
        "relu",
        {**_pool(3, 2), "name": "pool2"},
        *[_conv(384, 3, 1, 1), "relu", _conv(256, 3, 1, 1), "relu", _conv(256, 3, 1, 1), "relu"],
        {**_pool(3, 2), "name": "pool5"},
        {"adaptive_avg_pool2d": {"output_size": 6}},
        *["flatten", {"dropout": {"p": 0.5}}, {"linear": {"out": 4096}}, "relu", {"linear": {"out": 1000}}],
    ]


UNET = spec([1, 572, 572], _unet(), "U-Net")
VGG16 = spec([3, 224, 224], _vgg16(), "VGG-16")
RESNET = spec([3, 224, 224], _resnet(), "ResNet")
ALEXNET = spec([3, 224, 224], _alexnet(), "AlexNet")
