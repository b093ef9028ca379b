"""Names of layers from the scopes of the modules that made them: paths that the language allows, and their groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..layers.opaque import Opaque
from ..limits import NAME_CHARACTERS
from ..naming import NUMBER, RESERVED, UniqueNames, underscored
from ..network import BlockGroup, Group
from .steps import Place, Step

DEEPEST = 24
"""Groups in each other; what is deeper joins the names above."""
GROUPS = 1000
GROUPS_PER_STEP = 3
"""Groups that there may be, and as many more for each step; where there are more, the deepest join the names above."""


Runs = list[tuple[int, int]]
"""Spans of steps: (first, behind the last)."""
_Level = tuple[Runs, int, str]
"""What stands directly in a scope, its depth, and what its paths begin with."""


class _Segment(NamedTuple):
    name: str
    cls: str
    key: Hashable
    split: bool


def named(steps: Sequence[Step]) -> tuple[list[str], list[Group]]:
    """Paths of steps, inputs first, and the groups around them, outer ones first.

    A module of one layer gives it its name; modules that are numbered keep their numbers. What has no name is called by
    its kind.
    """
    naming = _Naming(steps)
    naming.run()
    return naming.paths, naming.groups


class _Naming:
    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.segments = _bounded([_segments(step.scope) for step in steps])
        self.paths = [""] * len(steps)
        self.groups: list[Group] = []

    def run(self) -> None:
        """Names the steps, level by level."""
        inputs = next((i for i, step in enumerate(self.steps) if step.layer is not None), len(self.steps))
        taken = UniqueNames()
        for index in range(inputs):
            name = self.steps[index].name
            self.paths[index] = "input" if inputs == 1 else taken.give(allowed(name))
        pending: list[_Level] = [(self._runs(inputs, len(self.steps), 0), 0, "")]
        while pending:
            pending += reversed(self._level(*pending.pop()))
        order = {group.path: place for place, group in enumerate(sorted(self.groups, key=lambda g: (g.start, -g.stop)))}
        self.groups.sort(key=lambda group: order[group.path])

    def _level(self, runs: Runs, depth: int, prefix: str) -> list[_Level]:
        """Names what stands directly in a scope; gives the scopes in it."""
        heads = self._heads(runs, depth)
        taken = UniqueNames(self.paths[: runs[0][0]] if runs and not prefix else ())
        below: list[_Level] = []
        for (first, last), head in zip(runs, heads, strict=True):
            step = self.steps[first]
            leaf = head is None or (last == first + 1 and len(self.segments[first]) == depth + 1 and not head.split)
            name = head.name if head is not None else step.name or _kind(step)
            number = head is not None and NUMBER.fullmatch(name) is not None
            path = prefix + taken.give(name if number else allowed(name))
            if leaf:
                self.paths[first] = path
                continue
            assert head is not None
            if head.split:
                for index in range(first, last):
                    self.paths[index] = f"{path}.{self.steps[index].name}"
                self.groups.append(Group(path, "split", first, last, last - 1))
            else:
                inner = self._runs(first, last, depth + 1)
                below.append((inner, depth + 1, f"{path}."))
                self.groups.append(self._group(path, head, first, last, self._heads(inner, depth + 1)))
        return below

    def _heads(self, runs: Runs, depth: int) -> list[_Segment | None]:
        """What each run is at a depth; None for a step that stands there by itself."""
        return [self.segments[first][depth] if len(self.segments[first]) > depth else None for first, _ in runs]

    def _group(self, path: str, head: _Segment, start: int, stop: int, inner: Sequence[_Segment | None]) -> Group:
        if _numbered(inner):
            return Group(path, "repeat", start, stop, stop - 1, len(inner))
        return (
            BlockGroup(path, head.cls, start, stop, stop - 1)
            if head.cls
            else Group(path, "layers", start, stop, stop - 1)
        )

    def _runs(self, start: int, stop: int, depth: int) -> Runs:
        """Spans of one scope, or of a single step, at a depth; containers that others interrupt are opened."""
        while True:
            runs: Runs = []
            keys: list[Hashable] = []
            for index in range(start, stop):
                own = self.segments[index]
                key = own[depth].key if len(own) > depth else None
                if key is not None and keys and keys[-1] == key:
                    runs[-1] = (runs[-1][0], index + 1)
                else:
                    runs.append((index, index + 1))
                    keys.append(key)
            broken = {key for key, count in Counter(key for key in keys if key is not None).items() if count > 1}
            opened = False
            for index in range(start, stop):
                own = self.segments[index]
                if len(own) > depth and own[depth].key in broken:
                    self.segments[index] = _opened(own, depth)
                    opened = True
            if not opened:
                return runs


def _segments(scope: Sequence[Place]) -> list[_Segment]:
    """One segment a part of a place's name; parts before the last are containers."""
    found: list[_Segment] = []
    around: Hashable = ()
    for place in scope:
        for part in place.name[:-1]:
            around = (around, part)
            found.append(_Segment(part, "", around, split=False))
        if place.name:
            found.append(_Segment(place.name[-1], place.cls, ("call", place.call), place.split))
        around = ("call", place.call)
    while len(found) > DEEPEST:
        found = _opened(found, len(found) // 2)
    return found


def _bounded(steps: list[list[_Segment]]) -> list[list[_Segment]]:
    """The segments of steps, in which those that would make too many groups are one."""
    left = GROUPS + GROUPS_PER_STEP * len(steps)
    for depth in range(DEEPEST):
        keys = [segments[depth].key if len(segments) > depth else None for segments in steps]
        left -= sum(key is not None and key != before for before, key in pairwise((None, *keys)))
        if left < 0:
            return [_joined(segments, depth) for segments in steps]
    return steps


def _joined(segments: list[_Segment], depth: int) -> list[_Segment]:
    """The same with one segment from a depth on: the innermost, whose name has all of theirs."""
    joined = segments[depth:]
    if len(joined) < 2:
        return segments
    name = "_".join([segment.name for segment in joined])
    return [*segments[:depth], joined[-1]._replace(name=name, key=tuple([segment.key for segment in joined]))]


def _opened(segments: list[_Segment], depth: int) -> list[_Segment]:
    """The same without the segment at a depth, whose name joins the one below it."""
    head, *rest = segments[depth:]
    if not rest:
        return segments[:depth]
    joined = rest[0]._replace(name=f"{head.name}_{rest[0].name}", key=(head.key, rest[0].key))
    return [*segments[:depth], joined, *rest[1:]]


def _numbered(heads: Sequence[_Segment | None]) -> bool:
    """Whether they are numbered from 0 and of one class."""
    found = [head for head in heads if head is not None and not head.split]
    if not found or len(found) != len(heads):
        return False
    return [head.name for head in found] == [str(i) for i in range(len(found))] and len({h.cls for h in found}) == 1


def _kind(step: Step) -> str:
    """What a step is in a word: its kind, of an opaque one its operator."""
    if isinstance(step.layer, Opaque):
        return snake(re.split(r"::|\.", step.layer.operator)[-1])
    return step.layer.kind if step.layer is not None else "input"


def snake(name: str) -> str:
    """A class's name as names of the language are written.

    >>> snake("Conv2dNormActivation"), snake("BatchNorm2d"), snake("SEModule"), snake("_DenseLayer")
    ('conv2d_norm_activation', 'batch_norm2d', 'se_module', 'dense_layer')
    """
    return allowed(re.sub(r"_+", "_", underscored(name)).strip("_").lower())


def allowed(name: str) -> str:
    """A text as a name of the language: letters, digits, `_` and `-`, not all digits, no word that is reserved.

    >>> allowed("tf.nn relu"), allowed("input"), allowed("")
    ('tf_nn_relu', 'input_', 'layer')
    """
    word = re.sub(r"[^A-Za-z0-9_-]+", "_", name).lstrip("-")[:NAME_CHARACTERS] or "layer"
    if word.isdigit():
        return f"layer_{word}"
    return f"{word}_" if word in RESERVED else word
