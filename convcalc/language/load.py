"""Load a spec: read, check, expand under what the call gives; and where the network that comes of it is from.

Parameters and input shapes that the call gives instead of the spec, and gives wrongly, are a UsageError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import chain
from operator import index
from pathlib import PurePath
from typing import NamedTuple

from ..findings import Finding, SpecError, UsageError
from ..geometry import LIMIT
from ..hints import suggest
from ..marked import Marked, Source
from ..network import Given, Network, Output, without_collector
from .document import Document
from .events import parse
from .expansion import Expansion
from .names import Nodes, PassedOver, resolve
from .params import INVALID, Names, bind, counted, evaluate, read_value
from .problems import Findings, Problem
from .sources import read
from .values import Value, checked, say

Shapes = dict[str, tuple[tuple[int, ...], Marked]]


def override(document: Document, name: str, given: object, env: Mapping[str, Value]) -> Value:
    """The value that the call gives a parameter: a text is read as the spec would read it.

    Raises UsageError for what the parameter does not take.
    """
    try:
        value = _from_text(document, name, given, env) if isinstance(given, str) else from_python(given)
        return document.params[name].check(value)
    except Problem as problem:
        raise UsageError(f"parameter {name}: {problem.message}", problem.hint) from None


def _from_text(document: Document, name: str, text: str, env: Mapping[str, Value]) -> Value | None:
    source = Source(text, f"--set {name}")
    findings = Findings(source)
    try:
        names = Names(document.params, limit=document.params[name].position)
        value = read_value(parse(source), names, findings, free_words=True)
        findings.raise_any()
    except SpecError as error:
        first = error.findings[0]
        raise Problem(first.code, first.message, first.hint) from None
    assert value is not INVALID
    return evaluate(value, env)


def from_python(given: object) -> Value:
    """A Python value as expressions know it; floats are taken at their shortest decimal.

    >>> from_python([64, 0.1])
    (64, Fraction(1, 10))
    """
    if isinstance(given, (bool, str)):
        return given
    if isinstance(given, (float, Decimal)):
        try:
            return checked(Fraction(repr(given) if isinstance(given, float) else given))
        except (ValueError, OverflowError):
            raise Problem("CC103", f"{given} is not finite") from None
    if isinstance(given, Fraction):
        return checked(given)
    if isinstance(given, Sequence) and not isinstance(given, (bytes, bytearray)):
        return tuple([from_python(item) for item in given])
    try:
        return checked(index(given))  # type: ignore[arg-type]
    except TypeError:
        said = "nothing" if given is None else type(given).__name__
        raise Problem("CC103", f"a number, a word or a list is expected, not {said}") from None


def input_shapes(document: Document, env: Mapping[str, Value], given: object = None) -> Shapes:
    """The shapes of the inputs: those of the spec, or those that the call gives."""
    replaced = _given_shapes(document, given) if given is not None else {}
    shapes: Shapes = {}
    for name, (entries, at) in document.inputs.items():
        if name in replaced:
            shapes[name] = (replaced[name], at)
            continue
        sizes = [counted(compiled, env, node, "a size is", 1) for compiled, node in entries]
        shapes[name] = (_bounded(tuple(sizes), at), at)
    return shapes


def _bounded(shape: tuple[int, ...], at: Marked) -> tuple[int, ...]:
    total = 1
    for size in shape:
        total *= size
    if total > LIMIT:
        problem = Problem("CC212", f"an input of {' x '.join(map(str, shape))} numbers is above 2^63 - 1")
        problem.at = at
        raise problem
    return shape


def _given_shapes(document: Document, given: object) -> dict[str, tuple[int, ...]]:
    names = list(document.inputs)
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise UsageError(f"the spec has {len(names)} inputs: {', '.join(names)}", "give a shape for each by name")
        given = {names[0]: given}
    for name in given:
        if name not in document.inputs:
            raise UsageError(f"there is no input '{name}'", suggest(str(name), names))
    return {name: _shape(name, shape) for name, shape in given.items()}


def _shape(name: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or not 1 <= len(given) <= 4:
        raise UsageError(f"input {name}: a shape is channels and 0 to 3 space axes", "--input 3,224,224")
    sizes = []
    for size in given:
        try:
            sizes.append(index(size))
        except TypeError:
            raise UsageError(f"input {name}: a size is an integer, not {size!r}") from None
        if isinstance(size, bool) or not 1 <= sizes[-1] <= LIMIT:
            raise UsageError(f"input {name}: a size is an integer from 1 to 2^63 - 1, not {size}")
    try:
        return _bounded(tuple(sizes), None)  # type: ignore[arg-type]
    except Problem as problem:
        raise UsageError(f"input {name}: {problem.message}") from None


Inputs = Sequence[int] | Mapping[str, Sequence[int]]


def load(
    path_or_name: str,
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | None = None,
) -> Network:
    """The network of a spec: a path, `-` for standard input, or the name of one in the gallery.

    `params` are values, or texts as they would stand in the spec; `input` is the shape of the only input
    ([channels, *space]) or a mapping of input names to shapes. Raises SpecError where the spec is wrong, with
    places, and UsageError where the call is.

    >>> load("googlenet").outputs[0].name
    'head'
    """
    return _build(read(path_or_name), params, variant, input)


def loads(
    text: str,
    *,
    path: str = "<text>",
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | None = None,
) -> Network:
    """The network of a spec given as text; see `load`.

    >>> network = loads("{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}]}")
    >>> network.nodes[1].name, network.nodes[1].shape
    ('conv2d', (8, 30, 30))
    """
    return _build(Source(text, path), params, variant, input)


def _build(source: Source, params: Mapping[str, object] | None, variant: str | None, input: object) -> Network:
    with without_collector():
        document = Document(source)
    return expand(document, params=params, variant=variant, input=input)


def expand(
    document: Document,
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: object = None,
    steps: int | None = None,
) -> Network:
    """The network of a compiled document under these params, this variant and this input, within a number of steps."""
    env, shapes = bound(document, params, variant, input)
    expansion = Expansion(document, steps)
    with without_collector():
        last = expansion.run(shapes, dict(env))
    outputs = find_outputs(document, expansion, env, last)
    return built(document, expansion, outputs, env, Given(params or {}, variant, input))


def bound(
    document: Document, params: Mapping[str, object] | None, variant: str | None, input: object
) -> tuple[dict[str, Value], Shapes]:
    """What a network is expanded with: the values of the spec's parameters, and the shapes of its inputs.

    Raises UsageError for what the call gives wrongly, SpecError for what the spec does.
    """
    if variant is not None and variant not in document.variants:
        known = ", ".join(document.variants)
        hint = suggest(variant, document.variants, f"variants: {known}" if known else "the spec has no variants")
        raise UsageError(f"there is no variant '{variant}'", hint)
    chosen = dict(document.variants[variant]) if variant is not None else {}
    given = dict(params or {})
    for name in given:
        if name not in document.params:
            known = ", ".join(document.params)
            hint = suggest(name, document.params, f"parameters: {known}" if known else "the spec has no parameters")
            raise UsageError(f"there is no parameter '{name}'", hint)
    env: dict[str, Value] = {}
    document.steps += document.binding
    try:
        for name, param in document.params.items():
            if name in given:
                env[name] = override(document, name, given[name], env)
                continue
            values: dict[str, tuple[Value | None, Marked | None]] = {}
            if name in chosen:
                values[name] = (evaluate(chosen[name][0], env), chosen[name][1])
            elif param.default is None:
                raise _placed(Problem("CC104", f"the parameter {name} has no value", f"--set {name}=..."), param.at)
            bind({name: param}, values, env)
        shapes = input_shapes(document, env, input)
    except Problem as problem:
        findings = document.findings.fresh()
        findings.problem(problem, None)
        raise SpecError(findings.all) from None
    return env, shapes


def built(
    document: Document, expansion: Expansion, outputs: tuple[Output, ...], env: dict[str, Value], given: Given
) -> Network:
    """The network of what has been expanded."""
    return Network(
        name=document.text("name") or PurePath(document.source.path).stem.strip("<>"),
        nodes=tuple(expansion.nodes),
        outputs=outputs,
        groups={group.path: group for n, group in enumerate(expansion.groups) if n not in expansion.passed},
        source=document.text("source"),
        variant=given.variant,
        origin=SpecOrigin(document, Written(expansion), env, given),
    )


def _placed(problem: Problem, at: Marked) -> Problem:
    problem.at = at
    return problem


def find_outputs(document: Document, expansion: Expansion, env: dict[str, Value], last: Nodes) -> tuple[Output, ...]:
    """The outputs, in order. Raises SpecError where a name means nothing.

    A named output whose item is passed over (`when: training`) is none in this network; one must be left.
    """
    nodes = expansion.nodes
    if document.outputs is None:
        read = set(chain.from_iterable([node.inputs for node in nodes]))
        loose = [index for index, node in enumerate(nodes) if index not in read and node.layer is not None]
        return tuple(Output(nodes[index].name, index) for index in loose or last)
    found: list[Output] = []
    findings = expansion.findings
    for name, (path, weight, loss, at) in document.outputs.items():
        try:
            indices = resolve(path, expansion.top)
            loss_weight = _loss_weight(evaluate(weight, env))
        except PassedOver:
            continue
        except Problem as problem:
            findings.problem(problem, at, "outputs")
            continue
        names = [name] if len(indices) == 1 else [nodes[index].name for index in indices]
        found += [Output(*place, loss_weight, loss) for place in zip(names, indices, strict=True)]
    if not found and not findings.all:
        findings.add("CC106", "every output is passed over", document.section("outputs"), None, "outputs")
    findings.raise_any()
    return tuple(found)


def _loss_weight(value: Value | None) -> float:
    if value is None or isinstance(value, (bool, str, tuple)) or value < 0:
        said = say(value) if value is not None else "nothing"
        raise Problem("CC103", f"loss_weight takes a number of at least 0, not {said}")
    return float(value)


class Declared(NamedTuple):
    """Something that a spec declares: what it is called and where."""

    name: str
    at: Marked


class Written:
    """Where the nodes and groups of a network are written."""

    def __init__(self, expansion: Expansion) -> None:
        self._nodes = expansion.nodes, expansion.places
        self._groups = expansion.groups, expansion.group_places

    @cached_property
    def places(self) -> dict[str, Marked]:
        """Path -> place; a node's before that of a group of the same path."""
        found = {group.path: at for group, at in zip(*self._groups, strict=True)}
        found.update({node.name: at for node, at in zip(*self._nodes, strict=True)})
        return found


