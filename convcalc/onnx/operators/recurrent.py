"""Recurrent operators: LSTM, GRU, RNN, with the batch second."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...layers.base import Shape
from ...models.making import Fields, Unsupported
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant
from .layout import seen_as
from .record import Operator

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
"""Operator -> products of the input with a matrix that a state takes."""
PLAIN = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
"""Operator -> the functions of one direction that PyTorch has."""


def _directions(call: Call) -> int:
    return 2 if call.node.word("direction", "forward") == "bidirectional" else 1


def _dims(call: Call) -> list[Shape]:
    """Of the states of all positions, and of the last ones."""
    dims = call.dims()
    if len(dims) != 3 or call.node.integer("layout"):
        raise Malformed(f"its input {list(dims)} has no positions, batch and features in this order")
    length, batch, _ = dims
    hidden, directions = call.dims(2)[-1], _directions(call)
    last = (directions, batch, hidden)
    return [(length, directions, batch, hidden), last, last]


def _macs(call: Call, dims: Shape) -> int:
    """Of all gates' products with the input and with the state."""
    length, batch, features = call.dims()
    hidden = call.dims(2)[-1]
    return length * batch * _directions(call) * GATES[call.node.op] * hidden * (features + hidden)


def _fields(b: Builder) -> Fields:
    """What the language says of the node. Raises `Unsupported` for what PyTorch's layers have not."""
    node, call, directions = b.node, b.call, _directions(b.call)
    if node.word("direction", "forward") == "reverse":
        raise Unsupported("it reads backwards alone")
    if any(name in node.attributes for name in ("clip", "input_forget")) or call.value(7) is not None:
        raise Unsupported("it clips, couples gates or has peepholes")
    if call.value(4) is not None:
        raise Unsupported("its sequences are of several lengths")
    functions = node.words("activations") or PLAIN[node.op] * directions
    fields: Fields = {"hidden_size": call.dims(2)[-1]}
    if node.op == "GRU" and not node.integer("linear_before_reset"):
        fields["reset_after"] = False
    if node.op == "RNN" and functions == ("Relu",) * directions:
        fields["nonlinearity"] = "relu"
    elif functions != PLAIN[node.op] * directions:
        raise Unsupported(f"its functions are {', '.join(functions)}")
    if directions == 2:
        fields["bidirectional"] = True
    bias = b.constant(3)
    if bias is None:
        fields["bias"] = False
    elif _is_half_learned(bias):
        fields["biases"] = 1
    for position in (5, 6):
        state = call.value(position)
        if state is not None and not (isinstance(state, Constant) and state.numbers and not any(state.numbers)):
            raise Unsupported("its first state is not 0")
    return fields


def _is_half_learned(bias: Constant) -> bool:
    """Whether of the two biases that ONNX adds one is learned, and the other all zeros."""
    return 2 * sum(map(prod, bias.stored.values())) == prod(bias.shape)


def _recurrent(b: Builder) -> Sequence[Activation]:
    """The states of all positions and the last ones; a batch of one stands aside meanwhile."""
    value = b.activation()
    weights = [b.weight(1, rank=3), b.weight(2, rank=3)]
    bias = b.constant(3)
    fields, (dims, last, _) = _fields(b), _dims(b.call)
    if bias is not None and fields.get("biases") == 1:
        weights += [Constant(shape, name=name, stored={name: shape}) for name, shape in bias.stored.items()]
    elif bias is not None:
        weights.append(bias)
    length, batch, features = value.dims
    if value.batched:
        raise Unsupported("its positions are the batch")
    if batch != 1:
        return _over_rows(b, value, fields, weights)
    source = seen_as(b, value, (1, length, features))
    made = b.emit(b.node.op.lower(), fields, source, weights=weights)
    found = [seen_as(b, made, dims, batched=False)]
    if _reads_last(b):
        found.append(seen_as(b, _last_states(b, made, length), last, batched=False))
    return found


def _reads_last(b: Builder) -> bool:
    """Whether something reads the last state: that of the last position, of the other direction that of the first."""
    outputs = b.node.outputs
    return len(outputs) > 1 and bool(b.uses.get(outputs[1]))


def _last_states(b: Builder, made: Activation, length: int) -> Activation:
    """The last state, or those of two directions on top of each other."""
    last = b.emit("select", {"dim": 0, "index": length - 1}, made)
    if _directions(b.call) == 1:
        return last
    hidden = last.dims[-1] // 2
    first = b.emit("select", {"dim": 0, "index": 0}, made)
    ends = b.emit("slice", {"stop": hidden}, last), b.emit("slice", {"start": hidden}, first)
    return b.emit("stack", {}, *ends)


def _over_rows(b: Builder, value: Activation, fields: Fields, weights: Sequence[Constant]) -> Sequence[Activation]:
    """The same where the batch is an axis like others, as rows of an image are: the layer runs over each of them."""
    length, rows, _ = value.dims
    turned = b.emit("permute", {"dims": (1, 0, 2)}, value)
    made = b.emit(b.node.op.lower(), fields, turned._replace(batched=True), weights=weights)._replace(batched=False)
    states = b.emit(
        "reshape", {"shape": (rows, length, _directions(b.call), made.dims[-1] // _directions(b.call))}, made
    )
    found = [b.emit("permute", {"dims": (1, 2, 0, 3)}, states)]
    if _reads_last(b):
        last = b.emit("select", {"dim": 1, "index": length - 1}, states)
        if _directions(b.call) == 1:
            return [*found, b.emit("permute", {"dims": (1, 0, 2)}, last)]
        ends = (last, b.emit("select", {"dim": 1, "index": 0}, states))
        found.append(
            b.emit("stack", {}, *(b.emit("select", {"dim": 1, "index": n}, end) for n, end in enumerate(ends)))
        )
    return found


OPERATORS = tuple(
    Operator(name, _recurrent, parts=_dims, inputs=(3, 8 if name == "LSTM" else 6), macs=_macs, weights=(1, 2, 3))
    for name in GATES
)
