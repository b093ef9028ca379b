"""Every kind has its place in the table of every target, and what a target refuses it refuses by a rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from convcalc.export.keras_layers import KERAS
from convcalc.export.keras_module import keras_module
from convcalc.export.onnx_layers import ONNX
from convcalc.export.onnx_model import onnx_model
from convcalc.export.program import steps_of
from convcalc.export.torch_layers import TORCH
from convcalc.export.torch_module import torch_module
from convcalc.findings import UsageError
from convcalc.layers.registry import KINDS
from convcalc.network import Network
from tests.exported_layers import layer_cases

TABLES: dict[str, dict[str, Any]] = {"torch": TORCH, "keras": KERAS, "onnx": ONNX}
EXPORTS: dict[str, Callable[[Network], object]] = {"torch": torch_module, "keras": keras_module, "onnx": onnx_model}

REFUSED = {
    "torch": {},
    "keras": {
        "Keras has no dilated pool": 1,
        "Keras has no layer that writes windows out as columns": 1,
        "Keras has no transposed convolution with groups": 1,
        "Keras takes an output_padding below the stride": 1,
        "windows of a power pool that overhang have no equal in Keras": 1,
    },
    "onnx": {
        "ONNX has no adaptive pool, and its windows differ where N does not divide N": 7,
        "ONNX has no operator that writes windows out as columns": 1,
        "onnxruntime takes an output_padding below the stride N, not N": 1,
        "onnxruntime normalizes over an odd number of channels, not over N": 1,
    },
}
"""Target -> reason -> how many of the single layers it refuses."""


@pytest.mark.parametrize("target", TABLES)
def test_a_table_has_every_kind(target: str) -> None:
    assert set(TABLES[target]) == set(KINDS)


def refusal(target: str, network: Network) -> str | None:
    """Why a target refuses a network."""
    try:
        EXPORTS[target](network)
    except UsageError as refused:
        return refused.message
    return None


@pytest.mark.parametrize("target", EXPORTS)
def test_what_is_refused_and_why(target: str) -> None:
    found: dict[str, int] = {}
    for _, network in layer_cases():
        message = refusal(target, network)
        if message is not None:
            kind = network.nodes[-1].kind
            assert message.startswith(f"{target} cannot say {kind} ({kind}): ")
            reason = re.sub(r"\d+", "N", message.partition("): ")[2])
            found[reason] = found.get(reason, 0) + 1
    assert found == REFUSED[target]


def test_a_kind_without_a_place_is_refused() -> None:
    (network,) = [network for label, network in layer_cases() if label.startswith("selu ")]
    with pytest.raises(UsageError, match="cannot say selu"):
        steps_of(network, {kind: mapper for kind, mapper in TORCH.items() if kind != "selu"}, "torch")
