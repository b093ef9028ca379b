"""Reading an ONNX file's graph: convcalc's own reader beside the onnx package, in processes of their own.

    python benchmarks/onnx_reading.py [--rounds 5] [--size 500]

The file has `--size` MiB of weights inside and is removed afterwards. Both are asked for the graph alone: onnx.load
without external data, load_onnx as every command calls it. Ratios are medians over the rounds, in which all take
their turn; memory is the most that a process ever held.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
from pathlib import Path

from processes import run

LAYERS = 20

ACTIONS = {
    "python -c pass": "pass",
    "import convcalc.onnx": "import convcalc.onnx",
    "import onnx": "import onnx",
    "convcalc.onnx.load_onnx": "from convcalc.onnx import load_onnx; load_onnx('large.onnx')",
    "onnx.load": "import onnx; onnx.load('large.onnx', load_external_data=False)",
}


def write_model(path: Path, size: int) -> None:
    """A chain of linear layers whose weights fill `size` MiB of the file."""
    from onnx import TensorProto, helper

    side = int((size * 2**20 / 4 / LAYERS) ** 0.5)
    weights = [
        helper.make_tensor(f"w{n}", TensorProto.FLOAT, [side, side], bytes(4 * side * side), raw=True)
        for n in range(LAYERS)
    ]
    nodes = [helper.make_node("MatMul", [f"x{n}", f"w{n}"], [f"x{n + 1}"]) for n in range(LAYERS)]
    ends = [helper.make_tensor_value_info(f"x{n}", TensorProto.FLOAT, [1, side]) for n in (0, LAYERS)]
    path.write_bytes(
        helper.make_model(helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)).SerializeToString()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=500)
    options = parser.parse_args()
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ACTIONS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.onnx"
        # A child starts with the peak of the process that forks it, so that this one stays small.
        writer = multiprocessing.get_context("spawn").Process(target=write_model, args=(path, options.size))
        writer.start()
        writer.join()
        for _ in range(options.rounds):
            for name, code in ACTIONS.items():
                samples[name].append(run(sys.executable, ["-c", code], folder))
    base = samples["python -c pass"]
    print(f"{'':26} {'wall ms':>8} {'x pass':>7} {'cpu x':>7} {'peak MiB':>9} {'x pass':>7}")
    for name, rows in samples.items():
        wall = statistics.median(row[0] for row in rows) * 1000
        times = [statistics.median(row[i] / b[i] for row, b in zip(rows, base, strict=True)) for i in range(3)]
        peak = max(row[2] for row in rows)
        print(f"{name:26} {wall:8.0f} {times[0]:7.1f} {times[1]:7.1f} {peak:9.0f} {times[2]:7.1f}")


if __name__ == "__main__":
    main()
