"""The kinds and their fields as JSON Schema, read from the models of the layers."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ...geometry import LIMIT
from ...language.fields import FieldType, fields_of
from ...language.items import BRANCH_ORDER, JOINS
from ...layers.registry import layer_class
from .field_notes import FIELD_NOTES

Schema = dict[str, Any]
EXAMPLES: dict[str, object] = {
    "out_channels": 64,
    "kernel_size": 3,
    "stride": 2,
    "padding": "k // 2",
    "dilation": 2,
    "groups": "in_channels",
    "out_features": "classes",
    "output_size": 1,
    "scale_factor": 2,
    "channels": ["in_channels // 2", "in_channels // 2"],
}


def type_name(kind: str, field: FieldType) -> str:
    """The name under which the schema holds what a field takes; equal types share one."""
    least = _minimum(kind, field)
    parts = ["number"] * field.fractional + ["integer"] * (field.integer and not field.fractional)
    parts += [f"from{least}"] * (least is not None) + ["flag"] * field.boolean + ["null"] * field.optional
    return "_".join([*parts, *sorted(field.words), *[f"lists{field.depth}"] * (field.depth > 0)])


def type_schema(kind: str, field: FieldType) -> Schema:
    """What a field takes: its values, lists of them, or an expression."""
    return {"anyOf": _values(field, _minimum(kind, field), field.depth)}


def _minimum(kind: str, field: FieldType) -> int | None:
    info = layer_class(kind).model_fields[field.name]
    return _least([info.annotation, *info.metadata])


def _field(kind: str, name: str, field: FieldType) -> Schema:
    info = layer_class(kind).model_fields[field.name]
    note = FIELD_NOTES.get(field.name, "")
    described = note if name == field.name else f"Short for {field.name}. {note}".strip()
    schema: Schema = {"allOf": [{"$ref": f"#/definitions/field.{type_name(kind, field)}"}], "description": described}
    if not info.is_required() and isinstance(info.default, int | float | str):
        schema["default"] = info.default
    if field.name in EXAMPLES:
        schema["examples"] = [EXAMPLES[field.name]]
    return schema


def _values(field: FieldType, least: int | None, depth: int) -> list[Schema]:
    found: list[Schema] = []
    if field.words:
        found.append({"enum": sorted(field.words)})
    if field.integer or field.fractional:
        bounds: Schema = {"minimum": least} if least is not None else {}
        found.append({"type": "number" if field.fractional else "integer", **bounds, "maximum": LIMIT})
    if field.boolean:
        found.append({"type": "boolean"})
    if field.optional:
        found.append({"type": "null"})
    found.append({"$ref": "#/definitions/expression"})
    if depth:
        found.append({"type": "array", "minItems": 1, "items": {"anyOf": _values(field, least, depth - 1)}})
    return found


def _least(annotations: list[Any]) -> int | None:
    """The least number that annotations admit; None where they do not say."""
    bounds: list[int] = []
    pending = list(annotations)
    while pending:
        annotation = pending.pop()
        bound = getattr(annotation, "ge", None)
        if isinstance(bound, int):
            bounds.append(bound)
        pending += getattr(annotation, "metadata", None) or ()
        if get_origin(annotation) in (Annotated, Union, UnionType, tuple):
            arguments = get_args(annotation)
            pending += [entry for entry in arguments if entry is not Ellipsis]
            if get_origin(annotation) is Annotated:
                pending += getattr(annotation, "__metadata__", ())
    return min(bounds, default=None) if bounds else None


def kind_schema(kind: str) -> Schema:
    """What stands under a kind: its fields, with their short forms, and branches for joins."""
    types = fields_of(kind)
    properties: Schema = {name: _field(kind, name, field) for name, field in types.items()}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    rules: list[Schema] = []
    for letter, field in types.items():
        if letter != field.name:
            rules.append({"not": {"required": [letter, field.name]}})
            if field.required:
                rules.append({"anyOf": [{"required": [field.name]}, {"required": [letter]}]})
    shortened = {field.name for letter, field in types.items() if letter != field.name}
    required = [
        name for name, field in types.items() if field.required and name == field.name and name not in shortened
    ]
    if required:
        schema["required"] = required
    if rules:
        schema["allOf"] = rules
    if kind in JOINS:
        properties["branches"] = _branches(kind)
    needs = any(field.required for field in types.values())
    described = {"description": description(kind)}
    return {**described, **schema} if needs else {**described, "anyOf": [schema, {"type": "null"}]}


def _branches(kind: str) -> Schema:
    items = {"$ref": "#/definitions/items"}
    order = BRANCH_ORDER.get(kind)
    if order is not None:
        named = dict.fromkeys(order, items)
        return {"type": "object", "properties": named, "required": list(order), "additionalProperties": False}
    names = {"$ref": "#/definitions/name"}
    return {"type": "object", "minProperties": 1, "propertyNames": names, "additionalProperties": items}


def needs_fields(kind: str) -> bool:
    """Whether a kind cannot stand alone."""
    return any(field.required for field in fields_of(kind).values())


def description(kind: str) -> str:
    """The first paragraph of the kind's manual."""
    text = inspect.getdoc(layer_class(kind)) or kind
    return " ".join(text.partition("\n\n")[0].split())
