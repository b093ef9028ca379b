"""What answers each kind of layer in a mirrored decoder: shapes come back, values do not.

An answer takes a tensor of the layer's output shape and gives one of its input's shape. Kernel, stride,
padding and dilation of a transposed convolution are those of the layer that it answers; the output padding
is what that layer's stride left over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...geometry import Window, effective_kernel

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from .sketch import Sketch

Answer = Callable[["Sketch", str, int, Any, "Shapes", "Shape", bool], int]
"""(sketch, name, tensor, layer, its inputs' shapes, its output's shape, resize) -> the answer's node."""

PASSED = frozenset({"add", "multiply", "gate"})
"""Joins whose tensor goes to their inputs as it is."""
FOLLOWED = frozenset(
    {
        *("batch_norm", "group_norm", "layer_norm", "instance_norm"),
        *("relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh", "mish", "selu", "gelu"),
        *("leaky_relu", "prelu", "elu", "softplus"),
    }
)
"""Norms and activations: they follow the answer that gives their tensor back, in the order of the spec."""
LEFT_OUT = {
    "dropout": "it belongs to the training of the encoder",
    "stochastic_depth": "it belongs to the training of the encoder",
    "softmax": "it has no inverse",
    "local_response_norm": "it keeps the shape, and decoders do without it",
    "scale": "it keeps the shape, and the answer's weights hold the factor",
}
"""Kinds without an answer, and why; their tensor passes."""
KEEPING = frozenset({"identity", *FOLLOWED, *LEFT_OUT})
"""Kinds whose tensor goes to their one input as it is."""


