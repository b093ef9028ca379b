"""The registry of quantities: one record says everything about one thing that can be asked.

It serves the columns of `table`, the values of published cells, `expect`, budgets, `diff` and the documentation.
On a group costs sum; `out_channels` and `output` are its output's; `patch`, `kernel_size`, `stride`, `padding`
and `dilation` its only windowed layer's, else empty; `repeats` counts its repetitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import quantity_values as values
from .figures import Figures
from .quantity import Quantity

if TYPE_CHECKING:
    from .receptive_field import AxisField

_LOCAL: tuple[tuple[str, Callable[[AxisField], object], bool], ...] = (
    ("receptive_field", lambda field: field.size, False),
    ("jump", lambda field: field.jump, True),
    ("start", lambda field: field.start, True),
    ("centre", lambda field: field.centre, True),
)
"""Figures of receptive fields that there are without global context too, and whether they move with the position."""

_SHAPE = "elements an axis"
_AXIS = "pixels an axis"

GROUPS: dict[str, tuple[Quantity, ...]] = {
    "shape": (
        Quantity("name", "", "path of the layer", lambda figures, subject: subject.name, aliases=("layer",),
                 words=True, follows="parts"),
        Quantity("kind", "", "kind of the layer, or name of the block", values.kind, aliases=("type",), words=True),
        Quantity("input", _SHAPE, "shape that it reads: [channels, *space]", values.input_shape,
                 aliases=("input_size",)),
        Quantity("output", _SHAPE, "shape of the output: [channels, *space]", values.output_shape,
                 aliases=("output_size",), compared="stages", follows="parts"),
        Quantity("in_channels", "channels", "channels of the input", values.channels(values.input_shape)),
        Quantity("out_channels", "channels", "channels of the output", values.channels(values.output_shape),
                 follows="parts"),
        Quantity("patch", "", "kernel size / stride of the only windowed layer", values.patch),
        Quantity("kernel_size", "pixels", "kernel size of the only windowed layer",
                 values.of_patch(lambda patch: patch.kernel_size)),
        Quantity("stride", "pixels", "stride of the only windowed layer", values.of_patch(lambda patch: patch.stride)),
        Quantity("padding", "pixels", "padding of the only windowed layer", values.padding),
        Quantity("dilation", "", "dilation of the only windowed layer", values.of_patch(lambda patch: patch.dilation)),
        Quantity("groups", "", "groups of the only windowed layer", values.groups),
        Quantity("repeats", "", "how often the item is repeated", values.repeats, aliases=("count",)),
        Quantity("filter", "", "kernel × in × out of the only weighted layer; in is that of one group",
                 values.filter_shape),
    ),
    "params": (
        Quantity("filter_weights", "numbers", "weights of convolutions and linear layers alone", values.filter_weights,
                 total="sum", held=True, follows="layers"),
        Quantity("filter_params", "numbers", "weights and biases of convolutions and linear layers alone",
                 values.filter_params, total="sum", held=True, follows="layers"),
        Quantity("params", "numbers", "learnable numbers, biases included", values.cost(lambda cost: cost.params),
                 total="sum", compared="stages", held=True, follows="layers"),
        Quantity("weights", "numbers", "learnable numbers in tensors named weight",
                 values.cost(lambda cost: cost.weights), total="sum", held=True, follows="layers"),
        Quantity("buffers", "numbers", "running statistics", values.cost(lambda cost: cost.buffers), total="sum",
                 compared="network", held=True, follows="layers"),
        Quantity("shares", "", "the layer, or the group, whose weights it has", values.shares),
    ),
    "operations": (
        Quantity("macs", "MACs", "multiply-accumulates: all taps, no bias", values.cost(lambda cost: cost.macs),
                 total="sum", compared="stages", follows="layers"),
        Quantity("activation_macs", "MACs", "those of macs that multiply two activations: matmul, attention",
                 values.summed(values.activation_macs), total="sum",
                 note="macs count products of weights and of two activations alike; activation_macs are the latter",
                 follows="layers"),
        Quantity("conv_macs", "MACs", "macs of convolutions alone, without linear layers", values.conv_macs,
                 total="sum", follows="layers"),
        Quantity("flops", "FLOPs", "2 macs + bias adds + other operations", values.cost(lambda cost: cost.flops),
                 total="sum", compared="network", follows="layers"),
        Quantity("effective_macs", "MACs", "macs without those on padding", values.summed(values.effective_macs),
                 total="sum",
                 note="taps on padding not counted", follows="layers"),
        *(
            Quantity(f"{kind}_flops", "FLOPs", f"flops of {what}", values.flops_of(kind), total="sum", follows="layers")
            for kind, what in (
                ("mac", "multiply-accumulates: 2 macs"),
                ("bias", "bias additions"),
                ("activation", "activations"),
                ("normalization", "normalizations"),
                ("pooling", "pooling"),
                ("elementwise", "additions and products of layers, and functions of every element"),
                ("reduction", "means, sums and other reductions of axes"),
                ("interpolation", "resizing"),
            )
        ),
        Quantity("backward_macs", "MACs", "backward pass: gradients of weights and of inputs", values.backward,
                 total="sum"),
        Quantity("step_macs", "MACs", "a training step: forward and backward", values.step, total="sum"),
        Quantity("winograd2", "multiplications", "by Winograd F(2, 3) along the axes that allow it, else macs",
                 values.winograd(2), total="sum", follows="layers"),
        Quantity("winograd4", "multiplications", "by Winograd F(4, 3) along the axes that allow it, else macs",
                 values.winograd(4), total="sum", follows="layers"),
        Quantity("fft", "FLOPs", "estimate by FFT along the axes whose kernel is above 1, else 2 macs",
                 values.summed(values.fft_flops), total="sum",
                 note="an estimate, kernel transforms included; each padded axis rounded up to a power of two",
                 follows="layers"),
        Quantity("time_complexity", "products", "sum of M^2 K^2 C_in C_out over convolutions, groups ignored",
                 values.summed(values.lecture_time), total="sum", follows="layers"),
        Quantity("space_complexity", "numbers", "sum of K^2 C_in C_out + M^2 C_out over convolutions",
                 values.space_complexity, total="sum", follows="layers"),
    ),
    "speed": (
        Quantity("bytes_moved", "bytes", "inputs and params read once, outputs written once, layer by layer",
                 values.moved, total="sum", follows="layers"),
        Quantity("fused_bytes", "bytes", "the least that is moved where layers ride with the one that feeds them",
                 values.fused_bytes, total="sum"),
        Quantity("intensity", "FLOPs/byte", "arithmetic intensity: flops / bytes_moved", values.intensity),
        Quantity("time", "ns", "least time on --device, layers fused: a bound, not an estimate",
                 values.nanoseconds(lambda figures: figures.fused), total="sum", aliases=("fused_time",),
                 needs="--device",
                 note="roofline, a lower bound: the larger of 2 macs / rate and fused_bytes / bandwidth by layer",
                 remarks=values.on_device),
        Quantity("eager_time", "ns", "time on --device, layer by layer: an estimate of eager execution, no bound",
                 values.nanoseconds(lambda figures: figures.eager), total="sum", needs="--device",
                 note="roofline, an estimate: the larger of flops / rate and bytes_moved / bandwidth, layer by layer",
                 remarks=values.on_device),
        Quantity("bound", "", "what bounds the time on --device: compute or memory", values.bound, needs="--device",
                 remarks=values.on_device),
    ),
    "memory": (
        Quantity("activations", "elements", "elements of the outputs of its layers", values.activations, total="sum",
                 compared="network", follows="layers"),
        Quantity("params_memory", "bytes", "params at --dtype", values.params_memory, total="sum", held=True,
                 follows="layers"),
        Quantity("gradients", "bytes", "gradients of params", values.gradients, total="sum", held=True,
                 follows="layers"),
        Quantity("optimizer", "bytes", "state of --optimizer: 0, 1 (momentum) or 2 (adam) numbers a param",
                 values.optimizer, total="sum", held=True,
                 note="at float16 and bfloat16 its numbers are float32, and the float32 master weights are one more",
                 follows="layers"),
        Quantity("activation", "bytes", "its output", values.activation, total="sum", follows="layers"),
        Quantity("live", "bytes", "alive while it runs at inference, in the given order; total: the peak", values.live,
                 total="largest", aliases=("peak_memory",), compared="network",
                 note="inference in the given order; a tensor lives from its layer to its last reader; views are free",
                 remarks=values.peak, follows="parts"),
        Quantity("arena_live", "bytes", "of buffers alive while it runs on a microcontroller; total: the peak",
                 values.arena_live, total="largest",
                 note="buffers that a converter to TensorFlow Lite leaves: batch norms folded, ReLU fused"),
        Quantity("arena", "bytes", "end of the highest buffer alive while it runs, as planned; total: the arena",
                 values.arena, total="largest", aliases=("ram",), note=values.PLANNED, remarks=values.planned),
        Quantity("offset", "bytes", "where its output lies in the arena", values.offset, note=values.PLANNED,
                 remarks=values.planned),
        Quantity("flash", "bytes", "params in flash: with int8 also int32 biases and scales of channels", values.flash,
                 total="sum", held=True, note="batch norms folded; without the graph and zero points"),
        Quantity("saved", "bytes", "kept for backward and by no earlier layer, as PyTorch does", values.saved,
                 total="sum",
                 note="PyTorch's saved tensors, each once, at the layer that keeps it first; without params"),
        Quantity("workspace", "bytes", "im2col matrix of one example; total: the largest", values.workspace,
                 total="largest", follows="layers"),
        Quantity("training", "bytes", "alive while it runs in a training step; total: the peak",
                 values.training(lambda figures: figures.training), total="largest",
                 note="a step of PyTorch's that adds its gradients to those of the step before; no workspace of "
                      "convolutions",
                 remarks=values.training_peak("training", lambda figures: figures.training)),
        Quantity("training_released", "bytes",
                 "training where gradients are released before the step, as zero_grad() does; total: the peak",
                 values.training(lambda figures: figures.training_released), total="largest",
                 note="a step of PyTorch's after zero_grad(); no workspace of convolutions",
                 remarks=values.training_peak("training_released", lambda figures: figures.training_released)),
    ),
    "receptive field": (
        Quantity("receptive_field", _AXIS, "extent of the input that one output position sees",
                 values.of_field(lambda field: field.size, moving=False), compared="network",
                 note="pixels of the input, padding included; behind a global pool the whole input, jump empty",
                 remarks=values.joins, follows="parts"),
        Quantity("jump", _AXIS, "input pixels between neighbouring output positions",
                 values.of_field(lambda field: field.jump), remarks=values.joins, follows="parts"),
        Quantity("start", _AXIS, "first input pixel that position 0 sees; padding is negative",
                 values.of_field(lambda field: field.start), remarks=values.joins, follows="parts"),
        Quantity("centre", _AXIS, "middle of what position 0 sees", values.of_field(lambda field: field.centre),
                 remarks=values.joins, follows="parts"),
        Quantity("effective_padding", _AXIS, "input pixels of padding that position 0 sees: -start",
                 values.of_field(lambda field: -field.start), follows="parts"),
        *(
            Quantity(f"local_{name}", _AXIS, f"{name} without global context",
                     values.of_field(read, moving, local=True),
                     note="paths that see the same from every position (gates of squeeze and excitation, pooled "
                          "branches) are left out where they join one that moves" if name == "receptive_field" else "",
                     follows="parts")
            for name, read, moving in _LOCAL
        ),
        Quantity("depth", "layers", "weighted layers on the longest path", values.depth, total="own",
                 compared="network", follows="parts"),
    ),
}  # fmt: skip
"""What quantities are about -> their records, in the order in which they are listed."""

_RECORDS = tuple(record for records in GROUPS.values() for record in records)

QUANTITIES: dict[str, Quantity] = {record.name: record for record in _RECORDS}
"""Name -> quantity."""

_NAMED = {name: record for record in _RECORDS for name in (record.name, *record.aliases)}

QUANTITY_NAMES: dict[str, str] = {
    name: f"{known.meaning} ({known.unit})" if known.unit else known.meaning for name, known in sorted(_NAMED.items())
}
"""Every name under which a quantity may be asked for, aliases included -> what it means."""


def quantity(name: str) -> Quantity | None:
    """The quantity of a name or an alias of it; None for an unknown one."""
    return _NAMED.get(name)


def remarks(figures: Figures, quantities: Iterable[Quantity]) -> list[str]:
    """What is said of this network under a table that shows these quantities."""
    found = dict.fromkeys(quantity.remarks for quantity in quantities if quantity.remarks is not None)
    return [line for remark in found for line in remark(figures)]
