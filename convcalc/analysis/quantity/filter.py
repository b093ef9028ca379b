"""Quantities of the filters: the weights that multiply, without what normalizes or is added."""

from __future__ import annotations

from ..report import Report, Subject
from .values import SPACE_LETTERS, Quantity, Shaped, Value


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


FILTER_QUANTITIES = (
    Quantity("filter", "", "kernel × in × out of the only weighted layer; in is that of one group", _filter),
    Quantity(
        "filter_weights", "numbers", "weights of convolutions and linear layers alone", _filter_weights, sums=True
    ),
)
