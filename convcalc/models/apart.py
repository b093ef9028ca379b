"""Positions of an axis that a model takes one by one, as the parts of one `unbind`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from ..flow import ancestors
from ..layers.base import Layer, Shape
from ..layers.batched import batched
from ..layers.registry import build


class _Made(Protocol):
    """A step as readers of models make it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape


Made = TypeVar("Made", bound=_Made)

SAME_ORDER = frozenset({"Squeeze", "Reshape", "Flatten"})
"""Families that give numbers another shape in the same order."""


def taken_apart(
    steps: Sequence[Made], ends: Collection[int], beside: Callable[[Made], Hashable] = lambda step: None
) -> tuple[list[Made], list[int]]:
    """The steps with an `unbind` where a model takes each position of an axis, and where each step stands now.

    Models take them by a `select` each, or cut the axis into parts of size 1 that lose it then; `ends` are steps that
    are put out: what leads to none of them reads nothing. Selections are of one `unbind` where `beside` says the same
    of them. A step that falls away stands where the part is that has its numbers.
    """
    needed = ancestors(steps, ends)
    parts = _selected(steps, needed, beside) + _cut(steps, needed, ends)
    if not parts:
        return list(steps), list(range(len(steps)))
    instead: dict[int, Made] = {}
    order = [(index, 0) for index in range(len(steps))]
    stands = list(range(len(steps)))
    for axis, leading, members in parts:
        first = min(member for member, _ in members)
        fields: dict[str, Any] = {"parts": len(members), **({"dim": axis} if axis else {})}
        for number, (member, reader) in enumerate(members):
            layer = batched(build("unbind", {**fields, "part": number}), leading)
            instead[member] = replace(steps[first], layer=layer, shape=steps[reader].shape)
            order[member] = (first, number)
            stands[reader] = member
    gone = {index for index, other in enumerate(stands) if other != index}
    kept = sorted((index for index in range(len(steps)) if index not in gone), key=order.__getitem__)
    place = {index: position for position, index in enumerate(kept)}
    places = [place[stands[index]] for index in range(len(steps))]
    found = [instead.get(index, steps[index]) for index in kept]
    return [replace(step, inputs=tuple([places[source] for source in step.inputs])) for step in found], places


Apart = tuple[int, int, list[tuple[int, int]]]
"""Axis, batch axes before it, and for each position the step that takes it and the one that has its shape."""


class _Axis(NamedTuple):
    """What selections of one `unbind` have in common."""

    source: int
    axis: int
    leading: int
    size: int
    beside: Hashable


def _axis(layer: Layer, shape: Shape) -> int:
    """The field `dim` of a layer, counted from the front of what is behind its batch axes."""
    found: int = layer.inside.fields().get("dim", 0)
    return found % (len(shape) - layer.batch_axes)


def _selected(steps: Sequence[Made], needed: set[int], beside: Callable[[Made], Hashable]) -> list[Apart]:
    """Axes of which every position is selected, once each, by what is needed."""
    groups: dict[_Axis, list[tuple[int, int]]] = {}
    for index, step in enumerate(steps):
        if index not in needed or step.layer is None or step.layer.inside.family != "Select":
            continue
        shape = steps[step.inputs[0]].shape
        axis, leading = _axis(step.layer, shape), step.layer.batch_axes
        size = shape[leading + axis]
        key = _Axis(step.inputs[0], axis, leading, size, beside(step))
        groups.setdefault(key, []).append((step.layer.inside.fields()["index"] % size, index))
    found: list[Apart] = []
    for key, members in groups.items():
        ordered = sorted(members)
        whole = key.size == len(ordered) > 1
        if whole and all(position == number for number, (position, _) in enumerate(ordered)):
            found.append((key.axis, key.leading, [(index, index) for _, index in ordered]))
    return found


def _cut(steps: Sequence[Made], needed: set[int], ends: Collection[int]) -> list[Apart]:
    """Splits into parts of size 1, each of which is read by one step alone that takes the axis away."""
    readers: dict[int, list[int]] = {}
    splits: dict[tuple[object, ...], list[int]] = {}
    for index, step in enumerate(steps):
        for source in step.inputs if index in needed else ():
            readers.setdefault(source, []).append(index)
        part = None if step.layer is None else step.layer.part_of
        if part is not None and part.sizes is not None and set(part.sizes) == {1} and part.parts > 1:
            splits.setdefault((step.inputs[0], index - part.which), []).append(index)
    found: list[Apart] = []
    for members in splits.values():
        first = steps[members[0]].layer
        assert first is not None and first.part_of is not None
        shape, leading = steps[steps[members[0]].inputs[0]].shape, first.batch_axes
        axis = _axis(first, shape)
        left = (*shape[: leading + axis], *shape[leading + axis + 1 :])
        reading = [readers.get(member, []) for member in members]
        alone = all(len(read) == 1 for read in reading) and not any(member in ends for member in members)
        if alone and len(members) == first.part_of.parts:
            each = [read[0] for read in reading]
            if all(_takes_away(steps[reader].layer, steps[reader].shape, left) for reader in each):
                found.append((axis, leading, list(zip(members, each, strict=True))))
    return found


def _takes_away(layer: Layer | None, shape: Shape, left: Shape) -> bool:
    """Whether a step gives a part the shape that is left without its axis."""
    return layer is not None and layer.inside.family in SAME_ORDER and shape == left
