"""Plans in files: the words of the command's options in YAML, beside the spec that they are about.

A word says what the option of its name says. What is wrong is placed in the file, as in a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from ..analysis.training import OPTIMIZERS
from ..findings import Finding, SpecError, UsageError
from ..language.events import parse
from ..language.expectations import DTYPES
from ..language.grammar import (
    WORD,
    Either,
    Entries,
    Fields,
    Form,
    Key,
    Later,
    Named,
    Needed,
    OneOrMore,
    Pending,
    Placed,
    Reader,
    Scalar,
    Schema,
    Version,
    Vocabulary,
    Whole,
    defined,
)
from ..language.json_schema import DIALECT
from ..language.names import shown
from ..language.problems import Findings, Problem
from ..language.sources import SUFFIXES, file_beside, gallery_path, read_named
from ..limits import SPEC_BYTES
from ..marked import List, Map, Marked, Source, Text
from .asked import Options
from .lets import INPUT
from .plan import Plan, WordError

KEY = "sweep"
VERSION = "1"
_WRITTEN = re.compile(r"^[\"']?sweep[\"']?[ \t]*:", re.MULTILINE)
_SPEC = re.compile(r"^[\"']?convcalc[\"']?[ \t]*:", re.MULTILINE)


@lru_cache(maxsize=1)
def plan_names() -> tuple[str, ...]:
    """The names of the plans that the gallery has, sorted."""
    return tuple(sorted(path.stem for path in (gallery_path() / "sweeps").glob("*.yaml")))


def plan_path(name: str) -> str:
    """The file of a plan of the gallery."""
    return str(gallery_path() / "sweeps" / f"{name}.yaml")


def declares_plan(source: Source) -> bool:
    """Whether a text is the plan of a sweep: a mapping that has `sweep` among its keys, and not `convcalc`.

    >>> declares_plan(Source("sweep: 1\\nspec: resnet")), declares_plan(Source("convcalc: 1\\nsweep: 1"))
    (True, False)
    """
    if KEY not in source.text:
        return False
    try:
        root = parse(source)
    except SpecError:
        return _WRITTEN.search(source.text) is not None and _SPEC.search(source.text) is None
    return isinstance(root, Map) and KEY in root.entries and "convcalc" not in root.entries


def _one_of(words: Sequence[str]) -> Scalar[str]:
    """One of some words."""

    def word(text: str) -> str:
        if text not in words:
            raise Problem("CC103", f"expected one of {', '.join(words)}, not {shown(text)}")
        return text

    return Scalar(word, f"expected one of {', '.join(words)}", schema={"enum": list(words)})


def _words(example: str) -> OneOrMore[tuple[str, Marked]]:
    """One text, or several."""
    text: Scalar[str] = Scalar(str, "a text is expected", example, schema=WORD, filled=True)
    return OneOrMore(Placed(text), "a text or a list of texts is expected", example)


def _assigned(message: str, example: str) -> Named[Pending]:
    """Names, each with what an option would have behind the equals sign."""
    return Named(Later(defined("value")), message, example)


def _text(about: str) -> Key[str]:
    return Key(Scalar(str, "a text is expected", schema=WORD), about)


SHAPES: Form[dict[str, Pending] | Pending] = Either(
    Named(Later(defined("shapes"))),
    Later(defined("shapes")),
    message="an input is a shape, or a list of shapes",
    hint="input: [[3, 128, 128], [3, 224, 224]]",
)


class PlanSections(Entries):
    """A plan as it is written."""

    sweep = Key(Version("plans", KEY, VERSION), "Version of what plans may say.", required=True, hint="sweep: 1")
    title = _text("What is searched.")
    description = _text("What the plan is for, and what it follows.")
    source = _text("The paper or code that it follows.")
    spec = Needed(
        Placed(Scalar(str, "a spec is named", "spec: net.yaml", schema=WORD, filled=True)),
        "The spec: a file in the folder of the plan or below, or a name of the gallery.",
        hint="spec: net.yaml",
    )
    grid = Key(
        _assigned("axes are a mapping", "grid: {width: 32:256:8}"),
        "Axes by what they go through: a list, or a text as --grid has it.",
        examples=({"width": "32:256:8", "depths": [[2, 3, 4, 3], [3, 4, 6, 3]]},),
    )
    range = Key(
        _assigned("ranges are a mapping", 'range: {w0: "24:128:8,log"}'),
        "Axes that are drawn from: start:stop:step, with ,log behind it.",
        examples=({"w0": "24:128:8,log"},),
    )
    let = Key(
        _assigned("derived values are a mapping", "let: {depth: ceil(1.2 ** phi)}"),
        "Derived values, in their order: expressions of the axes, of those above and of the params of the spec.",
        examples=({"depth": "ceil(1.2 ** phi)"},),
    )
    set = Key(_assigned("params are a mapping", "set: {classes: 10}"), "Params that have one value.")
    require = Key(_words("require: len(widths) == 4"), "What axes and derived values have to be: expressions.")
    variant = _text("The variant of the spec.")
    input = Key(
        SHAPES,
        "Shapes that the input goes through, or a mapping of names of inputs to them.",
    )
    random = Key(
        Whole("random takes", "random: 1000"), "How many candidates are drawn; with near, how many that fit are found."
    )
    seed = Key(Whole("seed takes", "seed: 7", least=0), "Of what is drawn.")
    where = Key(_words("where: macs<=600e6"), "Conditions: macs<=600e6, conv2_x.macs<=100M.")
    near = Key(_words("near: macs=400e6,1%"), "What figures are near to, and how near.")
    pareto = Key(_words("pareto: params,macs"), "What the front is of: less is better, max:NAME for more.")
    minimize = Key(_words("minimize: macs"), "What the best have least of.")
    maximize = Key(_words("maximize: receptive_field"), "What the best have most of.")
    columns = Key(_words("columns: params,macs"), "Quantities that are shown.")
    sort = Key(_words("sort: macs"), "What rows are sorted by, smallest first; -macs for the largest.")
    top = Key(Whole("top takes", "top: 20"), "Rows that are shown.")
    batch = Key(Whole("batch takes", "batch: 32"), "Batch size.")
    dtype = Key(_one_of(DTYPES), "Type of activations and params in memory.")
    optimizer = Key(_one_of(list(OPTIMIZERS)), "Whose state training memory counts.")
    device = _text("The device of the roofline.")
    join = Key(
        Placed(Scalar(str, "a file is named", "join: times.csv", schema=WORD, filled=True)),
        "A CSV file in the folder of the plan or below: its columns that are called as axes are the key of the others.",
    )
    notes = Key(Later({}), "Anything, for readers.")


PLAN = Fields(
    PlanSections,
    "a plan is a mapping",
    "sweep: 1",
    unknown="{key} is no word of a plan",
    known="words: {keys}",
    missing="a plan needs '{key}'",
)
AXES = ("grid", "range")
ASSIGNED = (*AXES, "let", "set")
SINGLE = ("variant", "random", "seed", "top")
LISTED = ("require", "where", "near", "pareto", "minimize", "maximize", "columns", "sort")
REPLACED = frozenset({"pareto", "minimize", "maximize", "columns", "sort"})
"""Of which a call has its own, where it says any."""


def plan_schema(vocabulary: Vocabulary) -> Schema:
    """The JSON Schema of plans, draft 7."""
    sizes: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 4}
    return {
        "$schema": DIALECT,
        "title": "convcalc sweep",
        "description": "A design space: what a spec's params, variants and inputs go through, and what is sought.",
        **PLAN.schema(vocabulary),
        "definitions": {
            "value": {
                "description": "A number, a word, a truth value, a text as the option has it, or a list of them.",
                "anyOf": [{"type": ["number", "string", "boolean"]}, {"type": "array", "items": defined("value")}],
            },
            "shapes": {"anyOf": [WORD, sizes, {"type": "array", "items": sizes, "minItems": 1}]},
        },
        "examples": [{"sweep": 1, "spec": "resnet", "grid": {"width": "32:256:8"}, "where": "macs<=600e6"}],
    }


class Word(NamedTuple):
    """A word of a plan, and where it stands in the file; a call's stands nowhere."""

    text: str
    at: Marked | None = None
    before: int = 0
    """Characters of the text that do not stand there: the name of what is assigned, and the sign behind it."""
    key: Text | None = None

    @property
    def name(self) -> str:
        """What it assigns to; of an input without a name, `input`."""
        name, equals, _ = self.text.partition("=")
        return name.strip() if equals else INPUT


