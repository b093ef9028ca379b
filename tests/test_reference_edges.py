"""The reference where its forms have edges: several inputs, axes from the end, factors that do not divide, fans."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.reference import DoesNotFit, backward, forward, init, updated_statistics
from convcalc.reference.context import Context, Counter, Start
from convcalc.reference.dispatch import operation
from convcalc.reference.initial import starts
from convcalc.reference.windows import tiles, window_view
from tests.reference_examples import EXAMPLES

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


@pytest.mark.parametrize("kind", ["add", "multiply", "sub", "div", "maximum", "minimum"])
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
    for channels, *space in ((6, 7), (6, 3, 4), (6, 2, 3, 2), (1, 3), (2, 3), (3, 3)):
        x = RNG.standard_normal((2, channels, *space))
        wanted = np.empty_like(x)
        for c in range(channels):
            near = [j for j in range(c - 2, c + 2) if 0 <= j < channels]
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
    np.testing.assert_array_equal(forward(build("crop", {"size": [1, 1]}), x), x[..., 1:2, 2:3])
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


@pytest.mark.parametrize("pads", [((1, 2), (3, 0)), ((0, 3), (2, 2)), ((3, 3), (0, 0)), ((0, 0), (4, 1))])
@pytest.mark.parametrize(("mode", "as_numpy"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_borders_are_numpys(mode: str, as_numpy: Any, pads: tuple[tuple[int, int], ...]) -> None:
    x = RNG.standard_normal((2, 3, 4, 5))
    y = forward(build("pad", {"padding": pads, "mode": mode}), x)
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), (0, 0), *pads), as_numpy))
    constant = forward(build("pad", {"padding": pads, "value": 0.5}), x)
    np.testing.assert_array_equal(constant, np.pad(x, ((0, 0), (0, 0), *pads), constant_values=0.5))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_channels_are_dealt_out_in_turn(groups: int) -> None:
    """torch.nn.ChannelShuffle: channel i of group g comes to i·groups + g."""
    x = RNG.standard_normal((2, 6, 4))
    y = forward(build("channel_shuffle", {"groups": groups}), x)
    for group in range(groups):
        for i in range(6 // groups):
            np.testing.assert_array_equal(y[:, i * groups + group], x[:, group * (6 // groups) + i])


@pytest.mark.parametrize(("shape", "wanted"), [((1,), (2,)), ((1, 3), (2, 3)), ((3, 1), (3, 2)), ((1, 1), (2, 2))])
def test_what_is_repeated_gets_the_sum(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """By a join, and by expand: two copies make twice the gradient, and three axes before it six times."""
    x, other = RNG.standard_normal((2, *shape)), RNG.standard_normal((2, *wanted))
    (grad, _), _ = backward(build("add", {}), [x, other], None, np.ones_like(other))
    times = prod(wanted) / prod(shape)
    np.testing.assert_array_equal(grad, np.full(x.shape, times))
    (grad,), _ = backward(build("expand", {"shape": wanted}), x, None, np.ones_like(other))
    np.testing.assert_array_equal(grad, np.full(x.shape, times))
    (grad,), _ = backward(build("expand", {"shape": [3, *wanted]}), x, None, np.ones((2, 3, *wanted)))
    np.testing.assert_array_equal(grad, np.full(x.shape, 3 * times))


@pytest.mark.parametrize("eps", [None, 0.5])
def test_a_root_mean_square_has_its_epsilon_below_the_root(eps: float | None) -> None:
    """torch.nn.RMSNorm; where nothing is said the epsilon is that of the numbers' type."""
    for dtype in ("float32", "float64"):
        x = 1e-4 * RNG.standard_normal((2, 3, 4)).astype(dtype)
        fields = {"normalized_shape": [4], "elementwise_affine": False, **({} if eps is None else {"eps": eps})}
        added = np.finfo(dtype).eps if eps is None else eps
        wanted = x / np.sqrt((x.astype(float) ** 2).mean(axis=-1, keepdims=True) + added)
        np.testing.assert_allclose(forward(build("rms_norm", fields), x), wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["conv_lstm1d", "rnn", "gru", "lstm"])
