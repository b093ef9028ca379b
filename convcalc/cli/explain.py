"""`convcalc explain`: every figure of a layer as its formula with the numbers in it; a convolution on small numbers."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..files import exists
from ..findings import SpecError, UsageError
from .options import (
    PER_AXIS,
    ArgOption,
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    VariantOption,
    load_network,
    numbers,
    paddings,
    read_devices,
    read_input,
    refuse_mixed,
)
from .output import format_option, write

if TYPE_CHECKING:
    from ..network import Network
    from ..verify.on_numbers import Question

WINDOW = "convcalc explain -k 3 --size 5 --matrix"


def command(
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC|ITEM]", help="A spec, or one layer: 'conv2d: {out: 8, k: 3}'.")
    ] = None,
    layer: Annotated[str | None, typer.Argument(metavar="LAYER", help="A layer, a group or 'total' (default).")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="Y,X", help="What this output position sees of the input.")
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="On numbers: im2col, one product, the matrix C and its transpose.")
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="On numbers: the gradients of a convolution as convolutions.")
    ] = False,
    flip: Annotated[
        bool, typer.Option("--flip", help="On numbers: convolution against cross-correlation; what each learns.")
    ] = False,
    shift: Annotated[
        bool, typer.Option("--shift", help="On numbers: what a moved input gives; where padding and stride show.")
    ] = False,
    kernel_size: Annotated[
        str | None,
        typer.Option("--k", "-k", metavar="K", help="Instead of a spec, a convolution of one channel: its kernel."),
    ] = None,
    stride: Annotated[str, typer.Option("--s", "-s", metavar="S", help="Its stride.")] = "1",
    padding: Annotated[str, typer.Option("--p", "-p", metavar="P", help="Its padding: 1, or before:after: 1:2.")] = "0",
    dilation: Annotated[str, typer.Option("--d", "-d", metavar="D", help="Its dilation.")] = "1",
    size: Annotated[
        str | None, typer.Option("--size", metavar="I", help="The input that it reads: 5 (that is 5,5), or 5,7.")
    ] = None,
    format: Annotated[str, format_option("explain")] = "text",
    input: InputOption = None,
    arg: ArgOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
) -> None:
    """Why a layer has its figures: formulas with the numbers in them; a convolution on small numbers.

    --matrix, --backward, --flip and --shift say it of a layer of a spec, of one layer, or of -k 3 --size 5.
    """
    from ..api.explain import NoPosition, explain
    from ..api.report import analyse
    from ..render.explain import explain_document

    asked: dict[Question, bool] = {"matrix": matrix, "backward": backward, "flip": flip, "shift": shift}
    shown = [name for name, wanted in asked.items() if wanted]
    about_kernel: dict[str, object] = {
        "--k": kernel_size,
        "--s": stride != "1",
        "--p": padding != "0",
        "--d": dilation != "1",
        "--size": size,
    }
    about_spec: dict[str, object] = {"--set": set, "--variant": variant, "--input": input, "--arg": arg}
    inline = spec is None or (layer is None and _is_item(spec))
    refuse_mixed(spec, about_spec, about_kernel, "a SPEC or a layer")
    if at is not None and shown:
        raise UsageError(
            f"--at does not go with --{shown[0]}", "--at says what a position sees, the others its numbers"
        )
    machine, run = read_devices(device)
    if inline and (set or variant or arg or run):
        raise UsageError("--set, --variant, --arg and --device cpu go with a spec, not with one layer")
    if spec is None:
        network = _window(kernel_size, stride, padding, dilation, size)
    else:
        _refuse_call(spec)
        network = _single(spec, input) if inline else load_network(spec, set, variant, input, arg, run)
    position = tuple(numbers("--at", at, "a position like 3,4")) if at is not None else None
    try:
        report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=machine)
        explanation = explain(
            report, network.nodes[-1].name if inline else layer or "total", at=position, on_numbers=shown
        )
    except NoPosition as error:
        raise UsageError(f"--at {at}: {error.message}", error.hint) from error
    except SpecError as error:
        if spec is not None:
            raise
        raise UsageError(error.findings[0].message, error.findings[0].hint) from error
    write(format, lambda: explain_document(explanation), explanation.to_dict)
    if explanation.confirmed is False:
        raise typer.Exit(1)


def _window(kernel_size: str | None, stride: str, padding: str, dilation: str, size: str | None) -> "Network":
    """The convolution of one channel that the options describe; without a number an axis it has two axes."""
    from ..api.explain import single
    from ..geometry import GeometryError, check_window, conv_output
    from ..layers.registry import build

    if kernel_size is None:
        raise UsageError("explain needs a spec, a layer, or the kernel of a convolution", f"for example {WINDOW}")
    if size is None:
        raise UsageError("a kernel needs the size of its input", f"for example {WINDOW}")
    kernels, strides, dilations, sizes = (
        numbers(option, text, PER_AXIS)
        for option, text in (("--k", kernel_size), ("--s", stride), ("--d", dilation), ("--size", size))
    )
    pads = [pad if isinstance(pad, tuple) else (pad, pad) for pad in paddings("--p", padding)]
    given: list[Sequence[object]] = [kernels, strides, dilations, sizes, pads]
    axes = max(map(len, given))
    axes = axes if axes > 1 else 2
    if axes > 3 or any(len(values) not in (1, axes) for values in given):
        raise UsageError(
            "-k, -s, -p, -d and --size take one number, or one for each of 2 or 3 axes", f"for example {WINDOW}"
        )
    k, s, d, i = ([*values * (axes // len(values))] for values in (kernels, strides, dilations, sizes))
    p = pads * (axes // len(pads))
    try:
        for size_, *window in zip(i, k, s, *zip(*p, strict=True), d, strict=True):
            if size_ < 1:
                raise UsageError("--size takes sizes of at least 1")
            check_window(window[0], window[1], window[4], window[2], window[3])
            conv_output(size_, *window)
        fields = {"out_channels": 1, "kernel_size": k, "stride": s, "padding": p, "dilation": d, "bias": False}
        return single(build(f"conv{axes}d", fields), (1, *i))
    except GeometryError as error:
        raise UsageError(error.message, error.hint) from error
    except SpecError as error:
        raise UsageError(error.findings[0].message, error.findings[0].hint) from error


def _is_item(text: str) -> bool:
    """Whether the argument is a layer rather than a spec: a kind's name, or a kind and its fields."""
    from ..layers.registry import KINDS

    match = re.match(r"\s*\{?\s*(\w+)\s*(:\s|$)", text)
    return match is not None and match[1] in KINDS and not exists(text)


def _refuse_call(text: str) -> None:
    """Raise UsageError for a layer that is written as Python calls it."""
    if re.fullmatch(r"[\w.]+\(.*\)", text):
        raise UsageError(f"a layer is no call: {text[:60]}", "for example 'conv2d: {out: 64, k: 3}' --input 3,32,32")


def _single(item: str, input: list[str] | None) -> "Network":
    """A network of one layer."""
    from ..api.explain import single

    sizes = read_input(input)
    if sizes is None:
        raise UsageError("one layer needs the shape that it reads", "for example --input 3,224,224")
    return single(item, sizes)
