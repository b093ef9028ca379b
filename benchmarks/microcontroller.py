"""Convert specs to TensorFlow Lite under full int8 quantisation, let TensorFlow Lite Micro plan them, and record both.

    python -m benchmarks.microcontroller          compares with convcalc, prints differences
    python -m benchmarks.microcontroller --write  and writes tests/oracle/tflite_micro.json, which the tests hold on to

Needs TensorFlow with Keras and `tflite-micro` beside convcalc. A spec goes through convcalc's own export to Keras;
weights are random, for plans do not depend on them. What is recorded of a network: the head of the arena that the
interpreter allocated, which is what its GreedyMemoryPlanner planned; the operators that the converter left; the bytes
of its weights and biases, and how many scales its weights have.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from math import prod
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from benchmarks.exported import model_of
from convcalc import loads
from convcalc.analysis.controller import Controller
from convcalc.analysis.flash import SCALE_BYTES
from convcalc.analysis.report import analyse
from convcalc.export.keras_module import keras_module
from convcalc.network import Network
from tests.controller_specs import RECORD, SPECS

INT8 = 9
"""A type of tensors in TensorFlow Lite's schema."""
ARENA = 16_000_000
BIASED = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}
"""Operator -> which of its inputs is its bias; other constants in int32 are sizes and axes."""


def converted(network: Network) -> bytes:
    """The network as a file of TensorFlow Lite, int8 from its input to its output."""
    model = model_of(keras_module(network))()
    rng = np.random.default_rng(0)
    for weight in model.weights:
        values = rng.standard_normal(weight.shape).astype("float32") * 0.1
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    shape = (1, *model.input_shape[1:])
    traced = tensorflow.function(lambda x: model(x, training=False))
    frozen = convert_variables_to_constants_v2(
        traced.get_concrete_function(tensorflow.TensorSpec(shape, tensorflow.float32))
    )
    converter = tensorflow.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.standard_normal(shape).astype("float32")] for _ in range(2))
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    found: bytes = converter.convert()
    return found


def left(data: bytes) -> dict[str, Any]:
    """What a file holds: its operators, and its constants by what they are, but for scalars of activations."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    graph = model.subgraphs[0]
    operators, weights, biases, scales, seen = [], 0, 0, 0, set()
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        operators.append(name)
        for place, index in enumerate(operator.inputs):
            tensor = graph.tensors[index]
            if index < 0 or index in seen or model.buffers[tensor.buffer].data is None or not len(tensor.shape):
                continue
            seen.add(index)
            numbers = prod(map(int, tensor.shape))
            if tensor.type == INT8:
                weights += numbers
                scales += len(tensor.quantization.scale)
            elif place == BIASED.get(name):
                biases += 4 * numbers
    return {"operators": " ".join(operators), "weights": weights, "biases": biases, "scales": scales}


PLAN = """
import sys
from tflite_micro.python.tflite_micro import runtime
runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[2])).print_allocations()
"""


def planned(data: bytes) -> int:
    """The bytes of the arena's head. The interpreter prints them, so that a process of its own is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        path.write_bytes(data)
        done = subprocess.run([sys.executable, "-c", PLAN, path, str(ARENA)], capture_output=True, text=True)
    found = re.search(r"head (\d+) bytes", done.stdout + done.stderr)
    if found is None:
        raise SystemExit(f"TensorFlow Lite Micro did not plan it: {done.stderr[-500:]}")
    return int(found[1])


def computed(network: Network) -> dict[str, Any]:
    """What convcalc says of the same."""
    controller = Controller(analyse(network, dtype="int8"))
    flash = controller.flash
    scales = flash.scales // SCALE_BYTES
    return {
        "arena": controller.size_with_pads,
        "weights": flash.weights,
        "biases": flash.biases,
        "scales": scales,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help=f"record the runs in {RECORD.name}")
    rows, wrong = {}, 0
    write = parser.parse_args().write
    for name, text in SPECS.items():
        network = loads(text)
        data = converted(network)
        rows[name] = {"arena": planned(data), **left(data)}
        differing = {
            key: (value, rows[name][key]) for key, value in computed(network).items() if value != rows[name][key]
        }
        wrong += bool(differing)
        print(name, rows[name]["arena"], differing or "equal", flush=True)
    if write:
        from importlib.metadata import version

        versions = {package: version(package) for package in ("tensorflow-cpu", "tflite-micro")}
        RECORD.write_text(json.dumps({"versions": versions, "networks": rows}, indent=1) + "\n", "utf-8")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
