"""Exports of torchvision and timm by both exporters of PyTorch, held against its counts: measured, and repeated.

`python -m tools.onnx_models` exports the networks and measures them; the files of some are kept here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convcalc.analysis.report import analyse
from convcalc.onnx import load_onnx
from tools.onnx_models import EXPORTERS, differences, summary

from .onnx_models import RECORDED, recorded

MEASURED: dict[str, Any] = json.loads((RECORDED / "models.json").read_text())
NETWORKS: dict[str, dict[str, Any]] = MEASURED["networks"]
KEPT = ("googlenet", "mobilenet_v2", "resnet18", "squeezenet1_1")
"""Networks of which a file of each exporter is kept."""


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_files_of_both_exporters_are_read_whole(exporter: str) -> None:
    """All are read, nine in ten without an opaque layer, and those have PyTorch's parameters and MACs."""
    found = summary(NETWORKS)[exporter]
    assert found == MEASURED["summary"][exporter]
    assert found["files"] >= {"torchscript": 160, "dynamo": 45}[exporter]
    assert found["read"] >= 0.98 * found["files"] and found["without opaque"] >= 0.9 * found["files"]
    assert found["params equal"] == found["macs equal"] == found["read"]


def test_what_differs_is_what_was_not_exported() -> None:
    assert not [
        (name, line) for name, found in NETWORKS.items() for line in differences(found) if "not exported" not in line
    ]


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("exporter", EXPORTERS)
def test_kept_files_have_the_macs_that_pytorch_counts(name: str, exporter: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(recorded(f"{name}{'_dynamo' if exporter == 'dynamo' else ''}.onnx"))
    assert analyse(load_onnx(str(path))).totals.macs == NETWORKS[name]["macs"]
