"""How activations and gradients grow or shrink from layer to layer, measured on one training step.

The loss is linear: the sum over the network's outputs of loss_weight · ⟨output, noise⟩ with standard normal noise, so
that every output receives a gradient whose root mean square is its loss weight. All that follows is the layers'
doing. Batch norms use the statistics of the batch; dropout passes everything on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, prod, sqrt
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from ..findings import UsageError
from ..reference import backpropagate
from .prediction import Moments, expected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..network import Network, Node
    from ..reference import Step

CHUNK = 1 << 16
"""Elements that are summed at once in double precision."""


@dataclass(slots=True)
class FlowRow:
    """One layer: root mean squares, and their ratios to the layer above it, measured and predicted.

    The layer above is what it reads: `activation_ratio` is the output's over the input's, `gradient_ratio` that of
    the gradient which it hands up over the one that it receives. None where there is no number: the loss does not
    depend on the layer, or no simple rule predicts it.
    """

    name: str
    kind: str
    activation_rms: float | None
    activation_ratio: float | None
    predicted_activation_ratio: float | None
    gradient_rms: float | None = None
    gradient_ratio: float | None = None
    predicted_gradient_ratio: float | None = None
    weight_gradient_rms: float | None = None

    def to_dict(self) -> dict[str, object]:
        """The row in the JSON contract of `verify`; numbers that are not finite are null."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value for name, value in values.items()
        }


def refuse_single_values(network: Network, batch: int) -> None:
    """Raise UsageError where a batch norm in training would normalise over one value, whose variance is 0."""
    for node in network.nodes:
        if node.layer is not None and node.layer.over_batch and batch * prod(node.shape[1:]) == 1:
            raise UsageError(
                f"{node.name}: batch norm in training needs more than one value per channel, not {list(node.shape)}",
                "use --batch 2 or more, or a larger --input",
            )


def measure(
    network: Network, steps: list[Step], seed: int, scheme: str, begin: Callable[[int], None] = lambda number: None
) -> Iterator[FlowRow]:
    """The rows of all layers, in order. `steps` are those of a run in training, and are used up.

    `begin` is told the number of each node that runs backwards, before it does.
    """
    rows: dict[int, FlowRow] = {}
    energies: dict[int, float] = {}
    for step in steps:
        rows[step.number], energies[step.number] = _forward_row(network, step, scheme)
    dtypes = {step.number: step.output.dtype for step in steps}
    batch = steps[0].output.shape[0] if steps else 1
    if steps:
        begin(steps[-1].number)
    for back in backpropagate(steps, _seeds(network, seed, batch, dtypes)):
        row, received = rows[back.number], moments([back.grad_output])
        handed = moments(_data(back.node, back.grad_inputs))
        row.gradient_rms = sqrt(received.square)
        row.gradient_ratio = _ratio(handed.square, received.square)
        energy = energies[back.number]
        if energy >= 0:
            row.predicted_gradient_ratio = sqrt(energy * received.elements / handed.elements)
        weights = [array for name, array in back.grad_weights.items() if name.endswith("weight")]
        row.weight_gradient_rms = sqrt(moments(weights).square) if weights else None
        if steps:
            begin(steps[-1].number)
    yield from rows.values()


def _forward_row(network: Network, step: Step, scheme: str) -> tuple[FlowRow, float]:
    """The layer's row without gradients, and the energy of gradients that it is expected to hand up (−1: unknown)."""
    node = step.node
    assert node.layer is not None
    read = [moments([array]) for array in _data(node, step.inputs)]
    arrived, output = moments(_data(node, step.inputs)), moments([step.output])
    rule = expected(node.layer, read, network.input_shapes(node), node.shape, scheme)
    row = FlowRow(
        node.name,
        node.kind,
        sqrt(output.square),
        _ratio(output.square, arrived.square),
        None if rule.square is None else _ratio(rule.square, arrived.square),
    )
    return row, -1.0 if rule.energy is None else rule.energy


def _data(node: Node, arrays: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
    """The arrays that are read as data, without those that only lend their size."""
    assert node.layer is not None
    return arrays[: node.layer.data_inputs]


def _ratio(square: float, above: float) -> float | None:
    return sqrt(square / above) if above > 0 and isfinite(above) else None


def _seeds(network: Network, seed: int, batch: int, dtypes: dict[int, Any]) -> dict[int, NDArray[Any]]:
    """The gradient of the loss by the number of the output's node."""
    found: dict[int, NDArray[Any]] = {}
    for output in network.outputs:
        shape = (batch, *network.nodes[output.node].shape)
        noise = np.random.default_rng([seed, crc32(output.name.encode()), 1]).standard_normal(shape)
        gradient = (noise * output.loss_weight).astype(dtypes.get(output.node, np.float32))
        before = found.get(output.node)
        found[output.node] = gradient if before is None else before + gradient
    return found


def moments(arrays: Sequence[NDArray[Any]]) -> Moments:
    """Mean and mean square of arrays taken together, in double precision.

    >>> moments([np.array([1.0, 2.0]), np.array([3.0])])
    Moments(mean=2.0, square=4.666666666666667, elements=3)
    """
    total = square = 0.0
    elements = 0
    for array in arrays:
        flat = array.reshape(-1)
        elements += flat.size
        for first in range(0, flat.size, CHUNK):
            piece = flat[first : first + CHUNK].astype(np.float64)
            total += float(piece.sum())
            square += float(piece @ piece)
    return Moments(total / max(elements, 1), square / max(elements, 1), elements)
