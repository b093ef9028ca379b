"""Rules of the operators of several operands: sums, products, concatenation, and products with a matrix."""

from __future__ import annotations

from math import prod
from typing import Any

from .builder import Builder, Unsupported
from .dims import counted
from .model import Malformed
from .patterns import recognise, tagged
from .values import Activation, Constant


def _aligned(b: Builder, value: Constant, active: Activation) -> Constant:
    """A constant operand as it broadcasts: the batch axis of 1 is dropped, `axis` before opset 7 applied."""
    if b.opset < 7 and b.node.integer("broadcast") and "axis" in b.node.attributes:
        axis = counted(b.node.integer("axis"), len(active.dims))
        value = value.reshaped((*value.shape, *(1,) * (len(active.dims) - axis - len(value.shape))))
    if active.batched and len(value.shape) == len(active.dims) and value.shape[0] == 1:
        return value.reshaped(value.shape[1:])
    return value


def _a_channel(operand: Constant, shape: tuple[int, ...]) -> bool:
    """Whether a constant holds one number for each channel."""
    channels = shape[:1]
    padded = (1,) * (len(shape) - len(operand.shape)) + operand.shape
    return padded == channels + (1,) * (len(shape) - 1) and padded[0] > 1


def binary(b: Builder) -> Activation:
    """Add, Sub, Mul, Div of two activations, or of one and a constant.

    A constant with one number a channel is a bias of the layer before it, or a `scale`; the sum with the bias of a
    MatMul makes the `linear` of it. Differences and quotients stand as sums and products of the same cost.
    """
    first, second = b.value(0), b.value(1)
    if first is None or second is None:
        raise Malformed("an input is missing")
    if isinstance(first, Activation) and isinstance(second, Activation):
        return join(b)
    active, operand = (first, second) if isinstance(first, Activation) else (second, first)
    assert isinstance(active, Activation) and isinstance(operand, Constant)
    operand = _aligned(b, operand, active)
    found = recognise(b, active, operand, reverse=active is second)
    if found is None and operand.is_weight:
        found = _learned(b, active, operand)
    return found or tagged(b, b.elementwise(active, operand), active, operand, reverse=active is second)


def _learned(b: Builder, active: Activation, operand: Constant) -> Activation | None:
    """A learned constant as part of the layer before it, or as a `scale`."""
    step, op = b.steps[active.step], b.node.op
    fields = step.layer.fields() if step.layer is not None else {}
    channelwise = _a_channel(operand, active.shape)
    trailing = len(operand.shape) >= 1 and operand.shape[-1:] == active.shape[-1:] == (prod(operand.shape),)
    if op == "Add":
        windowed = step.kind.startswith("conv") and channelwise
        linear = step.kind == "linear" and trailing
        scaled = step.kind == "scale" and channelwise
        if (windowed or linear) and fields.get("bias") is False:
            return b.extend(active, operand, bias=True)
        if scaled and not fields.get("bias"):
            return _group_affine(b, active, operand) or b.extend(active, operand, bias=True)
    if step.kind == "layer_norm" and (channelwise if fields.get("dim") == 0 else trailing):
        if op == "Mul" and fields.get("elementwise_affine") is False:
            return b.extend(active, operand, elementwise_affine=True, bias=False)
        if op == "Add" and fields.get("elementwise_affine") is True and fields.get("bias") is False:
            return b.extend(active, operand, bias=True)
    if op in ("Mul", "Div") and channelwise:
        if op == "Div":
            b.stand_in()
        return b.emit("scale", {}, active, weights=[operand])
    return None


def _group_affine(b: Builder, active: Activation, operand: Constant) -> Activation | None:
    """A group norm that PyTorch exports as an instance norm, a factor and a bias a channel."""
    scale = b.steps[active.step]
    norm = b.steps[scale.inputs[0]]
    if norm.kind != "group_norm" or norm.layer is None or norm.layer.fields().get("affine") is not False:
        return None
    fields = {name: value for name, value in norm.layer.fields().items() if name != "affine"}
    source = norm.inputs[0]
    made = b.emit("group_norm", fields, Activation(source, (active.dims[0], *b.steps[source].shape)))
    b.steps[made.step].weights = (*scale.weights, operand.name)
    return made


def join(b: Builder) -> Activation:
    """Add, Mul, Sum and their like of activations; unbatched operands get the axes that they lack."""
    values = [b.activation(i) for i in range(len(b.node.inputs))]
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        found = recognise(b, values[0], values[1])
        if found is not None:
            return found
    rank = max(len(value.shape) for value in values)
    batched = any(value.batched for value in values)
    operands = []
    for value in values:
        if batched and not value.batched and len(value.shape) == rank + 1:
            value = b.batched(value)
        if batched and value.batched and len(value.shape) != rank:
            raise Unsupported(f"it broadcasts {list(value.dims)} over the batch")
        missing = rank - len(value.shape)
        if missing < 0:
            raise Unsupported(f"it broadcasts {list(value.dims)} over the batch")
        operands.append(b.relayout(value, (*(1,) * missing, *value.dims), batched=False) if missing else value)
    kind = "multiply" if b.node.op in ("Mul", "Div") else "add"
    if b.node.op not in ("Mul", "Add", "Sum"):
        b.stand_in()
    made = b.emit(kind, {}, *operands)
    if len(values) == 2:
        tagged(b, made, values[0], values[1])
    return made


def concat(b: Builder) -> Activation:
    """Concat of activations."""
    values = [b.activation(i) for i in range(len(b.node.inputs))]
    if len({value.batched for value in values}) > 1:
        raise Unsupported("it joins inputs with and without a batch")
    axis = counted(b.node.integer("axis", 1), len(values[0].dims))
    dim = axis - values[0].batched
    if dim < 0:
        raise Unsupported("it joins along the batch")
    return b.emit("concat", {"dim": dim} if dim else {}, *values)


def gemm(b: Builder) -> Activation:
    """Gemm with a constant matrix: a linear layer."""
    value = b.activation(0)
    weight = b.weight(1, rank=2)
    if b.node.integer("transA"):
        raise Unsupported("it transposes its input")
    value = b.batched(value)
    inputs, outputs = weight.shape[::-1] if b.node.integer("transB") else weight.shape
    bias = b.constant(2)
    if bias is not None and bias.scalar == 0:
        bias = None
    if bias is not None and prod(bias.shape) != outputs:
        raise Unsupported(f"its bias {list(bias.shape)} is not one number an output")
    return linear(b, value, weight, inputs, outputs, bias)


def linear(
    b: Builder, value: Activation, weight: Constant, inputs: int, outputs: int, bias: Constant | None
) -> Activation:
    """The linear layer of a matrix over the last axis."""
    if value.shape[-1:] != (inputs,):
        raise Malformed(
            f"the weight {list(weight.shape)} takes {inputs} features, not the last axis of {list(value.dims)}"
        )
    if inputs == 1 and len(value.shape) > 1:
        raise Unsupported("its last axis is 1")
    fields: dict[str, Any] = {"out_features": outputs}
    if bias is None:
        return b.emit("linear", {**fields, "bias": False}, value, weights=[weight])
    return b.emit("linear", fields, value, weights=[weight, bias])


def matmul(b: Builder) -> Activation:
    """MatMul with a constant matrix on the right: a linear layer, whose bias may follow as an Add."""
    value = b.activation(0)
    weight = b.weight(1)
    if len(weight.shape) != 2 or len(value.shape) < 1:
        raise Unsupported(f"its constant {list(weight.shape)} is no matrix")
    return linear(b, value, weight, weight.shape[0], weight.shape[1], None)
