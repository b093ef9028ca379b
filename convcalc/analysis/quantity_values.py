"""How each quantity is read from figures, for a layer, a group or the network, and what a remark says of one."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from ..hints import shortened
from ..layers.base import OPERATIONS
from ..units import amount
from .figures import Figures, Subject
from .quantity import SPACE_LETTERS, Getter, Shaped, Value, decimal, per_axis, shaped

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


def kind(figures: Figures, subject: Subject) -> Value:
    if subject.group is not None:
        return subject.group.kind
    return figures.node(subject.output).kind if subject.output is not None else None


def output_shape(figures: Figures, subject: Subject) -> Value:
    return shaped(figures.shape(subject))


def input_shape(figures: Figures, subject: Subject) -> Value:
    """The shape that the subject's first layer reads."""
    for i in subject.nodes:
        node = figures.node(i)
        return shaped(figures.node(node.inputs[0]).shape if node.inputs else node.shape)
    return output_shape(figures, subject)


def channels(shape: Getter) -> Getter:
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


def of_patch(read: Callable[[Patch], tuple[int, ...]]) -> Getter:
    def get(figures: Figures, subject: Subject) -> Value:
        patch = _only_patch(figures, subject)
        return None if patch is None else per_axis(read(patch))

    return get


def padding(figures: Figures, subject: Subject) -> Value:
    patch = _only_patch(figures, subject)
    if patch is None:
        return None
    if isinstance(patch.padding, str):
        return patch.padding
    return per_axis(tuple([a if a == b else f"{a}:{b}" for a, b in patch.padding]))


def patch(figures: Figures, subject: Subject) -> Value:
    patch = _only_patch(figures, subject)
    if patch is None:
        return None
    kernel, stride = patch.kernel_size, patch.stride
    k = "×".join(map(str, kernel))
    s = str(stride[0]) if len(set(stride)) == 1 else "×".join(map(str, stride))
    shape = figures.shape(subject)
    return Shaped("{k}/{s}", {"k": k, "s": s, "c": shape[0] if shape else "-"}, (kernel, stride))


def groups(figures: Figures, subject: Subject) -> Value:
    """None of a separable convolution too: its two products divide the channels differently."""
    layer = _only_window(figures, subject)
    return None if layer is None or layer.multiplies == "separable" else layer.channel_groups


def repeats(figures: Figures, subject: Subject) -> Value:
    return subject.group.repeats if subject.group else 1


def shares(figures: Figures, subject: Subject) -> Value:
    """The layer outside of a subject whose weights its own have; of several the group around them, or their names."""
    names = [figures.node(i).name for i in figures.shared(subject)]
    if not names:
        return None
    group = names[0] if len(names) == 1 else names[0].rpartition(".")[0]
    while group and len(names) > 1 and not all(name.startswith(f"{group}.") for name in names):
        group = group.rpartition(".")[0]
    return group or shortened(names, MOST_NAMES)


def filter_shape(figures: Figures, subject: Subject) -> Value:
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


filter_weights = _of_layers(lambda layer: layer.weighted, lambda cost: cost.weights)
filter_params = _of_layers(lambda layer: layer.weighted, lambda cost: cost.params)
_window_macs = _of_layers(lambda layer: layer.patch is not None, lambda cost: cost.macs)


# What it costs: parameters, work, and the time that a device needs at least.


def cost(read: Callable[[Cost], int]) -> Getter:
    return lambda figures, subject: read(figures.cost(subject))


def summed(fact: Fact) -> Getter:
    """The sum of a count over the subject's layers, at the figures' batch."""
    return lambda figures, subject: figures.summed(fact, subject)


def activation_macs(layer: Layer, inputs: Shapes, output: Shape) -> int:
    return layer.activation_macs(inputs, output)


def conv_macs(figures: Figures, subject: Subject) -> Value:
    """Of layers that slide a window, 1×1 ones among them."""
    return figures.batch * _window_macs(figures, subject)


