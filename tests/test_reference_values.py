"""Forward passes and gradients against values that PyTorch computed, recorded in oracle/values.npz."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.reference import backward, forward, updated_statistics

ORACLE = Path(__file__).parent / "oracle"
CASES = json.loads((ORACLE / "values.json").read_text())["cases"]
NAMES = {"w": "weight", "b": "bias"}


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    with np.load(ORACLE / "values.npz") as archive:
        return dict(archive)


def layer_and_fields(case: dict[str, Any], held: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    op, fields = case["op"], dict(case["args"])
    if op == "linear":
        fields["out_features"] = held["w"].shape[0]
    elif "w" in held and op != "batch_norm":
        transposed = op.startswith("conv_transpose")
        fields["out_channels"] = held["w"].shape[1] * fields["groups"] if transposed else held["w"].shape[0]
        fields["kernel_size"] = list(held["w"].shape[2:])
    if "w" in held and op != "batch_norm":
        fields["bias"] = "b" in held
    training = fields.pop("training", False)
    return build(op, {name: value for name, value in fields.items() if value is not None}), {"training": training}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['op']}")
def test_forward_and_gradients_equal_pytorchs(case: dict[str, Any], arrays: dict[str, Any]) -> None:
    held = {name.removeprefix(case["id"] + "_"): a for name, a in arrays.items() if name.startswith(case["id"] + "_")}
    layer, mode = layer_and_fields(case, held)
    weights = {NAMES[name]: held[name] for name in NAMES if name in held}
    weights |= {name: held[name] for name in ("running_mean", "running_var") if name in held}
    y = forward(layer, held["x"], weights, **mode)
    assert y.shape == held["y"].shape
    np.testing.assert_allclose(y, held["y"], rtol=1e-11, atol=1e-11)
    (grad_x,), grad_weights = backward(layer, held["x"], weights, held["g"], **mode)
    np.testing.assert_allclose(grad_x, held["grad_x"], rtol=1e-10, atol=1e-10)
    for short, name in NAMES.items():
        if f"grad_{short}" in held:
            np.testing.assert_allclose(grad_weights[name], held[f"grad_{short}"], rtol=1e-10, atol=1e-10)
    if "running_mean_after" in held:
        after = updated_statistics(layer, held["x"], weights)
        np.testing.assert_allclose(after["running_mean"], held["running_mean_after"], rtol=1e-12)
        np.testing.assert_allclose(after["running_var"], held["running_var_after"], rtol=1e-12)


def test_a_wrong_value_is_noticed(arrays: dict[str, Any]) -> None:
    """The comparison can fail: the same case with one number of the weights changed."""
    case = next(case for case in CASES if case["op"] == "conv2d")
    held = {name: arrays[f"{case['id']}_{name}"] for name in ("x", "w", "b", "y")}
    layer, _ = layer_and_fields(case, held)
    weight = held["w"].copy()
    weight.flat[0] += 1
    assert not np.allclose(forward(layer, held["x"], {"weight": weight, "bias": held["b"]}), held["y"])
