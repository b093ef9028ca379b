"""The numbers on which products of activations, recurrent layers and layers of layout ran in PyTorch and run here."""

from __future__ import annotations

from math import prod
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tests.layer_samples import SAMPLES, Sample

Array = NDArray[np.float64]

BATCH = 2
KINDS = (
    *("matmul", "scaled_dot_product_attention", "multihead_attention", "rnn", "gru", "lstm", "split", "roll", "flip"),
    *("expand", "slice", "select", "unbind", "squeeze", "unsqueeze", "stack", "tile"),
    *("repeat_interleave", "index_select", "conv_lstm1d", "conv_lstm2d", "conv_lstm3d"),
)
RECORDED = [sample for sample in SAMPLES if sample.kind in KINDS]


def _drawn(number: int, name: str) -> np.random.Generator:
    return np.random.default_rng([number, crc32(name.encode())])


def numbers(shapes: tuple[tuple[int, ...], ...], number: int, name: str = "inputs") -> list[Array]:
    """Standard normal numbers for tensors of these shapes, a batch of them."""
    rng = _drawn(number, name)
    return [rng.standard_normal((BATCH, *shape)) for shape in shapes]


def gradient(shape: tuple[int, ...], number: int) -> Array:
    """What the output is multiplied with before it is summed."""
    return _drawn(number, "gradient").standard_normal(shape)


def directions(shape: tuple[int, ...], number: int) -> list[Array]:
    """The tensors with which an array is multiplied to record it."""
    rng = _drawn(number, "directions")
    return [rng.standard_normal(shape) for _ in range(2)]


def agree(array: Array, recorded: list[float], number: int) -> None:
    """Assert that an array has the products with these tensors that were recorded."""
    products = [float((array * other).sum()) for other in directions(array.shape, number)]
    np.testing.assert_allclose(products, recorded, rtol=1e-9, atol=1e-9)


def saved_bytes(sample: Sample) -> int:
    """What a layer says that its backward pass keeps, in float32 at this batch."""
    kept = 0
    for saved in sample.layer().saved(sample.inputs, sample.output):
        shapes = {"input": sample.inputs[saved.which : saved.which + 1], "output": (sample.output,), "extra": ()}
        elements = saved.elements + sum(map(prod, shapes[saved.tensor]))
        kept += elements * (saved.bytes or 4) * (BATCH if saved.batched else 1)
    return kept
