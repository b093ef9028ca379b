"""A network from wherever it stands: a spec, a gallery name, a revision of git, an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath

from ..findings import UsageError
from ..network import Network

Spec = str | PathLike[str] | Network
"""What names a network: a path, a gallery name, an ONNX file, `git:REV:path`; or the network itself."""
Inputs = Sequence[int] | Mapping[str, Sequence[int]]


def load(
    spec: str | PathLike[str],
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | None = None,
) -> Network:
    """The network of a spec: a path, `-` for standard input, a gallery name, an ONNX file, or `git:REV:path`.

    `params` are values, or texts as they would stand in the spec; `input` is the shape of the only input without the
    batch ([channels, *space]) or a mapping of input names to shapes. What an ONNX file has that the language does not
    say is in `network.notes`. Raises SpecError where the spec is wrong, with places, and UsageError where the call is.

    >>> load("resnet", variant="resnet50", input=[3, 256, 256])
    <Network ResNet · resnet50: 3×256×256 → 1000, 175 layers>
    """
    name = fspath(spec)
    if name.lower().endswith(".onnx") and not name.startswith("git:"):
        if params or variant is not None:
            given = "--set" if params else "--variant"
            raise UsageError(f"{given} does not go with {name}", "an ONNX file has no params and no variants")
        from ..onnx import load_onnx

        return load_onnx(name, input=input)
    if name.lower().endswith((".keras", ".h5", ".hdf5")) and not name.startswith("git:"):
        if params or variant is not None:
            given = "--set" if params else "--variant"
            raise UsageError(f"{given} does not go with {name}", "a Keras file has no params and no variants")
        from ..keras import load_keras

        return load_keras(name, input=input)
    from .. import language

    if name.startswith("git:"):
        from ..language.revisions import read_revision

        source = read_revision(name)
        return language.loads(source.text, path=source.path, params=params, variant=variant, input=input)
    return language.load(name, params=params, variant=variant, input=input)


def network_of(spec: Spec) -> Network:
    """The network that a call names."""
    return spec if isinstance(spec, Network) else load(spec)
