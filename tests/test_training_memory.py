"""The memory of a training step: peaks equal PyTorch's, and those of small networks what is counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load, loads
from convcalc.analysis.quantities import QUANTITIES, quantity, remarks
from convcalc.analysis.quantity import Quantity, Value
from convcalc.analysis.report import Report, analyse
from convcalc.analysis.training import OPTIMIZERS, TrainingStep

from .published_architectures import network
from .test_memory import graphs

ORACLE = Path(__file__).parent / "oracle"
RECORDED = json.loads((ORACLE / "training_memory.json").read_text("utf-8"))["cases"]

BESIDE = 1e-4
"""What PyTorch has beside: targets, the loss, the counters of batch norms, the sums of an attention's gradient."""


def total(report: Report, name: str) -> Value:
    return QUANTITIES[name].get(report, report.whole)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['network']}-{case['optimizer']}")
def test_the_peak_of_a_step_equals_that_of_pytorch(case: dict[str, Any]) -> None:
    """Where convcalc's parameters are those of the network that ran, so is the peak of its training step."""
    net = load(case["spec"], variant=case["variant"], params={"aux": True} if case["heads"] else {})
    report = analyse(net, case["batch"], optimizer=case["optimizer"])
    assert list(net.inputs.values()) == [(3, case["size"], case["size"])]
    assert report.totals.params == case["params"]
    assert total(report, "training") == pytest.approx(case["kept"], rel=BESIDE)
    assert total(report, "training_released") == pytest.approx(case["released"], rel=BESIDE)


def test_the_record_has_a_dozen_networks_and_every_optimizer() -> None:
    assert len({case["network"] for case in RECORDED}) >= 12
    assert {case["optimizer"] for case in RECORDED} == set(OPTIMIZERS)


def test_peaks_of_small_networks_equal_those_of_pytorch_to_the_byte() -> None:
    """Random ones, whose branches, parts and outputs no large layer hides; nothing of PyTorch's stands beside them."""
    cases = json.loads((ORACLE / "training_graphs.json").read_text("utf-8"))["cases"]
    assert len(cases) >= 100
    for case in cases:
        report = analyse(loads(case["spec"]), 2)
        found = {"released": total(report, "training_released"), "kept": total(report, "training")}
        assert found == {name: case[name] for name in found}, case["spec"]


def step(text: str, batch: int = 1, *, released: bool = False, **options: str) -> TrainingStep:
    report = analyse(network(text), batch, **options)  # type: ignore[arg-type]
    found = report.training_released if released else report.training
    assert found is not None
    return found


LINEAR = "{convcalc: 1, input: [2], layers: [{linear: {out: 3}}]}"


def test_a_linear_layer_by_hand() -> None:
    """9 numbers of parameters, 2 of input, 3 of output and as many of its gradient, 9 of the new gradients."""
    peak = step(LINEAR).peak
    assert peak.parts() == (
        ("params, buffers and state", 36),
        ("gradients of params", 36),
        ("activations", 4 * (2 + 3)),
        ("gradients of activations", 4 * 3),
        ("freed at once", 36),
    )
    assert peak.direction == "backward" and peak.bytes == 140
    assert step(LINEAR, released=True).peak.bytes == 36 + 20 + 12 + 36


@pytest.mark.parametrize(
    ("optimizer", "dtype", "state", "temporary"),
    [
        ("sgd", "float32", 0, 0),
        ("momentum", "float32", 4, 0),
        ("adam", "float32", 8, 4),
        ("adam", "float64", 16, 8),
        ("sgd", "float16", 4, 0),
        ("momentum", "bfloat16", 8, 0),
        ("adam", "float16", 12, 4),
        ("adam", "bfloat16", 12, 4),
    ],
)
def test_state_and_master_weights(optimizer: str, dtype: str, state: int, temporary: int) -> None:
    """Beside float16 and bfloat16 an optimiser has float32 numbers, one of which is the weight itself."""
    text = "{convcalc: 1, input: [100], layers: [{linear: {out: 100, bias: false}}]}"
    report = analyse(network(text), dtype=dtype, optimizer=optimizer)
    item = {"float64": 8, "float32": 4}.get(dtype, 2)
    assert total(report, "params_memory") == total(report, "gradients") == 10_000 * item
    assert total(report, "optimizer") == 10_000 * state
    assert report.training is not None
    last = 10_000 * temporary + 2 * 100 * item
    backward = 10_000 * item + 3 * 100 * item
    peak = report.training.peak
    assert peak.bytes == 10_000 * (2 * item + state) + max(last, backward)
    assert (peak.node, peak.direction) == ((-1, "optimizer") if last > backward else (1, "backward"))
    assert peak.place(report.network) == ("in the optimizer's step" if last > backward else "at linear, backward")


