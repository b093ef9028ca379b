"""What the numbers mean: printed under every table and part of every JSON report."""

from __future__ import annotations

CONVENTIONS = {
    "params": "learnable numbers, biases included; buffers apart",
    "weights": "params in tensors named weight",
    "macs": "multiply-accumulates of conv, transposed conv and linear layers: all taps, padding included, no bias",
    "flops": "2 x macs + bias adds + elementwise and pooling operations (docs/arithmetic.md)",
    "shapes": "[channels, *space], without the batch",
    "depth": "weighted layers on the longest path; a separable convolution counts 1",
}
"""Quantity -> its meaning in one line."""
