"""A network as a PyTorch module: a class for each block of the spec, `forward` in the order of the spec."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ..layers.kind_table import Refused
from .definitions import Definition, Definitions, define
from .for_torch.common import pads
from .program import Address, Call, Chain, Inline, Part, Scope, Step, Tie, Use, Work, program, refusal, with_examples
from .python_code import (
    Chosen,
    Form,
    Names,
    Repeated,
    Written,
    docstring,
    file_head,
    helper_texts,
    helpers_in,
    identifier,
    layout,
    progressions,
)
from .sharing import share
from .statements import Slots, argument_texts, form_of, inline_text, loops, returned, variables
from .torch_layers import TORCH

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
    for scope in (*written.blocks, written.top):
        _call_again(scope)
    found = define(written, RESERVED, classes=True)
    attributes = {id(scope): _attributes(scope) for scope in (*written.blocks, written.top)}
    for definition in found.blocks:
        attributes[id(definition.scope)] = _attributes(definition.scope, definition)
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


def _call_again(scope: Scope) -> None:
    """One module for the activations of a scope that are alike and have no name of their own."""
    first: dict[Call, Part] = {}
    for part in scope.parts:
        if part.anonymous and isinstance(part.work, Call):
            one = first.setdefault(part.work, part)
            part.again = None if one is part else one


def _class_lines(found: Definitions, definition: Definition, network: Network, attributes: Attributes) -> list[str]:
    top = definition is found.top
    scope = definition.scope
    local = Names(("self", "torch", "F", *HELPERS))
    inputs = [local.unique(identifier(network.nodes[index].name, "x")) for index in scope.inputs] if top else None
    names = variables(scope, ["x"] if top and len(scope.inputs) == 1 else inputs, ("torch", "F", *HELPERS))
    slots: Slots = iter(definition.slots)
    kept: list[str] = []
    build: list[str] = []
    forward: list[str] = []
    for position, (part, statement) in enumerate(zip(scope.parts, names.statements, strict=True)):
        flag = definition.optional.get((position,))
        if isinstance(part.work, Inline):
            mine = [next(slots) for _ in part.work.arguments]
            kept += [name for slot in mine for name in slot.reads]
            text = inline_text(part.work, iter(mine), statement.reads, "self.")
            if flag is not None:
                kept.append(flag)
                text = f"{text} if self.{flag} else {statement.reads[definition.passed[position,]]}"
        else:
            attribute = attributes[id(scope)][id(part.again or part)]
            if part.again is None:
                form = _form(found, definition, part.work, slots, (position,))
                build += _built(f"self.{attribute} = ", form, flag)
            reads = statement.reads
            given = part.work.applied(reads) if isinstance(part.work, Call) else ", ".join(reads)
            text = f"self.{attribute}({given})"
        shape = f"  # {list(network.nodes[part.node].shape)}" if top else ""
        forward.append(f"        {', '.join(statement.writes)} = {text}{shape}")
    build += [f"        {_tied(scope, tie, attributes)}" for tie in scope.ties]
    own = [f"        self.{p.name} = {p.name}" for p in definition.parameters if p.name in kept]
    what = f"The block {scope.kind}." if not top else network.name
    parameters = ["self", *definition.required, *definition.defaulted]
    init = [*_signature("__init__", parameters), "        super().__init__()", *own, *build, ""]
    return [
        f"class {definition.name}(nn.Module):",
        *docstring(what, "    "),
        "",
        *(init if own or build else []),
        *_signature("forward", ["self", *names.inputs]),
        *loops(returned(forward, names.returned, "        ")),
    ]


def _built(before: str, form: Form, flag: str | None) -> list[str]:
    """The statement that builds a module; nothing is done in its place where the flag is false."""
    if flag is None:
        return layout(before, form, depth=2)
    return layout(before, Chosen(form, flag, "nn.Identity()"), depth=2)


def _attributes(scope: Scope, definition: Definition | None = None) -> dict[int, str]:
    """The attributes of the modules that are built in a scope; an activation that differs between uses is just one."""
    names = Names(MODULE_ATTRIBUTES)
    built = [part for part in scope.parts if part.again is None and not isinstance(part.work, Inline)]
    given = set(definition.activations) if definition is not None else set()
    names_of = [(part, "activation" if id(part) in given else identifier(part.name, part.prefix)) for part in built]
    return {id(part): names.unique(name) for part, name in names_of}


def _tied(scope: Scope, tie: Tie, attributes: Attributes) -> str:
    """The statement that gives a module the weights of another one."""
    module, holder = (_module_text(scope, address, attributes) for address in (tie.module, tie.holder))
    if tie.tensor:
        return f"{module}.{tie.tensor} = {holder}.{tie.tensor}"
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


def _form(found: Definitions, definition: Definition, work: Work, slots: Slots, at: Address) -> Form:
    """What builds a module."""
    if isinstance(work, Use):
        used, arguments = found.of[id(work.scope)]
        return Form(used.name, tuple(argument_texts(arguments, slots)))
    if isinstance(work, Call):
        return form_of(work, slots)
    assert isinstance(work, Chain), "an expression builds no module"
    modules: list[Form | Chosen] = []
    for number, part in enumerate(work.parts):
        form = _form(found, definition, part.work, slots, (*at, number))
        flag = definition.optional.get((*at, number))
        modules.append(form if flag is None else Chosen(form, flag, "nn.Identity()"))
    names = {block.name: block.required for block in found.blocks}
    return Form("nn.Sequential", tuple(progressions(_repeats(modules), names)))


def _repeats(modules: Sequence[Form | Chosen]) -> list[Written]:
    """The modules of a chain; equal ones that follow one another are written once."""
    written: list[Written] = []
    for form, group in groupby(modules):
        equal = list(group)
        if len(equal) > 1 and isinstance(form, Form):
            written.append(Repeated(form, Form("for _ in range", (str(len(equal)),))))
        else:
            written += equal
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