def test_nothing_is_trained_in_int8() -> None:
    report = analyse(network(LINEAR), dtype="int8")
    for name in ("gradients", "optimizer", "training", "training_released"):
        assert total(report, name) is None
    asked: list[Quantity] = [QUANTITIES["training"]]
    assert remarks(report, asked) == ["training: nothing is trained in int8"]


def test_without_parameters_there_is_no_backward_pass() -> None:
    found = step("{convcalc: 1, input: [1, 8], layers: [relu, tanh, relu]}")
    assert found.peak.direction == "forward"
    assert found.alive[1:] == [64, 96, 96]


def test_nothing_before_the_first_parameters_keeps_or_gets_a_gradient() -> None:
    """The tanh before the convolution has no backward, so that its output is the convolution's input alone."""
    found = step("{convcalc: 1, input: [1, 8], layers: [tanh, tanh, {conv1d: {out: 1, k: 1, bias: false}}]}")
    assert found.peak.activations == 3 * 32 and found.peak.flowing == 32
    assert found.peak.made == found.peak.held == 4


SHORTCUT = (
    "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 4, k: 1, bias: false}, name: a},"
    " {conv1d: {out: 4, k: 1, bias: false}, name: b}, {%s: {}, from: [a, b], name: joined}]}"
)


def test_a_sum_gives_both_branches_its_own_gradient() -> None:
    """At b: the gradient of the sum, which waits at a too, and that which b makes, which is added into it."""
    found = step(SHORTCUT % "add")
    tensor = 4 * 8 * 4
    assert found.peak.direction == "backward"
    assert found.peak.flowing == 2 * tensor and found.peak.node == 2


def test_parts_of_a_concatenated_gradient_are_added_apart() -> None:
    """A part has gaps: what c makes is added to the part of a in memory of its own, while the whole waits for b.

    The new gradient of c's weights is alive there too; at b, which makes one of its own weights, there is as much.
    """
    text = (
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 4, k: 1, bias: false}, name: a},"
        " {conv1d: {out: 4, k: 1, bias: false}, name: b}, {conv1d: {out: 4, k: 1, bias: false}, name: c, from: a},"
        " {concat: {}, from: [a, b, c], name: joined}]}"
    )
    found = step(text, batch=2)
    tensor = 2 * 4 * 8 * 4
    assert found.peak.node == 3 and found.peak.flowing == 3 * tensor + tensor + tensor
    assert found.peak.made == 4 * 4 * 4 and found.alive[2] == found.peak.bytes


def test_a_gradient_whose_memory_another_holds_is_added_apart() -> None:
    """The sum hands one memory to a, f and h. What h hands to a meets it while f still holds it: there are three.
    Those of h's weights are there too, and those of f's.

    Bytes: 144 of params and as many of their gradients; 32 of the input; 128 of each tensor and of its gradient.
    """
    conv = "conv1d: {out: 4, k: 1, bias: false}, from:"
    layers = f"{{{conv} input, name: a}}, {{{conv} a, name: f}}, {{{conv} a, name: h}}, {{add: {{}}, from: [a, f, h]}}"
    found = step(f"{{convcalc: 1, input: [1, 8], layers: [{layers}]}}")
    at_a = 288 + (32 + 128) + 128 + 16
    at_f = 288 + (32 + 2 * 128) + 3 * 128 + 64
    at_h = 288 + (32 + 2 * 128) + 3 * 128 + 64
    at_sum = 288 + (32 + 4 * 128)
    assert found.alive == [0, at_a, at_f, at_h, at_sum]


@pytest.mark.parametrize("released", [False, True])
def test_gradients_of_weights_that_three_layers_have_are_added_up_first(released: bool) -> None:
    """Of one weight: the sum is memory of its own until the first of them has run, and then the gradient there was."""
    conv = "{conv1d: {out: 1, k: 1, bias: false}, name: "
    layers = f"{conv}a}}, {conv}b, share: a}}, {conv}c, share: a}}"
    found = step(f"{{convcalc: 1, input: [1, 8], layers: [{layers}]}}", released=released)
    weight, tensor, before = 4, 8 * 4, 0 if released else 4
    at_a, at_b = 2 * tensor + tensor + weight + weight, 3 * tensor + 2 * tensor + weight + weight
    assert found.alive[1:3] == [weight + before + at_a, weight + before + at_b]


