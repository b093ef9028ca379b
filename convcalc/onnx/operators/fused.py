"""What onnxruntime's optimiser makes of operators: fused with what follows them, and with channels in blocks.

In the domain of NCHWc the numbers of some channels stand side by side; its convolutions and pools are those of ONNX.
Channels that do not fill a block are filled up with zeros, which the weights in the file show.
Source: github.com/microsoft/onnxruntime, docs/ContribOperators.md and core/graph/contrib_ops/nchwc_schema_defs.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from ...layers.base import Shape
from ...models.making import Unsupported
from ..builder import Builder
from ..messages import Attribute
from ..values import Activation, Call, Constant, Value
from . import activations, arithmetic, norms, products, resizing, windows
from .costly import conv_macs
from .record import Made, Operator, Rule

MICROSOFT = ("com.microsoft",)
BLOCKS = ("com.microsoft.nchwc",)
PARAMETERS = {
    "Clip": ("min", "max"),
    "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "LeakyRelu": ("alpha",),
    "ThresholdedRelu": ("alpha",),
}
"""Activations that may be fused -> what the parameters are that stand beside their name."""


def _rule_of(records: Sequence[Operator], name: str) -> Rule:
    """The rule of an operator in its newest version."""
    rule = next(record.layers for record in reversed(records) if record.name == name)
    assert rule is not None
    return rule


def _as(b: Builder, rule: Rule, op: str, *inputs: Value | None, **attributes: Attribute) -> Activation:
    """What another operator's rule makes of these inputs for this node."""
    before = b.call
    node = replace(before.node, op=op, domain="", attributes={**before.node.attributes, **attributes})
    b.call = Call(node, inputs, before.opset)
    try:
        made = rule(b)
        assert isinstance(made, Activation)
        return made
    finally:
        b.call = before


def _activated(b: Builder, value: Activation, name: str, parameters: Sequence[float]) -> Activation:
    """The activation that a node names, behind what it does."""
    if not name:
        return value
    known = next((record for record in activations.OPERATORS if record.name == name), None)
    if known is None or known.layers is None or len(parameters) > len(PARAMETERS.get(name, ())):
        raise Unsupported(f"it is fused with {name}")
    return _as(b, known.layers, name, value, **dict(zip(PARAMETERS.get(name, ()), parameters, strict=False)))


def _parameters(b: Builder) -> list[float]:
    given = b.node.attributes.get("activation_params", [])
    return [float(number) for number in given if not isinstance(number, str)] if isinstance(given, list) else []


def _conv(b: Builder) -> Activation:
    """A convolution, a tensor that is added, an activation."""
    call = b.call
    made = _as(b, _rule_of(windows.OPERATORS, "Conv"), "Conv", *call.inputs[:3])
    added = call.value(3)
    if added is not None:
        made = _as(b, arithmetic.join, "Add", made, added if isinstance(added, Activation) else b.parameter(added))
    return _activated(b, made, b.node.word("activation"), _parameters(b))


LARGEST_BLOCK = 16
"""Channels of a block at the most."""


def _conv_of_blocks(b: Builder) -> Activation:
    """The same, without the channels that fill up blocks: those at the end whose bias is 0, and those not read."""
    weight, bias, value = b.call.given(1), b.call.value(2), b.activation()
    if not isinstance(weight, Constant) or len(weight.shape) != 4 or len(value.shape) != 3:
        return _conv(b)
    outputs, inputs, *kernel = weight.shape
    filled = _filled(bias.numbers) if isinstance(bias, Constant) and bias.numbers is not None else 0
    depthwise = inputs == 1 and b.node.integer("group", 1) == outputs
    if depthwise and 0 < outputs - value.shape[0] < LARGEST_BLOCK:
        filled = outputs - value.shape[0]
    read = inputs if b.node.integer("group", 1) > 1 or inputs - value.shape[0] >= LARGEST_BLOCK else value.shape[0]
    if depthwise and set(kernel) == {1} and isinstance(bias, Constant) and value.shape[0] == outputs:
        return _batch_norm(b, value, weight, bias)
    if not filled and read == inputs:
        return _conv(b)
    shape = (outputs - filled, read, *kernel)
    given = [b.call.given(0), _cut(weight, shape), *b.call.inputs[2:]]
    if isinstance(bias, Constant):
        given[2] = _cut(bias, shape[:1])
    attributes = {**b.node.attributes, **({"group": shape[0]} if depthwise else {})}
    b.call = Call(replace(b.node, attributes=attributes), tuple(given), b.call.opset)
    return _conv(b)


