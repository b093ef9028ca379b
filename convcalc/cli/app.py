"""The program: picks the command, and turns errors into messages and exit codes.

0: fine. 1: findings, the content is wrong. 2: the call is wrong (option, missing file, OS error).
Only the module of the command that is called is imported; `--help` imports them all, and they are light.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import ParamSpec

import typer

from ..files import sentence
from ..findings import SpecError, UsageError
from ..render import streams

P = ParamSpec("P")

COMMANDS = {
    "table": "Shapes, params and MACs of a spec; published tables beside the computed ones.",
    "explain": "Why a layer has its figures: formulas with the numbers in them.",
    "invert": "The transposed convolution that undoes a convolution's size; a spec's mirrored decoder.",
    "import": "An ONNX file as a spec.",
    "export": "A spec for PyTorch, Keras or ONNX, or drawn as Mermaid, DOT or SVG.",
    "solve": "Every kernel, stride, padding and dilation that maps one size to another.",
    "check": "Findings in specs with place, code and remedy; the exit code is for CI.",
    "diff": "What changed between two specs, and what it costs.",
    "schema": "The JSON Schema of the language, for editors.",
    "sizes": "Which input sizes build, leave nothing over and keep ratios; the output as a function of the input.",
    "specs": "The gallery: list its specs, or print one.",
    "verify": "A NumPy run that confirms shapes, params and MACs layer by layer; the flow of gradients.",
}
"""Command -> what it does; the module of the same name holds the function."""
MODULES = {"import": "import_"}
"""Command -> module, for the names that Python keeps for itself."""


WHILE_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What goes wrong with a standard output that is a file."""


def _version(value: bool) -> None:
    if value:
        from ..version import __version__

        streams.write_text(f"convcalc {__version__}")
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
        module = import_module(f".{MODULES.get(name, name)}", __package__)
        app.command(name, help=COMMANDS[name], short_help=COMMANDS[name])(_until_the_reader_goes(module.command))
    return app


class ReaderGone(Exception):
    """Whoever read standard output has closed it: `convcalc table x | head`. Not an error."""


def _until_the_reader_goes(command: Callable[P, None]) -> Callable[P, None]:
    """The command, whose broken pipe is no OSError: for those typer has an exit code of its own."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            streams.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    return run


def _system_error(error: OSError) -> str:
    """What the system refused: a file that the error names, or to write standard output, which nothing more goes to."""
    if error.filename is not None:
        from ..language.names import shown

        return sentence(error, "read", shown(str(error.filename)))
    if error.errno in WHILE_WRITING:
        streams.discard_output()
        return sentence(error, "write", "standard output")
    return f"the system refused: {(error.strerror or str(error)).lower()}"


def main() -> None:
    """Run the program on the process's arguments; the exit code is the process's."""
    streams.prepare()
    called = sys.argv[1] if len(sys.argv) > 1 else None
    code = 2
    try:
        build_app(called)()
    except SpecError as error:
        streams.write_findings(error.findings)
        code = 1
    except UsageError as error:
        streams.write_error(error.message, error.hint)
    except ReaderGone:
        streams.discard_output()
        code = 0
    except OSError as error:
        streams.write_error(_system_error(error))
    except MemoryError:
        streams.write_error("not enough memory")
    sys.exit(code)
