"""The lift: what calls of PyTorch become in the language. Shapes of tapes are PyTorch's, of a batch of 1 and of 2."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcalc.api.load import load
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.layers.base import Shape
from convcalc.layers.opaque import Opaque
from convcalc.network import Network, Tied, held_weights
from convcalc.torch.lift.builder import Step
from convcalc.torch.lift.conversion import lift
from convcalc.torch.tape import Call, Ref, Scope, from_json

from .torch_tapes import BATCH, Recorder, network

ORACLE = Path(__file__).parent / "oracle"
TAPES: dict[str, Any] = json.loads(gzip.decompress((ORACLE / "torch_tapes.json.gz").read_bytes()))
ANSWERS: dict[str, Any] = json.loads(gzip.decompress((ORACLE / "torch_models.json.gz").read_bytes()))["models"]


@pytest.fixture
def tape() -> Recorder:
    return Recorder()


def test_a_convolution_by_position_and_by_name(tape: Recorder) -> None:
    x, weight, bias = tape.input(3, 8, 8), tape.parameter(4, 3, 3, 3), tape.parameter(4, name="bias")
    y = tape.call("torch.nn.functional.conv2d", x, weight, bias, (2, 2), (1, 1), to=(BATCH, 4, 4, 4), macs=1728)
    other = tape.parameter(4, 1, 3, 3, name="other")
    named: dict[str, Any] = {"input": y, "weight": other, "bias": None, "stride": (1, 1), "padding": (0, 0)}
    named |= {"dilation": (1, 1), "transposed": False, "output_padding": (0, 0), "groups": 4}
    tape.call("aten.convolution.default", **named, to=(BATCH, 4, 2, 2), macs=144)
    assert tape.layers() == ["conv2d: {out: 4, k: 3, s: 2, p: 1}", "conv2d: {out: 4, k: 3, bias: false, g: 4}"]


def test_what_costs_something_else_than_the_call_is_opaque(tape: Recorder) -> None:
    x, weight = tape.input(3, 8, 8), tape.parameter(4, 3, 3, 3)
    tape.call("torch.nn.functional.conv2d", x, weight, to=(BATCH, 4, 6, 6), macs=999)
    lifted = tape.lifted()
    (reason,) = lifted.opaque["torch.nn.functional.conv2d"]
    assert "3,888 multiply-accumulates, not 999" in reason
    opaque = lifted.steps[-1]
    assert isinstance(opaque.layer, Opaque)
    assert (opaque.macs, opaque.shape, opaque.layer.holds) == (999, (4, 6, 6), ((4, 3, 3, 3),))


@pytest.mark.parametrize("function", ["torch.cumsum", "torchvision.ops.deform_conv2d", "convcalc.nothing"])
def test_what_the_language_does_not_have_keeps_shape_cost_and_weights(tape: Recorder, function: str) -> None:
    x, weight = tape.input(3, 8, 8), tape.parameter(5, 3)
    tape.call(function, x, weight, to=(BATCH, 5, 8, 8), macs=960)
    (step,) = [step for step in tape.lifted().steps if step.layer is not None]
    assert isinstance(step.layer, Opaque)
    assert (step.layer.operator, step.shape, step.macs, step.layer.holds) == (function, (5, 8, 8), 960, ((5, 3),))


def test_windows_are_folded_into_the_batch_and_back(tape: Recorder) -> None:
    x = tape.input(8, 8, 6)
    y = tape.call("torch.Tensor.view", x, 1, 2, 4, 2, 4, 6, to=(BATCH, 2, 4, 2, 4, 6))
    y = tape.call("torch.Tensor.permute", y, 0, 1, 3, 2, 4, 5, to=(BATCH, 2, 2, 4, 4, 6))
    y = tape.call("torch.Tensor.reshape", y, -1, 16, 6, to=((4, 8), 16, 6))
    y = tape.call("torch.nn.functional.linear", y, tape.parameter(6, 6), to=((4, 8), 16, 6), macs=2304)
    y = tape.call("torch.Tensor.view", y, 1, 2, 2, 4, 4, 6, to=(BATCH, 2, 2, 4, 4, 6))
    tape.call("torch.Tensor.mean", y, (1, 2), to=(BATCH, 4, 4, 6))
    assert tape.layers() == [
        "reshape: {shape: [2, 4, 2, 4, 6]}",
        "permute: {dims: [0, 2, 1, 3, 4]}",
        "reshape: {shape: [4, 16, 6]}",
        "linear: {bias: false, out: 6, dim: last}",
        "reshape: {shape: [2, 2, 4, 4, 6]}",
        "mean: {dim: [0, 1]}",
    ]


def test_the_batch_may_stand_behind_other_axes(tape: Recorder) -> None:
    x = tape.input(5, 24)
    y = tape.call("torch.Tensor.reshape", x, 1, 5, 3, 2, 4, to=(BATCH, 5, 3, 2, 4))
    y = tape.call("torch.Tensor.permute", y, 2, 0, 3, 1, 4, to=(3, BATCH, 2, 5, 4))
    parts = [tape.tensor(BATCH, 2, 5, 4) for _ in range(3)]
    tape.tape.calls.append(Call("torch.Tensor.unbind", (y, 0), {}, tuple(part.tensor for part in parts), 0))
    query, key, value = parts
    tape.call("torch.nn.functional.scaled_dot_product_attention", query, key, value, to=(BATCH, 2, 5, 4), macs=400)
    assert tape.layers()[2:] == [
        "unbind: {parts: 3}",
        "scaled_dot_product_attention",
    ]


def test_a_view_that_changes_nothing_is_no_layer(tape: Recorder) -> None:
    x = tape.input(4, 3, 3)
    y = tape.call("torch.Tensor.view", x, 1, 36, to=(BATCH, 36))
    y = tape.call("torch.Tensor.view", y, 1, 4, 3, 3, to=(BATCH, 4, 3, 3))
    tape.call("torch.relu", y, to=(BATCH, 4, 3, 3))
    assert tape.layers() == ["relu"]


def test_one_open_size_of_a_view_stays_open(tape: Recorder) -> None:
    x = tape.input(4, (3, 5), 6)
    y = tape.call("torch.Tensor.reshape", x, 1, 2, 2, -1, to=(BATCH, 2, 2, (18, 30)))
    tape.call("torch.relu", y, to=(BATCH, 2, 2, (18, 30)))
    assert tape.layers()[0] == "reshape: {shape: [2, 2, -1]}"
    assert not any(step.frozen for step in tape.lifted().steps)


def test_what_holds_for_one_size_alone_is_known(tape: Recorder) -> None:
    x = tape.input(4, (3, 5), (6, 7))
    y = tape.call("torch.Tensor.reshape", x, 1, 2, 2, 3, 6, to=(BATCH, 2, 2, (3, 5), (6, 7)))
    tape.call("torch.Tensor.permute", y, 0, 3, 4, 1, 2, to=(BATCH, (3, 5), (6, 7), 2, 2))
    lifted = tape.lifted()
    assert lifted.frozen == {"torch.Tensor.permute": 1}
    (note,) = network(lifted).notes
    assert (note.code, str(note.severity)) == ("CC729", "warning")
    assert note.message == "layers that hold for inputs of this size alone: torch.Tensor.permute (1)"


@pytest.mark.parametrize(
    ("pads", "second", "said"),
    [
        ((0, 1, 0, 1), (1, 1, 1, 1), "conv2d: {out: 4, k: 3, s: 2, p: same, bias: false}"),
        ((1, 1, 1, 1), (1, 1, 1, 1), "conv2d: {out: 4, k: 3, s: 2, p: 1, bias: false}"),
    ],
)
def test_a_computed_border_is_padding_of_the_convolution(tape: Recorder, pads: Any, second: Any, said: str) -> None:
    same = pads != second
    size = (8, 9) if same else (8, 8)
    x, weight = tape.input(3, size, size), tape.parameter(4, 3, 3, 3)
    bordered = (size[0] + sum(pads[:2]), size[1] + sum(second[:2]))
    y = tape.call("torch.nn.functional.pad", x, pads, to=(BATCH, 3, bordered, bordered))
    tape.second(x, second)
    made = tuple((side - 3) // 2 + 1 for side in bordered)
    tape.call("torch.nn.functional.conv2d", y, weight, None, (2, 2), to=(BATCH, 4, made, made), macs=108 * made[0] ** 2)
    assert tape.layers() == [said]


def test_a_border_that_is_read_twice_is_a_layer(tape: Recorder) -> None:
    x = tape.input(3, 8, 8)
    y = tape.call("torch.nn.functional.pad", x, (1, 1, 1, 1), to=(BATCH, 3, 10, 10))
    left = tape.call("torch.nn.functional.max_pool2d", y, 2, to=(BATCH, 3, 5, 5))
    right = tape.call("torch.nn.functional.avg_pool2d", y, 2, to=(BATCH, 3, 5, 5))
    tape.call("torch.Tensor.add", left, right, to=(BATCH, 3, 5, 5))
    assert tape.layers()[:2] == ["pad: {p: 1}", "max_pool2d: {k: 2}"]


def test_a_pool_over_the_whole_map_in_both_runs_is_global(tape: Recorder) -> None:
    x = tape.input(3, (8, 9), (8, 9))
    tape.call("torch.nn.functional.avg_pool2d", x, (8, 8), to=(BATCH, 3, 1, 1))
    tape.second(x, (9, 9))
    assert tape.layers() == ["global_avg_pool"]


def test_a_size_that_follows_another_tensor_is_read_from_it(tape: Recorder) -> None:
    x, weight = tape.input(3, (8, 13), (8, 13)), tape.parameter(4, 3, 3, 3)
    small = tape.call("torch.conv2d", x, weight, None, 2, to=(BATCH, 4, (3, 6), (3, 6)), macs=972)
    tape.call(
        "torch.nn.functional.interpolate", small, (8, 8), None, "bilinear", False, to=(BATCH, 4, (8, 13), (8, 13))
    )
    assert tape.layers()[1] == ("{upsample: {mode: bilinear, align_corners: false}, from: [conv2d, input]}")


def test_parameters_become_layers_in_the_shape_that_is_read(tape: Recorder) -> None:
    x, token, table = tape.input(4, 6), tape.parameter(1, 1, 6, name="cls_token"), tape.parameter(1, 5, 6, name="pos")
    wide = tape.call("torch.Tensor.expand", token, 1, -1, -1, to=(BATCH, 1, 6))
    y = tape.call("torch.cat", (wide, x), dim=1, to=(BATCH, 5, 6))
    tape.call("torch.Tensor.add", y, table, to=(BATCH, 5, 6))
    assert tape.layers() == [
        "{parameter: {shape: [1, 6]}, name: cls_token}",
        "{concat: {}, from: [cls_token, input]}",
        "{parameter: {shape: [5, 6]}, name: pos}",
        "{add: {}, from: [concat, pos]}",
    ]
    assert sum(map(params, tape.lifted().steps)) == 36


def test_a_parameter_that_is_read_in_two_shapes_is_held_once(tape: Recorder) -> None:
    x, table = tape.input(5, 6), tape.parameter(1, 5, 6, name="table")
    y = tape.call("torch.Tensor.add", x, table, to=(BATCH, 5, 6))
    z = tape.call("torch.Tensor.unsqueeze", y, 1, to=(BATCH, 1, 5, 6))
    view = tape.call("torch.Tensor.view", table, 1, 1, 5, 6, to=(1, 1, 5, 6))
    tape.call("torch.Tensor.add", z, view, to=(BATCH, 1, 5, 6))
    assert tape.layers() == [
        "{parameter: {shape: [5, 6]}, name: table}",
        "{add: {}, from: [input, table]}",
        "unsqueeze: {dim: 0}",
        "{unsqueeze: {dim: 0}, from: table}",
        "{add: {}, from: [unsqueeze, unsqueeze_2]}",
    ]
    assert sum(map(params, tape.lifted().steps)) == 30


def test_parts_of_a_table_that_are_taken_twice_are_one(tape: Recorder) -> None:
    x, table = tape.input(5, 6), tape.tensor(5, 12, origin="buffer", name="table")
    y = x
    for _ in range(2):
        half = tape.call("torch.Tensor.__getitem__", table, (slice(None), slice(6, None)), to=(5, 6))
        y = tape.call("torch.Tensor.mul", y, half, to=(BATCH, 5, 6))
    assert tape.layers() == [
        "parameter: {shape: [5, 6], learned: false}",
        "{multiply: {}, from: [input, parameter]}",
        "{multiply: {}, from: [multiply, parameter]}",
    ]


def test_a_factor_of_one_stands_where_its_class_has_other_factors(tape: Recorder) -> None:
    y = tape.input(4)
    for factor in (1.0, 0.5):
        tape.tape.scopes.append(Scope(f"block{factor:g}", "Block", 0, start=len(tape.tape.calls)))
        y = tape.call("torch.Tensor.mul", y, factor, to=(BATCH, 4))
        tape.tape.calls[-1] = tape.tape.calls[-1]._replace(scope=len(tape.tape.scopes) - 1)
    tape.call("torch.Tensor.mul", y, 1.0, to=(BATCH, 4))
    steps = tape.lifted().steps
    assert [step.layer.fields().get("scale", 1.0) for step in steps if step.layer is not None] == [1.0, 0.5]


def params(step: Step) -> int:
    """The learned numbers of a step without inputs."""
    return sum(prod(w.shape) for w in step.layer.weights(()) if w.learnable) if step.layer and not step.inputs else 0


def test_a_learned_factor_a_channel_is_a_scale(tape: Recorder) -> None:
    x = tape.input(4, 3, 3)
    y = tape.call("torch.Tensor.mul", x, tape.parameter(4, 1, 1, name="gamma"), to=(BATCH, 4, 3, 3))
    tape.call("torch.mul", tape.parameter(1, name="gain"), y, to=(BATCH, 4, 3, 3))
    assert tape.layers() == ["scale", "scale: {size: 1}"]


def test_numbers_are_folded_into_rescale(tape: Recorder) -> None:
    x = tape.input(4)
    half = tape.tensor(origin="constant", numbers=(0.5,))
    y = tape.call("torch.Tensor.mul", x, half, to=(BATCH, 4))
    y = tape.call("torch.Tensor.rsub", y, 1, to=(BATCH, 4))
    tape.call("torch.Tensor.div", y, 4, to=(BATCH, 4))
    assert tape.layers() == [
        "rescale: {scale: 0.5}",
        "rescale: {scale: -1.0, offset: 1.0}",
        "rescale: {scale: 0.25}",
    ]


def test_weights_that_a_batch_norm_standardises(tape: Recorder) -> None:
    x, weight, gain = tape.input(3, 8, 8), tape.parameter(4, 3, 3, 3), tape.parameter(4, 1, 1, 1, name="gain")
    flat = tape.call("torch.Tensor.reshape", weight, 1, 4, -1, to=(1, 4, 27))
    factor = tape.call("torch.Tensor.mul", gain, 0.1, to=(4, 1, 1, 1))
    factor = tape.call("torch.Tensor.view", factor, -1, to=(4,))
    normed = tape.call("torch.nn.functional.batch_norm", flat, None, None, weight=factor, training=True, to=(1, 4, 27))
    made = tape.call("torch.Tensor.reshape_as", normed, weight, to=(4, 3, 3, 3))
    tape.call("torch.nn.functional.conv2d", x, made, to=(BATCH, 4, 6, 6), macs=3888)
    assert tape.layers() == ["conv2d: {out: 4, k: 3, bias: false, standardize: true, gain: true}"]


def test_a_bias_that_is_put_together_is_added(tape: Recorder) -> None:
    x, weight = tape.input(4), tape.parameter(6, 4)
    learned, fixed = tape.parameter(3, name="q_bias"), tape.tensor(3, origin="buffer", name="k_bias")
    bias = tape.call("torch.cat", (learned, fixed), to=(6,))
    tape.call("torch.nn.functional.linear", x, weight, bias, to=(BATCH, 6), macs=24)
    assert tape.layers() == [
        "linear: {bias: false, out: 6}",
        "{parameter: {shape: [3]}, name: q_bias}",
        "{parameter: {shape: [3], learned: false}, name: k_bias}",
        "{concat: {}, from: [q_bias, k_bias]}",
        "{add: {}, from: [linear, concat]}",
    ]


def test_a_module_that_is_called_twice_shares_its_weights(tape: Recorder) -> None:
    x, weight = tape.input(4), tape.parameter(4, 4)
    y = tape.call("torch.nn.functional.linear", x, weight, to=(BATCH, 4), macs=16)
    tape.call("torch.nn.functional.linear", y, weight, to=(BATCH, 4), macs=16)
    assert [node.shares for node in network(tape.lifted())] == [None, 1]


def test_a_block_that_is_written_to_is_joined_with_what_is_around_it(tape: Recorder) -> None:
    x = tape.input(5, 4)
    block = tape.call("torch.Tensor.__getitem__", x, (slice(None), slice(1, None)), to=(BATCH, 4, 4))
    new = tape.call("torch.Tensor.relu_", block, to=(BATCH, 4, 4))
    tape.call("convcalc.written_elsewhere", x, new, to=(BATCH, 5, 4))
    assert tape.layers() == [
        "slice: {start: 1}",
        "relu",
        "{slice: {stop: 1}, from: input}",
        "{concat: {}, from: [slice_2, relu]}",
    ]


def test_norms_of_channels_between_permutations_are_one_layer(tape: Recorder) -> None:
    x, weight, bias = tape.input(4, 3, 5), tape.parameter(4), tape.parameter(4, name="bias")
    y = tape.call("torch.Tensor.permute", x, 0, 2, 3, 1, to=(BATCH, 3, 5, 4))
    y = tape.call("torch.nn.functional.layer_norm", y, (4,), weight, bias, 1e-6, to=(BATCH, 3, 5, 4))
    tape.call("torch.Tensor.permute", y, 0, 3, 1, 2, to=(BATCH, 4, 3, 5))
    assert tape.layers() == ["layer_norm: {dim: 0, eps: 1e-06}"]


def test_a_channel_shuffle_is_one_layer_at_every_size(tape: Recorder) -> None:
    space = ((3, 4), (5, 7))
    x = tape.input(6, *space)
    y = tape.call("torch.Tensor.view", x, 1, 2, 3, 3, 5, to=(BATCH, 2, 3, *space))
    y = tape.call("torch.transpose", y, 1, 2, to=(BATCH, 3, 2, *space))
    y = tape.call("torch.Tensor.view", y, 1, 6, 3, 5, to=(BATCH, 6, *space))
    tape.call("torch.relu", y, to=(BATCH, 6, *space))
    assert tape.layers() == ["channel_shuffle: {g: 2}", "relu"]
    assert not any(step.frozen for step in tape.lifted().steps)


def test_a_recurrent_layer_on_rows_that_count_as_batch(tape: Recorder) -> None:
    x = tape.input(4, 9, 5)
    rows = tape.call("torch.Tensor.reshape", x, -1, 9, 5, to=((4, 8), 9, 5))
    state = tape.tensor(2, (4, 8), 7, origin="constant", numbers=(0.0,))
    shapes = ((28, 5), (28, 7), (28,), (28,))
    weights = tuple([tape.parameter(*shape, name=f"w{n}") for n, shape in enumerate(shapes * 2)])
    macs = 4 * 9 * 2 * 28 * (5 + 7)
    call = (rows, (state, state), weights, True, 1, 0.0, False, True, True)
    tape.call("torch.lstm", *call, to=((4, 8), 9, 14), macs=macs)
    assert tape.layers() == ["{lstm: {hidden_size: 7, bidirectional: true}, batch_axes: 1}"]
    assert [len(step.weights) for step in tape.lifted().steps] == [0, 8]


@pytest.mark.parametrize(
    ("number", "packed", "said"),
    [(0.5, False, "its states at the start are given"), (0.0, True, "its sequences are packed")],
)
def test_recurrent_layers_that_start_elsewhere_are_opaque(
    tape: Recorder, number: float, packed: bool, said: str
) -> None:
    x = tape.input(9, 5)
    state = tape.tensor(1, BATCH, 7, origin="constant", numbers=(number,))
    weights = tuple([tape.parameter(7, size, name=f"w{size}") for size in (5, 7)])
    given = (x, x, state, weights) if packed else (x, state, weights, False)
    tape.call("torch.rnn_tanh", *given, 1, 0.0, False, False, to=(BATCH, 9, 7), macs=756)
    assert tape.lifted().opaque == {"torch.rnn_tanh": [said]}


def test_heads_that_share_keys_have_them_repeated(tape: Recorder) -> None:
    query, key = tape.input(4, 9, 8), tape.input(1, 6, 8)
    given = ("torch.nn.functional.scaled_dot_product_attention", query, key, key)
    tape.call(*given, to=(BATCH, 4, 9, 8), macs=2 * 4 * 9 * 6 * 8)
    assert tape.layers() == [
        "{expand: {shape: [4, -1, -1]}, from: x_2}",
        "{expand: {shape: [4, -1, -1]}, from: x_2}",
        "{scaled_dot_product_attention: {}, from: [x, expand, expand_2]}",
    ]


def test_bounds_that_the_model_holds_are_joined(tape: Recorder) -> None:
    x, low = tape.input(4), tape.tensor(origin="buffer", name="low")
    tape.call("torch.clamp", x, low, 6.0, to=(BATCH, 4))
    assert [line.partition(":")[0].strip("{") for line in tape.layers()] == [
        "parameter",
        "maximum",
        "clamp",
    ]


def test_a_view_stands_where_it_is_read_once_its_module_is_over(tape: Recorder) -> None:
    tape.tape.scopes += [Scope("a", "A", 0, start=0, stop=2), Scope("b", "B", 0, start=2, stop=4)]
    x = tape.input(4, 3)
    y = tape.call("torch.relu", x, to=(BATCH, 4, 3))
    flat = tape.call("torch.Tensor.flatten", y, 1, to=(BATCH, 12))
    z = tape.call("torch.tanh", y, to=(BATCH, 4, 3))
    z = tape.call("torch.Tensor.flatten", z, 1, to=(BATCH, 12))
    tape.call("torch.Tensor.add", z, flat, to=(BATCH, 12))
    for index, scope in enumerate((1, 1, 2, 2, 0)):
        tape.tape.calls[index] = tape.tape.calls[index]._replace(scope=scope)
    assert [node.name for node in network(tape.lifted()) if node.layer] == [
        "a",
        "b.tanh",
        "b.flatten",
        "flatten",
        "add",
    ]


def test_a_module_that_only_views_has_its_layer(tape: Recorder) -> None:
    head = (Scope("h", "Head", 0, stop=2), Scope("h.pool", "Pool", 1, stop=1), Scope("h.flat", "Flatten", 1, start=1))
    tape.tape.scopes += [*head, Scope("fc", "Linear", 0, start=2, stop=3)]
    y = tape.call("torch.relu", tape.input(4, 3), to=(BATCH, 4, 3))
    y = tape.call("torch.Tensor.flatten", y, 1, to=(BATCH, 12))
    tape.call("torch.tanh", y, to=(BATCH, 12))
    for index, scope in enumerate((2, 3, 4)):
        tape.tape.calls[index] = tape.tape.calls[index]._replace(scope=scope)
    assert [node.name for node in network(tape.lifted()) if node.layer] == ["h.pool", "h.flat", "fc"]


def test_an_opaque_call_of_a_parameter_alone_reads_it(tape: Recorder) -> None:
    x, table = tape.input(4, 6), tape.parameter(1, 4, 3, name="table")
    wide = tape.call("torch.unknown", table, to=(1, 4, 6))
    tape.call("torch.Tensor.add", x, wide, to=(BATCH, 4, 6))
    made = network(tape.lifted())
    assert [node.layer.kind for node in made if node.layer] == ["parameter", "opaque", "squeeze", "add"]
    assert sum(map(params, tape.lifted().steps)) == 12
    assert list(wired(loads(write(made)))) == list(wired(made))


def test_work_on_the_batch_is_opaque(tape: Recorder) -> None:
    x = tape.input(4)
    tape.call("torch.mean", x, 0, to=(4,))
    assert tape.lifted().opaque == {"torch.mean": ["it works along the batch"]}


def wired(network: Network) -> Iterator[tuple[Any, ...]]:
    for node in network.nodes:
        yield node.layer, node.inputs, node.shape, node.shares, node.tied


@pytest.mark.parametrize("name", TAPES)
def test_models_agree_with_pytorch_and_survive_as_specs(name: str) -> None:
    tape, answer = from_json(TAPES[name]), ANSWERS[name]
    lifted = lift(tape)
    assert lifted.opaque == {}
    made = network(lifted)
    learned, macs = figures(made)
    unused = sum(prod(tape.parameters[name]) for name in tape.unused)
    assert (learned + unused, macs) == (answer["params"], answer["macs"])
    outputs: list[Shape] = [lifted.steps[step].shape for _, step in lifted.outputs]
    assert sorted(map(list, outputs)) == sorted(answer["outputs"])
    assert list(wired(loads(write(made)))) == list(wired(made))


def figures(made: Network) -> tuple[int, int]:
    """Parameters and multiply-accumulates."""
    held = list(held_weights(made.nodes))
    learned = sum(prod(weight.shape) for weight in held if weight.learnable)
    return learned, sum(macs_of(made, node) for node in made)


def macs_of(made: Network, node: Any) -> int:
    operations: Mapping[str, int] = node.layer.operations(made.input_shapes(node), node.shape)
    return operations.get("mac", 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ANSWERS)[::9])
def test_models_that_are_run_agree_with_the_record(name: str) -> None:
    """Needs torch, and torchvision or timm; the versions of the record."""
    package, _, model = name.partition("/")
    pytest.importorskip(package)
    answer = ANSWERS[name]
    factory = "torchvision.models:get_model"
    arguments: dict[str, object] = {"name": model, "weights": None}
    if package == "timm":
        factory, arguments = ("timm:create_model", {"model_name": model})
    elif answer["outputs"][0][1:]:
        arguments["weights_backbone"] = None
    made = load(factory, input=tuple(answer["input"]), arguments=arguments)
    unread = [note for note in made.notes if note.code == "CC724"]
    learned, macs = figures(made)
    assert macs == answer["macs"]
    assert learned == answer["params"] or unread
    assert list(wired(loads(write(made)))) == list(wired(made))


@pytest.mark.parametrize("function", ["torch.nn.functional.embedding", "aten.embedding.default", "names"])
def test_rows_that_tokens_name_are_an_embedding(tape: Recorder, function: str) -> None:
    tokens, table = tape.input(12), tape.parameter(100, 8)
    if function == "names":
        tape.call("aten.embedding.default", weight=table, indices=tokens, to=(BATCH, 12, 8))
    else:
        tape.call(function, *((table, tokens) if function.startswith("aten") else (tokens, table)), to=(BATCH, 12, 8))
    assert tape.layers() == ["embedding: {num_embeddings: 100, embedding_dim: 8}"]
    (step,) = [step for step in tape.lifted().steps if step.layer is not None]
    assert step.weights == {"weight": table.tensor} and step.shape == (12, 8)


@pytest.mark.parametrize("product", ["linear", "matmul", "mm of rows"])
def test_a_head_has_the_table_of_an_embedding(tape: Recorder, product: str) -> None:
    """However it multiplies with it: F.linear(x, table, bias), x @ table.t()."""
    tokens, table, bias = tape.input(12), tape.parameter(100, 8), tape.parameter(100, name="bias")
    rows = tape.call("torch.nn.functional.embedding", tokens, table, to=(BATCH, 12, 8))
    if product == "linear":
        tape.call("torch.nn.functional.linear", rows, table, bias, to=(BATCH, 12, 100), macs=9600)
    else:
        turned = tape.call("torch.Tensor.t", table, to=(8, 100))
        logits = tape.call("torch.matmul", rows, turned, to=(BATCH, 12, 100), macs=9600)
        if product == "mm of rows":
            tape.call("torch.add", logits, bias, to=(BATCH, 12, 100))
    made = network(tape.lifted())
    assert [(node.kind, node.tied) for node in made if node.kind in ("embedding", "linear")] == [
        ("embedding", ()),
        ("linear", (Tied("weight", 1),)),
    ]
    assert figures(made)[0] == 800 + 100 * (product != "matmul")
    assert "CC725" not in [note.code for note in made.notes]


def test_equal_tables_are_two_and_a_transposed_one_is_counted_again(tape: Recorder) -> None:
    tokens, table = tape.input(12), tape.parameter(100, 8)
    rows = tape.call("torch.nn.functional.embedding", tokens, table, to=(BATCH, 12, 8))
    other = tape.parameter(100, 8, name="other")
    logits = tape.call("torch.nn.functional.linear", rows, other, to=(BATCH, 12, 100), macs=9600)
    assert figures(network(tape.lifted()))[0] == 1600
    turned = tape.call("torch.Tensor.t", other, to=(8, 100))
    tape.call("torch.nn.functional.linear", logits, turned, to=(BATCH, 12, 8), macs=9600)
    made = network(tape.lifted())
    assert figures(made)[0] == 2400
    assert [note.code for note in made.notes] == ["CC725"]


def test_tokens_of_several_axes_have_features_behind_them(tape: Recorder) -> None:
    tokens, table = tape.input(3, 12), tape.parameter(100, 8)
    found = tape.call("torch.nn.functional.embedding", tokens, table, to=(BATCH, 3, 12, 8))
    tape.call("torch.Tensor.mean", found, 2, to=(BATCH, 3, 8))
    assert tape.layers() == ["embedding: {num_embeddings: 100, embedding_dim: 8}", "mean: {dim: 1}"]


def test_rows_that_are_scaled_or_of_a_computed_table_are_opaque(tape: Recorder) -> None:
    tokens, table = tape.input(12), tape.parameter(100, 8)
    tape.call("torch.nn.functional.embedding", tokens, table, None, 2.0, to=(BATCH, 12, 8))
    assert tape.lifted().opaque == {"torch.nn.functional.embedding": ["it scales the rows that it looks up"]}
    double = tape.call("torch.mul", table, 2, to=(100, 8))
    tape.call("torch.nn.functional.embedding", tokens, double, to=(BATCH, 12, 8))
    assert tape.lifted().opaque["torch.nn.functional.embedding"][1] == "it looks up rows of a table that is computed"


@pytest.mark.parametrize(
    ("args", "rows", "kinds"),
    [
        ((12,), 12, ["parameter", "add"]),
        ((0, 12), 12, ["parameter", "add"]),
        ((12,), 20, ["parameter", "index_select", "add"]),
        ((1, 13), 13, ["parameter", "index_select", "add"]),
    ],
)
def test_positions_that_are_counted_are_the_whole_table(
    tape: Recorder, args: tuple[int, ...], rows: int, kinds: list[str]
) -> None:
    x, table = tape.input(12, 8), tape.parameter(rows, 8)
    counted = tape.call("torch.arange", *args, to=(12,))
    found = tape.call("torch.nn.functional.embedding", counted, table, to=(12, 8))
    tape.call("torch.add", x, found, to=(BATCH, 12, 8))
    assert [node.kind for node in network(tape.lifted()) if node.layer is not None] == kinds


def test_whole_numbers_stay_and_fractions_are_not_cut_off_unsaid(tape: Recorder) -> None:
    tokens, table = tape.input(12), tape.parameter(100, 8)
    whole = tape.call("torch.Tensor.long", tokens, to=(BATCH, 12))
    tape.call("torch.nn.functional.embedding", whole, table, to=(BATCH, 12, 8))
    assert tape.layers() == ["embedding: {num_embeddings: 100, embedding_dim: 8}"]
    cut = tape.call("torch.Tensor.long", tokens, to=(BATCH, 12))
    tape.call("torch.add", cut, 1, to=(BATCH, 12))
    assert tape.lifted().opaque == {"torch.Tensor.long": ["it cuts off fractions"]}


def recurrent(tape: Recorder, kind: str, layers: int, directions: int, *, swapped: bool = False) -> tuple[Ref, ...]:
    """A call on 9 positions of 5 features with states of 7: the output, and the states with which it ends."""
    gates = {"lstm": 4, "gru": 3}[kind] * 7
    x = tape.input(9, 5)
    if swapped:
        x = tape.call("torch.Tensor.permute", x, 1, 0, 2, to=(9, BATCH, 5))
    state = tape.tensor(layers * directions, BATCH, 7, origin="constant", numbers=(0.0,))
    read = [5, *[7 * directions] * (layers - 1)]
    shapes = [shape for size in read for _ in range(directions) for shape in ((gates, size), (gates, 7))]
    weights = tuple([tape.parameter(*shape, name=f"w{n}") for n, shape in enumerate(shapes)])
    given = ((state, state) if kind == "lstm" else state, weights, False, layers, 0.0, False, directions == 2)
    macs = sum(9 * rows * columns for rows, columns in shapes)
    order = (9, BATCH) if swapped else (BATCH, 9)
    tape.call(f"torch.{kind}", x, *given, not swapped, to=(*order, 7 * directions), macs=macs)
    call = tape.tape.calls[-1]
    states = [tape.tensor(layers * directions, BATCH, 7) for _ in range(1 + (kind == "lstm"))]
    tape.tape.calls[-1] = call._replace(outputs=(*call.outputs, *(one.tensor for one in states)))
    return (Ref(call.outputs[0]), *states)


@pytest.mark.parametrize("index", [-1, (-1, slice(None), slice(None)), 1])
def test_the_last_state_of_a_stack_of_layers_is_the_last_output(tape: Recorder, index: Any) -> None:
    _, last = recurrent(tape, "gru", 2, 1)
    tape.call("torch.Tensor.__getitem__", last, index, to=(BATCH, 7))
    assert tape.layers() == ["gru: {hidden_size: 7, num_layers: 2, bias: false}", "select: {dim: 0, index: -1}"]
    assert not tape.lifted().opaque


def test_the_last_states_of_both_directions(tape: Recorder) -> None:
    _, last, _ = recurrent(tape, "lstm", 1, 2, swapped=True)
    parts = [tape.call("torch.Tensor.__getitem__", last, index, to=(BATCH, 7)) for index in (-2, -1)]
    tape.call("torch.cat", tuple(parts), dim=1, to=(BATCH, 14))
    assert tape.layers() == [
        "lstm: {hidden_size: 7, bias: false, bidirectional: true}",
        "select: {dim: 0, index: -1}",
        "slice: {stop: 7}",
        "{select: {dim: 0, index: 0}, from: lstm}",
        "slice: {start: 7}",
        "{concat: {}, from: [slice, slice_2]}",
    ]


def test_layers_whose_last_states_are_all_read_stand_apart(tape: Recorder) -> None:
    _, last = recurrent(tape, "gru", 2, 1)
    tape.call("torch.Tensor.sum", last, 0, to=(BATCH, 7))
    assert tape.layers() == [
        "gru: {hidden_size: 7, bias: false}",
        "select: {dim: 0, index: -1}",
        "{gru: {hidden_size: 7, bias: false}, from: gru}",
        "select: {dim: 0, index: -1}",
        "{stack: {}, from: [select, select_2]}",
        "sum: {dim: 0}",
    ]
    assert [len(step.weights) for step in tape.lifted().steps if step.weights] == [2, 2]


def test_a_state_that_no_output_shows_is_opaque_beside_its_layer(tape: Recorder) -> None:
    _, _, cells = recurrent(tape, "lstm", 1, 1)
    tape.call("torch.Tensor.__getitem__", cells, -1, to=(BATCH, 7))
    first, second, *_ = tape.layers()
    assert first == "lstm: {hidden_size: 7, bias: false}"
    assert "operator: torch.lstm, output: [1, 7], reads: [[9, 7]]" in second
    assert tape.lifted().opaque == {"torch.lstm": ["the language has only its output 0, and 2 is read"]}


def test_an_opaque_call_has_its_weights_and_its_cost_where_it_is_read(tape: Recorder) -> None:
    x, weight = tape.input(5), tape.parameter(7, 5)
    tape.call("torch.other", x, weight, to=(BATCH, 7), macs=35)
    call = tape.tape.calls[-1]
    second = tape.tensor(BATCH, 7)
    tape.tape.calls[-1] = call._replace(outputs=(*call.outputs, second.tensor))
    tape.call("torch.relu", second, to=(BATCH, 7))
    assert "holds: [[7, 5]], macs: 35" in tape.layers()[0]


def test_what_was_stacked_is_taken_as_it_was(tape: Recorder) -> None:
    x = tape.input(5)
    parts = (tape.call("torch.relu", x, to=(BATCH, 5)), tape.call("torch.tanh", x, to=(BATCH, 5)))
    stacked = tape.call("torch.stack", parts, 1, to=(BATCH, 2, 5))
    tape.call("torch.Tensor.__getitem__", stacked, (slice(None), 1), to=(BATCH, 5))
    assert tape.layers() == ["tanh"]


def test_queries_that_are_the_same_for_every_example(tape: Recorder) -> None:
    x = tape.input(9, 8)
    keys = tape.call("torch.Tensor.permute", x, 1, 0, 2, to=(9, BATCH, 8))
    queries = tape.call("torch.Tensor.repeat", tape.parameter(4, 1, 8, name="q"), 1, 1, 1, to=(4, BATCH, 8))
    tape.second(queries, 1, 2, 1)
    held = (tape.parameter(24, 8, name="in"), tape.parameter(24, name="in_bias"), None, None, False, 0.0)
    out = (tape.parameter(8, 8, name="out"), tape.parameter(8, name="out_bias"))
    macs = 8 * 8 * (4 + 9 + 9 + 4) + 2 * 4 * 9 * 8
    attended = "torch.nn.functional.multi_head_attention_forward"
    tape.call(attended, queries, keys, keys, 8, 2, *held, *out, to=(4, BATCH, 8), macs=macs)
    assert [node.shape for node in network(tape.lifted()) if node.layer and node.layer.multiplies] == [(4, 8)]


@pytest.mark.parametrize(
    ("function", "arguments", "to", "wanted"),
    [
        ("torch.nn.functional.softmin", {"dim": 1}, (BATCH, 6), ["neg", "softmax"]),
        ("torch.nn.functional.rrelu", {}, (BATCH, 6), [f"leaky_relu: {{negative_slope: {11 / 48}}}"]),
        ("torch.argmin", {"dim": 1}, (BATCH,), ["neg", "argmax: {dim: 0}"]),
        ("torch.fake_quantize_per_tensor_affine", {}, (BATCH, 6), ["identity"]),
    ],
)
def test_functions_that_are_others_of_the_negative_or_none(
    tape: Recorder, function: str, arguments: dict[str, Any], to: tuple[Any, ...], wanted: list[str]
) -> None:
    tape.call(function, tape.input(6), **arguments, to=to)
    assert tape.layers() == wanted


def test_a_slope_that_is_drawn_is_opaque(tape: Recorder) -> None:
    tape.call("torch.nn.functional.rrelu", tape.input(6), training=True, to=(BATCH, 6))
    assert tape.lifted().opaque == {"torch.nn.functional.rrelu": ["its slope is drawn"]}


def test_two_tensors_are_compared(tape: Recorder) -> None:
    x, y = tape.input(6), tape.input(6)
    tape.call("torch.nn.functional.pairwise_distance", x, y, to=(BATCH,))
    assert tape.layers() == ["sub", "rescale: {offset: 1e-06}", "norm: {dim: 0}"]
    tape.call("torch.nn.functional.cosine_similarity", x, y, to=(BATCH,))
    kinds = [step.layer.kind for step in tape.lifted().steps if step.layer]
    assert kinds[3:] == ["norm", "clamp", "div", "norm", "clamp", "div", "multiply", "sum"]


@pytest.mark.parametrize(("mode", "kind"), [("mean", "mean"), ("sum", "sum"), ("max", "amax")])
def test_bags_of_rows_are_an_embedding_and_a_reduction(tape: Recorder, mode: str, kind: str) -> None:
    x, table = tape.input(9), tape.parameter(50, 8)
    tape.call("torch.nn.functional.embedding_bag", x, table, mode=mode, to=(BATCH, 8))
    assert tape.layers() == ["embedding: {num_embeddings: 50, embedding_dim: 8}", f"{kind}: {{dim: 0}}"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"offsets": 0}, "its bags have lengths of their own"),
        ({"padding_idx": 0}, "some of its rows count differently"),
    ],
)
def test_bags_that_count_otherwise_are_opaque(tape: Recorder, more: dict[str, Any], said: str) -> None:
    x, table = tape.input(9), tape.parameter(50, 8)
    tape.call("torch.nn.functional.embedding_bag", x, table, **more, to=(BATCH, 8))
    assert tape.lifted().opaque == {"torch.nn.functional.embedding_bag": [said]}


@pytest.mark.parametrize(("dim", "length"), [(0, (4, 1, 1, 1)), (-1, ())])
def test_weights_with_a_length_of_their_own(tape: Recorder, dim: int, length: tuple[int, ...]) -> None:
    x, v, g = tape.input(3, 8, 8), tape.parameter(4, 3, 3, 3, name="v"), tape.parameter(*length, name="g")
    weight = tape.call("torch._VariableFunctionsClass._weight_norm", v, g, dim, to=(4, 3, 3, 3))
    tape.call("torch.conv2d", x, weight, None, to=(BATCH, 4, 6, 6), macs=4 * 36 * 27)
    lifted = tape.lifted()
    assert not lifted.opaque
    kinds = [node.layer.kind for node in network(lifted) if node.layer and node.layer.kind not in ("reshape",)]
    assert kinds == ["parameter", "parameter", "norm", "div", "multiply", "conv2d"]


def test_a_spectral_norm_is_products_with_vectors(tape: Recorder) -> None:
    x, weight = tape.input(5), tape.parameter(4, 5)
    u, v = (tape.tensor(size, origin="buffer", name=name) for size, name in ((4, "u"), (5, "v")))
    product = tape.call("torch.mv", weight, v, to=(4,), macs=20)
    length = tape.call("torch.dot", u, product, to=(), macs=4)
    normed = tape.call("torch.Tensor.div", weight, length, to=(4, 5))
    tape.call("torch.nn.functional.linear", x, normed, None, to=(BATCH, 4), macs=20)
    lifted = tape.lifted()
    assert not lifted.opaque
    kinds = [node.layer.kind for node in network(lifted) if node.layer]
    assert [kind for kind in kinds if kind in ("matmul", "div", "linear")] == ["matmul", "matmul", "div", "linear"]


@pytest.mark.parametrize(
    ("one", "other", "to", "macs"),
    [
        ((BATCH, 4, 5), (5,), (BATCH, 4), 20),
        ((4,), (BATCH, 4, 5), (BATCH, 5), 20),
    ],
)
def test_matrices_times_vectors(tape: Recorder, one: Any, other: Any, to: Any, macs: int) -> None:
    given = [tape.input(*dims[1:]) if dims[0] == BATCH else tape.parameter(*dims) for dims in (one, other)]
    tape.call("torch.matmul", *given, to=to, macs=macs)
    lifted = tape.lifted()
    assert not lifted.opaque and network(lifted).nodes[-1].shape == tuple(to[1:])


def test_numbers_that_a_constant_mask_takes_away(tape: Recorder) -> None:
    mask = tape.tensor(6, 6, origin="buffer", name="mask")
    tape.call("torch.Tensor.masked_fill", tape.input(6, 6), mask, float("-inf"), to=(BATCH, 6, 6))
    assert tape.layers() == [
        "{parameter: {shape: [6, 6], learned: false}, name: mask}",
        "{add: {}, from: [input, mask]}",
    ]
    tape.call("torch.Tensor.masked_fill", tape.input(6, 6), mask, 0.5, to=(BATCH, 6, 6))
    assert tape.lifted().opaque == {
        "torch.Tensor.masked_fill": ["it writes other numbers than −∞ where a mask says so"]
    }


def test_noise_is_a_constant(tape: Recorder) -> None:
    x = tape.input(6)
    noise = tape.call("torch.randn_like", x, to=(BATCH, 6))
    tape.call("torch.Tensor.add", x, noise, to=(BATCH, 6))
    assert not tape.lifted().opaque


def test_the_batch_of_an_opaque_output_is_the_axis_that_counts_nothing_else(tape: Recorder) -> None:
    x = tape.input(4, (6, 9))
    swapped = tape.call("torch.Tensor.permute", x, 1, 0, 2, to=(4, BATCH, (6, 9)))
    tape.call("torch.other", swapped, to=(BATCH, (6, 18), (6, 18)))
    assert "output: [6, 6]" in tape.layers()[-1]


def test_an_output_of_params_that_nothing_reads_has_no_layer(tape: Recorder) -> None:
    x, weight = tape.input(4), tape.parameter(4, 4)
    first, second = tape.tensor(4, 4), tape.tensor(4, 4)
    tape.tape.calls.append(Call("torch.linalg.qr", (weight,), {}, (first.tensor, second.tensor), 0))
    tape.call("torch.matmul", x, first, to=(BATCH, 4), macs=16)
    assert [step.layer.kind for step in tape.lifted().steps if step.layer is not None][:2] == ["parameter", "opaque"]


def test_a_call_whose_output_its_input_does_not_give_is_opaque(tape: Recorder) -> None:
    """A tape of a file may have any sizes."""
    tape.call("aten.repeat.default", tape.input(4, 9, 8), to=(4, 9, 8))
    assert tape.lifted().opaque == {"aten.repeat.default": ["it does not become [4, 9, 8]"]}
