"""What the tables of the targets have, and what a target refuses: by a rule, or because it knows no equal."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from convcalc.export.keras_layers import KERAS
from convcalc.export.onnx_layers import ONNX
from convcalc.export.onnx_model import onnx_model
from convcalc.export.torch_layers import TORCH
from convcalc.findings import UsageError
from convcalc.layers.kind_table import KindTable
from convcalc.layers.registry import KINDS
from convcalc.network import Network
from tests.exported_layers import layer_cases, single
from tests.exports import keras_module, torch_module

TABLES: dict[str, KindTable[Any]] = {"torch": TORCH, "keras": KERAS, "onnx": ONNX}
EXPORTS: dict[str, Callable[[Network], object]] = {"torch": torch_module, "keras": keras_module, "onnx": onnx_model}

REFUSED = {
    "torch": {"which positions it takes is not said": 1},
    "keras": {
        "Keras adds two biases in a GRU that resets after the product, one in other recurrent layers": 3,
        "Keras appends no key and no value": 1,
        "Keras has no dilated pool": 1,
        "Keras has no layer that writes windows out as columns": 1,
        "Keras has no transposed convolution with groups": 2,
        "Keras has recurrent layers one by one, whose states are not projected": 4,
        "Keras takes an output_padding below the stride": 1,
        "Keras's convolutions have one weight for all examples": 4,
        "which positions it takes is not said": 1,
        "windows of a power pool that overhang have no equal in Keras": 1,
    },
    "onnx": {
        "ONNX has no adaptive pool, and its windows differ where N does not divide N": 7,
        "ONNX has no operator that writes windows out as columns": 1,
        "ONNX has no recurrent operator whose products are convolutions": 4,
        "ONNX repeats no learned key for a batch of any size": 1,
        "ONNX's LSTM projects no states": 1,
        "ONNX's convolutions have one weight for all examples": 4,
        "onnxruntime takes an output_padding below the stride N, not N": 1,
        "onnxruntime normalizes over an odd number of channels, not over N": 1,
        "which positions it takes is not said": 1,
    },
}
"""Target -> reason -> how many of the single layers it refuses."""


KNOWN = {"torch": 64, "keras": 63, "onnx": 63}
"""Kinds that a target's table has at least: a new kind needs no row, and no row is lost."""


@pytest.mark.parametrize("target", TABLES)
def test_a_table_has_kinds_and_families_alone(target: str) -> None:
    table = TABLES[target]
    assert not list(table.strangers())
    assert sum(map(table.knows, KINDS)) >= KNOWN[target]


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
            if reason != TABLES[target].absent:
                found[reason] = found.get(reason, 0) + 1
    assert found == REFUSED[target]


@pytest.mark.parametrize("target", TABLES)
def test_a_kind_without_a_place_is_refused(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, network = TABLES[target], single("selu", {}, ((3, 4, 4),))
    monkeypatch.setattr(table, "entries", {name: entry for name, entry in table.entries.items() if name != "selu"})
    assert refusal(target, network) == f"{target} cannot say selu (selu): {table.absent}"
    assert refusal(target, single("tanh", {}, ((3, 4, 4),))) is None


NEW_KIND = """
import sys
from convcalc.layers import registry
from convcalc.layers.base import Layer

class Swirl(Layer):
    "A kind that no target has heard of."

registry.KINDS["swirl"] = ("swirl", "Swirl")
registry._classes["swirl"] = Swirl
from convcalc.__main__ import main
sys.argv = ["convcalc", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("target", TABLES)
@pytest.mark.parametrize(("spec", "known"), [("googlenet", True), ("-", False)])
@pytest.mark.slow
def test_a_new_kind_is_refused_where_it_stands_and_nowhere_else(target: str, spec: str, known: bool) -> None:
    """The kind is made before any table is read, so that a table that lists all kinds would not load."""
    command = [sys.executable, "-c", NEW_KIND, "export", spec, "--to", target]
    done = subprocess.run(command, input=b"{convcalc: 1, input: [3, 8, 8], layers: [relu, swirl]}", capture_output=True)
    said = done.stderr.decode()
    assert (done.returncode, bool(done.stdout)) == ((0, True) if known else (2, False)), said
    assert said == ("" if known else f"error: {target} cannot say swirl (swirl): {TABLES[target].absent}\n")
