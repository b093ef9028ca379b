"""Facts of every kind against what the reference does with arrays: which inputs an output reads, how outputs grow."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import pytest

from convcalc.analysis.seen import taps
from convcalc.geometry import ChannelMismatch, GeometryError, UnequalInputs, Window
from convcalc.inference import output_shape
from convcalc.layers.kind_table import KindTable, Refused
from convcalc.layers.registry import build
from convcalc.reference import NoTwin, backward, forward
from convcalc.reference.dispatch import operation
from tests.reference_examples import EXAMPLES, Example

STATISTICS = ("group_norm", "layer_norm", "rms_norm", "instance_norm")
"""Kinds whose mean and variance read more than their positions: fields of view leave statistics aside."""
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def reading(example: Example, which: int) -> Any:
    """Whether each element of the output (first axis) depends on each element of an input, by changing it."""
    rng = np.random.default_rng(1)
    layer, weights = example.layer, example.weights(rng)
    base = example.inputs(rng, batch=1)
    shape = example.shapes[which]
    found = np.zeros((prod(layer.output_shape(example.shapes)), prod(shape)), bool)
    for change in (9.0, -9.0, 0.25):
        before = forward(layer, base, weights).reshape(-1)
        for number in range(found.shape[1]):
            changed = [array.copy() for array in base]
            changed[which].reshape(-1)[number] += change
            with np.errstate(all="ignore"):
                after = forward(layer, changed, weights).reshape(-1)
            found[:, number] |= ~np.isclose(after, before, rtol=1e-13, atol=1e-13, equal_nan=True)
    return found


@each_example
def test_axes_say_what_is_read(example: Example) -> None:
    """No output reads beyond its link, and a link claims no more than is read where the layer mixes positions."""
    layer, shapes = example.layer, example.shapes
    output = layer.output_shape(shapes)
    joined = layer.joined_axis(shapes)
    beyond = layer.border_mode != "zeros" or example.fields.get("mode") in ("reflect", "replicate", "circular")
    beyond |= example.kind == "roll"
    for which, shape in enumerate(shapes):
        links = layer.axes_of(shapes, which)
        assert len(links) == len(output)
        found = reading(example, which).reshape(*output, *shape)
        if layer.data_inputs is not None and which >= layer.data_inputs:
            assert not found.any()
            continue
        for axis, link in enumerate(links):
            if axis == joined:
                assert link is None
                continue
            for source in range(len(shape)):
                others = tuple(n for n in range(found.ndim) if n not in (axis, len(output) + source))
                pairs = found.any(axis=others)
                if link is not None and link.source == source and link.map is not None:
                    for q in range(output[axis]):
                        read = set(np.flatnonzero(pairs[q]).tolist())
                        if shape[source] == 1 and output[axis] > 1:
                            assert read <= {0}
                            continue
                        claimed = {i for i in taps(link.map, q) if 0 <= i < shape[source]}
                        border = 0 if shape[source] <= 1 else shape[source] - 1
                        clamped = claimed | {min(max(i, 0), border) for i in taps(link.map, q)}
                        claimed = clamped if example.kind == "upsample" else claimed
                        assert read <= claimed or beyond or example.kind in STATISTICS, (axis, q)
                        if example.linear and example.kind not in ("upsample", "pad", "crop", "conv2d"):
                            assert read == claimed, (axis, q)
                elif (link is None or link.map is None) and pairs.shape[0] == pairs.shape[1] > 1:
                    apart = (pairs == np.eye(len(pairs), dtype=bool)).all()
                    assert not apart or link is None or link.source != source, "positions that stay apart are linked"


def grown(example: Example, axis: int | None, by: int) -> int | None:
    """Elements of the output where an axis of the first input (or None: a product of all) is longer."""
    first = list(example.shapes[0])
    axes = range(1, len(first)) if axis is None else [axis]
    for n in axes:
        first[n] += by
    try:
        return prod(output_shape(example.layer, (tuple(first), *example.shapes[1:])))
    except (GeometryError, ValueError):
        return None


@each_example
def test_slides_are_the_windows_that_the_axes_show(example: Example) -> None:
    layer, shapes = example.layer, example.shapes
    output = layer.output_shape(shapes)
    slides = layer.slides(shapes, output)
    windows = [link for link in layer.axes(shapes) if link is not None and isinstance(link.map, Window)]
    if example.kind != "unfold":
        assert [(slide.axis, slide.window) for slide in slides] == [(link.source, link.map) for link in windows]
    for slide in slides:
        size = shapes[0][slide.axis]
        k, s, before, after, d = slide.window
        starts = [start for start in range(-before, size + after, s) if start + d * (k - 1) < size + after]
        ceiling = layer.rounding not in (None, "floor")
        assert slide.positions in ({len(starts), len(starts) + 1} if ceiling else {len(starts)})


def test_the_positions_of_unfold_are_counted_axis_by_axis() -> None:
    """Of [2, 7, 10] with k = (3, 2), s = (2, 3), p = (1, 0), d = (1, 2): starts −1, 1, 3, 5 and 0, 3, 6."""
    layer = build("unfold", {"k": [3, 2], "s": [2, 3], "p": [1, 0], "d": [1, 2]})
    shape = (2, 7, 10)
    assert layer.windows(shape) == (Window(3, 2, 1, 1, 1), Window(2, 3, 0, 0, 2))
    slides = layer.slides((shape,), layer.output_shape((shape,)))
    assert [(slide.axis, slide.window.kernel_size, slide.positions) for slide in slides] == [(1, 3, 4), (2, 2, 3)]
    assert layer.output_shape((shape,)) == (12, 12)


@each_example
def test_outputs_grow_evenly_by_their_steps(example: Example) -> None:
    """Where an axis grows by whole multiples of its step again and again, each time the output grows alike."""
    layer, shapes = example.layer, example.shapes
    for axis, step in layer.growth_steps(shapes, layer.output_shape(shapes)):
        if axis is None:
            continue
        whole = Fraction(step)
        by = whole.numerator
        sizes = [grown(example, axis, by * times) for times in range(4, 8)]
        if None in sizes:
            continue
        growth = {b - a for a, b in pairwise(sizes)}  # type: ignore[operator]
        assert len(growth) == 1, (axis, step, sizes)


@pytest.mark.parametrize(
    ("fields", "steps"),
    [
        ({"scale_factor": 2}, [(1, Fraction(1, 2)), (2, Fraction(1, 2))]),
        ({"scale_factor": [1.5, 0.25]}, [(1, Fraction(2, 3)), (2, Fraction(4))]),
        ({"size": 5}, []),
        ({"scale_factor": [2, 3], "mode": "bilinear"}, [(1, Fraction(1, 2)), (2, Fraction(1, 3))]),
    ],
)
def test_an_upsampled_axis_grows_by_the_inverse_of_its_scale(fields: dict[str, Any], steps: list[Any]) -> None:
    layer = build("upsample", fields)
    shapes = ((3, 8, 8),)
    assert list(layer.growth_steps(shapes, layer.output_shape(shapes))) == steps


KINDS = KindTable(
    {"Conv": "any convolution", "conv1d": "in one dimension", "relu": "rectifier"},
    absent="nobody knows it",
    refused={"Dropout": "it sleeps", "tanh": "too round"},
)


@pytest.mark.parametrize(
    ("kind", "fields", "entry", "reason"),
    [
        ("conv1d", {"out": 1, "k": 1}, "in one dimension", "nobody knows it"),
        ("conv2d", {"out": 1, "k": 1}, "any convolution", "nobody knows it"),
        ("relu", {}, "rectifier", "nobody knows it"),
        ("tanh", {}, None, "too round"),
        ("dropout", {}, None, "it sleeps"),
        ("sigmoid", {}, None, "nobody knows it"),
    ],
)
def test_a_kinds_own_entry_wins_over_its_familys(
    kind: str, fields: dict[str, Any], entry: str | None, reason: str
) -> None:
    layer = build(kind, fields)
    assert KINDS.knows(kind) is (entry is not None)
    assert KINDS.get(layer) == entry
    assert KINDS.reason(kind) == KINDS.why(layer) == reason
    assert KINDS.says(layer) == (None if reason == "nobody knows it" else reason)
    if entry is None:
        with pytest.raises(Refused, match=reason):
            KINDS.of(layer)
    else:
        assert KINDS.of(layer) == entry


def test_a_layer_without_a_twin_is_named() -> None:
    layer = build("relu", {}).model_copy(update={"kind": "swirl"})
    object.__setattr__(layer, "kind", "swirl")
    with pytest.raises(NoTwin, match="no forward pass of swirl"):
        operation(layer)
    with pytest.raises(NoTwin, match="swirl"):
        forward(layer, np.ones((1, 2)))
    with pytest.raises(NoTwin, match="swirl"):
        backward(layer, np.ones((1, 2)), None, np.ones((1, 2)))


def test_unequal_inputs_are_named_where_names_are_known() -> None:
    error = UnequalInputs("add", 1, (8, 4), 2, (8, 2), "axis 1: 4 and 2", hint="h", axis=1)
    assert isinstance(error, ChannelMismatch)
    assert error.said(["a", "b", "c"]) == "add cannot join b [8, 4] and c [8, 2]: axis 1: 4 and 2"
    assert error.said(["a", "b"]) == error.said([]) == error.message
    assert error.message == "add cannot join [8, 4] and [8, 2] (input 2): axis 1: 4 and 2"
    assert (error.hint, error.numbers) == ("h", {"first": (8, 4), "other": (8, 2), "axis": 1})


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_keep_their_type_and_half_is_computed_in_single(dtype: Any) -> None:
    layer = build("conv1d", {"out": 2, "k": 3})
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 6)).astype(dtype), rng.standard_normal((2, 2, 3)).astype(dtype)
    bias, grad = np.ones(2, dtype), np.ones((1, 2, 4), dtype)
    y = forward(layer, x, {"weight": weight, "bias": bias})
    (grad_x,), grads = backward(layer, x, {"weight": weight, "bias": bias}, grad)
    assert {array.dtype.type for array in (y, grad_x, *grads.values())} == {dtype}
    wide = np.float32 if dtype == np.float16 else dtype
    exact = forward(layer, x.astype(wide), {"weight": weight.astype(wide), "bias": bias.astype(wide)})
    np.testing.assert_array_equal(y, exact.astype(dtype))
    windows = [[(x[0, :, q : q + 3].astype(float) * weight[o]).sum() + 1 for q in range(4)] for o in range(2)]
    np.testing.assert_allclose(y[0], windows, rtol=1e-2 if dtype == np.float16 else 1e-5)
