"""The JSON Schema of the spec language (draft 7, which editors know best): the sections, the items, the kinds.

It says what `check` says at schema level of sections, kinds, fields, types and names. Whether a name that is no
kind is a block, what an expression means, and shapes are left to `check`.
"""

from __future__ import annotations

import inspect
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ..geometry import LIMIT
from ..layers.registry import KINDS, TAKEN, YIELDING, layer_class
from ..limits import NAME_CHARACTERS
from ..naming import NAME, RESERVED
from .expectations import EXPECT, EXPECTATION, STAGE, claim_definitions
from .grammar import Schema, Vocabulary, defined
from .items import FieldType, fields_of
from .names import GROUP, REFERENCE
from .published import PUBLISHED, TABLE
from .sections import SPEC, WIRING, Wiring

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
            "maxLength": NAME_CHARACTERS,
            "not": {"anyOf": [{"enum": sorted(RESERVED)}, {"pattern": r"^[0-9]+$"}]},
        },
        "reference": {
            "type": "string",
            "pattern": f"^{REFERENCE.pattern}$",
            "description": "A name above, or a path: stack.3.skip.",
        },
        "items": {"type": "array", "items": defined("item"), "description": "Layers, top to bottom."},
        "call": {
            "type": ["object", "array", "null"],
            "additionalProperties": defined("value"),
            "items": defined("value"),
            "description": "The arguments of a block, by name or in order.",
        },
        "item": {"anyOf": [_alone(), _item(vocabulary)]},
        **claim_definitions(vocabulary),
        **{form.definition: form.body(vocabulary) for form in (STAGE, EXPECTATION, TABLE)},
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
    taken = {"enum": [*(kind for kind in TAKEN if needs_fields(kind)), *WIRING, GROUP]}
    return {"anyOf": [{"enum": kinds}, {"allOf": [defined("name"), {"not": taken}]}]}


def _item(vocabulary: Vocabulary) -> Schema:
    """A kind, a block or a group as a mapping, with its wiring beside it."""
    wiring: Schema = {name: key.schema(vocabulary) for name, key in Wiring.keys.items()}
    alone: Schema = {kind: {"propertyNames": {"enum": [kind, *WIRING]}} for kind in (*KINDS, GROUP)}
    shared: Schema = {kind: defined(f"kind.{_shared(kind)}") for kind in KINDS}
    kinds: Schema = {
        kind: {"anyOf": [body, defined("call")]} if kind in YIELDING else body for kind, body in shared.items()
    }
    return {
        "type": "object",
        "properties": {**kinds, GROUP: defined("items"), **wiring},
        "additionalProperties": defined("call"),
        "propertyNames": {"anyOf": [{"enum": [*WIRING, *KINDS, GROUP]}, defined("name")]},
        "dependencies": alone,
        "not": {"propertyNames": {"enum": list(WIRING)}},
    }


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


