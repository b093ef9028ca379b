"""Python as text: names, literals and calls, what stands at a file's head, helpers that are copied into it."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..network import learned_numbers
from ..terminal import printable
from .program import Code

if TYPE_CHECKING:
    from ..network import Network

BUILTINS = frozenset({"range", "super", "print", "zip", "len", "sum", "tuple", "list", "self", "isinstance", "float"})
"""Names of Python that the exported code uses."""
COPIED = Path(__file__).parent / "copied"
"""Files of helpers. It is no package: what is in it needs a framework, and is read alone."""
WIDTH = 100
INDENT = "    "
ROW = 3
"""So many calls in a row that differ in one argument are written as one."""


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
    """`head(items)`; an item is finished text, a form, a repeated one or one that may not be there."""

    head: str
    items: tuple[Written, ...]


def read_call(text: str) -> Form | str:
    """A call that is written as text, so that it can be broken; what is none stays text, and so does one with quotes.

    >>> read_call("f(a, g(b, c))"), read_call("x + 1")
    (Form(head='f', items=('a', 'g(b, c)')), 'x + 1')
    """
    match = re.fullmatch(r"([A-Za-z_][\w.]*)\(([^'\"]*)\)", text)
    if match is None:
        return text
    items, depth = [""], 0
    for character in match[2]:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return text
        if character == "," and not depth:
            items.append("")
        else:
            items[-1] += character
    return Form(match[1], tuple(item.strip() for item in items))


class Repeated(NamedTuple):
    """`*(form clause)`: an argument for each value of a generator."""

    form: Form
    clause: Form
    """`for … in` and what it goes over."""


class Chosen(NamedTuple):
    """`form if flag else other`."""

    form: Form
    flag: str
    other: str


Written = Form | Repeated | Chosen | str


def one_line(form: Written) -> str:
    """The form without line breaks."""
    if isinstance(form, str):
        return form
    if isinstance(form, Repeated):
        return f"*({one_line(form.form)} {one_line(form.clause)})"
    if isinstance(form, Chosen):
        return f"{one_line(form.form)} if {form.flag} else {form.other}"
    return (
        f"{form.head}({', '.join(map(one_line, form.items))}{',' * (form.head.endswith(' ') and len(form.items) == 1)})"
    )


def layout(before: str, form: Written, after: str = "", depth: int = 0) -> list[str]:
    """Lines of `before form after`, indented by `depth`, broken where one line is too long.

    >>> layout("x = ", Form("f", ("1", "2")))
    ['x = f(1, 2)']
    """
    pad = INDENT * depth
    line = f"{pad}{before}{one_line(form)}{after}"
    fits = len(line) <= WIDTH
    if isinstance(form, Repeated):
        if fits:
            return [line]
        inside = [*layout("", form.form, depth=depth + 1), *layout("", form.clause, depth=depth + 1)]
        return [f"{pad}{before}*(", *inside, f"{pad}){after}"]
    if isinstance(form, Chosen):
        if fits:
            return [line]
        deeper = depth + bool(before)
        if before and len(INDENT * deeper + one_line(form)) <= WIDTH:
            return [f"{pad}{before}(", INDENT * deeper + one_line(form), f"{pad}){after}"]
        inside = [*layout("", form.form, depth=deeper), f"{INDENT * deeper}if {form.flag}"]
        if not before:
            return [*inside, f"{pad}else {form.other}{after}"]
        return [f"{pad}{before}(", *inside, f"{INDENT * deeper}else {form.other}", f"{pad}){after}"]
    if isinstance(form, str) or not form.items or (fits and not _deep(form)):
        return [line]
    inner = f"{pad}{INDENT}{', '.join(map(one_line, form.items))}"
    lines = [f"{pad}{before}{form.head}("]
    if len(inner) <= WIDTH and not _deep(form):
        return [*lines, inner, f"{pad}){after}"]
    if all(isinstance(item, str) for item in form.items):
        lines += _filled(list(map(one_line, form.items)), depth + 1)
    else:
        for item in form.items:
            lines += layout("", item, ",", depth + 1)
    return [*lines, f"{pad}){after}"]


def _filled(items: Sequence[str], depth: int) -> list[str]:
    """Items on as few lines as hold them.

    >>> _filled(["a" * 60, "b" * 30, "c" * 30], 0) == ["a" * 60 + ", " + "b" * 30 + ",", "c" * 30 + ","]
    True
    """
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 2 <= WIDTH:
            lines[-1] += f" {item},"
        else:
            lines.append(f"{INDENT * depth}{item},")
    return lines


def _deep(form: Form) -> bool:
    """Whether it, or what it holds, holds so many calls that each deserves its line."""
    inner = [item for item in form.items if isinstance(item, Form)]
    return len(inner) > 2 or any(map(_deep, inner))


def progressions(items: Sequence[Written], names: Mapping[str, Sequence[str]]) -> list[Written]:
    """Items; calls in a row of one function that differ in one argument as a generator.

    `names` are those of each function's arguments that stand without names.

    >>> items = [Form("Dense", (str(n),)) for n in (64, 96, 128, 160)]
    >>> [one_line(item) for item in progressions(items, {"Dense": ["channels"]})]
    ['*(Dense(channels) for channels in range(64, 192, 32))']
    """
    found: list[Written] = []
    position = 0
    while position < len(items):
        stop, differing = _row(items, position)
        first = items[position]
        if stop - position < ROW or differing is None or not isinstance(first, Form):
            found.append(first)
            position += 1
            continue
        texts = [one_line(item.items[differing]) for item in items[position:stop] if isinstance(item, Form)]
        name, values = _named(texts, differing, names.get(first.head, ()))
        argument = name if texts[0] == values[0] else f"{name}={name}"
        arguments = (*first.items[:differing], argument, *first.items[differing + 1 :])
        found.append(Repeated(Form(first.head, arguments), _over(name, values)))
        position = stop
    return found


def _row(items: Sequence[Written], start: int) -> tuple[int, int | None]:
    """Behind which item the calls end that differ from the first one in the same argument, and in which."""
    first, differing, stop = items[start], None, start + 1
    if not isinstance(first, Form):
        return stop, None
    for item in items[start + 1 :]:
        if not isinstance(item, Form) or item.head != first.head or len(item.items) != len(first.items):
            break
        others = [n for n, (one, other) in enumerate(zip(first.items, item.items, strict=True)) if one != other]
        if len(others) != 1 or differing not in (None, others[0]):
            break
        differing, stop = others[0], stop + 1
    return stop, differing


def _named(texts: Sequence[str], position: int, names: Sequence[str]) -> tuple[str, list[str]]:
    """The name of an argument, and its values without that."""
    keyword_name = re.match(r"([A-Za-z_]\w*)=", texts[0])
    if keyword_name:
        return keyword_name[1], [text[keyword_name.end() :] for text in texts]
    return names[position] if position < len(names) else "value", list(texts)


def _over(name: str, values: Sequence[str]) -> Form:
    """The clause that goes over values: a range where they are one."""
    if all(value.isdecimal() for value in values):
        numbers = list(map(int, values))
        step = numbers[1] - numbers[0]
        if step and all(after - before == step for before, after in pairwise(numbers)):
            return Form(f"for {name} in range", tuple(map(str, (numbers[0], numbers[-1] + step, step))))
    return Form(f"for {name} in ", tuple(values))


def file_head(network: Network, framework: str) -> list[str]:
    """The docstring of the file: the network's name, source, input, outputs and size."""
    inputs = ", ".join(f"{name} {list(shape)}" for name, shape in network.inputs.items())
    outputs = ", ".join(f"{output.name} {list(network.nodes[output.node].shape)}" for output in network.outputs)
    variant = f", variant {network.variant}" if network.variant else ""
    lines = [f"{network.name}{variant}, for {framework}.", ""]
    lines += [network.source, ""] if network.source else []
    lines += [f"Input: {inputs}", f"Output: {outputs}", f"Parameters: {learned_numbers(network.nodes):,}"]
    return docstring("\n".join(lines))


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
