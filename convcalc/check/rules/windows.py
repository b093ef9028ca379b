"""CC409: kernels that do not fit into their input without its padding."""

from __future__ import annotations

from collections.abc import Iterator

from ...geometry import effective_kernel
from ...network import Network
from ..manual.page import Page
from .remark import Remark, axis_name, slides

PAGES = (
    Page(
        "CC409",
        "The (dilated) kernel is larger than the input without its padding: some of its taps read padding at every "
        "position, and their weights never see the input. Late stages of a network on a small input do that.",
        """\
convcalc: 1
input: [512, 2, 2]
layers: [{conv2d: {out: 512, k: 3, p: 1}}]
""",
        """\
convcalc: 1
input: [512, 4, 4]
layers: [{conv2d: {out: 512, k: 3, p: 1}}]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each axis whose kernel is larger than the input."""
    for slide in slides(network):
        extent = effective_kernel(slide.window.kernel_size, slide.window.dilation)
        if extent > slide.size:
            axis = f" along its {name}" if (name := axis_name(slide)) else ""
            message = f"the kernel of {extent} is larger than the input of {slide.size}{axis}, without padding"
            yield Remark("CC409", message, slide.node.name, "use a smaller kernel here, or a larger input")
