"""`sweep`: a design space searched. Candidates of a spec's params, variants and inputs, and the best of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..hints import nearest
from ..language.load import SpecOrigin, from_python
from ..language.problems import Problem
from ..language.settled import value_text
from ..language.sources import gallery_names, read
from ..marked import Source
from ..network import Network
from ..readers import code_of, read_row, reader_of
from ..sweep.cells import Cell, distinct
from ..sweep.export import export
from ..sweep.found import Found, FoundRow
from ..sweep.join import Join
from ..sweep.opening import is_run
from ..sweep.plan import Plan
from ..sweep.plan_file import plan_names, plan_path
from ..sweep.planning import planned
from ..sweep.row_spec import plan_spec
from ..sweep.running import Progress
from ..sweep.running import sweep as run
from ..sweep.store import Store
from ..sweep.view import View, name_of
from .load import Spec
from .shown import Shown, frames

if TYPE_CHECKING:
    import pandas

    from ..render.document import Document

Texts = str | Sequence[str]
"""One text, or several."""
Axes = Mapping[str, object]
"""Param, `variant` or `input` -> what it goes through: a list, a `range`, or a text as `--grid` takes it
(`"32:256:8"`), with `,log` behind it as `--range` does."""


class SweptRow(NamedTuple):
    """A candidate that fits.

    >>> import convcalc
    >>> swept = convcalc.sweep("mobilenet_v2", {"width": [0.5, 1]}, maximize="params")
    >>> next(iter(swept))
    SweptRow(number=1, values={'width': 1}, figures={'params': 3504872, 'macs': 300774272})
    """

    number: int
    """Of the candidate, by which `Sweep.spec` and `Sweep.network` know it."""
    values: dict[str, Cell]
    """What it has on each axis, and the derived values."""
    figures: dict[str, Cell]
    """Its figures, and what was joined."""


class Sweep(Shown):
    """What a sweep found; iterating gives the rows that fit, the best first. Printed, it is what the command prints.

    The rows stay where the run is, in the file of `output` or in memory: they are read when they are asked for.

    >>> import convcalc
    >>> with convcalc.sweep("mobilenet_v2", {"width": [0.5, 1]}, where="macs<=250M") as swept:
    ...     swept, [row.values["width"] for row in swept]
    (<Sweep MobileNetV2: 1 of 2 fit>, [0.5])
    """

    seconds: float | None
    """Of the run; None for one that was made before."""

    def __init__(self, store: Store, plan: Plan | None = None, seconds: float | None = None) -> None:
        self._store = store
        self._plan = plan or store.plan
        self.seconds = seconds
        self._view = View(store, self._plan)

    def close(self) -> None:
        """Let go of the run; its rows cannot be read after that. `with` does it too."""
        self._store.close()

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *of_an_error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[SweptRow]:
        return map(self._swept, self._every.rows())

    def __len__(self) -> int:
        return self._view.fit()

    @property
    def _every(self) -> View:
        """What fits, on the front or not."""
        return View(self._store, replace(self._plan, pareto=())) if self._plan.pareto else self._view

    def _swept(self, row: FoundRow) -> SweptRow:
        axes = len(self._store.axes)
        names = [column.name for column in self._view.columns]
        pairs = list(zip(names, row.cells, strict=True))
        return SweptRow(row.number, dict(pairs[:axes]), dict(pairs[axes:]))

    @property
    def best(self) -> SweptRow | None:
        """The first of the rows that fit; None where none does."""
        return next(iter(self), None)

    def front(self, *objectives: str) -> list[SweptRow]:
        """The rows on the Pareto front of these objectives, those of the call without; less is better but for
        `max:receptive_field`. Raises UsageError where there are none, or a name that the run has no column of.
        """
        plan = replace(self._plan, pareto=tuple(objectives)) if objectives else self._plan
        if not plan.objectives:
            raise UsageError("a front is of objectives", 'for example front("params", "macs")')
        return [self._swept(row) for row in View(self._store, plan).rows()]

    def spec(self, number: int) -> str:
        """The spec of a row, as a text. Raises UsageError for a row that there is not, or that has no network."""
        return plan_spec(self._store.plan, number, self._store.path or "the sweep").text

    def network(self, number: int) -> Network:
        """The network of a row; the same errors."""
        from ..language import loads

        source = plan_spec(self._store.plan, number, self._store.path or "the sweep")
        return loads(source.text, path=source.path)

    def to_frame(self) -> pandas.DataFrame:
        """A pandas data frame: one row a candidate that fits, by its number, in the order of the rows.

        A figure that is called as an axis is has a number behind its name. Raises ImportError without pandas.

        >>> sweep("lenet5", {"classes": [10, 100]}).to_frame()["params"].tolist()  # doctest: +SKIP
        [61706, 69356]
        """
        pandas = frames()
        rows = list(self._every.rows())
        names = distinct([column.name for column in self._view.columns])
        index = pandas.Index([row.number for row in rows], name="row")
        return pandas.DataFrame([row.cells for row in rows], index, names)

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, as `convcalc sweep --format json` prints it."""
        from ..render.sweep import sweep_data

        return sweep_data(found_in(self))

    def export(self, path: str | PathLike[str], *, overwrite: bool = False) -> int:
        """Write every row of the run, those that do not fit or build too, to a .csv or .parquet file; how many there
        are. Raises UsageError where it cannot be written.
        """
        return export(self._store, fspath(path), overwrite=overwrite)

    def page(self) -> str:
        """The rows as one HTML page. Raises UsageError where jinja2 is not installed."""
        from ..page.sweep import sweep_page

        return sweep_page(found_in(self, drawn=True))

    def _document(self, width: int | None) -> Document:
        from ..render.sweep import sweep_document

        return sweep_document(found_in(self))

    def __repr__(self) -> str:
        return f"<Sweep {name_of(self._plan)}: {len(self):,} of {self._store.tried:,} fit>"


