"""A program as Python code: names, literals and calls as text, definitions that blocks share, variables, helpers."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from math import isinf, prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..terminal import printable
from .program import REQUIRED, Argument, Chain, Code, Inline, Part, Program, Scope, Use, Work
from .twins import Family, families

if TYPE_CHECKING:
    from ..network import Network

BUILTINS = frozenset({"range", "super", "print", "zip", "len", "sum", "tuple", "list", "self", "isinstance", "float"})
"""Names of Python that the exported code uses."""
COPIED = Path(__file__).parent / "copied"
"""Files of helpers. It is no package: what is in it needs a framework, and is read alone."""
WIDTH = 100
INDENT = "    "


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^A-Za-z0-9]+", "_", decomposed.encode("ascii", "ignore").decode("ascii"))


def identifier(text: str, prefix: str = "layer") -> str:
    """A lower-level name: letters, digits and underscores; the prefix goes before a leading digit.

    >>> identifier("inception_3a.3x3"), identifier("3x3", "branch"), identifier("lambda"), identifier("")
    ('inception_3a_3x3', 'branch_3x3', 'lambda_', 'layer')
    """
    name = _ascii(text).strip("_")
    if not name or name[0].isdigit():
        name = f"{prefix}_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) or name in BUILTINS else name


def class_name(text: str, fallback: str = "Model") -> str:
    """A class's name in camel case; capitals inside words stay.

    >>> class_name("conv_relu"), class_name("GoogLeNet"), class_name("ResNet (CIFAR-10)"), class_name("1x1")
    ('ConvRelu', 'GoogLeNet', 'ResNetCIFAR10', 'Block1x1')
    """
    words = [word for word in _ascii(text).split("_") if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or fallback
    name = f"Block{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


class Names:
    """Names of one scope, each given once."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._numbers: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name, with a number after it where it is taken.

        >>> names = Names({"x"})
        >>> names.unique("x"), names.unique("y"), names.unique("y")
        ('x2', 'y', 'y2')
        """
        found, number = name, self._numbers.get(name, 1)
        while found in self._taken:
            number += 1
            found = f"{name}{'_' * name[-1].isdigit()}{number}"
        self._numbers[name] = number
        self._taken.add(found)
        return found


def plain(text: str) -> str:
    """Text without control, direction and zero-width characters: they are shown escaped; newlines stay.

    >>> plain("a\\x1bb")
    'a\\\\x1bb'
    """
    return printable(text, kept="\n")


def docstring(text: str, indent: str = "") -> list[str]:
    """Lines of a docstring that says `text`, whatever stands in it.

    >>> len(docstring("one line")), len(docstring("two\\nlines"))
    (1, 3)
    """
    safe = plain(text).rstrip().replace("\\", "\\\\")
    if '"""' in safe or safe.endswith('"'):
        safe = safe.replace('"', '\\"')
    lines = [line.rstrip() for line in safe.split("\n")]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(f"{indent}{line}".rstrip() for line in lines[1:]), f'{indent}"""']


def literal(value: object) -> str:
    """A value as Python writes it; tuples of equal numbers stay tuples.

    >>> literal((3, 3)), literal(0.1), literal(float("-inf")), literal("a'b")
    ('(3, 3)', '0.1', 'float("-inf")', '"a\\'b"')
    """
    if isinstance(value, float) and isinf(value):
        return f'float("{value}")'
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        text = printable(repr(value))
        return text if '"' in value else f'"{text[1:-1]}"' if text[0] == "'" else text
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


class Form(NamedTuple):
    """`head(items)`; an item is finished text, a form or a repeated one."""

    head: str
    items: tuple[Form | Repeated | str, ...]


class Repeated(NamedTuple):
    """`*(form for _ in range(times))`: so many equal arguments."""

    form: Form
    times: int

    @property
    def clause(self) -> str:
        """What makes a generator of the form."""
        return f"for _ in range({self.times})"


def one_line(form: Form | Repeated | str) -> str:
    """The form without line breaks."""
    if isinstance(form, str):
        return form
    if isinstance(form, Repeated):
        return f"*({one_line(form.form)} {form.clause})"
    return f"{form.head}({', '.join(map(one_line, form.items))})"


