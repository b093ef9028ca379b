"""The checkerboard of a transposed convolution: how many inputs reach each output, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ..geometry.inversion import AxisInversion
from .page import Code, Paragraph, Section


def overlap_section(axes: Sequence[AxisInversion]) -> Section:
    """Whether the overlap is even on every axis, and if not, a picture of the first two and what would mend it."""
    title = "Overlap (checkerboard)"
    uneven = [axis for axis in dict.fromkeys(axes) if not axis.uniform_overlap]
    if not uneven:
        product = " x ".join(str(axis.overlap[0]) for axis in axes)
        text = f"Even: every interior output gets {product} contributions, for the stride divides the kernel."
        return Section(title, (Paragraph(text),))
    why = "; ".join(_cause(axis) for axis in uneven)
    bare = " Those with 0 get the bias alone." if any(0 in axis.overlap for axis in uneven) else ""
    return Section(
        title,
        (
            Paragraph(
                f"{why[0].upper()}{why[1:]}: interior outputs get unequal numbers of contributions.{bare} "
                "A patch of the interior, from a multiple of the stride on:"
            ),
            Code(overlap_pattern(axes[0], axes[1])),
            Paragraph(
                f"Even would be {' and '.join(_remedy(axis) for axis in uneven)}; or upsample first and convolve at "
                "stride 1 (Odena et al. 2016)."
            ),
        ),
    )


def _cause(axis: AxisInversion) -> str:
    shared = gcd(axis.dilation, axis.stride)
    if shared > 1:
        return f"the stride {axis.stride} and the dilation {axis.dilation} share the factor {shared}"
    return f"the stride {axis.stride} does not divide the kernel {axis.kernel_size}"


def _remedy(axis: AxisInversion) -> str:
    """The next kernel that the stride divides, without a dilation that shares a factor with it."""
    kernel = -(-axis.kernel_size // axis.stride) * axis.stride
    return f"kernel {kernel}{' with dilation 1' if gcd(axis.dilation, axis.stride) > 1 else ''}"


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
