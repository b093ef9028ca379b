"""A graph of ONNX in the making, whose nodes are short to write. Needs the onnx package."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

Dims = tuple[int | str, ...]


class Graph:
    """A graph in the making."""

    def __init__(self, opset: int = 17, **inputs: Dims) -> None:
        self.opset = opset
        self.inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, dims) for n, dims in inputs.items()]
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def weight(self, name: str, *dims: int, kind: int = TensorProto.FLOAT) -> str:
        """An initialiser of this shape, without numbers."""
        self.tensors.append(TensorProto(name=name, dims=dims, data_type=kind))
        return name

    def numbers(self, name: str, values: list[float], dims: Dims | None = None, kind: int = TensorProto.INT64) -> str:
        """An initialiser with numbers."""
        self.tensors.append(helper.make_tensor(name, kind, (len(values),) if dims is None else dims, values))
        return name

    def node(self, op: str, inputs: str, outputs: str = "y", domain: str = "", **attributes: Any) -> None:
        """A node, its tensors between spaces; `_` is left out."""
        names = [["" if name == "_" else name for name in text.split()] for text in (inputs, outputs)]
        self.nodes.append(helper.make_node(op, *names, domain=domain, **attributes))

    def model(self) -> onnx.ModelProto:
        """The model that puts out y."""
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "g", self.inputs, outputs, self.tensors)
        domains = ("com.microsoft", "com.microsoft.nchwc")
        opsets = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        return helper.make_model(graph, opset_imports=opsets)
