"""`convcalc import`: an ONNX file as a spec."""

from __future__ import annotations

from typing import Annotated

import typer

from ..findings import SpecError, UsageError
from .options import InputOption, load_network
from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An ONNX file; its weights need not be there.")],
    output: OutputOption = None,
    force: ForceOption = False,
    input: InputOption = None,
    flat: Annotated[bool, typer.Option("--flat", help="One layer a line, without blocks.")] = False,
) -> None:
    if not file.lower().endswith(".onnx"):
        raise UsageError(f"import reads ONNX files, and '{file}' does not end in .onnx")
    refuse_existing(output, force)
    from ..language.write import write
    from ..language.write_blocks import write_blocks
    from ..onnx import Opaque, plain_as_identity
    from ..render.streams import say

    network, replaced = plain_as_identity(load_network(file, input=input))
    unsaid = [(node.name, node.layer.operator) for node in network.nodes if isinstance(node.layer, Opaque)]
    if unsaid:
        raise SpecError(
            network.finding(
                "CC102",
                f"the language has no layer for {operator}",
                name,
                hint="table, diff and the others read the .onnx file itself",
            )
            for name, operator in unsaid
        )
    for operator, count in replaced.items():
        say(f"{count} x {operator} written as identity: the same shape and cost")
    write_file(write(network) if flat else write_blocks(network), output, force)
