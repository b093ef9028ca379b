"""Rules of products, recurrent layers, layout and arithmetic that recorded runs cannot tell from others.

Sizes that all differ, counted by hand from the formulas; what is refused, PyTorch 2.14 refuses too, and what a kind
takes, it takes.
"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from pydantic import ValidationError

from convcalc.geometry.errors import (
    ChannelMismatch,
    EmptyOutput,
    GeometryError,
    RankMismatch,
    UnequalInputs,
)
from convcalc.layers.base import Layer, Saved, Shape, Shapes
from convcalc.layers.registry import build
from convcalc.reference import forward

QUERY, KEY, VALUE = (2, 3, 4), (2, 5, 4), (2, 5, 6)
SCORES, SHARES = 2 * 3 * 5 * 4, 2 * 3 * 5 * 6
"""Multiply-accumulates of both products of an attention on these."""


def attention(*inputs: Shape, **fields: object) -> tuple[Layer, Shapes, Shape]:
    layer = build("scaled_dot_product_attention", fields)
    return layer, inputs, layer.output_shape(inputs)


class TestMatmul:
    def test_axes_before_the_last_two_broadcast(self) -> None:
        matmul = build("matmul", {})
        assert matmul.output_shape(((2, 1, 3, 4), (5, 4, 6))) == (2, 5, 3, 6)
        assert matmul.output_shape(((4, 3), (7, 3, 2))) == (7, 4, 2)

    def test_other_axes_are_refused_with_both_inputs(self) -> None:
        with pytest.raises(UnequalInputs) as error:
            build("matmul", {}).output_shape(((2, 3, 4), (5, 4, 6)))
        assert error.value.said(["a", "b"]).startswith("matmul cannot join a [2, 3, 4] and b [5, 4, 6]: ")

    @pytest.mark.parametrize(("left", "right", "hinted"), [((3, 4), (5, 4), True), ((3, 4), (5, 6), False)])
    def test_a_transposed_factor_is_told_from_a_wrong_one(self, left: Shape, right: Shape, hinted: bool) -> None:
        with pytest.raises(ChannelMismatch) as error:
            build("matmul", {}).output_shape(((7, *left), (7, *right)))
        assert ("permute" in (error.value.hint or "")) == hinted

    @pytest.mark.parametrize("inputs", [((4,), (4, 6)), ((3, 4), (4,))])
    def test_vectors_are_no_matrices(self, inputs: Shapes) -> None:
        with pytest.raises(RankMismatch, match=r"matmul takes matrices, and the (left|right) one is \[4\]"):
            build("matmul", {}).output_shape(inputs)


class TestAttention:
    def test_both_products(self) -> None:
        layer, inputs, output = attention(QUERY, KEY, VALUE)
        assert output == (2, 3, 6)
        scores = 2 * 3 * 5
        assert layer.operations(inputs, output) == {
            "mac": SCORES + SHARES,
            "activation": 3 * scores,
            "elementwise": scores,
        }
        mask = (*inputs, (3, 5))
        assert layer.operations(mask, output)["elementwise"] == 2 * scores

    @pytest.mark.parametrize(
        ("learns", "macs"),
        [
            ((True, True, True), 2 * SCORES + 2 * SHARES),
            ((False, False, True), SHARES),
            ((True, False, False), SCORES + SHARES),
            ((False, True, True), SCORES + 2 * SHARES),
            ((False, False, False, True), SHARES),
            ((False, False, False, False), 0),
        ],
    )
    def test_a_gradient_of_each_factor_costs_its_product(self, learns: tuple[bool, ...], macs: int) -> None:
        layer, inputs, output = attention(QUERY, KEY, VALUE, *((3, 5),) * (len(learns) - 3))
        assert layer.backward_macs(inputs, output, learns) == macs

    def test_what_is_kept_with_a_mask_and_without(self) -> None:
        layer, inputs, output = attention(QUERY, KEY, VALUE)
        rows = 2 * 3
        fused = (*(Saved("input", n) for n in range(3)), Saved("output"), Saved("extra", elements=rows, bytes=4))
        assert layer.saved(inputs, output) == fused
        scaled_and_shares = prod(QUERY) + prod(KEY) + rows * 5
        assert layer.saved((*inputs, (3, 5)), output) == (
            Saved("input", 2),
            Saved("extra", elements=scaled_and_shares),
        )

    @pytest.mark.parametrize(
        ("inputs", "fields", "error", "match"),
        [
            ((QUERY, (3, 5, 4), VALUE), {}, UnequalInputs, r"leading axes \[2\] and \[3\]"),
            ((QUERY, KEY, (3, 5, 6)), {}, UnequalInputs, r"leading axes \[2\] and \[3\]"),
            ((QUERY, KEY, VALUE, (3, 5)), {"is_causal": True}, GeometryError, "takes no mask beside it"),
            (((4,), KEY, VALUE), {}, RankMismatch, r"and query is \[4\]"),
            ((QUERY, (4,), VALUE), {}, RankMismatch, r"and key is \[4\]"),
            ((QUERY, KEY, (6,)), {}, RankMismatch, r"and value is \[6\]"),
            ((QUERY, KEY, VALUE, (5,)), {}, RankMismatch, r"and mask is \[5\]"),
            ((QUERY, KEY, VALUE, (3, 4)), {}, UnequalInputs, r"scores of \[2, 3, 5\]"),
        ],
    )
    def test_what_is_refused(
        self, inputs: Shapes, fields: dict[str, object], error: type[GeometryError], match: str
    ) -> None:
        with pytest.raises(error, match=match):
            attention(*inputs, **fields)

    def test_heads(self) -> None:
        """L = 3, S = 5, E = 4, kdim 6, vdim 8, two heads, a learned key and one of zeros."""
        layer = build("multihead_attention", {"heads": 2, "kdim": 6, "vdim": 8, "add_bias_kv": True})
        inputs = ((3, 4), (5, 6), (5, 8))
        assert layer.output_shape(inputs) == (3, 4)
        projections = (3 * 4 * 4, 5 * 6 * 4, 5 * 8 * 4)
        scores, shares, out = 2 * 3 * 6 * 2, 3 * 4 * 6, 3 * 4 * 4
        found = layer.operations(inputs, (3, 4))
        assert found == {
            "mac": sum(projections) + scores + shares + out,
            "activation": 3 * 2 * 3 * 6,
            "elementwise": 2 * 3 * 6,
            "bias": (3 + 5 + 5 + 3) * 4,
        }
        back = sum(projections) + 2 * (scores + shares + out)
        assert layer.backward_macs(inputs, (3, 4), (False, False, False)) == back
        for which, macs in enumerate(projections):
            learns = tuple(n == which for n in range(3))
            assert layer.backward_macs(inputs, (3, 4), learns) == back + macs
        kept = 2 * (3 + 6) * 4
        assert layer.saved(inputs, (3, 4))[3:] == (
            Saved("extra", elements=kept),
            Saved("extra", elements=2 * 3, bytes=4),
        )

    @pytest.mark.parametrize(
        ("inputs", "hint"), [(((3, 4), (5, 6), (5, 4)), "kdim: 6"), (((3, 4), (5, 4), (5, 6)), "vdim: 6")]
    )
    def test_features_are_those_that_the_projections_read(self, inputs: Shapes, hint: str) -> None:
        with pytest.raises(ChannelMismatch) as error:
            build("multihead_attention", {"heads": 2}).output_shape(inputs)
        assert error.value.hint == hint


class TestRecurrent:
    @pytest.mark.parametrize(
        ("kind", "gates", "activated", "combined"), [("rnn", 1, 1, 1), ("gru", 3, 3, 7), ("lstm", 4, 5, 8)]
    )
    @pytest.mark.parametrize("bias", [True, False])
    def test_operations_of_two_layers_in_both_directions(
        self, kind: str, gates: int, activated: int, combined: int, bias: bool
    ) -> None:
        """L = 3, F = 5, H = 4; the second layer reads both directions of the first."""
        layer = build(kind, {"hidden_size": 4, "num_layers": 2, "bidirectional": True, "bias": bias})
        assert layer.output_shape(((3, 5),)) == (3, 8)
        macs = 3 * 2 * gates * 4 * ((5 + 4) + (8 + 4))
        states = 3 * 2 * 2 * 4
        expected = {"mac": macs, "activation": activated * states, "elementwise": combined * states}
        if bias:
            expected["bias"] = 2 * gates * states
        assert layer.operations(((3, 5),), (3, 8)) == expected

    @pytest.mark.parametrize(("kind", "kept"), [("rnn", 1), ("gru", 4), ("lstm", 5)])
    def test_every_state_keeps_its_gates_and_what_they_make(self, kind: str, kept: int) -> None:
        layer = build(kind, {"hidden_size": 4, "num_layers": 3})
        between = 3 * 4 * 2
        extra = Saved("extra", elements=between + kept * 3 * 3 * 4)
        assert layer.saved(((3, 5),), (3, 4)) == (Saved("input"), Saved("output"), extra)

    def test_a_projection_is_smaller_than_the_state(self) -> None:
        projected = build("lstm", {"hidden_size": 4, "proj_size": 3})
        assert projected.output_shape(((2, 5),)) == (2, 3)
        assert [w.shape for w in projected.weights(((2, 5),)) if w.name == "weight_hr_l0"] == [(3, 4)]
        with pytest.raises(ValidationError, match="proj_size 4 must be below hidden_size 4"):
            build("lstm", {"hidden_size": 4, "proj_size": 4})

    def test_no_position_is_followed(self) -> None:
        (positions, features) = build("gru", {"hidden_size": 4}).axes(((3, 5),))
        assert positions is not None and (positions.source, positions.map) == (0, None)
        assert features is not None and (features.source, features.map) == (1, None)

    def test_a_thousand_layers_are_the_most(self) -> None:
        assert build("rnn", {"hidden_size": 1, "num_layers": 1000}).output_shape(((2, 3),)) == (2, 1)
        with pytest.raises(ValidationError):
            build("rnn", {"hidden_size": 1, "num_layers": 1001})

    @pytest.mark.parametrize("shape", [(5,), (2, 3, 5)])
    def test_it_reads_positions_of_features(self, shape: Shape) -> None:
        with pytest.raises(RankMismatch, match=f"with {len(shape)} axes"):
            build("gru", {"hidden_size": 4}).output_shape((shape,))


class TestLayout:
    def test_an_axis_of_one_is_no_empty_one(self) -> None:
        assert build("expand", {"shape": [1, 4, -1]}).output_shape(((4, 3),)) == (1, 4, 3)
        with pytest.raises(ValidationError, match="sizes of at least 1"):
            build("expand", {"shape": [0, 3]})

    def test_a_slice_starts_at_the_first(self) -> None:
        layer = build("slice", {"stop": 2})
        np.testing.assert_array_equal(forward(layer, np.array([[1.0, 2.0, 3.0]])), [[1.0, 2.0]])

    def test_a_stack_of_one(self) -> None:
        layer = build("stack", {"dim": 1})
        assert layer.arity == (1, None) and layer.output_shape(((3, 4),)) == (3, 1, 4)

    def test_a_stack_of_unequal_shapes_names_both(self) -> None:
        with pytest.raises(UnequalInputs) as error:
            build("stack", {}).output_shape(((3, 4), (3, 4), (3, 5)))
        assert error.value.said(["a", "b", "c"]).startswith("stack cannot join a [3, 4] and c [3, 5]: ")

    def test_tiles_in_a_new_axis_keep_the_others(self) -> None:
        layer = build("tile", {"reps": [2, 1]})
        (new, kept) = layer.axes(((3,),))
        assert layer.output_shape(((3,),)) == (2, 3)
        assert new is None and kept is not None and kept.source == 0 and kept.map is not None
        (whole,) = build("tile", {"reps": 2}).axes(((3,),))
        assert whole is not None and whole.map is None

    def test_positions_that_are_taken(self) -> None:
        layer = build("index_select", {"dim": 0, "indices": [2, -3, 0]})
        assert layer.output_shape(((3, 4),)) == (3, 4) and layer.positions == (2, -3, 0)
        np.testing.assert_array_equal(forward(layer, np.array([[5.0, 6.0, 7.0]])), [[7.0, 5.0, 5.0]])
        for index in (3, -4):
            with pytest.raises(EmptyOutput, match=f"takes position {index} of axis 0, which has 3"):
                build("index_select", {"dim": 0, "indices": [0, index]}).output_shape(((3, 4),))
        with pytest.raises(ValidationError, match="at least one position"):
            build("index_select", {"dim": 0, "indices": []})

    def test_positions_of_a_table_are_kept_as_integers(self) -> None:
        layer = build("embedding", {"num_embeddings": 9, "embedding_dim": 4})
        assert layer.saved(((2, 3),), (2, 3, 4)) == (Saved("extra", elements=6, bytes=8),)


class TestArithmetic:
    @pytest.mark.parametrize(
        ("kept", "kinds"),
        [
            ((Saved("output"),), ("exp", "sqrt", "rsqrt", "reciprocal")),
            ((Saved("input"),), ("log", "abs", "square", "sin", "cos", "erf")),
            ((), ("neg", "sign", "floor", "ceil", "round")),
        ],
    )
    def test_backward_reads_what_pytorchs_does(self, kept: tuple[Saved, ...], kinds: tuple[str, ...]) -> None:
        """`_saved_result` or `_saved_self` of the function's grad_fn; each has its own in place: exp_, log_, …"""
        for kind in kinds:
            layer = build(kind, {})
            assert layer.saved(((3, 4),), (3, 4)) == kept and layer.in_place, kind

    def test_clamped_to_one_number(self) -> None:
        layer = build("clamp", {"min": 1, "max": 1})
        np.testing.assert_array_equal(forward(layer, np.array([[0.0, 3.0]])), [[1.0, 1.0]])
        with pytest.raises(ValidationError, match="min 2 above max 1"):
            build("clamp", {"min": 2, "max": 1})

    @pytest.mark.parametrize(
        ("fields", "value", "work", "passes"),
        [
            ({}, 3.0, 0, "whole"),
            ({"offset": 1}, 4.0, 1, "whole"),
            ({"scale": 2}, 6.0, 1, None),
            ({"scale": -1, "offset": 1}, -2.0, 2, None),
            ({"scale": 0}, 0.0, 1, None),
            ({"scale": [2.0]}, 6.0, 1, None),
        ],
    )
    def test_rescaling(self, fields: dict[str, object], value: float, work: int, passes: str | None) -> None:
        layer = build("rescale", fields)
        assert forward(layer, np.array([[3.0]]), batch=1)[0, 0] == value
        assert layer.operations(((1, 5),), (1, 5)) == ({"elementwise": work * 5} if work else {})
        assert layer.passes_gradient(((1, 5),), (1, 5), 0) == passes
