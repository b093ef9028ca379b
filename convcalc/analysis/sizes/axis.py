"""What is known about the sizes of one axis of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .rows import SizeRow, size_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .decisions import Decision, Demand, Remainder
    from .outputs import SizeOutput
    from .sets import SizeSet
    from .survey import Surveyor


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

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two axes alike."""
        return (
            self.size,
            *(str(getattr(self, name)) for name in _ANSWERS),
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


_ANSWERS = ("period", "builds", "exact", "ratio", "weights", "minimum_by", "exact_by", "ratio_by")
