"""`solve` as a document: the layers that map one size to another."""

from __future__ import annotations

from collections.abc import Sequence

from ..geometry.solve import Search, Solution
from .document import PAGE, Block, Column, Document, Paragraph, Section, Table


def solutions_document(search: Search, found: Sequence[Solution], total: int) -> Document:
    """The solutions that are shown; `total` says how many there are."""
    kind = "transposed convolution" if search.transposed else "convolution"
    exact = f" with {_rest_name(search)} 0" if search.exact else ""
    title = f"{_sizes(search.input)} -> {_sizes(search.output)}: {total} {kind}{'' if total == 1 else 's'}{exact}"
    blocks = _solutions(search, found, total) if total else (_nothing(search),)
    return Document((Section(title, blocks, level=1, bare=True),), PAGE)


def _solutions(search: Search, found: Sequence[Solution], total: int) -> tuple[Block, ...]:
    blocks: list[Block] = [solutions_table(search, found)]
    if len(found) < total:
        blocks.append(Paragraph(f"The {len(found)} most usual of {total}; `--top all` shows all."))
    if search.transposed:
        rule = "`o = (i - 1)s - P + K + output_padding`, with `K = d(k - 1) + 1`, `P` the padding of both sides"
        blocks.append(Paragraph(f"{rule} and an output_padding below the stride."))
    else:
        rule = "`i - s*o + 1 <= K - P <= i - s(o - 1)`, with `K = d(k - 1) + 1` and `P` the padding of both sides"
        blocks.append(Paragraph(f"{rule}; the remainder is the output_padding that gives the input's size back."))
    return tuple(blocks)


def solutions_table(search: Search, found: Sequence[Solution]) -> Table:
    """One solution a row; with several axes a cell holds one number an axis, between commas."""
    columns = tuple(Column(name, "right") for name in ("kernel", "stride", "padding", "dilation", _rest_name(search)))
    return Table(columns, [_cells(solution) for solution in found], bare=True)


def _nothing(search: Search) -> Paragraph:
    padding = "0 to K - 1" if search.padding is None else _span(search.padding)
    sought = (
        f"Sought: kernel {_span(search.kernel)}, stride {_span(search.stride)}, padding {padding}, "
        f"dilation {_span(search.dilation)}."
    )
    grows = all(o > i for i, o in zip(search.input, search.output, strict=True))
    shrinks = all(o < i for i, o in zip(search.input, search.output, strict=True))
    if grows and not search.transposed:
        return Paragraph(f"{sought} The size grows: `--transposed` looks for transposed convolutions.")
    if shrinks and search.transposed:
        return Paragraph(f"{sought} The size shrinks: without `--transposed` it looks for convolutions.")
    return Paragraph(f"{sought} A wider range (`--k 1..64`) may hold one.")


def _cells(solution: Solution) -> tuple[str, ...]:
    before, after = solution.before, solution.after
    padding = str(before) if before == after else f"{before}:{after}"
    rest = ",".join(map(str, solution.leftover))
    return (str(solution.kernel_size), str(solution.stride), padding, str(solution.dilation), rest)


def _rest_name(search: Search) -> str:
    return "output_padding" if search.transposed else "remainder"


def _sizes(sizes: Sequence[int]) -> str:
    return ",".join(map(str, sizes))


def _span(values: range) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"
