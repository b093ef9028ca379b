"""How a printed cell is read: the keys of a reading, checked, and merged from table to cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from ..analysis.quantities import quantity, quantity_names
from ..findings import Finding, SpecError
from ..hints import suggest
from ..marked import List, Map, Marked, Text
from ..network import Origin
from .printed import ROUNDINGS, Round

KEYS = ("at", "value", "unit", "round", "format", "variant", "with", "input")
_DIVISOR = re.compile(r"[0-9]{1,19}(\.[0-9]{1,9})?")
_SIZE = re.compile(r"[0-9]{1,19}")
PLACEHOLDER = re.compile(r"\{([^{}:]*)(?::(\w+))?\}")
"""In a composed value: `{path.quantity}`, or `{path.quantity:part}` for one part of a shape or window."""
SUM = " + "
"""Between the quantities of a value that is their sum."""
SHARE = "total"
"""As a unit's divisor: the percentage of the network's total."""


def placeholders(value: str) -> list[str]:
    """The quantities of a composed value; none where the value is a single quantity.

    >>> placeholders("[{conv1.patch}, {conv1.out_channels}]×{repeats}"), placeholders("params")
    (['conv1.patch', 'conv1.out_channels', 'repeats'], [])
    """
    return [match[1] for match in PLACEHOLDER.finditer(value)]


class Reading(NamedTuple):
    """What a cell is read from. None stands for «not said»."""

    at: str | None = None
    value: str | None = None
    """`[path.]quantity`, a sum of such, or text in which `{[path.]quantity[:part]}` stand for several."""
    ignored: bool = False
    """`value: ~`: shown, never compared or counted."""
    unit: tuple[tuple[str, Fraction | None], ...] | None = None
    """Suffix and divisor; a divisor of None is the percentage of the total."""
    round: Round | None = None
    format: str | None = None
    variant: str | None = None
    params: tuple[tuple[str, str], ...] | None = None
    input: tuple[int, ...] | None = None

    def merged(self, other: Reading) -> Reading:
        """This reading with what the other says on top."""
        said: dict[str, Any] = {
            name: getattr(other, name)
            for name in ("at", "value", "unit", "round", "format", "variant", "params", "input")
            if getattr(other, name) is not None
        }
        if other.value is not None:
            said["ignored"] = False
        if other.ignored:
            said["ignored"] = True
        return self._replace(**said)


def read_reading(entries: Mapping[str, Marked], origin: Origin, extra: tuple[str, ...] = ()) -> Reading:
    """The reading among the entries of a mapping; keys in `extra` belong to the caller. Raises SpecError."""
    said: dict[str, Any] = {}
    for key, node in entries.items():
        if key in extra:
            continue
        if key not in KEYS:
            raise SpecError([_unknown_key(key, node, origin, (*extra, *KEYS))])
        said.update(_READERS[key](node, origin))
    return Reading(**said)


def _unknown_key(key: str, node: Marked, origin: Origin, known: tuple[str, ...]) -> Finding:
    hint = suggest(key, known, f"known keys: {', '.join(known)}")
    return origin.finding_at("CC101", f"unknown key '{key}' in a published table", node, hint=hint)


def text_of(node: Marked, origin: Origin, what: str) -> str:
    """The verbatim text of a scalar. Raises SpecError where the node is none."""
    if not isinstance(node, Text):
        raise SpecError([origin.finding_at("CC103", f"{what} must be text", node)])
    return node.text


def _at(node: Marked, origin: Origin) -> dict[str, Any]:
    return {"at": text_of(node, origin, "'at'")}


def _value(node: Marked, origin: Origin) -> dict[str, Any]:
    text = text_of(node, origin, "'value'")
    if isinstance(node, Text) and node.empty:
        return {"ignored": True}
    for path in placeholders(text) or text.split(SUM):
        name = path.rpartition(".")[2]
        if quantity(name) is None:
            names = sorted(quantity_names())
            hint = suggest(name, names, "quantities: " + ", ".join(names))
            raise SpecError([origin.finding_at("CC306", f"there is no quantity '{name}'", node, hint=hint)])
    return {"value": text}


def _unit(node: Marked, origin: Origin) -> dict[str, Any]:
    if not isinstance(node, Map):
        finding = origin.finding_at(
            "CC103", "'unit' maps a printed suffix to its divisor", node, hint="unit: {K: 1024}"
        )
        raise SpecError([finding])
    units: list[tuple[str, Fraction | None]] = []
    for suffix, value in node.entries.items():
        text = text_of(value, origin, "a divisor")
        if text == SHARE:
            units.append((suffix, None))
            continue
        number = Fraction(text) if _DIVISOR.fullmatch(text) else Fraction(0)
        if number <= 0:
            finding = origin.finding_at("CC103", f"the divisor '{text}' is not a positive number or '{SHARE}'", value)
            raise SpecError([finding])
        units.append((suffix, number))
    return {"unit": tuple(units)}


def _round(node: Marked, origin: Origin) -> dict[str, Any]:
    text = text_of(node, origin, "'round'")
    if text not in ROUNDINGS:
        hint = f"one of {', '.join(ROUNDINGS)}"
        raise SpecError([origin.finding_at("CC103", f"there is no rounding '{text}'", node, hint=hint)])
    return {"round": text}


def _format(node: Marked, origin: Origin) -> dict[str, Any]:
    return {"format": text_of(node, origin, "'format'")}


def _variant(node: Marked, origin: Origin) -> dict[str, Any]:
    return {"variant": text_of(node, origin, "'variant'")}


def _with(node: Marked, origin: Origin) -> dict[str, Any]:
    if not isinstance(node, Map):
        raise SpecError(
            [origin.finding_at("CC103", "'with' maps params to values", node, hint="with: {stem: separable}")]
        )
    pairs = tuple((name, text_of(value, origin, f"the value of {name}")) for name, value in node.entries.items())
    return {"params": pairs}


def _input(node: Marked, origin: Origin) -> dict[str, Any]:
    items = node.items if isinstance(node, List) else ()
    texts = [item.text for item in items if isinstance(item, Text)]
    if not texts or len(texts) != len(items) or not all(map(_SIZE.fullmatch, texts)):
        raise SpecError([origin.finding_at("CC103", "'input' is a list of sizes", node, hint="input: [3, 160, 160]")])
    return {"input": tuple(map(int, texts))}


_READERS = {
    "at": _at,
    "value": _value,
    "unit": _unit,
    "round": _round,
    "format": _format,
    "variant": _variant,
    "with": _with,
    "input": _input,
}
