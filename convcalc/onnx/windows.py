"""Rules of the operators with a window: Conv, ConvTranspose, the pools."""

from __future__ import annotations

from typing import Any

from ..geometry import GeometryError
from .builder import Builder, Unsupported
from .model import Malformed
from .values import Activation

Pairs = tuple[tuple[int, int], ...]
SAME = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower"}


def _per_axis(b: Builder, name: str, rank: int) -> tuple[int, ...]:
    """An attribute with one value an axis, by default ones."""
    values = b.node.integers(name)
    if values is None:
        return (1,) * rank
    if len(values) != rank:
        raise Malformed(f"attribute '{name}' has {len(values)} values for {rank} axes")
    return values


def _pads(b: Builder, rank: int) -> Pairs | str:
    """The padding: pairs, or a word for `auto_pad`."""
    mode = b.node.word("auto_pad", "NOTSET")
    if mode in SAME:
        return SAME[mode]
    if mode == "VALID":
        return ((0, 0),) * rank
    if mode not in ("NOTSET", ""):
        raise Malformed(f"attribute 'auto_pad' is '{mode}'")
    pads = b.node.integers("pads")
    if pads is None:
        return ((0, 0),) * rank
    if len(pads) != 2 * rank:
        raise Malformed(f"attribute 'pads' has {len(pads)} values for {rank} axes")
    return tuple(zip(pads[:rank], pads[rank:], strict=True))


