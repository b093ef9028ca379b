"""`invert` as a document: the inversion of one convolution with its numbers put in; a mirrored decoder as a spec."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

from ..analysis.drawn import Drawn, drawn_axes, given_axis
from ..analysis.drawn_text import plane_lines
from ..findings import UsageError
from ..geometry import TransposedWindow
from ..geometry.dialects import inverse, keras_refuses, keras_same, keras_valid, onnx_transposed, torch_transposed
from ..geometry.inversion import AxisInversion, Inversion, SizeInversion
from .document import PAGE, Block, Code, Column, Document, Paragraph, Section, Table

if TYPE_CHECKING:
    from ..analysis.decoder import Mirror
    from ..reference.identity import Identity

Axes = Sequence[tuple[AxisInversion, SizeInversion]]
"""Every axis of the layer with the size that it gives back."""

WIDEST_PICTURE = 32
"""Positions that a picture may have on a line."""
AFTER_ZEROS = 2
"""Where the page goes on behind the section of the inserted zeros."""
LETTERS = "abcdefgh"
COMMENT_WIDTH = 78


def inversion_document(inversion: Inversion, verified: Sequence[Identity] = ()) -> Document:
    """The page: once for all axes where they agree, else axis by axis."""
    pairs = list(zip(inversion.axes, inversion.sizes, strict=True))
    page: list[Section] = []
    if inversion.axes_agree:
        axis, sizes = pairs[0]
        page += _axis_sections(axis, sizes, f"Undoing the shape of a convolution: {_named(axis)}", "", level=1)
    else:
        for number, (axis, sizes) in enumerate(pairs):
            title, where = f"Axis {number}: {_named(axis)}", f" (axis {number})"
            page += _axis_sections(axis, sizes, title, where, level=2 if number else 1)
    layer = [(axis, sizes[-1]) for axis, sizes in pairs]
    square = layer * 2 if len(layer) == 1 else layer
    plane = _plane([axis for axis, _ in square[:2]])
    if plane:
        below = AFTER_ZEROS if inversion.axes_agree else len(page)
        page.insert(below, _section("Over two axes, at the first step", (_formulas(plane),)))
    backs = sorted({f"{size.size} back from {size.conv_output}" for _, size in layer})
    page.append(_section(f"In the frameworks ({len(square)}-d): {', '.join(backs)}", framework_blocks(square)))
    page.append(_overlap_section([axis for axis, _ in square]))
    if verified:
        page.append(_verified_section(verified))
    return Document(tuple(page), PAGE)


def _section(title: str, blocks: tuple[Block, ...], level: int = 2) -> Section:
    return Section(title, blocks, level, bare=True)


def _formulas(lines: Sequence[str]) -> Code:
    return Code(tuple(lines), displayed=True)


def _numbers(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    return Table(tuple(Column(text, "right") for text in header), rows, bare=True)


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


def _axis_sections(
    axis: AxisInversion, sizes: Sequence[SizeInversion], title: str, where: str, level: int
) -> list[Section]:
    letters = _Letters(axis)
    k, p = letters.kernel, letters.padding
    return [
        _section(
            title,
            (
                _formulas(
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
            level,
        ),
        _section(f"As zeros and an ordinary convolution{where}", _zero_blocks(axis)),
        _section(f"Which sizes come back{where}", _size_blocks(axis, sizes)),
        _section(f"Proof, with {sizes[-1].size}{where}", (_formulas(_proof(axis, sizes[-1])),)),
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
        _formulas([f"{rule:<{width}}   {meaning}" for rule, meaning in lines]),
        Paragraph(
            "Insert the zeros, pad (output_padding adds to the side after), and convolve at stride 1 with the "
            "flipped kernel:"
        ),
        _formulas(zero_insertion(axis)),
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


def _plane(axes: Sequence[AxisInversion]) -> list[str]:
    """The zeros, the padding and the window over two axes; nothing where they have no room."""
    windows = [TransposedWindow(a.kernel_size, a.stride, a.before, a.after, a.dilation) for a in axes]
    try:
        given = [given_axis(window) for window in windows]
        return plane_lines(Drawn("", "transposed convolution", drawn_axes(given)), counted=False)
    except UsageError:
        return []


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
    table = _numbers(("input", "output", "remainder", "back without", "output_padding", "back"), rows)
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
    return _section(
        "Verified" if all(found.holds for found in verified) else "NOT verified",
        (Paragraph(text), _numbers(("input", "output", "<C x, y>", "<x, C^T y>", "scatter", "zero insertion"), rows)),
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
        if outputs >= 1 and stop - first <= WIDEST_PICTURE:
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


def framework_blocks(axes: Axes) -> tuple[Block, ...]:
    """The three layers, each followed by what its framework does differently."""
    return (*_torch(axes), *_keras(axes), *_onnx(axes))


def _torch(axes: Axes) -> list[Block]:
    rank = len(axes)
    layers = [torch_transposed(inverse(axis, size)) for axis, size in axes]
    call = _call(
        f"nn.ConvTranspose{rank}d",
        ["c_in", "c_out", _one_or_tuple([axis.kernel_size for axis, _ in axes])],
        stride=_unless(1, [axis.stride for axis, _ in axes]),
        padding=_unless(0, [layer.padding for layer in layers]),
        output_padding=_unless(0, [layer.output_padding for layer in layers]),
        dilation=_unless(1, [axis.dilation for axis, _ in axes]),
    )
    if any(sum(layer.cut) for layer in layers):
        cuts = ", ".join(f"{-before}, {-after}" for before, after in (layer.cut for layer in reversed(layers)))
        return [
            Code(("# PyTorch", *_broken(f"up = {call}"), f"x = F.pad(up(y), ({cuts}))"), "python"),
            Paragraph(
                "PyTorch's layer takes one padding for both sides of an axis: `F.pad` with negative numbers cuts "
                "the rest off (last axis first)."
            ),
        ]
    lines = ["# PyTorch", *_broken(f"up = {call}")]
    if any(axis.before != axis.after for axis, _ in axes):
        why = "PyTorch's layer takes one padding for both sides of an axis; output_padding takes up the difference."
        return [Code(tuple(lines), "python"), Paragraph(why)]
    if any(axis.stride > 1 for axis, _ in axes):
        lines.append(f"# any size of the family: up(y, output_size=x.shape[-{rank}:])")
    return [Code(tuple(lines), "python")]


def _keras(axes: Axes) -> list[Block]:
    windows = [inverse(axis, size) for axis, size in axes]
    if keras_refuses(windows):
        return [Paragraph("Keras has no such layer: it refuses strides above 1 with a dilation_rate above 1.")]
    rank = len(axes)
    same = [keras_same(axis, size) for axis, size in axes]
    fits = [option for option in same if option is not None]
    returns_size = len(fits) == rank and len({option.output_padding is None for option in fits}) == 1
    wanted = [(axis.before, axis.after - size.output_padding) for axis, size in axes]
    if returns_size and [option.crop for option in fits] == wanted:
        call = _keras_call(axes, '"same"', [option.output_padding for option in fits])
        return [Code(("# Keras", *_broken(f"up = {call}")), "python")]
    valid = keras_valid(windows)
    call = _keras_call(axes, None, [option.output_padding for option in valid])
    lines = ["# Keras", *_broken(f"up = {call}")]
    if any(sum(option.cut) for option in valid):
        cuts = ", ".join(f"({before}, {after})" for before, after in (option.cut for option in valid))
        lines.append(f"x = keras.layers.Cropping{rank}D({cuts if rank == 1 else f'({cuts})'})(up(y))")
    blocks: list[Block] = [Code(tuple(lines), "python")]
    if returns_size:
        sizes = _one_or_tuple([size.size for _, size in axes])
        blocks.append(
            Paragraph(
                f'Keras\'s `padding="same"` returns {sizes} too, but crops {_crops([o.crop for o in fits])} where this '
                f"layer crops {_crops(wanted)}: the same shape, with its values shifted."
            )
        )
    return blocks


def _keras_call(axes: Axes, padding: str | None, output_padding: list[int | None]) -> str:
    numbers = [value for value in output_padding if value is not None]
    return _call(
        f"keras.layers.Conv{len(axes)}DTranspose",
        ["filters", _one_or_tuple([axis.kernel_size for axis, _ in axes])],
        strides=_unless(1, [axis.stride for axis, _ in axes]),
        padding=padding,
        output_padding=_one_or_tuple(numbers) if numbers else None,
        dilation_rate=_unless(1, [axis.dilation for axis, _ in axes]),
    )


def _onnx(axes: Axes) -> list[Block]:
    layers = [onnx_transposed(inverse(axis, size)) for axis, size in axes]
    call = _call(
        "onnx.helper.make_node",
        ['"ConvTranspose"', '["y", "W"]', '["x"]'],
        kernel_shape=str([axis.kernel_size for axis, _ in axes]),
        strides=str([axis.stride for axis, _ in axes]),
        pads=str([layer.before for layer in layers] + [layer.after for layer in layers]),
        output_padding=str([layer.output_padding for layer in layers]),
        dilations=str([axis.dilation for axis, _ in axes]),
    )
    return [Code(("# ONNX", *_broken(f"node = {call}")), "python")]


def _call(function: str, arguments: list[str], **named: str | None) -> str:
    """A call, its named arguments without those that are None."""
    return (
        f"{function}({', '.join([*arguments, *(f'{n}={value}' for n, value in named.items() if value is not None)])})"
    )


def _one_or_tuple(values: Sequence[int]) -> str:
    """One number where all axes agree, else a tuple."""
    return str(values[0]) if len(set(values)) == 1 else str(tuple(values))


def _unless(default: int, values: Sequence[int]) -> str | None:
    return None if set(values) == {default} else _one_or_tuple(values)


def _crops(crops: Sequence[tuple[int, int]]) -> str:
    return str(crops[0]) if len(set(crops)) == 1 else ", ".join(map(str, crops))


def _broken(call: str, width: int = 78) -> list[str]:
    """A call over as many lines as it needs, broken between its named arguments."""
    lines, rest = [], call
    while len(rest) > width and (cut := max((i for i in range(width) if _breaks(rest, i)), default=0)):
        lines.append(rest[:cut])
        rest = f"    {rest[cut + 1 :]}"
    return [*lines, rest]


def _breaks(call: str, index: int) -> bool:
    """Whether a line may end at this blank: it follows a comma and a named argument comes next."""
    name = call[index + 1 :].partition("=")[0]
    return call[index] == " " and call[index - 1] == "," and name.isidentifier()


def _overlap_section(axes: Sequence[AxisInversion]) -> Section:
    """Whether the overlap is even on every axis, and if not, a picture of the first two and what would mend it."""
    title = "Overlap (checkerboard)"
    uneven = [axis for axis in dict.fromkeys(axes) if not axis.uniform_overlap]
    if not uneven:
        product = " x ".join(str(axis.overlap[0]) for axis in axes)
        text = f"Even: every interior output gets {product} contributions, for the stride divides the kernel."
        return _section(title, (Paragraph(text),))
    why = "; ".join(_cause(axis) for axis in uneven)
    bare = " Those with 0 get the bias alone." if any(0 in axis.overlap for axis in uneven) else ""
    return _section(
        title,
        (
            Paragraph(
                f"{why[0].upper()}{why[1:]}: interior outputs get unequal numbers of contributions.{bare} "
                "A patch of the interior, from a multiple of the stride on:"
            ),
            _formulas(overlap_pattern(axes[0], axes[1])),
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


def decoder_text(mirror: Mirror) -> str:
    """A mirrored decoder as the text of a spec, under comments that name the layers without an answer."""
    import textwrap

    from ..language.write import write
    from ..terminal import printable

    comments = [line for text in mirror.summary() for line in textwrap.wrap(printable(text), COMMENT_WIDTH)]
    return "".join(f"# {line}\n" for line in comments) + write(mirror.network)
