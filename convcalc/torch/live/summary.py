"""A run of a model for `summary`: with a batch of any size, in either mode, on any arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ...findings import UsageError
from ..rows import Row
from ..tape import Shape, Tape
from .failure import said
from .reading import asks_for_values, raised, refused
from .record import Failed, Refused, checked, run
from .recorder import tensors
from .rows import item_bytes, rows_of

_KEPT: WeakKeyDictionary[nn.Module, tuple[str, Tape]] = WeakKeyDictionary()
"""Model -> the last run that was to be kept: what it was asked for, and its tape."""


class Asked(NamedTuple):
    """What the model runs on; see `api.summary.summary`."""

    input_size: Sequence[Any] | None
    input_data: Any
    batch_dim: int | None
    dtypes: Sequence[torch.dtype] | None
    kwargs: Mapping[str, Any]
    device: str | None
    training: bool


def summarised(module: object, asked: Asked | None, keep: bool) -> tuple[list[Row], list[tuple[Shape, int]]]:
    """The rows of a model, and the shapes of its inputs with the bytes of a number of each.

    Raises SpecError and UsageError.
    """
    if not isinstance(module, nn.Module):
        raise UsageError(f"a model is a torch.nn.Module, not {type(module).__name__}", "give the module itself")
    try:
        module = checked(module)
    except Refused as error:
        raise refused(error, type(module).__name__) from error
    if asked is None:
        return rows_of(module, None), []
    tape = _tape(module, asked, keep)
    inputs = [tape.tensors[index] for index in tape.inputs]
    return rows_of(module, tape), [(tensor.shape, item_bytes(tensor.dtype)) for tensor in inputs]


def _tape(module: nn.Module, asked: Asked, keep: bool) -> Tape:
    key = repr([tuple(tensor.shape) for tensor in tensors(asked.input_data)]) + repr(asked._replace(input_data=None))
    if keep and module in _KEPT and _KEPT[module][0] == key:
        return _KEPT[module][1]
    tape = _run(module, asked, asked.device or "meta")
    if keep:
        _KEPT[module] = (key, tape)
    return tape


def _run(module: nn.Module, asked: Asked, device: str) -> Tape:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"there is no device '{device}' here: {said(error)}", "without `device` none is needed"
        ) from error
    args, kwargs = _arguments(asked, device)
    try:
        return run(module, args, kwargs, device=device, training=asked.training)
    except Failed as error:
        own = next((tensor.device.type for tensor in module.parameters()), "cpu")
        if device == "meta" and asked.device is None and own != "meta" and asks_for_values(error):
            return _run(module, asked, own)
        raise raised(error, type(module).__name__, None) from error.cause


def _arguments(asked: Asked, device: str) -> tuple[list[Any], dict[str, Any]]:
    kwargs = {name: _on(value, device, None) for name, value in asked.kwargs.items()}
    if asked.input_size is not None:
        return [_made(size, dtype, asked.batch_dim, device) for size, dtype in _sizes(asked)], kwargs
    data = _on(asked.input_data, device, asked.batch_dim)
    if isinstance(data, Mapping):
        return [], {**data, **kwargs}
    return (list(data) if isinstance(data, (list, tuple)) else [data]), kwargs


def _sizes(asked: Asked) -> list[tuple[Shape, torch.dtype]]:
    """The sizes of each input and its type. Raises UsageError."""
    given: Any = asked.input_size
    if isinstance(given, Mapping) or not all(isinstance(each, (int, tuple, list)) for each in given):
        raise UsageError(f"input_size is the sizes of an input with its batch, or a list of them, not {given!r}")
    sizes = [tuple(given)] if all(isinstance(each, int) for each in given) else [tuple(each) for each in given]
    dtypes = list(asked.dtypes) if asked.dtypes is not None else [torch.float32] * len(sizes)
    if len(dtypes) != len(sizes):
        raise UsageError(f"dtypes has {len(dtypes)} types for {len(sizes)} inputs")
    return list(zip(sizes, dtypes, strict=True))


def _made(size: Shape, dtype: torch.dtype, batch_dim: int | None, device: str) -> Tensor:
    if batch_dim is not None:
        size = (*size[:batch_dim], 1, *size[batch_dim:])
    if device == "meta" or not dtype.is_floating_point:
        return torch.zeros(size, dtype=dtype, device=device)
    return torch.rand(size, dtype=dtype, generator=torch.Generator().manual_seed(0)).to(device)


def _on(value: Any, device: str, batch_dim: int | None) -> Any:
    """Arguments whose tensors are on the device, with a batch where one was asked for."""
    if isinstance(value, Tensor):
        moved = torch.empty_like(value, device=device) if device == "meta" else value.to(device)
        return moved if batch_dim is None else moved.unsqueeze(batch_dim)
    if isinstance(value, (list, tuple)):
        return type(value)([_on(part, device, batch_dim) for part in value])
    if isinstance(value, Mapping):
        return {key: _on(part, device, batch_dim) for key, part in value.items()}
    return value
