"""Time a layer: reading, text -> network, shapes + params + MACs, analyses, and printing, at three sizes.

    python benchmarks/engine.py [--largest 100000]

Every figure is the minimum of three runs in one process, divided by the layers; the slope of log(time) over
log(layers) says how it grows (1.0 is linear). Reading is shown beside the C loader's own load.
"""

from __future__ import annotations

import argparse
import gc
import io
import math
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial

import yaml

from convcalc import Network, loads
from convcalc.analysis.device import DEVICES
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.language.events import parse
from convcalc.marked import Source

HEAD = "convcalc: 1\ninput: [16, 64, 64]\nlayers:\n"


def repeated(layers: int) -> str:
    """A spec whose layers are alike: a block repeated."""
    body = "[{conv2d: {out: 16, k: 3, p: 1}}, relu]"
    return f"{HEAD}  - {{layers: {body}, repeat: {layers // 2}, name: stack}}\n"


def varied(layers: int) -> str:
    """A spec written out, with widths and kernels that change from layer to layer."""
    lines = []
    for i in range(layers // 2):
        k = (1, 3, 5)[i % 3]
        lines.append(f"  - {{conv2d: {{out: {16 + i % 97}, k: {k}, p: {k // 2}}}, name: c{i}}}\n  - relu\n")
    return HEAD + "".join(lines)


def best(action: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of the fastest of a few runs."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def slope(sizes: list[int], seconds: list[float]) -> float:
    """Least-squares slope of log(seconds) over log(sizes)."""
    xs, ys = [math.log(n) for n in sizes], [math.log(s) for s in seconds]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


def report(name: str, sizes: list[int], seconds: list[float]) -> None:
    """One line: microseconds a layer at each size, and the slope."""
    cells = "  ".join(f"{s / n * 1e6:8.2f}" for n, s in zip(sizes, seconds, strict=True))
    print(f"{name:44} {cells}   slope {slope(sizes, seconds):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--largest", type=int, default=100_000)
    sizes = [parser.parse_args().largest // d for d in (100, 10, 1)]
    print(f"{'us a layer':44} " + "  ".join(f"{n:8}" for n in sizes))
    for title, make in (("repeated", repeated), ("varied", varied)):
        loading, costing, analysing = [], [], []
        for n in sizes:
            text = make(n)
            loading.append(best(partial(loads, text)))
            costing.append(best(partial(shapes_and_costs, loads(text))))
            analysing.append(best(partial(all_analyses, loads(text))))
        report(f"{title}: text -> network", sizes, loading)
        report(f"{title}: shapes + params + macs", sizes, costing)
        report(f"{title}: every quantity of the network", sizes, analysing)
    text = varied(40_000)
    print(f"reading {text.count(chr(10)):,} lines: ", end="")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    ours = best(lambda: parse(Source(text)))
    theirs = best(lambda: yaml.load(text, loader))
    print(f"{ours * 1e3:.0f} ms, {ours / theirs:.2f} x the C loader's load ({theirs * 1e3:.0f} ms)")
    network = loads(varied(10_000))
    printing = best(lambda: print_table(network))
    print(f"printing {len(network.nodes) - 1:,} rows: {printing:.2f} s", file=sys.stdout)


def shapes_and_costs(network: Network) -> object:
    """Run every shape rule and every cost again."""
    return analyse(network.at(network.inputs)).totals


def all_analyses(network: Network) -> object:
    """Every quantity of the network, from a fresh report: fields, memory, training, all counts of work."""
    figures = analyse(network, optimizer="adam", device=DEVICES["v100"])
    return [quantity.get(figures, figures.whole) for quantity in QUANTITIES.values()]


def print_table(network: Network) -> None:
    """A layer table through rich, as on a terminal."""
    from rich.console import Console

    from convcalc.analysis.quantities import QUANTITIES
    from convcalc.render.streams import Lines
    from convcalc.render.table import values_table
    from convcalc.render.text import table_lines

    figures = analyse(network)
    chosen = [QUANTITIES[name] for name in ("name", "kind", "output", "params", "macs")]
    table = values_table(figures, figures.layers, chosen)
    with redirect_stdout(io.StringIO()):
        console = Console(force_terminal=True, width=120, file=io.StringIO(), soft_wrap=True)
        console.print(Lines(table_lines(table, 120)), end="")


if __name__ == "__main__":
    main()
