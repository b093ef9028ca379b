"""Which input sizes a network builds for, leaves nothing over, and keeps its ratios; and why.

One axis of the input moves, the others stay as the spec has them. The network's own period (see `growth`)
makes one stretch of sizes speak for all of them: the layers' shape rules run on every size of that stretch,
and on a far one that shows where the pattern has settled. A network that never settles within the sizes
tried says so (`settled`).

Source of the classes: docs/sizes.md; checked against brute force by tests/test_sizes.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...findings import UsageError
from ...geometry import GeometryError
from ...network import Network
from .axis import AxisSizes
from .decisions import Decision, decide, demands, remainders
from .growth import Growth, combined_period, follow, moving_size
from .outputs import outputs_of, weight_sizes
from .sets import periodic_set
from .survey import LONGEST_PERIOD, Survey, Surveyor

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
    axes: tuple[AxisSizes, ...]

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
        return {"format": 1, "spec": self.network.name, "input": inputs, **answers}


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
    return Sizes(network, tuple(axis_sizes(network, axis) for axis in range(1, rank + 1)))


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
            name: frozenset(at % self.stretch for at in self.far.members(getattr(self.far, name)))
            for name in ("builds", "exact", "ratio")
        }
        self.here = surveyor.survey(range(max(1, size - self.stretch), size + self.stretch + 1))
        self.near = self._near()

    def found(self) -> AxisSizes:
        """The answers."""
        near, far = self.near, self.far
        settled = self.periodic and self._agrees(near)
        sets = {
            name: periodic_set(
                near.members(getattr(near, name)),
                range(near.sizes[0], near.sizes[-1] + 1),
                self.stretch if settled else 1,
                self.patterns[name] if settled else frozenset(),
            )
            for name in ("builds", "exact", "ratio")
        }
        below = (sets["builds"].minimum or 1) - 1
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
            minimum_by=self._refusal(below) if below else None,
            builds_by=self._gap(sets["builds"].minimum),
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
        last = [n for n, size in enumerate(survey.sizes) if size > survey.sizes[-1] - self.stretch]
        return all(
            (getattr(survey, name) >> n & 1) == (survey.sizes[n] % self.stretch in pattern)
            for name, pattern in self.patterns.items()
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

    def _gap(self, minimum: int | None) -> Decision | None:
        """What refuses the first size above the smallest that builds; None where nothing does."""
        for survey in (self.near, self.here):
            for n, (node, error) in sorted(survey.refusals.items()):
                size = survey.sizes[n]
                if minimum is not None and size > minimum:
                    return self._refused(size, node, error)
        return None

    def _refusal(self, size: int) -> Decision | None:
        survey = self.surveyor.survey(range(size, size + 1))
        if 0 not in survey.refusals:
            return None
        node, error = survey.refusals[0]
        return self._refused(size, node, error)

    def _refused(self, size: int, node: int, error: GeometryError) -> Decision:
        network = self.surveyor.network
        return Decision.of(network, node, f"at {size}: {error.said(network.input_names(network.nodes[node]))}")
