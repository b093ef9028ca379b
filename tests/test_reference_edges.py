"""The reference where its forms have edges: several inputs, axes from the end, factors that do not divide, fans."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.reference import DoesNotFit, backward, forward, init
from convcalc.reference.context import Context, Counter, Start
from convcalc.reference.dispatch import operation

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 2, 4)])
def test_flatten_from_either_end(shape: tuple[int, ...]) -> None:
    """Axes exclude the batch; every pair of axes in both spellings, against the numbers in memory order."""
    axes = len(shape)
    x = RNG.standard_normal((2, *shape))
    for start, end in product(range(axes), range(axes)):
        if start > end:
            continue
        merged = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
        for first, last in product((start, start - axes), (end, end - axes)):
            layer = build("flatten", {"start_dim": first, "end_dim": last})
            assert layer.output_shape((shape,)) == merged
            y = forward(layer, x)
            assert y.shape == (2, *merged)
            np.testing.assert_array_equal(y.reshape(-1), x.reshape(-1))
            (grad,), _ = backward(layer, x, None, y)
            np.testing.assert_array_equal(grad, x)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_three_inputs_side_by_side_get_their_own_gradients(dim: int) -> None:
    shapes = [[4, 4] for _ in range(3)]
    for n, shape in enumerate(shapes):
        shape[dim] = n + 1
    inputs = [RNG.standard_normal((2, *shape)) for shape in shapes]
    layer = build("concat", {"dim": dim})
    y = forward(layer, inputs)
    grads, _ = backward(layer, inputs, None, y)
    assert len(grads) == 3
    for grad, array in zip(grads, inputs, strict=True):
        np.testing.assert_array_equal(grad, array)


@pytest.mark.parametrize("kind", ["add", "multiply"])
def test_inputs_of_other_ranks_are_refused(kind: str) -> None:
    with pytest.raises(DoesNotFit):
        forward(build(kind, {}), [np.ones((1, 3, 8, 8)), np.ones((1, 8))])
    with pytest.raises(DoesNotFit):
        forward(build(kind, {}), [np.ones((1, 3, 8, 8)), np.ones((1, 3, 8))])


@pytest.mark.parametrize(
    ("kind", "fields", "shape"),
    [
        ("pixel_shuffle", {"upscale_factor": 3}, (6, 2, 2)),
        ("pixel_shuffle", {"upscale_factor": 3}, (12, 2, 2)),
        ("pixel_shuffle", {"upscale_factor": 2}, (6, 2, 2, 2)),
        ("pixel_unshuffle", {"downscale_factor": 3}, (1, 6, 4)),
        ("pixel_unshuffle", {"downscale_factor": 3}, (1, 4, 6)),
        ("pixel_unshuffle", {"downscale_factor": 2}, (4, 3)),
    ],
)
def test_factors_that_do_not_divide_are_refused(kind: str, fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(DoesNotFit):
        forward(build(kind, fields), np.ones((1, *shape)))


@pytest.mark.parametrize(("factor", "rank"), [(2, 1), (3, 1), (2, 2), (3, 2), (2, 3)])
def test_pixels_are_dealt_out_one_by_one(factor: int, rank: int) -> None:
    """torch.nn.PixelShuffle: the channel c·r^n + r1·r^(n−1) + … goes to (c, i·r + r1, …)."""
    space = (2, 3, 1)[:rank]
    x = RNG.standard_normal((2, 2 * factor**rank, *space))
    shuffled = forward(build("pixel_shuffle", {"upscale_factor": factor}), x)
    wanted = np.empty((2, 2, *(size * factor for size in space)))
    for place in product(*(range(size * factor) for size in space)):
        inside = [q % factor for q in place]
        number = 0
        for part in inside:
            number = number * factor + part
        for channel in range(2):
            source = (slice(None), channel * factor**rank + number, *(q // factor for q in place))
            wanted[(slice(None), channel, *place)] = x[source]
    np.testing.assert_array_equal(shuffled, wanted)
    back = forward(build("pixel_unshuffle", {"downscale_factor": factor}), shuffled)
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_padding_behind_what_is_cropped_is_padding_alone(size: int) -> None:
    layer = build("pad", {"padding": [[-size - 1, size + 3]], "value": 7.0})
    x = RNG.standard_normal((2, 3, size))
    y = forward(layer, x)
    np.testing.assert_array_equal(y, np.full((2, 3, size + 2), 7.0))
    (grad,), _ = backward(layer, x, None, np.ones_like(y))
    np.testing.assert_array_equal(grad, np.zeros_like(x))


@pytest.mark.parametrize("norm_type", [2, 3, 1.5])
def test_the_gradient_of_an_empty_window_is_zero(norm_type: float) -> None:
    """PyTorch 2.14.1: windows (0, 0) and (3, 4) under p = 2 have the gradients (0, 0) and (0.6, 0.8)."""
    layer = build("lp_pool1d", {"k": 2, "norm_type": norm_type})
    x = np.array([[[0.0, 0.0, 3.0, 4.0]]])
    (grad,), _ = backward(layer, x, None, np.ones((1, 1, 2)))
    norm = (3.0**norm_type + 4.0**norm_type) ** (1 / norm_type)
    np.testing.assert_allclose(grad, [[[0, 0, (3 / norm) ** (norm_type - 1), (4 / norm) ** (norm_type - 1)]]])


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "fans"),
    [
        ("conv2d", {"out": 6, "k": [3, 2], "g": 2}, (4, 5, 5), {"weight": (12, 18, 12)}),
        ("conv_transpose1d", {"out": 5, "k": 3, "s": 2}, (4, 9), {"weight": (6, 15, 15)}),
        ("conv_transpose1d", {"out": 6, "k": 3, "s": 2, "g": 2}, (3 + 1, 9), {"weight": (3, 9, 9)}),
        ("conv_transpose2d", {"out": 5, "k": [3, 2], "s": [2, 3]}, (4, 9, 9), {"weight": (4, 30, 30)}),
        ("conv_transpose1d", {"out": 5, "k": 3, "s": 2}, (5, 9), {"weight": (7.5, 15, 15)}),
        (
            "separable_conv2d",
            {"out": 5, "k": 3, "depth_multiplier": 2},
            (4, 9, 9),
            {"depthwise.weight": (9, 18, 9), "pointwise.weight": (8, 5, 8)},
        ),
        ("linear", {"out": 5}, (7,), {"weight": (7, 5, 7)}),
        ("rnn", {"hidden_size": 4}, (6, 5), {"weight_ih_l0": (5, 4, 4), "weight_hh_l0": (4, 4, 4)}),
        ("gru", {"hidden_size": 4}, (6, 5), {"weight_ih_l0": (5, 12, 4), "bias_ih_l0": (0, 0, 4)}),
        (
            "lstm",
            {"hidden_size": 4, "proj_size": 3, "bidirectional": True, "num_layers": 2},
            (6, 5),
            {
                "weight_ih_l0": (5, 16, 4),
                "weight_hh_l0_reverse": (3, 16, 4),
                "weight_hr_l0": (4, 3, 4),
                "weight_ih_l1": (6, 16, 4),
                "bias_hh_l1_reverse": (0, 0, 4),
            },
        ),
        (
            "conv_lstm2d",
            {"out": 3, "k": [3, 2]},
            (4, 5, 9, 9),
            {"weight_ih": (30, 18, 30), "weight_hh": (18, 18, 18), "bias_ih": (0, 0, 30)},
        ),
    ],
)
def test_fans(
    kind: str, fields: dict[str, Any], shape: tuple[int, ...], fans: dict[str, tuple[float, float, int]]
) -> None:
    """Products that an output sums and that an input takes part in; torch's is weight.shape[1] times the kernel."""
    starts = operation(build(kind, fields)).tensors(build(kind, fields), shape)
    for name, (fan_in, fan_out, torch_fan) in fans.items():
        start = starts[name]
        assert (start.fan_in, start.fan_out, start.torch_fan) == (fan_in, fan_out, torch_fan), name


