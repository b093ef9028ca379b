"""The registry of quantities: one record says everything about one thing that can be asked.

It serves the columns of `table`, the values of published cells, `expect`, budgets, `diff` and the documentation.
On a group costs sum; `out_channels` and `output` are its output's; `patch`, `kernel_size`, `stride`, `padding`
and `dilation` its only windowed layer's, else empty; `repeats` counts its repetitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import TYPE_CHECKING

from ..layers.base import OPERATIONS
from ..units import amount
from .figures import Figures, Subject
from .quantity import SPACE_LETTERS, Getter, Quantity, Shaped, Value, decimal, per_axis, shaped

if TYPE_CHECKING:
    from ..layers.base import Layer, Patch, Shape, Shapes
    from .cost import Cost
    from .figures import Fact
    from .receptive_field import AxisField
    from .traffic import Work
    from .training import TrainingStep

MOST_NAMES = 4
"""Layers that a remark names."""
ONE_PRODUCT = frozenset({"convolution", "transposed", "linear"})
"""The products of layers that have one weight."""


# What a subject is: its name, shapes and window.


def _kind(figures: Figures, subject: Subject) -> Value:
    if subject.group is not None:
        return subject.group.kind
    return figures.node(subject.output).kind if subject.output is not None else None


def _output(figures: Figures, subject: Subject) -> Value:
    return shaped(figures.shape(subject))


def _input(figures: Figures, subject: Subject) -> Value:
    """The shape that the subject's first layer reads."""
    for i in subject.nodes:
        node = figures.node(i)
        return shaped(figures.node(node.inputs[0]).shape if node.inputs else node.shape)
    return _output(figures, subject)


def _channels(shape: Getter) -> Getter:
    def get(figures: Figures, subject: Subject) -> Value:
        value = shape(figures, subject)
        return next(iter(value.raw), None) if isinstance(value, Shaped) and isinstance(value.raw, tuple) else None

    return get


def _only_window(figures: Figures, subject: Subject) -> Layer | None:
    """The only layer of a subject whose window slides; None where there is none or more than one."""
    found: Layer | None = None
    for i in subject.nodes:
        layer = figures.node(i).layer
        if layer is not None and layer.patch is not None:
            if found is not None:
                return None
            found = layer
    return found


def _only_patch(figures: Figures, subject: Subject) -> Patch | None:
    layer = _only_window(figures, subject)
    return None if layer is None else layer.patch


def _of_patch(read: Callable[[Patch], tuple[int, ...]]) -> Getter:
    def get(figures: Figures, subject: Subject) -> Value:
        patch = _only_patch(figures, subject)
        return None if patch is None else per_axis(read(patch))

    return get


def _padding(figures: Figures, subject: Subject) -> Value:
    patch = _only_patch(figures, subject)
    if patch is None:
        return None
    if isinstance(patch.padding, str):
        return patch.padding
    return per_axis(tuple([a if a == b else f"{a}:{b}" for a, b in patch.padding]))


def _patch(figures: Figures, subject: Subject) -> Value:
    patch = _only_patch(figures, subject)
    if patch is None:
        return None
    kernel, stride = patch.kernel_size, patch.stride
    k = "×".join(map(str, kernel))
    s = str(stride[0]) if len(set(stride)) == 1 else "×".join(map(str, stride))
    shape = figures.shape(subject)
    return Shaped("{k}/{s}", {"k": k, "s": s, "c": shape[0] if shape else "-"}, (kernel, stride))


def _groups(figures: Figures, subject: Subject) -> Value:
    """None of a separable convolution too: its two products divide the channels differently."""
    layer = _only_window(figures, subject)
    return None if layer is None or layer.multiplies == "separable" else layer.channel_groups


def _repeats(figures: Figures, subject: Subject) -> Value:
    return subject.group.repeats if subject.group else 1


def _shares(figures: Figures, subject: Subject) -> Value:
    """The layer outside of a subject whose weights its own have; of several the group around them, or their names."""
    names = [figures.node(i).name for i in figures.shared(subject)]
    if not names:
        return None
    group = names[0] if len(names) == 1 else names[0].rpartition(".")[0]
    while group and len(names) > 1 and not all(name.startswith(f"{group}.") for name in names):
        group = group.rpartition(".")[0]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return group or ", ".join(names[:MOST_NAMES]) + more


