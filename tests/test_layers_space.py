"""Layers that join, rearrange and resize: sizes, axes, and the numbers in what they refuse."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from convcalc.geometry import (
    AxisLink,
    ChannelMismatch,
    EmptyOutput,
    GeometryError,
    IndivisibleShuffle,
    KernelTooLarge,
    NotDivisible,
    PaddingOutOfRange,
    RankMismatch,
    Resize,
    Window,
    WrongArity,
)
from convcalc.inference import output_shape
from convcalc.layers.registry import build

Shape = tuple[int, ...]


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "error", "text"),
    [
        ("add", {}, [(8,), (4,)], ChannelMismatch, "add cannot join [8] and [4] (input 1): axis 0: 8 and 4"),
        ("add", {}, [(8, 5, 5), (8, 6, 5)], ChannelMismatch, "axis 1: 5 and 6"),
        ("multiply", {}, [(8, 5, 5), (8,)], ChannelMismatch, "3 axes and 1 axes"),
        (
            "concat",
            {},
            [(8, 5, 5), (4, 5, 5), (4, 6, 7)],
            ChannelMismatch,
            "(input 2): axis 1: 5 and 6, axis 2: 5 and 7",
        ),
        ("concat", {"dim": 1}, [(8, 5), (4, 5)], ChannelMismatch, "axis 0: 8 and 4"),
        ("concat", {"dim": 2}, [(8, 5), (8, 5)], RankMismatch, "dim 2"),
        ("concat", {}, [], WrongArity, "at least 1"),
        ("add", {}, [(8, 5)], WrongArity, "at least 2 inputs"),
        ("gate", {}, [(8, 5), (8, 5)], WrongArity, "3 inputs, not 2"),
        ("gate", {}, [(8, 5), (8, 5), (8, 1)], ChannelMismatch, "(input 2): axis 1: 5 and 1"),
        ("split", {"channels": [2, 3]}, [(6, 5)], ChannelMismatch, "2 + 3 = 5 channels of [6, 5], which has 6"),
        ("unbind", {"parts": 5}, [(6, 5)], ChannelMismatch, "5 parts of axis 0 of [6, 5], which has 6"),
        ("unbind", {"parts": 5, "dim": 2}, [(6, 5)], RankMismatch, "dim 2"),
        ("channel_shuffle", {"groups": 4}, [(6, 5)], NotDivisible, "groups 4"),
        ("pixel_shuffle", {"upscale_factor": 2}, [(6, 5, 5)], IndivisibleShuffle, "one channel of 4"),
        ("pixel_shuffle", {"upscale_factor": 2}, [(6,)], RankMismatch, "needs space axes"),
        ("pixel_unshuffle", {"downscale_factor": 2}, [(6, 4, 5)], IndivisibleShuffle, "axis 2 of [6, 4, 5]: 5"),
        ("unfold", {"k": 6}, [(3, 5, 5)], KernelTooLarge, "kernel of 6"),
        ("unfold", {"k": 3}, [(3, 5)], RankMismatch, "2 space axes"),
        ("flatten", {"start_dim": 2, "end_dim": 1}, [(3, 5, 5)], RankMismatch, "merges nothing"),
        ("flatten", {"start_dim": 3}, [(3, 5, 5)], RankMismatch, "start_dim 3"),
        ("reshape", {"shape": [7, -1]}, [(3, 5, 5)], GeometryError, "75 numbers"),
        ("reshape", {"shape": [5, 5]}, [(3, 5, 5)], GeometryError, "75 numbers"),
        ("permute", {"dims": [1, 0]}, [(3, 5, 5)], RankMismatch, "2 axes, but [3, 5, 5] has 3"),
        ("upsample", {}, [(3, 5, 5)], WrongArity, "needs size, scale_factor or a second input"),
        ("upsample", {"size": 9}, [(3, 5, 5), (3, 9, 9)], WrongArity, "one of them"),
        ("upsample", {}, [(3, 5, 5), (3, 9)], RankMismatch, "1 axes"),
        ("upsample", {"size": [9, 9]}, [(3, 5)], RankMismatch, "2 axes"),
        ("upsample", {"scale_factor": 0.1}, [(3, 5)], EmptyOutput, "nothing is left"),
        ("upsample", {"scale_factor": 2, "mode": "bilinear"}, [(3, 5)], RankMismatch, "takes 2 space axes"),
        ("upsample", {"scale_factor": 2}, [(3, 2, 2, 2, 2)], RankMismatch, "1 to 3 space axes"),
        ("upsample", {"scale_factor": 2}, [(3,)], RankMismatch, "needs space axes"),
        ("pad", {"padding": 5, "mode": "reflect"}, [(3, 5, 9)], PaddingOutOfRange, "axis 1"),
        ("pad", {"padding": 6, "mode": "circular"}, [(3, 5, 9)], PaddingOutOfRange, "input of 5"),
        ("pad", {"padding": -3}, [(3, 6, 9)], EmptyOutput, "leaves nothing of axis 1: 6"),
        ("pad", {"padding": [1, 1]}, [(3, 6)], RankMismatch, "2 axes"),
        ("crop", {"cropping": 3}, [(3, 6, 9)], EmptyOutput, "leaves nothing"),
        ("crop", {"size": 7}, [(3, 6, 9)], PaddingOutOfRange, "cannot be cropped to 7"),
        ("crop", {}, [(3, 6, 9)], WrongArity, "needs cropping, size or a second input"),
        ("crop", {"size": 2}, [(3, 6), (3, 2)], WrongArity, "one of them"),
        ("crop", {}, [(3, 6), (3, 7)], PaddingOutOfRange, "cannot be cropped to 7"),
    ],
)
def test_refused(kind: str, fields: dict[str, Any], inputs: list[Shape], error: type[GeometryError], text: str) -> None:
    with pytest.raises(error) as caught:
        output_shape(build(kind, fields), tuple(inputs))
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("upsample", {"size": 2, "scale_factor": 2}, "not both"),
        ("upsample", {"size": 2, "align_corners": False}, "align_corners does not go with mode 'nearest'"),
        ("upsample", {"scale_factor": 0}, "scale_factor"),
        ("upsample", {"scale_factor": -0.5}, "scale_factor"),
        ("upsample", {"scale_factor": float("nan")}, "scale_factor"),
        ("upsample", {"size": 2.5}, "size"),
        ("pad", {}, "padding"),
        ("pad", {"padding": 1, "mode": "edge"}, "mode"),
        ("crop", {"cropping": -1}, "cropping"),
        ("crop", {"cropping": 1, "size": 1}, "not both"),
        ("reshape", {"shape": [-1, -1]}, "at most one -1"),
        ("reshape", {"shape": [0, 3]}, "at least 1"),
        ("permute", {"dims": [0, 0, 1]}, "each of the axes 0 to 2 once"),
        ("permute", {"dims": [1, 2, 3]}, "each of the axes"),
        ("split", {"channels": [2, 3], "part": 2}, "part 2 of a split into 2"),
        ("split", {"channels": []}, "channels"),
        ("unbind", {"parts": 3, "part": 3}, "part 3 of an axis of 3"),
        ("unbind", {}, "parts"),
    ],
)
def test_wrong_fields(kind: str, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        build(kind, fields)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("scale", "size", "output"),
    [(0.29, 100, 28), (Fraction(5, 2), 10, 25), (2.0, 10, 20), (Fraction(3), 10, 30), (1 / 3, 20, 6), (0.75, 17, 12)],
)
def test_scale_factors(scale: float | Fraction, size: int, output: int) -> None:
    assert output_shape(build("upsample", {"scale_factor": scale}), ((1, size),)) == (1, output)


def test_whole_scales_multiply_exactly() -> None:
    assert build("upsample", {"scale_factor": 3}).output_shape(((1, 2**60 + 1),)) == (1, 3 * 2**60 + 3)


def test_costs_of_interpolation() -> None:
    def cost(mode: str, *shape: int) -> dict[str, int]:
        layer = build("upsample", {"scale_factor": 2, "mode": mode})
        return layer.operations((shape,), output_shape(layer, (shape,)))

    assert cost("nearest", 3, 5, 5) == cost("nearest-exact", 3, 5) == {}
    assert cost("linear", 3, 5) == {"interpolation": 3 * 30}
    assert cost("bilinear", 3, 5, 5) == {"interpolation": 7 * 300}
    assert cost("bicubic", 3, 5, 5) == {"interpolation": 31 * 300}
    assert cost("trilinear", 3, 5, 5, 5) == {"interpolation": 15 * 3000}
    assert cost("area", 3, 5, 5) == {"pooling": 3 * 10 * 10}


def test_costs_of_joins() -> None:
    image = (3, 5, 5)
    assert build("add", {}).operations((image,) * 3, image) == {"elementwise": 150}
    assert build("gate", {}).operations((image,) * 3, image) == {"elementwise": 225}
    assert build("scale", {}).operations((image,), image) == {"elementwise": 75}
    assert build("concat", {}).operations((image,) * 2, (6, 5, 5)) == {}
    assert build("add", {}).saved((image,) * 2, image) == ()
    assert [saved.which for saved in build("multiply", {}).saved((image,) * 2, image)] == [0, 1]


def test_axes_that_shift() -> None:
    assert build("crop", {"size": 5}).axes(((3, 10),))[1] == AxisLink(1, Window(before=-2, after=-3))
    assert build("pad", {"padding": [[2, -1]]}).axes(((3, 10),))[1] == AxisLink(1, Window(before=2, after=-1))
    assert build("split", {"channels": [2, 3, 4], "part": 1}).axes(((9, 5),))[0] == AxisLink(
        0, Window(before=-2, after=-4)
    )
    assert build("pixel_unshuffle", {"downscale_factor": 2}).axes(((3, 4),)) == (
        AxisLink(0, None),
        AxisLink(1, Window(2, 2)),
    )
    assert build("pixel_shuffle", {"upscale_factor": 2}).axes(((4, 4),))[1] == AxisLink(1, Resize(4, 8))
    assert build("upsample", {"scale_factor": 1.5, "mode": "linear"}).axes(((4, 4),))[1] == AxisLink(
        1, Resize(4, 6, "linear", False, 1.5)
    )


def test_axes_that_move_or_merge() -> None:
    assert [link and link.source for link in build("permute", {"dims": [1, 2, 0]}).axes(((3, 4, 5),))] == [1, 2, 0]
    assert build("flatten", {}).axes(((3, 4, 5),)) == (None,)
    assert build("flatten", {"start_dim": 1}).axes(((3, 4, 5),)) == (AxisLink(0, Window()), None)
    kept = build("reshape", {"shape": [3, 2, 2, 5]}).axes(((3, 4, 5),))
    assert kept == (AxisLink(0, Window()), None, None, AxisLink(2, Window()))
    assert build("linear", {"out": 3, "dim": "last"}).axes(((4, 5),)) == (AxisLink(0, Window()), AxisLink(1, None))
    assert build("concat", {"dim": 1}).axes(((4, 5), (4, 6))) == (AxisLink(0, Window()), None)
    even = build("local_response_norm", {"size": 4}).axes(((8, 5),))[0]
    assert even == AxisLink(0, Window(4, 1, 2, 1))


@settings(max_examples=100)
@given(st.integers(1, 20), st.integers(1, 20))
def test_centred_crops_put_the_odd_one_after(size: int, target: int) -> None:
    layer = build("crop", {"size": target})
    if target > size:
        with pytest.raises(PaddingOutOfRange):
            layer.axes(((1, size),))
        return
    link = layer.axes(((1, size),))[1]
    assert link is not None
    assert isinstance(link.map, Window)
    assert -link.map.before == (size - target) // 2
    assert size + link.map.before + link.map.after == target


@settings(max_examples=100)
@given(st.integers(1, 4), st.lists(st.integers(1, 5), min_size=0, max_size=3), st.integers(1, 3))
def test_shuffles_are_each_others_opposite(channels: int, space: list[int], factor: int) -> None:
    large = (channels, *(size * factor for size in [*space, 2]))
    small = output_shape(build("pixel_unshuffle", {"downscale_factor": factor}), (large,))
    assert output_shape(build("pixel_shuffle", {"upscale_factor": factor}), (small,)) == large
