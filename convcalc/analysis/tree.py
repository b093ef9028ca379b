"""A network as a tree of its spec's own blocks: rows that say what stands where, and what it costs.

The tree follows `Network.groups`. A chain of groups that hold one thing each is one row; a group with one windowed or
weighted layer at the most is one row, that of the layer with what belongs to it. Repetitions that are equal in
everything shown, and in everything shown below them, are one row with their count.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from ..layers.base import Layer
from .figures import Figures, Subject
from .quantity import Quantity, Shaped, Value, number

SIGNS = {"Add": " + ", "Multiply": " × "}
"""Family of a join of equal shapes -> what stands between its branches."""


class Row(NamedTuple):
    """A block, a layer, or several equal repetitions of one."""

    subject: Subject
    """The block or layer; the first of equal ones."""
    label: str
    """Its path below the row above it: `conv1`, `1–2`, `body.bottleneck`."""
    path: str
    """Its path in the network: `conv2_x.1–2`."""
    what: str
    """What it is, where its name does not say it: a kind, a block's name, `3 × residual`."""
    values: tuple[Value, ...]
    """The figures, in the order of the quantities; of each one where there are several."""
    rows: tuple[Row, ...] = ()
    """What is shown below it."""
    times: int = 1
    """How many equal repetitions it stands for."""


def tree(
    figures: Figures,
    quantities: Sequence[Quantity],
    depth: int | None = 1,
    by: Quantity | None = None,
    top: int | None = None,
) -> list[Row]:
    """The rows of the stages, with those below them down to `depth` levels (None: all, down to every layer).

    Siblings stand in the spec's order or sorted `by` a quantity, the first `top` of them.

    >>> from convcalc import loads
    >>> from convcalc.analysis.quantities import quantity
    >>> layers = "[{conv2d: {out: 8, k: 3, p: 1}, repeat: 3, name: stem}, relu]"
    >>> figures = Figures(loads(f"{{convcalc: 1, input: [8, 32, 32], layers: {layers}}}"))
    >>> [(row.label, row.what, row.values) for row in tree(figures, [quantity("params")])]
    [('stem', '3 × conv2d', (1752,)), ('relu', '', (0,))]
    """
    return _Growth(figures, quantities, by, top).grown(depth)


def fitting(
    figures: Figures,
    quantities: Sequence[Quantity],
    most: int,
    by: Quantity | None = None,
    top: int | None = None,
) -> list[Row]:
    """The deepest tree of at most `most` rows; the stages are shown however many they are."""
    growth = _Growth(figures, quantities, by, top)
    found, depth = growth.grown(1), 1
    while True:
        depth += 1
        deeper = growth.grown(depth)
        if not size(found) < size(deeper) <= most:
            return found
        found = deeper


def size(rows: Sequence[Row]) -> int:
    """How many rows these are with all below them."""
    return sum(1 + size(row.rows) for row in rows)


def arranged(figures: Figures, subjects: list[Subject], by: Quantity | None, top: int | None) -> list[Subject]:
    """Subjects sorted by a quantity (numbers from the largest, words from a), cut to the first `top`."""
    if by is not None:
        keys = [sort_key(by.get(figures, subject)) for subject in subjects]
        subjects = [subjects[i] for i in order(keys)]
    return subjects if top is None else subjects[:top]


def sort_key(value: Value) -> int | Fraction | str | None:
    """What a value is sorted by: its number, word, or the elements of its shape; None for what has none."""
    if not isinstance(value, Shaped):
        return value
    if not isinstance(value.raw, tuple):
        return number(value)
    sizes = [size for size in value.raw if isinstance(size, int)]
    return prod(sizes) if sizes and len(sizes) == len(value.raw) else None


def order(keys: Sequence[int | Fraction | str | None]) -> list[int]:
    """The places of keys in their order: numbers from the largest, words from a, what has none last."""
    known = [i for i, key in enumerate(keys) if key is not None]
    words = any(isinstance(key, str) for key in keys)
    known.sort(key=lambda i: keys[i], reverse=not words)  # type: ignore[arg-type, return-value]
    return known + [i for i, key in enumerate(keys) if key is None]


