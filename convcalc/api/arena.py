"""`arena`: where each tensor lies in the memory of a microcontroller, and what its parameters take of the flash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis import report as reports
from ..analysis.controller import Controller
from ..findings import UsageError
from ..network import described
from .load import Spec, network_of
from .report import Dtype
from .shown import Shown

if TYPE_CHECKING:
    from ..render.document import Document


class Plan(Shown, Controller):
    """The buffers of an arena, where they lie, and the flash. Printed, it is what `convcalc arena` prints.

    >>> import convcalc
    >>> plan = convcalc.arena("lenet5")
    >>> plan.arena.size, len(plan.arena.buffers)
    (9408, 12)
    """

    def _document(self, width: int | None) -> Document:
        from ..render.arena import arena_document

        return arena_document(self)

    def svg(self) -> str:
        """The plan as a picture: operators to the right, addresses upwards. Raises UsageError for too many buffers."""
        from ..export.arena import Picture, Rectangle, svg

        plan = self.arena
        if plan.offsets is None or plan.size is None:
            raise UsageError("too many buffers for a picture: where each lies is not planned")
        nodes = self.network.nodes
        rectangles = [
            Rectangle(
                self.label(which),
                "between" if buffer.between else "given" if nodes[buffer.nodes[0]].layer is None else "",
                buffer.first,
                buffer.last,
                offset,
                buffer.size,
            )
            for which, (buffer, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True))
        ]
        title = f"{self.network.name}, {self.dtype}"
        return svg(Picture(title, self.said(), rectangles, plan.live, plan.size))

    def __repr__(self) -> str:
        return f"<Plan {described(self.network)}, {self.dtype}: {self.said()}>"


def arena(spec: Spec, *, batch: int = 1, dtype: Dtype = "int8") -> Plan:
    """The arena and the flash that a network needs on a microcontroller.

    Batch norms are folded and ReLU is fused as converters to TensorFlow Lite do; offsets are planned greedily by size
    as TensorFlow Lite Micro does, at multiples of 16 bytes. `to_dict()` is the JSON of `convcalc arena`, `svg()` the
    plan as a picture. Raises ValueError for a batch below 1 or an unknown dtype.

    >>> plan = arena("mobilenet_v2")
    >>> plan.arena.size, plan.arena.bound, plan.flash.weights
    (1505280, 1505280, 3469760)
    >>> plan.size_with_pads
    2451840
    """
    return Plan(reports.analyse(network_of(spec), batch, dtype=dtype))
