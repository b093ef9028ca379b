"""Attention: the operator of opset 23, and com.microsoft's, which projects its input itself."""

from __future__ import annotations

from ...layers.base import Shape
from ...models.making import Fields, Unsupported
from ..builder import Builder
from ..values import Activation, Call, Constant
from .record import Operator

MICROSOFT = ("com.microsoft",)


def _heads(call: Call, position: int, attribute: str) -> tuple[int, int, int]:
    """(heads, length, width) of queries, keys or values; those of three axes have all heads side by side."""
    dims = call.dims(position)
    if len(dims) == 4:
        return dims[1], dims[2], dims[3]
    heads = call.node.integer(attribute)
    return heads, dims[1], dims[2] // heads


def _dims(call: Call) -> Shape:
    """As the queries', with the width of the values."""
    heads, length, _ = _heads(call, 0, "q_num_heads")
    _, _, width = _heads(call, 2, "kv_num_heads")
    batch = call.dims()[0]
    return (batch, heads, length, width) if len(call.dims()) == 4 else (batch, length, heads * width)


def _macs(call: Call, dims: Shape) -> int:
    """Of both products, of queries with keys and of their shares with values."""
    heads, queries, width = _heads(call, 0, "q_num_heads")
    _, keys, _ = _heads(call, 1, "kv_num_heads")
    _, _, values = _heads(call, 2, "kv_num_heads")
    return call.dims()[0] * heads * queries * keys * (width + values)


def _attention(b: Builder) -> Activation:
    """Queries, keys and values of as many heads, and a mask that is added; without what was seen before."""
    node, call = b.node, b.call
    if any(call.value(position) is not None for position in (4, 5, 6)):
        raise Unsupported("it reads keys and values from before")
    if node.number("softcap"):
        raise Unsupported("it caps its scores")
    shapes = [_heads(call, position, "kv_num_heads" if position else "q_num_heads") for position in range(3)]
    if len({heads for heads, _, _ in shapes}) > 1:
        raise Unsupported("several heads share their keys and values")
    reads = [_apart(b, b.activation(position), shape) for position, shape in enumerate(shapes)]
    mask = call.value(3)
    if mask is not None:
        if isinstance(mask, Constant) and not mask.floating:
            raise Unsupported("its mask says which positions are seen")
        reads.append(mask if isinstance(mask, Activation) else b.parameter(mask))
    fields: Fields = {"is_causal": True} if node.integer("is_causal") else {}
    if "scale" in node.attributes:
        fields["scale"] = node.number("scale")
    made = b.emit("scaled_dot_product_attention", fields, *reads)
    if len(call.dims()) == 4:
        return made
    return b.emit("flatten", {"start_dim": 1}, b.emit("permute", {"dims": (1, 0, 2)}, made))


def _apart(b: Builder, value: Activation, shape: tuple[int, int, int]) -> Activation:
    """[heads, length, width] of each example."""
    if not value.batched:
        raise Unsupported("its batch is an axis like others")
    if len(value.shape) == 3:
        return value
    heads, length, width = shape
    side_by_side = b.emit("reshape", {"shape": (length, heads, width)}, value)
    return b.emit("permute", {"dims": (1, 0, 2)}, side_by_side)


def _joint_macs(call: Call, dims: Shape) -> int:
    """With the projections to queries, keys and values."""
    batch, length, width = call.dims()
    inner = call.dims(1)[1] // 3
    return batch * length * (width * 3 * inner + 2 * length * inner)


def _joint_dims(call: Call) -> Shape:
    return (*call.dims()[:2], call.dims(1)[1] // 3)


OPERATORS = (
    Operator("Attention", _attention, inputs=(3, 7), dims=_dims, macs=_macs),
    Operator("Attention", inputs=(2, 7), dims=_joint_dims, macs=_joint_macs, domains=MICROSOFT),
)
