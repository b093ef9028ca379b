"""Run what `convcalc export --to torch` writes in PyTorch, and record what it does.

python -m benchmarks.exported_torch          checks everything against convcalc, prints differences
python -m benchmarks.exported_torch --write  and writes tests/recorded_torch.json, which the tests hold on to

Needs PyTorch 2.1 or newer beside convcalc. Every spec of the gallery in all its variants runs on the meta device:
shapes, parameters, buffers, multiply-accumulates. Every single layer runs on the CPU in float64: values.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from convcalc import analyse, load
from convcalc.export.torch_module import torch_module
from convcalc.findings import UsageError
from convcalc.language import gallery_names
from convcalc.network import Network
from convcalc.reference import run
from tests.exported_layers import drawn_weights, layer_cases
from tests.recorded_exports import fingerprint, record_path, record_text


def built(text: str) -> Any:
    """The model of an exported file, by the class that its main part builds."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), space)
    classes = [v for v in space.values() if isinstance(v, type) and v.__module__ == "exported"]
    return classes[-1]().eval()


def on_meta(network: Network, text: str) -> dict[str, Any]:
    """What PyTorch counts."""
    with torch.device("meta"):
        model = built(text)
        inputs = [torch.zeros(1, *shape) for shape in network.inputs.values()]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            outputs = model(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return {
        "outputs": [list(y.shape[1:]) for y in outputs],
        "params": sum(p.numel() for p in model.parameters()),
        "buffers": sum(b.numel() for b in model.buffers()),
        "macs": counter.get_total_flops() // 2,
    }


def expected(network: Network) -> dict[str, Any]:
    """What convcalc counts."""
    totals = analyse(network).to_dict()["totals"]
    nodes = dict.fromkeys(output.node for output in network.outputs)
    counts = {name: totals[name] for name in ("params", "buffers", "macs")}
    return {"outputs": [list(network.nodes[n].shape) for n in nodes], **counts}


def values_differ(network: Network, text: str) -> float:
    """The largest difference of values over the largest value, in float64."""
    weights = drawn_weights(network)
    rng = np.random.default_rng(1)
    inputs = {name: rng.standard_normal((2, *shape)) for name, shape in network.inputs.items()}
    (*_, last) = run(network, inputs, dtype="float64", weights=weights)
    model = built(text).double()
    given = [array for tensors in weights.values() for array in tensors.values()]
    state = dict(zip(model.state_dict(), map(torch.as_tensor, given), strict=True))
    model.load_state_dict(state)
    with torch.no_grad():
        y = model(*map(torch.as_tensor, inputs.values())).numpy()
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
    for name in gallery_names():
        base = load(name)
        for variant in (None, *base.origin.variants):  # type: ignore[union-attr]
            network = load(name, variant=variant)
            text = torch_module(network)
            found, wanted = on_meta(network, text), expected(network)
            label = f"{name}:{variant}" if variant else name
            networks[label] = {"code": fingerprint(text), **found}
            if found != wanted:
                wrong += 1
                print(label, found, wanted)
    for label, network in layer_cases():
        try:
            text = torch_module(network)
        except UsageError as refused:
            layers[label] = {"refused": refused.message}
            print(refused.message)
            continue
        try:
            difference = values_differ(network, text)
        except Exception as error:
            difference = float("inf")
            print(label, type(error).__name__, error)
        layers[label] = {"code": fingerprint(text)}
        if not difference < 1e-12:
            wrong += 1
            print(label, "values differ by", difference)
    print(f"torch {torch.__version__}: {len(networks)} networks, {len(layers)} layers, {wrong} differ")
    if write and not wrong:
        text = record_text("torch", str(torch.__version__), networks, layers)
        record_path("torch").write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
