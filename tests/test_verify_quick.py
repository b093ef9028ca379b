"""--quick: the smallest input of the same residue class that builds with the same weights."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import SpecError, load, loads
from convcalc.network import Network
from convcalc.verify.substitute import modulus, smallest_inputs


def weights(network: Network) -> list[object]:
    """The tensors of all layers."""
    return [node.layer.weights(network.input_shapes(node)) for node in network.nodes if node.layer is not None]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet", (3, 32, 32)),
        ("vgg", (3, 32, 32)),
        ("efficientnet", (3, 32, 32)),
        ("mobilenet_v3", (3, 32, 32)),
        ("unet", (1, 188, 188)),
        ("inception_v3", (3, 75, 75)),
        ("wavenet", (256, 1)),
        ("googlenet", None),
        ("lenet5", None),
    ],
)
def test_the_gallery(name: str, expected: tuple[int, ...] | None) -> None:
    network = load(name)
    found = smallest_inputs(network)
    assert found == (None if expected is None else {"input": expected})
    if found is not None:
        assert weights(network.at(found)) == weights(network)


LAYERS = st.one_of(
    st.builds("{{conv2d: {{out: 2, k: {}, s: {}, p: {}}}}}".format, st.integers(1, 4), st.integers(1, 3), st.just(0)),
    st.builds("{{max_pool2d: {{k: {}, s: {}, ceil_mode: true}}}}".format, st.integers(1, 3), st.integers(1, 3)),
    st.just("{conv2d: {out: 2, k: 3, s: 2, padding: same}}"),
    st.just("{upsample: {scale_factor: 2}}"),
    st.just("{conv_transpose2d: {out: 2, k: 3, s: 2}}"),
    st.just("{adaptive_avg_pool2d: {output_size: 2}}"),
    st.just("relu"),
)


@settings(max_examples=40)
@given(st.lists(LAYERS, min_size=1, max_size=4), st.integers(12, 40), st.booleans())
def test_the_smallest_by_trying_all(layers: list[str], size: int, linear: bool) -> None:
    """Of all sizes of the class, no smaller one builds with the same weights."""
    end = ", flatten, {linear: {out: 2}}" if linear else ""
    text = f"{{convcalc: 1, input: [2, {size}, {size}], layers: [{', '.join(layers)}{end}]}}"
    try:
        network = loads(text)
    except SpecError:
        return
    period = modulus(network, 1)
    smallest = size
    for candidate in range(size % period or period, size, period):
        try:
            if weights(network.at({"input": (2, candidate, candidate)})) == weights(network):
                smallest = candidate
                break
        except SpecError:
            continue
    found = smallest_inputs(network)
    if linear and smallest == size:
        # Axes on their own may still shrink where a product of sizes stays: never below what builds.
        assert found is None or weights(network.at(found)) == weights(network)
    else:
        assert found == (None if smallest == size else {"input": (2, smallest, smallest)})


@settings(max_examples=40)
@given(st.lists(LAYERS, min_size=1, max_size=4), st.integers(24, 60))
def test_a_period_moves_every_layer_by_whole_positions(layers: list[str], size: int) -> None:
    """Sizes one and two periods larger grow every layer by equal steps: the remainders are the same."""
    try:
        network = loads(f"{{convcalc: 1, input: [2, {size}, {size}], layers: [{', '.join(layers)}]}}")
    except SpecError:
        return
    period = modulus(network, 1)
    sizes = [network.at({"input": (2, size + n * period, size)}) for n in range(3)]
    for nodes in zip(*(net.nodes for net in sizes), strict=True):
        steps = [b.shape[1] - a.shape[1] for a, b in pairwise(nodes)]
        assert steps[0] == steps[1]


def test_axes_shrink_on_their_own() -> None:
    network = loads("{convcalc: 1, input: [1, 40, 64], layers: [{conv2d: {out: 1, k: [7, 3], s: [1, 2]}}]}")
    assert smallest_inputs(network) == {"input": (1, 7, 4)}


def test_several_inputs_shrink_together() -> None:
    half = "{{conv2d: {{out: 4, k: 3, s: 2, p: 1}}, name: {0}_half, from: {0}}}"
    layers = f"{half.format('left')}, {half.format('right')}, {{add: {{}}, from: [left_half, right_half]}}"
    network = loads(f"{{convcalc: 1, input: {{left: [3, 64, 64], right: [3, 64, 64]}}, layers: [{layers}]}}")
    assert smallest_inputs(network) == {"left": (3, 2, 2), "right": (3, 2, 2)}


def test_an_input_without_space_stays() -> None:
    assert smallest_inputs(loads("{convcalc: 1, input: [8], layers: [{linear: {out: 2}}]}")) is None


def test_backward_keeps_values_for_batch_norms() -> None:
    network = load("resnet")
    for batch, expected in ((1, 128), (4, 64), (16, 32)):
        found = smallest_inputs(network, batch, backward=True)
        assert found == {"input": (3, expected, expected)}
        norms = [node for node in network.at(found).nodes if node.kind == "batch_norm"]
        assert min(batch * prod(node.shape[1:]) for node in norms) >= 16
