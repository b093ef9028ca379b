"""Pools against their definition: a loop over windows, in every dialect of rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from convcalc.geometry import GeometryError
from convcalc.layers.registry import build
from convcalc.reference import forward, sliding
from tests.reference_examples import EXAMPLES, Example

some = settings(max_examples=150)


def pool(kind: str, fields: dict[str, Any], size: int) -> tuple[Any, int]:
    """A pool of one axis and its output size; draws that no model accepts are passed over."""
    try:
        layer = build(kind, fields)
        return layer, layer.output_shape(((1, size),))[1]
    except (GeometryError, ValidationError):
        assume(False)
        raise


def windows(layer: Any, size: int, output: int, dilation: int) -> list[tuple[int, list[int]]]:
    """(start, inputs read) of every window; positions count from the first input."""
    (before, _), k, s = layer.padding[0], layer.kernel_size[0], layer.stride[0]
    starts = [q * s - before for q in range(output)]
    return [(start, [start + t * dilation for t in range(k) if 0 <= start + t * dilation < size]) for start in starts]


fields = {
    "kernel_size": st.integers(1, 5),
    "stride": st.integers(1, 4),
    "padding": st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2), min_size=1, max_size=1),
    "ceil_mode": st.sampled_from([False, True, "caffe", "onnx"]),
}
sizes = st.integers(1, 12)


@given(fields=st.fixed_dictionaries({**fields, "dilation": st.integers(1, 3)}), size=sizes)
@some
def test_a_maximum_is_that_of_the_inputs_that_a_window_reads(fields: dict[str, Any], size: int) -> None:
    layer, output = pool("max_pool1d", fields, size)
    x = np.random.default_rng(size).permutation(size).astype(float)
    read = windows(layer, size, output, layer.dilation[0])
    wanted = [max((x[i] for i in inputs), default=-np.inf) for _, inputs in read]
    np.testing.assert_array_equal(forward(layer, x[None, None])[0, 0], wanted)


@given(fields=st.fixed_dictionaries({**fields, "count_include_pad": st.booleans()}), size=sizes)
@some
def test_a_mean_divides_by_padding_or_not_and_never_by_what_overhangs(fields: dict[str, Any], size: int) -> None:
    layer, output = pool("avg_pool1d", fields, size)
    x = np.random.default_rng(size).integers(-9, 10, size).astype(float)
    end = size + layer.padding[0][1]
    wanted = []
    for start, inputs in windows(layer, size, output, 1):
        padded = min(start + layer.kernel_size[0], end) - start
        divisor = padded if layer.count_include_pad else len(inputs)
        wanted.append(sum(x[i] for i in inputs) / max(divisor, 1))
    np.testing.assert_allclose(forward(layer, x[None, None])[0, 0], wanted, rtol=1e-12)


@pytest.mark.parametrize("bytes_a_block", [1, 2 * 6 * 7 * 8, 1 << 20], ids=["one channel", "two", "all"])
def test_channels_are_reduced_in_blocks_of_any_size(bytes_a_block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single one too, where it alone is more than a block has."""
    monkeypatch.setattr(sliding, "BLOCK_BYTES", bytes_a_block)
    x = np.random.default_rng(2).integers(-9, 10, (1, 5, 6, 7)).astype(float)
    y = forward(build("max_pool2d", {"k": [3, 2], "s": [1, 2], "p": [1, 0]}), x)
    for i, j in np.ndindex(6, 3):
        window = x[0, :, max(i - 1, 0) : i + 2, 2 * j : 2 * j + 2]
        np.testing.assert_array_equal(y[0, :, i, j], window.max(axis=(1, 2)))


def test_ones_under_rounding_up() -> None:
    """PyTorch: a window that overhangs divides by what lies within the padding."""
    ones = np.ones((1, 1, 4, 4))
    padded = build("avg_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": True})
    row = np.array([2 / 3, 1, 0.5])
    np.testing.assert_allclose(forward(padded, ones)[0, 0], np.outer(row, row))
    without = build("avg_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": True, "count_include_pad": False})
    np.testing.assert_allclose(forward(without, ones), 1)
    power = build("lp_pool2d", {"norm_type": 2, "k": 3, "s": 2, "ceil_mode": True})
    np.testing.assert_allclose(forward(power, ones), 3)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_whole_numbers_give_what_floats_give(example: Example) -> None:
    rng = np.random.default_rng(2)
    inputs = [rng.integers(-5, 6, (2, *shape)) for shape in example.shapes]
    if example.kind.startswith("lp_pool"):
        inputs = [np.abs(x) for x in inputs]
    weights = example.whole_weights(rng)
    if "running_var" in weights:
        weights["running_var"] = np.abs(weights["running_var"]) + 1
    whole = {name: w.astype(np.int64) for name, w in weights.items()}
    floats = forward(example.layer, [x.astype(float) for x in inputs], weights)
    np.testing.assert_allclose(forward(example.layer, inputs, whole), floats, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block_bytes", [1, 1 << 20], ids=["a channel at a time", "all channels"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    "fields",
    [{"k": 3, "p": 1}, {"k": (2, 3), "p": (0, 1)}, {"k": (1, 2)}, {"k": 1}, {"k": (4, 5), "p": 2}, {"k": (5, 6)}],
    ids=str,
)
def test_pools_keep_rows_channels_and_images_apart(
    kind: str, fields: dict[str, Any], stride: int, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run along memory, here of an array whose memory is not in order."""
    monkeypatch.setattr(sliding, "BLOCK_BYTES", block_bytes)
    layer = build(kind, {**fields, "s": stride})
    x = np.random.default_rng(0).integers(-9, 10, (6, 5, 3, 2)).astype(float).transpose(3, 2, 1, 0)
    nothing = -np.inf if kind == "max_pool2d" else 0
    bordered = np.pad(x, ((0, 0), (0, 0), *layer.padding), constant_values=nothing)
    read = np.lib.stride_tricks.sliding_window_view(bordered, layer.kernel_size, (2, 3))[:, :, ::stride, ::stride]
    wanted = read.max((4, 5)) if kind == "max_pool2d" else read.mean((4, 5))
    np.testing.assert_allclose(forward(layer, x), wanted, rtol=1e-14)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_maximum_knows_nothing_of_the_next_row(stride: int) -> None:
    """What is not a number at its start stays there."""
    x = np.zeros((1, 2, 4, 4), np.float32)
    x[..., 0] = np.nan
    y = forward(build("max_pool2d", {"k": 3, "s": stride, "p": 1}), x)
    assert np.isnan(y[..., 0]).all()
    assert (y[..., -1] == 0).all()
