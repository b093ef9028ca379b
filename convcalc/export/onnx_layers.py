"""ONNX operators: one table from the layers of the language to what computes them.

Source: the operators of ONNX opset 21, as onnxruntime runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import floor, prod, sqrt
from typing import TYPE_CHECKING

import numpy as np

from ..geometry import adaptive_step
from ..geometry.dialects import onnx_transposed
from ..layers.kind_table import BATCHED, KindTable, Refused
from ..layers.spatial import one_an_axis
from .program import OPAQUE, UNSAID
from .windows import Pads, border_pads, declared_pads, edge_pads, fitted_pads, overhangs, split_pads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..layers.activation import GLU, Hardtanh, PReLU, Shrink, Softmax, Softplus, Threshold
    from ..layers.arithmetic import Clamp, Pow, Rescale, Unary
    from ..layers.base import Layer, Reduction, Shape, Shapes
    from ..layers.batched import Batched
    from ..layers.border import Crop, Pad
    from ..layers.constant import Parameter
    from ..layers.conv import Conv, ConvTranspose, SeparableConv
    from ..layers.embedding import Embedding
    from ..layers.formed import Formed
    from ..layers.join import Concat, Gate, Split
    from ..layers.layout import (
        Expand,
        Flip,
        IndexSelect,
        RepeatInterleave,
        Roll,
        Select,
        Slice,
        Squeeze,
        Stack,
        Tile,
        Unsqueeze,
    )
    from ..layers.linear import Linear
    from ..layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale
    from ..layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
    from ..layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention
    from ..layers.recurrent import GRU, LSTM, RNN
    from ..layers.reduce import Argmax, Deviation, Norm, Reduce
    from ..layers.resize import Upsample
    from ..layers.shape import Dropout, Flatten, Permute, Reshape
    from ..layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle
    from .onnx_graph import Graph, Weights

Mapper = Callable[..., str]
"""(graph, layer, input shapes, output shape, input names) -> the output's name. Raises `Refused`."""

MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""How a border is filled -> the mode of ONNX's Pad."""


def _padded(graph: Graph, x: str, shape: Shape, pads: Pads, mode: str = "constant", value: float = 0.0) -> str:
    """Space padded, then cut where padding is negative."""
    grown, cut = split_pads(pads)
    if any(map(any, grown)):
        sides = edge_pads(((0, 0), (0, 0), *grown))
        fill = [graph.numbers(value)] if MODES[mode] == "constant" else []
        x = graph.op("Pad", x, graph.integers(sides), *fill, mode=MODES[mode])
    if any(map(any, cut)):
        sizes = (size + before + after for size, (before, after) in zip(shape[1:], grown, strict=True))
        x = _cropped(graph, x, (shape[0], *sizes), ((0, 0), *cut))
    return x


def _cropped(graph: Graph, x: str, shape: Shape, cut: Pads) -> str:
    """Every axis without its (before, after)."""
    rows = [(axis, b, size - a) for axis, (size, (b, a)) in enumerate(zip(shape, cut, strict=True), start=1) if b or a]
    if not rows:
        return graph.op("Identity", x)
    axes, starts, ends = zip(*rows, strict=True)
    return graph.op("Slice", x, graph.integers(starts), graph.integers(ends), graph.integers(axes))


ONE_WEIGHT = "ONNX's convolutions have one weight for all examples"
EPSILON = 1e-6
"""Added to the variance of weights that are standardised."""


def _made(graph: Graph, layer: Formed, shape: Shape) -> str:
    """The weights that are multiplied with."""
    w = graph.weight("weight")
    if not layer.standardize:
        return graph.op("Mul", w, graph.weight("gain")) if layer.gain else w
    rows = graph.op("Reshape", w, graph.integers((layer.outputs, -1)))
    return graph.op("Reshape", _standard(graph, layer, rows, prod(shape)), graph.integers(shape))


def _made_transposed(graph: Graph, layer: ConvTranspose, shape: Shape) -> str:
    """The same of a transposed convolution, whose weights of one output do not lie together."""
    w = graph.weight("weight")
    if not (layer.standardize or layer.gain):
        return w
    groups, outputs = layer.groups, layer.outputs
    apart = graph.op("Reshape", w, graph.integers((groups, shape[0] // groups, shape[1], -1)))
    rows = graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 2, 1, 3]), graph.integers((outputs, -1)))
    if layer.standardize:
        made = _standard(graph, layer, rows, prod(shape))
    else:
        made = graph.op("Mul", rows, graph.weight("gain", (outputs, 1)))
    apart = graph.op("Reshape", made, graph.integers((groups, shape[1], shape[0] // groups, -1)))
    return graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 2, 1, 3]), graph.integers(shape))


def _standard(graph: Graph, layer: Formed, rows: str, count: int) -> str:
    """Rows [outputs, weights] of mean 0 and variance 1, times their gains; `count` are all weights."""
    along = graph.integers((1,))
    apart = graph.op("Sub", rows, graph.op("ReduceMean", rows, along, keepdims=1))
    variance = graph.op("ReduceMean", graph.op("Mul", apart, apart), along, keepdims=1)
    made = graph.op("Div", apart, graph.op("Sqrt", graph.op("Add", variance, graph.numbers(EPSILON))))
    if not layer.gain:
        return made
    gained = graph.op("Mul", made, graph.weight("gain", (layer.outputs, 1)))
    return graph.op("Mul", gained, graph.numbers(sqrt(layer.outputs / count)))


