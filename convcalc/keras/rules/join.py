"""Layers that join several inputs.

Source: keras/src/layers/merging of Keras 3; keras/src/applications/inception_resnet_v2.py.
"""

from __future__ import annotations

from collections.abc import Callable

from ...models.document import Malformed
from ..builder import Builder, Use
from ..tensor import Tensor

Rule = Callable[[Builder, Use], Tensor]


def of_one_rank(builder: Builder, tensors: list[Tensor]) -> list[Tensor]:
    """Tensors of fewer axes get axes of size 1 behind the batch, as Keras's layers give them."""
    rank = max(tensor.rank for tensor in tensors)
    return [
        tensor if tensor.rank == rank else builder.reshaped(tensor, (*(1,) * (rank - tensor.rank), *tensor.sizes))
        for tensor in tensors
    ]


def joined(builder: Builder, kind: str, tensors: list[Tensor]) -> Tensor:
    """Element by element; a single input passes."""
    if len(tensors) == 1:
        return builder.emit("identity", {}, tensors[0])
    return builder.emit(kind, {}, *builder.aligned(of_one_rank(builder, tensors)))


def _merge(kind: str) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        return joined(builder, kind, _several(use))

    return rule


def _several(use: Use) -> list[Tensor]:
    tensors = use.tensors
    if not tensors:
        raise Malformed("it reads nothing")
    return tensors


def _chain(kind: str) -> Rule:
    """A join of two inputs at a time."""

    def rule(builder: Builder, use: Use) -> Tensor:
        result, *others = _several(use)
        for other in others:
            result = joined(builder, kind, [result, other])
        return result if others else builder.emit("identity", {}, result)

    return rule


def _subtract(builder: Builder, use: Use) -> Tensor:
    tensors = _several(use)
    if len(tensors) != 2:
        raise Malformed(f"it takes 2 inputs, not {len(tensors)}")
    return joined(builder, "sub", tensors)


def _average(builder: Builder, use: Use) -> Tensor:
    tensors = _several(use)
    total = joined(builder, "add", tensors)
    return builder.emit("rescale", {"scale": 1 / len(tensors)}, total) if len(tensors) > 1 else total


def _concatenate(builder: Builder, use: Use) -> Tensor:
    return concatenated(builder, _several(use), use.settings.integer("axis", -1))


def concatenated(builder: Builder, tensors: list[Tensor], axis: int) -> Tensor:
    """Side by side along an axis that Keras counts with the batch."""
    if not tensors:
        raise Malformed("it has no inputs")
    if len({tensor.rank for tensor in tensors}) > 1:
        raise Malformed(f"its inputs have {' and '.join(str(list(tensor.sizes)) for tensor in tensors)}")
    if len(tensors) == 1:
        return builder.emit("identity", {}, tensors[0])
    inputs = builder.aligned(tensors)
    dim = builder.axis(inputs[0], axis)
    return builder.emit("concat", {} if dim == 0 else {"dim": dim}, *inputs)


def _scaled_residual(builder: Builder, use: Use) -> Tensor:
    """Inception-ResNet's: the first input and `scale` times the second."""
    tensors = use.tensors
    if len(tensors) != 2:
        raise Malformed(f"it takes 2 inputs, not {len(tensors)}")
    branch = builder.emit("rescale", {"scale": use.settings.number("scale", 1.0)}, tensors[1])
    return joined(builder, "add", [tensors[0], branch])


RULES: dict[str, Rule] = {
    "Add": _merge("add"),
    "Multiply": _merge("multiply"),
    "Maximum": _chain("maximum"),
    "Minimum": _chain("minimum"),
    "Subtract": _subtract,
    "Average": _average,
    "Concatenate": _concatenate,
    "CustomScaleLayer": _scaled_residual,
}
