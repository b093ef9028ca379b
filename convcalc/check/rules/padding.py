"""CC404 and CC405: windows that read nothing but padding."""

from __future__ import annotations

from collections.abc import Iterator

from ...geometry import effective_kernel
from ...network import Network
from ..manual.page import Page
from .remark import Remark, Slide, axis_name, slides

PAGES = (
    Page(
        "CC404",
        "Some output of a convolution sees nothing of the input: its whole window lies in the padding, and it puts "
        "out the bias. Padding of more than d(k - 1) a side does that, and so does a dilated window whose taps all "
        "step over a small input. Only padding of zeros is judged.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 16, k: 3, p: 3}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 16, k: 3, p: 2}}]
""",
    ),
    Page(
        "CC405",
        "Some output of a pool sees nothing of the input: a maximum of it is minus infinity, a mean 0 or not a "
        "number. Rounding up as ONNX did before opset 22 gives such a window, and a dilated one may step over a small "
        "input.",
        """\
convcalc: 1
input: [8, 4, 4]
layers: [{max_pool2d: {k: 2, s: 2, p: [[0, 1], [0, 1]], ceil_mode: onnx}}]
""",
        """\
convcalc: 1
input: [8, 4, 4]
layers: [{max_pool2d: {k: 2, s: 2, p: [[0, 1], [0, 1]], ceil_mode: true}}]
""",
    ),
)
SEARCHED = 4096
"""Windows before the input that are looked at one by one."""


def remarks(network: Network) -> Iterator[Remark]:
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
        code = "CC405" if slide.layer.reduction is not None else "CC404"
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
