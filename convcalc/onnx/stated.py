"""Shapes of tensors that no rule gives: as the file states them, else as the onnx package infers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.base import Shape
from .graph import Inputs
from .messages import Graph
from .operators import operator_of
from .values import Call

if TYPE_CHECKING:
    from .inference import Inference


class Shapeless(Exception):
    """The shape of what a node gives is not known; the message says why."""


class Stated:
    """The shapes of a graph's tensors, for the inputs that were chosen."""

    def __init__(self, graph: Graph, inputs: Inputs) -> None:
        self._infos = {info.name: info for info in graph.outputs} | graph.infos
        self._inside = graph.infos
        self._inputs = inputs
        self._inference: Inference | None = None

    def otherwise(self, name: str, dims: Shape) -> Shape | None:
        """The dims that the file states for a tensor inside, where these are others than `dims`."""
        info = self._inside.get(name)
        return self.dims(name) if info is not None and info.dims != dims else None

    def dims(self, name: str) -> Shape | None:
        """The dims that the file states for a tensor, where they hold for the inputs that were chosen."""
        info = self._infos.get(name)
        if info is None or info.dims is None or not self._inputs.as_stated:
            return None
        batches = self._inputs.open_batches
        sizes = [1 if isinstance(dim, str) and dim in batches else dim for dim in info.dims]
        known = tuple(size for size in sizes if isinstance(size, int) and size >= 0)
        return known if len(known) == len(sizes) else None

    def found(self, name: str, call: Call, reason: str) -> Shape:
        """The dims of an output of a node as the file states them, else as onnx infers them. Raises `Shapeless`.

        `reason` says why no rule gives them.
        """
        stated = self.dims(name)
        if stated is not None:
            return stated
        if operator_of(call.node.domain, call.node.op, call.opset).open_ended:
            raise Shapeless("its shape depends on what flows")
        if self._inference is None:
            from .inference import Inference

            self._inference = Inference()
        found = self._inference.outputs(call).get(name)
        if found is None:
            raise Shapeless(f"the shape of its output is not known ({reason})")
        return found

    def close(self) -> None:
        """Ends what was asked of the onnx package."""
        if self._inference is not None:
            self._inference.close()