class _Facts(NamedTuple):
    """What a row says of a subject at any depth."""

    inner: Subject
    """The end of the chain that begins with it."""
    below: list[Subject]
    opens: bool
    """Whether there is something to show below it at a numbered depth."""
    what: str
    each: str
    """What it says of each thing below it."""
    values: tuple[Value, ...]


class _Growth:
    """A tree that is grown to one depth after another; what is known of a subject is kept."""

    def __init__(
        self,
        figures: Figures,
        quantities: Sequence[Quantity],
        by: Quantity | None,
        top: int | None,
    ) -> None:
        self.figures = figures
        self.quantities = quantities
        self.by = by
        self.top = top
        self.depth: int | None = None
        self._known: dict[tuple[str, bool], _Facts] = {}

    def grown(self, depth: int | None) -> list[Row]:
        """The rows down to a depth (None: all)."""
        self.depth = depth
        return self.rows(self.figures.stages, "", 1, "")

    def rows(self, subjects: Sequence[Subject], parent: str, level: int, said: str) -> list[Row]:
        """The rows of siblings below the path `parent`, whose row has `said` what each of them is."""
        found = _joined([self._row(subject, parent, level, said) for subject in subjects])
        if self.by is not None:
            by = self.by
            found = [found[i] for i in order([sort_key(by.get(self.figures, row.subject)) for row in found])]
        return found if self.top is None else found[: self.top]

    def _row(self, subject: Subject, parent: str, level: int, said: str) -> Row:
        facts = self._facts(subject, said)
        opens = len(facts.below) > 1 if self.depth is None else facts.opens and level < self.depth
        path = facts.inner.name if opens else subject.name
        rows = self.rows(facts.below, facts.inner.name, level + 1, facts.each) if opens else []
        label = path.removeprefix(f"{parent}.") if parent else path
        what = "" if facts.what == label.rpartition(".")[2] else facts.what
        return Row(subject, label, path, what, facts.values, tuple(rows))

    def _facts(self, subject: Subject, said: str) -> _Facts:
        key = (subject.name, subject.group is None)
        found = self._known.get(key)
        if found is None:
            figures = self.figures
            inner = _innermost(figures, subject)
            below = _below(figures, inner)
            what, each = _what(figures, subject, inner, below, said)
            values = tuple([None if quantity.words else quantity.get(figures, subject) for quantity in self.quantities])
            opens = len(below) > 1 and _cores(figures, inner) > 1
            found = self._known[key] = _Facts(inner, below, opens, what, each, values)
        return found


def _joined(rows: list[Row]) -> list[Row]:
    """Neighbours that are numbered and equal in everything shown, as one row with their count."""
    found: list[Row] = []
    first = ""
    for row in rows:
        before = found[-1] if found else None
        number = row.label.partition(".")[0]
        if before is None or not number.isdecimal() or not _equal(before, row):
            found.append(row)
            first = number
            continue
        end = len(before.path) - len(before.label)
        rest = row.label[len(number) :]
        label = f"{first}–{number}{rest}"
        found[-1] = before._replace(label=label, path=before.path[:end] + label, times=before.times + 1)
    return found


def _equal(one: Row, other: Row) -> bool:
    """Whether two numbered rows differ in their number alone."""
    return (
        one.label[:1].isdecimal()
        and one.label.partition(".")[2] == other.label.partition(".")[2]
        and one.what == other.what
        and one.values == other.values
        and len(one.rows) == len(other.rows)
        and all(map(_same, one.rows, other.rows))
    )


def _same(one: Row, other: Row) -> bool:
    return (
        (one.label, one.what, one.values, one.times) == (other.label, other.what, other.values, other.times)
        and len(one.rows) == len(other.rows)
        and all(map(_same, one.rows, other.rows))
    )


