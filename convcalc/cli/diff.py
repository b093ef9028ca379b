"""`convcalc diff`: what changed between two specs, and what it costs."""

from typing import Annotated

import typer

from .options import ArgOption, FailOverOption, InputOption, RunOption, SetOption, VariantOption, load_pair
from .output import format_option, write

SpecArgument = (
    "A spec, ONNX or Keras file, - for standard input, git:REV:PATH, a gallery name, or a model in code: ./net.py:Net."
)


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=SpecArgument)],
    after: Annotated[str, typer.Argument(metavar="B", help=SpecArgument)],
    format: Annotated[str, format_option("diff")] = "text",
    fail_over: FailOverOption = None,
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    from ..analysis.diff import diff, read_limits
    from ..analysis.report import analyse
    from ..render.diff import diff_data, diff_document, growth_findings

    limits = read_limits(fail_over or ())
    first, second = load_pair(before, after, set, variant, input, arg, device)
    difference = diff(analyse(first), analyse(second))
    findings = growth_findings(difference, limits)
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
