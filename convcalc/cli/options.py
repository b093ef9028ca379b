"""Options that several commands share, and how their text is read."""

import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..findings import SpecError, UsageError
from ..geometry.errors import LIMIT

if TYPE_CHECKING:
    from ..analysis.device import Device
    from ..findings import Finding
    from ..network import Network


Dtype = Literal["float32", "float16", "bfloat16", "float64", "int8"]
Optimizer = Literal["sgd", "momentum", "adam"]

SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A spec, ONNX or Keras file, - for standard input, git:REV:PATH, a gallery name, or a model in code:"
        " ./net.py:Net, whose code then runs.",
    ),
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
ModelInputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="C,H,W",
        help="What models read: files with open sizes, models in code (NAME=3,64,64).",
    ),
]
BatchOption = Annotated[int, typer.Option("--batch", min=1, help="Batch size: multiplies macs, flops, activations.")]

AgainstOption = Annotated[
    str | None,
    typer.Option("--against", metavar="SPEC", help="Show what it changes against this one: a file, git:REV:PATH, …"),
]
KernelOption = Annotated[
    str | None, typer.Option("--k", "-k", metavar="K", help="Kernel: 3, or one number an axis: 3,5.")
]
StrideOption = Annotated[str, typer.Option("--s", "-s", metavar="S", help="Stride.")]
PaddingOption = Annotated[str, typer.Option("--p", "-p", metavar="P", help="Padding: 1, or before:after: 1:2.")]
DilationOption = Annotated[str, typer.Option("--d", "-d", metavar="D", help="Dilation.")]
DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="Type of activations and params in memory.")]
OptimizerOption = Annotated[Optimizer, typer.Option("--optimizer", help="Whose state training memory counts.")]
FailOverOption = Annotated[
    list[str] | None,
    typer.Option("--fail-over", metavar="NAME=N[%]", help="Fail where it grows by more: params=1%; repeatable."),
]
DeviceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="For the roofline: 10TFLOP/s,400GB/s, or k80 p100 v100 t4 a100. Of a model in code, where it runs: meta"
        " (without numbers) or cpu.",
    ),
]
ArgOption = Annotated[
    list[str] | None,
    typer.Option("--arg", metavar="NAME=VALUE", help="Of a model in code: an argument to build it with; repeatable."),
]
RunOption = Annotated[
    str | None,
    typer.Option("--device", metavar="meta|cpu", help="Of a model in code: run it without numbers (meta) or on them."),
]


RUNS = ("meta", "cpu")
"""Devices on which a model in code runs: without numbers, or on them."""
SHAPE = "sizes like 3,224,224 or 3x224x224"
PER_AXIS = "a whole number, or one an axis (3 or 3,5)"

_SEPARATORS = re.compile(r"[,xX×]")
"""Between the sizes of a shape."""


def refuse_mixed(
    spec: str | None, about_spec: Mapping[str, object], about_kernel: Mapping[str, object], what: str = "a SPEC"
) -> None:
    """Raise UsageError for an option that was given about a spec where there is none, or about a kernel beside one."""
    for option, given in (about_spec if spec is None else about_kernel).items():
        if given and spec is not None:
            raise UsageError(f"{option} does not go with {what}")
        if given:
            read = "a kernel alone reads --size" if option == "--input" and "--size" in about_kernel else None
            raise UsageError(f"{option} needs a SPEC", read)


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
    named, ordered = _read_inputs(texts)
    if len(ordered) > 1:
        raise UsageError("--input is given twice", "name the inputs: --input left=3,64,64 --input right=3,64,64")
    return named or (ordered[0] if ordered else None)


def read_inputs(texts: Iterable[str] | None) -> list[list[int]] | dict[str, list[int]] | None:
    """The value of `--input` for a model in code: the sizes of several inputs in order, or by name. Raises UsageError.

    >>> read_inputs(["3,64,64", "1x8"]), read_inputs(["left=3,64,64"])
    ([[3, 64, 64], [1, 8]], {'left': [3, 64, 64]})
    """
    named, ordered = _read_inputs(texts)
    return named or ordered or None


def _read_inputs(texts: Iterable[str] | None) -> tuple[dict[str, list[int]], list[list[int]]]:
    named: dict[str, list[int]] = {}
    ordered: list[list[int]] = []
    for text in texts or ():
        name, equals, sizes = text.rpartition("=")
        if equals:
            named[name] = numbers("--input", sizes, SHAPE)
        else:
            ordered.append(numbers("--input", text, SHAPE))
    if ordered and named:
        raise UsageError("--input is given with and without a name", "name every input: --input left=3,64,64")
    return named, ordered


