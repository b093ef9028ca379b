"""What is exported in tests is read by a parser of its format, whatever else the test looks at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from convcalc.export import keras_module as keras
from convcalc.export import torch_module as torch
from convcalc.network import Network


def torch_module(network: Network) -> str:
    """The network for PyTorch, compiled."""
    return _compiled(torch.torch_module(network))


def keras_module(network: Network) -> str:
    """The network for Keras, compiled."""
    return _compiled(keras.keras_module(network))


def _compiled(text: str) -> str:
    compile(text, "<exported>", "exec")
    return text


def judge(target: str, written: bytes) -> None:
    """Parse what was written for a target; raises what its parser raises."""
    if target in ("torch", "keras"):
        _compiled(written.decode())
    elif target == "svg":
        ElementTree.fromstring(written)
    elif target == "onnx":
        import onnx

        onnx.checker.check_model(onnx.load_model_from_string(written))


def judge_command(arguments: Sequence[str], stdout: bytes) -> None:
    """Parse what `export` with these arguments wrote, into an ordinary file or to standard output."""
    given = dict(pairwise(arguments))
    target, output = given.get("--to"), given.get("-o", given.get("--output"))
    if target is not None and (output is None or Path(output).is_file()):
        judge(target, stdout if output is None else Path(output).read_bytes())