def _conv(graph: Graph, layer: Conv, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x, pads = names[0], declared_pads(layer.windows(inputs[0]))
    if layer.padding_mode != "zeros":
        x = _padded(graph, x, inputs[0], pads, layer.padding_mode)
        pads = ((0, 0),) * layer.rank
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    tensors = [_made(graph, layer, layer.weight_shape(inputs[0])), *graph.optional("bias")]
    return _convolved(graph, layer, [x, *tensors], pads, layer.groups)


def _convolved(graph: Graph, layer: Conv | SeparableConv, inputs: list[str], pads: Pads, groups: int) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    return graph.op("Conv", *inputs, **attributes, pads=edge_pads(pads), dilations=list(layer.dilation), group=groups)


def _conv_transpose(graph: Graph, layer: ConvTranspose, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    axes = [onnx_transposed(window) for window in layer.windows(inputs[0])]
    for stride, axis in zip(layer.stride, axes, strict=True):
        if axis.output_padding >= stride:
            raise Refused(f"onnxruntime takes an output_padding below the stride {stride}, not {axis.output_padding}")
    return graph.op(
        "ConvTranspose",
        names[0],
        _made_transposed(graph, layer, layer.weight_shape(inputs[0])),
        *graph.optional("bias"),
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=edge_pads(tuple((axis.before, axis.after) for axis in axes)),
        output_padding=[axis.output_padding for axis in axes],
        dilations=list(layer.dilation),
        group=layer.groups,
    )


def _separable(graph: Graph, layer: SeparableConv, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = declared_pads(layer.windows(inputs[0]))
    middle = _convolved(graph, layer, [names[0], graph.weight("depthwise.weight")], pads, inputs[0][0])
    tensors = [graph.weight("pointwise.weight"), *graph.optional("pointwise.bias")]
    return graph.op("Conv", middle, *tensors, kernel_shape=[1] * layer.rank)


def _pool_pads(layer: MaxPool | AvgPool | LpPool, inputs: Shapes, output: Shape) -> tuple[Pads, Pads, list[int]]:
    """Declared and fitted padding, and what the fitted one overhangs by."""
    windows = layer.windows(inputs[0])
    declared, fitted = declared_pads(windows), fitted_pads(windows, inputs[0], output)
    return declared, fitted, overhangs(declared, fitted)


def _max_pool(graph: Graph, layer: MaxPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    _, fitted, _ = _pool_pads(layer, inputs, output)
    x = names[0]
    if any(side >= k or side < 0 for pair, k in zip(fitted, layer.kernel_size, strict=True) for side in pair):
        x = _padded(graph, x, inputs[0], fitted, value=float("-inf"))
        fitted = ((0, 0),) * layer.rank
    return graph.op(
        "MaxPool",
        x,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=edge_pads(fitted),
        dilations=list(layer.dilation),
    )


def _average(graph: Graph, x: str, layer: AvgPool | LpPool, pads: Pads, counted: bool) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    return graph.op("AveragePool", x, **attributes, pads=edge_pads(pads), count_include_pad=int(counted))


def _avg_pool(graph: Graph, layer: AvgPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    declared, fitted, overhang = _pool_pads(layer, inputs, output)
    x, override = names[0], layer.divisor_override
    nothing = ((0, 0),) * layer.rank
    if any(side >= k or side < 0 for pair, k in zip(fitted, layer.kernel_size, strict=True) for side in pair):
        raise Refused(f"onnxruntime pads a pool by less than its kernel, not by {fitted}")
    if override is not None:
        mean = _average(graph, _padded(graph, x, inputs[0], fitted), layer, nothing, True)
        return graph.op("Mul", mean, graph.numbers(prod(layer.kernel_size) / override))
    if layer.count_include_pad and any(overhang) and any(map(any, declared)):
        kept = tuple((b, a - more) for (b, a), more in zip(fitted, overhang, strict=True))
        beyond = tuple((0, more) for more in overhang)
        return _average(graph, _padded(graph, x, inputs[0], kept), layer, beyond, False)
    return _average(graph, x, layer, fitted, layer.count_include_pad and not any(overhang))


def _lp_pool(graph: Graph, layer: LpPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """PyTorch's: the mean of the powers times the kernel's size, so that an overhanging window is scaled."""
    _, fitted, overhang = _pool_pads(layer, inputs, output)
    power = layer.norm_type
    if any(f[1] >= k for f, k in zip(fitted, layer.kernel_size, strict=True)):
        raise Refused(f"onnxruntime pads a pool by less than its kernel, not by {fitted}")
    if power % 2 == 0 and not any(overhang):
        attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
        return graph.op("LpPool", names[0], **attributes, p=int(power))
    mean = _average(graph, graph.op("Pow", names[0], graph.numbers(power)), layer, fitted, not any(overhang))
    total = graph.op("Mul", mean, graph.numbers(prod(layer.kernel_size)))
    return graph.op("Pow", total, graph.numbers(1 / power))


def _adaptive(graph: Graph, layer: AdaptivePool | GlobalPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return _spread(graph, layer.reduction, inputs[0], output, names[0])


def _spread(graph: Graph, reduction: Reduction, shape: Shape, output: Shape, x: str) -> str:
    """An adaptive pool whose windows are equal."""
    words = {"avg": "Average", "max": "Max"}[reduction]
    if set(output[1:]) == {1}:
        return graph.op(f"Global{words}Pool", x)
    kernel = []
    for size, wanted in zip(shape[1:], output[1:], strict=True):
        step = adaptive_step(size, wanted)
        if step is None:
            raise Refused(f"ONNX has no adaptive pool, and its windows differ where {wanted} does not divide {size}")
        kernel.append(step)
    return graph.op(f"{words}Pool", x, kernel_shape=kernel, strides=kernel)


def _upsample(graph: Graph, layer: Upsample, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.mode == "area":
        return _spread(graph, "avg", inputs[0], output, names[0])
    space = inputs[0][1:]
    attributes: dict[str, object] = {"axes": list(range(2, 2 + len(space)))}
    if layer.mode == "nearest":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif layer.mode == "nearest-exact":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "half_pixel"}
        attributes |= {"nearest_mode": "round_prefer_ceil"}
    else:
        attributes["mode"] = "cubic" if layer.mode == "bicubic" else "linear"
        corners = bool(layer.align_corners)
        attributes["coordinate_transformation_mode"] = "align_corners" if corners else "half_pixel"
        if layer.mode == "bicubic":
            attributes["cubic_coeff_a"] = -0.75
    if layer.scale_factor is None or layer.align_corners:
        return graph.op("Resize", names[0], "", "", graph.integers(output[1:]), **attributes)
    scales = np.asarray(one_an_axis(layer, "scale_factor", layer.scale_factor, inputs[0]), np.float32)
    for size, scale, wanted in zip(space, scales, output[1:], strict=True):
        if floor(np.float32(size) * scale) != wanted:
            raise Refused(f"ONNX scales in float32, where {size} by {float(scale):g} does not give {wanted}")
    return graph.op("Resize", names[0], "", graph.numbers(scales), **attributes)


def _pad(graph: Graph, layer: Pad, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = border_pads(layer.axes(inputs))
    if not any(map(any, pads)):
        return graph.op("Identity", names[0])
    return _padded(graph, names[0], inputs[0], pads, layer.mode, layer.value)


def _crop(graph: Graph, layer: Crop, inputs: Shapes, output: Shape, names: list[str]) -> str:
    cut = tuple((-before, -after) for before, after in border_pads(layer.axes(inputs)))
    return _cropped(graph, names[0], inputs[0], ((0, 0), *cut))


def _linear(graph: Graph, layer: Linear, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = inputs[0]
    if layer.weight is not None:
        rows = graph.op("Reshape", names[0], graph.integers((0, -1, shape[-1])))
        found = graph.op("MatMul", rows, graph.op("Transpose", names[1], perm=[0, 2, 1]))
        if layer.bias:
            found = graph.op("Add", found, graph.op("Unsqueeze", names[2], graph.integers((1,))))
        return graph.op("Reshape", found, graph.integers((-1, *output)))
    if len(shape) == 1:
        made = _made(graph, layer, layer.weight_shape(shape))
        return graph.op("Gemm", names[0], made, *graph.optional("bias"), transB=1)
    formed = layer.standardize or layer.gain
    turned = graph.op("Transpose", _made(graph, layer, layer.weight_shape(shape)), perm=[1, 0]) if formed else None
    product = graph.op("MatMul", names[0], turned or graph.weight("weight", transposed=True))
    return graph.op("Add", product, graph.weight("bias")) if layer.bias else product


def _batch_norm(graph: Graph, layer: BatchNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = len(inputs[0])
    if layer.dim == 0 or axes == 1:
        return _by_statistics(graph, layer, inputs[0][0], names[0])
    first = graph.op("Transpose", names[0], perm=[0, axes, *range(1, axes)])
    found = _by_statistics(graph, layer, inputs[0][-1], first)
    return graph.op("Transpose", found, perm=[0, *range(2, axes + 1), 1])


def _by_statistics(graph: Graph, layer: BatchNorm | InstanceNorm, channels: int, x: str) -> str:
    if not layer.track_running_stats:
        raise Refused("ONNX normalizes a batch by running statistics, and this layer keeps none")
    statistics = graph.optional("running_mean", "running_var")
    return graph.op("BatchNormalization", x, *graph.affine((channels,)), *statistics, epsilon=layer.eps)


def _instance_norm(graph: Graph, layer: InstanceNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.track_running_stats:
        return _by_statistics(graph, layer, inputs[0][0], names[0])
    return graph.op("InstanceNormalization", names[0], *graph.affine(inputs[0][:1]), epsilon=layer.eps)


def _group_norm(graph: Graph, layer: GroupNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    attributes = {"num_groups": layer.num_groups, "epsilon": layer.eps}
    return graph.op("GroupNormalization", names[0], *graph.affine(inputs[0][:1]), **attributes)


def _layer_norm(graph: Graph, layer: LayerNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.dim is None:
        shape = layer.normalized_shape or inputs[0][-1:]
        tensors = graph.affine(shape, bias=False)
        return graph.op("LayerNormalization", names[0], *tensors, axis=-len(shape), epsilon=layer.eps)
    axes = len(inputs[0])
    last = graph.op("Transpose", names[0], perm=[0, *range(2, axes + 1), 1])
    tensors = graph.affine(inputs[0][:1], bias=False)
    normalized = graph.op("LayerNormalization", last, *tensors, axis=-1, epsilon=layer.eps)
    return graph.op("Transpose", normalized, perm=[0, axes, *range(1, axes)])


def _local_response_norm(
    graph: Graph, layer: LocalResponseNorm, inputs: Shapes, output: Shape, names: list[str]
) -> str:
    if layer.size % 2 == 0:
        raise Refused(f"onnxruntime normalizes over an odd number of channels, not over {layer.size}")
    attributes = {"size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "bias": layer.k}
    if len(output) == 3:
        return graph.op("LRN", names[0], **attributes)
    # onnxruntime takes images alone.
    image = graph.op("Reshape", names[0], graph.integers((-1, output[0], 1, prod(output[1:]))))
    return graph.op("Reshape", graph.op("LRN", image, **attributes), graph.integers((-1, *output)))


def _along_channels(shape: Shape) -> Shape:
    return (shape[0], *(1,) * (len(shape) - 1))


def _scale(graph: Graph, layer: Scale, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = _along_channels(inputs[0]) if layer.dim == 0 and layer.size is None else None
    product = graph.op("Mul", names[0], graph.weight("weight", shape))
    return graph.op("Add", product, graph.weight("bias", shape)) if graph.has("bias") else product


def _rms_norm(graph: Graph, layer: RMSNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = layer.normalized_shape or inputs[0][-1:]
    eps = np.finfo(np.float32).eps if layer.eps is None else layer.eps
    squares = graph.op("Pow", names[0], graph.numbers(2.0))
    mean = graph.op("ReduceMean", squares, graph.integers(range(-len(shape), 0)), keepdims=1)
    size = graph.op("Sqrt", graph.op("Add", mean, graph.numbers(eps)))
    normal = graph.op("Div", names[0], size)
    return graph.op("Mul", normal, graph.weight("weight")) if graph.has("weight") else normal


def _parameter(graph: Graph, layer: Parameter, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """The tensor with a batch of one, or of as many examples as what is named has."""
    value = graph.weight("value", (1, *(1,) * len(layer.repeats), *layer.shape))
    ones = (1,) * len(layer.shape)
    if not names:
        sizes = graph.integers((1, *layer.repeats, *ones))
        return graph.op("Expand", value, sizes) if layer.repeats else graph.op("Identity", value)
    examples = graph.op("Shape", names[0], start=0, end=1)
    wanted = graph.op("Concat", examples, graph.integers((*layer.repeats, *ones)), axis=0) if output else examples
    return graph.op("Expand", value, wanted)


FUNCTIONS = {
    **{kind: kind.capitalize() for kind in ("exp", "log", "sqrt", "abs", "neg", "reciprocal", "sin", "cos", "erf")},
    **{kind: kind.capitalize() for kind in ("sign", "floor", "ceil", "round")},
}
"""Functions that are operators."""


def _function(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op(FUNCTIONS[layer.kind], names[0])


def _rsqrt(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Reciprocal", graph.op("Sqrt", names[0]))


def _pow(graph: Graph, layer: Pow, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Pow", names[0], graph.numbers(layer.exponent))


def _square(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Mul", names[0], names[0])


def _clamp(graph: Graph, layer: Clamp, inputs: Shapes, output: Shape, names: list[str]) -> str:
    bounds = ["" if value is None else graph.numbers(value) for value in (layer.min, layer.max)]
    return graph.op("Clip", names[0], *(bounds if bounds[1] else bounds[:1]))


def _hardtanh(graph: Graph, layer: Hardtanh, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Clip", names[0], graph.numbers(layer.min_val), graph.numbers(layer.max_val))


def _rescale(graph: Graph, layer: Rescale, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x = names[0]
    for operator, value, nothing in (("Mul", layer.scale, 1), ("Add", layer.offset, 0)):
        if isinstance(value, tuple):
            x = graph.op(operator, x, graph.numbers(np.reshape(value, _along_channels(inputs[0]))))
        elif value != nothing:
            x = graph.op(operator, x, graph.numbers(value))
    return graph.op("Identity", x) if x == names[0] else x


def _threshold(graph: Graph, layer: Threshold, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.value == 0:
        return graph.op("ThresholdedRelu", names[0], alpha=layer.threshold)
    above = graph.op("Greater", names[0], graph.numbers(layer.threshold))
    return graph.op("Where", above, names[0], graph.numbers(layer.value))


def _shrink(graph: Graph, layer: Shrink, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Shrink", names[0], lambd=layer.lambd, bias=layer.lambd if layer.kind == "softshrink" else 0.0)


def _log_sigmoid(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Neg", graph.op("Softplus", graph.op("Neg", names[0])))


def _tanhshrink(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Sub", names[0], graph.op("Tanh", names[0]))


def _glu(graph: Graph, layer: GLU, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output)
    half, axes = output[axis], graph.integers((axis + 1,))
    first = graph.op("Slice", names[0], graph.integers((0,)), graph.integers((half,)), axes)
    second = graph.op("Slice", names[0], graph.integers((half,)), graph.integers((2 * half,)), axes)
    return graph.op("Mul", first, graph.op("Sigmoid", second))


def _over(graph: Graph, operator: str, x: str, axes: Sequence[int], keepdim: bool) -> str:
    """A reduction of axes that exclude the batch; ONNX would reduce all where there is none."""
    if not axes:
        return graph.op("Identity", x)
    return graph.op(operator, x, graph.integers([axis + 1 for axis in axes]), keepdims=int(keepdim))


def _reduce(operator: str) -> Mapper:
    def map_(graph: Graph, layer: Reduce, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return _over(graph, operator, names[0], layer.reduced(inputs[0]), layer.keepdim)

    return map_


def _variance(graph: Graph, layer: Deviation, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = layer.reduced(inputs[0])
    apart = graph.op("Sub", names[0], _over(graph, "ReduceMean", names[0], axes, True))
    total = _over(graph, "ReduceSumSquare", apart, axes, layer.keepdim) if axes else graph.op("Mul", apart, apart)
    return graph.op("Div", total, graph.numbers(prod(inputs[0][axis] for axis in axes) - layer.correction))


def _deviation(graph: Graph, layer: Deviation, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Sqrt", _variance(graph, layer, inputs, output, names))


def _norm(graph: Graph, layer: Norm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = layer.reduced(inputs[0])
    if not axes:
        return graph.op("Abs", names[0])
    if layer.p in (1, 2):
        return _over(graph, f"ReduceL{int(layer.p)}", names[0], axes, layer.keepdim)
    powers = graph.op("Pow", graph.op("Abs", names[0]), graph.numbers(layer.p))
    return graph.op("Pow", _over(graph, "ReduceSum", powers, axes, layer.keepdim), graph.numbers(1 / layer.p))


def _argmax(graph: Graph, layer: Argmax, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x, (axis, *others) = names[0], layer.reduced(inputs[0]) or (-1,)
    if others or not inputs[0]:
        x, axis = graph.op("Reshape", x, graph.integers((0, -1) if inputs[0] else (-1, 1))), 0
    whole = bool(others) or not inputs[0]
    places = graph.op("ArgMax", x, axis=axis + 1, keepdims=int(layer.keepdim and not whole))
    if whole and output:
        places = graph.op("Reshape", places, graph.integers((-1, *output)))
    return graph.op("Cast", places, to=FLOAT)


FLOAT = 1
"""TensorProto.FLOAT."""


def _prelu(graph: Graph, layer: PReLU, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = (1,) if layer.num_parameters == 1 else _along_channels(inputs[0])
    return graph.op("PRelu", names[0], graph.weight("weight", shape))


def _plain(operator: str, **attributes: object) -> Mapper:
    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return graph.op(operator, names[0], **attributes)

    return map_


def _with_field(operator: str, **fields: str) -> Mapper:
    """An operator whose attributes are the layer's fields: attribute=field."""

    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        values = dict(layer)
        given = {attribute: values[field] for attribute, field in fields.items()}
        return graph.op(operator, names[0], **given)

    return map_


def _relu6(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Clip", names[0], graph.numbers(0.0), graph.numbers(6.0))


def _silu(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Mul", names[0], graph.op("Sigmoid", names[0]))


def _softplus(graph: Graph, layer: Softplus, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.threshold < 20:
        raise Refused(f"ONNX's Softplus is never cut off, this one above {layer.threshold:g}")
    if layer.beta == 1:
        return graph.op("Softplus", names[0])
    beta = graph.numbers(layer.beta)
    return graph.op("Div", graph.op("Softplus", graph.op("Mul", names[0], beta)), beta)


def _along(operator: str) -> Mapper:
    """An operator of one axis, which counts the batch."""

    def map_(graph: Graph, layer: Softmax, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return graph.op(operator, names[0], axis=layer.dim % len(inputs[0]) + 1)

    return map_


def _dropout(graph: Graph, layer: Dropout, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Dropout", names[0], graph.numbers(layer.p))


def _flatten(graph: Graph, layer: Flatten, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if len(output) == 1:
        return graph.op("Flatten", names[0], axis=1)
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _reshape(graph: Graph, layer: Reshape, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _permute(graph: Graph, layer: Permute, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Transpose", names[0], perm=[0, *(axis + 1 for axis in layer.order)])


def _concat(graph: Graph, layer: Concat, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Concat", *names, axis=layer.joined_axis(inputs) + 1)


def _pairwise(operator: str) -> Mapper:
    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        result = names[0]
        for name in names[1:]:
            result = graph.op(operator, result, name)
        return result

    return map_


def _gate(graph: Graph, layer: Gate, inputs: Shapes, output: Shape, names: list[str]) -> str:
    transform, gate, carry = names
    rest = graph.op("Sub", graph.numbers(1.0), gate)
    return graph.op("Add", graph.op("Mul", transform, gate), graph.op("Mul", carry, rest))


def _split(graph: Graph, layer: Split, inputs: Shapes, output: Shape, names: list[str]) -> str:
    before, dim = sum(layer.channels[: layer.part]), layer.dim % len(output)
    cut = (before, inputs[0][dim] - before - output[dim])
    return _cropped(graph, names[0], inputs[0], tuple(cut if axis == dim else (0, 0) for axis in range(len(output))))


def _aligned(graph: Graph, name: str, have: Shape, axes: int) -> str:
    """An input with as many axes as wanted: new ones stand behind the batch."""
    if len(have) == axes:
        return name
    return graph.op("Unsqueeze", name, graph.integers(range(1, 1 + axes - len(have))))


def _matmul(graph: Graph, layer: MatMul, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factors = zip(names, inputs, strict=True)
    return graph.op("MatMul", *(_aligned(graph, name, shape, len(output)) for name, shape in factors))


def _turned(graph: Graph, name: str, axes: int) -> str:
    """The last two axes of a tensor of so many, without the batch, exchanged."""
    return graph.op("Transpose", name, perm=[*range(axes - 1), axes, axes - 1])


def _attention(graph: Graph, layer: ScaledDotProductAttention, inputs: Shapes, output: Shape, names: list[str]) -> str:
    query, key, value = names[:3]
    asked, read = inputs[0][-2], inputs[1][-2]
    scale = 1 / sqrt(inputs[0][-1]) if layer.scale is None else layer.scale
    mask = _aligned(graph, names[3], inputs[3], len(output)) if len(names) == 4 else None
    if layer.is_causal:
        mask = graph.numbers(np.where(np.arange(read) > np.arange(asked)[:, None], -np.inf, 0.0))
    return _attended(graph, (query, key, value), len(output), scale, mask)


def _attended(graph: Graph, names: tuple[str, str, str], axes: int, scale: float, mask: str | None) -> str:
    query, key, value = names
    scores = graph.op("MatMul", query, _turned(graph, key, axes))
    scores = graph.op("Mul", scores, graph.numbers(scale))
    if mask is not None:
        scores = graph.op("Add", scores, mask)
    return graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)


def _multihead(graph: Graph, layer: MultiheadAttention, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.add_bias_kv or layer.add_zero_attn:
        raise Refused("ONNX repeats no learned key for a batch of any size")
    features, heads = output[-1], layer.num_heads
    reads = list(zip(names, inputs, strict=True)) * (3 if len(names) == 1 else 1)
    apart = []
    for which, (letter, (name, shape)) in enumerate(zip("qkv", reads, strict=True)):
        made = graph.op("MatMul", name, _projection(graph, which, letter, features, shape[-1]))
        if layer.bias:
            bias = graph.composed(f"{letter}_proj_bias", (features,), partial(_third, "in_proj_bias", which))
            made = graph.op("Add", made, bias)
        made = graph.op("Reshape", made, graph.integers((-1, shape[0], heads, features // heads)))
        apart.append(graph.op("Transpose", made, perm=[0, 2, 1, 3]))
    query, key, value = apart
    found = _attended(graph, (query, key, value), 3, 1 / sqrt(features // heads), None)
    merged = graph.op("Reshape", graph.op("Transpose", found, perm=[0, 2, 1, 3]), graph.integers((-1, *output)))
    product = graph.op("MatMul", merged, graph.weight("out_proj.weight", transposed=True))
    return graph.op("Add", product, graph.weight("out_proj.bias")) if layer.bias else product


def _projection(graph: Graph, which: int, letter: str, features: int, reads: int) -> str:
    """The matrix of a projection, as ONNX multiplies with it."""
    if not graph.has("in_proj_weight"):
        return graph.weight(f"{letter}_proj_weight", transposed=True)
    return graph.composed(f"{letter}_proj_weight", (reads, features), partial(_third, "in_proj_weight", which))


def _third(name: str, which: int, weights: Weights) -> ArrayLike:
    """One of the three parts of a tensor, as ONNX multiplies with it."""
    return np.split(np.asarray(weights[name]), 3)[which].T


GATES = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
"""Where ONNX's gates stand among PyTorch's: z r h of r z n, i o f c of i f g o."""


INT64 = 7
"""TensorProto.INT64."""


def _embedding(graph: Graph, layer: Embedding, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Rows of the table; Gather takes whole numbers."""
    positions = graph.op("Cast", names[0], to=INT64)
    return graph.op("Gather", graph.weight("weight"), positions)


def _recurrent(graph: Graph, layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """ONNX has the batch second, and one layer an operator."""
    if layer.state_size != layer.hidden_size:
        raise Refused("ONNX's LSTM projects no states")
    if layer.bias and layer.biases == 1:
        raise Refused("ONNX's recurrent layers add two biases")
    directions, hidden = layer.directions, layer.hidden_size
    x = graph.op("Transpose", names[0], perm=[1, 0, 2])
    attributes: dict[str, object] = {"hidden_size": hidden}
    if directions == 2:
        attributes["direction"] = "bidirectional"
    if layer.kind == "gru":
        attributes["linear_before_reset"] = 1
    activation = dict(layer).get("nonlinearity", "tanh")
    if activation != "tanh":
        attributes["activations"] = [activation.capitalize()] * directions
    order = GATES[layer.family]
    for number in range(layer.num_layers):
        ends = [f"_l{number}{end}" for end in ("", "_reverse")[:directions]]
        shapes = {"ih": inputs[0][-1] if number == 0 else output[-1], "hh": hidden}
        tensors = [
            graph.composed(
                f"{name}_l{number}",
                (directions, len(order) * hidden, size),
                partial(_reordered, [[f"weight_{name}{end}"] for end in ends], order),
            )
            for name, size in shapes.items()
        ]
        if layer.bias:
            both = [[f"bias_{name}{end}" for name in ("ih", "hh")] for end in ends]
            shape = (directions, 2 * len(order) * hidden)
            tensors.append(graph.composed(f"bias_l{number}", shape, partial(_reordered, both, order)))
        states = graph.op(layer.kind.upper(), x, *tensors, **attributes)
        if directions == 1:
            x = graph.op("Squeeze", states, graph.integers((1,)))
        else:
            side_by_side = graph.op("Transpose", states, perm=[0, 2, 1, 3])
            x = graph.op("Reshape", side_by_side, graph.integers((0, 0, output[-1])))
    return graph.op("Transpose", x, perm=[1, 0, 2])


def _reordered(names: list[list[str]], order: tuple[int, ...], weights: Weights) -> ArrayLike:
    """Tensors of PyTorch, those of one direction one after the other, with their gates in ONNX's order."""
    return [
        np.concatenate([np.split(np.asarray(weights[name]), len(order))[gate] for name in direction for gate in order])
        for direction in names
    ]


def _roll(graph: Graph, layer: Roll, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """What leaves at the end is put before the rest, axis by axis."""
    x = names[0]
    for dim, shift in zip(layer.dims, layer.shifts, strict=True):
        axis, size = dim % len(output) + 1, output[dim]
        if cut := shift % size:
            ends = [(size - cut, size), (0, size - cut)]
            parts = [_range(graph, x, axis, start, stop) for start, stop in ends]
            x = graph.op("Concat", *parts, axis=axis)
    return graph.op("Identity", x) if x == names[0] else x


def _range(graph: Graph, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
    """Some positions of an axis, which counts the batch."""
    sides = [graph.integers((number,)) for number in (start, stop, axis)]
    return graph.op("Slice", x, *sides, *([graph.integers((step,))] if step != 1 else []))


def _flip(graph: Graph, layer: Flip, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x = names[0]
    for dim in layer.dims:
        x = _range(graph, x, dim % len(output) + 1, -1, -BEFORE_ALL, -1)
    return x


BEFORE_ALL = 2**31
"""A position before the first of every axis."""


def _expand(graph: Graph, layer: Expand, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Ones leave an axis as it is, and the batch."""
    x = _aligned(graph, names[0], inputs[0], len(output))
    absent = len(output) - len(inputs[0])
    read = (1,) * absent + inputs[0]
    wanted = [1 if have == size else size for have, size in zip(read, output, strict=True)]
    return graph.op("Expand", x, graph.integers((1, *wanted)))


def _slice(graph: Graph, layer: Slice, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output)
    start, stop, step = slice(layer.start, layer.stop, layer.step).indices(inputs[0][axis])
    return _range(graph, names[0], axis + 1, start, stop, step)


def _select(graph: Graph, layer: Select, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Gather", names[0], graph.integer(layer.index), axis=layer.dim % len(inputs[0]) + 1)


def _squeeze(graph: Graph, layer: Squeeze, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Squeeze", names[0], graph.integers([dim % len(inputs[0]) + 1 for dim in layer.dim]))


def _unsqueeze(graph: Graph, layer: Unsqueeze, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Unsqueeze", names[0], graph.integers((layer.dim % len(output) + 1,)))


def _stack(graph: Graph, layer: Stack, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output) + 1
    return graph.op("Concat", *(graph.op("Unsqueeze", x, graph.integers((axis,))) for x in names), axis=axis)


def _tile(graph: Graph, layer: Tile, inputs: Shapes, output: Shape, names: list[str]) -> str:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return graph.op("Tile", _aligned(graph, names[0], inputs[0], len(output)), graph.integers(times))


def _repeat_interleave(graph: Graph, layer: RepeatInterleave, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Copies stand behind each position, in an axis of their own that is merged with its."""
    axis = layer.dim % len(output) + 1
    apart = graph.op("Unsqueeze", names[0], graph.integers((axis + 1,)))
    times = [1] * (len(output) + 2)
    times[axis + 1] = layer.repeats
    return graph.op("Reshape", graph.op("Expand", apart, graph.integers(times)), graph.integers((-1, *output)))


def _index_select(graph: Graph, layer: IndexSelect, inputs: Shapes, output: Shape, names: list[str]) -> str:
    positions = layer.positions
    if positions is None:
        raise Refused(UNSAID)
    return graph.op("Gather", names[0], graph.integers(positions), axis=layer.dim % len(output) + 1)


def _batched(graph: Graph, layer: Batched, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    merged = [
        graph.op("Reshape", name, graph.integers((-1, *shape))) for name, shape in zip(names, inside, strict=True)
    ]
    found = ONNX.of(inner)(graph, inner, inside, result, merged)
    return graph.op("Reshape", found, graph.integers((-1, *output)))


def _channel_shuffle(graph: Graph, layer: ChannelShuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    channels, *space = inputs[0]
    apart = graph.op("Reshape", names[0], graph.integers((-1, layer.groups, channels // layer.groups, *space)))
    dealt = graph.op("Transpose", apart, perm=[0, 2, 1, *range(3, 3 + len(space))])
    return graph.op("Reshape", dealt, graph.integers((-1, *output)))


def _pixel_shuffle(graph: Graph, layer: PixelShuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, space = layer.upscale_factor, inputs[0][1:]
    axes = len(space)
    if axes == 2:
        return graph.op("DepthToSpace", names[0], blocksize=factor, mode="CRD")
    apart = graph.op("Reshape", names[0], graph.integers((-1, output[0], *(factor,) * axes, *space)))
    order = [axis for n in range(axes) for axis in (2 + axes + n, 2 + n)]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 1, *order]), graph.integers((-1, *output)))


def _pixel_unshuffle(graph: Graph, layer: PixelUnshuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = [size for n in range(axes) for size in (output[1 + n], factor)]
    apart = graph.op("Reshape", names[0], graph.integers((-1, inputs[0][0], *halves)))
    order = [0, 1, *(3 + 2 * n for n in range(axes)), *(2 + 2 * n for n in range(axes))]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=order), graph.integers((-1, *output)))


def _fold(graph: Graph, layer: Fold, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op(
        "Col2Im",
        names[0],
        graph.integers(output[1:]),
        graph.integers(layer.kernel_size),
        dilations=list(layer.dilation),
        pads=[*layer.padding, *layer.padding],
        strides=list(layer.stride),
    )


ONNX: KindTable[Mapper] = KindTable(
    {
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "SeparableConv": _separable,
        "MaxPool": _max_pool,
        "AvgPool": _avg_pool,
        "LpPool": _lp_pool,
        "AdaptivePool": _adaptive,
        "GlobalPool": _adaptive,
        "Upsample": _upsample,
        "Pad": _pad,
        "Crop": _crop,
        "Linear": _linear,
        "Identity": _plain("Identity"),
        "BatchNorm": _batch_norm,
        "GroupNorm": _group_norm,
        "LayerNorm": _layer_norm,
        "InstanceNorm": _instance_norm,
        "LocalResponseNorm": _local_response_norm,
        "Scale": _scale,
        "relu": _plain("Relu"),
        "relu6": _relu6,
        "silu": _silu,
        "hardswish": _plain("HardSwish"),
        "hardsigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
        "sigmoid": _plain("Sigmoid"),
        "tanh": _plain("Tanh"),
        "mish": _plain("Mish"),
        "selu": _plain("Selu"),
        "Gelu": _with_field("Gelu", approximate="approximate"),
        "LeakyReLU": _with_field("LeakyRelu", alpha="negative_slope"),
        "PReLU": _prelu,
        "ELU": _with_field("Elu", alpha="alpha"),
        "Softplus": _softplus,
        "softmax": _along("Softmax"),
        "log_softmax": _along("LogSoftmax"),
        "softsign": _plain("Softsign"),
        "logsigmoid": _log_sigmoid,
        "tanhshrink": _tanhshrink,
        "CELU": _with_field("Celu", alpha="alpha"),
        "Hardtanh": _hardtanh,
        "Threshold": _threshold,
        "Shrink": _shrink,
        "GLU": _glu,
        "RMSNorm": _rms_norm,
        "Parameter": _parameter,
        "Unary": _function,
        "rsqrt": _rsqrt,
        "square": _square,
        "Pow": _pow,
        "Clamp": _clamp,
        "Rescale": _rescale,
        "mean": _reduce("ReduceMean"),
        "sum": _reduce("ReduceSum"),
        "amax": _reduce("ReduceMax"),
        "amin": _reduce("ReduceMin"),
        "prod": _reduce("ReduceProd"),
        "logsumexp": _reduce("ReduceLogSumExp"),
        "var": _variance,
        "std": _deviation,
        "Norm": _norm,
        "Argmax": _argmax,
        "Sub": _pairwise("Sub"),
        "Div": _pairwise("Div"),
        "maximum": _pairwise("Max"),
        "minimum": _pairwise("Min"),
        "Dropout": _dropout,
        "StochasticDepth": _plain("Identity"),
        "Flatten": _flatten,
        "Reshape": _reshape,
        "Permute": _permute,
        "Concat": _concat,
        "Add": _pairwise("Add"),
        "Multiply": _pairwise("Mul"),
        "Gate": _gate,
        "Split": _split,
        BATCHED: _batched,
        "MatMul": _matmul,
        "ScaledDotProductAttention": _attention,
        "MultiheadAttention": _multihead,
        "Embedding": _embedding,
        **dict.fromkeys(("RNN", "GRU", "LSTM"), _recurrent),
        "Roll": _roll,
        "Flip": _flip,
        "Expand": _expand,
        "Slice": _slice,
        "Select": _select,
        "Squeeze": _squeeze,
        "Unsqueeze": _unsqueeze,
        "Stack": _stack,
        "Tile": _tile,
        "RepeatInterleave": _repeat_interleave,
        "IndexSelect": _index_select,
        "ChannelShuffle": _channel_shuffle,
        "PixelShuffle": _pixel_shuffle,
        "PixelUnshuffle": _pixel_unshuffle,
        "Fold": _fold,
    },
    absent="no operator of ONNX is known to do what it does",
    refused={**OPAQUE, "Unfold": "ONNX has no operator that writes windows out as columns"},
)
"""Kind or family -> its operators."""