def _below(figures: Figures, subject: Subject) -> list[Subject]:
    """The groups and layers right below a group; none below a layer. Empty branches are left out."""
    if subject.group is None:
        return []
    network = figures.network
    nodes, groups = network.nodes, network.groups
    prefix = f"{subject.name}."
    index, stop = subject.group.start, subject.group.stop
    found: list[Subject] = []
    while index < stop:
        name = nodes[index].name
        group = groups.get(prefix + name[len(prefix) :].partition(".")[0]) if name.startswith(prefix) else None
        if group is not None and group.start == index < group.stop <= stop:
            found.append(Subject(group.path, range(index, group.stop), group.output, group))
            index = group.stop
        else:
            found.append(Subject(name, (index,), index))
            index += 1
    return found


def _innermost(figures: Figures, subject: Subject) -> Subject:
    """The end of a chain of groups that hold one thing each."""
    below = _below(figures, subject)
    while len(below) == 1:
        subject = below[0]
        below = _below(figures, subject)
    return subject


def _cores(figures: Figures, subject: Subject) -> int:
    """Layers of a subject that slide a window or multiply."""
    return sum(_is_core(figures, i) for i in subject.nodes)


def _is_core(figures: Figures, index: int) -> bool:
    layer = figures.node(index).layer
    return layer is not None and (layer.weighted or layer.patch is not None)


def _what(figures: Figures, subject: Subject, inner: Subject, below: Sequence[Subject], said: str) -> tuple[str, str]:
    """What a subject is in words, and what they say of each thing below it; `said`: what the row above says of it."""
    group = subject.group
    if group is not None and group.is_repeat:
        items = _below(figures, subject)
        kinds = {_own_kind(figures, item) for item in items}
        if len(items) > 1:
            each = kinds.pop() if len(kinds) == 1 else ""
            return f"{len(items)} × {each}".rstrip(" ×") if each else "", each
    own = _own_kind(figures, subject)
    return (_composition(figures, below) if own == said else own), ""


def _own_kind(figures: Figures, subject: Subject) -> str:
    """The block's name, the layer's or the join's kind; of what is one layer with what belongs to it, the layer's."""
    while subject.group is not None:
        group = subject.group
        if group.kind == "split" and not group.is_block:
            return figures.node(subject.nodes[0]).kind
        if group.is_named:
            return group.kind
        below = _below(figures, subject)
        if len(below) != 1:
            cores = [i for i in subject.nodes if _is_core(figures, i)]
            return figures.node(cores[0]).kind if len(cores) == 1 else ""
        subject = below[0]
    return figures.node(subject.nodes[0]).kind


def _composition(figures: Figures, below: Sequence[Subject]) -> str:
    """How the branches of a block with one join meet: `bottleneck + projection`; empty where there is no join."""
    joins = [
        layer
        for item in below
        if item.group is None and (layer := figures.node(item.nodes[0]).layer) is not None and layer.joins
    ]
    if len(joins) != 1:
        return ""
    branches = [item for item in below if item.group is not None and item.group.is_branch]
    sign = SIGNS.get(joins[0].family)
    if sign is None or not branches:
        return joins[0].kind
    most = max(_cores(figures, branch) for branch in branches)
    return sign.join(_branch(figures, branch, joins[0], most) for branch in branches)


def _branch(figures: Figures, branch: Subject, join: Layer, most: int) -> str:
    """A branch in a word: its kind or its name; `projection` for the 1×1 convolution beside the longer branch of a sum.

    Source of the word: He et al. 2015, arXiv:1512.03385, Section 3.2.
    """
    cores = [figures.node(i).layer for i in branch.nodes if _is_core(figures, i)]
    layer = cores[0] if len(cores) == 1 and most > 1 and join.family == "Add" else None
    if layer is not None and layer.multiplies == "convolution" and layer.patch is not None:
        if set(layer.patch.kernel_size) == {1}:
            return "projection"
    return _own_kind(figures, branch) or branch.name.rpartition(".")[2]
