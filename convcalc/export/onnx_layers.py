"""ONNX operators: one table from the layers of the language to what computes them.

Source: the operators of ONNX opset 21, as onnxruntime runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.kind_table import BATCHED, KindTable
from .for_onnx import activation, arithmetic, conv, layout, norm, pool, product, space
from .for_onnx.common import Mapper
from .program import OPAQUE

if TYPE_CHECKING:
    from ..layers.base import Shape, Shapes
    from ..layers.batched import Batched
    from .onnx_graph import Graph


def _batched(graph: Graph, layer: Batched, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    merged = [
        graph.op("Reshape", name, graph.integers((-1, *shape))) for name, shape in zip(names, inside, strict=True)
    ]
    found = ONNX.of(inner)(graph, inner, inside, result, merged)
    return graph.op("Reshape", found, graph.integers((-1, *output)))


ONNX: KindTable[Mapper] = KindTable(
    {
        **conv.ROWS,
        **pool.ROWS,
        **space.ROWS,
        **layout.ROWS,
        **norm.ROWS,
        **activation.ROWS,
        **arithmetic.ROWS,
        **product.ROWS,
        BATCHED: _batched,
    },
    absent="no operator of ONNX is known to do what it does",
    refused={
        **OPAQUE,
        "Unfold": "ONNX has no operator that writes windows out as columns",
        "ConvLSTM": "ONNX has no recurrent operator whose products are convolutions",
    },
)
"""Kind or family -> its operators."""
