"""The whole schema: sections, items, names, and the kinds."""

from __future__ import annotations

from typing import Any

from ...language.document import KEYS
from ...language.ends import MAX_SPACE_AXES
from ...language.fields import fields_of
from ...language.names import GROUP, MAX_NAME, RESERVED, WIRING
from ...layers.registry import KINDS
from .claims import claim_definitions, expect_schema, outputs_schema, published_schema
from .kinds import Schema, kind_schema, needs_fields, type_name, type_schema

DIALECT = "http://json-schema.org/draft-07/schema#"
NAME = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"
REFERENCE = r"^(?:[A-Za-z0-9_][A-Za-z0-9_-]*|\*)(?:\.(?:[A-Za-z0-9_][A-Za-z0-9_-]*|\*))*$"
PARAMETER = r"^[A-Za-z_][A-Za-z0-9_]*$"

TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
VALUE: Schema = {"$ref": "#/definitions/value"}


def language_schema() -> dict[str, Any]:
    """The JSON Schema of version 1 of the language."""
    sections = {
        "convcalc": {"enum": [1, "1"], "description": "Version of the language."},
        "name": {**TEXT, "description": "Name of the architecture."},
        "title": {**TEXT, "description": "A title, where the name is not enough."},
        "description": {**TEXT, "description": "What the spec is, and what it follows."},
        "source": {**TEXT, "description": "The paper or code that it follows."},
        "notes": {"description": "Anything, for readers."},
        "input": _input(),
        "params": {**_params(), "description": "Parameters and their defaults; --set NAME=VALUE sets them."},
        "variants": _variants(),
        "blocks": _blocks(),
        "layers": {"$ref": "#/definitions/items"},
        "outputs": outputs_schema(),
        "expect": expect_schema(),
        "published": published_schema(),
    }
    assert set(sections) == set(KEYS)
    return {
        "$schema": DIALECT,
        "title": "convcalc spec",
        "description": "A convolutional architecture: shapes, parameters and cost follow from it.",
        "type": "object",
        "properties": {key: sections[key] for key in KEYS},
        "required": ["input", "layers"],
        "additionalProperties": False,
        "definitions": _definitions(),
        "examples": [
            {"convcalc": 1, "input": [3, 224, 224], "layers": [{"conv2d": {"out": 64, "k": 7, "s": 2, "p": 3}}]}
        ],
    }


def _definitions() -> Schema:
    return {
        "expression": {
            "type": "string",
            "minLength": 1,
            "description": "An expression of params, in_channels and index: 64 * width, k // 2.",
        },
        "value": {
            "description": "A number, a word, a truth value, a list of them, or an expression.",
            "anyOf": [{"type": ["number", "string", "boolean", "null"]}, {"type": "array", "items": VALUE}],
        },
        "name": {
            "type": "string",
            "pattern": NAME,
            "maxLength": MAX_NAME,
            "not": {"anyOf": [{"enum": sorted(RESERVED)}, {"pattern": r"^[0-9]+$"}]},
        },
        "reference": {"type": "string", "pattern": REFERENCE, "description": "A name above, or a path: stack.3.skip."},
        "items": {"type": "array", "items": {"$ref": "#/definitions/item"}, "description": "Layers, top to bottom."},
        "item": {"anyOf": [_alone(), _item()]},
        **claim_definitions(),
        **{f"kind.{_shared(kind)}": kind_schema(kind) for kind in KINDS},
        **{
            f"field.{type_name(kind, field)}": type_schema(kind, field)
            for kind in KINDS
            for field in fields_of(kind).values()
        },
    }


def _shared(kind: str) -> str:
    """The name under which the schema holds a kind: kinds of one class share one."""
    return KINDS[kind][1]


def _alone() -> Schema:
    """A kind or a block by its name."""
    kinds = [kind for kind in KINDS if not needs_fields(kind)]
    blocks = {"$ref": "#/definitions/name", "not": {"enum": [*(k for k in KINDS if needs_fields(k)), *WIRING, GROUP]}}
    return {"anyOf": [{"enum": kinds}, {"allOf": [{"$ref": "#/definitions/name"}, {"not": blocks["not"]}]}]}


def _item() -> Schema:
    """A kind, a block or a group as a mapping, with its wiring beside it."""
    wiring: Schema = {
        "name": {"$ref": "#/definitions/name"},
        "from": {
            "anyOf": [
                {"$ref": "#/definitions/reference"},
                {"type": "array", "items": {"$ref": "#/definitions/reference"}, "minItems": 1},
            ],
            "description": "What it reads instead of the item before it.",
        },
        "repeat": {
            "anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/definitions/expression"}],
            "description": "How often it is repeated; index counts from 0.",
        },
        "when": {
            "anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/expression"}],
            "description": "A condition; where it is false the item is passed over.",
        },
    }
    kinds: Schema = {kind: {"$ref": f"#/definitions/kind.{_shared(kind)}"} for kind in KINDS}
    alone: Schema = {kind: {"propertyNames": {"enum": [kind, *WIRING]}} for kind in (*KINDS, GROUP)}
    call = {"type": ["object", "array", "null"], "additionalProperties": VALUE, "items": VALUE}
    return {
        "type": "object",
        "properties": {**kinds, GROUP: {"$ref": "#/definitions/items"}, **wiring},
        "additionalProperties": {**call, "description": "The arguments of a block, by name or in order."},
        "propertyNames": {"anyOf": [{"enum": [*WIRING, *KINDS, GROUP]}, {"$ref": "#/definitions/name"}]},
        "dependencies": alone,
        "not": {"propertyNames": {"enum": list(WIRING)}},
    }


def _input() -> Schema:
    size = {"anyOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/definitions/expression"}]}
    shape = {"type": "array", "items": size, "minItems": 1, "maxItems": MAX_SPACE_AXES + 1}
    names = {"anyOf": [{"enum": ["input"]}, {"$ref": "#/definitions/name"}]}
    return {
        "description": "The shape of the input, [channels, *space], or a mapping of names to shapes.",
        "anyOf": [
            {**shape, "examples": [[3, 224, 224]]},
            {"type": "object", "propertyNames": names, "additionalProperties": shape, "minProperties": 1},
        ],
    }


def _params() -> Schema:
    name = {"type": "string", "pattern": PARAMETER, "not": {"enum": ["in_channels", "index"]}}
    return {
        "anyOf": [
            {"type": "object", "propertyNames": name, "additionalProperties": VALUE},
            {"type": "array", "items": name, "uniqueItems": True},
            {"type": "null"},
        ]
    }


def _variants() -> Schema:
    variant = {"type": ["object", "null"], "additionalProperties": VALUE}
    return {
        "description": "Named sets of params: --variant NAME.",
        "type": ["object", "null"],
        "propertyNames": {"$ref": "#/definitions/name"},
        "additionalProperties": variant,
    }


def _blocks() -> Schema:
    block = {
        "type": "object",
        "properties": {
            "params": {
                **_params(),
                "description": "Parameters and defaults (null: required), or a list of required ones.",
            },
            "layers": {"$ref": "#/definitions/items"},
        },
        "required": ["layers"],
        "additionalProperties": False,
    }
    taken = {"enum": [*KINDS, *WIRING, GROUP]}
    return {
        "description": "Parts that are used more than once.",
        "type": ["object", "null"],
        "propertyNames": {"allOf": [{"$ref": "#/definitions/name"}, {"not": taken}]},
        "additionalProperties": block,
    }
