"""The fields of a layer as they are written: the shortest form of each, and those that have to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..layers.base import Layer

Quantity = str
"""What a value is one of: values of different quantities are not related, but for those that always are."""
QUANTITIES: dict[str, Quantity] = {
    "out_channels": "width",
    "out_features": "width",
    "groups": "groups",
    "normalized_shape": "width",
    "kernel_size": "kernel",
    "stride": "stride",
    "padding": "padding",
    "dilation": "dilation",
    "channels": "width",
    "repeat": "count",
}
"""Field -> quantity; a field that is not named is a quantity of its own."""

HIDDEN = ("kind", "part")
"""Fields that are not written."""


class Fields(NamedTuple):
    """What is written of a layer."""

    values: dict[str, object]
    """Field -> its shortest value; those that were not given too."""
    needed: tuple[str, ...]
    """The fields without which it would be another layer, in order."""


def fields_of(layer: Layer) -> Fields:
    """The fields of a layer.

    >>> from convcalc.layers.registry import build
    >>> found = fields_of(build("conv2d", {"out": 4, "k": [3, 3], "s": 1}))
    >>> found.needed, found.values["kernel_size"], found.values["stride"]
    (('out_channels', 'kernel_size'), 3, 1)
    """
    cls = type(layer)
    given = {name: value for name, value in layer.fields().items() if name not in HIDDEN}
    values: dict[str, object] = {
        name: getattr(layer, name) for name in cls.model_fields if name not in HIDDEN and name not in given
    }
    for name in list(given):
        rest = {key: value for key, value in given.items() if key != name}
        dropped = not cls.model_fields[name].is_required() and _gives(layer, rest)
        for shorter in _shorter(given[name]):
            if _gives(layer, {**given, name: shorter}):
                given[name] = shorter
                break
        values[name] = given[name]
        if dropped:
            given = rest
    for name in values:
        if name not in given:
            for shorter in _shorter(values[name]):
                if _gives(layer, {**given, name: shorter}):
                    values[name] = shorter
                    break
    order = [name for name in cls.model_fields if name in values]
    return Fields({name: values[name] for name in order}, tuple(name for name in order if name in given))


def _shorter(value: object) -> list[object]:
    """Shorter ways to write a value: one number for all axes, one an axis for equal pairs."""
    if not isinstance(value, tuple) or not value:
        return []
    flat = [item[0] if isinstance(item, tuple) and len(set(item)) == 1 else item for item in value]
    forms: list[object] = [flat[0]] if all(item == flat[0] for item in flat) else []
    return [*forms, tuple(flat)] if tuple(flat) != value else forms


def _gives(layer: Layer, fields: dict[str, object]) -> bool:
    """Whether these fields give the layer."""
    from pydantic import ValidationError

    part = {"part": layer.fields()["part"]} if "part" in layer.fields() else {}
    try:
        other = type(layer).model_validate({"kind": layer.kind, **fields, **part})
    except ValidationError:
        return False
    names = type(layer).model_fields
    return all(getattr(other, name) == getattr(layer, name) for name in names)
