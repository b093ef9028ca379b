"""Variations of one network beside each other: what is varied, the factors of the gradient's way back, their norms."""

from __future__ import annotations

import json
import tracemalloc
from math import log10, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc import load, loads
from convcalc.api.flows import Source, Training, compare_flows, plan_flows, read_axes
from convcalc.findings import UsageError
from convcalc.network import Network
from convcalc.reference import backward, run
from convcalc.render.flows import drawing_lines
from convcalc.verify.comparison import Variation, common_stations, comparison_bytes
from convcalc.verify.factors import Factor, factors, spectral_norm, stations
from convcalc.verify.variation import NORMS, with_norm, with_skips, without_skips
from tests.command import run as command

CONV = "{conv2d: {out: 4, k: 3, p: 1}}"


def stack(*items: str, repeat: int = 3, size: int = 5, more: str = "") -> Network:
    group = f"{{repeat: {repeat}, name: unit, layers: [{', '.join(items)}]}}"
    return loads(f"{{convcalc: 1, input: [4, {size}, {size}], layers: [{group}]{more}}}")


def steps_of(network: Network, **options: Any) -> dict[int, Any]:
    return {step.number: step for step in run(network, training=True, dtype="float64", **options)}


def jacobian(network: Network, factor: Factor, steps: dict[int, Any]) -> Any:
    """The whole matrix, column by column, from the backward pass alone."""
    inside = [steps[index] for index in range(factor.start + 1, factor.stop + 1)]
    size = inside[-1].output.size
    rows = []
    for unit in np.eye(size):
        arrived = {factor.stop: unit.reshape(inside[-1].output.shape)}
        for step in reversed(inside):
            if step.number not in arrived:
                continue
            layer = network.nodes[step.number].layer
            assert layer is not None
            grads, _ = backward(layer, step.inputs, step.weights, arrived.pop(step.number), training=True)
            for source, grad in zip(step.node.inputs, grads, strict=True):
                arrived[source] = arrived.get(source, 0) + grad
        rows.append(np.ravel(arrived[factor.start]))
    return np.array(rows)


BLOCK = f"{{add: {{branches: {{body: [{CONV}, batch_norm, relu, {CONV}], skip: []}}}}, name: sum}}"


@pytest.mark.parametrize(
    "items",
    [
        (CONV, "tanh"),
        (CONV, "batch_norm", "relu"),
        (CONV, "{layer_norm: {dim: 0}}", "gelu"),
        (BLOCK, "relu"),
        (CONV, "{local_response_norm: {size: 3}}", "sigmoid", "{max_pool2d: {k: 3, s: 1, p: 1}}"),
    ],
    ids=["tanh", "batch norm", "layer norm", "residual", "response norm and pool"],
)
def test_spectral_norms_are_the_largest_singular_values(items: tuple[str, ...]) -> None:
    network = stack(*items, repeat=2, size=4)
    steps = steps_of(network)
    parts = factors(network)
    assert len(parts) == 2
    for part in parts:
        exact = np.linalg.norm(jacobian(network, part, steps), 2)
        assert spectral_norm(part, steps) == pytest.approx(exact, rel=5e-3)


def test_the_factors_multiply_to_the_whole_way() -> None:
    """The product of W^T diag(s'(a)) of the factors is the Jacobian of the network."""
    network = stack(CONV, "tanh", repeat=3, size=3)
    steps = steps_of(network)
    product = np.eye(36)
    for part in factors(network):
        product = jacobian(network, part, steps) @ product
    first, last = factors(network)[0], factors(network)[-1]
    np.testing.assert_allclose(product, jacobian(network, Factor("all", first.start, last.stop), steps), atol=1e-12)


def test_a_factor_of_a_dense_layer_is_the_formula_of_the_notes() -> None:
    network = loads("{convcalc: 1, input: [6], layers: [{linear: {out: 5}}, sigmoid, {linear: {out: 4}}, sigmoid]}")
    steps = steps_of(network)
    for part in factors(network):
        linear, activation = steps[part.start + 1], steps[part.start + 2]
        slope = activation.output[0] * (1 - activation.output[0])
        formula = linear.weights["weight"].T @ np.diag(slope)
        np.testing.assert_allclose(jacobian(network, part, steps).T, formula, atol=1e-12)
        assert spectral_norm(part, steps) == pytest.approx(np.linalg.norm(formula, 2), rel=1e-3)


