"""The flow of activations and gradients: vanishing, exploding and held, and what theory expects of each layer."""

from __future__ import annotations

from math import acosh, erfc, floor, isclose, sqrt
from typing import Any

import numpy as np
import pytest

from convcalc import load, loads
from convcalc.findings import UsageError
from convcalc.layers.registry import KINDS, build
from convcalc.network import Network
from convcalc.reference.context import Start
from convcalc.render.verify import figure, size_figure
from convcalc.verify.confirm import verify
from convcalc.verify.flow import Flow, FlowRow, moments, refuse_single_values, saturated_share
from convcalc.verify.prediction import RULES, Moments, check_scheme, expected, weight_variance
from convcalc.verify.substitute import ACTIVATIONS, with_activation


def flow(network: Network, scheme: str = "kaiming", **options: Any) -> dict[str, FlowRow]:
    """The rows by name."""
    outcome = verify(network, backward=True, scheme=scheme, **options)
    assert outcome.ok and outcome.gradients is not None
    return {row.name: row for row in outcome.gradients}


def stack(*items: str, repeat: int = 30, channels: int = 32, size: int = 12) -> Network:
    """The items, repeated."""
    group = f"{{repeat: {repeat}, name: unit, layers: [{', '.join(items)}]}}"
    return loads(f"{{convcalc: 1, input: [{channels}, {size}, {size}], layers: [{group}]}}")


CONV = "{conv2d: {out: 32, k: 3, p: 1, padding_mode: circular}}"


def change(rows: dict[str, FlowRow]) -> float:
    """The gradient at the first layer over that at the last."""
    first, *_, last = rows.values()
    assert first.gradient_rms is not None and last.gradient_rms is not None
    return first.gradient_rms / last.gradient_rms


def test_sigmoids_vanish() -> None:
    """The slope of a sigmoid is at most 1/4: each layer takes at least 3/4 of the gradient at unit gain."""
    rows = flow(stack(CONV, "sigmoid"), "xavier")
    assert change(rows) < 4**-29
    assert all(
        row.gradient_ratio is not None and row.gradient_ratio <= 0.25 for row in rows.values() if row.kind == "sigmoid"
    )


def test_rectifiers_with_kaiming_hold() -> None:
    rows = flow(stack(CONV, "relu"))
    assert 0.1 < change(rows) < 10
    (*_, last) = rows.values()
    assert 0.3 < (last.activation_rms or 0) < 3


def test_the_default_of_pytorch_shrinks_by_6_a_layer() -> None:
    rows = flow(stack(CONV, "relu", repeat=10), "torch")
    assert change(rows) == pytest.approx(sqrt(1 / 6) ** 10, rel=0.8)
    assert all(
        isclose(row.gradient_ratio or 0, 1 / sqrt(3), rel_tol=0.1) for row in rows.values() if row.kind == "conv2d"
    )


@pytest.mark.slow
def test_large_weights_explode_and_batch_norm_holds() -> None:
    assert change(flow(stack(CONV, "relu"), "normal:0.2")) > 1e6
    rows = flow(stack(CONV, "batch_norm", "relu"), "normal:0.2")
    assert 0.1 < change(rows) < 1e3
    assert all(isclose(row.activation_rms or 0, 1, rel_tol=0.01) for row in rows.values() if row.kind == "batch_norm")


@pytest.mark.slow
def test_residuals_hold_what_plain_stacks_lose() -> None:
    """Weights so small that a plain stack passes nothing on: the sum passes the gradient round them."""
    branch = f"{{add: {{branches: {{body: [{CONV}, tanh], skip: []}}}}, name: sum}}"
    assert change(flow(stack(CONV, "tanh"), "normal:0.01")) < 1e-20
    assert 0.5 < change(flow(stack(branch), "normal:0.01")) < 2


def test_the_expected_ratios_are_measured_where_theory_holds() -> None:
    items = [CONV, "relu", CONV, "tanh", CONV, "{leaky_relu: {negative_slope: 0.3}}", CONV, "gelu"]
    for scheme in ("kaiming", "xavier", "torch", "normal:0.05"):
        for row in flow(stack(*items, repeat=2, size=16), scheme, seed=3).values():
            for measured, predicted in (
                (row.activation_ratio, row.predicted_activation_ratio),
                (row.gradient_ratio, row.predicted_gradient_ratio),
            ):
                assert measured is not None and predicted is not None
                assert isclose(measured, predicted, rel_tol=0.15), row


