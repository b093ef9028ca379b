"""What answers each kind of layer in a mirrored decoder: shapes come back, values do not.

An answer takes a tensor of the layer's output shape and gives one of its input's shape. Kernel, stride,
padding and dilation of a transposed convolution are those of the layer that it answers; the output padding
is what that layer's stride left over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..geometry import left_over
from ..inference import Inference
from ..layers.kind_table import KindTable
from ..layers.registry import build, layer_class
from ..naming import UniqueNames
from ..network import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..layers.base import Layer, Shape, Shapes
    from ..layers.linear import Linear
    from ..layers.shape import Permute
    from ..layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unfold


class Sketch:
    """Nodes with their shapes; adding returns the new node's index."""

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        self.nodes: list[Node] = list(nodes)
        self._names = UniqueNames(node.stage for node in nodes)
        """The names of the top, where all that is added stands."""
        self._inference = Inference()
        self._models: dict[tuple[str, tuple[tuple[str, Any], ...]], Layer] = {}

    def shape(self, index: int) -> Shape:
        """The shape of a node."""
        return self.nodes[index].shape

    def input(self, name: str, shape: Shape) -> int:
        """An input of the network."""
        return self._append(Node(self._names.give(name), None, (), shape))

    def add(self, name: str, kind: str, sources: Sequence[int], **fields: Any) -> int:
        """A layer of a kind with its fields. Raises GeometryError where its shape is impossible."""
        key = (kind, tuple(fields.items()))
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = build(kind, fields)
        return self.copy(name, model, sources)

    def copy(self, name: str, layer: Layer, sources: Sequence[int]) -> int:
        """A layer that exists already."""
        shape = self._inference.shape(layer, tuple([self.nodes[i].shape for i in sources]))
        return self._append(Node(self._names.give(name), layer, tuple(sources), shape))

    def split(self, name: str, tensor: int, sizes: Sequence[int]) -> list[int]:
        """The parts of a tensor's channels, as one split."""
        name = self._names.give(name)
        shapes, parts = (self.shape(tensor),), []
        for part in range(len(sizes)):
            layer = build("split", {"channels": tuple(sizes), "part": part})
            parts.append(self._append(Node(f"{name}.{part}", layer, (tensor,), self._inference.shape(layer, shapes))))
        return parts

    def _append(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1


TRAINING = "it belongs to the training of the encoder"
"""Why a layer that sleeps at inference has no answer."""


class Asked(NamedTuple):
    """A layer in its place that is to be answered, and the tensor of its output's shape that the decoder has."""

    sketch: Sketch
    name: str
    tensor: int
    shapes: Shapes
    """Of the layer's inputs."""
    output: Shape
    resize: bool

    def add(self, kind: str, **fields: Any) -> int:
        """A layer that reads the tensor."""
        return self.sketch.add(self.name, kind, [self.tensor], **fields)


def _windowed(layer: Layer, asked: Asked) -> int:
    """A transposed convolution for a convolution or a pool, or nearest upsampling and a convolution."""
    shape, rank = asked.shapes[0], len(asked.shapes[0]) - 1
    slides = [slide for slide in layer.slides(asked.shapes, asked.output) if slide.axis]
    windows = [slide.window for slide in slides]
    pools = layer.reduction is not None
    if pools and shape == asked.output:
        return asked.tensor
    bias, groups = pools or layer.biased(asked.shapes), layer.channel_groups or 1
    kernel, dilation = tuple(w.kernel_size for w in windows), tuple(w.dilation for w in windows)
    fields: dict[str, Any] = {"out_channels": shape[0]}
    if asked.resize and any(w.stride > 1 for w in windows):
        larger = upsampled(asked.sketch, f"{asked.name}_resize", asked.tensor, shape)
        odd = tuple(k + 1 - k % 2 for k in kernel)
        fields |= {"kernel_size": odd, "padding": "same", "dilation": dilation, "groups": groups, "bias": bias}
        return asked.sketch.add(asked.name, f"conv{rank}d", [larger], **fields)
    pads, extra = [], []
    for axis, window, count in slides:
        over = left_over(shape[axis], count, *window)
        pads.append((window.before, window.after + max(-over, 0)))
        extra.append(max(over, 0))
    fields |= {"kernel_size": kernel, "stride": tuple(w.stride for w in windows), "padding": tuple(pads)}
    fields |= {"dilation": dilation, "groups": groups, "bias": bias, "output_padding": tuple(extra)}
    return asked.add(f"conv_transpose{rank}d", **fields)


def upsampled(sketch: Sketch, name: str, tensor: int, target: Shape) -> int:
    """The tensor stretched to the space of a shape: by a whole factor where there is one, else to the size."""
    space = sketch.shape(tensor)[1:]
    factors = {wanted // size if wanted % size == 0 else 0 for size, wanted in zip(space, target[1:], strict=True)}
    if factors == {1}:
        return tensor
    if len(factors) == 1 and 0 not in factors:
        return sketch.add(name, "upsample", [tensor], scale_factor=factors.pop())
    return sketch.add(name, "upsample", [tensor], size=tuple(target[1:]))


def _transposed(layer: Layer, asked: Asked) -> int:
    """The convolution of the same numbers."""
    shape = asked.shapes[0]
    windows = layer.windows(shape)
    return asked.add(
        f"conv{len(shape) - 1}d",
        out_channels=shape[0],
        kernel_size=tuple(w.kernel_size for w in windows),
        stride=tuple(w.stride for w in windows),
        padding=tuple((max(w.before, 0), max(w.after, 0)) for w in windows),
        dilation=tuple(w.dilation for w in windows),
        groups=layer.channel_groups or 1,
        bias=layer.biased(asked.shapes),
    )


def _stretched(layer: Layer, asked: Asked) -> int:
    """Upsampling for a pool over all there is, or over windows that fit themselves."""
    return upsampled(asked.sketch, asked.name, asked.tensor, asked.shapes[0])


def _shrunk(layer: Layer, asked: Asked) -> int:
    """An average pool for upsampling: over the factor where it is whole, else to the size."""
    space, output = asked.shapes[0][1:], asked.output[1:]
    if all(o % i == 0 for o, i in zip(output, space, strict=True)):
        factors = tuple(o // i for o, i in zip(output, space, strict=True))
        return asked.tensor if set(factors) == {1} else asked.add(f"avg_pool{len(output)}d", kernel_size=factors)
    return asked.add(f"adaptive_avg_pool{len(output)}d", output_size=space)


def _border(layer: Layer, asked: Asked) -> int:
    """Padding for cropping, and cropping for padding."""
    slides = layer.slides(asked.shapes, asked.output)
    pads = tuple((-slide.window.before, -slide.window.after) for slide in slides if slide.axis)
    return bordered(asked.sketch, asked.name, asked.tensor, pads)


def bordered(sketch: Sketch, name: str, tensor: int, pads: tuple[tuple[int, int], ...]) -> int:
    """The tensor with its space padded (negative: cropped)."""
    if all(value == 0 for pair in pads for value in pair):
        return tensor
    if all(value <= 0 for pair in pads for value in pair):
        return sketch.add(name, "crop", [tensor], cropping=tuple((-before, -after) for before, after in pads))
    return sketch.add(name, "pad", [tensor], padding=pads)


def _reshaped(layer: Layer, asked: Asked) -> int:
    shape = asked.shapes[0]
    if not shape:
        return asked.add("squeeze", dim=tuple(range(len(asked.output)))) if asked.output else asked.tensor
    return asked.tensor if shape == asked.output else asked.add("reshape", shape=shape)


def _permuted(layer: Permute, asked: Asked) -> int:
    order = layer.order
    return asked.add("permute", dims=tuple(order.index(axis) for axis in range(len(order))))


def _linear(layer: Linear, asked: Asked) -> int:
    axis = {} if layer.dim is None else {"dim": layer.dim}
    return asked.add("linear", out_features=asked.shapes[0][-1], bias=layer.bias, **axis)


def _channels_dealt(layer: ChannelShuffle, asked: Asked) -> int:
    return asked.add("channel_shuffle", groups=asked.output[0] // layer.groups)


def _into_channels(layer: PixelShuffle, asked: Asked) -> int:
    return asked.add("pixel_unshuffle", downscale_factor=layer.upscale_factor)


def _into_space(layer: PixelUnshuffle, asked: Asked) -> int:
    return asked.add("pixel_shuffle", upscale_factor=layer.downscale_factor)


def _columns(layer: Unfold | Fold) -> dict[str, Any]:
    """The fields that an unfold and the fold that is its transpose share."""
    return {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
    }


def _folded(layer: Unfold, asked: Asked) -> int:
    return asked.add("fold", output_size=asked.shapes[0][1:], **_columns(layer))


def _unfolded(layer: Fold, asked: Asked) -> int:
    return asked.add("unfold", **_columns(layer))


ANSWERS: KindTable[Callable[[Any, Asked], int]] = KindTable(
    {
        **dict.fromkeys(("Conv", "SeparableConv", "MaxPool", "AvgPool", "LpPool"), _windowed),
        "ConvTranspose": _transposed,
        **dict.fromkeys(("AdaptivePool", "GlobalPool"), _stretched),
        "Upsample": _shrunk,
        **dict.fromkeys(("Pad", "Crop"), _border),
        **dict.fromkeys(("Flatten", "Reshape"), _reshaped),
        "Permute": _permuted,
        "Linear": _linear,
        "ChannelShuffle": _channels_dealt,
        "PixelShuffle": _into_channels,
        "PixelUnshuffle": _into_space,
        "Unfold": _folded,
        "Fold": _unfolded,
    },
    absent="the language has no layer that undoes its shape",
    refused={
        "Softmax": "it has no inverse",
        "LocalResponseNorm": "it keeps the shape, and decoders do without it",
        "Scale": "it keeps the shape, and the answer's weights hold the factor",
        **dict.fromkeys(("Rescale", "Unary", "Pow"), "it keeps the shape, and is arithmetic of the encoder's own"),
    },
)
"""Layer -> the node that answers it. Joins, splits and what only passes on (`passes`) need no answer."""


def follows(layer: Layer) -> bool:
    """Whether it goes along: norms and activations follow the answer that gives their tensor back."""
    return layer.in_place and not layer.joins and ANSWERS.says(layer) is None


def unanswered(layer: Layer) -> str | None:
    """Why a layer whose tensor passes on has no answer; None where it needs none."""
    return TRAINING if layer.asleep else ANSWERS.says(layer)


def refusal(kind: str) -> str | None:
    """Why a kind of the language has no answer; None where it has one, or its tensor is handed on or joined.

    >>> refusal("conv2d"), refusal("relu"), refusal("softmax")
    (None, None, 'it has no inverse')
    """
    model = layer_class(kind)
    if model.asleep:
        return TRAINING
    handed_on = model.joins or model.splits or model.in_place or model.is_view
    known = ANSWERS.knows(kind) or (handed_on and ANSWERS.reason(kind) == ANSWERS.absent)
    return None if known else ANSWERS.reason(kind)


def passes(layer: Layer, shape: Shape, output: Shape) -> bool:
    """Whether the tensor of its output goes to its one input as it is, because its shape does."""
    if shape != output or layer.joins or layer.splits or ANSWERS.get(layer) is not None:
        return False
    return layer.is_view or follows(layer) or unanswered(layer) is not None


def fitted(sketch: Sketch, name: str, tensor: int, target: Shape) -> int:
    """The tensor brought to a shape: a 1×1 convolution or a linear layer for other channels, a border for sizes."""
    shape = sketch.shape(tensor)
    if not shape or not target:
        wanted = (1,) * len(target)
        return tensor if shape == target else sketch.add(f"{name}_fit", "reshape", [tensor], shape=wanted)
    if shape[0] != target[0]:
        kind, fields = f"conv{len(target) - 1}d", {"out_channels": target[0], "kernel_size": 1}
        if len(target) == 1:
            kind, fields = "linear", {"out_features": target[0]}
        tensor = sketch.add(f"{name}_channels", kind, [tensor], **fields)
    surplus = tuple((0, wanted - size) for size, wanted in zip(shape[1:], target[1:], strict=True))
    return bordered(sketch, f"{name}_fit", tensor, surplus)
