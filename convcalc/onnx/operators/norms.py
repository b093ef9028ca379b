"""Normalizations, and reductions along axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from ...layers.base import Shape
from ...models.making import Fields, Unsupported, spelled
from ..builder import Builder
from ..learned import of_a_module
from ..messages import Malformed
from ..patterns import layer_norm_fields, tag_mean
from ..values import Activation, Call, Constant, counted
from .folding import reduction
from .record import Fold, Operator, kept


def _eps(b: Builder) -> float:
    return b.node.number("epsilon", 1e-5)


def _eps_of(b: Builder, kind: str) -> Fields:
    """The same as a field of a norm, where it is another one than the language's."""
    return spelled(kind, {"eps": _eps(b)})


def _batch_norm(b: Builder) -> Activation:
    """With its running statistics."""
    value = b.batched(b.activation())
    weights = [b.weight(i, rank=1) for i in range(1, 5)]
    for position, weight in enumerate(weights, start=1):
        if weight.shape != value.shape[:1]:
            raise Malformed(
                f"input {position} {list(weight.shape)} is not one number for each channel of {list(value.dims)}"
            )
    if weights[0].is_only(1) and weights[1].is_only(0):
        return b.emit("batch_norm", {**_eps_of(b, "batch_norm"), "affine": False}, value, weights=weights[2:])
    return b.emit("batch_norm", _eps_of(b, "batch_norm"), value, weights=weights)


def _of_constants(call: Call, shape: Shape) -> Constant:
    """Standardised weights, whose numbers are not computed."""
    return Constant(shape, floating=True)


def _instance_norm(b: Builder) -> Activation:
    """With a factor and a bias a channel, or with the ones and zeros that exporters write where it has none."""
    value = b.batched(b.activation())
    weights = [b.weight(i, rank=1) for i in (1, 2)]
    if all(map(_of_an_exporter, weights, (1.0, 0.0))):
        return b.emit("instance_norm", _eps_of(b, "instance_norm"), value)
    return b.emit("instance_norm", {**_eps_of(b, "instance_norm"), "affine": True}, value, weights=weights)


def _of_an_exporter(value: Constant, number: float) -> bool:
    """Whether it is this number over and over, under a name that no module gave it."""
    numbers = value.numbers
    return not of_a_module(value.name) and numbers is not None and set(numbers) == {number}


def _group_norm(b: Builder) -> Activation:
    """With a factor and a bias a channel, as from opset 21."""
    value, groups = b.batched(b.activation()), b.node.integer("num_groups", 1)
    weights = [b.weight(i, rank=1) for i in (1, 2)]
    if weights[0].shape != value.shape[:1]:
        raise Unsupported("its factors are one a group")
    return b.emit("group_norm", {**_eps_of(b, "group_norm"), "num_groups": groups}, value, weights=weights)


def _layer_norm(b: Builder) -> Activation:
    """Over trailing axes, without the ones and zeros that exporters write where it has no factor or no bias."""
    value, weight = b.activation(), b.weight(1)
    axis = b.call.axis(-1) - value.batched
    if axis < 0:
        raise Unsupported("it normalizes over the batch")
    bias = b.constant(2)
    fields = layer_norm_fields(value.shape, axis, _eps(b))
    if weight.shape != value.shape[axis:]:
        raise Unsupported(f"its factors {list(weight.shape)} are not one an element")
    bias = None if bias is not None and bias.is_only(0) else bias
    if bias is None and weight.is_only(1):
        return b.emit("layer_norm", {**fields, "elementwise_affine": False}, value)
    if bias is None:
        fields["bias"] = False
    return b.emit("layer_norm", fields, value, weights=[weight] if bias is None else [weight, bias])


def _lrn(b: Builder) -> Activation:
    """Over neighbouring channels."""
    fields: Fields = {"size": b.node.integer("size")}
    for name, attribute, default in (("alpha", "alpha", 1e-4), ("beta", "beta", 0.75), ("k", "bias", 1.0)):
        number = b.node.number(attribute, default)
        if number != default:
            fields[name] = number
    return b.emit("local_response_norm", fields, b.batched(b.activation()))


def _reduced_axes(call: Call) -> tuple[int, ...]:
    """The axes that a reduction runs over, by default all."""
    rank, axes = len(call.dims()), call.axes()
    if axes is None and call.node.integer("noop_with_empty_axes"):
        return ()
    return tuple(sorted({counted(axis, rank) for axis in axes})) if axes else tuple(range(rank))


def _reduced(call: Call) -> Shape:
    axes, keep = _reduced_axes(call), call.node.integer("keepdims", 1)
    return tuple(1 if axis in axes else size for axis, size in enumerate(call.dims()) if keep or axis not in axes)