ONE_LAYER = {
    "same padding": "{conv2d: {out: 64, k: 5, p: 2}}",
    "strides": "{conv2d: {out: 64, k: 3, s: 2}}",
    "a kernel smaller than the stride": "{conv2d: {out: 64, k: 1, s: 2}}",
    "groups": "{conv2d: {out: 64, k: 3, g: 8}}",
    "depthwise": "{conv2d: {out: 32, k: 3, g: 32}}",
    "dilation": "{conv2d: {out: 64, k: 3, d: 2, p: 2}}",
    "transposed": "{conv_transpose2d: {out: 64, k: 3, s: 2, p: 1, output_padding: 1}}",
    "transposed in groups": "{conv_transpose2d: {out: 64, k: 4, s: 2, p: 1, g: 4}}",
    "separable": "{separable_conv2d: {out: 64, k: 3, p: 1, depth_multiplier: 4}}",
    "linear": "{linear: {out: 256, dim: last}}",
    "sigmoid": "sigmoid",
    "relu6": "relu6",
    "prelu": "prelu",
    "softplus": "softplus",
    "hardswish": "hardswish",
    "group norm": "{group_norm: {num_groups: 4}}",
    "layer norm": "{layer_norm: {dim: 0}}",
    "average": "{avg_pool2d: {k: 2}}",
    "overlapping average": "{avg_pool2d: {k: 3, s: 1}}",
    "adaptive average": "{adaptive_avg_pool2d: {output_size: 4}}",
    "largest": "{max_pool2d: {k: 2}}",
    "global average": "global_avg_pool",
    "zeros around": "{pad: {padding: 4}}",
    "ones around": "{pad: {padding: 4, value: 1}}",
    "crop": "{crop: {cropping: 3}}",
    "nearest": "{upsample: {scale_factor: 2}}",
    "shuffle": "{pixel_shuffle: {upscale_factor: 2}}",
}


@pytest.mark.parametrize("scheme", ["kaiming", "torch"])
@pytest.mark.parametrize("name", ONE_LAYER)
def test_one_layer_on_independent_numbers(name: str, scheme: str) -> None:
    """The input and the gradient are noise, as theory supposes."""
    (row,) = flow(loads(f"{{convcalc: 1, input: [32, 24, 24], layers: [{ONE_LAYER[name]}]}}"), scheme, batch=2).values()
    if row.predicted_activation_ratio is not None:
        assert row.activation_ratio == pytest.approx(row.predicted_activation_ratio, rel=0.12)
    assert row.gradient_ratio == pytest.approx(row.predicted_gradient_ratio, rel=0.12)


@pytest.mark.parametrize("join", ["add", "multiply", "concat"])
def test_joins_of_independent_numbers(join: str) -> None:
    text = f"{{convcalc: 1, input: {{a: [8, 16, 16], b: [8, 16, 16]}}, layers: [{{{join}: {{}}, from: [a, b]}}]}}"
    (row,) = flow(loads(text), batch=4).values()
    assert row.activation_ratio == pytest.approx(row.predicted_activation_ratio, rel=0.05)
    assert row.gradient_ratio == pytest.approx(row.predicted_gradient_ratio, rel=0.05)


WITHOUT_A_RULE = {"softmax", "fold", "gate", "local_response_norm", "lp_pool1d", "lp_pool2d"}


def test_kinds_have_rules_and_others_say_why_not() -> None:
    """A kind that comes later needs none: what is expected of it is then not said."""
    assert not list(RULES.strangers())
    unknown = {kind for kind in KINDS if not RULES.knows(kind)}
    assert unknown >= WITHOUT_A_RULE and len(KINDS) - len(unknown) >= 59
    assert all(RULES.reason(kind) for kind in unknown)


def test_a_rule_without_a_simple_form_says_so() -> None:
    rule = expected(build("softmax", {}), [Moments(0, 1, 8)], ((8,),), (8,), "kaiming")
    assert (rule.square, rule.energy) == (None, None)
    (row,) = flow(loads("{convcalc: 1, input: [8, 4, 4], layers: [softmax]}"), loss="linear").values()
    assert (row.predicted_activation_ratio, row.predicted_gradient_ratio) == (None, None)
    assert row.activation_ratio is not None and row.gradient_ratio is not None


