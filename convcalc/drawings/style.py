"""The colours of drawings, in light and dark, and what stands still where nothing is to move.

The hues are those of Okabe and Ito, which people tell apart whatever they see of colours (Okabe & Ito 2008, "Color
Universal Design"); what has a hue has a sign or a line of its own beside it. Counts stand on a scale of one direction
in lightness, with their numbers in it.
"""

from __future__ import annotations

from typing import Literal

Scheme = Literal["auto", "light", "dark"]
"""Colours on light or on dark paper; `auto` is what the reader's screen has."""

ROOT = "convcalc-drawing"
"""The class of every drawing: its rules reach nothing else on the page."""

_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif'
_SHAPE = f"""\
text {{ font-family: {_FONT}; font-size: 12px; }}
.title {{ font-size: 16px; font-weight: 600; }}
.heading {{ font-size: 12px; font-weight: 600; }}
.index {{ font-size: 9px; text-anchor: middle; }}
.number {{ font-size: 11px; text-anchor: middle; }}
.weight {{ font-size: 9px; font-weight: 600; text-anchor: end; }}
.sign {{ font-size: 24px; text-anchor: middle; }}
.padding, .output_padding, .beyond {{ stroke-dasharray: 3 2; }}
.frame, .marker {{ fill: none; stroke-width: 2.5; stroke-linejoin: round; }}
.tap {{ stroke-width: 1.5; fill-opacity: 0.55; }}
.hatching {{ fill: none; stroke-width: 1.5; }}
.still {{ display: none; }}"""
_LIGHT = {
    ".paper": "fill: #ffffff;",
    "text": "fill: #1f2328;",
    ".index, .quiet": "fill: #57606a;",
    ".input": "fill: #a9d5f5; stroke: #2b6d9e;",
    ".zero": "fill: #ffffff; stroke: #8c959f;",
    ".padding": "fill: #f2f4f7; stroke: #8c959f;",
    ".output_padding": "fill: #f6dff0; stroke: #a34d88;",
    ".beyond": "fill: #ffffff; stroke: #bcc3cb;",
    ".nothing": "fill: #ffffff; stroke: #e2e6ea;",
    ".tap": "fill: #f0a830; stroke: #8a4b00;",
    ".kernel": "fill: #f8d694; stroke: #8a4b00;",
    ".frame": "stroke: #b35900;",
    ".weight": "fill: #5c2f00;",
    ".pending": "fill: #ffffff; stroke: #7fa99b;",
    ".output": "fill: #6cc5ab; stroke: #00664a;",
    ".marker": "stroke: #b35900;",
    ".hatching": "stroke: #57606a;",
}
_DARK = {
    ".paper": "fill: #0d1117;",
    "text": "fill: #e6edf3;",
    ".index, .quiet": "fill: #9aa4af;",
    ".input": "fill: #1f5680; stroke: #7cc0ee;",
    ".zero": "fill: #0d1117; stroke: #6e7681;",
    ".padding": "fill: #1b212a; stroke: #6e7681;",
    ".output_padding": "fill: #47223c; stroke: #d58fbd;",
    ".beyond": "fill: #0d1117; stroke: #444c56;",
    ".nothing": "fill: #0d1117; stroke: #262d36;",
    ".tap": "fill: #b86f00; stroke: #ffc766;",
    ".kernel": "fill: #6b4200; stroke: #ffc766;",
    ".frame": "stroke: #ffb13d;",
    ".weight": "fill: #ffe2ad;",
    ".pending": "fill: #0d1117; stroke: #3c7465;",
    ".output": "fill: #0f7257; stroke: #66d9b8;",
    ".marker": "stroke: #ffb13d;",
    ".hatching": "stroke: #9aa4af;",
}
SCALE = ("#f1f9f6", "#d0ecdf", "#a3dac6", "#63bda1", "#268a6d", "#0a5440")
"""From few to many, on light paper and on dark."""
DARK_FROM = 4
"""The step of the scale from which on numbers in it are light."""
_STILL = ".moving { display: none; }\n.still { display: inline; }"


def _scoped(rules: str) -> str:
    """Rules that reach drawings alone."""
    lines = []
    for line in rules.splitlines():
        selectors, brace, rest = line.partition("{")
        scoped = ", ".join(f".{ROOT} {selector.strip()}" for selector in selectors.split(","))
        lines.append(f"{scoped} {brace}{rest}")
    return "\n".join(lines)


def _rules(colours: dict[str, str]) -> str:
    return "\n".join(f"{selector} {{ {declarations} }}" for selector, declarations in colours.items())


def style(scheme: Scheme = "auto") -> str:
    """The style of a drawing: the same text in all of one scheme."""
    counts = [f".count{n} {{ fill: {colour}; stroke: #00664a; }}" for n, colour in enumerate(SCALE)]
    counts += [".few { fill: #1f2328; }", ".many { fill: #ffffff; }", ".coloured { stroke: #6e7681; }"]
    shape = _scoped("\n".join((_SHAPE, *counts)))
    light, dark = _scoped(_rules(_LIGHT)), _scoped(_rules(_DARK))
    fixed = _scoped("\n".join(counts[-3:-1]))
    if scheme != "auto":
        return "\n".join((light if scheme == "light" else dark, shape))
    still = _scoped(_STILL)
    return "\n".join(
        (
            light,
            shape,
            f"@media (prefers-color-scheme: dark) {{\n{dark}\n{fixed}\n}}",
            f"@media (prefers-reduced-motion: reduce) {{\n{still}\n}}",
            f"@media print {{\n{light}\n{fixed}\n{still}\n}}",
        )
    )
