"""CC401: pixels at the far edge that no window reads, because the stride does not divide."""

from __future__ import annotations

from collections.abc import Iterator

from ...geometry import left_over
from ...network import Network
from ..manual.page import Page
from .remark import Remark, axis_name, slides

PAGES = (
    Page(
        "CC401",
        "The stride does not divide what the kernel leaves, and the leftover is more than the padding after it: the "
        "last rows or columns of the input are never read. Counted as max(0, remainder - padding after). Common on "
        "purpose (a 1×1 convolution of stride 2), and a slip where the input has an odd size.",
        """\
convcalc: 1
input: [3, 224, 224]
layers: [{conv2d: {out: 96, k: 11, s: 4}}]   # reads 223 of 224 rows
""",
        """\
convcalc: 1
input: [3, 227, 227]
layers: [{conv2d: {out: 96, k: 11, s: 4}}]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each axis that has inputs behind the last window."""
    for slide in slides(network):
        window = slide.window
        unread = left_over(slide.size, slide.output, *window) - window.after
        if unread > 0:
            axis = f" along its {name}" if (name := axis_name(slide)) else ""
            message = f"{slide.node.kind} never reads the last {unread} of {slide.size} positions{axis}"
            hint = (
                f"pad {unread} more after, or give it an input of {slide.size - unread}: the stride is {window.stride}"
            )
            yield Remark("CC401", message, slide.node.name, hint)
