"""Layers of every kind that fit a shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from random import Random
from typing import Any, NamedTuple

from convcalc.inference import output_shape
from convcalc.language.items import HIDDEN, FieldType, fields_of
from convcalc.layers.registry import KINDS, build, layer_class

Shape = tuple[int, ...]
Fields = dict[str, Any]
JOINS = frozenset(kind for kind in KINDS if layer_class(kind).joins or layer_class(kind).splits)
"""Kinds that read or give several tensors."""
MOST = 1 << 20
"""Elements of a tensor: networks stay small, so that what takes long takes too long."""
TRIES = 4


class Made(NamedTuple):
    """A layer with what it makes of the shape before it."""

    kind: str
    fields: Fields
    shape: Shape


@cache
def _kinds(rank: int) -> tuple[str, ...]:
    """The kinds that read one tensor of so many space axes; convolutions and what stands around them more often."""
    common = ("conv", "relu", "max_pool", "batch_norm", "conv_transpose")
    found = [kind for kind in KINDS if kind not in JOINS and (kind[-1:] != "d" or kind[-2:-1] in (str(rank), "e"))]
    named = [kind for kind in found if not kind[-2:-1].isdigit() or kind.endswith(f"{rank}d")]
    return tuple([kind for kind in named for _ in range(5 if kind.startswith(common) else 1)])


@cache
def _optional(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(required fields, fields that have a default) of a kind, under their long names."""
    fields = {field.name: field for field in fields_of(kind).values() if field.name not in HIDDEN}
    required = tuple(sorted(name for name, field in fields.items() if field.required))
    return required, tuple(sorted(fields.keys() - set(required)))


def divisor(random: Random, number: int) -> int:
    """A divisor of a number, small ones more often."""
    return random.choice([n for n in (1, 2, 3, 4, 6, 8, number) if number % n == 0])


def _per_axis(random: Random, rank: int, choices: tuple[int, ...]) -> int | list[int]:
    if rank > 1 and random.random() < 0.2:
        return [random.choice(choices) for _ in range(rank)]
    return random.choice(choices)


def _padding(random: Random, rank: int) -> Any:
    chance = random.random()
    if chance < 0.15:
        return random.choice(("same", "valid", "same_lower"))
    if chance < 0.3:
        return [[random.randint(0, 2), random.randint(0, 2)] for _ in range(rank)]
    return _per_axis(random, rank, (0, 0, 1, 1, 1, 2, 3))


