"""What a model is given to read: sizes without the batch, tensors as examples, or what the model says of itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

from torch import Tensor, nn

from ...findings import UsageError
from ...hints import suggest
from ..spec import ModelSpec
from ..tape import Shape
from .record import Input

IMAGES = ("ImageClassification", "SemanticSegmentation")
"""Transforms of torchvision that say the size of an image."""


class Inputs:
    """The inputs of a run: those by order, and those by name."""

    def __init__(self, ordered: Sequence[Input], named: Mapping[str, Input]) -> None:
        self.ordered = tuple(ordered)
        self.named = dict(named)

    def __str__(self) -> str:
        sizes = [*self.ordered, *self.named.values()]
        return " and ".join(str([1, *input.sizes]) for input in sizes)


def inputs_of(module: nn.Module, given: object, spec: ModelSpec | None) -> Inputs:
    """The inputs that a call gives, or those that the model says of itself. Raises UsageError."""
    if given is None:
        sizes = default_sizes(module, spec)
        if sizes is None:
            raise UsageError(f"what shape does {spec or type(module).__name__} read?", _asked(module, spec))
        return Inputs([Input(sizes)], {})
    if isinstance(given, Mapping):
        return _named(module, {str(name): _input(value) for name, value in given.items()})
    if isinstance(given, Sequence) and not _is_shape(given):
        return Inputs([_input(part) for part in given], {})
    return Inputs([_input(given)], {})


def _is_shape(given: object) -> bool:
    return isinstance(given, Sequence) and bool(given) and all(isinstance(size, int) for size in given)


def _input(given: object) -> Input:
    if isinstance(given, Tensor):
        if not given.dim():
            raise UsageError("an example has a batch: its first axis", "give [1, channels, *space]")
        return Input(tuple(given.shape[1:]), given.dtype)
    if isinstance(given, Input):
        return given
    if not _is_shape(given):
        raise UsageError(f"an input is its sizes without the batch, or a tensor, not {given!r}", "(3, 224, 224)")
    assert isinstance(given, Sequence)
    sizes = tuple([int(size) for size in given])
    if min(sizes) < 1:
        raise UsageError(f"the sizes of an input are at least 1, not {list(sizes)}")
    return Input(sizes)


def _named(module: nn.Module, given: dict[str, Input]) -> Inputs:
    """Inputs by the names of the arguments of `forward`; a single one has no need of its name."""
    parameters = list(signature(module.forward).parameters.values())
    known = [p.name for p in parameters if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    anything = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
    unknown = [name for name in given if name not in known and not anything]
    if unknown and len(given) == 1:
        return Inputs(list(given.values()), {})
    for name in unknown:
        raise UsageError(f"{type(module).__name__} has no input '{name}'", suggest(name, known))
    return Inputs([], given)


def default_sizes(module: nn.Module, spec: ModelSpec | None) -> Shape | None:
    """The sizes that a model says of itself: its own configuration, or the weights that its library has for it."""
    for name in ("pretrained_cfg", "default_cfg"):
        found: Any = getattr(module, name, None)
        sizes = found.get("input_size") if isinstance(found, Mapping) else None
        if isinstance(sizes, (tuple, list)) and _is_shape(sizes):
            return tuple(sizes)
    library = sys.modules.get("torchvision.models")
    if library is None or spec is None or not spec.module.startswith("torchvision."):
        return None
    try:
        transforms: Any = library.get_model_weights(spec.attribute).DEFAULT.transforms()
    except (ValueError, AttributeError, RuntimeError):
        return None
    if type(transforms).__name__ not in IMAGES:
        return None
    size = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
    return (3, int(size[0]), int(size[0])) if size else None


def architecture(module: nn.Module) -> str | None:
    """What the model's library calls it, where a function like `create_model` builds models of many names."""
    found: Any = getattr(module, "pretrained_cfg", None)
    name = found.get("architecture") if isinstance(found, Mapping) else None
    return name if isinstance(name, str) and name else None


def _asked(module: nn.Module, spec: ModelSpec | None) -> str:
    """A hint with the channels of the first layer that says them."""
    example: tuple[int, ...] = (3, 224, 224)
    for part in module.modules():
        if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            space = {nn.Conv1d: (1024,), nn.Conv2d: (224, 224), nn.Conv3d: (16, 112, 112)}
            example = (part.in_channels, *next(sizes for cls, sizes in space.items() if isinstance(part, cls)))
            break
        if isinstance(part, nn.Linear):
            example = (part.in_features,)
            break
    sizes = ",".join(map(str, example))
    given = f"--input {sizes}" if spec is not None else f"input=({sizes.replace(',', ', ')}{',' * (len(example) == 1)})"
    return f"sizes without the batch, for example {given}"
