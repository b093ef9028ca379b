"""The reference against the recorded outputs of ONNX's own operator tests, for every operator the language has."""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.reference import forward
from tests.onnx_operator_cases import OPERATORS, Case, LeftOut, collect

LEFT_OUT = {
    "average pools have no dilation": 6,
    "power pools have no dilation": 1,
    "power pools have no padding": 3,
    "power pools have one or two axes": 1,
    "a bias is a vector": 1,
    "products of two inputs are no layer": 6,
    "the constants are fixed": 2,
    "a slope is one a channel": 1,
    "a join has two inputs": 1,
    "the batch is never flattened": 6,
    "a size is at least 1": 1,
    "a part is not empty": 2,
    "values are arrays": 2,
    "no masks are drawn": 4,
    "a crop does not pad": 5,
    "channels are in PyTorchs order": 3,
    "coordinates are PyTorchs": 7,
    "one output is centred": 1,
    "there is no antialiasing": 4,
    "the cubic kernel is PyTorchs": 2,
    "the size is given": 4,
    "corners align on whole sizes": 2,
    "nearest rounds as PyTorch": 7,
}
"""Rule -> how many of the cases of onnx 1.23 it leaves out."""
CONFIRMED = 224
"""Cases of onnx 1.23 that the reference confirms."""
FOUR_DIGITS = {"test_averagepool_2d_ceil_last_window_starts_on_pad"}
"""Cases whose recorded outputs are rounded to four digits."""


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Case]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return collect()


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
def test_outputs_equal_the_recorded_ones(operator: str, cases: dict[str, list[Case]]) -> None:
    confirmed = 0
    for case in cases[operator]:
        try:
            told = OPERATORS[operator](case)
        except LeftOut:
            continue
        y = told.compared(forward(build(told.kind, told.fields), told.inputs, told.weights))
        assert y.shape == case.outputs[0].shape, case.name
        coarse = 6e-5 if case.name in FOUR_DIGITS else 2e-6
        np.testing.assert_allclose(y, case.outputs[0], rtol=1e-5, atol=coarse, err_msg=case.name)
        confirmed += 1
    assert confirmed


@pytest.mark.slow
def test_what_is_left_out_and_why(cases: dict[str, list[Case]]) -> None:
    """A rule leaves out no more than the language lacks; other versions of onnx may have other cases."""
    import onnx

    left_out: dict[str, list[str]] = defaultdict(list)
    for operator, tell in OPERATORS.items():
        for case in cases[operator]:
            try:
                tell(case)
            except LeftOut as rule:
                left_out[str(rule)].append(case.name)
    assert set(left_out) <= set(LEFT_OUT)
    if onnx.__version__.startswith("1.23."):
        assert {rule: len(names) for rule, names in left_out.items()} == LEFT_OUT, dict(left_out)
        assert sum(map(len, cases.values())) - sum(LEFT_OUT.values()) == CONFIRMED
