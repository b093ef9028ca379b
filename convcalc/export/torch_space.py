"""PyTorch's modules that work on space: convolutions, pools, interpolation, padding, cropping."""

from __future__ import annotations

from typing import Any

from ..geometry import Rounding, pool_output
from .calls import Argument, Call, Inline, Mapper, Refused, Step, keywords, optional, positional, scalar
from .windows import Pads, fitted_pads, flat_pads, symmetric, transposed_crop

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def ranked(name: str, shape: Shape, most: int = 3) -> str:
    """The module of that name for the space axes of a shape; raises `Refused` where torch has none."""
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
    sides = positional(padding=flat_pads(pads))
    if BORDERS[mode] != "ConstantPad":
        return Call(name, sides)
    return Call(f"nn.ZeroPad{len(pads)}d", sides) if value == 0 else Call(name, (*sides, *positional(value=value)))


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
        *positional(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", padding, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", layer.groups, 1),
        optional("bias", layer.bias, True),
        optional("padding_mode", mode, "zeros"),
    )
    return [*separate, Call(f"nn.Conv{layer.rank}d", arguments)]


def _conv_transpose(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    crops = [transposed_crop(window) for window in layer.windows(inputs[0])]
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
    cuts = tuple((-crop.cut[0], -crop.cut[1]) for crop in crops)
    cut: list[Step] = [_pad(cuts)] if any(map(any, cuts)) else []
    return [Call(f"nn.ConvTranspose{layer.rank}d", arguments), *cut]


def _separable(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    channels, middle = inputs[0][0], inputs[0][0] * layer.depth_multiplier
    pads = tuple((w.before, w.after) for w in layer.windows(inputs[0]))
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


def _native_pool(layer: Any, inputs: Shapes, output: Shape, pads: Pads) -> bool:
    """Whether PyTorch's pool takes this padding and gives this output."""
    windows = layer.windows(inputs[0])
    if not symmetric(pads) or any(w.before > w.kernel_size // 2 for w in windows):
        return False
    rounding: Rounding = "ceil" if layer.ceil_mode else "floor"
    return all(
        pool_output(size, w.kernel_size, w.stride, w.before, w.after, w.dilation, rounding) == wanted
        for size, w, wanted in zip(inputs[0][1:], windows, output[1:], strict=True)
    )


def _pool_arguments(layer: Any, pads: Pads | None, **more: Argument) -> tuple[Argument, ...]:
    """Kernel and stride; padding and rounding unless they are written out."""
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = [*keywords(kernel_size=kernel), optional("stride", stride, kernel)]
    if pads is not None:
        arguments += [optional("padding", scalar([before for before, _ in pads]), 0)]
    return (*arguments, *more.values(), optional("ceil_mode", pads is not None and bool(layer.ceil_mode), False))


def _declared(layer: Any, shape: Shape) -> Pads:
    return tuple((w.before, w.after) for w in layer.windows(shape))


def _max_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = _declared(layer, inputs[0])
    dilation = optional("dilation", scalar(layer.dilation), 1)
    name = f"nn.MaxPool{layer.rank}d"
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, dilation=dilation))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    return [_pad(fitted, value=float("-inf")), Call(name, _pool_arguments(layer, None, dilation=dilation))]


def _avg_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = _declared(layer, inputs[0])
    name = f"nn.AvgPool{layer.rank}d"
    counts = optional("count_include_pad", layer.count_include_pad, True)
    override = {} if layer.rank == 1 else {"divisor": optional("divisor_override", layer.divisor_override, None)}
    if _native_pool(layer, inputs, output, pads):
        return [Call(name, _pool_arguments(layer, pads, counts=counts, **override))]
    fitted = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    overhangs = any(after > declared for (_, after), (_, declared) in zip(fitted, pads, strict=True))
    if layer.divisor_override is not None or (layer.count_include_pad and not overhangs):
        return [_pad(fitted), Call(name, _pool_arguments(layer, None, **override))]
    nothing = ((0, 0),) * layer.rank
    counted = tuple((b, min(a, d)) for (b, a), (_, d) in zip(fitted, pads, strict=True))
    arguments = (
        *keywords(kernel_size=layer.kernel_size, stride=layer.stride, padding=flat_pads(fitted)),
        *keywords(counted=flat_pads(counted if layer.count_include_pad else nothing)),
    )
    return [Call("PaddedAvgPool", arguments)]


def _lp_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if not _native_pool(layer, inputs, output, _declared(layer, inputs[0])):
        raise Refused("torch's LPPool does not round up as this one does")
    kernel, stride = scalar(layer.kernel_size), scalar(layer.stride)
    arguments = (
        *keywords(norm_type=layer.norm_type, kernel_size=kernel),
        optional("stride", stride, kernel),
        optional("ceil_mode", bool(layer.ceil_mode), False),
    )
    return [Call(f"nn.LPPool{layer.rank}d", arguments)]


def _adaptive(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    name = f"nn.Adaptive{layer.reduction.capitalize()}Pool{layer.rank}d"
    return [Call(name, positional(output_size=scalar(layer.output_size)))]


def _global(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call(ranked(f"Adaptive{layer.reduction.capitalize()}Pool", inputs[0]), positional(output_size=1))]


def _unfold(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("dilation", scalar(layer.dilation), 1),
        optional("padding", scalar(layer.padding), 0),
        optional("stride", scalar(layer.stride), 1),
    )
    return [Call("nn.Unfold", arguments)]


def _upsample(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
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


def _border(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    ranked("padding", inputs[0])
    pads = tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:])
    return _bordered(pads, layer.mode, layer.value)


def _crop(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    ranked("padding", inputs[0])
    if len(inputs) == 2:
        return [Inline("center_crop({0}, {1}.shape[2:])")]
    return [_pad(tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:]))]


SPACE: dict[str, Mapper] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _global,
    "Unfold": _unfold,
    "Upsample": _upsample,
    "Pad": _border,
    "Crop": _crop,
}
"""Class of a layer model -> its modules and expressions."""
