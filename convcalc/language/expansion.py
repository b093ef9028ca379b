"""One pass, top to bottom: items are expanded and shapes inferred, so that expressions see what arrives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial

from ..geometry import GeometryError
from ..layers.base import Layer
from ..marked import Marked
from ..network import BlockGroup, BlockParam
from .conditions import holds, repetitions, without_input
from .document import LAYER_STEPS, Document
from .items import Call, Group, Item, Join, LayerProblems, LayerTemplate, Split
from .names import FAILED, FAILURE, Absent, Nodes, Place, Unknown, entries, resolve, shown
from .params import bind, evaluated, is_constant
from .problems import Problem, TooMuch
from .sharing import Span, counterpart, given, pairs, weighted
from .unfinished import Stop, Unfinished
from .values import Value

NETWORK_STEPS = 250
"""Steps that a network counts as, however small."""
MANY = 4
"""Inputs of a layer that a step is counted for."""

Env = dict[str, Value]


class Expansion(Unfinished):
    """One pass over a document."""

    def __init__(self, document: Document, most: int | None = None) -> None:
        super().__init__(document, most)
        self.params: Env = {}
        """The parameters of the spec."""
        self.top = Place("", None)

    def run(self, inputs: dict[str, tuple[tuple[int, ...], Marked]], env: Env) -> Nodes:
        """Expand the layers on these inputs; returns what the last item puts out."""
        for name, (shape, at) in inputs.items():
            self.top.names[name] = len(self.nodes)
            self.append(name, None, (), shape, at)
        current = tuple(range(len(self.nodes)))
        self.params = dict(env)
        try:
            with suppress(Stop):
                current = self.items(self.document.items, self.top, env, current)
        finally:
            self.document.steps += NETWORK_STEPS + self.taken
        self.findings.raise_any()
        return current

    def items(self, items: list[Item], place: Place, env: Env, current: Nodes) -> Nodes:
        """Expand a list of items; returns what the last one puts out, or `current` when all are passed over."""
        nodes, shape_of = self.nodes, self.inference.shape
        self.written[place] = items
        for item in items:
            layer = item.layer
            if layer is not None and len(current) == 1 and current[0] >= 0 and not self.batch_axes:
                self.count(item, 1, place)
                name = item.name
                if name is None:
                    name = place.automatic(item.kind)
                else:
                    if name in place.names:
                        self.refuse_name(item, place)
                    if item.number is not None:
                        place.number = item.number
                try:
                    shape = shape_of(layer, (nodes[current[0]].shape,))
                except GeometryError as error:
                    current = self.fail(item, place, name, error)
                    continue
                index = place.names[name] = self.append(place.prefix + name, layer, current, shape, item.at)
                current = (index,)
                continue
            result = self._item(item, place, env, current)
            if result is not None:
                current = result
        return current

    def _look(self, at: Marked, place: Place, names: int) -> None:
        """Count the names that a `*` looks at as steps."""
        self.spend(names, "collecting", at, place.path)

    def _item(self, item: Item, place: Place, env: Env, current: Nodes) -> Nodes | None:
        """Expand one item under its batch axes; None when it is passed over."""
        self.batch_axes += item.batch_axes
        try:
            return self._placed(item, place, env, current)
        finally:
            self.batch_axes -= item.batch_axes

    def _placed(self, item: Item, place: Place, env: Env, current: Nodes) -> Nodes | None:
        try:
            sources = current if item.sources is None else self._sources(item, place, env)
        except Problem as problem:
            return self.fail(item, place, item.name or place.automatic(item.kind), problem)
        if sources is None:
            self.pass_over(item, place)
            return None
        return self.on(item, place, env, sources)

    def on(self, item: Item, place: Place, env: Env, sources: Nodes) -> Nodes | None:
        """Expand an item on what it takes; None when it is passed over."""
        try:
            if len(sources) > MANY:
                self.spend(len(sources) // MANY, f"a layer of {len(sources):,} inputs", item.at, place.path)
            if FAILED in sources:
                place.names.setdefault(item.name or place.automatic(item.kind), FAILED)
                return FAILURE
            env["in_channels"] = self.channels(sources[0])
            count = repetitions(item, env)
            self.count(item, 1 if count is None else count, place)
            once = item.when if count is None or not item.indexed else None
            if count == 0 or (once and not holds(once, env)):
                self.pass_over(item, place)
                return None
        except Problem as problem:
            return self.fail(item, place, item.name or place.automatic(item.kind), problem)
        if item.name is not None:
            self.refuse_name(item, place)
        if item.number is not None:
            place.number = item.number
        start = len(self.nodes)
        path, value = self._expanded(item, count, place, env, sources)
        if item.share is not None and value is not None and FAILED not in value:
            self._share(item, place, path, start)
        return value

    def _expanded(
        self, item: Item, count: int | None, place: Place, env: Env, sources: Nodes
    ) -> tuple[str, Nodes | None]:
        """An item, so often as it is repeated: its path, and what it puts out."""
        if count is None and item.name is None and isinstance(item.what, Join):
            return place.path, expand_join(self, item, item.what, place, None, env, sources)
        name = item.name or place.automatic(item.kind)
        if count is not None:
            return place.prefix + name, self._repeat(item, count, place, name, env, sources)
        return place.prefix + name, expand_one(self, item, place, name, env, sources)

    def _share(self, item: Item, place: Place, path: str, start: int) -> None:
        """Give the layers of an item, which begin at `start`, the weights of those of the item that it names."""
        assert item.share is not None
        named, at = item.share
        if isinstance(named, dict):
            self._tie(item, named, place, Span(path, range(start, len(self.nodes))))
            return
        try:
            if named is None:
                held, *uses = self._repeated(place, path)
            else:
                found = self._held(item, named, place)
                if found is None:
                    return
                held = found
                apart = item.repeat is not None and not held.repeated
                whole = Span(path, range(start, len(self.nodes)), item.repeat is not None)
                uses = self._repeated(place, path) if apart else [whole]
            self.spend(len(self.nodes) - start + len(held.nodes), "sharing", at, path)
            layers = weighted(self.nodes, held)
            for use in uses:
                for index, node in pairs(self.nodes, use, held, layers):
                    self.nodes[index] = node
        except (GeometryError, Problem) as error:
            self._refuse_sharing(error, at, path)

    def _tie(self, item: Item, named: dict[str, tuple[tuple[str, ...], Marked]], place: Place, span: Span) -> None:
        """Give a layer single tensors of the items that are named."""
        found = {}
        for tensor, (path, at) in named.items():
            try:
                held_by = self._held(item, path, place)
                if held_by is None:
                    return
                found[tensor] = counterpart(self.nodes, span, tensor, held_by)
            except (GeometryError, Problem) as error:
                self._refuse_sharing(error, at, span.path)
                return
        self.nodes[span.nodes.start] = given(self.nodes, span.nodes.start, found)

    def _refuse_sharing(self, error: GeometryError | Problem, at: Marked, path: str) -> None:
        problem = error if isinstance(error, Problem) else Problem(error.code, error.message, error.hint)
        problem.at = at
        self.report(problem, at, path)

    def _repeated(self, place: Place, path: str) -> list[Span]:
        """The layers of each repetition of a repeated item."""
        repetitions = place.names[path.removeprefix(place.prefix)]
        assert isinstance(repetitions, Place)
        return [self._span(entry) for entry in repetitions.names.values() if entry is not None]

    def _span(self, entry: int | Place) -> Span:
        """The layers of what stands at a name."""
        if isinstance(entry, int):
            return Span(self.nodes[entry].name, range(entry, entry + 1))
        group = self.groups[entry.group]
        return Span(group.path, range(group.start, group.stop), group.is_repeat)

    def _held(self, item: Item, path: tuple[str, ...], place: Place) -> Span | None:
        """The layers of the item at a path; None where they failed. Raises a Problem."""
        if path[0] == "in":
            raise Problem("CC113", "'in' is an input, and has no weights", "share names a layer or a use of a block")
        try:
            (entry,) = entries(path, place)
        except Unknown as problem:
            raise self.explained(problem, item, path, place, "share") from None
        if isinstance(entry, Place) and entry.value is None:
            raise Problem("CC106", f"{shown('.'.join(path))} is not complete here", "it contains this item")
        failed = entry == FAILED or (isinstance(entry, Place) and FAILED in (entry.value or ()))
        return None if failed else self._span(entry)

    def _sources(self, item: Item, place: Place, env: Env) -> Nodes | None:
        """What an item takes by `from`; None where that is not there, and the item is passed over anyhow."""
        found: list[int] = []
        for path, at in item.sources or ():
            try:
                found += resolve(path, place, partial(self._look, at, place))
            except Problem as problem:
                if isinstance(problem, Absent):
                    count, passed = without_input(item, env)
                    self.count(item, count, place)
                    if passed:
                        return None
                if isinstance(problem, Unknown):
                    problem = self.explained(problem, item, path, place, "from")
                problem.at = at
                raise problem from None
        return tuple(found)

    def _repeat(self, item: Item, count: int, place: Place, name: str, env: Env, sources: Nodes) -> Nodes | None:
        """Expand the repetitions of an item; each takes what the one before it puts out."""
        inner = self.open(item, place, name, place)
        start = len(self.nodes)
        same = item.what.layer if isinstance(item.what, LayerTemplate) and item.reads and not item.indexed else None
        if same is not None:
            current: Nodes | None = self._equal_layers(item, same, count, inner, sources)
        else:
            current = self._repetitions(item, count, inner, env, sources)
        value = self.close(inner, "repeat", start, sources if current is None else current, count)
        if current is None:
            self.passed.add(inner.group)
            place.names[name] = None
            return None
        return value

    def _equal_layers(self, item: Item, layer: Layer, count: int, inner: Place, sources: Nodes) -> Nodes:
        """Expand the repetitions of a layer that is the same each time."""
        nodes, names, prefix, shape_of = self.nodes, inner.names, inner.prefix, self.inference.shape
        layer = self.batched(layer)
        current, shapes = sources, tuple([nodes[source].shape for source in sources])
        self.steps += count * item.weight
        settled = False
        """Whether it puts out the shape that it reads, as all behind it do then."""
        for name in map(str, range(count)):
            if not settled:
                try:
                    shape = shape_of(layer, shapes)
                except GeometryError as error:
                    return self.fail(item, inner, name, error, _called(self, item, inner, current))
                if self.taken > self.left:
                    self.stop(f"its shapes take more than {self.limit}", item.at, prefix + name)
                settled, shapes = shapes == (shape,), (shape,)
            index = names[name] = self.append(prefix + name, layer, current, shape, item.at)
            current = (index,)
        return current

    def _repetitions(self, item: Item, count: int, inner: Place, env: Env, sources: Nodes) -> Nodes | None:
        """Expand the repetitions one by one; None where all of them are passed over."""
        current, passed = sources, True
        before = env.get("index")
        for number in range(count):
            if FAILED in current:
                break
            self.steps += item.weight
            env["index"] = number
            env["in_channels"] = self.channels(current[0])
            try:
                if item.indexed and item.when and not holds(item.when, env):
                    inner.names[str(number)] = None
                    continue
            except Problem as problem:
                current = self.fail(item, inner, str(number), problem)
                break
            passed = False
            current = self.repetition(item, inner, str(number), env, current)
        if before is None:
            env.pop("index", None)
        else:
            env["index"] = before
        return None if passed else current

    def repetition(self, item: Item, inner: Place, name: str, env: Env, sources: Nodes) -> Nodes:
        """Expand one repetition of an item; returns what it puts out."""
        return expand_one(self, item, inner, name, env, sources)

    def block(
        self, item: Item, call: Call, place: Place, name: str, env: Env, given: Collection[str], sources: Nodes
    ) -> Nodes:
        """Expand a use of a block whose parameters are bound, those that are `given` by arguments."""
        block = call.block
        params = tuple(
            [BlockParam(name, env[name], name in given or is_constant(p.default)) for name, p in block.params.items()]
        )
        inner = self.open(item, place, name, self.top, sources)
        start = len(self.nodes)
        self.calls.append((block.name, item.at))
        value = self.items(block.items, inner, env, sources)
        self.calls.pop()
        return self.close(inner, block.name, start, value, made=BlockGroup, params=params)


def expand_one(run: Expansion, item: Item, place: Place, name: str, env: Env, sources: Nodes) -> Nodes:
    """Expand an item under its name; returns what it puts out."""
    what = item.what
    if isinstance(what, LayerTemplate):
        return _layer(run, item, what, place, name, env, sources)
    if isinstance(what, Call):
        return _call(run, item, what, place, name, env, sources)
    if isinstance(what, Join):
        return expand_join(run, item, what, place, name, env, sources)
    if isinstance(what, Split):
        return _split(run, item, what, place, name, env, sources)
    assert isinstance(what, Group)
    inner = run.open(item, place, name, place)
    start = len(run.nodes)
    return run.close(inner, "layers", start, run.items(what.items, inner, env, sources))


def _layer(
    run: Expansion,
    item: Item,
    template: LayerTemplate,
    place: Place,
    name: str,
    env: Env,
    sources: Nodes,
    branches: Sequence[str] = (),
) -> Nodes:
    arriving = run.nodes[sources[0]].shape
    if not item.reads:
        sources = ()
    try:
        layer = template.layer or _made(run, item, template, place, env)
        if item.reads:
            layer = run.batched(layer)
        elif run.batch_axes:
            layer = run.repeated(layer, arriving)
        shape = run.inference.shape(layer, tuple([run.nodes[source].shape for source in sources]))
    except (GeometryError, LayerProblems, TooMuch) as error:
        return run.fail(item, place, name, error, branches or _called(run, item, place, sources))
    index = run.append(place.prefix + name, layer, sources, shape, item.at)
    if not isinstance(place.names.get(name), Place):
        place.names[name] = index
    return (index,)


def _made(
    run: Expansion, item: Item, template: LayerTemplate, place: Place, env: Env, part: int | None = None
) -> Layer:
    """The model of a layer with computed fields; one that is new is counted."""
    known = run.document.known
    before = len(known)
    layer = template.build(env, known, part)
    if len(known) > before:
        run.spend(LAYER_STEPS, "making layers that differ", item.at, place.path)
    return layer


def _parts(run: Expansion, first: Layer) -> tuple[Layer, ...]:
    """All parts of the split whose first this is."""
    found = run.document.parts.get(id(first))
    if found is None:
        assert first.part_of is not None
        count = first.part_of.parts
        found = (first, *(first.model_copy(update={"part": part}) for part in range(1, count)))
        run.document.parts[id(first)] = found
    return found


def _called(run: Expansion, item: Item, place: Place, sources: Nodes) -> list[str]:
    """What an item calls its inputs: as it writes them, or by their paths, from its own block on."""
    if item.sources is not None and len(item.sources) == len(sources):
        return [".".join(path) for path, _ in item.sources]
    return [run.nodes[source].name.removeprefix(place.prefix) for source in sources]


def _split(run: Expansion, item: Item, split: Split, place: Place, name: str, env: Env, sources: Nodes) -> Nodes:
    inner = run.open(item, place, name, place)
    start = len(run.nodes)
    try:
        first = split.template.layer or _made(run, item, split.template, place, env, 0)
        assert first.part_of is not None
        run.spend(first.part_of.parts, "splitting", item.at, inner.path)
        parts = _parts(run, first)
        shapes = tuple([run.nodes[source].shape for source in sources])
        for part, layer in enumerate(map(run.batched, parts)):
            shape = run.inference.shape(layer, shapes)
            inner.names[str(part)] = run.append(f"{inner.prefix}{part}", layer, sources, shape, item.at)
    except (GeometryError, LayerProblems, TooMuch) as error:
        run.close(inner, "split", start, FAILURE)
        return run.fail(item, place, name, error)
    return run.close(inner, "split", start, tuple(range(start, len(run.nodes))))


def expand_join(
    run: Expansion, item: Item, join: Join, place: Place, name: str | None, env: Env, sources: Nodes
) -> Nodes:
    """Expand a join with branches; without a name, the names of its branches stand in `place` itself."""
    holder = place if name is None else run.open(item, place, name, place)
    start = len(run.nodes)
    inputs: list[int] = []
    for branch in join.branches:
        path = holder.prefix + branch.name
        if holder.names.get(branch.name) is not None:
            hint = f"give the joins names: {{{item.kind}: {{branches: ...}}, name: ...}}"
            run.report(Problem("CC105", f"the name '{branch.name}' stands twice", hint), branch.at, path)
        inner = run.open(item, holder, branch.name, holder)
        run.group_places[inner.group] = branch.at
        first = len(run.nodes)
        value = run.close(inner, "branch", first, run.items(branch.items, inner, env, sources))
        if len(value) != 1:
            what = "passes on" if value == sources else "puts out"
            problem = Problem("CC213", f"the branch {branch.name} {what} {len(value)} values; a join takes one of each")
            run.report(problem, branch.at, path)
            value = FAILURE
        inputs += value
    env["in_channels"] = run.channels(sources[0])
    branches = [branch.name for branch in join.branches]
    result: Nodes
    if FAILED in inputs:
        result = FAILURE
        if name is None:
            place.automatic(item.kind)
    elif name is None:
        return _layer(run, item, join.template, place, place.automatic(item.kind), env, tuple(inputs), branches)
    else:
        result = _layer(run, item, join.template, place, name, env, tuple(inputs), branches)
    return run.close(holder, item.kind, start, result) if name is not None else result


def _call(run: Expansion, item: Item, call: Call, place: Place, name: str, env: Env, sources: Nodes) -> Nodes:
    given: dict[str, tuple[Value | None, Marked | None]] = {}
    block = call.block
    inner_env: Env = {name: run.params[name] for name in block.reads}
    inner_env["in_channels"] = env["in_channels"]
    try:
        for param, compiled, at in call.arguments:
            given[param.name] = (evaluated(compiled, env, at), at)
        bind(block.params, given, inner_env)
    except Problem as problem:
        return run.fail(item, place, name, problem)
    return run.block(item, call, place, name, inner_env, given.keys(), sources)
