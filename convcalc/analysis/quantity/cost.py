"""Quantities of parameters and of work: MACs, FLOPs by kind, backward, other ways to multiply, the roofline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.base import OPERATIONS
from ..report import Report, Subject
from .values import Getter, Quantity, Value, decimal

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes


def _cost(name: str) -> Getter:
    return lambda report, subject: getattr(report.cost(subject), name)


def _fact(name: str, batched: bool = True, **options: int) -> Getter:
    """The sum over the subject's layers of one of the counts of `multiplications`."""

    def count(layer: Layer, inputs: Shapes, output: Shape) -> int:
        from ..cost import multiplications

        found: int = getattr(multiplications, name)(layer, inputs, output, **options)
        return found

    return lambda report, subject: report.summed(count, subject) // (1 if batched else report.batch)


def _flops_of(kind: str) -> Getter:
    """The FLOPs of one kind of operation."""
    each = OPERATIONS[kind][0]

    def count(layer: Layer, inputs: Shapes, output: Shape) -> int:
        return each * layer.operations(inputs, output).get(kind, 0)

    return lambda report, subject: report.summed(count, subject)


def _backward(report: Report, subject: Subject) -> Value:
    return report.batch * sum([report.backward[i] for i in subject.nodes])


def _step(report: Report, subject: Subject) -> Value:
    return report.cost(subject).macs + report.batch * sum([report.backward[i] for i in subject.nodes])


def _bytes(report: Report, subject: Subject) -> Value:
    return sum([report.moved[i] for i in subject.nodes])


def _intensity(report: Report, subject: Subject) -> Value:
    from ..cost.device import intensity

    return decimal(intensity(report.cost(subject).flops, sum([report.moved[i] for i in subject.nodes])))


def _time(report: Report, subject: Subject) -> Value:
    """The sum of the layers' least times, rounded down, so that it stays a bound."""
    from ..cost.device import least_total

    if report.device is None:
        return None
    costs, batch, moved = report.costs, report.batch, report.moved
    return int(least_total([(costs[i].flops * batch, moved[i]) for i in subject.nodes], report.device) * 10**9)


def _bound(report: Report, subject: Subject) -> Value:
    from ..cost.device import limit

    moved = sum([report.moved[i] for i in subject.nodes])
    return limit(report.cost(subject).flops, moved, report.device) if report.device is not None and moved else None


COST_QUANTITIES = (
    Quantity("params", "numbers", "learnable numbers, biases included", _cost("params"), sums=True),
    Quantity("weights", "numbers", "learnable numbers in tensors named weight", _cost("weights"), sums=True),
    Quantity("buffers", "numbers", "running statistics", _cost("buffers"), sums=True),
    Quantity("macs", "MACs", "multiply-accumulates: all taps, no bias", _cost("macs"), sums=True),
    Quantity("flops", "FLOPs", "2 macs + bias adds + other operations", _cost("flops"), sums=True),
    Quantity("effective_macs", "MACs", "macs without those on padding", _fact("effective_macs"), sums=True),
    *(
        Quantity(f"{kind}_flops", "FLOPs", meaning, _flops_of(kind), sums=True)
        for kind, meaning in (
            ("mac", "flops of multiply-accumulates: 2 macs"),
            ("bias", "flops of bias additions"),
            ("activation", "flops of activations"),
            ("normalization", "flops of normalizations"),
            ("pooling", "flops of pooling"),
            ("elementwise", "flops of additions and products of layers"),
            ("interpolation", "flops of resizing"),
        )
    ),
    Quantity("backward_macs", "MACs", "backward pass: gradients of weights and of inputs", _backward, sums=True),
    Quantity("step_macs", "MACs", "a training step: forward and backward", _step, sums=True),
    Quantity("winograd2", "multiplications", "by Winograd F(2, 3) where it applies, else macs",
             _fact("winograd_macs", tile=2), sums=True),
    Quantity("winograd4", "multiplications", "by Winograd F(4, 3) where it applies, else macs",
             _fact("winograd_macs", tile=4), sums=True),
    Quantity("fft", "FLOPs", "estimate by FFT for convolutions, else 2 macs", _fact("fft_flops"), sums=True),
    Quantity("time_complexity", "products", "sum of M^2 K^2 C_in C_out over convolutions, groups ignored",
             _fact("lecture_time"), sums=True),
    Quantity("space_complexity", "numbers", "sum of K^2 C_in C_out + M^2 C_out over convolutions",
             _fact("lecture_space", batched=False), sums=True),
    Quantity("bytes_moved", "bytes", "inputs and params read once, outputs written once", _bytes, sums=True),
    Quantity("intensity", "FLOPs/byte", "arithmetic intensity: flops / bytes_moved", _intensity),
    Quantity("time", "ns", "least time on --device by the roofline: a bound, not an estimate", _time, sums=True),
    Quantity("bound", "", "what bounds the time on --device: compute or memory", _bound),
)  # fmt: skip
