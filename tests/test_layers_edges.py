"""Layers at the edges of their fields: what is just refused and just taken, what they say, what is true of a kind."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from convcalc.geometry import (
    IDENTITY,
    AxisLink,
    ChannelMismatch,
    EmptyOutput,
    GeometryError,
    InvalidWindow,
    KernelTooLarge,
    OutputPaddingOutOfRange,
    PaddingOutOfRange,
    PoolPaddingTooLarge,
    RankMismatch,
    TransposedWindow,
    WrongArity,
)
from convcalc.layers.base import OPERATIONS, Layer, Saved, Weight, check_arity
from convcalc.layers.batched import batched
from convcalc.layers.opaque import broadcast
from convcalc.layers.registry import KINDS, build, layer_class
from convcalc.layers.sharing import OtherKind, OtherWeights, Use, check_shared

IMAGE = (6, 8, 9)


def refused(kind: str, fields: dict[str, Any], *shapes: tuple[int, ...]) -> GeometryError:
    """The error that a layer gives, when it is built or on inputs of these shapes."""
    with pytest.raises((GeometryError, ValidationError)) as caught:
        build(kind, fields).output_shape(shapes)
    if isinstance(caught.value, GeometryError):
        return caught.value
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, GeometryError)
    return error


@pytest.mark.parametrize(
    ("fact", "kinds"),
    [
        ("is_constant", "parameter"),
        ("asleep", "dropout stochastic_depth"),
        ("changes_border", "crop pad"),
        ("over_batch", "batch_norm"),
        ("splits", "split unbind"),
        (
            "joins",
            "add concat div gate matmul maximum minimum multihead_attention multiply scaled_dot_product_attention "
            "stack sub",
        ),
        ("multiplies_inputs", "div gate matmul multiply scaled_dot_product_attention"),
        ("is_view", "crop expand flatten identity permute reshape select slice split squeeze unbind unsqueeze"),
        (
            "activates",
            "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish prelu relu relu6 selu "
            "sigmoid silu softplus softshrink softsign tanh tanhshrink threshold",
        ),
    ],
    ids=lambda value: value.partition(" ")[0],
)
def test_what_is_true_of_a_few_kinds(fact: str, kinds: str) -> None:
    assert sorted(kind for kind in KINDS if getattr(layer_class(kind), fact)) == kinds.split()


@pytest.mark.parametrize(
    ("fewest", "most", "kinds"),
    [
        (1, None, "concat stack"),
        (2, None, "add multiply"),
        (2, 2, "sub div maximum minimum matmul"),
        (3, 3, "gate"),
        (1, 2, "upsample crop"),
        (0, None, "opaque"),
        (0, 0, "parameter"),
        (3, 4, "scaled_dot_product_attention"),
        (1, 3, "multihead_attention"),
        (1, 1, "relu linear conv2d batch_norm softmax max_pool2d"),
    ],
)
def test_kinds_take_so_many_inputs(fewest: int, most: int | None, kinds: str) -> None:
    for kind in kinds.split():
        layer = layer_class(kind).model_construct(kind=kind)
        for count in {fewest, fewest + 1 if most is None else most}:
            check_arity(layer, count)
        for count in {fewest - 1, *(() if most is None else (most + 1,))} - {-1}:
            with pytest.raises(WrongArity, match=f"{kind} takes .* not {count}"):
                check_arity(layer, count)


def test_a_multiply_accumulate_is_two_flops_and_everything_else_one() -> None:
    assert {kind: each for kind, (each, _) in OPERATIONS.items() if each != 1} == {"mac": 2}


class TestAxes:
    """Axes are counted from both ends, up to 64 of them."""

    @pytest.mark.parametrize(("kind", "fields"), [("softmax", {}), ("mean", {}), ("split", {"channels": [3, 3]})])
    def test_their_bounds(self, kind: str, fields: dict[str, Any]) -> None:
        for dim in (-64, 63):
            build(kind, {**fields, "dim": dim})
        for dim in (-65, 64):
            with pytest.raises(ValidationError):
                build(kind, {**fields, "dim": dim})

    def test_no_axis_is_a_wrong_list(self) -> None:
        with pytest.raises(ValidationError):
            build("mean", {"dim": []})
        with pytest.raises(ValidationError):
            build("expand", {"shape": []})
        assert "an axis twice in dim [0, -3]" in refused("sum", {"dim": [0, -3]}, IMAGE).message

    def test_an_axis_that_is_not_there_is_said(self) -> None:
        assert "flip has dims 3" in refused("flip", {"dims": [3]}, IMAGE).message
        assert "unsqueeze has dim 4, but [6, 8, 9, 1]" in refused("unsqueeze", {"dim": 4}, IMAGE).message
        assert build("unsqueeze", {"dim": 3}).output_shape((IMAGE,)) == (6, 8, 9, 1)

    def test_what_has_no_axes_has_no_features(self) -> None:
        assert "linear takes [features]" in refused("linear", {"out": 3}, ()).message
        assert isinstance(refused("local_response_norm", {"size": 3}, (6,)), RankMismatch)
        assert isinstance(refused("conv_lstm2d", {"out": 2, "k": 1}, (3, 8, 9)), RankMismatch)


class TestConverters:
    """What a microcontroller's converter does with a layer: TensorFlow Lite fuses RELU, RELU6 and RELU_N1_TO_1."""

    def test_activations_that_cut_off(self) -> None:
        clips = {"relu": {}, "relu6": {}}
        for kind, fields in clips.items():
            assert build(kind, fields).clips and batched(build(kind, fields), 1).clips
        for kind in ("sigmoid", "gelu", "leaky_relu", "softmax", "conv2d"):
            fields = {"out": 1, "k": 1} if kind == "conv2d" else {}
            assert build(kind, fields).clips is False

    @pytest.mark.parametrize(
        ("low", "high", "clips"),
        [(0, 6, True), (-1, 1, True), (0, 5, False), (0, 7, False), (-1, 0, False), (-2, 1, False)],
    )
    def test_a_hardtanh_that_is_one_of_them(self, low: float, high: float, clips: bool) -> None:
        assert build("hardtanh", {"min_val": low, "max_val": high}).clips is clips

    def test_norms_that_weights_take_in(self) -> None:
        assert build("batch_norm", {}).scales_channels and build("scale", {}).scales_channels
        for kind, fields in (
            ("batch_norm", {"dim": -1}),
            ("batch_norm", {"track_running_stats": False}),
            ("scale", {"dim": -1}),
            ("layer_norm", {"normalized_shape": [9]}),
            ("relu", {}),
        ):
            assert build(kind, fields).scales_channels is False
        assert batched(build("batch_norm", {}), 1).scales_channels is False


