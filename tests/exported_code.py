"""What an exported Python file does, without what it says: the fingerprint under which its run was recorded."""

from __future__ import annotations

import ast
import hashlib
import re


def fingerprint(text: str) -> str:
    """A short hash of the code without docstrings, shape comments and empty lines.

    >>> fingerprint("x = 1") == fingerprint("'a'\\nx = 1  # [3]\\n"), fingerprint("x = 1") == fingerprint("x = 2")
    (True, False)
    """
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            said.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line for number, line in enumerate(text.splitlines(), start=1) if number not in said]
    code = [re.sub(r"  # \[[\d, ]*\]$", "", line).rstrip() for line in lines]
    return hashlib.sha256("\n".join(filter(None, code)).encode()).hexdigest()[:16]
