"""Export a small network that pads as TensorFlow does, and record it with the shapes that PyTorch gives.

python -m tools.onnx_same_padding    writes tests/oracle/onnx/same_padding.onnx.gz and same_padding.json

Needs PyTorch and the onnx package. The padding is computed from the input's size while the network runs, as in the
tf_ networks of timm (timm/layers/padding.py: get_same_padding), so that the file holds the arithmetic and no pads.
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
from torch.nn import functional

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "onnx"
SIZES = ((65, 64), (64, 64), (63, 70), (7, 5))


def needed(size: Any, kernel: int, stride: int) -> Any:
    """The padding after which an axis gives ceil(size / stride) positions."""
    return torch.clamp(((size / stride).ceil() - 1) * stride + kernel - size, min=0)


class Conv2dSame(nn.Conv2d):
    """A convolution that pads as TensorFlow does."""

    def forward(self, x: Tensor) -> Tensor:
        sizes = [torch.as_tensor(size) for size in x.size()[-2:]]
        high, wide = (needed(*axis) for axis in zip(sizes, self.kernel_size, self.stride, strict=True))
        sides = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        return super().forward(functional.pad(x, [int(side) if not torch.jit.is_tracing() else side for side in sides]))


class Stem(nn.Module):
    """The beginning of an EfficientNet, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = Conv2dSame(3, 8, 3, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.act1 = nn.SiLU()
        self.depthwise = Conv2dSame(8, 8, 5, 2, groups=8, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.project = nn.Conv2d(8, 16, 1)
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv_stem(x)))
        x = self.project(self.bn2(self.depthwise(x)))
        return self.classifier(x.mean((2, 3)))


def shapes(model: nn.Module, size: tuple[int, int]) -> dict[str, list[int]]:
    """Layer -> the shape of its output, without the batch."""
    found: dict[str, list[int]] = {}
    hooks = [
        module.register_forward_hook(lambda _, __, output, name=name: found.update({name: list(output.shape[1:])}))
        for name, module in model.named_children()
    ]
    model(torch.zeros(1, 3, *size))
    for hook in hooks:
        hook.remove()
    return found


def main() -> int:
    torch.manual_seed(0)
    model = Stem().eval()
    for norm in (model.bn1, model.bn2):
        for tensor in (*norm.parameters(), norm.running_mean, norm.running_var):
            nn.init.uniform_(tensor, 0.5, 1.5)
    file = io.BytesIO()
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, 65, 64),),
        file,
        input_names=["x"],
        dynamic_axes={"x": {0: "N", 2: "H", 3: "W"}},
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamo=False,
    )
    facts = {
        "doc": f"Exported by tools/onnx_same_padding.py from PyTorch {torch.__version__} (TorchScript, opset 17, onnx "
        f"{onnx.__version__}); the shapes are those of PyTorch.",
        "params": sum(param.numel() for param in model.parameters()),
        "shapes": [{"input": [3, *size], "layers": shapes(model, size)} for size in SIZES],
    }
    (FOLDER / "same_padding.onnx.gz").write_bytes(gzip.compress(file.getvalue(), mtime=0))
    (FOLDER / "same_padding.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
