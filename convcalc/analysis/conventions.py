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

COLUMN_CONVENTIONS = {
    "receptive_field": "pixels of the input, padding included; behind a global pool the whole input, jump empty",
    "live": "inference in the given order; a tensor lives from its layer to its last reader; views are free",
    "saved": "PyTorch's saved tensors, each once, at the layer that keeps it first; without params",
    "effective_macs": "taps on padding not counted",
    "fft": "an estimate, kernel transforms included; each padded axis rounded up to a power of two",
    "time": "roofline, a lower bound: the larger of flops / rate and bytes / bandwidth, layer by layer",
}
"""Column -> what else its numbers mean, printed where it is shown."""
