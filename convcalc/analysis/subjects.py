"""Paths -> subjects: what `at`, `expect` and the command line point at."""

from __future__ import annotations

from fnmatch import fnmatchcase

from .figures import Figures, Subject


def find(figures: Figures, path: str) -> Subject | None:
    """The layer, group, input or `total` at a path; None where there is none.

    A `*` stands for one name of the path (`conv2_x.*.conv1`), `**` for any number of names: the subject is
    then all that match, their costs summed. `conv1..pool5` is everything from one to the other, in order.
    """
    if path == "total":
        return figures.whole
    first, dots, last = path.partition("..")
    if dots:
        return None if ".." in last else _between(path, find(figures, first), find(figures, last))
    network = figures.network
    group = network.groups.get(path)
    if group is not None:
        return Subject(path, range(group.start, group.stop), group.output, group)
    index = figures.index.get(path)
    if index is not None:
        return Subject(path, (index,), index)
    if path == "input":
        inputs = [i for i, node in enumerate(network.nodes) if node.layer is None]
        return Subject("input", inputs, inputs[0] if len(inputs) == 1 else None)
    return _collect(figures, path) if "*" in path else None


def _between(path: str, first: Subject | None, last: Subject | None) -> Subject | None:
    if first is None or last is None or not first.nodes or not last.nodes or first.nodes[0] > last.nodes[-1]:
        return None
    return Subject(path, range(first.nodes[0], last.nodes[-1] + 1), last.output)


def _collect(figures: Figures, pattern: str) -> Subject | None:
    wanted = pattern.split(".")
    nodes: set[int] = set()
    for path, group in figures.network.groups.items():
        if matches(path.split("."), wanted):
            nodes.update(range(group.start, group.stop))
    for i, node in enumerate(figures.network.nodes):
        if matches(node.name.split("."), wanted):
            nodes.add(i)
    ordered = sorted(nodes)
    return Subject(pattern, ordered, ordered[-1]) if ordered else None


def matches(names: list[str], wanted: list[str]) -> bool:
    """Whether the names of a path match a pattern's, `*` within one name and `**` for any number.

    >>> matches(["conv2_x", "0", "conv1"], ["conv2_x", "*", "conv1"]), matches(["a", "b", "c"], ["**", "c"])
    (True, True)
    """
    reached = {0}
    for name in names:
        reached = _skips(reached, wanted)
        following = {at for at in reached if at < len(wanted) and wanted[at] == "**"}
        following |= {
            at + 1 for at in reached if at < len(wanted) and wanted[at] != "**" and fnmatchcase(name, wanted[at])
        }
        reached = following
    return len(wanted) in _skips(reached, wanted)


def _skips(reached: set[int], wanted: list[str]) -> set[int]:
    """The positions in a pattern that are reached when a `**` may stand for nothing."""
    found = set(reached)
    for at in range(len(wanted)):
        if at in found and wanted[at] == "**":
            found.add(at + 1)
    return found
