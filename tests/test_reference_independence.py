"""The reference shares nothing with what it confirms: with every size rule broken it still runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import convcalc.geometry
from convcalc.layers.base import Layer
from convcalc.layers.registry import KINDS
from convcalc.reference import backward, forward, init
from tests.reference_examples import EXAMPLES, Example

FOLDER = Path(convcalc.geometry.__file__).parent.parent / "reference"


class Touched(Exception):
    """A rule of the layer models, or a function of the geometry, was called."""


def refuse(*_: Any, **__: Any) -> Any:
    raise Touched


LAYERS = {str(example): example.layer for example in EXAMPLES}
"""Built before anything is broken."""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every method and property of the layer models and every function of the geometry raises."""
    modules = {import_module(f"convcalc.layers.{module}") for module, _ in KINDS.values()}
    modules |= {import_module(f"convcalc.layers.{module}") for module in ("base", "spatial")}
    modules |= {module for name, module in sys.modules.items() if name.startswith("convcalc.geometry")}
    for module in modules:
        for name, value in list(vars(module).items()):
            if isinstance(value, FunctionType) and value.__module__.startswith(
                ("convcalc.geometry", "convcalc.layers")
            ):
                monkeypatch.setattr(module, name, refuse)
            if isinstance(value, type) and issubclass(value, Layer):
                for rule, member in list(vars(value).items()):
                    if isinstance(member, (property, cached_property)):
                        monkeypatch.setattr(value, rule, property(refuse))
                    elif isinstance(member, FunctionType) and not rule.startswith("__"):
                        monkeypatch.setattr(value, rule, refuse)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.usefixtures("broken")
def test_every_kind_runs_without_the_rules(example: Example) -> None:
    rng = np.random.default_rng(0)
    layer, inputs = LAYERS[str(example)], example.inputs(rng)
    weights = init(layer, example.shapes, rng)
    y = forward(layer, inputs, weights)
    backward(layer, inputs, weights, np.ones_like(y))


@pytest.mark.usefixtures("broken")
def test_the_rules_are_broken() -> None:
    """Twin of the test above: what it breaks is what the layer models use."""
    layer = LAYERS[str(EXAMPLES[0])]
    with pytest.raises(Touched):
        layer.output_shape(EXAMPLES[0].shapes)
    with pytest.raises(Touched):
        _ = layer.rank
    with pytest.raises(Touched):
        convcalc.geometry.conv_output(5, 3)


def imports(text: str) -> set[str]:
    """Modules that a file imports when it runs; what only type checkers read does not count."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = {"." * n.level + (n.module or "") for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    return found | {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}


def test_it_imports_nothing_of_the_other_floors() -> None:
    for path in FOLDER.glob("*.py"):
        outside = {name for name in imports(path.read_text()) if name.startswith(("..", "convcalc"))}
        assert not outside, path.name


def test_an_import_of_geometry_would_be_found() -> None:
    assert "..geometry" in imports("from ..geometry import conv_output")
    assert imports("if TYPE_CHECKING:\n    from ..layers.conv import Conv") == set()


def test_numpy_is_loaded_when_a_name_is_used() -> None:
    code = (
        "import sys, convcalc.reference as r; a = 'numpy' in sys.modules; r.forward; print(a, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
