"""Load a spec: read, check, expand; and where the network that comes of it is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from ..collector import without_collector
from ..findings import Finding, SpecError, UsageError
from ..hints import suggest
from ..marked import Marked, Source
from ..network import Network, Output
from .arithmetic import Value, say
from .document import Document
from .expansion import Expansion
from .overrides import input_shapes, override
from .params import bind
from .problems import Problem
from .references import Nodes, PassedOver, resolve
from .sources import read
from .written_values import evaluate

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
    document: Document, *, params: Mapping[str, object] | None = None, variant: str | None = None, input: object = None
) -> Network:
    """The network of a compiled document under these params, this variant and this input."""
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
    expansion = Expansion(document)
    with without_collector():
        last = expansion.run(shapes, dict(env))
    options = (("--input", input is not None), ("--set", bool(params)), ("--variant", variant is not None))
    overridden = tuple(name for name, used in options if used)
    outputs = find_outputs(document, expansion, env, last)
    return Network(
        name=document.text("name") or PurePath(document.source.path).stem.strip("<>"),
        nodes=tuple(expansion.nodes),
        outputs=outputs,
        groups=expansion.groups,
        source=document.text("source"),
        variant=variant,
        origin=SpecOrigin(document, expansion, env, overridden),
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
        read = {source for node in nodes for source in node.inputs}
        loose = [index for index, node in enumerate(nodes) if index not in read and node.layer is not None]
        return tuple(Output(nodes[index].name, index) for index in loose or last)
    found: list[Output] = []
    findings = expansion.findings
    for name, (path, weight, at) in document.outputs.items():
        try:
            indices = resolve(path, expansion.top)
            loss_weight = _loss_weight(evaluate(weight, env))
        except PassedOver:
            continue
        except Problem as problem:
            findings.problem(problem, at, "outputs")
            continue
        found += [Output(name if len(indices) == 1 else nodes[index].name, index, loss_weight) for index in indices]
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


class SpecOrigin:
    """The origin of a network that was read from a spec; see `network.Origin`."""

    def __init__(
        self, document: Document, expansion: Expansion, params: dict[str, Value], overridden: tuple[str, ...] = ()
    ) -> None:
        self.document = document
        self.path = document.source.path
        self.params: dict[str, Value] = params
        """The parameters of the spec with the values that they have."""
        self.overridden = overridden
        """The options that gave something else than the spec says: `--set`, `--variant`, `--input`."""
        self._expansion = expansion
        self._indices: dict[str, int] | None = None

    @property
    def source(self) -> Source:
        """The text."""
        return self.document.source

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the spec's variants."""
        return tuple(self.document.variants)

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
        if self._indices is None:
            self._indices = {node.name: index for index, node in enumerate(self._expansion.nodes)}
        while name:
            index = self._indices.get(name)
            if index is not None:
                return self._expansion.places[index]
            if name in self._expansion.group_places:
                return self._expansion.group_places[name]
            name = name.rpartition(".")[0]
        return None

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
    ) -> Network:
        """The same source under exactly these params, variant and input; what is not given is the spec's own."""
        return expand(self.document, params=params, variant=variant, input=input)
