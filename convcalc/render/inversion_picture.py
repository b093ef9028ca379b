"""A transposed convolution drawn in ASCII: the inserted zeros, the padding, the kernel that slides over them."""

from __future__ import annotations

from ..geometry.inversion import AxisInversion

WIDEST = 32
"""Positions that a picture may have on a line."""
LETTERS = "abcdefgh"


def zero_insertion(axis: AxisInversion) -> tuple[str, ...]:
    """A few inputs, the zeros between them, the padding (or what is cut off), and the flipped kernel.

    >>> print("\\n".join(zero_insertion(AxisInversion(3, stride=2, before=1, after=1))))
    inputs     a   b   c
    zeros      a 0 b 0 c
    padded   . a 0 b 0 c .
    kernel   w w w           at stride 1: 5 positions
    """
    before, after = axis.transposed_padding
    reach = axis.effective_kernel - 1
    for count in (3, 2, *range(4, len(LETTERS) + 1)):
        length = (count - 1) * axis.stride + 1
        outputs = length + before + after - reach
        first, stop = min(0, -before), max(length, length + after)
        if outputs >= 1 and stop - first <= WIDEST:
            break
    else:
        return _in_words(axis)
    row = {j * axis.stride: LETTERS[j] for j in range(count)}
    taps = {tap * axis.dilation - before for tap in range(axis.kernel_size)}

    def padded(index: int) -> str:
        if not -before <= index < length + after:
            return "x" if 0 <= index < length else " "
        return row.get(index, "0") if 0 <= index < length else "."

    positions = range(first, max(stop, max(taps) + 1))
    lines = (
        ("inputs", [row.get(index, " ") for index in positions]),
        ("zeros", [row.get(index, "0") if 0 <= index < length else " " for index in positions]),
        ("padded", [padded(index) for index in positions]),
        ("kernel", ["w" if index in taps else " " for index in positions]),
    )
    drawn = [f"{name:<7}  {' '.join(cells)}" for name, cells in lines]
    drawn[-1] += f"   at stride 1: {outputs} position{'s' if outputs > 1 else ''}"
    if before < 0 or after < 0:
        drawn[2] += "   x: cut off"
    return tuple(line.rstrip() for line in drawn)


def _in_words(axis: AxisInversion) -> tuple[str, ...]:
    """The same where the positions are too many to draw."""
    before, after = axis.transposed_padding
    between = f", {axis.zeros_between} zeros, " if axis.zeros_between else ", "
    sides = [f"{side} zeros" if side >= 0 else f"{-side} cut off" for side in (before, after)]
    return (f"padded   {sides[0]}, {between.join('abc')}, {sides[1]}",)
