"""The transposed convolution that undoes a size, ready to paste into PyTorch, Keras and ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from ..geometry.dialects import inverse, keras_refuses, keras_same, keras_valid, onnx_transposed, torch_transposed
from ..geometry.inversion import AxisInversion, SizeInversion
from .page import Block, Code, Paragraph

Axes = Sequence[tuple[AxisInversion, SizeInversion]]
"""Every axis of the layer with the size that it gives back."""


def framework_blocks(axes: Axes) -> tuple[Block, ...]:
    """The three layers, each followed by what its framework does differently."""
    return (*_torch(axes), *_keras(axes), *_onnx(axes))


def _torch(axes: Axes) -> list[Block]:
    rank = len(axes)
    layers = [torch_transposed(inverse(axis, size)) for axis, size in axes]
    call = _call(
        f"nn.ConvTranspose{rank}d",
        ["c_in", "c_out", _number([axis.kernel_size for axis, _ in axes])],
        stride=_unless(1, [axis.stride for axis, _ in axes]),
        padding=_unless(0, [layer.padding for layer in layers]),
        output_padding=_unless(0, [layer.output_padding for layer in layers]),
        dilation=_unless(1, [axis.dilation for axis, _ in axes]),
    )
    if any(sum(layer.cut) for layer in layers):
        cuts = ", ".join(f"{-before}, {-after}" for before, after in (layer.cut for layer in reversed(layers)))
        return [
            Code(("# PyTorch", *_wrapped(f"up = {call}"), f"x = F.pad(up(y), ({cuts}))"), "python"),
            Paragraph(
                "PyTorch's layer takes one padding for both sides of an axis: `F.pad` with negative numbers cuts "
                "the rest off (last axis first)."
            ),
        ]
    lines = ["# PyTorch", *_wrapped(f"up = {call}")]
    if any(axis.before != axis.after for axis, _ in axes):
        why = "PyTorch's layer takes one padding for both sides of an axis; output_padding takes up the difference."
        return [Code(tuple(lines), "python"), Paragraph(why)]
    if any(axis.stride > 1 for axis, _ in axes):
        lines.append(f"# any size of the family: up(y, output_size=x.shape[-{rank}:])")
    return [Code(tuple(lines), "python")]


def _keras(axes: Axes) -> list[Block]:
    windows = [inverse(axis, size) for axis, size in axes]
    if keras_refuses(windows):
        return [Paragraph("Keras has no such layer: it refuses strides above 1 with a dilation_rate above 1.")]
    rank = len(axes)
    same = [keras_same(axis, size) for axis, size in axes]
    fits = [option for option in same if option is not None]
    returns_size = len(fits) == rank and len({option.output_padding is None for option in fits}) == 1
    wanted = [(axis.before, axis.after - size.output_padding) for axis, size in axes]
    if returns_size and [option.crop for option in fits] == wanted:
        call = _keras_call(axes, '"same"', [option.output_padding for option in fits])
        return [Code(("# Keras", *_wrapped(f"up = {call}")), "python")]
    valid = keras_valid(windows)
    call = _keras_call(axes, None, [option.output_padding for option in valid])
    lines = ["# Keras", *_wrapped(f"up = {call}")]
    if any(sum(option.cut) for option in valid):
        cuts = ", ".join(f"({before}, {after})" for before, after in (option.cut for option in valid))
        lines.append(f"x = keras.layers.Cropping{rank}D({cuts if rank == 1 else f'({cuts})'})(up(y))")
    blocks: list[Block] = [Code(tuple(lines), "python")]
    if returns_size:
        sizes = _number([size.size for _, size in axes])
        blocks.append(
            Paragraph(
                f'Keras\'s `padding="same"` returns {sizes} too, but crops {_crops([o.crop for o in fits])} where this '
                f"layer crops {_crops(wanted)}: the same shape, with its values shifted."
            )
        )
    return blocks


def _keras_call(axes: Axes, padding: str | None, output_padding: list[int | None]) -> str:
    given = None if set(output_padding) == {None} else _number([value for value in output_padding if value is not None])
    return _call(
        f"keras.layers.Conv{len(axes)}DTranspose",
        ["filters", _number([axis.kernel_size for axis, _ in axes])],
        strides=_unless(1, [axis.stride for axis, _ in axes]),
        padding=padding,
        output_padding=given,
        dilation_rate=_unless(1, [axis.dilation for axis, _ in axes]),
    )


def _onnx(axes: Axes) -> list[Block]:
    layers = [onnx_transposed(inverse(axis, size)) for axis, size in axes]
    call = _call(
        "onnx.helper.make_node",
        ['"ConvTranspose"', '["y", "W"]', '["x"]'],
        kernel_shape=str([axis.kernel_size for axis, _ in axes]),
        strides=str([axis.stride for axis, _ in axes]),
        pads=str([layer.before for layer in layers] + [layer.after for layer in layers]),
        output_padding=str([layer.output_padding for layer in layers]),
        dilations=str([axis.dilation for axis, _ in axes]),
    )
    return [Code(("# ONNX", *_wrapped(f"node = {call}")), "python")]


def _call(function: str, arguments: list[str], **named: str | None) -> str:
    """A call, its named arguments without those that are None."""
    return (
        f"{function}({', '.join([*arguments, *(f'{n}={value}' for n, value in named.items() if value is not None)])})"
    )


def _number(values: Sequence[int]) -> str:
    """One number where all axes agree, else a tuple."""
    return str(values[0]) if len(set(values)) == 1 else str(tuple(values))


def _unless(default: int, values: Sequence[int]) -> str | None:
    return None if set(values) == {default} else _number(values)


def _crops(crops: Sequence[tuple[int, int]]) -> str:
    return str(crops[0]) if len(set(crops)) == 1 else ", ".join(map(str, crops))


def _wrapped(call: str, width: int = 78) -> list[str]:
    """A call over as many lines as it needs, broken between its named arguments."""
    lines, rest = [], call
    while len(rest) > width and (cut := max((i for i in range(width) if _breaks(rest, i)), default=0)):
        lines.append(rest[:cut])
        rest = f"    {rest[cut + 1 :]}"
    return [*lines, rest]


def _breaks(call: str, index: int) -> bool:
    """Whether a line may end at this blank: it follows a comma and a named argument comes next."""
    name = call[index + 1 :].partition("=")[0]
    return call[index] == " " and call[index - 1] == "," and name.isidentifier()
