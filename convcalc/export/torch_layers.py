"""PyTorch's modules: one table from the kinds of the language to what builds them.

Source: torch.nn of PyTorch 2.1 and newer. Where no module says exactly what the layer does, a small one of
`torch_helpers` stands in, or the padding is written out for the input's size.
"""

from __future__ import annotations

from typing import Any

from ..layers.registry import KINDS
from .calls import Argument, Call, Inline, Mapper, Step, keywords, optional, positional
from .torch_space import SPACE, ranked

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _linear(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    features = positional(in_features=inputs[0][-1], out_features=layer.out_features)
    return [Call("nn.Linear", (*features, optional("bias", layer.bias, True)))]


def _flatten(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    first = layer.start_dim % len(inputs[0]) + 1
    last = layer.end_dim + 1 if layer.end_dim >= 0 else layer.end_dim
    return [Call("nn.Flatten", (optional("start_dim", first, 1), optional("end_dim", last, -1)))]


def _reshape(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Flatten"), Call("nn.Unflatten", positional(dim=1, unflattened_size=layer.shape))]


def _permute(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Permute", positional(dims=(0, *(axis + 1 for axis in layer.order))))]


def _batch_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.BatchNorm1d" if len(inputs[0]) == 1 else ranked("BatchNorm", inputs[0])
    return [Call(name, (*positional(num_features=inputs[0][0]), *_statistics(layer, True)))]


def _statistics(layer: Any, default: bool) -> tuple[Argument, ...]:
    return (
        optional("eps", layer.eps, 1e-5),
        optional("momentum", layer.momentum, 0.1),
        optional("affine", layer.affine, default),
        optional("track_running_stats", layer.track_running_stats, default),
    )


def _instance_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_features=inputs[0][0]), *_statistics(layer, False))
    return [Call(ranked("InstanceNorm", inputs[0]), arguments)]


def _group_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_groups=layer.num_groups, num_channels=inputs[0][0]), optional("eps", layer.eps, 1e-5))
    return [Call("nn.GroupNorm", (*arguments, optional("affine", layer.affine, True)))]


def _layer_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    shape = inputs[0][:1] if layer.dim is not None else layer.normalized_shape or inputs[0][-1:]
    arguments = (
        *positional(normalized_shape=shape[0] if len(shape) == 1 else shape),
        optional("eps", layer.eps, 1e-5),
        optional("elementwise_affine", layer.elementwise_affine, True),
        optional("bias", layer.bias, True),
    )
    return [Call("nn.LayerNorm" if layer.dim is None else "ChannelLayerNorm", arguments)]


def _local_response_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
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


def _scale(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Scale", (*positional(channels=inputs[0][0]), optional("bias", getattr(layer, "bias", False), False)))]


def _module(name: str, **fields: object) -> Mapper:
    """A module whose arguments are the layer's fields, given with PyTorch's defaults."""

    def map_(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
        return [Call(name, tuple(optional(field, getattr(layer, field), default) for field, default in fields.items()))]

    return map_


def _softmax(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Softmax", keywords(dim=layer.dim + 1 if layer.dim >= 0 else layer.dim))]


def _concat(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.cat([{tensors}], dim={{dim}})", keywords(dim=layer.dim % len(inputs[0]) + 1))]


def _broadcast(sign: str) -> Mapper:
    def map_(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
        return [Inline(f" {sign} ".join(f"{{{n}}}" for n in range(len(inputs))))]

    return map_


def _gate(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0} * {1} + {2} * (1 - {1})")]


def _split(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(channels=list(layer.channels), part=layer.part)
    return [Inline("torch.split({0}, {channels}, dim=1)[{part}]", arguments)]


def _channel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.ChannelShuffle" if len(inputs[0]) > 1 else "ChannelShuffle"
    return [Call(name, positional(groups=layer.groups))]


def _pixel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.PixelShuffle" if len(inputs[0]) == 3 else "PixelShuffle", positional(factor=layer.upscale_factor))]


def _pixel_unshuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.PixelUnshuffle" if len(inputs[0]) == 3 else "PixelUnshuffle"
    return [Call(name, positional(factor=layer.downscale_factor))]


_MAPPERS: dict[str, Mapper] = {
    **SPACE,
    "Linear": _linear,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Identity": _module("nn.Identity"),
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": _local_response_norm,
    "Scale": _scale,
    "relu": _module("nn.ReLU"),
    "relu6": _module("nn.ReLU6"),
    "silu": _module("nn.SiLU"),
    "hardswish": _module("nn.Hardswish"),
    "hardsigmoid": _module("nn.Hardsigmoid"),
    "sigmoid": _module("nn.Sigmoid"),
    "tanh": _module("nn.Tanh"),
    "mish": _module("nn.Mish"),
    "selu": _module("nn.SELU"),
    "Gelu": _module("nn.GELU", approximate="none"),
    "LeakyReLU": _module("nn.LeakyReLU", negative_slope=0.01),
    "PReLU": _module("nn.PReLU", num_parameters=1),
    "ELU": _module("nn.ELU", alpha=1.0),
    "Softplus": _module("nn.Softplus", beta=1.0, threshold=20.0),
    "Softmax": _softmax,
    "Dropout": _module("nn.Dropout", p=0.5),
    "StochasticDepth": _module("StochasticDepth", p=0.5, mode="row"),
    "Concat": _concat,
    "Add": _broadcast("+"),
    "Multiply": _broadcast("*"),
    "Gate": _gate,
    "Split": _split,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
}


TORCH: dict[str, Mapper] = {kind: _MAPPERS[kind if kind in _MAPPERS else model] for kind, (_, model) in KINDS.items()}

"""Kind -> its modules and expressions."""
