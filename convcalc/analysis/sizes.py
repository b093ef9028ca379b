"""Which input sizes a network builds for, leaves nothing over, and keeps its ratios; and why.

One axis of the input moves, the others stay as the spec has them. The network's own period (see `growth`)
makes one stretch of sizes speak for all of them: the layers' shape rules run on every size of that stretch,
and on a far one that shows where the pattern has settled. A network that never settles within the sizes
tried says so (`settled`).

Source of the classes: docs/sizes.md; checked against brute force by tests/test_sizes.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..network import Network
from ..version import FORMAT
from .size_decisions import Decision, decide, demands, outputs_of, remainders, weight_sizes
from .size_sets import periodic_set
from .size_survey import LONGEST_PERIOD, Growth, Survey, Surveyor, combined_period, flags_of, follow, moving_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layers.base import Shapes
    from ..network import Node
    from .size_decisions import Decision, Demand, Remainder, SizeOutput
    from .size_sets import SizeSet
    from .size_survey import Surveyor


AT_ONCE = 1024
"""Sizes surveyed together."""


class SizeRow(NamedTuple):
    """One size, tried."""

    size: int
    output: int | None
    """The first output that follows the size; None where the network does not build."""
    exact: bool
    ratio: bool
    over: tuple[str, ...]
    """Layers that leave something over, in order."""
    unread: tuple[str, ...]
    """Those among them that leave inputs unread."""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "size": self.size,
            "output": self.output,
            "builds": self.output is not None,
            "exact": self.exact,
            "ratio": self.ratio,
            "over": list(self.over),
            "unread": list(self.unread),
        }


def size_rows(surveyor: Surveyor, output: SizeOutput | None, listed: range) -> Iterator[SizeRow]:
    """Every size listed, tried one by one; `output` is the node and axis shown."""
    nodes = surveyor.network.nodes
    node, position = (output.node, output.axis) if output else (len(nodes) - 1, 0)
    for start in range(0, len(listed), AT_ONCE):
        survey = surveyor.survey(listed[start : start + AT_ONCE])
        for n, size in enumerate(survey.sizes):
            shape = survey.columns[node][n]
            if not survey.builds >> n & 1 or shape is None:
                yield SizeRow(size, None, False, False, (), ())
                continue
            over = tuple(nodes[edge.node].name for edge in survey.edges if edge.over[n])
            unread = tuple(nodes[edge.node].name for edge in survey.edges if edge.unread[n])
            yield SizeRow(size, shape[position], bool(survey.exact >> n & 1), bool(survey.ratio >> n & 1), over, unread)


@dataclass(frozen=True)
class AxisSizes:
    """The answers for one axis of the input."""

    axis: int
    size: int
    """The spec's own size."""
    period: int
    settled: bool
    """Whether the sets repeat beyond the sizes tried; else they hold for these alone."""
    tried: range
    builds: SizeSet
    exact: SizeSet
    """Nothing is left over at any strided window."""
    ratio: SizeSet
    """Every layer's size is the input's times its rate."""
    weights: SizeSet
    """Sizes at which every weight has the shape that it has at the spec's own size."""
    gap: int | None
    """The first size tried above the smallest that builds which does not build."""
    minimum_by: Decision | None
    builds_by: Decision | None
    exact_by: Decision | None
    ratio_by: Decision | None
    weights_by: Decision | None
    outputs: tuple[SizeOutput, ...]
    demands: tuple[Demand, ...]
    """What each strided window asks of its input, and what is left of the network's sizes after it."""
    remainders: tuple[Remainder, ...]
    """What is left over at the spec's own size."""
    surveyor: Surveyor

    @property
    def minimum(self) -> int | None:
        """The smallest size that builds."""
        return self.builds.minimum

    def moved(self, axis: int) -> AxisSizes:
        """The same answers for an axis that is interchangeable with this one."""
        network = self.surveyor.network
        surveyor = Surveyor(network, axis, follow(network, axis))
        places = {self.axis: axis, axis: self.axis}
        return replace(
            self,
            axis=axis,
            surveyor=surveyor,
            outputs=tuple([replace(output, axis=places.get(output.axis, output.axis)) for output in self.outputs]),
            minimum_by=_refusal(surveyor, (self.minimum or 1) - 1),
            builds_by=_refusal(surveyor, self.gap),
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two axes alike."""
        return (
            self.size,
            *map(str, (self.period, self.builds, self.exact, self.ratio, self.weights)),
            *map(str, (self.minimum_by, self.exact_by, self.ratio_by)),
            *map(str, self.demands),
            *((o.name, o.expression) for o in self.outputs),
        )

    def to_dict(self, listed: range | None = None) -> dict[str, object]:
        """This axis in the JSON contract of `sizes`, and a row for each size listed."""
        rows = {} if listed is None else {"sizes": [row.to_dict() for row in self.rows(listed)]}
        return {
            "axis": self.axis,
            "minimum": self.minimum,
            "period": self.period,
            "settled": self.settled,
            "builds": str(self.builds),
            "exact": self.exact.to_dict(),
            "ratio": self.ratio.to_dict(),
            "weights": str(self.weights),
            "output": self.outputs[0].expression if self.outputs else None,
            "outputs": [output.to_dict() for output in self.outputs],
            "decided_by": {name: by.to_dict() if by else None for name, by in self.decisions().items()},
            "demands": [demand.to_dict() for demand in self.demands],
            "remainders": [remainder.to_dict() for remainder in self.remainders],
            **rows,
        }

    def rows(self, listed: range) -> Iterator[SizeRow]:
        """Every size listed, tried one by one."""
        return size_rows(self.surveyor, self.outputs[0] if self.outputs else None, listed)

    def decisions(self) -> dict[str, Decision | None]:
        """Answer -> the layer that decides it."""
        return {
            "minimum": self.minimum_by,
            "builds": self.builds_by,
            "exact": self.exact_by,
            "ratio": self.ratio_by,
            "weights": self.weights_by,
        }


SCAN_BUDGET = 2_000_000
"""Layers times sizes up to which the smallest size is sought one by one; above it stretches are halved."""
LEAST_BLOCK = 64
"""Sizes surveyed at once, at least."""
FAR = 2**20
"""How far beyond the spec's own size the settled pattern is read."""


@dataclass(frozen=True)
class Sizes:
    """The answers for every space axis of a network's input."""

    network: Network
    """The network that it is about."""
    axes: tuple[AxisSizes, ...]
    """For each space axis, which sizes build, leave nothing over and keep the ratios."""

    @property
    def axes_agree(self) -> bool:
        """Whether one axis speaks for all of them."""
        return len({axis.key for axis in self.axes}) == 1

    @property
    def shown(self) -> tuple[AxisSizes, ...]:
        """The axes to show: one where they agree."""
        return self.axes[:1] if self.axes_agree else self.axes

    def to_dict(self, listed: range | None = None) -> dict[str, object]:
        """The JSON contract of `convcalc sizes`, with a row for each size listed."""
        axes = [axis.to_dict(listed) for axis in self.shown]
        answers = axes[0] if self.axes_agree else {"axes": axes}
        inputs = {name: list(shape) for name, shape in self.network.inputs.items()}
        return {"format": FORMAT, "spec": self.network.name, "input": inputs, **answers}


def sizes(network: Network) -> Sizes:
    """What sizes of each space axis of the input do to a network.

    The layers stay as they are: a param of the spec that follows the input's size does not move with it.
    Raises UsageError for a network without space axes.

    >>> from convcalc import loads
    >>> found = sizes(loads("{convcalc: 1, input: [3, 32], layers: [{conv1d: {out: 8, k: 3, s: 2, p: 1}}]}")).axes[0]
    >>> found.minimum, str(found.exact), found.outputs[0].expression
    (1, '1 mod 2, from 1', 'ceil(i/2)')
    """
    rank = max((len(shape) - 1 for shape in network.inputs.values()), default=0)
    if rank < 1:
        shapes = ", ".join(str(list(shape)) for shape in network.inputs.values())
        raise UsageError(f"the input {shapes} has no space axes", "sizes needs an input such as [3, 224, 224]")
    found: list[AxisSizes] = []
    for axis in range(1, rank + 1):
        twin = next((other for other in found if interchangeable(network, other.axis, axis)), None)
        found.append(axis_sizes(network, axis) if twin is None else twin.moved(axis))
    return Sizes(network, tuple(found))


def interchangeable(network: Network, a: int, b: int) -> bool:
    """Whether every layer does to axis `b` what it does to axis `a`, on as many positions.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: %s}}, flatten, {linear: {out: 2}}]}"
    >>> [interchangeable(loads(spec % kernel), 1, 2) for kernel in ("3", "[3, 5]")]
    [True, False]
    """
    known: set[tuple[int, Shapes]] = set()
    for node in network.nodes:
        shapes = () if node.layer is None else network.input_shapes(node)
        key = (id(node.layer), shapes or (node.shape,))
        if key in known:
            continue
        if not _alike(node, shapes, a, b):
            return False
        known.add(key)
    return True


def _alike(node: Node, shapes: Shapes, a: int, b: int) -> bool:
    """Whether a layer treats two axes alike; of what has one axis left only the number of elements matters."""
    layer, shape = node.layer, node.shape
    flat = len(shape) == 1
    if flat and (layer is None or layer.is_view or all(len(read) == 1 for read in shapes)):
        return True
    if len(shape) <= max(a, b) or shape[a] != shape[b] or layer is None:
        return layer is None and len(shape) > max(a, b) and shape[a] == shape[b]
    links = layer.axes(shapes)
    one, other = links[a], links[b]
    if one is None or other is None or (one.source, other.source) != (a, b) or one.map != other.map:
        return False
    return all(link is None or link.source == axis for axis, link in enumerate(links))


def axis_sizes(network: Network, axis: int) -> AxisSizes:
    """The answers for one space axis of the input (1 is the first)."""
    growths = follow(network, axis)
    size, period = moving_size(network, axis), combined_period(growths)
    return _Answers(Surveyor(network, axis, growths), growths, size, period).found()


class _Answers:
    """The surveys of one axis, and what follows from them."""

    def __init__(self, surveyor: Surveyor, growths: list[Growth], size: int, period: int) -> None:
        self.surveyor = surveyor
        self.growths = growths
        self.size = size
        self.period = period
        self.periodic = period <= LONGEST_PERIOD
        self.stretch = min(period, LONGEST_PERIOD)
        start = size + (FAR // self.stretch + 1) * self.stretch
        self.far = surveyor.survey(range(start, start + self.stretch))
        self.patterns = {
            name: frozenset(at % self.stretch for at in self.far.members(bits))
            for name, bits in self.far.sets().items()
        }
        self.here = surveyor.survey(range(max(1, size - self.stretch), size + self.stretch + 1))
        self.near = self._near()

    def found(self) -> AxisSizes:
        """The answers."""
        near, far = self.near, self.far
        settled = self.periodic and self._agrees(near)
        sets = {
            name: periodic_set(
                near.members(bits),
                range(near.sizes[0], near.sizes[-1] + 1),
                self.stretch if settled else 1,
                self.patterns[name] if settled else frozenset(),
            )
            for name, bits in near.sets().items()
        }
        minimum = sets["builds"].minimum
        gap = self._gap(minimum)
        weights, weights_by = weight_sizes(self.surveyor.network, self.here, self.growths, self.size, sets["builds"])
        return AxisSizes(
            axis=self.surveyor.axis,
            size=self.size,
            period=self.period,
            settled=settled,
            tried=range(near.sizes[0], near.sizes[-1] + 1),
            builds=sets["builds"],
            exact=sets["exact"],
            ratio=sets["ratio"],
            weights=weights,
            gap=gap,
            minimum_by=_refusal(self.surveyor, (minimum or 1) - 1),
            builds_by=_refusal(self.surveyor, gap),
            exact_by=decide(self.surveyor, far, far.exact_steps),
            ratio_by=decide(self.surveyor, far, far.ratio_steps),
            weights_by=weights_by,
            outputs=outputs_of(self.surveyor.network, self.surveyor.axis, self.growths, (near, self.here, far)),
            demands=demands(self.surveyor.network, far, self.stretch) if self.periodic else (),
            remainders=remainders(self.surveyor.network, self.here, self.size),
            surveyor=self.surveyor,
        )

    def _agrees(self, survey: Survey) -> bool:
        """Whether the last stretch of a survey shows the far pattern."""
        count = len(survey.sizes)
        last = [n for n, size in enumerate(survey.sizes) if size > survey.sizes[-1] - self.stretch]
        return all(
            flags[n] == (survey.sizes[n] % self.stretch in self.patterns[name])
            for name, flags in ((name, flags_of(bits, count)) for name, bits in survey.sets().items())
            for n in last
        )

    def _continues(self) -> bool:
        """Whether the far pattern holds the spec's own size, which builds."""
        return self.size % self.stretch in self.patterns["builds"]

    def _near(self) -> Survey:
        """From the smallest size that may build to two stretches beyond it, or beyond the spec's own size."""
        step = self.stretch * -(-LEAST_BLOCK // self.stretch)
        first = self._first_block(step)
        near = self.surveyor.survey(range(first, first + step + 2 * self.stretch))
        if not (self._agrees(near) and self._agrees(self.here) and self._continues()):
            low = 1 if self._scannable() else first
            near = self.surveyor.survey(range(low, self.size + 2 * self.stretch + 1))
        return near

    def _scannable(self) -> bool:
        return self.size * len(self.growths) <= SCAN_BUDGET

    def _first_block(self, step: int) -> int:
        """The start of the first block of `step` sizes in which one builds."""
        if self._scannable():
            for start in range(1, self.size + 1, step):
                if self.surveyor.survey(range(start, start + step)).builds:
                    return start
        low, high = 0, (self.size - 1) // step
        while low < high:
            middle = (low + high) // 2
            if self.surveyor.survey(range(middle * step + 1, (middle + 1) * step + 1)).builds:
                high = middle
            else:
                low = middle + 1
        return low * step + 1

    def _gap(self, minimum: int | None) -> int | None:
        """The first size above the smallest that builds which is refused; None where none is."""
        for survey in (self.near, self.here):
            for n in sorted(survey.refusals):
                size = survey.sizes[n]
                if minimum is not None and size > minimum:
                    return size
        return None


def _refusal(surveyor: Surveyor, size: int | None) -> Decision | None:
    """What refuses a size; None where nothing does, and for no size."""
    refusals = surveyor.survey(range(size, size + 1)).refusals if size else {}
    if 0 not in refusals:
        return None
    node, error = refusals[0]
    network = surveyor.network
    return Decision.of(network, node, f"at {size}: {error.said(network.input_names(network.nodes[node]))}")
