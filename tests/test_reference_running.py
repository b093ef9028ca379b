"""Whole networks through the reference, and the weights that they start with."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output, output_shape
from convcalc.reference import Counter, DoesNotFit, NoTwin, backward, forward, init, run
from tests.reference_examples import EXAMPLES, Example


def network(*layers: tuple[str, str, dict[str, Any], tuple[int, ...]], shape: tuple[int, ...] = (3, 8, 8)) -> Network:
    """Layers (name, kind, fields, inputs) above one input, which is node 0."""
    nodes = [Node("input", None, (), shape)]
    for name, kind, fields, inputs in layers:
        layer = build(kind, fields)
        nodes.append(Node(name, layer, inputs, output_shape(layer, tuple(nodes[i].shape for i in inputs))))
    return Network("net", tuple(nodes), (Output("out", len(nodes) - 1),), {})


RESIDUAL = network(
    ("conv", "conv2d", {"out": 3, "k": 3, "p": 1}, (0,)),
    ("norm", "batch_norm", {}, (1,)),
    ("relu", "relu", {}, (2,)),
    ("add", "add", {}, (3, 0)),
    ("flatten", "flatten", {}, (4,)),
    ("fc", "linear", {"out": 10}, (5,)),
)


def test_every_layer_runs_in_order_and_is_counted() -> None:
    steps = list(run(RESIDUAL, batch=2))
    assert [step.node.name for step in steps] == ["conv", "norm", "relu", "add", "flatten", "fc"]
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert all(step.output.shape == (2, *step.node.shape) for step in steps)
    assert [step.macs for step in steps] == [2 * 3 * 3 * 9 * 64, 0, 0, 0, 0, 2 * 192 * 10]
    assert sorted(steps[1].weights) == ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]
    np.testing.assert_array_equal(steps[3].output, steps[2].output + steps[0].inputs[0])


def test_a_seed_gives_the_same_numbers_again() -> None:
    first, again, other = ([s.output for s in run(RESIDUAL, seed=seed)][-1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    usual = list(run(RESIDUAL))[-1].output
    said = list(run(RESIDUAL, seed=0, batch=1, dtype="float32", scheme="kaiming", training=False))[-1].output
    np.testing.assert_array_equal(usual, said)
    assert usual.dtype == said.dtype


def test_a_scheme_that_does_not_exist_is_refused_where_no_weights_are_drawn_too() -> None:
    with pytest.raises(ValueError, match="'he'"):
        next(run(network(("relu", "relu", {}, (0,))), scheme="he"))


def test_given_inputs_and_weights_are_used() -> None:
    net = network(("conv", "conv2d", {"out": 1, "k": 1, "bias": False}, (0,)))
    weights = {"conv": {"weight": np.full((1, 3, 1, 1), 2.0)}}
    for inputs in (np.ones((1, 3, 4, 4)), {"input": np.ones((1, 3, 4, 4))}):
        (step,) = run(net, inputs, weights=weights)
        np.testing.assert_array_equal(step.output, np.full((1, 1, 4, 4), 6.0))
    with pytest.raises(DoesNotFit, match="no input left; its inputs are input"):
        next(run(net, {"left": np.ones((1, 3, 4, 4))}))


def test_what_does_not_fit_names_the_layer() -> None:
    with pytest.raises(DoesNotFit, match=r"^conv: a window of 9 does not fit into a padded axis of 8"):
        list(run(network(("conv", "conv2d", {"out": 1, "k": 9, "p": 1}, (0,))), np.ones((1, 3, 6, 6))))


def test_a_layer_without_a_twin_is_named_before_anything_runs() -> None:
    net = network(("relu", "relu", {}, (0,)), ("grid", "opaque", {"operator": "GridSample"}, (1,)))
    with pytest.raises(NoTwin, match=r"^grid: the reference has no forward pass of opaque$"):
        next(run(net))


def test_one_array_is_not_enough_for_two_inputs() -> None:
    inputs = (Node("left", None, (), (2,)), Node("right", None, (), (2,)))
    add = Node("add", build("add", {}), (0, 1), (2,))
    net = Network("net", (*inputs, add), (Output("out", 2),), {})
    with pytest.raises(DoesNotFit, match=r"^one array for the inputs left, right: give them by name$"):
        next(run(net, np.ones((1, 2))))
    (step,) = run(net, {"left": np.ones((1, 2)), "right": np.full((1, 2), 2.0)})
    np.testing.assert_array_equal(step.output, [[3.0, 3.0]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_type_is_kept_from_layer_to_layer(dtype: str) -> None:
    assert {str(step.output.dtype) for step in run(RESIDUAL, dtype=dtype)} == {dtype}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_kind_keeps_the_type_both_ways(example: Example) -> None:
    rng = np.random.default_rng(7)
    inputs = [x.astype(np.float32) for x in example.inputs(rng)]
    weights = {name: array.astype(np.float32) for name, array in example.weights(rng).items()}
    output = forward(example.layer, inputs, weights)
    grad_inputs, grad_weights = backward(example.layer, inputs, weights, np.ones_like(output))
    assert {array.dtype for array in (output, *grad_inputs, *grad_weights.values())} == {np.dtype(np.float32)}


def test_arrays_are_freed_when_nothing_needs_them() -> None:
    chain = network(*((f"relu{n}", "relu", {}, (n,)) for n in range(5)))
    alive: list[weakref.ref[Any]] = []
    most = 0
    for step in run(chain):
        alive.append(weakref.ref(step.output))
        del step
        most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 3


def test_schemes_have_the_deviation_that_they_say() -> None:
    rng = np.random.default_rng(0)
    conv = build("conv2d", {"out": 64, "k": 3, "groups": 2})
    grouped = 32 * 9
    deviations = {
        "kaiming": (2 / grouped) ** 0.5,
        "xavier": (2 / (grouped + grouped)) ** 0.5,
        "torch": (1 / (3 * grouped)) ** 0.5,
        "normal:0.25": 0.25,
    }
    for scheme, deviation in deviations.items():
        drawn = init(conv, [(64, 8, 8)], rng, scheme)
        assert abs(drawn["weight"].std() / deviation - 1) < 0.03
        assert (scheme == "torch") == bool(drawn["bias"].any())


def test_fans_of_a_transposed_convolution_are_those_of_its_outputs() -> None:
    """Each output sums about k²/s² products of every input channel; PyTorch's own fan is another."""
    rng = np.random.default_rng(0)
    layer = build("conv_transpose2d", {"out": 128, "k": 4, "s": 2})
    assert abs(init(layer, [(32, 8, 8)], rng)["weight"].std() / (2 / (32 * 4)) ** 0.5 - 1) < 0.03
    assert abs(init(layer, [(32, 8, 8)], rng, "torch")["weight"].std() / (1 / (3 * 128 * 16)) ** 0.5 - 1) < 0.03