def test_no_factor_lets_a_gradient_grow_by_more_than_its_norm() -> None:
    flows = compare_flows(stack(CONV, "relu", repeat=6), ["activation=tanh,relu,sigmoid+norm=batch"])
    for each in flows.runs:
        for factor in each.factors:
            assert factor.gain_log10 is not None and factor.norm is not None
            assert factor.gain_log10 <= log10(factor.norm) + 2e-3


def test_gains_multiply_to_the_change_of_the_gradient() -> None:
    (found,) = compare_flows(stack(CONV, "relu", repeat=6), ["init=kaiming"]).runs
    assert len(found.factors) == 6
    end = found.flow.arrived[12]
    first = found.factors[0].gradient_log10
    assert first is not None and found.gain_log10 == pytest.approx(first - end)
    last = found.flow.rows[-1]
    assert end == pytest.approx(log10((last.gradient_rms or 0) * 100**0.5))


def test_numbers_that_overflow_have_no_norm_and_no_gradient() -> None:
    (found,) = compare_flows(stack(CONV, "relu", repeat=40), ["init=normal:30"]).runs
    assert found.flow.extremes.activation_overflow is not None
    assert found.gain_log10 is None and found.bound_log10 is None
    assert found.factors[0].norm is not None and found.factors[-1].norm is None


def test_factors_begin_where_all_paths_meet() -> None:
    names = [station.name for station in stations(load("googlenet", params={"aux": True}))]
    assert names == [station.name for station in stations(load("googlenet"))]
    assert [name.split(".")[0] for name in names] == [
        *("conv1", "conv2", "conv2", "inception_3a", "inception_3b", "inception_4a", "inception_4b", "inception_4c"),
        *("inception_4d", "inception_4e", "inception_5a", "inception_5b", "head"),
    ]
    assert len(stations(load("resnet", variant="resnet18"))) == 10
    two = loads(
        "{convcalc: 1, input: {a: [3, 8, 8], b: [3, 8, 8]}, layers: [{conv2d: {out: 3, k: 1}, from: a, name: c},"
        " {add: {}, from: [c, b]}, {conv2d: {out: 2, k: 1}, name: d}]}"
    )
    assert [station.name for station in stations(two)] == ["d"]


def test_rows_are_those_that_all_have() -> None:
    resnet = load("resnet", variant="resnet18")
    names = common_stations([Variation({}, resnet), Variation({}, without_skips(resnet))])
    assert len(names) == 10
    with pytest.raises(UsageError, match="no convolution or linear layer"):
        common_stations([Variation({}, resnet), Variation({}, load("vgg"))])


def test_a_network_without_weights_has_no_factors() -> None:
    with pytest.raises(UsageError, match="there is no convolution or linear layer"):
        compare_flows(loads("{convcalc: 1, input: [3, 8, 8], layers: [relu]}"), ["activation=relu,tanh"])


def test_a_factor_beyond_the_range_has_no_norm() -> None:
    """Its output is finite in float32, its derivative along a direction is not."""
    network = loads(
        "{convcalc: 1, input: [4, 6, 6], layers: [{conv2d: {out: 4, k: 3}}, tanh, {conv2d: {out: 4, k: 3}}]}"
    )
    steps = {step.number: step for step in run(network, training=True)}
    weights = {"weight": np.full_like(steps[1].weights["weight"], 3e38), "bias": steps[1].weights["bias"]}
    with np.errstate(all="ignore"):
        assert spectral_norm(factors(network)[0], steps | {1: steps[1]._replace(weights=weights)}) is None


