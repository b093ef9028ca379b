"""Rules of normalizations and reductions."""

from __future__ import annotations

from typing import Any

from .builder import Builder, Unsupported
from .dims import axes_of, counted
from .model import Malformed
from .patterns import layer_norm_fields, tag_mean
from .values import Activation


def reduce(b: Builder) -> Activation:
    """Reductions: of all space by mean or maximum a global pool; a mean may also begin a layer norm."""
    value, op = b.activation(0), b.node.op
    rank = len(value.dims)
    axes = axes_of(b.node, [b.value(i) for i in range(2)])
    if axes is None and b.node.integer("noop_with_empty_axes"):
        return value
    keep = bool(b.node.integer("keepdims", 1))
    reduced = tuple(sorted({counted(axis, rank) for axis in axes})) if axes else tuple(range(rank))
    pools = {"ReduceMean": "global_avg_pool", "ReduceMax": "global_max_pool"}
    if value.batched and rank > 2 and reduced == tuple(range(2, rank)) and op in pools:
        made = b.emit(pools[op], {}, value)
        if not keep:
            return b.relayout(made, made.dims[:2], batched=True)
    else:
        sizes = [(axis, size) for axis, size in enumerate(value.dims) if keep or axis not in reduced]
        made = b.opaque(tuple(1 if axis in reduced else size for axis, size in sizes))
    if op == "ReduceMean" and keep:
        tag_mean(b, made, value, reduced)
    return made


def batch_norm(b: Builder) -> Activation:
    """BatchNormalization with its running statistics."""
    value = b.batched(b.activation(0))
    weights = [b.weight(i, rank=1) for i in range(1, 5)]
    for position, weight in enumerate(weights, start=1):
        if weight.shape != value.shape[:1]:
            raise Malformed(
                f"input {position} {list(weight.shape)} is not one number for each channel of {list(value.dims)}"
            )
    eps = b.node.number("epsilon", 1e-5)
    return b.emit("batch_norm", {"eps": eps} if eps != 1e-5 else {}, value, weights=weights)


def instance_norm(b: Builder) -> Activation:
    """InstanceNormalization with a factor and a bias a channel."""
    value = b.batched(b.activation(0))
    weights = [b.weight(i, rank=1) for i in (1, 2)]
    eps = b.node.number("epsilon", 1e-5)
    return b.emit("instance_norm", {"affine": True, **({"eps": eps} if eps != 1e-5 else {})}, value, weights=weights)


def group_norm(b: Builder) -> Activation:
    """GroupNormalization with a factor and a bias a channel, as from opset 21."""
    value, groups = b.batched(b.activation(0)), b.node.integer("num_groups", 1)
    weights = [b.weight(i, rank=1) for i in (1, 2)]
    if weights[0].shape != value.shape[:1]:
        raise Unsupported("its factors are one a group")
    eps = b.node.number("epsilon", 1e-5)
    return b.emit("group_norm", {"num_groups": groups, **({"eps": eps} if eps != 1e-5 else {})}, value, weights=weights)


def layer_norm(b: Builder) -> Activation:
    """LayerNormalization over trailing axes."""
    value, weight = b.activation(0), b.weight(1)
    axis = counted(b.node.integer("axis", -1), len(value.dims)) - value.batched
    if axis < 0:
        raise Unsupported("it normalizes over the batch")
    bias = b.constant(2)
    fields = layer_norm_fields(value.shape, axis, b.node.number("epsilon", 1e-5))
    if bias is None:
        fields["bias"] = False
    if weight.shape != value.shape[axis:]:
        raise Unsupported(f"its factors {list(weight.shape)} are not one an element")
    return b.emit("layer_norm", fields, value, weights=[weight] if bias is None else [weight, bias])


def lrn(b: Builder) -> Activation:
    """LRN over neighbouring channels."""
    fields: dict[str, Any] = {"size": b.node.integer("size")}
    for name, attribute, default in (("alpha", "alpha", 1e-4), ("beta", "beta", 0.75), ("k", "bias", 1.0)):
        number = b.node.number(attribute, default)
        if number != default:
            fields[name] = number
    return b.emit("local_response_norm", fields, b.batched(b.activation(0)))
