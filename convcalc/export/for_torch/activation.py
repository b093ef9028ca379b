"""PyTorch: activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Call, Step, keywords
from .common import Mapper, module_of

if TYPE_CHECKING:
    from ...layers.activation import GLU, Softmax
    from ...layers.base import Shape, Shapes


def _along(name: str) -> Mapper:
    """A module of one axis, which for PyTorch counts the batch."""

    def map_(layer: Softmax | GLU, inputs: Shapes, output: Shape) -> list[Step]:
        return [Call(name, keywords(dim=layer.dim + 1 if layer.dim >= 0 else layer.dim))]

    return map_


ROWS: dict[str, Mapper] = {
    "relu": module_of("nn.ReLU"),
    "relu6": module_of("nn.ReLU6"),
    "silu": module_of("nn.SiLU"),
    "hardswish": module_of("nn.Hardswish"),
    "hardsigmoid": module_of("nn.Hardsigmoid"),
    "sigmoid": module_of("nn.Sigmoid"),
    "tanh": module_of("nn.Tanh"),
    "mish": module_of("nn.Mish"),
    "selu": module_of("nn.SELU"),
    "Gelu": module_of("nn.GELU", approximate="none"),
    "LeakyReLU": module_of("nn.LeakyReLU", negative_slope=0.01),
    "PReLU": module_of("nn.PReLU", num_parameters=1),
    "ELU": module_of("nn.ELU", alpha=1.0),
    "Softplus": module_of("nn.Softplus", beta=1.0, threshold=20.0),
    "softmax": _along("nn.Softmax"),
    "log_softmax": _along("nn.LogSoftmax"),
    "GLU": _along("nn.GLU"),
    "softsign": module_of("nn.Softsign"),
    "logsigmoid": module_of("nn.LogSigmoid"),
    "tanhshrink": module_of("nn.Tanhshrink"),
    "hardshrink": module_of("nn.Hardshrink", lambd=0.5),
    "softshrink": module_of("nn.Softshrink", lambd=0.5),
    "CELU": module_of("nn.CELU", alpha=1.0),
    "Hardtanh": module_of("nn.Hardtanh", min_val=-1.0, max_val=1.0),
    "Threshold": module_of("nn.Threshold", threshold=None, value=None),
}
"""Kind or family -> what it becomes."""
