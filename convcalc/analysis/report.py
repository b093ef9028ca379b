"""Network -> Report: the costs of every layer and stage, and the totals.

Everything here is at the report's batch: it multiplies macs, flops and activations, never params.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import GeometryError, checked
from ..network import Group, Network, Node
from .conventions import CONVENTIONS
from .costs import FREE, Cost, CostCache, total

if TYPE_CHECKING:
    from ..layers.base import Shape


class Subject(NamedTuple):
    """What a quantity is asked of: a layer, a group, some of either, the inputs, or the whole network."""

    name: str
    nodes: Sequence[int]
    output: int | None
    """The node that is its output; None where there is no single one."""
    group: Group | None = None


class Report:
    """The figures of one network at one batch size. Build it with `convcalc.analyse`."""

    def __init__(self, network: Network, batch: int = 1) -> None:
        self.network = network
        self.batch = batch

    @cached_property
    def costs(self) -> list[Cost]:
        """The cost of each node at batch 1, in the order of the nodes. Raises SpecError above 2^63 − 1."""
        from ..findings import SpecError

        cache = CostCache()
        nodes = self.network.nodes
        found: list[Cost] = []
        for node in nodes:
            if node.layer is None:
                found.append(FREE)
                continue
            inputs = tuple([nodes[i].shape for i in node.inputs])
            try:
                found.append(cache.cost(node.layer, inputs, node.shape))
            except GeometryError as error:
                raise SpecError([self.network.finding(error.code, str(error), node.name)]) from error
        return found

    @cached_property
    def totals(self) -> Cost:
        """The cost of the whole network."""
        return self._checked_total(range(len(self.network.nodes)))

    def cost(self, subject: Subject) -> Cost:
        """The summed cost of a subject's layers."""
        return self._checked_total(subject.nodes)

    def _checked_total(self, nodes: Sequence[int]) -> Cost:
        from ..findings import SpecError

        costs = self.costs
        summed = total((costs[i] for i in nodes), self.batch)
        try:
            checked("the total", max(summed))
        except GeometryError as error:
            raise SpecError([self.network.finding(error.code, str(error))]) from error
        return summed

    def activations(self, nodes: Sequence[int]) -> int:
        """Numbers that these layers put out (inputs of the network not counted)."""
        found = self.network.nodes
        return self.batch * sum([prod(found[i].shape) for i in nodes if found[i].layer is not None])

    def depth(self, nodes: Sequence[int]) -> int:
        """Weighted layers on the longest path among these nodes."""
        found = self.network.nodes
        deepest: dict[int, int] = {}
        longest = 0
        for i in nodes:
            node = found[i]
            depth = max([deepest.get(source, 0) for source in node.inputs], default=0)
            if node.layer is not None and node.layer.weighted:
                depth += 1
            deepest[i] = depth
            if depth > longest:
                longest = depth
        return longest

    @cached_property
    def stages(self) -> list[Subject]:
        """The top-level items, in order."""
        groups = self.network.groups
        return [Subject(name, nodes, output, groups.get(name)) for name, nodes, output in self.network.stages()]

    @cached_property
    def layers(self) -> list[Subject]:
        """Every layer, in order."""
        nodes = self.network.nodes
        return [Subject(node.name, (i,), i) for i, node in enumerate(nodes) if node.layer is not None]

    @cached_property
    def whole(self) -> Subject:
        """The network as one subject; its output is the only output, or the first."""
        outputs = self.network.outputs
        return Subject("total", range(len(self.network.nodes)), outputs[0].node if outputs else None)

    def node(self, index: int) -> Node:
        """The node at an index."""
        return self.network.nodes[index]

    def shape(self, subject: Subject) -> Shape | None:
        """The shape of a subject's output."""
        return None if subject.output is None else self.network.nodes[subject.output].shape

    def to_dict(self) -> dict[str, object]:
        """The report as the JSON contract of `convcalc table` (without the published tables)."""
        from .contract import report_dict

        return report_dict(self)


def analyse(network: Network, batch: int = 1) -> Report:
    """The report of a network: costs of every layer, totals, and the analyses on demand.

    `batch` (at least 1) multiplies macs, flops and activations. Raises SpecError where a figure is above
    2^63 − 1, ValueError for a batch below 1.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}]}"
    >>> analyse(loads(spec)).totals.macs
    194400
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    report = Report(network, batch)
    _ = report.totals
    return report


__all__ = ["CONVENTIONS", "Report", "Subject", "analyse"]