def test_norms_are_put_in_and_taken_out() -> None:
    network = loads(
        "{convcalc: 1, input: [3, 8, 8], layers: [{layers: [{conv2d: {out: 4, k: 3}}, relu], name: a}, flatten,"
        " {linear: {out: 5}, name: fc}, softmax]}"
    )
    normed = with_norm(network, "batch")
    assert [node.name for node in normed.nodes] == [
        *("input", "a.conv2d", "a.batch_norm", "a.relu", "flatten", "fc", "softmax")
    ]
    assert [node.name for node in normed["a"].nodes] == ["a.conv2d", "a.batch_norm", "a.relu"]
    assert normed["a"].shape == (4, 6, 6) and normed.nodes[normed.outputs[0].node].name == "softmax"
    assert [node.name for node in with_norm(normed, "none").nodes] == [node.name for node in network.nodes]
    assert [node.kind for node in with_norm(normed, "layer").nodes].count("layer_norm") == 1
    for norm in NORMS:
        assert len(list(run(with_norm(load("lenet5"), norm), batch=2, training=True)))
    for name in ("googlenet", "resnet", "densenet"):
        varied = with_norm(load(name), "none")
        assert not any("norm" in node.kind for node in varied)
        assert [varied.nodes[o.node].shape for o in varied.outputs] == [(1000,)]


def test_skips_are_put_in_and_taken_out() -> None:
    network = stack(CONV, "batch_norm", "relu", repeat=2, more=", outputs: {unit: {}}")
    skipped = with_skips(network)
    assert [node.name for node in skipped.nodes] == [
        *("input", "unit.0.conv2d", "unit.0.batch_norm", "unit.0.relu", "unit.0.add"),
        *("unit.1.conv2d", "unit.1.batch_norm", "unit.1.relu"),
    ]
    assert skipped.nodes[4].inputs == (3, 0) and skipped.nodes[5].inputs == (4,)
    assert skipped["unit.0"].nodes[-1].name == "unit.0.add"
    assert [node.name for node in without_skips(skipped).nodes] == [node.name for node in network.nodes]
    assert with_skips(skipped) is skipped
    plain = without_skips(load("resnet", variant="resnet34"))
    assert sum(node.layer.weighted for node in plain if node.layer is not None) == 34
    assert not any("projection" in node.name or node.kind == "add" for node in plain)
    strided = stack("{conv2d: {out: 4, k: 3, s: 2}}", "relu", repeat=1, size=9)
    assert with_skips(strided).nodes == strided.nodes


def test_weights_are_the_same_in_every_variation() -> None:
    network = stack(CONV, "relu", repeat=2)
    drawn = [
        {step.node.name: step.weights["weight"] for step in run(varied) if step.node.kind == "conv2d"}
        for varied in (network, with_norm(network, "batch"), with_skips(network))
    ]
    for other in drawn[1:]:
        assert all((other[name] == weight).all() for name, weight in drawn[0].items())


