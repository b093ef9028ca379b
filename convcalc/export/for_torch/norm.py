"""PyTorch: norms and learned scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Argument, Call, Code, Step, keywords, optional, positional
from .common import Mapper, ranked

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale


def _batch_norm(layer: BatchNorm, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.BatchNorm1d" if len(inputs[0]) == 1 else "LastAxisBatchNorm"
    if len(inputs[0]) > 1 and layer.dim == 0:
        name = ranked("BatchNorm", inputs[0])
    affine = layer.affine and (layer.weight or layer.bias)
    call = Call(name, (*positional(num_features=inputs[0][layer.dim]), *_statistics(layer, affine, True)))
    return [_one_sided(call, layer, affine)]


def _one_sided(call: Call, layer: BatchNorm | GroupNorm | LayerNorm, affine: bool) -> Call:
    """The norm without its factor or its addend, where it learns the other alone."""
    if not affine or layer.weight == layer.bias:
        return call
    missing = "bias" if layer.weight else "weight"
    return Call("without", (*positional(parameter=missing, norm=Code(call.function)), *call.arguments))


def _statistics(layer: BatchNorm | InstanceNorm, affine: bool, default: bool) -> tuple[Argument, ...]:
    return (
        optional("eps", layer.eps, 1e-5),
        optional("momentum", layer.momentum, 0.1),
        optional("affine", affine, default),
        optional("track_running_stats", layer.track_running_stats, default),
    )


def _instance_norm(layer: InstanceNorm, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_features=inputs[0][0]), *_statistics(layer, layer.affine, False))
    return [Call(ranked("InstanceNorm", inputs[0]), arguments)]


def _group_norm(layer: GroupNorm, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_groups=layer.num_groups, num_channels=inputs[0][0]), optional("eps", layer.eps, 1e-5))
    affine = layer.affine and (layer.weight or layer.bias)
    return [_one_sided(Call("nn.GroupNorm", (*arguments, optional("affine", affine, True))), layer, affine)]


def _layer_norm(layer: LayerNorm, inputs: Shapes, output: Shape) -> list[Step]:
    shape = inputs[0][:1] if layer.dim is not None else layer.normalized_shape or inputs[0][-1:]
    affine = layer.elementwise_affine and (layer.weight or layer.bias)
    arguments = (
        *positional(normalized_shape=shape[0] if len(shape) == 1 else shape),
        optional("eps", layer.eps, 1e-5),
        optional("elementwise_affine", affine, True),
        optional("bias", layer.bias, True),
    )
    call = Call("nn.LayerNorm" if layer.dim is None else "ChannelLayerNorm", arguments)
    return [call if layer.weight else _one_sided(call, layer, affine)]


def _local_response_norm(layer: LocalResponseNorm, inputs: Shapes, output: Shape) -> list[Step]:
    return [
        Call(
            "nn.LocalResponseNorm",
            (
                *keywords(size=layer.size),
                optional("alpha", layer.alpha, 1e-4),
                optional("beta", layer.beta, 0.75),
                optional("k", layer.k, 1.0),
            ),
        )
    ]


def _scale(layer: Scale, inputs: Shapes, output: Shape) -> list[Step]:
    one = layer.size is not None
    arguments = (
        *positional(channels=1 if one else inputs[0][layer.dim]),
        optional("axes", 0 if one or layer.dim == -1 else len(inputs[0]) - 1, 0),
        optional("bias", layer.bias, False),
    )
    return [Call("Scale", arguments)]


def _rms_norm(layer: RMSNorm, inputs: Shapes, output: Shape) -> list[Step]:
    shape = layer.normalized_shape or inputs[0][-1:]
    arguments = (
        *positional(normalized_shape=shape[0] if len(shape) == 1 else shape),
        optional("eps", layer.eps, None),
        optional("elementwise_affine", layer.elementwise_affine, True),
    )
    return [Call("nn.RMSNorm", arguments)]


ROWS: dict[str, Mapper] = {
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": _local_response_norm,
    "Scale": _scale,
    "RMSNorm": _rms_norm,
}
"""Kind or family -> what it becomes."""
