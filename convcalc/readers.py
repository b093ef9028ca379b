"""Files of models by the suffixes of their names: what they are called, and which room reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .network import Network


class Reader(NamedTuple):
    """How the files of one kind are read."""

    what: str
    """What one is called: an ONNX file."""
    load: Callable[[str, object], Network]
    """(path, input) -> the network. Raises SpecError and UsageError."""


def _onnx(path: str, input: object) -> Network:
    from .onnx import load_onnx

    return load_onnx(path, input=input)


def _keras(path: str, input: object) -> Network:
    from .keras import load_keras

    return load_keras(path, input=input)


def _exported(path: str, input: object) -> Network:
    from .torch.exported import load_exported

    return load_exported(path, input=input)


ONNX, KERAS = Reader("an ONNX file", _onnx), Reader("a Keras file", _keras)
EXPORTED = Reader("a file of torch.export", _exported)
READERS = {".onnx": ONNX, ".keras": KERAS, ".h5": KERAS, ".hdf5": KERAS, ".pt2": EXPORTED}
"""Suffix -> reader, the suffixes of `files.MODELS`."""


def reader_of(path: str) -> Reader | None:
    """The reader of a model's file; None for what is no model's, and for a revision of git.

    >>> reader_of("net.keras").what, reader_of("net.yaml"), reader_of("git:HEAD:net.onnx")
    ('a Keras file', None, None)
    """
    if path.startswith("git:"):
        return None
    name = path.lower()
    return next((reader for suffix, reader in READERS.items() if name.endswith(suffix)), None)
