"""PyTorch's modules: one table from the kinds of the language to what builds them.

Source: torch.nn of PyTorch 2.1 and newer. Where no module says exactly what the layer does, a small one of
`torch_helpers` stands in, or the padding is written out for the input's size.
"""

from __future__ import annotations

from typing import Any

from ..geometry import pool_output
from ..layers.registry import KINDS
from .calls import Argument, Call, Inline, Mapper, Refused, Step, scalar
from .windows import Pads, fitted_pads, flat_pads, symmetric, transposed_crop

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _given(**values: object) -> tuple[Argument, ...]:
    return tuple(Argument(name, value) for name, value in values.items())


def _first(**values: object) -> tuple[Argument, ...]:
    return tuple(Argument(name, value, positional=True) for name, value in values.items())


def _or(name: str, value: object, default: object) -> Argument:
    return Argument(name, value, default)


def _ranked(name: str, shape: Shape, most: int = 3) -> str:
    rank = len(shape) - 1
    if not 1 <= rank <= most:
        raise Refused(f"torch has {name} for 1 to {most} space axes, not for {rank}")
    return f"nn.{name}{rank}d"


BORDERS = {
    "zeros": "ConstantPad",
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


def _pad(pads: Pads, mode: str = "constant", value: float = 0.0) -> Call:
    name = f"nn.{BORDERS[mode]}{len(pads)}d"
    sides = _first(padding=flat_pads(pads))
    if BORDERS[mode] != "ConstantPad":
        return Call(name, sides)
    return Call(f"nn.ZeroPad{len(pads)}d", sides) if value == 0 else Call(name, (*sides, *_first(value=value)))


def _bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping; cropping comes after, for PyTorch's circular padding wraps what is left of the input."""
    if mode != "circular" or min(map(min, pads)) >= 0 or max(map(max, pads)) <= 0:
        return [_pad(pads, mode, value)]
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    cut = tuple((min(before, 0), min(after, 0)) for before, after in pads)
    return [_pad(grown, mode), _pad(cut)]


def _conv(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    windows = layer.windows(inputs[0])
    pads = tuple((w.before, w.after) for w in windows)
    inside = symmetric(pads) and all(before >= 0 for before, _ in pads)
    separate: list[Step] = [] if inside else _bordered(pads, layer.padding_mode)
    padding = scalar([before for before, _ in pads]) if inside else 0
    mode = layer.padding_mode if inside else "zeros"
    arguments = (
        *_first(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("stride", scalar(layer.stride), 1),
        _or("padding", padding, 0),
        _or("dilation", scalar(layer.dilation), 1),
        _or("groups", layer.groups, 1),
        _or("bias", layer.bias, True),
        _or("padding_mode", mode, "zeros"),
    )
    return [*separate, Call(f"nn.Conv{layer.rank}d", arguments)]


def _conv_transpose(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    crops = [transposed_crop(window) for window in layer.windows(inputs[0])]
    arguments = (
        *_first(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("stride", scalar(layer.stride), 1),
        _or("padding", scalar([crop.padding for crop in crops]), 0),
        _or("output_padding", scalar([crop.output_padding for crop in crops]), 0),
        _or("groups", layer.groups, 1),
        _or("bias", layer.bias, True),
        _or("dilation", scalar(layer.dilation), 1),
    )
    cuts = tuple((-crop.cut[0], -crop.cut[1]) for crop in crops)
    cut: list[Step] = [_pad(cuts)] if any(map(any, cuts)) else []
    return [Call(f"nn.ConvTranspose{layer.rank}d", arguments), *cut]


def _separable(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    channels, middle = inputs[0][0], inputs[0][0] * layer.depth_multiplier
    pads = tuple((w.before, w.after) for w in layer.windows(inputs[0]))
    inside = symmetric(pads)
    depthwise = (
        *_first(in_channels=channels, out_channels=middle),
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("stride", scalar(layer.stride), 1),
        _or("padding", scalar([before for before, _ in pads]) if inside else 0, 0),
        _or("dilation", scalar(layer.dilation), 1),
        _or("groups", channels, 1),
        _or("bias", False, True),
    )
    pointwise = (
        *_first(in_channels=middle, out_channels=layer.out_channels),
        *_given(kernel_size=1),
        _or("bias", layer.bias, True),
    )
    conv = f"nn.Conv{layer.rank}d"
    return [*([] if inside else [_pad(pads)]), Call(conv, depthwise), Call(conv, pointwise)]


def _native_pool(layer: Any, inputs: Shapes, output: Shape, pads: Pads) -> bool:
    """Whether PyTorch's pool takes this padding and gives this output."""
    windows = layer.windows(inputs[0])
    if not symmetric(pads) or any(w.before > w.kernel_size // 2 for w in windows):
        return False
    rounding = "ceil" if layer.ceil_mode else "floor"
    sizes = zip(inputs[0][1:], windows, output[1:], strict=True)
    return all(pool_output(size, *window, rounding) == wanted for size, window, wanted in sizes)


def _pool_arguments(layer: Any, pads: Pads | None, **more: Argument) -> tuple[Argument, ...]:
    """Kernel and stride; padding and rounding unless they are written out."""
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = [*_given(kernel_size=kernel), _or("stride", stride, kernel)]
    if pads is not None:
        arguments += [_or("padding", scalar([before for before, _ in pads]), 0)]
    return (*arguments, *more.values(), _or("ceil_mode", pads is not None and bool(layer.ceil_mode), False))


def _declared(layer: Any, shape: Shape) -> Pads:
    return tuple((w.before, w.after) for w in layer.windows(shape))


def _max_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = _declared(layer, inputs[0])
    dilation = _or("dilation", scalar(layer.dilation), 1)
    name = f"nn.MaxPool{layer.rank}d"
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, dilation=dilation))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    return [_pad(fitted, value=float("-inf")), Call(name, _pool_arguments(layer, None, dilation=dilation))]


def _avg_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = _declared(layer, inputs[0])
    name = f"nn.AvgPool{layer.rank}d"
    counts = _or("count_include_pad", layer.count_include_pad, True)
    override = {} if layer.rank == 1 else {"divisor": _or("divisor_override", layer.divisor_override, None)}
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, counts=counts, **override))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    overhangs = any(after > declared for (_, after), (_, declared) in zip(fitted, pads, strict=True))
    if layer.divisor_override is not None or (layer.count_include_pad and not overhangs):
        return [_pad(fitted), Call(name, _pool_arguments(layer, None, **override))]
    nothing = ((0, 0),) * layer.rank
    counted = tuple((b, min(a, d)) for (b, a), (_, d) in zip(fitted, pads, strict=True))
    arguments = (
        *_given(kernel_size=layer.kernel_size, stride=layer.stride, padding=flat_pads(fitted)),
        *_given(counted=flat_pads(counted if layer.count_include_pad else nothing)),
    )
    return [Call("PaddedAvgPool", arguments)]


def _lp_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if not _native_pool(layer, inputs, output, _declared(layer, inputs[0])):
        raise Refused("torch's LPPool does not round up as this one does")
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = (
        *_given(norm_type=layer.norm_type, kernel_size=kernel),
        _or("stride", stride, kernel),
        _or("ceil_mode", bool(layer.ceil_mode), False),
    )
    return [Call(f"nn.LPPool{layer.rank}d", arguments)]


def _adaptive(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = f"nn.Adaptive{layer.reduction.capitalize()}Pool{layer.rank}d"
    return [Call(name, _first(output_size=scalar(layer.output_size)))]


def _global(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call(_ranked(f"Adaptive{layer.reduction.capitalize()}Pool", inputs[0]), _first(output_size=1))]


def _linear(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    features = _first(in_features=inputs[0][-1], out_features=layer.out_features)
    return [Call("nn.Linear", (*features, _or("bias", layer.bias, True)))]


def _flatten(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    first = layer.start_dim % len(inputs[0]) + 1
    last = layer.end_dim + 1 if layer.end_dim >= 0 else layer.end_dim
    return [Call("nn.Flatten", (_or("start_dim", first, 1), _or("end_dim", last, -1)))]


def _reshape(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Flatten"), Call("nn.Unflatten", _first(dim=1, unflattened_size=layer.shape))]


def _permute(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Permute", _first(dims=(0, *(axis + 1 for axis in layer.order))))]


def _batch_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.BatchNorm1d" if len(inputs[0]) == 1 else _ranked("BatchNorm", inputs[0])
    return [Call(name, (*_first(num_features=inputs[0][0]), *_statistics(layer, True)))]


def _statistics(layer: Any, default: bool) -> tuple[Argument, ...]:
    return (
        _or("eps", layer.eps, 1e-5),
        _or("momentum", layer.momentum, 0.1),
        _or("affine", layer.affine, default),
        _or("track_running_stats", layer.track_running_stats, default),
    )


def _instance_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*_first(num_features=inputs[0][0]), *_statistics(layer, False))
    return [Call(_ranked("InstanceNorm", inputs[0]), arguments)]


def _group_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (*_first(num_groups=layer.num_groups, num_channels=inputs[0][0]), _or("eps", layer.eps, 1e-5))
    return [Call("nn.GroupNorm", (*arguments, _or("affine", layer.affine, True)))]


def _layer_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    shape = inputs[0][:1] if layer.dim is not None else layer.normalized_shape or inputs[0][-1:]
    arguments = (
        *_first(normalized_shape=shape[0] if len(shape) == 1 else shape),
        _or("eps", layer.eps, 1e-5),
        _or("elementwise_affine", layer.elementwise_affine, True),
        _or("bias", layer.bias, True),
    )
    return [Call("nn.LayerNorm" if layer.dim is None else "ChannelLayerNorm", arguments)]


def _local_response_norm(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [
        Call(
            "nn.LocalResponseNorm",
            (
                *_given(size=layer.size),
                _or("alpha", layer.alpha, 1e-4),
                _or("beta", layer.beta, 0.75),
                _or("k", layer.k, 1.0),
            ),
        )
    ]


def _scale(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Scale", (*_first(channels=inputs[0][0]), _or("bias", getattr(layer, "bias", False), False)))]


def _module(name: str, **fields: object) -> Mapper:
    """A module whose arguments are the layer's fields, given with PyTorch's defaults."""

    def map_(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
        return [Call(name, tuple(_or(field, getattr(layer, field), default) for field, default in fields.items()))]

    return map_


def _softmax(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Softmax", _given(dim=layer.dim + 1 if layer.dim >= 0 else layer.dim))]


def _concat(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{n}}}" for n in range(len(inputs)))
    return [Inline(f"torch.cat([{tensors}], dim={{dim}})", _given(dim=layer.dim % len(inputs[0]) + 1))]


def _broadcast(sign: str) -> Mapper:
    def map_(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
        return [Inline(f" {sign} ".join(f"{{{n}}}" for n in range(len(inputs))))]

    return map_


def _gate(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("{0} * {1} + {2} * (1 - {1})")]


def _split(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = _given(channels=list(layer.channels), part=layer.part)
    return [Inline("torch.split({0}, {channels}, dim=1)[{part}]", arguments)]


def _channel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.ChannelShuffle" if len(inputs[0]) > 1 else "ChannelShuffle"
    return [Call(name, _first(groups=layer.groups))]


def _pixel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.PixelShuffle" if len(inputs[0]) == 3 else "PixelShuffle", _first(factor=layer.upscale_factor))]


def _pixel_unshuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.PixelUnshuffle" if len(inputs[0]) == 3 else "PixelUnshuffle"
    return [Call(name, _first(factor=layer.downscale_factor))]


def _unfold(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("dilation", scalar(layer.dilation), 1),
        _or("padding", scalar(layer.padding), 0),
        _or("stride", scalar(layer.stride), 1),
    )
    return [Call("nn.Unfold", arguments)]


def _upsample(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    mode = (_or("mode", layer.mode, "nearest"), _or("align_corners", layer.align_corners, None))
    if len(inputs) == 2:
        arguments = "mode={mode}, align_corners={align_corners}"
        return [
            Inline(
                f"F.interpolate({{0}}, size={{1}}.shape[2:], {arguments})",
                _given(mode=layer.mode, align_corners=layer.align_corners),
            )
        ]
    if layer.size is not None:
        return [Call("nn.Upsample", (*_given(size=layer.size), *mode))]
    return [Call("nn.Upsample", (*_given(scale_factor=layer.scale_factor), *mode))]


def _border(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    _ranked("padding", inputs[0])
    pads = tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:])
    return _bordered(pads, layer.mode, layer.value)


def _crop(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    _ranked("padding", inputs[0])
    if len(inputs) == 2:
        return [Inline("center_crop({0}, {1}.shape[2:])")]
    return [_pad(tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:]))]


_MAPPERS: dict[str, Mapper] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _global,
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
    "Softmax": _softmax,
    "Dropout": _module("nn.Dropout", p=0.5),
    "StochasticDepth": _module("StochasticDepth", p=0.5, mode="row"),
    "Concat": _concat,
    "Add": _broadcast("+"),
    "Multiply": _broadcast("*"),
    "Gate": _gate,
    "Split": _split,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
    "Unfold": _unfold,
    "Upsample": _upsample,
    "Pad": _border,
    "Crop": _crop,
}
TORCH: dict[str, Mapper] = {
    kind: _MAPPERS[kind if kind in _MAPPERS else model] for kind, (_, model) in KINDS.items()
}
"""Kind -> its modules and expressions."""
