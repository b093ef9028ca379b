"""The section `expect`: what a spec claims of itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..findings import Finding
from ..hints import suggest
from ..marked import Map, Marked, Text
from ..network import Origin
from .grammar import (
    WORD,
    E,
    Either,
    Entries,
    Fields,
    Form,
    Key,
    Named,
    OneOrMore,
    Reader,
    Scalar,
    Schema,
    Sizes,
    Vocabulary,
    Whole,
    defined,
)
from .load import SpecOrigin
from .names import shown
from .problems import Findings, Problem

DTYPES = ("float64", "float32", "float16", "bfloat16", "int8")
"""Types of activations and params in memory."""
OUTPUTS = ("output", "output_size")
"""Claims that may be made of outputs by name."""
_OWN = ""
"""Where the claims stand among what is said: no key that is declared."""


class Claim(NamedTuple):
    """One value that is claimed of a layer, a group, an output or the whole network."""

    quantity: str
    where: str
    """A path; empty for the whole network."""
    value: Marked
    key: Text
    of_output: bool = False
    """Whether `where` names an output of the network."""


class Claims(Entries):
    """What is claimed of something: the keys that are not declared name quantities."""

    @property
    def own(self) -> list[Claim]:
        """The claims that stand here."""
        found: list[Claim] = self.said.get(_OWN, [])
        return found


class _Quantities(Fields[E]):
    """A mapping whose other keys are quantities."""

    def open(self, key: Text, value: Marked, said: dict[str, Any], reader: Reader) -> None:
        name, claims = key.text, said.setdefault(_OWN, [])
        if name not in reader.vocabulary:
            hint = suggest(
                name,
                [*reader.vocabulary, *self.entries.keys],
                self.known.replace("{keys}", ", ".join(reader.vocabulary)),
            )
            reader.findings.add("CC306", self.unknown.replace("{key}", name), key, hint, reader.where)
        elif name in OUTPUTS and isinstance(value, Map) and reader.name is None:
            claims += [Claim(name, output, shape, value.keys[output], True) for output, shape in value.entries.items()]
        else:
            claims.append(Claim(name, reader.name.text if reader.name else "", value, key))

    def body(self, vocabulary: Vocabulary) -> Schema:
        schema = super().body(vocabulary)
        claims = {name: defined(f"claim.{name}") for name in vocabulary}
        return {**schema, "properties": {**claims, **schema["properties"]}}


_UNKNOWN = "there is no quantity '{key}'"
_KNOWN = "quantities: {keys}"
_SIZES = Sizes("input is a list of sizes", "input: [3, 160, 160]")
_INPUT: Form[tuple[int, ...] | dict[str, tuple[int, ...]]] = Either(
    _SIZES, Named(_SIZES), message="input is a list of sizes", hint="input: [3, 160, 160]"
)
STAGE = _Quantities(
    Claims,
    "a stage maps quantities to values",
    "{name}: {params: 9472}",
    unknown=_UNKNOWN,
    known=_KNOWN,
    definition="stage_claims",
)


def _dtype(text: str) -> str:
    if text not in DTYPES:
        raise Problem("CC103", f"there is no dtype {shown(text)}", suggest(text, DTYPES, f"one of {', '.join(DTYPES)}"))
    return text


class Expectation(Claims):
    """What is claimed of the network under one variant, params and input, in memory of one type, at one batch size."""

    variant = Key(Scalar(str, "variant is a name", schema=WORD, filled=True), "The variant that is meant.")
    params = Key(
        Named(
            Scalar(str, "the value of {name} must be text", "with: {classes: 10}"),
            "with maps params to values",
            "with: {classes: 10}",
        ),
        "Params that differ.",
        name="with",
    )
    input = Key(_INPUT, "The input that is meant.")
    dtype = Key(
        Scalar(_dtype, "dtype is a word", "dtype: int8", schema={"enum": list(DTYPES)}),
        "Type of activations and params in memory.",
    )
    batch = Key(Whole("batch takes", "batch: 32"), "Batch size.")
    stages = Key(
        Named(STAGE, "stages map a stage to its quantities", "stages: {conv1: {params: 9472}}", where="{name}"),
        "Claims about stages, or any path of a layer.",
    )

    @property
    def claims(self) -> list[Claim]:
        """Everything that is claimed: of the network, its outputs and its stages."""
        return [*self.own, *(claim for stage in (self.stages or {}).values() for claim in stage.own)]


EXPECTATION = _Quantities(
    Expectation,
    "an expectation is a mapping of quantities",
    "expect: {params: 6998552}",
    unknown=_UNKNOWN,
    known=_KNOWN,
    definition="expectation",
)
EXPECT = OneOrMore(EXPECTATION, nothing=True)


def read_expectations(origin: Origin, vocabulary: Vocabulary) -> tuple[list[Expectation], list[Finding]]:
    """(what a spec claims as far as it can be read, what is wrong with it); `vocabulary` names the quantities."""
    section = origin.section("expect")
    if section is None or not isinstance(origin, SpecOrigin):
        return [], []
    findings = Findings(origin.source)
    return Reader(findings, vocabulary).read(EXPECT, section) or [], findings.all


def claim_definitions(vocabulary: Vocabulary) -> Schema:
    """What may be claimed of each quantity, as JSON Schema."""
    value = {
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}, {"type": "null"}, _SIZES.schema(vocabulary)]
    }
    found: Schema = {f"claim.{name}": {**value, "description": meaning} for name, meaning in vocabulary.items()}
    for name in OUTPUTS:
        of_outputs = {"type": "object", "additionalProperties": value}
        found[f"claim.{name}"]["anyOf"] = [*value["anyOf"], of_outputs]
    found["claim.params"]["examples"] = [6998552, "<= 7M", "7.0M ± 1%"]
    return found