def _batch_norm(b: Builder, value: Activation, weight: Constant, bias: Constant) -> Activation:
    """A batch norm, of which a depthwise convolution of one position is made: a factor and an offset a channel."""
    plain = not any(b.node.integers("pads") or ()) and set(b.node.integers("strides") or (1,)) == {1}
    if not plain or b.call.value(3) is not None or weight.fixed:
        return _conv(b)
    made = b.emit("scale", {"bias": True}, value, weights=[weight, bias])
    return _activated(b, made, b.node.word("activation"), _parameters(b))


def _filled(bias: Sequence[float]) -> int:
    """How many zeros a bias ends with, where they may fill up a block and not all of it is 0."""
    count = next((n for n, number in enumerate(reversed(bias)) if number), len(bias))
    return count if count < min(LARGEST_BLOCK, len(bias)) else 0


def _cut(value: Constant, shape: Shape) -> Constant:
    """A tensor of the file without what fills it up."""
    stored = dict.fromkeys(value.stored, shape)
    return Constant(shape, name=value.name, floating=value.floating, stored=stored, fixed=value.fixed)


def _gemm(b: Builder) -> Activation:
    """A product with a matrix, an activation."""
    made = _as(b, _rule_of(products.OPERATORS, "Gemm"), "Gemm", *b.call.inputs)
    numbers = [b.node.number(name) for name in ("activation_alpha", "activation_beta") if name in b.node.attributes]
    return _activated(b, made, b.node.word("activation"), numbers)


def _matmul_dims(call: Call) -> Shape:
    return products.matmul_shape(_turned_dims(call, 0, "transA"), _turned_dims(call, 1, "transB"))


def _matmul_macs(call: Call, dims: Shape) -> int:
    return prod(dims) * _turned_dims(call, 0, "transA")[-1]


def _turned_dims(call: Call, position: int, turned: str) -> Shape:
    dims = call.dims(position)
    return (*dims[:-2], dims[-1], dims[-2]) if call.node.integer(turned) else dims


def _matmul(b: Builder) -> Activation:
    """A product of two tensors whose last axes may change places before, times a number."""
    if b.node.integer("transBatchA") or b.node.integer("transBatchB"):
        raise Unsupported("it moves the batch")
    values: list[Value] = []
    for position, turned in enumerate(("transA", "transB")):
        value = b.call.given(position)
        if b.node.integer(turned):
            value = _turned(b, value)
        values.append(value)
    made = _as(b, _rule_of(products.OPERATORS, "MatMul"), "MatMul", *values)
    alpha = b.node.number("alpha", 1.0)
    return made if alpha == 1 else b.emit("rescale", {"scale": alpha}, made)


def _turned(b: Builder, value: Value) -> Value:
    """A tensor with its last two axes changed."""
    if isinstance(value, Constant):
        return value.become((*value.shape[:-2], value.shape[-1], value.shape[-2]), None)
    rank = len(value.shape)
    if rank < 2:
        raise Unsupported("it moves the batch")
    return b.emit("permute", {"dims": (*range(rank - 2), rank - 1, rank - 2)}, value)


def _sum(b: Builder, *positions: int) -> Activation:
    """The inputs at these positions added up, of which some may be left out."""
    made = b.activation(positions[0])
    for position in positions[1:]:
        value = b.call.value(position)
        if value is not None:
            made = _as(b, arithmetic.binary, "Add", made, value)
    return made


def _skip_norm(kind: str) -> Rule:
    """The rule of a norm of a sum, which may be put out too."""

    def rule(b: Builder) -> Made:
        simplified = kind == "rms_norm"
        outputs = b.node.outputs
        if any(name and b.uses.get(name) for name in outputs[1:3]):
            raise Unsupported("its mean or its deviation is read")
        added = _sum(b, 0, 1, 3 if simplified else 4)
        weight, bias = b.call.value(2), None if simplified else b.call.value(3)
        eps = b.node.number("epsilon", 1e-12)
        if simplified:
            made = _rms(b, added, b.weight(2), eps)
        else:
            made = _as(b, _rule_of(norms.OPERATORS, "LayerNormalization"), kind, added, weight, bias, epsilon=eps)
        return [made, made, made, added][: len(outputs)]

    return rule


