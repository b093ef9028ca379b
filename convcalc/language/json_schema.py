"""The JSON Schema of the spec language (draft 7, which editors know best): the sections, the items, the kinds.

It says what `check` says at schema level of sections, kinds, fields, types and names. Whether a name that is no
kind is a block, what an expression means, and shapes are left to `check`.
"""

from __future__ import annotations

from ..layers.registry import KINDS
from .expectations import EXPECT, EXPECTATION, STAGE, claim_definitions
from .fields import fields_of
from .grammar import Schema, Vocabulary, defined
from .kind_schema import kind_schema, needs_fields, type_name, type_schema
from .names import GROUP, MAX_NAME, NAME, REFERENCE, RESERVED, WIRING
from .published import PUBLISHED, TABLE
from .sections import SPEC, Wiring

DIALECT = "http://json-schema.org/draft-07/schema#"
LATER = {"expect": EXPECT, "published": PUBLISHED}
"""Sections that are read once the network is known."""


def language_schema(vocabulary: Vocabulary) -> Schema:
    """The JSON Schema of version 1 of the language; `vocabulary` names what may be claimed."""
    schema = SPEC.schema(vocabulary)
    for name, form in LATER.items():
        about = schema["properties"][name]
        schema["properties"][name] = {**about, **form.schema(vocabulary)}
    return {
        "$schema": DIALECT,
        "title": "convcalc spec",
        "description": "A convolutional architecture: shapes, parameters and cost follow from it.",
        **schema,
        "definitions": _definitions(vocabulary),
        "examples": [
            {"convcalc": 1, "input": [3, 224, 224], "layers": [{"conv2d": {"out": 64, "k": 7, "s": 2, "p": 3}}]}
        ],
    }


def _definitions(vocabulary: Vocabulary) -> Schema:
    return {
        "expression": {
            "type": "string",
            "minLength": 1,
            "description": "An expression of params, in_channels and index: 64 * width, k // 2.",
        },
        "value": {
            "description": "A number, a word, a truth value, a list of them, or an expression.",
            "anyOf": [{"type": ["number", "string", "boolean", "null"]}, {"type": "array", "items": defined("value")}],
        },
        "name": {
            "type": "string",
            "pattern": f"^{NAME.pattern}$",
            "maxLength": MAX_NAME,
            "not": {"anyOf": [{"enum": sorted(RESERVED)}, {"pattern": r"^[0-9]+$"}]},
        },
        "reference": {
            "type": "string",
            "pattern": f"^{REFERENCE.pattern}$",
            "description": "A name above, or a path: stack.3.skip.",
        },
        "items": {"type": "array", "items": defined("item"), "description": "Layers, top to bottom."},
        "item": {"anyOf": [_alone(), _item(vocabulary)]},
        **claim_definitions(vocabulary),
        **{held.name: held.form.schema(vocabulary) for held in (STAGE, EXPECTATION, TABLE)},
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
    taken = {"enum": [*(kind for kind in KINDS if needs_fields(kind)), *WIRING, GROUP]}
    return {"anyOf": [{"enum": kinds}, {"allOf": [defined("name"), {"not": taken}]}]}


def _item(vocabulary: Vocabulary) -> Schema:
    """A kind, a block or a group as a mapping, with its wiring beside it."""
    wiring: Schema = {name: key.schema(vocabulary) for name, key in Wiring.keys.items()}
    kinds: Schema = {kind: defined(f"kind.{_shared(kind)}") for kind in KINDS}
    alone: Schema = {kind: {"propertyNames": {"enum": [kind, *WIRING]}} for kind in (*KINDS, GROUP)}
    call = {"type": ["object", "array", "null"], "additionalProperties": defined("value"), "items": defined("value")}
    return {
        "type": "object",
        "properties": {**kinds, GROUP: defined("items"), **wiring},
        "additionalProperties": {**call, "description": "The arguments of a block, by name or in order."},
        "propertyNames": {"anyOf": [{"enum": [*WIRING, *KINDS, GROUP]}, defined("name")]},
        "dependencies": alone,
        "not": {"propertyNames": {"enum": list(WIRING)}},
    }
