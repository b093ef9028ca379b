"""Sizes one by one: what a network does at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .outputs import SizeOutput
    from .survey import Surveyor

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