@pytest.mark.parametrize("scheme", ["kaiming", "xavier"])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [("parameter", {"shape": [300, 200]}), ("embedding", {"num_embeddings": 300, "embedding_dim": 200})],
)
def test_tables_start_with_variance_1(kind: str, fields: dict[str, Any], scheme: str) -> None:
    """As torch.nn.Embedding draws them; PyTorch's own scheme of weights is even within ±1."""
    layer = build(kind, fields)
    (table,) = init(layer, [(3,)], np.random.default_rng(0), scheme).values()
    assert table.shape == (300, 200) and np.square(table).mean() == pytest.approx(1, abs=0.01)
    (table,) = init(layer, [(3,)], np.random.default_rng(0), "torch").values()
    assert 0.999 < np.abs(table).max() <= 1 and np.square(table).mean() == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("stride", [2, 3])
def test_the_fan_of_a_transposed_convolution_is_what_its_outputs_sum(stride: int) -> None:
    """On average over the interior: each output's contributions, counted with weights and inputs of one."""
    layer = build("conv_transpose1d", {"out": 1, "k": 5, "s": stride, "bias": False})
    y = forward(layer, np.ones((1, 3, 60)), {"weight": np.ones((3, 1, 5))})[0, 0]
    start = operation(layer).tensors(layer, (3, 60))["weight"]
    assert start.fan_in == pytest.approx(y[10 * stride : 40 * stride].mean())


