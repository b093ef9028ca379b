"""Classes of modules in files that name none: modules with names and children alike are taken for one class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..limits import NAME_CHARACTERS
from ..models.steps import Place
from ..naming import UniqueNames
from .builder import Step

Places = tuple[Place, ...]

NUMBERS = re.compile(r"(?:_?[0-9]++[a-z]?)+$|_+$")
"""What numbers a name: `inception3a` is an inception."""
MODULE = ""
"""What a child is that is a module."""
ALIKE = 0.5
"""The part of their children that modules of one class have in common."""


@dataclass
class _Module:
    stem: str
    children: dict[str, str] = field(default_factory=dict)
    """Names -> kinds of layers."""

    @property
    def sequence(self) -> bool:
        """Whether it is a list of modules: all of its children are numbered, and not all are layers."""
        return MODULE in self.children.values() and all(name[-1:].isdigit() for name in self.children)

    def like(self, other: _Module) -> bool:
        """Whether most children of both are the same."""
        both = self.children.items() & other.children.items()
        return len(both) >= ALIKE * max(len(self.children), len(other.children))


def classed(steps: Sequence[Step], places: Sequence[Places]) -> list[Places]:
    """The places with classes: those of layers are their kinds, others are told where the file names none."""
    sizes = Counter(own[: depth + 1] for own in places for depth in range(len(own)))
    modules = _modules(steps, places, sizes)
    names = {} if any(module[-1].cls for module in modules) else _names(modules)
    names |= {own: step.kind for step, own in zip(steps, places, strict=True) if own and _is_layer(own, sizes)}
    return [
        tuple([place._replace(cls=names.get(own[: depth + 1], place.cls)) for depth, place in enumerate(own)])
        for own in places
    ]


def _is_layer(module: Places, sizes: Mapping[Places, int]) -> bool:
    """Whether a module is one layer, of a class that nothing names."""
    return sizes[module] == 1 and not module[-1].cls


def _modules(steps: Sequence[Step], places: Sequence[Places], sizes: Mapping[Places, int]) -> dict[Places, _Module]:
    """The modules that hold more than one layer, with their children."""
    found: dict[Places, _Module] = {}
    for step, own in zip(steps, places, strict=True):
        for depth in range(len(own)):
            if sizes[own[: depth + 1]] == 1:
                break
            module = found.get(own[: depth + 1])
            if module is None:
                module = found[own[: depth + 1]] = _Module(_stem(own[: depth + 1]))
            below = own[depth + 1 :]
            if not below:
                module.children[step.kind] = step.kind
            else:
                leaf = len(below) == 1 and sizes[own[: depth + 2]] == 1
                module.children[".".join(below[0].name)] = step.kind if leaf else MODULE
    return found


def _stem(places: Places) -> str:
    """What a module is called without its numbers, by what is around it where it is but a number."""
    for part in reversed([part for place in places for part in place.name]):
        stem = NUMBERS.sub("", part[:NAME_CHARACTERS])
        if stem:
            return stem
    return "block"


def _names(modules: dict[Places, _Module]) -> dict[Places, str]:
    """The classes of those that are not the only ones of theirs, and no lists of modules."""
    clusters: list[list[Places]] = []
    by_stem: dict[str, list[list[Places]]] = {}
    for key, module in sorted(modules.items(), key=lambda item: -len(item[1].children)):
        if module.sequence:
            continue
        alike = by_stem.setdefault(module.stem, [])
        cluster = next((found for found in alike if module.like(modules[found[0]])), None)
        if cluster is None:
            cluster = []
            alike.append(cluster)
            clusters.append(cluster)
        cluster.append(key)
    taken = UniqueNames()
    names: dict[Places, str] = {}
    for cluster in _merged(clusters, modules):
        if len(cluster) > 1:
            ((stem, _),) = Counter(modules[key].stem for key in cluster).most_common(1)
            names |= dict.fromkeys(cluster, taken.give(stem))
    return names


def _merged(clusters: Sequence[list[Places]], modules: dict[Places, _Module]) -> list[list[Places]]:
    """Clusters whose largest modules have the same children, under other names, are one."""
    found: dict[tuple[tuple[str, str], ...], list[Places]] = {}
    for cluster in clusters:
        children = tuple(modules[cluster[0]].children.items())
        found.setdefault(children, []).extend(cluster)
    return list(found.values())
