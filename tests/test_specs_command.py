"""`convcalc specs`: the list, one spec, and names that are none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from convcalc.language import gallery_names, gallery_path
from tests.test_imports import loaded, unwanted


def run(*arguments: str, code: int = 0) -> str:
    """What the command prints, on either stream."""
    done = subprocess.run([sys.executable, "-m", "convcalc", "specs", *arguments], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def test_the_list_names_every_spec() -> None:
    lines = run().splitlines()
    assert [line.split()[0] for line in lines[2:-2]] == list(gallery_names())
    assert any(
        "113 of 125" in line and "Szegedy et al. 2014" in line for line in lines if line.startswith("googlenet ")
    )
    assert lines[-1].startswith(f"{len(gallery_names())} specs with ")


def test_json_follows_the_contract() -> None:
    data = json.loads(run("--format", "json"))
    assert data["format"] == 1
    (entry,) = (spec for spec in data["specs"] if spec["name"] == "googlenet")
    assert {**entry, "tables": [], "source": ""} == {
        "name": "googlenet",
        "title": "GoogLeNet",
        "source": "",
        "variants": ["separable_stem", "torchvision"],
        "input": {"input": [3, 224, 224]},
        "params": 6998552,
        "macs": 1582671872,
        "cells": 125,
        "reproduced": 113,
        "tables": [],
    }


@pytest.mark.parametrize("name", ["vgg", "vgg.yaml"])
def test_a_name_prints_the_spec(name: str) -> None:
    assert run(name) == (gallery_path() / "vgg.yaml").read_text("utf-8")


def test_one_entry_as_json() -> None:
    assert [spec["name"] for spec in json.loads(run("unet", "--format", "json"))["specs"]] == ["unet"]


def test_markdown_has_full_sources() -> None:
    assert "arXiv:1409.4842" in run("--format", "markdown")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vggg", "did you mean 'vgg'?"),
        ("resnet50", "it is a variant of resnet"),
        ("zzz", "'convcalc specs' lists them all"),
    ],
)
def test_a_name_that_is_none(name: str, hint: str) -> None:
    assert run(name, code=2) == f"error: there is no spec '{name}' in the gallery\n  hint: {hint}\n"


def test_listing_computes_nothing() -> None:
    modules = loaded("specs")
    assert unwanted(modules, "numpy", "rich", "convcalc.layers.conv", "convcalc.analysis.published") == set()
