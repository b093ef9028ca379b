"""Pools, and what else changes the space: padding, cropping, upsampling.

Source: keras/src/layers/pooling and keras/src/layers/reshaping of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ...models.document import Json, Malformed, is_integer, shown
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use
from ..tensor import Tensor

Rule = Callable[[Builder, Use], Tensor]
Reduction = Literal["avg", "max"]
WORDS: dict[Reduction, str] = {"avg": "Average", "max": "Max"}
MODES = {"nearest": "nearest", "area": "area"}
CURVES = {"bilinear": ("linear", "bilinear", "trilinear"), "bicubic": (None, "bicubic", None)}
"""Interpolation -> mode of the language for 1, 2 and 3 space axes."""


def spatial(builder: Builder, use: Use, rank: int | None = None) -> Tensor:
    """The input with the channels first, of so many space axes."""
    tensor = use.tensor
    if tensor.rank < 2 or (rank is not None and tensor.rank != rank + 1):
        raise Malformed(f"it works on {rank or 'some'} space axes, and its input is {list(tensor.sizes)}")
    return builder.first(tensor, use.settings)


def _pool(reduction: Reduction, rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        read = spatial(builder, use, rank)
        settings = use.settings
        size = settings.integers("pool_size", rank, 2)
        fields: Fields = {"kernel_size": size}
        stride = settings.integers("strides", rank) if "strides" in settings else size
        if stride != size:
            fields["stride"] = stride
        padding = settings.text("padding", "valid").lower()
        if padding == "same":
            fields["padding"] = "same"
            if reduction == "avg":
                fields["count_include_pad"] = False
        elif padding != "valid":
            raise Malformed(f"padding must be valid or same, not {shown(padding)}")
        return builder.emit(f"{reduction}_pool{rank}d", fields, read)

    return rule


def _global(reduction: Reduction, rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        made = builder.emit(f"global_{reduction}_pool", {}, spatial(builder, use, rank))
        if use.settings.flag("keepdims", False):
            return made
        return builder.emit("flatten", {}, made, order=(0,))

    return rule


def _adaptive(reduction: Reduction, rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        size = use.settings.integers("output_size", rank)
        return builder.emit(f"adaptive_{reduction}_pool{rank}d", {"output_size": size}, spatial(builder, use, rank))

    return rule


def _sides(value: Json, rank: int, what: str) -> tuple[tuple[int, int], ...]:
    """(before, after) of each space axis: one number for all, one an axis, or pairs."""
    if is_integer(value):
        value = [value] * rank
    if not isinstance(value, list):
        raise Malformed(f"{what} must be numbers, not {shown(value)}")
    if rank == 1 and len(value) == 2 and all(map(is_integer, value)):
        value = [value]
    if len(value) != rank:
        raise Malformed(f"{what} must have {rank} values, not {len(value)}")
    pairs = [[side, side] if is_integer(side) else side for side in value]
    found = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(is_integer, pair)):
            raise Malformed(f"{what} must be numbers or pairs of them, not {shown(pair)}")
        found.append((int(pair[0]), int(pair[1])))
    return tuple(found)


def _padding(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        sides = _sides(use.settings.get("padding"), rank, "padding")
        if min(map(min, sides)) < 0:
            raise Malformed(f"padding must be at least 0, not {shown(sides)}")
        return builder.emit("pad", {"padding": sides}, spatial(builder, use, rank))

    return rule


def _cropping(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        sides = _sides(use.settings.get("cropping"), rank, "cropping")
        return builder.emit("crop", {"cropping": sides}, spatial(builder, use, rank))

    return rule


def _upsampling(rank: int) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        factor = use.settings.integers("size", rank, 2)
        mode = interpolation(use.settings.text("interpolation", "nearest"), rank)
        fields: Fields = {"scale_factor": factor}
        if mode != "nearest":
            fields["mode"] = mode
        return builder.emit("upsample", fields, spatial(builder, use, rank))

    return rule


def interpolation(name: str, rank: int) -> str:
    """The language's mode. Raises `Unsupported`."""
    mode = MODES.get(name) or CURVES.get(name, (None,) * 3)[rank - 1]
    if mode is None:
        raise Unsupported(f"the language has no interpolation {name}")
    return mode


def resized(name: str) -> str:
    """The language's mode of a resizing of images, whose nearest pixel is that of the middle. Raises `Unsupported`."""
    return "nearest-exact" if name == "nearest" else interpolation(name, 2)


def _resizing(builder: Builder, use: Use) -> Tensor:
    settings = use.settings
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if settings.flag(name, False):
            raise Unsupported(f"the language has no resizing with {name}")
    size = (settings.integer("height"), settings.integer("width"))
    mode = resized(settings.text("interpolation", "bilinear"))
    return builder.emit("upsample", {"size": size, "mode": mode}, spatial(builder, use, 2))


def _center_crop(builder: Builder, use: Use) -> Tensor:
    read = spatial(builder, use, 2)
    size = (use.settings.integer("height"), use.settings.integer("width"))
    if any(wanted > has for wanted, has in zip(size, read.shape[1:], strict=True)):
        raise Unsupported("it resizes an input that is smaller than its crop")
    return builder.emit("crop", {"size": size}, read)


RULES: dict[str, Rule] = {
    "CenterCrop": _center_crop,
    "Resizing": _resizing,
}
for _rank in (1, 2, 3):
    RULES[f"ZeroPadding{_rank}D"] = _padding(_rank)
    RULES[f"Cropping{_rank}D"] = _cropping(_rank)
    RULES[f"UpSampling{_rank}D"] = _upsampling(_rank)
    for _reduction, _word in WORDS.items():
        RULES[f"{_word}Pooling{_rank}D"] = _pool(_reduction, _rank)
        RULES[f"{_word}Pool{_rank}D"] = _pool(_reduction, _rank)
        RULES[f"Global{_word}Pooling{_rank}D"] = _global(_reduction, _rank)
        RULES[f"Global{_word}Pool{_rank}D"] = _global(_reduction, _rank)
        RULES[f"Adaptive{_word}Pooling{_rank}D"] = _adaptive(_reduction, _rank)
