"""A network from wherever it stands: a spec, a gallery name, a revision of git, a row of a sweep, a model's file, a
model in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath

from ..findings import UsageError
from ..models.file import refuse_other_formats
from ..network import Network
from ..readers import Asked, Shapes, code_of, read_model, read_row, reader_of, shapes_of

Spec = str | PathLike[str] | Network
"""What names a network: a path, a gallery name, an ONNX or Keras file, `git:REV:path`, a row of a sweep
(`run.sqlite:17`), a model in code (`package.module:Net`, `./net.py:Net`); or the network itself."""
Inputs = Shapes


def load(
    spec: str | PathLike[str],
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | Sequence[Sequence[int]] | None = None,
    arguments: Mapping[str, object] | None = None,
    device: str | None = None,
) -> Network:
    """The network of a spec: a path, `-` for standard input, a gallery name, an ONNX or Keras file, `git:REV:path`, a
    row of a sweep (`run.sqlite:17`), or a model in code: `package.module:callable` or `./file.py:Net`, whose code runs.

    `params` are values, or texts as they would stand in the spec; `input` is the shape of the only input without the
    batch ([channels, *space]) or a mapping of input names to shapes. Of a model in code, `input` may be the shapes of
    several inputs in order, `arguments` are those of the class or function, and `device` is where it runs: "meta"
    (without numbers) or "cpu". What a file or a model has that the language does not say is in `network.notes`. Raises
    SpecError where the spec is wrong, with places, and UsageError where the call is.

    >>> load("resnet", variant="resnet50", input=[3, 256, 256])
    <Network ResNet · resnet50: 3×256×256 → 1000, 175 layers>
    """
    name = fspath(spec)
    asked = Asked(input, arguments, device)
    if code_of(name) is not None:
        _refuse_params(name, params, variant, "a model in code has arguments: --arg NAME=VALUE")
    reader = reader_of(name)
    if reader is not None:
        _refuse_params(name, params, variant, f"{reader.what} has no params and no variants")
    network = read_model(name, asked)
    if network is not None:
        return network
    shapes = shapes_of(name, input)
    from .. import language

    if name.endswith((".py", ".py:")):
        _refuse_python(name.removesuffix(":"))
    refuse_other_formats(name)
    if name.startswith("git:"):
        from ..language.revisions import read_revision

        source = read_revision(name)
    else:
        row = read_row(name)
        if row is None:
            return language.load(name, params=params, variant=variant, input=shapes)
        source = row
    return language.loads(source.text, path=source.path, params=params, variant=variant, input=shapes)


def _refuse_params(name: str, params: Mapping[str, object] | None, variant: str | None, why: str) -> None:
    if params or variant is not None:
        raise UsageError(f"{'--set' if params else '--variant'} does not go with {name}", why)


def _refuse_python(name: str) -> None:
    """Raise UsageError for a file of Python: which model of it is meant has to be said."""
    from ..torch.spec import choice

    raise UsageError(f"{name} is code: name the model in it", choice(name))


def names_code(spec: str) -> bool:
    """Whether a text names a model in code.

    >>> names_code("./net.py:Net"), names_code("net.yaml")
    (True, False)
    """
    return code_of(spec) is not None


def network_of(spec: Spec) -> Network:
    """The network that a call names."""
    return spec if isinstance(spec, Network) else load(spec)
