"""Sections are declared once: the reader tells all that is wrong, and takes the keys that the JSON Schema takes."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.check.run import check_source
from convcalc.check.selection import Selection
from convcalc.language.expectations import Claims, Expectation
from convcalc.language.grammar import Entries
from convcalc.language.json_schema import language_schema
from convcalc.language.published import Alternative, Difference, PrintedCell, PrintedRow, PrintedTable, Reading
from convcalc.language.sections import BlockSection, OutputSection, Sections, Wiring
from convcalc.marked import Source

HEAD = """\
convcalc: 1
input: [4, 9, 9]
layers:
  - {conv2d: {out: 8, k: 3}, name: a}
"""
VALIDATOR = jsonschema.Draft7Validator(language_schema(QUANTITY_NAMES))


def told(text: str) -> list[tuple[int, str, str]]:
    """(line, code, message) of every error that `check` finds."""
    found = check_source(Source(text), Selection())
    return sorted((f.line, f.code, f.message) for f in found if f.severity == "error")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expect: [{batch: 0, macs: 1}]", "batch takes a whole number of at least 1, not '0'"),
        ("expect: [{batch: 1e3, macs: 1}]", "batch takes a whole number of at least 1, not '1e3'"),
        ("expect: [{batch: [1], macs: 1}]", "batch takes a whole number of at least 1"),
        (
            f"expect: [{{batch: {2**63}, macs: 1}}]",
            f"batch takes a whole number of at least 1 and at most 2^63 - 1, not '{2**63}'",
        ),
        (
            "published: [{title: T, rows: [], widths: {a: 0}}]",
            "the width of a is a whole number of at least 1, not '0'",
        ),
        (
            "published: [{title: T, rows: [], widths: {a: {}}}]",
            "the width of a is a whole number of at least 1",
        ),
    ],
)
def test_whole_numbers_have_one_reader(text: str, message: str) -> None:
    assert message in [said for _, _, said in told(f"{HEAD}{text}\n")]


def test_everything_wrong_with_published_is_told_at_once() -> None:
    text = f"""{HEAD}\
published:
  - titel: T
    unit: {{K: 0, M: none}}
    round: off
    columns:
      label: ~
      params: {{value: paramz}}
      macs: 3
    rows:
      a: [a, '1', '2']
      b: [b, '1']
      c: {{label: [c], at: a}}
      d: {{cells: [d, [1], {{value: macs}}], input: [x]}}
    differs:
      - {{row: a, column: params}}
      - {{row: a, column: params, reason: r, reading: 3}}
  - 7
"""
    assert told(text) == [
        (6, "CC101", "unknown key 'titel' in a published table"),
        (6, "CC104", "a published table needs 'title'"),
        (7, "CC103", "the divisor '0' is not a positive number or 'total'"),
        (7, "CC103", "the divisor 'none' is not a positive number or 'total'"),
        (8, "CC103", "there is no rounding 'off'"),
        (11, "CC306", "there is no quantity 'paramz'"),
        (12, "CC103", "a column must be a mapping"),
        (15, "CC103", "the row 'b' has 2 cells for 3 columns"),
        (16, "CC103", "'label' must be text"),
        (16, "CC104", "the row 'c' needs 'cells'"),
        (17, "CC103", "'input' is a list of sizes"),
        (17, "CC103", "a cell must be text"),
        (17, "CC104", "a cell needs 'text'"),
        (19, "CC104", "a difference needs 'reason'"),
        (20, "CC103", "'reading' must be a mapping"),
        (21, "CC103", "a published table must be a mapping"),
    ]


def test_everything_wrong_with_expect_is_told_at_once() -> None:
    text = f"""{HEAD}\
expect:
  - parms: 296
    with: [1]
    input: {{input: [0.5]}}
    variant: ~
  - params: 297
    stages:
      a: {{mac: 1}}
      b: 3
    output: {{a: [8, 7, 7], b: [1]}}
  - 3
"""
    assert told(text) == [
        (6, "CC306", "there is no quantity 'parms'"),
        (7, "CC103", "with maps params to values"),
        (8, "CC103", "input is a list of sizes"),
        (9, "CC103", "variant is a name"),
        (10, "CC301", "params is 296, expected 297"),
        (12, "CC306", "there is no quantity 'mac'"),
        (13, "CC103", "a stage maps quantities to values"),
        (14, "CC306", "no output is called 'b'"),
        (15, "CC103", "an expectation is a mapping of quantities"),
    ]


def test_everything_wrong_with_the_other_sections_is_told_at_once() -> None:
    text = """\
convcalc: 2
name: [x]
title: {a: b}
inputs: [3]
input: {in: [3], left: 3, right: []}
params: [a, a, 1st, [b]]
variants: {wide: [1], a.b: {}}
blocks:
  relu: {layers: []}
  b: {params: 3, layer: []}
