"""A run as it is looked at: the rows of its front or the best, how many fit, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..analysis.quantities import quantity
from ..findings import UsageError
from ..hints import suggest
from .asked import Options
from .cells import Cell, magnitude
from .conditions import Condition, read_conditions, read_near
from .found import Cloud, Excluded, Found, FoundRow, Goal, Nearest, Shown
from .objectives import Objective

if TYPE_CHECKING:
    from .plan import Plan
    from .store import Row, Store, Summary

TOP = 20
"""Rows that are shown where nobody says how many; fronts are shown whole."""
MOST_DRAWN = 2_000
"""Points of a cloud beside the rows that are shown."""


class View:
    """What is shown of a run: `plan` is its own, or one with other conditions, objectives, order and columns."""

    def __init__(self, store: Store, plan: Plan | None = None) -> None:
        self.store = store
        self.plan = plan or store.plan
        self.columns = list(_columns(store, self.plan))
        self._places = {name: place for place, name in enumerate((*store.axes, *store.figures))}
        axes = {name: place for place, name in enumerate(store.axes)}
        self._shown_places = [
            axes[column.name] if column.kind == "axis" else self._places[column.name] for column in self.columns
        ]
        self.conditions = self.plan.conditions if self.plan is not store.plan else ()
        """Those beside the run's own, which its rows know."""

    def rows(self, top: int | None = None) -> Iterator[FoundRow]:
        """What fits, the best first; the rows of the front where there is one."""
        if self.plan.objectives:
            numbers = self.front()
            found = (row for row in self._fitting(self._order) if row.number in numbers)
            return islice(map(self._shown, found), None if top is None else min(top, len(numbers)))
        return map(self._shown, self._fitting(self._order, top))

    def front(self) -> frozenset[int]:
        """The numbers of the rows on the front. Raises UsageError for an objective that the run does not have."""
        return frozenset(self.store.front(self.plan.objectives, self.conditions))

    def fit(self) -> int:
        """How many candidates fit."""
        return self.store.count(self.conditions, fitting=True)

    def found(
        self,
        seconds: float | None = None,
        plot: Sequence[str] = (),
        top: int | None = None,
        every: bool = False,
        drawn: bool = False,
    ) -> Found:
        """All that is shown: `top` rows, or `every` one; and the cloud of the two columns that `plot` names, or, where
        it is `drawn` all the same, of the first objectives or figures.
        """
        store, plan = self.store, self.plan
        summary = store.summary()
        refused = store.refusals()
        built = summary.tried - sum(each.candidates for each in refused)
        on_front = self.front() if plan.objectives else frozenset()
        fit = self.fit()
        of = len(on_front) if plan.objectives else fit
        top = plan.top if top is None else top
        if top is None and not plan.objectives:
            top = TOP
        rows = list(self.rows(None if every else top))
        shown = on_front.union(row.number for row in rows)
        return Found(
            plan.spec,
            name_of(plan),
            dict(_searched(plan)),
            summary.candidates,
            summary.tried,
            built,
            fit,
            sorted(refused, key=lambda each: -each.candidates),
            list(self._excluded(built, fit)) if fit < built and plan.wanted is None else [],
            seconds,
            self._what(),
            of,
            self.columns,
            rows,
            store.path,
            _finished(plan, summary),
            [] if store.axes else [*plan.document.params, *(["variant"] if plan.document.variants else []), "input"],
            self._cloud(plot, fit, shown, on_front) if fit and (plot or drawn) else None,
        )

    def _what(self) -> str:
        if self.plan.objectives:
            return f"front of {', '.join(map(str, self.plan.objectives))}"
        order = self.plan.order
        if not order:
            return "what fits, by number"
        said = [f"{'most' if each.maximize else 'least'} {each.name}" for each in order]
        return ", then ".join(said)

    @property
    def _order(self) -> Sequence[Objective]:
        return self.plan.order or self.plan.objectives[:1]

    def _fitting(self, order: Sequence[Objective] = (), top: int | None = None) -> Iterator[Row]:
        return self.store.rows(self.conditions, order, top, fitting=True)

    def _shown(self, row: Row) -> FoundRow:
        cells = _cells(row)
        return FoundRow(row.number, tuple([cells[place] for place in self._shown_places]))

    def _excluded(self, built: int, fit: int) -> Iterator[Excluded]:
        """What each condition leaves out of what builds, from the one that leaves out most."""
        found = []
        demands = [(text, read_conditions(text, self.plan.joined)) for text in dict.fromkeys(self.plan.where)]
        demands += [(text, read_near(text)) for text in dict.fromkeys(self.plan.near)]
        for text, conditions in demands:
            nearest = None if fit or len(conditions) > 1 else self._nearest(conditions[0])
            found.append(Excluded(text, built - self.store.count(conditions), nearest))
        return iter(sorted(found, key=lambda each: -each.candidates))

    def _nearest(self, condition: Condition) -> Nearest | None:
        """The candidate with least of what has an upper bound, or with most of what has a lower one."""
        if condition.op not in ("<", "<=", ">", ">="):
            return None
        name = condition.asked.name
        columns = {column.name: column for column in _every(self.store, self.plan)}
        least = Objective(condition.asked, condition.op in (">", ">="), condition.joined)
        row = next(self.store.rows((), [least], 1), None)
        cell = None if row is None or name not in columns else _cells(row)[self._places[name]]
        return None if row is None or cell is None else Nearest(row.number, columns[name], cell)

    def _cloud(self, plot: Sequence[str], fit: int, shown: Set[int], on_front: frozenset[int]) -> Cloud | None:
        """Two columns of what fits, of many rows of those that are shown and of every so manieth; None where there are
        no two with numbers.
        """
        x, y = self._axes(plot)
        if x is None or y is None:
            return None
        step = -(-fit // MOST_DRAWN)
        points: list[tuple[int, int | float, int | float]] = []
        left_out = 0
        for place, row in enumerate(self._fitting()):
            if place % step and row.number not in shown:
                left_out += 1
                continue
            cells = _cells(row)
            across, up = magnitude(cells[self._places[x.name]]), magnitude(cells[self._places[y.name]])
            if across is not None and up is not None:
                points.append((row.number, across, up))
        return Cloud(x, y, points, on_front, left_out)

    def _axes(self, plot: Sequence[str]) -> tuple[Shown | None, Shown | None]:
        known = {column.name: column for column in _every(self.store, self.plan)}
        if plot:
            refuse_unknown(plot, self.store.plan)
            x, y = plot
            return known[x], known[y]
        names = [each.name for each in self.plan.objectives if each.name in known]
        names += [each.name for each in self.columns if each.kind != "axis" and each.unit]
        first = list(dict.fromkeys(names))[:2]
        return (known[first[0]], known[first[1]]) if len(first) == 2 else (None, None)


def refuse_unknown(plot: Sequence[str], plan: Plan) -> None:
    """Raise UsageError where the rows of a plan do not have what is drawn."""
    known = (*plan.space.names, *(asked.name for asked in plan.asked), *plan.joined)
    for name in plot:
        if name not in known:
            hint = suggest(name, known, f"it has {', '.join(known)}; --columns adds others")
            raise UsageError(f"--plot: the run has no column '{name}'", hint)


def name_of(plan: Plan) -> str:
    """What the network of a plan is called."""
    return plan.document.text("name") or PurePath(plan.spec).stem.strip("<>")


def _finished(plan: Plan, summary: Summary) -> bool:
    enough = plan.wanted is not None and summary.fitting >= plan.wanted
    return enough or summary.tried == summary.candidates


def _cells(row: Row) -> tuple[Cell, ...]:
    return (*row.values, *row.figures)


def _columns(store: Store, plan: Plan) -> Iterator[Shown]:
    """The columns of the table: the axes, then what is asked for, or all that is asked."""
    wanted = [name.strip() for text in plan.columns for name in text.split(",")]
    every = {column.name: column for column in _every(store, plan) if column.kind != "axis"}
    yield from (column for column in _every(store, plan) if column.kind == "axis")
    for name in wanted or every:
        if name in every:
            yield every[name]
        elif name not in store.axes:
            raise UsageError(f"the run has no column '{name}'", suggest(name, every, f"it has {', '.join(every)}"))


def _every(store: Store, plan: Plan) -> Iterator[Shown]:
    """All columns of a run."""
    goals: dict[str, Goal] = {}
    for objective in (*plan.objectives, *plan.best):
        goals.setdefault(objective.name, "max" if objective.maximize else "min")
    fixed = {str(axis.target) for axis in plan.space.axes if axis.size == 1}
    for name in store.axes:
        yield Shown(name, "axis", fixed=name in fixed)
    for name in store.figures:
        if name in store.plan.joined:
            yield Shown(name, "joined", "", goals.get(name, ""))
            continue
        record = quantity(name.rpartition(".")[2])
        unit = "" if record is None else record.unit
        yield Shown(name, "figure", unit, goals.get(name, ""), record is not None and record.total is not None)


def _searched(plan: Plan) -> Iterator[tuple[str, Sequence[str]]]:
    """What was searched, in the words of the call."""
    for text in (*plan.grid, *plan.range):
        name, _, values = text.partition("=")
        yield name.strip(), (values.strip(),)
    for key, texts in (("let", plan.let), ("require", plan.require), ("input", plan.input), ("set", plan.set)):
        if texts:
            yield key, texts
    if plan.variant is not None:
        yield "variant", (plan.variant,)
    for key, value, usual in zip(Options._fields, plan.options, Options(), strict=True):
        if value != usual:
            yield key, (str(value),)
    if plan.random is not None:
        yield "random", (f"{plan.random:,} with seed {plan.seed}",)
    for key, texts in (("where", plan.where), ("near", plan.near)):
        if texts:
            yield key, texts
