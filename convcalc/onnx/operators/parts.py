"""Operators that take parts of a tensor: slices, splits, positions, rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...layers.base import Shape
from ...layers.layout import relative_window
from ...models.making import Fields, Unsupported, spelled
from ..builder import Builder
from ..messages import Malformed, Unknown
from ..values import Activation, Call, Constant, counted, strides
from .folding import gathered_elements, gathered_slices, taken
from .layout import own_axis
from .record import Operator

MOST_INDICES = 64
"""Positions that are written out; of more it is said how many they are, or which window's offsets."""


def _spans(call: Call) -> list[range]:
    """The positions that a Slice takes of each axis."""
    dims, node = call.dims(), call.node
    starts, ends = node.integers("starts"), node.integers("ends")
    axes, steps = node.integers("axes"), None
    if starts is None or ends is None:
        starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
        axes = call.integers(3, "axes") if call.value(3) is not None else None
        steps = call.integers(4, "steps") if call.value(4) is not None else None
    spans = [range(size) for size in dims]
    axes = axes if axes is not None else tuple(range(len(starts)))
    steps = steps if steps is not None else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise Malformed("its starts, ends, axes and steps do not fit together")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        position = counted(axis, len(dims))
        spans[position] = range(dims[position])[start:end:step]
    return spans


def _slice_dims(call: Call) -> Shape:
    return tuple(len(span) for span in _spans(call))


def _sliced(call: Call, shape: Shape) -> Constant:
    value = call.constant()
    return value.become(shape, taken(value, strides(value.shape), _spans(call)))


def _slice(b: Builder) -> Activation | Sequence[Activation]:
    """A crop of the space, a part of the channels, or positions of other axes, one after the other."""
    value, spans = b.activation(), _spans(b.call)
    changed = [axis for axis, span in enumerate(spans) if span != range(value.dims[axis])]
    if not changed:
        return value
    if any(not len(spans[axis]) for axis in changed):
        raise Malformed(f"it leaves nothing of {list(value.dims)}")
    first = int(value.batched)
    if all(spans[axis].step == 1 for axis in changed):
        if changed == [first]:
            span, size = spans[first], value.dims[first]
            sizes = (span.start, len(span), size - span.stop)
            return _parts(b, value, tuple(n for n in sizes if n))[1 if span.start else 0]
        if changed[0] > first:
            cuts = tuple((span.start, size - span.stop) for span, size in zip(spans, value.dims, strict=True))
            return b.emit("crop", {"cropping": cuts[first + 1 :]}, value)
    for axis in changed:
        value = positions(b, value, own_axis(value, axis, "slices"), spans[axis], value.dims[axis])
    return value


def positions(b: Builder, value: Activation, dim: int, span: range, size: int) -> Activation:
    """Some positions of an axis of a size, in their order or backwards."""
    if span.step < 0:
        value = b.emit("flip", {"dims": (dim,)}, value)
        span = range(size - 1 - span[0], size - span[-1], -span.step)
    if span == range(size):
        return value
    stop = None if span.stop == size else span.stop
    fields: Fields = {"dim": dim, "start": span.start, "stop": stop, "step": span.step}
    return b.emit("slice", spelled("slice", fields), value)


def _parts(b: Builder, value: Activation, sizes: tuple[int, ...], dim: int = 0) -> list[Activation]:
    along = spelled("split", {"dim": dim})
    return [b.emit("split", {"channels": sizes, **along, "part": part}, value) for part in range(len(sizes))]


