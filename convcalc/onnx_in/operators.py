"""The operators of ONNX and the rules that turn them into layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import layout, pointwise, windows
from .builder import Builder
from .values import Activation

Rule = Callable[[Builder], "Activation | Sequence[Activation]"]


def _elementwise(b: Builder) -> Activation:
    """An operator of several inputs that the language does not have, and that broadcasts."""
    values = [b.value(position) for position in range(len(b.node.inputs))]
    return b.elementwise(*[value for value in values if value is not None])


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
    "Gemm": pointwise.gemm,
    "MatMul": pointwise.matmul,
    **dict.fromkeys(pointwise.PLAIN, pointwise.plain),
    "Gelu": pointwise.gelu,
    "LeakyRelu": pointwise.leaky_relu,
    "Elu": pointwise.elu,
    "PRelu": pointwise.prelu,
    "Clip": pointwise.clip,
    "Softmax": pointwise.softmax,
    "Dropout": pointwise.dropout,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), pointwise.binary),
    **dict.fromkeys(("Sum", "Max", "Min", "Mean"), pointwise.join),
    "Concat": pointwise.concat,
    "BatchNormalization": pointwise.batch_norm,
    "InstanceNormalization": pointwise.instance_norm,
    "GroupNormalization": pointwise.group_norm,
    "LayerNormalization": pointwise.layer_norm,
    "LRN": pointwise.lrn,
    **dict.fromkeys(
        ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare")
        + ("ReduceLogSum", "ReduceLogSumExp"),
        pointwise.reduce,
    ),
    **dict.fromkeys(("Identity", "Cast"), layout.alias),
    "Reshape": layout.reshape,
    "Flatten": layout.flatten,
    "Squeeze": layout.squeeze,
    "Unsqueeze": layout.unsqueeze,
    "Transpose": layout.transpose,
    "Slice": layout.slice_,
    "Split": layout.split,
    "Pad": layout.pad,
    "Resize": layout.resize,
    "Upsample": layout.resize,
    "DepthToSpace": layout.depth_to_space,
    "SpaceToDepth": layout.depth_to_space,
    **dict.fromkeys(
        ("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Erf", "Exp", "Floor")
        + ("Hardmax", "IsInf", "IsNaN", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Neg")
        + ("Not", "Reciprocal", "Round", "Shrink", "Sign", "Sin", "Sinh", "Softsign", "Sqrt", "Tan", "ThresholdedRelu")
        + ("QuantizeLinear", "DequantizeLinear", "CumSum"),
        pointwise.unary,
    ),
    "Pow": pointwise.power,
    **dict.fromkeys(
        ("And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "Where", "BitShift"),
        _elementwise,
    ),
}
"""Standard operator -> the rule that converts the node; operators without one stay opaque."""

MICROSOFT: dict[str, Rule] = {"FusedConv": windows.conv, "Gelu": pointwise.gelu}
"""Operators of the domain com.microsoft, which onnxruntime's optimiser writes."""


def rule_of(domain: str, op: str) -> Rule | None:
    """The rule of an operator."""
    return RULES.get(op) if domain == "" else MICROSOFT.get(op) if domain == "com.microsoft" else None
