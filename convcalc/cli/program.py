"""The program as the reader of the command line knows it: its commands are imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from .commands import COMMANDS


class Program(TyperGroup):
    """The program, whose commands are made when they are called."""

    def command(self, name: str) -> TyperCommand:
        """The command of a name, with the program's own options too. Raises UsageError where there is none."""
        found = COMMANDS.get(name)
        if found is None:
            from .wrong_call import unknown_command

            raise unknown_command(name)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        module = import_module(f".{found.file or name}", __package__)
        alone.command(name, add_help_option=False)(module.command)
        command = typer.main.get_command(alone)
        assert isinstance(command, TyperCommand)
        command.params.extend(param for param in self.params if param.name != "version")
        return command

    def options(self, name: str | None) -> list[str]:
        """The long options of a command, or of the program itself."""
        return [option for spelled in self.spellings(name) for option in spelled if option.startswith("--")]

    def spellings(self, name: str | None) -> list[tuple[str, ...]]:
        """How each option of a command, or of the program itself, may be typed."""
        params = self.params if name is None else self.command(name).params
        return [(*param.opts, *param.secondary_opts) for param in params if param.param_type_name == "option"]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str, TyperCommand, list[str]]:
        """The command of the first argument, and the others. Raises UsageError where there is none."""
        return args[0], self.command(args[0]), args[1:]
