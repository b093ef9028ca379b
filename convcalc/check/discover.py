"""From paths to specs: files, folders, globs, standard input, gallery names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from ..findings import UsageError
from ..language import gallery_names
from .config import config_of

SUFFIXES = (".yaml", ".yml")
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "build", "dist"})
"""Folders that are left out where git does not say what is ignored, beside those that start with a dot."""

_DECLARES = re.compile(rb"(?:^|\A(?:\xef\xbb\xbf)?\s*\{\s*)[\"']?convcalc[\"']?[ \t]*:(?=[\s\"'1-9]|$)", re.MULTILINE)
_HEAD = 1 << 16


def find_specs(paths: Sequence[str]) -> tuple[list[str], list[UsageError]]:
    """The specs that the paths mean, each once, and the paths that mean nothing.

    A folder gives its files `*.yaml` and `*.yml`, at any depth, that declare `convcalc:`; what git ignores is
    left out, and one without any means nothing. A file that is named need not declare it.
    """
    found: dict[str, str] = {}
    errors: list[UsageError] = []
    for path in paths:
        try:
            for spec in _specs(path):
                found.setdefault(spec if spec == "-" else os.path.realpath(spec), spec)
        except UsageError as error:
            errors.append(error)
    return list(found.values()), errors


def _specs(path: str) -> Iterator[str]:
    if path == "-":
        yield path
    elif Path(path).is_dir():
        found = list(_in_folder(path))
        if not found:
            where = "this folder" if path == "." else f"'{path}'"
            raise UsageError(f"there is no spec in {where}", "a spec is a YAML file with 'convcalc: 1' at its top")
        yield from found
    elif has_magic(path) and not Path(path).exists():
        matches = sorted(glob(path, recursive=True))  # noqa: PTH207
        if not matches:
            raise UsageError(f"the glob '{path}' matches nothing")
        for match in matches:
            if Path(match).is_dir():
                yield from _in_folder(match)
            else:
                yield match
    elif not Path(path).exists() and os.sep not in path and path.removesuffix(".yaml") in gallery_names():
        yield path
    else:
        yield path


def _in_folder(folder: str) -> Iterator[str]:
    names = _tracked(folder)
    for name in sorted(_walked(folder) if names is None else names):
        path = name if folder == "." else os.path.join(folder, name)  # noqa: PTH118
        if path.endswith(SUFFIXES) and _declares(path) and not _excluded(path):
            yield path


def _excluded(path: str) -> bool:
    place = Path(path).parent.resolve()
    return config_of(place).excludes(place / Path(path).name)


def _tracked(folder: str) -> list[str] | None:
    """Files of a folder that git does not ignore; None where it is in no repository, or git is not there."""
    if not any((parent / ".git").exists() for parent in (Path(folder).resolve(), *Path(folder).resolve().parents)):
        return None
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard", "--deduplicate", "--end-of-options", "."]
    import subprocess

    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else None


def _walked(folder: str) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
        base = os.path.relpath(root, folder)
        for name in files:
            yield name if base == "." else os.path.join(base, name)  # noqa: PTH118


def _declares(path: str) -> bool:
    """Whether a file says `convcalc:` at its top level. What cannot be read is no spec."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return _DECLARES.search(file.read(_HEAD)) is not None
    except OSError:
        return False
