"""Convolutions and linear layers: parameters, MACs, golden layers and what they refuse."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
from pydantic import ValidationError

from convcalc.geometry import (
    ChannelMismatch,
    EmptyOutput,
    FeatureMismatch,
    GeometryError,
    KernelTooLarge,
    NotDivisible,
    PaddingOutOfRange,
    RankMismatch,
    TooLarge,
    WrongArity,
)
from convcalc.inference import output_shape
from convcalc.layers.base import Layer
from convcalc.layers.registry import build

Shape = tuple[int, ...]


def params(layer: Layer, *inputs: Shape) -> int:
    """Learnable numbers."""
    return sum(prod(weight.shape) for weight in layer.weights(inputs) if weight.learnable)


def buffers(layer: Layer, *inputs: Shape) -> int:
    """Numbers that are not learned."""
    return sum(prod(weight.shape) for weight in layer.weights(inputs) if not weight.learnable)


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "learnable", "others"),
    [
        ("conv1d", {"out": 4, "k": 5}, (3, 9), 64, 0),
        ("conv2d", {"out": 16, "k": 3, "g": 4}, (8, 9, 9), 304, 0),
        ("conv_transpose2d", {"out": 16, "k": 3, "g": 4}, (8, 9, 9), 304, 0),
        ("conv3d", {"out": 4, "k": [3, 1, 2], "bias": False}, (3, 9, 9, 9), 72, 0),
        ("separable_conv2d", {"out": 7, "k": 3, "depth_multiplier": 2}, (6, 9, 9), 199, 0),
        ("conv2d", {"out": 12, "k": 3, "g": 6}, (6, 9, 9), 120, 0),  # Keras depthwise, multiplier 2
        ("conv_transpose2d", {"out": 7, "k": 3}, (6, 9, 9), 385, 0),
        ("linear", {"out": 1000}, (1024,), 1_025_000, 0),
        ("batch_norm", {}, (64, 5, 5), 128, 129),
        ("batch_norm", {"affine": False, "track_running_stats": False}, (64, 5, 5), 0, 0),
        ("group_norm", {"num_groups": 8}, (64, 5, 5), 128, 0),
        ("layer_norm", {"normalized_shape": [5, 6]}, (64, 5, 6), 60, 0),
        ("layer_norm", {"dim": 0, "bias": False}, (64, 5, 6), 64, 0),
        ("layer_norm", {}, (5, 6, 96), 192, 0),
        ("layer_norm", {"elementwise_affine": False}, (5, 6, 96), 0, 0),
        ("instance_norm", {}, (64, 5, 5), 0, 0),
        ("instance_norm", {"affine": True, "track_running_stats": True}, (64, 5, 5), 128, 129),
        ("local_response_norm", {"size": 5}, (64, 5, 5), 0, 0),
        ("prelu", {}, (64, 5, 5), 1, 0),
        ("prelu", {"num_parameters": 64}, (64, 5, 5), 64, 0),
        ("scale", {}, (64, 5, 5), 64, 0),
        ("scale", {"bias": True}, (64, 5, 5), 128, 0),
        ("upsample", {"scale_factor": 2}, (64, 5, 5), 0, 0),
        ("dropout", {}, (64,), 0, 0),
        ("softmax", {}, (64,), 0, 0),
    ],
)
def test_parameters(kind: str, fields: dict[str, Any], shape: Shape, learnable: int, others: int) -> None:
    layer = build(kind, fields)
    output_shape(layer, (shape,))
    assert (params(layer, shape), buffers(layer, shape)) == (learnable, others)


def test_squeeze_and_excitation_of_8_channels() -> None:
    squeeze, excite = build("conv2d", {"out": 2, "k": 1}), build("conv2d", {"out": 8, "k": 1})
    assert params(squeeze, (8, 1, 1)) + params(excite, (2, 1, 1)) == 42


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "output", "macs"),
    [
        ("conv2d", {"out": 64, "k": 7, "s": 2, "p": 3}, (3, 224, 224), (64, 112, 112), 118_013_952),
        ("conv2d", {"out": 64, "k": 11, "s": 4, "p": 2}, (3, 224, 224), (64, 55, 55), 70_276_800),
        ("conv_transpose2d", {"out": 6, "k": 3, "s": 2, "bias": False}, (4, 5, 5), (6, 11, 11), 5_400),
        ("conv_transpose2d", {"out": 8, "k": 3, "s": 2, "g": 4}, (8, 5, 5), (8, 11, 11), 3_600),
        ("linear", {"out": 10}, (784,), (10,), 7_840),
        ("linear", {"out": 384, "dim": "last"}, (56, 56, 96), (56, 56, 384), 115_605_504),
        (
            "separable_conv2d",
            {"out": 64, "k": 7, "s": 2, "p": 3, "depth_multiplier": 8},
            (3, 224, 224),
            None,
            34_019_328,
        ),
    ],
)
def test_macs(kind: str, fields: dict[str, Any], shape: Shape, output: Shape | None, macs: int) -> None:
    layer = build(kind, fields)
    found = output_shape(layer, (shape,))
    assert output is None or found == output
    operations = layer.operations((shape,), found)
    assert operations["mac"] == macs
    assert operations.get("bias", 0) == (prod(found) if fields.get("bias", True) else 0)


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "error", "text", "hint"),
    [
        ("conv2d", {"out": 8, "k": 7}, [(3, 5, 5)], KernelTooLarge, "kernel of 7", "2 too small"),
        (
            "conv2d",
            {"out": 8, "k": 3},
            [(3, 5)],
            RankMismatch,
            "2 space axes",
            "use conv1d, or where the channels are missing: [1, 3, 5]",
        ),
        ("conv1d", {"out": 8, "k": 3}, [(3, 5, 5, 5, 5)], RankMismatch, "with 4", None),
        ("separable_conv1d", {"out": 8, "k": 3}, [(3, 5, 5, 5)], RankMismatch, "with 3", None),
        ("conv2d", {"out": 8, "k": 3, "g": 4}, [(6, 5, 5)], NotDivisible, "in_channels 6", "multiple of 4"),
        (
            "conv2d",
            {"out": 8, "k": 3, "p": 5, "padding_mode": "reflect"},
            [(3, 5, 9)],
            PaddingOutOfRange,
            "axis 1",
            "4",
        ),
        ("conv_transpose2d", {"out": 8, "k": 3, "p": 4}, [(3, 2, 2)], EmptyOutput, "nothing is left", "use less"),
        (
            "linear",
            {"out": 8},
            [(512, 1, 1)],
            FeatureMismatch,
            "not [512, 1, 1]",
            "'flatten' before it, which gives [512]",
        ),
        (
            "linear",
            {"out": 8},
            [(512, 7, 7)],
            FeatureMismatch,
            "not [512, 7, 7]",
            "which gives [25088]; dim: last where",
        ),
        ("prelu", {"num_parameters": 3}, [(8, 5)], ChannelMismatch, "neither 1 nor the 8", "in_channels"),
        ("group_norm", {"num_groups": 3}, [(8, 5)], NotDivisible, "num_groups 3", "multiple of 3"),
        ("layer_norm", {"normalized_shape": 7}, [(8, 5)], ChannelMismatch, "[7]", "dim: 0"),
        ("layer_norm", {"normalized_shape": [1, 8, 5]}, [(8, 5)], ChannelMismatch, "[1, 8, 5]", "last axis"),
        ("instance_norm", {}, [(8, 1, 1)], GeometryError, "more than one position", "layer_norm"),
        ("softmax", {"dim": 3}, [(8, 5)], RankMismatch, "dim 3", "exclude the batch"),
        ("conv2d", {"out": 8, "k": 3}, [(3, 5, 5), (3, 5, 5)], WrongArity, "takes 1 input, not 2", None),
        ("conv2d", {"out": 2**62, "k": 3}, [(3, 5, 5)], TooLarge, "2^63", None),
    ],
)
def test_impossible_geometry(
    kind: str, fields: dict[str, Any], inputs: list[Shape], error: type[GeometryError], text: str, hint: str | None
) -> None:
    with pytest.raises(error) as caught:
        output_shape(build(kind, fields), tuple(inputs))
    assert text in str(caught.value)
    assert (hint in (caught.value.hint or "")) if hint else caught.value.hint is None


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("conv2d", {"out": 8}, "kernel_size"),
        ("conv2d", {"out": 0, "k": 3}, "out_channels"),
        ("conv2d", {"out": 8, "k": 3, "s": 0}, "stride"),
        ("conv2d", {"out": 8, "k": 3.5}, "kernel_size"),
        ("conv2d", {"out": 8, "k": [3, 3, 3]}, "3 values for 2 axes"),
        ("conv2d", {"out": 8, "k": 3, "p": -1}, "padding must be at least 0, not -1"),
        ("conv2d", {"out": 8, "k": 3, "g": 3}, "groups 3 do not divide out_channels 8"),
        ("conv2d", {"out": True, "k": 3}, "out_channels"),
        ("conv2d", {"out": 2**63, "k": 3}, "out_channels"),
        ("conv_transpose2d", {"out": 8, "k": 3, "s": 2, "output_padding": 2}, "output_padding 2"),
        ("conv_transpose2d", {"out": 8, "k": 3, "s": 2, "p": "same", "output_padding": 1}, "explicit padding"),
        ("separable_conv2d", {"out": 8, "k": 3, "p": -1}, "padding"),
        ("layer_norm", {"normalized_shape": 3, "dim": 0}, "not both"),
        ("layer_norm", {"normalized_shape": []}, "at least one"),
        ("dropout", {"p": 1.5}, "less than or equal to 1"),
        ("gelu", {"approximate": "erf"}, "approximate"),
    ],
)
def test_wrong_fields(kind: str, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        build(kind, fields)
    assert text in str(caught.value)


def test_what_backward_keeps() -> None:
    def saved(kind: str, shape: Shape, **fields: Any) -> list[tuple[str, int, int | None]]:
        layer = build(kind, fields)
        return [(s.tensor, s.elements, s.bytes) for s in layer.saved((shape,), output_shape(layer, (shape,)))]

    image = (64, 8, 8)
    assert saved("batch_norm", image) == [("input", 0, None), ("extra", 128, 4)]
    assert saved("layer_norm", (8, 8, 64)) == [("input", 0, None), ("extra", 128, 4)]
    assert saved("relu", image) == saved("sigmoid", image) == saved("softmax", image) == [("output", 0, None)]
    assert saved("silu", image) == saved("gelu", image) == [("input", 0, None)]
    assert saved("max_pool2d", image, k=2) == [("input", 0, None), ("extra", 1024, 8)]
    assert saved("avg_pool2d", image, k=2) == saved("adaptive_avg_pool2d", image, output_size=2)
    assert saved("global_avg_pool", image) == saved("adaptive_avg_pool2d", image, output_size=1) == []
    assert saved("dropout", image) == [("extra", 4096, None)]
    assert saved("dropout", image, p=0) == saved("pixel_shuffle", image, upscale_factor=2) == []
    assert saved("conv2d", image, out=8, k=3, p=1) == [("input", 0, None)]
    padded = ("extra", 6400, None)
    assert saved("conv2d", image, out=8, k=3, p=1, padding_mode="circular") == [padded]
    assert saved("conv2d", image, out=8, k=3, p=1, padding_mode="reflect") == [("input", 0, None), padded]
