"""Measure the peak memory of a training step of torchvision's networks, and record it.

python -m tools.training_memory            prints each peak beside the one that convcalc's tests hold on to
python -m tools.training_memory --write    and writes tests/oracle/training_memory.json

Needs PyTorch and torchvision, nothing of convcalc. A peak is the largest sum of the bytes of all live storages, taken
after each operator; what an operator takes and frees inside, such as a convolution's workspace, is not seen. The third
step is measured after zero_grad(), the fourth beside the gradients of the third.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "training_memory.json"
BATCH = 4


class Case(NamedTuple):
    """A network of torchvision and the spec that says the same."""

    network: str
    spec: str
    variant: str | None = None
    size: int = 224
    heads: bool = False
    """Whether it has auxiliary heads, which are trained too."""


CASES = (
    Case("alexnet", "alexnet", "torchvision"),
    Case("vgg11_bn", "vgg", "vgg11_bn"),
    Case("vgg16", "vgg", "vgg16"),
    Case("googlenet", "googlenet", "torchvision", heads=True),
    Case("inception_v3", "inception_v3", size=299, heads=True),
    Case("resnet18", "resnet", "resnet18"),
    Case("resnet50", "resnet", "resnet50"),
    Case("resnext50_32x4d", "resnext", "resnext50_32x4d"),
    Case("densenet121", "densenet", "densenet121"),
    Case("squeezenet1_1", "squeezenet", "squeezenet1_1"),
    Case("shufflenet_v2_x1_0", "shufflenet_v2", "shufflenet_v2_x1_0"),
    Case("mobilenet_v2", "mobilenet_v2"),
    Case("mobilenet_v3_large", "mobilenet_v3", "mobilenet_v3_large"),
    Case("mnasnet1_0", "mnasnet", "mnasnet1_0"),
    Case("efficientnet_b0", "efficientnet", "efficientnet_b0"),
    Case("regnet_y_400mf", "regnet", "regnet_y_400mf"),
)

OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda params: torch.optim.SGD(params, lr=1e-9, foreach=True),
    "momentum": lambda params: torch.optim.SGD(params, lr=1e-9, momentum=0.9, foreach=True),
    "adam": lambda params: torch.optim.Adam(params, lr=1e-9, foreach=True),
}
"""With `foreach`, PyTorch's default on a GPU."""


class LivePeak(TorchDispatchMode):
    """The largest sum of the bytes of all live storages."""

    def __init__(self, tensors: Iterator[torch.Tensor]) -> None:
        super().__init__()
        self.backward = False
        self.peak = 0
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}
        for tensor in tensors:
            self._hold(tensor)

    def _hold(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        self._storages.setdefault(storage._cdata, (StorageWeakRef(storage), storage.nbytes()))

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.backward and _adds_into_the_first(function, args):
            result = args[0].add_(args[1])
        else:
            result = function(*args, **(kwargs or {}))
        for key in [key for key, (storage, _) in self._storages.items() if storage.expired()]:
            del self._storages[key]
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                self._hold(value)
        self.peak = max(self.peak, sum(size for _, size in self._storages.values()))
        return result


ALONE = (4, 2)
"""References to a tensor and to its storage where the engine alone holds it: two each, and those of Python."""


def _adds_into_the_first(function: Any, args: Any) -> bool:
    """Whether autograd, left alone, would add two gradients in place: under a mode it never does.

    Source: PyTorch torch/csrc/autograd/input_buffer.cpp, can_accumulate_inplace.
    """
    if function is not torch.ops.aten.add.Tensor or not all(isinstance(arg, torch.Tensor) for arg in args):
        return False
    first, second = args
    held = (first._use_count(), torch._C._storage_Use_Count(first.untyped_storage()._cdata))
    return first.shape == second.shape and first.is_contiguous() and held == ALONE


def standing(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    """What is there before a step."""
    yield from model.parameters()
    yield from model.buffers()
    yield from (param.grad for param in model.parameters() if param.grad is not None)
    for state in optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, torch.Tensor))


def measure(case: Case, optimizer_name: str) -> dict[str, Any]:
    """The peaks of one network under one optimiser."""
    options = {"init_weights": False, "aux_logits": True} if case.heads else {}
    model = getattr(torchvision.models, case.network)(weights=None, **options).train()
    optimizer = OPTIMIZERS[optimizer_name](model.parameters())
    images, targets = torch.zeros(BATCH, 3, case.size, case.size), torch.zeros(BATCH, dtype=torch.long)
    peaks = {}
    for name, releases in (("first", True), ("second", True), ("released", True), ("kept", False)):
        optimizer.zero_grad(set_to_none=releases)
        live = LivePeak(iter([images, targets, *standing(model, optimizer)]))
        with live:
            outputs = model(images)
            heads = [outputs] if isinstance(outputs, torch.Tensor) else outputs
            loss = sum(cross_entropy(head, targets) for head in heads)
            live.backward = True
            loss.backward()
            live.backward = False
            optimizer.step()
        del outputs, heads, loss
        peaks[name] = live.peak
    return {
        **case._asdict(),
        "batch": BATCH,
        "optimizer": optimizer_name,
        "params": sum(param.numel() for param in model.parameters()),
        "released": peaks["released"],
        "kept": peaks["kept"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the peak memory of training steps in PyTorch.")
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    held = json.loads(RECORD.read_text("utf-8"))["cases"] if RECORD.exists() else []
    known = {(case["network"], case["optimizer"]): case for case in held}
    found = []
    for case in CASES:
        for optimizer in OPTIMIZERS:
            row = measure(case, optimizer)
            found.append(row)
            before = known.get((case.network, optimizer), {})
            print(
                case.network, optimizer, *(f"{name} {row[name]} ({before.get(name)})" for name in ("released", "kept"))
            )
            sys.stdout.flush()
    if arguments.write:
        rows = ",\n".join(f"  {json.dumps(row)}" for row in found)
        doc = (
            f"Recorded from PyTorch {torch.__version__} and torchvision {torchvision.__version__} on a CPU by "
            "tools/training_memory.py: the most bytes of live storages in one training step at float32, cross-entropy "
            "of every head, after zero_grad() (released) and beside the gradients of the step before (kept)."
        )
        RECORD.write_text(f'{{\n "doc": {json.dumps(doc)},\n "cases": [\n{rows}\n ]\n}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
