"""ONNX's own test cases of single operators, and how each operator is told as a layer of the language.

A teller gives the layer, its inputs, its weights and how its output compares to the recorded one, or raises
`LeftOut` with the rule by which a case says something that the language cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from tests.onnx_others import (
    center_crop,
    concat,
    depth_to_space,
    dropout,
    flatten,
    global_pool,
    identity,
    join,
    pad,
    plain,
    prelu,
    reshape,
    resize,
    selu,
    softmax,
    space_to_depth,
    split,
    swish,
    transpose,
    upsample,
)
from tests.onnx_telling import Case, Told, alone
from tests.onnx_weighted import (
    average_pool,
    batch_norm,
    conv,
    conv_transpose,
    gemm,
    group_norm,
    instance_norm,
    layer_norm,
    lp_pool,
    lrn,
    mat_mul,
    max_pool,
)

OPERATORS: dict[str, Callable[[Case], Told]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalAveragePool": global_pool("global_avg_pool"),
    "GlobalMaxPool": global_pool("global_max_pool"),
    "Gemm": gemm,
    "MatMul": mat_mul,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "LRN": lrn,
    "Relu": plain("relu"),
    "Sigmoid": plain("sigmoid"),
    "Tanh": plain("tanh"),
    "Mish": plain("mish"),
    "HardSwish": plain("hardswish"),
    "Softplus": plain("softplus"),
    "Selu": selu,
    "Swish": swish,
    "LeakyRelu": lambda case: alone(case, "leaky_relu", {"negative_slope": case.attributes.get("alpha", 0.01)}),
    "Elu": lambda case: alone(case, "elu", {"alpha": case.attributes.get("alpha", 1.0)}),
    "Gelu": lambda case: alone(case, "gelu", {"approximate": case.attributes.get("approximate", "none")}),
    "PRelu": prelu,
    "Softmax": softmax,
    "Concat": concat,
    "Add": join("add"),
    "Sum": join("add"),
    "Mul": join("multiply"),
    "Flatten": flatten,
    "Reshape": reshape,
    "Transpose": transpose,
    "Split": split,
    "Identity": identity,
    "Dropout": dropout,
    "CenterCropPad": center_crop,
    "Pad": pad,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Upsample": upsample,
    "Resize": resize,
}
"""Operator -> how it is told. HardSigmoid is not among them: none of its cases has PyTorch's constants."""


def collect() -> dict[str, list[Case]]:
    """ONNX's cases of one node, by operator, for the operators above."""
    from onnx import helper
    from onnx.backend.test.case.node import collect_testcases

    found: dict[str, list[Case]] = {op: [] for op in OPERATORS}
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS or prod(map(len, case.data_sets[0])) == 0:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in nodes[0].attribute}
        decoded = {name: v.decode() if isinstance(v, bytes) else v for name, v in attributes.items()}
        inputs, outputs = case.data_sets[0]
        found[nodes[0].op_type].append(Case(case.name, nodes[0].op_type, decoded, list(inputs), list(outputs)))
    return found
