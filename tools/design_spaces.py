"""What PyTorch, timm and Keras say of the models that were published of design spaces: tests/oracle/design_spaces.json.

Params are counted on models without numbers (trainable ones: Keras counts running means too); the billions of
multiply-accumulates are those of torchvision's documentation. Needs torch, torchvision, timm and keras:

    KERAS_BACKEND=torch python -m tools.design_spaces
"""

from __future__ import annotations

import json
import os
from math import prod
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

OUTPUT = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "design_spaces.json"
WIDTHS_V1 = (1.0, 0.75, 0.5, 0.25)
WIDTHS_V2 = (1.4, 1.3, 1.0, 0.75, 0.5, 0.35)


def regnets() -> dict[str, Any]:
    """RegNetX of timm, whose depths and widths are those of pycls, with the numbers that generate each."""
    import torch
    from timm.models.regnet import RegNet, model_cfgs

    found = {}
    for name, config in model_cfgs.items():
        if not name.startswith("regnetx_"):
            continue
        with torch.device("meta"):
            model = RegNet(config)
        found[name] = {
            "d": config.depth,
            "w0": config.w0,
            "wa": str(config.wa),
            "wm": str(config.wm),
            "group_width": config.group_size,
            "params": sum(parameter.numel() for parameter in model.parameters()),
        }
    return found


def efficientnets() -> dict[str, Any]:
    """EfficientNet of torchvision, as its documentation has it."""
    from torchvision.models import get_model_weights

    found = {}
    for number in range(8):
        meta = get_model_weights(f"efficientnet_b{number}").IMAGENET1K_V1
        size = meta.transforms.keywords["crop_size"]
        found[f"efficientnet_b{number}"] = {
            "size": size,
            "params": meta.meta["num_params"],
            "gigamacs": str(meta.meta["_ops"]),
        }
    return found


def mobilenets() -> dict[str, Any]:
    """MobileNet of Keras by its width: trainable params, which no resolution changes."""
    from keras.applications import MobileNet, MobileNetV2

    found: dict[str, Any] = {}
    for name, model, widths in (("mobilenet_v1", MobileNet, WIDTHS_V1), ("mobilenet_v2", MobileNetV2, WIDTHS_V2)):
        for width in widths:
            made = model(alpha=width, weights=None)
            found[f"{name}_{width}"] = {"params": sum(prod(weight.shape) for weight in made.trainable_weights)}
    return found


def main() -> None:
    """Write the record."""
    from importlib.metadata import version

    record = {
        "versions": {name: version(name) for name in ("torch", "torchvision", "timm", "keras")},
        "regnetx": regnets(),
        "efficientnet": efficientnets(),
        "mobilenet": mobilenets(),
    }
    OUTPUT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
