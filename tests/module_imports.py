"""What every module of the package imports, and where in it the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import convcalc

PACKAGE = Path(convcalc.__file__).parent
Place = Literal["top", "function", "typing"]


class Import(NamedTuple):
    """One module that a module imports: at its top, inside a function, or for types alone."""

    target: str
    """Dotted, from `convcalc` where it is one of ours."""
    place: Place


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the package."""
    return {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def dotted(path: Path) -> str:
    """The name of a module's file: `convcalc.layers.conv`; a package's is that of its folder."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, list[Import]]:
    """Module -> its imports."""
    return {name: list(imports_of(path, path.read_text("utf-8"))) for name, path in modules().items()}


def imports_of(path: Path, source: str) -> Iterator[Import]:
    """The imports of a file that holds this source, in order."""
    package = dotted(path).split(".") if path.name == "__init__.py" else dotted(path).split(".")[:-1]
    yield from _imports(ast.parse(source), package, "top")


def _imports(node: ast.AST, package: list[str], place: Place) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, place) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            above = package[: len(package) - child.level + 1] if child.level else []
            base = ".".join([*above, *(child.module.split(".") if child.module else ())])
            for target in dict.fromkeys(_target(base, alias.name) for alias in child.names):
                yield Import(target, place)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(ast.Module(child.body, []), package, "typing")
            yield from _imports(ast.Module(child.orelse, []), package, place)
        elif not isinstance(child, ast.expr):
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, package, "function" if inside and place == "top" else place)


def _target(base: str, name: str) -> str:
    """`from base import name`: the module of that name, else base, in which the name stands."""
    return f"{base}.{name}" if f"{base}.{name}" in modules() else base


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of modules each of which reaches all others of its group, and itself, by imports.

    >>> circles({"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": []})
    [['b', 'c']]
    """
    reached = {name: _reached(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in reached[name] if name in reached.get(other, ()))) for name in graph}
    return sorted(list(group) for group in groups if group)


def _reached(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    pending, found = [start], set()
    while pending:
        for name in graph.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found
