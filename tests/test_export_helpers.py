"""The helpers that exported files hold: real files, cut by definition; they run where their framework is installed."""

from __future__ import annotations

import ast
import runpy
from typing import Any

import pytest

from convcalc import loads
from convcalc.export import keras_module, torch_module
from convcalc.export.python_code import COPIED, helper_texts, helpers_in
from convcalc.findings import UsageError
from tests.exported_layers import layer_cases

WRITERS: dict[str, Any] = {"torch": torch_module, "keras": keras_module}


@pytest.mark.parametrize("framework", WRITERS)
def test_a_file_is_its_imports_and_its_helpers(framework: str) -> None:
    """What is cut out is all that the file holds beside its imports, and compiles by itself."""
    tree = ast.parse((COPIED / f"{framework}_helpers.py").read_text("utf-8"))
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    assert ast.get_docstring(tree) is not None and all(isinstance(node, kinds) for node in tree.body[1:])
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    helpers = helpers_in(f"{framework}_helpers")
    assert list(helpers) == names and helpers == WRITERS[framework].HELPERS
    for name, text in helpers.items():
        (definition,) = ast.parse(text).body
        assert isinstance(definition, ast.ClassDef | ast.FunctionDef) and definition.name == name
        assert ast.get_docstring(definition) is not None
        compile(text, name, "exec")


@pytest.mark.parametrize("framework", WRITERS)
def test_every_helper_is_used(framework: str) -> None:
    """Single layers name each of them, and a file holds those that it names and no others."""
    helpers, used = WRITERS[framework].HELPERS, set[str]()
    conv = "conv2d: {out: 3, k: 3, p: 1, s: %d}"
    strides = f"[{{{conv % 1}, name: a}}, {{{conv % 2}, share: a}}]"
    shared = loads(f"{{convcalc: 1, input: [3, 8, 8], layers: {strides}}}")
    for network in (*[network for _, network in layer_cases()], shared):
        try:
            text = getattr(WRITERS[framework], f"{framework}_module")(network)
        except UsageError:
            continue
        held = {name for name, helper in helpers.items() if helper in text}
        body = text
        for name in held:
            body = body.replace(helpers[name], "")
        assert set(helper_texts(helpers, body)) == {helpers[name] for name in held}
        used |= held
    assert used == set(helpers)


@pytest.mark.parametrize("framework", WRITERS)
def test_a_file_runs_where_its_framework_is_installed(framework: str) -> None:
    pytest.importorskip(framework)
    made = runpy.run_path(str(COPIED / f"{framework}_helpers.py"))
    assert all(callable(made[name]) for name in helpers_in(f"{framework}_helpers"))