def test_the_loss_weights_the_outputs() -> None:
    text = (
        "{convcalc: 1, input: [16, 12, 12], layers: [{relu: {}, name: a}, {tanh: {}, name: b}, {sigmoid: {}, name: c}],"
        " outputs: {c: {}, b: {loss_weight: 0.25}, a: {loss_weight: 0}}}"
    )
    rows = flow(loads(text))
    assert rows["c"].gradient_rms == pytest.approx(1, rel=0.05)
    through = (rows["c"].gradient_rms or 0) * (rows["c"].gradient_ratio or 0)
    assert rows["b"].gradient_rms == pytest.approx(sqrt(through**2 + 0.25**2), rel=0.05)


def test_a_layer_that_the_loss_does_not_see_has_no_gradient() -> None:
    rows = flow(loads("{convcalc: 1, input: [4], layers: [{relu: {}, name: a}, tanh], outputs: [a]}"))
    assert rows["a"].gradient_rms is not None
    assert (rows["tanh"].gradient_rms, rows["tanh"].predicted_gradient_ratio) == (None, None)


def test_inputs_that_only_lend_their_size_do_not_count() -> None:
    text = "{convcalc: 1, input: {a: [4, 8, 8], b: [4, 6, 6]}, layers: [{crop: {}, from: [a, b]}]}"
    (row,) = flow(loads(text), batch=4).values()
    assert row.gradient_ratio == pytest.approx(sqrt(36 / 64))


@pytest.mark.parametrize(
    ("scheme", "variance"), [("kaiming", 2 / 8), ("xavier", 2 / 24), ("torch", 1 / 12), ("normal:0.5", 0.25)]
)
def test_variances_of_the_schemes(scheme: str, variance: float) -> None:
    assert weight_variance(scheme, Start((16, 8), 8, 16, 4)) == pytest.approx(variance)
    check_scheme(scheme)


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="kaiming, xavier, torch and normal:STD"):
        check_scheme("he")


def test_moments_are_exact_over_pieces() -> None:
    array = np.arange(200_000, dtype=np.float32).reshape(2, 1000, 100).transpose(2, 0, 1)
    found = moments([array, np.zeros(200_000)])
    assert found.elements == 400_000
    assert found.mean == 199_999 / 4
    assert found.square == pytest.approx(199_999 * 399_999 / 6 / 2)
    assert moments([]) == Moments(0, 0, 0)


def test_a_batch_norm_over_one_value_is_refused() -> None:
    network = loads("{convcalc: 1, input: [8], layers: [{batch_norm: {}, name: norm}]}")
    refuse_single_values(network, 2)
    with pytest.raises(UsageError, match="norm: batch norm in training needs more than one value") as raised:
        refuse_single_values(network, 1)
    assert "--batch 2" in str(raised.value.hint)


def test_activations_are_replaced_but_gates_stay() -> None:
    network = load("efficientnet")
    tanh = with_activation(network, "tanh")
    kinds = {node.kind for node in tanh.nodes}
    assert "silu" not in kinds and {"tanh", "sigmoid"} <= kinds
    assert [node.shape for node in tanh.nodes] == [node.shape for node in network.nodes]
    for kind in ACTIVATIONS:
        replaced = with_activation(stack(CONV, "relu", repeat=1), kind)
        assert [node.kind for node in replaced.nodes] == ["input", "conv2d", kind]
        assert verify(replaced, backward=True).ok


def test_replaced_sigmoids_vanish_where_rectifiers_hold() -> None:
    network = stack(CONV, "relu", repeat=10)
    assert change(flow(network)) > 0.1
    assert change(flow(with_activation(network, "sigmoid"))) < 1e-3


def test_replaced_activations_are_named_by_what_they_are() -> None:
    network = loads(
        "{convcalc: 1, input: [3, 8, 8], layers: [relu, relu, {layers: [tanh, relu], name: g}, {relu: {}, name: own},"
        " {relu: {}, name: relu_x}]}"
    )
    names = [node.name for node in with_activation(network, "tanh").nodes]
    assert names == ["input", "tanh", "tanh_2", "g.tanh", "g.tanh_2", "own", "relu_x"]
    gated = "{multiply: {branches: {gate: [{conv2d: {out: 3, k: 1}}, sigmoid], body: [relu]}}}"
    names = [
        node.name for node in with_activation(loads(f"{{convcalc: 1, input: [3, 8, 8], layers: [{gated}]}}"), "mish")
    ]
    assert "multiply.gate.sigmoid" in names or "gate.sigmoid" in names


def outcome(network: Network, scheme: str, **options: Any) -> Flow:
    """The flow of a training step."""
    found = verify(network, backward=True, scheme=scheme, **options).flow
    assert found is not None
    return found


