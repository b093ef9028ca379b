"""Functions that take parts of a tensor, by slices, positions and rows of tables, and what is written into a part."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....layers.base import Shape
from ....layers.layout import relative_window
from ...tape import Ref, refs
from ..arguments import bound, listed
from ..builder import Builder, Fields, Unsupported
from ..names import base_name
from ..values import Activation, Constant, Parameter, Sizes, Value
from .axes import axis_of
from .layout import permuted
from .record import Function


def sliced(b: Builder, value: Activation, dim: int, start: int, stop: int | None, step: int = 1) -> Activation:
    """The positions start … stop of an axis; the whole of the batch alone."""
    axis = value.sizes.axis(dim)
    before = (value.sizes.first[axis], value.sizes.second[axis])
    after = tuple(len(range(*slice(start, stop, step).indices(size))) for size in before)
    if after == before and step == 1:
        return value
    if not after[0]:
        raise Unsupported("it takes nothing")
    own = axis_of(value, dim)
    fields: Fields = {"dim": own} if own else {}
    fields |= {"start": start} if start else {}
    fields |= {"stop": stop} if stop is not None and stop < before[0] else {}
    fields |= {"step": step} if step != 1 else {}
    sizes = value.sizes.put(axis, (after[0], after[1]), instead=True)
    return b.seen(b.layer("slice", fields, b.settled(value)), sizes, value.place)


def selected(b: Builder, value: Activation, dim: int, index: int) -> Activation:
    """One position of an axis, which is gone then; of an axis along which tensors were stacked it is one of them."""
    axis = value.sizes.axis(dim)
    place = value.place
    if place is not None and axis < place.axis:
        place = place._replace(axis=place.axis - 1)
    own = axis_of(value, dim)
    sizes = value.sizes.put(axis, instead=True)
    if value.sizes.first[axis] == 1 == value.sizes.second[axis]:
        return Activation(value.step, sizes, place, b.call.scope)
    made = b.steps[value.step]
    if made.layer is not None and made.layer.family == "Stack" and made.shape == value.shape:
        if made.layer.fields().get("dim", 0) == own:
            return Activation(made.inputs[index], sizes, place, b.call.scope)
    return b.seen(b.layer("select", {"dim": own, "index": index}, b.settled(value)), sizes, place)


def unsqueezed(b: Builder, value: Activation, axis: int) -> Activation:
    """A new axis of size 1."""
    place = value.place
    if place is not None and axis <= place.axis:
        place = place._replace(axis=place.axis + 1)
    return Activation(value.step, value.sizes.put(axis, (1, 1)), place, b.call.scope)


def _getitem(b: Builder) -> Value:
    """Numbers, slices, None, Ellipsis, and one tensor of positions."""
    index = b.arguments["index"]
    index = index if listed(index) else (index,)
    value = b.activation("input")
    if Ellipsis not in [item for item in index if not isinstance(item, Ref)]:
        index = (*index, Ellipsis)
    axis = 0
    for item in index:
        if item is None:
            value = unsqueezed(b, value, axis)
            axis += 1
        elif item is Ellipsis:
            axis = value.sizes.rank - _behind(index)
        elif isinstance(item, slice):
            start, stop, step = map(b.bound, (item.start, item.stop, item.step))
            value = sliced(b, value, axis, start or 0, stop, 1 if step is None else step)
            axis += 1
        elif isinstance(item, bool):
            raise Unsupported("it is indexed by a truth value")
        elif isinstance(item, int):
            value = selected(b, value, axis, item)
        elif isinstance(item, Ref):
            if sum(isinstance(other, Ref) for other in index) > 1:
                return _gathered(b, b.activation("input"), index)
            value = indexed(b, value, axis, b.values[item.tensor])
            axis += b.values[item.tensor].sizes.rank
        elif isinstance(item, tuple) and item and all(type(position) is int for position in item):
            value = taken(b, value, axis, (len(item),), (len(item),), item)
            axis += 1
        else:
            raise Unsupported("its index is not known")
    return b.made(value.step, value.place)


def _behind(index: Sequence[object]) -> int:
    """How many axes what stands behind the Ellipsis takes."""
    at = next(n for n, item in enumerate(index) if item is Ellipsis)
    return sum(item is not None for item in index[at + 1 :])


def indexed(b: Builder, value: Activation, dim: int, positions: Value) -> Activation:
    """The positions of an axis that a constant tensor names; its axes stand in the place of that one."""
    if not isinstance(positions, Constant):
        raise Unsupported("its positions are computed while it runs")
    if b.tape.tensors[positions.source].dtype == "bool":
        raise Unsupported("it is indexed by truth values")
    numbers = _counted(b, positions) if positions.numbers is None else tuple(map(int, positions.numbers))
    return taken(b, value, dim, positions.sizes.first, positions.sizes.second, numbers)


def _counted(b: Builder, positions: Constant) -> tuple[int, ...] | None:
    """The numbers from 0 on, where a call counts them; None for others."""
    producer = b.producers.get(positions.source)
    if producer is None or base_name(b.tape.calls[producer].function) != "arange":
        return None
    ends = b.tape.calls[producer].args
    count = prod(positions.sizes.first)
    return tuple(range(count)) if ends in ((count,), (0, count)) and count <= MOST_COUNTED else None


MOST_COUNTED = 1 << 16
"""Positions that are counted."""


def taken(
    b: Builder, value: Activation, dim: int, first: Shape, second: Shape, positions: tuple[int, ...] | None
) -> Activation:
    """Positions of an axis, in whose place stand axes of these sizes; few of them are written out."""
    axis, own = value.sizes.axis(dim), axis_of(value, dim)
    size = value.sizes.first[axis]
    sizes = value.sizes.put(axis, *zip(first, second, strict=True), instead=True)
    place = value.place
    if place is not None and axis < place.axis:
        place = place._replace(axis=place.axis + len(first) - 1)
    if positions == tuple(range(size)) and first == second:
        return Activation(value.step, sizes, place, b.call.scope)
    fields: Fields = {"dim": own}
    window = None if positions is None or first != second else relative_window(positions, value.sizes.first[axis])
    if positions is not None and len(positions) <= FEW:
        fields["indices"] = positions
    elif window is not None:
        fields["relative"] = window
    else:
        fields["count"] = prod(first)
    return b.seen(b.layer("index_select", fields, b.settled(value)), sizes, place)


FEW = 64
"""Positions that are written out."""


def _unfold(b: Builder) -> Activation:
    """Windows along an axis, whose positions become a last axis; torch.nn.functional.unfold has another name."""
    value = b.activation("input")
    axis = value.sizes.axis(b.integer("dimension"))
    size, step = b.integer("size"), b.integer("step")
    output = b.output()
    windows = (output.first[axis], output.second[axis])
    if value.place is not None and axis == value.place.axis:
        raise Unsupported("it works along the batch")
    positions = None
    if windows[0] * size <= FEW:
        positions = tuple(window * step + offset for window in range(windows[0]) for offset in range(size))
    if step == size and windows[0] * size == value.sizes.first[axis]:
        spread = value
    else:
        spread = taken(b, value, axis, (windows[0] * size,), (windows[1] * size,), positions)
    apart = spread.sizes.put(axis, windows, (size, size), instead=True)
    seen = b.viewed(spread, apart)
    assert isinstance(seen, Activation)
    return permuted(b, seen, [*(n for n in range(apart.rank) if n != axis + 1), axis + 1])


def _setitem(b: Builder) -> Activation:
    return _replaced(b, b.activation("input"), b.given("value"))


def _replaced(b: Builder, value: Activation, new: Value) -> Activation:
    """A block of positions replaced by other numbers: what lies around it is joined with them, axis by axis."""
    index = b.arguments["index"]
    index = index if listed(index) else (index,)
    if not all(item is Ellipsis or isinstance(item, slice) for item in index):
        raise Unsupported("it writes to single positions")
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    at = index.index(Ellipsis)
    whole = (*index[:at], *[slice(None)] * (value.sizes.rank - len(index) + 1), *index[at + 1 :])
    bounds: list[tuple[int, int, int]] = []
    for axis, item in enumerate(whole):
        bound = slice(*map(b.bound, (item.start, item.stop, item.step)))
        start, stop, step = bound.indices(value.sizes.first[axis])
        if step != 1:
            raise Unsupported("it writes to every other position")
        if (start, stop) != (0, value.sizes.first[axis]):
            bounds.append((axis, start, stop))
    block = b.active(new)
    inner = value
    around: list[tuple[int, Activation | None, Activation | None]] = []
    for axis, start, stop in bounds:
        size = inner.sizes.first[axis]
        before = sliced(b, inner, axis, 0, start) if start else None
        after = sliced(b, inner, axis, stop, None) if stop < size else None
        around.append((axis, before, after))
        inner = sliced(b, inner, axis, start, stop)
    if block.sizes.first != inner.sizes.first or block.place != inner.place:
        raise Unsupported("what it writes is repeated")
    made = b.settled(block)
    for axis, before, after in reversed(around):
        parts = [*([b.settled(before)] if before else []), made, *([b.settled(after)] if after else [])]
        own = axis_of(value, axis)
        made = b.layer("concat", {"dim": own} if own else {}, *parts)
    return b.made(made, value.place)


def _written(b: Builder) -> Value:
    """A tensor that was written to through a view of it: all of it, or a block of positions."""
    old, written = b.arguments["input"], b.arguments.get("written")
    if not isinstance(old, Ref) or not isinstance(written, Ref):
        raise Unsupported("it was written to through a view")
    tensor = _first_read(b, b.producers[written.tensor])
    views: list[int] = []
    while tensor is not None and tensor != old.tensor and tensor in b.producers:
        views.append(b.producers[tensor])
        tensor = _first_read(b, views[-1])
    names = [base_name(b.tape.calls[view].function) for view in views]
    if tensor is None or any(name not in VIEWS for name in names) or names.count("__getitem__") > 1:
        raise Unsupported("it was written to through a view whose positions are not known")
    value = b.values[written.tensor]
    if "__getitem__" not in names:
        return b.viewed(value, b.output())
    block = b.tape.calls[views[names.index("__getitem__")]]
    b.arguments = bound("input index", block.args, block.kwargs)
    return _replaced(b, b.active(b.values[old.tensor]), b.viewed(value, b.sizes(block.outputs[0])))


VIEWS = {"__getitem__", "view", "view_as", "unsqueeze", "squeeze", "flatten", "unflatten", "detach"}
"""Functions after which a view is still of the same positions, `__getitem__` aside, which says them."""
PARTS = {"chunk", "split", "split_with_sizes", "tensor_split", "unbind", "select", "narrow", "slice", "__getitem__"}
"""Functions that take parts of a tensor."""


def _first_read(b: Builder, call: int) -> int | None:
    """The first tensor among the arguments of a call."""
    return next(iter(refs(b.tape.calls[call].args)), None)


def _gathered(b: Builder, value: Activation, index: Sequence[object]) -> Activation:
    """Several tensors of positions side by side are positions in the axes as one."""
    positions = [b.values[item.tensor] for item in index if isinstance(item, Ref)]
    first = next(n for n, item in enumerate(index) if isinstance(item, Ref))
    stop = first + len(positions)
    plain = all(isinstance(item, slice) and item == slice(None) for item in index[:first])
    if (
        not plain
        or not all(isinstance(item, Ref) for item in index[first:stop])
        or index[stop:] not in ((), (Ellipsis,))
    ):
        raise Unsupported("it is indexed by several tensors")
    if not all(isinstance(position, Constant) for position in positions):
        raise Unsupported("its positions are computed while it runs")
    own = [axis_of(value, axis) for axis in range(first, stop)]
    rank = b.output().rank - value.sizes.rank + len(positions)
    found = b.output().first[first : first + rank]
    if b.output().second[first : first + rank] != found:
        raise Unsupported("how many positions it takes depends on the input's size")
    merged = b.layer("flatten", {"start_dim": own[0], "end_dim": own[-1]}, b.settled(value))
    made = b.layer("index_select", {"dim": own[0], "count": prod(found)}, merged)
    return b.made(made, value.place)


def _select(b: Builder) -> Activation:
    return selected(b, b.activation("input"), b.integer("dim"), b.integer("index"))


def _slice(b: Builder) -> Activation:
    bounds = [None if b.arguments.get(name) is None else b.integer(name) for name in ("start", "end", "step")]
    value = b.activation("input")
    stop = bounds[1] if bounds[1] is None or bounds[1] < 2**62 else None
    made = sliced(b, value, b.integer("dim"), bounds[0] or 0, stop, bounds[2] or 1)
    return b.made(made.step, made.place)


def _narrow(b: Builder) -> Activation:
    start = b.integer("start")
    made = sliced(b, b.activation("input"), b.integer("dim"), start, start + b.integer("length"))
    return b.made(made.step, made.place)


def _index_select(b: Builder) -> Activation:
    return indexed(b, b.activation("input"), b.integer("dim"), b.given("index"))


def _embedding(b: Builder) -> Activation:
    """Rows of a table; ATen's function takes the table first, where its arguments have no names."""
    positions, table = b.given("indices"), b.given("weight")
    if b.call.function.startswith("aten.") and b.call.args:
        positions, table = table, positions
    if not isinstance(positions, Activation):
        return indexed(b, b.active(table), 0, positions)
    return b.made(_rows(b, positions, table), positions.place)


