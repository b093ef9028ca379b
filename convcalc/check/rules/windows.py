"""What the windows of convolutions and pools read: CC401, CC404, CC405 and CC409."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...geometry import Window, effective_kernel, left_over
from ...layers.base import Layer
from ...network import Network, Node
from .remark import Remark

SEARCHED = 4096
"""Windows before the input that are looked at one by one."""


_AXES: dict[int, tuple[str, ...]] = {2: ("height", "width"), 3: ("depth", "height", "width")}


class Slide(NamedTuple):
    """One space axis of one layer whose window slides over its input."""

    node: Node
    layer: Layer
    axis: int | None
    """Of the space axes, from 0; None where all are alike."""
    size: int
    output: int
    window: Window


def slides(network: Network) -> Iterator[Slide]:
    """Every axis of every convolution and pool whose window slides over the input; axes that are alike, once.

    Layers whose output has no space axes any more (unfold) are left out.
    """
    for node in network.nodes:
        if node.layer is None or node.layer.patch is None:
            continue
        layer, (shape, *_), result, _ = node.layer.alone(network.input_shapes(node), node.shape)
        if len(result) != len(shape):
            continue
        axes = list(zip(shape[1:], result[1:], layer.windows(shape), strict=True))
        alike = all(axis == axes[0] for axis in axes)
        for number, (size, output, window) in enumerate(axes[:1] if alike else axes):
            if isinstance(window, Window):
                yield Slide(node, node.layer, None if alike else number, size, output, window)


def axis_name(slide: Slide) -> str:
    """How a message names the axis; empty where all are alike."""
    space = len(slide.node.shape) - 1 - slide.layer.batch_axes
    return "" if slide.axis is None else _AXES[space][slide.axis]


def unread_inputs(network: Network) -> Iterator[Remark]:
    """A remark for each axis that has inputs behind the last window."""
    for slide in slides(network):
        window = slide.window
        unread = min(left_over(slide.size, slide.output, *window) - window.after, slide.size)
        if unread > 0:
            axis = f" along its {name}" if (name := axis_name(slide)) else ""
            message = f"{slide.node.kind} never reads the last {unread} of {slide.size} positions{axis}"
            smaller = f", or give it an input of {slide.size - unread}" if unread < slide.size else ""
            hint = f"pad {unread} more after{smaller}: the stride is {window.stride}"
            yield Remark("CC401", message, slide.node.name, hint)


def windows_of_padding(network: Network) -> Iterator[Remark]:
    """A remark for each axis on which some output reads only padding."""
    for slide in slides(network):
        window = slide.window
        if (window.before <= 0 and window.after <= 0) or slide.layer.border_mode != "zeros":
            continue
        position = _blind(slide)
        if position is None:
            continue
        axis = f" along its {name}" if (name := axis_name(slide)) else ""
        pads = f"{window.before}" if window.before == window.after else f"{window.before} and {window.after}"
        what = f"output {position} of {slide.output}{axis} reads only padding (padding {pads}, input {slide.size})"
        largest = effective_kernel(window.kernel_size, window.dilation) - 1
        hint = f"padding of at most {largest} is of use here" if max(window.before, window.after) > largest else None
        code = "CC404" if slide.layer.weighted else "CC405"
        yield Remark(code, what, slide.node.name, hint or "use a smaller dilation, or a larger input")


def _blind(slide: Slide) -> int | None:
    """The first output that reads only padding; None where every output reads something.

    A window that starts inside the input reads its first tap, so only those that start before or behind it
    can be blind.
    """
    k, s, before, _, d = slide.window
    for q in range(min(-(-before // s), slide.output, SEARCHED)):
        start = q * s - before
        tap = -(start // d)
        if tap >= k or start + tap * d >= slide.size:
            return q
    last = (slide.output - 1) * s - before
    return slide.output - 1 if last >= slide.size else None


def kernels_larger_than_inputs(network: Network) -> Iterator[Remark]:
    """A remark for each axis whose kernel is larger than the input."""
    for slide in slides(network):
        extent = effective_kernel(slide.window.kernel_size, slide.window.dilation)
        if extent > slide.size:
            axis = f" along its {name}" if (name := axis_name(slide)) else ""
            message = f"the kernel of {extent} is larger than the input of {slide.size}{axis}, without padding"
            yield Remark("CC409", message, slide.node.name, "use a smaller kernel here, or a larger input")