def test_axes_are_read() -> None:
    assert read_axes(["a=1,2", "b=x"]) == [{"a": "1", "b": "x"}, {"a": "2", "b": "x"}]
    assert read_axes(["a=1, 2+b=3"]) == [{"a": "1"}, {"a": "2", "b": "3"}]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["activation"], "--compare takes NAME=VALUE,VALUE, not 'activation'"),
        (["=relu"], "--compare takes NAME=VALUE"),
        (["activation="], "--compare takes NAME=VALUE"),
        (["activation=relu,"], "'activation=' in --compare is no NAME=VALUE"),
        (["activation=relu+norm"], "'norm' in --compare is no NAME=VALUE"),
        (["activation=relu+activation=tanh"], "sets activation twice"),
        (["activation=relu", "activation=tanh"], "sets activation twice"),
        (["activation=relu,relu"], "the same run twice"),
        (["a=1,2,3,4,5", "b=1,2,3,4,5"], "25 runs are more than 24"),
        (["activation=relo"], "there is no activation 'relo'"),
        (["norm=bath"], "norm is not 'bath'"),
        (["residual=yes"], "residual is not 'yes'"),
        (["init=he"], "init: 'he' is none of"),
        (["loss=hinge"], "there is no loss 'hinge'"),
        (["activatoin=relu"], "there is no 'activatoin' to compare"),
    ],
)
def test_axes_that_cannot_be(axes: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        compare_flows("lenet5", axes)
    assert raised.value.hint


def test_params_of_the_spec_come_first() -> None:
    """GoogLeNet has a param `norm` of its own."""
    network = load("googlenet", params={"aux": "false"})
    planned = plan_flows(network, ["norm=lrn,batch"], Source({"aux": "false"}), Training(batch=2))
    kinds = [{node.kind for node in variation.network} for variation in planned.variations]
    assert "local_response_norm" in kinds[0] and "batch_norm" in kinds[1]
    planned = plan_flows(network, ["variant=separable_stem,torchvision"], Source({"aux": "true"}), Training(batch=2))
    assert [len(variation.network.outputs) for variation in planned.variations] == [3, 3]


@pytest.mark.slow
def test_the_memory_of_a_comparison_is_bounded() -> None:
    network = load("squeezenet", input=[3, 48, 48])
    planned = plan_flows(network, ["norm=batch"], Source(input=[3, 48, 48]), Training())
    tracemalloc.start(1)
    try:
        planned.run(0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= comparison_bytes(planned.variations, 1, "float32")


def test_progress_is_told_what_was_announced() -> None:
    planned = plan_flows(load("lenet5"), ["activation=relu,tanh"], Source(), Training())
    told: list[tuple[str, int]] = []
    planned.run(0, lambda name, work: told.append((name, work)))
    assert (len(told), sum(work for _, work in told)) == planned.efforts()
    assert told[0][0] == "1 of 2, forwards" and told[-1][0] == "2 of 2, backwards"


SPEC = """
convcalc: 1
name: Deep
input: [4, 6, 6]
params: {wide: false}
layers:
  - repeat: 9
    name: unit
    layers: [{conv2d: {out: 4, k: 3, p: 1}}, relu]
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "deep.yaml"
    path.write_text(SPEC)
    return str(path)


def test_one_table_and_a_drawing(spec: str) -> None:
    axis = "activation=sigmoid,relu,relu+norm=batch,relu+residual=true"
    done = command("verify", spec, "--backward", "--init", "xavier", "--compare", axis)
    assert (done.code, done.stderr) == (0, "")
    assert "a sigmoid" in done.stdout and "d relu residual=true" in done.stdout
    for text in ("gradient", "gain", "norm", "saturated", "whole", "a row", "6 of 9 rows", "┤", "└─"):
        assert text in done.stdout
    every = command("verify", spec, "--backward", "--compare", axis, "--all").stdout
    assert "of 9 rows" not in every and all(f"unit.{n}.conv2d" in every for n in range(9))


def test_json_has_every_factor_of_every_run(spec: str) -> None:
    done = command("verify", spec, "--backward", "--compare", "activation=sigmoid,relu", "--format", "json")
    data = json.loads(done.stdout)
    assert [found["settings"] for found in data["runs"]] == [{"activation": "sigmoid"}, {"activation": "relu"}]
    for found in data["runs"]:
        assert len(found["factors"]) == 9
        assert set(found["factors"][0]) == {
            *("name", "gradient", "gradient_log10", "gain", "spectral_norm", "saturated"),
        }
        assert found["gain"] == pytest.approx(prod(factor["gain"] for factor in found["factors"]))
        assert found["spectral_norms"] == pytest.approx(prod(f["spectral_norm"] for f in found["factors"]))
    assert data["runs"][0]["gain"] < data["runs"][1]["gain"]


def test_a_spec_on_standard_input_is_read_once() -> None:
    done = command("verify", "-", "--backward", "--compare", "wide=true,false", data=SPEC.encode())
    assert done.code == 0 and "a wide=true" in done.stdout


def test_a_drawing_of_nothing_is_left_out() -> None:
    flows = compare_flows(stack(CONV, "relu", repeat=40), ["init=normal:30"])
    assert list(drawing_lines(flows.runs, ["normal:30"])) == []
    assert "float32 overflows at" in str(flows)


def test_a_result_says_what_it_is() -> None:
    flows = compare_flows("lenet5", ["activation=sigmoid,tanh"])
    assert repr(flows) == "<Flows LeNet-5: 1×32×32 → 10: 2 runs>"
