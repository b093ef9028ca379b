"""Motion without a script: SMIL, in steps that rest, all of one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LOOP, SLOWEST, QUICKEST = 40.0, 0.8, 0.1
"""Seconds of a loop, if its steps take no more than the slowest and no less than the quickest."""
RESTS = 0.7
"""Part of a step in which the window rests; in the rest of it, it goes on."""
LAST = 2
"""Steps for which the last one stays before the loop begins again."""


class Motion(NamedTuple):
    """So many steps in a loop; the last one stays for a while."""

    steps: int

    @property
    def seconds(self) -> float:
        """Of the whole loop."""
        return (self.steps + LAST) * min(max(LOOP / (self.steps + LAST), QUICKEST), SLOWEST)

    @property
    def step_seconds(self) -> float:
        """Of one step."""
        return self.seconds / (self.steps + LAST)

    def rests(self) -> list[float]:
        """The seconds for which each step is seen where nothing slides."""
        return [self.step_seconds] * (self.steps - 1) + [self.step_seconds * (1 + LAST)]

    def jumps(self, attribute: str, values: Sequence[int]) -> str:
        """An attribute that takes one value a step, at once."""
        if len(set(values)) == 1:
            return ""
        listed = ";".join(map(str, (*values, *(values[-1],) * LAST)))
        return f'<animate attributeName="{attribute}" calcMode="discrete" values="{listed}"{self._loop()}/>'

    def slides(self, values: Sequence[tuple[int, int]]) -> str:
        """A move to one place a step: it rests there, then goes on to the next."""
        if len(set(values)) == 1:
            return ""
        total = self.steps + LAST
        places, times = [], []
        for step, (x, y) in enumerate(values):
            places += [f"{x} {y}"] * 2
            times += [step / total, (step + RESTS) / total if step + 1 < self.steps else 1.0]
        listed, when = ";".join(places), ";".join(map(_time, times))
        return (
            f'<animateTransform attributeName="transform" type="translate" values="{listed}" '
            f'keyTimes="{when}"{self._loop()}/>'
        )

    def _loop(self) -> str:
        return f' dur="{_time(self.seconds)}s" repeatCount="indefinite"'


def _time(number: float) -> str:
    """A time with four decimals at most.

    >>> _time(0.25), _time(1.0), _time(0.0)
    ('.25', '1', '0')
    """
    digits = f"{number:.4f}".rstrip("0").rstrip(".")
    return digits.removeprefix("0") or "0"
