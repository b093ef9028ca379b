"""`solve` as text, Markdown or CSV: the layers that map one size to another."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..geometry.solve import Search, Solution
from .page import Block, Paragraph, Section, Table, as_markdown, as_text


def solutions_text(search: Search, found: Sequence[Solution], total: int) -> str:
    """The first solutions for a terminal; `total` says how many there are."""
    return as_text([_section(search, found, total)])


def solutions_markdown(search: Search, found: Sequence[Solution], total: int) -> str:
    """The same as Markdown."""
    return as_markdown([_section(search, found, total)])


def solutions_csv(search: Search, found: Sequence[Solution]) -> str:
    """One solution a line; with several axes a cell holds one number an axis, between commas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("kernel", "stride", "padding", "dilation", _rest_name(search)))
    writer.writerows(_cells(solution) for solution in found)
    return out.getvalue()


def _section(search: Search, found: Sequence[Solution], total: int) -> Section:
    kind = "transposed convolution" if search.transposed else "convolution"
    exact = f" with {_rest_name(search)} 0" if search.exact else ""
    title = f"{_sizes(search.input)} -> {_sizes(search.output)}: {total} {kind}{'' if total == 1 else 's'}{exact}"
    if not total:
        return Section(title, _nothing(search))
    rows = tuple(_cells(solution) for solution in found)
    blocks: list[Block] = [Table(("kernel", "stride", "padding", "dilation", _rest_name(search)), rows)]
    if len(found) < total:
        blocks.append(Paragraph(f"The {len(found)} most usual of {total}; `--limit 0` shows all."))
    if search.transposed:
        rule = "`o = (i - 1)s - P + K + output_padding`, with `K = d(k - 1) + 1`, `P` the padding of both sides"
        blocks.append(Paragraph(f"{rule} and an output_padding below the stride."))
    else:
        rule = "`i - s*o + 1 <= K - P <= i - s(o - 1)`, with `K = d(k - 1) + 1` and `P` the padding of both sides"
        blocks.append(Paragraph(f"{rule}; the remainder is the output_padding that gives the input's size back."))
    return Section(title, tuple(blocks))


def _nothing(search: Search) -> tuple[Block, ...]:
    padding = "0 to K - 1" if search.padding is None else _span(search.padding)
    sought = (
        f"Sought: kernel {_span(search.kernel)}, stride {_span(search.stride)}, padding {padding}, "
        f"dilation {_span(search.dilation)}."
    )
    grows = all(o > i for i, o in zip(search.input, search.output, strict=True))
    shrinks = all(o < i for i, o in zip(search.input, search.output, strict=True))
    if grows and not search.transposed:
        return (Paragraph(f"{sought} The size grows: `--transpose` looks for transposed convolutions."),)
    if shrinks and search.transposed:
        return (Paragraph(f"{sought} The size shrinks: without `--transpose` it looks for convolutions."),)
    return (Paragraph(f"{sought} A wider range (`--k 1..64`) may hold one."),)


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
