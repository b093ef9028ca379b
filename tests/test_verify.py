"""Predictions held against the reference: what is right is confirmed, and every wrong rule is found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from convcalc import load, loads
from convcalc.layers.base import Layer, Weight
from convcalc.reference import Step, learned, run
from convcalc.verify.confirm import efforts, verify
from tests.layer_samples import COMPUTED, SAMPLES, Sample

WITH_WEIGHTS = [s for s in SAMPLES if s.layer().weights(s.inputs)]
WITH_MACS = [s for s in SAMPLES if s.layer().operations(s.inputs, s.output).get("mac")]


def test_the_samples_have_every_kind() -> None:
    assert {sample.kind for sample in SAMPLES} == set(COMPUTED)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_a_right_rule_is_confirmed(sample: Sample, backward: bool) -> None:
    outcome = verify(sample.network(), batch=2, backward=backward)
    assert outcome.ok and outcome.findings == ()
    (layer,) = outcome.layers
    assert layer.actual_shape == sample.output
    assert layer.actual_params == layer.predicted_params
    assert layer.counted_macs == layer.predicted_macs
    assert (outcome.gradients is not None) == backward


def patch(monkeypatch: pytest.MonkeyPatch, layer: Layer, rule: str, change: Any) -> None:
    """Let a rule of the layer's model return something else."""
    right = getattr(type(layer), rule)
    monkeypatch.setattr(type(layer), rule, lambda *arguments: change(right(*arguments)))


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_wrong_shape_rule_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    patch(monkeypatch, sample.layer(), "output_shape", lambda shape: (*shape[:-1], (shape or (0,))[-1] + 1))
    outcome = verify(sample.network())
    assert not outcome.ok
    (finding,) = outcome.findings
    assert (finding.code, finding.where) == ("CC501", "tested")
    assert f"the output is {list(sample.output)}, predicted " in finding.message


@pytest.mark.parametrize("sample", [s for s in WITH_WEIGHTS if learned(s.layer(), s.inputs)], ids=str)
def test_a_wrong_weight_rule_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def larger(weights: tuple[Weight, ...]) -> tuple[Weight, ...]:
        first, *rest = weights
        return (first._replace(shape=(first.shape[0] + 1, *first.shape[1:])), *rest)

    patch(monkeypatch, sample.layer(), "weights", larger)
    (finding,) = verify(sample.network()).findings
    assert " params, predicted " in finding.message


@pytest.mark.parametrize("sample", WITH_WEIGHTS, ids=str)
def test_a_wrong_layout_of_as_many_numbers_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def flat(weights: tuple[Weight, ...]) -> tuple[Weight, ...]:
        first, *rest = weights
        return (first._replace(shape=(1, *first.shape)), *rest)

    patch(monkeypatch, sample.layer(), "weights", flat)
    (finding,) = verify(sample.network()).findings
    assert "params" not in finding.message
    assert any(name in finding.message for name in ("weight", "bias", "value"))
    assert " is [" in finding.message


@pytest.mark.parametrize("sample", WITH_MACS, ids=str)
def test_a_wrong_count_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    patch(monkeypatch, sample.layer(), "operations", lambda counts: {**counts, "mac": counts["mac"] + 1})
    (finding,) = verify(sample.network()).findings
    assert "multiply-accumulates counted, predicted" in finding.message


def test_missing_and_unpredicted_tensors_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(s for s in SAMPLES if s.kind == "linear")
    patch(monkeypatch, sample.layer(), "weights", lambda weights: (weights[0], Weight("gain", (5,))))
    (finding,) = verify(sample.network()).findings
    assert "gain is missing" in finding.message
    assert "bias is not predicted" in finding.message


def test_buffers_are_what_no_gradient_reaches() -> None:
    for sample in SAMPLES:
        for weight in sample.layer().weights(sample.inputs):
            assert weight.learnable == (weight.name in learned(sample.layer(), sample.inputs))


CHAIN = """convcalc: 1
input: [3, 9, 9]
layers:
  - {conv2d: {out: 4, k: 3}, name: first}
  - {relu: {}, name: second}
  - {conv2d: {out: 4, k: 3}, name: third}
"""


