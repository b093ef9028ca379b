"""A call that the command line's reader refuses, in the words of all other errors: what is wrong, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import typer

from ..files import MODELS
from ..findings import UsageError
from ..hints import suggest
from .commands import COMMANDS

_NO_OPTION = re.compile(r"No such option: (\S+)")
_NO_VALUE = re.compile(r"Option '(.+?)' requires an argument")
_NO_FLAG = re.compile(r"Option '(.+?)' does not take a value")
_TOO_MANY = re.compile(r"Got unexpected extra arguments? ?(?:\(s\))? ?\((.*)\)", re.DOTALL)
_NO_CHOICE = re.compile(r"'(.*)' is not one of (.+?)\.?$", re.DOTALL)
_MISSING = re.compile(r"Missing (?:argument|option|parameter)")
SPECS = (".yaml", ".yml", *MODELS)


def unknown_command(word: str) -> UsageError:
    """What to say of a first argument that is no command: the nearest one, or `table` where it is a spec."""
    from pathlib import Path

    from ..language import gallery_names

    hint = "convcalc --help lists them"
    if word.lower().endswith(SPECS) or Path(word).is_file() or word in gallery_names():
        hint = f"convcalc table {word} shows a spec"
    return UsageError(f"there is no command '{word}'", suggest(word, COMMANDS, hint))


def in_own_words(
    error: typer.TyperException, options: Callable[[str | None], list[str]], arguments: Sequence[str]
) -> UsageError:
    """The same error in a sentence with a hint; `options` are those of a command, or of the program for None."""
    name = next((word for word in arguments if word in COMMANDS), None)
    called = f"convcalc {name}" if name else "convcalc"
    lists = f"{called} --help lists them"
    message = error.format_message()
    if found := _NO_OPTION.search(message):
        return UsageError(f"{name or 'convcalc'} has no option {found[1]}", suggest(found[1], options(name), lists))
    if found := _NO_VALUE.search(message):
        return UsageError(f"{found[1]} needs a value", f"{called} --help says which")
    if found := _NO_FLAG.search(message):
        return UsageError(f"{found[1]} takes no value")
    if found := _TOO_MANY.search(message):
        return UsageError(
            f"{name or 'convcalc'} takes no further argument '{found[1]}'", f"{called} --help has its usage"
        )
    if isinstance(error, typer.BadParameter) and error.param is not None:
        return _refused(error, error.param.opts, error.param.metavar, name)
    return UsageError(message[:1].lower() + message[1:].rstrip("."), f"{called} --help")


def _refused(error: typer.BadParameter, opts: Sequence[str], metavar: str | None, name: str | None) -> UsageError:
    """What is wrong with the value of an option or argument, or that it is missing."""
    option = next((opt for opt in opts if opt.startswith("--")), metavar or opts[0].upper())
    message = error.format_message()
    if _MISSING.match(message):
        example = COMMANDS[name].examples[0] if name else "convcalc --help"
        return UsageError(f"{name or 'convcalc'} needs {option}", f"for example {example}")
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
        return UsageError(f"{option} takes {offered}, not '{found[1]}'", suggest(found[1], choices, ""))
    return UsageError(f"{option}: {error.message}")
