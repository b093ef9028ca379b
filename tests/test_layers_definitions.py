"""What the definitions of the kinds say outright: flags, bounds of fields, the operations that they count."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
from pydantic import ValidationError

from convcalc.geometry import LIMIT, FeatureMismatch, GeometryError, WrongArity
from convcalc.layers.base import OPERATIONS, Layer, Saved, Weight, check_arity
from convcalc.layers.registry import KINDS, build, layer_class
from tests.reference_examples import EXAMPLES
from tests.test_layers_facts import reading

ELEMENTWISE = {"relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh", "mish", "selu", "gelu"} | {
    "leaky_relu", "prelu", "elu", "softplus", "softsign", "logsigmoid", "tanhshrink", "celu", "hardtanh", "threshold",
    "hardshrink", "softshrink"}  # fmt: skip
FUNCTIONS = {"exp", "log", "sqrt", "rsqrt", "abs", "neg", "square", "reciprocal", "sin", "cos", "erf", "sign", "floor",
    "ceil", "round", "pow", "clamp"}  # fmt: skip
BROADCAST = {"add", "sub", "multiply", "div", "maximum", "minimum"}
REDUCTIONS = {"mean": 1, "sum": 1, "amax": 1, "amin": 1, "prod": 1, "argmax": 1, "norm": 2, "logsumexp": 2, "var": 4,
    "std": 4}  # fmt: skip
PRODUCTS = {"matmul", "scaled_dot_product_attention", "multihead_attention"}
RECURRENT = {"rnn", "gru", "lstm", "conv_lstm1d", "conv_lstm2d", "conv_lstm3d"}
ALONG_AXES = {"expand", "select", "slice", "squeeze", "unbind", "unsqueeze"}
NORMS = {"batch_norm", "group_norm", "layer_norm", "rms_norm", "instance_norm", "local_response_norm"}
ADAPTIVE = {f"adaptive_{reduction}_pool{rank}d" for reduction in ("avg", "max") for rank in (1, 2, 3)}
GLOBAL = {"global_avg_pool", "global_max_pool"}


@pytest.mark.parametrize(
    ("flag", "kinds"),
    [
        ("is_view", {"flatten", "reshape", "permute", "identity", "split", "crop", *ALONG_AXES}),
        ("is_constant", {"parameter"}),
        ("asleep", {"dropout", "stochastic_depth"}),
        ("in_place", {*ELEMENTWISE, *FUNCTIONS, *NORMS, *BROADCAST, "scale", "rescale", "gate"}),
        ("joins", {"concat", "stack", "gate", *BROADCAST, *PRODUCTS}),
        ("splits", {"split", "unbind"}),
        ("multiplies_inputs", {"multiply", "div", "gate", "matmul", "scaled_dot_product_attention"}),
        ("activates", ELEMENTWISE),
        ("over_batch", {"batch_norm"}),
        ("changes_border", {"pad", "crop"}),
        ("ends_features", {*ADAPTIVE, *GLOBAL, *REDUCTIONS, "flatten", "reshape"}),
    ],
)
def test_flags(flag: str, kinds: set[str]) -> None:
    """Softmax reads what it writes over; a view shares its input's memory; batch norm alone mixes the examples."""
    assert {kind for kind in KINDS if getattr(layer_class(kind), flag)} == kinds
    assert getattr(Layer, flag) is False


@pytest.mark.parametrize(
    ("kind", "fewest", "most"),
    [
        ("concat", 1, None),
        ("add", 2, None),
        ("multiply", 2, None),
        ("gate", 3, 3),
        ("upsample", 1, 2),
        ("crop", 1, 2),
        ("sub", 2, 2),
        ("parameter", 0, 0),
        ("relu", 1, 1),
        ("conv2d", 1, 1),
    ],
)
def test_how_many_inputs_a_kind_takes(kind: str, fewest: int, most: int | None) -> None:
    fields = {"conv2d": {"out": 1, "k": 1}, "parameter": {"shape": [1]}}.get(kind, {})
    layer = build(kind, fields)
    wanted = {(1, None): "at least 1 inputs", (2, None): "at least 2 inputs", (1, 2): "1 to 2 inputs"}
    wanted |= {(3, 3): "3 inputs", (1, 1): "1 input", (2, 2): "2 inputs", (0, 0): "0 inputs"}
    for count in range(7):
        if count >= fewest and (most is None or count <= most):
            check_arity(layer, count)
        else:
            with pytest.raises(WrongArity, match=f"^{kind} takes {wanted[fewest, most]}, not {count}$"):
                check_arity(layer, count)


