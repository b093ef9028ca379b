"""Specs beside a revision of git: which spec of it each one was, and what has changed since.

A spec is known again at its path; one whose path is new was what stands nowhere any more and has the same name, or
at least half of its lines. Nothing of this asks git what changed: it gives the files of the revision, and no more.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..analysis.diff import Difference, diff
from ..analysis.report import analyse
from ..files import MODELS, NotRegular, read_regular, real_path
from ..findings import SpecError, UsageError
from ..git import Entry, GitFailed, blob_of, commit_of, files_of, top_of
from ..language import loads, read
from ..language.declaration import declared, declares
from ..language.names import shown
from ..language.revisions import NO_REVISION
from ..language.sources import decode
from ..limits import SPEC_BYTES
from ..marked import Source
from ..network import Network
from .discover import SUFFIXES

ALIKE = 0.5
"""The share of lines in common from which a new spec is one that is gone."""


class Compared(NamedTuple):
    """A spec that is not what it was."""

    path: str
    before: str
    """Its path in the revision, from the top of the repository."""
    moved: bool
    difference: Difference


@dataclass
class Growth:
    """What has changed since a revision."""

    base: str
    """The revision, as it was called."""
    compared: list[Compared] = field(default_factory=list)
    """Specs that are not what they were: `path`, `before`, `moved`, `difference`."""
    notices: list[str] = field(default_factory=list)
    """Specs that are not compared, each with the reason."""


@dataclass
class _Past:
    """A revision: its files by their path, and what they hold."""

    base: str
    entries: dict[str, Entry]

    def source(self, path: str) -> Source | None:
        """The spec that stands at a path; None where there is none. Raises SpecError for what is no text."""
        entry = self.entries.get(path)
        if entry is None:
            return None
        name = f"git:{self.base}:{path}"
        data = blob_of(entry, SPEC_BYTES)
        if not declared(data, name):
            return None
        return decode(data, name)


def compare(base: str, paths: Sequence[str]) -> Growth:
    """What has changed in the specs of these files since the revision `base` of the repository around this folder.

    Raises UsageError where git does not know the revision.
    """
    try:
        commit = commit_of(base)
        past = _Past(base, {entry.path: entry for entry in files_of(commit)})
        return _compare(past, Path(os.path.realpath(top_of())), paths)
    except GitFailed as error:
        raise UsageError(f"nothing can be compared with {shown(base)}: {error}", NO_REVISION) from None


def _compare(past: _Past, top: Path, paths: Sequence[str]) -> Growth:
    growth = Growth(past.base)
    fresh: list[tuple[str, Source]] = []
    for path in paths:
        place = Path(real_path(path))
        if path.lower().endswith(MODELS) or not os.path.isfile(place):  # noqa: PTH113  (a Path raises where it may not look)
            continue
        if not place.is_relative_to(top):
            growth.notices.append(f"{path} lies outside of the repository: not compared")
            continue
        relative = place.relative_to(top).as_posix()
        try:
            now = read(path)
            if not declares(now):
                continue
            before = past.source(relative)
        except (SpecError, UsageError):
            growth.notices.append(f"{path} is not compared: it cannot be read, or could not")
            continue
        if before is None:
            fresh.append((path, now))
        else:
            _add(growth, path, now, relative, before)
    gone = dict(_gone(past, top))
    for path, now, was in _known_again(fresh, gone):
        if was is None:
            growth.notices.append(f"{path} is new: there is nothing to compare it with")
        else:
            _add(growth, path, now, was, gone.pop(was), moved=True)
    growth.notices += [f"{relative} of {past.base} is no spec any more" for relative in gone]
    return growth


def _add(growth: Growth, path: str, now: Source, relative: str, before: Source, moved: bool = False) -> None:
    if now.text == before.text:
        return
    networks = (_built(before), _built(now))
    if None in networks:
        when = "at " + growth.base if networks[0] is None else "now"
        growth.notices.append(f"{path} is not compared: it does not build {when}")
        return
    try:
        first, second = (analyse(network) for network in networks if network is not None)
        difference = diff(first, second)
    except SpecError as error:
        growth.notices.append(f"{path} is not compared: {error.findings[0].message}")
        return
    if not difference.empty:
        growth.compared.append(Compared(path, relative, moved, difference))


def _built(source: Source) -> Network | None:
    try:
        return loads(source.text, path=source.path)
    except SpecError:
        return None


def _gone(past: _Past, top: Path) -> Iterator[tuple[str, Source]]:
    """The specs of a revision at whose path no spec stands any more."""
    for path in past.entries:
        if path.endswith(SUFFIXES) and not _stands(top / path):
            try:
                source = past.source(path)
            except SpecError:
                continue
            if source is not None:
                yield path, source


def _stands(place: Path) -> bool:
    """Whether a spec stands at a path, as a file of its own. What cannot be read may be one."""
    try:
        return declared(read_regular(str(place), SPEC_BYTES, links=False), str(place))
    except (FileNotFoundError, NotADirectoryError, NotRegular):
        return False
    except (OSError, ValueError):
        return True


def _known_again(
    fresh: Sequence[tuple[str, Source]], gone: dict[str, Source]
) -> Iterator[tuple[str, Source, str | None]]:
    """Each new spec with the path that it had, None for one that is new indeed; the most alike first."""
    before = {path: (_name(source), _lines(source)) for path, source in gone.items()} if fresh else {}
    pairs = []
    for index, (_, now) in enumerate(fresh):
        name, lines = _name(now), _lines(now)
        for path, (old_name, old_lines) in before.items():
            same, share = name is not None and name == old_name, alike(lines, old_lines)
            if same or share >= ALIKE:
                pairs.append((same + share, index, path))
    was: dict[int, str] = {}
    for _, index, path in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if index not in was and path not in was.values():
            was[index] = path
    for index, (path, now) in enumerate(fresh):
        yield path, now, was.get(index)


def _name(source: Source) -> str | None:
    network = _built(source)
    return None if network is None else network.name


def _lines(source: Source) -> Counter[str]:
    return Counter(line for line in map(str.strip, source.text.splitlines()) if line)


def alike(first: Counter[str], second: Counter[str]) -> float:
    """The share of lines that two texts have in common.

    >>> alike(Counter("abcd"), Counter("abce"))
    0.75
    """
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 1.0
