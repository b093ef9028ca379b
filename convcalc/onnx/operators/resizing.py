"""Operators that change the size of the space: padding, resizing, pixels and channels."""

from __future__ import annotations

import struct
from math import floor

from ...models.making import Fields, Unsupported
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, counted
from .record import Operator, Rule
from .windows import short

MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
"""Mode of ONNX -> mode of the language."""


def _pad(b: Builder) -> Activation:
    """Of the space."""
    value = b.activation()
    pads = b.node.integers("pads") or b.node.integers("paddings")
    if pads is None:
        b.constant(1)
        pads = b.call.integers(1, "pads")
    axes = b.call.axes(3)
    rank = len(value.dims)
    positions = tuple(counted(axis, rank) for axis in axes) if axes is not None else tuple(range(rank))
    count = len(positions)
    if len(pads) != 2 * count:
        raise Malformed(f"its pads have {len(pads)} values for {count} axes")
    pairs = [(0, 0)] * rank
    for i, axis in enumerate(positions):
        pairs[axis] = (pads[i], pads[count + i])
    if not any(pads):
        return value
    first = 1 + value.batched
    if any(map(any, pairs[:first])):
        raise Unsupported("it pads other axes than the space")
    mode = MODES.get(b.node.word("mode", "constant"))
    if mode is None:
        raise Malformed(f"attribute 'mode' is '{b.node.word('mode')}'")
    space = tuple(pairs[first:])
    plain = len(set(space)) == 1 and space[0][0] == space[0][1]
    fields: Fields = {"padding": space[0][0] if plain else space}
    if mode != "constant":
        fields["mode"] = mode
    return b.emit("pad", fields, value)


LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def _resize(scales_at: int, sizes_at: int | None) -> Rule:
    """The rule of a Resize whose scales and sizes are these inputs, where no attribute has them."""

    def rule(b: Builder) -> Activation:
        value = b.batched(b.activation())
        given = b.node.attributes.get("scales")
        sizes: tuple[int, ...] | None = None
        scales = [float(x) for x in given if not isinstance(x, str)] if isinstance(given, list) else None
        constant = b.constant(scales_at) if scales is None else None
        if constant is not None and 0 not in constant.shape:
            if constant.numbers is None:
                raise Unsupported("its scales are not known")
            scales = [float(x) for x in constant.numbers]
        elif scales is None and sizes_at is not None:
            b.constant(sizes_at)
            sizes = b.call.integers(sizes_at, "sizes")
        return _resized(b, value, scales, sizes)

    return rule


def _resized(b: Builder, value: Activation, scales: list[float] | None, sizes: tuple[int, ...] | None) -> Activation:
    """The space of a value by these scales, or to these sizes."""
    rank = len(value.dims)
    scales, sizes = _of_all_axes(b, value, scales, sizes)
    if sizes[:2] != value.dims[:2]:
        raise Unsupported("it resizes other axes than the space")
    fields: Fields = {}
    if scales is not None and all(scale == int(scale) for scale in scales):
        fields["scale_factor"] = short(tuple(int(scale) for scale in scales[2:]))
    elif min(sizes) < 1:
        raise Malformed(f"it leaves nothing of {list(value.dims)}")
    else:
        fields["size"] = short(sizes[2:])
    mode = b.node.word("mode", "nearest")
    if mode in ("linear", "bilinear"):
        fields["mode"] = LINEAR.get(rank - 2, "linear")
    elif mode == "cubic" and rank == 4:
        fields["mode"] = "bicubic"
    elif mode != "nearest":
        raise Unsupported(f"its mode is {mode} on {rank - 2} space axes")
    if b.node.word("coordinate_transformation_mode", "half_pixel") == "align_corners" and "mode" in fields:
        fields["align_corners"] = True
    return b.emit("upsample", fields, value)


def _of_all_axes(
    b: Builder, value: Activation, scales: list[float] | None, sizes: tuple[int, ...] | None
) -> tuple[list[float] | None, tuple[int, ...]]:
    """(scales, sizes) of every axis, of a node that may name some, and has one of the two.

    Sizes are floor(i · scale) in float32, as onnx/defs/tensor/utils.cc and onnxruntime compute them.
    """
    rank, axes = len(value.dims), b.node.integers("axes")
    if scales is None and sizes is None:
        raise Malformed("it has neither scales nor sizes")
    if axes is not None:
        placed = {counted(axis, rank): n for n, axis in enumerate(axes)}
        if len(scales if scales is not None else sizes or ()) != len(axes):
            raise Malformed(f"it has not one scale or size for each of {len(axes)} axes")
        scales = [scales[placed[i]] if i in placed else 1.0 for i in range(rank)] if scales is not None else None
        if sizes is not None:
            sizes = tuple(sizes[placed[i]] if i in placed else value.dims[i] for i in range(rank))
    if len(scales if scales is not None else sizes or ()) != rank:
        raise Malformed(f"it has not one scale or size for each of {rank} axes")
    if b.node.word("keep_aspect_ratio_policy", "stretch") != "stretch" and sizes is not None:
        raise Unsupported("it keeps the aspect ratio")
    if scales is not None:
        if any(not 0 < scale < 2**31 for scale in scales):
            raise Malformed(f"its scales are {scales}")
        sizes = tuple(floor(_float32(size * scale)) for size, scale in zip(value.dims, scales, strict=True))
    assert sizes is not None
    return scales, sizes


def _float32(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def _pixels(kind: str, field: str) -> Rule:
    """The rule of what moves pixels into channels, or back."""

    def rule(b: Builder) -> Activation:
        value = b.batched(b.activation())
        if len(value.dims) != 4:
            raise Malformed(f"its input {list(value.dims)} is not [batch, channels, height, width]")
        return b.emit(kind, {field: b.node.integer("blocksize")}, value)

    return rule


OPERATORS = (
    Operator("Pad", _pad, inputs=(1, 4)),
    Operator("Upsample", _resize(scales_at=1, sizes_at=None), inputs=(1, 2)),
    Operator("Resize", _resize(scales_at=1, sizes_at=None), inputs=(1, 4)),
    Operator("Resize", _resize(scales_at=2, sizes_at=3), since=11, inputs=(1, 4)),
    Operator("DepthToSpace", _pixels("pixel_shuffle", "upscale_factor")),
    Operator("SpaceToDepth", _pixels("pixel_unshuffle", "downscale_factor")),
)
