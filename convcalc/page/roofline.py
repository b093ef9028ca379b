"""The roofline: each layer's least time, with what rides with it, under the two rates of a device."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.device import DEVICES, Device, limit
from ..analysis.device import intensity as intensity_of
from ..analysis.device import least_seconds as seconds_of
from ..analysis.quantity import decimal
from ..units import scaled
from .svg import drawing, mark, write

if TYPE_CHECKING:
    from ..analysis.report import Report

USUAL = DEVICES["a100"]
"""What is drawn where no device is asked for."""
LEFT, RIGHT, TOP, BOTTOM = 92.0, 24.0, 20.0, 46.0
WIDTH, HEIGHT = 940.0, 420.0
"""Of the plot, without what stands around it."""
LEAST, MOST = 2.5, 9.0
"""Radius of a point, by its share of the time."""
MOST_POINTS = 2_000
"""Points of a drawing, those that take most time; and rows below it."""


class Point(NamedTuple):
    """A product or a pool with what rides with it."""

    name: str
    kind: str
    flops: int
    bytes: int
    intensity: str
    bound: str
    nanoseconds: int
    share: str
    """Of the time of all, in per cent."""


class Roofline(NamedTuple):
    """What the page says of the device."""

    device: Device
    chosen: bool
    """Whether the report was asked for it."""
    picture: str
    points: list[Point]
    """From the longest time."""
    nanoseconds: int
    """Of all, one after the other."""
    compute: int
    """How many the rate of the arithmetic bounds."""
    ridge: str
    """FLOPs for each byte at which both rates bound."""
    missing: int
    """Points that are left out of the list."""


class _Plot(NamedTuple):
    """Powers of ten at the ends: to the right (FLOPs for each byte) and upwards (FLOP/s)."""

    low: float
    high: float
    bottom: float
    top: float

    def x(self, intensity: float) -> float:
        return LEFT + WIDTH * (log10(intensity) - self.low) / (self.high - self.low)

    def y(self, rate: float) -> float:
        return TOP + HEIGHT * (self.top - log10(rate)) / (self.top - self.bottom)


def roofline(report: Report) -> Roofline:
    """The layers of a report, fused, under the roof of its device, or of `USUAL` where it has none."""
    device = report.device or USUAL
    work = [(i, flops, moved) for i, (flops, moved) in enumerate(report.fused) if moved]
    times = {i: seconds_of(flops, moved, device.flops, device.bandwidth) for i, flops, moved in work}
    whole = sum(times.values())
    points = []
    for i, flops, moved in sorted(work, key=lambda each: (-times[each[0]], each[0])):
        node = report.node(i)
        exact = decimal(intensity_of(flops, moved))
        share = float(100 * times[i] / whole) if whole else 0.0
        points.append(
            Point(
                node.name,
                node.kind,
                flops,
                moved,
                "" if exact is None else exact.written(),
                limit(flops, moved, device),
                int(times[i] * 10**9),
                f"{share:.1f}",
            )
        )
    bound = [point.bound for point in points]
    ridge = decimal(intensity_of(device.flops, device.bandwidth))
    return Roofline(
        device,
        report.device is not None,
        _picture(points[:MOST_POINTS], device),
        points[:MOST_POINTS],
        int(whole * 10**9),
        bound.count("compute"),
        "" if ridge is None else ridge.written(),
        max(len(points) - MOST_POINTS, 0),
    )


def _picture(points: list[Point], device: Device) -> str:
    drawn = [point for point in points if point.flops]
    ridge = device.flops / device.bandwidth
    reached = [point.flops / point.bytes for point in drawn] or [ridge]
    low, high = log10(min(*reached, ridge)) - 0.4, log10(max(*reached, ridge)) + 0.6
    plot = _Plot(low, high, low + log10(device.bandwidth), log10(device.flops) + 0.35)
    marks = [*_grid(plot), *_roof(plot, device, ridge)]
    longest = max([point.nanoseconds for point in drawn], default=1)
    for point in drawn:
        intensity = point.flops / point.bytes
        attained = min(device.flops, intensity * device.bandwidth)
        radius = LEAST + (MOST - LEAST) * (point.nanoseconds / max(longest, 1)) ** 0.5
        said = f"{point.name}: {point.intensity} FLOPs/byte, {point.nanoseconds:,} ns ({point.share} %)"
        marks.append(mark("circle", f"point {point.bound}", said, cx=plot.x(intensity), cy=plot.y(attained), r=radius))
    name = f"Roofline of {device.name} with {len(drawn)} layers"
    return drawing(name, LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM, marks)


def _grid(plot: _Plot) -> list[str]:
    end, foot = LEFT + WIDTH, TOP + HEIGHT
    marks = [mark("path", "grid", d=f"M{LEFT:g} {TOP:g}V{foot:g}H{end:g}")]
    for power in range(ceil(plot.low), floor(plot.high) + 1):
        x = plot.x(10.0**power)
        marks += [
            mark("path", "grid", d=f"M{x:.1f} {TOP:g}V{foot:g}"),
            write(f"{10**power:,}" if power >= 0 else f"{10.0**power:g}", x, foot + 16, "middle"),
        ]
    for power in range(ceil(plot.bottom), floor(plot.top) + 1):
        y = plot.y(10.0**power)
        said = f"{scaled(10**power)}FLOP/s" if power >= 0 else f"{10.0**power:g} FLOP/s"
        marks += [
            mark("path", "grid", d=f"M{LEFT:g} {y:.1f}H{end:g}"),
            write(said.replace(".00", "").replace(".0", ""), LEFT - 6, y + 4, "end"),
        ]
    marks.append(write("FLOPs for each byte moved", LEFT + WIDTH / 2, foot + 36, "middle under"))
    return marks


def _roof(plot: _Plot, device: Device, ridge: float) -> list[str]:
    """The two rates: the bandwidth as a slope up to the ridge, the arithmetic as a level behind it."""
    start = 10.0**plot.low
    x, y = plot.x(ridge), plot.y(device.flops)
    slope = f"M{plot.x(start):.1f} {plot.y(start * device.bandwidth):.1f}L{x:.1f} {y:.1f}H{LEFT + WIDTH:g}"
    return [
        mark("path", "roof", d=slope),
        mark("path", "ridge", d=f"M{x:.1f} {y:.1f}V{TOP + HEIGHT:g}"),
        write(f"{scaled(device.flops)}FLOP/s", LEFT + WIDTH - 4, y - 7, "end strong"),
        write(f"{scaled(device.bandwidth)}B/s", plot.x(start) + 34, plot.y(start * device.bandwidth) - 8, "strong"),
    ]
