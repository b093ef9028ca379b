"""Files of models by the suffixes of their names: what they are called, and which room reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .files import exists
from .findings import UsageError
from .network import Network

if TYPE_CHECKING:
    from .marked import Source
    from .torch.spec import ModelSpec


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


Shapes = Sequence[int] | Mapping[str, Sequence[int]]
"""The shape of the only input, or shapes by name."""


class Asked(NamedTuple):
    """How a model is to be read."""

    input: Shapes | Sequence[Sequence[int]] | None = None
    """The shape of its input without the batch, shapes by name, or of a model in code several in order."""
    arguments: Mapping[str, object] | None = None
    """Those of the class or function that builds a model in code."""
    device: str | None = None
    """Where a model in code runs: meta or cpu."""


AS_IT_IS = Asked()
"""A model as it says itself."""


def code_of(name: str) -> ModelSpec | None:
    """What a text names where it names a model in code.

    >>> code_of("./net.py:Net"), code_of("net.yaml")
    (ModelSpec(module='./net.py', attribute='Net'), None)
    """
    if ":" not in name:
        return None
    from .torch.spec import model_spec

    return model_spec(name)


_ROW = re.compile(r"(.+):(\d{1,18})", re.ASCII | re.DOTALL)


def row_named(name: str) -> tuple[str, int] | None:
    """The run and the row that a text names where it names a row of a sweep; a file of the whole name is a file.

    >>> row_named("run.sqlite:17"), row_named("git:HEAD:17"), row_named("./net.py:Net"), row_named("net.yaml")
    (('run.sqlite', 17), None, None, None)
    """
    found = _ROW.fullmatch(name) if not name.startswith("git:") else None
    if found is None or exists(name):
        return None
    return found[1], int(found[2])


def read_row(name: str) -> Source | None:
    """The spec of a row of a sweep, `run.sqlite:17`; None for what names none.

    Raises UsageError where there is no such run, no such row, or no network of it.
    """
    row = row_named(name)
    if row is None:
        return None
    from .sweep.row_spec import row_spec

    return row_spec(*row)


def read_model(name: str, asked: Asked) -> Network | None:
    """The network of a model in code, which runs, or of a model's file; None for what is neither.

    Raises SpecError where the model is wrong, UsageError where the call is.
    """
    code = code_of(name)
    if code is not None:
        from .torch.load import load_torch

        return load_torch(code, asked.input, asked.arguments or {}, asked.device or "meta")
    for option, given in (("--arg", asked.arguments), ("--device", asked.device)):
        if given:
            raise UsageError(f"{option} does not go with {name}", "it goes with a model in code, like ./net.py:Net")
    reader = reader_of(name)
    return None if reader is None else reader.load(name, shapes_of(name, asked.input))


def shapes_of(name: str, input: Shapes | Sequence[Sequence[int]] | None) -> Shapes | None:
    """What `input` gives where inputs have names. Raises UsageError for several in order."""
    if input is None or isinstance(input, Mapping):
        return input
    sizes = [size for size in input if isinstance(size, int)]
    if len(sizes) != len(input) and not any(
        isinstance(each, Sequence) and not isinstance(input, str) for each in input
    ):
        raise UsageError(f"an input is a shape of whole numbers, not {str(input)[:60]!r}", "for example (3, 64, 64)")
    if len(sizes) != len(input):
        raise UsageError(f"the inputs of {name} are given by name", 'for example input={"left": (3, 64, 64)}')
    return sizes


def reader_of(path: str) -> Reader | None:
    """The reader of a model's file; None for what is no model's, and for a revision of git.

    >>> reader_of("net.keras").what, reader_of("net.yaml"), reader_of("git:HEAD:net.onnx")
    ('a Keras file', None, None)
    """
    if path.startswith("git:"):
        return None
    name = path.lower()
    return next((reader for suffix, reader in READERS.items() if name.endswith(suffix)), None)
