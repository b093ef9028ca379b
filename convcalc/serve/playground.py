"""What the playground asks of convcalc, and the answers: messages of JSON.

A page cannot call Python, but a worker of it can hand over a text and take another back. `Playground.answer` is the
only door: it raises nothing, and what is wrong with a spec or a call is part of the answer. Everything asked is what
the public functions answer; texts are handed on as they are, and whoever shows them escapes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..api.check import check
from ..api.draw import draw
from ..api.explain import explain
from ..api.invert import invert
from ..api.report import Report, analyse, analyses_of
from ..drawings import layer_drawing
from ..findings import Finding, SpecError, UsageError, pieces, unforeseen
from ..geometry.errors import GeometryError
from ..language import loads
from ..limits import SPEC_BYTES
from ..network import Network, Node, described
from ..page.diagram import graph
from ..render.document import Tree, described_as, share_text
from ..render.first_screen import AROUND, first_screen

if TYPE_CHECKING:
    from fractions import Fraction

    from ..analysis.drawn import Drawn

Data = Mapping[str, object]
ROWS = 400
"""Rows of a tree, where those below the stages are folded."""
MOST_INSIDE = 100
"""Layers of a block that are named."""
MOST_DRAWN = 40
"""The largest size of which a window is drawn that moves."""


class Playground:
    """The answers to one page, about the spec that it asked about last."""

    def __init__(self) -> None:
        self.report: Report | None = None
        self._asks: dict[str, Callable[[Data], Data]] = {
            "network": self.network,
            "check": self.check,
            "graph": self.graph,
            "layer": self.layer,
            "invert": self.invert,
        }

    def answer(self, message: str) -> str:
        """The answer to a message: `{"ask": NAME, ...}`, with a wrong spec's `findings` or a wrong call's `error`.

        >>> Playground().answer('{"ask": "graph"}')
        '{"error": {"message": "there is no network to look at", "hint": "mend what is wrong with the spec"}}'
        """
        try:
            ask, asked = _read(message, self._asks)
            answer = self._asks[ask](asked)
        except SpecError as error:
            answer = {"findings": [placed(finding) for finding in error.findings]}
        except (UsageError, GeometryError) as error:
            answer = {"error": {"message": error.message, "hint": error.hint}}
        except Exception as error:  # a fault of convcalc's own is shown like any other, and the page goes on
            answer = {"error": {"message": unforeseen(error), "hint": None}}
        return json.dumps(answer)

    def network(self, asked: Data) -> Data:
        """The tree of a spec's `text`, as `table` prints it: under a `variant` of it, and with its `params`."""
        self.report = None
        text, variant = _text(asked, "text"), asked.get("variant")
        if len(text) > SPEC_BYTES:
            raise UsageError(f"a spec has at most {SPEC_BYTES:,} bytes")
        network = loads(text, variant=variant if isinstance(variant, str) else None)
        self.report = analyse(network)
        document = first_screen(analyses_of(self.report), None, ROWS + AROUND)
        (tree,) = [block for block in document.blocks if isinstance(block, Tree)]
        return {
            "name": network.name,
            "shapes": described(network),
            "variants": _variants(network),
            "table": table(tree),
            "findings": [placed(finding) for finding in network.notes],
        }

    def check(self, asked: Data) -> Data:
        """All findings of a spec's `text`: what does not build, claims, printed tables, advice."""
        result = check(text=_text(asked, "text"), advice=True, jobs=1)
        return {"findings": [placed(finding) for finding in result.findings]}

    def graph(self, asked: Data) -> Data:
        """What the diagram draws of the last network."""
        return {"graph": graph(analyses_of(self._last()))}

    def layer(self, asked: Data) -> Data:
        """Why the layer or block at a `path` of the last network has its figures, its window, the layers inside it."""
        report, path = self._last(), _text(asked, "path")
        text = str(explain(report, path))
        found = report.network[path]
        nodes = [found] if isinstance(found, Node) else list(found.nodes)
        windows = [node for node in nodes if node.layer is not None and node.layer.patch is not None]
        inside = [] if isinstance(found, Node) else [node.name for node in nodes]
        drawn = windows[0].name if len(windows) == 1 else None
        svg = None if drawn is None else layer_drawing(report.network, analyses_of(report).index[drawn], "layer")
        return {"path": path, "text": text, "window": drawn, "svg": svg, "inside": inside[:MOST_INSIDE]}

    def invert(self, asked: Data) -> Data:
        """The inversion of a convolution of these numbers, with drawings of it and of what undoes it."""
        kernel, stride, dilation, size = (_number(asked, name) for name in ("kernel", "stride", "dilation", "size"))
        before, after = _number(asked, "before"), _number(asked, "after")
        inversion = invert(kernel, stride, (before, after), dilation, [size])
        row = inversion.sizes[0][0]
        drawings = []
        if max(row.size, inversion.axes[0].effective_kernel) + before + after <= MOST_DRAWN:
            window = partial(draw, kernel=kernel, stride=stride, padding=(before, after), dilation=dilation)
            there = window(size=size)
            back = window(size=row.conv_output, transposed=True, output_padding=row.output_padding)
            drawings = [{"said": _said(drawing.drawn), "svg": drawing.svg} for drawing in (there, back)]
        return {"text": str(inversion), "drawings": drawings}

    def _last(self) -> Report:
        if self.report is None:
            raise UsageError("there is no network to look at", "mend what is wrong with the spec")
        return self.report


