"""The modules of a model as rows: what one printed line says of one call of a module."""

from __future__ import annotations

from dataclasses import dataclass

from .tape import Shape


@dataclass(slots=True)
class Row:
    """One call of a module, or a container of modules that is not called itself."""

    name: str
    """The last part of its path: `conv1`."""
    cls: str
    depth: int
    """0 for the model."""
    leaf: bool
    """Whether it holds no other modules."""
    params: int
    """All that it holds, each once."""
    trainable: int
    param_bytes: int
    kernel_size: Shape | None = None
    groups: int | None = None
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    output_bytes: int = 0
    macs: int = 0
    """Of the calls that it makes itself, not in modules below."""
    recursive: bool = False
    """Whether a row before shows the same module."""
    weights: tuple[tuple[str, Shape], ...] = ()
    """Its own parameters."""
    index: int = 0
    """Which row of its depth it is, from 1."""
    own: int = 0
    """Parameters that no row below it shows; of a leaf all of them."""
    macs_below: int = 0
    """Of all calls in it."""


def numbered(rows: list[Row]) -> list[Row]:
    """The rows with what follows from their order: their numbers, and what they have beside the rows below them."""
    counts: dict[int, int] = {}
    stack: list[Row] = []
    for row in rows:
        counts[row.depth] = counts.get(row.depth, 0) + 1
        row.index = counts[row.depth]
        row.own, row.macs_below = row.params, row.macs
        while stack and stack[-1].depth >= row.depth:
            stack.pop()
        for above in stack:
            above.macs_below += row.macs
        if stack and not row.recursive:
            stack[-1].own -= row.params
        stack.append(row)
    return rows