CONV = {"out": 2, "k": 1}


@pytest.mark.parametrize(
    ("kind", "given", "field", "taken", "refused"),
    [
        ("conv2d", CONV, "kernel_size", [1, LIMIT], [0, -1, LIMIT + 1, 1.0, True]),
        ("conv2d", CONV, "stride", [1, 2], [0, -1]),
        ("conv2d", CONV, "dilation", [1, 2], [0]),
        ("conv2d", CONV, "padding", [0, 1], [-1, LIMIT + 1]),
        ("conv2d", {**CONV, "padding_mode": "reflect"}, "padding", [0, -1, 1], [LIMIT + 1, -LIMIT - 1]),
        ("conv2d", CONV, "out_channels", [1, LIMIT], [0, LIMIT + 1]),
        ("conv2d", CONV, "groups", [1, 2], [0, 3]),
        ("conv2d", CONV, "bias", [True, False], [1, 0]),
        ("conv_transpose2d", {**CONV, "s": 3}, "output_padding", [0, 2], [-1, 3]),
        ("conv_transpose2d", {**CONV, "s": 2, "d": 3}, "output_padding", [2], [3]),
        ("separable_conv2d", CONV, "depth_multiplier", [1, 3], [0]),
        ("dropout", {}, "p", [0, 0.5, 1], [-0.001, 1.001]),
        ("stochastic_depth", {"p": 0}, "p", [0, 1], [-0.001, 1.001]),
        ("batch_norm", {}, "eps", [0, 1, 1e-9], [-1e-9, float("inf")]),
        ("batch_norm", {}, "momentum", [None, 0.5, -1, 2], [float("inf"), float("nan")]),
        ("group_norm", {"num_groups": 1}, "num_groups", [1, 4], [0]),
        ("local_response_norm", {"size": 1}, "size", [1, 2], [0]),
        ("softplus", {}, "beta", [0.5, 1e-9], [0, -1]),
        ("softmax", {}, "dim", [-64, 63], [-65, 64]),
        ("flatten", {}, "start_dim", [-64, 63], [-65, 64]),
        ("reshape", {"shape": [1]}, "shape", [[], [1], [-1], [-1, LIMIT]], [[0], [-2], [-1, -1], [LIMIT + 1]]),
        ("permute", {"dims": [0]}, "dims", [[0], [1, 0], [-1, 0]], [[1], [0, 0], [], [0, 2]]),
        ("lp_pool2d", {"k": 1, "norm_type": 1}, "norm_type", [0.1, 7], [0, -1, float("inf")]),
        ("avg_pool2d", {"k": 1}, "divisor_override", [1, None], [0]),
        ("prelu", {}, "num_parameters", [1, 4], [0]),
        ("pixel_shuffle", {"upscale_factor": 1}, "upscale_factor", [1, 2], [0]),
        ("channel_shuffle", {"groups": 1}, "groups", [1, 2], [0]),
        ("upsample", {}, "scale_factor", [1, 0.1, 1e-9, [2, 0.5]], [0, 0.0, -1, -0.5, float("inf"), [0, 1]]),
        ("upsample", {}, "size", [1, [3, 1]], [0, [0, 1]]),
        ("adaptive_avg_pool2d", {"output_size": 1}, "output_size", [1, [None, 2]], [0, [0, 1]]),
        ("linear", {"out": 1}, "out_features", [1, LIMIT], [0, LIMIT + 1]),
        ("crop", {}, "cropping", [0, [1, [0, 2]]], [-1, [[-1, 0], 0]]),
        ("pad", {"padding": 0}, "padding", [0, -3, [[1, -1], 0]], [LIMIT + 1, 0.5]),
    ],
)
def test_bounds_of_fields(kind: str, given: dict[str, Any], field: str, taken: list[Any], refused: list[Any]) -> None:
    short = {long: short for short, long in layer_class(kind).short_forms.items()}
    others = {name: value for name, value in given.items() if name not in (field, short.get(field))}
    for value in taken:
        assert field in build(kind, {**others, field: value}).fields()
    for value in refused:
        with pytest.raises(ValidationError):
            build(kind, {**others, field: value})


EACH = {"activation": 1, "softmax": 3, "gate": 3, "scale": 1}


