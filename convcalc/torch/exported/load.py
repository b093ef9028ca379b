"""A file of torch.export as a network: read, lifted, assembled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import BinaryIO

from ...collector import without_collector
from ...files import sentence
from ...findings import UsageError
from ...geometry import GeometryError
from ...layers.base import Shape
from ...models.archive import Damaged, Excessive, Member, content, is_archive, members
from ...models.document import Json, Malformed, mapping, parsed
from ...models.file import refuse_what_is_no_file, wrong
from ...models.origin import ModelOrigin
from ...network import Network
from ..assembly import assemble
from ..lift.conversion import lift
from .graph import Batched, tape_of

GRAPHS = ("models/model.json", "serialized_exported_program.json")
"""Where the graph stands: in archives of PyTorch 2.8 and newer, and of those before."""
WEIGHTS = "data/weights/model_weights_config.json"
MOST_BYTES = 1 << 24
"""Bytes of a graph."""
MOST_VALUES = 3_000_000
"""Values and keys of a graph."""


def load_exported(path: str, *, input: object = None) -> Network:
    """The network of a `.pt2` file that torch.export.save wrote; PyTorch is not needed, and weights are not read.

    The batch must be open or 1. What the language cannot say is in `network.notes`. Raises SpecError where the file is
    wrong, UsageError where it cannot be read or `input` has other sizes than its example: an exported graph has those.
    Source: torch/export/pt2_archive/_package.py, torch/_export/serde/schema.py.

    >>> load_exported("model.pt2")  # doctest: +SKIP
    <Network model: 3×224×224 → 1000, 69 layers>
    """
    refuse_what_is_no_file(path, (".pt2",), "give a file that torch.export.save wrote")
    try:
        with Path(path).open("rb") as file:
            model, shared = _read(file)
    except OSError as error:
        raise UsageError(sentence(error, "read", f"'{path}'")) from None
    except Excessive as error:
        raise wrong(path, "CC004", str(error), "the graph of a model is no longer than that") from error
    except (Damaged, Malformed) as error:
        raise wrong(path, "CC727", str(error)) from error
    with without_collector():
        try:
            tape = tape_of(model, shared)
        except Batched as error:
            raise wrong(path, "CC728", str(error)) from error
        except Malformed as error:
            raise wrong(path, "CC727", str(error)) from error
        try:
            network = assemble(lift(tape), PurePath(path).stem or "model", PurePath(path).name, partial(_origin, path))
        except GeometryError as error:  # a tensor of more numbers than there are
            raise wrong(path, error.code, error.message, error.hint) from error
    if input is not None:
        _refuse_other_sizes(path, network.inputs, input)
    return network


def _refuse_other_sizes(path: str, own: Mapping[str, Shape], asked: object) -> None:
    """Raise UsageError where other inputs are asked for than the file's: sizes by name, or those of its only one."""
    if isinstance(asked, Mapping):
        same = {name: tuple(shape) for name, shape in asked.items()} == own
    else:
        same = isinstance(asked, Sequence) and [tuple(asked)] == list(own.values())
    if not same:
        sizes = " and ".join(",".join(map(str, shape)) for shape in own.values())
        raise UsageError(
            f"{path} reads {sizes}, not what --input says",
            "an exported graph has the sizes of its example: export it again for others",
        )


def _origin(path: str, calls: Mapping[str, str]) -> ModelOrigin:
    return ModelOrigin(path, "a file of torch.export", calls, lambda input: load_exported(path, input=input))


def _read(file: BinaryIO) -> tuple[Mapping[str, Json], Mapping[str, str]]:
    """The graph, and which weights are stored under another's name."""
    if not is_archive(file.read(8)):
        raise Damaged("it is no zip archive, as torch.export.save writes it")
    found = members(file)
    graph = _member(found, *GRAPHS)
    if graph is None:
        raise Damaged("it is an archive without models/model.json")
    model = parsed(content(file, graph, MOST_BYTES), MOST_VALUES, "its graph")
    weights = _member(found, WEIGHTS)
    if weights is None:
        return model, {}
    return model, _shared(parsed(content(file, weights, MOST_BYTES), MOST_VALUES, "the list of weights"))


def _member(found: Mapping[str, Member], *names: str) -> Member | None:
    """The member of one of these names, in whatever folder of the archive."""
    return next((member for end in names for name, member in found.items() if f"/{name}".endswith(f"/{end}")), None)


def _shared(weights: Mapping[str, Json]) -> dict[str, str]:
    """Name of a weight -> the first name of what is stored in the same place."""
    first: dict[str, str] = {}
    shared: dict[str, str] = {}
    for name, said in mapping(weights.get("config", {}), "the list of weights").items():
        place = mapping(said, "a weight").get("path_name")
        if isinstance(place, str) and first.setdefault(place, name) != name:
            shared[name] = first[place]
    return shared
