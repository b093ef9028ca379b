"""A network as an ONNX model, with zero or given weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from ..findings import UsageError
from ..flow import consumers
from ..hints import installing
from ..layers.kind_table import Refused
from ..network import held_weights, holder, tensor_holder
from ..version import __version__
from .program import refusal, with_examples

if TYPE_CHECKING:
    from ..network import Network, Node
    from .onnx_graph import Graph, Numbers, Weights

OPSET = 21
IR_VERSION = 10
BATCH = "batch"
"""The symbol of the first axis."""
LARGEST = 2**31 - 2**24
"""Bytes that the format holds in one file, less some room for the graph."""

WeightsOf = Callable[["Node"], "Weights"]
"""A node -> its arrays by PyTorch's names."""


def onnx_model(network: Network, weights_of: WeightsOf | None = None) -> bytes:
    """The bytes of an ONNX file with the network; see `onnx_pieces`."""
    return b"".join(onnx_pieces(network, weights_of))


def onnx_pieces(network: Network, weights_of: WeightsOf | None = None) -> Iterator[bytes]:
    """An ONNX file of opset 21 with the network as a graph of float32 on batches of any size, piece by piece.

    `weights_of` gives the arrays of each node, and is asked when they are written; without it weights are zero
    (variances one) and are written as ConstantOfShape, so that the file is small. Raises UsageError, before the first
    piece, where the onnx package is missing, ONNX has no equal of a layer, or the weights do not fit into one file.
    """
    try:
        import onnx
    except ImportError:
        raise UsageError("onnx is not installed", installing("onnx")) from None
    _check_size(network, weights_of is not None)
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    graph = _graph(network, weights_of)
    nodes = network.nodes
    shapes = {output.node: nodes[output.node] for output in network.outputs}
    inputs = [n for n in nodes if n.layer is None]
    head = onnx.GraphProto(node=graph.nodes, name=network.name or "network").SerializeToString()
    tail = onnx.GraphProto(
        doc_string=network.source or "",
        input=[helper.make_tensor_value_info(n.name, float32, [BATCH, *n.shape]) for n in inputs],
        output=[helper.make_tensor_value_info(n.name, float32, [BATCH, *n.shape]) for n in shapes.values()],
    ).SerializeToString()
    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="convcalc", producer_version=__version__)
    operators = onnx.ModelProto(opset_import=[helper.make_opsetid("", OPSET)])
    tensors = [_heads(tensor) for tensor in graph.initializers]
    length = sum([len(before) + count for before, count, _ in tensors])
    before = model.SerializeToString() + _opening(MODEL_GRAPH, len(head) + length + len(tail)) + head
    return _pieces(before, tensors, tail + operators.SerializeToString())


MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_RAW_DATA = 7, 5, 9
"""Numbers of fields in onnx.proto. The fields of a message stand in the order of their numbers."""
Tensor = tuple[bytes, int, "Numbers | None"]
"""What stands before a tensor's numbers, how many bytes these take, and who makes them; None for one that is whole."""


def _pieces(before: bytes, tensors: Sequence[Tensor], after: bytes) -> Iterator[bytes]:
    yield before
    for head, _, numbers in tensors:
        yield head
        if numbers is not None:
            yield numbers.made().data  # type: ignore[misc]  # what can be written as bytes, without a copy
    yield after


def _heads(tensor: Numbers | Any) -> Tensor:
    from .onnx_graph import Numbers

    if not isinstance(tensor, Numbers):
        written = tensor.SerializeToString()
        return _opening(GRAPH_INITIALIZER, len(written)) + written, 0, None
    head = tensor.head + _opening(TENSOR_RAW_DATA, tensor.length)
    return _opening(GRAPH_INITIALIZER, len(head) + tensor.length) + head, tensor.length, tensor


def _opening(field: int, length: int) -> bytes:
    """The key and the length of a field that holds bytes.

    >>> _opening(7, 300).hex()
    '3aac02'
    """
    written = bytearray([field << 3 | 2])
    while length > 0x7F:
        written.append(length & 0x7F | 0x80)
        length >>= 7
    written.append(length)
    return bytes(written)


class _Latest:
    """The arrays of the node that was asked for last: the tensors of one layer are written one after the other."""

    def __init__(self, weights_of: WeightsOf) -> None:
        self._weights_of = weights_of
        self._node: Node | None = None
        self._arrays: Weights = {}

    def of(self, node: Node) -> Weights:
        """Its arrays."""
        if node is not self._node:
            self._node, self._arrays = node, {}
            self._arrays = self._weights_of(node)
        return self._arrays


def _graph(network: Network, weights_of: WeightsOf | None) -> Graph:
    from .onnx_graph import Graph
    from .onnx_layers import ONNX

    graph = Graph()
    whole, network = network, with_examples(network)
    alone = _repeated_by_readers(whole)
    latest = _Latest(weights_of) if weights_of is not None else None
    for index, node in enumerate(network.nodes):
        if node.layer is None:
            continue
        shapes = network.input_shapes(node)
        nodes, weights = network.nodes, node.layer.weights(shapes)
        drawn = partial(latest.of, nodes[holder(nodes, index)]) if latest else None
        holders = {weight.name: nodes[tensor_holder(nodes, index, weight.name)].name for weight in weights}
        graph.begin(node, weights, drawn, holders)
        try:
            names = [network.nodes[source].name for source in node.inputs if node.name not in alone]
            ONNX.of(node.layer)(graph, node.layer, shapes, node.shape, names)
        except Refused as refused:
            raise refusal("onnx", node, refused) from None
        graph.end()
    passed_on = [output.node for output in network.outputs if network.nodes[output.node].layer is None]
    if passed_on:
        raise UsageError("an ONNX graph cannot pass an input on as its output", "put an 'identity' between them")
    return graph


def _repeated_by_readers(network: Network) -> set[str]:
    """Names of the tensors that the network holds whose readers all repeat them for each example: sums, products."""
    found = set()
    put_out = {output.node for output in network.outputs}
    for index, readers in enumerate(consumers(network.nodes, len(network.nodes))):
        node = network.nodes[index]
        if node.layer is not None and node.layer.is_constant and index not in put_out:
            read_by = [network.nodes[reader] for reader in readers]
            if all(_repeats(network, reader) for reader in read_by):
                found.add(node.name)
    return found


def _repeats(network: Network, node: Node) -> bool:
    """Whether a layer joins element by element, and reads something of each example."""
    joins = node.layer is not None and node.layer.joins and node.layer.in_place
    return joins and any(network.nodes[source].elements for source in node.inputs)


def _check_size(network: Network, written: bool) -> None:
    nodes = network.nodes if written else ()
    total = sum(4 * prod(weight.shape) for weight in held_weights(nodes))
    if total > LARGEST:
        raise UsageError(
            f"the weights take {total:,} bytes, and an ONNX file holds less than 2 GiB",
            "--weights zero writes their shapes alone",
        )
