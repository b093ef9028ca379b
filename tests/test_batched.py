"""`batch_axes`: the first axes of an item's input count as batch, and every fact is that of the layer inside."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from convcalc import analyse, loads
from convcalc.analysis.multiplications import effective_macs, fft_flops, im2col_elements, lecture_time, winograd_macs
from convcalc.findings import SpecError
from convcalc.geometry.errors import RankMismatch, UnequalInputs
from convcalc.inference import output_shape
from convcalc.language.write import write
from convcalc.layers.base import Saved
from convcalc.layers.batched import batched
from convcalc.layers.constant import Parameter
from convcalc.layers.registry import build
from convcalc.reference import Counter, backward, forward, init, run
from convcalc.reference.initial import starts
from convcalc.verify.confirm import verify
from tests.exported_layers import drawn_weights
from tests.layer_samples import SAMPLES, Sample

FRAMES = (3, 2)
READING = [sample for sample in SAMPLES if sample.inputs]
each_sample = pytest.mark.parametrize("sample", READING, ids=str)


def framed(sample: Sample) -> tuple[tuple[int, ...], ...]:
    return tuple((*FRAMES, *shape) for shape in sample.inputs)


def test_what_reads_nothing_has_no_batch_axes() -> None:
    with pytest.raises(RankMismatch, match="parameter reads nothing"):
        batched(build("parameter", {"shape": [3]}), 1).output_shape(())


def test_a_tensor_that_is_held_is_repeated_along_what_arrives() -> None:
    held = Parameter(kind="parameter", shape=(8,))
    assert held.repeated((4,), 1).output_shape(()) == (4, 8) and held.arity == (0, 0)
    with pytest.raises(RankMismatch, match=r"batch_axes 2, but \[4\] has 1 axes"):
        held.repeated((4,), 2)


def test_inputs_of_other_batch_axes_are_refused_with_both() -> None:
    with pytest.raises(UnequalInputs) as error:
        batched(build("add", {}), 1).output_shape(((2, 3), (2, 3), (4, 3)))
    assert error.value.said(["a", "b", "c"]).startswith("add cannot join a [2, 3] and c [4, 3]: ")


@each_sample
def test_facts_are_those_of_the_layer_inside(sample: Sample) -> None:
    inner = sample.layer()
    layer, inputs = batched(inner, 2), framed(sample)
    output = output_shape(layer, inputs)
    times = prod(FRAMES)
    assert output == (*FRAMES, *sample.output)
    assert layer.kind == inner.kind and layer.inside is inner and layer.batch_axes == 2
    assert layer.weights(inputs) == inner.weights(sample.inputs)
    one = inner.operations(sample.inputs, sample.output)
    assert layer.operations(inputs, output) == {kind: times * count for kind, count in one.items()}
    assert layer.activation_macs(inputs, output) == times * inner.activation_macs(sample.inputs, sample.output)
    learns = (True,) * len(inputs)
    assert layer.backward_macs(inputs, output, learns) == times * inner.backward_macs(
        sample.inputs, sample.output, learns
    )
    for fact in ("multiplies", "is_view", "in_place", "joins", "over_batch", "multiplies_inputs", "arity"):
        assert getattr(layer, fact) == getattr(inner, fact), fact
    beside = inner.macs_beside_windows(sample.inputs, sample.output)
    assert layer.macs_beside_windows(inputs, output) == times * beside
    products = inner.matrix_products(sample.inputs, sample.output)
    assert layer.matrix_products(inputs, output) == tuple(
        product._replace(outputs=times * product.outputs) for product in products
    )
    slides = inner.slides(sample.inputs, sample.output)
    assert layer.slides(inputs, output) == tuple(slide._replace(axis=slide.axis + 2) for slide in slides)
    assert layer.channel_groups == inner.channel_groups and layer.scales_channels is False
    axis = inner.share_axis
    assert layer.share_axis == (axis + 2 if axis is not None and axis >= 0 else axis)
    for count in (effective_macs, fft_flops, im2col_elements, lecture_time):
        assert count(layer, inputs, output) == times * count(inner, sample.inputs, sample.output)
    assert winograd_macs(layer, inputs, output, 2) == times * winograd_macs(inner, sample.inputs, sample.output, 2)
    for saved, alone in zip(layer.saved(inputs, output), inner.saved(sample.inputs, sample.output), strict=True):
        assert saved == (alone._replace(elements=times * alone.elements) if alone.batched else alone)


@each_sample
def test_links_are_shifted_behind_the_batch_axes(sample: Sample) -> None:
    inner, layer = sample.layer(), batched(sample.layer(), 2)
    for which in range(len(sample.inputs)):
        first, second, *links = layer.axes_of(framed(sample), which)
        assert first is not None and second is not None and (first.source, second.source) == (0, 1)
        assert [link and link.source - 2 for link in links] == [
            link and link.source for link in inner.axes_of(sample.inputs, which)
        ]


@each_sample
def test_the_reference_gives_each_example_what_the_layer_inside_gives_it(sample: Sample) -> None:
    rng = np.random.default_rng(5)
    inner, layer = sample.layer(), batched(sample.layer(), 2)
    arrays = [np.abs(rng.standard_normal((2, *shape))) + 0.5 for shape in framed(sample)]
    apart = [x.reshape(-1, *x.shape[3:]) for x in arrays]
    weights = init(layer, framed(sample), rng, dtype="float64")
    assert {name: w.shape for name, w in weights.items()} == {
        name: start.shape for name, start in starts(inner, sample.inputs).items()
    }
    counter = Counter()
    y = forward(layer, arrays, weights, counter=counter)
    wanted = forward(inner, apart, weights)
    np.testing.assert_array_equal(y.reshape(wanted.shape), wanted)
    assert counter.macs == 2 * layer.operations(framed(sample), y.shape[1:]).get("mac", 0)
    grad = rng.standard_normal(y.shape)
    grads, grad_weights = backward(layer, arrays, weights, grad)
    alone, alone_weights = backward(inner, apart, weights, grad.reshape(wanted.shape))
    for found, one in zip(grads, alone, strict=True):
        np.testing.assert_array_equal(found.reshape(one.shape), one)
    for name, found in alone_weights.items():
        np.testing.assert_array_equal(grad_weights[name], found)


VIDEO = """\
convcalc: 1
name: frames
input: [16, 3, 32, 32]
blocks:
  unit:
    params: {out: ~}
    layers: [{conv2d: {out: out, k: 3, p: 1}}, batch_norm, relu]
