"""Rules of the operators that move numbers about: reshaping, transposing, slicing, splitting."""

from __future__ import annotations

from math import prod
from typing import Any

from . import dims as rules
from .builder import Builder, Unsupported
from .dims import axes_of, counted, whole
from .model import Malformed
from .values import Activation


def alias(b: Builder) -> Activation:
    """Identity, Cast: the same numbers."""
    return b.activation(0)


def reshape(b: Builder) -> Activation:
    """Reshape; three that shuffle channels or pixels become one layer."""
    value = b.activation(0)
    target = b.node.integers("shape")
    if target is None:
        if b.constant(1) is None:
            raise Malformed("its shape is missing")
        target = whole(b.constant(1), "sizes")
    allow_zero = bool(b.node.integer("allowzero"))
    dims = rules.reshaped(value.dims, target, allow_zero)
    return _shuffle(b, value, dims) or _group_norm(b, value, dims) or b.relayout(value, dims, target=target)


def _shuffle(b: Builder, value: Activation, dims: tuple[int, ...]) -> Activation | None:
    """What Reshape, Transpose, Reshape do together, where that is a channel or pixel shuffle."""
    permuted = b.steps[value.step]
    if permuted.kind != "permute" or not value.batched or dims[:1] != value.dims[:1]:
        return None
    spread = b.steps[permuted.inputs[0]]
    if spread.kind not in ("reshape", "flatten"):
        return None
    source = b.steps[spread.inputs[0]]
    order = permuted.layer.fields()["dims"] if permuted.layer is not None else ()
    start, middle, end = source.shape, spread.shape, dims[1:]
    made: tuple[str, dict[str, Any]] | None = None
    if end == start and middle == (middle[0], start[0] // middle[0], *start[1:]):
        if order == (1, 0, *range(2, len(middle))):
            made = ("channel_shuffle", {"groups": middle[0]})
    elif len(start) == 3 and len(middle) == 5 and middle[1] == middle[2] and order == (0, 3, 1, 4, 2):
        factor = middle[1]
        if middle[3:] == start[1:] and end == (middle[0], start[1] * factor, start[2] * factor):
            made = ("pixel_shuffle", {"upscale_factor": factor})
    if made is None:
        return None
    return b.emit(made[0], made[1], Activation(spread.inputs[0], (dims[0], *start)))


def _group_norm(b: Builder, value: Activation, dims: tuple[int, ...]) -> Activation | None:
    """PyTorch's group norm: an instance norm of [groups, rest], brought back to the shape from before."""
    norm = b.steps[value.step]
    if norm.kind != "instance_norm" or norm.layer is None or not value.batched or dims[:1] != value.dims[:1]:
        return None
    grouped = b.steps[norm.inputs[0]]
    if grouped.kind != "reshape" or b.steps[grouped.inputs[0]].shape != dims[1:]:
        return None
    eps = {name: number for name, number in norm.layer.fields().items() if name == "eps"}
    fields = {"num_groups": grouped.shape[0], "affine": False, **eps}
    return b.emit("group_norm", fields, Activation(grouped.inputs[0], dims))


def flatten(b: Builder) -> Activation:
    """Flatten to two axes."""
    value = b.activation(0)
    axis = b.node.integer("axis", 1)
    axis += len(value.dims) if axis < 0 else 0
    if not 0 <= axis <= len(value.dims):
        raise Malformed(f"axis {axis} does not exist in {list(value.dims)}")
    return b.relayout(value, (prod(value.dims[:axis]), prod(value.dims[axis:])))


def squeeze(b: Builder) -> Activation:
    """Squeeze; without the batch axis the rest goes on unbatched."""
    value = b.activation(0)
    axes = axes_of(b.node, [b.value(i) for i in range(2)])
    dims = rules.squeezed(value.dims, axes)
    gone = value.batched and (
        0 in {axis % len(value.dims) for axis in axes} if axes is not None else value.dims[0] == 1
    )
    return b.relayout(value, dims, batched=value.batched and not gone)


def unsqueeze(b: Builder) -> Activation:
    """Unsqueeze; a new first axis of an unbatched value becomes the batch."""
    value = b.activation(0)
    axes = axes_of(b.node, [b.value(i) for i in range(2)])
    if axes is None:
        raise Malformed("its axes are missing")
    dims = rules.unsqueezed(value.dims, axes)
    first = any(axis % len(dims) == 0 for axis in axes)
    return b.relayout(value, dims, batched=first if not value.batched else not first)


def transpose(b: Builder) -> Activation:
    """Transpose that keeps the batch first."""
    value = b.activation(0)
    order = rules.permutation(b.node, len(value.dims))
    if order == tuple(range(len(order))):
        return value
    if value.batched and order[0] != 0:
        raise Unsupported("it moves the batch")
    dims = tuple(axis - 1 for axis in order[1:]) if value.batched else order
    return b.emit("permute", {"dims": dims}, value)


def slice_(b: Builder) -> Activation:
    """Slice: a crop of the space, or a part of the channels."""
    value = b.activation(0)
    spans = rules.slice_spans(b.node, value.dims, [b.value(i) for i in range(len(b.node.inputs))])
    changed = [axis for axis, span in enumerate(spans) if span != range(value.dims[axis])]
    if not changed:
        return value
    if any(spans[axis].step != 1 for axis in changed):
        raise Unsupported("it takes every other position")
    if any(not len(spans[axis]) for axis in changed):
        raise Malformed(f"it leaves nothing of {list(value.dims)}")
    if changed == [0] and value.batched:
        raise Unsupported("it slices the batch")
    first = int(value.batched)
    if changed == [first]:
        span, size = spans[first], value.dims[first]
        sizes = (span.start, len(span), size - span.stop)
        parts = tuple(n for n in sizes if n)
        return _split(b, value, parts)[1 if span.start else 0]
    if changed[0] <= first:
        raise Unsupported("it slices channels and space at once")
    cuts = tuple((span.start, size - span.stop) for span, size in zip(spans, value.dims, strict=True))[first + 1 :]
    return b.emit("crop", {"cropping": cuts}, value)


def _split(b: Builder, value: Activation, sizes: tuple[int, ...]) -> list[Activation]:
    made = [b.emit("split", {"channels": sizes, "part": part}, value) for part in range(len(sizes))]
    for part, activation in enumerate(made):
        b.steps[activation.step].part = part
    return made


def split(b: Builder) -> list[Activation]:
    """Split along the channels."""
    value = b.activation(0)
    axis = counted(b.node.integer("axis"), len(value.dims))
    if axis != int(value.batched):
        raise Unsupported("it splits another axis than the channels")
    size, count = value.dims[axis], len(b.node.outputs)
    sizes = b.node.integers("split")
    if sizes is None and b.value(1) is not None:
        sizes = whole(b.constant(1), "sizes")
    if sizes is None:
        each = -(-size // count)
        sizes = (*(each,) * (count - 1), size - each * (count - 1))
    if len(sizes) != count or sum(sizes) != size or min(sizes) < 1:
        raise Malformed(f"the parts {list(sizes)} of its {count} outputs do not make up {size}")
    return _split(b, value, sizes)
