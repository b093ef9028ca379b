"""The reference's convolutions against the bare matrix products that they need, in one run on one thread.

    python benchmarks/reference.py [--rounds 7] [--slow]

`product` is the same GEMM with its columns ready: the floor of any form by matrices. `onnx.reference` is timed for
a few shapes with --slow, and onnxruntime where it is installed. Rounds are interleaved and every figure is a
minimum, so that ratios hold on a machine that is not idle.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convcalc import load
from convcalc.layers.registry import build
from convcalc.reference import definition, forward, init, run

Action = Callable[[], object]

TRANSPOSED = {
    "dcgan 100→512 k4 s1 p0, 1²": (100, 1, {"out": 512, "k": 4}),
    "dcgan 512→256 k4 s2 p1, 4²": (512, 4, {"out": 256, "k": 4, "s": 2, "p": 1}),
    "dcgan 128→64 k4 s2 p1, 16²": (128, 16, {"out": 64, "k": 4, "s": 2, "p": 1}),
    "dcgan 64→3 k4 s2 p1, 32²": (64, 32, {"out": 3, "k": 4, "s": 2, "p": 1}),
    "U-Net 1024→512 k2 s2, 28²": (1024, 28, {"out": 512, "k": 2, "s": 2}),
    "U-Net 128→64 k2 s2, 112²": (128, 112, {"out": 64, "k": 2, "s": 2}),
    "128→64 k3 s2 p1, 56²": (128, 56, {"out": 64, "k": 3, "s": 2, "p": 1}),
    "FCN 21→21 k16 s8 p4, 28²": (21, 28, {"out": 21, "k": 16, "s": 8, "p": 4}),
}


class Row(NamedTuple):
    name: str
    seconds: dict[str, float]


def fastest(actions: dict[str, Action], rounds: int) -> dict[str, float]:
    """Seconds of the fastest round of each; the rounds go round."""
    best = dict.fromkeys(actions, float("inf"))
    for _ in range(rounds):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def product_of_convolution(w: Any, positions: int) -> Action:
    columns = np.random.default_rng(1).standard_normal((prod(w.shape[1:]), positions), np.float32)
    rows, result = w.reshape(w.shape[0], -1), np.empty((w.shape[0], positions), np.float32)
    return lambda: np.matmul(rows, columns, out=result)


def product_of_transposed(w: Any, x: Any) -> Action:
    rows, values = w.reshape(w.shape[0], -1).T, x.reshape(x.shape[1], -1)
    result = np.empty((rows.shape[0], values.shape[1]), np.float32)
    return lambda: np.matmul(rows, values, out=result)


def peers(layer: Any, x: Any, w: Any, slow: bool) -> dict[str, Action]:
    """The same layer in other implementations, as far as they are installed."""
    try:
        from onnx import TensorProto, helper, numpy_helper
        from onnx.reference import ReferenceEvaluator
    except ImportError:
        return {}
    transposed = "transpose" in layer.kind
    begins, ends = zip(*layer.padding, strict=True)
    node = helper.make_node(
        "ConvTranspose" if transposed else "Conv",
        ["x", "w"],
        ["y"],
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=[*begins, *ends],
    )
    x_info = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    y_info = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", [x_info], [y_info], [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    found: dict[str, Action] = {}
    if slow:
        evaluator = ReferenceEvaluator(model)
        found["onnx.reference"] = lambda: evaluator.run(None, {"x": x})
    try:
        import onnxruntime
    except ImportError:
        return found
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return {**found, "onnxruntime": lambda: session.run(None, {"x": x})}


def convolutions(rounds: int, slow: bool) -> list[Row]:
    """GoogLeNet's convolutions, 1×1 together and the others by name."""
    rows: list[Row] = []
    network = load("googlenet")
    for node in network.nodes:
        if node.kind != "conv2d":
            continue
        layer: Any = node.layer
        (shape,) = network.input_shapes(node)
        rng = np.random.default_rng(0)
        x, weights = rng.standard_normal((1, *shape), np.float32), init(layer, [shape], rng)
        actions: dict[str, Action] = {
            "convcalc": lambda layer=layer, x=x, weights=weights: forward(layer, x, weights),
            "product": product_of_convolution(weights["weight"], prod(node.shape[1:])),
            **peers(layer, x, weights["weight"], slow and layer.kernel_size == (5, 5)),
        }
        rows.append(Row(f"{node.name} {layer.kernel_size[0]}×{layer.kernel_size[0]}", fastest(actions, rounds)))
    return rows


def transposed(rounds: int, slow: bool) -> list[Row]:
    rows: list[Row] = []
    for name, (channels, size, fields) in TRANSPOSED.items():
        layer: Any = build("conv_transpose2d", {**fields, "bias": False})
        rng, shape = np.random.default_rng(0), (channels, size, size)
        x, weights = rng.standard_normal((1, *shape), np.float32), init(layer, [shape], rng)
        w = weights["weight"]
        full = [(size - 1) * s + k for s, k in zip(layer.stride, layer.kernel_size, strict=True)]
        fields_of_zeros = (layer.stride, layer.dilation, layer.groups, full)
        actions: dict[str, Action] = {
            "convcalc": lambda layer=layer, x=x, weights=weights: forward(layer, x, weights),
            "product": product_of_transposed(w, x),
            **peers(layer, x, w, slow and channels * size < 300),
        }
        if prod(full) * channels * prod(layer.kernel_size) < 3e7:
            actions["zeros inserted"] = lambda x=x, w=w, f=fields_of_zeros: definition.convolve_zero_inserted(x, w, *f)
        rows.append(Row(name, fastest(actions, rounds)))
    return rows


def show(title: str, rows: list[Row]) -> None:
    others = sorted({name for row in rows for name in row.seconds} - {"convcalc"})
    print(f"\n{title}\n{'':44}{'ms':>9}" + "".join(f"{'÷ ' + name:>19}" for name in others))
    for row in rows:
        mine = row.seconds["convcalc"]
        ratios = [f"{mine / row.seconds[name]:19.2f}" if name in row.seconds else f"{'':19}" for name in others]
        print(f"{row.name:44}{1000 * mine:9.3f}" + "".join(ratios))


def total(name: str, rows: list[Row]) -> Row:
    common = set.intersection(*(set(row.seconds) for row in rows))
    return Row(name, {key: sum(row.seconds[key] for row in rows) for key in common})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow", action="store_true", help="also time onnx.reference")
    options = parser.parse_args()
    rows = convolutions(options.rounds, options.slow)
    points = [row for row in rows if row.name.endswith("1×1")]
    windows = [row for row in rows if not row.name.endswith("1×1")]
    summary = [total(f"{len(points)} of 1×1", points), total(f"all {len(rows)}", rows)]
    show("GoogLeNet's convolutions", [*windows, *summary])
    show("Transposed convolutions", transposed(options.rounds, options.slow))
    network = load("googlenet")
    weights = {step.node.name: step.weights for step in run(network)}
    whole = fastest({"convcalc": lambda: sum(1 for _ in run(network, weights=weights))}, options.rounds)
    print(f"\nGoogLeNet, all {len(network.nodes) - 1} layers: {1000 * whole['convcalc']:.1f} ms")


if __name__ == "__main__":
    main()
