"""`convcalc sweep`: a design space searched."""

from typing import Annotated

import typer

from ..findings import UsageError
from .options import (
    Dtype,
    Optimizer,
    first_rows,
)
from .output import ForceOption, format_option, refuse_existing
from .swept import Look, Work, carried_out, read_plot, refuse_for_runs, refuse_taken, refuse_unready, show, show_row


def command(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC|PLAN|RUN",
            help="A spec whose params are swept, a plan in a file, or a run that is kept: its rows are shown.",
        ),
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=VALUES", help="An axis: width=32:256:8, or a list; repeatable."),
    ] = None,
    range: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="NAME=A:B:STEP[,log]", help="An axis that is drawn from: w0=24:128:8,log."),
    ] = None,
    let: Annotated[
        list[str] | None,
        typer.Option("--let", metavar="NAME=EXPRESSION", help="A derived value: 'widths[1]=2*widths[0]'; repeatable."),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", metavar="EXPRESSION", help="What axes and derived values have to be: 'a<=2*b'."),
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a param of the spec; repeatable.")
    ] = None,
    variant: Annotated[str | None, typer.Option("--variant", metavar="NAME", help="Use a variant of the spec.")] = None,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="C,H,W[;C,H,W]", help="Another input, or several to go through."),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option("--random", min=1, metavar="N", help="Draw so many candidates; with --near find so many."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Of what is drawn (default: 0).")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="CONDITION", help="What fits: macs<=600e6, peak_memory<=256KiB; repeatable."),
    ] = None,
    near: Annotated[
        list[str] | None,
        typer.Option("--near", metavar="NAME=AMOUNT,1%", help="What fits lies around an amount: macs=400e6,1%."),
    ] = None,
    pareto: Annotated[
        list[str] | None,
        typer.Option("--pareto", metavar="A,B,…", help="Show the front: less is better, max:NAME for more."),
    ] = None,
    minimize: Annotated[
        list[str] | None, typer.Option("--minimize", metavar="NAME", help="Show those with least of it first.")
    ] = None,
    maximize: Annotated[
        list[str] | None, typer.Option("--maximize", metavar="NAME", help="Show those with most of it first.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="A,B,…", help="Quantities to show (default: params,macs).")
    ] = None,
    sort: Annotated[list[str] | None, typer.Option("--sort", metavar="NAME", help="Sort the rows by it.")] = None,
    top: Annotated[
        str | None, typer.Option("--top", metavar="N|all", help="Rows to show. Default: 20; all in csv and json.")
    ] = None,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="X,Y", help="Draw what fits as a scatter, the front with letters.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Whole numbers instead of K, M and G.")] = False,
    page: Annotated[
        str | None, typer.Option("--page", metavar="FILE.html", help="Write the rows as a page to look at.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", metavar="FILE", help="Write every row to a .csv or .parquet file; repeatable."),
    ] = None,
    row: Annotated[
        int | None, typer.Option("--row", min=0, metavar="N", help="Of a run: print a row as a spec.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="RUN", help="Keep the run in a file of SQLite.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run of -o.")] = False,
    force: ForceOption = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, metavar="N", help="Processes that work.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler whose workers work.")
    ] = None,
    join: Annotated[
        str | None,
        typer.Option("--join", metavar="FILE.csv", help="Join measured columns by those that are called as axes."),
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, metavar="N", help="Batch size (default: 1).")] = None,
    dtype: Annotated[
        Dtype | None, typer.Option("--dtype", help="Type of activations and params in memory (default: float32).")
    ] = None,
    optimizer: Annotated[
        Optimizer | None, typer.Option("--optimizer", help="Whose state training memory counts (default: sgd).")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="NAME", help="For the roofline.")] = None,
    format: Annotated[str, format_option("sweep")] = "text",
) -> None:
    from ..api.sweep import opened, source_of
    from ..sweep.opening import is_run
    from ..sweep.planning import of_run, planned

    rows = None if top is None else first_rows("--top", top)
    look = Look(format, rows, top == "all", read_plot(plot, format), exact, page, tuple(export or ()), force)
    for file_to_write in (page, *look.exports):
        refuse_existing(file_to_write, force)
    views = {
        "where": tuple(where or ()),
        "pareto": tuple(pareto or ()),
        "minimize": tuple(minimize or ()),
        "maximize": tuple(maximize or ()),
        "columns": tuple(columns or ()),
        "sort": tuple(sort or ()),
    }
    asked = {
        "grid": tuple(grid or ()),
        "range": tuple(range or ()),
        "let": tuple(let or ()),
        "require": tuple(require or ()),
        "set": tuple(set or ()),
        "variant": variant,
        "input": tuple(input or ()),
        "random": random,
        "seed": seed,
        "near": tuple(near or ()),
        "batch": batch,
        "dtype": dtype,
        "optimizer": optimizer,
        "device": device,
        "join": join,
    }
    if is_run(spec):
        refuse_for_runs(spec, {**asked, "output": output})
        if resume:
            plan, file = of_run(spec)
            carried_out(plan, file, Work(spec, resume, force, jobs, scheduler)).close()
        with opened(spec, views) as found:
            if row is None:
                show(found, look)
            else:
                show_row(found, row)
        return
    plan, file = planned(source_of(spec), {**views, **asked})
    if row is not None:
        raise UsageError("--row is of a run that is kept", "for example convcalc sweep run.sqlite --row 17")
    if resume and output is None:
        raise UsageError("--resume goes on with a run that is kept", "name it: -o run.sqlite")
    if not resume:
        refuse_taken(output, force)
    refuse_unready(plan, look)
    with carried_out(plan, file, Work(output, resume, force, jobs, scheduler)) as found:
        show(found, look)
