"""Shapes that the onnx package infers, node by node, for operators whose shapes this program does not know itself.

The package is C++ that trusts its input, so that it works in a process of its own, with limits of memory and time;
what that process dies of is said of the file. It is shown no weights.
"""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from ..findings import UsageError
from ..hints import installing
from ..layers.base import Shape
from ..models.limited import command, ended, surroundings
from .messages import Malformed
from .values import Call, Constant

PROGRAM = Path(__file__).with_name("infer_shapes.py")
"""What the process runs."""
MOST_BYTES = 1 << 29
"""Memory that the process may take."""
MOST_SECONDS = 3
"""Time of a processor that it may take."""
PATIENCE = 30
"""Seconds until it is ended whatever it does."""
FLOAT, INTEGER = 1, 7
"""Element types by which it is told of what a node reads."""

Answer = dict[str, Shape]


class Inference:
    """Asks the onnx package about nodes, in a process that starts with the first question."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Thread | None = None
        self._lines: Queue[bytes] = Queue()
        self._known: dict[str, dict[str, list[int]]] = {}

    def outputs(self, call: Call) -> Answer:
        """The dims of a node's outputs, as far as they follow from what it reads.

        Raises UsageError where the onnx package is not installed, and `Malformed` where it does not survive the node.
        """
        question = _question(call)
        if question not in self._known:
            self._known[question] = json.loads(self._asked(question))
        made = zip(_placeholders("o", call.node.outputs), call.node.outputs, strict=True)
        found = self._known[question]
        return {name: tuple(found[place]) for place, name in made if name and place in found}

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and self._reader is not None:
            process.kill()
            process.wait()
            self._reader.join()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]

    def _asked(self, question: str) -> bytes:
        if self._process is None:
            self._process = _started()
            self._reader = Thread(target=_read, args=(self._process, self._lines), daemon=True)
            self._reader.start()
        process = self._process
        assert process.stdin is not None
        with suppress(OSError):  # It has ended; its exit code says why.
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
        try:
            line = self._lines.get(timeout=PATIENCE)
        except Empty:
            self.close()
            raise Malformed(f"the onnx package infers no shapes of it in {PATIENCE} seconds") from None
        if not line:
            code = process.wait()
            self.close()
            raise Malformed(f"the onnx package does not survive inferring its shapes: {ended(code, MOST_BYTES)}")
        return line


def _question(call: Call) -> str:
    """What is asked about a node: the same for nodes that differ in the names of tensors alone."""
    node, reads = call.node, {}
    inputs = _placeholders("i", node.inputs)
    for place, value in zip(inputs, call.inputs, strict=True):
        if value is not None:
            constant = value if isinstance(value, Constant) else None
            element = INTEGER if constant is not None and not constant.floating else FLOAT
            numbers = constant.numbers if constant is not None else None
            reads[place] = (value.dims, element, numbers)
    asked = {
        "node": b64encode(node.content).decode(),
        "input": inputs,
        "output": _placeholders("o", node.outputs),
        "version": call.opset if not node.domain else 1,
        "reads": reads,
    }
    return json.dumps(asked)


def _placeholders(letter: str, names: tuple[str, ...]) -> list[str]:
    return [name and f"{letter}{position}" for position, name in enumerate(names)]


def _started() -> subprocess.Popen[bytes]:
    """The process that infers shapes, under its limits. Raises UsageError."""
    if find_spec("onnx") is None:
        raise UsageError(
            "the shape of an operator that the language does not have is worked out by the onnx package, "
            "which is not installed",
            hint=installing("onnx"),
        )
    call = command(PROGRAM, MOST_BYTES, MOST_SECONDS)
    pipe = subprocess.PIPE
    return subprocess.Popen(call, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=surroundings())


def _read(process: subprocess.Popen[bytes], lines: Queue[bytes]) -> None:
    """Pass on the lines of a process; an empty one for its end."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(b"")
