"""Backpropagation through a convolution as convolutions: dK = X ∗ dY and dX = dY ∗ᵀ K, and the numbers of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..geometry import conv_output, conv_transpose_output, leftover, transposed_padding, zeros_between
from .explain_layer import alike
from .explain_matrix import (
    SHOWN,
    channel_matrices,
    channel_name,
    column,
    given_matrices,
    kernel_matrices,
    kernel_name,
    matrix,
    on_numbers,
    picture,
)
from .explanation import Display, Matrix, Section, Step, step
from .small_gradients import bordered, input_windows, kernel_windows, spread
from .small_layer import map_of

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..layers.conv import Conv, ConvTranspose
    from .small_gradients import Gradients
    from .small_layer import Map, SmallLayer

CHAIN_RULE = "Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.5"


def backward_sections(
    small: SmallLayer, made: Gradients, layer: Conv | ConvTranspose, shape: Shape, output: Shape, batch: int = 1
) -> tuple[Section, ...]:
    """What `--backward` says of a layer from `shape` to `output`: shapes, padding, stride, dilation, and numbers."""
    found = map_of(layer, shape, output)
    of_input = _adjoint_sections if small.transposed else _input_sections
    return (
        *_kernel_sections(found, small.transposed, batch),
        *of_input(found, batch),
        *([_bias_section(output)] if layer.bias else []),
        Section(on_numbers(small), (), matrices=((*given_matrices(small), *channel_matrices("dY", made.y)),)),
        _kernel_numbers(small, made),
        _input_numbers(small, made),
        *([Section("db, the sums of dY", (), matrices=((column("db", made.b),),))] if layer.bias else []),
    )


def _shape(*sizes: int) -> str:
    return " × ".join(map(str, sizes))


def _axes(found: Map) -> list[tuple[int, str]]:
    """The first space axis (from 1) of each set of equal ones, and the names of all of them."""
    keys: list[tuple[int, object]] = [
        (axis, (found.wide[axis], found.narrow[axis], window)) for axis, window in enumerate(found.windows, start=1)
    ]
    return alike(keys, len(found.windows))


def _kernel_sections(found: Map, transposed: bool, batch: int) -> list[Section]:
    image, kernel = ("dY", "X") if transposed else ("X", "dY")
    each = f"; each of {found.groups} groups by itself" if found.groups > 1 else ""
    steps = (
        Step("image", _shape(found.wide[0], batch, *found.wide[1:]), note=f"{image}, channels and batch exchanged"),
        Step("kernel", _shape(found.narrow[0], batch, *found.narrow[1:]), note=f"{kernel}, likewise"),
        Step("dK", _shape(*found.kernel), note=f"the shape of K{each}", source=CHAIN_RULE),
    )
    sections = [Section(f"gradient of the kernel: dK = {image} * {kernel}", steps)]
    for axis, names in _axes(found):
        window, slides = found.windows[axis - 1], kernel_windows(found)[axis - 1]
        taps = step(conv_output, {"size": found.wide[axis], **slides._asdict()}, "taps")
        lines = [
            Step("stride", slides.stride, note="the dilation of the layer"),
            Step("dilation", slides.dilation, note="the stride of the layer"),
            Step("padding", _sides(slides.before, slides.after), note="that of the layer"),
            taps,
        ]
        if taps.value != window.kernel_size:
            lines.append(
                Step("kept", window.kernel_size, unit="taps", note="the others come of what the stride left over")
            )
        sections.append(Section(f"dK, axis {names}", tuple(lines)))
    return sections


def _sides(before: int, after: int) -> str:
    return str(before) if before == after else f"{before} before, {after} after"


def _input_sections(found: Map, batch: int) -> list[Section]:
    """dX = dY ∗ᵀ K, and the same as a plain convolution."""
    steps = (
        Step("input", _shape(batch, *found.narrow), note="dY"),
        Step("kernel", _shape(*found.kernel), note="K, from the channels of Y to those of X"),
        Step("dX", _shape(batch, *found.wide), note="the shape of X", source=CHAIN_RULE),
    )
    sections = [Section("gradient of the input: dX = dY *^T K", steps)]
    for axis, names in _axes(found):
        window = found.windows[axis - 1]
        k, s, before, after, d = window
        filled = found.mode != "zeros"
        if filled:
            before = after = 0
        over = step(
            leftover, {"size": found.wide[axis], **window._asdict()}, note="output_padding: what the stride left over"
        )
        rest = int(str(over.value))
        crop = {"kernel_size": k, "stride": s, "before": before, "after": after, "dilation": d}
        of = f"of X with its {found.mode} padding, whose gradient is added back" if filled else "as X has"
        lines = (
            over,
            step(conv_transpose_output, {"size": found.narrow[axis], **crop, "output_padding": rest}, "positions", of),
            step(zeros_between, {"stride": s}, note="zeros between the numbers of dY, as a plain convolution"),
            step(transposed_padding, {"kernel_size": k, "before": before, "dilation": d}, note="zeros before them"),
            Step(
                "p' + a", d * (k - 1) - after + rest, "", f"{d}*({k} - 1) - {after} + {rest}", note="zeros behind them"
            ),
            Step("stride", 1, note="K flipped, its channels exchanged"),
            Step("dilation", d, note="that of the layer"),
        )
        sections.append(Section(f"dX, axis {names}", lines))
    return sections


def _adjoint_sections(found: Map, batch: int) -> list[Section]:
    """The input's gradient of a transposed convolution: the convolution that it is the transpose of."""
    steps = (
        Step("input", _shape(batch, *found.wide), note="dY"),
        Step("kernel", _shape(*found.kernel), note="K, as the layer holds it"),
        Step("dX", _shape(batch, *found.narrow), note="the shape of X", source=CHAIN_RULE),
    )
    sections = [Section("gradient of the input: dX = dY * K", steps)]
    for axis, names in _axes(found):
        window = found.windows[axis - 1]
        positions = step(conv_output, {"size": found.wide[axis], **window._asdict()}, "positions")
        lines = [
            Step("stride", window.stride, note="that of the layer"),
            Step("dilation", window.dilation, note="that of the layer"),
            Step("padding", _sides(window.before, window.after), note="what the layer crops"),
            positions,
        ]
        if positions.value != found.narrow[axis]:
            lines.append(Step("kept", found.narrow[axis], unit="positions", note="as many as X has"))
        sections.append(Section(f"dX, axis {names}", tuple(lines)))
    return sections


