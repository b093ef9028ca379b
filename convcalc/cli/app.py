"""The program: picks the command, and turns errors into messages and exit codes.

0: fine. 1: findings, the content is wrong. 2: the call is wrong (option, missing file, OS error). 3: this program is.
Only the module of the command that is called is imported.
"""

from __future__ import annotations

import errno
import os
import sys

import typer

from ..files import sentence
from ..findings import SHOWN_BY, UNFORESEEN_EXIT, SpecError, UsageError, debugging, unforeseen
from ..interruption import exit_code
from ..render import streams
from . import everywhere
from .program import Program

WHILE_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What goes wrong with a standard output that is a file."""


def build_app() -> typer.Typer:
    """The typer application with the program's own options and all commands."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(cls=Program, invoke_without_command=True, add_help_option=False)(everywhere.root)
    return app


def build_program() -> Program:
    """The same, as what reads the command line."""
    program = typer.main.get_command(build_app())
    assert isinstance(program, Program)
    return program


def call(arguments: list[str]) -> int:
    """Run the program on these arguments; the exit code. Raises what commands raise."""
    program = build_program()
    try:
        with program.make_context("convcalc", list(arguments)) as context:
            program.invoke(context)
            if context.invoked_subcommand is None:
                from .help_ import show

                show(program, None)
                return 2
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        from .wrong_call import in_own_words

        raise in_own_words(error, program.spellings, arguments) from error
    return 0


def _system_error(error: OSError) -> str:
    """What the system refused: a file that the error names, or to write standard output, which nothing more goes to."""
    if error.filename is not None:
        from ..language.names import shown

        return sentence(error, "read", shown(str(error.filename)))
    if error.errno in WHILE_WRITING:
        streams.discard_output()
        return sentence(error, "write", "standard output")
    return f"the system refused: {(error.strerror or str(error)).lower()}"


def _report(error: Exception) -> None:
    """Say that this program itself is wrong; where, to a debugging caller."""
    if debugging():
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            streams.say(line)
    streams.write_error(unforeseen(error), None if debugging() else SHOWN_BY)


def main() -> None:
    """Run the program on the process's arguments; the exit code is the process's."""
    streams.prepare()
    arguments = sys.argv[1:]
    shell = os.environ.get("_CONVCALC_COMPLETE")
    code = 2
    try:
        if shell is not None:
            from .completing import answer

            answer(build_program(), shell, arguments)
            code = 0
        else:
            everywhere.settle(arguments)
            code = call(arguments)
        streams.flush()
    except SpecError as error:
        streams.write_findings(error.findings)
        code = 1
    except UsageError as error:
        streams.write_error(error.message, error.hint, error.excerpt)
    except BrokenPipeError:
        streams.discard_output()
        code = 0
    except OSError as error:
        streams.write_error(_system_error(error))
    except MemoryError:
        streams.write_error("not enough memory")
    except KeyboardInterrupt as stop:
        streams.discard_output()
        code = exit_code(stop)
    except Exception as error:
        _report(error)
        code = UNFORESEEN_EXIT
    sys.exit(code)