class TestBatched:
    """Axes that count as batch move the axes of the layer inside, and change nothing else of it."""

    FRAMES = ((5, 6, 8, 9),)

    def test_its_facts_are_those_of_the_layer_inside(self) -> None:
        assert batched(build("max_pool2d", {"k": 2}), 1).reduction == "max"
        assert (
            batched(build("conv2d", {"out": 1, "k": 3, "p": 1, "padding_mode": "reflect"}), 1).border_mode == "reflect"
        )

    def test_shares_of_one_are_made_along_an_axis_that_has_moved(self) -> None:
        axes = [batched(build("softmax", {"dim": dim}), 2).share_axis for dim in (0, 1, -1, -2)]
        assert axes == [2, 3, -1, -2] and batched(build("relu", {}), 1).share_axis is None

    def test_joined_axes_have_moved(self) -> None:
        assert batched(build("concat", {}), 1).joined_axis(self.FRAMES * 2) == 1
        assert batched(build("concat", {"dim": -1}), 2).joined_axis(self.FRAMES * 2) == 3
        assert batched(build("add", {}), 1).joined_axis(self.FRAMES * 2) is None

    def test_gradients_are_passed_on_as_inside(self) -> None:
        """An input that is broadcast has a gradient of its own: the sum over the repeated axis."""
        add, shapes = batched(build("add", {}), 1), ((5, 6, 8, 9), (5, 6, 1, 1))
        assert [add.passes_gradient(shapes, (5, 6, 8, 9), which) for which in (0, 1)] == ["whole", None]