def layout(before: str, form: Form | Repeated | str, after: str = "", depth: int = 0) -> list[str]:
    """Lines of `before form after`, indented by `depth`, broken where one line is too long.

    >>> layout("x = ", Form("f", ("1", "2")))
    ['x = f(1, 2)']
    """
    pad = INDENT * depth
    line = f"{pad}{before}{one_line(form)}{after}"
    if isinstance(form, Repeated):
        if len(line) <= WIDTH:
            return [line]
        inside = layout("", form.form, depth=depth + 1)
        return [f"{pad}{before}*(", *inside, f"{pad}{INDENT}{form.clause}", f"{pad}){after}"]
    if isinstance(form, str) or not form.items or (len(line) <= WIDTH and not _deep(form)):
        return [line]
    inner = f"{pad}{INDENT}{', '.join(map(one_line, form.items))}"
    if len(inner) <= WIDTH and not _deep(form):
        return [f"{pad}{before}{form.head}(", inner, f"{pad}){after}"]
    lines = [f"{pad}{before}{form.head}("]
    for item in form.items:
        lines += layout("", item, ",", depth + 1)
    return [*lines, f"{pad}){after}"]


def _deep(form: Form) -> bool:
    """Whether it, or what it holds, holds so many calls that each deserves its line."""
    inner = [item for item in form.items if isinstance(item, Form)]
    return len(inner) > 2 or any(map(_deep, inner))


class Slot(NamedTuple):
    """An argument's place in a definition: a fixed value, or the parameter of that name."""

    argument: Argument
    parameter: str | None = None


@dataclass(slots=True)
class Definition:
    """One block: its statements are those of `scope`, its arguments the slots, in the order of `arguments`."""

    name: str
    scope: Scope
    parameters: list[str] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    optional: dict[int, str] = field(default_factory=dict)
    """The flags of statements that not all uses have, by their positions."""
    flags: tuple[str, ...] = ()
    """All flags: parameters that are false where nothing is given."""


@dataclass(slots=True)
class Definitions:
    """All definitions, inner ones first, and what each use of a block gives for the parameters."""

    blocks: list[Definition]
    top: Definition
    of: dict[int, tuple[Definition, tuple[Argument, ...]]]
    """id of a scope -> its definition and the arguments of that use."""

    def arguments(self, work: Work, owner: str, prefix: str) -> Iterator[tuple[str, Argument]]:
        """(owner, argument) of a statement's work, in the order in which it is written."""
        if isinstance(work, Chain):
            for part in work.parts:
                yield from self.arguments(part.work, part.name, prefix)
            return
        arguments = self.of[id(work.scope)][1] if isinstance(work, Use) else work.arguments
        for argument in arguments:
            yield identifier(owner, prefix), argument


def define(program: Program, reserved: Iterable[str], *, classes: bool = True, optional: bool = False) -> Definitions:
    """Group the program's blocks into definitions; names are classes or functions, none of them reserved.

    With `optional`, blocks share one too where one lacks modules of the other that take one value and give one.
    """
    names = Names(reserved)
    top_name = names.unique(class_name(program.top.kind) if classes else identifier(program.top.kind, "model").lower())
    found = Definitions([], Definition(top_name, program.top), {})
    kept = {"x", "y", "z", "name", "self", *reserved, *(identifier(scope.kind).lower() for scope in program.blocks)}
    for family in families(program.blocks, optional=optional):
        kind = family.base.kind
        name = names.unique(class_name(kind, "Block") if classes else identifier(kind, "block").lower())
        definition = Definition(name, family.base)
        _fill(found, definition, family, kept)
        found.blocks.append(definition)
    arguments = _all_arguments(found, program.top)
    found.top.slots = [Slot(argument) for _, argument in arguments]
    return found


def _all_arguments(found: Definitions, scope: Scope) -> list[tuple[str, Argument]]:
    return [pair for part in scope.parts for pair in _built(found, part)]


def _built(found: Definitions, part: Part) -> list[tuple[str, Argument]]:
    """The arguments of what a statement builds; none where it calls a module again."""
    return [] if part.again is not None else list(found.arguments(part.work, part.name, part.prefix))


ABSENT = object()
"""Stands for an argument of a module that a block lacks."""