def _rows(b: Builder, positions: Activation, table: Value) -> int:
    """The layer that looks up rows of a table that the model holds."""
    if not isinstance(table, Parameter) or table.sizes.rank != 2:
        raise Unsupported("it looks up rows of a table that is computed")
    if b.arguments.get("max_norm") is not None:
        raise Unsupported("it scales the rows that it looks up")
    rows, width = table.sizes.first
    fields: Fields = {"num_embeddings": rows, "embedding_dim": width}
    return b.layer("embedding", fields, b.settled(positions), weights={"weight": table.source})


def _embedding_bag(b: Builder) -> Activation:
    """The mean, the sum or the maximum of the rows that the tokens of a row name."""
    tokens = b.activation("indices")
    if b.arguments.get("offsets") is not None or tokens.sizes.rank != 2:
        raise Unsupported("its bags have lengths of their own")
    if b.arguments.get("per_sample_weights") is not None or b.arguments.get("padding_idx") is not None:
        raise Unsupported("some of its rows count differently")
    rows, axis = _rows(b, tokens, b.given("weight")), axis_of(tokens, 1)
    kind = {"mean": "mean", "sum": "sum", "max": "amax"}[b.word("mode", "mean")]
    return b.made(b.layer(kind, {"dim": (axis,)}, rows), tokens.place)


