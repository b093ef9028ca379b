"""Statements whose layers have weights of others: those that call a module again, and modules that are tied to others.

A statement calls the module of another one of its scope again where it is built alike and all its weights are that
one's. What is left has modules of its own, which are tied to those that hold the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..layers.kind_table import Refused
from ..network import holder, lenders
from .program import Address, Call, Chain, Inline, Part, Program, Scope, Tie, Use, refusal

if TYPE_CHECKING:
    from ..network import Network


def dissolved(network: Network) -> frozenset[str]:
    """The blocks of which one layer, but not the other, has weights that two layers have."""
    blocks = {path for path, group in network.groups.items() if group.is_block}
    found: set[str] = set()
    for node in network.nodes:
        if node.shares is not None:
            found |= _around(node.name) ^ _around(network.nodes[node.shares].name)
    return frozenset(found & blocks)


def _around(name: str) -> set[str]:
    """The paths of the groups around a layer."""
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def share(program: Program, target: str, holds: Callable[[Call], bool], *, ties: bool) -> None:
    """Say of each statement whose module it calls again; with `ties`, of each scope which of its modules are tied.

    `holds` says which of a layer's modules holds its weights. Raises UsageError for a layer that can be neither.
    """
    if any(node.shares is not None or node.tied for node in program.network.nodes):
        sharing = _Sharing(program.network, target, holds, ties)
        for scope in (*program.blocks, program.top):
            sharing.settle(scope)


class _Module(NamedTuple):
    """A module in a scope."""

    address: Address
    call: Call


class _Sharing:
    def __init__(self, network: Network, target: str, holds: Callable[[Call], bool], ties: bool) -> None:
        self.network = network
        self.target = target
        self.holds = holds
        self.ties = ties
        self.shared = {holder(network.nodes, i) for i, node in enumerate(network.nodes) if node.shares is not None}
        self.shared |= lenders(network.nodes)

    def settle(self, scope: Scope) -> None:
        """Find what is called again in a scope, and what is tied in it; in scopes inside it has been found."""
        places: dict[int, list[int]] = {}
        """Holder of weights -> the statements with a layer that has them, by their numbers."""
        for number, part in enumerate(scope.parts):
            held = dict.fromkeys(self._held(index) for index in _nodes(part))
            for held_by in held:
                if held_by is not None:
                    before = [scope.parts[n] for n in places.get(held_by, ())]
                    if part.again is None and not isinstance(part.work, Inline):
                        part.again = next((one for one in before if one.again is None and self._alike(part, one)), None)
                    places.setdefault(held_by, []).append(number)
        for number, part in enumerate(scope.parts):
            if part.again is None and not isinstance(part.work, Inline):
                self._tie(scope, number, places)

    def _held(self, index: int) -> int | None:
        """The holder of a layer's weights, where several layers have these."""
        held_by = holder(self.network.nodes, index)
        return held_by if held_by in self.shared else None

    def _has_weights(self, index: int) -> bool:
        node = self.network.nodes[index]
        return node.layer is not None and bool(node.layer.weights(self.network.input_shapes(node)))

    def _alike(self, one: Part, other: Part) -> bool:
        """Whether a statement can call another's module: built alike, with the same weights."""
        work, before = one.work, other.work
        if isinstance(work, Use) and isinstance(before, Use):
            return self._alike_scopes(work.scope, before.scope)
        if isinstance(work, Chain) and isinstance(before, Chain):
            return len(work.parts) == len(before.parts) and all(map(self._alike, work.parts, before.parts))
        held = self._held(one.node)
        same = held == self._held(other.node) and (held is not None or not self._has_weights(one.node))
        return work == before and same

    def _alike_scopes(self, one: Scope, other: Scope) -> bool:
        return (
            (one.kind, len(one.parts)) == (other.kind, len(other.parts))
            and one.wiring() == other.wiring()
            and all(map(self._alike, one.parts, other.parts))
        )

    def _tie(self, scope: Scope, number: int, places: dict[int, list[int]]) -> None:
        """Tie a statement's modules to those of others before it that hold their weights."""
        nodes = self.network.nodes
        part = scope.parts[number]
        for index in dict.fromkeys(_nodes(part)):
            for tensor, lender in nodes[holder(nodes, index)].tied:
                first = places.get(lender, [number])[0]
                if first != number:
                    self._tie_tensor(scope, tensor, (index, number), (lender, first))
            held_by = nodes[index].shares
            first = places.get(held_by, [number])[0] if held_by is not None else number
            if held_by is None or first == number:
                continue
            modules = self._modules(part, index, (number,))
            lead = next(i for i in _nodes(scope.parts[first]) if self._held(i) == held_by)
            holding = {held.call.function: held for held in self._modules(scope.parts[first], lead, (first,))}
            if any(module.call.function not in holding or not self.ties for module in modules):
                reason = f"it has the weights of {nodes[held_by].name}, but other fields"
                raise refusal(self.target, nodes[index], Refused(reason))
            for module in modules:
                held = holding[module.call.function]
                scope.ties.append(Tie(module.address, held.address, module.call == held.call))

    def _tie_tensor(self, scope: Scope, tensor: str, use: tuple[int, int], lender: tuple[int, int]) -> None:
        """Tie one tensor of a layer to that of another one; both are given with the numbers of their statements."""
        node, held_by = self.network.nodes[use[0]], self.network.nodes[lender[0]]
        if not self.ties:
            reason = f"it has the {tensor} of {held_by.name}, and layers share all that they hold, or nothing"
            raise refusal(self.target, node, Refused(reason))
        last = scope.parts[lender[1]]
        lead = next(i for i in _nodes(last) if self._held(i) == lender[0])
        own = self._modules(scope.parts[use[1]], use[0], (use[1],))
        held = self._modules(last, lead, (lender[1],))
        if len(own) > 1 or (own and len(held) != 1):
            reason = f"it has the {tensor} of {held_by.name}, and one of the two is several modules"
            raise refusal(self.target, node, Refused(reason))
        scope.ties += [Tie(module.address, held[0].address, False, tensor) for module in own]

    def _modules(self, part: Part, index: int, address: Address) -> list[_Module]:
        """The modules of a layer that hold weights, as far as they are built in a statement."""
        work = part.work
        if part.again is not None:
            return []
        if isinstance(work, Call):
            return [_Module(address, work)] if part.node == index and self.holds(work) else []
        if isinstance(work, Inline):
            return []
        parts = work.parts if isinstance(work, Chain) else work.scope.parts
        inner = [self._modules(one, index, (*address, number)) for number, one in enumerate(parts)]
        return [module for found in inner for module in found]


def _nodes(part: Part) -> Iterator[int]:
    """The layers of a statement, each step of theirs."""
    if isinstance(part.work, Chain):
        for inner in part.work.parts:
            yield from _nodes(inner)
    elif isinstance(part.work, Use):
        for inner in part.work.scope.parts:
            yield from _nodes(inner)
    else:
        yield part.node