class PlanFile:
    """A plan that stands in a file. Raises a SpecError with everything that is wrong with its form."""

    def __init__(self, source: Source) -> None:
        self.source = source
        root = parse(source)
        if not isinstance(root, Map):
            source.fail("CC006", "a plan is a mapping", root, hint="start with 'sweep: 1'")
        findings = Findings(source)
        self.said = PLAN.read(root, Reader(findings))
        findings.raise_any()
        self.words: dict[str, list[Word]] = {}
        for key in ASSIGNED:
            given: dict[str, Pending] = self.said.said.get(key) or {}
            self.words[key] = [_assigned_word(key, name, pending, findings) for name, pending in given.items()]
        for key in LISTED:
            self.words[key] = [Word(text, at) for text, at in self.said.said.get(key) or ()]
        self.words[INPUT] = _input_words(self.said.input, findings)
        findings.raise_any()
        self._merged = self.words

    def plan(self, given: Mapping[str, Any] | None = None) -> Plan:
        """The plan, with what a call says beside or in place of it: fields of a Plan, and of its options, by name.

        An axis, a derived value, a param or an input of the call replaces that of its name, conditions come to those
        that there are, and everything else replaces. No word is read. Raises SpecError for a spec that is not there.
        """
        call = {key: value for key, value in (given or {}).items() if value not in (None, ())}
        words = {key: _merged(key, found, call.pop(key, ())) for key, found in self.words.items()}
        for key, other in (("grid", "range"), ("range", "grid")):
            own = {word.name for word in words[other] if word.at is None}
            words[key] = [word for word in words[key] if word.at is None or word.name not in own]
        said = self.said.said
        options = {name: call.pop(name, said.get(name)) for name in Options._fields}
        single = {name: call.pop(name, said.get(name)) for name in SINGLE}
        spec = self._spec()
        fields: dict[str, Any] = {name: value for name, value in single.items() if value is not None}
        fields |= {key: tuple([word.text for word in found]) for key, found in words.items()}
        fields["options"] = Options(**{name: value for name, value in options.items() if value is not None})
        plan = Plan(spec=spec.path, text=spec.text, **fields, **call)
        self._merged = words
        return plan

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Errors of the last plan's words that stand in the file are a SpecError with their places."""
        try:
            yield
        except WordError as error:
            words = self._merged.get(error.key, ())
            word = words[error.number] if error.number < len(words) else None
            if word is None or word.at is None:
                raise
            raise SpecError([self._finding(word, error.problem)]) from None

    def join(self) -> str | None:
        """The file whose columns are joined, if any. Raises a SpecError for one that is not in the plan's folder."""
        if self.said.join is None:
            return None
        name, at = self.said.join
        try:
            return file_beside(name, self.source.path)
        except UsageError as error:
            self.source.fail("CC106", error.message, at, hint=error.hint)

    def _spec(self) -> Source:
        """The spec that it names. Raises a SpecError at the name where there is none."""
        name, at = self.said.spec
        try:
            found = read_named(name, self.source.path, SPEC_BYTES)
        except UsageError as error:
            self.source.fail("CC106", error.message, at, hint=error.hint)
        return found if name.endswith(SUFFIXES) else Source(found.text, name)

    def _finding(self, word: Word, problem: Problem) -> Finding:
        """A problem of a word, where it stands in the file."""
        findings = Findings(self.source)
        if problem.width and problem.offset < word.before:
            findings.problem(Problem(problem.code, problem.message, problem.hint), word.key)
        else:
            problem.offset -= word.before
            findings.problem(problem, word.at)
        return findings.all[0]