def _index(b: Builder) -> Value:
    """aten.index: a list with a tensor or None an axis."""
    indices = b.arguments["indices"]
    b.arguments["index"] = tuple(slice(None) if item is None else item for item in indices)
    return _getitem(b)


def _unbind(b: Builder) -> list[Value | None]:
    value, dim = b.activation("input"), b.integer("dim")
    count = len(b.call.outputs)
    if value.sizes.first[value.sizes.axis(dim)] != count:
        raise Unsupported(f"it has {count} outputs")
    return [selected(b, value, dim, number) for number in range(count)]


def _split(b: Builder) -> list[Value | None]:
    """The parts of an axis, whose sizes the outputs say; of the batch's axis those of what stands outside of it."""
    value, axis = b.activation("input"), 0
    axis = value.sizes.axis(b.integer("dim"))
    outputs = [b.output(position) for position in range(len(b.call.outputs))]
    if len(outputs) == 1:
        return [value._replace(sizes=outputs[0])]
    if value.place is not None and axis == value.place.axis:
        return _split_outside(b, value, axis, outputs)
    own = axis_of(value, axis)
    channels = tuple(sizes.first[axis] for sizes in outputs)
    source = b.settled(value)
    parts = [
        b.layer("split", {"channels": channels, **({"dim": own} if own else {}), "part": part}, source)
        for part in range(len(outputs))
    ]
    return [b.made(step, value.place, part) for part, step in enumerate(parts)]


