"""Load a spec: read, check, expand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..collector import without_collector
from ..findings import SpecError, UsageError
from ..hints import suggest
from ..marked import Source
from ..network import Network
from .arithmetic import Value
from .document import Document
from .expansion import Expansion
from .origin import SpecOrigin
from .outputs import find_outputs
from .overrides import input_shapes, override
from .params import bind
from .problems import Problem
from .sources import read
from .written_values import evaluate

if TYPE_CHECKING:
    from ..marked import Marked

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
