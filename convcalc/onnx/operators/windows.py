"""Operators with a window: convolutions, transposed convolutions, pools, columns added up to an image."""

from __future__ import annotations

from math import prod

from ...geometry import GeometryError
from ...layers.base import Shape
from ...models.making import Fields, Unsupported, spelled
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant, Value
from .costly import conv_macs, conv_transpose_macs
from .record import Operator, Rule

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


def _padding(pads: Pairs | str, limit: tuple[int, ...] | None = None) -> Pairs | str | int | tuple[int, ...]:
    """Padding as the language writes it shortest; above `limit` as pairs, which pools allow more."""
    if isinstance(pads, str):
        return pads
    numbers = tuple(before for before, _ in pads)
    plain = all(before == after for before, after in pads)
    if plain and (limit is None or all(n <= most for n, most in zip(numbers, limit, strict=True))):
        return short(numbers)
    return pads


def _window(b: Builder, kernel: tuple[int, ...]) -> Fields:
    """Kernel, stride and dilation."""
    rank = len(kernel)
    if not 1 <= rank <= 3:
        raise Unsupported(f"it has {rank} space axes")
    return {
        "kernel_size": short(kernel),
        "stride": short(_per_axis(b, "strides", rank)),
        "dilation": short(_per_axis(b, "dilations", rank)),
    }


def _source(b: Builder, rank: int) -> Activation:
    value = b.batched(b.activation())
    if len(value.dims) != rank + 2:
        raise Malformed(f"its input {list(value.dims)} has {len(value.dims)} axes, not {rank + 2}")
    return value


def _kernel_of(b: Builder, weight: Shape) -> tuple[int, ...]:
    kernel = b.node.integers("kernel_shape") or weight[2:]
    if weight[2:] != kernel:
        raise Malformed(f"kernel_shape {list(kernel)} is not that of the weight {list(weight)}")
    return kernel


def _conv(weight_at: int, bias_at: int | None) -> Rule:
    """The rule of a convolution with weight and bias at these inputs, which may be computed while it runs."""

    def rule(b: Builder) -> Activation:
        weight, bias = b.call.given(weight_at), b.call.value(bias_at) if bias_at is not None else None
        if isinstance(weight, Constant):
            weight = b.weight(weight_at)
        if isinstance(bias, Constant) and not bias.holds_weights:
            bias = None
        kernel = _kernel_of(b, weight.dims)
        window = _window(b, kernel)
        value, groups = _source(b, len(kernel)), b.node.integer("group", 1)
        if value.shape[0] != weight.dims[1] * groups:
            raise Malformed(
                f"the weight {list(weight.dims)} in {groups} groups takes {weight.dims[1] * groups} channels, "
                f"but the input {list(value.dims)} has {value.shape[0]}"
            )
        fields: Fields = {
            "out_channels": weight.dims[0],
            **window,
            "padding": _padding(_pads(b, len(kernel))),
            "groups": groups,
            "bias": bias is not None,
        }
        return _multiplied(b, f"conv{len(kernel)}d", fields, value, weight, bias)

    return rule


def _multiplied(
    b: Builder, kind: str, fields: Fields, value: Activation, weight: Value, bias: Value | None
) -> Activation:
    """A convolution with its weights, as the file stores them, as it forms them, or as an input."""
    if isinstance(weight, Activation):
        if isinstance(bias, Constant):
            bias = b.parameter(bias)
        given = [weight] if bias is None else [weight, bias]
        if any(operand.batched for operand in given):
            raise Unsupported("its weights are an example's own")
        return b.emit(kind, {**spelled(kind, fields), "weight": "input"}, value, *given)
    if isinstance(bias, Activation):
        raise Unsupported("its bias is computed")
    formed = formed_of(weight, fields["out_channels"], bias)
    if formed is None:
        raise Unsupported("its weights are computed of others")
    return b.emit(
        kind, {**spelled(kind, fields), **formed}, value, weights=[weight] if bias is None else [weight, bias]
    )


NORMALIZING = frozenset({"BatchNormalization", "InstanceNormalization", "LayerNormalization", "ReduceMean", "Sub"})
"""Operators of which weight standardisation is made."""


def formed_of(weight: Constant, outputs: object, bias: Constant | None) -> Fields | None:
    """How weights come of tensors of the file: as they are, fixed, standardised, times a gain; None for another way.

    Raises `Unsupported` where nothing learns the weights, but the bias is learned.
    """
    if weight.fixed:
        if bias is not None and not bias.fixed:
            raise Unsupported("its weights are fixed, and its bias is not")
        return {"fixed": True}
    if not weight.stored or weight.is_stored:
        return {"standardize": True} if weight.stored and _standardized(weight) else {}
    sizes = sorted(prod(shape) for shape in weight.stored.values())
    if sizes != [outputs, prod(weight.shape)]:
        return None
    return {"standardize": True, "gain": True} if _standardized(weight) else {"gain": True}


def _standardized(weight: Constant) -> bool:
    """Whether a normalization is among what computes a constant."""
    pending, seen = [weight], 0
    while pending and seen < 64:
        value = pending.pop()
        seen += 1
        if value.call is not None:
            if value.call.node.op in NORMALIZING:
                return True
            pending += [read for read in value.call.inputs if isinstance(read, Constant) and read.stored]
    return False


