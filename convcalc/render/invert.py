"""`invert` as a page: the inversion of one convolution, with its numbers put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..geometry.inversion import AxisInversion, Inversion, SizeInversion
from .frameworks import framework_blocks
from .inversion_picture import zero_insertion
from .overlap import overlap_section
from .page import Block, Code, Paragraph, Section, Table, as_markdown, as_text

if TYPE_CHECKING:
    from ..reference.identity import Identity


def inversion_text(inversion: Inversion, verified: Sequence[Identity] = ()) -> str:
    """The page for a terminal."""
    return as_text(sections(inversion, verified))


def inversion_markdown(inversion: Inversion, verified: Sequence[Identity] = ()) -> str:
    """The page as Markdown."""
    return as_markdown(sections(inversion, verified))


def sections(inversion: Inversion, verified: Sequence[Identity] = ()) -> list[Section]:
    """The page: once for all axes where they agree, else axis by axis."""
    pairs = list(zip(inversion.axes, inversion.sizes, strict=True))
    if inversion.axes_agree:
        axis, sizes = pairs[0]
        page = _axis_sections(axis, sizes, f"Undoing the shape of a convolution: {_named(axis)}", "")
    else:
        page = []
        for number, (axis, sizes) in enumerate(pairs):
            page += _axis_sections(axis, sizes, f"Axis {number}: {_named(axis)}", f" (axis {number})")
    layer = [(axis, sizes[-1]) for axis, sizes in pairs]
    square = layer * 2 if len(layer) == 1 else layer
    backs = sorted({f"{size.size} back from {size.conv_output}" for _, size in layer})
    page.append(Section(f"In the frameworks ({len(square)}-d): {', '.join(backs)}", framework_blocks(square)))
    page.append(overlap_section([axis for axis, _ in square]))
    if verified:
        page.append(_verified_section(verified))
    return page


class _Letters:
    """The size rule of one axis in letters and in numbers, no more general than the axis needs."""

    def __init__(self, axis: AxisInversion) -> None:
        self.axis = axis
        even = axis.before == axis.after
        self.kernel = "k" if axis.dilation == 1 else "K"
        self.padding = "2p" if even else "pl + pr"
        self.padding_numbers = f"2*{axis.before}" if even else f"{axis.before} + {axis.after}"
        self.surplus = axis.effective_kernel - axis.before - axis.after

    def room(self, size: object) -> str:
        """i + 2p - k with the numbers put in."""
        return f"{size} + {self.padding_numbers} - {self.axis.effective_kernel}"

    @property
    def reduced_room(self) -> str:
        """i + 2p - k with its numbers added up: i - 1."""
        return _shifted("i", -self.surplus)


def _named(axis: AxisInversion) -> str:
    padding = f"{axis.before}" if axis.before == axis.after else f"{axis.before} before and {axis.after} after"
    dilation = f", dilation {axis.dilation}" if axis.dilation > 1 else ""
    return f"kernel {axis.kernel_size}, stride {axis.stride}, padding {padding}{dilation}"


def _axis_sections(axis: AxisInversion, sizes: Sequence[SizeInversion], title: str, where: str) -> list[Section]:
    letters = _Letters(axis)
    k, p = letters.kernel, letters.padding
    return [
        Section(
            title,
            (
                Code(
                    (
                        *((f"K = d(k - 1) + 1 = {axis.effective_kernel}",) if axis.dilation > 1 else ()),
                        f"convolution             o = floor((i + {p} - {k}) / s) + 1",
                        f"transposed convolution  i = (o - 1)s - {_minus(p)} + {k} + output_padding",
                    )
                ),
                Paragraph(
                    f"Both take the same k, s, p{' and d' if axis.dilation > 1 else ''}. Shapes come back, values do "
                    "not: the transposed convolution is the adjoint, not the inverse."
                ),
            ),
        ),
        Section(f"As zeros and an ordinary convolution{where}", _zero_blocks(axis)),
        Section(f"Which sizes come back{where}", _size_blocks(axis, sizes)),
        Section(f"Proof, with {sizes[-1].size}{where}", (Code(_proof(axis, sizes[-1])),)),
    ]


def _zero_blocks(axis: AxisInversion) -> tuple[Block, ...]:
    sides = [("p", axis.before, axis.transposed_padding[0], "both sides")]
    if axis.before != axis.after:
        sides = [
            ("pl", axis.before, axis.transposed_padding[0], "the side before"),
            ("pr", axis.after, axis.transposed_padding[1], "the side after"),
        ]
    lines = [(f"z = s - 1 = {axis.stride} - 1 = {axis.zeros_between}", "zeros between neighbouring inputs")]
    for letter, padding, result, where in sides:
        if axis.dilation == 1:
            rule = f"k - {letter} - 1 = {axis.kernel_size} - {padding} - 1"
        else:
            rule = f"d(k - 1) - {letter} = {axis.dilation}*({axis.kernel_size} - 1) - {padding}"
        lines.append((f"{letter}' = {rule} = {result}", f"padding on {where}"))
    width = max(len(rule) for rule, _ in lines)
    blocks: list[Block] = [
        Code(tuple(f"{rule:<{width}}   {meaning}" for rule, meaning in lines)),
        Paragraph(
            "Insert the zeros, pad (output_padding adds to the side after), and convolve at stride 1 with the "
            "flipped kernel:"
        ),
        Code(zero_insertion(axis)),
    ]
    for _, _, result, where in sides:
        if result < 0:
            side = "each side" if where == "both sides" else where
            blocks.append(
                Paragraph(
                    "A negative padding cuts off: the convolution's padding is larger than `d(k - 1)`, so "
                    f"{_counted(-result, 'position')} on {side} of the row with the zeros "
                    f"{'is' if result == -1 else 'are'} not read. output_padding puts positions back on the side after."
                )
            )
    return tuple(blocks)


def _size_blocks(axis: AxisInversion, sizes: Sequence[SizeInversion]) -> tuple[Block, ...]:
    letters, s, last = _Letters(axis), axis.stride, sizes[-1]
    room = f"i + {letters.padding} - {letters.kernel}"
    rows = tuple(
        (
            str(row.size),
            str(row.conv_output),
            str(row.remainder),
            "none" if row.without_output_padding is None else str(row.without_output_padding),
            str(row.output_padding),
            str(row.restored),
        )
        for row in sizes
    )
    table = Table(("input", "output", "remainder", "back without", "output_padding", "back"), rows)
    if s == 1:
        always = "Stride 1 leaves nothing over: every size comes back without output_padding."
        return (Paragraph(f"{always} Every output has one input."), table)
    first, final = _shifted(f"{s}o", letters.surplus - s), _shifted(f"{s}o", letters.surplus - 1)
    ends = f"{last.family[0]} to {last.family[-1]}"
    family = ends if len(last.family) > 2 else " and ".join(map(str, last.family))
    return (
        Paragraph(
            f"A size comes back by itself exactly if `s` divides `{room}`: here if {s} divides `{letters.room('i')}` = "
            f"`{letters.reduced_room}`, that is for `i mod {s} = {axis.exact_residue}`. What the division leaves over "
            "is the remainder; an output_padding of the remainder gives it back."
        ),
        table,
        Paragraph(
            f"The {s} sizes from `{first}` to `{final}` share the output `o`: {last.conv_output} comes from {family}. "
            "The output alone cannot say which it was: output_padding does."
        ),
    )


def _proof(axis: AxisInversion, size: SizeInversion) -> tuple[str, ...]:
    """From the size to the output and back through the inserted zeros."""
    letters, s, o = _Letters(axis), axis.stride, size.conv_output
    before, after = axis.transposed_padding
    room = size.size - letters.surplus
    row = (o - 1) * s + 1
    padded = row + before + after + size.output_padding
    steps = (
        ("divide", f"{letters.room(size.size)} = {room} = {o - 1}*{s} + {size.remainder}"),
        ("output", f"{o - 1} + 1 = {o}, remainder {size.remainder}"),
        ("zeros", f"{o} + {o - 1}*{axis.zeros_between} = {row}"),
        (
            "pad",
            f"{row} {_signed(before)} {_signed(after)} + {size.output_padding} = {padded}   (last: output_padding)",
        ),
        ("convolve", f"{padded} - {axis.effective_kernel} + 1 = {padded - axis.effective_kernel + 1}"),
    )
    return tuple(f"{name:<8}  {text}" for name, text in steps)


def _verified_section(verified: Sequence[Identity]) -> Section:
    rows = tuple(
        (
            str(found.size),
            str(found.output),
            str(found.forward),
            str(found.backward),
            "yes" if found.scatter else "NO",
            "yes" if found.zero_insertion else "NO",
        )
        for found in verified
    )
    text = (
        "In NumPy, on random integers: C the convolution as a matrix, C^T its transpose. The inner products must be "
        "equal, and scattering and zero insertion must give C^T y to the last digit."
    )
    return Section(
        "Verified" if all(found.holds for found in verified) else "NOT verified",
        (Paragraph(text), Table(("input", "output", "<C x, y>", "<x, C^T y>", "scatter", "zero insertion"), rows)),
    )


def _minus(padding: str) -> str:
    return padding if "+" not in padding else f"({padding})"


def _shifted(letter: str, by: int) -> str:
    """`letter` plus a number: i - 1, i, i + 2."""
    return letter if by == 0 else f"{letter} {_signed(by)}"


def _signed(number: int) -> str:
    return f"- {-number}" if number < 0 else f"+ {number}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
