"""Small sweeps for tests: a spec that builds in a moment, and does not build for some of its params."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.sweep.chunks import Chunk
from convcalc.sweep.plan import Plan

SPEC = """\
convcalc: 1
name: Small
input: [3, 16, 16]
params: {width: 8, kernel: 3, depths: [1, 1]}
layers:
  - conv2d: {out_channels: width, kernel_size: kernel}
  - {conv2d: {out_channels: 2 * width, kernel_size: 3, stride: 1}, repeat: "depths[0]"}
"""

GRID = ("width=4:40:4", "kernel=1,3,9,15,17")
"""Fifty candidates; a kernel of 17 does not fit into the input, and 15 leaves nothing for the next layer."""


def small_plan(**words: Any) -> Plan:
    """A plan over the small spec."""
    plan = Plan("small.yaml", SPEC, **{"grid": GRID, **words})
    plan.validate()
    return plan


def made_chunk(plan: Plan, start: int, stop: int, figures: Sequence[Sequence[Any]]) -> Chunk:
    """A chunk with made-up figures, one row a candidate, all of which fit."""
    values = [[0] * (stop - start) for _ in plan.space.names]
    columns = [list(column) for column in zip(*figures, strict=True)]
    return Chunk(start, stop, list(range(start, stop)), values, columns, [True] * (stop - start), [])
