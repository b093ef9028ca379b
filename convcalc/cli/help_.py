"""`convcalc help`: all commands in their groups, or the page of one."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ..render import streams
from .commands import COMMANDS, GROUPS
from .program import Program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer.core import TyperCommand

    from ..render.help import Page

ABOUT = "What a convolutional architecture does to shapes, parameters and cost."
SPEC = (
    "A SPEC is a file, a name of the gallery (convcalc specs), an ONNX or Keras file, a PyTorch model in code"
    " (./net.py:Net), or - for standard input."
)
FIRST = ("convcalc table resnet", "convcalc table my.yaml")
"""The calls that the first page shows."""
_EXTRA = re.compile(r" *\[([^\[\]]*)\]$")
_TYPE = re.compile(r"<([^<>]*)>")
TYPES = {"int": "N", "int range": "N", "str": "TEXT"}
"""What the reader of the command line calls a type -> what a person calls its values."""


def command(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="The command whose page is shown.")] = None,
) -> None:
    show(program_of(context), name)


def program_of(context: typer.Context) -> Program:
    """The program that a context is of."""
    program = context.find_root().command
    assert isinstance(program, Program)
    return program


def show(program: Program, name: str | None) -> None:
    """Print the page of a command, or the first page. Raises UsageError for a name that is none."""
    from ..render.help import help_lines

    page = first_page(program) if name is None else command_page(program, name)
    streams.write_lines(help_lines(page, streams.line_width()))


def first_page(program: Program) -> "Page":
    """All commands in their groups, and the program's own options."""
    from ..render.help import Page, Terms

    groups = [
        Terms(heading, tuple((name, found.summary) for name, found in COMMANDS.items() if found.group == group))
        for group, heading in GROUPS.items()
    ]
    options = Terms("options", tuple(_options(program, [param.name for param in program.params])))
    ending = "convcalc help COMMAND has the options of a command, and two examples."
    return Page("convcalc COMMAND ...", (ABOUT, SPEC), FIRST, (*groups, options), ending, aligned=False)


def command_page(program: Program, name: str) -> "Page":
    """What a command does, two calls of it, its arguments and its options."""
    from ..render.help import Page, Terms

    called = program.command(name)
    found = COMMANDS[name]
    everywhere = {param.name for param in program.params}
    arguments = [param for param in called.params if param.param_type_name == "argument"]
    own = [param.name for param in called.params if param not in arguments and param.name not in everywhere]
    words = [_argument(param.metavar or param.name.upper(), param.required) for param in arguments]
    lists: list[Terms] = []
    if arguments:
        records = [(param.get_help_record(_context(called)) or ("", ""))[1] for param in arguments]
        lists.append(
            Terms("arguments", tuple((w.strip("[]."), _said(text)) for w, text in zip(words, records, strict=True)))
        )
    lists.append(Terms("options", tuple(_options(called, own))))
    lists.append(Terms("everywhere", tuple(_options(called, everywhere))))
    usage = " ".join(["convcalc", name, *words, *(["[options]"] if own else [])])
    return Page(usage, tuple(text for text in (found.summary, found.more) if text), found.examples, tuple(lists))


def _context(command: "TyperCommand | Program") -> typer.Context:
    return typer.Context(command, info_name=command.name, resilient_parsing=True)


def _argument(metavar: str, required: bool) -> str:
    """An argument in a usage line.

    >>> _argument("LAYER", required=False)
    '[LAYER]'
    """
    return metavar if required or metavar.startswith("[") else f"[{metavar}]"


def _options(command: "TyperCommand | Program", names: "Iterable[str]") -> list[tuple[str, str]]:
    """The options of these names as they are typed, and what is said of each."""
    wanted, context = set(names), _context(command)
    records = [param.get_help_record(context) for param in command.params if param.name in wanted]
    return [(_TYPE.sub(lambda m: TYPES.get(m[1], m[1]), record[0]), _said(record[1])) for record in records if record]


def _said(text: str) -> str:
    """What is said of an option, its default in brackets.

    >>> _said("Batch size.  [default: 1; x>=1]"), _said("A file.  [required]")
    ('Batch size (default: 1).', 'A file.')
    """
    extra = _EXTRA.search(text)
    if extra is None:
        return text
    said = text[: extra.start()]
    default = next((part for part in extra[1].split("; ") if part.startswith("default: ")), "")
    return f"{said.removesuffix('.')} ({default})." if default else said
