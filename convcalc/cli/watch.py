"""`convcalc watch`: the report in a browser, made anew whenever a file that it is made of changes."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UsageError
from ..render import streams
from .options import (
    AgainstOption,
    ArgOption,
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    StrictOption,
    VariantOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..serve.board import Board
    from ..serve.server import Server

WRONG_CALL = 2
"""The exit code of a reading whose call is wrong: there is nothing to wait for."""


def command(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC",
            help="A spec, ONNX or Keras file, a gallery name, or a model in code: ./net.py:Net, whose code then runs.",
        ),
    ],
    against: AgainstOption = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="The port of 127.0.0.1; 0: any that is free.")
    ] = 0,
    open: Annotated[
        bool, typer.Option("--open/--no-open", help="Open a browser; only from a terminal that has a display.")
    ] = True,
    input: InputOption = None,
    arg: ArgOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
    strict: StrictOption = False,
) -> None:
    _refuse_unchanging(spec)
    from ..serve.board import Board
    from ..serve.watch import Watch

    options: dict[str, object] = {"--against": against, "--input": input, "--arg": arg, "--set": set}
    options |= {"--variant": variant, "--batch": batch, "--dtype": dtype, "--optimizer": optimizer}
    options |= {"--device": device, "--strict": strict}
    board = Board(spec)
    watch = Watch(["report", spec, *_words(options)], [*_files(spec), *_files(against)], board)
    server = _server(board, port)
    try:
        found = watch.read()
        if found.code == WRONG_CALL:
            for line in found.said.splitlines():
                streams.say(line)
            raise typer.Exit(WRONG_CALL)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        streams.write_text(f"{server.url}\n")
        streams.flush()
        if open and _has_screen():
            import webbrowser

            webbrowser.open(server.url)
        watch.follow(threading.Event().wait)
    except KeyboardInterrupt:
        return
    finally:
        board.close()
        server.finish()
        server.server_close()


def _refuse_unchanging(spec: str) -> None:
    """Raise UsageError for what is read once."""
    if spec == "-":
        raise UsageError("watch takes a file: standard input is read once", "convcalc report - -o report.html")
    if spec.startswith("git:"):
        raise UsageError("watch takes a file: a revision stays as it is", f"--against {spec} compares a file with it")


def _words(options: dict[str, object]) -> "Iterator[str]":
    """Options as the words of a call."""
    for name, value in options.items():
        if isinstance(value, list):
            yield from (f"{name}={each}" for each in value)
        elif value is True:
            yield name
        elif value is not None and value is not False:
            yield f"{name}={value}"


def _files(spec: str | None) -> "Sequence[str]":
    """The file that a spec names; none for a gallery name, which names one that the reading tells."""
    from ..api.load import names_code
    from ..language.sources import gallery_names

    if spec is None or spec == "-" or spec.startswith("git:") or spec in gallery_names():
        return ()
    if not names_code(spec):
        return (spec,)
    module = spec.rpartition(":")[0]
    return (module,) if module.endswith(".py") else ()


def _server(board: "Board", port: int) -> "Server":
    from ..serve.server import Server

    try:
        return Server(board, port)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"port {port} of this machine cannot be used: {why}", "any that is free: --port 0") from None


def _has_screen() -> bool:
    """Whether somebody sits at a terminal of a machine with a display."""
    if not streams.on_terminal():
        return False
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
