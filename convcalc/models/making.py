"""Layers of the language from what a model says of them, and what the language cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from ..geometry import GeometryError
from ..layers.base import Layer
from ..layers.batched import batched
from ..layers.refusals import asked, deepest
from ..layers.registry import KINDS, build, layer_class

Fields = dict[str, object]
"""What a model says of a layer, under the names of the language."""


class Unsupported(Exception):
    """The language cannot say what a model does; the message says why."""


class Unfit(ValueError):
    """Fields that a kind does not take; the message says which, and what it takes."""


class Layers:
    """Makes layers; equal ones are one object.

    >>> layers = Layers()
    >>> layers.of("conv2d", {"out_channels": 8, "kernel_size": 3}) is layers.of(
    ...     "conv2d", {"out_channels": 8, "kernel_size": 3}
    ... )
    True
    >>> layers.of("conv2d", {"out_channels": 0, "kernel_size": 3})
    Traceback (most recent call last):
    convcalc.models.making.Unfit: out_channels must be at least 1, not 0
    """

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Layer] = {}

    def of(self, kind: str, fields: Mapping[str, object], leading: int = 0) -> Layer:
        """The layer of a kind with these fields, whose first `leading` axes count as batch.

        Raises `Unsupported` for an unknown kind, `Unfit` for wrong fields, and a GeometryError for impossible ones.
        """
        key = (kind, leading, *((name, repr(value)) for name, value in fields.items()))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = batched(_fitting(kind, dict(fields)), leading)
        return found


def spelled(kind: str, fields: Mapping[str, object]) -> Fields:
    """The fields that the language does not take for granted of a kind.

    >>> spelled("conv2d", {"out_channels": 8, "groups": 1, "bias": False})
    {'out_channels': 8, 'bias': False}
    """
    taken = _known(kind).model_fields
    return {name: value for name, value in fields.items() if name not in taken or value != taken[name].default}


def _known(kind: str) -> type[Layer]:
    if kind not in KINDS:
        raise Unsupported(f"there is no {kind}")
    return layer_class(kind)


def _fitting(kind: str, fields: Fields) -> Layer:
    _known(kind)
    try:
        return build(kind, fields)
    except ValidationError as error:
        detail = deepest(error.errors())
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, GeometryError):
            raise cause from error
        raise Unfit(f"{detail['loc'][0]} {asked(detail)}, not {detail['input']!r}") from error
