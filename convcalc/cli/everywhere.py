"""Options that the program and every command take: how to print, and help."""

from collections.abc import Sequence
from typing import Annotated, get_args

import typer

from ..render import streams
from ..render.streams import When


def _version(value: bool) -> None:
    if value:
        from ..version import __version__

        streams.write_text(f"convcalc {__version__}")
        raise typer.Exit


def _help(ctx: typer.Context, value: bool) -> None:
    if value:
        from .help_ import program_of, show

        show(program_of(ctx), None if ctx.parent is None else ctx.info_name)
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, expose_value=False, help="Print the version."),
    ] = False,
    color: Annotated[
        When,
        typer.Option(
            "--color",
            expose_value=False,
            show_default=False,
            help="Colours: on terminals (auto, the default), always or never.",
        ),
    ] = "auto",
    no_pager: Annotated[
        bool, typer.Option("--no-pager", expose_value=False, help="Long output of a terminal without the pager.")
    ] = False,
    help: Annotated[
        bool, typer.Option("--help", "-h", callback=_help, is_eager=True, expose_value=False, help="Show this page.")
    ] = False,
) -> None:
    """The options of the program; all but `--version` are each command's too."""


def settle(arguments: Sequence[str]) -> None:
    """Choose how to print from the whole call, so that what is wrong with the rest of it is printed so too."""
    color: When = "auto"
    paged = True
    for word, value in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "--":
            break
        paged = paged and word != "--no-pager"
        asked = value if word == "--color" else word.removeprefix("--color=")
        color = next((when for when in get_args(When) if when == asked), color)
    streams.choose(color, paged)
