"""ONNX operators: one table from the kinds of the language to what computes them.

Source: the operators of ONNX opset 21, as onnxruntime runs them. Those that work on
space stand in `onnx_space`, those that move numbers in `onnx_shapes`.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..layers.registry import KINDS
from .calls import Refused
from .onnx_graph import Graph, OnnxMapper
from .onnx_shapes import SHAPES
from .onnx_space import SPACE, padded
from .windows import Pads

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _edges(pads: Pads) -> list[int]:
    return [before for before, _ in pads] + [after for _, after in pads]


def _conv(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x, pads = names[0], tuple((w.before, w.after) for w in layer.windows(inputs[0]))
    if layer.padding_mode != "zeros":
        x = padded(graph, x, inputs[0], pads, layer.padding_mode)
        pads = ((0, 0),) * layer.rank
    tensors = [graph.weight("weight"), *graph.optional("bias")]
    return _convolved(graph, layer, [x, *tensors], pads, layer.groups)


def _convolved(graph: Graph, layer: Any, inputs: list[str], pads: Pads, groups: int) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    return graph.op("Conv", *inputs, **attributes, pads=_edges(pads), dilations=list(layer.dilation), group=groups)


def _conv_transpose(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    crops: list[tuple[int, int]] = []
    extra: list[int] = []
    for window in layer.windows(inputs[0]):
        after, more = window.after, window.output_padding
        if more >= window.stride or after < 0:
            # Padding the output is cropping less of it: onnxruntime takes less than the stride.
            after, more = max(after - more, 0), max(more - after, 0)
        if more >= window.stride:
            raise Refused(f"onnxruntime takes an output_padding below the stride {window.stride}, not {more}")
        crops.append((window.before, after))
        extra.append(more)
    return graph.op(
        "ConvTranspose",
        names[0],
        graph.weight("weight"),
        *graph.optional("bias"),
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=_edges(tuple(crops)),
        output_padding=extra,
        dilations=list(layer.dilation),
        group=layer.groups,
    )


def _separable(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = tuple((w.before, w.after) for w in layer.windows(inputs[0]))
    middle = _convolved(graph, layer, [names[0], graph.weight("depthwise.weight")], pads, inputs[0][0])
    tensors = [graph.weight("pointwise.weight"), *graph.optional("pointwise.bias")]
    return graph.op("Conv", middle, *tensors, kernel_shape=[1] * layer.rank)


def _linear(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if len(inputs[0]) == 1:
        return graph.op("Gemm", names[0], graph.weight("weight"), *graph.optional("bias"), transB=1)
    product = graph.op("MatMul", names[0], graph.weight("weight", transposed=True))
    return graph.op("Add", product, graph.weight("bias")) if layer.bias else product


def _batch_norm(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if not layer.track_running_stats:
        raise Refused("ONNX normalizes a batch by running statistics, and this layer keeps none")
    statistics = graph.optional("running_mean", "running_var")
    return graph.op("BatchNormalization", names[0], *graph.affine(inputs[0][:1]), *statistics, epsilon=layer.eps)


def _instance_norm(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.track_running_stats:
        return _batch_norm(graph, layer, inputs, output, names)
    return graph.op("InstanceNormalization", names[0], *graph.affine(inputs[0][:1]), epsilon=layer.eps)


def _group_norm(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    attributes = {"num_groups": layer.num_groups, "epsilon": layer.eps}
    return graph.op("GroupNormalization", names[0], *graph.affine(inputs[0][:1]), **attributes)


def _layer_norm(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.dim is None:
        shape = layer.normalized_shape or inputs[0][-1:]
        tensors = graph.affine(shape, bias=False)
        return graph.op("LayerNormalization", names[0], *tensors, axis=-len(shape), epsilon=layer.eps)
    axes = len(inputs[0])
    last = graph.op("Transpose", names[0], perm=[0, *range(2, axes + 1), 1])
    tensors = graph.affine(inputs[0][:1], bias=False)
    normalized = graph.op("LayerNormalization", last, *tensors, axis=-1, epsilon=layer.eps)
    return graph.op("Transpose", normalized, perm=[0, axes, *range(1, axes)])


def _local_response_norm(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.size % 2 == 0:
        raise Refused(f"onnxruntime normalizes over an odd number of channels, not over {layer.size}")
    attributes = {"size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "bias": layer.k}
    if len(output) == 3:
        return graph.op("LRN", names[0], **attributes)
    # onnxruntime takes images alone.
    image = graph.op("Reshape", names[0], graph.integers((-1, output[0], 1, prod(output[1:]))))
    return graph.op("Reshape", graph.op("LRN", image, **attributes), graph.integers((-1, *output)))


def _along_channels(shape: Shape) -> Shape:
    return (shape[0], *(1,) * (len(shape) - 1))


def _scale(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = _along_channels(inputs[0])
    product = graph.op("Mul", names[0], graph.weight("weight", shape))
    return graph.op("Add", product, graph.weight("bias", shape)) if graph.has("bias") else product


def _prelu(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = (1,) if layer.num_parameters == 1 else _along_channels(inputs[0])
    return graph.op("PRelu", names[0], graph.weight("weight", shape))


def _plain(operator: str, **attributes: Any) -> OnnxMapper:
    def map_(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return graph.op(operator, names[0], **attributes)

    return map_


def _with_field(operator: str, **fields: str) -> OnnxMapper:
    """An operator whose attributes are the layer's fields: attribute=field."""

    def map_(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
        given = {attribute: getattr(layer, field) for attribute, field in fields.items()}
        return graph.op(operator, names[0], **given)

    return map_


def _relu6(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Clip", names[0], graph.numbers(0.0), graph.numbers(6.0))


def _silu(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Mul", names[0], graph.op("Sigmoid", names[0]))


def _softplus(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.threshold < 20:
        raise Refused(f"ONNX's Softplus is never cut off, this one above {layer.threshold:g}")
    if layer.beta == 1:
        return graph.op("Softplus", names[0])
    beta = graph.numbers(layer.beta)
    return graph.op("Div", graph.op("Softplus", graph.op("Mul", names[0], beta)), beta)


def _softmax(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Softmax", names[0], axis=layer.dim % len(inputs[0]) + 1)


def _dropout(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Dropout", names[0], graph.numbers(layer.p))


_MAPPERS: dict[str, OnnxMapper] = {
    **SPACE,
    **SHAPES,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "Linear": _linear,
    "Identity": _plain("Identity"),
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": _local_response_norm,
    "Scale": _scale,
    "relu": _plain("Relu"),
    "relu6": _relu6,
    "silu": _silu,
    "hardswish": _plain("HardSwish"),
    "hardsigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "mish": _plain("Mish"),
    "selu": _plain("Selu"),
    "Gelu": _with_field("Gelu", approximate="approximate"),
    "LeakyReLU": _with_field("LeakyRelu", alpha="negative_slope"),
    "PReLU": _prelu,
    "ELU": _with_field("Elu", alpha="alpha"),
    "Softplus": _softplus,
    "Softmax": _softmax,
    "Dropout": _dropout,
    "StochasticDepth": _plain("Identity"),
}


ONNX: dict[str, OnnxMapper] = {
    kind: _MAPPERS[kind if kind in _MAPPERS else model] for kind, (_, model) in KINDS.items()
}

"""Kind -> its operators."""
