"""The gradient's way back as a product of Jacobians, and the spectral norm of each.

With oˡ = σ(Wˡ oˡ⁻¹ + bˡ) the gradient at oˡ⁻¹ is (Wˡ)ᵀ diag(σ′(aˡ)) times that at oˡ. A factor is what stands between
two tensors through which every path from the inputs to the first output goes, from one that a convolution or linear
layer reads to the next such: a layer with its normalization, activation and pool in a chain, a block where branches
join again. The spectral norm of its Jacobian is the most by which it lets a gradient grow. It is found without the
matrix, from J v and Jᵀ u (Golub & Kahan 1965, Calculating the singular values and pseudo-inverse of a matrix).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..flow import ancestors
from ..layers.kind_table import Refused
from ..reference import backward
from .loss import losses_of
from .tangent import tangent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..network import Network
    from ..reference import Step

MOST_STEPS = 24
CLOSE = 1e-3
"""Of the norm: steps end where the next one changes it by less. The norm is approached from below."""


class Station(NamedTuple):
    """Where a factor begins."""

    name: str
    """The first convolution or linear layer that reads it."""
    reads: int
    """The node whose output all paths go through."""


class Factor(NamedTuple):
    """The layers between two stations."""

    name: str
    start: int
    """The node whose output they read."""
    stop: int
    """The last of them, whose output is read by the next station, or by the loss."""


def stations(network: Network) -> list[Station]:
    """Where the factors of a network may begin, in order.

    >>> from convcalc import load
    >>> [station.name for station in stations(load("googlenet"))][2:5]
    ['conv2.3x3.conv.conv2d', 'inception_3a.1x1.conv_relu.conv2d', 'inception_3b.1x1.conv_relu.conv2d']
    """
    end = losses_of(network)[0].node
    on_path = ancestors(network.nodes, [end])
    last_input = max((i for i in on_path if network.nodes[i].layer is None), default=0)
    first_readers: dict[int, str] = {}
    jumps: dict[int, int] = {}
    for index in sorted(on_path):
        node = network.nodes[index]
        for source in node.inputs:
            jumps[source] = max(jumps.get(source, source), index)
            if node.layer is not None and node.layer.weighted:
                first_readers.setdefault(source, node.name)
    found, reached = [], 0
    for index in sorted(on_path):
        if index >= max(reached, last_input) and index in first_readers:
            found.append(Station(first_readers[index], index))
        reached = max(reached, jumps.get(index, index))
    return found


def factors(network: Network, names: Sequence[str] | None = None) -> list[Factor]:
    """The factors from each station to the next, of those of these names if any are given."""
    chosen = [station for station in stations(network) if names is None or station.name in names]
    ends = [*(station.reads for station in chosen[1:]), losses_of(network)[0].node]
    return [Factor(station.name, station.reads, end) for station, end in zip(chosen, ends, strict=True)]


def spectral_norm(factor: Factor, steps: Mapping[int, Step], seed: int = 0) -> float | None:
    """The largest singular value of a factor's Jacobian at the numbers of a run; `steps` are its steps by node.

    None where the derivative of one of its layers along a direction is not known, or numbers are not finite.
    """
    inside = _between(factor, steps)
    if not inside or not all(np.isfinite(step.output).all() for step in inside):
        return None
    start = next(x for step in inside for i, x in zip(step.node.inputs, step.inputs, strict=True) if i == factor.start)
    v: NDArray[Any] = np.random.default_rng(seed).standard_normal(start.shape).astype(start.dtype)
    v /= _norm(v)
    diagonal: list[float] = []
    above: list[float] = []
    found = 0.0
    u = np.zeros_like(inside[-1].output)
    jacobian = _Jacobian(factor, inside)
    try:
        for _ in range(MOST_STEPS):
            along = jacobian.along(v) - (above[-1] * u if above else 0)
            diagonal.append(_norm(along))
            if not isfinite(diagonal[-1]):
                return None
            before, found = found, _largest_singular_value(diagonal, above)
            if not diagonal[-1] or abs(found - before) <= CLOSE * found:
                return found
            u = along / diagonal[-1]
            back = jacobian.back(u) - diagonal[-1] * v
            above.append(_norm(back))
            if not isfinite(above[-1]):
                return None
            if not above[-1]:
                return found
            v = back / above[-1]
    except Refused:
        return None
    return found


def _between(factor: Factor, steps: Mapping[int, Step]) -> list[Step]:
    """The steps that lead from its beginning to its end, in order."""
    needed = {factor.stop}
    for index in range(factor.stop, factor.start, -1):
        if index in needed:
            needed.update(steps[index].node.inputs)
    return [steps[index] for index in sorted(needed) if index > factor.start]


class _Jacobian:
    """A factor's Jacobian at the numbers of its steps. The slopes of activations are computed once."""

    def __init__(self, factor: Factor, inside: Sequence[Step]) -> None:
        self.factor = factor
        self.inside = inside
        self.slopes = {
            step.number: _hand_up(step, np.ones_like(step.output))[0]
            for step in inside
            if step.node.layer is not None and step.node.layer.activates
        }

    def along(self, v: NDArray[Any]) -> NDArray[Any]:
        """J v. Raises Refused."""
        moved = {self.factor.start: v}
        for step in self.inside:
            direction = tuple(moved[i] for i in step.node.inputs)
            slopes = self.slopes.get(step.number)
            assert step.node.layer is not None
            moved[step.number] = (
                tangent(step.node.layer, step.inputs, step.weights, direction)
                if slopes is None
                else slopes * direction[0]
            )
        return moved[self.factor.stop]

    def back(self, u: NDArray[Any]) -> NDArray[Any]:
        """Jᵀ u."""
        arrived = {self.factor.stop: u}
        for step in reversed(self.inside):
            received, slopes = arrived.pop(step.number), self.slopes.get(step.number)
            grads = _hand_up(step, received) if slopes is None else (slopes * received,)
            for source, grad in zip(step.node.inputs, grads, strict=True):
                arrived[source] = arrived[source] + grad if source in arrived else grad
        return arrived[self.factor.start]


def _hand_up(step: Step, received: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The gradients of what a step reads, of one at its output."""
    assert step.node.layer is not None
    return backward(step.node.layer, step.inputs, step.weights, received, training=True)[0]


def _norm(array: NDArray[Any]) -> float:
    return float(np.sqrt(np.square(array, dtype=np.float64).sum()))


def _largest_singular_value(diagonal: Sequence[float], above: Sequence[float]) -> float:
    """Of the bidiagonal matrix with these numbers."""
    matrix = np.diag(diagonal) + np.diag(above, 1)
    return float(np.linalg.norm(matrix, 2))
