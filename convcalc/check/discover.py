"""From paths to specs: files, folders, globs, standard input, gallery names.

A folder or a glob reads ordinary files of bounded size below it, and follows no symbolic link: what a link leads to is
found by its own name where it is below too. What looks like a spec and is passed over is told.
"""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import NamedTuple

from ..files import NotRegular, exists, read_regular, real_path
from ..findings import UsageError
from ..git import GitFailed, GitMissing, unignored
from ..hints import nearest
from ..language import gallery_names
from ..language.declaration import declared
from ..language.names import shown
from ..limits import SPEC_BYTES
from .config import config_of

SUFFIXES = (".yaml", ".yml")
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "build", "dist"})
"""Folders that are left out where git does not say what is ignored, beside those that start with a dot."""


class Found(NamedTuple):
    """The specs that paths mean."""

    specs: list[str]
    """Each once."""
    errors: list[UsageError]
    """Paths that mean nothing."""
    passed_over: list[str]
    """Files that may be specs and are not read, each with the reason."""


class _PassedOver(NamedTuple):
    """A file that is not read, what it is the same as where it is a link, and why."""

    path: str
    same: str | None
    reason: str


def find_specs(paths: Sequence[str]) -> Found:
    """The specs that the paths mean.

    A folder gives its files `*.yaml` and `*.yml`, at any depth, that declare `convcalc:`; what git ignores is
    left out, and one without any means nothing. A file that is named need not declare it.
    """
    found: dict[str, str] = {}
    errors: list[UsageError] = []
    over: list[_PassedOver] = []
    for path in paths:
        try:
            for spec in _specs(path, over):
                found.setdefault(spec if spec == "-" else real_path(spec), spec)
        except UsageError as error:
            errors.append(error)
    passed_over = dict.fromkeys(f"{path} {reason}" for path, same, reason in over if same not in found)
    return Found(list(found.values()), errors, list(passed_over))


def _specs(path: str, over: list[_PassedOver]) -> Iterator[str]:
    if path == "-":
        yield path
    elif os.path.isdir(path):  # noqa: PTH112
        found = list(_in_folder(path, over))
        if not found:
            where = "this folder" if path == "." else f"'{path}'"
            raise UsageError(f"there is no spec in {where}", "a spec is a YAML file with 'convcalc: 1' at its top")
        yield from found
    elif has_magic(path) and not os.path.lexists(path):
        matches = sorted(set(_matches(path, over)))
        for match in matches:
            if os.path.isdir(match):  # noqa: PTH112
                yield from _in_folder(match, over)
            else:
                yield match
        if not matches:
            raise UsageError(f"the glob '{path}' matches nothing")
    elif (folder := _folder_near(path)) is not None:
        raise UsageError(f"there is no file or folder {shown(path)}", f"did you mean the folder {shown(folder)}?")
    else:
        yield path


def _folder_near(path: str) -> str | None:
    """The folder that a path misspells; None where it names something else, or none is near."""
    if ":" in path or exists(path) or os.path.islink(path) or path in gallery_names():  # noqa: PTH114
        return None
    place, name = os.path.split(path.rstrip("/"))
    near = nearest(name, [entry.name for entry in _entries(place) if entry.is_dir() and not entry.name.startswith(".")])
    return None if near is None else os.path.join(place, near)  # noqa: PTH118


def _in_folder(folder: str, over: list[_PassedOver]) -> Iterator[str]:
    root = real_path(folder)
    links: dict[str, bool] = {}
    for name in sorted(_names(folder, over)):
        path = name if folder == "." else os.path.join(folder, name)  # noqa: PTH118
        noted: list[_PassedOver] = []
        spec = False
        if name.endswith("/"):
            noted.append(_PassedOver(path, None, "is a repository of its own"))
        elif _through_link(folder, name, links):
            continue
        elif os.path.islink(path):  # noqa: PTH114
            noted += _link(path, root)
        elif path.endswith(SUFFIXES):
            spec = _is_spec(path, noted)
        if (spec or noted) and not _excluded(path):
            over += noted
            if spec:
                yield path


def _excluded(path: str) -> bool:
    place = Path(path).parent.resolve()
    return config_of(place).excludes(place / Path(path).name)


def _names(folder: str, over: list[_PassedOver]) -> list[str]:
    """The files of a folder that git does not ignore; where no git can say, those outside of hidden folders."""
    place = Path(folder).resolve()
    if any(os.path.lexists(parent / ".git") for parent in (place, *place.parents)):
        try:
            return unignored(folder)
        except GitMissing:
            pass
        except GitFailed as error:
            over.append(_PassedOver(folder, None, f"is read without its .gitignore: {error}"))
    return list(_walked(folder))


