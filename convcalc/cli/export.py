"""`convcalc export`: a spec for PyTorch, Keras or ONNX, as a drawing, or the picture of its arena."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from .options import ArgOption, Dtype, InputOption, RunOption, SetOption, SpecArgument, VariantOption, load_network
from .output import ForceOption, OutputOption, refuse_existing, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..render.escape import Notation

Target = Literal["torch", "keras", "onnx", "mermaid", "dot", "svg", "arena"]
By = Literal["layer", "stage"]
Style = Literal["graph", "figure"]
Weights = Literal["zero", "seeded"]

SUFFIXES: dict[str, tuple[Target, ...]] = {
    ".py": ("torch", "keras"),
    ".onnx": ("onnx",),
    ".svg": ("svg", "arena"),
    ".dot": ("dot",),
    ".gv": ("dot",),
    ".mmd": ("mermaid",),
    ".mermaid": ("mermaid",),
    **dict.fromkeys((".png", ".pdf", ".gif", ".jpg", ".pt", ".pth", ".pt2", ".keras", ".h5", ".tflite"), ()),
}
"""Suffix of a file -> what is written to it, the usual one first; to the last ones, nothing."""
DRAWINGS = ("mermaid", "dot", "svg")


def command(
    spec: SpecArgument,
    to: Annotated[
        Target | None,
        typer.Option("--to", help="What to write; a file of -o says it by its suffix: .onnx, .svg, .dot, .mmd."),
    ] = None,
    output: OutputOption = None,
    force: ForceOption = False,
    by: Annotated[
        By | None, typer.Option("--by", help="Boxes of a drawing: layers, or top-level stages (default).")
    ] = None,
    style: Annotated[
        Style | None,
        typer.Option("--style", help="Look of an SVG picture: a graph (default) or a figure as papers have it."),
    ] = None,
    weights: Annotated[
        Weights | None, typer.Option("--weights", help="Weights of an ONNX file: zero (default) or seeded.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of seeded weights; default 0, as `verify` draws them.")
    ] = None,
    dtype: Annotated[Dtype | None, typer.Option("--dtype", help="Type of what lies in an arena; default int8.")] = None,
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    to = _target(to, output)
    if by is not None and to not in DRAWINGS:
        raise UsageError(f"--by goes with {', '.join(DRAWINGS)}, not with {to}")
    if style is not None and to != "svg":
        raise UsageError(f"--style goes with svg, not with {to}")
    if style == "figure" and by == "layer":
        raise UsageError("a figure shows stages: --by layer goes with --style graph")
    if (weights is not None or seed is not None) and to != "onnx":
        raise UsageError(f"--weights and --seed go with onnx, not with {to}")
    if seed is not None and weights != "seeded":
        raise UsageError("--seed goes with --weights seeded")
    if dtype is not None and to != "arena":
        raise UsageError(f"--dtype goes with arena, not with {to}")
    from ..api.export import export, onnx_pieces

    refuse_existing(output, force)
    network = load_network(spec, set, variant, input, arg, device)
    drawn = (seed or 0) if weights == "seeded" else None
    notation: Notation = "entities" if to in ("svg", "dot", "arena") else "text"
    data: str | Iterator[bytes]
    if to == "onnx":
        data = onnx_pieces(network, drawn)
    elif to == "torch" or to == "keras":
        data = export(network, to)
    elif to == "arena":
        data = export(network, to, dtype=dtype or "int8")
    else:
        data = export(network, to, by=by or "stage", style=style or "graph")
    write_file(data, output, force, notation)


def _target(to: Target | None, output: str | None) -> Target:
    """What is written: what `--to` says, or the suffix of the file where it says one. Raises UsageError."""
    suffix = PurePath(output or "").suffix.lower()
    written = SUFFIXES.get(suffix)
    if to is None:
        if not written or suffix == ".py":
            raise UsageError("export needs --to", "for example convcalc export my.yaml --to torch")
        return written[0]
    if written is not None and to not in written:
        right = next(found for found, targets in SUFFIXES.items() if to in targets)
        raise UsageError(f"-o {output}: --to {to} writes no {suffix}", f"name the file {right}")
    return to