ELSEWHERE = {*PRODUCTS, *RECURRENT}
"""Kinds of several steps, whose counts test_token_layers.py holds against PyTorch's."""


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.kind not in ELSEWHERE], ids=str)
def test_operations_are_what_the_table_says(example: Any) -> None:
    """The words of OPERATIONS, with what is read counted by changing each input of the reference."""
    layer, shapes = example.layer, example.shapes
    output = layer.output_shape(shapes)
    found = layer.operations(shapes, output)
    kind, elements = example.kind, prod(output)
    learned = any(weight.learnable for weight in layer.weights(shapes))
    wanted: dict[str, int] = {}
    if layer.multiplies is not None:
        wanted["mac"] = found["mac"]
        wanted |= {"bias": elements} if layer.bias else {}
    elif kind in ELEMENTWISE or kind in ("softmax", "log_softmax"):
        wanted["activation"] = elements * (1 if kind in ELEMENTWISE else 3)
    elif kind in NORMS:
        affine = {"batch_norm": 0, "rms_norm": 1}.get(kind, 2) if learned else 0
        wanted["normalization"] = elements * ({"batch_norm": 2, "rms_norm": 3}.get(kind, 5) + affine)
    elif kind in FUNCTIONS:
        wanted["elementwise"] = elements
    elif kind == "rescale":
        parts = (example.fields.get("scale", 1) != 1) + (example.fields.get("offset", 0) != 0)
        wanted["elementwise"] = parts * elements
    elif kind == "glu":
        wanted |= {"activation": elements, "elementwise": elements}
    elif kind in REDUCTIONS:
        wanted["reduction"] = REDUCTIONS[kind] * prod(shapes[0])
    elif kind in ADAPTIVE or kind in GLOBAL:
        wanted["pooling"] = int(reading(example, 0).sum())
        if "max" in kind:
            mean = example._replace(kind=kind.replace("max", "avg"))
            wanted["pooling"] = int(reading(mean, 0).sum())
    elif layer.reduction is not None:
        wanted["pooling"] = prod(layer.kernel_size) * elements
    elif kind in BROADCAST:
        wanted["elementwise"] = (len(shapes) - 1) * elements
    elif kind in ("gate", "scale"):
        wanted["elementwise"] = EACH[kind] * elements
        wanted |= {"bias": elements} if layer.biased(shapes) else {}
    elif kind == "fold":
        wanted["elementwise"] = prod(shapes[0])
    elif kind == "upsample" and layer.mode == "area":
        wanted["pooling"] = int(reading(example, 0).sum())
    elif kind == "upsample" and not layer.mode.startswith("nearest"):
        taps = (4 if layer.mode == "bicubic" else 2) ** (len(output) - 1)
        wanted["interpolation"] = elements * (2 * taps - 1)
    assert found == wanted
    assert set(found) <= set(OPERATIONS)


def test_flops_of_each_kind_of_operation() -> None:
    assert {name: flops for name, (flops, _) in OPERATIONS.items()} == {
        "mac": 2, "bias": 1, "activation": 1, "normalization": 1, "pooling": 1, "elementwise": 1, "reduction": 1,
        "interpolation": 1,
    }  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_multiplications_are_those_that_the_reference_executes(example: Any) -> None:
    """Those beside the windows are what is left where the kernel has one tap: the pointwise half."""
    layer, shapes = example.layer, example.shapes
    output = layer.output_shape(shapes)
    beside = layer.macs_beside_windows(shapes, output)
    if example.kind.startswith("separable"):
        middle = shapes[0][0] * layer.depth_multiplier
        assert beside == prod(output[1:]) * middle * output[0]
        assert layer.operations(shapes, output)["mac"] - beside == prod(output[1:]) * middle * prod(layer.kernel_size)
    else:
        assert beside == 0