REDUCED: dict[str, tuple[str, Fields]] = {
    "ReduceMean": ("mean", {}),
    "ReduceSum": ("sum", {}),
    "ReduceMax": ("amax", {}),
    "ReduceMin": ("amin", {}),
    "ReduceProd": ("prod", {}),
    "ReduceLogSumExp": ("logsumexp", {}),
    "ReduceL2": ("norm", {}),
    "ReduceL1": ("norm", {"p": 1.0}),
    "ReduceSumSquare": ("sum", {}),
    "ReduceLogSum": ("sum", {}),
}
"""Operator -> (the kind of the reduction, its fields)."""


def _reduce(b: Builder) -> Activation:
    """Of all space by mean or maximum a global pool; a mean may also begin a layer norm."""
    value, op = b.activation(), b.node.op
    rank = len(value.dims)
    axes, dims = _reduced_axes(b.call), _reduced(b.call)
    if not axes and rank:
        return value
    pools = {"ReduceMean": "global_avg_pool", "ReduceMax": "global_max_pool"}
    if value.batched and rank > 2 and axes == tuple(range(2, rank)) and op in pools:
        made = b.emit(pools[op], {}, value)
        if len(dims) < rank:
            return b.relayout(made, dims, batched=True)
    else:
        made = _over_axes(b, value, tuple(axis - value.batched for axis in axes))
    if op == "ReduceMean" and len(dims) == rank:
        tag_mean(b, made, value, axes)
    return made


def _over_axes(b: Builder, value: Activation, axes: tuple[int, ...]) -> Activation:
    """The reduction of these axes of the language's shape."""
    op = b.node.op
    if min(axes, default=0) < 0:
        raise Unsupported("it runs over the batch")
    kind, fields = REDUCED[op]
    keep: Fields = {"keepdim": True} if b.node.integer("keepdims", 1) else {}
    dim: Fields = {} if len(axes) == len(value.shape) else {"dim": axes[0] if len(axes) == 1 else axes}
    source = b.emit("square", {}, value) if op == "ReduceSumSquare" else value
    made = b.emit(kind, {**dim, **keep, **fields}, source)
    return b.emit("log", {}, made) if op == "ReduceLogSum" else made


def _argmax(b: Builder) -> Activation:
    """The position of the largest along an axis, or of the smallest, whose negative is the largest."""
    value, dim = b.activation(), b.call.axis()
    if b.node.op == "ArgMin":
        value = b.emit("neg", {}, value)
    if dim < value.batched:
        raise Unsupported("it runs over the batch")
    keep: Fields = {"keepdim": True} if b.node.integer("keepdims", 1) else {}
    return b.emit("argmax", {"dim": dim - value.batched, **keep}, value)


def _best(call: Call) -> Shape:
    """Dims of the position of the largest or smallest along an axis."""
    dims, axis = call.dims(), call.axis()
    return (*dims[:axis], *((1,) if call.node.integer("keepdims", 1) else ()), *dims[axis + 1 :])


def _best_axis(call: Call) -> tuple[int]:
    return (call.axis(),)


def _position(best: Callable[[Sequence[float]], float]) -> Fold:
    """The fold of the position of the largest or smallest; of equal ones the first, or the last."""

    def fold(call: Call, shape: Shape) -> Constant | None:
        last = call.node.integer("select_last_index")

        def position(row: Sequence[float]) -> int:
            ordered = row[::-1] if last else row
            found = ordered.index(best(ordered))
            return len(row) - 1 - found if last else found

        return reduction(position, _best_axis)(call, shape)

    return fold


_REDUCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "ReduceMean": lambda row: sum(row) / len(row),
    "ReduceMax": max,
    "ReduceMin": min,
    "ReduceSum": sum,
    "ReduceProd": prod,
    "ReduceL1": lambda row: sum(map(abs, row)),
    "ReduceSumSquare": lambda row: sum(a * a for a in row),
}
_UNFOLDED = ("ReduceL2", "ReduceLogSum", "ReduceLogSumExp")
"""Reductions that no shape is computed by."""

OPERATORS = (
    Operator("BatchNormalization", _batch_norm, dims=kept, fold=_of_constants, weights=(1, 2, 3, 4), inputs=(5, 5)),
    Operator("InstanceNormalization", _instance_norm, dims=kept, fold=_of_constants, weights=(1, 2), inputs=(3, 3)),
    Operator("LayerNormalization", _layer_norm, dims=kept, weights=(1, 2), inputs=(2, 3)),
    Operator("GroupNormalization", _group_norm, dims=kept, weights=(1, 2), inputs=(3, 3)),
    Operator("LRN", _lrn, dims=kept),
    *(
        Operator(name, _reduce, inputs=(1, 2), dims=_reduced, fold=reduction(reduce, _reduced_axes))
        for name, reduce in _REDUCTIONS.items()
    ),
    *(Operator(name, _reduce, inputs=(1, 2), dims=_reduced) for name in _UNFOLDED),
    Operator("ArgMax", _argmax, dims=_best, fold=_position(max)),
    Operator("ArgMin", _argmax, dims=_best, fold=_position(min)),
)
