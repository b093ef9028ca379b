"""The checkerboard of a transposed convolution: how many inputs reach each output, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ..geometry.inversion import AxisInversion
from .page import Code, Paragraph, Section


def overlap_section(axes: Sequence[AxisInversion]) -> Section:
    """Whether the overlap of the first two axes is even, and if not, its picture and what would mend it."""
    uneven = [axis for axis in axes if not axis.uniform_overlap]
    if not uneven:
        counts = [axis.overlap[0] for axis in axes]
        product = " x ".join(map(str, counts))
        text = f"Even: every interior output gets {product} contributions, for the stride divides the kernel."
        return Section("Overlap (checkerboard)", (Paragraph(text),))
    axis = uneven[0]
    shared = gcd(axis.dilation, axis.stride)
    kernel = -(-axis.kernel_size // axis.stride) * axis.stride
    if shared > 1:
        why = f"The stride {axis.stride} and the dilation {axis.dilation} share the factor {shared}"
        mend = f"Dilation 1 and kernel {kernel}"
    else:
        why = f"The stride {axis.stride} does not divide the kernel {axis.kernel_size}"
        mend = f"Kernel {kernel}"
    bare = " Those with 0 get the bias alone." if 0 in axis.overlap else ""
    return Section(
        "Overlap (checkerboard)",
        (
            Paragraph(
                f"{why}: interior outputs get unequal numbers of contributions.{bare} A patch of the interior, from a "
                "multiple of the stride on:"
            ),
            Code(overlap_pattern(axes[0], axes[1])),
            Paragraph(f"{mend} would be even; or upsample first and convolve at stride 1 (Odena et al. 2016)."),
        ),
    )


def overlap_pattern(rows: AxisInversion, columns: AxisInversion, height: int = 6, width: int = 16) -> tuple[str, ...]:
    """Contributions to a patch of interior outputs: the product of both axes.

    >>> axis = AxisInversion(3, stride=2, before=1, after=1)
    >>> print("\\n".join(overlap_pattern(axis, axis, 3, 6)))
    1 2 1 2 1 2
    2 4 2 4 2 4
    1 2 1 2 1 2
    """
    down = [rows.overlap[(y + rows.before) % rows.stride] for y in range(height)]
    across = [columns.overlap[(x + columns.before) % columns.stride] for x in range(width)]
    cell = len(str(max(rows.overlap) * max(columns.overlap)))
    return tuple(" ".join(str(v * h).rjust(cell) for h in across) for v in down)