def _rows(found: Definitions, family: Family) -> list[list[tuple[str, Argument]]]:
    """The arguments of each block, beside those of the base; absent ones where it lacks a module."""
    base = [_built(found, part) for part in family.base.parts]
    rows = []
    for scope in family.scopes:
        row: list[tuple[str, Argument]] = []
        for part, arguments in zip(family.parts_of(scope), base, strict=True):
            if part is None:
                row += [(owner, argument._replace(value=ABSENT)) for owner, argument in arguments]
            else:
                row += _built(found, part)
        rows.append(row)
    return rows


def _fill(found: Definitions, definition: Definition, family: Family, reserved: set[str]) -> None:
    """The slots and parameters of a definition, and the arguments of each of its uses."""
    rows = _rows(found, family)
    columns = list(zip(*([argument.value for _, argument in row] for row in rows), strict=True))
    first = rows[family.scopes.index(family.base)]
    varying: dict[tuple[object, ...], list[int]] = {}
    for number, values in sorted(enumerate(columns), key=lambda entry: ABSENT in entry[1]):
        given = [value for value in values if value is not ABSENT]
        if any(value != given[0] or type(value) is not type(given[0]) for value in given[1:]):
            key = tuple((type(v), _hashable(v)) for v in values)
            varying.setdefault(next((one for one in varying if _stands_for(one, key)), key), []).append(number)
    leads = sorted(varying.values(), key=min)
    short = [first[numbers[0]][1].name for numbers in leads]
    names = Names(reserved)
    parameter_of: dict[int, str] = {}
    for numbers, simple in zip(leads, short, strict=True):
        owner, argument = first[numbers[0]]
        unique = short.count(simple) == 1 or (argument.name == "in_channels" and not definition.parameters)
        name = names.unique(identifier(argument.name if unique else f"{owner}_{argument.name}"))
        definition.parameters.append(name)
        parameter_of.update(dict.fromkeys(numbers, name))
    definition.slots = [Slot(argument, parameter_of.get(number)) for number, (_, argument) in enumerate(first)]
    flags = {present: names.unique(identifier(name)) for present, name in family.flags().items()}
    definition.flags = tuple(flags.values())
    definition.optional = {n: flags[present] for n, present in family.optional().items()}
    for position, (scope, row) in enumerate(zip(family.scopes, rows, strict=True)):
        given_here = [
            Argument(name, _present(row[n[0]][1].value, columns[n[0]]), positional=True)
            for name, n in zip(definition.parameters, leads, strict=True)
        ]
        given_here += [Argument(name, present[position], default=False) for present, name in flags.items()]
        found.of[id(scope)] = (definition, tuple(given_here))


