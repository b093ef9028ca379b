"""Time and memory of reading PyTorch models, beside torchinfo's `summary` of the same models in the same process.

Needs torch, torchvision and torchinfo. Each model is read and summarised in turn, so that both meet the same machine;
the first reading, which loads what torch loads late, is left out of both.

    python benchmarks/torch_reading.py [MODEL ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

MODELS = ("resnet18", "resnet50", "googlenet", "mobilenet_v3_large", "densenet121", "convnext_tiny", "vit_b_16")
ROUNDS = 5
SIZES = (3, 224, 224)


def resident() -> float:
    """Mebibytes that the process holds (Linux)."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


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
    before = resident()
    from_torch(first, SIZES)
    print(f"{'model':<20} {'convcalc':>9} {'torchinfo':>9} {'ratio':>6}")
    for name, model in models.items():
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(lambda model=model: from_torch(model, SIZES)))
            theirs.append(seconds(lambda model=model: torchinfo.summary(model, (1, *SIZES), verbose=0)))
        print(f"{name:<20} {median(ours):8.3f}s {median(theirs):8.3f}s {median(ours) / median(theirs):6.2f}")
    print(f"memory above torch, torchvision, torchinfo and the models: {resident() - before:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:] or list(MODELS))
