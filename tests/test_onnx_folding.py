"""Constants: what exporters compute about shapes is computed here too, and nothing of it becomes a layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.onnx.messages import Malformed
from convcalc.onnx.operators.layout import reshaped, squeezed, unsqueezed

from .onnx_models import Maker, conversion_of, inferred_shapes, kinds, shapes_of


def test_the_shape_of_a_view_is_computed(tmp_path: Path) -> None:
    maker = Maker("N", 3, 8, 8)
    batch = maker.node("Gather", maker.node("Shape", "x"), maker.constant(0))
    sizes = maker.node("Concat", maker.node("Unsqueeze", batch, maker.constant([0])), maker.constant([-1]), axis=0)
    network = maker.load(tmp_path, maker.node("Reshape", "x", sizes))
    assert kinds(network) == ["flatten"] and network.nodes[-1].shape == (192,)


def test_the_pads_of_pytorch_are_computed(tmp_path: Path) -> None:
    """F.pad of an old exporter: pairs from the last axis on, turned round by Reshape, Slice and Transpose."""
    maker = Maker(1, 3, 8, 8)
    lasts = maker.constant([1, 2, 3, 4])
    all_pads = maker.node("Concat", lasts, maker.node("ConstantOfShape", maker.constant([4])), axis=0)
    pairs = maker.node("Reshape", all_pads, maker.constant([-1, 2]))
    ends = (maker.constant([-1]), maker.constant([-(2**63) + 1]), maker.constant([0]), maker.constant([-1]))
    turned = maker.node("Transpose", maker.node("Slice", pairs, *ends), perm=[1, 0])
    pads = maker.node("Cast", maker.node("Reshape", turned, maker.constant([-1])), to=7)
    network = maker.load(tmp_path, maker.node("Pad", "x", pads))
    assert network.nodes[-1].shape == (3, 15, 11)


def test_arithmetic_on_sizes_is_onnx_own(tmp_path: Path) -> None:
    maker = Maker(1, 3, 9, 8)
    height = maker.node("Gather", maker.node("Shape", "x"), maker.constant(2))
    half = maker.node("Div", height, maker.constant(2))
    end = maker.node("Unsqueeze", maker.node("Add", half, maker.constant(1)), maker.constant([0]))
    maker.node("Slice", "x", maker.constant([0]), end, maker.constant([2]))
    network = maker.load(tmp_path)
    assert network.nodes[-1].shape == (3, 5, 8)
    model = maker.model(maker.nodes[-1].output[0])
    assert shapes_of(conversion_of(model.SerializeToString())).items() >= inferred_shapes(model).items()


def test_a_transposed_weight_is_a_weight(tmp_path: Path) -> None:
    maker = Maker(1, 10)
    network = maker.load(tmp_path, maker.node("MatMul", "x", maker.node("Transpose", maker.weight(8, 10), perm=[1, 0])))
    assert kinds(network) == ["linear"] and network.nodes[-1].shape == (8,)


def test_numbers_that_grow_without_bound_are_given_up(tmp_path: Path) -> None:
    maker = Maker(1, 10)
    number = maker.constant([2**60])
    for _ in range(40):
        number = maker.node("Mul", number, number)
    maker.node("Reshape", "x", number)
    with pytest.raises(Exception, match="computed while it runs"):
        maker.load(tmp_path)


def test_shapes_under_reshape() -> None:
    assert reshaped((2, 3, 4), [0, -1]) == (2, 12)
    assert squeezed((1, 3, 1), None) == (3,)
    assert unsqueezed((3,), [0, -1]) == (1, 3, 1)
    for wrong in ([5, -1], [-1, -1], [2, 3], [-2, 4]):
        with pytest.raises(Malformed):
            reshaped((2, 3, 4), wrong)
    with pytest.raises(Malformed):
        squeezed((2, 3), [0])