def _stands_for(key: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether one column has the values of another one wherever that has some."""
    return all(own == value or value == (object, ABSENT) for own, value in zip(key, other, strict=True))


def _present(value: object, column: tuple[object, ...]) -> object:
    """What is given: where the module is absent, what most others give."""
    if value is not ABSENT:
        return value
    return Counter(_hashable(v) for v in column if v is not ABSENT).most_common(1)[0][0]


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


@dataclass(slots=True)
class Statement:
    """A part with its variables."""

    reads: list[str]
    writes: list[str]


@dataclass(slots=True)
class Variables:
    """The function's parameters, its statements, and what it returns."""

    inputs: list[str]
    statements: list[Statement]
    returned: list[str]


def variables(scope: Scope, input_names: list[str] | None = None, reserved: Iterable[str] = ()) -> Variables:
    """Name the values of a scope. A variable is used again once nothing reads its value any more."""
    last: dict[int, int] = {}
    for number, part in enumerate(scope.parts):
        for value in part.inputs:
            last[value] = number
    for value in scope.outputs:
        last[value] = len(scope.parts)
    count = len(scope.inputs)
    names = input_names or (["x", "y", "z"][:count] if count <= 3 else [f"x{n}" for n in range(1, count + 1)])
    holder = dict(zip(scope.inputs, names, strict=True))
    live = {name for value, name in holder.items() if last.get(value, -1) >= 0}
    taken = set(reserved)
    statements: list[Statement] = []
    for number, part in enumerate(scope.parts):
        reads = [holder[value] for value in part.inputs]
        dying = [holder[value] for value in dict.fromkeys(part.inputs) if last[value] == number]
        live.difference_update(dying)
        writes: list[str] = []
        for value in part.outputs:
            name = _choose(part.name, part.prefix, dying if not writes else [], live | taken)
            holder[value] = name
            if last.get(value, -1) > number:
                live.add(name)
            writes.append(name)
        statements.append(Statement(reads, writes))
    return Variables(names, statements, [holder[value] for value in scope.outputs])


def _choose(path: str, prefix: str, dying: list[str], unavailable: set[str]) -> str:
    if len(dying) == 1 and dying[0] not in unavailable:
        return dying[0]
    if "x" not in unavailable:
        return "x"
    if dying and dying[0] not in unavailable:
        return dying[0]
    stem = identifier(path.partition(".")[0], prefix)
    name, number = stem, 1
    while name in unavailable:
        number += 1
        name = f"{stem}_{number}"
    return name


def loops(lines: Iterable[str]) -> Iterator[str]:
    """Lines of a function; three and more equal ones that follow one another as a loop.

    >>> list(loops(["    x = f(x)"] * 12 + ["    return x"]))
    ['    for _ in range(12):', '        x = f(x)', '    return x']
    """
    for line, group in groupby(lines):
        count = len(list(group))
        if count < 3:
            yield from (line,) * count
        else:
            pad = line[: len(line) - len(line.lstrip())]
            yield from (f"{pad}for _ in range({count}):", f"{INDENT}{line}")


Slots = Iterator[Slot]


def value_text(slot: Slot, owner: str = "") -> str:
    """The parameter's name (an attribute of `owner` where it is one) or the literal."""
    return f"{owner}{slot.parameter}" if slot.parameter else literal(slot.argument.value)


def argument_texts(arguments: tuple[Argument, ...], slots: Slots) -> list[str]:
    """Arguments as they are written; fixed ones that equal their default are left out."""
    found = []
    for argument in arguments:
        slot = next(slots)
        fixed = slot.parameter is None
        if fixed and argument.default is not REQUIRED and slot.argument.value == argument.default:
            continue
        text = value_text(slot)
        found.append(text if argument.positional else f"{argument.name}={text}")
    return found


def inline_text(work: Inline, slots: Slots, reads: list[str], owner: str = "") -> str:
    """An expression over variables."""
    values: dict[str, str] = {argument.name: value_text(next(slots), owner) for argument in work.arguments}
    values |= {str(number): name for number, name in enumerate(reads)}
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], work.template)


def file_head(network: Network, framework: str) -> list[str]:
    """The docstring of the file: the network's name, source, input, outputs and size."""
    inputs = ", ".join(f"{name} {list(shape)}" for name, shape in network.inputs.items())
    outputs = ", ".join(f"{output.name} {list(network.nodes[output.node].shape)}" for output in network.outputs)
    variant = f", variant {network.variant}" if network.variant else ""
    lines = [f"{network.name}{variant}, for {framework}.", ""]
    lines += [network.source, ""] if network.source else []
    lines += [f"Input: {inputs}", f"Output: {outputs}", f"Parameters: {parameter_count(network):,}"]
    return docstring("\n".join(lines))


def parameter_count(network: Network) -> int:
    """Learnable numbers of the network."""
    total = 0
    for node in network.nodes:
        if node.layer is not None and node.shares is None:
            weights = node.layer.weights(network.input_shapes(node))
            total += sum(prod(weight.shape) for weight in weights if weight.learnable)
    return total


@cache
def helpers_in(module: str) -> dict[str, str]:
    """The definitions in a file of helpers, by name and in its order; the file is read, not imported.

    >>> list(helpers_in("torch_helpers"))[:2], helpers_in("torch_helpers")["Permute"].splitlines()[0]
    (['Permute', 'ChannelLayerNorm'], 'class Permute(nn.Module):')
    """
    text = (COPIED / f"{module}.py").read_text("utf-8")
    lines = text.splitlines()
    definitions = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return {node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in definitions}


def helper_texts(helpers: Mapping[str, str], text: str) -> list[str]:
    """The helpers that a text names, and those that they name, in the order of the table."""
    wanted: set[str] = set()
    texts = [text]
    while texts:
        words = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", texts.pop()))
        new = {name for name in helpers if name in words} - wanted
        wanted |= new
        texts += [helpers[name] for name in new]
    return [helpers[name] for name in helpers if name in wanted]
