"""Attention, and products of two inputs.

Source: keras/src/layers/attention and keras/src/layers/merging/dot.py of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from ...layers.base import Shape
from ...models.document import Malformed
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use, tensors_in
from ..tensor import Tensor, plain
from .conv import dense

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]


def _roles(use: Use) -> tuple[Tensor, Tensor, Tensor]:
    """Query, value and key as a call of MultiHeadAttention gives them: query, value, key=None."""
    found = [argument for argument in use.arguments if isinstance(argument, Tensor)]
    query = found[0] if found else use.named.get("query")
    value = found[1] if len(found) > 1 else use.named.get("value")
    key = found[2] if len(found) > 2 else use.named.get("key")
    key = value if key is None else key
    if not (isinstance(query, Tensor) and isinstance(value, Tensor) and isinstance(key, Tensor)):
        raise Malformed("it takes query and value")
    return query, value, key


MASKED = -1e9
"""What Keras adds to a score whose position a mask leaves out."""


def _is_causal(use: Use) -> bool:
    return use.named.get("use_causal_mask") is True


def _mask(use: Use, name: str) -> Tensor | None:
    found = use.named.get(name)
    return found if isinstance(found, Tensor) else None


def _masks(builder: Builder, use: Use, rank: int, asked: int, read: int) -> list[Tensor]:
    """What is added to scores of a rank, of so many positions that ask and are read: nothing, or one tensor.

    Masks are 1 where a position is seen: one of pairs, and of the positions of value, key and query. A mask of causes
    beside them is a tensor that nothing learns.
    """
    seen: list[Tensor] = []
    pairs = _mask(use, "attention_mask")
    if pairs is not None:
        if pairs.rank not in (2, 3):
            raise Malformed(f"its attention_mask {list(pairs.sizes)} is no mask of [positions, positions]")
        seen.append(builder.arranged(pairs, plain(pairs.rank)))
    for name, dim in (("query_mask", 1), ("value_mask", 0), ("key_mask", 0)):
        mask = _mask(use, name)
        if mask is not None:
            seen.append(builder.emit("unsqueeze", {"dim": dim}, mask, order=plain(2)))
    return _added(builder, seen, rank, (asked, read) if _is_causal(use) else None)


def _added(builder: Builder, seen: list[Tensor], rank: int, causal: Shape | None) -> list[Tensor]:
    """Masks of what is seen as one tensor that is added to scores of a rank."""
    if not seen:
        return []
    both = seen[0] if len(seen) == 1 else builder.emit("multiply", {}, *seen, order=plain(max(m.rank for m in seen)))
    made = builder.emit("rescale", {"scale": -MASKED, "offset": MASKED}, both)
    if causal is not None:
        later = builder.emit("parameter", {"shape": causal, "learned": False}, order=plain(2))
        made = builder.emit("add", {}, made, later, order=plain(made.rank))
    while made.rank < rank:
        made = builder.emit("unsqueeze", {"dim": made.rank - 2}, made, order=plain(made.rank + 1))
    return [made]


def _projection(heads: int, size: int, read: Tensor, bias: bool) -> list[tuple[int, ...]]:
    weight = (read.sizes[-1], heads, size)
    return [weight, (heads, size)] if bias else [weight]


def _multi_head(builder: Builder, use: Use) -> Tensor | Sequence[Tensor]:
    """Attention in heads; the scores that it may give besides are no output of the language's."""
    made = _heads(builder, use)
    if use.named.get("return_attention_scores") is not True:
        return made
    query, _, key = _roles(use)
    settings = use.settings
    heads = settings.integer("num_query_heads" if "num_query_heads" in settings else "num_heads")
    shape = (heads, query.sizes[0], key.sizes[0])
    reason = "the language has no output of attention's scores"
    return [made, builder.unsaid_beside(use.config.class_name, made, shape, reason)]