layers:
  - {unit: [in_channels * 4], batch_axes: 1, name: stem}
  - {conv2d: {out: 24, k: 3, s: 2}, batch_axes: 1, repeat: 2}
  - {add: {branches: {left: [{conv2d: {out: 24, k: 1}}], right: []}}, batch_axes: 1}
  - {split: {channels: [8, 16]}, batch_axes: 1, name: parts}
  - {concat: {}, from: [parts.0, parts.1], batch_axes: 1}
  - {global_avg_pool: {}, batch_axes: 1}
  - {flatten: {}, batch_axes: 1}
  - {gru: {hidden_size: 8}}
  - {select: {dim: 0, index: -1}}
"""


def test_an_item_of_any_form_takes_batch_axes() -> None:
    network = loads(VIDEO)
    shapes = {node.name: node.shape for node in network.nodes}
    assert shapes["stem.relu"] == (16, 12, 32, 32)
    assert shapes["conv2d.1"] == (16, 24, 7, 7)
    assert shapes["add"] == (16, 24, 7, 7)
    assert shapes["parts.0"] == (16, 8, 7, 7)
    assert shapes["concat"] == (16, 24, 7, 7)
    assert shapes["flatten"] == (16, 24)
    assert shapes["gru"] == (16, 8) and shapes["select"] == (8,)
    single = loads("{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 12, k: 3, p: 1}}]}")
    frames = analyse(network).to_dict()["layers"][0]
    assert frames["macs"] == 16 * analyse(single).totals.macs and frames["params"] == analyse(single).totals.params


def test_what_is_written_is_read_back() -> None:
    network = loads(VIDEO)
    again = loads(write(network))
    assert [(node.layer, node.inputs, node.shape) for node in again.nodes] == [
        (node.layer, node.inputs, node.shape) for node in network.nodes
    ]
    assert "batch_axes: 1" in write(network)


def test_a_run_confirms_it() -> None:
    assert verify(loads(VIDEO), batch=2).ok


def test_batch_axes_of_a_block_and_of_an_item_in_it_add_up() -> None:
    network = loads(
        "{convcalc: 1, input: [4, 15, 8, 8], blocks: {unit: {layers: [{conv2d: {out: 6, k: 3}, batch_axes: 1}]}},"
        " layers: [{reshape: {shape: [4, 5, 3, 8, 8]}}, {unit: {}, batch_axes: 1}]}"
    )
    assert network.nodes[-1].shape == (4, 5, 6, 6, 6)


@pytest.mark.parametrize("written", ["0", "9", "x", "[1]", "1.5", "-1", "0000000019", "000000001" + 5000 * "9"])
def test_what_it_takes(written: str) -> None:
    with pytest.raises(SpecError, match="batch_axes takes a whole number from 1 to 8"):
        loads(f"{{convcalc: 1, input: [4, 3, 8, 8], layers: [{{relu: {{}}, batch_axes: {written}}}]}}")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("[{relu: {}, batch_axes: 3}]", r"relu has batch_axes 3, but \[4, 3\] has 2 axes"),
        ("[{conv2d: {out: 4, k: 3}, batch_axes: 1}]", "conv2d takes"),
        ("[relu, {slice: {stop: 2}, name: two}, {add: {}, from: [relu, two], batch_axes: 1}]", "batch axes are equal"),
    ],
)
def test_what_does_not_fit(layers: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        loads(f"{{convcalc: 1, input: [4, 3], layers: {layers}}}")


def test_statistics_of_the_batch_are_kept_once() -> None:
    layer = batched(next(sample for sample in SAMPLES if sample.kind == "batch_norm").layer(), 1)
    assert layer.saved(((5, 6, 8, 9),), (5, 6, 8, 9))[-1] == Saved("extra", elements=12, bytes=4, batched=False)


class TestHeldTensors:
    """A tensor that the network holds is the same along the batch axes of what arrives."""

    SPEC = """
    convcalc: 1
    name: windows
    input: [4, 6, 8]
    blocks:
      tokens:
        layers:
          - {parameter: {shape: [1, 8]}, name: token}
          - {concat: {dim: 0}, from: [token, in]}
          - {parameter: {shape: [7, 8]}, name: table}
          - {add: {}, from: [concat, table]}
    layers: [{tokens: {}, batch_axes: 1}]
    """

    def test_it_has_the_axes_and_its_weights_do_not(self) -> None:
        network = loads(self.SPEC)
        shapes = {node.name: node.shape for node in network.nodes}
        assert shapes["tokens.token"] == (4, 1, 8) and shapes["tokens.table"] == (4, 7, 8)
        assert analyse(network).totals.params == 8 + 56

    def test_a_run_and_its_gradients_confirm_it(self) -> None:
        network = loads(self.SPEC)
        assert verify(network).ok
        weights = drawn_weights(network)
        x = np.random.default_rng(0).standard_normal((2, 4, 6, 8))
        token, table = weights["tokens.token"]["value"], weights["tokens.table"]["value"]
        rows = np.broadcast_to(token, (2, 4, 1, 8))
        expected = np.concatenate([rows, x], axis=2) + table
        (*_, last) = run(network, x, dtype="float64", weights=weights)
        np.testing.assert_allclose(last.output, expected)

    def test_what_is_written_is_read_back(self) -> None:
        network = loads(self.SPEC)
        again = loads(write(network))
        assert [(node.kind, node.shape) for node in again.nodes] == [(node.kind, node.shape) for node in network.nodes]

    def test_without_these_axes_nothing_arrives(self) -> None:
        with pytest.raises(SpecError, match=r"parameter has batch_axes 2, but \[4\] has 1 axes"):
            loads("{convcalc: 1, input: [4], layers: [{parameter: {shape: [3]}, batch_axes: 2}]}")