def test_a_sequence_of_one_position(kind: str) -> None:
    """It is the first of a longer one, and so are its gradients where nothing comes back from behind."""
    fields: dict[str, Any] = {"out": 2, "k": 3, "p": 1} if kind == "conv_lstm1d" else {"hidden_size": 2}
    layer, shape = build(kind, fields), (3, 5) if kind == "conv_lstm1d" else (3,)
    weights = init(layer, [(4, *shape)], RNG, "normal:1", "float64")
    x = RNG.standard_normal((2, 4, *shape))
    y, first = forward(layer, x, weights), forward(layer, x[:, :1], weights)
    np.testing.assert_allclose(first, y[:, :1])
    grad = np.zeros_like(y)
    grad[:, 0] = RNG.standard_normal(grad[:, 0].shape)
    (long,), of_long = backward(layer, x, weights, grad)
    (short,), of_short = backward(layer, x[:, :1], weights, grad[:, :1])
    np.testing.assert_allclose(short, long[:, :1])
    for name, found in of_short.items():
        np.testing.assert_allclose(found, of_long[name])


def test_a_window_beyond_the_input_sums_nothing() -> None:
    """ONNX's rounding up admits one that starts behind the end; PyTorch leaves it out."""
    x = np.array([[[3.0, 1.0, 2.0, 4.0, 5.0]]])
    fields = {"k": 1, "s": 3, "norm_type": 2}
    assert forward(build("lp_pool1d", {**fields, "ceil_mode": "onnx"}), x).tolist() == [[[3, 4, 0]]]
    assert forward(build("lp_pool1d", {**fields, "ceil_mode": True}), x).tolist() == [[[3, 4]]]


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: str(EXAMPLES[number]))
def test_tensors_are_named_shaped_and_learned_as_the_layer_says(number: int) -> None:
    example = EXAMPLES[number]
    found = {name: (start.shape, start.learned) for name, start in starts(example.layer, example.shapes).items()}
    assert found == {weight.name: (weight.shape, weight.learnable) for weight in example.layer.weights(example.shapes)}


@pytest.mark.parametrize(
    ("kind", "fields", "values"),
    [
        ("batch_norm", {}, {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1, "num_batches_tracked": 0}),
        ("batch_norm", {"weight": False, "track_running_stats": False}, {"bias": 0}),
        ("batch_norm", {"bias": False, "track_running_stats": False}, {"weight": 1}),
        (
            "instance_norm",
            {"track_running_stats": True},
            {"running_mean": 0, "running_var": 1, "num_batches_tracked": 0},
        ),
        ("group_norm", {"num_groups": 2}, {"weight": 1, "bias": 0}),
        ("layer_norm", {}, {"weight": 1, "bias": 0}),
        ("rms_norm", {}, {"weight": 1}),
        ("scale", {"bias": True}, {"weight": 1, "bias": 0}),
        ("prelu", {}, {"weight": 0.25}),
        ("linear", {"out": 3, "dim": "last", "gain": True, "bias": True}, {"gain": 1, "bias": 0}),
        ("conv2d", {"out": 3, "k": 1, "gain": True}, {"gain": 1, "bias": 0}),
        ("gru", {"hidden_size": 3}, {"bias_ih_l0": 0, "bias_hh_l0": 0}),
    ],
)
def test_what_is_not_drawn_starts_as_in_pytorch(kind: str, fields: dict[str, Any], values: dict[str, float]) -> None:
    """torch.nn.BatchNorm2d, PReLU and others; gains as in timm's ScaledStdConv2d."""
    shape = (4, 5) if kind == "gru" else (4, 5, 6)
    tensors = init(build(kind, fields), [shape], np.random.default_rng(0))
    constant = {name: float(tensor.flat[0]) for name, tensor in tensors.items() if np.ptp(tensor) == 0}
    for name, value in values.items():
        assert constant[name] == value, name
    assert not set(constant) - set(values)


