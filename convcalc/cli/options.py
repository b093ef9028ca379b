"""Options that several commands share, and how their text is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..findings import UsageError
from ..geometry.errors import LIMIT

if TYPE_CHECKING:
    from ..analysis.device import Device
    from ..network import Network


Dtype = Literal["float32", "float16", "bfloat16", "float64", "int8"]
Optimizer = Literal["sgd", "momentum", "adam"]

SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help="A spec file, - for standard input, or a gallery name.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a param of the spec; repeatable.")
]
VariantOption = Annotated[str | None, typer.Option("--variant", metavar="NAME", help="Use a variant of the spec.")]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="C,H,W", help="Use another input: 3,299,299 or 3x299x299 (NAME=3,64,64 for one of several)."
    ),
]
BatchOption = Annotated[int, typer.Option("--batch", min=1, help="Batch size: multiplies macs, flops, activations.")]

DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="Type of activations and params in memory.")]
OptimizerOption = Annotated[Optimizer, typer.Option("--optimizer", help="Whose state training memory counts.")]
FailOverOption = Annotated[
    list[str] | None,
    typer.Option("--fail-over", metavar="NAME=N[%]", help="Fail where it grows by more: params=1%; repeatable."),
]
DeviceOption = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="For the roofline: 10TFLOP/s,400GB/s, or k80 p100 v100 t4 a100."),
]


SHAPE = "sizes like 3,224,224 or 3x224x224"
PER_AXIS = "a whole number, or one an axis (3 or 3,5)"

_SEPARATORS = re.compile(r"[,xX×]")
"""Between the sizes of a shape."""


def renamed(old: str, new: str) -> Any:
    """An option that has another name now: whoever types it is told which."""

    def refuse(value: object) -> None:
        if value not in (None, False):
            raise UsageError(f"there is no option {old}", f"it is called {new}")

    return typer.Option(old, hidden=True, callback=refuse)


def number(option: str, text: str, expected: str = "a whole number") -> int:
    """One whole number, not negative. Raises UsageError.

    >>> number("--s", "2")
    2
    """
    digits = text.strip()
    if not _is_whole(text):
        raise UsageError(f"{option}: expected {expected}, not {text!r}")
    if len(digits) > 20 or int(digits) > LIMIT:
        raise UsageError(f"{option}: {digits[:24]} is above 2^63 - 1")
    return int(digits)


def numbers(option: str, text: str, expected: str) -> list[int]:
    """Whole numbers between commas, x or ×: the sizes of a shape, or one number an axis. Raises UsageError.

    >>> numbers("--input", "3,224,224", SHAPE), numbers("--k", "3×5", PER_AXIS)
    ([3, 224, 224], [3, 5])
    """
    parts = _SEPARATORS.split(text)
    if not all(map(_is_whole, parts)):
        raise UsageError(f"{option}: expected {expected}, not {text!r}")
    return [number(option, part, expected) for part in parts]


def _is_whole(text: str) -> bool:
    digits = text.strip()
    return digits.isascii() and digits.isdigit()


def first_rows(option: str, text: str) -> int | None:
    """How many rows are shown; None for all. Raises UsageError.

    >>> first_rows("--top", "5"), first_rows("--top", "all")
    (5, None)
    """
    if text == "all":
        return None
    count = number(option, text, "a number of rows, or all")
    if count < 1:
        raise UsageError(f"{option} is at least 1, or all")
    return count


def paddings(option: str, text: str) -> list[int | tuple[int, int]]:
    """One padding, or one an axis; a colon separates before and after.

    >>> paddings("--p", "1,1:2"), paddings("--p", "1x2")
    ([1, (1, 2)], [1, 2])
    """
    expected = "a whole number (1), before:after (1:2), or one an axis (1,1:2)"
    if text.strip() in ("same", "valid", "same_lower"):
        raise UsageError(
            f"{option}: expected {expected}, not {text!r}", hint="`same` depends on the input: give its pads"
        )
    pads: list[int | tuple[int, int]] = []
    for part in _SEPARATORS.split(text):
        sides = [number(option, side, expected) for side in part.split(":")]
        if len(sides) > 2:
            raise UsageError(f"{option}: expected {expected}, not {text!r}")
        pads.append(sides[0] if len(sides) == 1 else (sides[0], sides[1]))
    return pads


def span(option: str, text: str) -> range:
    """One number, or a range with both ends.

    >>> span("--k", "3"), span("--k", "3..7")
    (range(3, 4), range(3, 8))
    """
    expected = "a whole number (3) or a range (3..7)"
    ends = [number(option, end, expected) for end in text.split("..", 1)]
    if ends[-1] < ends[0]:
        raise UsageError(f"{option}: the range {text} is empty", hint=f"write {ends[-1]}..{ends[0]}")
    return range(ends[0], ends[-1] + 1)


def read_input(texts: Iterable[str] | None) -> list[int] | dict[str, list[int]] | None:
    """The value of `--input`: sizes, or sizes by input name. Raises UsageError."""
    found: dict[str, list[int]] = {}
    single: list[int] | None = None
    for text in texts or ():
        name, equals, sizes = text.rpartition("=")
        if equals:
            found[name] = numbers("--input", sizes, SHAPE)
        elif single is not None:
            raise UsageError("--input is given twice", "name the inputs: --input left=3,64,64 --input right=3,64,64")
        else:
            single = numbers("--input", text, SHAPE)
    if single is not None and found:
        raise UsageError("--input is given with and without a name", "name every input: --input left=3,64,64")
    return found or single


def read_params(texts: Iterable[str] | None) -> dict[str, str]:
    """The params of `--set NAME=VALUE`. Raises UsageError."""
    params: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes NAME=VALUE, not '{text}'", "for example --set classes=10")
        if name.strip() in params:
            raise UsageError(f"--set gives '{name.strip()}' twice")
        params[name.strip()] = value.strip()
    return params


def read_device(text: str | None) -> Device | None:
    """The device of `--device`. Raises UsageError."""
    if text is None:
        return None
    from ..analysis.device import DEVICES, UnknownDevice
    from ..analysis.device import read_device as read

    try:
        return read(text)
    except UnknownDevice as error:
        names = ", ".join(DEVICES)
        raise UsageError(f"--device: {error}", f"for example 10TFLOP/s,400GB/s; or one of {names}") from error


def load_network(
    spec: str, params: list[str] | None = None, variant: str | None = None, input: list[str] | None = None
) -> Network:
    """The network of a SPEC argument under the shared options; warnings of a model go to stderr.

    A SPEC is a path, `-`, a gallery name, an ONNX or Keras file, or `git:REV:path`.
    """
    from ..api.load import load
    from ..render.progress import progress

    # Somebody may type what standard input gives.
    with nullcontext() if spec == "-" else progress(f"reading {spec}"):
        network = load(spec, params=read_params(params), variant=variant, input=read_input(input))
    if network.notes:
        from ..render.streams import write_findings

        write_findings(network.notes)
    return network
