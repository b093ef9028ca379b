"""The house of docs/design.md: imports go down, packages of one floor do not import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import convcalc

PACKAGE = Path(convcalc.__file__).parent
FLOORS = {
    "geometry": 0,
    "files": 0,
    "findings": 0,
    "codes": 0,
    "hints": 0,
    "collector": 0,
    "marked": 0,
    "layers": 1,
    "network": 2,
    "language": 3,
    "onnx": 3,
    "analysis": 4,
    "reference": 4,
    "export": 4,
    "published": 5,
    "verify": 5,
    "check": 6,
    "render": 7,
    "cli": 8,
    "__main__": 9,
}
ALLOWED_ON_ONE_FLOOR = {("codes", "findings"), ("marked", "codes"), ("marked", "findings")}
"""A code's page says how severe its findings are, and findings are placed at marks with the hint of the page."""


def room(module: tuple[str, ...]) -> str | None:
    """The room of a dotted module below convcalc; None for the face (`convcalc` itself)."""
    return module[0] if module and module[0] in FLOORS else None


def imports(path: Path, source: str) -> list[tuple[str, ...]]:
    """Modules below convcalc that a file imports, as paths from convcalc, wherever in it the import stands."""
    here = path.relative_to(PACKAGE).with_suffix("").parts
    found: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            module = (*base, *(node.module.split(".") if node.module else ()))
            found += [module] if node.module else [(*base, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "convcalc":
            found.append(tuple(node.module.split(".")[1:]))
        elif isinstance(node, ast.Import):
            found += [tuple(a.name.split(".")[1:]) for a in node.names if a.name.split(".")[0] == "convcalc"]
    return found


def violations(path: Path, source: str) -> list[str]:
    """Imports of a file that go up, or sideways on its floor."""
    mine = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if mine not in FLOORS:
        return []
    wrong = []
    for module in imports(path, source):
        other = room(module)
        if other is None or other == mine or (mine, other) in ALLOWED_ON_ONE_FLOOR:
            continue
        if FLOORS[other] >= FLOORS[mine]:
            wrong.append(f"{'/'.join(path.relative_to(PACKAGE).parts)} imports {'.'.join(module)}")
    return wrong


def test_imports_go_down() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 20
    assert [line for path in files for line in violations(path, path.read_text("utf-8"))] == []


def test_every_room_has_its_floor() -> None:
    rooms = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - {"__init__"} == set(FLOORS)


def test_an_import_upward_is_found() -> None:
    path = PACKAGE / "layers" / "conv.py"
    for line in ("from ..analysis import report", "from convcalc.cli.app import main", "import convcalc.render.grid"):
        assert violations(path, line), line
    assert violations(PACKAGE / "analysis" / "report.py", "def f():\n    from ..reference import conv")
    assert not violations(path, "from ..geometry import Window")


def test_geometry_needs_the_standard_library_alone() -> None:
    import sys

    for path in (PACKAGE / "geometry").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names), (path, names)