@pytest.mark.slow
def test_what_float32_cannot_hold_is_measured_and_said() -> None:
    """A gradient of 1e-99 is right to the digits that a run in double precision has, and said to be out of range."""
    network = with_activation(stack(CONV, "relu"), "sigmoid")
    single, double = (outcome(network, "normal:0.0001", dtype=dtype) for dtype in ("float32", "float64"))
    for row, other in zip(single.rows, double.rows, strict=True):
        assert row.gradient_rms == pytest.approx(other.gradient_rms, rel=1e-3)
        assert row.weight_gradient_log10 == pytest.approx(other.weight_gradient_log10, abs=1e-3)
    assert (single.rows[0].gradient_rms or 1) < 1e-95
    assert (single.extremes.gradient_underflow or "").startswith("unit.")
    assert double.extremes.gradient_underflow is None
    assert single.extremes.gradient_zero is None
    under = next(row for row in reversed(single.rows) if (row.gradient_rms or 0) < 2**-126)
    assert under.name == single.extremes.gradient_underflow


def test_what_a_double_cannot_hold_has_its_logarithm() -> None:
    rows = outcome(with_activation(stack(CONV, "relu", repeat=120, size=4), "sigmoid"), "normal:0.0001").rows
    assert rows[0].gradient_rms == 0
    assert rows[0].gradient_log10 is not None and rows[0].gradient_log10 < -330
    assert size_figure(rows[0].gradient_rms, rows[0].gradient_log10).endswith(str(floor(rows[0].gradient_log10)))


def test_a_gradient_above_the_range_is_measured_and_said() -> None:
    """float16 ends at 65,504; the gradient is right nevertheless, and passes unharmed where it is in range again."""
    conv = "{conv2d: {out: 32, k: 3, p: 1}}"
    text = f"{{convcalc: 1, input: [32, 8, 8], layers: [{conv}, tanh], outputs: {{tanh: {{loss_weight: 1000000}}}}}}"
    half, double = (outcome(loads(text), "normal:0.01", dtype=dtype) for dtype in ("float16", "float64"))
    assert (half.extremes.gradient_overflow, double.extremes.gradient_overflow) == ("tanh", None)
    for row, other in zip(half.rows, double.rows, strict=True):
        assert row.gradient_rms == pytest.approx(other.gradient_rms, rel=1e-2)


@pytest.mark.slow
def test_an_overflow_says_where() -> None:
    found = outcome(stack(CONV, "relu"), "normal:10")
    where = found.extremes.activation_overflow
    rows = {row.name: row for row in found.rows}
    assert where == "unit.18.conv2d"
    assert rows["unit.17.relu"].activation_rms is not None and rows["unit.17.relu"].activation_rms < 1e38
    assert figure(rows[where].activation_rms) == "overflow"
    assert all(row.gradient_rms is None for row in found.rows)
    (loss,) = found.losses
    assert loss.value is None
    assert outcome(stack(CONV, "relu"), "normal:10", dtype="float64").extremes.activation_overflow is None


def test_a_gradient_that_ends_says_where() -> None:
    """In float32 the tanh of 16,000 is 1 and its slope 0."""
    found = outcome(stack(CONV, "tanh", repeat=12), "normal:1000")
    ended = next(row for row in found.rows if row.name == found.extremes.gradient_zero)
    assert ended.kind == "tanh" and (ended.saturated or 0) > 0.999 and ended.gradient_ratio == 0
    assert found.rows[0].gradient_rms == 0 and found.rows[0].gradient_log10 is None


def test_saturated_shares_are_those_of_the_slope() -> None:
    """tanh' is less than 1/20 beyond arcosh √20, and sigmoid' less than a twentieth of 1/4 beyond twice that."""
    x = np.random.default_rng(0).normal(0, 2, (1, 1, 400_000))
    for kind, bound in (("tanh", acosh(sqrt(20))), ("sigmoid", 2 * acosh(sqrt(20)))):
        assert saturated_share(build(kind, {}), x, {}) == pytest.approx(erfc(bound / 2 / sqrt(2)), abs=2e-3)
    assert saturated_share(build("relu", {}), x, {}) == pytest.approx(0.5, abs=2e-3)
    assert saturated_share(build("leaky_relu", {"negative_slope": 0.1}), x, {}) == 0
    rows = flow(stack(CONV, "tanh", repeat=3), "normal:2")
    assert all((row.saturated is not None) == (row.kind == "tanh") for row in rows.values())
