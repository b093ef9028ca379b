"""`convcalc import`: a model's file, or a model in code, as a spec."""

from typing import Annotated

import typer

from ..files import MODELS
from ..findings import UsageError
from .options import ArgOption, InputOption, RunOption, StrictOption, load_network, refuse_unknown_costs
from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="An ONNX or Keras file (weights need not be there), or a model in code, which runs: ./net.py:Net.",
        ),
    ],
    output: OutputOption = None,
    force: ForceOption = False,
    input: InputOption = None,
    flat: Annotated[bool, typer.Option("--flat", help="One layer a line, without blocks.")] = False,
    arg: ArgOption = None,
    device: RunOption = None,
    strict: StrictOption = False,
) -> None:
    from ..api.load import names_code
    from ..models.file import refuse_other_formats

    refuse_other_formats(file)
    if not file.lower().endswith(MODELS) and not names_code(file):
        message = f"import reads the files of models, and '{file}' does not end in {', '.join(MODELS)}"
        raise UsageError(message, _hint(file))
    refuse_existing(output, force)
    from ..language.write import write
    from ..language.write_blocks import write_blocks

    network = load_network(file, None, None, input, arg, device)
    if strict:
        refuse_unknown_costs(network)
    write_file(write(network) if flat else write_blocks(network), output, force)


def _hint(file: str) -> str:
    """How to name the model in a file of Python, or what a spec needs no reader for."""
    from ..language import gallery_names
    from ..torch.spec import choice

    if file.endswith(".py"):
        return choice(file)
    if file.lower().endswith((".yaml", ".yml")):
        return f"it is a spec already: convcalc table {file}"
    if file in gallery_names():
        return f"it is a spec already: convcalc specs {file}"
    return "a model in code is named behind its file: ./net.py:Net"
