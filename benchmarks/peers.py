"""What the reference is timed against: bare matrix products, onnxruntime, onnx.reference, and NumPy without thought.

Each function gives one action to time, or None where the other implementation is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convcalc import Network
from convcalc.reference import definition, forward
from convcalc.reference.border import border

try:
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    helper = None

Action = Callable[[], Any]
Weights = Mapping[str, Mapping[str, Any]]

OPERATORS = {
    "conv2d": "Conv",
    "conv_transpose2d": "ConvTranspose",
    "max_pool2d": "MaxPool",
    "avg_pool2d": "AveragePool",
    "local_response_norm": "LRN",
    "relu": "Relu",
    "concat": "Concat",
    "flatten": "Flatten",
    "dropout": "Identity",
    "linear": "Gemm",
    "softmax": "Softmax",
}
"""Kind -> operator of ONNX, for the layers timed here."""


def product_of_convolution(w: Any, positions: int) -> Action:
    """The product of a convolution with its columns ready."""
    columns = np.random.default_rng(1).standard_normal((prod(w.shape[1:]), positions), np.float32)
    rows, result = w.reshape(w.shape[0], -1), np.empty((w.shape[0], positions), np.float32)
    return lambda: np.matmul(rows, columns, out=result)


def product_of_transposed(w: Any, x: Any) -> Action:
    """The product of a transposed convolution, its columns not added up."""
    rows, values = w.reshape(w.shape[0], -1).T, x.reshape(x.shape[1], -1)
    result = np.empty((rows.shape[0], values.shape[1]), np.float32)
    return lambda: np.matmul(rows, values, out=result)


def copied_columns(w: Any, positions: int) -> Action | None:
    """The product of a convolution, its columns copied before as one run; None for 1×1, which has none."""
    if prod(w.shape[2:]) == 1:
        return None
    source = np.random.default_rng(1).standard_normal((prod(w.shape[1:]), positions), np.float32)
    rows = w.reshape(w.shape[0], -1)
    return lambda: np.matmul(rows, source.copy())


def copied_output(w: Any, x: Any, positions: int) -> Action:
    """The product of a transposed convolution, and as many numbers as its output has copied as one run."""
    multiply, source = product_of_transposed(w, x), np.ones((w.shape[1], positions), np.float32)
    return lambda: (multiply(), source.copy())


def onnx_node(layer: Any, inputs: list[str], output: str) -> Any:
    """The layer as a node of ONNX."""
    fields: dict[str, Any] = {}
    if hasattr(layer, "kernel_size"):
        begins, ends = zip(*layer.padding, strict=True)
        fields = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride), "pads": [*begins, *ends]}
    if "pool" in layer.kind:
        fields["ceil_mode"] = int(bool(layer.ceil_mode))
    elif layer.kind == "local_response_norm":
        fields = {"size": layer.size, "alpha": float(layer.alpha), "beta": float(layer.beta), "bias": float(layer.k)}
    elif layer.kind == "linear":
        fields["transB"] = 1
    elif layer.kind in ("concat", "softmax"):
        fields["axis"] = 1
    return helper.make_node(OPERATORS[layer.kind], inputs, [output], **fields)


def onnx_model(nodes: list[Any], weights: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
    """Nodes from the tensor `0` to that of the last node."""
    x = helper.make_tensor_value_info("0", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "graph", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def layer_model(layer: Any, shape: tuple[int, ...], weights: Mapping[str, Any]) -> Any:
    """One layer as a model; None without onnx."""
    if helper is None:
        return None
    return onnx_model([onnx_node(layer, ["0", *weights], "y")], weights, shape)


def network_model(network: Network, weights: Weights) -> Any:
    """A network of the kinds above as a model; None without onnx."""
    if helper is None:
        return None
    nodes, tensors = [], {}
    for index, node in enumerate(network.nodes):
        if node.layer is not None:
            own = {f"{node.name}.{key}": array for key, array in weights[node.name].items()}
            nodes.append(onnx_node(node.layer, [*map(str, node.inputs), *own], str(index)))
            tensors.update(own)
    return onnx_model(nodes, tensors, (1, *network.nodes[0].shape))


def onnxruntime_action(model: Any, x: Any) -> Action | None:
    """The model in onnxruntime, on one thread."""
    try:
        import onnxruntime
    except ImportError:
        return None
    if model is None:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"0": x})[0]


def onnx_reference_action(model: Any, x: Any) -> Action | None:
    """The model in onnx's own reference."""
    if model is None:
        return None
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model)
    return lambda: evaluator.run(None, {"0": x})[0]


def naive_layer(layer: Any, inputs: tuple[Any, ...], weights: Mapping[str, Any]) -> Any:
    """The layer as one writes it first: im2col whole, pools over windows, a general power."""
    x = inputs[0]
    if layer.kind == "conv2d":
        bordered = border(x, layer.padding, "zeros")
        y = definition.convolve(bordered, weights["weight"], layer.stride, layer.dilation)
        return y + weights["bias"].reshape(-1, 1, 1)
    if layer.kind == "max_pool2d":
        ((top, bottom), (left, right)), (down, across), k = layer.padding, layer.stride, layer.kernel_size
        over = (-(x.shape[2] + top + bottom - k[0]) % down, -(x.shape[3] + left + right - k[1]) % across)
        room = ((top, bottom + over[0]), (left, right + over[1])) if layer.ceil_mode else layer.padding
        windows = sliding_window_view(border(x, room, "constant", -np.inf), k, (2, 3))
        return windows[:, :, ::down, ::across].max((4, 5))
    if layer.kind == "local_response_norm":
        half = layer.size // 2
        squares = np.pad(x**2, ((0, 0), (half, layer.size - 1 - half), (0, 0), (0, 0)))
        sums = sliding_window_view(squares, layer.size, 1).sum(-1)
        return x / (layer.k + layer.alpha / layer.size * sums) ** layer.beta
    return forward(layer, inputs, weights)


def naive_run(network: Network, weights: Weights, x: Any) -> Any:
    """The output of a network by `naive_layer`; nothing is freed."""
    arrays = [x]
    for node in network.nodes[1:]:
        arrays.append(naive_layer(node.layer, tuple(arrays[i] for i in node.inputs), weights[node.name]))
    return arrays[-1]
