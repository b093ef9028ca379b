"""The registry of quantities: one place that names what can be asked of a layer, a group or a network.

It serves the columns of `table`, the values of published cells, `expect`, budgets and `diff`. On a group
costs sum; `out_channels` and `output` are its output's; `patch`, `kernel_size`, `stride`, `padding` and
`dilation` its only windowed layer's, else empty; `repeats` counts its repetitions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ..report import Report, Subject
from .cost import COST_QUANTITIES
from .filter import FILTER_QUANTITIES
from .memory import MEMORY_QUANTITIES
from .values import Getter, Quantity, Shaped, Value, per_axis, shaped

if TYPE_CHECKING:
    from ...layers.base import Layer


def only_window(report: Report, subject: Subject) -> Layer | None:
    """The only layer of a subject whose window slides; None where there is none or more than one."""
    found: Layer | None = None
    for i in subject.nodes:
        layer = report.node(i).layer
        if layer is not None and hasattr(layer, "kernel_size"):
            if found is not None:
                return None
            found = layer
    return found


def _field(name: str) -> Getter:
    def get(report: Report, subject: Subject) -> Value:
        values = getattr(only_window(report, subject), name, None)
        if isinstance(values, tuple):
            same = [b if isinstance(b, int) else b[0] if b[0] == b[1] else f"{b[0]}:{b[1]}" for b in values]
            return per_axis(tuple(same))
        return values

    return get


def _patch(report: Report, subject: Subject) -> Value:
    layer = only_window(report, subject)
    if layer is None:
        return None
    kernel: tuple[int, ...] = layer.kernel_size  # type: ignore[attr-defined]
    stride: tuple[int, ...] = layer.stride  # type: ignore[attr-defined]
    k = "×".join(map(str, kernel))
    s = str(stride[0]) if len(set(stride)) == 1 else "×".join(map(str, stride))
    shape = report.shape(subject)
    return Shaped("{k}/{s}", {"k": k, "s": s, "c": shape[0] if shape else "-"}, (kernel, stride))


def _output(report: Report, subject: Subject) -> Value:
    return shaped(report.shape(subject))


def _input(report: Report, subject: Subject) -> Value:
    """The shape that the subject's first layer reads."""
    for i in subject.nodes:
        node = report.node(i)
        return shaped(report.node(node.inputs[0]).shape if node.inputs else node.shape)
    return _output(report, subject)


def _channels(shape: Getter) -> Getter:
    def get(report: Report, subject: Subject) -> Value:
        value = shape(report, subject)
        return value.parts["c"] if isinstance(value, Shaped) else None  # type: ignore[return-value]

    return get


def _kind(report: Report, subject: Subject) -> Value:
    if subject.group is not None:
        return subject.group.kind
    return report.node(subject.output).kind if subject.output is not None else None


def _groups(report: Report, subject: Subject) -> Value:
    return getattr(only_window(report, subject), "groups", None)


def _seen(name: str) -> Getter:
    """One figure of the receptive field of a subject's output, per axis of the network's input."""

    def get(report: Report, subject: Subject) -> Value:
        fields = None if subject.output is None else report.receptive_fields.fields[subject.output]
        if not fields:
            return None
        values = tuple([getattr(f, name) if f.jump is not None or name == "size" else None for f in fields])
        return None if values == (None,) * len(values) else per_axis(values)

    return get


def _effective_padding(report: Report, subject: Subject) -> Value:
    """What Araujo et al. 2019 print as padding."""
    start = _seen("start")(report, subject)
    if not isinstance(start, Shaped):
        return None
    raw: tuple[Fraction | int | None, ...] = start.raw  # type: ignore[assignment]
    return per_axis(tuple([None if value is None else -value for value in raw]))


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("name", "", "path of the layer", lambda report, subject: subject.name),
        Quantity("kind", "", "kind of the layer, or name of the block", _kind),
        Quantity("input", "elements an axis", "shape that it reads: [channels, *space]", _input),
        Quantity("output", "elements an axis", "shape of the output: [channels, *space]", _output),
        Quantity("output_size", "elements an axis", "the same as output, as papers call it", _output),
        Quantity("input_size", "elements an axis", "the same as input, as papers call it", _input),
        Quantity("in_channels", "channels", "channels of the input", _channels(_input)),
        Quantity("out_channels", "channels", "channels of the output", _channels(_output)),
        Quantity("patch", "", "kernel size / stride of the only windowed layer", _patch),
        Quantity("kernel_size", "pixels", "kernel size of the only windowed layer", _field("kernel_size")),
        Quantity("stride", "pixels", "stride of the only windowed layer", _field("stride")),
        Quantity("padding", "pixels", "padding of the only windowed layer", _field("padding")),
        Quantity("dilation", "", "dilation of the only windowed layer", _field("dilation")),
        Quantity("groups", "", "groups of the only windowed layer", _groups),
        Quantity(
            "repeats",
            "",
            "how often the item is repeated",
            lambda report, subject: subject.group.repeats if subject.group else 1,
        ),
        Quantity(
            "activations",
            "elements",
            "elements of the outputs of its layers",
            lambda report, subject: report.activations(subject.nodes),
            sums=True,
        ),
        Quantity(
            "depth",
            "layers",
            "weighted layers on the longest path",
            lambda report, subject: report.depth(subject.nodes),
        ),
        Quantity(
            "receptive_field", "pixels an axis", "extent of the input that one output position sees", _seen("size")
        ),
        Quantity("jump", "pixels an axis", "input pixels between neighbouring output positions", _seen("jump")),
        Quantity(
            "start", "pixels an axis", "first input pixel that position 0 sees; padding is negative", _seen("start")
        ),
        Quantity("centre", "pixels an axis", "middle of what position 0 sees", _seen("centre")),
        Quantity(
            "effective_padding",
            "pixels an axis",
            "input pixels of padding that position 0 sees: -start",
            _effective_padding,
        ),
        *FILTER_QUANTITIES,
        *COST_QUANTITIES,
        *MEMORY_QUANTITIES,
    )
}
"""Name -> quantity. `count` is the papers' name for `repeats`."""

ALIASES = {"count": "repeats", "layer": "name", "type": "kind"}
_MEANINGS = {known.name: f"{known.meaning} ({known.unit})" for known in QUANTITIES.values()}
QUANTITY_NAMES = dict(sorted({**{name: name for name in ALIASES}, **_MEANINGS}.items()))
"""Every name that a spec may use -> what it means."""


def quantity(name: str) -> Quantity | None:
    """The quantity of a name or an alias of it; None for an unknown one."""
    return QUANTITIES.get(ALIASES.get(name, name))


__all__ = [
    "ALIASES",
    "QUANTITIES",
    "QUANTITY_NAMES",
    "Getter",
    "Quantity",
    "Shaped",
    "Value",
    "only_window",
    "per_axis",
    "quantity",
    "shaped",
]
