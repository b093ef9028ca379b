"""Why a layer, a group or the network has its figures: sums over layers, and what only a network has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..units import counted
from .explain_layer import layer_sections, seen_section
from .explanation import Explanation, Section, Step, total
from .memory import best_order, liveness
from .multiplications import effective_macs, im2col_elements, lecture_time
from .quantity_values import space_complexity
from .seen import seen_from
from .training import MIXED, state_bytes

if TYPE_CHECKING:
    from ..layers.base import Shape
    from .figures import Subject
    from .report import Report
    from .seen import Seen


def explain(report: Report, subject: Subject, at: tuple[int, ...] | None = None) -> Explanation:
    """Why a layer, a group or the whole network has its figures; with `at`, what one output position sees.

    `at` has one position a space axis of the subject's output. Raises ValueError where there is no such
    position.
    """
    single = subject.group is None and len(subject.nodes) == 1 and subject is not report.whole
    index = subject.output
    if single and index is not None and report.node(index).layer is not None:
        return _layer(report, index, at)
    sections = group_sections(report, subject)
    if subject is report.whole:
        sections += network_sections(report)
    seen, extra = _seen(report, index, at)
    inputs = tuple(report.network.inputs.values()) if subject is report.whole else _entry(report, subject)
    kind = subject.group.kind if subject.group is not None else "network" if subject is report.whole else "layers"
    name = report.network.name if subject is report.whole else subject.name
    return Explanation(name, kind, inputs, report.shape(subject), "", (*sections, *extra), seen)


def _entry(report: Report, subject: Subject) -> tuple[Shape, ...]:
    """The shape that the first layer of a group reads."""
    for i in subject.nodes:
        node = report.node(i)
        return report.network.input_shapes(node) if node.inputs else (node.shape,)
    return ()


def _layer(report: Report, index: int, at: tuple[int, ...] | None) -> Explanation:
    node = report.node(index)
    assert node.layer is not None
    seen, extra = _seen(report, index, at)
    lines = (type(node.layer).__doc__ or "").strip().split("\n\n")[0].split()
    inputs = report.network.input_shapes(node)
    sections = (*layer_sections(report, index), *extra)
    return Explanation(node.name, node.kind, inputs, node.shape, " ".join(lines), sections, seen)


def _seen(
    report: Report, index: int | None, at: tuple[int, ...] | None
) -> tuple[tuple[Seen, ...], tuple[Section, ...]]:
    if at is None:
        return (), ()
    if index is None:
        raise ValueError("it has no single output")
    seen = tuple(seen_from(report.network, index, at))
    return seen, tuple(seen_section(report, index, at, one) for one in seen)


def group_sections(report: Report, subject: Subject) -> tuple[Section, ...]:
    """The sums over a subject's layers: params, MACs and FLOPs, each with its terms."""
    costs = [report.costs[i] for i in subject.nodes]
    batch = report.batch
    steps = [
        _sum("params", [cost.params for cost in costs], "numbers"),
        _sum("MACs", [cost.macs * batch for cost in costs], "MACs"),
        _sum("flops", [cost.flops * batch for cost in costs], "flops"),
    ]
    real = report.summed(effective_macs, subject)
    if real != report.cost(subject).macs:
        steps.append(Step("effective MACs", real, unit="MACs", note="without those on padding"))
    depth = Step("depth", report.depth(subject.nodes), unit="layers", note="weighted layers on the longest path")
    sections = [Section("sum of its layers", (*steps, depth))]
    fields = None if subject.output is None else report.receptive_fields.fields[subject.output]
    if fields:
        seen = " × ".join(str(field.size) for field in fields)
        jumps = " × ".join("-" if field.jump is None else str(field.jump) for field in fields)
        field_steps = [Step("r", seen, unit="pixels"), Step("j", jumps, unit="pixels a position")]
        local = report.local_fields.fields[subject.output] if subject.output is not None else None
        if local and local != fields:
            around = " × ".join(str(field.size) for field in local)
            field_steps.append(Step("r, local", around, unit="pixels", note="without global context"))
        sections.append(Section("receptive field of its output", tuple(field_steps)))
    return tuple(sections)


def _sum(result: str, values: list[int], unit: str) -> Step:
    terms = [value for value in values if value] or [0]
    step = total(result, terms, unit)
    if len(terms) <= 8:
        return step
    return Step(result, step.value, unit=unit, note=f"over {len(terms)} layers")


def network_sections(report: Report) -> tuple[Section, ...]:
    """Training cost, memory at inference and in training, the lecture's sums, and the roofline where asked for."""
    return (
        _training_cost(report),
        _inference(report),
        *_controller(report),
        *_training_memory(report),
        _lecture(report),
        *_roofline(report),
    )


def _training_cost(report: Report) -> Section:
    forward, backward = report.totals.macs, report.batch * sum(report.backward)
    return Section(
        "a training step",
        (
            Step("forward", forward, unit="MACs"),
            Step("backward", backward, unit="MACs", note="gradients of weights, and of inputs where one is needed"),
            total("step", (forward, backward), "MACs"),
        ),
    )


