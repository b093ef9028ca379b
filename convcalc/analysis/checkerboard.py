"""The transposed convolutions of a network that paint a checkerboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..geometry import TransposedWindow
from ..geometry.overlap import LARGEST_STRIDE, interior_overlap, uniform_overlap

if TYPE_CHECKING:
    from ..network import Network


@dataclass(frozen=True, slots=True)
class UnevenOverlap:
    """One axis of a transposed convolution whose outputs get different numbers of contributions."""

    layer: str
    axis: int
    """Of its shape: 1 is the first space axis."""
    window: TransposedWindow
    overlap: tuple[int, ...]
    """Contributions to an interior output, by its position modulo the stride; empty for strides too long to list."""

    @property
    def even_kernel(self) -> int | None:
        """The next larger kernel that spreads evenly; None where dilation and stride share a factor."""
        kernel = -(-self.window.kernel_size // self.window.stride) * self.window.stride
        return kernel if uniform_overlap(kernel, self.window.stride, self.window.dilation) else None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "layer": self.layer,
            "axis": self.axis,
            "kernel": self.window.kernel_size,
            "stride": self.window.stride,
            "dilation": self.window.dilation,
            "overlap": list(self.overlap),
            "even_kernel": self.even_kernel,
        }


def uneven_overlaps(network: Network) -> Iterator[UnevenOverlap]:
    """Every axis of every transposed convolution with uneven overlap, in order.

    Even iff the stride divides the kernel and shares no factor with the dilation. An axis with one input has
    no neighbours that could overlap. Source: Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard
    Artifacts", Distill.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [8, 16], layers: [{conv_transpose1d: {out: 4, k: 3, s: 2}}]}"
    >>> [(found.layer, found.overlap, found.even_kernel) for found in uneven_overlaps(loads(spec))]
    [('conv_transpose1d', (2, 1), 4)]
    """
    for node in network.nodes:
        if node.layer is None or not node.kind.startswith("conv_transpose"):
            continue
        shapes = network.input_shapes(node)
        for axis, link in enumerate(node.layer.axes(shapes)):
            window = link.map if link is not None else None
            if not isinstance(window, TransposedWindow) or shapes[0][axis] == 1:
                continue
            kernel, stride, dilation = window.kernel_size, window.stride, window.dilation
            if not uniform_overlap(kernel, stride, dilation):
                listed = interior_overlap(kernel, stride, dilation) if stride <= LARGEST_STRIDE else ()
                yield UnevenOverlap(node.name, axis, window, listed)
