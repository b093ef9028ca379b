"""How activations and gradients grow or shrink from layer to layer, measured on one training step.

Batch norms use the statistics of the batch; dropout passes everything on. Gradients are kept near 1 by powers of two
(`reference.running`), so that their figures are right where the type of the run could not hold them; where it could not
is said. Activations that overflow end the measurement: there is no loss to go back from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite, ldexp, log10, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..findings import UsageError
from ..reference import backpropagate, backward
from ..reference.running import Scaled
from .loss import OutputLoss
from .loss import gradients as loss_gradients
from .prediction import Moments, expected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..layers.base import Layer
    from ..network import Network, Node
    from ..reference import BackStep, Step
    from ..reference.context import Weights

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
    saturated: float | None = None
    """Of an activation: the share of its inputs at which its slope is less than `FLAT` of its steepest."""
    gradient_log10: float | None = None
    """The logarithm of `gradient_rms`, which also has what is beyond the range of a double; None for 0."""
    weight_gradient_log10: float | None = None

    def to_dict(self) -> dict[str, object]:
        """The row in the JSON contract of `verify`; numbers that are not finite are null."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value for name, value in values.items()
        }


class MeasuredLoss(NamedTuple):
    """The loss of one output, and its value."""

    output: OutputLoss
    reads: str
    """The layer whose output it reads."""
    value: float | None
    """None where activations have overflowed."""

    def to_dict(self) -> dict[str, object]:
        """The loss in the JSON contract of `verify`."""
        return {
            "output": self.output.output,
            "loss": self.output.loss,
            "loss_weight": self.output.weight,
            "reads": self.reads,
            "value": self.value if self.value is not None and isfinite(self.value) else None,
        }