@pytest.mark.parametrize(
    ("scheme", "variance"),
    [("kaiming", 2 / 18), ("xavier", 2 / (18 + 450)), ("normal:0.01", 1e-4), ("normal:2", 4), ("torch", 1 / 3 / 18)],
)
def test_schemes_draw_their_variance(scheme: str, variance: float) -> None:
    """He et al. 2015; Glorot and Bengio 2010; PyTorch draws evenly within ±1/√fan_in."""
    layer = build("conv2d", {"out": 50, "k": 3, "bias": False})
    drawn = np.concatenate(
        [init(layer, [(2, 8, 8)], np.random.default_rng(n), scheme)["weight"].ravel() for n in range(60)]
    )
    assert abs(drawn.mean()) < 5 * np.sqrt(variance / drawn.size)
    assert np.square(drawn).mean() == pytest.approx(variance, rel=0.03)


def test_a_deviation_of_0_draws_zeros() -> None:
    weights = init(build("linear", {"out": 3}), [(4,)], np.random.default_rng(0), "normal:0")
    assert not weights["weight"].any()


@pytest.mark.parametrize("scheme", ["he", "normal", "normal:", "normal:-0.1", "normal:x", "normal:inf", "normal:nan"])
def test_other_schemes_are_refused(scheme: str) -> None:
    with pytest.raises(ValueError, match=f"'{scheme}' is none of kaiming, xavier, torch and normal:STD"):
        init(build("linear", {"out": 3}), [(4,)], np.random.default_rng(0), scheme)


@pytest.mark.parametrize(("k", "d", "extent"), [(3, 2, 5), (6, 1, 6), (2, 4, 5)])
def test_a_window_that_does_not_fit_is_told_with_its_extent(k: int, d: int, extent: int) -> None:
    layer = build("conv1d", {"out": 1, "k": k, "d": d})
    with pytest.raises(DoesNotFit, match=f"a window of {extent} does not fit into a padded axis of 4"):
        forward(layer, np.ones((1, 1, 4)), init(layer, [(1, 9)], RNG))


def test_along_one_tap_or_one_position_no_step_is_taken() -> None:
    """However long it is: beyond what an address can hold."""
    x = RNG.standard_normal((1, 1, 4))
    far = 1 << 70
    np.testing.assert_array_equal(window_view(x, (1,), (1,), (far,)), x[:, :, None])
    np.testing.assert_array_equal(window_view(x, (4,), (far,), (1,)), x[..., None])


@pytest.mark.parametrize("space", [(1,), (7,), (4, 5), (1, 9), (3, 1, 4), (2, 3, 4)])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 12, 100])
def test_tiles_are_all_positions_in_their_order(space: tuple[int, ...], limit: int) -> None:
    """Each within the limit, none more than the limit asks for, and their sizes along an axis as even as can be."""
    numbers = np.arange(prod(space)).reshape(space)
    found = list(tiles(space, limit))
    assert [tile.start for tile in found] == [0, *(tile.stop for tile in found[:-1])]
    assert found[-1].stop == prod(space)
    for tile in found:
        assert numbers[tile.box].ravel().tolist() == list(range(tile.start, tile.stop))
        assert prod(tile.counts) == tile.stop - tile.start <= limit
    if prod(space) <= limit:
        assert len(found) == 1
    if len(space) == 1:
        assert len(found) == -(-space[0] // limit)


def test_without_a_momentum_running_statistics_are_the_average_over_all_steps() -> None:
    """As PyTorch documents it: `momentum=None` is the cumulative moving average."""
    layer = build("batch_norm", {"momentum": None})
    rng = np.random.default_rng(0)
    batches = rng.standard_normal((3, 4, 2, 5, 5))
    weights = init(layer, [(2, 5, 5)], rng, dtype="float64")
    for batch in batches:
        weights |= updated_statistics(layer, batch, weights)
    assert weights["num_batches_tracked"] == 3
    np.testing.assert_allclose(weights["running_mean"], batches.mean(axis=(1, 3, 4)).mean(axis=0))
    np.testing.assert_allclose(weights["running_var"], batches.var(axis=(1, 3, 4), ddof=1).mean(axis=0))
