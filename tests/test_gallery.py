"""The gallery: every spec and variant builds, its claims hold, and its printed tables differ only where it says so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from convcalc import load, loads
from convcalc.analysis.figures import find
from convcalc.analysis.gallery import index_path, read_index, spec_entry
from convcalc.analysis.published import TableResult, compare
from convcalc.analysis.quantities import quantity
from convcalc.analysis.quantity import Shaped
from convcalc.analysis.report import analyse
from convcalc.language import SpecOrigin, gallery_names, gallery_path
from convcalc.marked import List, Map, Marked, Text
from convcalc.network import Network
from convcalc.render.document import Document
from convcalc.render.gallery import gallery_summary, gallery_table
from convcalc.render.markup import markdown
from tests.gallery_variants import variants

NETWORKS = [(spec, variant) for spec, names in variants().items() for variant in (None, *names)]
ROOT = Path(__file__).parent.parent


@cache
def tables(spec: str) -> tuple[TableResult, ...]:
    return compare(load(spec))


@pytest.mark.parametrize(("spec", "variant"), NETWORKS)
def test_it_builds(spec: str, variant: str | None) -> None:
    network = load(spec, variant=variant)
    totals = analyse(network).totals
    assert network.source
    assert network.outputs
    assert totals.params > 0
    assert totals.macs > 0


def text(node: Marked) -> str:
    assert isinstance(node, Text)
    return node.text


def plain(node: Marked) -> object:
    """A claim's value as plain text and lists of it."""
    return [plain(item) for item in node.items] if isinstance(node, List) else text(node)


def broken_claims(network: Network) -> list[tuple[str, str, object, object]]:
    """(where, quantity, claimed, actual) of every exact claim in `expect` that does not hold."""
    origin = network.origin
    assert isinstance(origin, SpecOrigin)
    section = origin.section("expect")
    assert section is not None, "no claims"
    broken = []
    for claims in section.items if isinstance(section, List) else [section]:
        assert isinstance(claims, Map)
        entries = dict(claims.entries)
        chosen, given, sizes = entries.pop("variant", None), entries.pop("with", None), entries.pop("input", None)
        report = analyse(
            origin.reload(
                variant=text(chosen) if chosen else None,
                params={name: text(value) for name, value in given.entries.items()} if isinstance(given, Map) else {},
                input=[int(text(item)) for item in sizes.items] if isinstance(sizes, List) else None,
            )
        )
        stages = entries.pop("stages", None)
        places = {"total": entries}
        if isinstance(stages, Map):
            places |= {name: at.entries for name, at in stages.entries.items() if isinstance(at, Map)}
        for where, wanted in places.items():
            for name, node in wanted.items():
                subject, known = find(report, where), quantity(name)
                assert subject is not None, where
                assert known is not None, name
                value = known.get(report, subject)
                actual = [str(part) for part in value.raw] if isinstance(value, Shaped) else str(value)  # type: ignore[attr-defined]
                if plain(node) != actual:
                    broken.append((where, name, plain(node), actual))
    return broken


@pytest.mark.parametrize("spec", gallery_names())
def test_its_claims_hold(spec: str) -> None:
    assert broken_claims(load(spec)) == []


def complaints(results: tuple[TableResult, ...]) -> list[tuple[str, str, str]]:
    """(what, row or printed cell, column or computed text) of everything that the spec does not say rightly."""
    found = []
    for result in results:
        for row, column, cell in result.differing():
            if cell.difference is None:
                found.append(("unlisted", row, column))
            elif cell.explained is False:
                found.append(("explanation fails", row, column))
        cells = [cell for row in result.rows for cell in row]
        found += [
            ("equal but listed", c.printed.text, c.computed) for c in cells if c.status == "equal" and c.difference
        ]
        found += [("no such cell", stray.row, stray.column) for stray in result.stray]
        found += [("does not give the same", str(a.reading), f"{a.given}") for a in result.also if a.given < a.cells]
        if not result.cells:
            found.append(("nothing compared", result.table.title, ""))
    return found


@pytest.mark.parametrize("spec", gallery_names())
def test_printed_tables(spec: str) -> None:
    assert complaints(tables(spec)) == []


WRONG = """
convcalc: 1
input: [3, 8, 8]
layers: [{conv2d: {out: 4, k: 3}, name: conv}]
expect: {params: 112, macs: 1, output: [4, 6, 7], stages: {conv: {depth: 2}}}
published:
  - title: A table
    columns: {name: ~, channels: {value: out_channels}, params: {value: params}, macs: {value: macs}}
    rows:
      conv: [conv, "5", "112", "1"]
      input: [input, "3", "0", ""]
    differs:
      - {row: conv, column: params, reason: none}
      - {row: conv, column: macs, reading: {value: params}, reason: it is not}
      - {row: pool, column: params, reason: there is none}
"""


def test_wrong_claims_and_tables_are_found() -> None:
    network = loads(WRONG)
    assert broken_claims(network) == [
        ("total", "macs", "1", "3888"),
        ("total", "output", ["4", "6", "7"], ["4", "6", "6"]),
        ("conv", "depth", "2", "1"),
    ]
    assert complaints(compare(network)) == [
        ("unlisted", "conv", "channels"),
        ("explanation fails", "conv", "macs"),
        ("equal but listed", "112", "112"),
        ("no such cell", "pool", "params"),
    ]


def test_the_index_is_current() -> None:
    """Otherwise run python -m tools.regenerate."""
    assert [entry["name"] for entry in read_index()] == list(gallery_names())
    for entry in read_index():
        results = tables(entry["name"])
        now = analyse(load(entry["name"])).totals
        assert (entry["params"], entry["macs"]) == (now.params, now.macs), entry["name"]
        assert [(t["title"], t["cells"], t["reproduced"]) for t in entry["tables"]] == [
            (r.table.title, r.cells, r.reproduced) for r in results
        ]
        assert entry["cells"] == sum(r.cells for r in results)
        assert entry["reproduced"] == sum(r.reproduced for r in results)


def test_an_entry_is_what_its_spec_says() -> None:
    (entry,) = (entry for entry in read_index() if entry["name"] == "textcnn")
    assert spec_entry("textcnn") == entry == {
        "name": "textcnn",
        "title": "TextCNN",
        "source": entry["source"],
        "variants": [],
        "input": {"input": [300, 64]},
        "params": 360902,
        "macs": 21900600,
        "cells": 0,
        "reproduced": 0,
        "tables": [],
    }  # fmt: skip


def test_the_page_shows_the_index() -> None:
    """Otherwise run python -m tools.regenerate."""
    page = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    assert markdown(Document((gallery_table(read_index(), full=True),))) in page
    assert gallery_summary(read_index()) in page


def test_the_index_is_shipped_beside_the_specs() -> None:
    assert index_path().parent == gallery_path()
    assert json.loads(index_path().read_text("utf-8"))["format"] == 1


@pytest.mark.parametrize(
    ("spec", "title", "cells"),
    [
        ("googlenet", "Table 1", (113, 125)),
        ("resnet", "Table 1: FLOPs", (5, 5)),
        ("shufflenet_v2", "Table 5", (57, 57)),
        ("se_resnet", "Section 4", (4, 4)),
        ("resnext", "Table 1: totals", (4, 4)),
        ("mobilenet_v2", "Table 4", (2, 4)),
        ("xception", "Table 3", (2, 2)),
    ],
)
def test_single_readings_of_printed_tables(spec: str, title: str, cells: tuple[int, int]) -> None:
    (table,) = [result for result in tables(spec) if result.table.title.startswith(title)]
    assert (table.reproduced, table.cells) == cells
