"""What an item expands to: a layer, the parts of a split, a join with its branches, a group, a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..geometry import GeometryError
from ..marked import Marked
from ..network import BlockGroup
from .arithmetic import Value as Number
from .errors import Problem
from .items import Call, Group, Item, Join, LayerProblems, LayerTemplate, Split
from .params import bind
from .values import evaluate
from .wiring import FAILED, FAILURE, Place, Value

if TYPE_CHECKING:
    from .expand import Env, Expansion


def expand_one(run: Expansion, item: Item, place: Place, name: str, env: Env, sources: Value) -> Value:
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
    run: Expansion, item: Item, template: LayerTemplate, place: Place, name: str, env: Env, sources: Value
) -> Value:
    try:
        layer = template.layer or template.build(env, run.document.known)
        shape = run.inference.shape(layer, tuple([run.nodes[source].shape for source in sources]))
    except (GeometryError, LayerProblems) as error:
        return run.fail(item, place, name, error)
    index = run.append(place.prefix + name, layer, sources, shape, item.at)
    if not isinstance(place.names.get(name), Place):
        place.names[name] = index
    return (index,)


def _split(run: Expansion, item: Item, split: Split, place: Place, name: str, env: Env, sources: Value) -> Value:
    inner = run.open(item, place, name, place)
    start = len(run.nodes)
    try:
        first = split.template.build(env, run.document.known, 0)
        shapes = tuple([run.nodes[source].shape for source in sources])
        for part in range(len(first.fields()["channels"])):
            layer = split.template.build(env, run.document.known, part)
            shape = run.inference.shape(layer, shapes)
            inner.names[str(part)] = run.append(f"{inner.prefix}{part}", layer, sources, shape, item.at)
    except (GeometryError, LayerProblems) as error:
        run.close(inner, "split", start, FAILURE)
        return run.fail(item, place, name, error)
    return run.close(inner, "split", start, tuple(range(start, len(run.nodes))))


def expand_join(
    run: Expansion, item: Item, join: Join, place: Place, name: str | None, env: Env, sources: Value
) -> Value:
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
        run.group_places[path] = branch.at
        first = len(run.nodes)
        value = run.close(inner, "branch", first, run.items(branch.items, inner, env, sources))
        if len(value) != 1:
            what = "passes on" if value == sources else "puts out"
            problem = Problem("CC213", f"the branch {branch.name} {what} {len(value)} values; a join takes one of each")
            run.report(problem, branch.at, path)
            value = FAILURE
        inputs += value
    env["in_channels"] = run.nodes[sources[0]].shape[0]
    result: Value
    if FAILED in inputs:
        result = FAILURE
        if name is None:
            place.automatic(item.kind)
    elif name is None:
        return _layer(run, item, join.template, place, place.automatic(item.kind), env, tuple(inputs))
    else:
        result = _layer(run, item, join.template, place, name, env, tuple(inputs))
    return run.close(holder, item.kind, start, result) if name is not None else result


def _call(run: Expansion, item: Item, call: Call, place: Place, name: str, env: Env, sources: Value) -> Value:
    given: dict[str, tuple[Number | None, Marked | None]] = {}
    block = call.block
    inner_env: Env = {name: run.params[name] for name in block.reads}
    inner_env["in_channels"] = env["in_channels"]
    try:
        for param, compiled, at in call.arguments:
            try:
                given[param.name] = (evaluate(compiled, env), at)
            except Problem as problem:
                problem.at = at
                raise
        bind(block.params, given, inner_env)
    except Problem as problem:
        return run.fail(item, place, name, problem)
    inner = run.open(item, place, name, run.top, sources)
    start = len(run.nodes)
    run.calls.append((block.name, item.at))
    value = run.items(block.items, inner, inner_env, sources)
    run.calls.pop()
    return run.close(inner, block.name, start, value, made=BlockGroup)
