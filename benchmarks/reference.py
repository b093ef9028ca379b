"""The reference against bare matrix products, onnxruntime, onnx.reference and naive NumPy, on one thread.

    python benchmarks/reference.py [--rounds 9] [--clock wall|cpu] [--slow]

`product` is the same GEMM with its columns ready. `copied` is that GEMM with the least that is copied beside it, as one
run: the columns of a convolution, the output of a transposed one; it is the floor of any form by matrices. Rounds are
interleaved, in an order that is drawn anew each time, so that nothing always finds in the cache what another one left
there. Every ratio is given twice: of the minima, and in brackets the median of the ratios of each round, which
includes what else the machine does. The clock `cpu` leaves out the time in which other processes had the processor.
`--slow` adds onnx.reference, which takes seconds. `verify --quick` as a whole process is in processes.py.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import time
import tracemalloc
from collections.abc import Callable
from math import prod
from random import Random
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import peers
from peers import Action

from convcalc import Network, load
from convcalc.analysis.memory import liveness
from convcalc.layers.registry import build
from convcalc.reference import definition, forward, init, run

TRANSPOSED = {
    "dcgan 100→512 k4 s1 p0, 1²": (100, 1, {"out": 512, "k": 4}),
    "dcgan 512→256 k4 s2 p1, 4²": (512, 4, {"out": 256, "k": 4, "s": 2, "p": 1}),
    "dcgan 256→128 k4 s2 p1, 8²": (256, 8, {"out": 128, "k": 4, "s": 2, "p": 1}),
    "dcgan 128→64 k4 s2 p1, 16²": (128, 16, {"out": 64, "k": 4, "s": 2, "p": 1}),
    "dcgan 64→3 k4 s2 p1, 32²": (64, 32, {"out": 3, "k": 4, "s": 2, "p": 1}),
    "U-Net 1024→512 k2 s2, 28²": (1024, 28, {"out": 512, "k": 2, "s": 2}),
    "U-Net 128→64 k2 s2, 112²": (128, 112, {"out": 64, "k": 2, "s": 2}),
    "128→64 k3 s2 p1, 56²": (128, 56, {"out": 64, "k": 3, "s": 2, "p": 1}),
    "FCN 21→21 k16 s8 p4, 28²": (21, 28, {"out": 21, "k": 16, "s": 8, "p": 4}),
}

CLOCKS = {"wall": time.perf_counter, "cpu": time.thread_time}


class Row(NamedTuple):
    name: str
    seconds: dict[str, list[float]]
    """Of each round, by what was timed."""

    def ratio(self, other: str) -> str:
        mine, theirs = self.seconds["convcalc"], self.seconds[other]
        by_round = median(a / b for a, b in zip(mine, theirs, strict=True))
        return f"{min(mine) / min(theirs):#.3g} ({by_round:#.3g})"


class Bench(NamedTuple):
    rounds: int
    clock: Callable[[], float]

    def row(self, name: str, actions: dict[str, Action | None]) -> Row:
        """Time the actions that there are, round by round; one round before is not counted."""
        timed = [(key, action) for key, action in actions.items() if action]
        seconds: dict[str, list[float]] = {key: [] for key, _ in timed}
        order = Random(0)
        for _ in range(self.rounds + 1):
            for key, action in order.sample(timed, len(timed)):
                start = self.clock()
                action()
                seconds[key].append(self.clock() - start)
        return Row(name, {key: times[1:] for key, times in seconds.items()})


def convolutions(network: Network, bench: Bench) -> list[Row]:
    """The network's convolutions, without biases, as is the product."""
    rows: list[Row] = []
    for node in network.nodes:
        if node.layer is None or node.kind != "conv2d":
            continue
        layer: Any = node.layer.model_copy(update={"bias": False})
        (shape,) = network.input_shapes(node)
        rng = np.random.default_rng(0)
        x, weights = rng.standard_normal((1, *shape), np.float32), init(layer, [shape], rng)
        actions: dict[str, Action | None] = {
            "convcalc": lambda layer=layer, x=x, weights=weights: forward(layer, x, weights),
            "product": peers.product_of_convolution(weights["weight"], prod(node.shape[1:])),
            "copied": peers.copied_columns(weights["weight"], prod(node.shape[1:])),
            "onnxruntime": peers.onnxruntime_action(peers.layer_model(layer, x.shape, weights), x),
        }
        rows.append(bench.row(f"{node.name} {layer.kernel_size[0]}×{layer.kernel_size[0]}", actions))
    return rows


