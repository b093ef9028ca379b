"""Which layer decides about sizes, what strided windows ask and leave, and the output as a function of the size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ..geometry import Window, effective_kernel
from .size_sets import SizeSet, approximate, floor_expression, ranges, reduced
from .size_survey import LONGEST_PERIOD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..layers.base import Layer, Shape
    from ..network import Network
    from .size_survey import Column, Growth, Step, Survey, Surveyor


@dataclass(frozen=True, slots=True)
class Decision:
    """A layer and what it does."""

    layer: str
    kind: str
    reason: str

    @staticmethod
    def of(network: Network, node: int, reason: str) -> Decision:
        """The decision of a node."""
        found = network.nodes[node]
        return Decision(found.name, found.kind, reason)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"layer": self.layer, "kind": self.kind, "reason": self.reason}

    def __str__(self) -> str:
        return f"{self.layer}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Demand:
    """What a strided window asks of its own input, and what is left of the network's sizes after it."""

    layer: str
    kind: str
    window: Window
    residue: int
    """Its input must be this modulo the stride: K − pl − pr."""
    residues: tuple[int, ...]
    """What is left of the network's input, modulo `modulus`."""
    modulus: int

    @property
    def left(self) -> str:
        """What is left, as a text."""
        if not self.residues:
            return "none"
        return "all" if self.modulus == 1 else f"{ranges(self.residues, 'or')} mod {self.modulus}"

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "layer": self.layer,
            "kind": self.kind,
            "kernel": self.window.kernel_size,
            "stride": self.window.stride,
            "padding": [self.window.before, self.window.after],
            "dilation": self.window.dilation,
            "residue": self.residue,
            "left": {"residues": list(self.residues), "modulus": self.modulus},
        }


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a strided window leaves over at one size."""

    layer: str
    kind: str
    size: int
    """Of its input."""
    over: int
    """Padded positions behind its last window; negative where the window reaches beyond them."""
    unread: int
    """Inputs among them, that no window reads."""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"layer": self.layer, "kind": self.kind, "size": self.size, "over": self.over, "unread": self.unread}


def decide(surveyor: Surveyor, survey: Survey, steps: list[Step]) -> Decision | None:
    """The node whose narrowing was the last, and what it asks; None where nothing was narrowed."""
    if not steps:
        return None
    network = surveyor.network
    step = steps[-1]
    edge = next((edge for edge in survey.edges if edge.node == step.node and steps is survey.exact_steps), None)
    if edge is not None:
        return Decision.of(network, step.node, f"its input must be {_asked(edge.window)}")
    growth = surveyor.growths[step.node]
    position = next(growth.axes_from(surveyor.axis))
    rate = Fraction(growth.delta[position], growth.period)
    size = size_expression(survey.columns[step.node], survey.sizes, growth, position)
    wanted = "i" if rate == 1 else f"{'' if rate.numerator == 1 else f'{rate.numerator}*'}i/{rate.denominator}"
    return Decision.of(network, step.node, f"its output is {size}, where the ratio asks for {wanted}")


def size_expression(column: Column, sizes: Sequence[int], growth: Growth, position: int) -> str:
    """One axis of a node as an expression of the input's size; approximate where a period was not surveyed."""
    if growth.period > LONGEST_PERIOD:
        return approximate(Fraction(growth.delta[position], growth.period))
    values = {size: shape[position] for size, shape in zip(sizes, column, strict=True) if shape is not None}
    return floor_expression(values, growth.period, growth.delta[position])


def _asked(window: Window) -> str:
    return f"{_residue(window)} mod {window.stride}"


def _residue(window: Window) -> int:
    extent = effective_kernel(window.kernel_size, window.dilation)
    return (extent - window.before - window.after) % window.stride


def demands(network: Network, survey: Survey, period: int) -> tuple[Demand, ...]:
    """What each strided window asks, in order, and what is left of the sizes after it."""
    found = []
    left = (1 << len(survey.sizes)) - 1
    for edge in survey.edges:
        left &= edge.exact
        modulus, residues = reduced(period, frozenset(size % period for size in survey.members(left)))
        node = network.nodes[edge.node]
        found.append(Demand(node.name, node.kind, edge.window, _residue(edge.window), tuple(sorted(residues)), modulus))
    return tuple(found)


