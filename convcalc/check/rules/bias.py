"""CC403: a bias that the batch norm behind it takes away again."""

from __future__ import annotations

from collections.abc import Iterator

from ...network import Network, consumers
from ..manual.page import Page
from .remark import Remark

PAGES = (
    Page(
        "CC403",
        "Batch norm subtracts the mean of each channel, so that a bias right before it changes nothing; it still "
        "costs parameters, an addition an output, and its gradient is zero.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 64, k: 3, p: 1}}, batch_norm, relu]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 64, k: 3, p: 1, bias: false}}, batch_norm, relu]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each layer with a bias that only batch norms read."""
    readers = consumers(network.nodes, len(network.nodes))
    outputs = {output.node for output in network.outputs}
    for index, node in enumerate(network.nodes):
        if node.layer is None or not node.layer.weighted or not node.layer.biased(network.input_shapes(node)):
            continue
        read_by = [network.nodes[reader].layer for reader in readers[index]]
        normalized = bool(read_by) and all(layer is not None and layer.over_batch for layer in read_by)
        if normalized and index not in outputs:
            message = f"the batch norm behind it takes away the bias of this {node.kind} (channels: {node.shape[0]:,})"
            yield Remark("CC403", message, node.name, "write bias: false")
