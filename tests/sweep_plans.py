"""Small sweeps for tests: a spec that builds in a moment, and does not build for some of its params."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from convcalc.sweep.chunks import Chunk
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Row, Store

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


def rows_of(plan: Plan, **how: object) -> list[Row]:
    """All rows of a plan that is carried out in memory."""
    with Store.memory(plan) as store:
        sweep(plan, store=store, **how)  # type: ignore[arg-type]
        assert store.finished()
        return list(store.rows())


@cache
def large_plan() -> Plan:
    """Some seconds of work, some of whose candidates do not build."""
    return small_plan(grid=("width=1:1000", "kernel=1,3,5,7,9,17"), where=("macs<=3M",))


@cache
def large_rows() -> list[Row]:
    """The rows of the large plan, worked out by this process alone."""
    return rows_of(large_plan())
