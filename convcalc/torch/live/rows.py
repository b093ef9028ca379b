"""A module and the tape of its run as rows, a call of a module each."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import nn

from ..rows import Row, numbered
from ..tape import Scope, Shape, Tape


def rows_of(module: nn.Module, tape: Tape | None) -> list[Row]:
    """The rows of a model in the order of its calls; without a tape those of its tree."""
    return numbered(_called(module, tape) if tape is not None else _tree(module))


def _tree(module: nn.Module) -> list[Row]:
    return [_row(path, part) for path, part in module.named_modules()]


def _called(module: nn.Module, tape: Tape) -> list[Row]:
    parts = dict(module.named_modules(remove_duplicate=False))
    macs = [0] * len(tape.scopes)
    for call in tape.calls:
        macs[call.scope] += call.macs
    rows: list[Row] = []
    seen: set[int] = set()
    open_paths: list[str] = []
    for scope, own in zip(tape.scopes, macs, strict=True):
        above = _above(scope.path)
        containers = [path for path in above if path not in open_paths]  # ModuleList, ModuleDict: they are not called
        rows += [_seen(_row(path, parts[path]), parts[path], seen) for path in containers]
        part = parts.get(scope.path)
        if part is None:  # made while the model ran
            rows.append(Row(scope.path, scope.cls, len(above) + 1, True, 0, 0, 0))
        else:
            rows.append(_seen(_row(scope.path, part), part, seen))
        _fill(rows[-1], scope, tape, own)
        open_paths = [*above, scope.path]
    return rows


def _above(path: str) -> list[str]:
    """The paths of the modules that hold one, the model's own included.

    >>> _above("layer1.0.conv1"), _above("")
    (['', 'layer1', 'layer1.0'], [])
    """
    parts = path.split(".") if path else []
    return [".".join(parts[:count]) for count in range(len(parts))]


def _seen(row: Row, part: nn.Module, seen: set[int]) -> Row:
    row.recursive = id(part) in seen
    seen.add(id(part))
    return row


def _fill(row: Row, scope: Scope, tape: Tape, macs: int) -> None:
    row.inputs = _shapes(scope.inputs, tape)
    row.outputs = _shapes(scope.outputs, tape)
    row.macs = macs
    row.output_bytes = sum(
        prod(tape.tensors[index].shape) * item_bytes(tape.tensors[index].dtype) for index in scope.outputs[:1]
    )


def _shapes(tensors: Sequence[int], tape: Tape) -> tuple[Shape, ...]:
    return tuple([tape.tensors[index].shape for index in tensors])


def item_bytes(name: str) -> int:
    """The bytes of one number of a type."""
    dtype: torch.dtype = getattr(torch, name)
    return dtype.itemsize


def _row(path: str, part: nn.Module) -> Row:
    parameters = list(part.parameters())
    return Row(
        name=path.rpartition(".")[2],
        cls=type(part).__name__,
        depth=path.count(".") + 1 if path else 0,
        leaf=next(part.children(), None) is None,
        params=sum(tensor.numel() for tensor in parameters),
        trainable=sum(tensor.numel() for tensor in parameters if tensor.requires_grad),
        param_bytes=sum(tensor.numel() * tensor.element_size() for tensor in parameters),
        kernel_size=_kernel(getattr(part, "kernel_size", None)),
        groups=_whole(getattr(part, "groups", None)),
        weights=tuple([(name, tuple(tensor.shape)) for name, tensor in part.named_parameters(recurse=False)]),
    )


def _kernel(size: object) -> Shape | None:
    if isinstance(size, int):
        return (size,)
    return tuple(size) if isinstance(size, tuple) and all(isinstance(each, int) for each in size) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