FIELD_NOTES: dict[str, str] = {
    "out_channels": "Channels of the output.",
    "kernel_size": "Extent of the window: one number, or one an axis.",
    "stride": "Step of the window: one number, or one an axis. A pool's is its kernel size by default.",
    "padding": "Padding: one number, one an axis, [before, after] an axis, or a word.",
    "dilation": "Distance of the kernel's taps: one number, or one an axis.",
    "bias": "Whether a bias is added.",
    "groups": "Groups of channels that do not mix.",
    "padding_mode": "What the padding is filled with.",
    "output_padding": "Positions added after the output of a transposed convolution: one number, or one an axis.",
    "depth_multiplier": "Channels that the depthwise half makes of each input channel.",
    "ceil_mode": "Whether the size is rounded up: as PyTorch (true), as Caffe, or as ONNX before opset 22.",
    "count_include_pad": "Whether a mean counts the padding.",
    "divisor_override": "What a sum is divided by, instead of the window's size.",
    "norm_type": "The power p of the norm.",
    "output_size": "Size of the output: one number, or one an axis; null keeps an axis.",
    "out_features": "Features of the output.",
    "start_dim": "First axis that is flattened; axes exclude the batch.",
    "end_dim": "Last axis that is flattened; axes exclude the batch.",
    "shape": "Sizes without the batch; -1 for the one that follows, for expand for one that stays.",
    "dims": "The axes, for permute in their new order; axes exclude the batch.",
    "eps": "Added to the variance.",
    "momentum": "Share of the new value in the running statistics; null for their mean.",
    "affine": "Whether a weight and a bias a channel are learned.",
    "track_running_stats": "Whether running statistics are kept.",
    "num_groups": "Groups of channels that are normalized together.",
    "normalized_shape": "Trailing sizes that are normalized over.",
    "dim": "The axis, of reductions one or a list; axes exclude the batch, 0 is the channels.",
    "elementwise_affine": "Whether a weight and a bias are learned.",
    "size": "Channels in the window of the norm, or the size of the output.",
    "alpha": "Scale of the sum, or of the negative part.",
    "beta": "Exponent of the norm, or sharpness.",
    "k": "Added before the power.",
    "approximate": "How the error function is approximated.",
    "negative_slope": "Slope for negative inputs.",
    "num_parameters": "Slopes that are learned: 1, or one a channel.",
    "threshold": "Above it the function is the identity.",
    "p": "Probability that a value, or a branch, is dropped; of norm the power.",
    "mode": "How: see the kind.",
    "channels": "Channels of the parts, in order.",
    "parts": "How many positions the axis has, each a part.",
    "upscale_factor": "Factor by which space grows.",
    "downscale_factor": "Factor by which space shrinks.",
    "scale_factor": "Factor by which space grows: one number, or one an axis.",
    "align_corners": "Whether the corner pixels are aligned; values alone depend on it.",
    "value": "What constant padding is filled with, or what stands below a threshold.",
    "num_heads": "Heads among which the features are divided.",
    "kdim": "Features of the keys, where they are not those of the query.",
    "vdim": "Features of the values, where they are not those of the query.",
    "add_bias_kv": "Whether a learned key and value are appended.",
    "add_zero_attn": "Whether a key and a value of zeros are appended.",
    "is_causal": "Whether a position sees those up to itself alone.",
    "hidden_size": "Numbers of a state.",
    "num_layers": "Recurrent layers on top of each other.",
    "bidirectional": "Whether the positions are read backwards too; the states stand side by side.",
    "nonlinearity": "The function of a state.",
    "proj_size": "Numbers that a state is projected to; 0 for no projection.",
    "shifts": "By how much the axes are rolled: one number, or one an axis.",
    "start": "First position that is taken; negative ones count from the end.",
    "stop": "Position before which it ends; null for the end.",
    "step": "Distance of the positions that are taken.",
    "index": "Position that is taken; negative ones count from the end.",
    "indices": "Positions that are taken, in their order.",
    "count": "How many positions are taken, where it is not said which.",
    "relative": "The window whose offsets the axis is a table of.",
    "num_embeddings": "Rows of the table.",
    "embedding_dim": "Numbers of a row.",
    "reset_after": "Whether a GRU resets its state after the product with it, as PyTorch does.",
    "biases": "Biases a gate adds: 2 (PyTorch) or 1 (Keras).",
    "reps": "How often the tensor is repeated along its axes, the last ones where there are fewer.",
    "repeats": "How often each position is repeated.",
    "cropping": "What is cut off: one number, one an axis, or [before, after] an axis.",
    "operator": "What a framework calls it.",
    "output": "Shape of the output, without the batch; left out where the inputs are broadcast.",
    "reads": "Shapes of the inputs that the output's shape is known for.",
    "holds": "Shapes of its learned tensors.",
    "macs": "Its multiply-accumulates.",
    "reason": "Why it is opaque.",
    "fixed": "Whether weights and bias are buffers that nothing learns.",
    "standardize": "Whether each output's weights are brought to mean 0 and variance 1.",
    "gain": "Whether a factor is learned for each output's weights.",
    "weight": "Where weights come from: an input, the second; of a norm whether a factor is learned.",
    "learned": "Whether training changes it; false for a buffer.",
    "exponent": "The power.",
    "min": "What is below becomes it.",
    "max": "What is above becomes it.",
    "min_val": "What is below becomes it.",
    "max_val": "What is above becomes it.",
    "scale": "The factor; of rescale one number, or one a channel.",
    "offset": "What is added behind the factor: one number, or one a channel.",
    "lambd": "Within ±lambd the output is 0.",
    "keepdim": "Whether each reduced axis stays, with the size 1.",
    "correction": "What is taken from the count that squares are divided by: 1 is Bessel's.",
}
"""What the fields of the kinds mean, for editors."""


def type_name(kind: str, field: FieldType) -> str:
    """The name under which the schema holds what a field takes; equal types share one."""
    least = _minimum(kind, field)
    parts = ["text"] * field.verbatim + ["number"] * field.fractional
    parts += ["integer"] * (field.integer and not field.fractional)
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
    schema: Schema = {"allOf": [defined(f"field.{type_name(kind, field)}")], "description": described}
    if not info.is_required() and isinstance(info.default, int | float | str):
        schema["default"] = info.default
    if field.name in EXAMPLES:
        schema["examples"] = [EXAMPLES[field.name]]
    return schema


def _values(field: FieldType, least: int | None, depth: int) -> list[Schema]:
    found: list[Schema] = []
    if field.words:
        found.append({"enum": sorted(field.words)})
    if field.verbatim:
        found.append({"type": ["string", "number", "boolean"]})
        return found
    if field.integer or field.fractional:
        bounds: Schema = {"minimum": least} if least is not None else {}
        found.append({"type": "number" if field.fractional else "integer", **bounds, "maximum": LIMIT})
    if field.boolean:
        found.append({"type": "boolean"})
    if field.optional:
        found.append({"type": "null"})
    found.append(defined("expression"))
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
    if layer_class(kind).joins:
        properties["branches"] = _branches(kind)
    needs = any(field.required for field in types.values())
    described = {"description": description(kind)}
    return {**described, **schema} if needs else {**described, "anyOf": [schema, {"type": "null"}]}


def _branches(kind: str) -> Schema:
    items = defined("items")
    order, needed = layer_class(kind).branch_roles, layer_class(kind).arity[0]
    if order:
        named = dict.fromkeys(order, items)
        return {"type": "object", "properties": named, "required": list(order[:needed]), "additionalProperties": False}
    names = defined("name")
    return {"type": "object", "minProperties": 1, "propertyNames": names, "additionalProperties": items}


def needs_fields(kind: str) -> bool:
    """Whether a kind cannot stand alone."""
    return any(field.required for field in fields_of(kind).values())


def description(kind: str) -> str:
    """The first paragraph of the kind's manual."""
    text = inspect.getdoc(layer_class(kind)) or kind
    return " ".join(text.partition("\n\n")[0].split())
