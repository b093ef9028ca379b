"""A run: what is done of a plan, and a row for each candidate, in SQLite.

One connection writes, a transaction a chunk. It is never without a transaction, so that it has SQLite's RESERVED lock:
a second writer is refused, others read what stands, and the lock goes with the process. The journal is a rollback
journal rather than a write-ahead log: between two chunks the one file is the whole run, on network file systems too,
and a chunk that was broken off is rolled back by who opens the file next.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from math import isinf
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..hints import suggest
from ..language.names import shown
from ..limits import MESSAGE_CHARACTERS
from .cells import Cell, setting
from .chunks import Chunk
from .conditions import Condition
from .faults import Doing, damaged, quoted, said
from .found import Refusals
from .layout import Bound, bound, fields, kept_setting, refusal_id, unbound
from .objectives import Objective
from .opening import created, differing, in_memory, is_nothing, manifest_of, opened
from .plan import Plan
from .selecting import chosen, ordered

if TYPE_CHECKING:
    from .join import Join

BATCH = 200
"""Rows that are read at once."""
MOST_RANGES = 100_000
"""Ranges that are done with something missing between them; a run has as many as there are workers."""


class Row(NamedTuple):
    """A candidate of a run."""

    number: int
    values: tuple[Cell, ...]
    """One for each of `Store.axes`."""
    figures: tuple[Cell, ...]
    """One for each of `Store.figures`."""
    fits: bool
    code: str | None = None
    message: str | None = None
    """Why there is no network of it."""


class Summary(NamedTuple):
    """What a run has come to."""

    candidates: int
    """Those of the space; of a run that wants so many that fit, those that may be tried."""
    tried: int
    kept: int
    """Rows: all that were tried, or, of a run that wants so many that fit, these and the refused ones."""
    refused: dict[str, int]
    """Code -> candidates that there is no network of."""
    fitting: int
    best: Row | None
    """The first of the rows that fit, in the order of the plan."""

    @property
    def built(self) -> int:
        """Candidates that there is a network of, among those tried."""
        return self.tried - sum(self.refused.values())


class Store:
    """A run. `create`, `resume` and `memory` make one that is written, `open` one that is read."""

    def __init__(
        self, connection: sqlite3.Connection, path: str | None, plan: Plan, doing: Doing, join: Join | None = None
    ) -> None:
        self.path = path
        self.plan = plan
        self.axes = plan.space.names
        """The names of axes and derived values."""
        self.figures = (*(asked.name for asked in plan.asked), *plan.joined)
        """The names of what is asked, then of what is joined."""
        self._join = join
        self._doing = doing
        self._connection = connection
        self._fields = fields(len(self.axes), len(self.figures))
        self._columns = dict(zip((*self.axes, *self.figures), self._fields, strict=True))
        try:
            with said(path, doing):
                self.done = self._ranges()
                query = "SELECT count(*), count(*) FILTER (WHERE fits = 1) FROM candidates"
                kept, self.fitting = connection.execute(query).fetchone()
                if kept > self.tried:
                    raise damaged(path, "it has rows of candidates that are not done")
        except BaseException:
            connection.close()
            raise

    @classmethod
    def create(cls, path: str, plan: Plan, *, join: Join | None = None, overwrite: bool = False) -> Store:
        """A run in a new file. Raises UsageError."""
        manifest = manifest_of(plan, join.sha256 if join else "")
        return cls(created(path, plan, manifest, overwrite), path, plan, "write", join)

    @classmethod
    def memory(cls, plan: Plan, *, join: Join | None = None) -> Store:
        """A run in memory."""
        return cls(in_memory(plan, manifest_of(plan, join.sha256 if join else "")), None, plan, "write", join)

    @classmethod
    def resume(cls, path: str, plan: Plan, *, join: Join | None = None) -> Store:
        """A run in a file, to go on with; a new one where there is none. Raises UsageError for one of another plan."""
        if is_nothing(path):
            return cls.create(path, plan, join=join, overwrite=True)
        connection, manifest, _ = opened(path, write=True)
        differences = differing(manifest, manifest_of(plan, join.sha256 if join else ""))
        if differences:
            connection.close()
            more = f", and {len(differences) - 3} more" if len(differences) > 3 else ""
            raise UsageError(
                f"{quoted(path)} is another sweep: {'; '.join(differences[:3])}{more}",
                "go on with the words of that run, or name another file",
            )
        return cls(connection, path, plan, "write", join)

    @classmethod
    def open(cls, path: str) -> Store:
        """A run in a file, finished or not, to read. Raises UsageError."""
        connection, _, plan = opened(path, write=False)
        return cls(connection, path, plan, "read")

    def close(self) -> None:
        """Let go of the file; a chunk that is not whole is not kept."""
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def tried(self) -> int:
        """Candidates that are done."""
        return sum(stop - start for start, stop in self.done)

    def _ranges(self) -> list[tuple[int, int]]:
        """The numbers that are done, as ranges that do not touch, in order."""
        size = self.plan.space.size
        merged: list[tuple[int, int]] = []
        for start, stop in self._connection.execute("SELECT start, stop FROM chunks ORDER BY start"):
            end = merged[-1][1] if merged else 0
            if not (isinstance(stop, int) and end <= start < stop <= size) or len(merged) > MOST_RANGES:
                raise damaged(self.path, "its chunks are no ranges of its candidates")
            if merged and start == end:
                merged[-1] = merged[-1][0], stop
            else:
                merged.append((start, stop))
        return merged

    def missing(self) -> Iterator[tuple[int, int]]:
        """The ranges of numbers that are not done."""
        begin = 0
        for start, stop in [*self.done, (self.plan.space.size, self.plan.space.size)]:
            if begin < start:
                yield begin, start
            begin = stop

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk, whole or not at all. Raises UsageError, `FullDisk` where there is no room."""
        with self._transaction():
            added = self._insert(chunk)
        self.done = _with(self.done, chunk.start, chunk.stop)
        self.fitting += added
        self._hold()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it is kept, or nothing."""
        with said(self.path, "write"):
            try:
                if not self._connection.in_transaction:
                    self._hold()
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _hold(self) -> None:
        """Begin the next transaction, so that nobody else writes."""
        with said(self.path, "write"):
            self._connection.execute("BEGIN IMMEDIATE")

    def _insert(self, chunk: Chunk) -> int:
        """The rows of a chunk; how many of them fit."""
        connection = self._connection
        refusals: list[int | None] = [None] * len(chunk.numbers)
        for place, code, message in chunk.refused:
            refusals[place] = refusal_id(code, message)
        messages = {(refusals[place], code, message) for place, code, message in chunk.refused}
        connection.executemany("INSERT OR IGNORE INTO refusals VALUES (?, ?, ?)", messages)
        fits, joined = self._joined(chunk)
        columns = [
            *([kept_setting(value) for value in column] for column in chunk.values),
            *([bound(figure) for figure in column] for column in (*chunk.figures, *joined)),
        ]
        marks = ", ".join("?" * (3 + len(columns)))
        rows = zip(chunk.numbers, map(int, fits), refusals, *columns, strict=True)
        connection.executemany(f"INSERT INTO candidates VALUES ({marks})", rows)
        connection.execute("INSERT INTO chunks VALUES (?, ?)", (chunk.start, chunk.stop))
        return sum(fits)

    def _joined(self, chunk: Chunk) -> tuple[list[bool], list[list[Cell]]]:
        """Which candidates fit, and the columns that are joined."""
        if self._join is None:
            return chunk.fits, [[None] * len(chunk.numbers) for _ in self.plan.joined]
        return self._join.of(self.plan, chunk)

    def finished(self) -> bool:
        """Whether nothing is left to do. What was tried beyond the last candidate that is wanted is let go."""
        if next(self.missing(), None) is None and self.plan.wanted is None:
            return True
        last = self._last_wanted()
        if last is None:
            return next(self.missing(), None) is None
        if self.done != [(0, last + 1)]:
            self._trim(last)
        return True

    def _last_wanted(self) -> int | None:
        """The number of the last candidate that is wanted, where all before it are done."""
        wanted = self.plan.wanted
        if wanted is None or self.fitting < wanted or not self.done or self.done[0][0] != 0:
            return None
        with said(self.path, self._doing):
            query = "SELECT number FROM candidates WHERE fits = 1 ORDER BY number LIMIT 1 OFFSET ?"
            (last,) = self._connection.execute(query, (wanted - 1,)).fetchone()
        return int(last) if last < self.done[0][1] else None

    def _trim(self, last: int) -> None:
        connection = self._connection
        with self._transaction():
            connection.execute("DELETE FROM candidates WHERE number > ?", (last,))
            connection.execute(
                "DELETE FROM refusals WHERE id NOT IN (SELECT refusal FROM candidates WHERE refusal IS NOT NULL)"
            )
            connection.execute("DELETE FROM chunks")
            connection.execute("INSERT INTO chunks VALUES (0, ?)", (last + 1,))
        self.done = [(0, last + 1)]
        self.fitting = self.plan.wanted or 0
        self._hold()

    def rows(
        self,
        where: Sequence[Condition] = (),
        sort: Sequence[Objective] = (),
        top: int | None = None,
        *,
        fitting: bool = False,
    ) -> Iterator[Row]:
        """The rows that are so, in this order (that of their numbers where none is given), at most `top` of them.

        A condition and an order may be of any axis, derived value or figure of the run. Raises UsageError.
        """
        self._require([*(condition.asked.name for condition in where), *(objective.name for objective in sort)])
        terms, values = chosen(self._connection, where, self._columns)
        order = ordered(self._connection, sort, self._columns)
        if fitting:
            terms.append("fits = 1")
        return self._select(terms, order, values, top)

    def row(self, number: int) -> Row:
        """The row of a candidate. Raises UsageError where the run has none of that number."""
        found = next(self._select(["number = ?"], "number", [bound(number)], 1), None)
        if found is None:
            size = self.plan.space.size
            raise UsageError(f"the run has no row {number}", f"candidates are 0 to {size - 1}; not all need be done")
        return found

    def count(self, where: Sequence[Condition] = (), *, fitting: bool = False) -> int:
        """How many rows there is a network of are so."""
        self._require([condition.asked.name for condition in where])
        terms, values = chosen(self._connection, where, self._columns)
        terms += ["refusal IS NULL", *(["fits = 1"] if fitting else [])]
        with said(self.path, "read"):
            query = f"SELECT count(*) FROM candidates WHERE {' AND '.join(terms)}"
            (found,) = self._connection.execute(query, values).fetchone()
        return int(found)

    def refusals(self) -> list[Refusals]:
        """Why there is no network of candidates, by code."""
        query = (
            "SELECT code, total, message, number FROM (SELECT code, count(*) AS total, min(number) AS number "
            "FROM candidates JOIN refusals ON refusals.id = refusal GROUP BY code) JOIN candidates USING (number) "
            "JOIN refusals USING (code) WHERE refusals.id = refusal ORDER BY code"
        )
        with said(self.path, "read"):
            found = self._connection.execute(query).fetchall()
        return [
            Refusals(_told(code), int(total), _told(message), int(number)) for code, total, message, number in found
        ]

    def front(self, objectives: Sequence[Objective], where: Sequence[Condition] = ()) -> list[int]:
        """The numbers of the candidates on the front, among the rows that fit and are as `where` demands."""
        from .front import column, front

        self._require([*(condition.asked.name for condition in where), *(objective.name for objective in objectives)])
        terms, values = chosen(self._connection, where, self._columns)
        rows = f"FROM candidates WHERE {' AND '.join([*terms, 'fits = 1'])}"
        columns = []
        with said(self.path, "read"):
            for field in ("number", *(self._columns[objective.name] for objective in objectives)):
                kinds = self._connection.execute(f"SELECT DISTINCT typeof({field}) {rows}", values).fetchall()
                cells = self._connection.execute(f"SELECT {field} {rows} ORDER BY number", values)
                columns.append(column({kind for (kind,) in kinds}, (kept for (kept,) in cells)))
        numbers, *measured = columns
        return [int(numbers[at]) for at in front(measured, [each.maximize for each in objectives])]  # type: ignore[arg-type]

    def kinds(self) -> tuple[list[set[str]], list[set[str]]]:
        """What SQLite's types of the cells are, of each axis and of each figure."""
        if not self._fields:
            return [], []
        with said(self.path, "read"):
            query = f"SELECT {', '.join(f'group_concat(DISTINCT typeof({field}))' for field in self._fields)}"
            row = self._connection.execute(f"{query} FROM candidates").fetchone()
        found = [set((kinds or "").split(",")) - {""} for kinds in row]
        return found[: len(self.axes)], found[len(self.axes) :]

    def _require(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._columns:
                raise UsageError(f"the run has no column {shown(name)}", suggest(name, self._columns))

    def _select(self, terms: Sequence[str], order: str, values: Sequence[Bound], top: int | None) -> Iterator[Row]:
        """Rows, a few at a time: nothing holds the file between them, so that a run goes on while it is looked at."""
        where = " AND ".join(terms) or "1"
        query = f"SELECT number FROM candidates WHERE {where} ORDER BY {order} LIMIT ?"
        with said(self.path, "read"):
            found = self._connection.execute(query, (*values, -1 if top is None else min(top, self.plan.space.size)))
            numbers = array("q", (number for (number,) in found))
        for start in range(0, len(numbers), BATCH):
            yield from self._numbered(numbers[start : start + BATCH])

    def _numbered(self, numbers: Sequence[int]) -> Iterator[Row]:
        """The rows of these numbers, in this order."""
        fields = "".join(f", {field}" for field in self._fields)
        marks = ", ".join("?" * len(numbers))
        query = (
            f"SELECT number, fits, code, message{fields} FROM candidates "
            f"LEFT JOIN refusals ON refusals.id = refusal WHERE number IN ({marks})"
        )
        with said(self.path, "read"):
            kept = {row[0]: row for row in self._connection.execute(query, numbers)}
        return (self._row(kept[number]) for number in numbers if number in kept)

    def _row(self, kept: tuple[Bound, ...]) -> Row:
        number, fits, code, message, *cells = kept
        if not isinstance(number, int) or fits not in (0, 1) or not 0 <= number < self.plan.space.size:
            raise damaged(self.path, "a row is of no candidate")
        values = tuple(cells[: len(self.axes)])
        if any(isinstance(value, float) and isinf(value) for value in values):
            raise damaged(self.path, "a row has an endless value, as no candidate has")
        if None in values or any(isinstance(value, bytes) for value in values):
            values = tuple(self._settings(number))
        figures = tuple(map(unbound, cells[len(self.axes) :]))
        words = None if code is None else _told(code), None if message is None else _told(message)
        return Row(number, values, figures, bool(fits), *words)  # type: ignore[arg-type]

    def _settings(self, number: int) -> Iterator[Cell]:
        """The values of a candidate, made again of its number: some are too long to be kept."""
        for value in self.plan.space.candidate(number).values:
            yield None if value is None else setting(value)

    def summary(self) -> Summary:
        """What the run has come to so far."""
        with said(self.path, "read"):
            (kept,) = self._connection.execute("SELECT count(*) FROM candidates").fetchone()
            query = "SELECT code, count(*) FROM candidates JOIN refusals ON refusals.id = refusal GROUP BY 1 ORDER BY 1"
            refused = self._connection.execute(query).fetchall()
        best = next(self.rows(sort=self.plan.order, top=1, fitting=True), None)
        counts = {str(code): int(count) for code, count in refused}
        return Summary(self.plan.space.size, self.tried, kept, counts, self.fitting, best)


def _told(kept: Bound) -> str:
    """The code or the message of a file, as long as one may be."""
    return str(kept)[:MESSAGE_CHARACTERS]


def _with(ranges: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Ranges that do not touch, with one more among them.

    >>> _with([(0, 4), (8, 9)], 4, 8), _with([(0, 1)], 5, 6)
    ([(0, 9)], [(0, 1), (5, 6)])
    """
    merged: list[tuple[int, int]] = []
    for each in sorted([*ranges, (start, stop)]):
        if merged and each[0] <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], each[1])
        else:
            merged.append(each)
    return merged
