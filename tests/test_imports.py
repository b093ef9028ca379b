"""What each command loads: start-up is paid for by every call."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import sys
from convcalc.__main__ import main
sys.argv = ["convcalc", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


def unwanted(modules: set[str], *names: str) -> set[str]:
    """Loaded modules that are one of the names or lie below one."""
    return {module for module in modules for name in names if module == name or module.startswith(f"{name}.")}


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, convcalc; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert unwanted(set(done.stdout.splitlines()), "numpy", "rich", "typer", "pydantic", "yaml") == set()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--help"], ("numpy", "yaml", "pydantic", "rich.markdown", "convcalc.layers", "convcalc.language")),
        (["table", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["invert", "--k", "3", "--s", "2", "--p", "1"], ("numpy", "yaml", "rich", "convcalc.layers")),
        (["check", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["check", "googlenet.yaml"], ("multiprocessing", "tomllib", "convcalc.check.rules", "convcalc.check.update")),
        (["diff", "googlenet", "googlenet"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.check")),
        (["sizes", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (["invert", "googlenet.yaml"], ("numpy", "rich", "convcalc.layers.shuffle", "convcalc.reference")),
        (
            ["export", "googlenet", "--to", "torch"],
            ("numpy", "rich", "onnx", "convcalc.analysis", "convcalc.layers.shuffle"),
        ),
        (["solve", "--in", "224", "--out", "112"], ("numpy", "yaml", "rich", "convcalc.layers")),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], names: tuple[str, ...]) -> None:
    assert unwanted(loaded(*arguments), *names) == set()


def test_what_is_loaded_is_seen() -> None:
    modules = loaded("table", "googlenet.yaml")
    assert {"convcalc.layers.conv", "yaml", "pydantic"} <= modules
    assert "numpy" in loaded("invert", "--k", "3", "--s", "2", "--p", "1", "--size", "9", "--verify")
