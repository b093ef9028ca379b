"""What a room does not know of a kind stops nothing but that kind, and names itself."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import convcalc
from convcalc.layers.kind_table import KindTable

NEW_KIND = """
import sys
from convcalc.layers import registry
from convcalc.layers.base import Layer

class Swirl(Layer):
    "A kind that no room has heard of."

registry.KINDS["swirl"] = ("swirl", "Swirl")
registry._classes["swirl"] = Swirl
from convcalc.__main__ import main
sys.argv = ["convcalc", *sys.argv[1:]]
main()
"""
SPEC = b"{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}, swirl]}"


def tables() -> dict[str, KindTable[object]]:
    """Every table of kinds, by where it stands."""
    found = {}
    for module in pkgutil.walk_packages(convcalc.__path__, "convcalc."):
        if not module.name.endswith(("__main__", "_helpers")) and ".live" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, KindTable):
                    found[f"{module.name}.{name}"] = value
    return found


def test_tables_name_kinds_and_families_that_exist() -> None:
    found = tables()
    assert len({id(table) for table in found.values()}) >= 6
    for place, table in found.items():
        assert not list(table.strangers()), place


def test_a_stranger_is_found() -> None:
    table = KindTable({"Conv": 1, "relu": 2, "conv": 3}, absent="", refused={"Recurrent": ""})
    assert list(table.strangers()) == ["Recurrent", "conv"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command on a spec that holds a kind which is new."""
    command = [sys.executable, "-c", NEW_KIND, *arguments]
    done = subprocess.run(command, input=SPEC, capture_output=True)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_verify_refuses_a_kind_without_a_twin_in_one_sentence() -> None:
    code, out, errors = run("verify", "-")
    assert (code, out) == (2, "")
    assert errors == "error: swirl: the reference has no forward pass of swirl\n"


@pytest.mark.parametrize(
    "command", ["check --select CC4 -", "table -", "sizes -", "explain - swirl", "export - --to dot"]
)
def test_analyses_know_a_new_kind_by_its_facts(command: str) -> None:
    code, _, errors = run(*command.split())
    assert (code, errors) == (0, "")


def test_the_decoder_says_that_a_new_kind_has_no_answer() -> None:
    code, _, errors = run("invert", "-")
    assert code == 2
    assert errors.startswith(
        "error: the way back from swirl reaches no input: swirl (swirl): the language has no layer"
    )
