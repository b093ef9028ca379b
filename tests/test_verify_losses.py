"""The losses of a training step: which an output has, their gradients, and what PyTorch gives for GoogLeNet's three."""

from __future__ import annotations

import json
from functools import cache
from math import exp, log
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest

from convcalc import load, loads
from convcalc.findings import UsageError
from convcalc.network import LOSSES, Network
from convcalc.verify.confirm import verify
from convcalc.verify.flow import Flow
from convcalc.verify.loss import OutputLoss, losses_of

RECORD = json.loads((Path(__file__).parent / "recorded_auxiliary_losses.json").read_text("utf-8"))
"""Runs in PyTorch: `python -m benchmarks.auxiliary_losses --write`."""
SCHEMES = ("torch", "kaiming")


@cache
def flow_of(scheme: str, aux: bool, seed: int = 0) -> Flow:
    """GoogLeNet's training step."""
    found = verify(load("googlenet", params={"aux": aux}), backward=True, scheme=scheme, seed=seed).flow
    assert found is not None
    return found


def gradients(scheme: str, aux: bool, seed: int = 0) -> dict[str, float]:
    return {row.name: row.gradient_rms or 0 for row in flow_of(scheme, aux, seed).rows}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_googlenet_has_the_gradients_that_pytorch_has_of_the_same_numbers(scheme: str) -> None:
    """Same image, weights and class: the gradient of the main loss and of 1, 0.3 and 0.3 times the three, by layer."""
    recorded = RECORD["same_numbers"][scheme]
    plain, heads = gradients(scheme, aux=False), gradients(scheme, aux=True)
    for name, (main, whole) in recorded["gradients"].items():
        assert heads[name] == pytest.approx(whole, rel=2e-3), name
        assert plain.get(name, 0) == pytest.approx(main, rel=2e-3), name
    losses = flow_of(scheme, aux=True).losses
    assert [loss.value for loss in losses] == pytest.approx(recorded["losses"], rel=1e-4)
    assert [loss.output.weight for loss in losses] == [1, 0.3, 0.3]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_auxiliary_heads_inject_what_they_inject_in_pytorch(scheme: str) -> None:
    """Numbers of its own: the mean logarithm of the ratio is within three sampling errors of PyTorch's."""
    seeds = range(3)
    for name in ("conv1.conv2d", "inception_3a.concat", "inception_4a.concat", "inception_4d.concat"):
        theirs = [log(whole / main) for main, whole in (row[name] for row in RECORD["own_numbers"][scheme])]
        ours = [log(gradients(scheme, True, seed)[name] / gradients(scheme, False, seed)[name]) for seed in seeds]
        error = stdev(theirs) * (1 / len(theirs) + 1 / len(ours)) ** 0.5
        assert abs(fmean(ours) - fmean(theirs)) < 3 * error, name
    if scheme == "torch":
        assert (
            80 < exp(fmean(log(w / m) for m, w in (row["conv1.conv2d"] for row in RECORD["own_numbers"][scheme]))) < 110
        )


def network(*items: str, shape: str = "[6, 4, 4]", outputs: str = "") -> Network:
    section = f", outputs: {outputs}" if outputs else ""
    return loads(f"{{convcalc: 1, input: {shape}, layers: [{', '.join(items)}]{section}}}")


FC = ("flatten", "{linear: {out: 5}, name: fc}")


@pytest.mark.parametrize(
    ("items", "loss", "reads", "folded"),
    [
        (FC, "cross_entropy", "fc", ""),
        ((*FC, "softmax"), "cross_entropy", "fc", "softmax"),
        ((*FC, "softmax", "flatten", "dropout"), "cross_entropy", "fc", "softmax"),
        (("softmax",), "cross_entropy", "input", "softmax"),
        (("relu", "global_avg_pool", "flatten"), "cross_entropy", "flatten", ""),
        (("{conv2d: {out: 5, k: 4}, name: score}",), "cross_entropy", "score", ""),
        (("{conv2d: {out: 5, k: 3}, name: map}",), "linear", "map", ""),
        (("{conv2d: {out: 1, k: 4}, name: one}",), "linear", "one", ""),
        ((*FC, "tanh"), "linear", "tanh", ""),
        ((*FC, "tanh", "dropout"), "linear", "dropout", ""),
    ],
)
def test_the_loss_follows_from_what_the_output_is(items: tuple[str, ...], loss: str, reads: str, folded: str) -> None:
    built = network(*items)
    (found,) = losses_of(built)
    assert (found.loss, built.nodes[found.node].name, found.folded) == (loss, reads, folded)


def test_what_the_spec_and_the_call_say_wins() -> None:
    built = network(*FC, "softmax", outputs="{softmax: {loss: mean_square, loss_weight: 2}, fc: {}}")
    assert [(found.loss, found.weight, found.node) for found in losses_of(built)] == [
        ("mean_square", 2, 3),
        ("cross_entropy", 1, 2),
    ]
    assert [(found.loss, found.node) for found in losses_of(built, "linear")] == [("linear", 3), ("linear", 2)]
    assert [(found.loss, found.node) for found in losses_of(built, "cross_entropy")] == [("cross_entropy", 2)] * 2


def test_one_class_is_refused() -> None:
    with pytest.raises(UsageError, match="one: cross-entropy needs more than one class, not"):
        losses_of(network("{conv2d: {out: 1, k: 3}, name: one}"), "cross_entropy")


def test_a_map_of_classes_and_a_softmax_of_another_axis() -> None:
    (found,) = losses_of(network("{softmax: {dim: -1}}"))
    assert found.axis == 2
    (found,) = losses_of(network("{conv2d: {out: 5, k: 3}}"), "cross_entropy")
    assert found.axis == 0


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("axis", [0, 2])
def test_gradients_are_differences(loss: Any, axis: int) -> None:
    rng = np.random.default_rng(0)
    y, along = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 4, 5))
    found = OutputLoss("out", loss, 0.3, 1, axis)
    step = 1e-6
    slope = 0.3 * (found.value(y + step * along, 7) - found.value(y - step * along, 7)) / (2 * step)
    assert float((found.gradient(y, 7) * along).sum()) == pytest.approx(slope, rel=1e-6)


def test_cross_entropy_by_hand() -> None:
    """−log of the share of the class, mean over images and positions."""
    found = OutputLoss("out", "cross_entropy", 1, 1)
    y = np.random.default_rng(1).standard_normal((2, 4, 3)) + 1000
    classes = found.classes(y.shape, 5)
    shares = np.exp(y - 1000) / np.exp(y - 1000).sum(axis=1, keepdims=True)
    by_hand = [-log(shares[n, classes[n, q], q]) for n in range(2) for q in range(3)]
    assert found.value(y, 5) == pytest.approx(fmean(by_hand))


def test_outputs_of_one_shape_learn_the_same_class() -> None:
    main, aux = (OutputLoss(name, "cross_entropy", 1, 1) for name in ("main", "aux"))
    assert (main.classes((8, 10), 3) == aux.classes((8, 10), 3)).all()
    assert (main.classes((8, 10), 3) != main.classes((8, 10), 4)).any()
