"""Convolutions and dense layers.

Source: keras/src/layers/convolutional and keras/src/layers/core/dense.py of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable

from ...geometry import effective_kernel
from ..builder import Builder, Fields, Use
from ..document import Malformed, shown
from ..tensor import Tensor
from .activation import activated

Rule = Callable[[Builder, Use], Tensor]


def _rank(use: Use, tensor: Tensor, rank: int) -> Tensor:
    if tensor.rank != rank + 1:
        raise Malformed(f"it works on {rank} space axes, and its input {list(tensor.sizes)} has {tensor.rank - 1}")
    return tensor


def _window(use: Use, rank: int) -> Fields:
    """Kernel, stride, dilation and padding."""
    settings = use.settings
    kernel = settings.integers("kernel_size", rank)
    dilation = settings.integers("dilation_rate", rank, 1)
    fields: Fields = {"kernel_size": kernel, "stride": settings.integers("strides", rank, 1)}
    padding = settings.text("padding", "valid").lower()
    if padding == "causal" and rank == 1:
        fields["padding"] = ((effective_kernel(kernel[0], dilation[0]) - 1, 0),)
    elif padding == "same":
        fields["padding"] = "same"
    elif padding != "valid":
        raise Malformed(f"padding must be valid or same, not {shown(padding)}")
    if max(dilation) > 1:
        fields["dilation"] = dilation
    return fields


def _biased(use: Use, fields: Fields) -> Fields:
    return fields if use.settings.flag("use_bias", True) else {**fields, "bias": False}


def _conv(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        read = builder.first(_rank(use, use.tensor, rank), use.settings)
        fields: Fields = {"out_channels": use.settings.integer("filters"), **_window(use, rank)}
        groups = use.settings.integer("groups", 1)
        if groups != 1:
            fields["groups"] = groups
        made = builder.emit(f"conv{rank}d", _biased(use, fields), read)
        return activated(builder, made, use.settings.get("activation"))

    return rule


def _depthwise(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        read = builder.first(_rank(use, use.tensor, rank), use.settings)
        channels = read.shape[0]
        multiplier = use.settings.integer("depth_multiplier", 1)
        fields: Fields = {"out_channels": channels * multiplier, **_window(use, rank), "groups": channels}
        made = builder.emit(f"conv{rank}d", _biased(use, fields), read)
        return activated(builder, made, use.settings.get("activation"))

    return rule


def _separable(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        read = builder.first(_rank(use, use.tensor, rank), use.settings)
        fields: Fields = {"out_channels": use.settings.integer("filters"), **_window(use, rank)}
        multiplier = use.settings.integer("depth_multiplier", 1)
        if multiplier != 1:
            fields["depth_multiplier"] = multiplier
        made = builder.emit(f"separable_conv{rank}d", _biased(use, fields), read)
        return activated(builder, made, use.settings.get("activation"))

    return rule


def _transposed(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        read = builder.first(_rank(use, use.tensor, rank), use.settings)
        fields: Fields = {"out_channels": use.settings.integer("filters"), **_window(use, rank)}
        fields.setdefault("padding", "valid")
        if "output_padding" in use.settings:
            fields.update(_cropped(use, fields, rank))
        made = builder.emit(f"conv_transpose{rank}d", _biased(use, fields), read)
        return activated(builder, made, use.settings.get("activation"))

    return rule


def _cropped(use: Use, fields: Fields, rank: int) -> Fields:
    """Padding and output padding in numbers, of a layer that gives the latter.

    With it `valid` returns (i − 1)s + K + op and crops nothing, `same` (i − 1)s + K mod 2 + op, which crops
    T = K − K mod 2 − op as (T // 2, T − T // 2): the odd one after.
    Source: keras/src/backend/common/backend_utils.py; TensorFlow core/framework/kernel_shape_util.h (SAME).
    """
    more = use.settings.integers("output_padding", rank)
    if fields["padding"] == "valid":
        return {"padding": 0, "output_padding": more}
    kernel = use.settings.integers("kernel_size", rank)
    dilation = use.settings.integers("dilation_rate", rank, 1)
    pads, extra = [], []
    for k, d, op in zip(kernel, dilation, more, strict=True):
        full = effective_kernel(k, d)
        cut = full - full % 2 - op
        pads.append((max(cut, 0) // 2, max(cut, 0) - max(cut, 0) // 2))
        extra.append(max(-cut, 0))
    return {"padding": tuple(pads), "output_padding": tuple(extra)}


def _dense(builder: Builder, use: Use) -> Tensor:
    fields: Fields = _biased(use, {"out_features": use.settings.integer("units")})
    return activated(builder, dense(builder, use.tensor, fields), use.settings.get("activation"))


def dense(builder: Builder, tensor: Tensor, fields: Fields, label: str | None = None) -> Tensor:
    """A product with the last axis of Keras's."""
    read = builder.last(tensor)
    if read.rank > 1:
        fields = {**fields, "dim": "last"}
    return builder.emit("linear", fields, read, label=label)


RULES: dict[str, Rule] = {
    "Dense": _dense,
    **{f"Conv{rank}D": _conv(rank) for rank in (1, 2, 3)},
    **{f"Convolution{rank}D": _conv(rank) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _transposed(rank) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise(rank) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _separable(rank) for rank in (1, 2)},
}
