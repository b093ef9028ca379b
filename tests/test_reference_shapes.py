"""Shapes that emerge from the arrays equal those that the layer models predict, errors included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from convcalc.geometry import GeometryError
from convcalc.layers.registry import build
from convcalc.reference import Counter, DoesNotFit, forward, init
from tests.reference_examples import EXAMPLES, Example

small = st.integers(0, 3)
some = settings(max_examples=150)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_shapes_weights_and_counts_of_every_kind(example: Example) -> None:
    rng = np.random.default_rng(0)
    layer, counter = example.layer, Counter()
    weights = init(layer, example.shapes, rng, "torch")
    y = forward(layer, example.inputs(rng, batch=3), weights, counter=counter, batch=3)
    output = layer.output_shape(example.shapes)
    assert y.shape == (3, *output)
    assert {name: w.shape for name, w in weights.items()} == {w.name: w.shape for w in layer.weights(example.shapes)}
    assert counter.macs == 3 * layer.operations(example.shapes, output).get("mac", 0)


def predicted(kind: str, fields: dict[str, Any], shape: tuple[int, ...]) -> tuple[Any, Any]:
    """(layer, output shape), either None where the model refuses."""
    try:
        layer = build(kind, fields)
    except (GeometryError, ValidationError):
        return None, None
    try:
        return layer, layer.output_shape((shape,))
    except GeometryError:
        return layer, None


def agree(kind: str, fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer, wanted = predicted(kind, fields, shape)
    if layer is None:
        return
    weights = init(layer, [shape], np.random.default_rng(0))
    x = np.ones((1, *shape), np.float32)
    if wanted is None:
        with pytest.raises(DoesNotFit):
            forward(layer, x, weights)
    else:
        assert forward(layer, x, weights).shape == (1, *wanted)


sides = st.lists(st.lists(small, min_size=2, max_size=2), min_size=1, max_size=1)
words = st.sampled_from(["same", "same_lower", "valid"])
steps = {"kernel_size": st.integers(1, 5), "stride": st.integers(1, 4)}


@given(
    fields=st.fixed_dictionaries(
        {**steps, "padding": st.one_of(small, sides, words), "dilation": st.integers(1, 3)},
        optional={"padding_mode": st.sampled_from(["reflect", "replicate", "circular"])},
    ),
    size=st.integers(1, 12),
)
@some
def test_convolutions(fields: dict[str, Any], size: int) -> None:
    agree("conv1d", {**fields, "out_channels": 2}, (2, size))


@given(
    fields=st.fixed_dictionaries(
        {
            **steps,
            "padding": st.one_of(small, sides, words),
            "dilation": st.integers(1, 3),
            "output_padding": st.integers(0, 2),
        }
    ),
    size=st.integers(1, 8),
)
@some
def test_transposed_convolutions(fields: dict[str, Any], size: int) -> None:
    agree("conv_transpose1d", {**fields, "out_channels": 2}, (2, size))


pools = {**steps, "ceil_mode": st.sampled_from([False, True, "caffe", "onnx"])}


@given(
    fields=st.fixed_dictionaries({**pools, "padding": st.one_of(small, sides, words), "dilation": st.integers(1, 3)}),
    size=st.integers(1, 12),
)
@some
def test_max_pools(fields: dict[str, Any], size: int) -> None:
    agree("max_pool1d", fields, (2, size))


@given(
    fields=st.fixed_dictionaries({**pools, "padding": st.one_of(small, words)}),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
@some
def test_average_pools(fields: dict[str, Any], sizes: tuple[int, int]) -> None:
    agree("avg_pool2d", fields, (2, *sizes))


@given(
    mode=st.sampled_from(["constant", "reflect", "replicate", "circular"]),
    pairs=st.lists(st.lists(st.integers(-3, 4), min_size=2, max_size=2), min_size=2, max_size=2),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
@example(mode="constant", pairs=[[-3, 4], [0, 0]], sizes=(2, 2))
@some
def test_pads(mode: str, pairs: list[list[int]], sizes: tuple[int, int]) -> None:
    agree("pad", {"padding": pairs, "mode": mode}, (2, *sizes))


@given(scale=st.one_of(st.integers(1, 4), st.floats(0.1, 4.0)), size=st.integers(1, 100))
@some
def test_upsampling(scale: float, size: int) -> None:
    agree("upsample", {"scale_factor": scale}, (2, size))


@given(size=st.integers(1, 20), output=st.integers(1, 20))
@some
def test_adaptive_pools(size: int, output: int) -> None:
    agree("adaptive_avg_pool1d", {"output_size": output}, (2, size))


@pytest.mark.parametrize(
    ("kind", "fields", "shapes"),
    [
        ("conv2d", {"out": 2, "k": 3}, [(3, 2, 8)]),
        ("conv_transpose2d", {"out": 2, "k": 3, "p": 4}, [(3, 2, 2)]),
        ("max_pool2d", {"k": 3}, [(3, 2, 8)]),
        ("pad", {"p": -4}, [(3, 8, 8)]),
        ("pad", {"p": 8, "mode": "reflect"}, [(3, 8, 8)]),
        ("crop", {"size": 9}, [(3, 8, 8)]),
        ("split", {"channels": (1, 1)}, [(3, 8, 8)]),
        ("pixel_shuffle", {"upscale_factor": 2}, [(3, 8, 8)]),
        ("pixel_unshuffle", {"downscale_factor": 3}, [(3, 8, 8)]),
        ("add", {}, [(3, 8, 8), (3,)]),
        ("upsample", {"scale_factor": 0.1}, [(3, 8, 8)]),
        ("upsample", {}, [(3, 8, 8)]),
        ("crop", {}, [(3, 8, 8)]),
        ("pad", {"p": (1, 2, 3)}, [(3, 8, 8)]),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, fields: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    layer = build(kind, fields)
    arrays = [np.ones((1, *shape)) for shape in shapes]
    with pytest.raises(DoesNotFit):
        forward(layer, arrays, init(layer, shapes, np.random.default_rng(0)))


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d", "linear"])
def test_weights_for_other_channels_are_refused(kind: str) -> None:
    layer = build("linear", {"out": 4}) if kind == "linear" else build(kind, {"out": 4, "k": 1})
    weights = init(layer, [(3, 8, 8)], np.random.default_rng(0))
    with pytest.raises(DoesNotFit):
        forward(layer, np.ones((1, 5, 8, 5)), weights)