@dataclass(slots=True)
class Extremes:
    """The layers at which numbers leave the range of the run's type, in the order in which they are computed."""

    dtype: str
    activation_overflow: str | None = None
    """The first whose output is not finite."""
    gradient_overflow: str | None = None
    """The first at whose output the gradient is above the range."""
    gradient_underflow: str | None = None
    """The first at whose output the gradient is below the smallest normal number."""
    gradient_zero: str | None = None
    """The first that hands nothing up of the gradient that it receives: its slope is 0 wherever that is not."""

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `verify`."""
        return asdict(self)

    def see(self, row: FlowRow, hands_up: float) -> None:
        """Note what the gradient at a layer has left."""
        limits, size = np.finfo(self.dtype), row.gradient_log10
        if size is not None and size > log10(limits.max):
            self.gradient_overflow = self.gradient_overflow or row.name
        if size is not None and size < log10(limits.tiny):
            self.gradient_underflow = self.gradient_underflow or row.name
        if size is not None and hands_up == 0:
            self.gradient_zero = self.gradient_zero or row.name


class Flow(NamedTuple):
    """The flow of one training step."""

    rows: tuple[FlowRow, ...]
    losses: tuple[MeasuredLoss, ...]
    extremes: Extremes
    arrived: dict[int, float]
    """Node, inputs too -> the logarithm, to base 10, of the 2-norm of the gradient at its output."""


def refuse_single_values(network: Network, batch: int) -> None:
    """Raise UsageError where a batch norm in training would normalise over one value, whose variance is 0."""
    for node in network.nodes:
        if node.layer is not None and node.layer.over_batch and batch * node.layer.values_a_channel(node.shape) == 1:
            raise UsageError(
                f"{node.name}: batch norm in training needs more than one value per channel, not {list(node.shape)}",
                "use --batch 2 or more, or a larger --input",
            )


def measure(
    network: Network,
    steps: list[Step],
    losses: tuple[OutputLoss, ...],
    seed: int,
    scheme: str,
    begin: Callable[[int], None] = lambda number: None,
) -> Flow:
    """The flow of a training step with these losses. `steps` are those of a run in training, and are used up.

    `begin` is told the number of each node that runs backwards, before it does.
    """
    rows: dict[int, FlowRow] = {}
    energies: dict[int, float] = {}
    for step in steps:
        rows[step.number], energies[step.number] = _forward_row(network, step, scheme)
    extremes = Extremes(str(steps[0].output.dtype) if steps else "float32")
    extremes.activation_overflow = next((row.name for row in rows.values() if not _is_finite(row)), None)
    overflowed = extremes.activation_overflow is not None
    read = {loss.node for loss in losses}
    outputs = {step.number: step.output for step in steps if step.number in read}
    measured = tuple(
        MeasuredLoss(loss, rows[loss.node].name, None if overflowed else loss.value(outputs[loss.node], seed))
        for loss in losses
        if loss.node in outputs
    )
    gradients = {} if overflowed else loss_gradients(losses, outputs, seed)
    del outputs
    if overflowed:
        steps.clear()
    if steps:
        begin(steps[-1].number)
    inputs: dict[int, Scaled] = {}
    norms: dict[int, float | None] = {}
    for back in backpropagate(steps, gradients):
        row = rows[back.number]
        handed = _add_gradients(row, back, energies[back.number])
        norms[back.number] = _norm_log10(Scaled(back.grad_output, back.exponent))
        for source, array in zip(back.node.inputs, back.grad_inputs, strict=True):
            if network.nodes[source].layer is None:
                scaled = Scaled(array, back.exponent)
                inputs[source] = scaled.plus(inputs[source]) if source in inputs else scaled
        extremes.see(row, handed if back.node.inputs else 1.0)
        if steps:
            begin(steps[-1].number)
    norms |= {number: _norm_log10(scaled) for number, scaled in inputs.items()}
    arrived = {number: norm for number, norm in norms.items() if norm is not None}
    return Flow(tuple(rows.values()), measured, extremes, arrived)


def _add_gradients(row: FlowRow, back: BackStep, energy: float) -> float:
    """Write the gradients of a layer into its row; the mean square of what it hands up, its power of two left out."""
    received, handed = moments([back.grad_output]), moments(_data(back.node, back.grad_inputs))
    row.gradient_rms, row.gradient_log10 = _size(received.square, back.exponent)
    row.gradient_ratio = _ratio(handed.square, received.square)
    if energy >= 0:
        row.predicted_gradient_ratio = sqrt(energy * received.elements / handed.elements)
    weights = [array for name, array in back.grad_weights.items() if name.endswith("weight")]
    if weights:
        row.weight_gradient_rms, row.weight_gradient_log10 = _size(moments(weights).square, back.weights_exponent)
    return handed.square


def _norm_log10(gradient: Scaled) -> float | None:
    """The logarithm of its 2-norm; None for 0, and where it is not finite."""
    found = moments([gradient.array])
    _, size = _size(found.square, gradient.exponent)
    return size + log10(found.elements) / 2 if size is not None and isfinite(size) else None


def _is_finite(row: FlowRow) -> bool:
    return row.activation_rms is not None and isfinite(row.activation_rms)


def _size(square: float, exponent: int) -> tuple[float, float | None]:
    """The root of a mean square times 2**exponent, and its logarithm to base 10.

    >>> _size(4.0, -1), _size(1.0, -2000)[0], _size(0.0, 0)
    ((1.0, 0.0), 0.0, (0.0, None))
    """
    if square == 0:
        return 0.0, None
    try:
        size = ldexp(sqrt(square), exponent)
    except OverflowError:
        size = inf
    return size, log10(square) / 2 + exponent * log10(2)


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
    if node.layer.activates and isfinite(arrived.square):
        row.saturated = saturated_share(node.layer, step.inputs[0], step.weights)
    return row, -1.0 if rule.energy is None else rule.energy


def _data(node: Node, arrays: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
    """The arrays that are read as data, without those that only lend their size."""
    assert node.layer is not None
    return arrays[: node.layer.data_inputs]


def _ratio(square: float, above: float) -> float | None:
    return sqrt(square / above) if above > 0 and isfinite(above) else None


FLAT = 0.05
"""Of an activation's steepest slope: below it, it is saturated."""


def saturated_share(layer: Layer, x: NDArray[Any], weights: Weights) -> float:
    """The share of its inputs at which an activation is saturated.

    A tanh of more than 0.975 is, and a sigmoid below 0.013 or above 0.987; so is all that a rectifier sets to 0.

    >>> from convcalc.layers.registry import build
    >>> saturated_share(build("tanh", {}), np.array([[0.0, 1.0, 2.0, 3.0]]), {})
    0.25
    """
    over = np.linspace(-8, 8, 2001, dtype=x.dtype).reshape(1, 1, -1)
    tensors = {name: array[:1] for name, array in weights.items()}
    steepest = _slopes(layer, over, tensors).max()
    return float((_slopes(layer, x, weights) < FLAT * steepest).mean())


def _slopes(layer: Layer, x: NDArray[Any], weights: Weights) -> NDArray[Any]:
    (slopes,), _ = backward(layer, x, weights, np.ones_like(x))
    return np.abs(slopes)


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
