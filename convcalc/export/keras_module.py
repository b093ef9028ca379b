"""A network as a Keras model: a function for each block of the spec, in the order of the spec, channels last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..layers.kind_table import Refused
from .definitions import Definition, Definitions, define
from .for_keras.common import Order, channels_last, is_named, permuted
from .keras_layers import KERAS
from .program import Call, Inline, Part, Scope, Step, Use, program, refusal, with_examples
from .python_code import (
    INDENT,
    WIDTH,
    Form,
    Names,
    docstring,
    file_head,
    helper_texts,
    helpers_in,
    identifier,
    layout,
    literal,
    read_call,
)
from .sharing import dissolved, share
from .statements import Slots, argument_texts, form_of, inline_text, loops, returned, variables

if TYPE_CHECKING:
    from ..network import Network

HELPERS = helpers_in("keras_helpers")
LOOP = 3
"""So many statements in a row that differ in a number are a loop."""
RESERVED = ("keras", "layers", "ops", "np", "model", "inputs", "name", *HELPERS)


def keras_module(network: Network) -> str:
    """The text of a Python file with a function that builds the network as keras.Model; run, it prints shapes.

    Tensors are channels last, so that it runs on a CPU: shapes are the network's with the channels at the end,
    parameters and values its own. Layers with weights carry the paths of the spec, with underscores for dots, which
    Keras takes in names on all but PyTorch. Raises UsageError where Keras has no equal of a layer.

    >>> from convcalc.language import loads
    >>> text = keras_module(loads("{convcalc: 1, name: N, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"))
    >>> [line.strip() for line in text.splitlines() if "layers.Conv2D" in line]
    ['x = layers.Conv2D(4, kernel_size=3, name="conv2d")(x)  # [6, 6, 4]']
    """
    network = with_examples(network)
    steps, orders = _steps(network)
    written = program(network, steps, chains=False, dissolved=dissolved(network))
    share(written, "keras", is_named, ties=False)
    found = define(written, RESERVED, classes=False)
    dot = _dot([node.name for node in network.nodes])
    functions = [_function_lines(found, definition, network, orders, dot) for definition in found.blocks]
    functions.append(_function_lines(found, found.top, network, orders, dot))
    body = "\n\n\n".join("\n".join(lines) for lines in functions)
    helpers = helper_texts(HELPERS, body)
    main = _main(found.top.name)
    used = "\n".join([*helpers, body])
    names = ", ".join(name for name in ("layers", "ops") if f"{name}." in used)
    imports = ["import keras", *(["import numpy as np"] if "np." in used else [])]
    imports += [f"from keras import {names}"] if names else []
    head = "\n".join([*file_head(network, "Keras 3, channels last"), "", "import math", "", *imports])
    return "\n\n\n".join([head, *helpers, body, "\n".join(main)]) + "\n"


def _steps(network: Network) -> tuple[list[Sequence[Step]], list[Order]]:
    """The steps of every node and the order of its axes; outputs are channels last."""
    found: list[Sequence[Step]] = []
    orders: list[Order] = []
    outputs = {output.node for output in network.outputs}
    for index, node in enumerate(network.nodes):
        if node.layer is None:
            found.append(())
            orders.append(channels_last(len(node.shape)))
            continue
        try:
            given = [orders[source] for source in node.inputs]
            steps, order = KERAS.of(node.layer)(node.layer, network.input_shapes(node), node.shape, given)
        except Refused as refused:
            raise refusal("keras", node, refused) from None
        if index in outputs:
            last = channels_last(len(node.shape))
            steps, order = [*steps, *permuted(order, last)], last
        found.append(steps)
        orders.append(order)
    return found, orders


def _dot(names: Sequence[str]) -> str:
    """What stands for the dots of paths in the names of layers: so many underscores that different ones stay apart."""
    dot = "_"
    while len({name.replace(".", dot) for name in names}) < len(names):
        dot += "_"
    return dot


def _function_lines(
    found: Definitions, definition: Definition, network: Network, orders: list[Order], dot: str
) -> list[str]:
    top = definition is found.top
    scope = definition.scope
    parameters = {parameter.name for parameter in definition.parameters}
    reserved = {"keras", "layers", "ops", "np", "inputs", "name", *parameters, *HELPERS}
    reserved.update(block.name for block in found.blocks)
    local = Names(reserved)
    inputs = [local.unique(identifier(network.nodes[index].name, "x")) for index in scope.inputs] if top else None
    names = variables(scope, ["x"] if top and len(scope.inputs) == 1 else inputs, reserved)
    slots: Slots = iter(definition.slots)
    taken = {name for statement in names.statements for name in statement.writes}
    kept = _kept(scope, Names(reserved | taken | set(names.inputs)))
    inner = _inner(definition)
    body: list[_Lines] = []
    for position, (part, statement) in enumerate(zip(scope.parts, names.statements, strict=True)):
        target = ", ".join(statement.writes)
        node = network.nodes[part.node]
        shape = [node.shape[axis] for axis in orders[part.node]]
        comment = f"  # {shape}" if top and part.outputs[-1] == part.node else ""
        flag = definition.optional.get((position,))
        passed = statement.reads[definition.passed[position,]] if flag is not None else ""
        own = _Lines(target, flag, passed, inner=position in inner)
        body.append(own)
        if isinstance(part.work, Inline):
            text = inline_text(part.work, slots, statement.reads)
            if text != target:
                own.add(layout(f"{target} = ", read_call(text), comment, 1))
            continue
        path = _path(part, top, dot)
        applied = _applied(part, statement.reads) + comment
        layer = kept.get(id(part.again or part))
        if layer is None:
            own.add(layout(f"{target} = ", _form(found, part, slots, statement.reads, path), applied, 1))
            continue
        if part.again is None:
            own.add(layout(f"{layer} = ", _form(found, part, slots, statement.reads, path), depth=1))
        own.add([f"    {target} = {layer}{applied}"])
    counter = Names(reserved | taken | set(names.inputs) | set(kept.values())).unique("i")
    written = list(_chosen(body, counter))
    if top:
        lines = [f"def {definition.name}():", *docstring(f"{network.name} as a keras.Model.", "    ")]
        built = [
            f"keras.Input({_input_shape(network, n)}, name={literal(network.nodes[n].name)})" for n in scope.inputs
        ]
        single = len(built) == 1
        lines += layout("inputs = ", built[0] if single else Form("", tuple(built)), depth=1)
        lines.append(f"    {', '.join(names.inputs)} = inputs")
        made = names.returned[0] if len(names.returned) == 1 else f"[{', '.join(names.returned)}]"
        return [*lines, *loops(written), f"    return keras.Model(inputs, {made}, name={literal(definition.name)})"]
    given = (*names.inputs, *definition.required, "name", *definition.defaulted)
    head = layout("", Form(f"def {definition.name}", given), ":")
    return [*head, *docstring(f"The block {scope.kind}.", "    "), *loops(returned(written, names.returned, "    "))]


@dataclass(slots=True)
class _Lines:
    """The lines of a statement: what it writes, the flag that says whether it stands, and what is passed on if not."""

    target: str
    flag: str | None
    passed: str
    inner: bool = False
    """Whether only statements of the same flag read what it writes."""
    lines: list[str] = field(default_factory=list)

    def add(self, lines: list[str]) -> None:
        self.lines += lines


def _goes_on(before: _Lines, lines: _Lines) -> bool:
    """Whether a statement is of one choice with that before it: it passes on what that writes, or needs it alone."""
    return before.inner or lines.inner or lines.passed == before.target


def _inner(definition: Definition) -> set[int]:
    """The statements whose values only others of the same flag read."""
    parts, found = definition.scope.parts, set[int]()
    for position, part in enumerate(parts):
        flag = definition.optional.get((position,))
        readers = {
            definition.optional.get((n,)) for n, other in enumerate(parts) if set(part.outputs) & set(other.inputs)
        }
        if flag is not None and readers == {flag} and not set(part.outputs) & set(definition.scope.outputs):
            passing = [
                n
                for n, other in enumerate(parts)
                if (n,) in definition.passed and other.inputs[definition.passed[n,]] in part.outputs
            ]
            if not passing:
                found.add(position)
    return found


def _chosen(body: Sequence[_Lines], counter: str) -> Iterator[str]:
    """The lines of statements; those of one flag that follow from one another are one choice.

    Those that differ in the number at the end of their layer's name alone are a loop.
    """
    position = 0
    while position < len(body):
        first = body[position]
        stop = position + 1
        if first.flag is None:
            count, lines = _numbered(body, position, counter)
            yield from lines
            position += count
            continue
        while stop < len(body) and body[stop].flag == first.flag and _goes_on(body[stop - 1], body[stop]):
            stop += 1
        inside = [line for lines in body[position:stop] for line in lines.lines]
        outer = [lines for lines in body[position:stop] if not lines.inner]
        target, passed = outer[-1].target, outer[0].passed
        if len(inside) == 1 and passed != target:
            line = f"{inside[0]} if {first.flag} else {passed}"
            if len(line) <= WIDTH:
                yield line
                position = stop
                continue
        yield f"{INDENT}if {first.flag}:"
        yield from (f"{INDENT}{line}" for line in inside)
        if passed != target:
            yield f"{INDENT}else:"
            yield f"{INDENT * 2}{target} = {passed}"
        position = stop


NUMBERED = re.compile(
    r'(?P<head>.*\bname=)f?"(?P<path>[^"]*_)(?P<number>0|[1-9]\d*)"(?P<tail>\)[^#]*?)(?P<comment>  # .*)?'
)
"""The line of a layer whose name ends with a number."""


def _numbered(body: Sequence[_Lines], start: int, counter: str) -> tuple[int, list[str]]:
    """How many statements from one on are a loop over the numbers of their names, and its lines."""
    found: list[re.Match[str]] = []
    for lines in body[start:]:
        match = NUMBERED.fullmatch(lines.lines[0]) if len(lines.lines) == 1 and lines.flag is None else None
        if match is None or (found and not _follows(found[0], match, len(found))):
            break
        found.append(match)
    if len(found) < LOOP:
        return 1, body[start].lines
    first, last = found[0], found[-1]
    begin, count = int(first["number"]), len(found)
    is_formatted = first[0].startswith(f'{first["head"]}f"')
    path = first["path"] if is_formatted else first["path"].replace("{", "{{").replace("}", "}}")
    numbers = f"{begin}, {begin + count}" if begin else f"{count}"
    same = first["comment"] == last["comment"]
    comment = "" if last["comment"] is None else last["comment"] + ("" if same else " after the last")
    return count, [
        f"{INDENT}for {counter} in range({numbers}):",
        f'{INDENT}{first["head"]}f"{path}{{{counter}}}"{first["tail"]}{comment}',
    ]


def _follows(first: re.Match[str], match: re.Match[str], count: int) -> bool:
    """Whether a line is the first one, so many numbers on."""
    alike = all(first[part] == match[part] for part in ("head", "path", "tail"))
    return alike and int(match["number"]) == int(first["number"]) + count


def _kept(scope: Scope, names: Names) -> dict[int, str]:
    """id of a statement whose layer others call again -> the variable of that layer."""
    kept = {id(part.again): part.again for part in scope.parts if part.again is not None}
    return {key: names.unique(f"{identifier(part.name, part.prefix)}_layer") for key, part in kept.items()}


def _input_shape(network: Network, index: int) -> str:
    shape = network.nodes[index].shape
    return literal((*shape[1:], *shape[:1]))


def _path(part: Part, top: bool, dot: str) -> str:
    """The path of a statement as text in the code."""
    name = part.name.replace(".", dot)
    if top:
        return literal(name)
    escaped = name.replace("{", "{{").replace("}", "}}")
    return f"f{literal(f'{{name}}{dot}{escaped}')}"


def _form(found: Definitions, part: Part, slots: Slots, reads: list[str], path: str) -> Form:
    """What builds a layer, or the call of a block, under a name."""
    if isinstance(part.work, Use):
        definition, arguments = found.of[id(part.work.scope)]
        return Form(definition.name, (*reads, *argument_texts(arguments, slots), f"name={path}"))
    assert isinstance(part.work, Call)
    form = form_of(part.work, slots)
    return form._replace(items=tuple(f"name={path}" if text == 'name=""' else text for text in form.items))


def _applied(part: Part, reads: list[str]) -> str:
    return f"({part.work.applied(reads)})" if isinstance(part.work, Call) else ""


def _main(name: str) -> list[str]:
    return [
        'if __name__ == "__main__":',
        f"    model = {name}()",
        "    for output in model.outputs:",
        "        print(list(output.shape[1:]))",
        '    print(f"{sum(math.prod(w.shape) for w in model.trainable_weights):,} parameters")',
    ]
