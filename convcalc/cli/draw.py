"""`convcalc draw`: the arithmetic of a window as a picture: SVG that moves, stills, matrices, or characters."""

from pathlib import PurePath
from typing import Annotated, Literal

import typer

from ..findings import UsageError
from ..geometry import GeometryError
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
from .output import ForceOption, OutputOption, refuse_existing, write, write_file

Format = Literal["text", "svg", "json"]
Scheme = Literal["auto", "light", "dark"]
EXAMPLE = "convcalc draw -k 3 -s 2 -p 1, or convcalc draw resnet conv1"


def command(
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC]", help="A spec, of which a layer is drawn; or -k and its like.")
    ] = None,
    layer: Annotated[
        str | None, typer.Argument(metavar="[LAYER]", help="Its path; not needed where only one has a window.")
    ] = None,
    kernel_size: KernelOption = None,
    stride: StrideOption = "1",
    padding: PaddingOption = "0",
    dilation: DilationOption = "1",
    size: Annotated[
        str | None, typer.Option("--size", metavar="I", help="What the drawn layer reads: 5, or 5,7; else a few.")
    ] = None,
    transposed: Annotated[
        bool, typer.Option("--transposed", help="The transposed convolution: zeros, padding, the flipped kernel.")
    ] = False,
    output_padding: Annotated[
        str, typer.Option("--op", metavar="OP", help="output_padding of a transposed convolution.")
    ] = "0",
    dims: Annotated[int | None, typer.Option("--dims", min=1, max=2, help="Axes that are drawn; default 2.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="A strip of stills, one a step.")] = False,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="The matrices: im2col, C and its transpose, each tap in its colour.")
    ] = False,
    step: Annotated[
        int | None, typer.Option("--step", min=1, metavar="N", help="One step, which stands still; from 1.")
    ] = None,
    scheme: Annotated[
        Scheme, typer.Option("--scheme", help="Colours of an SVG: as the screen has them, or on light or dark.")
    ] = "auto",
    format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="How to print: text (default) in characters; svg; json, every cell."),
    ] = None,
    set: SetOption = None,
    variant: VariantOption = None,
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """A window that moves over its input, and the output that it fills; of numbers, or of a layer.

    A comma or an x separates axes, a colon before and after: -k 3,5 -p 1:2,2. The suffix of -o says what is written:
    .svg moves without a script, .gif and .png need the extra convcalc[draw].
    """
    about_kernel: dict[str, object] = {
        "--k": kernel_size,
        "--s": stride != "1",
        "--p": padding != "0",
        "--d": dilation != "1",
        "--op": output_padding != "0",
        "--size": size,
        "--transposed": transposed,
    }
    about_spec: dict[str, object] = {"--set": set, "--variant": variant, "--input": input, "--arg": arg}
    about_spec["--device"] = device
    refuse_mixed(spec, about_spec, about_kernel)
    if spec is None and kernel_size is None:
        raise UsageError("draw needs the kernel of a convolution, or a spec and its layer", f"for example {EXAMPLE}")
    if steps + matrix + (step is not None) > 1:
        raise UsageError("--steps, --matrix and --step are different pictures: give one of them")
    suffix = _suffix(output, format)
    refuse_existing(output, force)
    from ..api.draw import characters, draw

    picture: Literal["motion", "steps", "matrix"] = "steps" if steps else "matrix" if matrix else "motion"
    try:
        if spec is not None:
            network = load_network(spec, set, variant, input, arg, device)
            drawing = draw(network, layer, dims=dims, picture=picture, scheme=scheme)
        else:
            drawing = draw(
                kernel=numbers("--k", kernel_size or "", PER_AXIS),
                stride=numbers("--s", stride, PER_AXIS),
                padding=paddings("--p", padding),
                dilation=numbers("--d", dilation, PER_AXIS),
                size=None if size is None else numbers("--size", size, PER_AXIS),
                transposed=transposed,
                output_padding=numbers("--op", output_padding, PER_AXIS),
                dims=dims,
                picture=picture,
                scheme=scheme,
            )
    except GeometryError as error:
        raise UsageError(error.message, error.hint) from error
    if output in (None, "-") and suffix != ".svg":
        write("text" if suffix == ".txt" else "json", lambda: characters(drawing, step or 1), drawing.to_dict)
        return
    data = drawing.content(suffix, step)
    write_file(data if isinstance(data, str) else [data], output, force, "entities")


def _suffix(output: str | None, format: Format | None) -> str:
    """The suffix of what is written: that of the file, or of the format; SVG where `-o -` asks for a picture."""
    from ..api.draw import SUFFIXES

    said = {"text": ".txt", "svg": ".svg", "json": ".json", None: None}[format]
    if output is None:
        return said or ".txt"
    if output == "-":
        return said or ".svg"
    suffix = PurePath(output).suffix.lower()
    if said is not None and suffix != said:
        raise UsageError(f"--format {format} does not go with -o {output}", "the suffix of the file says what it is")
    if suffix not in SUFFIXES:
        what = f"'{suffix}' is the suffix of no drawing" if suffix else "the name of the file says not what it is"
        raise UsageError(f"-o {output}: {what}", f"one of {', '.join(SUFFIXES)}")
    return suffix
