"""`convcalc invert`: the transposed convolution that undoes a shape; of a spec, the mirrored decoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..api.invert import Inversion
from ..api.invert import invert as invert_shape
from ..findings import UsageError
from ..geometry.errors import GeometryError
from .options import (
    PER_AXIS,
    ArgOption,
    DilationOption,
    InputOption,
    KernelOption,
    PaddingOption,
    RunOption,
    SetOption,
    StrideOption,
    VariantOption,
    load_network,
    numbers,
    paddings,
    refuse_mixed,
)
from .output import ForceOption, OutputOption, format_option, refuse_existing, write, write_file

if TYPE_CHECKING:
    from ..network import Network
    from ..reference.identity import Identity

LARGEST_VERIFIED = 2048
"""Sizes above it are not verified: the convolution becomes a matrix of size times output."""


def command(
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC]", help="A spec: its mirrored decoder is written, as a spec.")
    ] = None,
    kernel_size: KernelOption = None,
    stride: StrideOption = "1",
    padding: PaddingOption = "0",
    dilation: DilationOption = "1",
    size: Annotated[
        list[str] | None,
        typer.Option("--size", metavar="I", help="Input size to work out; may be given again."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Confirm the identities in NumPy, exactly.")] = False,
    format: Annotated[str, format_option("invert")] = "text",
    resize: Annotated[bool, typer.Option("--resize", help="SPEC: upsample and convolve: no checkerboard.")] = False,
    skips: Annotated[bool, typer.Option("--skips", help="SPEC: with the encoder, joined at each scale.")] = False,
    until: Annotated[
        str | None, typer.Option("--until", metavar="LAYER", help="SPEC: mirror the layers up to this one.")
    ] = None,
    set: SetOption = None,
    variant: VariantOption = None,
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """The transposed convolution that undoes the shape of a convolution; of a spec, the mirrored decoder.

    A comma or an x separates axes, a colon before and after: -k 3,5 -s 2 -p 1:2,2 --size 224x320
    """
    about_spec: dict[str, object] = {"--resize": resize, "--skips": skips, "--until": until, "--set": set}
    about_spec |= {"--variant": variant, "--input": input, "--arg": arg, "--device": device}
    about_spec |= {"--output": output, "--force": force}
    about_kernel: dict[str, object] = {
        "--k": kernel_size,
        "--s": stride != "1",
        "--p": padding != "0",
        "--d": dilation != "1",
    }
    about_kernel |= {"--size": size, "--verify": verify, "--format": format != "text"}
    refuse_mixed(spec, about_spec, about_kernel)
    if spec is not None:
        refuse_existing(output, force)
        write_file(_decoder(load_network(spec, set, variant, input, arg, device), resize, skips, until), output, force)
        return
    if kernel_size is None:
        raise UsageError(
            "invert needs the kernel of a convolution, or a spec",
            hint="convcalc invert -k 3 -s 2 -p 1, or convcalc invert vgg",
        )
    inversion = _inverted(kernel_size, stride, padding, dilation, size or [])
    verified = _verified(inversion) if verify else []
    extra = {"verified": [found.to_dict() for found in verified]} if verify else {}
    from ..render.invert import inversion_document

    write(format, lambda: inversion_document(inversion, verified), lambda: {**inversion.to_dict(), **extra})
    if not all(found.holds for found in verified):
        raise typer.Exit(1)


def _decoder(network: "Network", resize: bool, skips: bool, until: str | None) -> str:
    """The decoder that mirrors a network, as a spec; what it leaves out stands in comments above it."""
    from ..analysis.decoder import mirror
    from ..render.invert import decoder_text

    return decoder_text(mirror(network, resize=resize, skips=skips, until=until))


def _inverted(kernel_size: str, stride: str, padding: str, dilation: str, sizes: Sequence[str]) -> Inversion:
    """The inversion that the options describe; impossible numbers are a wrong call."""
    kernels, strides, dilations = (
        numbers(option, text, PER_AXIS) for option, text in (("--k", kernel_size), ("--s", stride), ("--d", dilation))
    )
    pads = paddings("--p", padding)
    columns = [numbers("--size", text, PER_AXIS) for text in sizes]
    if max(len(kernels), len(strides), len(dilations), len(pads), *map(len, columns)) > 3:
        raise UsageError(
            "a convolution has at most 3 axes", hint="commas and x separate axes; give --size once for each size"
        )
    try:
        inversion = invert_shape(kernels, strides, pads, dilations, columns)
        inversion.to_dict()
    except GeometryError as error:
        raise UsageError(error.message, hint=error.hint) from error
    return inversion


def _verified(inversion: Inversion) -> "list[Identity]":
    """The three readings compared for every size that NumPy can hold as a matrix."""
    from ..reference.identity import check_identity

    found = []
    for axis, sizes in dict(zip(inversion.axes, inversion.sizes, strict=True)).items():
        for row in sizes:
            if max(row.size, axis.effective_kernel, axis.before + axis.after) > LARGEST_VERIFIED:
                raise UsageError(
                    f"--verify builds the convolution as a matrix: sizes and kernels up to {LARGEST_VERIFIED}",
                    hint="give smaller numbers: the identities do not depend on the size",
                )
            found.append(
                check_identity(row.size, axis.kernel_size, axis.stride, axis.before, axis.after, axis.dilation)
            )
    return found