layers:
  - {relu: {}, from: [a..b, [c]], name: [d]}
outputs: {a..b: 3, c: {weight: 1}}
"""
    assert {(line, code) for line, code, _ in told(text)} == {
        (1, "CC112"),
        (2, "CC103"),
        (3, "CC103"),
        (4, "CC101"),
        (5, "CC103"),
        (5, "CC105"),
        (6, "CC103"),
        (6, "CC105"),
        (7, "CC103"),
        (7, "CC105"),
        (9, "CC105"),
        (10, "CC101"),
        (10, "CC103"),
        (10, "CC104"),
        (12, "CC103"),
        (12, "CC105"),
        (13, "CC101"),
        (13, "CC103"),
        (13, "CC105"),
    }


READING = {
    "at": "a", "value": "params", "unit": {"K": 1000, "%": "total"}, "round": "down", "format": "{}",
    "variant": "wide", "with": {"width": 2}, "input": [4, 9, 9], "spec": None, "widths": {"a": 8},
}  # fmt: skip
CELL = {"text": "1", **READING}
ROW = {"label": "a", "cells": [CELL], **READING}
DIFFERENCE = {"row": "a", "column": "params", "reason": "r", "reading": READING, **READING}
ALSO = {"row": "a", "column": "params", **READING}
TABLE = {
    "title": "t", "source": "s", "note": "n", "columns": {"params": READING}, "rows": {"a": ROW},
    "differs": [DIFFERENCE], "also": [ALSO], **READING,
}  # fmt: skip
STAGE = dict.fromkeys(QUANTITY_NAMES)
EXPECTATION = {
    **STAGE,
    "variant": "wide",
    "with": {"width": 2},
    "input": [4, 9, 9],
    "dtype": "int8",
    "batch": 2,
    "stages": {"a": STAGE},
}
WIRED = {
    "conv1d": {"out": 7, "k": 1},
    "name": "b",
    "from": "a",
    "repeat": 2,
    "when": True,
    "share": True,
    "batch_axes": 1,
}
SPEC = {
    "convcalc": 1, "name": "n", "title": "t", "description": "d", "source": "s", "notes": [1], "input": [4, 9, 9],
    "params": {"width": 1}, "variants": {"wide": {"width": 2}}, "blocks": {"c": {"params": ["k"], "layers": []}},
    "layers": [{"conv2d": {"out": "8 * width", "k": 3}, "name": "a"}, {"c": [3]}, WIRED],
    "outputs": {"b": {"loss": "linear", "loss_weight": 1}}, "expect": [EXPECTATION], "published": [TABLE],
}  # fmt: skip
PLACES: tuple[tuple[type[Entries], str], ...] = (
    (Sections, ""),
    (BlockSection, "blocks/c"),
    (OutputSection, "outputs/b"),
    (Wiring, "layers/2"),
    (Expectation, "expect/0"),
    (Claims, "expect/0/stages/a"),
    (PrintedTable, "published/0"),
    (Reading, "published/0/columns/params"),
    (PrintedRow, "published/0/rows/a"),
    (PrintedCell, "published/0/rows/a/cells/0"),
    (Difference, "published/0/differs/0"),
    (Reading, "published/0/differs/0/reading"),
    (Alternative, "published/0/also/0"),
)
"""Every mapping with declared keys, and where one stands in `SPEC`, which has them all."""


def at(data: Any, path: str) -> Any:
    for part in path.split("/") if path else ():
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def refused_keys(data: Any) -> set[str]:
    """The codes by which `check` refuses keys, or misses them."""
    found = told(json.dumps(data))
    return {code for _, code, message in found if code in ("CC101", "CC104") or "there is no quantity" in message}


@pytest.mark.parametrize(("entries", "path"), PLACES, ids=[path or "spec" for _, path in PLACES])
def test_reader_and_schema_take_the_same_keys(entries: type[Entries], path: str) -> None:
    assert set(entries.keys) <= set(at(SPEC, path)), "the spec here has every declared key"
    assert VALIDATOR.is_valid(SPEC)
    assert refused_keys(SPEC) == set()
    data = copy.deepcopy(SPEC)
    at(data, path)["zzz"] = {}
    assert not VALIDATOR.is_valid(data)
    assert refused_keys(data)


@pytest.mark.parametrize(
    ("path", "key"),
    [(path, name) for entries, path in PLACES for name, key in entries.keys.items() if key.required],
)
def test_reader_and_schema_need_the_same_keys(path: str, key: str) -> None:
    data = copy.deepcopy(SPEC)
    del at(data, path)[key]
    assert not VALIDATOR.is_valid(data)
    assert "CC104" in refused_keys(data)
