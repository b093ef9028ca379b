"""`convcalc report`: a spec as one page to look at, alone or against another."""

from pathlib import PurePath

from ..findings import UsageError
from ..render.streams import on_terminal
from .options import (
    AgainstOption,
    ArgOption,
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    SpecArgument,
    StrictOption,
    VariantOption,
    load_network,
    load_pair,
    read_devices,
    refuse_unknown_costs,
)
from .output import ForceOption, OutputOption, refuse_existing, write_file

OTHERS = (".pdf", ".png", ".gif", ".jpg", ".svg", ".md", ".json", ".csv", ".yaml", ".yml", ".txt")
"""Suffixes of files that are no page."""


def command(
    spec: SpecArgument,
    against: AgainstOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
    input: InputOption = None,
    arg: ArgOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
    strict: StrictOption = False,
) -> None:
    refuse_existing(output, force)
    suffix = PurePath(output or "").suffix.lower()
    if suffix in OTHERS:
        hint = "name it .html; a browser prints it as PDF" if suffix == ".pdf" else "name it .html"
        raise UsageError(f"-o {output}: the report is a page of HTML", hint)
    if output is None and on_terminal():
        raise UsageError("a page is nothing to read on a terminal", "-o report.html writes it to a file")
    from ..page.environment import environment

    environment()
    machine, run = read_devices(device)
    if against is None:
        networks = [load_network(spec, set, variant, input, arg, run)]
    else:
        networks = list(load_pair(against, spec, set, variant, input, arg, run))
    from ..api.page import report
    from ..api.report import analyse

    if strict:
        refuse_unknown_costs(networks[-1])
    reports = [analyse(found, batch, dtype=dtype, optimizer=optimizer, device=machine) for found in networks]
    text = report(reports[-1], against=reports[0] if against is not None else None)
    write_file(text, output, force, "entities")