def _split_outside(b: Builder, value: Activation, axis: int, outputs: Sequence[Sizes]) -> list[Value | None]:
    place = value.place
    assert place is not None
    sizes = [output.first[axis] for output in outputs]
    if not place.folded or any(size % place.inner for size in sizes):
        raise Unsupported("it cuts the batch")
    source = b.settled(value)
    made: list[Value | None] = []
    for part, output in enumerate(outputs):
        step = b.layer("split", {"channels": tuple(sizes), **({"dim": axis} if axis else {}), "part": part}, source)
        folded = output.first[axis] != 1 or output.second[axis] != b.batch
        made.append(b.seen(step, output, place._replace(folded=folded)))
    return made


FUNCTIONS = (
    Function("__getitem__", "input index", _getitem),
    Function("__setitem__", "input index value", _setitem),
    Function("index", "input indices", _index),
    Function("unfold_windows", "input dimension size step", _unfold),
    Function("convcalc.written_elsewhere", "input written=None", _written),
    Function("select select_copy", "input dim index", _select),
    Function("slice slice_copy", "input dim=0 start=None end=None step=1", _slice),
    Function("narrow", "input dim start length", _narrow),
    Function("index_select", "input dim index", _index_select),
    Function("embedding", "indices weight padding_idx=None max_norm=None *rest", _embedding),
    Function(
        "embedding_bag",
        "indices weight offsets=None max_norm=None norm_type=2 scale_grad_by_freq=False mode=None sparse=False "
        "per_sample_weights=None include_last_offset=False padding_idx=None",
        _embedding_bag,
    ),
    Function("unbind", "input dim=0", _unbind),
    Function("split split_with_sizes unsafe_split split_copy", "input split_size dim=0", _split),
    Function("chunk unsafe_chunk", "input chunks dim=0", _split),
    Function("tensor_split", "input *sections dim=0", _split),
)
