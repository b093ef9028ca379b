"""`convcalc specs`: the list, one spec, and names that are none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from convcalc.language import gallery_names, gallery_path
from tests.loaded_modules import loaded, unwanted


def run(*arguments: str, code: int = 0) -> str:
    """What the command prints, on either stream."""
    environment = {"COLUMNS": "120", **os.environ}
    call = [sys.executable, "-m", "convcalc", "specs", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, env=environment)
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def test_the_list_names_every_spec() -> None:
    lines = run().splitlines()
    assert [line.split()[0] for line in lines[2:-2]] == list(gallery_names())
    assert any("113/125" in line and "Szegedy et al. 2014" in line for line in lines if line.startswith("googlenet "))
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
        ("zzz", "'convcalc specs' lists them all"),
    ],
)
def test_a_name_that_is_none(name: str, hint: str) -> None:
    said = f"no spec of the gallery has '{name}' in its name, its title, its source or its variants"
    assert run(name, code=1) == f"error: {said}\n  hint: {hint}\n"


def test_nothing_found_is_an_empty_list_for_programs() -> None:
    assert json.loads(run("zzz", "--format", "json", code=1)) == {"format": 1, "specs": []}


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("mobile", {"mobilenet_v1", "mobilenet_v2", "mobilenet_v3"}),
        ("MOBILE", {"mobilenet_v1", "mobilenet_v2", "mobilenet_v3"}),
        ("Ronneberger", {"unet"}),
        ("GoogLe", {"googlenet"}),
        ("resnet50", {"resnet", "resnext", "se_resnet"}),
        ("1512.03385", {"resnet"}),
    ],
)
@pytest.mark.slow
def test_a_word_finds_names_titles_authors_and_variants(word: str, names: set[str]) -> None:
    entries = json.loads(run(word, "--format", "json"))["specs"]
    assert names <= {entry["name"] for entry in entries} < set(gallery_names())
    assert f"\n{len(entries)} spec" in run(word)


def test_variants_that_have_the_word_are_named() -> None:
    assert "resnet      resnet50, wide_resnet50_2\n" in run("resnet50")
    assert "variants" not in run("szegedy").splitlines()


def test_variants_are_listed_when_asked_for() -> None:
    below = run("--variants").split("\nvariants\n")[1]
    entries = json.loads(run("--format", "json"))["specs"]
    assert {variant for entry in entries for variant in entry["variants"]} <= set(re.split(r"[,\s]+", below))
    assert "| resnet | resnet18, resnet34" in run("resnet", "--variants", "--format", "markdown")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_fits_the_terminal_and_cuts_no_author(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    printed = run("--variants")
    assert max(map(len, printed.splitlines())) <= columns
    assert not any(line.endswith(" ") for line in printed.splitlines())
    words = " ".join(printed.split())
    assert "…" not in printed
    assert all(name in words for name in ("Simonyan", "Zisserman 2014", "Krizhevsky", "Mamalet", "Garcia"))


def test_listing_computes_nothing() -> None:
    modules = loaded("specs")
    assert unwanted(modules, "numpy", "rich", "convcalc.layers.conv", "convcalc.analysis.published") == set()


def test_words_that_begin_so_come_before_words_that_hold_it() -> None:
    def found(word: str) -> list[str]:
        return [entry["name"] for entry in json.loads(run(word, "--format", "json"))["specs"]]

    assert found("lenet") == ["lenet5"]
    assert "resnet" in found("he") and "alexnet" not in found("he")
    assert "resnext" in found("esnex")
