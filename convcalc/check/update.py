"""`check --update`: the present values, written into the `expect` section of a file as edits of its text.

Only the characters of a value change: comments, order and layout stay. The new text is checked before the
file is replaced, and the file is replaced whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from ..analysis.quantity import Shaped, Value
from ..files import sentence, write
from ..findings import SpecError, UsageError
from ..language import loads, read
from ..language.names import shown
from ..marked import List, Marked, Source, Text
from ..readers import row_named
from .builds import PLAIN, Builds, Setting
from .claim_values import parse_number_claim, with_number
from .claims import Unmet, check_expectations, say_shape

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
BOM = b"\xef\xbb\xbf"


class Edit(NamedTuple):
    """Characters of a text to replace."""

    start: int
    stop: int
    text: str


def update_file(path: str, setting: Setting = PLAIN) -> int:
    """Write the present values into a file; returns how many claims changed.

    `setting` is that of claims that say none of their own. Bounds (`<= 7M`) are left: they say what may be, not what
    is. Raises SpecError where the spec does not build, UsageError where the file cannot be written.
    """
    if path == "-":
        raise UsageError("--update writes into files, not to standard input")
    if row_named(path) is not None:
        raise UsageError("--update writes into files, not into the rows of a sweep")
    source = read(path)
    unmet, _ = check_expectations(Builds(loads(source.text, path=source.path), general=setting))
    edits = edits_of(source, unmet)
    if not edits:
        return 0
    text = apply(source.text, edits)
    _verify(source, text, len(unmet) - len(edits), setting)
    _replace(source.path, text)
    return len(edits)


def edits_of(source: Source, unmet: Sequence[Unmet]) -> list[Edit]:
    """The edits that make claims of one value true, in the order of the text, each place once."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(source.text))]
    found: dict[int, Edit] = {}
    for claim in unmet:
        edit = _edit(source, starts, claim)
        if edit is not None:
            found[edit.start] = edit
    return [found[start] for start in sorted(found)]


def _edit(source: Source, starts: list[int], unmet: Unmet) -> Edit | None:
    node = unmet.claim.value
    start = _offset(starts, node)
    if isinstance(node, List):
        stop = _flow_end(source.text, start) if node.flow else None
        sizes = _sizes(unmet.actual)
        return Edit(start, stop, say_shape(sizes)) if stop is not None and sizes is not None else None
    if not isinstance(node, Text):
        return None
    if node.empty:
        written = say_plain(unmet.actual)
        before = "" if start == 0 or source.text[start - 1].isspace() else " "
        return Edit(start, start + len(node.text), before + written)
    number = parse_number_claim(node.text)
    quote = source.text[start] if not node.plain else ""
    stop = start + node.width
    if quote not in ("", "'", '"') or source.text[start:stop] != f"{quote}{node.text}{quote}":
        return None
    if isinstance(unmet.actual, int) and number is not None:
        if number.relation != "=":
            return None
        return Edit(start, stop, f"{quote}{with_number(node.text, unmet.actual)}{quote}")
    return Edit(start, stop, say_plain(unmet.actual)) if number is None or number.exact else None


def say_plain(value: Value) -> str:
    """A value as the section writes it.

    >>> say_plain(6998552)
    '6998552'
    """
    if isinstance(value, (int, Fraction)):
        return str(value)
    sizes = _sizes(value)
    if sizes is not None:
        return say_shape(sizes)
    text = value.written() if isinstance(value, Shaped) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _sizes(value: Value) -> tuple[int, ...] | None:
    if isinstance(value, Shaped) and isinstance(value.raw, tuple) and all(isinstance(n, int) for n in value.raw):
        return tuple(value.raw)
    return None


def _offset(starts: list[int], at: Marked) -> int:
    return starts[at.line - 1] + at.column - 1


def _flow_end(text: str, start: int) -> int | None:
    """Behind the bracket that closes a list of numbers; None where it holds anything else."""
    match = re.compile(r"\[[\s\d,]*\]").match(text, start)
    return match.end() if match else None


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with its edits made.

    >>> apply("params: 7 # all", [Edit(8, 9, "12")])
    'params: 12 # all'
    """
    parts, position = [], 0
    for edit in edits:
        parts += [text[position : edit.start], edit.text]
        position = edit.stop
    return "".join([*parts, text[position:]])


def _verify(source: Source, text: str, left: int, setting: Setting) -> None:
    """Raise UsageError unless the new text builds and all that was written holds."""
    try:
        unmet, _ = check_expectations(Builds(loads(text, path=source.path), general=setting))
    except SpecError:
        unmet = []
        left = -1
    if len(unmet) > left:
        raise UsageError(f"{source.path}: the values cannot be written in place", "edit the expect section by hand")


def _replace(path: str, text: str) -> None:
    """Replace a file's content at once; a byte order mark stays."""
    target = Path(path)
    try:
        mark = BOM if target.read_bytes().startswith(BOM) else b""
        write(target, mark + text.encode("utf-8"), overwrite=True)
    except OSError as error:
        raise UsageError(sentence(error, "write", shown(path))) from None
