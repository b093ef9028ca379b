"""A model of PyTorch as a network: recorded, lifted, assembled."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..collector import without_collector
from ..findings import UsageError
from ..hints import installing
from ..models.origin import ModelOrigin
from ..network import Network
from .assembly import assemble
from .lift.conversion import lift
from .spec import ModelSpec
from .tape import Tape

if TYPE_CHECKING:
    import torch


def from_torch(
    module: torch.nn.Module,
    input: object = None,
    *,
    name: str | None = None,
    device: str = "meta",
) -> Network:
    """The network of a model: one run of it in eval mode is recorded, on tensors without numbers; it stays as it was.

    `input` is the shape of the only input without the batch, `(3, 224, 224)`; a list of shapes for several inputs in
    order, or a mapping of the names of `forward`'s arguments to shapes; a tensor in place of a shape is an example
    with a batch, whose sizes and type are taken. Without it the model's own configuration is asked (timm's
    `default_cfg`). `device="cpu"` runs it on numbers, for code that asks for values. What the language does not say
    is in `network.notes`.

    Raises SpecError where the model's code raises (CC721) or cannot be recorded (CC722), UsageError where the call is
    wrong.

    >>> from_torch(torch.nn.Conv2d(3, 8, 3), (3, 32, 32))  # doctest: +SKIP
    <Network Conv2d: 3×32×32 → 8×30×30, 1 layer>
    """
    need_torch()
    from .live.reading import read_module

    label = name or type(module).__name__
    tape = read_module(module, input, None, device)

    def again(other: object) -> Network:
        return from_torch(module, input if other is None else other, name=name, device=device)

    return _network(tape, label, label, again)


def load_torch(spec: ModelSpec, input: object, arguments: Mapping[str, object], device: str = "meta") -> Network:
    """The network of a model in code, which is imported and built: its code runs.

    `input` as `from_torch` takes it, `arguments` for the class or the function. Raises SpecError where the code raises
    (CC721) or the model cannot be recorded (CC722), UsageError where the call is wrong or PyTorch is missing.
    """
    need_torch()
    from .live.inputs import architecture
    from .live.reading import read_module, read_spec

    module, tape = read_spec(spec, input, arguments, device)
    name = architecture(module) or spec.name

    def again(other: object) -> Network:
        sizes = input if other is None else other
        return _network(read_module(module, sizes, spec, device), name, str(spec), again)

    return _network(tape, name, str(spec), again)


def _network(tape: Tape, name: str, path: str, load: Any) -> Network:
    with without_collector():
        return assemble(
            lift(tape), name, path, lambda calls: ModelOrigin(path, "a model of PyTorch", calls, load, "call")
        )


def need_torch() -> None:
    """Raise UsageError where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise UsageError("reading a model of PyTorch needs torch, which is not installed", installing("torch"))