def test_responses_of_any_space_are_those_of_their_channels() -> None:
    """torch.nn.LocalResponseNorm by its definition, for space of one to three axes."""
    layer = build("local_response_norm", {"size": 4, "alpha": 0.5, "beta": 0.6, "k": 2.0})
    for space in ((7,), (3, 4), (2, 3, 2)):
        x = RNG.standard_normal((2, 6, *space))
        wanted = np.empty_like(x)
        for c in range(6):
            near = [j for j in range(c - 2, c + 2) if 0 <= j < 6]
            wanted[:, c] = x[:, c] / (2.0 + 0.5 * (x[:, near] ** 2).sum(axis=1) / 4) ** 0.6
        np.testing.assert_allclose(forward(layer, x), wanted)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_is_exponentials_over_their_sum(dim: int) -> None:
    x = RNG.standard_normal((2, 3, 4))
    exponentials = np.exp(x)
    axis = dim + 1 if dim >= 0 else dim
    y = forward(build("softmax", {"dim": dim}), x)
    np.testing.assert_allclose(y, exponentials / exponentials.sum(axis=axis, keepdims=True))
    np.testing.assert_allclose(y.sum(axis=axis), 1)
    np.testing.assert_allclose(forward(build("softmax", {"dim": dim}), x + 1000), y)


def test_a_crop_may_keep_all() -> None:
    x = RNG.standard_normal((2, 3, 4, 5))
    np.testing.assert_array_equal(forward(build("crop", {"size": [4, 5]}), x), x)
    np.testing.assert_array_equal(forward(build("crop", {"size": [4, 2]}), x), x[..., 1:3])
    with pytest.raises(DoesNotFit):
        forward(build("crop", {"size": [5, 5]}), x)


@pytest.mark.parametrize("word", ["same", "same_lower", "valid"])
@pytest.mark.parametrize(("k", "s"), [(2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (3, 2), (2, 3)])
def test_crops_by_words_are_parts_of_the_full_extent(word: str, k: int, s: int) -> None:
    """Keras: `same` leaves i·s positions, the odd one cropped after (`same_lower`: before)."""
    fields = {"out": 1, "k": k, "s": s, "bias": False}
    x, weight = RNG.standard_normal((1, 2, 6)), RNG.standard_normal((2, 1, k))
    full = forward(build("conv_transpose1d", fields), x, {"weight": weight})[0, 0]
    found = forward(build("conv_transpose1d", {**fields, "p": word}), x, {"weight": weight})[0, 0]
    surplus = max(len(full) - 6 * s, 0)
    begin = 0 if word == "valid" else surplus // 2 if word == "same" else surplus - surplus // 2
    length = max(len(full), 6 * s) if word == "valid" else 6 * s
    wanted = np.zeros(length)
    kept = full[begin : begin + length]
    wanted[: len(kept)] = kept
    np.testing.assert_allclose(found, wanted)


def test_pytorchs_start_is_even_around_zero() -> None:
    """torch.nn.Linear draws from ±1/√fan_in."""
    weights = init(build("linear", {"out": 200}), [(100,)], np.random.default_rng(0), "torch")
    for tensor in weights.values():
        assert np.abs(tensor).max() <= 0.1 < 1.1 * np.abs(tensor).max()
    assert abs(weights["weight"].mean()) < 0.002 and tensor.min() < -0.08


@pytest.mark.parametrize("space", [(7,), (4, 5), (2, 3, 4)])
def test_instances_are_normalized_over_all_their_space(space: tuple[int, ...]) -> None:
    x = RNG.standard_normal((3, 2, *space))
    axes = tuple(range(2, x.ndim))
    wanted = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + 1e-5)
    np.testing.assert_allclose(forward(build("instance_norm", {}), x), wanted)
    wanted = (x - x.mean(axis=(0, *axes), keepdims=True)) / np.sqrt(x.var(axis=(0, *axes), keepdims=True) + 1e-5)
    np.testing.assert_allclose(forward(build("batch_norm", {}), x, training=True), wanted)


def test_passes_and_tensors_are_plain_where_nothing_is_said() -> None:
    assert Context() == (False, None, 1) and Counter().macs == 0
    assert Start((2,)) == ((2,), 0.0, 0.0, 0, 0.0, True)
