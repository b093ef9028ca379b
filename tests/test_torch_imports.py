"""What the tool says of imports that are held against PyTorch; the models themselves need PyTorch."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from convcalc.findings import Finding
from convcalc.network import Network
from convcalc.torch.assembly import assemble
from convcalc.torch.lift.conversion import lift
from convcalc.torch.tape import from_json
from tests.spec_text import build
from tools.torch_imports import compared, table

ORACLE = Path(__file__).parent / "oracle"
TAPES: dict[str, Any] = json.loads(gzip.decompress((ORACLE / "torch_tapes.json.gz").read_bytes()))
ANSWERS: dict[str, Any] = json.loads(gzip.decompress((ORACLE / "torch_models.json.gz").read_bytes()))["models"]
ROW = {"name": "timm/a", "params": True, "macs": True, "opaque": [], "reload": True, "lines": 40}


def googlenet() -> Network:
    return assemble(lift(from_json(TAPES["torchvision/googlenet"])), "googlenet", "googlenet", lambda _: None)  # type: ignore[arg-type,return-value]


def test_a_model_that_agrees() -> None:
    row, text = compared(googlenet(), ANSWERS["torchvision/googlenet"])
    assert row == {"params": True, "macs": True, "opaque": [], "reload": True, "lines": text.count("\n")}
    assert text.startswith("convcalc: 1\nname: googlenet\n")


def test_wrong_figures_are_said() -> None:
    row, _ = compared(googlenet(), {"params": 13004887, "macs": 1})
    assert (row["params"], row["macs"]) == (False, False)


def test_what_a_finding_says_is_counted() -> None:
    network = build("[{conv2d: {out: 4, k: 1, bias: false}}]", input="[3, 2, 2]")
    notes = (
        Finding("CC724", "1,000 of 1,012 parameters lead to no output", "net"),
        Finding("CC726", "7 multiply", "net"),
    )
    row, _ = compared(replace(network, notes=notes), {"params": 1012, "macs": 55})
    assert row["params"] and row["macs"]


def test_opaque_calls_are_listed() -> None:
    network = build('[{opaque: {operator: aten::x, output: [3], reads: [[3]], reason: "no such"}}]', input="[3]")
    assert compared(network, {"params": 0, "macs": 0})[0]["opaque"] == [["aten::x", "no such"]]


def test_the_table_counts_and_names_what_differs() -> None:
    rows = [
        ROW,
        {**ROW, "name": "timm/b", "macs": False, "lines": 61, "opaque": [["x", "why"], ["x", "why"]]},
        {"name": "torchvision/c", "error": "ValueError: no"},
    ]
    assert table(rows).splitlines()[1:] == [
        "timm              2     2       2     1               1                   2           50.5           1",
        "torchvision       1     0       0     0               0                   0              -           0",
        "macs differ: timm/b",
        "opaque: x: why (1)",
        "torchvision/c: ValueError: no",
    ]
