"""`convcalc export`: a spec for PyTorch, Keras or ONNX, or as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..findings import UsageError
from .options import InputOption, SetOption, SpecArgument, VariantOption, load_network
from .output import ForceOption, OutputOption, refuse_existing, write_file

if TYPE_CHECKING:
    from ..network import Network, Node

Target = Literal["torch", "keras", "onnx", "mermaid", "dot", "svg"]
By = Literal["stage", "layer"]
Weights = Literal["zero", "seeded"]

DRAWINGS = ("mermaid", "dot", "svg")


def command(
    spec: SpecArgument,
    to: Annotated[Target, typer.Option("--to", help="What to write.")],
    output: OutputOption = None,
    force: ForceOption = False,
    by: Annotated[
        By | None, typer.Option("--by", help="Boxes of a drawing: top-level stages (default) or layers.")
    ] = None,
    weights: Annotated[
        Weights | None, typer.Option("--weights", help="Weights of an ONNX file: zero (default) or seeded.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of seeded weights; default 0, as `verify` draws them.")
    ] = None,
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    if by is not None and to not in DRAWINGS:
        raise UsageError(f"--by goes with {', '.join(DRAWINGS)}, not with {to}")
    if (weights is not None or seed is not None) and to != "onnx":
        raise UsageError(f"--weights and --seed go with onnx, not with {to}")
    if seed is not None and weights != "seeded":
        raise UsageError("--seed goes with --weights seeded")
    refuse_existing(output, force)
    network = load_network(spec, set, variant, input)
    write_file(_written(network, to, by or "stage", seed or 0 if weights == "seeded" else None), output, force)


def _written(network: Network, to: Target, by: By, seed: int | None) -> str | bytes:
    if to == "torch":
        from ..export.torch_module import torch_module

        return torch_module(network)
    if to == "keras":
        from ..export.keras_module import keras_module

        return keras_module(network)
    if to == "onnx":
        from ..export.onnx_model import onnx_model

        return onnx_model(network, None if seed is None else _drawn(network, seed))
    from ..export import drawing

    graph = drawing.drawing(network, by)
    if to == "mermaid":
        return drawing.mermaid(graph)
    return drawing.dot(graph) if to == "dot" else drawing.svg(graph)


def _drawn(network: Network, seed: int) -> Any:
    """The weights that the reference runs with."""
    from ..reference import init
    from ..reference.running import generator

    def weights_of(node: Node) -> Any:
        assert node.layer is not None
        return init(node.layer, network.input_shapes(node), generator(seed, node.name))

    return weights_of