def _filter(figures: Figures, subject: Subject) -> Value:
    """The weight of the only convolution or linear layer, as papers write it: kernel × in × out."""
    weighted = [node for node in map(figures.node, subject.nodes) if node.layer is not None and node.layer.weighted]
    if len(weighted) != 1 or weighted[0].layer is None or weighted[0].layer.multiplies not in ONE_PRODUCT:
        return None
    node, patch = weighted[0], weighted[0].layer.patch
    kernel = () if patch is None else patch.kernel_size
    read = figures.network.input_shapes(node)[0]
    parts: dict[str, object] = dict(zip(SPACE_LETTERS.get(len(kernel), ()), kernel, strict=False))
    parts["in"] = read[0] // (weighted[0].layer.channel_groups or 1) if kernel else read[-1]
    parts["out"] = node.shape[0] if kernel else node.shape[-1]
    return Shaped("×".join([*map(str, kernel), "{in}", "{out}"]), parts, (*kernel, parts["in"], parts["out"]))


def _of_layers(which: Callable[[Layer], bool], read: Callable[[Cost], int]) -> Callable[[Figures, Subject], int]:
    """The sum of one cost over those of a subject's layers alone."""

    def get(figures: Figures, subject: Subject) -> int:
        layers = ((i, figures.node(i).layer) for i in subject.nodes)
        return sum([read(figures.costs[i]) for i, layer in layers if layer is not None and which(layer)])

    return get


_filter_weights = _of_layers(lambda layer: layer.weighted, lambda cost: cost.weights)
_filter_params = _of_layers(lambda layer: layer.weighted, lambda cost: cost.params)
_window_macs = _of_layers(lambda layer: layer.patch is not None, lambda cost: cost.macs)


# What it costs: parameters, work, and the time that a device needs at least.


def _cost(read: Callable[[Cost], int]) -> Getter:
    return lambda figures, subject: read(figures.cost(subject))


def _summed(fact: Fact) -> Getter:
    """The sum of a count over the subject's layers, at the figures' batch."""
    return lambda figures, subject: figures.summed(fact, subject)


def _activation_macs(layer: Layer, inputs: Shapes, output: Shape) -> int:
    return layer.activation_macs(inputs, output)


def _conv_macs(figures: Figures, subject: Subject) -> Value:
    """Of layers that slide a window, 1×1 ones among them."""
    return figures.batch * _window_macs(figures, subject)


