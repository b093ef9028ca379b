"""The text of a spec as it stands in a revision of git: `git:REV:path`."""

from __future__ import annotations

import os

from ..findings import UsageError
from ..git import GitFailed, commit_of, content_of
from ..limits import SPEC_BYTES
from ..marked import Source
from .names import shown
from .sources import decode

PREFIX = "git:"
"""Before a revision and a path in it."""
NO_REVISION = "a branch, a tag or a commit; what a shallow clone lacks, 'git fetch' brings"


def read_revision(text: str) -> Source:
    """The text of `git:REV:path`; the path counts from this folder, or else from the top of the repository.

    Raises UsageError where git does not know the revision or the file.
    """
    revision, colon, path = text.removeprefix(PREFIX).partition(":")
    if not colon or not revision or not path or "\0" in text:
        raise UsageError(f"{shown(text)} is no git:REV:path", "for example git:main:specs/net.yaml")
    try:
        commit = commit_of(revision)
    except GitFailed as error:
        raise UsageError(f"git knows no revision {shown(revision)}: {error}", NO_REVISION) from None
    path = path.replace(os.sep, "/")
    here = path if path.startswith(("./", "../", "/")) else f"./{path}"
    try:
        return decode(_content(commit, here, path), text)
    except GitFailed as error:
        raise UsageError(f"git cannot show {shown(path)} of {shown(revision)}: {error}") from None


def _content(commit: str, here: str, path: str) -> bytes:
    try:
        return content_of(commit, here, SPEC_BYTES)
    except GitFailed:
        if here == path:
            raise
        return content_of(commit, path, SPEC_BYTES)