def read_arguments(texts: Iterable[str] | None) -> dict[str, object]:
    """The arguments of `--arg NAME=VALUE`: true, false, none, Python's literals, and texts. Raises UsageError.

    >>> read_arguments(["width=0.5", "norm=none"])
    {'width': 0.5, 'norm': None}
    """
    if not texts:
        return {}
    from ..torch.spec import argument

    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise UsageError(f"--arg takes NAME=VALUE, not '{text}'", "for example --arg num_classes=10")
        if name in found:
            raise UsageError(f"--arg gives '{name}' twice")
        found[name] = argument(value)
    return found


def read_run(text: str | None) -> str | None:
    """The device of `--device` on which a model in code runs. Raises UsageError."""
    if text not in (None, *RUNS):
        raise UsageError(f"--device: a model in code runs on meta or cpu, not '{text}'", "meta has no numbers, cpu has")
    return text


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


def read_devices(texts: Iterable[str] | None) -> "tuple[Device | None, str | None]":
    """The device of the roofline, and that on which a model in code runs, both of `--device`. Raises UsageError."""
    run = [text for text in texts or () if text in RUNS]
    drawn = [text for text in texts or () if text not in RUNS]
    if len(run) > 1 or len(drawn) > 1:
        raise UsageError(f"--device is given twice: {' and '.join(run if len(run) > 1 else drawn)}")
    return (_read_device(drawn[0]) if drawn else None), (run[0] if run else None)


def _read_device(text: str) -> "Device":
    from ..analysis.device import WRITTEN, UnknownDevice
    from ..analysis.device import read_device as read

    try:
        return read(text)
    except UnknownDevice as error:
        runs = f"; a model in code runs on {' or '.join(RUNS)}"
        raise UsageError(f"--device: {error}", WRITTEN + runs) from error


def load_network(
    spec: str,
    params: list[str] | None = None,
    variant: str | None = None,
    input: list[str] | None = None,
    arg: list[str] | None = None,
    device: str | None = None,
) -> "Network":
    """The network of a SPEC argument under the shared options; warnings of how it was read go to stderr.

    A SPEC is a path, `-`, a gallery name, an ONNX or Keras file, `git:REV:path`, or a model in code.
    """
    from ..api.load import names_code

    given = read_inputs(input) if names_code(spec) else read_input(input)
    return _load(spec, read_params(params), variant, given, read_arguments(arg), read_run(device))


StrictOption = Annotated[
    bool, typer.Option("--strict", help="Fail where a layer holds weights and its macs are not known.")
]


def refuse_unknown_costs(network: "Network") -> None:
    """Raise SpecError for layers that hold weights and whose multiply-accumulates are not known."""
    from ..network import unknown_costs

    unknown = unknown_costs(network)
    if unknown:
        raise SpecError(unknown)


def load_pair(
    before: str,
    after: str,
    params: list[str] | None,
    variant: str | None,
    input: list[str] | None,
    arg: list[str] | None,
    device: str | None,
) -> "tuple[Network, Network]":
    """Two networks under the shared options, each with those that go with it.

    Without --input a model in code reads what the other network does.
    """
    from ..api.load import names_code

    found: dict[int, Network] = {}
    specs = (before, after)
    options = read_params(params), read_arguments(arg), read_run(device)
    several = names_code(before) or names_code(after)
    for place in sorted((0, 1), key=lambda place: names_code(specs[place])):
        code = names_code(specs[place])
        given: object = read_inputs(input) if code else read_input(input)
        if code and given is None and found:
            (other,) = found.values()
            given = [list(shape) for shape in other.inputs.values()]
        found[place] = _load(
            specs[place],
            {} if code and several else options[0],
            None if code and several else variant,
            given,
            options[1] if code else {},
            options[2] if code else None,
        )
    return found[0], found[1]


def _load(
    spec: str,
    params: dict[str, str],
    variant: str | None,
    input: Any,
    arguments: dict[str, object],
    device: str | None,
) -> "Network":
    from ..api.load import load
    from ..render.progress import progress

    # Somebody may type what standard input gives.
    with nullcontext() if spec == "-" else progress(f"reading {spec}"):
        network = load(spec, params=params, variant=variant, input=input, arguments=arguments, device=device)
    notes = [*network.notes, *(_turned(network) if input else ())]
    if notes:
        from ..render.streams import write_findings

        write_findings(notes)
    return network


def _turned(network: "Network") -> "Iterable[Finding]":
    """What is said of an `--input` whose channels seem to stand last."""
    from ..check.rules import findings
    from ..check.rules.inputs import channels_last

    return findings(network, channels_last(network))
