"""The sections of a spec, and the keys that stand beside an item's kind: what may stand in each."""

from __future__ import annotations

import re

from ..hints import suggest
from ..layers.registry import TAKEN
from ..marked import List, Map, Marked, Text
from ..naming import NUMBER
from ..network import LOSSES, Loss, find_loss
from .functions import FUNCTIONS
from .grammar import (
    Either,
    Entries,
    Fields,
    Form,
    Items,
    Key,
    Later,
    Named,
    Needed,
    Nothing,
    OneOrMore,
    Pending,
    Placed,
    Reader,
    Scalar,
    Schema,
    Version,
    Vocabulary,
    Whole,
    defined,
)
from .names import (
    GROUP,
    MEANINGS,
    PARAMETER,
    check_item_name,
    check_name,
    check_parameter,
    parse_reference,
    shown,
)
from .problems import Problem

MAX_SPACE_AXES = 3
VERSION = "1"
VALUE = Later(defined("value"))
LAYERS = Later(defined("items"))

Reference = tuple[tuple[str, ...], Marked]
"""The components of a path, and where it stands."""


def _number(least: int, kind: str = "integer") -> Later:
    """A number, or an expression that gives one."""
    return Later({"anyOf": [{"type": kind, "minimum": least}, defined("expression")]})


def _named(what: str) -> Scalar[str]:
    """The name of something."""

    def parse(text: str) -> str:
        check_name(text, what)
        return text

    return Scalar(parse, "a name is a word", schema=defined("name"))


def _reference(message: str, hint: str | None = None) -> Scalar[tuple[str, ...]]:
    return Scalar(parse_reference, message, hint, schema=defined("reference"))


def _item_name(text: str) -> str:
    check_item_name(text)
    return text


MOST_BATCH_AXES = 8


class _EachOther(Form[None]):
    """`true`: the repetitions of an item have the weights of the first."""

    def accepts(self, node: Marked) -> bool:
        return isinstance(node, Text) and node.plain and node.text == "true"

    def read(self, node: Marked, reader: Reader) -> None:
        return None

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"enum": [True]}


def _one(text: str) -> tuple[str, ...]:
    """The components of a path to one item."""
    path = parse_reference(text)
    if "*" in path:
        raise Problem("CC105", f"{shown(text)} may be several items", "share takes the name of one")
    return path


_SHARED = Scalar(
    _one,
    "share takes a name",
    "share: head, or share: true beside repeat",
    schema={"allOf": [defined("reference"), {"not": {"pattern": r"\*"}}]},
)
_TENSORS = Named(
    Placed(_SHARED),
    "share names tensors, or an item",
    "share: {weight: tokens} has the weight of tokens, and no other tensor of it",
    least=1,
)
Shared = tuple[tuple[str, ...] | dict[str, tuple[tuple[str, ...], Marked]] | None, Marked]
"""The components of a path, or those of each tensor, or None for repetitions among each other; where it stands."""


class Wiring(Entries):
    """What stands beside an item's kind."""

    name = Key(
        Scalar(
            _item_name,
            "a name is a word",
            schema={
                "anyOf": [
                    defined("name"),
                    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                    {"type": "string", "pattern": f"^(?:{NUMBER.pattern})$"},
                ]
            },
        )
    )
    sources = Key(
        OneOrMore(
            Placed(_reference("from takes a name or a list of names")),
            "from names nothing",
            "without from, an item takes what stands before it",
            least=1,
        ),
        "What it reads instead of the item before it.",
        name="from",
    )
    repeat = Key(_number(0), "How often it is repeated; index counts from 0.")
    when = Key(
        Later({"anyOf": [{"type": "boolean"}, defined("expression")]}),
        "A condition; where it is false the item is passed over.",
    )
    batch_axes = Key(
        Whole(
            "batch_axes takes",
            "as many of the first axes count as batch: frames, windows; [16, 3, 224, 224] has 1",
            most=MOST_BATCH_AXES,
        ),
        "How many of the first axes count as batch in it: frames, windows.",
    )
    share: Key[Shared] = Key(
        Either(
            Placed(_EachOther()),
            Placed(_SHARED),
            Placed(_TENSORS),
            message="share takes a name",
            hint="share: head, or share: true beside repeat",
        ),
        "The item whose weights it has, layer by layer, or that of single tensors: {weight: tokens}; "
        "true: its repetitions have those of the first.",
    )


WIRING = tuple(Wiring.keys)


def _parameter(text: str) -> str:
    check_parameter(text, frozenset(FUNCTIONS))
    return text


_PARAMETER = Scalar(
    _parameter,
    "a parameter's name is expected",
    "defaults: {name: 1}",
    schema={"type": "string", "pattern": f"^{PARAMETER.pattern}$", "not": {"enum": list(MEANINGS)}},
)
Declarations = dict[str, Pending] | list[tuple[str, Marked]] | None
"""Names with their defaults, or a list of names with their places."""
PARAMS: Form[Declarations] = Either(
    Named(VALUE, names=_PARAMETER),
    Items(Placed(_PARAMETER), twice="the parameter {key} stands twice"),
    Nothing(None),
    message="params is a mapping or a list",
    hint="params: {name: default}, with ~ for a required one, or params: [name, name]",
)


class BlockSection(Entries):
    """A block as it is written."""

    params = Key(PARAMS, "Parameters and defaults (null: required), or a list of required ones.")
    layers = Needed(LAYERS)


def _block_name(text: str) -> str:
    check_name(text, "block's name")
    if text in TAKEN or text in WIRING or text == GROUP:
        raise Problem("CC105", f"a block cannot be called {shown(text)}, as a kind or a key is")
    return text