@pytest.mark.parametrize(
    ("kind", "fields", "shapes", "numbers"),
    [
        ("upsample", {"scale_factor": 0.1}, [(3, 8, 9)], {"size": (8, 9), "scale_factor": (0.1, 0.1)}),
        ("pixel_shuffle", {"upscale_factor": 2}, [(6, 5, 7)], {"upscale_factor": 2, "channels": 6}),
        ("pixel_unshuffle", {"downscale_factor": 2}, [(6, 4, 7)], {"downscale_factor": 2, "axis": 2, "size": 7}),
        ("global_avg_pool", {}, [(8,)], {"axes": 0}),
        ("crop", {"cropping": [[1, 1], [4, 5]]}, [(3, 8, 9)], {"size": 9, "before": -4, "after": -5}),
        ("permute", {"dims": [1, 0]}, [(3, 8, 9)], {"dims": (1, 0), "axes": 3}),
        ("prelu", {"num_parameters": 2}, [(3, 8)], {"num_parameters": 2, "channels": 3}),
        ("conv2d", {"out": 1, "k": 1}, [(3, 8)], {"rank": 2, "axes": 1}),
        ("upsample", {"size": 4, "mode": "linear"}, [(3, 8, 9)], {"rank": 1, "axes": 2}),
        ("flatten", {"start_dim": 2, "end_dim": 1}, [(3, 8, 9)], {"start": 2, "end": 1}),
        ("reshape", {"shape": [5, -1]}, [(3, 8)], {"numbers_in": 24, "numbers_out": 5}),
        ("fold", {"output_size": 3, "k": 2}, [(4, 5)], {"columns": 5, "positions": (2, 2), "output_size": (3, 3)}),
        ("fold", {"output_size": 3, "k": 2}, [(5, 4)], {"channels": 5, "taps": 4}),
        ("fold", {"output_size": 3, "k": 2}, [(4, 4, 1)], {"axes": 3}),
        ("layer_norm", {"normalized_shape": 8}, [(3, 9)], {"normalized_shape": (8,), "shape": (3, 9)}),
        ("instance_norm", {}, [(3, 1, 1)], {"shape": (3, 1, 1)}),
        ("pad", {"padding": [8, 0], "mode": "reflect"}, [(3, 8, 9)], {"padding": 8, "size": 8}),
    ],
)
def test_errors_carry_their_numbers(
    kind: str, fields: dict[str, Any], shapes: list[tuple[int, ...]], numbers: dict[str, object]
) -> None:
    with pytest.raises(GeometryError) as caught:
        build(kind, fields).output_shape(tuple(shapes))
    assert caught.value.numbers == numbers
    assert all(f"axis {n}" not in caught.value.message for n in (0, 3))


def test_crops_name_the_axis_of_which_nothing_is_left() -> None:
    for axis, cropping in ((1, [[4, 4], 0]), (2, [0, [5, 4]])):
        with pytest.raises(GeometryError, match=f"leaves nothing of axis {axis}: "):
            build("crop", {"cropping": cropping}).output_shape(((3, 8, 9),))


@pytest.mark.parametrize("output_padding", [1, [1, 0], [0, 1]])
@pytest.mark.parametrize("word", ["same", "valid"])
def test_output_padding_does_not_go_with_words(output_padding: object, word: str) -> None:
    with pytest.raises(ValidationError, match="output_padding goes with explicit padding"):
        build("conv_transpose2d", {"out": 1, "k": 3, "s": 2, "p": word, "output_padding": output_padding})
    assert build("conv_transpose2d", {"out": 1, "k": 3, "s": 2, "p": word, "output_padding": 0})


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "sources"),
    [
        ("flatten", {"start_dim": 1, "end_dim": 1}, (3, 4, 5), [0, 1, 2]),
        ("flatten", {"start_dim": 0, "end_dim": 0}, (3, 4, 5), [0, 1, 2]),
        ("flatten", {"start_dim": 1}, (3, 4, 5), [0, None]),
        ("flatten", {"end_dim": 1}, (3, 4, 5), [None, 2]),
        ("reshape", {"shape": [3, 4, 5]}, (3, 4, 5), [0, 1, 2]),
        ("reshape", {"shape": [3, 20]}, (3, 4, 5), [0, None]),
        ("reshape", {"shape": [12, 5]}, (3, 4, 5), [None, 2]),
        ("reshape", {"shape": [3, 2, 2, 5]}, (3, 4, 5), [0, None, None, 3 - 1]),
        ("reshape", {"shape": [3, 4, 5, 1]}, (3, 4, 5), [0, 1, 2, None]),
        ("reshape", {"shape": [4, 4]}, (4, 2, 2), [0, None]),
        ("reshape", {"shape": [2, 2, 4]}, (4, 4), [None, None, 1]),
        ("permute", {"dims": [2, 0, 1]}, (3, 4, 5), [2, 0, 1]),
    ],
)
def test_axes_that_a_view_keeps(
    kind: str, fields: dict[str, Any], shape: tuple[int, ...], sources: list[int | None]
) -> None:
    """An axis is kept where it has its size and the same numbers before it, or behind it."""
    links = build(kind, fields).axes((shape,))
    assert [None if link is None else link.source for link in links] == sources


