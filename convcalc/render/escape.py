"""Text of a spec, escaped for where it goes: terminal, markdown, LaTeX, CSV."""

from __future__ import annotations

import re
from typing import Literal

from ..terminal import printable

Notation = Literal["text", "json", "entities", "latex", "annotations"]
"""How a text of a program writes a character otherwise: `\\x3a` (and so do Python and YAML between double quotes),
`\\u003a`, `&#58;` (XML, HTML, Markdown, DOT), `{:}`. Annotations are the commands that are meant."""
_SPELLED: dict[Notation, dict[str, str]] = {
    "text": {":": r"\x3a", "#": r"\x23"},
    "json": {":": r"\u003a", "#": r"\u0023"},
    "entities": {":": "&#58;", "#": "&#35;"},
    "latex": {":": "{:}", "#": r"{\#}"},
    "annotations": {":": ":", "#": r"\x23"},
}
_COMMAND = r"(?:^|(?<=[\r\n]))((?:[^\S\r\n]|\x1b\[[\d;]*m)*):(?=:)|#(?=#(?:vso|teamcity)?\[)"
"""The first sign of what a CI takes for a command: `::` that starts a line, `##[`, `##vso[`, `##teamcity[` anywhere.

Sources: actions/runner, ActionCommand.cs; Azure Pipelines, "Logging commands"; TeamCity, "Service Messages"."""


def unobeyed(text: str, notation: Notation = "text") -> str:
    """Text in which a CI that reads it finds no command; where the notation can, it means what it meant.

    >>> print(unobeyed("::error::x ##[group]"), unobeyed('{"name": "##[group]"}', "json"))
    \\x3a:error::x \\x23#[group] {"name": "\\u0023#[group]"}
    """
    if "::" not in text and "##" not in text:
        return text
    spelled = _SPELLED[notation]
    return re.sub(_COMMAND, lambda match: (match[1] or "") + spelled[match[0][-1]], text, flags=re.IGNORECASE)


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "×": r"$\times$",
    "≠": r"$\neq$",
    "…": r"\ldots{}",
}
_SIGNS = {"×": "x", "─": "-", "█": "#", "≠": "!=", "→": "->", "…": "...", "≤": "<=", "≥": ">=", "–": "-", "’": "'"}
_SIGNS |= (
    {"│": "|", "┤": "+", "└": "+", "┬": "+", "·": ".", "▒": "+"}
    | dict.fromkeys("▏▎▍", " ")
    | dict.fromkeys("▌▋▊▉", "#")
)


def spell_in_ascii(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: signs that an encoding lacks become ASCII, other characters escapes (as in JSON).

    >>> import codecs; codecs.register_error("spelled", spell_in_ascii)
    >>> "7×7 ─ é".encode("ascii", "spelled")
    b'7x7 - \\\\u00e9'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    import json

    missing = error.object[error.start : error.end]
    return "".join([_SIGNS.get(c) or json.dumps(c)[1:-1] for c in missing]), error.end


_LINKED = r"(?i::(?=//)|\bwww(?=\.)|@(?=\w)|#(?=\d)|\bGH-(?=\d))"
"""Where GitHub begins a link of its own: an address, somebody's name, the number of an issue. An empty comment behind
it is not shown and keeps it from doing so. An entity does not: names and numbers are looked for in what is shown."""


def markdown(text: str) -> str:
    """Text of a markdown table's cell: nothing in it is mark-up, or becomes a link.

    >>> markdown("a|b -> c & d"), markdown("by @me")
    ('a\\\\|b -> c & d', 'by @<!-- -->me')
    """
    return re.sub(_LINKED, r"\g<0><!-- -->", cited_markdown(text))


def cited_markdown(text: str) -> str:
    """The same of a source that convcalc itself names: an address in it is a link."""
    escaped = re.sub(r"([\\`*\[\]|~])", r"\\\1", printable(text))
    escaped = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", escaped)
    escaped = re.sub(r"&(?=[#\w])", "&amp;", escaped)
    if "<" in escaped or escaped.lstrip().startswith(">"):
        escaped = escaped.replace("<", "&lt;").replace(">", "&gt;")
    return escaped


def prose_markdown(text: str) -> str:
    """Markdown of convcalc's own prose: its signs are escaped, but code between backticks stays.

    >>> prose_markdown("output_padding of `s_1`")
    'output\\\\_padding of `s_1`'
    """
    pieces = text.split("`")
    return "`".join(piece if odd % 2 else re.sub(r"([*_|<\\])", r"\\\1", piece) for odd, piece in enumerate(pieces))


def prose_latex(text: str) -> str:
    r"""LaTeX of convcalc's own prose, its code between backticks in typewriter.

    >>> prose_latex("output of `s_1`")
    'output of \\texttt{s\\_1}'
    """
    pieces = text.split("`")
    return "".join(rf"\texttt{{{latex(piece)}}}" if odd % 2 else latex(piece) for odd, piece in enumerate(pieces))


def latex(text: str) -> str:
    r"""Text of a LaTeX cell.

    >>> latex("50%_x")
    '50\\%\\_x'
    """
    return "".join(_LATEX.get(c, c) for c in printable(text))
