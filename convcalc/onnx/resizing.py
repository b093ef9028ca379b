"""Rules of the operators that change the size of the space: padding, resizing, pixels and channels."""

from __future__ import annotations

import struct
from math import floor
from typing import Any

from .builder import Builder, Unsupported
from .dims import axes_of, counted, whole
from .model import Malformed
from .values import Activation
from .windows import short


def pad(b: Builder) -> Activation:
    """Pad of the space."""
    value = b.activation(0)
    pads = b.node.integers("pads") or b.node.integers("paddings")
    if pads is None:
        pads = whole(b.constant(1), "pads")
    axes = axes_of(b.node, [b.value(i) for i in range(4)], position=3)
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
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}.get(
        b.node.word("mode", "constant")
    )
    if mode is None:
        raise Malformed(f"attribute 'mode' is '{b.node.word('mode')}'")
    space = tuple(pairs[first:])
    plain = len(set(space)) == 1 and space[0][0] == space[0][1]
    fields: dict[str, Any] = {"padding": space[0][0] if plain else space}
    if mode != "constant":
        fields["mode"] = mode
    return b.emit("pad", fields, value)


LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def resize(b: Builder) -> Activation:
    """Resize and Upsample of the space.

    Sizes are floor(i · scale) in float32, as onnx/defs/tensor/utils.cc and onnxruntime compute them.
    """
    value = b.batched(b.activation(0))
    rank = len(value.dims)
    given = b.node.attributes.get("scales")
    scales: list[float] | None = (
        [float(x) for x in given if not isinstance(x, str)] if isinstance(given, list) else None
    )
    sizes: tuple[int, ...] | None = None
    if scales is None:
        old = b.node.op == "Upsample" or b.opset < 11
        constant = b.constant(1 if old else 2)
        if constant is not None and 0 not in constant.shape:
            if constant.numbers is None:
                raise Unsupported("its scales are not known")
            scales = [float(x) for x in constant.numbers]
        elif not old:
            sizes = whole(b.constant(3), "sizes")
    axes = b.node.integers("axes")
    if scales is None and sizes is None:
        raise Malformed("it has neither scales nor sizes")
    if axes is not None:
        placed = {counted(axis, rank): n for n, axis in enumerate(axes)}
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
    if sizes[:2] != value.dims[:2]:
        raise Unsupported("it resizes other axes than the space")
    mode = b.node.word("mode", "nearest")
    align = b.node.word("coordinate_transformation_mode", "half_pixel") == "align_corners"
    fields: dict[str, Any] = {}
    if scales is not None and all(scale == int(scale) for scale in scales):
        fields["scale_factor"] = short(tuple(int(scale) for scale in scales[2:]))
    elif min(sizes) < 1:
        raise Malformed(f"it leaves nothing of {list(value.dims)}")
    else:
        fields["size"] = short(sizes[2:])
    if mode in ("linear", "bilinear"):
        fields["mode"] = LINEAR.get(rank - 2, "linear")
    elif mode == "cubic" and rank == 4:
        fields["mode"] = "bicubic"
    elif mode != "nearest":
        raise Unsupported(f"its mode is {mode} on {rank - 2} space axes")
    if align and "mode" in fields:
        fields["align_corners"] = True
    return b.emit("upsample", fields, value)


def _float32(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def depth_to_space(b: Builder) -> Activation:
    """DepthToSpace, SpaceToDepth: pixels and channels."""
    value = b.batched(b.activation(0))
    if len(value.dims) != 4:
        raise Malformed(f"its input {list(value.dims)} is not [batch, channels, height, width]")
    size = b.node.integer("blocksize")
    if b.node.op == "DepthToSpace":
        return b.emit("pixel_shuffle", {"upscale_factor": size}, value)
    return b.emit("pixel_unshuffle", {"downscale_factor": size}, value)
