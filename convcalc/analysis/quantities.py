"""The registry of quantities: one place that names what can be asked of a layer, a group or a network.

It serves the columns of `table`, the values of published cells, `expect`, budgets and `diff`. On a group
costs sum; `out_channels` and `output` are its output's; `patch`, `kernel_size`, `stride`, `padding` and
`dilation` its only windowed layer's, else empty; `repeats` counts its repetitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from .report import Report, Subject

if TYPE_CHECKING:
    from ..layers.base import Layer


class Shaped(NamedTuple):
    """A value with named parts: a shape or a window, formatted by `{name}` placeholders."""

    default: str
    """The format used where none is declared."""
    parts: dict[str, object]
    raw: object

    def written(self, format: str | None = None) -> str:
        """The value as text: each `{name}` of the format replaced by its part; unknown names stay.

        >>> shaped((64, 112, 112)).written("{h}x{w}")
        '112x112'
        """
        return _PLACEHOLDER.sub(lambda m: str(self.parts.get(m[1], m[0])), format or self.default)


_PLACEHOLDER = re.compile(r"\{(\w+)\}")

Value = int | str | Fraction | Shaped | None
Getter = Callable[[Report, Subject], Value]


class Quantity(NamedTuple):
    """One thing that can be asked: its unit, its meaning in one line, and how it is read."""

    name: str
    unit: str
    meaning: str
    get: Getter
    sums: bool = False
    """Whether it adds up over layers, so that shares and plots make sense."""


SPACE_LETTERS = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def shaped(shape: tuple[int, ...] | None) -> Shaped | None:
    """A shape [channels, *space] with its parts by letter; absent space axes are 1.

    >>> shaped((64, 112, 112)).written()
    '112×112×64'
    """
    if shape is None:
        return None
    channels, space = shape[0], shape[1:]
    parts: dict[str, object] = {"c": channels, "d": 1, "h": 1, "w": 1, "l": 1, "n": prod(shape)}
    letters = SPACE_LETTERS.get(len(space), ())
    parts.update(zip(letters, space, strict=False))
    default = "×".join(f"{{{letter}}}" for letter in (*(letters or ("h", "w")), "c"))
    return Shaped(default, parts, shape)


def per_axis(values: tuple[object, ...] | None) -> Shaped | None:
    """One value an axis, printed with × between; parts are the letters of the space axes.

    >>> per_axis((3, 3)).written()
    '3×3'
    """
    if values is None:
        return None
    letters = SPACE_LETTERS.get(len(values), ())
    text = "×".join("-" if value is None else str(value) for value in values)
    parts: dict[str, object] = dict(zip(letters, values, strict=False))
    parts["all"] = text
    return Shaped("{all}", parts, values)


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


def _filter(report: Report, subject: Subject) -> Value:
    """The weight of the only convolution or linear layer, as papers write it: kernel × in × out."""
    weighted = [node for node in map(report.node, subject.nodes) if node.layer is not None and node.layer.weighted]
    if len(weighted) != 1 or weighted[0].kind.startswith("separable"):
        return None
    node, layer = weighted[0], weighted[0].layer
    kernel: tuple[int, ...] = getattr(layer, "kernel_size", ())
    read = report.network.input_shapes(node)[0]
    parts: dict[str, object] = dict(zip(SPACE_LETTERS.get(len(kernel), ()), kernel, strict=False))
    parts["in"] = read[0] // getattr(layer, "groups", 1) if kernel else read[-1]
    parts["out"] = node.shape[0] if kernel else node.shape[-1]
    return Shaped("×".join([*map(str, kernel), "{in}", "{out}"]), parts, (*kernel, parts["in"], parts["out"]))


def _filter_weights(report: Report, subject: Subject) -> Value:
    layers = ((i, report.node(i).layer) for i in subject.nodes)
    return sum([report.costs[i].weights for i, layer in layers if layer is not None and layer.weighted])


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


def _cost(name: str) -> Getter:
    return lambda report, subject: getattr(report.cost(subject), name)


def _groups(report: Report, subject: Subject) -> Value:
    return getattr(only_window(report, subject), "groups", None)


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
        Quantity("filter", "", "kernel × in × out of the only weighted layer; in is that of one group", _filter),
        Quantity(
            "repeats",
            "",
            "how often the item is repeated",
            lambda report, subject: subject.group.repeats if subject.group else 1,
        ),
        Quantity("params", "numbers", "learnable numbers, biases included", _cost("params"), sums=True),
        Quantity("weights", "numbers", "learnable numbers in tensors named weight", _cost("weights"), sums=True),
        Quantity("filter_weights", "numbers", "weights of convolutions and linear layers alone", _filter_weights, sums=True),
        Quantity("buffers", "numbers", "running statistics", _cost("buffers"), sums=True),
        Quantity("macs", "MACs", "multiply-accumulates: all taps, no bias", _cost("macs"), sums=True),
        Quantity("flops", "FLOPs", "2 macs + bias adds + other operations", _cost("flops"), sums=True),
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
    )
}
"""Name -> quantity. `count` is the papers' name for `repeats`."""

ALIASES = {"count": "repeats", "layer": "name", "type": "kind"}


def quantity(name: str) -> Quantity | None:
    """The quantity of a name or an alias of it; None for an unknown one."""
    return QUANTITIES.get(ALIASES.get(name, name))
