"""The program: picks the command, and turns errors into messages and exit codes.

0: fine. 1: findings, the content is wrong. 2: the call is wrong (option, missing file, OS error).
Only the module of the command that is called is imported; `--help` imports them all, and they are light.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import typer

from ..findings import SpecError, UsageError

COMMANDS = {
    "table": "Shapes, params and MACs of a spec; published tables beside the computed ones.",
    "invert": "The transposed convolution that undoes a convolution's size, and every size that it serves.",
    "export": "A spec for PyTorch, Keras or ONNX, or drawn as Mermaid, DOT or SVG.",
    "solve": "Every kernel, stride, padding and dilation that maps one size to another.",
}
"""Command -> what it does; the module of the same name holds the function."""


def _version(value: bool) -> None:
    if value:
        from .. import __version__

        typer.echo(f"convcalc {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """What a convolutional architecture does to shapes, parameters and cost."""


def build_app(called: str | None = None) -> typer.Typer:
    """The typer application: with the one command that is called, or with all."""
    app = typer.Typer(
        name="convcalc",
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in [called] if called in COMMANDS else COMMANDS:
        module = import_module(f".{name}", __package__)
        app.command(name, help=COMMANDS[name], short_help=COMMANDS[name])(module.command)
    return app


def main() -> None:
    """Run the program on the process's arguments; the exit code is the process's."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    called = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        build_app(called)()
    except SpecError as error:
        _report(error)
        code = 1
    except UsageError as error:
        print(f"error: {_clean(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {_clean(error.hint)}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        # The reader has gone: what is buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    except OSError as error:
        print(f"error: {_clean(str(error))}", file=sys.stderr)
        code = 2
    except MemoryError:
        print("error: not enough memory", file=sys.stderr)
        code = 2
    sys.exit(code)


def _clean(text: str) -> str:
    from ..render.escape import printable

    return printable(text)


def _report(error: SpecError) -> None:
    from ..render.findings import finding_text

    print(finding_text(error.findings), file=sys.stderr)
