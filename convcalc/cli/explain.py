"""`convcalc explain`: every figure of a layer as its formula with the numbers in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import Finding, SpecError, UsageError
from ..hints import suggest
from ..version import __version__
from .options import (
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    VariantOption,
    load_network,
    numbers,
    read_device,
    read_input,
)
from .output import format_option, write

if TYPE_CHECKING:
    from ..analysis.figures import Subject
    from ..analysis.report import Report
    from ..network import Network


def command(
    spec: Annotated[str, typer.Argument(metavar="SPEC|ITEM", help="A spec, or one layer: 'conv2d: {out: 8, k: 3}'.")],
    layer: Annotated[str | None, typer.Argument(metavar="LAYER", help="A layer, a group or 'total' (default).")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="Y,X", help="What this output position sees of the input.")
    ] = None,
    format: Annotated[str, format_option("explain")] = "text",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
) -> None:
    from ..analysis.explain import explain
    from ..analysis.report import analyse
    from ..render.explain import explain_document

    inline = layer is None and _is_item(spec)
    if inline and (set or variant):
        raise UsageError("--set and --variant go with a spec, not with one layer")
    network = _single(spec, input) if inline else load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    subject = _subject(report, network.nodes[-1].name if inline else layer or "total")
    position = tuple(numbers("--at", at, "a position like 3,4")) if at is not None else None
    try:
        explanation = explain(report, subject, position)
    except ValueError as error:
        if position is None:
            raise
        shape = report.shape(subject)
        space = "no space axes" if shape is None or len(shape) < 2 else f"the space {list(shape[1:])}"
        raise UsageError(f"--at {at}: {error}", f"'{subject.name}' has {space}; positions count from 0") from error
    write(format, lambda: explain_document(explanation), lambda: {"convcalc": __version__, **explanation.to_dict()})


def _is_item(text: str) -> bool:
    """Whether the argument is a layer rather than a spec: a kind's name, or a kind and its fields."""
    from pathlib import Path

    from ..layers.registry import KINDS

    match = re.match(r"\s*\{?\s*(\w+)\s*(:\s|$)", text)
    return match is not None and match[1] in KINDS and not Path(text).exists()


def _single(item: str, input: list[str] | None) -> Network:
    """A network of one layer."""
    from ..geometry import GeometryError
    from ..language import parse_layer
    from ..network import Network, Node, Output, output_shape

    sizes = read_input(input)
    if sizes is None:
        raise UsageError("one layer needs the shape that it reads", "for example --input 3,224,224")
    shapes = {"input": tuple(sizes)} if isinstance(sizes, list) else {n: tuple(s) for n, s in sizes.items()}
    layer = parse_layer(item)
    inputs = tuple(Node(name, None, (), shape) for name, shape in shapes.items())
    if not all(size for shape in shapes.values() for size in shape):
        raise UsageError("--input takes sizes of at least 1")
    try:
        shape = output_shape(layer, tuple(shapes.values()))
    except GeometryError as error:
        raise SpecError([Finding(error.code, str(error), "<layer>", where=layer.kind, hint=error.hint)]) from error
    node = Node(layer.kind, layer, tuple(range(len(inputs))), shape)
    return Network(layer.kind, (*inputs, node), (Output(layer.kind, len(inputs)),), {})


def _subject(report: Report, path: str) -> Subject:
    from ..analysis.figures import find

    found = find(report, path)
    if found is None:
        names = [*report.network.groups, *(node.name for node in report.network.nodes)]
        hint = suggest(path, names, "convcalc table lists the layers", most=5000)
        raise UsageError(f"there is no layer '{path}' in {report.network.name}", hint)
    return found