class SpecOrigin:
    """The origin of a network that was read from a spec; see `network.Origin`."""

    def __init__(self, document: Document, written: Written, params: dict[str, Value], given: Given) -> None:
        self.document = document
        self.path = document.source.path
        self.params: dict[str, Value] = params
        """The parameters of the spec with the values that they have."""
        self.given = given
        """What the call gave in place of what the spec says."""
        self._written = written

    @property
    def source(self) -> Source:
        """The text."""
        return self.document.source

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the spec's variants."""
        return tuple(self.document.variants)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The params that take a word or a truth value, with all that they take."""
        params = self.document.params.values()
        taken = {param.name: ("true", "false") for param in params if param.takes == "flag"}
        return taken | {param.name: tuple(sorted(param.words)) for param in params if param.takes == "words"}

    @property
    def steps(self) -> int:
        """Steps of expansion that the networks of this spec, and of others that it names, took so far."""
        return self.document.steps + sum(other.steps for other in self.document.named.values())

    @property
    def title(self) -> str | None:
        """The spec's title, or its name."""
        return self.document.text("title") or self.document.text("name")

    @property
    def description(self) -> str | None:
        """The spec's description."""
        return self.document.text("description")

    @property
    def unused_params(self) -> tuple[Declared, ...]:
        """Parameters that nothing reads: `name`, or `block.name` for a block's."""
        return tuple(Declared(name, at) for name, at in self.document.unused_params())

    @property
    def unused_blocks(self) -> tuple[Declared, ...]:
        """Blocks that the layers never reach."""
        return tuple(Declared(block.name, block.at) for block in self.document.blocks.values() if not block.called)

    def place(self, name: str) -> Marked | None:
        """Where the node or group `name` is written; the nearest enclosing path's place for others."""
        places = self._written.places
        while name and name not in places:
            name = name.rpartition(".")[0]
        return places.get(name)

    def finding(self, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
        """A finding placed where the node or group `name` is written."""
        return self.source.finding(code, message, self.place(name), hint=hint, where=name)

    def finding_at(self, code: str, message: str, at: Marked | None, *, hint: str | None = None) -> Finding:
        """A finding placed at a node of the document."""
        return self.source.finding(code, message, at, hint=hint)

    def section(self, key: str) -> Marked | None:
        """A top-level section of the document (`expect`, `published`), or None."""
        return self.document.section(key)

    def reload(
        self,
        *,
        params: Mapping[str, object] | None = None,
        variant: str | None = None,
        input: Sequence[int] | Mapping[str, Sequence[int]] | object = None,
        spec: str | None = None,
        steps: int | None = None,
    ) -> Network:
        """The same source under exactly these params, variant and input; what is not given is the spec's own.

        With `spec` it is that of another one: of the gallery, or a file of this one's folder. With `steps` it may take
        no more than these.
        """
        document = self.document if spec is None else self.document.other(spec)
        return expand(document, params=params, variant=variant, input=input, steps=steps)
