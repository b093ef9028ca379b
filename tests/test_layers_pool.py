"""Pools: dialects of ceil_mode, limits of padding, adaptive and global pools."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from convcalc.geometry import AdaptiveWindow, AxisLink, EmptyOutput, KernelTooLarge, RankMismatch, Window
from convcalc.inference import output_shape
from convcalc.layers.pool import MaxPool
from convcalc.layers.registry import build

Shape = tuple[int, ...]


def size(kind: str, i: int, **fields: Any) -> int:
    """Output of a pool on one channel of [i, i]."""
    shape = output_shape(build(kind, fields), ((1, i, i),))
    assert shape[1] == shape[2]
    return shape[1]


def test_the_stride_is_the_kernel_unless_given() -> None:
    layer = build("max_pool2d", {"k": [3, 2]})
    assert isinstance(layer, MaxPool)
    assert layer.stride == (3, 2)
    assert "stride" not in layer.fields()
    explicit = build("max_pool2d", {"k": [3, 2], "s": None})
    assert isinstance(explicit, MaxPool)
    assert explicit.stride == (3, 2)


@pytest.mark.parametrize(
    ("ceil_mode", "padding", "i", "k", "s", "output"),
    [
        (False, 0, 112, 3, 2, 55),
        (True, 0, 112, 3, 2, 56),
        ("caffe", 0, 112, 3, 2, 56),
        (True, 1, 112, 3, 2, 57),
        (True, 0, 6, 1, 2, 3),
        ("caffe", 0, 6, 1, 2, 4),
        ("onnx", 0, 6, 1, 2, 4),
        (True, 0, 2, 3, 2, 1),
    ],
)
def test_ceil_mode(ceil_mode: bool | str, padding: int, i: int, k: int, s: int, output: int) -> None:
    assert size("max_pool2d", i, k=k, s=s, p=padding, ceil_mode=ceil_mode) == output


def test_caffe_asks_whether_any_axis_is_padded() -> None:
    """Windows of the unpadded axis that start outside are dropped because the other axis is padded."""
    fields = {"k": [2, 2], "s": [3, 3], "ceil_mode": "caffe"}
    assert output_shape(build("max_pool2d", fields), ((1, 6, 6),)) == (1, 3, 3)
    assert output_shape(build("max_pool2d", {**fields, "p": [1, 0]}), ((1, 6, 6),)) == (1, 3, 2)


@pytest.mark.parametrize("rounding", ["floor", "ceil", "ceil_caffe", "ceil_keep"])
def test_rounding_names_the_dialect(rounding: str) -> None:
    ceil_mode = {"floor": False, "ceil": True, "ceil_caffe": "caffe", "ceil_keep": "onnx"}[rounding]
    layer = build("avg_pool2d", {"k": 2, "ceil_mode": ceil_mode})
    assert layer.rounding == rounding  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"k": 3, "p": 2}, 1),
        ({"k": 3, "p": [1, 2]}, 1),
        ({"k": 2, "p": 2}, 1),
        ({"k": 3, "d": 2, "p": 2}, 1),
        ({"k": 3, "p": [[2, 2], [2, 3]]}, 2),
        ({"k": 3, "d": 2, "p": [[4, 4], [4, 5]]}, 4),
    ],
)
def test_padding_above_the_limit(fields: dict[str, Any], bound: int) -> None:
    with pytest.raises(ValidationError, match=f"at most {bound}") as caught:
        build("max_pool2d", fields)
    assert [error["loc"] for error in caught.value.errors()] == [("padding",)]


def test_padding_up_to_the_limit() -> None:
    assert size("max_pool2d", 9, k=3, s=1, p=1) == 9
    assert size("max_pool2d", 9, k=3, s=1, p=[[2, 2], [2, 2]]) == 11
    assert size("max_pool2d", 9, k=3, d=2, s=1, p=[[4, 4], [4, 4]]) == 13
    assert size("avg_pool2d", 9, k=4, s=2, p="same") == 5


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "error"),
    [
        ("max_pool2d", {"k": 3}, (1, 2, 2), EmptyOutput),
        ("max_pool2d", {"k": 4, "s": 2, "ceil_mode": True}, (1, 2, 2), EmptyOutput),
        ("max_pool2d", {"k": 2}, (1, 8), RankMismatch),
        ("avg_pool3d", {"k": 3, "s": 2, "ceil_mode": True}, (1, 2, 8, 8), KernelTooLarge),
        ("avg_pool3d", {"k": 3, "p": 1}, (1, 2, 8, 8), KernelTooLarge),
        ("global_avg_pool", {}, (8,), RankMismatch),
        ("adaptive_avg_pool2d", {"output_size": 2}, (8, 8), RankMismatch),
    ],
)
def test_impossible_pools(kind: str, fields: dict[str, Any], shape: Shape, error: type[Exception]) -> None:
    with pytest.raises(error):
        output_shape(build(kind, fields), (shape,))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("avg_pool1d", {"k": 2, "divisor_override": 2}),
        ("avg_pool2d", {"k": 2, "divisor_override": 0}),
        ("max_pool2d", {"k": 2, "ceil_mode": "tensorflow"}),
        ("max_pool2d", {"k": 2, "ceil_mode": 1}),
        ("max_pool2d", {"k": "two", "p": 3}),
        ("lp_pool2d", {"k": 2, "norm_type": 0}),
        ("lp_pool2d", {"k": 2, "norm_type": 2, "p": 1}),
        ("avg_pool2d", {"k": 2, "d": 2}),
        ("adaptive_avg_pool2d", {"output_size": 0}),
        ("adaptive_avg_pool2d", {"output_size": [1, 2, 3]}),
    ],
)
def test_wrong_fields(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        build(kind, fields)


def test_costs_of_pools() -> None:
    pool = build("max_pool2d", {"k": 3, "s": 2, "p": 1})
    assert pool.operations(((64, 112, 112),), (64, 56, 56)) == {"pooling": 9 * 64 * 56 * 56}
    adaptive = build("adaptive_avg_pool2d", {"output_size": 4})
    assert adaptive.operations(((2, 10, 8),), (2, 4, 4)) == {"pooling": 2 * 12 * 8}
    assert build("global_avg_pool", {}).operations(((2, 7, 7),), (2, 1, 1)) == {"pooling": 98}


def test_axes_of_pools() -> None:
    channel, rows, columns = build("adaptive_max_pool2d", {"output_size": [4, None]}).axes(((2, 10, 8),))
    assert (rows, columns) == (AxisLink(1, AdaptiveWindow(10, 4)), AxisLink(2, AdaptiveWindow(8, 8)))
    assert channel == AxisLink(0, Window())
    assert build("global_avg_pool", {}).axes(((2, 10),)) == (AxisLink(0, Window()), AxisLink(1, None))
    assert build("max_pool1d", {"k": 2, "p": "same"}).axes(((2, 5),))[1] == AxisLink(1, Window(2, 2, 0, 1))
