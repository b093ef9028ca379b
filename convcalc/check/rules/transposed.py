"""Transposed convolutions that paint a pattern (CC402), and output padding of at least the stride (CC410)."""

from __future__ import annotations

from collections.abc import Iterator

from ...geometry import TransposedWindow, interior_overlap, uniform_overlap
from ...network import Network
from .remark import Remark


def uneven_overlap(network: Network) -> Iterator[Remark]:
    """A remark for each transposed convolution with an uneven axis, or with an output padding too large."""
    for node in network.nodes:
        if node.layer is None or node.layer.multiplies != "transposed":
            continue
        windows = [
            w for w in node.layer.windows(network.nodes[node.inputs[0]].shape) if isinstance(w, TransposedWindow)
        ]
        uneven = next((w for w in windows if not uniform_overlap(w.kernel_size, w.stride, w.dilation)), None)
        if uneven is not None:
            yield Remark("CC402", _uneven(uneven), node.name, _remedy(uneven))
        padded = next((w for w in windows if w.output_padding >= w.stride), None)
        if padded is not None:
            message = f"output_padding {padded.output_padding} is at least the stride {padded.stride}"
            hint = f"no convolution of stride {padded.stride} gives back the input: use less than {padded.stride}"
            yield Remark("CC410", message, node.name, hint)


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
