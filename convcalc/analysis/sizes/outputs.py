"""The output as a function of the input's size, and the sizes that the same weights serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .decisions import Decision, size_expression
from .sets import SizeSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...layers.base import Layer, Shape
    from ...network import Network
    from .growth import Growth
    from .survey import Column, Survey


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
