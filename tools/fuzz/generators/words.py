"""Words that programs trip over: what ends a quotation, what a terminal obeys, what nobody sees, edges of numbers."""

from __future__ import annotations

import json
from random import Random

SYNTAX = (
    *("{", "}", "[", "]", ": ", "- ", ", ", "#", "'", '"', "&a ", "*a", "~", "!!int ", "<<", "|", ">", "?", "\\", "`"),
    *("\t", "\n", "\n  ", "\r", "---\n", "...\n", "%YAML 1.2\n", "<<: *a", "&a [*a]", "{a: 1}", "[1, 2]", "}}", "]]"),
)
"""What YAML reads as its own."""
NUMBERS = (
    *("0", "-1", "1", "2", "7", "1.5", "-0.0", "1e9", "1e999", ".inf", ".nan", "0x10", "010", "1:30", "1_000", "0b1"),
    *(
        "99999999999999999999",
        "1000000000",
        str(2**63 - 1),
        str(2**63),
        str(2**31),
        "9" * 400,
        "1e-400",
        "0." + "1" * 60,
    ),
)
"""Edges of numbers."""
LANGUAGE = (
    *("index", "in_channels", "total", "true", "no", "k // 0", "2 ** 9999", "0 ** 0", "9 ** 9 ** 9", "relu", "conv2d"),
    *("from: input", "repeat: 3", "when: x", "<= 1", "7M ± 1%", "# convcalc: ignore[CC3]", "x if y else z", "a[9]"),
    *("input", "x", "in", "same", "a.*.b", "1x1", "sum([1, 2])", "make_divisible(9, 0)", "max()", "not not not 1"),
)
"""What the language reads as its own."""
INVISIBLE = (
    *("\u202e", "\x00", "\ufeff", "\x1b[31m", "\x85", "\u2028", "\u200b", "\xad", "\u034f", "\u180e", "\u206a"),
    *("\ufff9", "\ufffe", "\uffff", "\U000e0041", "\x7f", "\x9b31m", "\u061c", "\u2066", "\u200d", "\x07", "\b"),
    "\x1b]8;;http://x\x07",
)
"""What nobody sees."""
COMMANDS = (
    *(
        "::error::owned",
        "\n::error file=a,line=1::owned",
        "::set-output name=a::b",
        "##[error]owned",
        "::stop-commands::x",
    ),
    *("##[command]x", " ::warning::x", "%0A::error::x", "::add-mask::x", "\r::error::x", "##vso[task.complete]"),
)
"""What a CI obeys."""
MARKUP = (
    *(
        "</svg>",
        "<script>",
        "]]>",
        "&amp;",
        "&",
        "<b>",
        '"""',
        "'''",
        "\" '",
        "\\N{DIGIT ONE}",
        "\\",
        "\\u",
        "{x}",
        "%s",
    ),
    *(
        "|",
        "`a`",
        "**a**",
        "[a](http://x)",
        "http://x.y/z",
        "@team",
        "=1+1",
        "@SUM(A1)",
        "\\input{x}",
        "$x$",
        "#1",
        "%",
    ),
    *("--", "-->", '"]', "{{x}}", "${x}", "$(x)", "../../x", "é", "層", "🙂", "e\u0301", "ﷺ", "٣", "a" * 300),
)
"""What ends a quotation of some format, or is one of its signs."""
TEXTS = (*SYNTAX, *NUMBERS, *LANGUAGE, *INVISIBLE, *COMMANDS, *MARKUP)
PLAIN = ("Net", "tiny", "a b", "VGG-16", "x_1", "conv", "A. Author et al. 2020, arXiv:1234.5678")


def text(random: Random, hostile: float = 0.3) -> str:
    """A text: plain, or with this chance one or more of the words."""
    if random.random() >= hostile:
        return random.choice(PLAIN)
    parts = [random.choice(TEXTS) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    return random.choice(("", "", "a", "a ")) + "".join(parts) + random.choice(("", "", "b"))


def quoted(said: str) -> str:
    """A text as a double-quoted scalar of YAML, whose escapes are those of JSON.

    >>> quoted("a\\x1b")
    '"a\\\\u001b"'
    """
    return (
        json.dumps(said, ensure_ascii=True) if said.isascii() else json.dumps(said, ensure_ascii=not said.isprintable())
    )
