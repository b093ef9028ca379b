"""The sections `expect`, `published`, `outputs` and `variants` as JSON Schema."""

from __future__ import annotations

from typing import Any

from ...analysis.quantities import quantity, quantity_names
from ...published.printed import ROUNDINGS
from ..expect_section import OUTPUTS

Schema = dict[str, Any]
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
SIZES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 4}
SHAPES: Schema = {"anyOf": [SIZES, {"type": "object", "additionalProperties": SIZES}]}
CLAIM: Schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}, {"type": "null"}, SIZES]}


def _claims() -> Schema:
    properties: Schema = {}
    for name in sorted(quantity_names()):
        known = quantity(name)
        properties[name] = {**CLAIM, "description": f"{known.meaning} ({known.unit})" if known else name}
        if name in OUTPUTS:
            properties[name]["anyOf"] = [*CLAIM["anyOf"], {"type": "object", "additionalProperties": CLAIM}]
    if "params" in properties:
        properties["params"]["examples"] = [6998552, "<= 7M", "7.0M ± 1%"]
    return properties


def claim_definitions() -> Schema:
    """What `expect` and `published` are made of, for the schema's definitions."""
    claims = _claims()
    context = {
        "variant": {"type": "string", "description": "The variant that is meant."},
        "with": {"type": "object", "additionalProperties": SCALAR, "description": "Params that differ."},
        "input": {**SHAPES, "description": "The input that is meant."},
        "stages": {
            "type": "object",
            "additionalProperties": {"$ref": "#/definitions/stage_claims"},
            "description": "Claims about stages, or any path of a layer.",
        },
    }
    closed = {"type": "object", "additionalProperties": False}
    named = {name: {"$ref": f"#/definitions/claim.{name}"} for name in claims}
    return {
        **{f"claim.{name}": claim for name, claim in claims.items()},
        "stage_claims": {**closed, "properties": named},
        "expectation": {**closed, "properties": {**named, **context}},
        "printed_table": _table(),
    }


def expect_schema() -> Schema:
    """`expect`: one set of claims, or a list of them."""
    one = {"$ref": "#/definitions/expectation"}
    return {
        "description": "What the spec claims of itself; check fails where it does not hold.",
        "anyOf": [one, {"type": "array", "items": one}, {"type": "null"}],
    }


def _reading() -> Schema:
    return {
        "at": {"type": "string", "description": "Path of the layer or stage, input, or total."},
        "value": {"type": ["string", "null"], "description": "[relative path.]quantity; null: never compared."},
        "unit": {"type": "object", "additionalProperties": {"anyOf": [{"type": "number"}, {"enum": ["total"]}]}},
        "round": {"enum": list(ROUNDINGS), "description": "How the last printed digit is rounded."},
        "format": {"type": "string", "examples": ["{h}×{w}×{c}"]},
        "variant": {"type": "string"},
        "with": {"type": "object", "additionalProperties": SCALAR},
        "input": SIZES,
    }


def published_schema() -> Schema:
    """`published`: printed tables."""
    table = {"$ref": "#/definitions/printed_table"}
    return {
        "description": "Tables as printed, cell by cell, and what each cell is read from.",
        "anyOf": [table, {"type": "array", "items": table}],
    }


def _table() -> Schema:
    reading = _reading()
    closed = {"type": "object", "additionalProperties": False}
    cell = {"anyOf": [SCALAR, {**closed, "properties": {"text": SCALAR, **reading}, "required": ["text"]}]}
    cells = {"type": "array", "items": cell}
    row = {**closed, "properties": {"label": SCALAR, "cells": cells, **reading}, "required": ["cells"]}
    difference = {
        **closed,
        "properties": {
            "row": SCALAR,
            "column": SCALAR,
            "reason": {"type": "string"},
            "reading": {**closed, "properties": reading},
            **reading,
        },
        "required": ["row", "column", "reason"],
    }
    column = {"anyOf": [{"type": "null"}, {**closed, "properties": reading}]}
    return {
        **closed,
        "properties": {
            "title": SCALAR,
            "source": SCALAR,
            "note": SCALAR,
            "columns": {"type": "object", "additionalProperties": column},
            "rows": {"type": "object", "additionalProperties": {"anyOf": [cells, row]}},
            "differs": {"type": "array", "items": difference},
            **reading,
        },
        "required": ["title", "columns", "rows"],
    }


def outputs_schema() -> Schema:
    """`outputs`: names, or names with the weight of their loss."""
    reference = {"$ref": "#/definitions/reference"}
    weight = {"loss_weight": {"anyOf": [{"type": "number", "minimum": 0}, {"$ref": "#/definitions/expression"}]}}
    body = {"anyOf": [{"type": "null"}, {"type": "object", "properties": weight, "additionalProperties": False}]}
    return {
        "description": "The outputs; without it, what nothing reads is an output.",
        "anyOf": [
            {"type": "array", "items": reference, "minItems": 1},
            {"type": "object", "propertyNames": reference, "additionalProperties": body, "minProperties": 1},
        ],
    }
