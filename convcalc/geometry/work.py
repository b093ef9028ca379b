"""Multiply-accumulates and additions of weighted layers: products of a few counts.

`taps` is the product of the kernel's sizes, `positions` the product of the space axes (of the output; of the
input for a transposed convolution).
"""

from __future__ import annotations

from .formulas import formula

CNN_COST = "He & Sun 2015, arXiv:1412.1710, section 2"


@formula("MACs", "positions*c_out*(c_in//g)*taps", CNN_COST)
def conv_macs(positions: int, out_channels: int, in_channels: int, groups: int, taps: int) -> int:
    """Multiply-accumulates of a convolution, all taps, padding included.

    >>> conv_macs(112 * 112, 64, 3, 1, 7 * 7)
    118013952
    """
    return positions * out_channels * (in_channels // groups) * taps


@formula("MACs", "positions*c_in*(c_out//g)*taps", "the adjoint of a convolution, which has the same count")
def conv_transpose_macs(positions: int, in_channels: int, out_channels: int, groups: int, taps: int) -> int:
    """Multiply-accumulates of a transposed convolution, per input position.

    >>> conv_transpose_macs(5 * 5, 4, 6, 1, 3 * 3)
    5400
    """
    return positions * in_channels * (out_channels // groups) * taps


@formula("MACs", "positions*m*(taps + c_out)", "Howard et al. 2017, arXiv:1704.04861, section 3.1")
def separable_macs(positions: int, middle: int, taps: int, out_channels: int) -> int:
    """Multiply-accumulates of a depthwise convolution to `middle` channels and the 1×1 convolution behind it.

    >>> separable_macs(25, 8, 9, 16)
    5000
    """
    return positions * middle * (taps + out_channels)


@formula("MACs", "outputs*c_in", "torch.nn.Linear: one product an input for each output")
def linear_macs(outputs: int, in_channels: int) -> int:
    """Multiply-accumulates of a linear layer.

    >>> linear_macs(1000, 512)
    512000
    """
    return outputs * in_channels