def test_inputs_that_do_not_go_with_fields_are_counted() -> None:
    for kind, fields in (("crop", {"size": 2}), ("upsample", {"scale_factor": 2})):
        with pytest.raises(WrongArity, match="one of them") as caught:
            build(kind, fields).output_shape(((3, 8, 8), (3, 4, 4)))
        assert caught.value.numbers == {"count": 2}
    with pytest.raises(WrongArity) as none:
        build("upsample", {}).output_shape(((3, 8, 8),))
    assert none.value.numbers == {"count": 1}


def test_one_negative_side_of_zeros_is_refused() -> None:
    for padding in ([[-1, 2], [0, 0]], [[1, 0], [3, -2]]):
        with pytest.raises(ValidationError, match="padding must be at least 0, not -"):
            build("conv2d", {"out": 1, "k": 3, "p": padding})
    assert build("conv2d", {"out": 1, "k": 3, "p": [[0, 2], [1, 0]]})


def test_axes_of_one_input_side_by_side_and_of_columns() -> None:
    links = build("concat", {}).axes(((3, 4, 5),))
    assert [link and link.source for link in links] == [None, 1, 2]
    for kind, fields in (("unfold", {"k": 2}), ("fold", {"k": 2, "output_size": 3})):
        first, *others = build(kind, fields).axes(((4, 4, 4) if kind == "unfold" else (4, 4),))
        assert first is not None and (first.source, first.map) == (0, None) and set(others) == {None}


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5)])
def test_a_linear_layer_wants_its_features_alone(shape: tuple[int, ...]) -> None:
    with pytest.raises(FeatureMismatch):
        build("linear", {"out": 2}).output_shape((shape,))
    assert build("linear", {"out": 2, "dim": "last"}).output_shape((shape,)) == (*shape[:-1], 2)


@pytest.mark.parametrize(
    ("kind", "given", "defaults"),
    [
        ("leaky_relu", {}, {"negative_slope": 0.01}),
        ("elu", {}, {"alpha": 1.0}),
        ("softplus", {}, {"beta": 1.0, "threshold": 20.0}),
        ("prelu", {}, {"num_parameters": 1}),
        ("gelu", {}, {"approximate": "none"}),
        ("dropout", {}, {"p": 0.5}),
        ("batch_norm", {}, {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}),
        ("instance_norm", {}, {"eps": 1e-5, "momentum": 0.1, "affine": False, "track_running_stats": False}),
        ("group_norm", {"num_groups": 2}, {"eps": 1e-5, "affine": True}),
        ("layer_norm", {}, {"eps": 1e-5, "elementwise_affine": True, "bias": True}),
        ("local_response_norm", {"size": 2}, {"alpha": 1e-4, "beta": 0.75, "k": 1.0}),
        ("linear", {"out": 2}, {"bias": True}),
        (
            "conv2d",
            CONV,
            {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1, "bias": True},
        ),
        ("conv_transpose2d", CONV, {"stride": (1, 1), "output_padding": (0, 0), "groups": 1, "bias": True}),
        ("separable_conv2d", CONV, {"depth_multiplier": 1, "bias": True}),
        (
            "max_pool2d",
            {"k": 3},
            {"stride": (3, 3), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "ceil_mode": False},
        ),
        ("avg_pool2d", {"k": 3}, {"count_include_pad": True, "divisor_override": None}),
        ("unfold", {"k": 3}, {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
        ("flatten", {}, {"start_dim": 0, "end_dim": -1}),
        ("concat", {}, {"dim": 0}),
        ("split", {"channels": (1, 2)}, {"part": 0}),
        ("scale", {}, {"bias": False}),
        ("upsample", {}, {"mode": "nearest", "align_corners": None}),
    ],
)
def test_defaults(kind: str, given: dict[str, Any], defaults: dict[str, object]) -> None:
    """Those of torch.nn under the same names (axes without the batch), of Keras for separable convolutions."""
    layer = build(kind, given)
    assert {name: getattr(layer, name) for name in defaults} == defaults


def test_tensors_that_are_kept_are_plain_where_nothing_is_said() -> None:
    assert Saved("input") == ("input", 0, 0, None, True)
    assert Weight("weight", (2,)) == ("weight", (2,), True)


def test_an_error_is_its_message_with_its_hint() -> None:
    error = GeometryError("it does not fit", hint="make it larger", size=3)
    assert str(error).startswith("it does not fit") and "make it larger" in str(error)
    assert str(GeometryError("it does not fit")) == "it does not fit"
