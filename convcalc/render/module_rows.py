"""The modules of a PyTorch model as the lines that `summary` prints: a row each, and the totals below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import ceil, prod
from typing import NamedTuple

from ..torch.rows import Row

NONE = "--"
RECURSIVE = "(recursive)"
INDENT = 5
NAME_WIDTH = 40


class Look(NamedTuple):
    """What is shown, and how."""

    columns: Sequence[str]
    width: int = 25
    depth: int = 3
    rows: Collection[str] = ("depth",)
    weights: bool = False
    """A line for each parameter too."""


class Totals(NamedTuple):
    """What stands below the rows."""

    params: int
    trainable: int
    mult_adds: int
    input_bytes: int
    output_bytes: int
    param_bytes: int


def _percent(row: Row, look: Look, totals: Totals) -> str:
    if row.recursive and row.params:
        return RECURSIVE
    params = _params_of(row, look)
    return f"{params / totals.params:7.2%}" if params and totals.params else f"{NONE:>7}"


def _params_of(row: Row, look: Look) -> int:
    """What a row shows of its parameters: all where nothing below it is shown, else what no row below has."""
    return row.params if row.leaf or row.depth == look.depth else max(row.own, 0)


def _params(row: Row, look: Look, totals: Totals) -> str:
    if row.recursive and row.params:
        return RECURSIVE
    params = _params_of(row, look)
    if not params:
        return NONE
    return f"{params:,}" if row.trainable else f"({params:,})"


def _mult_adds(row: Row, look: Look, totals: Totals) -> str:
    macs = row.macs_below if row.depth == look.depth else row.macs
    return f"{macs:,}" if macs else NONE


def _trainable(row: Row, look: Look, totals: Totals) -> str:
    if not row.params:
        return NONE
    return "True" if row.trainable == row.params else "Partial" if row.trainable else "False"


def _shape(shapes: Sequence[Sequence[int]]) -> str:
    return str(list(shapes[0])) if shapes else NONE


COLUMNS: dict[str, tuple[str, Callable[[Row, Look, Totals], str]]] = {
    "input_size": ("Input Shape", lambda row, look, totals: _shape(row.inputs)),
    "output_size": ("Output Shape", lambda row, look, totals: _shape(row.outputs)),
    "num_params": ("Param #", _params),
    "params_percent": ("Param %", _percent),
    "kernel_size": ("Kernel Shape", lambda row, look, totals: _shape([row.kernel_size] if row.kernel_size else ())),
    "groups": ("Groups", lambda row, look, totals: NONE if row.groups is None else str(row.groups)),
    "mult_adds": ("Mult-Adds", _mult_adds),
    "trainable": ("Trainable", _trainable),
}
"""Column -> its heading, and its cell."""
NEED_A_RUN = frozenset({"input_size", "output_size", "mult_adds"})
ROWS = ("depth", "var_names", "ascii_only", "hide_recursive_layers")


def module_lines(rows: Sequence[Row], totals: Totals, look: Look, ran: bool) -> list[str]:
    """The whole text, line by line; `ran` says whether the model was run, so that there are shapes."""
    labels = [_label(row, look) for row in rows]
    longest = max((len(label) + row.depth * INDENT + 1 for label, row in zip(labels, rows, strict=True)), default=0)
    name_width = max(NAME_WIDTH, ceil(longest / INDENT) * INDENT)
    rule = "=" * (name_width + look.width * len(look.columns))

    def line(label: str, cells: Sequence[str]) -> str:
        return " ".join([f"{label:<{name_width}}", *(f"{cell:<{look.width}}" for cell in cells)]).rstrip()

    heading = f"type{' (var_name)' if 'var_names' in look.rows else ''}{':depth-idx' if 'depth' in look.rows else ''}"
    lines = [rule, line(f"Layer ({heading})", [COLUMNS[name][0] for name in look.columns]), rule]
    for row, label in zip(rows, labels, strict=True):
        if row.depth > look.depth or (row.recursive and "hide_recursive_layers" in look.rows):
            continue
        cells = [COLUMNS[name][1](row, look, totals) for name in look.columns]
        lines.append(line(_start(row.depth, look) + label, cells))
        if look.weights:
            lines += [line(_start(row.depth + 1, look) + name, _weight(shape, look)) for name, shape in row.weights]
    lines += [rule, f"Total params: {totals.params:,}", f"Trainable params: {totals.trainable:,}"]
    lines.append(f"Non-trainable params: {totals.params - totals.trainable:,}")
    if ran:
        lines += _costs(totals, rule)
    return [*lines, rule]


def _costs(totals: Totals, rule: str) -> list[str]:
    unit, factor = next((pair for pair in (("T", 1e12), ("G", 1e9)) if totals.mult_adds >= pair[1]), ("M", 1e6))
    sizes = (totals.input_bytes, totals.output_bytes, totals.param_bytes)
    names = ("Input size", "Forward/backward pass size", "Params size", "Estimated Total Size")
    mega = [f"{name} (MB): {size / 1e6:.2f}" for name, size in zip(names, (*sizes, sum(sizes)), strict=True)]
    return [f"Total mult-adds ({unit}): {totals.mult_adds / factor:,.2f}", rule, *mega]


def _label(row: Row, look: Look) -> str:
    name = row.name or row.cls
    label = f"{row.cls} ({name})" if "var_names" in look.rows else row.cls
    return f"{label}: {row.depth}-{row.index}" if "depth" in look.rows and row.depth else label


def _start(depth: int, look: Look) -> str:
    plain = "ascii_only" in look.rows
    if depth < 2:
        return ("+ " if plain else "├─") * depth
    return ("|    " if plain else "│    ") * (depth - 1) + ("+ " if plain else "└─")


def _weight(shape: Sequence[int], look: Look) -> list[str]:
    cells = {"num_params": f"{prod(shape):,}", "kernel_size": str(list(shape))}
    return [cells.get(name, "") for name in look.columns]
