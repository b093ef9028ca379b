"""Git, asked about a repository that nobody trusts: what it ignores, and what its revisions hold.

All calls go through `_ask`. Only commands that read are called, and none may run a program, whatever the
repository's configuration, attributes, hooks or index say: no transport is allowed, so that nothing missing is
fetched, and what names a program is set to nothing. A bare repository inside a work tree is not taken for one.
Source: git-config(1), git(1) "Environment variables", gitprotocol-v2 and GIT_ALLOW_PROTOCOL.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

from .limits import GIT_BYTES, GIT_SECONDS

if TYPE_CHECKING:
    from subprocess import Popen

Command = Literal["ls-files", "ls-tree", "rev-parse", "cat-file"]

_SETTINGS = {
    "safe.bareRepository": "explicit",
    "protocol.allow": "never",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": os.devnull,
    "core.pager": "cat",
    "core.editor": "false",
    "core.askPass": "false",
    "core.sshCommand": "false",
    "core.gitProxy": "",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_FLUSH": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
"""Starts of the variables for git that stay: the user's own configuration. Others name another repository or trace."""

_COMMIT = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"


class GitFailed(Exception):
    """Git cannot be run, takes too long, or does not know what it is asked; the message is one line."""


class GitMissing(GitFailed):
    """There is no git here."""


class Entry(NamedTuple):
    """A file of a revision: its path from the top of the repository, and where its content is."""

    path: str
    blob: str


def unignored(folder: str) -> list[str]:
    """The files below a folder that git tracks or does not ignore, relative to it; links and folders among them.

    Raises GitFailed.
    """
    options = ["-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--end-of-options", "."]
    return _names(_ask("ls-files", options, GIT_BYTES, folder))


def revisions(folder: str = ".") -> list[str]:
    """The branches, tags and branches of remotes, by the names that one types. Raises GitFailed."""
    said = _ask("rev-parse", ["--symbolic", "--branches", "--tags", "--remotes"], GIT_BYTES, folder)
    return os.fsdecode(said).splitlines()


def top_of(folder: str = ".") -> str:
    """The folder in which the repository's files stand. Raises GitFailed."""
    return os.fsdecode(_ask("rev-parse", ["--show-toplevel"], 1 << 16, folder).removesuffix(b"\n"))


def commit_of(revision: str, folder: str = ".") -> str:
    """The full name of the commit that a revision means. Raises GitFailed."""
    if not revision or "\0" in revision:
        raise GitFailed("no revision is named")
    options = ["--verify", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        said = _ask("rev-parse", options, 1 << 16, folder)
    except GitFailed as error:
        known = "Needed a single revision" not in str(error)
        raise GitFailed(str(error) if known else "it is no revision of this repository") from None
    found = said.decode("ascii", "replace").strip().rpartition("\n")[2]
    if not re.fullmatch(_COMMIT, found):
        raise GitFailed("it is no revision of this repository")
    return found


def files_of(commit: str, folder: str = ".") -> list[Entry]:
    """The ordinary files of a commit, links left out. Raises GitFailed."""
    found = []
    for line in _names(_ask("ls-tree", ["-r", "-z", "--full-tree", commit], GIT_BYTES, folder)):
        about, _, path = line.partition("\t")
        mode, kind, blob = about.split(" ")
        if kind == "blob" and mode.startswith("100"):
            found.append(Entry(path, blob))
    return found


def content_of(commit: str, path: str, most: int, folder: str = ".") -> bytes:
    """The content of a file of a commit, at most one byte above `most`. Raises GitFailed.

    `./` or `../` before the path counts it from the folder, else it counts from the top of the repository.
    """
    name = f"{commit}:{path}"
    try:
        kind = _ask("cat-file", ["-t", name], 1 << 10, folder)
    except GitFailed as error:
        said = str(error)
        missing = "does not exist" in said or "exists on disk, but not in" in said or "Not a valid object" in said
        raise GitFailed("there is no such file in it" if missing else said.replace(commit, commit[:12])) from None
    if kind.strip() != b"blob":
        raise GitFailed("it is a folder" if kind.strip() == b"tree" else "it is no file")
    return _ask("cat-file", ["blob", name], most, folder, cut=True)


def blob_of(entry: Entry, most: int, folder: str = ".") -> bytes:
    """The content of a file of a revision, at most one byte above `most`. Raises GitFailed."""
    return _ask("cat-file", ["blob", entry.blob], most, folder, cut=True)


def _names(data: bytes) -> list[str]:
    return [os.fsdecode(name) for name in data.split(b"\0") if name]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)}
    return {**kept, **_ENVIRONMENT}


def _ask(command: Command, options: list[str], most: int, folder: str, cut: bool = False) -> bytes:
    """What git prints, in GIT_SECONDS at most; more than `most` bytes are cut to one above it, or refused.

    Raises GitFailed with the first line of what git says.
    """
    import subprocess
    import tempfile
    import threading

    call = [_program(), "--no-pager", "--literal-pathspecs"]
    for name, value in _SETTINGS.items():
        call += ["-c", f"{name}={value}"]
    call += [command, *options]
    late = threading.Event()

    def end_late() -> None:
        late.set()
        _end(process)

    with tempfile.TemporaryFile() as complaint:
        try:
            process = subprocess.Popen(
                call,
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaint,
                start_new_session=True,
            )
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error.strerror}") from None
        except ValueError as error:
            raise GitFailed(f"git cannot be run: {error}") from None
        watch = threading.Timer(GIT_SECONDS, end_late)
        watch.start()
        with process:
            try:
                assert process.stdout is not None
                data = process.stdout.read(most + 1)
                if len(data) > most:
                    _end(process)
                code = process.wait()
            except BaseException:
                _end(process)
                raise
            finally:
                watch.cancel()
        if late.is_set():
            raise GitFailed(f"git took longer than {GIT_SECONDS} seconds")
        if len(data) > most:
            if cut:
                return data
            raise GitFailed(f"git says more than {most:,} bytes")
        if code:
            raise GitFailed(_first_line(complaint) or f"git ended with exit code {code}")
        return data


def _program() -> str:
    """Where git is. A folder of PATH that is relative could be one of the repository: it is passed over."""
    from shutil import which

    absolute = [folder for folder in os.get_exec_path() if Path(folder).is_absolute()]
    found = which("git", path=os.pathsep.join(absolute)) if absolute else None
    if found is None:
        raise GitMissing("git is not installed")
    return found


def _end(process: Popen[bytes]) -> None:
    """End git and what it may have started."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _first_line(complaint: IO[bytes]) -> str:
    complaint.seek(0)
    lines = complaint.read(4096).decode("utf-8", "replace").splitlines()
    said = next((line for line in lines if line.startswith("fatal: ")), lines[0] if lines else "")
    return said.removeprefix("fatal: ").removeprefix("error: ")[:300]
