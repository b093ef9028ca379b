"""All pages, and docs/codes.md, which is made of them."""

from __future__ import annotations

from textwrap import fill

from ...findings import CODES, SEVERITIES
from ..rules import RULES
from . import claims, geometry, onnx, reading, schema, verifying
from .page import Page

FAMILIES = {
    "CC0": "Reading",
    "CC1": "Schema",
    "CC2": "Geometry",
    "CC3": "Claims",
    "CC4": "Advice",
    "CC5": "Verification",
    "CC7": "ONNX files",
}
INTRODUCTION = """\
# Codes of findings

<!-- Made by docs/generate.py from convcalc/check/manual and convcalc/check/rules; the tests run the examples. -->

`convcalc check` reports findings under these codes. Errors fail (exit code 1), warnings fail with `--strict`, advice
(CC4) is given with `--advice` or `--select CC4` and never fails. `convcalc check --explain CC201` prints one of these
pages; `# convcalc: ignore[CC201]` at the end of a line ignores a code on that line.
"""


def pages() -> dict[str, Page]:
    """Code -> its page, in the order of the codes."""
    modules = (reading, schema, geometry, claims, *RULES, verifying, onnx)
    found = {page.code: page for module in modules for page in module.PAGES}
    return {code: found[code] for code in CODES}


def page_markdown(page: Page) -> str:
    """One page as Markdown."""
    severity = SEVERITIES.get(page.code, "error")
    parts = [f"### {page.code}: {CODES[page.code]}", f"*{severity}*", fill(page.meaning, 118)]
    if page.config:
        parts.append(f"`convcalc.toml`:\n\n```toml\n{page.config}```")
    if page.wrong:
        parts += [f"Wrong:\n\n```yaml\n{page.wrong}```", f"Right:\n\n```yaml\n{page.right}```"]
    return "\n\n".join(parts) + "\n"


def codes_markdown() -> str:
    """The text of docs/codes.md."""
    parts = [INTRODUCTION]
    family = ""
    for code, page in pages().items():
        if code[:3] != family:
            family = code[:3]
            parts.append(f"## {family}: {FAMILIES[family]}\n")
        parts.append(page_markdown(page))
    return "\n".join(parts)