def plan_of(sweep: Sweep) -> Plan:
    """What a sweep asks, seen as the call has it."""
    return sweep._plan


def found_in(
    sweep: Sweep,
    *,
    top: int | None = None,
    every: bool = False,
    plot: Sequence[str] = (),
    drawn: bool = False,
    timed: bool = True,
) -> Found:
    """How many candidates there are, build and fit, why others do not, and the rows that are printed.

    `top` is how many rows there are at most, `every` takes all; `plot` are two columns whose cloud is told too, and
    `drawn` takes that of the first objectives or figures; `timed` says whether the run's seconds are told.
    """
    return sweep._view.found(sweep.seconds if timed else None, plot, top, every, drawn)


def sweep(
    spec: Spec,
    axes: Axes | None = None,
    *,
    let: Mapping[str, str] | Texts = (),
    require: Texts = (),
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: object = None,
    where: Texts = (),
    near: Texts = (),
    random: int | None = None,
    seed: int | None = None,
    pareto: Texts = (),
    minimize: Texts = (),
    maximize: Texts = (),
    columns: Texts = (),
    sort: Texts = (),
    top: int | None = None,
    batch: int | None = None,
    dtype: str | None = None,
    optimizer: str | None = None,
    device: str | None = None,
    join: str | PathLike[str] | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    output: str | PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Sweep:
    """The candidates of a spec on these axes, and which of them are as `where` demands: the command `convcalc sweep`.

    The spec may be a plan in a file, beside whose words those of the call stand. `axes` are what params, the variant
    and the input go through; `let` are derived values ({"depth": "round(1.2 ** phi)"}), `require` what they and the
    axes have to be ("depth<=3"), `params` fixed ones. `join` is a CSV file of measured columns. `where` are conditions
    ("macs<=600e6"), `near` regimes ("macs=400e6,1%"), of which `random` candidates are found; without it so many are
    drawn. The rows come in the order of `sort`, `minimize` and `maximize`, and the front is of `pareto`. `jobs`
    processes work, or a Dask `scheduler`; the run is kept in the file `output`. A run that is kept is opened by its
    path as the spec.

    Raises UsageError where the call is wrong, SpecError where the spec is; a candidate that does not build is counted.

    >>> found = sweep("lenet5", {"classes": [10, 100, 1000]}, where="params<=100K", minimize="params")
    >>> found
    <Sweep LeNet-5: 2 of 3 fit>
    >>> [(row.values["classes"], row.figures["params"]) for row in found]
    [(10, 61706), (100, 69356)]
    """
    if not isinstance(spec, Network) and is_run(fspath(spec)):
        if axes:
            raise UsageError(f"{fspath(spec)} is a run, whose axes are its own", "sweep its spec for other ones")
        views = {"where": where, "pareto": pareto, "minimize": minimize, "maximize": maximize}
        views |= {"columns": columns, "sort": sort}
        return opened(fspath(spec), {key: _texts(texts) for key, texts in views.items()}, top)
    grids, ranges, inputs = _axes(axes or {})
    given = {
        "grid": grids,
        "range": ranges,
        "let": _assignments(let),
        "require": _texts(require),
        "set": _assignments({name: _value(value) for name, value in (params or {}).items()}),
        "variant": variant,
        "input": inputs or _inputs(input),
        "random": random,
        "seed": seed,
        "where": _texts(where),
        "near": _texts(near),
        "pareto": _texts(pareto),
        "minimize": _texts(minimize),
        "maximize": _texts(maximize),
        "columns": _texts(columns),
        "sort": _texts(sort),
        "top": top,
        "batch": batch,
        "dtype": dtype,
        "optimizer": optimizer,
        "device": device,
        "join": None if join is None else fspath(join),
    }
    plan, file = planned(source_of(spec), given)
    kept = None if output is None else fspath(output)
    return swept(plan, kept, resume, overwrite, jobs, scheduler, progress, file)


def swept(
    plan: Plan,
    output: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    join: Join | None = None,
) -> Sweep:
    """A plan carried out: in memory, or in the file `output`."""
    if output is None:
        store = Store.memory(plan, join=join)
        return Sweep(store, None, run(plan, store=store, jobs=jobs, scheduler=scheduler, progress=progress).seconds)
    made = (
        Store.resume(output, plan, join=join) if resume else Store.create(output, plan, join=join, overwrite=overwrite)
    )
    with made as store:
        seconds = run(plan, store=store, jobs=jobs, scheduler=scheduler, progress=progress).seconds
    return Sweep(Store.open(output), None, seconds)


def source_of(spec: Spec) -> Source:
    """The text of a spec that is swept: a path, `-`, a gallery name, `git:REV:path`, a row of another sweep, or a
    network that was read from one. Raises UsageError, SpecError.
    """
    if isinstance(spec, Network):
        if not isinstance(spec.origin, SpecOrigin):
            raise UsageError("this network was not read from a spec, whose params could be swept")
        return spec.origin.source
    name = fspath(spec)
    reader = reader_of(name)
    if reader is not None or code_of(name) is not None:
        what = reader.what if reader is not None else "a model in code"
        raise UsageError(f"{name} is {what}, which has no params to sweep", f"convcalc import {name} -o net.yaml")
    if name.startswith("git:"):
        from ..language.revisions import read_revision

        return read_revision(name)
    if name in plan_names() and not os.path.lexists(name):
        return read(plan_path(name))
    try:
        found = read_row(name) or read(name)
    except UsageError as error:
        close = nearest(name, [*plan_names(), *gallery_names()])
        if close not in plan_names():
            raise
        raise UsageError(error.message, f"did you mean '{close}'?") from None
    return found if name == "-" else Source(found.text, name)


def opened(path: str, given: Mapping[str, tuple[str, ...]], top: int | None = None) -> Sweep:
    """A run that is kept, seen under other words than its own. Raises UsageError."""
    store = Store.open(path)
    return Sweep(store, viewed(store.plan, given, top))


def viewed(plan: Plan, given: Mapping[str, tuple[str, ...]], top: int | None) -> Plan:
    """The plan of a run with what is asked of it now: other conditions beside its own, other words in place of them."""
    said = {key: texts for key, texts in given.items() if texts}
    if "where" in said:
        said["where"] = (*plan.where, *said["where"])
    if "pareto" not in said and said.keys() & {"minimize", "maximize", "sort"}:
        said["pareto"] = ()
    return replace(plan, **said, top=top if top is not None else plan.top)  # type: ignore[arg-type]


def _texts(given: Texts) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _assignments(given: Mapping[str, str] | Texts) -> tuple[str, ...]:
    if isinstance(given, Mapping):
        return tuple([f"{name}={value}" for name, value in given.items()])
    return _texts(given)


def _axes(axes: Axes) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The texts of `--grid`, `--range` and `--input`."""
    grids: list[str] = []
    ranges: list[str] = []
    inputs: list[str] = []
    for name, given in axes.items():
        if name == "input" and not isinstance(given, str):
            inputs += _inputs(given)
            continue
        text = _through(given)
        (ranges if text.endswith((",log", ",linear")) else grids).append(f"{name}={text}")
    return tuple(grids), tuple(ranges), tuple(inputs)


def _through(given: object) -> str:
    """What an axis goes through, as a text."""
    if isinstance(given, str):
        return given
    if isinstance(given, range) and len(given) > 1 and given.step > 0:
        return f"{given[0]}:{given[-1]}:{given.step}"
    if isinstance(given, Iterable):
        return ",".join(map(_value, given))
    raise UsageError(f"an axis goes through a list, a range or a text, not {given!r}")


def _value(given: object) -> str:
    try:
        return given if isinstance(given, str) else value_text(from_python(given))
    except Problem as problem:
        raise UsageError(f"{given!r} is no value of a param: {problem.message}", problem.hint) from None


def _inputs(given: object) -> tuple[str, ...]:
    """The shape of the only input, several shapes to go through, or either by the names of inputs, as texts."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        return tuple([f"{name}={_shapes(shapes)}" for name, shapes in given.items()])
    return (_shapes(given),)


def _shapes(given: object) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, Sequence) or not given:
        raise UsageError(f"an input is a shape or a list of shapes, not {given!r}", "for example [3, 224, 224]")
    shapes = given if isinstance(given[0], Sequence) else [given]
    return ";".join(",".join(map(str, shape)) for shape in shapes)
