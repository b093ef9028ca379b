"""A network as an ONNX model, with zero or given weights."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from ..findings import UsageError
from ..layers.kind_table import Refused
from ..version import __version__
from .program import refusal

if TYPE_CHECKING:
    from ..network import Network, Node
    from .onnx_graph import Graph, Weights

OPSET = 21
IR_VERSION = 10
BATCH = "batch"
"""The symbol of the first axis."""
LARGEST = 2**31 - 2**24
"""Bytes that the format holds in one file, less some room for the graph."""

WeightsOf = Callable[["Node"], "Weights"]
"""A node -> its arrays by PyTorch's names."""


def onnx_model(network: Network, weights_of: WeightsOf | None = None) -> bytes:
    """The bytes of an ONNX file of opset 21 with the network as a graph of float32 on batches of any size.

    `weights_of` gives the arrays of each node; without it weights are zero (variances one) and are written as
    ConstantOfShape, so that the file is small. Raises UsageError where the onnx package is missing, ONNX has no
    equal of a layer, or the weights do not fit into one file.
    """
    try:
        import onnx
    except ImportError:
        raise UsageError("onnx is not installed", "pip install 'convcalc[onnx]'") from None
    _check_size(network, weights_of is not None)
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    graph = _graph(network, weights_of)
    nodes = network.nodes
    shapes = {output.node: nodes[output.node] for output in network.outputs}
    inputs = [n for n in nodes if n.layer is None]
    proto = helper.make_graph(
        graph.nodes,
        network.name or "network",
        [helper.make_tensor_value_info(n.name, float32, [BATCH, *n.shape]) for n in inputs],
        [helper.make_tensor_value_info(n.name, float32, [BATCH, *n.shape]) for n in shapes.values()],
        graph.initializers,
        doc_string=network.source or "",
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name, model.producer_version = "convcalc", __version__
    written: bytes = model.SerializeToString()
    return written


def _graph(network: Network, weights_of: WeightsOf | None) -> Graph:
    from .onnx_graph import Graph
    from .onnx_layers import ONNX

    graph = Graph()
    for node in network.nodes:
        if node.layer is None:
            continue
        shapes = network.input_shapes(node)
        graph.begin(node, node.layer.weights(shapes), weights_of(node) if weights_of else None)
        try:
            names = [network.nodes[source].name for source in node.inputs]
            ONNX.of(node.layer)(graph, node.layer, shapes, node.shape, names)
        except Refused as refused:
            raise refusal("onnx", node, refused) from None
        graph.end()
    passed_on = [output.node for output in network.outputs if network.nodes[output.node].layer is None]
    if passed_on:
        raise UsageError("an ONNX graph cannot pass an input on as its output", "put an 'identity' between them")
    return graph


def _check_size(network: Network, written: bool) -> None:
    total = 0
    for node in network.nodes if written else ():
        if node.layer is not None:
            total += sum(4 * prod(weight.shape) for weight in node.layer.weights(network.input_shapes(node)))
    if total > LARGEST:
        raise UsageError(
            f"the weights take {total:,} bytes, and an ONNX file holds less than 2 GiB",
            "--weights zero writes their shapes alone",
        )
