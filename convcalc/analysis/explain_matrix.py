"""A convolution as products of matrices, on numbers: im2col, the sum over channels, C and its transpose."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..layers.conv import ConvTranspose
from ..network import sizes
from .explanation import Display, Matrix, Section, Step
from .multiplications import effective_macs
from .small_layer import map_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..layers.base import Shape
    from ..layers.conv import Conv
    from .small_layer import Integers, SmallLayer

IM2COL = "Chellapilla, Puri & Simard 2006, High performance convolutional neural networks for document processing"
ADJOINT = "Dumoulin & Visin 2016, arXiv:1603.07285, sections 4.1 and 4.2"
SHOWN = 4
"""Channels whose numbers are written out."""


class Products(NamedTuple):
    """The numbers of a small layer's products: what `--matrix` prints, and what the reference confirms."""

    columns: Integers
    """Of a convolution im2col(X), of a transposed one what col2im adds up: [groups, B/groups·taps, positions]."""
    c: Integers
    """The matrix C of the convolution: [A·positions, B·space]."""
    linear: Integers
    """The output without the biases, as the layer has it."""
    back: Integers
    """The output without the biases brought back by the transpose of the layer's matrix: the shape of the input."""


def products(small: SmallLayer) -> Products:
    """The products of a small layer on the numbers 1, 2, 3, …"""
    found, x, w = small.map, small.x(), small.w()
    c = found.matrix(w)
    here, back = (c.T, c) if small.transposed else (c, c.T)
    if small.transposed:
        values = x.reshape(found.groups, len(x) // found.groups, -1)
        columns = found.rows(w).swapaxes(1, 2) @ values
    else:
        columns = found.im2col(x)
    linear = here @ x.reshape(-1)
    return Products(columns, c, linear.reshape(small.output), (back @ linear).reshape(small.shape))


def matrix_sections(
    small: SmallLayer, made: Products, layer: Conv | ConvTranspose, shape: Shape, output: Shape
) -> tuple[Section, ...]:
    """What `--matrix` says of a layer from `shape` to `output`: its sizes, and the numbers of it as a small one."""
    return (
        _sizes(layer, shape, output),
        _numbers(small),
        *(_transposed_product(small, made) if small.transposed else _product(small, made)),
        _channels(small),
        _whole(small, made),
    )


def _sizes(layer: Conv | ConvTranspose, shape: Shape, output: Shape) -> Section:
    """How large the matrices of the whole layer are."""
    found = map_of(layer, shape, output)
    groups = found.groups
    outputs, rows = found.narrow[0] // groups, found.wide[0] // groups * prod(found.kernel[2:])
    columns = prod(found.narrow[1:])
    factors = "*".join(map(str, (found.wide[0] // groups, *found.kernel[2:])))
    places = "*".join(map(str, found.narrow[1:]))
    each = "" if groups == 1 else f"; one product for each of {groups} groups"
    transposed = isinstance(layer, ConvTranspose)
    steps = [_size("vec(K)", outputs, rows, f"one row a channel; {factors} = {rows}{each}")]
    if transposed:
        said = f"one column a position of the input; {places} = {columns}"
        steps.append(_size("vec(X)", outputs, columns, said))
        steps.append(_size("vec(K)^T · vec(X)", rows, columns, "columns, which col2im adds up", IM2COL))
    else:
        said = f"one column a position of the output; {places} = {columns}"
        steps.append(_size("im2col(X)", rows, columns, said, IM2COL))
        steps.append(_size("vec(K) · im2col(X)", outputs, columns, "vec(Y)"))
    narrow, wide = prod(found.narrow), prod(found.wide)
    filled = effective_macs(layer, (shape,), output)
    real = f"; {filled:,} of {narrow * wide:,} are not 0" if found.mode == "zeros" else ""
    kinds = ("inputs × outputs", "outputs × inputs") if transposed else ("outputs × inputs", "inputs × outputs")
    steps.append(_size("C", narrow, wide, f"{kinds[0]}{real}"))
    steps.append(_size("C^T", wide, narrow, f"{kinds[1]}{'; this layer' if transposed else ''}", ADJOINT))
    return Section("as products of matrices", tuple(steps))


def _size(name: str, rows: int, columns: int, note: str = "", source: str = "") -> Step:
    return Step(name, f"{rows} × {columns}", note=note, source=source)


def given_matrices(small: SmallLayer) -> Display:
    """The input and the kernels."""
    w = small.w()
    kernels = [part for a in range(1, len(w[:SHOWN]) + 1) for part in kernel_matrices(small, a, w[a - 1])]
    return (*channel_matrices("X", small.x()), *_cut(kernels, len(w)))


def _numbers(small: SmallLayer) -> Section:
    """The input, the kernel and the biases."""
    biases: Display = (column("b", small.b()),) if small.layer.bias else ()
    return Section(on_numbers(small), (), matrices=((*given_matrices(small), *biases),))


def on_numbers(small: SmallLayer) -> str:
    """The heading of what is written out: whether it is the layer, or its window on a smaller input."""
    shapes = " -> ".join(map(sizes, (small.shape, small.output)))
    return "on numbers" if small.whole else f"on numbers: its window on {shapes}, since the whole is too large"


def channel_matrices(name: str, array: Integers) -> Display:
    """The channels of [channels, *space], the first of them, each under its number."""
    parts = [picture(channel_name(name, array, n), one) for n, one in enumerate(array[:SHOWN], start=1)]
    return _cut(parts, len(array))


def channel_name(name: str, array: Integers, number: int) -> str:
    """The name of one channel of [channels, *space], counted from 1: with its number where there are several."""
    return name if len(array) == 1 else f"{name}_{number}"


def _cut(parts: Iterable[Matrix | str], count: int) -> Display:
    """Matrices of the first channels, with a sign for those of `count` that are left out."""
    return (*parts, *["..."] * (count > SHOWN))


def kernel_matrices(small: SmallLayer, a: int, kernels: Integers, of: str = "") -> Display:
    """The kernels of channel `a` (from 1) of the map's narrow side, or what `of` stands before: their gradients."""
    parts = [picture(f"{of}{kernel_name(small, a, j)}", one) for j, one in enumerate(kernels[:SHOWN], start=1)]
    return _cut(parts, len(kernels))


def kernel_name(small: SmallLayer, a: int, j: int) -> str:
    """The name of the kernel of channel `a` of the narrow side and channel `j` of the wide side of its group.

    K_i,j connects channel j of the input with channel i of the output; one alone is K.
    """
    found = small.map
    if found.kernel[:2] == (1, 1):
        return "K"
    per_group = found.narrow[0] // found.groups
    other = (a - 1) // per_group * found.kernel[1] + j
    return f"K_{other},{a}" if small.transposed else f"K_{a},{other}"


def picture(name: str, array: Integers) -> Matrix:
    """The numbers of one channel: a row, an image, or the slices of a volume below each other."""
    return matrix(name, array.reshape(-1, array.shape[-1]))


def matrix(name: str, rows: Iterable[Sequence[int]], sparse: bool = False) -> Matrix:
    """A matrix of whole numbers."""
    return Matrix(name, tuple(tuple(int(number) for number in row) for row in rows), sparse)


def column(name: str, numbers: Integers) -> Matrix:
    """A vector of whole numbers."""
    return matrix(name, numbers.reshape(-1, 1))


def _product(small: SmallLayer, made: Products) -> tuple[Section, ...]:
    found, groups = small.map, small.map.groups
    rows = found.rows(small.w())
    y = small.forward().reshape(groups, found.narrow[0] // groups, -1)
    bias = small.b().reshape(groups, -1, 1)
    shown = []
    for g in range(min(groups, 2)):
        of = "" if groups == 1 else f", group {g + 1}"
        added: Display = ("+", matrix("b", bias[g])) if small.layer.bias else ()
        shown.append(
            (
                matrix(f"vec(K){of}", rows[g]),
                "·",
                matrix("im2col(X)", made.columns[g]),
                *added,
                "=",
                matrix("vec(Y)", y[g]),
            )
        )
    _, height, width = made.columns.shape
    sizes = _size("im2col(X)", height, width, "each column is what one window reads, row by row")
    return (Section("im2col, and one product of matrices", (sizes,), matrices=tuple(shown)),)


def _transposed_product(small: SmallLayer, made: Products) -> tuple[Section, ...]:
    found, groups = small.map, small.map.groups
    rows = found.rows(small.w()).swapaxes(1, 2)
    x = small.x().reshape(groups, len(small.x()) // groups, -1)
    shown = []
    for g in range(min(groups, 2)):
        of = "" if groups == 1 else f", group {g + 1}"
        shown.append(
            (matrix(f"vec(K)^T{of}", rows[g]), "·", matrix("vec(X)", x[g]), "=", matrix("columns", made.columns[g]))
        )
    added = " and b to all" if small.layer.bias else ""
    note = Step("Y", "col2im(columns)", note=f"each column is added where im2col would read it{added}")
    back = channel_matrices("Y", small.forward())
    return (
        Section("one product of matrices", (), matrices=tuple(shown)),
        Section("col2im", (note,), matrices=(back,)),
    )


def _channels(small: SmallLayer) -> Section:
    """Y_i = Σ_j X_j * K_i,j + b_i, with the numbers of every channel."""
    found, x, w, y, b = small.map, small.x(), small.w(), small.forward(), small.b()
    sign, per_group = ("*^T" if small.transposed else "*"), len(x) // found.groups
    shown: list[Display] = []
    for i in range(min(len(y), SHOWN)):
        group = i // (len(y) // found.groups)
        parts: list[Matrix | str] = []
        for j in range(group * per_group, (group + 1) * per_group):
            if j - group * per_group == SHOWN:
                parts += ["+", "..."]
                break
            ends = (j, i % (len(y) // found.groups)) if small.transposed else (i, j % per_group)
            name = kernel_name(small, ends[0] + 1, ends[1] + 1)
            parts += ["+"] * bool(parts)
            parts += [picture(channel_name("X", x, j + 1), x[j]), sign, picture(name, w[ends])]
        if small.layer.bias:
            parts += ["+", str(b[i])]
        shown.append((*parts, "=", picture(channel_name("Y", y, i + 1), y[i])))
    rule = f"sum over j of X_j {sign} K_i,j{' + b_i' if small.layer.bias else ''}"
    note = "b_i is one number, the same for every position" if small.layer.bias else ""
    return Section("channel by channel", (Step("Y_i", rule, note=note),), matrices=tuple(shown))


def _whole(small: SmallLayer, made: Products) -> Section:
    """C and Cᵀ side by side, and what each makes of a vector."""
    c = made.c
    here, back = ("C^T", "C") if small.transposed else ("C", "C^T")
    by_name = {"C": matrix("C", c, sparse=True), "C^T": matrix("C^T", c.T, sparse=True)}
    x, y = small.x().reshape(-1), made.linear.reshape(-1)
    without = " without b" if small.layer.bias else ""
    returned = made.back.reshape(-1)
    same = bool((returned == x).all())
    steps = (
        _size("C", len(c), len(c.T)),
        _size("C^T", len(c.T), len(c), "the transposed convolution of the same window"),
        Step(f"{here} · vec(X)", f"vec(Y){without}"),
        Step(
            f"{back} · vec(Y)",
            f"has the shape of X, {sizes(small.shape)}",
            note="and here its values" if same else "not its values: no inverse",
        ),
    )
    shown: list[Display] = [
        (by_name["C"], by_name["C^T"]),
        (by_name[here], "·", column("vec(X)", x), "=", column("vec(Y)", y)),
        (
            by_name[back],
            "·",
            column("vec(Y)", y),
            "=",
            column("vec(X')", returned),
            "->",
            *channel_matrices("X'", made.back),
        ),
    ]
    return Section("the convolution as a matrix, the transposed one as its transpose", steps, matrices=tuple(shown))
