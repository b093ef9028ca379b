"""A report as the text of one HTML page, which asks for nothing: scripts, styles and data stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.diff import diff
from ..export import drawing
from ..findings import UsageError
from ..network import without_collector
from ..render.table import at_text, shapes_text, source_text, unknown_text
from ..units import counted
from ..version import FORMAT, __version__
from .assets import picture, policy, scripts_texts, styles_text
from .data import island, packed
from .diagram import graph
from .difference import changes
from .environment import environment
from .field import field
from .layers import Pages
from .memory import memory
from .published import published
from .roofline import roofline
from .summary import Summary, summary, totals

if TYPE_CHECKING:
    from ..analysis.diff import Difference
    from ..analysis.report import Report
    from ..network import Network

SECTIONS = {
    "summary": "Summary",
    "diagram": "Diagram",
    "memory": "Memory",
    "field": "Receptive field",
    "roofline": "Roofline",
    "published": "Published",
    "diff": "Diff",
    "layer": "Layer",
}
"""Parts of the page in their order, and what they are called."""
MOST_PAGES = 5_000
"""Layers that have a page of their own."""
MOST_BOXES = 400
"""Stages of a drawing that stands where no script runs."""
MOST_NAMED = 5
"""Layers that a remark names."""


def page(report: Report, *, against: Report | None = None) -> str:
    """The page of a report, and of what changed since another. Raises UsageError where jinja2 is not installed,
    SpecError where a printed table cannot be read.
    """
    with without_collector():
        return _page(report, against)


def _page(report: Report, against: Report | None) -> str:
    templates = environment()
    difference = None if against is None else diff(against, report)
    tree = summary(report, difference)
    found: dict[str, object] = {
        "summary": tree,
        "diagram": True,
        "memory": memory(report),
        "field": field(report),
        "roofline": roofline(report),
        "published": published(report),
        "diff": None if difference is None else changes(difference),
        "layer": True,
    }
    network = report.network
    read = shapes_text(network.inputs, "input", "inputs")
    made = shapes_text({output.name: network.nodes[output.node].shape for output in network.outputs}, "", "outputs")
    style, scripts = styles_text(), scripts_texts()
    return templates.get_template("page.html").render(
        policy=policy(style, scripts),
        style=style,
        scripts=scripts,
        data=island(_data(report, tree, difference)),
        sections=[(name, title) for name, title in SECTIONS.items() if found[name]],
        name=network.name,
        variant=network.variant,
        shapes=f"{read} → {made}{at_text(report)}",
        at=at_text(report),
        layers=counted(len(network), "layer"),
        source=source_text(report),
        remarks=_remarks(network),
        totals=totals(report),
        still=_still(network),
        version=__version__,
        **found,
    )


def _data(report: Report, tree: Summary, difference: Difference | None) -> dict[str, object]:
    """What the page's scripts read."""
    pages = Pages(report)
    rows = [pages.place(line.subject) for line in tree.lines]
    layers = [pages.place(layer) for layer in report.layers[:MOST_PAGES]]
    return {
        "format": FORMAT,
        "convcalc": __version__,
        "rows": rows,
        "layers": layers,
        **pages.to_dict(),
        "graph": packed(graph(report, difference), pages),
    }


def _still(network: Network) -> str:
    """The stages as a picture; empty where there are too many."""
    try:
        drawn = drawing.drawing(network)
        return picture(drawing.svg(drawn)) if len(drawn.boxes) <= MOST_BOXES else ""
    except UsageError:
        return ""


def _remarks(network: Network) -> list[str]:
    """What was said when the network was read, and which costs are not known."""
    unknown = unknown_text(network, MOST_NAMED)
    return [*(finding.message for finding in network.notes), *([] if unknown is None else [unknown])]
