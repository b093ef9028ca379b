"""Measure in PyTorch what GoogLeNet's auxiliary heads inject, and record it.

python -m benchmarks.auxiliary_losses          prints the gradient with the heads over that without, by layer
python -m benchmarks.auxiliary_losses --write  and writes tests/recorded_auxiliary_losses.json, which tests hold on to

Needs PyTorch beside convcalc. The module is what `convcalc export googlenet --to torch --set aux=true` writes; its last
softmax is part of the cross-entropy, dropout passes everything on, and the three losses weigh 1, 0.3 and 0.3. Recorded
are root mean squares of the gradients at the outputs of layers, of the main loss alone and of all three: once of the
numbers that convcalc draws, and for several seeds of those that PyTorch draws.
"""

from __future__ import annotations

import argparse
import json
import sys
from math import log
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.exported import model_of
from convcalc import load
from convcalc.export.torch_module import torch_module
from convcalc.reference import run
from convcalc.verify.loss import losses_of

RECORD = Path(__file__).parent.parent / "tests" / "recorded_auxiliary_losses.json"
SEEDS = 24
WEIGHTS = (1.0, 0.3, 0.3)
Row = dict[str, list[float]]
"""Layer -> [of the main loss alone, of all three]."""


def layers(model: Any) -> dict[str, nn.Module]:
    """Modules at whose outputs gradients are measured, by the names that convcalc has for them."""
    return {
        "conv1.conv2d": model.conv1[0],
        "inception_3a.concat": model.inception_3a,
        "inception_4a.concat": model.inception_4a,
        "inception_4d.concat": model.inception_4d,
        "inception_5b.concat": model.inception_5b,
        "head.fc": model.head[0],
        "aux1.classifier": model.aux1.classifier,
    }


def measured(model: Any, image: torch.Tensor, classes: torch.Tensor) -> tuple[Row, list[float]]:
    """The gradients at the layers, and the three losses."""
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            kept[name] = output

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in layers(model).items()]
    logits = model(image)
    for hook in hooks:
        hook.remove()
    losses = [functional.cross_entropy(y, classes) for y in logits]
    whole = sum(weight * loss for weight, loss in zip(WEIGHTS, losses, strict=True))
    rows: Row = {name: [] for name in kept}
    for loss in (losses[0], whole):
        gradients = torch.autograd.grad(loss, list(kept.values()), retain_graph=True, allow_unused=True)
        for name, gradient in zip(kept, gradients, strict=True):
            rows[name].append(0.0 if gradient is None else float(gradient.double().square().mean().sqrt()))
    return rows, [loss.item() for loss in losses]


def start(model: nn.Module, scheme: str) -> None:
    """Draw the weights: `torch` keeps PyTorch's default, `kaiming` is He et al.'s with biases of 0."""
    if scheme == "kaiming":
        for module in model.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)


def own_numbers(code: str, scheme: str) -> list[Row]:
    """A row a seed, all numbers drawn by PyTorch."""
    rows = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = model_of(code)().eval()
        model.head[1] = nn.Identity()
        start(model, scheme)
        rows.append(measured(model, torch.randn(1, 3, 224, 224), torch.randint(1000, (1,)))[0])
    return rows


def same_numbers(code: str, network: Any, scheme: str) -> dict[str, Any]:
    """The gradients and losses of the image, the weights and the class that convcalc draws from seed 0."""
    model = model_of(code)().eval()
    model.head[1] = nn.Identity()
    steps = list(run(network, scheme=scheme, training=True))
    given = [torch.as_tensor(array) for step in steps for array in step.weights.values()]
    model.load_state_dict(dict(zip(model.state_dict(), given, strict=True)))
    main = losses_of(network)[0]
    classes = torch.as_tensor(main.classes((1, *network.nodes[main.node].shape), 0))
    rows, losses = measured(model, torch.as_tensor(steps[0].inputs[0]), classes)
    return {"gradients": rows, "losses": losses}


def main() -> int:
    """Measure, print, and with --write record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help=f"record the runs in {RECORD.name}")
    write = parser.parse_args().write
    network = load("googlenet", params={"aux": True})
    code = torch_module(network)
    schemes = ("torch", "kaiming")
    found = {
        "torch": str(torch.__version__),
        "seeds": SEEDS,
        "same_numbers": {scheme: same_numbers(code, network, scheme) for scheme in schemes},
        "own_numbers": {scheme: own_numbers(code, scheme) for scheme in schemes},
    }
    for scheme, rows in found["own_numbers"].items():
        for name in rows[0]:
            logs = [log(row[name][1] / row[name][0]) for row in rows if row[name][0]]
            if logs:
                print(f"{scheme:8} {name:20} ln(ratio) {fmean(logs):.3f} +- {stdev(logs) / len(logs) ** 0.5:.3f}")
    if write:
        RECORD.write_text(record_text(rounded(found)), encoding="utf-8")
    return 0


def record_text(found: dict[str, Any]) -> str:
    """The record as JSON, a run a line."""
    text = json.dumps(found)
    return text.replace("}, {", "},\n{").replace('], "', '],\n"') + "\n"


def rounded(value: Any) -> Any:
    """Numbers to six digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
