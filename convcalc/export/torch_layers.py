"""PyTorch's modules: one table from the layers of the language to what builds them.

Source: torch.nn of PyTorch 2.1 and newer. Where no module says exactly what the layer does, a small one of
`torch_helpers` stands in, or the padding is written out for the input's size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..geometry import Rounding, pool_output
from ..geometry.dialects import torch_transposed
from ..layers.kind_table import BATCHED, KindTable, Refused
from .program import OPAQUE, UNSAID, Argument, Call, Code, Inline, Step, keywords, optional, positional, scalar
from .windows import (
    Pads,
    border_pads,
    counted_pads,
    declared_pads,
    fitted_pads,
    flat_pads,
    overhangs,
    split_pads,
    symmetric,
)

if TYPE_CHECKING:
    from ..layers.activation import GLU, Softmax
    from ..layers.arithmetic import Clamp, Pow, Rescale, Unary
    from ..layers.base import Layer, Shape, Shapes
    from ..layers.batched import Batched
    from ..layers.border import Crop, Pad
    from ..layers.constant import Parameter
    from ..layers.conv import Conv, ConvTranspose, SeparableConv
    from ..layers.embedding import Embedding
    from ..layers.formed import Formed
    from ..layers.join import Concat, Extreme, Gate, Split
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
    from ..layers.shape import Flatten, Permute, Reshape
    from ..layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unfold

Mapper = Callable[..., list[Step]]
"""(layer, input shapes, output shape) -> the steps, each applied to the one before it. Raises `Refused`."""


def _ranked(name: str, shape: Shape) -> str:
    """The module of that name for the space axes of a shape; raises `Refused` where torch has none."""
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise Refused(f"torch has {name} for 1 to 3 space axes, not for {rank}")
    return f"nn.{name}{rank}d"


BORDERS = {
    "zeros": "ConstantPad",
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}
"""How a border is filled -> the module without its rank."""


def _pad(pads: Pads, mode: str = "constant", value: float = 0.0) -> Call:
    name = f"nn.{BORDERS[mode]}{len(pads)}d"
    sides = positional(padding=flat_pads(pads))
    if BORDERS[mode] != "ConstantPad":
        return Call(name, sides)
    return Call(f"nn.ZeroPad{len(pads)}d", sides) if value == 0 else Call(name, (*sides, *positional(value=value)))


def pads(call: Call) -> bool:
    """Whether a module only pads: beside a convolution, whose weights are in another one.

    >>> pads(Call("nn.ZeroPad2d")), pads(Call("nn.Conv2d")), pads(Call("PaddedAvgPool"))
    (True, False, False)
    """
    return call.function.startswith("nn.") and "Pad" in call.function


def _bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping; cropping comes after, for PyTorch's circular padding wraps what is left of the input."""
    if mode != "circular" or min(map(min, pads)) >= 0 or max(map(max, pads)) <= 0:
        return [_pad(pads, mode, value)]
    grown, cut = split_pads(pads)
    return [_pad(grown, mode), _cut(cut)]


def _cut(cuts: Pads) -> Call:
    return _pad(tuple((-before, -after) for before, after in cuts))


FORMS = ("standardize", "gain", "fixed")
"""Fields that say how weights come about; `Formed` takes them."""


def _formed(layer: Formed, name: str, arguments: tuple[Argument, ...]) -> Call:
    """The module of that name, or the one that forms its weights before it multiplies with them."""
    given = dict(layer)
    if not any(given[field] for field in FORMS):
        return Call(f"nn.{name}", arguments)
    return Call(f"Formed{name}", (*arguments, *(optional(field, given[field], False) for field in FORMS)))


def _given(layer: Formed, function: str, read: str, arguments: tuple[Argument, ...]) -> Inline:
    """The function of that name on weights that are an input, each example's its own."""
    kept = tuple(argument for argument in arguments if argument.value != argument.default)
    named = "".join(f", {argument.name}={{{argument.name}}}" for argument in kept)
    bias = "{2}" if layer.bias else "None"
    return Inline(f"by_example(F.{function}, {read}, {{1}}, {bias}{named})", kept)


