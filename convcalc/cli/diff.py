"""`convcalc diff`: what changed between two specs, and what it costs."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from ..findings import UsageError
from ..units import NoAmount, read_amount
from .options import InputOption, SetOption, VariantOption, load_network

if TYPE_CHECKING:
    from ..analysis.diff import Difference

SpecArgument = "A spec file, - for standard input, a gallery name, an ONNX file, or git:REV:path."


Format = Literal["rich", "markdown", "json"]


class Threshold(NamedTuple):
    """The most that a quantity may grow: by a number, or by a share of what it was."""

    quantity: str
    limit: Fraction
    relative: bool
    text: str


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=SpecArgument)],
    after: Annotated[str, typer.Argument(metavar="B", help=SpecArgument)],
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "rich",
    fail_over: Annotated[
        list[str] | None,
        typer.Option("--fail-over", metavar="NAME=N[%]", help="Fail where it grows by more: params=1%; repeatable."),
    ] = None,
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    from ..analysis.diff import diff
    from ..analysis.report import analyse
    from ..render import terminal
    from ..render.diff import diff_json, diff_lines, diff_markdown

    thresholds = [_threshold(text) for text in fail_over or ()]
    first, second = (analyse(load_network(spec, set, variant, input)) for spec in (before, after))
    difference = diff(first, second)
    if format == "json":
        terminal.write_text(diff_json(difference))
    elif format == "markdown":
        terminal.write_text(diff_markdown(difference))
    else:
        terminal.write_lines(diff_lines(difference, terminal.line_width()))
    exceeded = [message for threshold in thresholds if (message := _exceeded(difference, threshold))]
    for message in exceeded:
        print(f"error: {message}", file=sys.stderr)
    if exceeded:
        raise typer.Exit(1)


def _threshold(text: str) -> Threshold:
    from ..analysis.diff import limited
    from ..analysis.quantities import quantity

    name, _, limit = text.partition("=")
    number = limit.strip()
    try:
        most = read_amount(number.removesuffix("%"))
    except NoAmount as error:
        hint = "for example --fail-over params=1%"
        raise UsageError(f"--fail-over takes NAME=N or NAME=N%, not '{text}'", hint) from error
    wanted, known = quantity(name.strip()), limited()
    if wanted is None or wanted not in known:
        names = ", ".join(each.name for each in known)
        raise UsageError(f"--fail-over knows no '{name.strip()}'", f"one of {names}")
    return Threshold(wanted.name, most, number.endswith("%"), text)


def _exceeded(difference: Difference, threshold: Threshold) -> str | None:
    change = next(change for change in difference.totals if change.what == threshold.quantity)
    before, after = change.before, change.after
    if not isinstance(before, int) or not isinstance(after, int):
        return None
    allowed = before * threshold.limit / 100 if threshold.relative else threshold.limit
    if after - before <= allowed:
        return None
    from ..render.diff import percentage

    share = f" ({percentage(before, after)} %)" if before else ""
    grown = f"{threshold.quantity} grows by {after - before:,}{share}, from {before:,} to {after:,}"
    return f"{grown}; --fail-over {threshold.text}"