BLOCKS = Named(
    Fields(
        BlockSection,
        "a block is a mapping of params and layers",
        unknown="a block has no {key}",
        known="a block has params and layers",
        missing="the block {name} needs {key}",
    ),
    "blocks are a mapping",
    "blocks: {name: {params: [], layers: []}}",
    names=Scalar(
        _block_name,
        "a name is a word",
        schema={"allOf": [defined("name"), {"not": {"enum": [*TAKEN, *WIRING, GROUP]}}]},
    ),
    where="{name}",
    where_named="blocks.{name}",
    nothing=True,
)
VARIANTS = Named(
    Named(VALUE, "a variant is a mapping of parameters", "{width: 2}", nothing=True),
    "variants are a mapping",
    "variants: {wide: {width: 2}}",
    names=_named("variant's name"),
    where="variants.{name}",
    where_named="variants.{name}",
    nothing=True,
)

Shape = tuple[list[Pending], Marked]
"""The sizes of an input, and where they stand."""


def _shape(least: int) -> Form[Shape]:
    return Placed(
        Items(
            _number(1),
            f"an input is a list of channels and 0 to {MAX_SPACE_AXES} space axes",
            "input: [3, 224, 224]",
            least=least,
            most=MAX_SPACE_AXES + 1,
        )
    )


def _input_name(text: str) -> str:
    if text != "input":
        check_name(text, "input's name")
    return text


_BETWEEN = re.compile(r"\s*[,xX×]\s*|\s+")
_SIZES = re.compile(rf"[(]?\s*(\d{{1,9}}(?:(?:{_BETWEEN.pattern})\d{{1,9}}){{1,3}})\s*[)]?")
"""A shape as other places have it: 3x32x32, 3,32,32 or (3, 32, 32)."""


class _Inputs(Either[Shape | dict[str, Shape]]):
    """The shape of the only input, or a mapping of names to shapes: under its name an input may be one number, `[]`."""

    def read(self, node: Marked, reader: Reader) -> Shape | dict[str, Shape]:
        if isinstance(node, (List, Map)) and node.size == 1:
            raise Problem("CC104", "'input' is empty", self.hint)
        if isinstance(node, Text) and (sizes := _SIZES.fullmatch(node.text)):
            hint = f"input: [{', '.join(_BETWEEN.split(sizes[1]))}]"
            raise Problem("CC103", self.message, hint)
        return super().read(node, reader)


INPUT = _Inputs(
    _shape(1),
    Named(
        _shape(0),
        names=Scalar(_input_name, "a name is a word", schema={"anyOf": [{"enum": ["input"]}, defined("name")]}),
        where="{name}",
        least=1,
    ),
    message="input is a shape, [channels, *space]",
    hint="input: [3, 224, 224]",
)


def _loss(text: str) -> Loss:
    found = find_loss(text)
    if found is None:
        raise Problem("CC103", f"there is no loss {shown(text)}", suggest(text, LOSSES, f"one of {', '.join(LOSSES)}"))
    return found


class OutputSection(Entries):
    """What is said of an output."""

    loss = Key(
        Scalar(_loss, "loss is a word", "loss: cross_entropy", schema={"enum": list(LOSSES)}),
        "What it is trained with; cross-entropy for classes, linear for anything else, where nothing is said.",
    )
    loss_weight = Key(_number(0, "number"), "What its loss counts among those of the other outputs; 1 by default.")


OUTPUT: Form[OutputSection] = Either(
    Nothing(OutputSection({})),
    Fields(OutputSection, "", unknown="an output has no {key}", known="an output takes loss and loss_weight"),
    message="an output takes {loss_weight: 0.3}",
)
_OUTPUTS = ("outputs are a list of names or a mapping", "outputs: [fc]")
_OUTPUT_NAME = _reference("an output is a name", "outputs: [fc]")
OUTPUTS: Form[list[tuple[tuple[str, ...], Marked]] | dict[str, OutputSection]] = Either(
    Items(Placed(_OUTPUT_NAME), *_OUTPUTS, least=1, twice="the output {key} stands twice"),
    Named(OUTPUT, *_OUTPUTS, names=_OUTPUT_NAME, least=1),
    message=_OUTPUTS[0],
    hint=_OUTPUTS[1],
)


def _text(key: str, about: str) -> Key[str]:
    return Key(Scalar(str, f"{key} is a text"), about, where=key)


class Sections(Entries):
    """A spec as it is written."""

    convcalc = Key(Version("the language", "convcalc", VERSION), "Version of the language.")
    name = _text("name", "Name of the architecture.")
    title = _text("title", "A title, where the name is not enough.")
    description = _text("description", "What the spec is, and what it follows.")
    source = _text("source", "The paper or code that it follows.")
    input = Key(
        INPUT,
        "The shape of the input, [channels, *space], or a mapping of names to shapes.",
        required=True,
        hint="input: [3, 224, 224]",
        examples=([3, 224, 224],),
        where="input",
    )
    params = Key(PARAMS, "Parameters and their defaults; --set NAME=VALUE sets them.", where="params")
    variants = Key(VARIANTS, "Named sets of params: --variant NAME.", where="variants")
    blocks = Key(BLOCKS, "Parts that are used more than once.")
    layers = Key(LAYERS, required=True, hint="layers: [...]", where="layers")
    outputs = Key(OUTPUTS, "The outputs; without it, what nothing reads is an output.", where="outputs")
    expect = Key(Later({}), "What the spec claims of itself; check fails where it does not hold.")
    published = Key(Later({}), "Tables as printed, cell by cell, and what each cell is read from.")
    notes = Key(Later({}), "Anything, for readers.")


SPEC = Fields(
    Sections,
    "a spec is a mapping",
    unknown="{key} is no section of a spec",
    known="top-level keys: {keys}",
    missing="a spec needs '{key}'",
)
