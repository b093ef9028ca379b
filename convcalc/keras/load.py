"""A file of Keras as a network: read, convert, assemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from ..collector import without_collector
from ..files import sentence
from ..findings import Finding, SpecError, UsageError
from ..layers.base import Shape
from ..models.archive import Damaged, Excessive, content, is_archive, members
from ..models.document import Json, Malformed, parsed
from ..models.file import refuse_what_is_no_file, wrong
from ..network import Network
from . import h5
from .assembly import assemble
from .configuration import MOST_BYTES, MOST_VALUES
from .convert import Conversion, Wrong
from .graph import CodeAlone, built_on, read_model

CONFIGURATION = "config.json"
"""The member of a `.keras` file that says what the model is."""
SUFFIXES = (".keras", ".h5", ".hdf5")
Held = Mapping[tuple[str, ...], Sequence[Shape]]
"""Path of a layer, the models around it first -> the shapes of what it learns."""


class Subclassed(SpecError):
    """A model whose layers stand in the code of a class alone; `sizes` are those on which it was built, if known."""

    def __init__(self, finding: Finding, sizes: tuple[int, ...] | None) -> None:
        super().__init__([finding])
        self.sizes = sizes


def load_keras(path: str, *, input: object = None) -> Network:
    """The network of a `.keras` or `.h5` file; Keras is not needed, and weights are not read.

    `input` gives the shape of the only input without the batch ([channels, *space]), or shapes by the names of
    several, where the file leaves sizes open. What the language cannot say is in `network.notes`. Raises SpecError
    where the file is wrong, UsageError where it cannot be read, its sizes are open, or it is an HDF5 file and the h5py
    package is missing.
    Source: keras/src/saving/saving_lib.py, keras/src/legacy/saving/legacy_h5_format.py.

    >>> load_keras("model.keras").outputs[0].name  # doctest: +SKIP
    'predictions'
    """
    refuse_what_is_no_file(path, SUFFIXES, "give a file that model.save('model.keras') wrote")
    try:
        with Path(path).open("rb") as file:
            text = _configuration(file, path)
    except OSError as error:
        raise UsageError(sentence(error, "read", f"'{path}'")) from None
    except Excessive as error:
        raise _too_long(path, error) from error
    except Damaged as error:
        raise wrong(path, "CC715", str(error), "save the model again: model.save('model.keras')") from error
    return loads_keras(text, path, input=input)


def loads_keras(text: bytes | str, path: str, *, input: object = None, held: Held | None = None) -> Network:
    """The network of a model's JSON, which `model.to_json()` gives and a file has inside.

    `held` has the shapes of what layers learn, by their paths, for those of which the JSON does not say it.

    >>> chain = '{"class_name": "Sequential", "config": {"name": "net", "layers": [{"class_name": "Dense", "config":'
    >>> chain += '{"name": "dense", "units": 3, "batch_input_shape": [null, 4]}}]}}'
    >>> loads_keras(chain, "net.json")
    <Network net: 4 → 3, 1 layer>
    """
    root: Mapping[str, Json] = {}
    with without_collector():
        try:
            root = parsed(text, MOST_VALUES)
            version = root.get("keras_version")
            modern = version.startswith("3") if isinstance(version, str) else "module" in root
            model = read_model(root, modern)
            conversion = Conversion(model, modern, _given(input), held or {})
            made_by = f"Keras {version}" if isinstance(version, str) else "Keras"
            return assemble(conversion, path, made_by, lambda input: loads_keras(text, path, input=input, held=held))
        except Wrong as error:
            raise SpecError([Finding(error.code, str(error), path, where=error.name, hint=error.hint)]) from error
        except CodeAlone as error:
            hint = "on the backend torch convcalc.from_keras(model) records a run of it"
            raise Subclassed(Finding("CC716", str(error), path, hint=hint), built_on(root)) from error
        except Malformed as error:
            raise wrong(path, "CC716", str(error)) from error
        except Excessive as error:
            raise _too_long(path, error) from error


def _configuration(file: BinaryIO, path: str) -> bytes:
    """The model's JSON. What the file is is told by how it begins, not by its name."""
    head = file.read(8)
    if head == h5.SIGNATURE:
        return h5.configuration(path)
    if not is_archive(head):
        raise Damaged("it is neither a zip archive, as .keras files are, nor an HDF5 file")
    found = members(file)
    if CONFIGURATION not in found:
        raise Damaged(f"it is an archive without {CONFIGURATION}")
    return content(file, found[CONFIGURATION], MOST_BYTES)


def _given(input: object) -> dict[str, Shape]:
    """The shapes that a call gives, by the names of inputs; of the only one by the empty name."""
    if input is None:
        return {}
    if isinstance(input, Mapping):
        return {str(name): tuple(shape) for name, shape in input.items()}
    assert isinstance(input, (list, tuple))
    return {"": tuple(input)}


def _too_long(path: str, error: Excessive) -> SpecError:
    return wrong(path, "CC004", str(error), "the configuration of a model is no longer than that")
