"""Which single reading gives most cells of a printed table: every convention, variant and width is tried.

A reading is tried on all cells that are read in one way today: the same quantity in the same unit. How much chance
explains is measured on permuted tables: every cell keeps its size and takes over by how much another cell deviates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ..findings import SpecError, UsageError
from ..language.published import Reading
from ..limits import FILE_STEPS
from ..network import Network, Node, Tied
from .conventions import COUNTED, Writing, candidates, counted, writings
from .figures import Figures, Subject, find
from .forensic_answers import Answer, Control, Forensics, Found
from .forensic_questions import Question, questions
from .looks import Looks
from .permuted import permuted
from .published import Comparison
from .quantities import quantity
from .widths import Widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..language.published import NetworkKey, PrintedCell
    from ..layers.base import Layer, Shape, Shapes

    Numbers = NDArray[np.int64]
    Truths = NDArray[np.bool_]

Starts = Callable[[str, int], None]
"""Called when a network is tried: what is changed in it, and how much work it is."""

MOST_COMBINATIONS = 64
"""Of the params that take words and truth values; where there are more, each is changed alone."""
MOST_NETWORKS = 20_000
MOST_READINGS = 20_000_000
CONTROLS = 100
"""Permuted tables, where there are more than so many."""
CONTROL_WORK = 2_000_000_000
"""Comparisons that all permuted tables take together."""
FEWEST_CONTROLS = 10
MOST_COUNTED = 2**59
"""Of one quantity, so that sums of all stay within 2^63."""


def _refuse_empty(widths: Mapping[str, Sequence[int]]) -> None:
    for path, sizes in widths.items():
        if not sizes:
            raise UsageError(f"the range of widths of '{path}' is empty", "for example 16:64:8")


def _unseen(name: str, work: int) -> None:
    """Nobody is told."""


Elsewhere = tuple[str, ...] | None
"""The tensors of a layer that others hold; None for all of one that shares those of another."""


def _held_elsewhere(node: Node) -> Elsewhere:
    return tuple([tensor for tensor, _ in node.tied]) if node.shares is None else None


class _Values:
    """The counts of a network's layers, each equal layer's computed once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, Shapes, Elsewhere], tuple[int, ...]] = {}
        self._kept: list[Layer] = []
        self._asked = [found for name in COUNTED if (found := quantity(name)) is not None]

    def of(self, network: Network) -> Numbers:
        """A row for each node, with every quantity of `COUNTED`. Raises UsageError where a sum is above 2^59."""
        free = (0,) * len(COUNTED)
        nodes = network.nodes
        rows = [
            free if n.layer is None else self._row(n.layer, network.input_shapes(n), n.shape, _held_elsewhere(n))
            for n in nodes
        ]
        found = np.array(rows, dtype=np.int64)
        if found.sum(axis=0, dtype=np.float64).max() > MOST_COUNTED:
            raise UsageError(f"the figures of {network.name} are above 2^59: too large to search")
        return found

    def _row(self, layer: Layer, inputs: Shapes, output: Shape, elsewhere: Elsewhere) -> tuple[int, ...]:
        found = self._rows.get((id(layer), inputs, elsewhere))
        if found is None:
            read = [Node(f"input{n}", None, (), shape) for n, shape in enumerate(inputs)]
            alone = Node("layer", layer, tuple(range(len(read))), output)
            tied = tuple([Tied(tensor, len(read)) for tensor in elsewhere or ()])
            again = alone._replace(shares=len(read) if elsewhere is None else None, tied=tied)
            figures = Figures(Network("", (*read, alone, *([again] if elsewhere != () else [])), (), {}))
            values = [asked.get(figures, figures.layers[-1]) for asked in self._asked]
            found = self._rows[id(layer), inputs, elsewhere] = tuple(
                [value if isinstance(value, int) else 0 for value in values]
            )
            self._kept.append(layer)
        return found


