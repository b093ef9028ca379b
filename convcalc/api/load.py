"""A network from wherever it stands: a spec, a gallery name, a revision of git, a file of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath

from ..findings import UsageError
from ..network import Network
from ..readers import reader_of

Spec = str | PathLike[str] | Network
"""What names a network: a path, a gallery name, an ONNX or Keras file, `git:REV:path`; or the network itself."""
Inputs = Sequence[int] | Mapping[str, Sequence[int]]


def load(
    spec: str | PathLike[str],
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | None = None,
) -> Network:
    """The network of a spec: a path, `-` for standard input, a gallery name, an ONNX or Keras file, or
    `git:REV:path`.

    `params` are values, or texts as they would stand in the spec; `input` is the shape of the only input without the
    batch ([channels, *space]) or a mapping of input names to shapes. What a model has that the language does not
    say is in `network.notes`. Raises SpecError where the spec is wrong, with places, and UsageError where the call is.

    >>> load("resnet", variant="resnet50", input=[3, 256, 256])
    <Network ResNet · resnet50: 3×256×256 → 1000, 175 layers>
    """
    name = fspath(spec)
    reader = reader_of(name)
    if reader is not None:
        if params or variant is not None:
            given = "--set" if params else "--variant"
            raise UsageError(f"{given} does not go with {name}", f"{reader.what} has no params and no variants")
        return reader.load(name, input)
    from .. import language

    if name.startswith("git:"):
        from ..language.revisions import read_revision

        source = read_revision(name)
        return language.loads(source.text, path=source.path, params=params, variant=variant, input=input)
    return language.load(name, params=params, variant=variant, input=input)


def network_of(spec: Spec) -> Network:
    """The network that a call names."""
    return spec if isinstance(spec, Network) else load(spec)