def _conv_transpose(b: Builder) -> Activation:
    """Its `auto_pad` and `output_shape` become the crops that they stand for.

    An output larger than the full extent is output padding. Source: onnx/defs/nn/defs.cc::convTransposeShapeInference.
    """
    weight, bias = b.weight(1), b.constant(2)
    if bias is not None and not bias.holds_weights:
        bias = None
    kernel = _kernel_of(b, weight.shape)
    rank, window = len(kernel), _window(b, kernel)
    value, groups = _source(b, rank), b.node.integer("group", 1)
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
    fields = {
        "out_channels": weight.shape[1] * groups,
        **window,
        "padding": _padding(pads),
        "output_padding": short(extra),
        "groups": groups,
        "bias": bias is not None,
    }
    formed = formed_of(weight, fields["out_channels"], bias)
    if formed is None:
        raise Unsupported("its weights are computed of others")
    weights = [weight] if bias is None else [weight, bias]
    kind = f"conv_transpose{rank}d"
    return b.emit(kind, {**spelled(kind, fields), **formed}, value, weights=weights)


def _pooled(b: Builder) -> tuple[tuple[int, ...], Fields]:
    """(the kernel of a pool, its window); a pool's stride is 1 by default in ONNX, the kernel in the language."""
    kernel = b.node.integers("kernel_shape")
    if kernel is None:
        raise Malformed("attribute 'kernel_shape' is missing")
    return kernel, _window(b, kernel)


def _pool(word: str) -> Rule:
    """The rule of a pool. Rounding up is PyTorch's and onnxruntime's, which drop a window in the padding."""

    def rule(b: Builder) -> Activation:
        kernel, window = _pooled(b)
        if word == "avg" and window["dilation"] != 1:
            raise Unsupported("it is dilated")
        padding = _padding(_pads(b, len(kernel)), tuple(k // 2 for k in kernel))
        fields: Fields = {"kernel_size": window["kernel_size"]}
        if window["dilation"] != 1:
            fields["dilation"] = window["dilation"]
        if window["stride"] != window["kernel_size"]:
            fields["stride"] = window["stride"]
        if padding != 0:
            fields["padding"] = padding
            if word == "avg" and not b.node.integer("count_include_pad"):
                fields["count_include_pad"] = False
        if b.node.integer("ceil_mode"):
            fields["ceil_mode"] = True
        return b.emit(f"{word}_pool{len(kernel)}d", fields, _source(b, len(kernel)))

    return rule


def _lp_pool(b: Builder) -> Activation:
    """Without padding, in one or two dimensions."""
    kernel, window = _pooled(b)
    if len(kernel) > 2 or _padding(_pads(b, len(kernel))) != 0:
        raise Unsupported("it is padded, or has three space axes")
    if window.pop("dilation") != 1:
        raise Unsupported("it is dilated")
    fields = {**window, "norm_type": b.node.number("p", 2)}
    if b.node.integer("ceil_mode"):
        fields["ceil_mode"] = True
    return b.emit(f"lp_pool{len(kernel)}d", fields, _source(b, len(kernel)))


def _global_pool(kind: str) -> Rule:
    return lambda b: b.emit(kind, {}, b.batched(b.activation()))


def _columns_added_up(b: Builder) -> Activation:
    """Col2Im: columns added back to the windows that they come from."""
    image, block = b.call.integers(1, "image shape"), b.call.integers(2, "block shape")
    window, pads = _window(b, block), _pads(b, len(block))
    value = b.batched(b.activation())
    if len(value.dims) != 3 or len(image) != len(block):
        raise Malformed(f"its input {list(value.dims)} is not [batch, channels, columns], or its shapes disagree")
    padding = _padding(pads)
    if len(block) != 2 or not (isinstance(padding, int) or all(isinstance(n, int) for n in padding)):
        raise Unsupported("its image has not two axes, or it pads one side more than the other")
    fields = {"output_size": short(image), **window, "padding": padding}
    return b.emit("fold", spelled("fold", fields), value)


def _image_dims(call: Call) -> Shape:
    batch, channels, _ = call.dims()
    return (batch, channels // prod(call.integers(2, "block shape")), *call.integers(1, "image shape"))


def _unrounded(b: Builder, value: Activation, declared: Shape) -> Activation | None:
    """The pool again as ONNX rounded up before opset 22, if that gives the declared shape.

    The standard kept a last window that lies in the padding; the file's own shapes say which rule it means.
    """
    step = b.steps[value.step]
    if step.fields.get("ceil_mode") is not True or b.call.opset >= 22:
        return None
    layer = b.layer(step.kind, {**step.fields, "ceil_mode": "onnx"})
    source = b.steps[step.inputs[0]].shape
    try:
        shape = layer.output_shape((source,))
    except GeometryError:
        return None
    if (value.dims[0], *shape) != declared:
        return None
    step.layer, step.shape = layer, shape
    return Activation(value.step, declared, value.batched)


OPERATORS = (
    Operator("Conv", _conv(weight_at=1, bias_at=2), weights=(1, 2), inputs=(2, 3), macs=conv_macs),
    Operator("ConvTranspose", _conv_transpose, weights=(1, 2), inputs=(2, 3), macs=conv_transpose_macs),
    Operator("MaxPool", _pool("max"), restate=_unrounded),
    Operator("AveragePool", _pool("avg"), restate=_unrounded),
    Operator("LpPool", _lp_pool),
    Operator("GlobalAveragePool", _global_pool("global_avg_pool")),
    Operator("GlobalMaxPool", _global_pool("global_max_pool")),
    Operator("Col2Im", _columns_added_up, dims=_image_dims, inputs=(3, 3)),
)
