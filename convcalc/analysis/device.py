"""The roofline of a device: the larger of operations / peak rate and bytes / bandwidth, layer by layer.

Over what passes at least (`traffic.fused_work`) it is a bound from below: no runtime is faster that multiplies directly
and hands activations over through the memory whose bandwidth is given. Where they fit a cache, the bandwidth is the
cache's; fewer multiplications (Winograd's) are held against their own count. Over a trip of every layer
(`traffic.bytes_moved`) it estimates eager execution: caches make that less, launches and slow kernels make it more.
Source: Williams, Waterman & Patterson 2009, Roofline, 10.1145/1498765.1498785.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..geometry import formula
from ..language.names import shown
from ..units import NoAmount, read_amount

if TYPE_CHECKING:
    from .traffic import Work


ROOFLINE = "Williams, Waterman & Patterson 2009, 10.1145/1498765.1498785"


class Device(NamedTuple):
    """A peak rate in FLOP/s and a memory bandwidth in bytes/s."""

    name: str
    flops: int
    bandwidth: int
    source: str = ""


DEVICES = {
    device.name: device
    for device in (
        Device("k80", 4_370 * 10**9, 240 * 10**9, "NVIDIA Tesla K80 data sheet, one of two GPUs, float32 with boost"),
        Device("p100", 10_600 * 10**9, 732 * 10**9, "NVIDIA Tesla P100 SXM2 data sheet, float32"),
        Device("v100", 15_700 * 10**9, 900 * 10**9, "NVIDIA Tesla V100 SXM2 data sheet, float32"),
        Device("t4", 8_100 * 10**9, 320 * 10**9, "NVIDIA T4 data sheet, float32"),
        Device("a100", 19_500 * 10**9, 1_555 * 10**9, "NVIDIA A100 40GB data sheet, float32 without tensor cores"),
    )
}
"""Named devices, with their makers' figures."""
WRITTEN = f"for example 10TFLOP/s,400GB/s; or one of {', '.join(DEVICES)}"
"""How a device is named, as a hint."""

_RATE = re.compile(r"(.*?)(FLOP/s|FLOPS|B/s)\s*")


class UnknownDevice(ValueError):
    """A device that has no name here and is not written as two rates."""


def read_device(text: str) -> Device:
    """A device by its name, or as two rates: `10TFLOP/s,400GB/s`, in the prefixes of `units`. Raises UnknownDevice.

    >>> read_device("1.5TFLOP/s,400GB/s")[1:3]
    (1500000000000, 400000000000)
    """
    named = DEVICES.get(text.strip().lower())
    if named is not None:
        return named
    rates: dict[str, int] = {}
    for part in text.split(","):
        match = _RATE.fullmatch(part)
        try:
            rate = read_amount(match[1] if match else "")
        except NoAmount as error:
            raise UnknownDevice(f"{shown(text)} is no device") from error
        rates["bandwidth" if match and match[2] == "B/s" else "flops"] = int(rate)
    if len(rates) != 2 or text.count(",") != 1 or 0 in rates.values():
        raise UnknownDevice(f"{shown(text)} is no device: it needs one rate in FLOP/s and one in B/s, both above 0")
    return Device(text, rates["flops"], rates["bandwidth"])


@formula("intensity", "flops/bytes", ROOFLINE)
def intensity(flops: int, bytes: int) -> Fraction | None:
    """FLOPs for each byte moved; None where none is moved.

    >>> intensity(600, 200)
    Fraction(3, 1)
    """
    return Fraction(flops, bytes) if bytes else None


@formula("seconds", "max(flops/rate, bytes/bandwidth)", ROOFLINE)
def least_seconds(flops: int, bytes: int, rate: int, bandwidth: int) -> Fraction:
    """The least time that a device can need for this work.

    >>> least_seconds(10**9, 10**6, 10**12, 10**9)
    Fraction(1, 1000)
    """
    return max(Fraction(flops, rate), Fraction(bytes, bandwidth))


def least_total(work: Iterable[Work], device: Device) -> Fraction:
    """The sum of the least times of layers, in seconds.

    >>> from convcalc.analysis.traffic import Work
    >>> least_total([Work(10**9, 10**6), Work(0, 10**9)], Device("chip", 10**12, 10**9))
    Fraction(1001, 1000)
    """
    flops = bytes = 0
    for layer_flops, layer_bytes in work:
        if limit(layer_flops, layer_bytes, device) == "compute":
            flops += layer_flops
        else:
            bytes += layer_bytes
    return Fraction(flops, device.flops) + Fraction(bytes, device.bandwidth)


def limit(flops: int, bytes: int, device: Device) -> Literal["compute", "memory"]:
    """Which of the two rates bounds the work."""
    return "compute" if flops * device.bandwidth >= bytes * device.flops else "memory"
