"""`convcalc import`: a model's file as a spec."""

from __future__ import annotations

from typing import Annotated

import typer

from ..files import MODELS
from ..findings import UsageError
from .options import InputOption, load_network
from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An ONNX or Keras file; weights need not be there.")],
    output: OutputOption = None,
    force: ForceOption = False,
    input: InputOption = None,
) -> None:
    if not file.lower().endswith(MODELS):
        raise UsageError(f"import reads the files of models, and '{file}' does not end in {', '.join(MODELS)}")
    refuse_existing(output, force)
    from ..language.write import write

    write_file(write(load_network(file, input=input)), output, force)
