"""Export a small network of modules by both of PyTorch's exporters, and record which modules it calls, in order.

python -m tools.onnx_modules    writes tests/oracle/onnx/modules.onnx.gz, modules_dynamo.onnx.gz and modules.json

Needs PyTorch, onnx and onnxscript. The network has what names are made of: stages of residual blocks, an activation
that a block calls twice, a list of modules, a head that is called for two of its inputs, a token. Names and classes of
the calls are those of PyTorch.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "onnx"


class Residual(nn.Module):
    """Two convolutions beside what they read."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = None
        if channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Head(nn.Module):
    """What is called for every level."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU())
        self.score = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.tower(x))


class Net(nn.Module):
    """Stages, levels of one width, and a head for both."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.layer1 = nn.Sequential(Residual(4, 8), Residual(8, 8), Residual(8, 8))
        self.layer2 = nn.Sequential(Residual(8, 16, 2), Residual(16, 16), Residual(16, 16))
        self.levels = nn.ModuleList([nn.Conv2d(8, 8, 1), nn.Conv2d(16, 8, 1)])
        self.head = Head()
        self.shift = nn.Parameter(torch.zeros(8, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        near = self.layer1(self.stem(x))
        far = self.layer2(near)
        return self.head(self.levels[0](near) - self.shift), self.head(self.levels[1](far))


def calls(model: nn.Module, image: Tensor) -> list[list[str]]:
    """[name, class] of each call of a module that has no modules inside, in order."""
    found: list[list[str]] = []
    hooks = [
        module.register_forward_hook(lambda own, *_, name=name: found.append([name, type(own).__name__]))
        for name, module in model.named_modules()
        if not list(module.children())
    ]
    model(image)
    for hook in hooks:
        hook.remove()
    return found


def exported(model: nn.Module, image: Tensor, dynamo: bool) -> bytes:
    """The file of one exporter, weights cut off; traces of the code are left out."""
    file = io.BytesIO()
    if dynamo:
        program: Any = torch.onnx.export(model, (image,), dynamo=True, verbose=False)
        proto = program.model_proto
    else:
        torch.onnx.export(model, (image,), file, dynamo=False, opset_version=17, do_constant_folding=False)
        proto = onnx.load_from_string(file.getvalue())
    for tensor in proto.graph.initializer:
        if len(tensor.raw_data) > 256:
            tensor.ClearField("raw_data")
    for node in proto.graph.node:
        kept = [pair for pair in node.metadata_props if pair.key != "pkg.torch.onnx.stack_trace"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    return proto.SerializeToString()


def main() -> int:
    torch.manual_seed(0)
    model, image = Net().eval(), torch.zeros(1, 3, 32, 32)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5)  # Exporters store equal tensors once.
    for dynamo in (False, True):
        name = f"modules{'_dynamo' if dynamo else ''}.onnx.gz"
        (FOLDER / name).write_bytes(gzip.compress(exported(model, image, dynamo), mtime=0))
    record = {
        "doc": f"Exported by tools/onnx_modules.py from PyTorch {torch.__version__} (onnx {onnx.__version__}); "
        "the calls are those of PyTorch.",
        "params": sum(parameter.numel() for parameter in model.parameters()),
        "calls": calls(model, image),
    }
    (FOLDER / "modules.json").write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
