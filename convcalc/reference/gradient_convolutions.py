"""Backpropagation through a convolution as two convolutions.

With Y = X ∗ K of stride s, dilation d, padding p and f the loss, for every pair of channels

    ∂f/∂K = X ∗ ∂f/∂Y      ∂f/∂Y slides over the padded X in steps of d, its numbers s apart: what stride and dilation
                           were is exchanged, and so are batch and channels, since every image adds to the same kernel
    ∂f/∂X = ∂f/∂Y ∗ᵀ K     the flipped K slides in steps of 1 over ∂f/∂Y with s − 1 zeros between its numbers and
                           d(k − 1) − p around them; channels are exchanged

Both are made of `definition.convolve` alone and share nothing with the backward pass that they confirm. Dumoulin &
Visin 2016, A guide to convolution arithmetic for deep learning, arXiv:1603.07285, relationship 14.
"""

from __future__ import annotations

import numpy as np

from .border import border
from .context import Array
from .definition import convolve
from .windows import Pairs, Sizes, over, reach


def kernel_gradient(
    x: Array, grad: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, padding: Pairs, groups: int = 1
) -> Array:
    """∂f/∂K = X ∗ ∂f/∂Y: [A, B/groups, *kernel], of X [batch, B, *space] and ∂f/∂Y [batch, A, *positions].

    What the last window leaves over of the padded input would give further taps; they are cut.

    >>> x, grad = np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.array([[[1.0, 10.0]]])
    >>> kernel_gradient(x, grad, kernel=(3,), stride=(1,), dilation=(1,), padding=((0, 0),))
    array([[[21., 32., 43.]]])
    """
    bordered = border(x, padding, "zeros")
    batch, inputs, outputs = x.shape[0], x.shape[1], grad.shape[1]
    by_group = bordered.reshape(batch, groups, inputs // groups, *bordered.shape[2:])
    images = by_group.swapaxes(0, 2).reshape(inputs // groups, groups * batch, *bordered.shape[2:])
    found = convolve(images, grad.swapaxes(0, 1), dilation, stride, groups)
    taps = found[over(..., *map(slice, kernel))]
    return np.ascontiguousarray(taps.swapaxes(0, 1)).reshape(outputs, inputs // groups, *kernel)


def input_gradient(
    grad: Array, w: Array, stride: Sizes, dilation: Sizes, padding: Pairs, space: Sizes, groups: int = 1
) -> Array:
    """∂f/∂X = ∂f/∂Y ∗ᵀ K: [batch, B, *space], of ∂f/∂Y [batch, A, *positions] and K [A, B/groups, *kernel].

    `space` tells apart the inputs that a stride brings to the same output size: behind ∂f/∂Y there are as many more
    zeros as the last window left over. Padding of more than d(k − 1) leaves out numbers of ∂f/∂Y.

    >>> grad, w = np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0, 3.0]]])
    >>> input_gradient(grad, w, stride=(2,), dilation=(1,), padding=((1, 1),), space=(3,))
    array([[[ 2., 13., 20.]]])
    """
    rank, outputs = len(stride), w.shape[0]
    apart = [(n - 1) * s + 1 for n, s in zip(grad.shape[2:], stride, strict=True)]
    spread = np.zeros((*grad.shape[:2], *apart), grad.dtype)
    spread[over(..., *(slice(None, None, s) for s in stride))] = grad
    reaches = [reach(k, d) for k, d in zip(w.shape[2:], dilation, strict=True)]
    before = [r - pad for r, (pad, _) in zip(reaches, padding, strict=True)]
    behind = [size + r - n - b for size, r, n, b in zip(space, reaches, apart, before, strict=True)]
    flipped = np.flip(w, axis=tuple(range(2, 2 + rank))).reshape(groups, outputs // groups, *w.shape[1:])
    exchanged = flipped.swapaxes(1, 2).reshape(groups * w.shape[1], outputs // groups, *w.shape[2:])
    bordered = border(spread, tuple(zip(before, behind, strict=True)), "zeros")
    return convolve(bordered, exchanged, (1,) * rank, dilation, groups)