def _read(message: str, known: Collection[str]) -> tuple[str, Data]:
    """What a message asks, and all of it. Raises UsageError for one that asks for nothing that is known."""
    try:
        asked = json.loads(message)
    except (ValueError, RecursionError):
        raise UsageError("the message is no JSON") from None
    ask = asked.get("ask") if isinstance(asked, dict) else None
    if not isinstance(ask, str) or ask not in known:
        raise UsageError("the message asks for nothing that is answered", f"one of {', '.join(known)}")
    return ask, asked


def _text(asked: Data, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise UsageError(f"the message has no text '{name}'")
    if re.search("[\ud800-\udfff]", value):
        raise UsageError("the text holds half a character", "copy it again, whole")
    return value


def _number(asked: Data, name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name}: a whole number is needed")
    return value


def _said(drawn: Drawn) -> str:
    before, after = drawn.sizes
    return f"{drawn.what}: {before} → {after}"


def _variants(network: Network) -> list[str]:
    return list(network.origin.variants) if network.origin is not None else []


def placed(finding: Finding) -> Data:
    """A finding with what an editor needs to mark it, and its lines as the terminal shows them.

    >>> found = Finding("CC101", "unknown key", "<text>", 3, 5, hint="did you mean 'k'?", excerpt="    kk: 3", width=2)
    >>> placed(found)["width"], placed(found)["lines"][-1]
    (2, "  hint: did you mean 'k'?")
    """
    lines = ["".join(text for text, _ in line) for line in pieces(finding)]
    return {**finding.to_dict(), "width": finding.width, "lines": lines}


def table(tree: Tree) -> Data:
    """A tree as data: cells as `table` prints them, and how long the bar of each row is, from 0 to 1."""
    largest: Fraction | int = max((row.share for row in tree.rows if row.share is not None), default=0)
    return {
        "label": tree.labels,
        "columns": [{"name": column.heading, "right": column.align == "right"} for column in tree.columns],
        "share": tree.share,
        "rows": [
            {
                "level": row.level,
                "label": row.label,
                "path": row.path,
                "what": described_as(row),
                "cells": row.cells,
                "share": share_text(row.share),
                "bar": float(row.share / largest) if row.share and largest else 0.0,
            }
            for row in tree.rows
        ],
        "total": tree.total,
        "notes": [note.text for note in tree.notes],
    }
