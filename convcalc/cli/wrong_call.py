"""A call that the command line's reader refuses, in the words of all other errors: what is wrong, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import typer

from ..files import MODELS
from ..findings import UsageError
from ..hints import ALIKE, suggest
from .commands import COMMANDS
from .output import FORMATS

_NO_OPTION = re.compile(r"No such option: (\S+)")
_NO_VALUE = re.compile(r"Option '(.+?)' requires an argument")
_NO_FLAG = re.compile(r"Option '(.+?)' does not take a value")
_TOO_MANY = re.compile(r"Got unexpected extra arguments? ?(?:\(s\))? ?\((.*)\)", re.DOTALL)
_NO_CHOICE = re.compile(r"'(.*)' is not one of (.+?)\.?$", re.DOTALL)
_MISSING = re.compile(r"Missing (?:argument|option|parameter)")
_CODE = re.compile(r"CC\d{3}", re.IGNORECASE)
SPECS = (".yaml", ".yml", *MODELS)
ELSEWHERE = {
    "--kernel": "--k",
    "--kernel-size": "--k",
    "--stride": "--s",
    "--padding": "--p",
    "--pad": "--p",
    "--dilation": "--d",
    "--output-padding": "--op",
    "--in": "--size",
    "--transpose": "--transposed",
    "--input-size": "--input",
    "--input-shape": "--input",
    "--shape": "--input",
    "--batch-size": "--batch",
    "--param": "--set",
    "--limit": "--top",
    "--head": "--top",
    "--overwrite": "--force",
    "--workers": "--jobs",
}
"""What other programs call some options."""
COMMANDS_ELSEWHERE = {
    "version": "--version",
    "list": "specs",
    "gallery": "specs",
    "models": "specs",
    "summary": "table",
    "show": "table",
    "info": "table",
    "compare": "diff",
    "plot": "draw",
    "convert": "export",
    "codes": "check --explain help",
    "columns": "table --columns help",
}
"""What other programs call some commands."""
FORMATS_ELSEWHERE = {"md": "markdown", "tex": "latex", "txt": "text"}
"""Suffixes of files that stand for some formats."""
OUTPUT = ("-o", "--output", "--out")
NAMED = ("--set", "--arg", "--grid", "--let")
"""Options that take a name and its value."""
_BUDGET = re.compile(r"--(max-\w[\w-]*)")
MOSTLY = 0.7
"""How much of an option is right where it may as well be the name of a param."""


def unknown_command(word: str) -> UsageError:
    """What to say of a first argument that is no command: the nearest one, or `table` where it is a spec."""
    from pathlib import Path

    from ..language import gallery_names
    from ..language.sources import variant_named

    hint = "convcalc --help lists them"
    if _CODE.fullmatch(word):
        return UsageError(
            f"there is no command '{word}'", f"convcalc check --explain {word.upper()} prints the page of a code"
        )
    if here := COMMANDS_ELSEWHERE.get(word):
        return UsageError(f"there is no command '{word}'", f"it is called convcalc {here}")
    if word not in gallery_names() and (variant := variant_named(word)):
        return UsageError(f"there is no command '{word}'", f"convcalc table {' --variant '.join(variant)} shows a spec")
    if word.lower().endswith(SPECS) or Path(word).is_file() or word in gallery_names():
        hint = f"convcalc table {word} shows a spec"
    return UsageError(f"there is no command '{word}'", suggest(word, COMMANDS, hint))


def unknown_option(option: str, known: Sequence[tuple[str, ...]], called: str, formats: Sequence[str] = ()) -> str:
    """What to say of an option that a command does not have: its name here, the nearest one, or who lists them.

    `formats` are those that it offers, each of which other programs take as an option of its own.

    >>> known = [("--k", "-k"), ("--set",), ("--format", "-f")]
    >>> unknown_option("--kernel", known, "convcalc draw"), unknown_option("--fromat", known, "convcalc draw")
    ('it is called --k, or -k', "did you mean '--format'?")
    >>> unknown_option("--width", known, "convcalc draw")
    'convcalc draw --help lists them; a param of the spec is given by --set width=VALUE'
    >>> unknown_option("--K", known, "convcalc draw"), unknown_option("--max-params", known, "convcalc draw")
    ("did you mean '--k'?", 'a budget stands in convcalc.toml: max_params = "…"; convcalc check holds it')
    """
    name = option.lstrip("-")
    spellings = {spelling: param for param in known for spelling in param}
    here = spellings.get(ELSEWHERE.get(option, ""))
    if here is not None:
        return f"it is called {', or '.join(here)}"
    if option in OUTPUT:
        report = "--report" in spellings
        return "--report FORMAT=FILE writes a file" if report else "what is printed goes to a file by > FILE"
    if name in formats:
        return f"--format {name}"
    if option.lower() in spellings:
        return f"did you mean '{option.lower()}'?"
    if budget := _BUDGET.fullmatch(option):
        return f'a budget stands in convcalc.toml: {budget[1].replace("-", "_")} = "…"; convcalc check holds it'
    if option == "--model" and "--arg" in spellings:
        return "a model in code is named behind its file: net.py:Net"
    words = [spelling.lstrip("-") for spelling in spellings if len(spelling) > 3]
    lists = f"{called} --help lists them"
    param = "--set" in spellings and option.startswith("--") and name.isidentifier()
    if param:
        lists += f"; a param of the spec is given by --set {name}=VALUE"
    return suggest(name, words, lists, prefix="--", alike=MOSTLY if param else ALIKE) or lists


def in_own_words(
    error: typer.TyperException, spellings: Callable[[str | None], list[tuple[str, ...]]], arguments: Sequence[str]
) -> UsageError:
    """The same error in a sentence with a hint; `spellings` are those of a command's options, or of the program's."""
    name = next((word for word in arguments if word in COMMANDS), None)
    called = f"convcalc {name}" if name else "convcalc"
    message = error.format_message()
    if found := _NO_OPTION.search(message):
        hint = unknown_option(found[1], spellings(name), called, FORMATS.get(name or "", ()))
        return UsageError(f"{name or 'convcalc'} has no option {found[1]}", hint)
    if found := _NO_VALUE.search(message):
        return UsageError(f"{found[1]} needs a value", f"{called} --help says which")
    if found := _NO_FLAG.search(message):
        return UsageError(f"{found[1]} takes no value")
    if found := _TOO_MANY.search(message):
        hint = _as_options(found[1].split(), spellings(name), arguments) or f"for example {_example(name)}"
        return UsageError(f"{name or 'convcalc'} takes no further argument '{found[1]}'", hint)
    if isinstance(error, typer.BadParameter) and error.param is not None:
        return _refused(error, error.param.opts, error.param.metavar, name)
    return UsageError(message[:1].lower() + message[1:].rstrip("."), f"{called} --help")


def _example(name: str | None) -> str:
    """A call of a command."""
    return COMMANDS[name].examples[0] if name else "convcalc --help"


def _as_options(extra: Sequence[str], known: Sequence[tuple[str, ...]], arguments: Sequence[str]) -> str | None:
    """How to give to an option what is no argument; None where it looks like nothing of an option.

    >>> _as_options(["2"], [("--set",)], ["table", "vgg", "--set", "width", "2"])
    'name and value are one word: --set width=2'
    >>> _as_options(["s=2"], [("--k", "-k"), ("--s",)], ["invert", "k=3", "s=2"])
    'options have dashes: --k=3 --s=2'
    """
    for option, name, value in zip(arguments, arguments[1:], arguments[2:], strict=False):
        if option in NAMED and value in extra and "=" not in name:
            return f"name and value are one word: {option} {name}={value}"
    spellings = {spelling for param in known for spelling in param}
    given = [f"--{word}" for word in arguments if "=" in word and f"--{word.partition('=')[0]}" in spellings]
    return f"options have dashes: {' '.join(given)}" if given else None


def _refused(error: typer.BadParameter, opts: Sequence[str], metavar: str | None, name: str | None) -> UsageError:
    """What is wrong with the value of an option or argument, or that it is missing."""
    option = next((opt for opt in opts if opt.startswith("--")), metavar or opts[0].upper())
    message = error.format_message()
    if _MISSING.match(message):
        return UsageError(f"{name or 'convcalc'} needs {option}", f"for example {_example(name)}")
    from pydantic import ValidationError

    cause = error.__cause__
    if isinstance(cause, ValidationError):
        wrong = cause.errors()[0]
        given, kind, bounds = wrong["input"], wrong["type"], wrong.get("ctx", {})
        if kind == "greater_than_equal":
            return UsageError(f"{option} is at least {bounds['ge']}, not {given}")
        if kind == "less_than_equal":
            return UsageError(f"{option} is at most {bounds['le']}, not {given}")
        if kind.startswith("int_"):
            return UsageError(f"{option} takes a whole number, not {str(given)!r}")
    if found := _NO_CHOICE.search(error.message.removeprefix("Value error, ")):
        choices = re.findall(r"'([^']+)'", found[2])
        *most, last = choices
        offered = f"{', '.join(most)} or {last}" if most else last
        meant = FORMATS_ELSEWHERE.get(found[1].lower(), "")
        hint = f"did you mean '{meant}'?" if meant in choices else suggest(found[1], choices, "")
        return UsageError(f"{option} takes {offered}, not '{found[1]}'", hint)
    return UsageError(f"{option}: {error.message}")
