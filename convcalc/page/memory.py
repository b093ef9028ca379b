"""Memory over the schedule: lifetimes of tensors as bars, what is alive, and where each lies in a planned arena."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.controller import Controller
from ..units import counted, scaled_bytes
from .svg import LETTER, cut, drawing, fitting, mark, write

if TYPE_CHECKING:
    from ..analysis.report import Report

WIDTH, WIDEST, NARROWEST = 1_060.0, 26.0, 1.5
"""Of the drawn schedule, and of one step of it."""
LEFT, RIGHT, TOP = 76.0, 12.0, 26.0
CURVE, ADDRESSES = 150.0, 320.0
"""Heights of the curve of what is alive, and of the arena."""
LANE, THICK = 15.0, 12.0
"""Of a bar, with the gap below it and without, as the style sheet has it."""
MOST_LANES = 60
"""Bars beside each other: where more are alive, the thinnest are left out."""
TICKS = 4
EVERY = tuple(part * 10**power for power in range(7) for part in (1, 2, 5))
"""Steps from one tick to the next, of which the first that has room is taken."""
MOST_LISTED = 200
"""Buffers of a table."""
MOST_BARS = 3_000
"""Bars of a drawing: what it can show is far less."""


class Bar(NamedTuple):
    """A tensor, from the step that fills it to the last that reads it."""

    label: str
    first: int
    last: int
    size: int
    lane: int
    at_peak: bool


class Alive(NamedTuple):
    """A tensor that is alive at the peak."""

    name: str
    shape: str
    bytes: int


class Placed(NamedTuple):
    """A buffer of the arena, and where it lies."""

    letters: str
    """What it is called in the drawing."""
    label: str
    bytes: int
    offset: int
    first: int
    last: int
    at_peak: bool
    between: bool


class Memory(NamedTuple):
    """What the page says of memory."""

    lifetimes: str
    """A drawing."""
    peak: int
    place: str
    """The layer at which most is alive."""
    alive: list[Alive]
    """The largest first."""
    arena: str
    """A drawing; empty where there are too many buffers to plan."""
    said: str
    """What the arena needs."""
    placed: list[Placed]
    """Its buffers in the order in which they are filled; of many the largest."""
    unlisted: int
    """How many more there are."""


class _Plot(NamedTuple):
    """Steps to the right, bytes upwards."""

    step: float
    height: float
    most: int

    def x(self, step: int) -> float:
        """The left side of a step."""
        return LEFT + step * self.step

    def y(self, size: int) -> float:
        """The height of a number of bytes."""
        return TOP + self.height * (1 - size / max(self.most, 1))

    def curve(self, sizes: Sequence[int]) -> str:
        """A staircase over the steps."""
        parts = [f"M{LEFT:g} {self.y(0):g}"]
        before = 0
        for step, size in enumerate(sizes):
            if size != before:
                parts.append(f"H{self.x(step):.1f}V{self.y(size):.1f}")
                before = size
        return "".join([*parts, f"H{self.x(len(sizes)):.1f}V{self.y(0):g}z"])

    def grid(self, steps: int) -> list[str]:
        """Lines at parts of the most, with their bytes."""
        marks = []
        for tick in range(TICKS + 1):
            size = self.most * tick // TICKS
            marks.append(mark("path", "grid", d=f"M{LEFT:g} {self.y(size):.1f}H{self.x(steps):.1f}"))
            marks.append(write(scaled_bytes(size), LEFT - 6, self.y(size) + 4, "end"))
        return marks


def memory(report: Report) -> Memory:
    """What is alive in a forward pass, and the arena, at the batch and the type of a report."""
    facts, nodes = report.liveness, report.network.nodes
    scale = report.batch * report.item
    placed = _placed(report)
    alive = [
        Alive(nodes[i].name, "×".join(map(str, nodes[i].shape)) or "[]", nodes[i].elements * scale)
        for i in facts.alive(facts.peak)
    ]
    return Memory(
        _lifetimes(report),
        facts.live[facts.peak] * scale,
        nodes[facts.peak].name,
        sorted(alive, key=lambda each: -each.bytes),
        _arena(report, placed),
        Controller(report).said().removeprefix("arena: "),
        sorted(sorted(placed, key=lambda each: -each.bytes)[:MOST_LISTED], key=lambda each: each.first),
        max(len(placed) - MOST_LISTED, 0),
    )


def bars(report: Report) -> list[Bar]:
    """The tensors of a forward pass, each in the first lane that is free; inputs live from the start."""
    facts, nodes = report.liveness, report.network.nodes
    scale, end = report.batch * report.item, len(nodes) - 1
    peak = set(facts.alive(facts.peak))
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    lanes = 0
    found = []
    for index, node in enumerate(nodes):
        if facts.storages[index] != index or not node.elements:
            continue
        first, last = 0 if node.layer is None else index, min(facts.last[index], end)
        while busy and busy[0][0] < first:
            heappush(free, heappop(busy)[1])
        if free:
            lane = heappop(free)
        else:
            lane, lanes = lanes, lanes + 1
        heappush(busy, (last, lane))
        found.append(Bar(node.name, first, last, node.elements * scale, lane, index in peak))
    return found


def _lifetimes(report: Report) -> str:
    """The curve of what is alive, and below it the bars of the tensors, over the same steps."""
    network, facts = report.network, report.liveness
    scale, steps = report.batch * report.item, len(network.nodes)
    live = [size * scale for size in facts.live]
    found = [bar for bar in bars(report) if bar.lane < MOST_LANES]
    found = sorted(sorted(found, key=lambda bar: -bar.size)[:MOST_BARS], key=lambda bar: bar.first)
    plot = _Plot(min(max(WIDTH / steps, NARROWEST), WIDEST), CURVE, max(live))
    below = TOP + CURVE + 28
    lanes = max([bar.lane for bar in found], default=0) + 1
    bottom = below + lanes * LANE
    largest = max([bar.size for bar in found], default=1)
    middle = plot.x(facts.peak) + plot.step / 2
    name = network.nodes[facts.peak].name
    marks = [
        *plot.grid(steps),
        *_stages(report, plot, bottom),
        mark("path", "area", d=plot.curve(live)),
        mark("path", "peak", d=f"M{middle:.1f} {TOP:g}V{bottom:.1f}"),
        _beside(f"peak {scaled_bytes(max(live))} at {cut(name, 360)}", middle, TOP - 6, plot.x(steps)),
    ]
    marks.append('<g class="lanes">')
    for bar in found:
        kind = f"{'p' if bar.at_peak else 'b'}{min(4 * bar.size // max(largest, 1), 3)}"
        x, width = plot.x(bar.first), (bar.last - bar.first + 1) * plot.step
        y = below + bar.lane * LANE
        said = f"{bar.label}: {scaled_bytes(bar.size)}"
        marks.append(mark("rect", kind, said, x=x, y=y, width=width))
        inside = fitting(bar.label, width - 4)
        if inside:
            marks.append(write(inside, x + 3, y + 9.5, "inside"))
    marks.append("</g>")
    width = plot.x(steps) + RIGHT
    said = f"Memory over {counted(steps, 'step')}: at most {max(live):,} bytes are alive, at {name}"
    return drawing(said, width, bottom + 8, marks)


def _stages(report: Report, plot: _Plot, bottom: float) -> list[str]:
    """Where the stages begin, with the names of those that have room."""
    marks, free = [], 0.0
    for stage in report.stages:
        x, room = plot.x(stage.nodes[0]), plot.step * len(stage.nodes)
        if room < 4:
            continue
        marks.append(mark("path", "stage", d=f"M{x:.1f} {TOP:g}V{bottom:.1f}"))
        text = fitting(stage.name, room - 6)
        if text and x >= free:
            marks.append(write(text, x + 2, TOP + CURVE + 14, "under"))
            free = x + LETTER * len(text)
    return marks


def _beside(text: str, x: float, y: float, end: float) -> str:
    """A text beside a line, on the side that has more room."""
    return write(text, x - 4, y, "end strong") if x > (LEFT + end) / 2 else write(text, x + 4, y, "strong")


def letters(number: int) -> str:
    """The name of a thing by its number: a to z, then aa, ab and so on.

    >>> letters(0), letters(25), letters(26), letters(27 * 26)
    ('a', 'z', 'aa', 'aaa')
    """
    found = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(ascii_lowercase))
        found = ascii_lowercase[letter] + found
    return found


def _placed(report: Report) -> list[Placed]:
    """The buffers that take room in the arena; none where there are too many to plan or to draw."""
    plan = report.arena
    if plan.offsets is None or len(plan.buffers) > MOST_BARS:
        return []
    controller, peak = Controller(report), plan.peak
    numbered = enumerate(zip(plan.buffers, plan.offsets, strict=True))
    sized = [(number, buffer, offset) for number, (buffer, offset) in numbered if buffer.size]
    return [
        Placed(
            letters(place),
            controller.label(number),
            buffer.size,
            offset,
            buffer.first,
            buffer.last,
            buffer.first <= peak <= buffer.last,
            buffer.between,
        )
        for place, (number, buffer, offset) in enumerate(sized)
    ]


def _arena(report: Report, placed: Sequence[Placed]) -> str:
    """The buffers over the operators, each with its letters; empty where none are placed."""
    plan = report.arena
    if not placed or plan.size is None:
        return ""
    steps = len(plan.live)
    plot = _Plot(min(max(WIDTH / steps, NARROWEST), WIDEST), ADDRESSES, plan.size)
    middle = plot.x(plan.peak) + plot.step / 2
    bottom = TOP + ADDRESSES
    marks = [*plot.grid(steps), mark("path", "peak", d=f"M{middle:.1f} {TOP:g}V{bottom:g}")]
    names = []
    for buffer in placed:
        kind = "between" if buffer.between else "p2" if buffer.at_peak else "b2"
        x, width = plot.x(buffer.first), (buffer.last - buffer.first + 1) * plot.step
        top, low = plot.y(buffer.offset + buffer.bytes), plot.y(buffer.offset)
        said = f"{buffer.letters} {buffer.label}: {scaled_bytes(buffer.bytes)} at {buffer.offset:,}"
        marks.append(mark("rect", kind, said, x=x, y=top, width=width, height=max(low - top, 0.5)))
        room = width - 2
        if low - top >= THICK and len(buffer.letters) * LETTER <= room:
            named = fitting(buffer.label, room - (len(buffer.letters) + 1) * LETTER)
            inside = f"{buffer.letters} {named}".rstrip()
            names.append(write(inside, x + width / 2, (top + low) / 2 + 4, "inside middle"))
    marks += [mark("path", "alive", d=plot.curve(plan.live)), *names]
    marks += _operators(plot, steps, bottom)
    place = cut(Controller(report).place(plan.peak), 360)
    marks.append(_beside(f"{scaled_bytes(plan.bound)} alive at {place}", middle, TOP - 6, plot.x(steps)))
    said = f"Arena of {plan.size:,} bytes over {counted(steps, 'operator')}"
    return drawing(said, plot.x(steps) + RIGHT, bottom + 36, marks)


def _operators(plot: _Plot, steps: int, bottom: float) -> list[str]:
    """Ticks below the operators, with the numbers of those that have room."""
    apart = next(each for each in EVERY if each * plot.step >= LETTER * (len(str(steps)) + 1))
    marks = []
    for step in range(0, steps, apart):
        middle = plot.x(step) + plot.step / 2
        marks.append(mark("path", "tick", d=f"M{middle:.1f} {bottom:g}v4"))
        marks.append(write(str(step), middle, bottom + 16, "middle"))
    marks.append(write("operator", (LEFT + plot.x(steps)) / 2, bottom + 30, "middle"))
    return marks