class Search:
    """What is searched: the cells that are asked for, and every network that is tried; each is built once.

    `table` is a number, counted from 1, or the beginning of a title; `rows` (keys or labels) and `columns` choose
    cells; `widths` are those to try of single layers, by path; with `every` cells are searched too that all follow.
    Raises UsageError for what there is not, SpecError where a reading of the spec cannot be.
    """

    def __init__(
        self,
        network: Network,
        *,
        table: str | None = None,
        rows: Sequence[str] = (),
        columns: Sequence[str] = (),
        widths: Mapping[str, Sequence[int]] | None = None,
        every: bool = False,
    ) -> None:
        self.network = network
        self._unbuilt: set[NetworkKey] = set()
        self._widths = dict(widths or {})
        _refuse_empty(self._widths)
        self._comparison = Comparison(network, looks=Looks())
        self._values = _Values()
        self._changers: dict[object, Widths] = {}
        self._counts: dict[object, Numbers] = {}
        self._subjects: dict[tuple[object, str], Subject | None] = {}
        asked, self._left_out = questions(network, table, rows, columns)
        for path in self._widths:
            Widths(network).layer(path)
        followed = [(question, self._now(question)) for question in asked]
        self.whole = tuple(question for question, now in followed if all(now) and not every)
        self._asked = [(question, now, self._changes(question)) for question, now in followed if every or not all(now)]

    @property
    def parts(self) -> int:
        """How often something starts."""
        return sum(len(changes) + 1 for _, _, changes in self._asked)

    def run(self, top: int = 10, starts: Starts | None = None) -> Forensics:
        """Search; `top` readings of each question are kept. Raises UsageError where there are too many."""
        starts = starts or _unseen
        answers = [self._answer(*asked, top, starts) for asked in self._asked]
        return Forensics(self.network, tuple(answers), self.whole, self._left_out, len(self._unbuilt))

    def _now(self, question: Question) -> tuple[bool, ...]:
        """Which cells follow by their own readings."""
        return tuple(
            self._comparison.text(cell.printed, cell.reading) == cell.printed.text.strip() for cell in question.cells
        )

    def _answer(
        self, question: Question, now: tuple[bool, ...], changes: Sequence[Reading], top: int, starts: Starts
    ) -> Answer:
        """Try everything for one question."""
        first = question.cells[0].reading
        assert first.value is not None
        values = candidates(first.value)
        ways = writings(first.unit, first.round)
        count = len(changes) * len(values) * len(ways)
        if count > MOST_READINGS:
            raise UsageError(
                f"that is {count:,} readings; the most is {MOST_READINGS:,}", "narrow the ranges of --width"
            )
        terms = _Terms(values)
        table = _Table(values, ways, len(question.cells))
        for change in changes:
            starts(str(change) or "the networks as they are", 1)
            found = self._tried(question, change, terms)
            if found is not None:
                table.add(change, found)
        bounds = [_bounds(way, [cell.printed.text for cell in question.cells]) for way in ways]
        scores = table.scores(bounds)
        best = int(max((score.max() for score in scores), default=0))
        starts("permuted tables", 1)
        control = _control(question, table, ways, best)
        return Answer(
            question,
            now,
            table.networks * len(values) * len(ways),
            len(table) * len(ways),
            tuple(table.best(scores, bounds, first, top)),
            best,
            sum(int((score == best).sum()) for score in scores) if best else 0,
            control,
        )

    def _changes(self, question: Question) -> list[Reading]:
        """What may be changed in the networks of a question, nothing first."""
        origin = self.network.origin
        assert origin is not None
        own = [cell.reading for cell in question.cells if not cell.reading.spec]
        changes = [Reading({})]
        if own:
            if not any(reading.variant for reading in own):
                changes += [Reading({"variant": name}) for name in origin.variants]
            changes += [Reading({"with": params}) for params in _combinations(origin.choices)]
        ranges = list(product(*self._widths.values())) if own else [()]
        if len(changes) * len(ranges) > MOST_NETWORKS:
            raise UsageError(
                f"that is {len(changes) * len(ranges):,} networks; the most is {MOST_NETWORKS:,}",
                "narrow the ranges of --width",
            )
        if not self._widths or not own:
            return changes
        plain = [dict(zip(self._widths, sizes, strict=True)) for sizes in ranges]
        return changes + [change.merged(Reading({"widths": sizes})) for change in changes for sizes in plain]

    def _tried(self, question: Question, change: Reading, terms: _Terms) -> Numbers | None:
        """The values of every cell, a column each, under a change; None where a network does not build."""
        columns = []
        for cell in question.cells:
            reading = cell.reading
            if not reading.spec:
                params = {**(reading.params or {}), **(change.params or {})}
                reading = reading.merged(change, *([Reading({"with": params})] if params else []))
            if reading.network in self._unbuilt:
                return None
            try:
                columns.append(self._cell(reading, cell.printed, terms))
            except (SpecError, UsageError):
                self._unbuilt.add(reading.network)
                return None
        return np.stack(columns, axis=1)

    def _cell(self, reading: Reading, printed: PrintedCell, terms: _Terms) -> Numbers:
        """Each of the values at one cell; -1 where there is nothing at its path."""
        origin = self.network.origin
        assert origin is not None
        asked = reading.network
        if asked not in self._counts and origin.steps > FILE_STEPS:
            raise UsageError(f"the networks took more than {FILE_STEPS:,} steps")
        counts = self._counted(asked, reading, printed)
        found = np.zeros(terms.count, dtype=np.int64)
        for path, factors in terms.factors.items():
            sums = self._sum(counts, asked, reading, path, printed)
            if sums is None:
                found[factors.any(axis=1)] = -(2**62)
            else:
                found += factors @ sums
        return np.maximum(found, -1)

    def _counted(self, asked: NetworkKey, reading: Reading, printed: PrintedCell) -> Numbers:
        found = self._counts.get(asked)
        if found is None:
            base = asked._replace(widths=None)
            network = self._comparison.report(reading.merged(Reading({"widths": {}})), printed).network
            if asked.widths:
                changer = self._changers.get(base)
                if changer is None:
                    changer = self._changers[base] = Widths(network)
                return self._values.of(changer.changed(dict(asked.widths)))
            found = self._counts[asked] = self._values.of(network)
        return found

    def _sum(
        self, counts: Numbers, asked: NetworkKey, reading: Reading, path: str, printed: PrintedCell
    ) -> Numbers | None:
        """Every quantity of what stands at a cell's path, and at one from there; None where nothing does."""
        base = "" if reading.at == "total" else reading.at
        where = ".".join(part for part in (base, path) if part) or "total"
        key = (asked._replace(widths=None), where)
        if key not in self._subjects:
            figures = self._comparison.report(reading.merged(Reading({"widths": {}})), printed)
            self._subjects[key] = find(figures, where)
        subject = self._subjects[key]
        return None if subject is None else counts[list(subject.nodes)].sum(axis=0)


