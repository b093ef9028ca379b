"""What to say of what is no item of the language: a kind or a field of another one, and fields in the wrong place."""

from __future__ import annotations

import re

from ..hints import near, nearest, shortened, suggest
from ..layers.registry import KINDS, layer_class
from ..marked import List, Map, Marked, Text
from .expressions import QUOTE
from .items import Block, FieldType, fields_of
from .names import GROUP, REFERENCE, check_item_name, shown, without_space
from .problems import Problem
from .sections import WIRING

SYNONYMS = {
    "dense": "linear",
    "fc": "linear",
    "fullyconnected": "linear",
    "bn": "batch_norm",
    "lrn": "local_response_norm",
    "deconv": "conv_transpose2d",
    "deconv2d": "conv_transpose2d",
    "upconv": "conv_transpose2d",
    "conv2dtranspose": "conv_transpose2d",
    "pool": "max_pool2d",
    "pooling": "max_pool2d",
    "maxpooling2d": "max_pool2d",
    "averagepooling2d": "avg_pool2d",
    "gap": "global_avg_pool",
    "swish": "silu",
    "cat": "concat",
    "concatenate": "concat",
    "subtract": "sub",
    "minus": "sub",
    "divide": "div",
    "power": "pow",
    "clip": "clamp",
    "negative": "neg",
    "reducemean": "mean",
    "reducesum": "sum",
    "reducemax": "amax",
    "reducemin": "amin",
    "rmsnorm": "rms_norm",
    "mul": "multiply",
    "interpolate": "upsample",
    "view": "reshape",
    "skip": "add",
    "shortcut": "add",
    "residual": "add",
}
"""What other languages call some kinds."""
DEPTHWISE = ("depthwise", "depthwiseconv", "depthwiseconv2d", "dwconv")
_ELSEWHERE = {
    "activation": "an activation is an item of its own, behind this one: relu",
    "act": "an activation is an item of its own, behind this one: relu",
    "input_shape": "the shape of the input stands at the top of the spec: input: [3, 224, 224]",
    "data_format": "shapes are [channels, *space]",
}
"""Fields of other languages -> where the language has what they say."""
_SAYS_KIND = ("type", "kind", "op", "layer", "module", "class")
"""Keys under which other languages have what a layer is."""

BRANCHES = "branches"
_VALUE = re.compile(r"[A-Za-z0-9_.+-]{1,40}")
"""Values that a hint repeats: what YAML reads as they stand."""
_WIRING = f"{', '.join(WIRING[:-1])} and {WIRING[-1]}"


def unknown_kind(key: str, blocks: dict[str, Block], body: Marked | None = None) -> Problem:
    """The problem of a key that is neither a kind nor a block, with what stands under it."""
    if key in WIRING or key == GROUP:
        return Problem("CC102", f"{shown(key)} alone is no item", "an item is a kind, a block or layers: [...]")
    return Problem("CC102", f"{shown(key)} is no kind and no block", _meant(key, blocks, body))


def _meant(key: str, blocks: dict[str, Block], body: Marked | None) -> str | None:
    """How to write what a key that is no kind was meant to be."""
    kind, colon, _ = key.partition(":")
    if colon and (kind in KINDS or kind in blocks):
        return f"put a space after the colon: {kind}: ..."
    called, bracket, _ = key.partition("(")
    if bracket and (near_kind := _nearest_kind(called)):
        return written(near_kind, None)
    if isinstance(body, Map) and (inner := next((key for key in body.entries if _is_item(key, blocks)), None)):
        return f"a name stands beside the kind: {{{inner}: {{...}}, name: {_as_name(key)}}}"
    if isinstance(body, List) and key not in SYNONYMS and any(_holds_item(item, blocks) for item in body.items):
        return f"a group with a name: {{layers: [...], name: {_as_name(key)}}}"
    if _plain(key) in DEPTHWISE:
        return "conv2d: {out: in_channels, k: 3, groups: in_channels}"
    if synonym := SYNONYMS.get(_plain(key)):
        return f"did you mean '{synonym}'?"
    return suggest(key, [*KINDS, *blocks], "or define a block of this name")


def _as_name(key: str) -> str:
    """A key that was meant as the name of an item; what may be none is left to whoever writes it."""
    try:
        check_item_name(key)
    except Problem:
        return "..."
    return key


def _plain(key: str) -> str:
    """A kind's name as other languages spell it, without what leads to it: `nn.Max_Pool2d` is maxpool2d."""
    return key.rpartition(".")[2].lower().replace("_", "")


def _nearest_kind(name: str) -> str | None:
    return SYNONYMS.get(_plain(name)) or nearest(name.rpartition(".")[2], KINDS)


def _is_item(key: str, blocks: dict[str, Block]) -> bool:
    return key in KINDS or key in blocks or key == GROUP


