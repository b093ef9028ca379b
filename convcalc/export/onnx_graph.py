"""An ONNX graph under construction: operators, constants and weights of one layer after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from ..layers.base import Shape, Weight
    from ..network import Node

Weights = Mapping[str, ArrayLike]
"""Arrays by PyTorch's names."""
Drawn = Callable[[], Weights]
"""The arrays of a layer, when they are asked for."""


KIND, BUFFER = "pkg.torch.export.graph_signature.InputSpec.kind", "BUFFER"
"""How PyTorch's exporter notes at a tensor that nothing learns it."""


class Numbers(NamedTuple):
    """A tensor of float32 whose numbers are made when it is written."""

    name: str
    dims: Shape
    made: Callable[[], NDArray[np.float32]]
    learned: bool = True

    @property
    def head(self) -> bytes:
        """What stands before its numbers in the file."""
        tensor = TensorProto(dims=self.dims, data_type=TensorProto.FLOAT, name=self.name)
        if not self.learned:
            tensor.metadata_props.add(key=KIND, value=BUFFER)
        found: bytes = tensor.SerializeToString()
        return found

    @property
    def length(self) -> int:
        """The bytes of its numbers."""
        return prod(self.dims) * np.dtype(np.float32).itemsize


class Graph:
    """The graph; weights of layers are zero where they are not drawn."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Numbers | Any] = []
        """Tensors of the onnx package, and those whose numbers are yet to be made."""
        self._shared: dict[tuple[int, ...], str] = {}
        self._path = ""
        self._tensors: dict[str, tuple[Shape, bool]] = {}
        """The tensors of layers that stand in the graph, with their dims, and whether these are in reverse."""
        self._holders: Mapping[str, str] = {}
        self._weights: dict[str, Weight] = {}
        self._drawn: Drawn | None = None
        self._count = 0

    def begin(self, node: Node, weights: Sequence[Weight], drawn: Drawn | None, holders: Mapping[str, str]) -> None:
        """Start a layer; `holders` are the layers that hold its tensors, by the names of these."""
        self._path = node.name
        self._holders = holders
        self._weights = {weight.name: weight for weight in weights}
        self._drawn = drawn
        self._count = 0

    def end(self) -> None:
        """The layer's last operator carries the layer's name, and so does what it puts out."""
        last = self.nodes[-1]
        last.name = last.output[0] = self._path

    def op(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; returns the name of its output."""
        self._count += 1
        name = f"{self._path}/{operator}_{self._count}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def integers(self, values: Sequence[int]) -> str:
        """A constant vector of integers; equal ones are shared."""
        key = tuple(values)
        if key not in self._shared:
            self._shared[key] = name = f"/integers_{len(self._shared)}"
            self.initializers.append(numpy_helper.from_array(np.array(key, np.int64), name))
        return self._shared[key]

    def integer(self, value: int) -> str:
        """A constant integer without axes."""
        self._count += 1
        name = f"{self._path}/constant_{self._count}"
        self.initializers.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def numbers(self, values: ArrayLike) -> str:
        """A constant in float32."""
        self._count += 1
        name = f"{self._path}/constant_{self._count}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def has(self, weight: str) -> bool:
        """Whether the layer holds this tensor."""
        return weight in self._weights

    def weight(self, name: str, shape: Shape | None = None, *, transposed: bool = False) -> str:
        """A tensor of the layer, under another shape or transposed where the operator takes it so."""
        weight = self._weights[name]
        path = f"{self._holders[name]}.{name}"
        wanted = shape or (weight.shape[::-1] if transposed else weight.shape)
        held = self._tensors.get(path)
        if held is not None:
            if held[1] != transposed:
                return self.op("Transpose", path, perm=[1, 0])
            return path if held[0] == wanted else self.op("Reshape", path, self.integers(wanted))
        self._tensors[path] = (wanted, transposed)
        drawn = self._drawn
        if drawn is None:
            value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0 if name == "running_var" else 0.0])
            inputs = [self.integers(wanted)]
            self.nodes.append(helper.make_node("ConstantOfShape", inputs, [path], name=path, value=value))
            if not weight.learnable:
                self.nodes[-1].metadata_props.add(key=KIND, value=BUFFER)
            return path

        def made() -> NDArray[np.float32]:
            array = np.asarray(drawn()[name], np.float32)
            return np.ascontiguousarray(array.T if transposed else array.reshape(wanted))

        self.initializers.append(Numbers(path, wanted, made, weight.learnable))
        return path

    def composed(self, name: str, shape: Shape, make: Callable[[Weights], ArrayLike]) -> str:
        """A tensor that is made of several of the layer's, under a name of its own."""
        path, drawn = f"{self._path}.{name}", self._drawn
        if drawn is None:
            value = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.0])
            self.nodes.append(
                helper.make_node("ConstantOfShape", [self.integers(shape)], [path], name=path, value=value)
            )
            return path

        def made() -> NDArray[np.float32]:
            return np.ascontiguousarray(make(drawn()), np.float32)

        self.initializers.append(Numbers(path, shape, made))
        return path

    def optional(self, *names: str) -> list[str]:
        """Those of the tensors that the layer holds."""
        return [self.weight(name) for name in names if self.has(name)]

    def affine(self, count: Shape, *, bias: bool = True) -> list[str]:
        """Factor and offset of a norm: its tensors, or ones and zeros where it has none."""
        weight = self.weight("weight") if self.has("weight") else self.numbers(np.ones(count))
        if not bias and not self.has("bias"):
            return [weight]
        return [weight, self.weight("bias") if self.has("bias") else self.numbers(np.zeros(count))]