def _windowed(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    """A transposed convolution for a convolution or a pool, or nearest upsampling and a convolution."""
    shape = shapes[0]
    windows: tuple[Window, ...] = layer.windows(shape)
    if layer.kind.endswith(f"pool{layer.rank}d"):
        if shape == output:
            return tensor
        channels, bias, groups = shape[0], True, 1
    else:
        channels, bias, groups = shape[0], layer.bias, getattr(layer, "groups", 1)
    rank = layer.rank
    kernel, dilation = tuple(w.kernel_size for w in windows), tuple(w.dilation for w in windows)
    fields: dict[str, Any] = {"out_channels": channels}
    if resize and any(w.stride > 1 for w in windows):
        larger = upsampled(sketch, f"{name}_resize", tensor, shape)
        odd = tuple(k + 1 - k % 2 for k in kernel)
        fields |= {"kernel_size": odd, "padding": "same", "dilation": dilation, "groups": groups, "bias": bias}
        return sketch.add(name, f"conv{rank}d", [larger], **fields)
    pads, extra = [], []
    for window, size, count in zip(windows, shape[1:], output[1:], strict=True):
        extent = effective_kernel(window.kernel_size, window.dilation)
        over = size + window.before + window.after - (count - 1) * window.stride - extent
        pads.append((window.before, window.after + max(-over, 0)))
        extra.append(max(over, 0))
    fields |= {"kernel_size": kernel, "stride": tuple(w.stride for w in windows), "padding": tuple(pads)}
    fields |= {"dilation": dilation, "groups": groups, "bias": bias, "output_padding": tuple(extra)}
    return sketch.add(name, f"conv_transpose{rank}d", [tensor], **fields)


def upsampled(sketch: Sketch, name: str, tensor: int, target: Shape) -> int:
    """The tensor stretched to the space of a shape: by a whole factor where there is one, else to the size."""
    space = sketch.shape(tensor)[1:]
    factors = {wanted // size if wanted % size == 0 else 0 for size, wanted in zip(space, target[1:], strict=True)}
    if factors == {1}:
        return tensor
    if len(factors) == 1 and 0 not in factors:
        return sketch.add(name, "upsample", [tensor], scale_factor=factors.pop())
    return sketch.add(name, "upsample", [tensor], size=tuple(target[1:]))


def _transposed(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    """The convolution of the same numbers."""
    windows = layer.windows(shapes[0])
    return sketch.add(
        name,
        f"conv{layer.rank}d",
        [tensor],
        out_channels=shapes[0][0],
        kernel_size=layer.kernel_size,
        stride=layer.stride,
        padding=tuple((max(w.before, 0), max(w.after, 0)) for w in windows),
        dilation=layer.dilation,
        groups=layer.groups,
        bias=layer.bias,
    )


def _stretched(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    """Upsampling for a pool over all there is, or over windows that fit themselves."""
    return upsampled(sketch, name, tensor, shapes[0])


def _shrunk(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    """An average pool for upsampling: over the factor where it is whole, else to the size."""
    space, rank = shapes[0][1:], len(output) - 1
    if all(o % i == 0 for o, i in zip(output[1:], space, strict=True)):
        factors = tuple(o // i for o, i in zip(output[1:], space, strict=True))
        return tensor if set(factors) == {1} else sketch.add(name, f"avg_pool{rank}d", [tensor], kernel_size=factors)
    return sketch.add(name, f"adaptive_avg_pool{rank}d", [tensor], output_size=space)


def _border(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    """Padding for cropping, and cropping for padding."""
    links = layer.axes(shapes)[1:]
    return bordered(sketch, name, tensor, tuple((-link.map.before, -link.map.after) for link in links))


def bordered(sketch: Sketch, name: str, tensor: int, pads: tuple[tuple[int, int], ...]) -> int:
    """The tensor with its space padded (negative: cropped)."""
    if all(value == 0 for pair in pads for value in pair):
        return tensor
    if all(value <= 0 for pair in pads for value in pair):
        return sketch.add(name, "crop", [tensor], cropping=tuple((-before, -after) for before, after in pads))
    return sketch.add(name, "pad", [tensor], padding=pads)


def _reshaped(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    return tensor if shapes[0] == output else sketch.add(name, "reshape", [tensor], shape=shapes[0])


def _permuted(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    order = layer.order
    return sketch.add(name, "permute", [tensor], dims=tuple(order.index(axis) for axis in range(len(order))))


def _linear(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    return sketch.add(name, "linear", [tensor], out_features=shapes[0][-1], bias=layer.bias)


def _shuffled(sketch: Sketch, name: str, tensor: int, layer: Any, shapes: Shapes, output: Shape, resize: bool) -> int:
    if layer.kind == "channel_shuffle":
        return sketch.add(name, "channel_shuffle", [tensor], groups=output[0] // layer.groups)
    if layer.kind == "pixel_shuffle":
        return sketch.add(name, "pixel_unshuffle", [tensor], downscale_factor=layer.upscale_factor)
    return sketch.add(name, "pixel_shuffle", [tensor], upscale_factor=layer.downscale_factor)


_FAMILIES: tuple[tuple[Answer, tuple[str, ...]], ...] = (
    (_windowed, ("conv1d", "conv2d", "conv3d", "separable_conv1d", "separable_conv2d")),
    (_windowed, ("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d")),
    (_windowed, ("lp_pool1d", "lp_pool2d")),
    (_transposed, ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")),
    (_stretched, ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")),
    (_stretched, ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")),
    (_stretched, ("global_avg_pool", "global_max_pool")),
    (_shrunk, ("upsample",)),
    (_border, ("pad", "crop")),
    (_reshaped, ("flatten", "reshape")),
    (_permuted, ("permute",)),
    (_linear, ("linear",)),
    (_shuffled, ("channel_shuffle", "pixel_shuffle", "pixel_unshuffle")),
)
ANSWERS: dict[str, Answer] = {kind: answer for answer, kinds in _FAMILIES for kind in kinds}
"""Kind -> what answers it. `concat` and `split`, which have several inputs or parts, stand in the decoder."""


def fitted(sketch: Sketch, name: str, tensor: int, target: Shape) -> int:
    """The tensor brought to a shape: a 1×1 convolution for other channels, a border for other sizes."""
    shape = sketch.shape(tensor)
    if shape[0] != target[0]:
        kind = f"conv{len(target) - 1}d"
        tensor = sketch.add(f"{name}_channels", kind, [tensor], out_channels=target[0], kernel_size=1)
    surplus = tuple((0, wanted - size) for size, wanted in zip(shape[1:], target[1:], strict=True))
    return bordered(sketch, f"{name}_fit", tensor, surplus)
