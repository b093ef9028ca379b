"""Convolutions and dense layers.

Source: keras/src/layers/convolutional and keras/src/layers/core/dense.py of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable

from ...geometry import effective_kernel
from ...models.document import Malformed, shown
from ...models.making import Fields
from ..builder import Builder, Use
from ..tensor import Tensor
from .activation import activated

Rule = Callable[[Builder, Use], Tensor]


def _rank(use: Use, tensor: Tensor, rank: int) -> Tensor:
    if tensor.rank != rank + 1:
        raise Malformed(f"it works on {rank} space axes, and its input {list(tensor.sizes)} has {tensor.rank - 1}")
    return tensor


def window_fields(use: Use, rank: int) -> Fields:
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


Own = Callable[[Use, Tensor, Fields, int], Fields]
"""The fields that a kind has beside its window's: (use, what it reads, the window's fields, space axes)."""


def _layer(kind: str, rank: int, own: Own) -> Rule:
    """The rule of a layer that slides a window and may be activated."""

    def rule(builder: Builder, use: Use) -> Tensor:
        read = builder.first(_rank(use, use.tensor, rank), use.settings)
        window = window_fields(use, rank)
        fields = {**window, **own(use, read, window, rank)}
        made = builder.emit(f"{kind}{rank}d", _biased(use, fields), read)
        return activated(builder, made, use.settings.get("activation"))

    return rule


def _conv(use: Use, read: Tensor, window: Fields, rank: int) -> Fields:
    groups = use.settings.integer("groups", 1)
    return {"out_channels": use.settings.integer("filters"), **({"groups": groups} if groups != 1 else {})}


def _depthwise(use: Use, read: Tensor, window: Fields, rank: int) -> Fields:
    channels = read.shape[0]
    return {"out_channels": channels * use.settings.integer("depth_multiplier", 1), "groups": channels}


def _separable(use: Use, read: Tensor, window: Fields, rank: int) -> Fields:
    multiplier = use.settings.integer("depth_multiplier", 1)
    fields: Fields = {"out_channels": use.settings.integer("filters")}
    return {**fields, "depth_multiplier": multiplier} if multiplier != 1 else fields


def _transposed(use: Use, read: Tensor, window: Fields, rank: int) -> Fields:
    given: Fields = {"padding": "valid", **window}
    cropped = _cropped(use, given, rank) if "output_padding" in use.settings else {"padding": given["padding"]}
    return {"out_channels": use.settings.integer("filters"), **cropped}


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
    **{f"Conv{rank}D": _layer("conv", rank, _conv) for rank in (1, 2, 3)},
    **{f"Convolution{rank}D": _layer("conv", rank, _conv) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _layer("conv_transpose", rank, _transposed) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _layer("conv", rank, _depthwise) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _layer("separable_conv", rank, _separable) for rank in (1, 2)},
}
