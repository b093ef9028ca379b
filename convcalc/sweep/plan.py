"""Everything that a sweep is, as it was said: the spec's text, the words of its options, and what they mean.

A plan is made of texts and numbers alone, so that it travels as JSON: to the workers, which make everything of it
without reading a file, and into the manifest of a run. What its words mean is read when it is asked for; a word that
means nothing raises a WordError, which knows the word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, TypeVar

from ..analysis.device import WRITTEN, UnknownDevice, read_device
from ..analysis.quantities import quantity
from ..analysis.training import OPTIMIZERS
from ..findings import UsageError
from ..hints import suggest
from ..language.document import Document, Variant
from ..language.expectations import DTYPES
from ..language.load import override
from ..language.problems import Problem
from ..language.values import Value
from ..marked import Source
from .asked import Asked, Options
from .axes import Axis, read_grid, read_range, read_shapes
from .conditions import Condition, read_conditions, read_near
from .lets import Let, Names, read_let, read_requirement
from .objectives import Objective, read_objective
from .space import MOST_AXES, MOST_CANDIDATES, DesignSpace, judge_axis, judge_expression, judge_let, unknown_name
from .words import Piece, Target, assignment, split

T = TypeVar("T")
PLAIN = Options()
COLUMNS = ("params", "macs")
"""Columns where none are asked for."""
LEAST = {"random": 1, "seed": 0, "top": 1}
"""The least that a number of a plan may be."""
MOST_WORDS = 1_000
"""Words of a plan: axes, conditions, columns and whatever else is said."""
MOST_CHARACTERS = 100_000
"""Characters of the words beside the axes, each of which may have as many."""
TRIES = 10_000
"""Candidates that are tried for each that `near` wants."""


class WordError(UsageError):
    """A word of a plan that means nothing; `key` is its option, `number` says which of several."""

    def __init__(self, key: str, number: int, text: str, problem: Problem) -> None:
        self.key = key
        self.number = number
        self.problem = problem
        super().__init__(f"--{key}: {problem.message}", problem.hint, _pointed(text, problem))


LONGEST_SHOWN = 76


def _pointed(text: str, problem: Problem) -> tuple[str, ...]:
    """A word with a caret below it where the problem is; nothing for what cannot be printed on a line."""
    if not text.isprintable() or not text:
        return ()
    first = max(0, min(problem.offset - LONGEST_SHOWN // 2, len(text) - LONGEST_SHOWN))
    shown = text[first : first + LONGEST_SHOWN]
    before = problem.offset - first
    width = max(1, min(problem.width or len(shown), len(shown) - before))
    return shown, f"{' ' * before}{'^' * width}"


@dataclass(frozen=True)
class Plan:
    """A sweep. Words are texts, as options and plan files have them."""

    spec: str
    """As it was named."""
    text: str = field(repr=False)
    """The spec's text."""
    grid: tuple[str, ...] = ()
    range: tuple[str, ...] = ()
    let: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    variant: str | None = None
    input: tuple[str, ...] = ()
    random: int | None = None
    """How many are drawn; None for all of the product."""
    seed: int = 0
    where: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    pareto: tuple[str, ...] = ()
    minimize: tuple[str, ...] = ()
    maximize: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    top: int | None = None
    join: tuple[str, ...] = ()
    """The file whose columns are joined, and the columns that are its key."""
    joined: tuple[str, ...] = ()
    """The names of the columns that are joined."""
    options: Options = PLAIN

    def __post_init__(self) -> None:
        """Raise UsageError where there are more words than are read in a moment."""
        axes = (*self.grid, *self.range, *self.input)
        views = (*self.where, *self.near, *self.pareto, *self.minimize, *self.maximize, *self.columns, *self.sort)
        others = (*self.let, *self.require, *self.set, *views)
        if len(axes) + len(others) > MOST_WORDS:
            raise UsageError(f"a plan of {len(axes) + len(others):,} words; the limit is {MOST_WORDS:,}")
        characters = sum(map(len, others))
        if characters > MOST_CHARACTERS:
            message = f"a plan of {characters:,} characters beside its axes; the limit is {MOST_CHARACTERS:,}"
            raise UsageError(message)

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON has it."""
        return {**asdict(self), "options": self.options._asdict(), "sha256": self.sha256}

    @staticmethod
    def from_dict(found: Mapping[str, Any]) -> Plan:
        """The plan of such a dict. Raises UsageError for what is none."""
        said: dict[str, Any] = {}
        for each in fields(Plan):
            if each.name in found:
                said[each.name] = _typed(each.name, str(each.type), found[each.name])
        if "spec" not in said or "text" not in said:
            raise UsageError("this is no plan of a sweep: it has no spec")
        plan = Plan(**said)
        if found.get("sha256", plan.sha256) != plan.sha256:
            raise UsageError("the spec of this plan is not the one that its hash is of")
        return plan

    @property
    def sha256(self) -> str:
        """The hash of the spec's text."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def document(self) -> Document:
        """The spec, compiled. Raises SpecError."""
        return Document(Source(self.text, self.spec))

    @cached_property
    def space(self) -> DesignSpace:
        """The candidates."""
        document, lets, axes = self.document, self._lets, self._axes
        requirements = [_read("require", n, text, read_requirement) for n, text in enumerate(self.require)]
        required = {name for requirement in requirements for name in requirement.expression.names}
        read = required.union(*(let.expression.names for let in lets))
        for key, number, text, axis in axes:
            with _word(key, number, text):
                judge_axis(document, axis, read)
        seen = {axis.target.name for _, _, _, axis in axes}
        for number, let in enumerate(lets):
            later = required.union(*(other.expression.names for other in lets[number + 1 :]))
            with _word("let", number, self.let[number]):
                judge_let(document, let, seen, later)
            seen.add(let.target.name)
        for number, requirement in enumerate(requirements):
            with _word("require", number, self.require[number]):
                judge_expression(document, requirement.expression, seen, 0)
        _ = self._chosen
        space = DesignSpace(
            document,
            [axis for *_, axis in axes],
            lets,
            requirements,
            fixed=self._fixed,
            variant=self.variant,
            draws=self._draws,
            seed=self.seed,
        )
        if space.size > MOST_CANDIDATES:
            message = f"{space.size:,} candidates are more than {MOST_CANDIDATES:,}"
            raise UsageError(message, "--random 100000 draws so many of them")
        return space

    @property
    def wanted(self) -> int | None:
        """How many candidates that fit are wanted, the first by number; None for all.

        With `near`, `random` says how many, and the candidates of the space are tried until there are so many.
        """
        return self.random if self.near else None

    @property
    def _draws(self) -> int | None:
        if self.random is None or not self.near:
            return self.random
        return min(self.random * TRIES, MOST_CANDIDATES)

    @cached_property
    def _axes(self) -> list[tuple[str, int, str, Axis]]:
        """Option, number, text and axis of each."""
        found: list[tuple[str, int, str, Axis]] = []
        for key, texts, reader in (("grid", self.grid, read_grid), ("range", self.range, read_range)):
            found += [(key, n, text, _read(key, n, text, reader)) for n, text in enumerate(texts)]
        for n, text in enumerate(self.input):
            found.append(("input", n, text, _read("input", n, text, lambda text: read_shapes(text)[1])))
        if len(found) > MOST_AXES:
            raise UsageError(f"{len(found)} axes are more than {MOST_AXES}")
        seen: dict[str, str] = {}
        for key, number, text, axis in found:
            name = str(axis.target)
            if name in seen:
                message = f"{name} is an axis twice"
                raise WordError(key, number, text, Problem("CC105", message, None, text.find(name), len(name)))
            if axis.log is not None and self.random is None:
                problem = Problem("CC103", f"{name} is drawn in the logarithm", "say how many: --random 1000")
                raise WordError(key, number, text, problem)
            seen[name] = key
        return found

    @cached_property
    def _lets(self) -> list[Let]:
        return [_read("let", number, text, read_let) for number, text in enumerate(self.let)]

    @cached_property
    def _fixed(self) -> dict[str, Value]:
        """The params of `set`, which see those that are set before and the variant."""
        found: dict[str, Value] = {}
        for number, text in enumerate(self.set):
            with _word("set", number, text):
                name, value = assignment(text, "NAME=VALUE", "--set classes=10")
                if name.text not in self.document.params:
                    raise unknown_name(self.document, Target(name.text), "a param has one value by --set")
                try:
                    seen = Names(self.document, self._chosen, found)
                    found[name.text] = override(self.document, name.text, value.text, seen)
                except UsageError as error:
                    raise value.problem(error.message, error.hint) from None
        return found

    @cached_property
    def _chosen(self) -> Variant:
        """What the variant that is not an axis sets."""
        if self.variant is None:
            return {}
        if self.variant not in self.document.variants:
            known = ", ".join(self.document.variants)
            hint = suggest(self.variant, self.document.variants, f"variants: {known}" if known else "the spec has none")
            raise WordError("variant", 0, self.variant, Problem("CC109", f"there is no variant '{self.variant}'", hint))
        return self.document.variants[self.variant]

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What a candidate has to be to fit: all of them."""
        return tuple(condition for *_, condition in self._conditions())

    def _conditions(self) -> Iterator[tuple[str, int, str, Condition]]:
        """Option, number and text of each condition, and it."""
        conditions = partial(read_conditions, joined=self.joined)
        for key, texts, reader in (("where", self.where, conditions), ("near", self.near, read_near)):
            for number, text in enumerate(texts):
                for condition in _read(key, number, text, reader):
                    yield key, number, text, condition

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What the front is of."""
        return self._objectives("pareto", self.pareto)

    @cached_property
    def best(self) -> tuple[Objective, ...]:
        """What the best candidates have least, or most, of: the first decides, the next where that is equal."""
        more = self._objectives("maximize", self.maximize)
        turned = tuple(each._replace(maximize=not each.maximize) for each in more)
        return (*self._objectives("minimize", self.minimize), *turned)

    @cached_property
    def order(self) -> tuple[Objective, ...]:
        """What rows are sorted by: `sort`, else what is best; nothing for the order of numbers."""
        return self._objectives("sort", self.sort, self.space.names) or self.best

    @cached_property
    def shown(self) -> tuple[Asked, ...]:
        """The columns that are asked for, those that are joined left out."""
        columns = self._objectives("columns", self.columns or COLUMNS)
        return tuple(dict.fromkeys(each.asked for each in columns if not each.joined))

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """All that is asked of a candidate: columns, conditions, objectives, what rows are sorted by, in this order."""
        objectives = (*self.objectives, *self.best, *self.order)
        found = [
            *self.shown,
            *(condition.asked for condition in self.conditions if not condition.joined),
            *(each.asked for each in objectives if not each.joined),
        ]
        asked = tuple(dict.fromkeys(found))
        for each in asked:
            record = quantity(each.quantity)
            if record is not None and record.needs == "--device" and self.options.device is None:
                raise UsageError(f"{each.name} needs --device", "for example --device v100")
        return asked

    def fits(self, values: Sequence[Any]) -> bool:
        """Whether values, one for each of `asked`, are as all conditions on them demand."""
        return all(condition.holds(values[place]) for condition, place in self._places)

    @cached_property
    def _places(self) -> tuple[tuple[Condition, int], ...]:
        conditions = (condition for condition in self.conditions if not condition.joined)
        return tuple((condition, self.asked.index(condition.asked)) for condition in conditions)

    def fits_joined(self, values: Sequence[Any]) -> bool:
        """Whether values, one for each of `joined`, are as all conditions on these demand."""
        conditions = (condition for condition in self.conditions if condition.joined)
        return all(condition.holds(values[self.joined.index(condition.asked.quantity)]) for condition in conditions)

    def words_of_asked(self) -> Iterator[tuple[str, int, str, Asked]]:
        """Option, number and text of each word that asks for a figure, and the figure."""
        for key, number, text, condition in self._conditions():
            yield key, number, text, condition.asked
        objectives = {
            "columns": self.columns,
            "pareto": self.pareto,
            "minimize": self.minimize,
            "maximize": self.maximize,
            "sort": self.sort,
        }
        for key, texts in objectives.items():
            for number, text in enumerate(texts):
                for objective in self._objectives(key, [text]):
                    yield key, number, text, objective.asked

    def validate(self) -> None:
        """Read every word. Raises WordError, UsageError and SpecError."""
        if self.near and self.random is None and any(axis.log for *_, axis in self._axes):
            raise UsageError("--near takes --random", "--random 500 says how many are wanted")
        if self.options.device is not None:
            try:
                read_device(self.options.device)
            except UnknownDevice as error:
                raise UsageError(f"--device: {error}", WRITTEN) from None
        _ = self.space, self.asked

    def _objectives(self, key: str, texts: Iterable[str], more: Sequence[str] = ()) -> tuple[Objective, ...]:
        """The objectives of texts; `more` are names of columns that are no quantities, beside those that are joined."""
        found: list[Objective] = []
        for number, text in enumerate(texts):
            found += _read(
                key,
                number,
                text,
                lambda text: [read_objective(piece, (*self.joined, *more)) for piece in split(Piece(text, 0), ",")],
            )
        return tuple(dict.fromkeys(found))


