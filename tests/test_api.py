"""The public API: every name, in every spelling that the documentation promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import convcalc
from convcalc.analysis.memory import ITEM_BYTES
from convcalc.analysis.training import OPTIMIZERS
from convcalc.api import report, verify
from convcalc.cli import options
from convcalc.cli import verify as verify_command
from convcalc.language.expectations import DTYPES

SPEC = "{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}]}"


def test_every_public_name_is_there() -> None:
    for name in convcalc.__all__:
        assert getattr(convcalc, name) is not None
        assert name in dir(convcalc)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = convcalc.nothing


def test_the_reference_is_reached_without_another_import() -> None:
    program = (
        "import sys, convcalc, json; before = 'numpy' in sys.modules; import numpy\n"
        "layer = convcalc.parse_layer('conv2d: {out: 2, k: 3}')\n"
        "y = convcalc.reference.forward(layer, [numpy.ones((1, 3, 5, 5))], "
        "{'weight': numpy.ones((2, 3, 3, 3)), 'bias': numpy.zeros(2)})\n"
        "print(json.dumps([before, list(y.shape), float(y.max())]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [False, [1, 2, 3, 3], 27.0]


@pytest.mark.parametrize("name", ["googlenet", "googlenet.yaml"])
def test_a_gallery_name(name: str) -> None:
    assert convcalc.load(name).name == "GoogLeNet"


@pytest.mark.parametrize("shape", [[3, 40, 48], (3, 40, 48), {"input": [3, 40, 48]}])
def test_an_input(shape: object, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    assert convcalc.load(str(path), input=shape).nodes[-1].shape == (8, 38, 46)  # type: ignore[arg-type]
    assert convcalc.loads(SPEC, input=shape).nodes[-1].shape == (8, 38, 46)  # type: ignore[arg-type]


def test_errors_of_the_call_and_of_the_content() -> None:
    with pytest.raises(convcalc.UsageError, match="there is no file 'nowhere'"):
        convcalc.load("nowhere")
    with pytest.raises(convcalc.SpecError) as caught:
        convcalc.loads(SPEC.replace("conv2d", "conv2"))
    assert (caught.value.findings[0].line, caught.value.findings[0].hint) == (1, "did you mean 'conv2d'?")
    with pytest.raises(convcalc.GeometryError, match="kernel_size must be at least 1, not 0"):
        convcalc.invert(kernel=0)


class TestTheReportIsTheContract:
    def test_it_has_the_published_tables(self) -> None:
        (table,) = [
            table
            for table in convcalc.analyse(convcalc.load("googlenet")).to_dict()["published"]  # type: ignore[attr-defined]
            if table["title"].startswith("Table 1")
        ]
        ops = [entry for entry in table["differences"] if entry["column"] == "ops"]
        assert (ops[0]["row"], ops[0]["printed"], ops[0]["computed"]) == ("conv1", "34M", "118M")
        assert len(ops) == 3

    def test_it_is_what_the_command_prints(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "convcalc", "table", "googlenet", "--format", "json"],
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert json.loads(done.stdout) == json.loads(json.dumps(convcalc.analyse(convcalc.load("googlenet")).to_dict()))

    @pytest.mark.parametrize("options", [{"params": {"classes": 10}}, {"input": [3, 256, 256]}, {"variant": "aux"}])
    def test_claims_about_another_network_are_skipped(self, options: dict[str, object]) -> None:
        variants = convcalc.load("googlenet").origin.variants  # type: ignore[union-attr]
        options = {"variant": variants[0]} if "variant" in options else options
        report = convcalc.analyse(convcalc.load("googlenet", **options))  # type: ignore[arg-type]
        assert report.to_dict()["published"] == []
        assert convcalc.analyse(convcalc.load("googlenet"), batch=2).to_dict()["published"] == []


def test_types_and_optimizers_are_the_same_wherever_they_are_named() -> None:
    """Commands and Python name them in literals, which start-up and editors read; figures and plans look them up."""
    assert set(get_args(options.Dtype)) == set(get_args(report.Dtype)) == set(DTYPES) == set(ITEM_BYTES)
    assert set(get_args(options.Optimizer)) == set(get_args(report.Optimizer)) == set(OPTIMIZERS)
    assert get_args(verify_command.Dtype) == get_args(verify.Dtype)