def _rms(b: Builder, value: Activation, weight: Constant, eps: float) -> Activation:
    if weight.shape != value.shape[-1:]:
        raise Unsupported(f"its factors {list(weight.shape)} are not one a feature")
    return b.emit("rms_norm", {"eps": eps}, value, weights=[weight])


def _simplified_norm(b: Builder) -> Activation:
    value = b.activation()
    if b.call.axis(-1) != len(value.dims) - 1:
        raise Unsupported("it normalizes over several axes")
    return _rms(b, value, b.weight(1), b.node.number("epsilon", 1e-5))


def _gelu(approximate: str) -> Rule:
    """The rule of a GELU behind a bias that is added."""

    def rule(b: Builder) -> Activation:
        return b.emit("gelu", {"approximate": approximate} if approximate else {}, _sum(b, 0, 1))

    return rule


def _quick_gelu(b: Builder) -> Activation:
    """x · sigmoid(alpha · x)."""
    value, alpha = b.activation(), b.node.number("alpha", 1.702)
    if alpha == 1:
        return b.emit("silu", {}, value)
    scaled = b.emit("rescale", {"scale": alpha}, value)
    return b.emit("multiply", {}, value, b.emit("sigmoid", {}, scaled))


def _into_blocks(b: Builder) -> Activation:
    """The channels first, where they stood last."""
    value = b.batched(b.activation())
    if not b.node.integer("channels_last"):
        return value
    rank = len(value.shape)
    return b.emit("permute", {"dims": (rank - 1, *range(rank - 1))}, value)


def _out_of_blocks(b: Builder) -> Activation:
    """Without the channels that filled up a block; the channels last where that is asked for."""
    value, channels = b.activation(), b.node.integer("channels")
    if channels > value.shape[0]:
        raise Unsupported(f"it puts out {channels} channels of {value.shape[0]}")
    if channels != value.shape[0]:
        value = b.emit("split", {"channels": (channels, value.shape[0] - channels), "part": 0}, value)
    if not b.node.integer("channels_last"):
        return value
    return b.emit("permute", {"dims": (*range(1, len(value.shape)), 0)}, value)


def _upsample(b: Builder) -> Activation:
    mode = b.node.word("coordinate_transformation_mode", "asymmetric")
    return _as(
        b,
        _rule_of(resizing.OPERATORS, "Resize"),
        "Resize",
        *b.call.inputs,
        coordinate_transformation_mode=mode,
    )


OPERATORS = (
    Operator("FusedConv", _conv, weights=(1, 2), domains=MICROSOFT, inputs=(2, 4), macs=conv_macs),
    Operator("Conv", _conv_of_blocks, weights=(1, 2), domains=BLOCKS, inputs=(2, 4), macs=conv_macs),
    *(
        Operator(name, _rule_of(windows.OPERATORS, name), domains=BLOCKS)
        for name in ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool")
    ),
    Operator("ReorderInput", _into_blocks, domains=BLOCKS),
    Operator("ReorderOutput", _out_of_blocks, domains=BLOCKS),
    Operator("Upsample", _upsample, domains=BLOCKS),
    Operator("FusedGemm", _gemm, weights=(1, 2), domains=MICROSOFT, inputs=(2, 3)),
    Operator("FusedMatMul", _matmul, domains=MICROSOFT, inputs=(2, 2), dims=_matmul_dims, macs=_matmul_macs),
    Operator("SkipLayerNormalization", _skip_norm("layer_norm"), domains=MICROSOFT, inputs=(3, 5), weights=(2, 3, 4)),
    Operator(
        "SkipSimplifiedLayerNormalization", _skip_norm("rms_norm"), domains=MICROSOFT, inputs=(3, 4), weights=(2, 3)
    ),
    Operator("SimplifiedLayerNormalization", _simplified_norm, domains=("", *MICROSOFT), inputs=(2, 2), weights=(1,)),
    Operator("BiasGelu", _gelu(""), domains=MICROSOFT, inputs=(2, 2), weights=(1,)),
    Operator("FastGelu", _gelu("tanh"), domains=MICROSOFT, inputs=(1, 2), weights=(1,)),
    Operator("QuickGelu", _quick_gelu, domains=MICROSOFT),
)