def test_a_difference_passes_its_gradient_to_the_left_one_alone() -> None:
    """PyTorch's sub: grad for self, -grad for other (tools/autograd/derivatives.yaml)."""
    sub = build("sub", {})
    assert [sub.passes_gradient((IMAGE, IMAGE), IMAGE, which) for which in (0, 1)] == ["whole", None]
    assert sub.passes_gradient(((6, 1, 1), IMAGE), IMAGE, 0) is None


def test_gradients_of_one_of_two_inputs_cost_once() -> None:
    """A product of two activations, and weights that are learned, fixed or an input."""
    conv, fixed = (build("conv2d", {"out": 4, "k": 3, "fixed": flag}) for flag in (False, True))
    macs = 4 * 6 * 7 * 6 * 9
    assert [conv.backward_macs((IMAGE,), (4, 6, 7), (learns,)) for learns in (True, False)] == [2 * macs, macs]
    assert [fixed.backward_macs((IMAGE,), (4, 6, 7), (learns,)) for learns in (True, False)] == [macs, 0]
    given = build("conv2d", {"out": 4, "k": 3, "weight": "input", "bias": False})
    shapes = (IMAGE, (4, 6, 3, 3))
    learned = [(True, True), (True, False), (False, True), (False, False)]
    assert [given.backward_macs(shapes, (4, 6, 7), pair) for pair in learned] == [2 * macs, macs, macs, 0]
    assert given.activation_macs(shapes, (4, 6, 7)) == macs and conv.activation_macs((IMAGE,), (4, 6, 7)) == 0
    attention = build("multihead_attention", {"num_heads": 2})
    inputs, output = ((6, 8), (5, 8), (5, 8)), (6, 8)
    whole = attention.operations(inputs, output)["mac"]
    assert attention.backward_macs(inputs, output, (True, False, False)) >= whole


class TestFormed:
    """Weights that are made, or that are an input."""

    def test_a_gain_is_one_number_an_output(self) -> None:
        gained = build("conv2d", {"out": 4, "k": 3, "gain": True}).weights((IMAGE,))
        assert Weight("gain", (4, 1, 1, 1)) in gained
        assert Weight("gain", (4, 1)) in build("linear", {"out": 4, "gain": True}).weights(((6,),))

    @pytest.mark.parametrize("form", ["fixed", "standardize", "gain"])
    def test_weights_have_one_origin(self, form: str) -> None:
        fields = {"out": 4, "k": 3, "weight": "input", form: True}
        assert f"holds none that are {form}" in refused("conv2d", fields, IMAGE).message

    @pytest.mark.parametrize(
        ("kind", "fields", "shapes", "said"),
        [
            (
                "conv2d",
                {"k": 3},
                (IMAGE, (4, 6, 3, 2), (4,)),
                "needs weights of [4, 6, 3, 3], and input 1 is [4, 6, 3, 2]",
            ),
            ("conv2d", {"k": 3}, (IMAGE, (4, 6, 3, 3), (5,)), "needs a bias of [4], and input 2 is [5]"),
            ("linear", {}, ((6,), (6, 4), (4,)), "needs weights of [4, 6], and input 1 is [6, 4]"),
        ],
    )
    def test_given_weights_fit(
        self, kind: str, fields: dict[str, Any], shapes: tuple[tuple[int, ...], ...], said: str
    ) -> None:
        error = refused(kind, {"out": 4, "weight": "input", **fields}, *shapes)
        assert isinstance(error, ChannelMismatch) and said in error.message