def _assigned_word(key: str, name: str, pending: Pending, findings: Findings) -> Word:
    """What a name is given; a list of an axis is all that it goes through, any other list is one value."""
    value = pending.value
    several = isinstance(value, List) and key in AXES
    written = _written(value, findings)
    return Word(f"{name}={written[1:-1] if several else written}", value, len(name) + 1, pending.key)


def _written(node: Marked, findings: Findings) -> str:
    """What stands at a node, as an option would have it."""
    if isinstance(node, Text):
        if node.empty:
            findings.add("CC104", "a value is expected", node)
        return node.text
    if isinstance(node, List):
        return f"[{','.join([_written(item, findings) for item in node.items])}]"
    findings.add("CC103", "a number, a word, a text or a list is expected, not a mapping", node)
    return ""


def _input_words(said: Pending | dict[str, Pending] | None, findings: Findings) -> list[Word]:
    """The shapes of the inputs: one, a list of them, or a text as `--input` has it."""
    if said is None:
        return []
    if isinstance(said, Pending):
        return [Word(_shapes(said.value, findings), said.value)]
    return [
        Word(f"{name}={_shapes(pending.value, findings)}", pending.value, len(name) + 1, pending.key)
        for name, pending in said.items()
    ]


def _shapes(node: Marked, findings: Findings) -> str:
    if isinstance(node, List) and any(isinstance(item, List) for item in node.items):
        return ";".join([_written(item, findings).strip("[]") for item in node.items])
    return _written(node, findings).strip("[]")


def _merged(key: str, words: Sequence[Word], given: Sequence[str]) -> list[Word]:
    """The words of a file and those of a call; what replaces another stands in its place."""
    new = [Word(text) for text in given]
    if key in REPLACED:
        return new or list(words)
    if key not in (*ASSIGNED, INPUT):
        return [*words, *new]
    found: list[Word] = []
    for word in words:
        own = next((other for other in new if other.name == word.name), word)
        found.append(own)
        new = [other for other in new if other is not own]
    return [*found, *new]
