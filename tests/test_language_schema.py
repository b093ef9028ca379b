"""The JSON Schema of the language: it takes what the language takes, and refuses what `check` refuses as text."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.codes import codes, page
from convcalc.language import gallery_path
from convcalc.language.items import fields_of
from convcalc.language.json_schema import FIELD_NOTES, language_schema
from convcalc.layers.registry import KINDS, YIELDING

from .command import run

SCHEMA = language_schema(QUANTITY_NAMES)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
BASE: dict[str, Any] = {"convcalc": 1, "input": [3, 32, 32], "layers": [{"conv2d": {"out": 8, "k": 3}}]}
LEFT_TO_CHECK = {"CC102", "CC106", "CC107", "CC108", "CC109", "CC110", "CC111", "CC113", "CC114"}
"""Names, expressions and expansion: what a schema cannot know."""


def plain(data: Any) -> Any:
    """Data as JSON has it: keys are texts."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def read(text: str) -> Any:
    return plain(yaml.safe_load(text))


def refused(data: Any) -> bool:
    return not VALIDATOR.is_valid(data)


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads(run("schema").stdout) == SCHEMA
    assert all(VALIDATOR.is_valid(example) for example in SCHEMA["examples"])


@pytest.mark.parametrize("path", sorted(gallery_path().glob("*.yaml")), ids=lambda path: path.stem)
def test_the_gallery_is_valid(path: Path) -> None:
    error = jsonschema.exceptions.best_match(VALIDATOR.iter_errors(read(path.read_text("utf-8"))))
    assert error is None, f"{list(error.absolute_path)}: {error.message[:300]}"


def test_right_specs_of_the_manual_are_valid() -> None:
    assert [code for code in codes() if page(code).right and refused(read(page(code).right))] == []


@pytest.mark.parametrize(
    "code", [c for c in codes() if c.startswith("CC1") and page(c).wrong and c not in LEFT_TO_CHECK]
)
def test_wrong_specs_of_the_manual_are_refused(code: str) -> None:
    if code == "CC105":
        return  # that page's name stands twice; bad names are below
    assert refused(read(page(code).wrong))


def changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(BASE)
    at: Any = data
    *parents, last = path.split("/")
    for part in parents:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("layer", []),
        ("convcalc", 2),
        ("input", [0, 3, 3]),
        ("input", [3, 4, 5, 6, 7]),
        ("input", {"in": [3, 3, 3]}),
        ("layers", {}),
        ("layers/0", {"conv2d": {"out": 8}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 0}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 2.5}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 3, "bias": 1}}),
        ("layers/0", {"conv2d": {"out": 8, "out_channels": 8, "k": 3}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 3, "strid": 1}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 3}, "relu": {}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 3}, "padding": 1}),
        ("layers/0", {"conv2d": [8, 3]}),
        ("layers/0", "conv2d"),
        ("layers/0", "1x1.conv"),
        ("layers/0", ["relu"]),
        ("layers/0", {"name": "a"}),
        ("layers/0", {"relu": {}, "name": "input"}),
        ("layers/0", {"relu": {}, "name": "a.b"}),
        ("layers/0", {"relu": {}, "from": []}),
        ("layers/0", {"relu": {}, "from": "a..b"}),
        ("layers/0", {"relu": {}, "repeat": -1}),
        ("layers/0", {"relu": {}, "when": 1}),
        ("layers/0", {"relu": {"branches": {}}}),
        ("layers/0", {"concat": {"branches": {"a": "relu"}}}),
        ("layers/0", {"gate": {"branches": {"a": [], "b": [], "c": []}}}),
        ("params", {"1st": 1}),
        ("params", {"index": 1}),
        ("blocks", {"relu": {"layers": []}}),
        ("blocks", {"b": {"params": [], "layer": []}}),
        ("blocks", {"b": {}}),
        ("variants", {"a": [1]}),
        ("outputs", {"a": {"weight": 1}}),
        ("expect", {"parms": 1}),
        ("expect", {"stages": {"a": {"variant": "x"}}}),
        ("expect", 7),
        ("published", {"title": "x", "columns": {}}),
        ("published", [{"title": "x", "columns": {}, "rows": {}, "differs": [{"row": "a"}]}]),
        ("published", [{"title": "x", "columns": {"a": {"value": "params", "round": "off"}}, "rows": {}}]),
    ],
)
def test_what_the_text_shows_to_be_wrong_is_refused(path: str, value: Any) -> None:
    data = changed(path, value)
    assert refused(data)
    assert run("check", "-", data=json.dumps(data).encode()).code == 1, "check refuses it too"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("layers/0", {"conv2d": {"out": "in_channels * 2", "k": [3, "k"], "p": [[1, 0], [0, 1]]}}),
        ("layers/0", {"conv2d": {"out": 8, "k": 3, "p": "same"}}),
        ("layers/0", {"my_block": [1, "two", [3]], "name": "a", "repeat": "n", "when": "n > 1"}),
        ("layers/0", {"my_block": None}),
        ("layers/0", {"layers": ["relu", "my_block"], "from": ["a.*.b", "in.0"]}),
        ("layers/0", {"relu": None}),
        ("layers/0", {"concat": {"branches": {"1x1": [], "3x3": ["relu"]}}}),
        ("layers/0", {"adaptive_avg_pool2d": {"output_size": [None, 7]}}),
        ("input", {"left": [3, "size", "size"], "right": [3]}),
        ("expect", [{"variant": "a", "params": "<= 7M", "output": {"fc": [10]}, "stages": {"a": {"macs": 1}}}]),
    ],
)
def test_what_the_language_takes_is_valid(path: str, value: Any) -> None:
    assert not refused(changed(path, value))


def names_in(schema: Any) -> Iterator[str]:
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def test_every_kind_and_field_is_described() -> None:
    item = SCHEMA["definitions"]["item"]["anyOf"][1]["properties"]
    assert set(KINDS) <= set(item)
    used = {field.name for kind in KINDS for field in fields_of(kind).values()}
    assert used == set(FIELD_NOTES)
    for kind in KINDS:
        form, *others = item[kind].get("anyOf", [item[kind]])
        assert others == ([{"$ref": "#/definitions/call"}] if kind in YIELDING else [])
        body = SCHEMA["definitions"][form["$ref"].removeprefix("#/definitions/")]
        assert body["description"]
        properties = (body.get("anyOf") or [body])[0]["properties"] if "properties" not in body else body["properties"]
        assert set(fields_of(kind)) <= set(properties)


def test_every_reference_has_its_definition() -> None:
    wanted = {name.removeprefix("#/definitions/") for name in names_in(SCHEMA)}
    assert wanted <= set(SCHEMA["definitions"])


def test_it_is_small_enough_for_editors() -> None:
    assert len(json.dumps(SCHEMA)) < 152_000
