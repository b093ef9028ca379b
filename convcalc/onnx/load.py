"""An ONNX file as a network: read, convert, assemble."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from ..collector import without_collector
from ..files import sentence
from ..findings import UsageError
from ..geometry import GeometryError
from ..models.file import refuse_what_is_no_file, wrong
from ..network import Network
from .assembly import assemble
from .convert import Conversion
from .graph import input_sizes
from .messages import Malformed, parse_model
from .skim import skimmed
from .wire import Damaged, Excessive

SKIMMED = 1 << 24
"""Bytes from which a file is read without its weights, so that these are never in memory."""


def load_onnx(path: str, *, input: object = None) -> Network:
    """The network of an ONNX file; its weights are not read, their shapes are.

    `input` gives the shape of the only input without the batch ([channels, *space]), or shapes by the names of
    several. Warnings (operators that the language does not have, shared weights, dead nodes) are in
    `network.notes`. Raises SpecError where the file is wrong, UsageError where its sizes are open or the
    onnx package is needed and missing, or the file cannot be read.
    Source: onnx/onnx.proto, onnx/defs of the opset that the file names.

    >>> load_onnx("model.onnx", input=[3, 224, 224]).outputs[0].name  # doctest: +SKIP
    'fc'
    """
    refuse_what_is_no_file(path, (".onnx",), "give an ONNX file")
    with without_collector():
        try:
            return _network(_content(path), path, input)
        except Excessive as error:
            hint = "weights apart, no network is that large: is it an ONNX file?"
            raise wrong(path, "CC004", str(error), hint) from error
        except Damaged as error:
            raise wrong(path, "CC705", str(error), "it is truncated, or no ONNX file") from error


def _content(path: str) -> bytes:
    """What says what the network is."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        return file.read(SKIMMED) if size < SKIMMED else skimmed(file, size)


def _opened(path: str) -> BinaryIO:
    """The file, for reading. Raises UsageError."""
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise UsageError(sentence(error, "read", f"'{path}'")) from None


def _network(data: bytes, path: str, given: object) -> Network:
    model = parse_model(data)
    graph = model.graph
    if graph is None or not (graph.nodes or graph.outputs):
        raise wrong(path, "CC705", "the file holds no ONNX graph", "export the model as .onnx")
    try:
        conversion = Conversion(model, graph, path, input_sizes(model, graph, given, path))
        return assemble(conversion, path, load_onnx)
    except GeometryError as error:
        raise wrong(path, error.code, str(error), error.hint) from error
    except (Malformed, Damaged) as error:
        raise wrong(path, "CC706", str(error)) from error
