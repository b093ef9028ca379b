"""`export`: a network for PyTorch, Keras or ONNX, or as a drawing."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, overload

from ..findings import UsageError
from ..hints import suggest
from .load import Spec, network_of

if TYPE_CHECKING:
    from ..network import Network, Node
    from .report import Dtype

CodeTarget = Literal["torch", "keras"]
Drawing = Literal["mermaid", "dot", "svg"]
Boxes = Literal["stage", "layer"]
Style = Literal["graph", "figure"]
TARGETS = ("torch", "keras", "onnx", "mermaid", "dot", "svg", "arena")


@overload
def export(spec: Spec, to: CodeTarget) -> str: ...
@overload
def export(spec: Spec, to: Drawing, *, by: Boxes = "stage", style: Style = "graph") -> str: ...
@overload
def export(spec: Spec, to: Literal["onnx"], *, seed: int | None = None) -> bytes: ...
@overload
def export(spec: Spec, to: Literal["arena"], *, dtype: Dtype = "int8") -> str: ...
@overload
def export(
    spec: Spec,
    to: str,
    *,
    by: Boxes = "stage",
    style: Style = "graph",
    seed: int | None = None,
    dtype: Dtype = "int8",
) -> str | bytes: ...


def export(
    spec: Spec,
    to: str,
    *,
    by: Boxes = "stage",
    style: Style = "graph",
    seed: int | None = None,
    dtype: Dtype = "int8",
) -> str | bytes:
    """A network as the source of a PyTorch module or a Keras model, as an ONNX file's bytes, or as a drawing.

    `to` is torch, keras, onnx, mermaid, dot or svg. The boxes of a drawing are its top-level stages or, `by="layer"`,
    its layers; an SVG picture of stages is also drawn as a figure of a paper, `style="figure"`. With arena it is the
    SVG picture of a microcontroller's arena for tensors of this `dtype`. Weights of an ONNX file are zero; with a
    `seed` they are those that `verify` draws from it. Raises SpecError where the target has no equal of a layer,
    UsageError for another target, for a drawing of too much, or where the onnx package is needed and missing.

    >>> export("lenet5", "torch").splitlines()[0]
    '\"\"\"LeNet-5, for PyTorch.'
    >>> export("lenet5", "mermaid", by="layer").partition(chr(10))[0]
    'flowchart TD'
    """
    if to not in TARGETS:
        raise UsageError(f"there is no export to '{to}'", suggest(to, TARGETS, f"one of {', '.join(TARGETS)}"))
    network = network_of(spec)
    if to == "torch":
        from ..export.torch_module import torch_module

        return torch_module(network)
    if to == "keras":
        from ..export.keras_module import keras_module

        return keras_module(network)
    if to == "onnx":
        whole = BytesIO()
        whole.writelines(onnx_pieces(network, seed))
        return whole.getvalue()
    if to == "arena":
        from .arena import arena

        return arena(network, dtype=dtype).svg()
    if to == "svg" and style == "figure":
        if by != "stage":
            raise UsageError("a figure shows stages", 'by="layer" goes with style="graph"')
        from ..export.figure import figure

        return figure(network)
    from ..export import drawing

    graph = drawing.drawing(network, by)
    if to == "mermaid":
        return drawing.mermaid(graph)
    return drawing.dot(graph) if to == "dot" else drawing.svg(graph)


def onnx_pieces(network: Network, seed: int | None = None) -> Iterator[bytes]:
    """The bytes of an ONNX file, piece by piece: one layer's weights are in memory at a time."""
    from ..export.onnx_model import onnx_pieces

    return onnx_pieces(network, None if seed is None else _drawn(network, seed))


def _drawn(network: Network, seed: int) -> Any:
    """The weights that the reference runs with."""
    from ..reference import init
    from ..reference.running import generator

    def weights_of(node: Node) -> Any:
        assert node.layer is not None
        return init(node.layer, network.input_shapes(node), generator(seed, node.name))

    return weights_of
