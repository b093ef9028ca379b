"""What a network asks of a microcontroller: the arena of its activations, and the flash of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from ..units import amount
from ..version import __version__
from .arena import ALIGNMENT, Arena, arena, needs_pad
from .flash import Flash, total
from .quantity import decimal

if TYPE_CHECKING:
    from ..network import Network
    from .figures import Figures

LEFT_OUT = ("scratch memory of kernels", "structs and quantisation tables of the interpreter")
"""What an arena of TensorFlow Lite Micro also holds, and is not counted."""


class Controller:
    """The plan of a network's arena, and its flash, at the batch and dtype of its figures."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    @property
    def network(self) -> Network:
        """The network that it is about."""
        return self._figures.network

    @property
    def batch(self) -> int:
        """The examples at once."""
        return self._figures.batch

    @property
    def dtype(self) -> str:
        """The type of activations and params."""
        return self._figures.dtype

    @property
    def arena(self) -> Arena:
        """Its buffers, and where they lie."""
        return self._figures.arena

    @property
    def flash(self) -> Flash:
        """What its parameters take, all layers together."""
        return total(self._figures.flash)

    @property
    def fragmentation(self) -> int | None:
        """Bytes of the arena beyond what is alive at the peak: gaps between buffers, and what rounding adds."""
        size = self.arena.size
        return None if size is None else size - self.arena.bound

    def said(self) -> str:
        """What the arena needs, where most is alive, and what lies idle there, in a line."""
        plan = self.arena
        alive = f"{plan.bound:,} B alive at {self.place(plan.peak)}"
        if plan.size is None or self.fragmentation is None:
            return f"arena: {alive}; too many buffers to plan where each lies"
        share = decimal(Fraction(100 * self.fragmentation, plan.size), 1)
        lost = f"{self.fragmentation:,} B in gaps ({share.written() if share else 0} %)"
        return f"arena: {plan.size:,} B planned ({amount(plan.size, 'bytes')}); {alive}; {lost}"

    def place(self, operator: int) -> str:
        """The layer that an operator computes; for 0 the network's input."""
        nodes = self.network.nodes
        return nodes[self.arena.operators[operator - 1] if operator else 0].name

    def label(self, buffer: int) -> str:
        """What a buffer holds: the path of the layer that fills it, or of all that are computed into it."""
        held = self.arena.buffers[buffer]
        first, last = (self.network.nodes[index].name for index in (held.nodes[0], held.nodes[-1]))
        pairs = zip(first.split("."), last.split("."), strict=False)
        name = ".".join(word for word, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) or first
        return f"within {name}" if held.between else name

    @cached_property
    def padded(self) -> list[str]:
        """The layers before which a converter puts an operator PAD: their padding is neither SAME nor VALID."""
        network = self.network
        return [
            node.name
            for node in network
            if node.layer is not None and needs_pad(node.layer, network.input_shapes(node), node.shape)
        ]

    @cached_property
    def size_with_pads(self) -> int | None:
        """The bytes of the arena, as planned, with these operators in it."""
        figures = self._figures
        return arena(self.network, figures.batch, figures.item, with_pads=True).size if self.padded else self.arena.size

    def to_dict(self) -> dict[str, object]:
        """The plan as the JSON contract of `convcalc arena`."""
        plan, flash = self.arena, self.flash
        network = self.network
        offsets: Sequence[int | None] = plan.offsets or [None] * len(plan.buffers)
        return {
            "convcalc": __version__,
            "spec": network.name,
            "variant": network.variant,
            "batch": self.batch,
            "dtype": self.dtype,
            "alignment": ALIGNMENT,
            "arena": plan.size,
            "live_bound": plan.bound,
            "fragmentation": self.fragmentation,
            "peak": {
                "operator": plan.peak,
                "layer": self.place(plan.peak),
                "alive": [self.label(i) for i in plan.alive(plan.peak)],
            },
            "buffers": [
                {
                    "layers": [network.nodes[index].name for index in buffer.nodes],
                    "between": buffer.between,
                    "bytes": buffer.size,
                    "offset": offset,
                    "first": buffer.first,
                    "last": buffer.last,
                }
                for buffer, offset in zip(plan.buffers, offsets, strict=True)
            ],
            "operators": [
                {"layer": self.place(operator), "live": plan.live[operator]}
                for operator in range(1, len(plan.operators) + 1)
            ],
            "flash": {
                "weights": flash.weights,
                "biases": flash.biases,
                "scales": flash.scales,
                "total": flash.total,
            },
            "left_out": list(LEFT_OUT),
            "padded": self.padded,
            "arena_with_pads": self.size_with_pads,
        }


def figures_of(controller: Controller) -> Figures:
    """The figures of which it is the plan."""
    return controller._figures
