"""`convcalc explain`: every figure of a layer as its formula with the numbers in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UsageError
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
    from ..api.explain import NoPosition, explain
    from ..api.report import analyse

    inline = layer is None and _is_item(spec)
    if inline and (set or variant):
        raise UsageError("--set and --variant go with a spec, not with one layer")
    network = _single(spec, input) if inline else load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    position = tuple(numbers("--at", at, "a position like 3,4")) if at is not None else None
    try:
        explanation = explain(report, network.nodes[-1].name if inline else layer or "total", at=position)
    except NoPosition as error:
        raise UsageError(f"--at {at}: {error.message}", error.hint) from error
    write(format, lambda: explanation.document(None), explanation.to_dict)


def _is_item(text: str) -> bool:
    """Whether the argument is a layer rather than a spec: a kind's name, or a kind and its fields."""
    from pathlib import Path

    from ..layers.registry import KINDS

    match = re.match(r"\s*\{?\s*(\w+)\s*(:\s|$)", text)
    return match is not None and match[1] in KINDS and not Path(text).exists()


def _single(item: str, input: list[str] | None) -> Network:
    """A network of one layer."""
    from ..api.explain import single

    sizes = read_input(input)
    if sizes is None:
        raise UsageError("one layer needs the shape that it reads", "for example --input 3,224,224")
    return single(item, sizes)
