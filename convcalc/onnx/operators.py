"""The operators of ONNX and the rules that turn them into layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import activations, joins, layout, norms, resizing, windows
from .builder import Builder
from .values import Activation

Rule = Callable[[Builder], "Activation | Sequence[Activation]"]


def _elementwise(b: Builder) -> Activation:
    """An operator of several inputs that the language does not have, and that broadcasts."""
    values = [b.value(position) for position in range(len(b.node.inputs))]
    return b.elementwise(*[value for value in values if value is not None])


REDUCTIONS = (
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceSum",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum",
    "ReduceLogSumExp",
)
SAME_SHAPE = (
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Ceil",
    "Celu",
    "Cos",
    "Cosh",
    "CumSum",
    "DequantizeLinear",
    "Erf",
    "Exp",
    "Floor",
    "Hardmax",
    "IsInf",
    "IsNaN",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "MeanVarianceNormalization",
    "Neg",
    "Not",
    "QuantizeLinear",
    "Reciprocal",
    "Round",
    "Shrink",
    "Sign",
    "Sin",
    "Sinh",
    "Softsign",
    "Sqrt",
    "Tan",
    "ThresholdedRelu",
)
"""Operators of one input that the language does not have, and that keep its shape."""

RULES: dict[str, Rule] = {
    "Conv": windows.conv,
    "QLinearConv": windows.qlinear_conv,
    "ConvInteger": windows.conv_integer,
    "ConvTranspose": windows.conv_transpose,
    "MaxPool": windows.pool,
    "AveragePool": windows.pool,
    "LpPool": windows.lp_pool,
    "GlobalAveragePool": windows.global_pool,
    "GlobalMaxPool": windows.global_pool,
    "Gemm": joins.gemm,
    "MatMul": joins.matmul,
    **dict.fromkeys(activations.PLAIN, activations.plain),
    "Gelu": activations.gelu,
    "LeakyRelu": activations.leaky_relu,
    "Elu": activations.elu,
    "PRelu": activations.prelu,
    "Clip": activations.clip,
    "Softmax": activations.softmax,
    "Dropout": activations.dropout,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), joins.binary),
    **dict.fromkeys(("Sum", "Max", "Min", "Mean"), joins.join),
    "Concat": joins.concat,
    "BatchNormalization": norms.batch_norm,
    "InstanceNormalization": norms.instance_norm,
    "GroupNormalization": norms.group_norm,
    "LayerNormalization": norms.layer_norm,
    "LRN": norms.lrn,
    **dict.fromkeys(REDUCTIONS, norms.reduce),
    **dict.fromkeys(("Identity", "Cast"), layout.alias),
    "Reshape": layout.reshape,
    "Flatten": layout.flatten,
    "Squeeze": layout.squeeze,
    "Unsqueeze": layout.unsqueeze,
    "Transpose": layout.transpose,
    "Slice": layout.slice_,
    "Split": layout.split,
    "Pad": resizing.pad,
    "Resize": resizing.resize,
    "Upsample": resizing.resize,
    "DepthToSpace": resizing.depth_to_space,
    "SpaceToDepth": resizing.depth_to_space,
    **dict.fromkeys(SAME_SHAPE, activations.unary),
    "Pow": activations.power,
    **dict.fromkeys(
        ("And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "Where", "BitShift"),
        _elementwise,
    ),
}
"""Standard operator -> the rule that converts the node; operators without one stay opaque."""

MICROSOFT: dict[str, Rule] = {"FusedConv": windows.conv, "Gelu": activations.gelu}
"""Operators of the domain com.microsoft, which onnxruntime's optimiser writes."""


def rule_of(domain: str, op: str) -> Rule | None:
    """The rule of an operator."""
    return RULES.get(op) if domain == "" else MICROSOFT.get(op) if domain == "com.microsoft" else None
