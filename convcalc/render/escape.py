"""Text of a spec, escaped for where it goes: terminal, markdown, LaTeX, CSV."""

from __future__ import annotations

import re

from ..terminal import printable

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
_SIGNS |= {"│": "|", "┤": "+", "└": "+", "┬": "+", "·": "."} | dict.fromkeys("▏▎▍", " ") | dict.fromkeys("▌▋▊▉", "#")


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


def markdown(text: str) -> str:
    """Text of a markdown table's cell: nothing in it is mark-up.

    >>> markdown("a|b -> c & d")
    'a\\\\|b -> c & d'
    """
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


def csv_cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula.

    >>> csv_cell("=1+1")
    "'=1+1"
    """
    clean = printable(text)
    return f"'{clean}" if clean[:1] in ("=", "+", "-", "@") else clean
