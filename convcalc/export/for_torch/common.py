"""What several families of PyTorch's layers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import Call, Step, optional, positional
from ..windows import (
    Pads,
    flat_pads,
    split_pads,
)

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes

Mapper = Callable[..., list[Step]]
"""(layer, input shapes, output shape) -> the steps, each applied to the one before it. Raises `Refused`."""


def ranked(name: str, shape: Shape) -> str:
    """The module of that name for the space axes of a shape; raises `Refused` where torch has none."""
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise Refused(f"torch has {name} for 1 to 3 space axes, not for {rank}")
    return f"nn.{name}{rank}d"


BORDERS = {
    "zeros": "ConstantPad",
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}
"""How a border is filled -> the module without its rank."""


def pad_module(pads: Pads, mode: str = "constant", value: float = 0.0) -> Call:
    name = f"nn.{BORDERS[mode]}{len(pads)}d"
    sides = positional(padding=flat_pads(pads))
    if BORDERS[mode] != "ConstantPad":
        return Call(name, sides)
    return Call(f"nn.ZeroPad{len(pads)}d", sides) if value == 0 else Call(name, (*sides, *positional(value=value)))


def pads(call: Call) -> bool:
    """Whether a module only pads: beside a convolution, whose weights are in another one.

    >>> pads(Call("nn.ZeroPad2d")), pads(Call("nn.Conv2d")), pads(Call("PaddedAvgPool"))
    (True, False, False)
    """
    return call.function.startswith("nn.") and "Pad" in call.function


def bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping; cropping comes after, for PyTorch's circular padding wraps what is left of the input."""
    if mode != "circular" or min(map(min, pads)) >= 0 or max(map(max, pads)) <= 0:
        return [pad_module(pads, mode, value)]
    grown, cut = split_pads(pads)
    return [pad_module(grown, mode), cropped(cut)]


def cropped(cuts: Pads) -> Call:
    return pad_module(tuple((-before, -after) for before, after in cuts))


def module_of(name: str, **fields: object) -> Mapper:
    """A module whose arguments are the layer's fields, given with PyTorch's defaults."""

    def map_(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
        given = dict(layer)
        return [Call(name, tuple(optional(field, given[field], default) for field, default in fields.items()))]

    return map_


def aligned(number: int, have: int, want: int) -> str:
    """Input `number` of so many axes with as many as wanted: new ones stand behind the batch."""
    return f"{{{number}}}" + (f"[:, {', '.join(['None'] * (want - have))}]" if have < want else "")