def _holds_item(node: Marked, blocks: dict[str, Block]) -> bool:
    keys = [node.text] if isinstance(node, Text) else node.entries if isinstance(node, Map) else ()
    return any(_is_item(key, blocks) for key in keys)


def no_single_kind(entry: Map, kinds: list[str], blocks: dict[str, Block]) -> Problem:
    """The problem of an item under whose keys no kind stands, or more than one."""
    if not kinds:
        return Problem("CC102", "an item needs a kind or a block", f"beside {_WIRING}")
    stray = next((key for key in kinds if not _is_item(key, blocks)), kinds[1])
    owner = next((key for key in kinds if key in KINDS and takes(key, stray)), None)
    if owner is not None:
        hint = f"fields stand under the kind: {{{owner}: {{{stray}: ...}}}}"
    elif stray == BRANCHES:
        hint = _branches_belong()
    elif _is_item(stray, blocks):
        hint = "start each item with a '- ' of its own"
    elif said := _said_kind(entry, blocks):
        hint = f"the kind is the key, and its fields stand under it: {said}: {{...}}"
    else:
        hint = f"what a layer is stands under its kind; only {_WIRING} stand beside it"
    keys = shortened([shown(key) for key in kinds], 5)
    problem = Problem("CC101", f"an item has one kind or block, here stand {keys}", hint)
    problem.at = entry.keys[stray]
    return problem


def takes(kind: str, key: str) -> bool:
    """Whether a key may stand under a kind."""
    return key in fields_of(kind) or (key == BRANCHES and layer_class(kind).joins)


def _branches_belong() -> str:
    return f"branches belong to {', '.join(sorted(kind for kind in KINDS if layer_class(kind).joins))}"


def _said_kind(entry: Map, blocks: dict[str, Block]) -> str | None:
    """The kind that an item names as other languages do, under `type` or its like; None where it names none."""
    said = next((node.text for key in _SAYS_KIND if isinstance(node := entry.entries.get(key), Text)), "")
    return said if _is_item(said, blocks) else _nearest_kind(said) if said else None


def written(kind: str, body: Marked | None) -> str:
    """How to write a kind that was given something else than fields."""
    if layer_class(kind).joins:
        items = body.items if isinstance(body, List) else []
        given = [node.text for node in items if isinstance(node, Text) and REFERENCE.fullmatch(node.text)]
        read = ", ".join(given[:5]) or "a, b"
        return f"write {{{kind}: {{}}, from: [{read}]}} or {kind}: {{branches: {{a: [...], b: []}}}}"
    types = fields_of(kind)
    required = [name for name, field in types.items() if field.required and field.name == name]
    if required:
        return f"write {spelling(kind, required)}"
    if len(types) == 1 and isinstance(body, Text):
        value = body.text if _VALUE.fullmatch(body.text) else "..."
        return f"write {kind}: {{{next(iter(types))}: {value}}}"
    names = ", ".join(dict.fromkeys(field.name for field in types.values()))
    return f"write {kind} alone" + (f", or with fields of {names}" if names else "")


def spelling(kind: str, names: list[str]) -> str:
    """How a kind is written with these fields.

    >>> spelling("conv2d", ["out_channels", "kernel_size"])
    'conv2d: {out: ..., k: ...}'
    """
    letters = {name: letter for letter, name in layer_class(kind).short_forms.items()}
    return f"{kind}: {{{', '.join(f'{letters.get(name, name)}: ...' for name in names)}}}"


def unknown_field(kind: str, key: str, at: Text, types: dict[str, FieldType]) -> tuple[str, Text, str | None]:
    """What is wrong with a key that is no field of a kind, where, and what was meant."""
    unspaced = without_space(key, types)
    if key in ("in_channels", "in_features", "num_features"):
        hint: str | None = "input channels are never written: they follow from what arrives"
    elif unspaced is not None:
        hint = unspaced
    elif key in _ELSEWHERE:
        hint = _ELSEWHERE[key]
    elif key == BRANCHES:
        hint = _branches_belong()
    elif key.endswith((")", "]")):
        hint = QUOTE
    elif key in ("units", "filters"):
        hint = suggest("out", types)
    elif key in WIRING:
        hint = f"{key} stands beside the kind: {{{kind}: {{...}}, {key}: ...}}"
    elif near(key, WIRING) and not near(key, types):
        hint = f"{suggest(key, WIRING)} It stands beside the kind: {{{kind}: {{...}}, name: ...}}"
    else:
        hint = suggest(key, types, f"{kind} takes {', '.join(dict.fromkeys(t.name for t in types.values()))}")
        if not types:
            hint = f"{kind} takes no fields"
    return f"{kind} has no field {shown(key)}", at, hint