class TestBorders:
    """Padding and cropping at their bounds."""

    def test_one_position_may_be_left(self) -> None:
        assert build("pad", {"padding": [[-3, -4], 0]}).output_shape((IMAGE,)) == (6, 1, 9)
        error = refused("pad", {"padding": [[-3, -5], 0]}, IMAGE)
        assert isinstance(error, EmptyOutput) and "pad by -3 and -5 leaves nothing of axis 1: 8" in error.message

    @pytest.mark.parametrize(("mode", "most"), [("reflect", 7), ("circular", 8)])
    @pytest.mark.parametrize("turned", [False, True])
    def test_the_larger_side_is_taken_from_the_input(self, mode: str, most: int, turned: bool) -> None:
        """torch.nn.functional.pad: reflection needs padding < size, wrapping around padding <= size."""
        sides = [[1, most], [1, most + 1]]
        taken, beyond = [[pair[::-1] if turned else pair, 0] for pair in sides]
        assert build("pad", {"padding": taken, "mode": mode}).output_shape((IMAGE,)) == (6, 9 + most, 9)
        error = refused("pad", {"padding": beyond, "mode": mode}, IMAGE)
        assert isinstance(error, PaddingOutOfRange) and f"padding of {most + 1} on axis 1" in error.message

    def test_what_fills_it(self) -> None:
        modes = {"constant": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
        assert {mode: build("pad", {"padding": 1, "mode": mode}).border_mode for mode in modes} == modes
        assert build("max_pool2d", {"k": 2}).border_mode == "zeros"

    def test_a_crop_says_the_axis_that_is_too_small(self) -> None:
        assert "axis 2 of [6, 8, 9] cannot be cropped to 10" in refused("crop", {"size": [8, 10]}, IMAGE).message
        assert refused("crop", {}, IMAGE).numbers == {"count": 1}

    @pytest.mark.parametrize(
        ("kind", "fields", "field"),
        [("pad", {}, "padding"), ("crop", {}, "cropping"), ("conv2d", {"out": 1, "k": 1}, "padding")],
    )
    def test_four_numbers_are_two_pairs(self, kind: str, fields: dict[str, Any], field: str) -> None:
        pairs = refused(kind, {**fields, field: [1, 2, 3, 4]}, IMAGE)
        assert pairs.hint == "before and after stand in nested pairs, one an axis: [[1, 2], [3, 4]]"
        hint = refused(kind, {**fields, field: [1, 2, 3]}, IMAGE).hint
        assert hint is None or "nested" not in hint


class TestWindows:
    """What windows that do not fit say."""

    def test_a_pool_is_padded_by_half_its_kernel(self) -> None:
        error = refused("max_pool2d", {"k": 4, "p": [[1, 9], [0, 0]]}, IMAGE)
        assert isinstance(error, PoolPaddingTooLarge) and error.numbers == {"padding": 9, "kernel_size": 4, "bound": 3}

    def test_a_mean_of_a_volume_needs_a_kernel_of_real_numbers(self) -> None:
        """torch.nn.AvgPool3d refuses an input below its kernel, however it is padded."""
        error = refused("avg_pool3d", {"k": [2, 3, 2], "p": [0, 1, 0]}, (1, 4, 2, 4))
        assert isinstance(error, KernelTooLarge)
        assert error.numbers == {"size": 2, "before": 0, "after": 0, "kernel_size": 3, "dilation": 1}

    def test_output_padding_is_below_stride_or_dilation(self) -> None:
        error = refused("conv_transpose2d", {"out": 1, "k": 3, "s": 2, "d": 1, "output_padding": 2}, IMAGE)
        assert isinstance(error, OutputPaddingOutOfRange)
        assert error.numbers == {"output_padding": 2, "stride": 2, "dilation": 1}

    def test_a_fold_writes_where_an_unfold_reads(self) -> None:
        fold = build("fold", {"output_size": [8, 9], "k": [3, 2], "s": [1, 2], "p": [1, 0], "d": [2, 1]})
        assert fold.windows((36, 24)) == (TransposedWindow(3, 1, 1, 1, 2), TransposedWindow(2, 2, 0, 0, 1))


def test_numbers_a_channel_are_those_of_its_space() -> None:
    assert build("relu", {}).values_a_channel((6, 8, 9)) == 72 and build("relu", {}).values_a_channel((6,)) == 1


@pytest.mark.parametrize("kind", ["var", "std"])
def test_a_deviation_needs_more_numbers_than_its_correction(kind: str) -> None:
    """torch.var of one number with correction 1 is not a number."""
    assert build(kind, {"dim": 0}).output_shape(((2, 5),)) == (5,)
    assert build(kind, {"dim": 0, "correction": 0}).output_shape(((1, 5),)) == (5,)
    error = refused(kind, {"dim": 0}, (1, 5))
    assert isinstance(error, InvalidWindow) and error.numbers == {"correction": 1, "numbers": 1}


def test_a_deviation_keeps_what_its_derivative_reads() -> None:
    """tools/autograd/derivatives.yaml: var reads self, std self and result."""
    shapes = ((6, 5),)
    assert build("var", {}).saved(shapes, ()) == (Saved("input"),)
    assert build("std", {}).saved(shapes, ()) == (Saved("input"), Saved("output"))


def test_numbers_that_fit_no_shape() -> None:
    assert refused("reshape", {"shape": [5, 7]}, (6, 8)).hint is None
    assert refused("reshape", {"shape": [6, 4]}, (6, 8)).hint == "write -1 for the size that follows from the others"


def test_upsampling_of_another_rank_says_the_mode_that_fits() -> None:
    assert refused("upsample", {"scale_factor": 2, "mode": "bilinear"}, (3, 5)).hint == "use linear"
    assert refused("upsample", {"scale_factor": 2, "mode": "linear"}, (3, 5, 5)).hint == "use bilinear or bicubic"
    assert refused("upsample", {"scale_factor": 2, "mode": "area"}, (3, 2, 2, 2, 2)).hint is None


@pytest.mark.parametrize(("p", "kept"), [(0.0, 0), (0.2, 1), (1.0, 1)])
def test_stochastic_depth_keeps_which_examples_it_drops(p: float, kept: int) -> None:
    for mode in ("row", "batch"):
        saved = build("stochastic_depth", {"p": p, "mode": mode}).saved((IMAGE,), IMAGE)
        assert saved == (Saved("extra", elements=1, batched=mode == "row"),) * kept


def test_norms_without_affine_weights_take_two_operations_less() -> None:
    """OPERATIONS: five an element, and two more with affine weights."""
    counts = [
        build("group_norm", {"num_groups": 2, "affine": affine}).operations((IMAGE,), IMAGE) for affine in (True, False)
    ]
    assert [count["normalization"] for count in counts] == [7 * 432, 5 * 432]


def test_bounds_of_a_clamp_and_of_a_hardtanh() -> None:
    assert "clamp needs min, max or both" in refused("clamp", {}, IMAGE).message
    assert build("clamp", {"min": 0}).output_shape((IMAGE,)) == build("clamp", {"max": 0}).output_shape((IMAGE,))
    assert "is not below max_val" in refused("hardtanh", {"min_val": 1, "max_val": 1}, IMAGE).message
    assert "rescale has 2 numbers as scale for the 6 channels" in refused("rescale", {"scale": [1, 2]}, IMAGE).message


class TestConvLstm:
    """A convolutional LSTM is an LSTM at every position: with a kernel of 1 on a space of 1 their costs are equal."""

    def test_it_costs_what_an_lstm_costs(self) -> None:
        wide = build("conv_lstm1d", {"out": 3, "k": 1})
        plain = build("lstm", {"hidden_size": 3})
        states = 5 * 3
        of_space, of_sequence = wide.operations(((5, 2, 1),), (5, 3, 1)), plain.operations(((5, 2),), (5, 3))
        assert {kind: of_space[kind] for kind in ("mac", "activation", "elementwise")} == {
            kind: of_sequence[kind] for kind in ("mac", "activation", "elementwise")
        }
        assert of_space == {"mac": 4 * states * (2 + 3), "activation": 75, "elementwise": 120, "bias": 60}
        assert "bias" not in build("conv_lstm1d", {"out": 3, "k": 1, "bias": False}).operations(((5, 2, 1),), (5, 3, 1))

    def test_it_keeps_four_gates_and_a_memory_of_every_state(self) -> None:
        layer = build("conv_lstm2d", {"out": 2, "k": 3, "p": 1})
        saved = layer.saved(((3, 4, 5, 5),), (3, 2, 5, 5))
        assert saved == (Saved("input"), Saved("output"), Saved("extra", elements=5 * 150))


class TestOpaque:
    """What the language does not have."""

    @pytest.mark.parametrize(
        ("shapes", "shape"),
        [
            ((), ()),
            (((),), ()),
            (((3,), (1,)), (3,)),
            (((1, 2), (3, 1)), (3, 2)),
            (((2, 1), (2,)), (2, 2)),
            (((0, 1), (1, 4)), (0, 4)),
        ],
    )
    def test_shapes_are_broadcast_as_numpy_does(
        self, shapes: tuple[tuple[int, ...], ...], shape: tuple[int, ...]
    ) -> None:
        import numpy as np

        assert broadcast(*shapes) == shape == np.broadcast_shapes(*shapes)

    def test_shapes_that_do_not_agree(self) -> None:
        with pytest.raises(GeometryError, match="do not broadcast"):
            broadcast((2,), (3,))
        with pytest.raises(GeometryError, match="do not broadcast"):
            broadcast((0,), (3,))

    def test_its_tensors_are_numbered_by_what_they_are(self) -> None:
        weights = self.opaque(holds=[[4, 2], [4], [2, 4], [2], [3, 3]]).weights(())
        assert [weight.name for weight in weights] == ["weight", "bias", "2.weight", "2.bias", "3.weight"]

    @pytest.mark.parametrize(
        ("macs", "holds", "known", "weighted"),
        [
            (0, [], True, False),
            (0, [[4]], True, False),
            (0, [[4], [4, 2]], False, False),
            (1, [[4, 2]], True, True),
            (1, [], True, True),
        ],
    )
    def test_its_cost_is_known_where_it_says_it_or_has_no_weights(
        self, macs: int, holds: list[list[int]], known: bool, weighted: bool
    ) -> None:
        layer = self.opaque(macs=macs, holds=holds)
        assert (layer.cost_is_known, layer.weighted) == (known, weighted)

    def test_its_positions_are_followed_where_it_works_element_by_element(self) -> None:
        links = tuple(AxisLink(axis, IDENTITY) for axis in range(3))
        assert self.opaque().axes((IMAGE, IMAGE)) == links
        assert self.opaque().axes((IMAGE, (9,))) == (None,) * 3
        assert self.opaque(output=IMAGE).axes((IMAGE,)) == (None,) * 3

    def opaque(self, **fields: Any) -> Layer:
        return build("opaque", {"operator": "Strange", **fields})

    def test_of_everything_else_the_cost_is_known(self) -> None:
        assert build("relu", {}).cost_is_known is True


class TestShared:
    """Layers that are to have the weights of another one."""

    def use(self, name: str, kind: str = "conv2d", shape: tuple[int, ...] = IMAGE, **fields: Any) -> Use:
        return Use(name, build(kind, {"out": 4, **({"k": 3} if kind != "linear" else {}), **fields}), (shape,))

    def test_a_tensor_that_only_one_has(self) -> None:
        with pytest.raises(OtherWeights, match=r"p4 has no bias, and p3, whose weights it is to have, a bias of 4"):
            check_shared(self.use("p4", bias=False), self.use("p3"))
        with pytest.raises(OtherWeights, match=r"p4 has a bias of 4, and p3, whose weights it is to have, none"):
            check_shared(self.use("p4"), self.use("p3", bias=False))

    def test_the_hint_is_what_they_differ_by(self) -> None:
        with pytest.raises(OtherWeights) as fields:
            check_shared(self.use("p4", k=5), self.use("p3"))
        assert fields.value.hint == "give p4 the fields of p3 that its weights follow from"
        with pytest.raises(OtherWeights) as channels:
            check_shared(self.use("p4", shape=(5, 8, 9)), self.use("p3"))
        assert "5 channels arrive at p4, 6 at p3" in (channels.value.hint or "")

    def test_kinds_may_differ_where_tensors_do_not(self) -> None:
        check_shared(self.use("p4", "conv_transpose2d", (4, 8, 9)), self.use("p3", shape=(4, 8, 9)))
        with pytest.raises(OtherWeights, match="p4 has a weight of 4×6, and p3, whose weights it is to have, 4×6×3×3"):
            check_shared(self.use("p4", "linear", (6,)), self.use("p3"))
        with pytest.raises(OtherKind, match="p4 is prelu, and p3, whose weights it is to have, conv2d"):
            check_shared(Use("p4", build("prelu", {}), (IMAGE,)), self.use("p3"))

    def test_what_reads_nothing_differs_by_its_fields(self) -> None:
        one, other = (Use(name, build("parameter", {"shape": [size]}), ()) for name, size in (("a", 2), ("b", 3)))
        with pytest.raises(OtherWeights) as caught:
            check_shared(one, other)
        assert caught.value.hint == "give a the fields of b that its weights follow from"
