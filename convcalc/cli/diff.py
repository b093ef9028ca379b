"""`convcalc diff`: what changed between two specs, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UsageError
from ..units import NoAmount, read_amount
from .options import InputOption, SetOption, VariantOption, load_network
from .output import format_option, write

if TYPE_CHECKING:
    from ..analysis.diff import Threshold

SpecArgument = "A spec file, - for standard input, a gallery name, an ONNX file, or git:REV:path."


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=SpecArgument)],
    after: Annotated[str, typer.Argument(metavar="B", help=SpecArgument)],
    format: Annotated[str, format_option("diff")] = "text",
    fail_over: Annotated[
        list[str] | None,
        typer.Option("--fail-over", metavar="NAME=N[%]", help="Fail where it grows by more: params=1%; repeatable."),
    ] = None,
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    from ..api.diff import diff
    from ..render.diff import diff_data, diff_document, growth_finding

    thresholds = [(_threshold(text), text.partition("=")[2].strip()) for text in fail_over or ()]
    first, second = (load_network(spec, set, variant, input) for spec in (before, after))
    difference = diff(first, second)
    findings = [
        growth_finding(difference, threshold.quantity, *totals, text)
        for threshold, text in thresholds
        if (totals := threshold.broken(difference))
    ]
    if format == "github":
        from ..check.result import CheckResult
        from ..render.findings import github
        from ..render.streams import write_text

        write_text(github(CheckResult([after], findings)), "annotations")
    else:
        comment = format != "text"
        write(format, lambda: diff_document(difference, findings, comment), lambda: diff_data(difference, findings))
    if findings:
        from ..render.streams import write_error

        over = ", ".join(finding.message.partition(" grows")[0] for finding in findings)
        write_error(f"{after} grows more than --fail-over allows: {over}")
        raise typer.Exit(1)


def _threshold(text: str) -> Threshold:
    from ..analysis.diff import Threshold, limited
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
    return Threshold(wanted.name, most, number.endswith("%"))
