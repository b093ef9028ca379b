"""PyTorch: arithmetic, reductions, joins and tensors that are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Argument, Call, Inline, Step, keywords, optional, positional
from .common import Mapper

if TYPE_CHECKING:
    from ...layers.arithmetic import Clamp, Pow, Rescale, Unary
    from ...layers.base import Layer, Shape, Shapes
    from ...layers.constant import Parameter
    from ...layers.join import Concat, Extreme, Gate, Split
    from ...layers.reduce import Argmax, Deviation, Norm, Reduce


def _parameter(layer: Parameter, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (optional("learned", layer.learned, True), optional("repeats", layer.repeats, ()))
    return [Call("Constant", (*positional(shape=layer.shape), *arguments))]


def _function(layer: Unary | Extreme, inputs: Shapes, output: Shape) -> list[Step]:
    read = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.{layer.kind}({read})")]


def _pow(layer: Pow, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0} ** {exponent}", keywords(exponent=layer.exponent))]


def _clamp(layer: Clamp, inputs: Shapes, output: Shape) -> list[Step]:
    given = tuple(Argument(name, value) for name, value in layer.fields().items() if value is not None)
    bounds = "".join(f", {argument.name}={{{argument.name}}}" for argument in given)
    return [Inline(f"torch.clamp({{0}}{bounds})", given)]


def _rescale(layer: Rescale, inputs: Shapes, output: Shape) -> list[Step]:
    scale, offset = (list(value) if isinstance(value, tuple) else value for value in (layer.scale, layer.offset))
    if isinstance(scale, list) or isinstance(offset, list):
        return [Call("Rescale", keywords(scale=scale, offset=offset))]
    text = "{0} * {scale}" if scale != 1 else "{0}"
    return [Inline(f"{text} + {{offset}}" if offset != 0 else text, keywords(scale=scale, offset=offset))]


def _over(layer: Reduce | Deviation | Norm | Argmax, inputs: Shapes) -> str:
    """The axes that are reduced, the batch counted, as arguments."""
    axes = tuple(axis + 1 for axis in layer.reduced(inputs[0]))
    return f"dim={axes[0] if len(axes) == 1 else axes}" + (", keepdim=True" if layer.keepdim else "")


def _reduce(layer: Reduce, inputs: Shapes, output: Shape) -> list[Step]:
    """torch reduces all axes, the batch too, where it is told of none."""
    return [Inline(f"{{0}}.{layer.kind}({_over(layer, inputs)})" if inputs[0] else "{0}")]


def _prod(layer: Reduce, inputs: Shapes, output: Shape) -> list[Step]:
    """torch multiplies one axis at a time."""
    kept = ", keepdim=True" if layer.keepdim else ""
    return [Inline("{0}" + "".join(f".prod(dim={axis + 1}{kept})" for axis in reversed(layer.reduced(inputs[0]))))]


def _deviation(layer: Deviation, inputs: Shapes, output: Shape) -> list[Step]:
    if not inputs[0]:
        return [Inline("torch.zeros_like({0})")]
    correction = f", correction={layer.correction}" if layer.correction != 1 else ""
    return [Inline(f"{{0}}.{layer.kind}({_over(layer, inputs)}{correction})")]


def _norm(layer: Norm, inputs: Shapes, output: Shape) -> list[Step]:
    if not inputs[0]:
        return [Inline("torch.abs({0})")]
    return [Inline(f"torch.linalg.vector_norm({{0}}, ord={{p}}, {_over(layer, inputs)})", keywords(p=layer.p))]


def _argmax(layer: Argmax, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.dim is not None:
        return [Inline(f"{{0}}.argmax({_over(layer, inputs)})")]
    if not inputs[0]:
        return [Inline("torch.zeros_like({0})")]
    shape = f".reshape(-1{', 1' * len(inputs[0])})" if layer.keepdim else ""
    return [Inline(f"{{0}}.flatten(1).argmax(dim=1){shape}")]


def _concat(layer: Concat, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.cat([{tensors}], dim={{dim}})", keywords(dim=layer.joined_axis(inputs) + 1))]


def _broadcast(sign: str) -> Mapper:
    def map_(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
        return [Inline(f" {sign} ".join(f"{{{n}}}" for n in range(len(inputs))))]

    return map_


def _gate(layer: Gate, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0} * {1} + {2} * (1 - {1})")]


def _split(layer: Split, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(channels=list(layer.channels), dim=layer.dim % len(output) + 1, part=layer.part)
    return [Inline("torch.split({0}, {channels}, dim={dim})[{part}]", arguments)]


ROWS: dict[str, Mapper] = {
    "Parameter": _parameter,
    **dict.fromkeys(("Unary", "Extreme"), _function),
    "Pow": _pow,
    "Clamp": _clamp,
    "Rescale": _rescale,
    "Reduce": _reduce,
    "prod": _prod,
    "Deviation": _deviation,
    "Norm": _norm,
    "Argmax": _argmax,
    "Sub": _broadcast("-"),
    "Div": _broadcast("/"),
    "Concat": _concat,
    "Add": _broadcast("+"),
    "Multiply": _broadcast("*"),
    "Gate": _gate,
    "Split": _split,
}
"""Kind or family -> what it becomes."""
