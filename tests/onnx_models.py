"""ONNX files for tests: those of the onnx package, recorded ones, and small ones that are made here."""

from __future__ import annotations

import gzip
import json
from math import prod
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

from convcalc.network import Network
from convcalc.onnx import load_onnx
from convcalc.onnx.convert import Conversion
from convcalc.onnx.graph import input_sizes
from convcalc.onnx.messages import parse_model

RECORDED = Path(__file__).parent / "oracle" / "onnx"
PACKAGED = Path(onnx.__file__).parent / "backend" / "test" / "data"
FACTS: dict[str, Any] = json.loads(gzip.decompress((RECORDED / "facts.json.gz").read_bytes()))
LIGHT = sorted(path.name for path in (PACKAGED / "light").glob("*.onnx"))
SMALL = sorted(
    str(path.relative_to(PACKAGED))
    for folder in ("simple", "pytorch-converted", "pytorch-operator")
    for path in (PACKAGED / folder).glob("*/model.onnx")
)


def recorded(name: str) -> bytes:
    """A recorded file."""
    return gzip.decompress((RECORDED / f"{name}.gz").read_bytes())


def conversion_of(data: bytes) -> Conversion:
    """What comes of a file before its layers have names."""
    model, path = parse_model(data), "test.onnx"
    assert model.graph is not None
    return Conversion(model, model.graph, path, input_sizes(model, model.graph, None, path))


def shapes_of(conversion: Conversion) -> dict[str, tuple[int, ...]]:
    """Every tensor of the graph with the dims that it has here."""
    return {name: value.dims for name, value in conversion.builder.values.items()}


def inferred_shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Every tensor's dims as the onnx package infers them, where it knows them."""
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    found = {}
    for info in (*model.graph.value_info, *model.graph.output):
        kind = info.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            found[info.name] = tuple(dim.dim_value for dim in kind.shape.dim)
    return found


def weight_elements(model: onnx.ModelProto) -> int:
    """Floats in the file's initialisers, and in the tensors that ConstantOfShape stands for them; single ones apart."""
    numbers = {tensor.name: tensor for tensor in model.graph.initializer}
    sizes = [prod(tensor.dims) for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    created = [node.input[0] for node in model.graph.node if node.op_type == "ConstantOfShape"]
    sizes += [int(prod(numpy_helper.to_array(numbers[name]).tolist())) for name in created]
    return sum(size for size in sizes if size > 1)


class Maker:
    """Builds a small graph node by node."""

    def __init__(self, *shape: int | str, opset: int = 17) -> None:
        self.opset = opset
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self.inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape or None)]

    def weight(self, *shape: int) -> str:
        """An initialiser of this shape; its numbers are not in the file."""
        tensor = TensorProto(name=f"w{len(self.tensors)}", dims=shape, data_type=TensorProto.FLOAT)
        self.tensors.append(tensor)
        return str(tensor.name)

    def constant(self, values: Any, floating: bool = False) -> str:
        """An initialiser with numbers."""
        kind = TensorProto.FLOAT if floating else TensorProto.INT64
        flat = values if isinstance(values, list) else [values]
        shape = [len(flat)] if isinstance(values, list) else []
        self.tensors.append(helper.make_tensor(f"k{len(self.tensors)}", kind, shape, flat))
        return str(self.tensors[-1].name)

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", name: str = "", **attributes: Any) -> str:
        """One node; its first output's name."""
        made = [f"t{len(self.nodes)}" + ("" if n == 0 else f"_{n}") for n in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), made, name=name, domain=domain, **attributes))
        return made[0]

    def model(self, *outputs: str) -> onnx.ModelProto:
        """The model that puts these tensors out."""
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "test", self.inputs, infos, self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])

    def load(self, folder: Path, *outputs: str, input: object = None) -> Network:
        """The network of the model, read from a file."""
        path = folder / "model.onnx"
        path.write_bytes(self.model(*(outputs or (self.nodes[-1].output[0],))).SerializeToString())
        return load_onnx(str(path), input=input)


def kinds(network: Network) -> list[str]:
    """The kinds of the layers in order."""
    return [node.kind for node in network.nodes if node.layer is not None]