def _bias_section(output: Shape) -> Section:
    sums = Step("db", f"{output[0]} numbers", note="the sums of dY over batch and positions: b is the same for each")
    return Section("gradient of the bias", (sums,))


def _kernel_numbers(small: SmallLayer, made: Gradients) -> Section:
    """X, padded, convolved with dY, dilated, for the first pair of channels; dK whole where there are more."""
    found = small.map
    wide, narrow = (made.y, small.x()) if small.transposed else (small.x(), made.y)
    names = ("dY", "X") if small.transposed else ("X", "dY")
    image, kernel = (channel_name(n, a, 1) for n, a in zip(names, (wide, narrow), strict=True))
    windows = kernel_windows(found)
    apart = any(window.stride > 1 for window in found.windows)
    framed = any(any(window[2:4]) for window in found.windows)
    first = (
        picture(image + ", padded" * framed, bordered(wide[0], windows, found.kernel[2:], found.mode)),
        "*",
        matrix(kernel + ", dilated" * apart, _two_axes(spread(narrow[0], found)), sparse=apart),
        "=",
        picture(f"d{kernel_name(small, 1, 1)}", made.w[0, 0]),
    )
    several = made.w[:SHOWN] if made.w.shape[:2] != (1, 1) else ()
    whole = [kernel_matrices(small, a, kernels, "d") for a, kernels in enumerate(several, start=1)]
    return Section(f"dK = {names[0]} * {names[1]}", (), matrices=(first, *whole))


def _two_axes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def _input_numbers(small: SmallLayer, made: Gradients) -> Section:
    """dX of the first channel as the sum over those of dY, and its first term as a plain convolution."""
    found, w = small.map, small.w()
    sign = "*" if small.transposed else "*^T"
    per_group = len(made.y) // found.groups
    parts: list[Matrix | str] = []
    for i in range(min(per_group, SHOWN)):
        ends = (0, i) if small.transposed else (i, 0)
        parts += ["+"] * bool(parts)
        parts += [
            picture(channel_name("dY", made.y, i + 1), made.y[i]),
            sign,
            picture(kernel_name(small, ends[0] + 1, ends[1] + 1), w[ends]),
        ]
    parts += ["+", "..."] * (per_group > SHOWN)
    shown: list[Display] = [(*parts, "=", picture(channel_name("dX", made.x, 1), made.x[0]))]
    if not small.transposed:
        shown.append(_plain_form(small, made))
    if len(made.x) > 1:
        shown.append(channel_matrices("dX", made.x))
    return Section(f"dX = dY {sign} K", (), matrices=tuple(shown))


def _plain_form(small: SmallLayer, made: Gradients) -> Display:
    """The first term of dX as a convolution of stride 1: dY with its zeros, and K flipped."""
    found, flipped = small.map, np.flip(small.w()[0, 0])
    name = channel_name("dY", made.y, 1)
    zeros = bordered(spread(made.y[0], found), input_windows(found), found.wide[1:])
    alone = len(made.y) == found.groups and found.mode == "zeros"
    result: Display = ("=", picture(channel_name("dX", made.x, 1), made.x[0])) if alone else ()
    return (
        matrix(f"{name} with its zeros", _two_axes(zeros), sparse=True),
        "*",
        picture(f"{kernel_name(small, 1, 1)}, flipped", flipped),
        *result,
    )
