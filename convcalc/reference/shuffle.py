"""Layers that move numbers between channels and space: the shuffles channel_shuffle, pixel_shuffle, pixel_unshuffle;
unfold and fold.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .border import border, border_gradient
from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights
from .definition import col2im, im2col
from .windows import Pairs, Sizes, positions

if TYPE_CHECKING:
    from ..layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unfold


def _dealt(x: Array, rows: int) -> Array:
    """The channels laid out in `rows` rows and read column by column."""
    return x.reshape(x.shape[0], rows, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


def _channel_shuffle(layer: ChannelShuffle, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _dealt(inputs[0], layer.groups)


def _channel_shuffle_backward(
    layer: ChannelShuffle, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    return (_dealt(grad, grad.shape[1] // layer.groups),), {}


def _into_space(x: Array, factor: int) -> Array:
    """[batch, C·r^n, *space] to [batch, C, *space·r]."""
    rank = x.ndim - 2
    if x.shape[1] % factor**rank:
        raise DoesNotFit(f"{x.shape[1]} channels do not make groups of {factor**rank}")
    apart = x.reshape(x.shape[0], -1, *(factor,) * rank, *x.shape[2:])
    pairs = [axis for n in range(rank) for axis in (2 + rank + n, 2 + n)]
    together = apart.transpose(0, 1, *pairs)
    return together.reshape(*apart.shape[:2], *(size * factor for size in x.shape[2:]))


def _into_channels(x: Array, factor: int) -> Array:
    """[batch, C, *space] to [batch, C·r^n, *space/r]."""
    rank = x.ndim - 2
    if any(size % factor for size in x.shape[2:]):
        raise DoesNotFit(f"{factor} does not divide the space {x.shape[2:]}")
    split = [part for size in x.shape[2:] for part in (size // factor, factor)]
    apart = x.reshape(*x.shape[:2], *split)
    ordered = apart.transpose(0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))
    return ordered.reshape(x.shape[0], x.shape[1] * factor**rank, *split[::2])


def _pixel_shuffle(layer: PixelShuffle, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _into_space(inputs[0], layer.upscale_factor)


def _pixel_shuffle_backward(
    layer: PixelShuffle, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    return (_into_channels(grad, layer.upscale_factor),), {}


def _pixel_unshuffle(layer: PixelUnshuffle, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _into_channels(inputs[0], layer.downscale_factor)


def _pixel_unshuffle_backward(
    layer: PixelUnshuffle, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    return (_into_space(grad, layer.downscale_factor),), {}


def _unfolded(layer: Unfold | Fold, x: Array) -> Array:
    """Every window of x as a column."""
    return im2col(border(x, _sides(layer), "zeros"), layer.kernel_size, layer.stride, layer.dilation)


def _folded(layer: Unfold | Fold, columns: Array, space: Sizes) -> Array:
    """Columns added up where `_unfolded` reads them in an array of this space."""
    bordered = tuple(size + 2 * side for size, side in zip(space, layer.padding, strict=True))
    fields = (layer.kernel_size, layer.stride, layer.dilation)
    counts, taps = positions(bordered, *fields), prod(layer.kernel_size)
    if columns.shape[1] % taps or columns.shape[2:] != (prod(counts),):
        raise DoesNotFit(f"columns {columns.shape[1:]} for {counts} windows of {taps} taps")
    return border_gradient(col2im(columns, bordered, *fields, counts), tuple(space), _sides(layer), "zeros")


def _sides(layer: Unfold | Fold) -> Pairs:
    return tuple((side, side) for side in layer.padding)


def _unfold(layer: Unfold, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _unfolded(layer, inputs[0])


def _unfold_backward(layer: Unfold, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (_folded(layer, grad, inputs[0].shape[2:]),), {}


def _fold(layer: Fold, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _folded(layer, inputs[0], layer.output_size)


def _fold_backward(layer: Fold, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (_unfolded(layer, grad),), {}


OPERATIONS = {
    "ChannelShuffle": Operation(_channel_shuffle, _channel_shuffle_backward),
    "PixelShuffle": Operation(_pixel_shuffle, _pixel_shuffle_backward),
    "PixelUnshuffle": Operation(_pixel_unshuffle, _pixel_unshuffle_backward),
    "Unfold": Operation(_unfold, _unfold_backward),
    "Fold": Operation(_fold, _fold_backward),
}