def transposed(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    for name, (channels, size, fields) in TRANSPOSED.items():
        layer, x, weights = sample("conv_transpose2d", channels, size, {**fields, "bias": False})
        w = weights["weight"]
        full = [(size - 1) * s + k for s, k in zip(layer.stride, layer.kernel_size, strict=True)]
        of_zeros = (layer.stride, layer.dilation, layer.groups, full)
        actions: dict[str, Action | None] = {
            "convcalc": lambda layer=layer, x=x, weights=weights: forward(layer, x, weights),
            "product": peers.product_of_transposed(w, x),
            "copied": peers.copied_output(w, x, prod(full)),
            "onnxruntime": peers.onnxruntime_action(peers.layer_model(layer, x.shape, weights), x),
        }
        if prod(full) * channels * prod(layer.kernel_size) < 3e7:
            actions["zeros inserted"] = lambda x=x, w=w, f=of_zeros: definition.convolve_zero_inserted(x, w, *f)
        rows.append(bench.row(name, actions))
    return rows


def against_onnx_reference(bench: Bench) -> list[Row]:
    """A convolution or two of each sort; its transposed ones take seconds."""
    rows: list[Row] = []
    for name, kind, channels, size, fields in (
        ("conv 96→128 k3, 28²", "conv2d", 96, 28, {"out": 128, "k": 3, "p": 1}),
        ("conv 16→32 k5, 28²", "conv2d", 16, 28, {"out": 32, "k": 5, "p": 2}),
        ("conv 3→64 k7 s2, 224²", "conv2d", 3, 224, {"out": 64, "k": 7, "s": 2, "p": 3}),
        ("transposed 128→64 k4 s2, 16²", "conv_transpose2d", 128, 16, {"out": 64, "k": 4, "s": 2, "p": 1}),
        ("transposed 64→3 k4 s2, 32²", "conv_transpose2d", 64, 32, {"out": 3, "k": 4, "s": 2, "p": 1}),
    ):
        layer, x, weights = sample(kind, channels, size, fields)
        actions: dict[str, Action | None] = {
            "convcalc": lambda layer=layer, x=x, weights=weights: forward(layer, x, weights),
            "onnx.reference": peers.onnx_reference_action(peers.layer_model(layer, x.shape, weights), x),
        }
        rows.append(Bench(min(bench.rounds, 3), bench.clock).row(name, actions))
    return rows


def sample(kind: str, channels: int, size: int, fields: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """A layer, an input and its weights."""
    layer, rng, shape = build(kind, fields), np.random.default_rng(0), (channels, size, size)
    return layer, rng.standard_normal((1, *shape), np.float32), init(layer, [shape], rng)


def whole(network: Network, bench: Bench) -> list[Row]:
    """The forward pass, checked against the others before it is timed."""
    weights = {step.node.name: step.weights for step in run(network)}
    x = np.random.default_rng(0).standard_normal((1, *network.nodes[0].shape), np.float32)
    actions: dict[str, Action | None] = {
        "convcalc": lambda: last_output(network, x, weights),
        "onnxruntime": peers.onnxruntime_action(peers.network_model(network, weights), x),
        "naive NumPy": lambda: peers.naive_run(network, weights, x),
    }
    for action in actions.values():
        if action:
            np.testing.assert_allclose(action(), last_output(network, x, weights), rtol=1e-3, atol=1e-6)
    return [bench.row("forward", actions)]


def last_output(network: Network, x: Any, weights: Any) -> Any:
    for step in run(network, x, weights=weights):
        output = step.output
        del step
    return output


def memory(network: Network) -> None:
    """Print the peak of a forward pass beside what it cannot do without. The input lies outside of both."""
    weights = {step.node.name: step.weights for step in run(network)}
    x = np.random.default_rng(0).standard_normal((1, *network.nodes[0].shape), np.float32)
    alive = liveness(network)
    needed = 4 * alive.live[alive.peak] - (x.nbytes if alive.last[0] >= alive.peak else 0)
    tracemalloc.start()
    last_output(network, x, weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"memory: {(peak - needed) / 1e6:.1f} MB beyond the weights and {needed / 1e6:.1f} MB of live activations")


def show(title: str, rows: list[Row]) -> None:
    others = [name for name in rows[0].seconds if name != "convcalc"]
    print(f"\n{title}\n{'':44}{'ms':>9}" + "".join(f"{'÷ ' + name:>19}" for name in others))
    for row in rows:
        ratios = [f"{row.ratio(name) if name in row.seconds else '':>19}" for name in others]
        print(f"{row.name:44}{1000 * min(row.seconds['convcalc']):9.3f}" + "".join(ratios))


def total(name: str, rows: list[Row]) -> Row:
    """The rows together: their fastest rounds added up, then the second, and so on."""
    common = set.intersection(*(set(row.seconds) for row in rows))
    ordered = {key: [sorted(row.seconds[key]) for row in rows] for key in common}
    return Row(name, {key: [sum(times) for times in zip(*rounds, strict=True)] for key, rounds in ordered.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--slow", action="store_true", help="also time onnx.reference")
    options = parser.parse_args()
    bench, network = Bench(options.rounds, CLOCKS[options.clock]), load("googlenet")
    rows = convolutions(network, bench)
    points = [row for row in rows if row.name.endswith("1×1")]
    windows = [row for row in rows if not row.name.endswith("1×1")]
    summary = [total(f"{len(points)} of 1×1", points), total(f"all {len(rows)} (reach: 1.15 x the product)", rows)]
    show("GoogLeNet's convolutions", [*windows, *summary])
    show(f"GoogLeNet, all {len(network.nodes) - 1} layers (reach: 1.0 x onnxruntime)", whole(network, bench))
    memory(network)
    show("Transposed convolutions (reach: 1.5 x the product for large ones)", transposed(bench))
    if options.slow:
        show("Against onnx.reference (reach: 1/2, transposed 1/50)", against_onnx_reference(bench))


if __name__ == "__main__":
    main()
