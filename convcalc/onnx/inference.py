"""Shapes that the onnx package infers, for operators whose shapes this program does not know itself.

The package is C++ that trusts its input, so that it works in a process of its own, with limits of memory and time;
what that process dies of is said of the file. It is not shown the weights.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ..findings import UsageError
from ..layers.base import Shape
from .messages import Malformed

PROGRAM = Path(__file__).with_name("infer_shapes.py")
"""What the process runs."""
MOST_BYTES = 1 << 29
"""Memory that the process may take."""
MOST_SECONDS = 3
"""Time of a processor that it may take."""
PATIENCE = 30
"""Seconds until it is ended whatever it does."""


def inferred(model: bytes, inputs: dict[str, Shape]) -> dict[str, Shape]:
    """Shapes of tensors of a model, given without its weights, on inputs of these shapes.

    Raises UsageError where the onnx package is not installed, and `Malformed` where it does not survive the model.
    """
    if find_spec("onnx") is None:
        raise UsageError(
            "the shape of an operator that the language does not have is worked out by the onnx package, "
            "which is not installed",
            hint='pip install "convcalc[onnx]"',
        )
    asked = json.dumps({"inputs": inputs, "bytes": MOST_BYTES, "seconds": MOST_SECONDS}).encode()
    # -P: the folder that is worked in holds untrusted files, and nothing is imported from it.
    command = [sys.executable, "-P", str(PROGRAM)]
    surroundings = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, input=asked + b"\n" + model, capture_output=True, timeout=PATIENCE, env=surroundings
        )
    except subprocess.TimeoutExpired:
        raise Malformed(f"the onnx package infers no shapes of it in {PATIENCE} seconds") from None
    if done.returncode:
        raise Malformed(f"the onnx package does not survive inferring its shapes: {_reason(done.returncode)}")
    return {name: tuple(dims) for name, dims in json.loads(done.stdout).items()}


def _reason(code: int) -> str:
    """Why the process ended, as far as its exit code tells."""
    if code > 0:
        return f"it takes more than {MOST_BYTES >> 20} MiB" if code == 1 else f"exit code {code}"
    try:
        return f"it ends with {signal.Signals(-code).name}"
    except ValueError:
        return f"it ends with signal {-code}"
