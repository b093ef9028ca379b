"""Blocks that contain themselves, and how many steps an expansion takes: both known before anything is expanded."""

from __future__ import annotations

from collections.abc import Iterator

from .items import Block, Call, Group, Item, Join
from .problems import Findings

CEILING = 10**12
"""Sizes are counted up to here: far above every limit."""


def check_recursion(blocks: dict[str, Block], items: list[Item], findings: Findings) -> None:
    """Find blocks that contain themselves; without any, set the sizes of all items and what the layers reach."""
    calls = {name: list(_calls(block.items)) for name, block in blocks.items()}
    finished: list[str] = []
    state: dict[str, bool] = {}
    for start in blocks:
        if start in state:
            continue
        state[start] = False
        trail = [(start, iter(calls[start]))]
        while trail:
            name, rest = trail[-1]
            item = next(rest, None)
            if item is None:
                state[name] = True
                finished.append(name)
                trail.pop()
                continue
            assert isinstance(item.what, Call)
            inner = item.what.block.name
            if inner not in state:
                state[inner] = False
                trail.append((inner, iter(calls[inner])))
            elif not state[inner]:
                names = [entry for entry, _ in trail]
                circle = " > ".join([*names[names.index(inner) :], inner])
                hint = "a block cannot stand inside itself; use repeat for a fixed number of times"
                findings.add("CC110", f"the block {inner} contains itself: {circle}", item.at, hint, name)
    if findings.all:
        return
    memo: dict[int, int] = {}
    for name in finished:
        blocks[name].size = _measure(blocks[name].items, memo)
    _measure(items, memo)
    reached = list(_calls(items))
    while reached:
        call = reached.pop().what
        assert isinstance(call, Call)
        if not call.block.called:
            call.block.called = True
            reached += calls[call.block.name]


def _lists(item: Item) -> list[list[Item]]:
    what = item.what
    if isinstance(what, Group):
        return [what.items]
    return [branch.items for branch in what.branches] if isinstance(what, Join) else []


def _calls(items: list[Item]) -> Iterator[Item]:
    """The calls of blocks among items and inside their groups and branches."""
    stack, seen = [items], set()
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for item in current:
            if isinstance(item.what, Call):
                yield item
            else:
                stack += _lists(item)


def _measure(items: list[Item], memo: dict[int, int]) -> int:
    """Expansion steps of a list, computed repetitions counted once; as deep as the text is nested."""
    found = memo.get(id(items))
    if found is None:
        found = 0
        for item in items:
            if isinstance(item.what, Call):
                item.size = 1 + item.what.block.size
            elif not item.plain:
                lists = _lists(item)
                item.size = 1 + sum(_measure(inner, memo) + 1 for inner in lists)
            constant = item.repeat[0] if item.repeat is not None else 1
            found += item.size * constant if type(constant) is int else item.size
        found = memo[id(items)] = min(found, CEILING)
    return found
