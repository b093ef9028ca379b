"""What each command loads: start-up is paid for by every call."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from convcalc.cli.commands import COMMANDS
from convcalc.layers.registry import KINDS, layer_class

from .loaded_modules import loaded, unwanted
from .module_imports import PACKAGE, imports, imports_of


def test_plugins_of_others_are_not_looked_for(tmp_path: Path) -> None:
    """pydantic would read what every installed package says of itself, and load what some of them name."""
    package = tmp_path / "loud-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[pydantic]\nloud = loud:plugin\n")
    (tmp_path / "loud.py").write_text("plugin = None\n")
    assert "pydantic" in (modules := loaded("table", "lenet5", path=str(tmp_path)))
    assert "loud" not in modules


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, convcalc; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert unwanted(set(done.stdout.splitlines()), "numpy", "rich", "typer", "pydantic", "yaml") == set()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--version"], ("importlib.metadata", "numpy", "yaml", "pydantic", "rich", "convcalc.codes")),
        (["--help"], ("numpy", "yaml", "pydantic", "rich.markdown", "convcalc.layers", "convcalc.language")),
        (["table", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["invert", "--k", "3", "--s", "2", "--p", "1"], ("numpy", "yaml", "rich", "convcalc.layers")),
        (["check", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["check", "googlenet.yaml"], ("multiprocessing", "tomllib", "convcalc.check.rules", "convcalc.check.update")),
        (["diff", "googlenet", "googlenet"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.check")),
        (["explain", "googlenet.yaml", "conv1"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["sizes", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["invert", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (
            ["export", "googlenet", "--to", "torch"],
            ("numpy", "rich", "onnx", "convcalc.analysis", "convcalc.layers.shuffle"),
        ),
        (["solve", "--in", "224", "--out", "112"], ("numpy", "yaml", "rich", "convcalc.layers")),
        (["draw", "-k", "3"], ("numpy", "rich", "convcalc.drawings", "PIL", "resvg_py", "convcalc.export")),
        (["table", "lenet5"], ("convcalc.drawings", "convcalc.analysis.drawn", "PIL", "resvg_py")),
        (["table", "lenet5", "--format", "json"], ("jinja2", "convcalc.page", "convcalc.export")),
        (["diff", "lenet5", "lenet5"], ("jinja2", "convcalc.page", "convcalc.export")),
        (["report", "lenet5"], ("numpy", "rich", "torch", "convcalc.reference", "convcalc.check")),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], names: tuple[str, ...]) -> None:
    assert unwanted(loaded(*arguments), *names) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["table", "googlenet.yaml"],
        ["diff", "lenet5", "lenet5"],
        ["check", "googlenet.yaml"],
        ["export", "lenet5", "--to", "torch"],
        ["verify", "lenet5"],
    ],
)
def test_no_command_on_a_spec_loads_torch(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    modules = loaded(*arguments, path=str(tmp_path))
    assert unwanted(modules, "torch", "torchvision", "convcalc.torch") == set()


def evaluated() -> set[str]:
    """The modules whose annotations typer and pydantic evaluate at every call: of commands and of layers."""
    commands = {f"convcalc.cli.{command.file or name}" for name, command in COMMANDS.items()}
    return commands | {"convcalc.cli.everywhere"} | {layer_class(kind).__module__ for kind in KINDS}


@pytest.mark.parametrize("module", sorted(evaluated()))
def test_annotations_that_are_evaluated_are_no_strings(module: str) -> None:
    assert "annotations" not in vars(import_module(module)), "a future import makes each of them text to compile"


def test_what_is_loaded_is_seen() -> None:
    modules = loaded("table", "googlenet.yaml")
    assert {"convcalc.layers.conv", "yaml", "pydantic"} <= modules
    assert "numpy" in loaded("invert", "--k", "3", "--s", "2", "--p", "1", "--size", "9", "--verify")


LAZY: dict[str, dict[str, set[str]]] = {
    "the program imports what is asked of it": {
        "convcalc": {"importlib"},
        "__main__": {"cli.app"},
        "check.run": {"check.rules", "analysis.published", "torch.spec"},
        "export.onnx_model": {"export.onnx_graph", "export.onnx_layers"},
        "language.unfinished": {"layers.batched"},
        "onnx.stated": {"onnx.inference"},
        "render.invert": {"language.write", "terminal"},
        "render.draw": {"analysis.drawn_matrices"},
        "render.progress": {"terminal"},
        "render.findings": {"render.diff"},
        "render.streams": {"render.escape", "render.json_text", "render.text", "terminal"},
        "render.table": {"analysis.controller", "analysis.published", "analysis.report", "render.hanging"},
        "render.html": {"render.matrices"},
        "render.markup": {"render.matrices"},
        "render.text": {"render.matrices", "render.scatter"},
        "sweep.running": {"sweep.cluster", "sweep.processes"},
        "sweep.store": {"sweep.front"},
    },
    "a call of the API loads what it asks for": {
        "api.arena": {"export.arena"},
        "api.check": {"analysis.diff", "api.growth", "render.diff"},
        "api.draw": {
            "analysis.drawn_matrices",
            "drawings.matrices",
            "drawings.motion",
            "drawings.raster",
            "drawings.strip",
            "drawings.window",
            "files",
        },
        "api.explain": {"language", "verify.on_numbers"},
        "api.export": {
            "api.arena",
            "export.drawing",
            "export.figure",
            "export.keras_module",
            "export.onnx_model",
            "export.torch_module",
            "reference",
            "reference.running",
        },
        "api.load": {"language", "language.revisions", "torch.spec"},
        "api.from_keras": {"torch.load"},
        "api.summary": {"torch.load", "torch.live.summary"},
        "readers": {"keras", "onnx", "sweep.row_spec", "torch.exported", "torch.load", "torch.spec"},
        "api.report": {"analysis.device", "analysis.quantities"},
        "api.sweep": {"language", "language.revisions"},
        "api.verify": {"verify.flow", "verify.prediction", "verify.substitute"},
    },
    "how a result looks is loaded when it is looked at": {
        "api.arena": {"render.arena"},
        "api.check": {"render.document", "render.findings"},
        "api.diff": {"render.diff"},
        "api.draw": {"render.draw", "render.lines", "render.streams", "render.text"},
        "api.growth": {"render.diff", "render.document"},
        "api.explain": {"render.explain"},
        "api.flows": {"render.flows"},
        "api.invert": {"render.invert"},
        "api.report": {"render.first_screen", "render.html", "render.streams"},
        "api.shown": {"render.html", "render.lines", "render.rich_lines", "render.streams", "render.text"},
        "api.sizes": {"render.sizes"},
        "api.forensics": {"render.forensics"},
        "api.solve": {"render.solve"},
        "api.sweep": {"page.sweep", "render.sweep"},
        "api.verify": {"render.verify"},
    },
    "an analysis is loaded when its figures are asked for": {
        "analysis.figures": {
            "analysis.arena",
            "analysis.flash",
            "analysis.memory",
            "analysis.receptive_field",
            "analysis.traffic",
            "analysis.training",
            "findings",
        },
        "analysis.quantity_values": {
            "analysis.controller",
            "analysis.device",
            "analysis.multiplications",
            "analysis.training",
        },
        "analysis.explain": {"analysis.controller", "analysis.device"},
        "check.claims": {"analysis.published"},
        "analysis.gallery": {"analysis.published", "analysis.report", "language.load"},
        "analysis.report": {"analysis.published", "analysis.rows"},
        "analysis.published": {"analysis.widths"},
        "verify.confirm": {"verify.flow"},
    },
    "only a mistake needs it": {
        "hints": {"difflib"},
        "language.items": {"language.refused", "pydantic"},
        "blocks.fields": {"pydantic"},
        "marked": {"codes"},
        "network": {"layers.base"},
    },
    "a part of the standard library that most calls do without": {
        "check.config": {"tomllib"},
        "check.run": {"concurrent.futures", "concurrent.futures.process", "multiprocessing"},
        "geometry.formulas": {"re"},
        "git": {"shutil", "subprocess", "tempfile", "threading"},
        "language.sources": {"importlib.util", "json"},
        "models.limited": {"resource"},
        "render.escape": {"json"},
        "render.findings": {"datetime", "pathlib", "urllib.parse"},
        "render.invert": {"textwrap"},
        "render.markup": {"csv", "io"},
        "render.lines": {"textwrap"},
        "render.progress": {"threading"},
        "render.streams": {"codecs", "shlex", "signal", "subprocess"},
        "render.text": {"textwrap"},
    },
    "torch is loaded when a model of PyTorch is read": {
        "torch.load": {"torch.live.inputs", "torch.live.reading"},
    },
    "a package that most calls do without": {
        "api.shown": {"pandas"},
        "drawings.raster": {"PIL", "resvg_py"},
        "export.onnx_model": {"onnx"},
        "keras.h5_config": {"h5py"},
        "onnx.infer_shapes": {"onnx"},
        "page.environment": {"jinja2", "markupsafe"},
        "sweep.cluster": {"distributed"},
        "sweep.export": {"pyarrow"},
    },
}
"""Why a module imports inside a function -> module -> what it imports there, for start-up alone.