def test_one_wrong_layer_gives_one_finding_at_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from convcalc.layers.activation import Activation

    patch(monkeypatch, Activation(kind="relu"), "output_shape", lambda shape: (*shape[:-1], shape[-1] - 1))
    outcome = verify(loads(CHAIN))
    assert [layer.ok for layer in outcome.layers] == [True, False, False]
    (finding,) = outcome.findings
    assert (finding.line, finding.where, finding.severity) == (5, "second", "error")
    assert finding.hint is not None


def test_a_layer_that_cannot_run_ends_the_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that promises more than arrives: the last convolution has no room."""
    from convcalc.layers.pool import MaxPool

    patch(monkeypatch, MaxPool(kind="max_pool2d", kernel_size=2), "output_shape", lambda shape: (*shape[:-1], 9))
    spec = "{convcalc: 1, input: [3, 9, 9], layers: [{max_pool2d: {k: 2}}, {conv2d: {out: 4, k: [1, 5]}}, relu, relu]}"
    outcome = verify(loads(spec))
    pool, conv = outcome.layers
    assert not pool.ok
    assert (conv.actual_shape, conv.actual_params, conv.counted_macs) == (None, None, None)
    assert conv.differences == ("it does not run: a window of 5 does not fit into a padded axis of 4",)
    assert [finding.where for finding in outcome.findings] == ["max_pool2d"]


def test_googlenet_is_confirmed() -> None:
    outcome = verify(load("googlenet"))
    assert outcome.ok
    assert len(outcome.layers) == 143
    assert sum(layer.actual_params or 0 for layer in outcome.layers) == 6_998_552
    assert sum(layer.counted_macs or 0 for layer in outcome.layers) == 1_582_671_872


def test_a_batch_multiplies_what_is_counted() -> None:
    (layer, *_) = verify(loads(CHAIN), batch=3).layers
    assert (layer.counted_macs, layer.predicted_macs) == (3 * 4 * 3 * 9 * 49,) * 2


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_type_is_confirmed(dtype: str) -> None:
    assert verify(loads(CHAIN), dtype=dtype).ok


@pytest.mark.parametrize("backward", [False, True])
def test_what_starts_is_told_with_its_work(backward: bool) -> None:
    told: list[tuple[str, int]] = []
    network = loads(CHAIN)
    outcome = verify(network, backward=backward, starts=lambda name, work: told.append((name, work)))
    names = [layer.name for layer in outcome.layers]
    back = [f"{name} backwards" for name in reversed(names)] if backward else []
    assert [name for name, _ in told] == [*names, *back]
    assert efforts(network, 1, backward) == (len(told), sum(work for _, work in told))
    assert all(work > 0 for _, work in told)


def test_an_overflow_of_values_is_no_difference() -> None:
    spec = "{convcalc: 1, input: [64, 4, 4], layers: [{repeat: 30, conv2d: {out: 64, k: 3, p: 1}}]}"
    outcome = verify(loads(spec), dtype="float16", scheme="normal:8", backward=True)
    assert outcome.ok
    assert outcome.gradients is not None
    assert outcome.gradients[-1].to_dict()["activation_rms"] is None


def test_the_contract() -> None:
    data = verify(loads(CHAIN)).to_dict()
    assert list(data)[:2] == ["format", "spec"] and data["format"] == 1
    assert data["input"] == {"input": [3, 9, 9]}
    assert data["ok"] is True and data["gradients"] is None and data["findings"] == []
    assert isinstance(data["seconds"], float)
    layers: Any = data["layers"]
    assert layers[0] == {
        "name": "first",
        "kind": "conv2d",
        "predicted_shape": [4, 7, 7],
        "actual_shape": [4, 7, 7],
        "predicted_params": 112,
        "actual_params": 112,
        "predicted_macs": 5292,
        "counted_macs": 5292,
        "ok": True,
        "differences": [],
    }


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_weights_are_drawn_where_numbers_are_looked_at(backward: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(*arguments: Any, **options: Any) -> Iterator[Step]:
        for step in run(*arguments, **options):
            seen.append(any(array.any() for array in step.weights.values()))
            yield step

    monkeypatch.setattr(sys.modules[verify.__module__], "run", watched)
    assert verify(loads("{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"), backward=backward).ok
    assert seen == [backward]
