"""Multiply-accumulates of ATen's operators, from the shapes of their tensors: what runs, whatever the module says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

Shape = Sequence[int]
Formula = Callable[[Sequence[Any], Shape], int]
"""From the arguments, with shapes in place of tensors, and the shape of the first result."""


def _prod(shape: Shape) -> int:
    return prod(shape)


def _convolution(args: Sequence[Any], output: Shape) -> int:
    """input, weight, bias, stride, padding, dilation, transposed, ...: each place of the window once.

    >>> _convolution([(1, 3, 8, 8), (16, 3, 3, 3), None, 1, 1, 1, False], (1, 16, 8, 8))
    27648
    """
    input, weight, transposed = args[0], args[1], args[6]
    places: Shape = input if transposed else output
    return prod(places) * _prod(weight[1:])


def _mm(args: Sequence[Any], output: Shape) -> int:
    """[n, k] × [k, m]."""
    return prod(output) * int(args[0][-1])


def _added(args: Sequence[Any], output: Shape) -> int:
    """An addend, then [..., n, k] × [..., k, m]."""
    return prod(output) * int(args[1][-1])


def _dot(args: Sequence[Any], output: Shape) -> int:
    """Two vectors of one length."""
    return int(args[0][0])


def _linear(args: Sequence[Any], output: Shape) -> int:
    """[..., in] × [out, in]."""
    return prod(output) * int(args[1][-1])


def _attention(args: Sequence[Any], output: Shape) -> int:
    """query [..., L, E], key [..., S, E], value [..., S, V]: the scores, and the sums that they weight."""
    query, key, value = args[0], args[1], args[2]
    return _prod(query[:-1]) * int(key[-2]) * (int(query[-1]) + int(value[-1]))


def _deformable(args: Sequence[Any], output: Shape) -> int:
    """input, weight [out, in/groups, kH, kW], offset, ...: the products with the weight."""
    return prod(output) * _prod(args[1][1:])


def _recurrent(args: Sequence[Any], output: Shape) -> int:
    """One layer of mkldnn: input [T, N, F], weights to the input and to the state."""
    return _prod(args[0][:2]) * (_prod(args[1]) + _prod(args[2]))


MACS: dict[str, Formula] = {
    "aten::_scaled_dot_product_cudnn_attention": _attention,
    "aten::_scaled_dot_product_efficient_attention": _attention,
    "aten::_scaled_dot_product_flash_attention": _attention,
    "aten::_scaled_dot_product_flash_attention_for_cpu": _attention,
    "aten::_scaled_dot_product_fused_attention_overrideable": _attention,
    "aten::addbmm": lambda args, output: _prod(args[1]) * int(args[2][-1]),
    "aten::addmm": _added,
    "aten::addmv": _added,
    "aten::addr": lambda args, output: prod(output),
    "aten::baddbmm": _added,
    "aten::bmm": _mm,
    "aten::convolution": _convolution,
    "aten::dot": _dot,
    "aten::linear": _linear,
    "aten::mkldnn_rnn_layer": _recurrent,
    "aten::mm": _mm,
    "aten::mv": _mm,
    "aten::vdot": _dot,
    "torchvision::deform_conv2d": _deformable,
}
"""Operator -> its formula. What is not here multiplies nothing with a sum: pools, norms, activations, arithmetic."""
