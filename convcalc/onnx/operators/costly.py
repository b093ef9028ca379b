"""Products of tensors, operators that the language does not have and whose cost their definition gives, open shapes."""

from __future__ import annotations

from math import prod

from ...layers.base import Shape
<<<<<<< HEAD
from ..values import Call
=======
from ..builder import Builder, Unsupported
from ..messages import Malformed, Unknown
from ..values import Activation, Call
>>>>>>> onnx
from .record import Operator

MICROSOFT = ("com.microsoft",)


def conv_macs(call: Call, dims: Shape) -> int:
    """Of a convolution of its input with the weights at input 1: those of one output times the outputs."""
    return prod(dims) * prod(call.dims(1)[1:])


def conv_transpose_macs(call: Call, dims: Shape) -> int:
    """Of a transposed convolution: those of one input times the inputs."""
    return prod(call.dims()) * prod(call.dims(1)[1:])


def matmul_macs(call: Call, dims: Shape) -> int:
    """Of a product of matrices: the inner size times the outputs."""
    return prod(dims) * call.dims()[-1]


def gemm_macs(call: Call, dims: Shape) -> int:
    """Of a product of matrices that may be transposed first."""
    return prod(dims) * call.dims()[0 if call.node.integer("transA") else 1]


<<<<<<< HEAD
=======
def _terms(call: Call) -> tuple[list[str], str]:
    """(the axes of each input of an Einsum, those of its output), a letter each."""
    equation = call.node.word("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not re.fullmatch("[a-zA-Z,]*", left) or len(terms) != len(call.inputs):
        raise Unknown(f"its equation is {equation}")
    letters = [letter for letter in left if letter != ","]
    return terms, right if arrow else "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))


def _letter_sizes(call: Call) -> dict[str, int]:
    terms, right = _terms(call)
    sizes: dict[str, int] = {}
    for position, term in enumerate(terms):
        if len(term) != len(call.dims(position)):
            raise Malformed(f"its term '{term}' is not of {list(call.dims(position))}")
        for letter, size in zip(term, call.dims(position), strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    if not set(right) <= sizes.keys():
        raise Malformed(f"its output '{right}' has axes that no input has")
    return sizes


def _einsum_dims(call: Call) -> Shape:
    sizes = _letter_sizes(call)
    return tuple(sizes[letter] for letter in _terms(call)[1])


def _einsum_macs(call: Call, dims: Shape) -> int:
    """Of two tensors: the product of all sizes; of one nothing is multiplied."""
    return prod(_letter_sizes(call).values()) if len(call.inputs) == 2 else 0


def _einsum(b: Builder) -> Activation:
    """Of two tensors as a product of matrices: axes that both have and the output keeps, those of one, those summed."""
    terms, output = _terms(b.call)
    values = b.activations()
    sizes = _letter_sizes(b.call)
    if len(values) != 2 or any(len(set(term)) < len(term) for term in (*terms, output)):
        raise Unsupported("it is no product of two tensors")
    batch = {term[0] for term, value in zip(terms, values, strict=True) if value.batched}
    if batch:
        letter = batch.pop()
        apart = [term for term, value in zip(terms, values, strict=True) if not value.batched]
        if batch or output[:1] != letter or any(letter in term for term in apart):
            raise Unsupported("it moves the batch")
        terms, output = [term.replace(letter, "") for term in terms], output[1:]
    left, right = terms
    both = [letter for letter in output if letter in left and letter in right]
    rows = [letter for letter in output if letter in left and letter not in right]
    columns = [letter for letter in output if letter in right and letter not in left]
    summed = [letter for letter in left if letter in right and letter not in output]
    if len(both) + len(rows) + len(summed) != len(left) or len(both) + len(columns) + len(summed) != len(right):
        raise Unsupported("it sums an axis of one tensor alone")

    def merged(letters: list[str]) -> int:
        return prod(sizes[letter] for letter in letters)

    lead = tuple(sizes[letter] for letter in both)
    first = _arranged(b, values[0], left, [*both, *rows, *summed], (*lead, merged(rows), merged(summed)))
    second = _arranged(b, values[1], right, [*both, *summed, *columns], (*lead, merged(summed), merged(columns)))
    made = b.emit("matmul", {}, first, second)
    order = [*both, *rows, *columns]
    head = made.dims[:1] if made.batched else ()
    spread = b.relayout(made, (*head, *(sizes[letter] for letter in order)), batched=made.batched)
    return _arranged(b, spread, "".join(order), list(output), tuple(sizes[letter] for letter in output))


def _arranged(b: Builder, value: Activation, term: str, order: list[str], shape: Shape) -> Activation:
    """A tensor with its axes in this order, under this shape."""
    if list(term) != order:
        value = b.emit("permute", {"dims": tuple(term.index(letter) for letter in order)}, value)
    return b.relayout(value, (*(value.dims[:1] if value.batched else ()), *shape), batched=value.batched)


>>>>>>> onnx
def _heads(call: Call, position: int, attribute: str) -> tuple[int, int, int]:
    """(heads, length, width) of queries, keys or values; those of three axes have all heads side by side."""
    dims = call.dims(position)
    if len(dims) == 4:
        return dims[1], dims[2], dims[3]
    heads = call.node.integer(attribute)
    return heads, dims[1], dims[2] // heads


def _attention_macs(call: Call, dims: Shape) -> int:
    """Of both products, of queries with keys and of their shares with values."""
    heads, queries, width = _heads(call, 0, "q_num_heads")
    _, keys, _ = _heads(call, 1, "kv_num_heads")
    _, _, values = _heads(call, 2, "kv_num_heads")
    return call.dims()[0] * heads * queries * keys * (width + values)


def _joint_attention_macs(call: Call, dims: Shape) -> int:
    """Of com.microsoft's Attention, which projects its input to queries, keys and values itself."""
    batch, length, width = call.dims()
    inner = call.dims(1)[1] // 3
    return batch * length * (width * 3 * inner + 2 * length * inner)


def _joint_attention_dims(call: Call) -> Shape:
    return (*call.dims()[:2], call.dims(1)[1] // 3)


OPEN_ENDED: dict[str, tuple[int, int | None]] = {
    "Compress": (2, 2),
    "Loop": (2, None),
    "NonMaxSuppression": (2, 5),
    "NonZero": (1, 1),
    "Scan": (1, None),
    "Unique": (1, 1),
}
"""Operators whose output is as large as the numbers that flow make it -> the fewest and the most inputs."""

OPERATORS = (
    Operator("DeformConv", inputs=(3, 5), macs=conv_macs, weights=(1, 3)),
<<<<<<< HEAD
=======
    Operator("Einsum", _einsum, inputs=(1, None), dims=_einsum_dims, macs=_einsum_macs),
>>>>>>> onnx
    Operator("Attention", inputs=(3, 7), macs=_attention_macs),
    Operator("Attention", inputs=(2, 7), dims=_joint_attention_dims, macs=_joint_attention_macs, domains=MICROSOFT),
    *(Operator(name, inputs=inputs, open_ended=True) for name, inputs in OPEN_ENDED.items()),
)
