"""What a drawing shows, as two axes: which cell is what, and which cells each step reads."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from ..analysis.drawn import ROLES, Drawn, DrawnAxis, Role, drawn_axis
from ..geometry import Window

ONE = drawn_axis(Window(), 1, 1)
"""The axis that a drawing of one axis has across it."""


class Scene(NamedTuple):
    """A drawing with two axes: one of a single axis lies across it."""

    drawn: Drawn
    down: DrawnAxis
    across: DrawnAxis

    @classmethod
    def of(cls, drawn: Drawn) -> Scene:
        """The scene of a drawing."""
        axes = drawn.axes
        return cls(drawn, ONE if len(axes) == 1 else axes[0], axes[-1])

    @property
    def flat(self) -> bool:
        """Whether it has one axis."""
        return len(self.drawn.axes) == 1

    def roles(self) -> dict[Role, list[tuple[int, int]]]:
        """The cells of each role, by place."""
        found: dict[Role, list[tuple[int, int]]] = {role: [] for role in ROLES}
        rank = {role: n for n, role in enumerate(ROLES)}
        for place in product(self.down.places, self.across.places):
            pair = self.down.cells[place[0] - self.down.begin], self.across.cells[place[1] - self.across.begin]
            found[max(pair, key=rank.__getitem__)].append(place)
        return found

    def unread(self) -> list[tuple[int, int]]:
        """The cells that no window reads."""
        down, across = self.down.read, self.across.read
        cells = product(self.down.places, self.across.places)
        return [cell for cell in cells if cell[0] not in down or cell[1] not in across]

    def taps(self, step: int) -> list[tuple[int, int]]:
        """The places that a step reads, row by row."""
        row, column = divmod(step, self.across.output)
        return list(product(self.down.windows[row], self.across.windows[column]))

    def weights(self) -> list[int]:
        """The number of the kernel's tap at each place of a window: from 1, and backwards where it is flipped."""
        count = self.down.kernel_size * self.across.kernel_size
        return list(range(count, 0, -1) if self.drawn.transposed else range(1, count + 1))

    @property
    def rigid(self) -> bool:
        """Whether the window only moves."""
        return self.down.rigid and self.across.rigid
