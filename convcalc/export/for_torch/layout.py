"""PyTorch: what moves, cuts and repeats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import UNSAID, Call, Inline, Step, keywords, optional, positional
from .common import Mapper, aligned, module_of

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.layout import (
        Expand,
        Flip,
        IndexSelect,
        RepeatInterleave,
        Roll,
        Select,
        Slice,
        Squeeze,
        Stack,
        Tile,
        Unbind,
        Unsqueeze,
    )
    from ...layers.shape import Flatten, Permute, Reshape


def _flatten(layer: Flatten, inputs: Shapes, output: Shape) -> list[Step]:
    first = layer.start_dim % len(inputs[0]) + 1
    last = layer.end_dim + 1 if layer.end_dim >= 0 else layer.end_dim
    return [Call("nn.Flatten", (optional("start_dim", first, 1), optional("end_dim", last, -1)))]


def _reshape(layer: Reshape, inputs: Shapes, output: Shape) -> list[Step]:
    if not output:
        return [Inline("{0}.flatten()")]
    return [Call("nn.Flatten"), Call("nn.Unflatten", positional(dim=1, unflattened_size=layer.shape))]


def _permute(layer: Permute, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Permute", positional(dims=(0, *(axis + 1 for axis in layer.order))))]


def _with_batch(dims: Iterable[int], shape: Shape) -> tuple[int, ...]:
    """The axes of a tensor with its batch, counted from the front."""
    return tuple(dim % len(shape) + 1 for dim in dims)


def _roll(layer: Roll, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(shifts=layer.shifts, dims=_with_batch(layer.dims, output))
    return [Inline("torch.roll({0}, {shifts}, dims={dims})", arguments)]


def _flip(layer: Flip, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("torch.flip({0}, {dims})", keywords(dims=_with_batch(layer.dims, output)))]


def _expand(layer: Expand, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline(f"{aligned(0, len(inputs[0]), len(output))}.expand({{shape}})", keywords(shape=(-1, *layer.shape)))]


def _at(axis: int, index: str) -> Inline:
    """An index of one axis, which excludes the batch."""
    return Inline(f"{{0}}[{':, ' * (axis + 1)}{index}]")


def _slice(layer: Slice, inputs: Shapes, output: Shape) -> list[Step]:
    stop = "" if layer.stop is None else str(layer.stop)
    step = "" if layer.step == 1 else f":{layer.step}"
    return [_at(layer.dim % len(output), f"{layer.start or ''}:{stop}{step}")]


def _select(layer: Select, inputs: Shapes, output: Shape) -> list[Step]:
    return [_at(layer.dim % len(inputs[0]), str(layer.index))]


def _unbind(layer: Unbind, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(dim=layer.dim % len(inputs[0]) + 1, part=layer.part)
    return [Inline("{0}.unbind({dim})[{part}]", arguments)]


def _squeeze(layer: Squeeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0}.squeeze({dim})", keywords(dim=_with_batch(layer.dim, inputs[0])))]


def _unsqueeze(layer: Unsqueeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0}.unsqueeze({dim})", keywords(dim=layer.dim % len(output) + 1))]


def _stack(layer: Stack, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.stack([{tensors}], dim={{dim}})", keywords(dim=layer.dim % len(output) + 1))]


def _tile(layer: Tile, inputs: Shapes, output: Shape) -> list[Step]:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return [Inline(f"{aligned(0, len(inputs[0]), len(output))}.tile({{reps}})", keywords(reps=times))]


def _repeat_interleave(layer: RepeatInterleave, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(repeats=layer.repeats, dim=layer.dim % len(output) + 1)
    return [Inline("{0}.repeat_interleave({repeats}, dim={dim})", arguments)]


def _index_select(layer: IndexSelect, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.relative is not None:
        return [_at(layer.dim % len(output), f"relative_positions({layer.relative})")]
    if layer.indices is None:
        raise Refused(UNSAID)
    return [_at(layer.dim % len(output), str(list(layer.indices)))]


ROWS: dict[str, Mapper] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Identity": module_of("nn.Identity"),
    "Dropout": module_of("nn.Dropout", p=0.5),
    "StochasticDepth": module_of("StochasticDepth", p=0.5, mode="row"),
    "Roll": _roll,
    "Flip": _flip,
    "Expand": _expand,
    "Slice": _slice,
    "Select": _select,
    "Unbind": _unbind,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Stack": _stack,
    "Tile": _tile,
    "RepeatInterleave": _repeat_interleave,
    "IndexSelect": _index_select,
}
"""Kind or family -> what it becomes."""
