"""Layers of the language from what a model says of them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from ..geometry import GeometryError
from ..layers.base import Layer
from ..layers.batched import batched
from ..layers.refusals import asked, deepest
from ..layers.registry import build


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

        Raises KeyError for an unknown kind, `Unfit` for wrong fields, and a GeometryError for impossible ones.
        """
        key = (kind, leading, *((name, repr(value)) for name, value in fields.items()))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = batched(_fitting(kind, dict(fields)), leading)
        return found


def _fitting(kind: str, fields: dict[str, object]) -> Layer:
    try:
        return build(kind, fields)
    except ValidationError as error:
        detail = deepest(error.errors())
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, GeometryError):
            raise cause from error
        raise Unfit(f"{detail['loc'][0]} {asked(detail)}, not {detail['input']!r}") from error
