"""A report as the text of one HTML page, which asks for nothing: scripts, styles and data stand in it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..render.table import at_text, shapes_text, source_text
from ..units import counted
from ..version import FORMAT, __version__
from .environment import environment
from .layers import Pages
from .summary import summary, totals

if TYPE_CHECKING:
    from ..analysis.report import Report

HERE = Path(__file__).parent
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029", "##": "\\u0023#"}
"""What an element of script, a script and a log of a CI would read otherwise."""


def page(report: Report) -> str:
    """The page of a report. Raises UsageError where jinja2 is not installed."""
    templates = environment()
    tree = summary(report)
    pages = Pages(report)
    numbers = [pages.place(line.subject) for line in tree.lines]
    for layer in report.layers[:MOST_PAGES]:
        pages.place(layer)
    data = {"format": FORMAT, "convcalc": __version__, "rows": numbers, **pages.to_dict()}
    network = report.network
    read = shapes_text(network.inputs, "input", "inputs")
    made = shapes_text({output.name: network.nodes[output.node].shape for output in network.outputs}, "", "outputs")
    styles, scripts = styles_text(), scripts_texts()
    return templates.get_template("page.html").render(
        policy=policy([styles], scripts),
        styles=_raw(styles),
        scripts=[_raw(script) for script in scripts],
        data=_raw(island(data)),
        name=network.name,
        variant=network.variant,
        shapes=f"{read} → {made}{at_text(report)}",
        layers=counted(len(network), "layer"),
        source=source_text(report),
        sections=[("summary", "Summary"), ("layer", "Layer")],
        totals=totals(report),
        summary=tree,
        version=__version__,
    )


MOST_PAGES = 5_000
"""Layers that have a page of their own."""


def _raw(text: str) -> object:
    """A text that is mark-up already."""
    from markupsafe import Markup

    return Markup(text)


def styles_text() -> str:
    """The style sheet, without blanks that say nothing."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((HERE / "styles").glob("*.css")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"\s*([{};,>])\s*|\s*\n\s*", lambda match: match[1] or " ", text).strip()


def scripts_texts() -> list[str]:
    """The scripts in the order in which they run: those that offer something before the page's own."""
    folder = HERE / "scripts"
    names = ("diagram.js", "page.js")
    return [(folder / name).read_text("utf-8").strip() for name in names if (folder / name).exists()]


def policy(styles: list[str], scripts: list[str]) -> str:
    """The Content-Security-Policy: these styles and scripts, pictures that stand in the page, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hashed, scripts)) or chr(39) + 'none' + chr(39)}",
            f"style-src {' '.join(map(_hashed, styles))}",
            "img-src data:",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def island(data: object) -> str:
    """Data as JSON that an element of script can hold, whatever stands in its texts.

    >>> island({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]|##", lambda match: _ESCAPES[match[0]], text)