def _heads(builder: Builder, use: Use) -> Tensor:
    """Projections to heads, attention in each, and a projection back."""
    settings = use.settings
    query, value, key = _roles(use)
    heads = settings.integer("num_query_heads" if "num_query_heads" in settings else "num_heads")
    size = settings.integer("key_dim", settings.integer("head_dim", 0))
    value_size = settings.integer("value_dim") if "value_dim" in settings else size
    groups = settings.integer("num_key_value_heads", heads)
    bias = settings.flag("use_bias", True)
    out = settings.integers("output_shape") if "output_shape" in settings else (query.sizes[-1],)
    _refuse(use, (query, value, key), heads, groups, size, value_size, bias, out)
    masks = _masks(builder, use, 3, query.sizes[0], key.sizes[0])
    plain_heads = size * heads == query.sizes[-1] == value.sizes[-1] == key.sizes[-1] == out[-1]
    if plain_heads and value_size == size and groups == heads and not masks and not _is_causal(use):
        fields: Fields = {"num_heads": heads} if bias else {"num_heads": heads, "bias": False}
        reads = [builder.last_of_two(tensor) for tensor in (query, key, value)]
        same = reads[0] == reads[1] == reads[2]
        return builder.emit("multihead_attention", fields, *(reads[:1] if same else reads))
    parts = []
    for label, tensor, count, width in (
        ("query", query, heads, size),
        ("key", key, groups, size),
        ("value", value, groups, value_size),
    ):
        made = dense(builder, builder.last_of_two(tensor), _out(count * width, bias), label)
        split = builder.emit("reshape", {"shape": (tensor.sizes[0], count, width)}, made, order=plain(3))
        made = builder.emit("permute", {"dims": (1, 0, 2)}, split, order=(1, 0, 2))
        if count != heads:
            made = builder.emit("repeat_interleave", {"repeats": heads // count, "dim": 0}, made)
        parts.append(made)
    fields = {"is_causal": True} if _is_causal(use) and not masks else {}
    seen = builder.emit("scaled_dot_product_attention", fields, *parts, *masks)
    back = builder.emit("permute", {"dims": (1, 0, 2)}, seen, order=plain(3))
    flat = builder.emit("reshape", {"shape": (query.sizes[0], heads * value_size)}, back, order=plain(2))
    return dense(builder, flat, _out(out[-1], bias), "output")


def _out(features: int, bias: bool) -> Fields:
    return {"out_features": features} if bias else {"out_features": features, "bias": False}


def _refuse(
    use: Use,
    roles: tuple[Tensor, Tensor, Tensor],
    heads: int,
    groups: int,
    size: int,
    value_size: int,
    bias: bool,
    out: tuple[int, ...],
) -> None:
    """Raise `Unsupported` for what the language has no attention for."""
    query, value, key = roles
    settings = use.settings
    if size < 1 or heads < 1 or groups < 1 or heads % groups:
        raise Malformed(f"{heads} heads of {size} numbers in {groups} groups")
    reason = None
    if any(tensor.rank != 2 for tensor in roles):
        reason = "the language has attention over [positions, features] alone"
    elif len(out) > 1:
        reason = "its output has several axes of features"
    elif settings.flag("use_gate", False):
        reason = "the language has no attention with a gate"
    elif "sliding_window" in settings:
        reason = "the language has no attention in a sliding window"
    if reason is None:
        return
    holds = _projection(heads, size, query, bias) + _projection(groups, size, key, bias)
    holds += _projection(groups, value_size, value, bias)
    if settings.flag("use_gate", False):
        holds += _projection(heads, value_size, query, bias)
    holds.append((heads, value_size, *out))
    holds += [out] if bias else []
    positions, read = prod(query.sizes[:-1]), prod(key.sizes[:-1])
    macs = positions * query.sizes[-1] * heads * size + positions * heads * value_size * prod(out)
    macs += read * groups * (key.sizes[-1] * size + value.sizes[-1] * value_size)
    if "attention_axes" not in settings:
        macs += positions * read * heads * (size + value_size)
    raise Unsupported(reason, holds=holds, macs=macs, sizes=[(*query.sizes[:-1], *out)])


def _attention(builder: Builder, use: Use) -> Tensor:
    """softmax(Q Kᵀ) V of inputs query, value and, where it is another, key."""
    tensors = tensors_in(use.arguments)
    if not 2 <= len(tensors) <= 3:
        raise Malformed("it takes query and value, and no more than a key besides")
    query, value, key = tensors[0], tensors[1], tensors[2] if len(tensors) > 2 else tensors[1]
    scaled, mode = use.settings.flag("use_scale", False), use.settings.text("score_mode", "dot")
    if mode != "dot" or use.named.get("return_attention_scores") is True:
        holds = [(1,)] * (scaled + (mode == "concat"))
        macs = prod(query.sizes) * key.sizes[-2] + prod(query.sizes[:-1]) * key.sizes[-2] * value.sizes[-1]
        sizes = [(*query.sizes[:-1], value.sizes[-1])]
        if use.named.get("return_attention_scores") is True:
            sizes.append((query.sizes[0], key.sizes[0]))
        reason = "the language has no attention by sums" if mode != "dot" else "it gives the scores too"
        raise Unsupported(reason, holds=holds, macs=macs, sizes=sizes)
    given = use.named.get("mask")
    of_query, of_value = (*given, None, None)[:2] if isinstance(given, (list, tuple)) else (None, None)
    seen = []
    if isinstance(of_value, Tensor):
        seen.append(builder.emit("unsqueeze", {"dim": 0}, of_value, order=plain(2)))
    causal = (query.sizes[0], key.sizes[0]) if _is_causal(use) else None
    masks = _added(builder, seen, 2, causal)
    fields: Fields = {"scale": 1.0} if causal is None or masks else {"scale": 1.0, "is_causal": True}
    reads = [builder.last_of_two(tensor) for tensor in (query, key, value)]
    if scaled:
        reads[0] = builder.emit("scale", {"size": 1}, reads[0], order=plain(2))
    made = builder.emit("scaled_dot_product_attention", fields, *reads, *masks)
    if not isinstance(of_query, Tensor):
        return made
    kept = builder.emit("unsqueeze", {"dim": 1}, of_query, order=plain(2))
    return builder.emit("multiply", {}, made, kept, order=plain(2))


def _additive(builder: Builder, use: Use) -> Tensor:
    """Scores of sums: Σ tanh(q + k), with a learned factor a feature."""
    tensors = use.tensors
    if len(tensors) < 2:
        raise Malformed("it takes query and value")
    query, value = tensors[:2]
    holds = [query.sizes[-1:]] if use.settings.flag("use_scale", True) else []
    macs = prod(query.sizes[:-1]) * value.sizes[-2] * value.sizes[-1]
    sizes = [(*query.sizes[:-1], value.sizes[-1])]
    raise Unsupported("the language has no additive attention", holds=holds, macs=macs, sizes=sizes)


def _dot(builder: Builder, use: Use) -> Tensor:
    """The product of two inputs along one axis of each."""
    tensors = use.tensors
    if len(tensors) != 2:
        raise Malformed(f"it takes 2 inputs, not {len(tensors)}")
    if use.settings.flag("normalize", False):
        raise Unsupported("the language has no product of normalized vectors")
    axes = use.settings.integers("axes")
    pair = (axes[0], axes[-1])
    left, right = tensors
    if left.rank > 2 or right.rank > 2:
        raise Unsupported("the language has a product of vectors and matrices alone")
    both = [
        _matrix(builder, tensor, axis, last) for tensor, axis, last in ((left, pair[0], True), (right, pair[1], False))
    ]
    made = builder.emit("matmul", {}, *both, order=plain(2))
    kept = [size for tensor, axis in zip(tensors, pair, strict=True) for size in _others(tensor, axis)]
    return builder.reshaped(made, tuple(kept) or (1,))


def _others(tensor: Tensor, axis: int) -> list[int]:
    """The sizes of the axes but this one, which counts the batch."""
    place = axis % (tensor.rank + 1) - 1
    return [size for number, size in enumerate(tensor.sizes) if number != place]


def _matrix(builder: Builder, tensor: Tensor, axis: int, last: bool) -> Tensor:
    """The tensor as a matrix whose summed axis is the last, or the first."""
    builder.axis(tensor, axis)  # the batch is refused
    place = axis % (tensor.rank + 1) - 1
    if tensor.rank == 1:
        shape = (1, *tensor.shape) if last else (*tensor.shape, 1)
        return builder.emit("reshape", {"shape": shape}, tensor, order=plain(2))
    summed_last = place == 1
    want = plain(2) if summed_last == last else (1, 0)
    return builder.arranged(tensor, want)._replace(order=plain(2))


RULES: dict[str, Rule] = {
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _multi_head,
    "GroupedQueryAttention": _multi_head,
    "Attention": _attention,
    "AdditiveAttention": _additive,
    "Dot": _dot,
}