def _read(key: str, number: int, text: str, reader: Callable[[str], T]) -> T:
    with _word(key, number, text):
        return reader(text)


@contextmanager
def _word(key: str, number: int, text: str) -> Iterator[None]:
    """Problems that are those of a word of a plan."""
    try:
        yield
    except Problem as problem:
        raise WordError(key, number, text, problem) from None


def _typed(name: str, kind: str, value: object) -> object:
    """The value of a field, of the type that it has. Raises UsageError."""
    right = False
    if kind.startswith("tuple"):
        right = isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
        value = tuple(value) if right else value  # type: ignore[arg-type]
    elif kind == "Options":
        right = isinstance(value, Mapping) and set(value) <= set(Options._fields)
        value = Options(**value) if right and isinstance(value, Mapping) else value
        right = right and isinstance(value, Options) and _means_something(value)
    elif kind.startswith("int"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        right = (whole and LEAST[name] <= value) or (value is None and "None" in kind)  # type: ignore[operator]
    else:
        right = isinstance(value, str) or (value is None and "None" in kind)
    if not right:
        raise UsageError(f"this is no plan of a sweep: its {name} is something else")
    return value


def _means_something(options: Options) -> bool:
    """Whether options of a file are those that a command could have."""
    batch, dtype, optimizer, device = options
    if not (isinstance(batch, int) and batch >= 1 and dtype in list(DTYPES) and optimizer in list(OPTIMIZERS)):
        return False
    if device is None:
        return True
    try:
        return isinstance(device, str) and bool(read_device(device))
    except UnknownDevice:
        return False
