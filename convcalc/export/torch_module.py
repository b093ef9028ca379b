"""A network as a PyTorch module: a class for each block of the spec, `forward` in the order of the spec."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ..layers.kind_table import Refused
from .program import Address, Call, Chain, Inline, Part, Scope, Step, Tie, Use, Work, program, refusal, with_examples
from .python_code import (
    Definition,
    Definitions,
    Form,
    Names,
    Repeated,
    Slot,
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
    loops,
    variables,
)
from .sharing import share
from .torch_layers import TORCH, pads

if TYPE_CHECKING:
    from ..network import Network

_ATTRIBUTES = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
MODULE_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
"""Names that nn.Module keeps for itself."""
HELPERS = helpers_in("torch_helpers")
RESERVED = ("torch", "nn", "F", "model", *HELPERS)


def torch_module(network: Network) -> str:
    """The text of a Python file with the network as torch.nn.Module; run, it prints shapes and parameters.

    Shapes, parameters, multiply-accumulates and values are the network's own for the input that it has. Raises
    UsageError where PyTorch has no equal of a layer.

    >>> from convcalc.language import loads
    >>> text = torch_module(loads("{convcalc: 1, name: N, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"))
    >>> [line.strip() for line in text.splitlines() if "nn.Conv2d" in line]
    ['self.conv2d = nn.Conv2d(3, 4, kernel_size=3)']
    """
    network = with_examples(network)
    written = program(network, _steps(network), chains=True)
    share(written, "torch", lambda call: not pads(call), ties=True)
    found = define(written, RESERVED, optional=True)
    attributes = {id(scope): _attributes(scope) for scope in (*written.blocks, written.top)}
    classes = [_class_lines(found, definition, network, attributes) for definition in found.blocks]
    classes.append(_class_lines(found, found.top, network, attributes))
    body = "\n\n\n".join("\n".join(lines) for lines in classes)
    helpers = helper_texts(HELPERS, body)
    imports = ["import torch", *(["import torch.nn.functional as F"] if "F." in "".join([body, *helpers]) else [])]
    imports.append("from torch import nn")
    parts = ["\n".join([*file_head(network, "PyTorch"), "", *imports]), *helpers]
    return "\n\n\n".join([*parts, body, "\n".join(_main(found.top.name, network))]) + "\n"


def _steps(network: Network) -> list[Sequence[Step]]:
    """The steps of every node (none for inputs); equal layers on equal shapes are looked up once."""
    found: list[Sequence[Step]] = []
    known: dict[tuple[object, ...], Sequence[Step]] = {}
    for node in network.nodes:
        if node.layer is None:
            found.append(())
            continue
        shapes = network.input_shapes(node)
        key = (id(node.layer), shapes)
        if key not in known:
            try:
                known[key] = TORCH.of(node.layer)(node.layer, shapes, node.shape)
            except Refused as refused:
                raise refusal("torch", node, refused) from None
        found.append(known[key])
    return found


Attributes = dict[int, dict[int, str]]
"""id of a scope -> id of a statement -> the attribute that holds its module."""


def _class_lines(found: Definitions, definition: Definition, network: Network, attributes: Attributes) -> list[str]:
    top = definition is found.top
    scope = definition.scope
    local = Names(("self", "torch", "F", *HELPERS))
    inputs = [local.unique(identifier(network.nodes[index].name, "x")) for index in scope.inputs] if top else None
    names = variables(scope, ["x"] if top and len(scope.inputs) == 1 else inputs, ("torch", "F", *HELPERS))
    slots: Slots = iter(definition.slots)
    kept: list[Slot] = []
    build: list[str] = []
    forward: list[str] = []
    for position, (part, statement) in enumerate(zip(scope.parts, names.statements, strict=True)):
        if isinstance(part.work, Inline):
            mine = [next(slots) for _ in part.work.arguments]
            kept += mine
            text = inline_text(part.work, iter(mine), statement.reads, "self.")
        else:
            attribute = attributes[id(scope)][id(part.again or part)]
            if part.again is None:
                flag = definition.optional.get(position)
                otherwise = "" if flag is None else f" if {flag} else nn.Identity()"
                build += layout(f"self.{attribute} = ", _form(found, part.work, slots), otherwise, depth=2)
            reads = statement.reads
            given = part.work.applied(reads) if isinstance(part.work, Call) else ", ".join(reads)
            text = f"self.{attribute}({given})"
        shape = f"  # {list(network.nodes[part.node].shape)}" if top else ""
        forward.append(f"        {', '.join(statement.writes)} = {text}{shape}")
    build += [f"        {_tied(scope, tie, attributes)}" for tie in scope.ties]
    read = {slot.parameter for slot in kept}
    own = [f"        self.{name} = {name}" for name in definition.parameters if name in read]
    what = f"The block {scope.kind}." if not top else network.name
    return [
        f"class {definition.name}(nn.Module):",
        *docstring(what, "    "),
        "",
        *_signature("__init__", ["self", *definition.parameters, *(f"{flag}=False" for flag in definition.flags)]),
        "        super().__init__()",
        *own,
        *build,
        "",
        *_signature("forward", ["self", *names.inputs]),
        *loops(forward),
        f"        return {', '.join(names.returned)}",
    ]


def _attributes(scope: Scope) -> dict[int, str]:
    """The attributes of the modules that are built in a scope."""
    names = Names(MODULE_ATTRIBUTES)
    built = [part for part in scope.parts if part.again is None and not isinstance(part.work, Inline)]
    return {id(part): names.unique(identifier(part.name, part.prefix)) for part in built}


def _tied(scope: Scope, tie: Tie, attributes: Attributes) -> str:
    """The statement that gives a module the weights of another one."""
    module, holder = (_module_text(scope, address, attributes) for address in (tie.module, tie.holder))
    return f"{module} = {holder}" if tie.alike else f"share_weights({module}, {holder})"


def _module_text(scope: Scope, address: Address, attributes: Attributes) -> str:
    """How a module is reached from its scope."""
    text, work = "self", None
    parts = scope.parts
    for number in address:
        part = parts[number]
        text += f"[{number}]" if isinstance(work, Chain) else f".{attributes[id(scope)][id(part)]}"
        work = part.work
        if isinstance(work, Use):
            scope = work.scope
            parts = scope.parts
        elif isinstance(work, Chain):
            parts = work.parts
    return text


def _signature(name: str, parameters: list[str]) -> list[str]:
    return layout("", Form(f"def {name}", tuple(parameters)), ":", depth=1)


def _form(found: Definitions, work: Work, slots: Slots) -> Form:
    """What builds a module."""
    if isinstance(work, Use):
        definition, arguments = found.of[id(work.scope)]
        return Form(definition.name, tuple(argument_texts(arguments, slots)))
    if isinstance(work, Call):
        return Form(work.function, tuple(argument_texts(work.arguments, slots)))
    assert isinstance(work, Chain), "an expression builds no module"
    return Form("nn.Sequential", tuple(_repeats(found, work.parts, slots)))


def _repeats(found: Definitions, parts: list[Part], slots: Slots) -> list[Form | Repeated]:
    """The modules of a chain; equal ones that follow one another are written once."""
    written: list[Form | Repeated] = []
    for form, group in groupby([_form(found, part.work, slots) for part in parts]):
        count = len(list(group))
        written.append(Repeated(form, count) if count > 1 else form)
    return written


def _main(name: str, network: Network) -> list[str]:
    shapes = ", ".join(f"torch.zeros({', '.join(map(str, (1, *shape)))})" for shape in network.inputs.values())
    node_of = list(dict.fromkeys(output.node for output in network.outputs))
    lines = [
        'if __name__ == "__main__":',
        '    with torch.device("meta"):',
        f"        model = {name}().eval()",
        f"        outputs = model({shapes})",
    ]
    if len(node_of) == 1:
        lines.append("    print(list(outputs.shape[1:]))")
    else:
        lines += ["    for output in outputs:", "        print(list(output.shape[1:]))"]
    return [*lines, '    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")']