def test_kaiming_keeps_the_size_of_activations_and_pytorchs_default_does_not() -> None:
    layers: list[tuple[str, str, dict[str, Any], tuple[int, ...]]] = []
    for n in range(6):
        layers.append((f"conv{n}", "conv2d", {"out": 64, "k": 3, "p": 1, "padding_mode": "circular"}, (2 * n,)))
        layers.append((f"relu{n}", "relu", {}, (2 * n + 1,)))
    net = network(*layers, shape=(64, 16, 16))
    power = {
        scheme: [float((s.output**2).mean()) for s in run(net, scheme=scheme)][-1] for scheme in ("kaiming", "torch")
    }
    assert 0.5 < power["kaiming"] < 2
    assert power["torch"] < 0.01


@pytest.mark.parametrize("scheme", ["he", "normal", "normal:", "normal:x", "normal:-1", "normal:inf", "normal:nan"])
def test_unknown_schemes_are_refused(scheme: str) -> None:
    with pytest.raises(ValueError, match="kaiming, xavier, torch"):
        next(run(RESIDUAL, scheme=scheme))


def test_a_counter_adds_up() -> None:
    counter = Counter()
    counter.macs += sum(step.macs for step in run(RESIDUAL))
    assert counter.macs == 3 * 3 * 9 * 64 + 192 * 10
