"""CC402 and CC410: transposed convolutions that paint a pattern, and output padding of at least the stride."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...geometry import TransposedWindow
from ...geometry.overlap import interior_overlap, uniform_overlap
from ...network import Network
from ..manual.page import Page
from .remark import Remark

if TYPE_CHECKING:
    from ...layers.base import Layer

PAGES = (
    Page(
        "CC402",
        "The stride does not divide the kernel of a transposed convolution, so that neighbouring outputs are the sum "
        "of different numbers of contributions: an untrained layer already paints a checkerboard (Odena, Dumoulin & "
        "Olah 2016). The kernel should be a multiple of the stride and the dilation share no factor with it.",
        """\
convcalc: 1
input: [64, 28, 28]
layers: [{conv_transpose2d: {out: 32, k: 3, s: 2, p: 1, output_padding: 1}}]   # 1, 2, 1, 2, ... a side
""",
        """\
convcalc: 1
input: [64, 28, 28]
layers: [{conv_transpose2d: {out: 32, k: 4, s: 2, p: 1}}]
""",
    ),
    Page(
        "CC410",
        "PyTorch accepts an output padding that is smaller than the stride or the dilation. Output padding chooses "
        "one of the stride's many sizes that a convolution maps to the same output; from the stride on, no "
        "convolution with these numbers gives back the input, and the positions added are the bias alone or repeat "
        "what a larger input would give.",
        """\
convcalc: 1
input: [64, 14, 14]
layers: [{conv_transpose2d: {out: 32, k: 3, d: 3, output_padding: 2}}]
""",
        """\
convcalc: 1
input: [64, 14, 14]
layers: [{conv_transpose2d: {out: 32, k: 3, d: 3}}]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each transposed convolution with an uneven axis, or with an output padding too large."""
    for node in network.nodes:
        windows = _transposed(network, node.layer, node.inputs)
        uneven = next((w for w in windows if not uniform_overlap(w.kernel_size, w.stride, w.dilation)), None)
        if uneven is not None:
            yield Remark("CC402", _uneven(uneven), node.name, _remedy(uneven))
        padded = next((w for w in windows if w.output_padding >= w.stride), None)
        if padded is not None:
            message = f"output_padding {padded.output_padding} is at least the stride {padded.stride}"
            hint = f"no convolution of stride {padded.stride} gives back the input: use less than {padded.stride}"
            yield Remark("CC410", message, node.name, hint)


def _transposed(network: Network, layer: Layer | None, inputs: tuple[int, ...]) -> list[TransposedWindow]:
    windows = layer.windows(network.nodes[inputs[0]].shape) if layer is not None and inputs else ()
    return [w for w in windows if isinstance(w, TransposedWindow)]


def _uneven(window: TransposedWindow) -> str:
    numbers = f"kernel {window.kernel_size}, stride {window.stride}"
    if window.dilation > 1:
        numbers += f", dilation {window.dilation}"
    if window.stride > 16:
        return f"{numbers}: the outputs overlap unevenly"
    counts = ", ".join(map(str, interior_overlap(window.kernel_size, window.stride, window.dilation)))
    return f"{numbers}: the outputs get {counts} contributions in turn"


def _remedy(window: TransposedWindow) -> str:
    if window.dilation > 1:
        return "use a dilation that shares no factor with the stride, and a kernel that is a multiple of the stride"
    below = window.kernel_size // window.stride * window.stride
    above = below + window.stride
    return f"use a kernel of {f'{below} or ' if below else ''}{above}, or resize and convolve"