class _Terms:
    """Sums of quantities as numbers: for each path, how often each value counts each quantity there."""

    def __init__(self, values: Sequence[str]) -> None:
        self.count = len(values)
        self.factors: dict[str, Numbers] = {}
        for place, value in enumerate(values):
            for path, name in counted(value) or ():
                empty = np.zeros((len(values), len(COUNTED)), dtype=np.int64)
                self.factors.setdefault(path, empty)[place, COUNTED.index(name)] += 1


def _combinations(choices: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """What params that take words and truth values may be set to: all together, or one each where these are many."""
    count = 1
    for taken in choices.values():
        count *= 1 + len(taken)
    if count > MOST_COMBINATIONS:
        return [{name: value} for name, taken in choices.items() for value in taken]
    settings = product(*[[None, *taken] for taken in choices.values()])
    found = [{n: v for n, v in zip(choices, values, strict=True) if v is not None} for values in settings]
    return sorted(filter(None, found), key=len)


class _Table:
    """The values of all readings, each distinct row of them once, with the simplest reading that gives it."""

    def __init__(self, values: Sequence[str], ways: Sequence[Writing], cells: int) -> None:
        self.values = values
        self.ways = ways
        self.networks = 0
        self._cells = cells
        self._rows: dict[bytes, tuple[Reading, int, int]] = {}
        """A row's numbers -> the change of the network, its place among the changes, the place of the value."""
        self._numbers: Numbers | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, change: Reading, found: Numbers) -> None:
        """What each of the values gives under one change of the networks."""
        for place, row in enumerate(np.ascontiguousarray(found)):
            self._rows.setdefault(row.tobytes(), (change, self.networks, place))
        self.networks += 1
        self._numbers = None

    @property
    def numbers(self) -> Numbers:
        """A row for each reading, a column for each cell."""
        if self._numbers is None:
            self._numbers = np.frombuffer(b"".join(self._rows), dtype=np.int64).reshape(-1, self._cells)
        return self._numbers

    def scores(self, bounds: Sequence[tuple[Numbers, Numbers]]) -> list[Numbers]:
        """For each way to write, how many cells each reading gives."""
        return [self._given(low, high).sum(axis=1) for low, high in bounds]

    def _given(self, low: Numbers, high: Numbers) -> Truths:
        found: Truths = (self.numbers >= low) & (self.numbers < high)
        return found

    def best(
        self,
        scores: Sequence[Numbers],
        bounds: Sequence[tuple[Numbers, Numbers]],
        now: Reading,
        top: int,
    ) -> Iterator[Found]:
        """The readings that give most cells, of those that give as many the simple ones first."""
        if not len(self):
            return
        every = np.sort(np.concatenate(scores))[::-1]
        least = max(int(every[min(top, len(every)) - 1]), 1)
        described = list(self._rows.values())
        found: list[tuple[int, int, int, int, int]] = []
        for way, score in enumerate(scores):
            for row in map(int, np.flatnonzero(score >= least)):
                _, number, place = described[row]
                found.append((-int(score[row]), number, self._terms(place), way, row))
        for _, _, _, way, row in sorted(found)[:top]:
            change, _, place = described[row]
            low, high = bounds[way]
            given = self._given(low, high)[row]
            yield Found(self._reading(change, self.values[place], self.ways[way], now), tuple(map(bool, given)))

    def _terms(self, place: int) -> int:
        """How simple a value is: what is read today, then short sums before long ones."""
        return self.values[place].count("+") + 1 if place else 0

    @staticmethod
    def _reading(change: Reading, value: str, way: Writing, now: Reading) -> Reading:
        said: dict[str, object] = {**change.said, "value": value}
        if way.units:
            said["unit"] = dict(way.units)
        if way.round != "half_up" or now.round not in (None, way.round):
            said["round"] = way.round
        return Reading(said)


