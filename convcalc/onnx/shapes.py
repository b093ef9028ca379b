"""What opaque operators give: by their own rule, by what the file declares, else by the onnx package."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ..findings import UsageError
from ..geometry import GeometryError
from ..layers.base import Shape
from . import dims as rules
from . import wire
from .dims import axes_of, counted, whole
from .model import Malformed, OnnxNode
from .opaque import broadcast
from .values import Activation, Value
from .wire import Data

PAYLOAD = 1 << 12
"""Bytes above which a tensor's numbers are left out of what onnx is asked about."""


def dims_of(value: Value) -> Shape:
    """ONNX's shape of a value."""
    return value.dims if isinstance(value, Activation) else value.shape


def ruled(node: OnnxNode, inputs: list[Value | None], opset: int, position: int) -> Shape | None:
    """Dims of an output where the operator has a rule here and its numbers are known."""
    if node.op == "Split" and inputs and inputs[0] is not None:
        return _part(node, [value for value in inputs if value is not None], position)
    if position:
        return None
    rule = _RULES.get(node.op) if node.domain == "" else None
    if rule is None or not inputs or inputs[0] is None:
        return None
    try:
        return rule(node, [value for value in inputs if value is not None], opset)
    except (ValueError, IndexError):
        return None


def _part(node: OnnxNode, inputs: list[Value], position: int) -> Shape | None:
    dims, count = dims_of(inputs[0]), len(node.outputs)
    try:
        axis = counted(node.integer("axis"), len(dims))
        sizes = node.integers("split") or (whole(inputs[1], "sizes") if len(inputs) > 1 else None)
    except Malformed:
        return None
    each = -(-dims[axis] // count)
    parts = sizes or (*(each,) * (count - 1), dims[axis] - each * (count - 1))
    if len(parts) != count or sum(parts) != dims[axis] or min(parts) < 0:
        return None
    return (*dims[:axis], parts[position], *dims[axis + 1 :])


def _matmul(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    first, second = dims_of(inputs[0]), dims_of(inputs[1])
    a = (1, *first) if len(first) == 1 else first
    b = (*second, 1) if len(second) == 1 else second
    if a[-1] != b[-2]:
        raise GeometryError("the inner axes differ")
    tail = (*a[-2:-1], *b[-1:])
    kept = tail[int(len(first) == 1) : 2 - int(len(second) == 1)]
    return (*broadcast(a[:-2], b[:-2]), *kept)


def _gemm(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    (a, b), (c, d) = dims_of(inputs[0]), dims_of(inputs[1])
    return (b if node.integer("transA") else a, c if node.integer("transB") else d)


def _gather(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    dims = dims_of(inputs[0])
    axis = counted(node.integer("axis"), len(dims))
    return (*dims[:axis], *dims_of(inputs[1]), *dims[axis + 1 :])


def _slice(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return tuple(len(span) for span in rules.slice_spans(node, dims_of(inputs[0]), inputs))


def _concat(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    first = dims_of(inputs[0])
    axis = counted(node.integer("axis", 1), len(first))
    return (*first[:axis], sum(dims_of(value)[axis] for value in inputs), *first[axis + 1 :])


def _transpose(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    dims = dims_of(inputs[0])
    return tuple(dims[axis] for axis in rules.permutation(node, len(dims)))


def _expand(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return broadcast(dims_of(inputs[0]), whole(inputs[1], "sizes"))


def _tile(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    dims = dims_of(inputs[0])
    return tuple(size * n for size, n in zip(dims, whole(inputs[1], "repeats"), strict=True))


def _arg(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    dims = dims_of(inputs[0])
    axis = counted(node.integer("axis"), len(dims))
    return (*dims[:axis], *((1,) if node.integer("keepdims", 1) else ()), *dims[axis + 1 :])


def _reshape(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    target = node.integers("shape") or whole(inputs[1], "sizes")
    return rules.reshaped(dims_of(inputs[0]), target, bool(node.integer("allowzero")))


def _flatten(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    dims, axis = dims_of(inputs[0]), node.integer("axis", 1)
    return (prod(dims[:axis]), prod(dims[axis:]))


def _squeeze(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return rules.squeezed(dims_of(inputs[0]), axes_of(node, inputs))


def _unsqueeze(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return rules.unsqueezed(dims_of(inputs[0]), axes_of(node, inputs) or ())


def _broadcast(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return broadcast(*map(dims_of, inputs))


def _same(node: OnnxNode, inputs: list[Value], opset: int) -> Shape:
    return dims_of(inputs[0])


_RULES: dict[str, Callable[[OnnxNode, list[Value], int], Shape]] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Transpose": _transpose,
    "Expand": _expand,
    "Tile": _tile,
    "ArgMax": _arg,
    "ArgMin": _arg,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    **dict.fromkeys(("Softmax", "LayerNormalization", "Clip", "PRelu", "Dropout", "GroupNormalization"), _same),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Sum", "Max", "Min", "Mean", "Where", "Mod"), _broadcast),
    **dict.fromkeys(("And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"), _broadcast),
}


def inferred(data: Data, inputs: dict[str, Shape]) -> dict[str, Shape]:
    """Shapes that onnx.shape_inference finds with the network's inputs set; it is not shown the weights.

    Raises UsageError where the onnx package is not installed.
    """
    try:
        import onnx
        from onnx import shape_inference
    except ImportError as error:
        raise UsageError(
            "the shape of an operator that the language does not have is worked out by the onnx package, "
            "which is not installed",
            hint='pip install "convcalc[onnx]"',
        ) from error
    try:
        model = onnx.load_from_string(stripped(data))
        for info in model.graph.input:
            if info.name in inputs:
                shape = info.type.tensor_type.shape
                del shape.dim[:]
                for size in inputs[info.name]:
                    shape.dim.add().dim_value = size
        del model.graph.value_info[:]
        model = shape_inference.infer_shapes(model, data_prop=True)
    except Exception:
        # Its errors share no class with one another; what it cannot infer is reported as unknown.
        return {}
    found: dict[str, Shape] = {}
    for info in (*model.graph.value_info, *model.graph.output):
        kind = info.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            found[info.name] = tuple(dim.dim_value for dim in kind.shape.dim)
    return found


def stripped(data: Data) -> bytes:
    """The file without the numbers of its large initialisers."""
    parts: list[bytes] = []
    for field in wire.fields(data, 0, len(data)):
        if field.number != 7:
            parts.append(_field(data, field))
            continue
        inner: list[bytes] = []
        for f in wire.fields(data, field.start, field.stop):
            if f.number == 5 and f.stop - f.start > PAYLOAD:
                kept = [
                    _field(data, g)
                    for g in wire.fields(data, f.start, f.stop)
                    if g.number in (1, 2, 8) or g.stop - g.start < 64
                ]
                inner.append(_length(5, b"".join(kept)))
            else:
                inner.append(_field(data, f))
        parts.append(_length(7, b"".join(inner)))
    return b"".join(parts)


def _field(data: Data, field: wire.Field) -> bytes:
    if field.wire == wire.LENGTH:
        return _length(field.number, bytes(data[field.start : field.stop]))
    key = _varint(field.number << 3 | field.wire)
    if field.wire == wire.VARINT:
        return key + _varint(field.value)
    return key + bytes(data[field.start : field.stop])


def _length(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | wire.LENGTH) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