def _conv(layer: Conv, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    inside = symmetric(pads) and all(before >= 0 for before, _ in pads)
    separate: list[Step] = [] if inside else _bordered(pads, layer.padding_mode)
    padding = scalar([before for before, _ in pads]) if inside else 0
    mode = layer.padding_mode if inside else "zeros"
    arguments = (
        *positional(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", padding, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", layer.groups, 1),
        optional("bias", layer.bias, True),
        optional("padding_mode", mode, "zeros"),
    )
    if layer.weight is None:
        return [*separate, _formed(layer, f"Conv{layer.rank}d", arguments)]
    function, plain = f"conv{layer.rank}d", inside and mode == "zeros"
    steps = (
        optional("stride", scalar(layer.stride), 1),
        optional("padding", padding if plain else 0, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", layer.groups, 1),
    )
    if plain:
        return [_given(layer, function, "{0}", steps)]
    if layer.padding_mode == "circular" and min(map(min, pads)) < 0:
        raise Refused("torch wraps no border around an input that it crops in the same step")
    filled = layer.padding_mode if layer.padding_mode != "zeros" else "constant"
    found = _given(layer, function, "F.pad({0}, {sides}, {mode})", steps)
    return [found._replace(arguments=(*keywords(sides=flat_pads(pads), mode=filled), *found.arguments))]


STEPS = ("stride", "padding", "output_padding", "groups", "dilation")
"""Arguments that a transposed convolution takes as a function too."""


def _conv_transpose(layer: ConvTranspose, inputs: Shapes, output: Shape) -> list[Step]:
    crops = [torch_transposed(window) for window in layer.windows(inputs[0])]
    arguments = (
        *positional(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", scalar([crop.padding for crop in crops]), 0),
        optional("output_padding", scalar([crop.output_padding for crop in crops]), 0),
        optional("groups", layer.groups, 1),
        optional("bias", layer.bias, True),
        optional("dilation", scalar(layer.dilation), 1),
    )
    cuts = tuple(crop.cut for crop in crops)
    cut = [_cut(cuts)] if any(map(any, cuts)) else []
    if layer.weight is not None:
        steps = tuple(argument for argument in arguments if argument.name in STEPS)
        return [_given(layer, f"conv_transpose{layer.rank}d", "{0}", steps), *cut]
    return [_formed(layer, f"ConvTranspose{layer.rank}d", arguments), *cut]


def _separable(layer: SeparableConv, inputs: Shapes, output: Shape) -> list[Step]:
    channels, middle = inputs[0][0], inputs[0][0] * layer.depth_multiplier
    pads = declared_pads(layer.windows(inputs[0]))
    inside = symmetric(pads)
    depthwise = (
        *positional(in_channels=channels, out_channels=middle),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", scalar([before for before, _ in pads]) if inside else 0, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", channels, 1),
        optional("bias", False, True),
    )
    pointwise = (
        *positional(in_channels=middle, out_channels=layer.out_channels),
        *keywords(kernel_size=1),
        optional("bias", layer.bias, True),
    )
    conv = f"nn.Conv{layer.rank}d"
    return [*([] if inside else [_pad(pads)]), Call(conv, depthwise), Call(conv, pointwise)]


def _native_pool(layer: MaxPool | AvgPool | LpPool, inputs: Shapes, output: Shape, pads: Pads) -> bool:
    """Whether PyTorch's pool takes this padding and gives this output."""
    windows = layer.windows(inputs[0])
    if not symmetric(pads) or any(w.before > w.kernel_size // 2 for w in windows):
        return False
    rounding: Rounding = "ceil" if layer.ceil_mode else "floor"
    return all(
        pool_output(size, w.kernel_size, w.stride, w.before, w.after, w.dilation, rounding) == wanted
        for size, w, wanted in zip(inputs[0][1:], windows, output[1:], strict=True)
    )


def _pool_arguments(layer: MaxPool | AvgPool, pads: Pads | None, **more: Argument) -> tuple[Argument, ...]:
    """Kernel and stride; padding and rounding unless they are written out."""
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = [*keywords(kernel_size=kernel), optional("stride", stride, kernel)]
    if pads is not None:
        arguments += [optional("padding", scalar([before for before, _ in pads]), 0)]
    return (*arguments, *more.values(), optional("ceil_mode", pads is not None and bool(layer.ceil_mode), False))


def _max_pool(layer: MaxPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    dilation = optional("dilation", scalar(layer.dilation), 1)
    name = f"nn.MaxPool{layer.rank}d"
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, dilation=dilation))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    return [_pad(fitted, value=float("-inf")), Call(name, _pool_arguments(layer, None, dilation=dilation))]


def _avg_pool(layer: AvgPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    name = f"nn.AvgPool{layer.rank}d"
    counts = optional("count_include_pad", layer.count_include_pad, True)
    override = {} if layer.rank == 1 else {"divisor": optional("divisor_override", layer.divisor_override, None)}
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, counts=counts, **override))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if layer.divisor_override is not None or (layer.count_include_pad and not any(overhangs(pads, fitted))):
        return [_pad(fitted), Call(name, _pool_arguments(layer, None, **override))]
    counted = counted_pads(pads, fitted) if layer.count_include_pad else ((0, 0),) * layer.rank
    arguments = keywords(
        kernel_size=layer.kernel_size, stride=layer.stride, padding=flat_pads(fitted), counted=flat_pads(counted)
    )
    return [Call("PaddedAvgPool", arguments)]


def _lp_pool(layer: LpPool, inputs: Shapes, output: Shape) -> list[Step]:
    if not _native_pool(layer, inputs, output, declared_pads(layer.windows(inputs[0]))):
        raise Refused("torch's LPPool does not round up as this one does")
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = (
        *keywords(norm_type=layer.norm_type, kernel_size=kernel),
        optional("stride", stride, kernel),
        optional("ceil_mode", bool(layer.ceil_mode), False),
    )
    return [Call(f"nn.LPPool{layer.rank}d", arguments)]


def _adaptive(layer: AdaptivePool, inputs: Shapes, output: Shape) -> list[Step]:
    name = f"nn.Adaptive{layer.reduction.capitalize()}Pool{layer.rank}d"
    return [Call(name, positional(output_size=scalar(layer.output_size)))]


def _global(layer: GlobalPool, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call(_ranked(f"Adaptive{layer.reduction.capitalize()}Pool", inputs[0]), positional(output_size=1))]


def _columns(layer: Unfold | Fold) -> tuple[Argument, ...]:
    return (
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("dilation", scalar(layer.dilation), 1),
        optional("padding", scalar(layer.padding), 0),
        optional("stride", scalar(layer.stride), 1),
    )


def _unfold(layer: Unfold, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Unfold", _columns(layer))]


def _fold(layer: Fold, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Fold", (*keywords(output_size=layer.output_size), *_columns(layer)))]


def _upsample(layer: Upsample, inputs: Shapes, output: Shape) -> list[Step]:
    mode = (optional("mode", layer.mode, "nearest"), optional("align_corners", layer.align_corners, None))
    if len(inputs) == 2:
        arguments = "mode={mode}, align_corners={align_corners}"
        return [
            Inline(
                f"F.interpolate({{0}}, size={{1}}.shape[2:], {arguments})",
                keywords(mode=layer.mode, align_corners=layer.align_corners),
            )
        ]
    if layer.size is not None:
        return [Call("nn.Upsample", (*keywords(size=layer.size), *mode))]
    return [Call("nn.Upsample", (*keywords(scale_factor=layer.scale_factor), *mode))]


def _border(layer: Pad, inputs: Shapes, output: Shape) -> list[Step]:
    _ranked("padding", inputs[0])
    return _bordered(border_pads(layer.axes(inputs)), layer.mode, layer.value)


def _crop(layer: Crop, inputs: Shapes, output: Shape) -> list[Step]:
    _ranked("padding", inputs[0])
    if len(inputs) == 2:
        return [Inline("center_crop({0}, {1}.shape[2:])")]
    return [_pad(border_pads(layer.axes(inputs)))]


def _linear(layer: Linear, inputs: Shapes, output: Shape) -> list[Step]:
    features = positional(in_features=inputs[0][-1], out_features=layer.out_features)
    if layer.weight is not None:
        return [_given(layer, "linear", "{0}", ())]
    return [_formed(layer, "Linear", (*features, optional("bias", layer.bias, True)))]


def _flatten(layer: Flatten, inputs: Shapes, output: Shape) -> list[Step]:
    first = layer.start_dim % len(inputs[0]) + 1
    last = layer.end_dim + 1 if layer.end_dim >= 0 else layer.end_dim
    return [Call("nn.Flatten", (optional("start_dim", first, 1), optional("end_dim", last, -1)))]


def _reshape(layer: Reshape, inputs: Shapes, output: Shape) -> list[Step]:
    if not output:
        return [Inline("{0}.flatten()")]
    return [Call("nn.Flatten"), Call("nn.Unflatten", positional(dim=1, unflattened_size=layer.shape))]


def _permute(layer: Permute, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Permute", positional(dims=(0, *(axis + 1 for axis in layer.order))))]


def _batch_norm(layer: BatchNorm, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.BatchNorm1d" if len(inputs[0]) == 1 else "LastAxisBatchNorm"
    if len(inputs[0]) > 1 and layer.dim == 0:
        name = _ranked("BatchNorm", inputs[0])
    affine = layer.affine and (layer.weight or layer.bias)
    call = Call(name, (*positional(num_features=inputs[0][layer.dim]), *_statistics(layer, affine, True)))
    return [_one_sided(call, layer, affine)]


def _one_sided(call: Call, layer: BatchNorm | GroupNorm | LayerNorm, affine: bool) -> Call:
    """The norm without its factor or its addend, where it learns the other alone."""
    if not affine or layer.weight == layer.bias:
        return call
    missing = "bias" if layer.weight else "weight"
    return Call("without", (*positional(parameter=missing, norm=Code(call.function)), *call.arguments))


def _statistics(layer: BatchNorm | InstanceNorm, affine: bool, default: bool) -> tuple[Argument, ...]:
    return (
        optional("eps", layer.eps, 1e-5),
        optional("momentum", layer.momentum, 0.1),
        optional("affine", affine, default),
        optional("track_running_stats", layer.track_running_stats, default),
    )


def _instance_norm(layer: InstanceNorm, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_features=inputs[0][0]), *_statistics(layer, layer.affine, False))
    return [Call(_ranked("InstanceNorm", inputs[0]), arguments)]


def _group_norm(layer: GroupNorm, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*positional(num_groups=layer.num_groups, num_channels=inputs[0][0]), optional("eps", layer.eps, 1e-5))
    affine = layer.affine and (layer.weight or layer.bias)
    return [_one_sided(Call("nn.GroupNorm", (*arguments, optional("affine", affine, True))), layer, affine)]


def _layer_norm(layer: LayerNorm, inputs: Shapes, output: Shape) -> list[Step]:
    shape = inputs[0][:1] if layer.dim is not None else layer.normalized_shape or inputs[0][-1:]
    affine = layer.elementwise_affine and (layer.weight or layer.bias)
    arguments = (
        *positional(normalized_shape=shape[0] if len(shape) == 1 else shape),
        optional("eps", layer.eps, 1e-5),
        optional("elementwise_affine", affine, True),
        optional("bias", layer.bias, True),
    )
    call = Call("nn.LayerNorm" if layer.dim is None else "ChannelLayerNorm", arguments)
    return [call if layer.weight else _one_sided(call, layer, affine)]


def _local_response_norm(layer: LocalResponseNorm, inputs: Shapes, output: Shape) -> list[Step]:
    return [
        Call(
            "nn.LocalResponseNorm",
            (
                *keywords(size=layer.size),
                optional("alpha", layer.alpha, 1e-4),
                optional("beta", layer.beta, 0.75),
                optional("k", layer.k, 1.0),
            ),
        )
    ]


def _scale(layer: Scale, inputs: Shapes, output: Shape) -> list[Step]:
    one = layer.size is not None
    arguments = (
        *positional(channels=1 if one else inputs[0][layer.dim]),
        optional("axes", 0 if one or layer.dim == -1 else len(inputs[0]) - 1, 0),
        optional("bias", layer.bias, False),
    )
    return [Call("Scale", arguments)]


def _rms_norm(layer: RMSNorm, inputs: Shapes, output: Shape) -> list[Step]:
    shape = layer.normalized_shape or inputs[0][-1:]
    arguments = (
        *positional(normalized_shape=shape[0] if len(shape) == 1 else shape),
        optional("eps", layer.eps, None),
        optional("elementwise_affine", layer.elementwise_affine, True),
    )
    return [Call("nn.RMSNorm", arguments)]


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


def _along(name: str) -> Mapper:
    """A module of one axis, which for PyTorch counts the batch."""

    def map_(layer: Softmax | GLU, inputs: Shapes, output: Shape) -> list[Step]:
        return [Call(name, keywords(dim=layer.dim + 1 if layer.dim >= 0 else layer.dim))]

    return map_


def _module(name: str, **fields: object) -> Mapper:
    """A module whose arguments are the layer's fields, given with PyTorch's defaults."""

    def map_(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
        given = dict(layer)
        return [Call(name, tuple(optional(field, given[field], default) for field, default in fields.items()))]

    return map_


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


def _aligned(number: int, have: int, want: int) -> str:
    """Input `number` of so many axes with as many as wanted: new ones stand behind the batch."""
    return f"{{{number}}}" + (f"[:, {', '.join(['None'] * (want - have))}]" if have < want else "")


def _matmul(layer: MatMul, inputs: Shapes, output: Shape) -> list[Step]:
    left, right = (_aligned(number, len(shape), len(output)) for number, shape in enumerate(inputs))
    return [Inline(f"{left} @ {right}")]


def _attention(layer: ScaledDotProductAttention, inputs: Shapes, output: Shape) -> list[Step]:
    mask = f", attn_mask={_aligned(3, len(inputs[3]), len(output))}" if len(inputs) == 4 else ""
    causal = ", is_causal=True" if layer.is_causal else ""
    scale = ", scale={scale}" if layer.scale is not None else ""
    text = f"F.scaled_dot_product_attention({{0}}, {{1}}, {{2}}{mask}{causal}{scale})"
    return [Inline(text, keywords(scale=layer.scale) if scale else ())]


def _multihead(layer: MultiheadAttention, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (
        *positional(embed_dim=output[-1], num_heads=layer.num_heads),
        optional("bias", layer.bias, True),
        optional("add_bias_kv", layer.add_bias_kv, False),
        optional("add_zero_attn", layer.add_zero_attn, False),
        optional("kdim", layer.kdim, None),
        optional("vdim", layer.vdim, None),
        *keywords(batch_first=True),
    )
    return [Call("Attention", arguments, tuple(f"{{{number}}}" for number in range(len(inputs))))]


def _embedding(layer: Embedding, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Embedding", positional(num_embeddings=layer.num_embeddings, embedding_dim=layer.embedding_dim))]


def _recurrent(layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape) -> list[Step]:
    given = dict(layer)
    optionals = {"num_layers": 1, "nonlinearity": "tanh", "bias": True, "bidirectional": False, "proj_size": 0}
    arguments = (
        *positional(input_size=inputs[0][-1], hidden_size=layer.hidden_size),
        *(optional(name, given[name], default) for name, default in optionals.items() if name in given),
        *keywords(batch_first=True),
    )
    if layer.bias and layer.biases == 1:
        return [Call("one_bias", (*positional(recurrent=Code(layer.family)), *arguments))]
    return [Call(layer.family, arguments)]


def _with_batch(dims: Iterable[int], shape: Shape) -> tuple[int, ...]:
    """The axes of a tensor with its batch, counted from the front."""
    return tuple(dim % len(shape) + 1 for dim in dims)


def _roll(layer: Roll, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(shifts=layer.shifts, dims=_with_batch(layer.dims, output))
    return [Inline("torch.roll({0}, {shifts}, dims={dims})", arguments)]


def _flip(layer: Flip, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("torch.flip({0}, {dims})", keywords(dims=_with_batch(layer.dims, output)))]


def _expand(layer: Expand, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline(f"{_aligned(0, len(inputs[0]), len(output))}.expand({{shape}})", keywords(shape=(-1, *layer.shape)))]


def _at(axis: int, index: str) -> Inline:
    """An index of one axis, which excludes the batch."""
    return Inline(f"{{0}}[{':, ' * (axis + 1)}{index}]")


def _slice(layer: Slice, inputs: Shapes, output: Shape) -> list[Step]:
    stop = "" if layer.stop is None else str(layer.stop)
    step = "" if layer.step == 1 else f":{layer.step}"
    return [_at(layer.dim % len(output), f"{layer.start or ''}:{stop}{step}")]


def _select(layer: Select, inputs: Shapes, output: Shape) -> list[Step]:
    return [_at(layer.dim % len(inputs[0]), str(layer.index))]


def _squeeze(layer: Squeeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0}.squeeze({dim})", keywords(dim=_with_batch(layer.dim, inputs[0])))]


def _unsqueeze(layer: Unsqueeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0}.unsqueeze({dim})", keywords(dim=layer.dim % len(output) + 1))]


def _stack(layer: Stack, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.stack([{tensors}], dim={{dim}})", keywords(dim=layer.dim % len(output) + 1))]


def _tile(layer: Tile, inputs: Shapes, output: Shape) -> list[Step]:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return [Inline(f"{_aligned(0, len(inputs[0]), len(output))}.tile({{reps}})", keywords(reps=times))]


def _repeat_interleave(layer: RepeatInterleave, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(repeats=layer.repeats, dim=layer.dim % len(output) + 1)
    return [Inline("{0}.repeat_interleave({repeats}, dim={dim})", arguments)]


def _index_select(layer: IndexSelect, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.relative is not None:
        return [_at(layer.dim % len(output), f"relative_positions({layer.relative})")]
    if layer.indices is None:
        raise Refused(UNSAID)
    return [_at(layer.dim % len(output), str(list(layer.indices)))]


def _batched(layer: Batched, inputs: Shapes, output: Shape) -> list[Step]:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    axes = layer.batch_axes
    flat = f".flatten(0, {axes})"
    steps = TORCH.of(inner)(inner, inside, result)
    if len(inputs) > 1:
        first, *rest = steps
        steps = [_merged(first, flat), *rest]
    else:
        steps = [Inline("{0}.flatten(0, {axes})", keywords(axes=axes)), *steps]
    return [*steps, Inline("{0}.unflatten(0, {shape})", keywords(shape=(-1, *inputs[0][:axes])))]


def _merged(step: Step, flat: str) -> Step:
    """A step whose inputs have their batch axes merged."""
    if isinstance(step, Call):
        return step._replace(reads=tuple(text + flat for text in step.reads))
    return step._replace(template=re.sub(r"\{\d+\}", lambda found: found[0] + flat, step.template))


def _channel_shuffle(layer: ChannelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.ChannelShuffle" if len(inputs[0]) > 1 else "ChannelShuffle"
    return [Call(name, positional(groups=layer.groups))]


def _pixel_shuffle(layer: PixelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.PixelShuffle" if len(inputs[0]) == 3 else "PixelShuffle", positional(factor=layer.upscale_factor))]


def _pixel_unshuffle(layer: PixelUnshuffle, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.PixelUnshuffle" if len(inputs[0]) == 3 else "PixelUnshuffle"
    return [Call(name, positional(factor=layer.downscale_factor))]


TORCH: KindTable[Mapper] = KindTable(
    {
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "SeparableConv": _separable,
        "MaxPool": _max_pool,
        "AvgPool": _avg_pool,
        "LpPool": _lp_pool,
        "AdaptivePool": _adaptive,
        "GlobalPool": _global,
        "Unfold": _unfold,
        "Fold": _fold,
        "Upsample": _upsample,
        "Pad": _border,
        "Crop": _crop,
        "Linear": _linear,
        "Flatten": _flatten,
        "Reshape": _reshape,
        "Permute": _permute,
        "Identity": _module("nn.Identity"),
        "BatchNorm": _batch_norm,
        "GroupNorm": _group_norm,
        "LayerNorm": _layer_norm,
        "InstanceNorm": _instance_norm,
        "LocalResponseNorm": _local_response_norm,
        "Scale": _scale,
        "relu": _module("nn.ReLU"),
        "relu6": _module("nn.ReLU6"),
        "silu": _module("nn.SiLU"),
        "hardswish": _module("nn.Hardswish"),
        "hardsigmoid": _module("nn.Hardsigmoid"),
        "sigmoid": _module("nn.Sigmoid"),
        "tanh": _module("nn.Tanh"),
        "mish": _module("nn.Mish"),
        "selu": _module("nn.SELU"),
        "Gelu": _module("nn.GELU", approximate="none"),
        "LeakyReLU": _module("nn.LeakyReLU", negative_slope=0.01),
        "PReLU": _module("nn.PReLU", num_parameters=1),
        "ELU": _module("nn.ELU", alpha=1.0),
        "Softplus": _module("nn.Softplus", beta=1.0, threshold=20.0),
        "softmax": _along("nn.Softmax"),
        "log_softmax": _along("nn.LogSoftmax"),
        "GLU": _along("nn.GLU"),
        "softsign": _module("nn.Softsign"),
        "logsigmoid": _module("nn.LogSigmoid"),
        "tanhshrink": _module("nn.Tanhshrink"),
        "hardshrink": _module("nn.Hardshrink", lambd=0.5),
        "softshrink": _module("nn.Softshrink", lambd=0.5),
        "CELU": _module("nn.CELU", alpha=1.0),
        "Hardtanh": _module("nn.Hardtanh", min_val=-1.0, max_val=1.0),
        "Threshold": _module("nn.Threshold", threshold=None, value=None),
        "RMSNorm": _rms_norm,
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
        "Dropout": _module("nn.Dropout", p=0.5),
        "StochasticDepth": _module("StochasticDepth", p=0.5, mode="row"),
        "Concat": _concat,
        "Add": _broadcast("+"),
        "Multiply": _broadcast("*"),
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
    },
    absent="no module of PyTorch is known to do what it does",
    refused=OPAQUE,
)
"""Kind or family -> its modules and expressions."""
