"""A model's tape, or the finding that says why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from torch import nn

from ...findings import Finding, SpecError, UsageError
from ...hints import shortened
from ..spec import ModelSpec
from ..tape import Tape
from .build import build, quiet
from .failure import code_error
from .inputs import Inputs, inputs_of
from .record import Failed, Refused, record

VALUES = ("meta tensor", "meta device", "'meta' backend", "'meta' device", "register_meta", "data-dependent")
"""What an exception says where the code asks for the values of tensors, in small letters."""

GPU = ("cuda", "nvidia", "hip gpu", "mps")
"""What an exception says where the code moves tensors to a device that is not there, in small letters."""


def read_spec(spec: ModelSpec, input: object, arguments: Mapping[str, object], device: str) -> tuple[nn.Module, Tape]:
    """The module that a spec names and its tape. Raises SpecError and UsageError."""
    module = build(spec, arguments, device)
    return module, read_module(module, input, spec, device)


def read_module(module: object, input: object, spec: ModelSpec | None, device: str, training: bool = False) -> Tape:
    """The tape of a module on inputs without the batch. Raises SpecError and UsageError."""
    if not isinstance(module, nn.Module):
        raise UsageError(f"a model is a torch.nn.Module, not {type(module).__name__}", "give the module itself")
    inputs = inputs_of(module, input, spec)
    path = str(spec) if spec is not None else type(module).__name__
    try:
        with quiet() if spec is not None else nullcontext():
            return record(module, inputs.ordered, inputs.named, device=device, training=training, own=spec is not None)
    except Refused as error:
        raise refused(error, path) from error
    except Failed as error:
        raise raised(error, path, spec, inputs, device, [name for name, _ in module.named_children()]) from error.cause


def refused(error: Refused, path: str) -> SpecError:
    """What is said of a model that cannot be recorded."""
    return SpecError([Finding("CC722", str(error), path, hint=error.hint)])


def raised(
    error: Failed,
    path: str,
    spec: ModelSpec | None,
    inputs: Inputs | None = None,
    device: str = "cpu",
    parts: Sequence[str] = (),
) -> SpecError:
    """What is said of an exception in the code of a model that has these parts."""
    doing = f"in {error.scope} ({error.cls})" if error.scope else f"in {error.cls or path}"
    if error.shapes:
        doing += f", which was given {' and '.join(str(list(shape)) for shape in error.shapes)}"
    hint = _hint(error, inputs, spec, device, parts) if inputs is not None else None
    return code_error(error.cause, doing, where=error.scope, hint=hint, path=path)


def asks_for_values(error: Failed) -> bool:
    """Whether the code asked for the values of a tensor that has none."""
    text = str(error.cause).lower()
    return any(words in text for words in VALUES)


def _hint(error: Failed, inputs: Inputs, spec: ModelSpec | None, device: str, parts: Sequence[str]) -> str | None:
    """What helps against an exception of a model's code, where that can be told."""
    option = "--input" if spec is not None else "input"
    if device == "meta" and asks_for_values(error):
        run = "--device cpu" if spec is not None else 'device="cpu"'
        part = f"; {spec}.NAME reads a part of it: {shortened(list(parts), 6)}" if spec is not None and parts else ""
        return f"it asks for values, and the run has none: {run} runs it on numbers{part}"
    if any(word in str(error.cause).lower() for word in GPU):
        return "its code asks for a GPU: x.device is where its input is"
    first = [*inputs.ordered, *inputs.named.values()]
    given = [(1, *each.sizes) for each in first]
    if any(shape[:2] == (1, 1) and len(shape) > 3 for shape in given):
        return f"{option} is without the batch"
    if isinstance(error.cause, TypeError) and not error.scope and "argument" in str(error.cause):
        return f"{option} for each of several inputs, in order or by name"
    if list(error.shapes) == given and not isinstance(error.cause, (RecursionError, SystemExit)):
        return f"the model was given {inputs}: the batch and {option}, the sizes [channels, *space]"
    return None