def _effective_macs(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import effective_macs

    return effective_macs(layer, inputs, output)


def _flops_of(kind: str) -> Getter:
    """The FLOPs of one kind of operation."""
    each = OPERATIONS[kind][0]
    return _summed(lambda layer, inputs, output: each * layer.operations(inputs, output).get(kind, 0))


def _backward(figures: Figures, subject: Subject) -> int:
    return figures.batch * sum([figures.backward[i] for i in subject.nodes])


def _step(figures: Figures, subject: Subject) -> Value:
    return figures.cost(subject).macs + _backward(figures, subject)


def _winograd(tile: int) -> Getter:
    def count(layer: Layer, inputs: Shapes, output: Shape) -> int:
        from .multiplications import winograd_macs

        return winograd_macs(layer, inputs, output, tile)

    return _summed(count)


def _fft_flops(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import fft_flops

    return fft_flops(layer, inputs, output)


def _lecture_time(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import lecture_time

    return lecture_time(layer, inputs, output)


def space_complexity(figures: Figures, subject: Subject) -> int:
    """Of one example; weights that several layers have count at one of them."""
    from .multiplications import lecture_space

    found = figures.figures(lecture_space)
    nodes = [(i, figures.node(i)) for i in subject.nodes]
    return sum([found[i] if node.shares is None else min(found[i], prod(node.shape)) for i, node in nodes])


def _moved(figures: Figures, subject: Subject) -> int:
    return sum([figures.moved[i] for i in subject.nodes])


def _intensity(figures: Figures, subject: Subject) -> Value:
    from .device import intensity

    return decimal(intensity(figures.cost(subject).flops, _moved(figures, subject)))


def _fused_bytes(figures: Figures, subject: Subject) -> int:
    return sum([figures.fused[i].bytes for i in subject.nodes])


def _nanoseconds(work: Callable[[Figures], list[Work]]) -> Getter:
    """The sum of the layers' times by the roofline, rounded down, so that a bound stays one."""

    def get(figures: Figures, subject: Subject) -> Value:
        from .device import least_total

        if figures.device is None:
            return None
        found = work(figures)
        return int(least_total([found[i] for i in subject.nodes], figures.device) * 10**9)

    return get


def _bound(figures: Figures, subject: Subject) -> Value:
    from .device import limit

    moved = _fused_bytes(figures, subject)
    if figures.device is None or not moved:
        return None
    return limit(sum([figures.fused[i].flops for i in subject.nodes]), moved, figures.device)


def _on_device(figures: Figures) -> list[str]:
    device = figures.device
    if device is None:
        return []
    source = f" ({device.source})" if device.source else ""
    return [f"device {device.name}: {device.flops:,} FLOP/s, {device.bandwidth:,} B/s{source}"]


# What it takes of memory, in bytes at the figures' batch and dtype.


def _activations(figures: Figures, subject: Subject) -> int:
    return figures.activations(subject.nodes)


def _params_memory(figures: Figures, subject: Subject) -> int:
    return figures.cost(subject).params * figures.item


def _gradients(figures: Figures, subject: Subject) -> Value:
    return _params_memory(figures, subject) if figures.trained else None


def _optimizer(figures: Figures, subject: Subject) -> Value:
    from .training import state_bytes

    return state_bytes(figures.dtype, figures.optimizer) * figures.cost(subject).params if figures.trained else None


def _activation(figures: Figures, subject: Subject) -> Value:
    return figures.activations(subject.nodes) * figures.item


def _live(figures: Figures, subject: Subject) -> Value:
    live = figures.liveness.live
    return max([live[i] for i in subject.nodes], default=0) * figures.batch * figures.item


def _saved(figures: Figures, subject: Subject) -> int:
    return sum([figures.saved[i] for i in subject.nodes])


def _workspace(figures: Figures, subject: Subject) -> Value:
    """The largest, since layers run one after another; of one example, as Caffe holds it."""
    from .multiplications import im2col_elements

    elements = figures.figures(im2col_elements)
    return max([elements[i] for i in subject.nodes], default=0) * figures.item


def _training(step: Callable[[Figures], TrainingStep | None]) -> Getter:
    """The most that is alive while a layer of the subject runs; of the whole network at any moment."""

    def get(figures: Figures, subject: Subject) -> Value:
        found = step(figures)
        if found is None:
            return None
        if subject is figures.whole:
            return found.peak.bytes
        return max([found.alive[i] for i in subject.nodes], default=0)

    return get


def _training_peak(name: str, step: Callable[[Figures], TrainingStep | None]) -> Callable[[Figures], list[str]]:
    """When the peak of training is and what is alive there."""

    def remark(figures: Figures) -> list[str]:
        found = step(figures)
        if found is None:
            return [f"{name}: nothing is trained in {figures.dtype}"]
        peak = found.peak
        parts = ", ".join([f"{what} {amount(size, 'bytes')}" for what, size in peak.parts()])
        return [f"{name}: {amount(peak.bytes, 'bytes')} {peak.place(figures.network)}: {parts}"]

    return remark


PLANNED = "planned greedily by size, 16-byte aligned, as TensorFlow Lite Micro does; without scratch memory of kernels"


def _running(figures: Figures, subject: Subject) -> list[int]:
    """The operators of a converted network that compute a subject's layers."""
    return [operator for i in subject.nodes for operator in figures.arena.runs[i]]


def _arena_live(figures: Figures, subject: Subject) -> Value:
    return max([figures.arena.live[operator] for operator in _running(figures, subject)], default=0)


def _arena(figures: Figures, subject: Subject) -> Value:
    """None where there are too many buffers to plan."""
    high = figures.arena.high
    return None if high is None else max([high[operator] for operator in _running(figures, subject)], default=0)


def _offset(figures: Figures, subject: Subject) -> Value:
    plan = figures.arena
    return None if subject.output is None or plan.offsets is None else plan.offsets[plan.holds[subject.output]]


def _planned(figures: Figures) -> list[str]:
    """What the arena needs, where, and what of it is left unused."""
    from .controller import Controller

    return [Controller(figures).said()]


def _flash(figures: Figures, subject: Subject) -> Value:
    return sum([figures.flash[i].total for i in subject.nodes])


def _peak(figures: Figures) -> list[str]:
    """Where the peak is and what is alive there."""
    facts, nodes = figures.liveness, figures.network.nodes
    alive = facts.alive(facts.peak)
    names = ", ".join(nodes[i].name for i in alive[-MOST_NAMES:])
    more = f" and {len(alive) - MOST_NAMES} more" if len(alive) > MOST_NAMES else ""
    peak = amount(facts.live[facts.peak] * figures.batch * figures.item, "bytes")
    return [f"peak: {peak} at {nodes[facts.peak].name}; alive there: {names}{more}"]


# What it sees of the network's input.


def _of_field(read: Callable[[AxisField], object], moving: bool = True, local: bool = False) -> Getter:
    """One figure of the receptive field of a subject's output, per axis of the network's input.

    A `moving` figure has none on an axis where the field does not move with the position, a `local` one leaves out
    global context.
    """

    def get(figures: Figures, subject: Subject) -> Value:
        found = figures.local_fields if local else figures.receptive_fields
        fields = None if subject.output is None else found.fields[subject.output]
        if not fields:
            return None
        values = tuple([None if moving and field.jump is None else read(field) for field in fields])
        return None if values == (None,) * len(values) else per_axis(values)

    return get


def _joins(figures: Figures) -> list[str]:
    """Joins of paths that see different things."""
    notes = figures.receptive_fields.notes
    more = len(notes) - MOST_NAMES
    lines = [f"{note.node}: {note.message}" for note in notes[:MOST_NAMES]]
    return [*lines, f"{more} more joins of unequal or misaligned paths"] if more > 0 else lines


def _depth(figures: Figures, subject: Subject) -> Value:
    return figures.depth(subject.nodes)


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
        Quantity("kind", "", "kind of the layer, or name of the block", _kind, aliases=("type",), words=True),
        Quantity("input", _SHAPE, "shape that it reads: [channels, *space]", _input, aliases=("input_size",)),
        Quantity("output", _SHAPE, "shape of the output: [channels, *space]", _output, aliases=("output_size",),
                 compared="stages", follows="parts"),
        Quantity("in_channels", "channels", "channels of the input", _channels(_input)),
        Quantity("out_channels", "channels", "channels of the output", _channels(_output), follows="parts"),
        Quantity("patch", "", "kernel size / stride of the only windowed layer", _patch),
        Quantity("kernel_size", "pixels", "kernel size of the only windowed layer",
                 _of_patch(lambda patch: patch.kernel_size)),
        Quantity("stride", "pixels", "stride of the only windowed layer", _of_patch(lambda patch: patch.stride)),
        Quantity("padding", "pixels", "padding of the only windowed layer", _padding),
        Quantity("dilation", "", "dilation of the only windowed layer", _of_patch(lambda patch: patch.dilation)),
        Quantity("groups", "", "groups of the only windowed layer", _groups),
        Quantity("repeats", "", "how often the item is repeated", _repeats, aliases=("count",)),
        Quantity("filter", "", "kernel × in × out of the only weighted layer; in is that of one group", _filter),
    ),
    "params": (
        Quantity("filter_weights", "numbers", "weights of convolutions and linear layers alone", _filter_weights,
                 total="sum", held=True, follows="layers"),
        Quantity("filter_params", "numbers", "weights and biases of convolutions and linear layers alone",
                 _filter_params, total="sum", held=True, follows="layers"),
        Quantity("params", "numbers", "learnable numbers, biases included", _cost(lambda cost: cost.params),
                 total="sum", compared="stages", held=True, follows="layers"),
        Quantity("weights", "numbers", "learnable numbers in tensors named weight", _cost(lambda cost: cost.weights),
                 total="sum", held=True, follows="layers"),
        Quantity("buffers", "numbers", "running statistics", _cost(lambda cost: cost.buffers), total="sum",
                 compared="network", held=True, follows="layers"),
        Quantity("shares", "", "the layer, or the group, whose weights it has", _shares),
    ),
    "operations": (
        Quantity("macs", "MACs", "multiply-accumulates: all taps, no bias", _cost(lambda cost: cost.macs), total="sum",
                 compared="stages", follows="layers"),
        Quantity("activation_macs", "MACs", "those of macs that multiply two activations: matmul, attention",
                 _summed(_activation_macs), total="sum",
                 note="macs count products of weights and of two activations alike; activation_macs are the latter",
                 follows="layers"),
        Quantity("conv_macs", "MACs", "macs of convolutions alone, without linear layers", _conv_macs, total="sum",
                 follows="layers"),
        Quantity("flops", "FLOPs", "2 macs + bias adds + other operations", _cost(lambda cost: cost.flops), total="sum",
                 compared="network", follows="layers"),
        Quantity("effective_macs", "MACs", "macs without those on padding", _summed(_effective_macs), total="sum",
                 note="taps on padding not counted", follows="layers"),
        *(
            Quantity(f"{kind}_flops", "FLOPs", f"flops of {what}", _flops_of(kind), total="sum", follows="layers")
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
        Quantity("backward_macs", "MACs", "backward pass: gradients of weights and of inputs", _backward, total="sum"),
        Quantity("step_macs", "MACs", "a training step: forward and backward", _step, total="sum"),
        Quantity("winograd2", "multiplications", "by Winograd F(2, 3) along the axes that allow it, else macs",
                 _winograd(2), total="sum", follows="layers"),
        Quantity("winograd4", "multiplications", "by Winograd F(4, 3) along the axes that allow it, else macs",
                 _winograd(4), total="sum", follows="layers"),
        Quantity("fft", "FLOPs", "estimate by FFT along the axes whose kernel is above 1, else 2 macs",
                 _summed(_fft_flops), total="sum",
                 note="an estimate, kernel transforms included; each padded axis rounded up to a power of two",
                 follows="layers"),
        Quantity("time_complexity", "products", "sum of M^2 K^2 C_in C_out over convolutions, groups ignored",
                 _summed(_lecture_time), total="sum", follows="layers"),
        Quantity("space_complexity", "numbers", "sum of K^2 C_in C_out + M^2 C_out over convolutions", space_complexity,
                 total="sum", follows="layers"),
    ),
    "speed": (
        Quantity("bytes_moved", "bytes", "inputs and params read once, outputs written once, layer by layer", _moved,
                 total="sum", follows="layers"),
        Quantity("fused_bytes", "bytes", "the least that is moved where layers ride with the one that feeds them",
                 _fused_bytes, total="sum"),
        Quantity("intensity", "FLOPs/byte", "arithmetic intensity: flops / bytes_moved", _intensity),
        Quantity("time", "ns", "least time on --device, layers fused: a bound, not an estimate",
                 _nanoseconds(lambda figures: figures.fused), total="sum", aliases=("fused_time",), needs="--device",
                 note="roofline, a lower bound: the larger of 2 macs / rate and fused_bytes / bandwidth by layer",
                 remarks=_on_device),
        Quantity("eager_time", "ns", "time on --device, layer by layer: an estimate of eager execution, no bound",
                 _nanoseconds(lambda figures: figures.eager), total="sum", needs="--device",
                 note="roofline, an estimate: the larger of flops / rate and bytes_moved / bandwidth, layer by layer",
                 remarks=_on_device),
        Quantity("bound", "", "what bounds the time on --device: compute or memory", _bound, needs="--device",
                 remarks=_on_device),
    ),
    "memory": (
        Quantity("activations", "elements", "elements of the outputs of its layers", _activations, total="sum",
                 compared="network", follows="layers"),
        Quantity("params_memory", "bytes", "params at --dtype", _params_memory, total="sum", held=True,
                 follows="layers"),
        Quantity("gradients", "bytes", "gradients of params", _gradients, total="sum", held=True, follows="layers"),
        Quantity("optimizer", "bytes", "state of --optimizer: 0, 1 (momentum) or 2 (adam) numbers a param", _optimizer,
                 total="sum", held=True,
                 note="at float16 and bfloat16 its numbers are float32, and the float32 master weights are one more",
                 follows="layers"),
        Quantity("activation", "bytes", "its output", _activation, total="sum", follows="layers"),
        Quantity("live", "bytes", "alive while it runs at inference, in the given order; total: the peak", _live,
                 total="largest", aliases=("peak_memory",), compared="network",
                 note="inference in the given order; a tensor lives from its layer to its last reader; views are free",
                 remarks=_peak, follows="parts"),
        Quantity("arena_live", "bytes", "of buffers alive while it runs on a microcontroller; total: the peak",
                 _arena_live, total="largest",
                 note="buffers that a converter to TensorFlow Lite leaves: batch norms folded, ReLU fused"),
        Quantity("arena", "bytes", "end of the highest buffer alive while it runs, as planned; total: the arena",
                 _arena, total="largest", note=PLANNED, remarks=_planned),
        Quantity("offset", "bytes", "where its output lies in the arena", _offset, note=PLANNED, remarks=_planned),
        Quantity("flash", "bytes", "params in flash: with int8 also int32 biases and scales of channels", _flash,
                 total="sum", held=True, note="batch norms folded; without the graph and zero points"),
        Quantity("saved", "bytes", "kept for backward and by no earlier layer, as PyTorch does", _saved, total="sum",
                 note="PyTorch's saved tensors, each once, at the layer that keeps it first; without params"),
        Quantity("workspace", "bytes", "im2col matrix of one example; total: the largest", _workspace, total="largest",
                 follows="layers"),
        Quantity("training", "bytes", "alive while it runs in a training step; total: the peak",
                 _training(lambda figures: figures.training), total="largest",
                 note="a step of PyTorch's that adds its gradients to those of the step before; no workspace of "
                      "convolutions",
                 remarks=_training_peak("training", lambda figures: figures.training)),
        Quantity("training_released", "bytes",
                 "training where gradients are released before the step, as zero_grad() does; total: the peak",
                 _training(lambda figures: figures.training_released), total="largest",
                 note="a step of PyTorch's after zero_grad(); no workspace of convolutions",
                 remarks=_training_peak("training_released", lambda figures: figures.training_released)),
    ),
    "receptive field": (
        Quantity("receptive_field", _AXIS, "extent of the input that one output position sees",
                 _of_field(lambda field: field.size, moving=False), compared="network",
                 note="pixels of the input, padding included; behind a global pool the whole input, jump empty",
                 remarks=_joins, follows="parts"),
        Quantity("jump", _AXIS, "input pixels between neighbouring output positions",
                 _of_field(lambda field: field.jump), remarks=_joins, follows="parts"),
        Quantity("start", _AXIS, "first input pixel that position 0 sees; padding is negative",
                 _of_field(lambda field: field.start), remarks=_joins, follows="parts"),
        Quantity("centre", _AXIS, "middle of what position 0 sees", _of_field(lambda field: field.centre),
                 remarks=_joins, follows="parts"),
        Quantity("effective_padding", _AXIS, "input pixels of padding that position 0 sees: -start",
                 _of_field(lambda field: -field.start), follows="parts"),
        *(
            Quantity(f"local_{name}", _AXIS, f"{name} without global context", _of_field(read, moving, local=True),
                     note="paths that see the same from every position (gates of squeeze and excitation, pooled "
                          "branches) are left out where they join one that moves" if name == "receptive_field" else "",
                     follows="parts")
            for name, read, moving in _LOCAL
        ),
        Quantity("depth", "layers", "weighted layers on the longest path", _depth, total="own", compared="network",
                 follows="parts"),
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
