"""A network from wherever it stands: a spec, a gallery name, a revision of git, a model's file, a model in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from ..findings import UsageError
from ..network import Network
from ..readers import reader_of

if TYPE_CHECKING:
    from ..torch.spec import ModelSpec

Spec = str | PathLike[str] | Network
"""What names a network: a path, a gallery name, an ONNX or Keras file, `git:REV:path`, a model in code
(`package.module:Net`, `./net.py:Net`); or the network itself."""
Inputs = Sequence[int] | Mapping[str, Sequence[int]]


def load(
    spec: str | PathLike[str],
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | Sequence[Sequence[int]] | None = None,
    arguments: Mapping[str, object] | None = None,
    device: str | None = None,
) -> Network:
    """The network of a spec: a path, `-` for standard input, a gallery name, an ONNX or Keras file, `git:REV:path`, or
    a model in code: `package.module:callable` or `./file.py:Net`, whose code runs.

    `params` are values, or texts as they would stand in the spec; `input` is the shape of the only input without the
    batch ([channels, *space]) or a mapping of input names to shapes. Of a model in code, `input` may be the shapes of
    several inputs in order, `arguments` are those of the class or function, and `device` is where it runs: "meta"
    (without numbers) or "cpu". What a file or a model has that the language does not say is in `network.notes`. Raises
    SpecError where the spec is wrong, with places, and UsageError where the call is.

    >>> load("resnet", variant="resnet50", input=[3, 256, 256])
    <Network ResNet · resnet50: 3×256×256 → 1000, 175 layers>
    """
    name = fspath(spec)
    code = _code(name)
    if code is not None:
        _refuse_params(name, params, variant, "a model in code has arguments: --arg NAME=VALUE")
        from ..torch.load import load_torch

        return load_torch(code, input, arguments or {}, device or "meta")
    for option, given in (("--arg", arguments), ("--device", device)):
        if given:
            raise UsageError(f"{option} does not go with {name}", "it goes with a model in code, like ./net.py:Net")
    shapes = _shapes(name, input)
    reader = reader_of(name)
    if reader is not None:
        _refuse_params(name, params, variant, f"{reader.what} has no params and no variants")
        return reader.load(name, shapes)
    from .. import language

    if name.endswith(".py"):
        _refuse_python(name)
    if name.startswith("git:"):
        from ..language.revisions import read_revision

        source = read_revision(name)
        return language.loads(source.text, path=source.path, params=params, variant=variant, input=shapes)
    return language.load(name, params=params, variant=variant, input=shapes)


def _refuse_params(name: str, params: Mapping[str, object] | None, variant: str | None, why: str) -> None:
    if params or variant is not None:
        raise UsageError(f"{'--set' if params else '--variant'} does not go with {name}", why)


def _refuse_python(name: str) -> None:
    """Raise UsageError for a file of Python: which model of it is meant has to be said."""
    from ..torch.spec import choice

    raise UsageError(f"{name} is code: name the model in it", choice(name))


def _shapes(name: str, input: Inputs | Sequence[Sequence[int]] | None) -> Inputs | None:
    """The shape of the only input, or shapes by name. Raises UsageError for several in order."""
    if input is None or isinstance(input, Mapping):
        return input
    sizes = [size for size in input if isinstance(size, int)]
    if len(sizes) != len(input):
        raise UsageError(f"the inputs of {name} are given by name", 'for example input={"left": (3, 64, 64)}')
    return sizes


def _code(name: str) -> ModelSpec | None:
    """What a text names where it names a model in code."""
    if ":" not in name:
        return None
    from ..torch.spec import model_spec

    return model_spec(name)


def names_code(spec: str) -> bool:
    """Whether a text names a model in code.

    >>> names_code("./net.py:Net"), names_code("net.yaml")
    (True, False)
    """
    return _code(spec) is not None


def network_of(spec: Spec) -> Network:
    """The network that a call names."""
    return spec if isinstance(spec, Network) else load(spec)
