"""The house of docs/design.md: imports go down, rooms of one floor do not import each other, no files in a circle."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from .module_imports import PACKAGE, Import, circles, imports, imports_of

FLOORS = {
    name: floor
    for floor, names in enumerate(
        (
            ("collector", "files", "hints", "interruption", "limits", "terminal", "units", "version"),
            ("findings", "geometry", "git", "naming"),
            ("codes", "layers"),
            ("flow", "inference", "marked"),
            ("network",),
            ("blocks", "models"),
            ("keras", "language", "onnx", "torch"),
            ("analysis", "export", "reference"),
            ("sweep",),
            ("drawings", "readers", "verify"),
            ("check",),
            ("render",),
            ("page",),
            ("api",),
            ("serve",),
            ("cli",),
            ("__main__",),
        )
    )
    for name in names
}


def room(module: str) -> str | None:
    """The room of a dotted module; None for the face (`convcalc` itself) and for what is not ours.

    >>> room("convcalc.layers.conv"), room("numpy"), room("convcalc")
    ('layers', None, None)
    """
    first, _, rest = module.partition(".")
    return rest.split(".")[0] if first == "convcalc" and rest.split(".")[0] in FLOORS else None


def upward(module: str, found: list[Import]) -> list[str]:
    """Imports of a module that go up, or sideways on its floor; wherever in it they stand."""
    mine = room(module)
    if mine is None:
        return []
    rooms = [(target, room(target)) for target, _ in found]
    return [
        f"{module} imports {target}"
        for target, other in rooms
        if other not in (None, mine) and FLOORS[other] >= FLOORS[mine]
    ]


def test_imports_go_down() -> None:
    assert len(imports()) > 20
    assert [line for module, found in imports().items() for line in upward(module, found)] == []


def test_every_room_has_its_floor() -> None:
    rooms = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - {"__init__"} == set(FLOORS)


def test_an_import_upward_is_found() -> None:
    def wrong(module: str, source: str) -> list[str]:
        path = PACKAGE / f"{module}.py"
        return upward(f"convcalc.{module.replace('/', '.')}", list(imports_of(path, source)))

    for line in ("from ..analysis import report", "from convcalc.cli.app import main", "import convcalc.render.text"):
        assert wrong("layers/conv", line), line
    assert wrong("analysis/report", "def f():\n    from ..reference import conv")
    assert wrong("layers/conv", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..network import Node")
    assert not wrong("layers/conv", "from ..geometry import Window")


def file_circles(found: dict[str, list[Import]], places: tuple[str, ...]) -> list[list[str]]:
    """Files in a circle of imports that stand at these places. The face imports everything, for types alone."""
    graph = {
        module: [target for target, place in targets if place in places and target in found]
        for module, targets in found.items()
        if module != "convcalc"
    }
    return circles(graph)


def test_no_circle_of_files_is_imported_at_run_time() -> None:
    assert file_circles(imports(), ("top", "function")) == []


def test_no_circle_of_files_is_imported_for_types() -> None:
    assert file_circles(imports(), ("top", "function", "typing")) == []


def test_a_circle_is_found() -> None:
    sources = {
        "layers/a": "from .b import x",
        "layers/b": "def f():\n    from . import c",
        "layers/c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import x",
    }
    found = {
        f"convcalc.{name.replace('/', '.')}": [
            Import(target if target != "convcalc.layers" else "convcalc.layers.c", place)
            for target, place in imports_of(PACKAGE / f"{name}.py", source)
        ]
        for name, source in sources.items()
    }
    assert file_circles(found, ("top", "function")) == []
    assert file_circles(found, ("top", "function", "typing")) == [sorted(found)]


def foreign(path: Path) -> set[str]:
    """Packages that a file imports and that are neither ours nor of the standard library."""
    names = {target.split(".")[0] for target, _ in imports_of(path, path.read_text("utf-8"))}
    return names - {"convcalc"} - sys.stdlib_module_names


def test_geometry_needs_the_standard_library_alone() -> None:
    assert [path for path in (PACKAGE / "geometry").glob("*.py") if foreign(path)] == []
    assert foreign(PACKAGE / "layers" / "base.py") == {"pydantic"}


def test_the_table_of_the_design_has_every_room_on_its_floor() -> None:
    rows = re.findall(
        r"^\| (\d+) \| ([^|]+) \|", (PACKAGE.parent / "docs" / "design.md").read_text("utf-8"), re.MULTILINE
    )
    told = {
        name.rstrip("/").removesuffix(".py"): int(floor)
        for floor, names in rows
        for name in re.findall("`([^`]+)`", names)
    }
    assert told == {name: floor for name, floor in FLOORS.items() if name != "__main__"}