def test_what_a_layer_keeps_beside_tensors_is_freed_behind_its_backward_pass() -> None:
    """The indices of a pool are 8 bytes each: 16 of them, beside 32 bytes of input and tensors of 128 and 64."""
    layers = "{conv1d: {out: 4, k: 1, bias: false}}, {max_pool1d: {k: 2}}, tanh"
    found = step(f"{{convcalc: 1, input: [1, 8], layers: [{layers}]}}")
    assert found.alive[2] == 32 + (32 + 128 + 64 + 16 * 8) + (64 + 128)


def test_a_split_puts_the_gradients_of_its_parts_together_at_once() -> None:
    text = (
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 4, k: 1, bias: false}}, {split: {channels: [1, 3]},"
        " name: cut}, {concat: {}, from: [cut.1, cut.0], name: joined}]}"
    )
    found = step(text)
    tensor = 4 * 8 * 4
    assert found.peak.flowing == 2 * tensor


@pytest.mark.parametrize("read", [0, 1, 2])
def test_parts_of_a_split_that_nothing_reads_keep_nobody_waiting(read: int) -> None:
    """Backward goes on behind the part that is read; each split of a tensor is one of its own."""
    text = (
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 4, k: 1, bias: false}, name: first},"
        " {split: {channels: [2, 1, 1]}, name: one}, {split: {channels: [2, 1, 1]}, name: two, from: first},"
        f" {{concat: {{}}, from: [one.{read}, two.{read}], name: joined}}], outputs: [joined]}}"
    )
    found = step(text)
    tensor, part, weights = 4 * 8 * 4, (64, 32, 32)[read], 4 * 4
    # Parameters, their gradients and the new ones; the input and the output; the gradient of the first layer's output.
    assert found.alive[1] == 3 * weights + 32 + 2 * part + tensor


@pytest.mark.parametrize(("cut", "zeros"), [("split: {channels: [1, 3]}", 3 * 8 * 4), ("unbind: {parts: 4}", 0)])
def test_zeros_stand_for_parts_that_nothing_reads(cut: str, zeros: int) -> None:
    """Three of four channels: memory of their own in a split; of single positions one zero is read for all."""
    layers = f"[{{conv1d: {{out: 4, k: 1, bias: false}}}}, {{{cut}, name: cut}}], outputs: [cut.0]"
    found = step(f"{{convcalc: 1, input: [1, 8], layers: {layers}}}")
    weights, tensor, part = 4 * 4, 4 * 8 * 4, 8 * 4
    assert found.alive[2] == 2 * weights + (32 + tensor) + (part + tensor) + zeros


def test_a_gate_over_space_makes_a_product_of_full_size_first() -> None:
    text = (
        "{convcalc: 1, input: [4, 8, 8], layers: [{conv2d: {out: 4, k: 1}, name: a},"
        " {global_avg_pool: {}, name: g}, {multiply: {}, from: [a, g], name: scaled}]}"
    )
    tensor, small = 4 * 64 * 4, 4 * 4
    found = step(text)
    at = next(i for i, node in enumerate(network(text).nodes) if node.name == "scaled")
    # The input, a, the pooled numbers, the output; the gradient that it reads; two products of full size.
    assert found.alive[at] == 2 * 80 + 3 * tensor + small + tensor + 2 * tensor


def test_the_whole_and_its_layers() -> None:
    report = analyse(load("vgg", variant="vgg11_bn"), 4)
    rows = [QUANTITIES["training"].get(report, layer) for layer in report.layers]
    assert total(report, "training") == max(rows)  # type: ignore[type-var]
    assert total(report, "training") == 1_788_436_960
    (line,) = remarks(report, [QUANTITIES["training"]])
    assert line.startswith("training: 1,705.59 MiB at fc6.linear, backward: params, buffers and state 506.88 MiB")


def test_its_names() -> None:
    assert quantity("training") is QUANTITIES["training"] and QUANTITIES["training_released"].total == "largest"


@settings(max_examples=80)
@given(graphs(9), st.sampled_from(sorted(OPTIMIZERS)), st.integers(1, 3))
def test_what_is_kept_takes_more_than_what_is_released(net: Any, optimizer: str, batch: int) -> None:
    report = analyse(net, batch, optimizer=optimizer)
    kept, released = report.training, report.training_released
    assert kept is not None and released is not None
    assert kept.peak.bytes >= released.peak.bytes >= max(released.alive)
    assert all(a >= b for a, b in zip(kept.alive, released.alive, strict=True))
    assert kept.peak.bytes >= report.liveness.live[report.liveness.peak] * batch * 4
    assert min(kept.peak[2:]) >= 0
