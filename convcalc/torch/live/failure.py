"""What is said where the code of a model raises: its exception, with the last line of its own that ran."""

from __future__ import annotations

import linecache
import os
import traceback
from pathlib import Path

import torch

from ...findings import Finding, SpecError

OURS = Path(__file__).resolve().parents[2]
TORCH = Path(torch.__file__).resolve().parent
INSTALLED = TORCH.parent
"""Where installed packages stand."""
LONGEST = 300
"""Characters that are shown of what an exception says."""
STANDARD = Path(os.__file__).resolve().parent
"""Python's own library."""


def code_error(
    error: BaseException, doing: str, *, where: str = "", hint: str | None = None, path: str = "<python>"
) -> SpecError:
    """A finding (CC721) for an exception of a model's code, placed at the last line of it that ran, else at `path`.

    A line of the user's own comes before those of installed packages.
    """
    message = f"{said(error)}, {doing}"
    frame = last_frame(error)
    if frame is None:
        return SpecError([Finding("CC721", message, path, where=where, hint=hint)])
    line = frame.lineno or 1
    text = linecache.getline(frame.filename, line).rstrip("\n")
    column, width = 0, 1
    if frame.colno is not None:
        data = text.encode()
        column = len(data[: frame.colno].decode("utf-8", "replace"))
        if frame.end_colno is not None and frame.end_lineno == line:
            width = max(1, len(data[frame.colno : frame.end_colno].decode("utf-8", "replace")))
        else:
            width = max(1, len(text) - column)
    file = shown_path(frame.filename)
    return SpecError([Finding("CC721", message, file, line, column + 1, where, hint, text, width)])


def said(error: BaseException) -> str:
    """An exception in a line: its class and the first line of what it says.

    >>> said(ValueError("one\\ntwo")), said(AssertionError())
    ('ValueError: one', 'AssertionError')
    """
    name = type(error).__name__
    if isinstance(error, SystemExit):
        return f"its code ends the program (exit {error.code})"
    lines = str(error).strip().splitlines()
    return f"{name}: {lines[0][:LONGEST].rstrip('.')}{'…' * (len(lines[0]) > LONGEST)}" if lines else name


def article(found: object) -> str:
    """What something is, in two words.

    >>> article(1), article("text"), article(None)
    ('an int', 'a str', 'a NoneType')
    """
    name = type(found).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def last_frame(error: BaseException) -> traceback.FrameSummary | None:
    """The last line that ran of code that is not torch's, Python's or ours; of a syntax error its own."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        start = max((error.offset or 1) - 1, 0)
        end = max((error.end_offset or start + 2) - 1, start + 1)
        return traceback.FrameSummary(
            error.filename, error.lineno, "", lookup_line=False, end_lineno=error.lineno, colno=start, end_colno=end
        )
    frames = [frame for frame in reversed(traceback.extract_tb(error.__traceback__)) if _is_of_a_model(frame.filename)]
    own = (frame for frame in frames if not Path(frame.filename).resolve().is_relative_to(INSTALLED))
    return next(own, frames[0] if frames else None)


def _is_of_a_model(path: str) -> bool:
    if path.startswith("<"):
        return False
    file = Path(path).resolve()
    if file.is_relative_to(TORCH) or file.is_relative_to(OURS):
        return False
    return file.is_relative_to(INSTALLED) or not file.is_relative_to(STANDARD)


def shown_path(path: str) -> str:
    """A path from the present folder on where it stands below it."""
    try:
        return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
    except ValueError:
        return path