def short(values: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes have it."""
    return values[0] if len(set(values)) == 1 else values


def _padding(pads: Pairs | str, limit: tuple[int, ...] | None = None) -> Any:
    """Padding as the language writes it shortest; above `limit` as pairs, which pools allow more."""
    if isinstance(pads, str):
        return pads
    numbers = tuple(before for before, _ in pads)
    plain = all(before == after for before, after in pads)
    if plain and (limit is None or all(n <= most for n, most in zip(numbers, limit, strict=True))):
        return short(numbers)
    return pads


def _window(b: Builder, kernel: tuple[int, ...], dilations: bool = True) -> dict[str, Any]:
    """Kernel, stride and dilation, those that are not 1."""
    rank = len(kernel)
    if not 1 <= rank <= 3:
        raise Unsupported(f"it has {rank} space axes")
    fields: dict[str, Any] = {"kernel_size": short(kernel)}
    strides = _per_axis(b, "strides", rank)
    if set(strides) != {1}:
        fields["stride"] = short(strides)
    spread = _per_axis(b, "dilations", rank)
    if set(spread) != {1}:
        if not dilations:
            raise Unsupported("it is dilated")
        fields["dilation"] = short(spread)
    return fields


def _source(b: Builder, rank: int) -> Activation:
    value = b.batched(b.activation(0))
    if len(value.dims) != rank + 2:
        raise Malformed(f"its input {list(value.dims)} has {len(value.dims)} axes, not {rank + 2}")
    return value


def conv(b: Builder, weight_at: int = 1, bias_at: int = 2) -> Activation:
    """Conv, and the quantised ones, which hold weight and bias elsewhere."""
    weight = b.weight(weight_at)
    bias = b.constant(bias_at)
    kernel = b.node.integers("kernel_shape") or weight.shape[2:]
    fields = _window(b, kernel)
    if weight.shape[2:] != kernel:
        raise Malformed(f"kernel_shape {list(kernel)} is not that of the weight {list(weight.shape)}")
    value = _source(b, len(kernel))
    groups = b.node.integer("group", 1)
    if value.shape[0] != weight.shape[1] * groups:
        raise Malformed(
            f"the weight {list(weight.shape)} in {groups} groups takes {weight.shape[1] * groups} channels, "
            f"but the input {list(value.dims)} has {value.shape[0]}"
        )
    padding = _padding(_pads(b, len(kernel)))
    fields = {
        "out_channels": weight.shape[0],
        **fields,
        **({"padding": padding} if padding != 0 else {}),
        **({"groups": groups} if groups != 1 else {}),
        **({"bias": False} if bias is None else {}),
    }
    return b.emit(f"conv{len(kernel)}d", fields, value, weights=[weight] if bias is None else [weight, bias])


def qlinear_conv(b: Builder) -> Activation:
    """QLinearConv: input, weight and output each with scale and zero point."""
    return conv(b, weight_at=3, bias_at=8)


def conv_integer(b: Builder) -> Activation:
    """ConvInteger has no bias."""
    return conv(b, weight_at=1, bias_at=len(b.node.inputs))


def conv_transpose(b: Builder) -> Activation:
    """ConvTranspose; its `auto_pad` and `output_shape` become the crops that they stand for.

    An output larger than the full extent is output padding. Source: onnx/defs/nn/defs.cc::convTransposeShapeInference.
    """
    weight, bias = b.weight(1), b.constant(2)
    kernel = b.node.integers("kernel_shape") or weight.shape[2:]
    fields = _window(b, kernel)
    rank = len(kernel)
    value = _source(b, rank)
    groups = b.node.integer("group", 1)
    if weight.shape[2:] != kernel:
        raise Malformed(f"kernel_shape {list(kernel)} is not that of the weight {list(weight.shape)}")
    if value.shape[0] != weight.shape[0]:
        raise Malformed(f"the weight {list(weight.shape)} does not take the channels of {list(value.dims)}")
    strides, spread = _per_axis(b, "strides", rank), _per_axis(b, "dilations", rank)
    extra = b.node.integers("output_padding") or (0,) * rank
    if len(extra) != rank:
        raise Malformed(f"attribute 'output_padding' has {len(extra)} values for {rank} axes")
    pads = _pads(b, rank)
    wanted = b.node.integers("output_shape")
    if wanted is not None or isinstance(pads, str):
        sizes = wanted[-rank:] if wanted else tuple(i * s for i, s in zip(value.shape[1:], strides, strict=True))
        if len(sizes) != rank:
            raise Malformed(f"attribute 'output_shape' has {len(sizes)} values for {rank} axes")
        upper = b.node.word("auto_pad", "NOTSET") == "SAME_UPPER"
        cropped, grown = [], list(extra)
        for axis, (i, o) in enumerate(zip(value.shape[1:], sizes, strict=True)):
            surplus = (i - 1) * strides[axis] + extra[axis] + spread[axis] * (kernel[axis] - 1) + 1 - o
            if surplus < 0:
                # Documented as i·stride, but a kernel below the stride is not stretched where only auto_pad asks.
                grown[axis] += -surplus if wanted else 0
                surplus = 0
            half = surplus // 2
            cropped.append((half, surplus - half) if upper else (surplus - half, half))
        pads, extra = tuple(cropped), tuple(grown)
    padding = _padding(pads)
    fields = {
        "out_channels": weight.shape[1] * groups,
        **fields,
        **({"padding": padding} if padding != 0 else {}),
        **({"output_padding": short(extra)} if any(extra) else {}),
        **({"groups": groups} if groups != 1 else {}),
        **({"bias": False} if bias is None else {}),
    }
    return b.emit(f"conv_transpose{rank}d", fields, value, weights=[weight] if bias is None else [weight, bias])


def pool(b: Builder) -> Activation:
    """MaxPool and AveragePool. Rounding up is PyTorch's and onnxruntime's, which drop a window in the padding."""
    kernel = b.node.integers("kernel_shape")
    if kernel is None:
        raise Malformed("attribute 'kernel_shape' is missing")
    largest = b.node.op == "MaxPool"
    fields = _window(b, kernel, dilations=largest)
    # A pool's stride is 1 by default in ONNX, the kernel in the language.
    strides = _per_axis(b, "strides", len(kernel))
    fields.pop("stride", None)
    if strides != kernel:
        fields["stride"] = short(strides)
    pads = _pads(b, len(kernel))
    padding = _padding(pads, tuple(k // 2 for k in kernel))
    if padding != 0:
        fields["padding"] = padding
        if not largest and not b.node.integer("count_include_pad"):
            fields["count_include_pad"] = False
    if b.node.integer("ceil_mode"):
        fields["ceil_mode"] = True
    value = _source(b, len(kernel))
    return b.emit(f"{'max' if largest else 'avg'}_pool{len(kernel)}d", fields, value)


def lp_pool(b: Builder) -> Activation:
    """LpPool without padding, in one or two dimensions."""
    kernel = b.node.integers("kernel_shape")
    if kernel is None:
        raise Malformed("attribute 'kernel_shape' is missing")
    if len(kernel) > 2 or _padding(_pads(b, len(kernel))) != 0:
        raise Unsupported("it is padded, or has three space axes")
    fields = _window(b, kernel, dilations=False)
    strides = _per_axis(b, "strides", len(kernel))
    fields |= {"stride": short(strides), "norm_type": b.node.number("p", 2)}
    if b.node.integer("ceil_mode"):
        fields["ceil_mode"] = True
    return b.emit(f"lp_pool{len(kernel)}d", fields, _source(b, len(kernel)))


def global_pool(b: Builder) -> Activation:
    """GlobalAveragePool, GlobalMaxPool."""
    kind = "global_max_pool" if b.node.op == "GlobalMaxPool" else "global_avg_pool"
    return b.emit(kind, {}, b.batched(b.activation(0)))


def unrounded(b: Builder, value: Activation, declared: tuple[int, ...]) -> Activation | None:
    """The pool again as ONNX rounded up before opset 22, if that gives the declared shape.

    The standard kept a last window that lies in the padding; the file's own shapes say which rule it means.
    """
    step = b.steps[value.step]
    if step.layer is None or step.layer.fields().get("ceil_mode") is not True or b.opset >= 22:
        return None
    layer = b.layer(step.kind, {**step.layer.fields(), "ceil_mode": "onnx"})
    source = b.steps[step.inputs[0]].shape
    try:
        shape = layer.output_shape((source,))
    except GeometryError:
        return None
    if (value.dims[0], *shape) != declared:
        return None
    step.layer, step.shape = layer, shape
    return Activation(value.step, declared, value.batched)
