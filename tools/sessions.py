"""Python sessions and notebooks, run: what is printed under each statement, and what each cell puts out.

Run as a program of its own, `python -m tools.sessions FILE`, it does so in the folder that it is started in: FILE holds
sessions or cells as JSON, and their outcome takes its place.
"""

from __future__ import annotations

import ast
import json
import sys
from contextlib import redirect_stdout
from doctest import DocTestParser, Example
from io import StringIO
from pathlib import Path
from traceback import format_exception_only
from typing import Any

Names = dict[str, Any]
OPTIONAL = frozenset({"pandas", "torch", "torchvision"})
"""Packages that convcalc does without: a session that needs one that is not installed stays as it is written."""


def replayed(sessions: list[str]) -> list[str]:
    """Sessions of one program (`>>> statement`, and below it what is printed) with what they print now.

    >>> print(replayed([">>> 1 + 1\\n3\\n\\nText.\\n", ">>> [][0]\\n"])[0])
    >>> 1 + 1
    2
    <BLANKLINE>
    """
    names: Names = {"__name__": "__main__"}
    found = []
    for session in sessions:
        parts = [part for part in DocTestParser().parse(session) if isinstance(part, Example)]
        try:
            found.append("".join([f"{prompted(part.source)}{printed(part.source, names)}" for part in parts]))
        except NotInstalled:
            found.append(session)
    return found


class NotInstalled(Exception):
    """A package of `OPTIONAL` is asked for that is not there."""


def prompted(source: str) -> str:
    """Statements behind their prompts."""
    first, *more = source.splitlines()
    return "".join(f"{line}\n" for line in (f">>> {first}", *(f"... {line}".rstrip() for line in more)))


def printed(source: str, names: Names) -> str:
    """What a statement prints, or the exception that it ends with."""
    out = StringIO()
    with redirect_stdout(out):
        try:
            exec(compile(source, "<session>", "single"), names)
        except Exception as error:
            if isinstance(error, ImportError) and error.name in OPTIONAL:
                raise NotInstalled from error
            out.write("Traceback (most recent call last):\n  ...\n" + "".join(format_exception_only(error)))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def executed(cells: list[str]) -> list[list[dict[str, object]]]:
    """The outputs of a notebook's code cells, run in order, as notebooks store them (nbformat 4)."""
    names: Names = {"__name__": "__main__"}
    return [_outputs(cell, number, names) for number, cell in enumerate(cells, start=1)]


def _outputs(cell: str, number: int, names: Names) -> list[dict[str, object]]:
    """What one cell prints, and the value of its last expression as text and as HTML. Its exceptions go on."""
    body = ast.parse(cell)
    last = body.body.pop() if body.body and isinstance(body.body[-1], ast.Expr) else None
    out = StringIO()
    value = None
    with redirect_stdout(out):
        exec(compile(body, "<cell>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    outputs: list[dict[str, object]] = []
    if out.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines(out.getvalue())})
    if value is not None:
        data = {"text/plain": lines(repr(value))}
        as_html = getattr(type(value), "_repr_html_", None)
        if as_html is not None:
            data = {"text/html": lines(as_html(value)), **data}
        result = {"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"}
        outputs.append(result)
    return outputs


def lines(text: str) -> list[str]:
    """A text as notebooks store it: a list of lines with their ends."""
    return text.splitlines(keepends=True)


def main(path: Path) -> None:
    """Replace sessions or cells by what comes of them."""
    asked = json.loads(path.read_text("utf-8"))
    outcome = replayed(asked["sessions"]) if "sessions" in asked else executed(asked["cells"])
    path.write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
