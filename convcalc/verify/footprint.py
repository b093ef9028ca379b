"""The memory that a verification takes, estimated before it starts, and what is free for it.

The estimate is an upper bound of NumPy's arrays under the rules below; tests hold it against measured peaks.
An array lives until its last reader has run, and so does the memory that a view looks into. While a layer runs
there are besides its inputs and output: its weights, copies with padding, columns of one tile, temporaries.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from ..analysis.memory import ITEM_BYTES, storages
from ..geometry import TransposedWindow
from ..layers.kind_table import KindTable
from ..network import lenders, own_weights

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes
    from ..network import Network

FREE_SHARE = 2
"""The default limit is this part of the free memory: one half."""

UNKNOWN_FREE = 4 << 30
"""Bytes taken to be free where the system does not say."""

FIXED = 8 << 20
"""Bytes for tiles and everything small."""

OTHER_TEMPORARIES = 3
"""Temporary arrays of the size of a layer's input or output, whichever is larger: a padded copy and two more."""

TEMPORARIES: KindTable[int] = KindTable(
    {
        "Gelu": 16,
        "LocalResponseNorm": 6,
        **dict.fromkeys(("BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm", "RMSNorm"), 4),
        **dict.fromkeys(("Norm", "Deviation", "logsumexp", "log_softmax", "Pow", "GLU"), 5),
        "prod": 8,
        "erf": 16,
        **dict.fromkeys(("Upsample", "LpPool"), 6),
        **dict.fromkeys(("ScaledDotProductAttention", "MultiheadAttention"), 6),
        **dict.fromkeys(("RNN", "GRU", "LSTM"), 8),
        **dict.fromkeys(("silu", "mish", "hardswish", "Softplus", "softsign", "logsigmoid", "CELU", "Shrink"), 5),
    },
    absent=f"{OTHER_TEMPORARIES} temporary arrays",
)
"""Layer -> its temporary arrays, where they are more."""

BACKWARD_TEMPORARIES = 2
"""How many times as many a backward pass makes."""


def needed_bytes(network: Network, batch: int, dtype: str, backward: bool = False) -> int:
    """Bytes that a verification's arrays take at their peak, at most.

    With `backward` every activation and every weight is kept, and gradients live while activations do forward. Weights
    that several layers have are kept in any case.
    """
    item = ITEM_BYTES[dtype]
    # float16 is computed in float32: inputs, weights and output stand there in both for a moment.
    working = max(item, 4)
    alive = _alive(network)
    nodes = network.nodes
    lasting = {node.shares for node in nodes} | lenders(nodes)
    kept = held = lasts = peak = 0
    known: dict[tuple[int, Shapes], tuple[int, int]] = {}
    for index, node in enumerate(nodes):
        kept += prod(node.shape)
        if node.layer is None:
            continue
        shapes = network.input_shapes(node)
        key = (id(node.layer), shapes)
        if key not in known:
            known[key] = _layer_elements(node.layer, shapes, node.shape)
        weights, workspace = known[key]
        if node.shares is not None:
            weights = 0
        elif node.tied:
            weights = sum([prod(weight.shape) for weight in own_weights(nodes, index)])
        elif index in lasting:
            lasts += weights
        held += weights
        widened = sum(map(prod, shapes)) + prod(node.shape) if item < working else 0
        passing = batch * (workspace + widened) * working * (BACKWARD_TEMPORARIES if backward else 1)
        drawn = weights * (working + 4 + (item if item < working else 0))
        peak = max(peak, batch * alive[index] * item + passing + drawn)
    if backward:
        peak += (batch * kept + held) * item
    else:
        peak += lasts * item
    return peak + FIXED


def _layer_elements(layer: Layer, shapes: Shapes, output: Shape) -> tuple[int, int]:
    """Elements of a layer's tensors, and of what it needs beside inputs, output and tensors, at batch 1."""
    layer, shapes, output, times = layer.alone(shapes, output)
    weights = sum(prod(weight.shape) for weight in layer.weights(shapes))
    padded = _padded(layer, shapes[0], output) if shapes else 0
    between = max([product.outputs for product in layer.matrix_products(shapes, output)], default=0)
    largest = max(prod(output), padded, between, *map(prod, shapes))
    return weights, times * largest * (TEMPORARIES.get(layer) or OTHER_TEMPORARIES)


def _padded(layer: Layer, shape: Shape, output: Shape) -> int:
    """Elements of the input of a layer whose window slides, with its padding; 0 for other layers.

    A transposed convolution makes its output with what it crops.
    """
    windows = layer.windows(shape)
    if not windows:
        return 0
    transposed = isinstance(windows[0], TransposedWindow)
    channels, *space = output if transposed else shape
    return channels * prod(size + max(w[2], 0) + max(w[3], 0) for size, w in zip(space, windows, strict=True))


def _alive(network: Network) -> list[int]:
    """For each node, the elements alive while it runs at batch 1.

    A view counts as an array of its own and also keeps what it looks into.
    """
    nodes = network.nodes
    sources = storages(network)
    last = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        for source in node.inputs:
            last[source] = index
            last[sources[source]] = index
    freed: list[list[int]] = [[] for _ in nodes]
    for index, end in enumerate(last):
        freed[end].append(index)
    alive = 0
    found = []
    for index, node in enumerate(nodes):
        alive += prod(node.shape)
        found.append(alive)
        alive -= sum(prod(nodes[i].shape) for i in freed[index])
    return found


def free_bytes() -> int:
    """Memory that is free on this machine, or in its control group where that has less."""
    found = [free for free in (_available(), _group_rest()) if free is not None]
    return max(min(found), 0) if found else UNKNOWN_FREE


def default_limit() -> int:
    """The bytes that a verification may take unless told otherwise."""
    return free_bytes() // FREE_SHARE


def _available() -> int | None:
    """Linux's MemAvailable."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _group_rest() -> int | None:
    """What the limit of a Linux control group leaves."""
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text("ascii")) - int((group / "memory.current").read_text("ascii"))
    except (OSError, ValueError):
        return None