def _bounds(way: Writing, texts: Sequence[str]) -> tuple[Numbers, Numbers]:
    """(first, stop) of the integers that each text prints."""
    pairs = [way.allowed(text) for text in texts]
    low, high = ([min(pair[end], 2**62) for pair in pairs] for end in (0, 1))
    return np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)


def _control(question: Question, table: _Table, ways: Sequence[Writing], best: int) -> Control:
    """The same search in permuted tables. The first row of the table holds the values of the reading as it is."""
    texts = [cell.printed.text.strip() for cell in question.cells]
    if not len(table) or not best:
        return Control(0, 0, Fraction(0), (0, 0, 0))
    computed = [Fraction(int(n)) for n in table.numbers[0]]
    work = table.numbers.size * len(ways)
    most = max(FEWEST_CONTROLS, min(CONTROLS, CONTROL_WORK // max(work, 1)))
    reached: list[int] = []
    readings = 0
    for table_texts in permuted(texts, computed, ways[0], most):
        scores = table.scores([_bounds(way, table_texts) for way in ways])
        reached.append(int(max(score.max() for score in scores)))
        readings += sum(int((score >= best).sum()) for score in scores)
    if not reached:
        return Control(0, 0, Fraction(0), (0, 0, 0))
    ordered = sorted(reached)
    spread = (ordered[0], ordered[len(ordered) // 2], ordered[-1])
    reaching = sum(score >= best for score in reached)
    return Control(len(reached), reaching, Fraction(readings, len(reached)), spread)
