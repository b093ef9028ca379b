"""Runs the program inside the test's process, as `python -m convcalc` would be."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import NamedTuple

from convcalc.cli.app import main

from .exports import judge_command


class Done(NamedTuple):
    """Exit code, standard output, standard error."""

    code: int
    stdout: str
    stderr: str


@contextmanager
def process(arguments: tuple[str, ...], data: bytes) -> Iterator[None]:
    argv, stdin = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["convcalc", *arguments], io.TextIOWrapper(io.BytesIO(data), "utf-8")
    try:
        yield
    finally:
        sys.argv, sys.stdin = argv, stdin


def run(*arguments: str, data: bytes = b"", encoding: str = "utf-8") -> Done:
    """The program on these arguments; `data` is what its standard input holds, `encoding` its output's.

    What `export` writes is parsed.
    """
    written = io.BytesIO()
    out, err = io.TextIOWrapper(written, encoding, newline="\n"), io.StringIO()
    code: object = 0
    with process(arguments, data), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    out.flush()
    if arguments[:1] == ("export",) and not code:
        judge_command(arguments, written.getvalue())
    return Done(code if isinstance(code, int) else 0, written.getvalue().decode(encoding), err.getvalue())
