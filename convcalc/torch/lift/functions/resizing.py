"""Functions that stretch the space."""

from __future__ import annotations

from typing import Any

from ....models.making import Fields, Unsupported
from ..arguments import listed
from ..builder import Builder
from ..values import Activation
from .axes import Source, spatial
from .record import Function, Rule
from .windows import short

MODED = {"linear", "bilinear", "bicubic", "trilinear"}
"""Modes that take `align_corners`."""


def _interpolate(b: Builder) -> Activation:
    mode = b.word("mode", "nearest")
    if b.flag("antialias"):
        raise Unsupported("it smoothes against aliasing")
    source = spatial(b, b.activation("input"), None)
    fields: Fields = {"mode": mode} if mode != "nearest" else {}
    if mode in MODED and b.arguments.get("align_corners") is not None:
        fields["align_corners"] = b.flag("align_corners")
    before, after = source.shape[1:], b.output().first[2:]
    before2, after2 = source.second[1:], b.output().second[2:]
    scales: Any = b.arguments.get("scale_factor")
    inputs = [source.step]
    if scales is not None:
        numbers = tuple(scales) if listed(scales) else (scales,)
        fields["scale_factor"] = short(tuple([int(n) if n == int(n) else float(n) for n in numbers]))
    elif before == after and before2 == after2 and not fields.get("align_corners"):
        return b.activation("input")._replace(sizes=b.output())
    else:
        _sized(b, fields, inputs, source, after, after2)
    return b.made(b.layer("upsample", fields, *inputs, leading=source.leading), source.place)


def _sized(
    b: Builder, fields: Fields, inputs: list[int], source: Source, after: tuple[int, ...], after2: tuple[int, ...]
) -> None:
    """A size that is the same in both runs is one; else a factor, or the space of another tensor, says it."""
    if after == after2 or b.batch == 1:
        fields["size"] = short(after)
        return
    pairs = list(zip(source.shape[1:], after, source.second[1:], after2, strict=True))
    if all(o % i == 0 and o2 % i2 == 0 and o // i == o2 // i2 for i, o, i2, o2 in pairs):
        fields["scale_factor"] = short(tuple(o // i for i, o, _, _ in pairs))
        return
    like = b.of_space(after, after2) if not source.leading else None
    if like is None:
        fields["size"] = short(after)
    else:
        inputs.append(like)


def _upsample(mode: str) -> Rule:
    def rule(b: Builder) -> Activation:
        b.arguments["mode"] = mode
        if b.arguments.get("output_size") is not None:
            b.arguments["size"] = b.arguments["output_size"]
        else:
            b.arguments["scale_factor"] = b.arguments.get("scale_factors")
        return _interpolate(b)

    return rule


FUNCTIONS = (
    Function(
        "interpolate upsample",
        "input size=None scale_factor=None mode=None align_corners=None recompute_scale_factor=None antialias=False",
        _interpolate,
    ),
    Function("upsample_nearest1d", "input output_size scale_factors=None", _upsample("nearest")),
    Function("upsample_nearest2d upsample_nearest3d", "input output_size scale_factors=None", _upsample("nearest")),
    Function("upsample_bilinear2d", "input output_size align_corners scale_factors=None", _upsample("bilinear")),
    Function("upsample_linear1d", "input output_size align_corners scale_factors=None", _upsample("linear")),
    Function("upsample_trilinear3d", "input output_size align_corners scale_factors=None", _upsample("trilinear")),
    Function("upsample_bicubic2d", "input output_size align_corners scale_factors=None", _upsample("bicubic")),
)
