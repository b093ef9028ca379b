"""Hold the roofline's bound against measured runs: onnxruntime on one thread, beside what the machine can do.

    python -m benchmarks.roofline [--rounds 15]    measures, prints what ran and what the bound says
    python -m benchmarks.roofline --write          and writes tests/oracle/roofline.json, which the tests hold on to

Needs onnx and onnxruntime beside convcalc. In every round each network runs once, the machine multiplies matrices and
moves numbers: the best of all rounds stands for each, so that what else the machine does counts against the run and
the peaks alike. The clock is that of the thread. Peak rate: the fastest product of square matrices, in NumPy or
onnxruntime. Bandwidth: the most bytes a second that NumPy copies or reads, by the bytes of its working set. The bound
takes the fastest of those from 256 KiB on, since the activations of these networks fit into caches; what memory itself
would give is printed beside it.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks import peers
from convcalc import Network, export, load
from convcalc.analysis.device import Device, least_total
from convcalc.analysis.report import analyse

RECORD = Path(__file__).parent.parent / "tests" / "oracle" / "roofline.json"
NETWORKS: dict[str, dict[str, str]] = {
    "alexnet": {},
    "densenet": {},
    "efficientnet": {},
    "googlenet": {},
    "mobilenet_v2": {},
    "resnet18": {"name": "resnet", "variant": "resnet18"},
    "resnet50": {"name": "resnet", "variant": "resnet50"},
    "shufflenet_v2": {},
    "squeezenet": {},
    "vgg11": {"name": "vgg", "variant": "vgg11"},
}
"""What is measured -> how it is loaded, where its name is not that of its spec."""
MATRICES = (256, 384, 512, 768, 1024)
WORKING_SETS = tuple(2**power for power in range(18, 28))
"""Bytes, from caches to memory."""
MEMORY = 2**27
"""Bytes of a working set that no cache holds."""
LEAST_MOVED = 2**24
"""Bytes that are moved before the clock is read again."""


def network_of(name: str) -> Network:
    """A network that is measured."""
    options = dict(NETWORKS[name])
    return load(options.pop("name", name), **options)


def session(data: bytes) -> onnxruntime.InferenceSession:
    """A model on one thread, with every optimisation that onnxruntime has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def runs() -> dict[str, Callable[[], object]]:
    """Each network's forward pass."""
    found: dict[str, Callable[[], object]] = {}
    rng = np.random.default_rng(0)
    for name in NETWORKS:
        network = network_of(name)
        (shape,) = network.inputs.values()
        model = session(export(network, "onnx", seed=0))
        feed = {model.get_inputs()[0].name: rng.standard_normal((1, *shape), np.float32)}
        found[name] = partial(model.run, None, feed)
    return found


def products() -> dict[int, list[Callable[[], object]]]:
    """Products of square matrices by the FLOPs of one, in NumPy and in onnxruntime."""
    found: dict[int, list[Callable[[], object]]] = {}
    rng = np.random.default_rng(0)
    for size in MATRICES:
        a, b = (rng.standard_normal((size, size), np.float32) for _ in range(2))
        node = peers.helper.make_node("MatMul", ["0", "b"], ["y"])
        model = session(peers.onnx_model([node], {"b": b}, (size, size)).SerializeToString())
        result = np.empty_like(a)
        found[2 * size**3] = [partial(np.matmul, a, b, out=result), partial(model.run, None, {"0": a})]
    return found


def moves() -> dict[int, list[Callable[[], object]]]:
    """What moves the bytes of a working set, by these: a copy of one half onto the other, and reading all."""
    found: dict[int, list[Callable[[], object]]] = {}
    for size in WORKING_SETS:
        numbers = np.ones(size // 4, np.float32)
        half = len(numbers) // 2
        found[size] = [partial(np.copyto, numbers[half:], numbers[:half]), partial(np.dot, numbers, numbers)]
    return found


def seconds(action: Callable[[], object], times: int = 1) -> float:
    """Of the thread, for one of so many runs."""
    start = time.thread_time()
    for _ in range(times):
        action()
    return (time.thread_time() - start) / times


def measured(rounds: int) -> dict[str, Any]:
    """The best of so many rounds: FLOP/s, bytes a second by working set, seconds of each network."""
    rate, bandwidths, taken = 0.0, dict.fromkeys(WORKING_SETS, 0.0), dict.fromkeys(NETWORKS, float("inf"))
    networks, multiplying, moving = runs(), products(), moves()
    for number in range(rounds + 1):
        for name, run in networks.items():
            taken[name] = min(taken[name], seconds(run)) if number else taken[name]
        for flops, actions in multiplying.items():
            rate = max(rate, *[flops / seconds(action) for action in actions])
        for size, actions in moving.items():
            times = max(1, LEAST_MOVED // size)
            bandwidths[size] = max(bandwidths[size], *[size / seconds(action, times) for action in actions])
    return {
        "flops": int(rate),
        "bandwidths": {str(size): int(bandwidth) for size, bandwidth in bandwidths.items()},
        "seconds": {name: round(found, 7) for name, found in taken.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help=f"record the run in {RECORD.name}")
    options = parser.parse_args()
    found = measured(options.rounds)
    caches = Device("caches", found["flops"], max(found["bandwidths"].values()))
    memory = Device("memory", found["flops"], found["bandwidths"][str(MEMORY)])
    print(f"{caches.flops / 1e9:.1f} GFLOP/s; {caches.bandwidth / 1e9:.1f} GB/s, memory {memory.bandwidth / 1e9:.1f}")
    print(f"{'ms':14}{'measured':>10}{'bound':>10}{'÷ bound':>10}{'by memory':>12}{'eager':>10}")
    below = 0
    for name, taken in found["seconds"].items():
        report = analyse(network_of(name))
        bound, by_memory = (float(least_total(report.fused, device)) for device in (caches, memory))
        eager = float(least_total(report.eager, memory))
        below += taken < bound
        cells = f"{1e3 * taken:10.2f}{1e3 * bound:10.2f}{taken / bound:10.2f}{1e3 * by_memory:12.2f}{1e3 * eager:10.2f}"
        print(f"{name:14}{cells}")
    if options.write:
        versions = {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
        RECORD.write_text(json.dumps({"versions": versions, **found}, indent=1) + "\n", "utf-8")
    return below


if __name__ == "__main__":
    sys.exit(main())
