"""Configuration: `convcalc.toml`, or `[tool.convcalc]` of `pyproject.toml`, the nearest above a file.

Keys: `select`, `ignore` (lists of codes or prefixes), `exclude` (folders or globs that a walk through folders
leaves out), `advice`, `strict` (true or false), `dtype` and `batch` (of budgets, and of claims that say none of
their own), and budgets for the folder and everything below it,
`max_<quantity>`: `max_params = "5M"`, `max_macs`, `max_peak_memory = "20 MiB"`. `[budgets."specs/mobile"]` gives
budgets to one folder or one glob of files. Folders and globs are relative to the configuration.
"""

import re
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..analysis.quantities import QUANTITY_NAMES, quantity
from ..files import NotRegular, read_regular, sentence
from ..findings import UsageError
from ..hints import suggest
from ..language.expectations import DTYPES
from ..limits import CONFIGURATION_BYTES, CONFIGURATION_DIGITS
from .builds import PLAIN, Setting
from .claim_values import parse_number_claim
from .selection import read_codes

NAMES = ("convcalc.toml", "pyproject.toml")
KEYS = ("select", "ignore", "exclude", "advice", "strict", "dtype", "batch", "budgets")
PREFIX = "max_"

_TOO_MUCH = {
    rb"[0-9A-Fa-f_]{%d}" % (CONFIGURATION_DIGITS + 1): f"TOML: more than {CONFIGURATION_DIGITS:,} digits in a row",
    rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""": "TOML: a key of more than 32 parts",
}
"""What a reader of TOML fails at, or takes minutes for -> what is said of it."""
_UNQUOTED = re.compile(r"\s*[\w.-]+\s*=\s*(?:[0-9][0-9.]*\s*[A-Za-z]|(?!true|false|inf|nan)[A-Za-z])")
"""A line of TOML whose value is a word or an amount without quotes."""
_AT = r"(.*) \(at line (\d+), column (\d+)\)"


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


class Config(NamedTuple):
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
    for parent in (folder, *folder.parents):
        for name in NAMES:
            found = _read(parent / name)
            if found is not None:
                return found
    return DEFAULT


def shown(path: Path) -> str:
    """A path as messages name it: relative to this folder where it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read(path: Path) -> Config | None:
    """What a file says; None where it is not there, or says nothing to convcalc. Raises UsageError."""
    try:
        data = read_regular(str(path), CONFIGURATION_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise UsageError(f"{shown(path)} is a symbolic link to a file that does not exist") from None
        return None
    except NotRegular as error:
        raise UsageError(f"{shown(path)} is {error.what}, not a file", "a configuration is an ordinary file") from None
    except OSError as error:
        raise UsageError(sentence(error, "read", shown(path))) from None
    if len(data) > CONFIGURATION_BYTES:
        raise UsageError(f"{shown(path)} is larger than {CONFIGURATION_BYTES // 2**10} KiB")
    whole = path.name == "convcalc.toml"
    if not whole and b"convcalc" not in data:
        return None
    table = _parse(path, data)
    if not whole:
        table = _table(path, "tool", table.get("tool", {}))
        if "convcalc" not in table:
            return None
        table = _table(path, "tool.convcalc", table["convcalc"])
    return _config(path, table)


def _table(path: Path, name: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise UsageError(f"{shown(path)}: '{name}' is not a table", "[tool.convcalc]")
    return value


def _parse(path: Path, data: bytes) -> dict[str, object]:
    """The TOML document. Raises UsageError with the place of what is wrong, where it is known."""
    import tomllib

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong(path, data[: error.start], f"the byte 0x{data[error.start]:02x} is not UTF-8") from None
    for pattern, message in _TOO_MUCH.items():
        found = re.search(pattern, data)
        if found is not None:
            raise _wrong(path, data[: found.start()], message)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = re.fullmatch(_AT, str(error), re.DOTALL)
        place = f":{said[2]}:{said[3]}" if said is not None else ""
        line = text.split("\n")[int(said[2]) - 1] if said is not None else ""
        hint = 'texts stand in quotes: max_arena = "256 KiB"' if _UNQUOTED.match(line) else None
        message = f"{shown(path)}{place}: TOML: {_lower(said[1] if said is not None else str(error))}"
        raise UsageError(message, hint) from None
    except RecursionError:
        raise UsageError(f"{shown(path)}: TOML: nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{shown(path)}: TOML: {_lower(str(error))}") from None


def _wrong(path: Path, before: bytes, message: str) -> UsageError:
    """An error that stands behind these bytes of a file."""
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return UsageError(f"{shown(path)}:{line}:{column}: {message}")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:300]


def _config(path: Path, table: dict[str, object]) -> Config:
    for key in table:
        if key not in KEYS and not key.startswith(PREFIX):
            known = [*KEYS, "max_params", "max_macs", "max_peak_memory"]
            if quantity(key) is not None:
                known = [f"{PREFIX}{key}"]
            hint = suggest(key, known, f"keys: {', '.join(KEYS)}, max_<quantity>")
            raise UsageError(f"{shown(path)}: unknown key '{key[:60]}'", hint)
    folders = table.get("budgets", {})
    if not isinstance(folders, dict) or not all(isinstance(budgets, dict) for budgets in folders.values()):
        raise UsageError(f"{shown(path)}: budgets map a folder or a glob to its budgets", '[budgets."specs/mobile"]')
    general = {key: value for key, value in table.items() if key.startswith(PREFIX)}
    return Config(
        select=_codes(path, "select", table),
        ignore=_codes(path, "ignore", table),
        exclude=_texts(path, "exclude", table),
        advice=_flag(path, "advice", table),
        strict=_flag(path, "strict", table),
        setting=_setting(path, table),
        budgets=(("*", _budgets(path, general)), *((glob, _budgets(path, b)) for glob, b in folders.items())),
        folder=path.parent,
    )


def _texts(path: Path, key: str, table: dict[str, object]) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{shown(path)}: {key} is a list of texts", f'{key} = ["..."]')
    return tuple(value)


def _codes(path: Path, key: str, table: dict[str, object]) -> tuple[str, ...]:
    return read_codes(_texts(path, key, table), f"{shown(path)}: {key}")


def _flag(path: Path, key: str, table: dict[str, object]) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{shown(path)}: {key} is true or false")
    return value


def _setting(path: Path, table: dict[str, object]) -> Setting:
    dtype, batch = table.get("dtype"), table.get("batch")
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"{shown(path)}: dtype is one of {', '.join(DTYPES)}")
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise UsageError(f"{shown(path)}: batch is a whole number of at least 1")
    return Setting(dtype, batch)


def _budgets(path: Path, table: dict[str, object]) -> tuple[Budget, ...]:
    setting = _setting(path, table)
    limits = {key: value for key, value in table.items() if key not in ("dtype", "batch")}
    return tuple(_budget(path, key, value)._replace(setting=setting) for key, value in limits.items())


def _budget(path: Path, key: str, value: object) -> Budget:
    name = key.removeprefix(PREFIX)
    found = quantity(name)
    if not key.startswith(PREFIX) or found is None:
        hint = suggest(name, QUANTITY_NAMES, "", prefix=PREFIX)
        raise UsageError(f"{shown(path)}: unknown budget '{key[:60]}'", hint or None)
    if found.needs:
        raise UsageError(f"{shown(path)}: {key} is no budget: {name} needs {found.needs}")
    text = str(value)
    claim = parse_number_claim(text) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    if claim is None or not claim.exact:
        said = repr(value)[:60]
        raise UsageError(f"{shown(path)}: {key} takes an amount, not {said}", f'{key} = "5M", or "20 MiB" for memory')
    return Budget(name, claim.number, text, shown(path))
