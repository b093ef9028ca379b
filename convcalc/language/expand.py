"""One pass, top to bottom: items are expanded and shapes inferred, so that expressions see what arrives."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from ..geometry import GeometryError
from ..layers.base import Layer
from ..marked import Marked
from ..network import Group as NodeGroup
from ..network import Inference, Node
from .arithmetic import Value as Number
from .conditions import holds, repetitions, without_input
from .document import Document
from .errors import Problem
from .items import Item, Join, LayerProblems, LayerTemplate
from .structures import expand_join, expand_one
from .wiring import FAILED, FAILURE, Absent, Place, Value, note, resolve

MAX_LAYERS = 250_000
MAX_STEPS = 1_000_000
MAX_NESTING = 64
MAX_PATH = 1000

Env = dict[str, Number]
PENDING = NodeGroup("", "", 0, 0, 0)


class Stop(Exception):
    """A limit is reached; the findings say which."""


class Expansion:
    """The state of one pass over a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings = document.findings.fresh()
        self.nodes: list[Node] = []
        self.places: list[Marked] = []
        """Where each node is written."""
        self.groups: dict[str, NodeGroup] = {}
        self.group_places: dict[str, Marked] = {}
        self.inference = Inference()
        self.steps = 0
        self.params: Env = {}
        """The parameters of the spec."""
        self.calls: list[tuple[str, Marked]] = []
        """The blocks that are being expanded, and where they are called."""
        self.depth = 0
        self.top = Place("", None)

    def run(self, inputs: dict[str, tuple[tuple[int, ...], Marked]], env: Env) -> Value:
        """Expand the layers on these inputs; returns what the last item puts out."""
        for name, (shape, at) in inputs.items():
            self.top.names[name] = len(self.nodes)
            self.append(name, None, (), shape, at)
        current = tuple(range(len(self.nodes)))
        self.params = dict(env)
        with suppress(Stop):
            current = self.items(self.document.items, self.top, env, current)
        self.findings.raise_any()
        return current

    def append(self, name: str, layer: Layer | None, inputs: Value, shape: tuple[int, ...], at: Marked) -> int:
        index = len(self.nodes)
        if index > MAX_LAYERS:
            self._stop(f"more than {MAX_LAYERS:,} layers", at, name)
        self.nodes.append(Node(name, layer, inputs, shape))
        self.places.append(at)
        return index

    def _stop(self, message: str, at: Marked, where: str) -> None:
        self.report(Problem("CC111", message, "the limit keeps a slip from filling the memory"), at, where)
        raise Stop

    def report(self, problem: Problem, at: Marked, where: str) -> None:
        block, called_at = self.calls[-1] if self.calls else ("", None)
        self.findings.problem(problem, at, where, note(problem.at or at, called_at, block))

    def items(self, items: list[Item], place: Place, env: Env, current: Value) -> Value:
        """Expand a list of items; returns what the last one puts out, or `current` when all are passed over."""
        nodes, inference = self.nodes, self.inference
        for item in items:
            if item.plain and len(current) == 1 and current[0] >= 0:
                template = item.what
                assert isinstance(template, LayerTemplate)
                if template.layer is not None:
                    self._count(item, 1, place)
                    name = item.name
                    if name is None:
                        name = place.automatic(item.kind)
                    elif name in place.names:
                        self.refuse_name(item, place)
                    try:
                        shape = inference.shape(template.layer, (nodes[current[0]].shape,))
                    except GeometryError as error:
                        current = self.fail(item, place, name, error)
                        continue
                    index = self.append(place.prefix + name, template.layer, current, shape, item.at)
                    place.names[name] = index
                    current = (index,)
                    continue
            result = self._item(item, place, env, current)
            if result is not None:
                current = result
        return current

    def _count(self, item: Item, repetitions: int, place: Place) -> None:
        """Count steps before they are taken."""
        if self.steps + repetitions * item.size > MAX_STEPS:
            times = f"{repetitions:,} repetitions of " if repetitions > 1 else ""
            message = f"{times}{item.size:,} steps would make more than {MAX_STEPS:,} steps of expansion"
            self._stop(message, item.repeat[1] if item.repeat else item.at, place.prefix + (item.name or item.kind))
        self.steps += 1

    def _look(self, at: Marked, place: Place, names: int) -> None:
        """Count the names that a `*` looks at as steps."""
        self.steps += names
        if self.steps > MAX_STEPS:
            self._stop(f"collecting takes more than {MAX_STEPS:,} steps of expansion", at, place.path)

    def refuse_name(self, item: Item, place: Place) -> None:
        name = item.name or ""
        entry = place.names.get(name)
        if entry is not None and entry != FAILED:
            at = self.places[entry] if isinstance(entry, int) else self.group_places[entry.path]
            message = f"the name '{name}' stands twice, first on line {at.line}"
            problem = Problem("CC105", message, "names are unique in their block or branch")
            self.report(problem, item.name_at, place.prefix + name)

    def fail(self, item: Item, place: Place, name: str, error: GeometryError | Problem | LayerProblems) -> Value:
        """Report an error of an item and register its failure."""
        path = place.prefix + name
        if isinstance(error, LayerProblems):
            for problem in error.problems:
                self.report(problem, item.at, path)
        elif isinstance(error, GeometryError):
            self.report(Problem(error.code, error.message, error.hint), item.at, path)
        else:
            self.report(error, item.at, path)
        if place.names.get(name) is None:
            place.names[name] = FAILED
        return FAILURE

    def _item(self, item: Item, place: Place, env: Env, current: Value) -> Value | None:
        """Expand one item; None when it is passed over."""
        try:
            sources = current if item.sources is None else self._sources(item, place, env)
            if sources is None:
                self._pass_over(item, place)
                return None
            if FAILED in sources:
                place.names.setdefault(item.name or place.automatic(item.kind), FAILED)
                return FAILURE
            env["in_channels"] = self.nodes[sources[0]].shape[0]
            count = repetitions(item, env)
            self._count(item, 1 if count is None else count, place)
            once = item.when if count is None or not item.indexed else None
            if count == 0 or (once and not holds(once, env)):
                self._pass_over(item, place)
                return None
        except Problem as problem:
            return self.fail(item, place, item.name or place.automatic(item.kind), problem)
        if item.name is not None:
            self.refuse_name(item, place)
        if count is not None:
            return self._repeat(item, count, place, env, sources)
        if item.name is None and isinstance(item.what, Join):
            return expand_join(self, item, item.what, place, None, env, sources)
        return expand_one(self, item, place, item.name or place.automatic(item.kind), env, sources)

    def _pass_over(self, item: Item, place: Place) -> None:
        if item.name is not None:
            place.names.setdefault(item.name, None)

    def _sources(self, item: Item, place: Place, env: Env) -> Value | None:
        """What an item takes by `from`; None where that is not there, and the item is passed over anyhow."""
        found: list[int] = []
        for path, at in item.sources or ():
            try:
                found += resolve(path, place, partial(self._look, at, place))
            except Problem as problem:
                if isinstance(problem, Absent):
                    count, passed = without_input(item, env)
                    self._count(item, count, place)
                    if passed:
                        return None
                problem.at = at
                raise
        return tuple(found)

    def _repeat(self, item: Item, count: int, place: Place, env: Env, sources: Value) -> Value | None:
        """Expand the repetitions of an item; each takes what the one before it puts out."""
        name = item.name or place.automatic(item.kind)
        inner = self.open(item, place, name, place)
        start, current, passed = len(self.nodes), sources, True
        before = env.get("index")
        for number in range(count):
            if FAILED in current:
                break
            self.steps += 1
            env["index"] = number
            env["in_channels"] = self.nodes[current[0]].shape[0]
            try:
                if item.indexed and item.when and not holds(item.when, env):
                    inner.names[str(number)] = None
                    continue
            except Problem as problem:
                current = self.fail(item, inner, str(number), problem)
                break
            passed = False
            current = expand_one(self, item, inner, str(number), env, current)
        if before is None:
            env.pop("index", None)
        else:
            env["index"] = before
        value = self.close(inner, "repeat", start, current, count)
        if passed:
            del self.groups[inner.path]
            place.names[name] = None
            return None
        return value

    def open(self, item: Item, place: Place, name: str, outer: Place, inputs: Value | None = None) -> Place:
        """Start the group `name` in `place`; names inside it are looked for in `outer` next."""
        inner = Place(place.prefix + name + ".", outer, inputs)
        if len(inner.path) > MAX_PATH:
            self._stop(f"a path of more than {MAX_PATH} characters", item.at, inner.path[:60] + "...")
        self.depth += 1
        if self.depth > MAX_NESTING:
            self._stop(f"nested deeper than {MAX_NESTING} blocks, branches and groups", item.at, inner.path)
        self.groups[inner.path] = PENDING
        self.group_places[inner.path] = item.at
        place.names[name] = inner
        return inner

    def close(
        self, inner: Place, kind: str, start: int, value: Value, repeats: int = 1, made: type[NodeGroup] = NodeGroup
    ) -> Value:
        """Complete a group with what it puts out."""
        self.depth -= 1
        self.groups[inner.path] = made(inner.path, kind, start, len(self.nodes), value[-1], repeats)
        inner.value = value
        return value