def _split_sizes(call: Call) -> tuple[int, ...]:
    """The sizes of a Split's parts; by default equal but for the last."""
    size, count = call.dims()[call.axis()], len(call.node.outputs)
    sizes = call.node.integers("split")
    if sizes is None and call.value(1) is not None:
        sizes = call.integers(1, "sizes")
    if sizes is None:
        each = -(-size // count)
        sizes = (*(each,) * (count - 1), size - each * (count - 1))
    if len(sizes) != count or sum(sizes) != size or min(sizes) < 0:
        raise Malformed(f"the parts {list(sizes)} of its {count} outputs do not make up {size}")
    return sizes


def _split_dims(call: Call) -> list[Shape]:
    dims, axis = call.dims(), call.axis()
    return [(*dims[:axis], size, *dims[axis + 1 :]) for size in _split_sizes(call)]


def _cut(call: Call) -> list[Constant]:
    """The parts of a constant."""
    value, axis = call.constant(), call.axis()
    found, start = [], 0
    for shape in _split_dims(call):
        spans = [range(size) for size in value.shape]
        spans[axis] = range(start, start + shape[axis])
        found.append(value.become(shape, taken(value, strides(value.shape), spans)))
        start += shape[axis]
    return found


def _split(b: Builder) -> list[Activation]:
    """One layer a part."""
    value = b.activation()
    dim = own_axis(value, b.call.axis(), "splits")
    if b.node.integers("split") is None:
        b.constant(1)
    sizes = _split_sizes(b.call)
    if 0 in sizes:
        raise Malformed(f"the parts {list(sizes)} leave an output empty")
    return _parts(b, value, sizes, dim)


def _gather_dims(call: Call) -> Shape:
    dims, axis = call.dims(), call.axis()
    return (*dims[:axis], *call.dims(1), *dims[axis + 1 :])


def _gathered(call: Call, shape: Shape) -> Constant:
    value, axis = call.constant(), call.axis()
    if call.constant(1).numbers is None:
        return value.become(shape, None)
    indices, size = call.integers(1, "indices"), value.shape[axis]
    wanted = [i + size * (i < 0) for i in indices]
    if any(not 0 <= i < size for i in wanted):
        raise Malformed(f"index {list(indices)} reaches outside {size}")
    spans: list[Sequence[int]] = [range(n) for n in value.shape]
    spans[axis] = wanted
    return value.become(shape, taken(value, strides(value.shape), spans))


def _gather(b: Builder) -> Activation:
    """A position of an axis, some of them, or another order of them; under indices of several axes then reshaped."""
    if isinstance(b.call.value(0), Constant) and isinstance(b.call.value(1), Activation) and not b.call.axis():
        return _looked_up(b)
    value, dims, axis = b.activation(), _gather_dims(b.call), b.call.axis()
    wanted, size = b.call.value(1), value.dims[axis]
    if not isinstance(wanted, Constant):
        raise Unsupported("its indices are computed while it runs")
    numbers = None if wanted.numbers is None else [_inside(n, size) for n in b.call.integers(1, "indices")]
    if numbers is not None and len(numbers) == 1 and not wanted.shape:
        return _selected(b, value, axis, numbers[0])
    if numbers is not None and numbers == list(range(size)):
        return b.relayout(value, dims)
    dim = own_axis(value, axis, "gathers from")
    taken = prod(wanted.shape)
    if numbers is not None and numbers == list(range(numbers[0], numbers[0] + taken)):
        made = positions(b, value, dim, range(numbers[0], numbers[0] + taken), size)
    else:
        few = numbers is not None and len(numbers) <= MOST_INDICES
        which: Fields = {"indices": tuple(numbers)} if few and numbers is not None else {"count": taken}
        window = None if few or numbers is None else relative_window(numbers, size)
        if window is not None:
            which = {"relative": window}
        made = b.emit("index_select", {"dim": dim, **which}, value)
    return made if made.dims == dims else b.relayout(made, dims)


def _looked_up(b: Builder) -> Activation:
    """Rows of a table that an activation names."""
    table, positions = b.weight(0, rank=2), b.activation(1)
    if not table.holds_weights:
        raise Unsupported("it picks numbers that nothing learns by indices that are computed while it runs")
    fields: Fields = {"num_embeddings": table.shape[0], "embedding_dim": table.shape[1]}
    return b.emit("embedding", fields, positions, weights=[table])


def _slices_dims(call: Call) -> Shape:
    """Of a GatherND: one slice for each row of the indices."""
    dims, indices = call.dims(), call.dims(1)
    if call.node.integer("batch_dims") or not indices or not 0 < indices[-1] <= len(dims):
        raise Unknown(f"its indices {list(indices)} are not positions in {list(dims)}")
    return (*indices[:-1], *dims[indices[-1] :])


def _gather_slices(b: Builder) -> Activation:
    """GatherND of positions of the first axis, which are those of a Gather."""
    indices = b.call.value(1)
    if _slices_dims(b.call) and isinstance(indices, Constant) and indices.shape[-1] != 1:
        raise Unsupported("it gathers from several axes at once")
    if isinstance(indices, Constant):
        b.call = b.call._replace(inputs=(b.call.value(0), indices.reshaped(indices.shape[:-1])))
    return _gather(b)


def _inside(index: float, size: int) -> int:
    found = int(index) + size * (index < 0)
    if not 0 <= found < size:
        raise Malformed(f"index {index} reaches outside {size}")
    return found


def _selected(b: Builder, value: Activation, axis: int, index: int) -> Activation:
    """One position of an axis, which is gone then; that of a batch of one is all that there is."""
    if value.batched and not axis and b.is_one_example(value) and len(value.dims) > 1:
        return b.relayout(value, value.dims[1:], batched=False)
    return b.emit("select", {"dim": own_axis(value, axis, "selects of"), "index": index}, value)


OPERATORS = (
    Operator("Slice", _slice, dims=_slice_dims, fold=_sliced, inputs=(1, 5)),
    Operator("Split", _split, parts=_split_dims, fold_parts=_cut, inputs=(1, 2)),
    Operator("Gather", _gather, dims=_gather_dims, fold=_gathered, inputs=(2, 2)),
    Operator("GatherElements", dims=lambda call: call.dims(1), fold=gathered_elements, inputs=(2, 2)),
    Operator("GatherND", _gather_slices, dims=_slices_dims, fold=gathered_slices, inputs=(2, 2)),
)