def remainders(network: Network, survey: Survey, size: int) -> tuple[Remainder, ...]:
    """The windows that leave something over at one of the sizes surveyed."""
    n = list(survey.sizes).index(size)
    return tuple(
        Remainder(
            network.nodes[edge.node].name, network.nodes[edge.node].kind, edge.inputs[n], edge.over[n], edge.unread[n]
        )
        for edge in survey.edges
        if edge.over[n]
    )


@dataclass(frozen=True, slots=True)
class SizeOutput:
    """One axis of a node, as a function of the input's size `i`."""

    name: str
    node: int
    axis: int
    """Of the node's shape: 0 is the channels."""
    expression: str
    is_output: bool
    """False for the last layer that still follows the input's size, where no output of the network does."""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"name": self.name, "axis": self.axis, "output": self.expression, "is_output": self.is_output}


def outputs_of(
    network: Network, axis: int, growths: Sequence[Growth], surveys: Iterable[Survey]
) -> tuple[SizeOutput, ...]:
    """The outputs that follow the input's size; without one, the last layer that does."""
    chosen = [
        (o.name, o.node, positions, True) for o in network.outputs if (positions := _follows(growths[o.node], axis))
    ]
    if not chosen:
        chosen = [(o.name, o.node, positions, True) for o in network.outputs if (positions := _grows(growths[o.node]))]
    if not chosen:
        followers = [n for n, growth in enumerate(growths) if _follows(growth, axis)]
        chosen = [(network.nodes[n].name, n, _follows(growths[n], axis), False) for n in followers[-1:]]
    read = list(surveys)
    sizes = [size for survey in read for size in survey.sizes]
    found = []
    for name, node, positions, is_output in chosen:
        column = tuple(shape for survey in read for shape in survey.columns[node])
        for position in positions:
            expression = size_expression(column, sizes, growths[node], position)
            found.append(SizeOutput(name, node, position, expression, is_output))
    return tuple(found)


def _follows(growth: Growth, axis: int) -> list[int]:
    """The node's axes that descend from the input's and grow with it."""
    return [position for position in growth.axes_from(axis) if growth.delta[position]]


def _grows(growth: Growth) -> list[int]:
    """All axes that grow: those that several were merged into descend from none."""
    return [position for position, delta in enumerate(growth.delta) if delta]


def weight_sizes(
    network: Network, survey: Survey, growths: Sequence[Growth], size: int, builds: SizeSet
) -> tuple[SizeSet, Decision | None]:
    """The sizes at which every weight keeps its shape, and the first layer whose weights do not.

    `survey` reaches one period to either side of `size`. A weight's size follows its input, which changes
    within a period if at all: what stays the same over the survey stays the same everywhere.
    """
    here = list(survey.sizes).index(size)
    same, decision = survey.builds, None
    known: dict[tuple[int, ...], int] = {}
    for index, node in enumerate(network.nodes):
        if node.layer is None or not node.layer.weights(network.input_shapes(node)):
            continue
        columns = [survey.columns[i] for i in node.inputs]
        if not any(any(growths[i].delta) for i in node.inputs):
            continue
        key = (id(node.layer), *map(id, columns))
        kept = known.get(key)
        if kept is None:
            kept = known[key] = _kept(node.layer, columns, here)
        if same & ~kept and decision is None:
            decision = Decision.of(network, index, "its weights follow its input's size")
        same &= kept
    if decision is None:
        return builds, None
    return SizeSet(1, (), 1, tuple(survey.members(same))), decision


def _kept(layer: Layer, columns: Sequence[Column], here: int) -> int:
    found = 0
    wanted = None
    cache: dict[tuple[Shape | None, ...], object] = {}
    rows = list(zip(*columns, strict=True))
    for n in (here, *range(len(rows))):
        shapes = rows[n]
        if None in shapes:
            continue
        if shapes not in cache:
            cache[shapes] = layer.weights(shapes)
        if wanted is None:
            wanted = cache[shapes]
        found |= (cache[shapes] == wanted) << n
    return found
