"""`convcalc verify`: the predictions for a spec held against a NumPy run of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeVar

import typer

from ..findings import SpecError, UsageError
from ..units import NoAmount, amount, read_bytes
from .options import (
    ArgOption,
    BatchOption,
    InputOption,
    RunOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_network,
    read_input,
    read_params,
)
from .output import format_option, write

if TYPE_CHECKING:
    from ..api.flows import Flows, Source, Training
    from ..api.verify import TooLargeForMemory
    from ..network import Network

Dtype = Literal["float32", "float64", "float16"]
R = TypeVar("R", covariant=True)


def command(
    spec: SpecArgument,
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the inputs and, with --backward, of the weights.")
    ] = 0,
    dtype: Annotated[Dtype, typer.Option("--dtype", help="Type to compute with.")] = "float32",
    backward: Annotated[
        bool, typer.Option("--backward", help="Run a training step; show the flow of activations and gradients.")
    ] = False,
    init: Annotated[
        str | None,
        typer.Option("--init", metavar="SCHEME", help="With --backward: kaiming (default), xavier, torch, normal:STD."),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option("--activation", metavar="KIND", help="With --backward: this activation in place of the spec's."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            metavar="LOSS",
            help="With --backward: cross_entropy, mean_square or linear in place of the outputs' own.",
        ),
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            "--compare",
            metavar="AXIS",
            help="With --backward: variations beside each other, NAME=VALUE,VALUE: activation, norm, residual, init,"
            " loss, variant or a param. Repeatable.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Shrink the input as far as strides, remainders and weights stay the same.")
    ] = False,
    max_memory: Annotated[
        str | None,
        typer.Option(
            "--max-memory",
            metavar="SIZE",
            help="Refuse to take more: 500M (500·10^6 bytes), 2GiB (2·2^30). Default: half of the free.",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every layer, not only those that differ.")] = False,
    format: Annotated[str, format_option("verify")] = "text",
) -> None:
    _check_flow_options(backward, init, activation, loss, compare)
    limit = None if max_memory is None else byte_size(max_memory)
    from ..api.verify import TooLargeForMemory, loss_named, plan

    chosen = None if loss is None else loss_named(loss)
    network = load_network(spec, set, variant, input, arg, device)
    if compare:
        from ..api.flows import Source, Training

        source = Source(read_params(set), variant, read_input(input))
        training = Training(batch, dtype, init, activation, loss, quick, limit)
        from ..render.flows import flows_document

        flows = _compared(network, compare, source, training, seed)
        write(format, lambda: flows_document(flows, every), flows.to_dict)
        return
    try:
        planned = plan(network, batch, dtype, backward, init, activation, chosen, quick, limit)
    except TooLargeForMemory as error:
        raise _smaller(error, quick) from error

    from ..render.verify import verification_document

    outcome = _run(planned, seed, "pass" if backward else "layer")
    write(format, lambda: verification_document(outcome, every), outcome.to_dict)
    if outcome.findings:
        raise SpecError(outcome.findings)


def _compared(network: "Network", axes: list[str], source: "Source", training: "Training", seed: int) -> "Flows":
    """The runs of `--compare`."""
    from ..api.flows import plan_flows
    from ..api.verify import TooLargeForMemory

    try:
        planned = plan_flows(network, axes, source, training)
    except TooLargeForMemory as error:
        raise _smaller(error, training.quick) from error
    return _run(planned, seed, "part")


class _Planned(Protocol[R]):
    """A run that fits."""

    def efforts(self) -> tuple[int, int]:
        """How often `starts` will be called, and the work that it will be told."""

    def run(self, seed: int, starts: Callable[[str, int], None]) -> R:
        """The run; `starts` is told of each part that starts: its name and its work."""


def _run(planned: _Planned[R], seed: int, unit: str) -> R:
    """A run with its progress, counted in units."""
    from ..render.progress import Plan, progress

    def work() -> Plan:
        times, work = planned.efforts()
        return Plan(times, unit, work)

    with progress("verify", work) as starts:
        return planned.run(seed, starts)


def _smaller(error: "TooLargeForMemory", quick: bool) -> UsageError:
    """The error in the words of the command line."""
    needs = amount(error.needed, "bytes", 0, "up").replace(" ", "")
    hint = f"use {'' if quick else '--quick, '}a smaller --batch or --input, or --max-memory {needs}"
    return UsageError(error.message, hint)


def _check_flow_options(
    backward: bool, init: str | None, activation: str | None, loss: str | None, compare: list[str] | None
) -> None:
    """Refuse what would do nothing, and a scheme that does not exist."""
    for name, value in (
        ("--init", init),
        ("--activation", activation),
        ("--loss", loss),
        ("--compare", compare or None),
    ):
        if value is not None and not backward:
            raise UsageError(
                f"{name} changes numbers, not shapes: it needs --backward", f"add --backward, or leave {name} out"
            )
    if init is not None:
        from ..verify.prediction import check_scheme

        try:
            check_scheme(init)
        except ValueError as error:
            raise UsageError(f"--init: {error}") from error


def byte_size(text: str) -> int:
    """The bytes of `--max-memory`. Raises UsageError.

    >>> byte_size("1.5G"), byte_size("500MiB")
    (1500000000, 524288000)
    """
    try:
        return read_bytes(text)
    except NoAmount as error:
        hint = "for example 500M or 2GiB; M is 1000^2 bytes, MiB 1024^2"
        raise UsageError(f"--max-memory takes a size, not '{text}'", hint) from error
