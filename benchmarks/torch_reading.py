"""Time and memory of reading PyTorch models, beside torchinfo's `summary` of the same models in the same process.

Needs torch, torchvision and torchinfo. Each model is read and summarised in turn, so that both meet the same machine;
the first reading, which loads what torch loads late, is left out of both. Memory is that of a process of its own.

    python benchmarks/torch_reading.py [MODEL ...]
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

MODELS = ("resnet18", "resnet50", "googlenet", "mobilenet_v3_large", "densenet121", "convnext_tiny", "vit_b_16")
ROUNDS = 5
SIZES = (3, 224, 224)


MEMORY = """
def held(field):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field)) / 1024

import torch, torchvision
before = held("VmRSS")
from convcalc import load
load("torchvision.models:" + __import__("sys").argv[1], input=(3, 224, 224))
print(f"{held('VmHWM') - before:.0f}")
"""
"""The most that a process holds while it builds and reads a model, above importing torch and torchvision (Linux)."""


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def main(names: list[str]) -> None:
    """Print a row for each model."""
    import torch
    import torchinfo
    import torchvision

    from convcalc import from_torch

    def build(name: str) -> torch.nn.Module:
        options = {"init_weights": False} if name == "googlenet" else {}
        return torchvision.models.get_model(name, weights=None, **options)

    models = {name: build(name).eval() for name in names}
    first = next(iter(models.values()))
    torchinfo.summary(first, (1, *SIZES), verbose=0)
    from_torch(first, SIZES)
    print(f"{'model':<20} {'convcalc':>9} {'torchinfo':>9} {'ratio':>6} {'memory':>9}")
    for name, model in models.items():
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(lambda model=model: from_torch(model, SIZES)))
            theirs.append(seconds(lambda model=model: torchinfo.summary(model, (1, *SIZES), verbose=0)))
        done = subprocess.run([sys.executable, "-c", MEMORY, name], capture_output=True, text=True, check=True)
        times = f"{median(ours):8.3f}s {median(theirs):8.3f}s {median(ours) / median(theirs):6.2f}"
        print(f"{name:<20} {times} {done.stdout.split()[-1]:>5} MiB")


if __name__ == "__main__":
    main(sys.argv[1:] or list(MODELS))
