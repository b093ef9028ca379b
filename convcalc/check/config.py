"""Configuration: `convcalc.toml`, or `[tool.convcalc]` of `pyproject.toml`, the nearest above a file.

Keys: `select`, `ignore` (lists of codes or prefixes), `exclude` (folders or globs that a walk through folders
leaves out), `advice`, `strict` (true or false), `dtype` and `batch` (of budgets, and of claims that say none of
their own), and budgets for the folder and everything below it,
`max_<quantity>`: `max_params = "5M"`, `max_macs`, `max_peak_memory = "20 MiB"`. `[budgets."specs/mobile"]` gives
budgets to one folder or one glob of files. Folders and globs are relative to the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..analysis.quantities import QUANTITY_NAMES, quantity
from ..findings import UsageError
from ..hints import suggest
from ..language.expectations import DTYPES
from .builds import PLAIN, Setting
from .claim_values import parse_number_claim

NAMES = ("convcalc.toml", "pyproject.toml")
KEYS = ("select", "ignore", "exclude", "advice", "strict", "dtype", "batch", "budgets")
PREFIX = "max_"


class Budget(NamedTuple):
    """The most that a quantity of the whole network may be."""

    quantity: str
    limit: Fraction
    text: str
    """The limit as it is written."""
    place: str
    """Where the configuration says so."""
    setting: Setting = PLAIN
    """At what it holds; where it says nothing, at what the whole configuration says."""


@dataclass(frozen=True, slots=True)
class Config:
    """What one configuration file says."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    advice: bool = False
    strict: bool = False
    setting: Setting = PLAIN
    """The dtype and batch size of budgets, and of claims that say none of their own."""
    budgets: tuple[tuple[str, tuple[Budget, ...]], ...] = ()
    """Glob, relative to the configuration, and its budgets; the more specific ones stand below."""
    folder: Path = Path()

    def budgets_of(self, path: Path) -> tuple[Budget, ...]:
        """The budgets of a file; for each quantity the last glob that matches decides."""
        found: dict[str, Budget] = {}
        for pattern, budgets in self.budgets:
            if self._matches(path, pattern):
                found.update({budget.quantity: budget for budget in budgets})
        return tuple(found.values())

    def excludes(self, path: Path) -> bool:
        """Whether a walk through folders leaves the file out."""
        return any(self._matches(path, pattern) for pattern in self.exclude)

    def _matches(self, path: Path, pattern: str) -> bool:
        """Whether a (resolved) path is, or is below, what a glob matches."""
        if not path.is_relative_to(self.folder):
            return False
        relative = path.relative_to(self.folder).as_posix()
        return fnmatchcase(relative, pattern) or fnmatchcase(relative, f"{pattern.rstrip('/')}/*")


DEFAULT = Config()


@cache
def config_of(folder: Path) -> Config:
    """The configuration of the files in a (resolved) folder: the nearest one above them. Raises UsageError."""
    for name in NAMES:
        path = folder / name
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if name == "convcalc.toml" or b"tool.convcalc" in data:
            found = _read(path, data)
            if found is not None:
                return found
    return config_of(folder.parent) if folder.parent != folder else DEFAULT


def shown(path: Path) -> str:
    """A path as messages name it: relative to this folder where it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read(path: Path, data: bytes) -> Config | None:
    import tomllib

    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown(path)}: {error}") from None
    table = document if path.name == "convcalc.toml" else document.get("tool", {}).get("convcalc")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise UsageError(f"{shown(path)}: [tool.convcalc] is a table")
    return _config(path, table)


def _config(path: Path, table: dict[str, Any]) -> Config:
    for key in table:
        if key not in KEYS and not key.startswith(PREFIX):
            known = [*KEYS, "max_params", "max_macs", "max_peak_memory"]
            hint = suggest(key, known, f"keys: {', '.join(KEYS)}, max_<quantity>")
            raise UsageError(f"{shown(path)}: unknown key '{key}'", hint)
    folders = table.get("budgets", {})
    if not isinstance(folders, dict) or not all(isinstance(budgets, dict) for budgets in folders.values()):
        raise UsageError(f"{shown(path)}: budgets map a folder or a glob to its budgets", '[budgets."specs/mobile"]')
    general = {key: value for key, value in table.items() if key.startswith(PREFIX)}
    return Config(
        select=_texts(path, "select", table),
        ignore=_texts(path, "ignore", table),
        exclude=_texts(path, "exclude", table),
        advice=_flag(path, "advice", table),
        strict=_flag(path, "strict", table),
        setting=_setting(path, table),
        budgets=(("*", _budgets(path, general)), *((glob, _budgets(path, b)) for glob, b in folders.items())),
        folder=path.parent,
    )


def _texts(path: Path, key: str, table: dict[str, Any]) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{shown(path)}: {key} is a list of texts", f'{key} = ["..."]')
    return tuple(value)


def _flag(path: Path, key: str, table: dict[str, Any]) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{shown(path)}: {key} is true or false")
    return value


def _setting(path: Path, table: dict[str, Any]) -> Setting:
    dtype, batch = table.get("dtype"), table.get("batch")
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"{shown(path)}: dtype is one of {', '.join(DTYPES)}")
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise UsageError(f"{shown(path)}: batch is a whole number of at least 1")
    return Setting(dtype, batch)


def _budgets(path: Path, table: dict[str, Any]) -> tuple[Budget, ...]:
    setting = _setting(path, table)
    limits = {key: value for key, value in table.items() if key not in ("dtype", "batch")}
    return tuple(_budget(path, key, value)._replace(setting=setting) for key, value in limits.items())


def _budget(path: Path, key: str, value: object) -> Budget:
    name = key.removeprefix(PREFIX)
    found = quantity(name)
    if not key.startswith(PREFIX) or found is None:
        hint = suggest(name, QUANTITY_NAMES, "", prefix=PREFIX)
        raise UsageError(f"{shown(path)}: unknown budget '{key}'", hint or None)
    if found.needs:
        raise UsageError(f"{shown(path)}: {key} is no budget: {name} needs {found.needs}")
    text = str(value)
    claim = parse_number_claim(text) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    if claim is None or not claim.exact:
        raise UsageError(f"{shown(path)}: {key} is a number", f'{key} = "5M", or "20 MiB" for memory')
    return Budget(name, claim.number, text, shown(path))