def _shape(random: Random, shape: Shape) -> list[int]:
    whole = prod(shape)
    first = divisor(random, whole)
    if random.random() < 0.2:
        return [random.choice((1, 2, 3, size)) for size in shape]
    repeated = [2, *(-1 for _ in shape)]
    return random.choice(([first, -1], [first, whole // first], [-1], [*shape[::-1]], repeated))


def _factor(random: Random, shape: Shape) -> Any:
    """A number, or one a channel."""
    return random.choice((0, 1, -1, 0.5, [random.choice((0, 1, 2.5)) for _ in range(shape[0])]))


def _dims(random: Random, shape: Shape) -> list[int]:
    return random.sample(range(len(shape)), len(shape))


VALUES: dict[str, Callable[[Random, Shape], Any]] = {
    "out_channels": lambda random, shape: random.choice((1, 2, 4, 6, 8, 12, 16, shape[0], 2 * shape[0])),
    "out_features": lambda random, shape: random.choice((1, 2, 5, 10, 16)),
    "kernel_size": lambda random, shape: _per_axis(random, len(shape) - 1, (1, 1, 2, 3, 3, 3, 4, 5, 7)),
    "stride": lambda random, shape: _per_axis(random, len(shape) - 1, (1, 1, 2, 2, 3, 4)),
    "padding": lambda random, shape: _padding(random, len(shape) - 1),
    "dilation": lambda random, shape: _per_axis(random, len(shape) - 1, (1, 1, 2, 3)),
    "output_padding": lambda random, shape: random.choice((0, 1)),
    "groups": lambda random, shape: divisor(random, shape[0]),
    "num_groups": lambda random, shape: divisor(random, shape[0]),
    "num_parameters": lambda random, shape: random.choice((1, shape[0])),
    "depth_multiplier": lambda random, shape: random.choice((1, 1, 2, 3)),
    "output_size": lambda random, shape: _per_axis(random, len(shape) - 1, (1, 1, 2, 3, 7)),
    "upscale_factor": lambda random, shape: random.choice((1, 2, 3)),
    "downscale_factor": lambda random, shape: random.choice((1, 2, 3)),
    "scale_factor": lambda random, shape: random.choice((2, 2, 3, 0.5, 1.5)),
    "size": lambda random, shape: random.choice((1, 2, 3, 5, 8)),
    "cropping": lambda random, shape: random.choice((0, 1)),
    "start_dim": lambda random, shape: random.choice((0, 0, 1, -1)),
    "end_dim": lambda random, shape: random.choice((-1, -1, 1)),
    "dim": lambda random, shape: random.choice((0, 0, -1, len(shape) - 1)),
    "scale": _factor,
    "offset": _factor,
    "min": lambda random, shape: random.choice((-1, 0, 0.5)),
    "max": lambda random, shape: random.choice((0.5, 1, 6)),
    "min_val": lambda random, shape: random.choice((-1, 0)),
    "max_val": lambda random, shape: random.choice((1, 6)),
    "exponent": lambda random, shape: random.choice((-1, 0, 0.5, 2, 3)),
    "correction": lambda random, shape: random.choice((0, 1, 2)),
    "dims": _dims,
    "shifts": lambda random, shape: [random.choice((-2, -1, 0, 1, 3)) for _ in shape],
    "num_heads": lambda random, shape: divisor(random, shape[-1]),
    "hidden_size": lambda random, shape: random.choice((1, 2, 5, 8)),
    "num_layers": lambda random, shape: random.choice((1, 1, 2)),
    "proj_size": lambda random, shape: random.choice((0, 1)),
    "start": lambda random, shape: random.choice((0, 0, 1, -1, -2)),
    "stop": lambda random, shape: random.choice((None, 1, 2, -1, 100)),
    "step": lambda random, shape: random.choice((1, 2, 3)),
    "index": lambda random, shape: random.choice((0, -1, 1)),
    "indices": lambda random, shape: [random.choice((0, -1, 1)) for _ in range(random.randint(1, 4))],
    "reps": lambda random, shape: [random.choice((1, 1, 2)) for _ in range(random.randint(1, len(shape) + 1))],
    "shape": _shape,
    "normalized_shape": lambda random, shape: list(shape[-random.randint(1, len(shape)) :]),
    "p": lambda random, shape: random.choice((0, 0.1, 0.5, 1)),
    "norm_type": lambda random, shape: random.choice((1, 2, 1.5)),
    "divisor_override": lambda random, shape: random.choice((1, 3)),
}
"""Field -> a value of it for a layer on a shape; other fields have the values of their type."""


def value(random: Random, field: FieldType, shape: Shape) -> Any:
    """A value of a field that it takes, and that fits the shape more often than not."""
    made = VALUES.get(field.name)
    if field.words and (made is None or (field.name == "dim" and random.random() < 0.2)):
        return random.choice(sorted(field.words))
    if made is not None:
        return made(random, shape)
    if field.boolean:
        return random.random() < 0.5
    return random.choice((0.01, 0.5, 1, 0.9)) if field.fractional else random.choice((1, 2))


def layer(random: Random, shape: Shape) -> Made:
    """A layer that takes the shape; a relu where the ones that were tried do not. One number gets an axis."""
    if not shape:
        kept: tuple[tuple[str, Fields], ...] = (
            ("exp", {}),
            ("scale", {"size": 1}),
            ("rescale", {"offset": 1}),
            ("sum", {}),
        )
        return random.choice((Made("reshape", {"shape": [1]}, (1,)), *(Made(*one, ()) for one in kept)))
    for attempt in range(TRIES):
        kind = random.choice(_kinds(len(shape) - 1))
        made = fitted(random, kind, shape, 0.35 if attempt < TRIES - 1 else 0.1)
        if made is not None:
            return made
    return Made("relu", {}, shape)


def fitted(random: Random, kind: str, shape: Shape, more: float) -> Made | None:
    """A layer of this kind with each of its optional fields at this chance, if it takes the shape."""
    fields = fields_of(kind)
    required, optional = _optional(kind)
    names = [*required, *(name for name in optional if random.random() < more)]
    said = {name: value(random, fields[name], shape) for name in names}
    try:
        output = output_shape(build(kind, said), (shape,) if layer_class(kind).arity[1] != 0 else ())
    except ValueError:
        return None
    return Made(kind, said, output) if 0 < prod(output) <= MOST else None
