"""Other counts of a weighted layer's work: without the padding, by Winograd, by FFT; and the im2col workspace.

All are of one forward pass at batch 1, from the layer's fields and shapes. A method is judged axis by axis, and where
it does not apply the direct count stands, so that a column adds up over a network.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ..geometry import TransposedWindow, conv_macs, effective_taps, formula, left_over
from ..layers.base import OPERATIONS

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes, Windows


LAVIN = "Lavin & Gray 2015, arXiv:1509.09308, section 4"
MATHIEU = "Mathieu, Henaff & LeCun 2013, arXiv:1312.5851, section 3; a real transform of n = 2^b points: 5/2·n·b flops"


@formula("multiplications", "(m + 2)**axes*tiles*direct*c_out*(c_in//g)", LAVIN)
def winograd_multiplications(
    middle: int, axes: int, tiles: int, direct: int, out_channels: int, in_channels: int, groups: int
) -> int:
    """Multiplications of F(m, 3) on some axes, without the transforms, which only add and scale.

    `tiles` of m outputs an axis cover the output on these; on the others `direct` pairs of a position and a tap are
    multiplied one by one. `middle` is m.

    >>> winograd_multiplications(2, 2, 28 * 28, 1, 64, 64, 1)
    51380224
    """
    return int((middle + 2) ** axes * tiles * direct * out_channels * (in_channels // groups))


@formula(
    "flops",
    "(slices*(c_in + c_out) + c_out*(c_in//g))*5*points*bits//2 + slices*c_out*(c_in//g)*points//2*8",
    MATHIEU,
)
def fft_operations(in_channels: int, out_channels: int, groups: int, slices: int, points: int, bits: int) -> int:
    """An estimate of a convolution's FLOPs by FFT: transforms of inputs, kernels and outputs, complex products.

    `points` = 2^`bits` are those of one transform: each padded axis rounded up to a power of two. `slices` are the
    positions on the axes that none goes along. The kernels' transforms count, though at inference they can be computed
    once.

    >>> fft_operations(64, 64, 1, 1, 64 * 64, 12)
    586153984
    """
    pairs = out_channels * (in_channels // groups)
    transforms = slices * (in_channels + out_channels) + pairs
    return transforms * 5 * points * bits // 2 + slices * pairs * points // 2 * 8


def effective_macs(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """MACs that read a real input (for a transposed convolution: that write into the output), not padding.

    Separable over the axes: the pairs of a position and a tap are counted on each axis in closed form.

    >>> from convcalc.layers.registry import build
    >>> effective_macs(build("conv2d", {"out": 1, "k": 3, "p": 1}), ((1, 10, 10),), (1, 10, 10))
    784
    """
    layer, inputs, output, times = layer.alone(inputs, output)
    return times * _effective(layer, inputs, output)


def _effective(layer: Layer, inputs: Shapes, output: Shape) -> int:
    macs = layer.operations(inputs, output).get("mac", 0)
    windows = _windows(layer, inputs)
    if not macs or not windows:
        return macs
    read, pairs, every = inputs[0], 1, 1
    for axis, window in enumerate(windows, start=1):
        k, s, before, _, d = window[:5]
        if isinstance(window, TransposedWindow):
            size, positions = output[axis], read[axis]
        else:
            size, positions = read[axis], output[axis]
        every *= positions * k
        inside = before <= 0 and left_over(size, positions, k, s, before, 0, d) >= 0
        pairs *= positions * k if inside else effective_taps(size, positions, k, s, before, d)
    if pairs == every:
        return macs
    beside = layer.macs_beside_windows(inputs, output)
    return (macs - beside) // every * pairs + beside


def _windows(layer: Layer, inputs: Shapes) -> Windows:
    """The windows of a convolution; none for a layer without weights, or a linear one."""
    return layer.windows(inputs[0]) if layer.weighted else ()


def winograd_macs(layer: Layer, inputs: Shapes, output: Shape, tile: int) -> int:
    """Multiplications by F(tile, 3) on every axis where the kernel is 3 at stride and dilation 1, direct on the others.

    >>> from convcalc.layers.registry import build
    >>> conv = build("conv2d", {"out": 64, "k": 3, "p": 1})
    >>> winograd_macs(conv, ((64, 56, 56),), (64, 56, 56), 2)
    51380224
    >>> video = build("conv3d", {"out": 64, "k": [1, 3, 3], "p": [0, 1, 1]})
    >>> winograd_macs(video, ((64, 16, 28, 28),), (64, 16, 28, 28), 2)
    205520896
    """
    layer, inputs, output, times = layer.alone(inputs, output)
    windows = _windows(layer, inputs)
    if layer.multiplies != "convolution":
        return times * layer.operations(inputs, output).get("mac", 0)
    axes, tiles, direct = 0, 1, 1
    for size, window in zip(output[1:], windows, strict=True):
        if (window.kernel_size, window.stride, window.dilation) == (3, 1, 1):
            axes += 1
            tiles *= -(-size // tile)
        else:
            direct *= size * window.kernel_size
    groups = layer.channel_groups or 1
    return times * winograd_multiplications(tile, axes, tiles, direct, output[0], inputs[0][0], groups)


def fft_flops(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """An estimate of a convolution's FLOPs by FFT along the axes whose kernel is larger than 1; else 2·MACs.

    >>> from convcalc.layers.registry import build
    >>> video = build("conv3d", {"out": 64, "k": [1, 3, 3], "p": [0, 1, 1]})
    >>> fft_flops(video, ((64, 16, 28, 28),), (64, 16, 28, 28)), fft_operations(64, 64, 1, 16, 32 * 32, 10)
    (425721856, 425721856)
    """
    layer, inputs, output, times = layer.alone(inputs, output)
    points, slices = [], 1
    if layer.multiplies == "convolution":
        for read, written, window in zip(inputs[0][1:], output[1:], _windows(layer, inputs), strict=True):
            if window.kernel_size > 1:
                points.append(read + window[2] + window[3])
            else:
                slices *= written
    if not points:
        return times * OPERATIONS["mac"][0] * layer.operations(inputs, output).get("mac", 0)
    bits = sum([(size - 1).bit_length() for size in points])
    return times * fft_operations(inputs[0][0], output[0], layer.channel_groups or 1, slices, 1 << bits, bits)


def im2col_elements(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """Elements of the matrix that im2col writes for a convolution of one example: in_channels·∏kernel·positions.

    None are needed for a 1×1 kernel at stride 1 without padding, nor by layers that are no convolution. A
    transposed convolution needs the matrix that col2im reads: out_channels·∏kernel·input positions.

    >>> from convcalc.layers.registry import build
    >>> im2col_elements(build("conv2d", {"out": 64, "k": 7, "s": 2, "p": 3}), ((3, 224, 224),), (64, 112, 112))
    1843968
    """
    layer, inputs, output, times = layer.alone(inputs, output)
    windows = _windows(layer, inputs)
    if not windows or all(w[:4] == (1, 1, 0, 0) for w in windows):
        return 0
    taps = prod(w.kernel_size for w in windows)
    if isinstance(windows[0], TransposedWindow):
        return times * output[0] * taps * prod(inputs[0][1:])
    return times * inputs[0][0] * taps * prod(output[1:])


def lecture_time(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """A term of the time complexity Σ M²·K²·C_in·C_out over convolutions: groups do not count.

    >>> from convcalc.layers.registry import build
    >>> lecture_time(build("conv2d", {"out": 8, "k": 3, "g": 4}), ((4, 10, 10),), (8, 8, 8))
    18432
    """
    layer, inputs, output, times = layer.alone(inputs, output)
    windows = _windows(layer, inputs)
    if not windows:
        return 0
    return times * conv_macs(prod(output[1:]), output[0], inputs[0][0], 1, prod(w.kernel_size for w in windows))


def lecture_space(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """A term of the space complexity Σ K²·C_in·C_out + Σ M²·C_out: weights and output of each convolution."""
    layer, inputs, output, times = layer.alone(inputs, output)
    windows = _windows(layer, inputs)
    if not windows:
        return 0
    return prod(w.kernel_size for w in windows) * inputs[0][0] * output[0] + times * prod(output)