def _through_link(folder: str, name: str, known: dict[str, bool]) -> bool:
    """Whether a folder on the way to a file is a link; git lists what stood there when the file was added."""
    way = name.rpartition("/")[0]
    if way not in known:
        known[way] = bool(way) and (
            os.path.islink(os.path.join(folder, way))  # noqa: PTH114, PTH118
            or _through_link(folder, way, known)
        )
    return known[way]


def _link(path: str, root: str) -> Iterator[_PassedOver]:
    """What is told of a link: nothing where it leads to a folder below the root, or to what is no spec by its name."""
    target = real_path(path)
    if os.path.isdir(target):  # noqa: PTH112
        if not Path(target).is_relative_to(root):
            yield _PassedOver(path, None, "is a symbolic link to a folder elsewhere")
    elif path.endswith(SUFFIXES):
        yield _PassedOver(path, target, "is a symbolic link")


def _walked(folder: str) -> Iterator[str]:
    waiting = [""]
    while waiting:
        base = waiting.pop()
        for entry in _entries(os.path.join(folder, base)):  # noqa: PTH118
            name = os.path.join(base, entry.name)  # noqa: PTH118
            if not entry.is_dir(follow_symlinks=False):
                yield name
            elif not entry.name.startswith(".") and entry.name not in SKIPPED:
                waiting.append(name)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing where it cannot be read."""
    try:
        with os.scandir(folder or ".") as entries:
            return list(entries)
    except (OSError, ValueError):
        return []


def _is_spec(path: str, over: list[_PassedOver]) -> bool:
    """Whether a file declares the language; what is not read is passed over."""
    try:
        data = read_regular(path, SPEC_BYTES, links=False)
    except NotRegular as error:
        if error.what != "a directory":
            over.append(_PassedOver(path, real_path(path), f"is {error.what}"))
        return False
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        over.append(_PassedOver(path, None, f"cannot be read: {_reason(error)}"))
        return False
    if declared(data, path):
        return True
    if len(data) > SPEC_BYTES:
        over.append(_PassedOver(path, None, f"is larger than {SPEC_BYTES // 2**20} MiB"))
    return False


def _reason(error: OSError | ValueError) -> str:
    return ((isinstance(error, OSError) and error.strerror) or str(error)).lower()


def _matches(pattern: str, over: list[_PassedOver]) -> Iterator[str]:
    """The files and folders that a glob matches, as the shell does: `**` is any number of folders, hidden ones none.

    The folder before the first sign is where the call says; below it no link is followed.
    """
    drive, way = os.path.splitdrive(pattern.replace(os.altsep, os.sep) if os.altsep else pattern)
    parts = [part for part in way.split(os.sep) if part]  # noqa: PTH206
    literal = next(index for index, part in enumerate(parts) if has_magic(part))
    folder = drive + (os.sep if way.startswith(os.sep) else "") + os.sep.join(parts[:literal])  # noqa: PTH118
    root, steps = real_path(folder), parts[literal:]
    seen: set[tuple[str, int]] = set()
    waiting = [(folder, 0)]
    while waiting:
        place = folder, at = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        step, last = steps[at], at == len(steps) - 1
        if step in (".", "..") or (step == "**" and not last):
            waiting.append((folder if step == "**" else os.path.join(folder, step), at + 1))  # noqa: PTH118
        for entry in _entries(folder):
            if not _fits(entry.name, step):
                continue
            path = os.path.join(folder, entry.name)  # noqa: PTH118
            if entry.is_dir(follow_symlinks=False):
                if last:
                    yield path
                if step == "**" or not last:
                    waiting.append((path, at if step == "**" else at + 1))
            elif entry.is_symlink():
                over += _link(path, root)
            elif last and entry.is_file(follow_symlinks=False):
                yield path
            elif last:
                over.append(_PassedOver(path, None, "is no ordinary file"))


def _fits(name: str, step: str) -> bool:
    """Whether a name is meant by one step of a glob.

    >>> _fits("a.yaml", "*.yaml"), _fits(".a.yaml", "*.yaml"), _fits("a", "**")
    (True, False, True)
    """
    if not has_magic(step):
        return name == step
    return (not name.startswith(".") or step.startswith(".")) and fnmatchcase(name, step)
