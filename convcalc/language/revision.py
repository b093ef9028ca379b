"""`git:REV:path`: the text of a spec as a revision of its repository has it."""

from __future__ import annotations

import subprocess

from ..findings import UsageError
from ..marked import Source
from .events import MAX_BYTES
from .names import shown
from .sources import decode

PREFIX = "git:"
SECONDS = 60


def read_revision(text: str) -> Source:
    """The text of `git:REV:path`; the path counts from this folder, or else from the top of the repository.

    Raises UsageError where git does not know the revision or the file.
    """
    revision, colon, path = text.removeprefix(PREFIX).partition(":")
    if not colon or not revision or not path or "\0" in text:
        raise UsageError(f"{shown(text)} is no git:REV:path", "for example git:main:specs/net.yaml")
    here = path if path.startswith(("./", "../", "/")) else f"./{path}"
    data, message = _blob(f"{revision}:{here}")
    if data is None and here != path:
        data, _ = _blob(f"{revision}:{path}")
    if data is None:
        raise UsageError(f"git cannot show {shown(f'{revision}:{path}')}: {message}")
    return decode(data, text)


def _blob(name: str) -> tuple[bytes | None, str]:
    """(content of a blob, at most one byte above the limit, or None; what git says)."""
    command = ["git", "-c", "core.fsmonitor=false", "show", "--no-textconv", "--no-ext-diff", "--end-of-options", name]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1) as process:
            assert process.stdout is not None and process.stderr is not None
            data = process.stdout.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                process.kill()
                return data, ""
            message = process.stderr.read(2000).decode("utf-8", "replace").strip()
            code = process.wait(SECONDS)
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror or error}") from None
    if code:
        return None, message.removeprefix("fatal: ").partition("\n")[0] or f"exit code {code}"
    if data.startswith(b"tree "):
        return None, "it is a folder"
    return data, ""
