"""`convcalc import`: an ONNX file as a spec."""

from __future__ import annotations

from typing import Annotated

import typer

from ..findings import UsageError
from .options import InputOption, load_network
from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An ONNX file; its weights need not be there.")],
    output: OutputOption = None,
    force: ForceOption = False,
    input: InputOption = None,
) -> None:
    if not file.lower().endswith(".onnx"):
        raise UsageError(f"import reads ONNX files, and '{file}' does not end in .onnx")
    refuse_existing(output, force)
    from ..language.write import write

    write_file(write(load_network(file, input=input)), output, force)
