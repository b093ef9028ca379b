"""Record models of Keras: their configurations, with the shapes, params and multiply-accumulates that Keras gives.

python -m tools.keras_models                 writes tests/oracle/keras/applications.json.xz and layers.json.xz
python -m tools.keras_models layers          one of them

Needs Keras with the backend PyTorch, on whose meta device large models are made, so that no weight is.
Multiply-accumulates are half of what torch.utils.flop_counter counts in a run: products of convolutions and matrices,
whoever asked for them. Configurations are kept without initializers, regularizers and constraints, which say nothing of
shapes.
"""

from __future__ import annotations

import json
import lzma
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tools.keras_cases import CASES

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "keras"
OPEN = {"MobileNetV3Large": (224, 224, 3), "MobileNetV3Small": (224, 224, 3)}
"""Applications whose input is open, and what they run on."""
ELSEWHERE = ("NASNetMobile",)
"""Applications that Keras does not make on this backend."""
SILENT = ("_initializer", "_regularizer", "_constraint")


def applications() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The networks of keras.applications, without weights."""
    for name in sorted(dir(keras.applications)):
        make = getattr(keras.applications, name)
        if name[0].isupper() and callable(make) and name not in ELSEWHERE:
            yield name, lambda make=make: make(weights=None)


def plain(value: Any) -> Any:
    """A configuration without what says nothing of shapes."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if not key.endswith(SILENT) and key != "dtype"}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def shapes(model: Any, prefix: str = "") -> Iterator[tuple[str, list[list[int | None]]]]:
    """(path of a layer, the shapes of its outputs of every call), models inside the model included."""
    for operation in model.operations if hasattr(model, "operations") else model.layers:
        if hasattr(operation, "layers"):
            yield from shapes(operation, f"{prefix}{operation.name}/")
            continue
        tensors = [tensor for node in operation._inbound_nodes for tensor in node.output_tensors]
        yield f"{prefix}{operation.name}", [list(tensor.shape) for tensor in tensors]


def numbers(shape: tuple[int, ...], which: int) -> Any:
    """Numbers between −1 and 1 that the tests draw again: those of tensor number `which`."""
    return np.sin(0.7 * np.arange(math.prod(shape)) + which).reshape(shape)


def record(name: str, make: Callable[[], Any], device: str) -> dict[str, Any]:
    """What Keras says of a model; on a processor also what it makes of numbers."""
    keras.backend.clear_session()
    with keras.device(device):
        model = make()
        sizes = [OPEN.get(name, tensor.shape[1:]) for tensor in model.inputs]
        types = [getattr(torch, tensor.dtype) for tensor in model.inputs]
        inputs = [torch.zeros((1, *size), dtype=kind, device=device) for size, kind in zip(sizes, types, strict=True)]
        # Attention as the products that it is, since fused kernels of a processor are not counted.
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(given(model, inputs), training=False)
        values = probes(model, sizes) if device == "cpu" and all(kind.is_floating_point for kind in types) else None
    layers = [layer for layer in model._flatten_layers() if layer is not model]
    return {
        "config": plain(json.loads(model.to_json())),
        "params": model.count_params(),
        "trainable": sum(weight.value.numel() for weight in model.trainable_weights),
        "learned": sum({id(w): w.value.numel() for layer in layers for w in layer._trainable_variables}.values()),
        "macs": counter.get_total_flops() // 2,
        "shapes": dict(shapes(model)),
        "outputs": [list(tensor.shape) for tensor in model.outputs],
        **({} if values is None else {"values": values, "weights": places(model)}),
    }


def given(model: Any, inputs: list[Any]) -> Any:
    """Inputs as the model takes them."""
    if not isinstance(model, keras.Sequential) and isinstance(model.input, dict):
        return {tensor.name: value for tensor, value in zip(model.inputs, inputs, strict=True)}
    return inputs[0] if len(inputs) == 1 else inputs


def probes(model: Any, sizes: list[tuple[int, ...]]) -> list[float]:
    """The sum of each output's numbers, each times a cosine of its place, with weights and inputs that are drawn."""
    for which, weight in enumerate(model.weights):
        drawn = numbers(tuple(weight.shape), which)
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.name else drawn)
    inputs = [torch.as_tensor(numbers((1, *size), which), dtype=torch.float32) for which, size in enumerate(sizes)]
    with torch.no_grad():
        outputs = keras.tree.flatten(model(given(model, inputs), training=False))
    arrays = [output.detach().numpy().astype("float64").ravel() for output in outputs]
    return [float(array @ np.cos(0.11 * np.arange(array.size))) for array in arrays]


def places(model: Any) -> dict[str, list[tuple[int, list[int]]]]:
    """Name of a layer -> (number among the model's weights, shape) of each of its weights."""
    order = {id(weight): which for which, weight in enumerate(model.weights)}
    held = [layer for layer in model._flatten_layers() if not hasattr(layer, "layers") and layer.weights]
    return {layer.name: [(order[id(weight)], list(weight.shape)) for weight in layer.weights] for layer in held}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    about = f"Recorded by tools/keras_models.py with Keras {keras.__version__} on PyTorch {torch.__version__}."
    for file, makers, device in (("layers", CASES.items(), "cpu"), ("applications", applications(), "meta")):
        if file not in (sys.argv[1:] or (file,)):
            continue
        found: dict[str, Any] = {}
        for name, make in makers:
            try:
                found[name] = record(name, make, device)
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            print(name, {key: found[name][key] for key in ("params", "trainable", "macs")}, file=sys.stderr)
        text = json.dumps({"about": about, "models": found}, separators=(",", ":"))
        (FOLDER / f"{file}.json.xz").write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