def _inference(report: Report) -> Section:
    nodes = report.network.nodes
    scale = report.batch * report.item
    given = report.liveness
    alive = ", ".join(nodes[i].name for i in given.alive(given.peak)[:6])
    place = liveness(report.network, in_place=True)
    best = best_order(report.network)
    proof = "proven: no order needs less" if best.proven else "found; not proven to be the least"
    workspace = max(report.figures(im2col_elements)) * report.item
    held = report.totals.params * report.item
    steps = [
        Step(
            "params",
            held,
            "",
            f"{report.totals.params}*{report.item}",
            "bytes",
            report.dtype,
        ),
        Step("peak", given.live[given.peak] * scale, unit="bytes", note=f"at {nodes[given.peak].name}; alive: {alive}"),
        Step("peak in place", place.live[place.peak] * scale, unit="bytes", note=f"at {nodes[place.peak].name}"),
        Step("peak, best order", best.peak * scale, unit="bytes", note=proof),
        Step("im2col", workspace, unit="bytes", note="largest workspace, of one example"),
    ]
    if report.totals.buffers:
        steps.insert(1, Step("buffers", report.totals.buffers * report.item, unit="bytes"))
    return Section("memory at inference", tuple(steps))


def _controller(report: Report) -> list[Section]:
    """The arena and the flash of a microcontroller, which has int8."""
    if report.dtype != "int8":
        return []
    from .controller import Controller

    plan = Controller(report)
    arena, flash = plan.arena, plan.flash
    pads = f"with a PAD before {counted(len(plan.padded), 'layer')}" if plan.padded else "no PAD is needed"
    planned = (
        ("arena", arena.size, "planned greedily by size, 16-byte aligned"),
        ("gaps", plan.fragmentation, "of the arena beyond what is alive"),
        ("arena with PAD", plan.size_with_pads, pads),
    )
    parts = {"weights": flash.weights, "biases": flash.biases, "scales": flash.scales}
    steps = (
        Step("alive", arena.bound, unit="bytes", note=f"in buffers at {plan.place(arena.peak)}: no plan needs less"),
        *[Step(name, size, unit="bytes", note=note) for name, size, note in planned if size is not None],
        *[Step(name, size, unit="bytes") for name, size in parts.items()],
        total("flash", parts.values(), "bytes", "batch norms folded; without the graph and zero points"),
    )
    return [Section("on a microcontroller", steps)]


def _training_memory(report: Report) -> list[Section]:
    step, released = report.training, report.training_released
    if step is None or released is None:
        return []
    params = report.totals.params
    held = params * report.item
    each = state_bytes(report.dtype, report.optimizer)
    master = ", float32 master weights included" if report.dtype in MIXED else ""
    peak = step.peak
    return [
        Section(
            "memory in training",
            (
                Step("params", held, unit="bytes"),
                Step("gradients", held, unit="bytes", note="of the step before, which those of this step are added to"),
                Step("state", each * params, "", f"{each}*{params}", "bytes", f"{report.optimizer}{master}"),
                Step(
                    "saved",
                    sum(report.saved),
                    unit="bytes",
                    note="tensors that backward needs, as PyTorch keeps them",
                ),
                total(
                    "training",
                    [size for _, size in peak.parts()],
                    "bytes",
                    f"peak {peak.place(report.network)}: {', '.join(what for what, _ in peak.parts())}",
                ),
                Step(
                    "released",
                    released.peak.bytes,
                    unit="bytes",
                    note=f"peak {released.peak.place(report.network)}, where gradients are released before the step",
                ),
            ),
        )
    ]


def _lecture(report: Report) -> Section:
    time, space = sum(report.figures(lecture_time)), space_complexity(report, report.whole)
    macs = report.totals.macs // report.batch
    ratio = f"{_times(time, macs)} the MACs of one example" if macs else ""
    return Section(
        "the lecture's complexity, one example",
        (
            Step("time", time, "sum of M^2*K^2*C_in*C_out", "", "products", ratio),
            Step(
                "space",
                space,
                "sum of K^2*C_in*C_out + M^2*C_out",
                "",
                "numbers",
                "weights and outputs of convolutions",
            ),
        ),
    )


def _times(a: int, b: int) -> str:
    hundredths = (200 * a + b) // (2 * b)
    return f"{hundredths // 100}.{hundredths % 100:02d} ×"


def _roofline(report: Report) -> list[Section]:
    device = report.device
    if device is None:
        return []
    from .device import ROOFLINE, least_total, limit

    bounds = [limit(flops, moved, device) for flops, moved in report.fused if moved]
    note = f"a bound; {bounds.count('compute')} products and pools bound by compute, {bounds.count('memory')} by memory"
    return [
        Section(
            f"roofline on {device.name}",
            (
                Step("rate", device.flops, unit="FLOP/s", source=device.source),
                Step("bandwidth", device.bandwidth, unit="B/s"),
                Step(
                    "time, fused",
                    int(least_total(report.fused, device) * 10**9),
                    "sum of max(2*MACs/rate, bytes/bandwidth)",
                    "",
                    "ns",
                    note,
                    ROOFLINE,
                ),
                Step(
                    "time, eager",
                    int(least_total(report.eager, device) * 10**9),
                    "sum of max(flops/rate, bytes/bandwidth)",
                    "",
                    "ns",
                    "an estimate: every layer makes a trip through memory of its own",
                    ROOFLINE,
                ),
            ),
        )
    ]