def effective_macs(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import effective_macs

    return effective_macs(layer, inputs, output)


def flops_of(kind: str) -> Getter:
    """The FLOPs of one kind of operation."""
    each = OPERATIONS[kind][0]
    return summed(lambda layer, inputs, output: each * layer.operations(inputs, output).get(kind, 0))


def backward(figures: Figures, subject: Subject) -> int:
    return figures.batch * sum([figures.backward[i] for i in subject.nodes])


def step(figures: Figures, subject: Subject) -> Value:
    return figures.cost(subject).macs + backward(figures, subject)


def winograd(tile: int) -> Getter:
    def count(layer: Layer, inputs: Shapes, output: Shape) -> int:
        from .multiplications import winograd_macs

        return winograd_macs(layer, inputs, output, tile)

    return summed(count)


def fft_flops(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import fft_flops

    return fft_flops(layer, inputs, output)


def lecture_time(layer: Layer, inputs: Shapes, output: Shape) -> int:
    from .multiplications import lecture_time

    return lecture_time(layer, inputs, output)


def space_complexity(figures: Figures, subject: Subject) -> int:
    """Of one example; weights that several layers have count at one of them."""
    from .multiplications import lecture_space

    found = figures.figures(lecture_space)
    nodes = [(i, figures.node(i)) for i in subject.nodes]
    holds = [node.shares is None and all(tensor != "weight" for tensor, _ in node.tied) for _, node in nodes]
    return sum(
        [found[i] if held else min(found[i], prod(node.shape)) for (i, node), held in zip(nodes, holds, strict=True)]
    )


def moved(figures: Figures, subject: Subject) -> int:
    return sum([figures.moved[i] for i in subject.nodes])


def intensity(figures: Figures, subject: Subject) -> Value:
    from .device import intensity

    return decimal(intensity(figures.cost(subject).flops, moved(figures, subject)))


def fused_bytes(figures: Figures, subject: Subject) -> int:
    return sum([figures.fused[i].bytes for i in subject.nodes])


def nanoseconds(work: Callable[[Figures], list[Work]]) -> Getter:
    """The sum of the layers' times by the roofline, rounded down, so that a bound stays one."""

    def get(figures: Figures, subject: Subject) -> Value:
        from .device import least_total

        if figures.device is None:
            return None
        found = work(figures)
        return int(least_total([found[i] for i in subject.nodes], figures.device) * 10**9)

    return get


def bound(figures: Figures, subject: Subject) -> Value:
    from .device import limit

    moved = fused_bytes(figures, subject)
    if figures.device is None or not moved:
        return None
    return limit(sum([figures.fused[i].flops for i in subject.nodes]), moved, figures.device)


def on_device(figures: Figures) -> list[str]:
    device = figures.device
    if device is None:
        return []
    source = f" ({device.source})" if device.source else ""
    return [f"device {device.name}: {device.flops:,} FLOP/s, {device.bandwidth:,} B/s{source}"]


# What it takes of memory, in bytes at the figures' batch and dtype.


def activations(figures: Figures, subject: Subject) -> int:
    return figures.activations(subject.nodes)


def params_memory(figures: Figures, subject: Subject) -> int:
    return figures.cost(subject).params * figures.item


def gradients(figures: Figures, subject: Subject) -> Value:
    return params_memory(figures, subject) if figures.trained else None


def optimizer(figures: Figures, subject: Subject) -> Value:
    from .training import state_bytes

    return state_bytes(figures.dtype, figures.optimizer) * figures.cost(subject).params if figures.trained else None


def activation(figures: Figures, subject: Subject) -> Value:
    return figures.activations(subject.nodes) * figures.item


def live(figures: Figures, subject: Subject) -> Value:
    live = figures.liveness.live
    return max([live[i] for i in subject.nodes], default=0) * figures.batch * figures.item


def saved(figures: Figures, subject: Subject) -> int:
    return sum([figures.saved[i] for i in subject.nodes])


def workspace(figures: Figures, subject: Subject) -> Value:
    """The largest, since layers run one after another; of one example, as Caffe holds it."""
    from .multiplications import im2col_elements

    elements = figures.figures(im2col_elements)
    return max([elements[i] for i in subject.nodes], default=0) * figures.item


def training(step: Callable[[Figures], TrainingStep | None]) -> Getter:
    """The most that is alive while a layer of the subject runs; of the whole network at any moment."""

    def get(figures: Figures, subject: Subject) -> Value:
        found = step(figures)
        if found is None:
            return None
        if subject is figures.whole:
            return found.peak.bytes
        return max([found.alive[i] for i in subject.nodes], default=0)

    return get


def training_peak(name: str, step: Callable[[Figures], TrainingStep | None]) -> Callable[[Figures], list[str]]:
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


def arena_live(figures: Figures, subject: Subject) -> Value:
    return max([figures.arena.live[operator] for operator in _running(figures, subject)], default=0)


def arena(figures: Figures, subject: Subject) -> Value:
    """None where there are too many buffers to plan."""
    high = figures.arena.high
    return None if high is None else max([high[operator] for operator in _running(figures, subject)], default=0)


def offset(figures: Figures, subject: Subject) -> Value:
    plan = figures.arena
    return None if subject.output is None or plan.offsets is None else plan.offsets[plan.holds[subject.output]]


def planned(figures: Figures) -> list[str]:
    """What the arena needs, where, and what of it is left unused."""
    from .controller import Controller

    counted = "" if figures.dtype == "int8" else f"; in {figures.dtype}: --dtype int8 counts as microcontrollers do"
    return [Controller(figures).said() + counted]


def flash(figures: Figures, subject: Subject) -> Value:
    return sum([figures.flash[i].total for i in subject.nodes])


def peak(figures: Figures) -> list[str]:
    """Where the peak is and what is alive there."""
    facts, nodes = figures.liveness, figures.network.nodes
    alive = facts.alive(facts.peak)
    names = ", ".join(nodes[i].name for i in alive[-MOST_NAMES:])
    more = f" and {len(alive) - MOST_NAMES} more" if len(alive) > MOST_NAMES else ""
    peak = amount(facts.live[facts.peak] * figures.batch * figures.item, "bytes")
    return [f"peak: {peak} at {nodes[facts.peak].name}; alive there: {names}{more}"]


# What it sees of the network's input.


def of_field(read: Callable[[AxisField], object], moving: bool = True, local: bool = False) -> Getter:
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


def joins(figures: Figures) -> list[str]:
    """Joins of paths that see different things."""
    notes = figures.receptive_fields.notes
    more = len(notes) - MOST_NAMES
    lines = [f"{note.node}: {note.message}" for note in notes[:MOST_NAMES]]
    return [*lines, f"{more} more joins of unequal or misaligned paths"] if more > 0 else lines


def depth(figures: Figures, subject: Subject) -> Value:
    return figures.depth(subject.nodes)
