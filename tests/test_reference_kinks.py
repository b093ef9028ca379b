"""Where a function bends, jumps or has no slope: values and gradients there are those of PyTorch 2.14.1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc import loads
from convcalc.analysis.seen import seen_from
from convcalc.layers.registry import build
from convcalc.reference import DoesNotFit, backward, forward
from convcalc.reference.resize import taps

Numbers = list[float]


def at(kind: str, fields: dict[str, Any], x: Any) -> tuple[Any, Any]:
    """The output and the gradient of its sum for one example."""
    layer = build(kind, fields)
    y = forward(layer, np.asarray([x], float))
    (grad,), _ = backward(layer, np.asarray([x], float), None, np.ones_like(y))
    return y[0], grad[0]


POINTS: list[tuple[str, dict[str, Any], Numbers, Numbers, Numbers]] = [
    ("relu", {}, [-1, 0, 1], [0, 0, 1], [0, 0, 1]),
    ("relu6", {}, [0, 3, 6, 7], [0, 3, 6, 6], [0, 1, 0, 0]),
    ("hardtanh", {"min_val": -0.5, "max_val": 2}, [-1, -0.5, 0, 2, 3], [-0.5, -0.5, 0, 2, 2], [0, 0, 1, 0, 0]),
    ("hardswish", {}, [-4, -3, 0, 3, 4], [0, 0, 0, 3, 4], [0, 0, 0.5, 1, 1]),
    ("hardsigmoid", {}, [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1], [0, 0, 1 / 6, 0, 0]),
    ("leaky_relu", {"negative_slope": 0.2}, [-1, 0, 1], [-0.2, 0, 1], [0.2, 0.2, 1]),
    ("elu", {"alpha": 0.7}, [-1, 0, 1], [-0.44248439118, 0, 1], [0.25751560882, 0.7, 1]),
    ("celu", {"alpha": 0.7}, [-1, 0, 1], [-0.532244274491, 0, 1], [0.239651036442, 1, 1]),
    ("selu", {}, [-1, 0, 1], [-1.111330737813, 0, 1.050700987355], [0.646768603035, 1.758099340847, 1.050700987355]),
    ("threshold", {"threshold": 0.25, "value": -1.5}, [0, 0.25, 0.5], [-1.5, -1.5, 0.5], [0, 0, 1]),
    ("hardshrink", {"lambd": 0.25}, [-0.5, -0.25, 0, 0.25, 0.5], [-0.5, 0, 0, 0, 0.5], [1, 0, 0, 0, 1]),
    ("softshrink", {"lambd": 0.25}, [-0.5, -0.25, 0, 0.25, 0.5], [-0.25, 0, 0, 0, 0.25], [1, 0, 0, 0, 1]),
    ("clamp", {"min": -0.5, "max": 1}, [-1, -0.5, 0, 1, 2], [-0.5, -0.5, 0, 1, 1], [0, 0, 1, 0, 0]),
    ("clamp", {"min": -0.5}, [-1, -0.5, 0, 1, 2], [-0.5, -0.5, 0, 1, 2], [0, 0, 1, 1, 1]),
    ("clamp", {"max": 1}, [-1, -0.5, 0, 1, 2], [-1, -0.5, 0, 1, 1], [1, 1, 1, 0, 0]),
    ("abs", {}, [-1, 0, 1], [1, 0, 1], [-1, 0, 1]),
    ("sign", {}, [-1, 0, 1], [-1, 0, 1], [0, 0, 0]),
    (
        "softplus",
        {"beta": 2, "threshold": 3},
        [-1, 0, 1.5, 1.6],
        [0.063464005521, 0.34657359028, 1.524293675787, 1.6],
        [0.119202922022, 0.5, 0.952574126822, 1],
    ),
    ("softsign", {}, [-1, 0, 2], [-0.5, 0, 2 / 3], [0.25, 1, 1 / 9]),
    (
        "gelu",
        {"approximate": "tanh"},
        [-3, -1, 0, 0.5, 2],
        [-0.003637392082, -0.158808009392, 0, 0.345714009825, 1.954597694088],
        [-0.011584166631, -0.082964083846, 0.5, 0.867369903535, 1.086099256624],
    ),
    (
        "gelu",
        {},
        [-3, -1, 0, 0.5, 2],
        [-0.004049694095, -0.158655253931, 0, 0.345731230637, 1.954499736104],
        [-0.011945647204, -0.083315470588, 0.5, 0.867495124656, 1.085231801078],
    ),
    ("mish", {}, [-2, 0, 2], [-0.252501482696, 0, 1.943958959534], [-0.10835509242, 0.6, 1.069317934279]),
    ("silu", {}, [-2, 0, 2], [-0.238405844044, 0, 1.761594155956], [-0.090784248785, 0.5, 1.090784248785]),
    ("logsigmoid", {}, [-40, 0, 40], [-40, -0.69314718056, 0], [1, 0.5, 0]),
    ("pow", {"exponent": 0}, [-1, 0, 2], [1, 1, 1], [0, 0, 0]),
    ("pow", {"exponent": -1}, [-1, 0.5, 2], [-1, 2, 0.5], [-1, -4, -0.25]),
    ("pow", {"exponent": 3}, [-1, 0, 2], [-1, 0, 8], [3, 0, 12]),
]


@pytest.mark.parametrize(
    ("kind", "fields", "x", "value", "slope"), POINTS, ids=[f"{case[0]}-{case[1]}" for case in POINTS]
)
def test_bends_and_bounds(kind: str, fields: dict[str, Any], x: Numbers, value: Numbers, slope: Numbers) -> None:
    y, grad = at(kind, fields, [x])
    np.testing.assert_allclose(y[0], value, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(grad[0], slope, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("p", "length", "slope"),
    [
        (0.5, 1.3928203230275507, [0, 2.1547005383792515, -1.8660254037844384]),
        (1, 0.7, [0, 1, -1]),
        (2, 0.5, [0, 0.6, -0.8]),
        (3, 0.4497941445275415, [0, 0.4448513517305354, -0.790846847520952]),
    ],
)
def test_a_norm_is_flat_where_it_has_no_slope(p: float, length: float, slope: Numbers) -> None:
    """torch.linalg.vector_norm of (0, 0.3, −0.4), and of zeros."""
    y, grad = at("norm", {"dim": 1, "p": p}, [[0, 0.3, -0.4], [0, 0, 0]])
    np.testing.assert_allclose(y, [length, 0], rtol=1e-12)
    np.testing.assert_allclose(grad, [slope, [0, 0, 0]], rtol=1e-12, atol=1e-12)


def test_equal_extremes_share_the_gradient() -> None:
    assert at("amax", {"dim": 0}, [1, 3, 3, 2])[1].tolist() == [0, 0.5, 0.5, 0]
    assert at("amin", {"dim": 0}, [1, 1, 3, 2])[1].tolist() == [0.5, 0.5, 0, 0]


def test_exponentials_of_large_numbers_do_not_overflow() -> None:
    for top in (1000.0, -1000.0):
        y, grad = at("logsumexp", {"dim": 0}, [top, top - 1000])
        assert float(y) == top and grad.tolist() == [1, 0]
    y, grad = at("logsumexp", {"dim": 0}, [5.0, 5.0])
    assert float(y) == pytest.approx(5 + np.log(2)) and grad.tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("size", "correction", "fits"), [(1, 0, True), (1, 1, False), (2, 1, True), (2, 2, False)])
def test_a_deviation_needs_more_numbers_than_are_taken_off(size: int, correction: int, fits: bool) -> None:
    x = np.arange(size, dtype=float)
    layer = build("var", {"dim": 0, "correction": correction})
    if fits:
        assert float(forward(layer, x[None])[0]) == pytest.approx(np.var(x, ddof=correction))
    else:
        with pytest.raises(DoesNotFit, match=f"var of {size} numbers with correction {correction}"):
            forward(layer, x[None])
    assert at("std", {"dim": 0, "correction": 0}, [2.0, 2.0])[1].tolist() == [0, 0]


@pytest.mark.parametrize("keepdim", [False, True])
def test_the_first_of_equal_largest_numbers_is_the_largest(keepdim: bool) -> None:
    """torch.argmax without an axis counts along all of them, row by row."""
    x = np.array([[[1.0, 5.0, 2.0], [5.0, 0.0, 5.0]], [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]])
    shape = (2, 1, 1) if keepdim else (2,)
    np.testing.assert_array_equal(forward(build("argmax", {"keepdim": keepdim}), x), np.reshape([1.0, 5.0], shape))
    along = forward(build("argmax", {"dim": -1, "keepdim": keepdim}), x)
    np.testing.assert_array_equal(along.reshape(2, 2), [[1, 0], [0, 2]])
    assert along.shape == ((2, 2, 1) if keepdim else (2, 2))


NEAREST = [
    ("nearest", 4, 2.1, [0, 0, 0, 1, 1, 2, 2, 3], [0, 0, 1, 1, 2, 2, 3, 3]),
    ("nearest", 4, 1.2, [0, 0, 1, 2], [0, 1, 2, 3]),
    ("nearest", 5, 2.3, [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4], [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4]),
    ("nearest-exact", 4, 2.1, [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 2, 2, 3, 3]),
    ("nearest-exact", 4, 1.2, [0, 1, 2, 2], [0, 1, 2, 2]),
    ("nearest-exact", 5, 2.3, [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4], [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4]),
]


@pytest.mark.parametrize(("mode", "size", "scale", "read", "on_two_axes"), NEAREST)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_nearest_input_where_an_axis_keeps_its_size_or_doubles(
    mode: str, size: int, scale: float, read: list[int], on_two_axes: list[int], rank: int
) -> None:
    """torch.nn.functional.interpolate: `nearest` on two axes alone asks the sizes there, and not the factor."""
    scales = [scale, *(1.0,) * (rank - 1)]
    x = np.arange(size, dtype=float).reshape(1, 1, size, *(1,) * (rank - 1))
    wanted = on_two_axes if rank == 2 else read
    y = forward(build("upsample", {"scale_factor": scales, "mode": mode}), x)
    assert y.reshape(-1).tolist() == wanted
    layers = f"[{{upsample: {{scale_factor: {scales}, mode: {mode}}}}}]"
    network = loads(f"{{convcalc: 1, input: {list(x.shape[1:])}, layers: {layers}}}")
    seen = [seen_from(network, 1, (q, *(0,) * (rank - 1)))[0].axes[0] for q in range(len(wanted))]
    assert seen == [(i,) for i in wanted]


def test_the_last_position_of_a_long_axis_reads_the_last_number() -> None:
    """In float32 the middle of position 2^24 − 1 is that of the next one, behind the input."""
    assert taps(2, 1 << 24, "nearest-exact", align_corners=False, scale=None, rank=1).indices.max() == 1