The modules of `cli/` are not listed: a command loads what it runs when it runs.
"""


def lazy() -> dict[str, set[str]]:
    """Module -> what it imports inside functions; without the commands."""
    found = {
        module: {target.removeprefix("convcalc.") for target, place in targets if place == "function"}
        for module, targets in imports().items()
        if not module.startswith("convcalc.cli.")
    }
    return {module.removeprefix("convcalc."): targets for module, targets in found.items() if targets}


def listed() -> dict[str, set[str]]:
    """The same, as the table says."""
    found: dict[str, set[str]] = {}
    for modules in LAZY.values():
        for module, targets in modules.items():
            found.setdefault(module, set()).update(targets)
    return found


def test_what_is_imported_inside_functions_is_listed_with_its_reason() -> None:
    here, table = lazy(), listed()
    pairs = {(module, target) for module, targets in here.items() for target in targets}
    known = {(module, target) for module, targets in table.items() for target in targets}
    wrong = [f"{module} imports {name}: at the top, or LAZY says why not" for module, name in pairs - known]
    wrong += [f"{module} no longer imports {name}: take it out of LAZY" for module, name in known - pairs]
    assert not wrong, "\n".join(sorted(wrong))


def test_what_is_imported_at_the_top_is_not_imported_again_inside_a_function() -> None:
    twice = [
        f"{module} imports {target}"
        for module, targets in imports().items()
        for target in {target for target, place in targets if place == "function"}
        if (target, "top") in targets
    ]
    assert twice == []


def test_an_import_inside_a_function_is_seen() -> None:
    source = "import os\ndef f():\n    import json\n    from ..network import Node\n"
    found = list(imports_of(PACKAGE / "layers" / "conv.py", source))
    assert found == [("os", "top"), ("json", "function"), ("convcalc.network", "function")]
