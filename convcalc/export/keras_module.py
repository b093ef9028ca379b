"""A network as a Keras model: a function for each block of the spec, in the order of the spec, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..layers.kind_table import Refused
from .keras_layers import KERAS, Order, channels_last, is_named, permuted
from .program import Call, Inline, Part, Scope, Step, Use, program, refusal, with_examples
from .python_code import (
    Definition,
    Definitions,
    Form,
    Names,
    Slots,
    argument_texts,
    define,
    docstring,
    file_head,
    helper_texts,
    helpers_in,
    identifier,
    inline_text,
    layout,
    literal,
    loops,
    variables,
)
from .sharing import dissolved, share

if TYPE_CHECKING:
    from ..network import Network

HELPERS = helpers_in("keras_helpers")
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
    reserved = {"keras", "layers", "ops", "np", "inputs", "name", *definition.parameters, *HELPERS}
    reserved.update(block.name for block in found.blocks)
    local = Names(reserved)
    inputs = [local.unique(identifier(network.nodes[index].name, "x")) for index in scope.inputs] if top else None
    names = variables(scope, ["x"] if top and len(scope.inputs) == 1 else inputs, reserved)
    slots: Slots = iter(definition.slots)
    taken = {name for statement in names.statements for name in statement.writes}
    kept = _kept(scope, Names(reserved | taken | set(names.inputs)))
    body: list[str] = []
    for part, statement in zip(scope.parts, names.statements, strict=True):
        target = ", ".join(statement.writes)
        node = network.nodes[part.node]
        shape = [node.shape[axis] for axis in orders[part.node]]
        comment = f"  # {shape}" if top and part.outputs[-1] == part.node else ""
        if isinstance(part.work, Inline):
            text = inline_text(part.work, slots, statement.reads)
            if text != target:
                body.append(f"    {target} = {text}{comment}")
            continue
        path = _path(part, top, dot)
        applied = _applied(part, statement.reads) + comment
        layer = kept.get(id(part.again or part))
        if layer is None:
            body += layout(f"{target} = ", _form(found, part, slots, statement.reads, path), applied, 1)
            continue
        if part.again is None:
            body += layout(f"{layer} = ", _form(found, part, slots, statement.reads, path), depth=1)
        body.append(f"    {target} = {layer}{applied}")
    if top:
        lines = [f"def {definition.name}():", *docstring(f"{network.name} as a keras.Model.", "    ")]
        built = [
            f"keras.Input({_input_shape(network, n)}, name={literal(network.nodes[n].name)})" for n in scope.inputs
        ]
        single = len(built) == 1
        lines += layout("inputs = ", built[0] if single else Form("", tuple(built)), depth=1)
        lines.append(f"    {', '.join(names.inputs)} = inputs")
        returned = names.returned[0] if len(names.returned) == 1 else f"[{', '.join(names.returned)}]"
        return [*lines, *loops(body), f"    return keras.Model(inputs, {returned}, name={literal(definition.name)})"]
    head = layout("", Form(f"def {definition.name}", (*names.inputs, *definition.parameters, "name")), ":")
    returned = ", ".join(names.returned)
    return [*head, *docstring(f"The block {scope.kind}.", "    "), *loops(body), f"    return {returned}"]


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
    texts = [f"name={path}" if text == 'name=""' else text for text in argument_texts(part.work.arguments, slots)]
    return Form(part.work.function, tuple(texts))


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
