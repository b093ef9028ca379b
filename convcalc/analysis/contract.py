"""The JSON contract of `convcalc table`: stable keys, raw integers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .. import __version__
from .conventions import CONVENTIONS

if TYPE_CHECKING:
    from .report import Report

FORMAT = 1


def report_dict(report: Report) -> dict[str, object]:
    """A report as plain data: layers, stages, outputs, totals."""
    network = report.network
    nodes = network.nodes
    totals = report.totals
    everything = range(len(nodes))
    return {
        "format": FORMAT,
        "convcalc": __version__,
        "spec": network.name,
        "variant": network.variant,
        "input": {name: list(shape) for name, shape in network.inputs.items()},
        "batch": report.batch,
        "conventions": dict(CONVENTIONS),
        "layers": [_layer(report, i) for i in everything if nodes[i].layer is not None],
        "stages": [
            {
                "name": stage.name,
                "output_shape": _listed(report.shape(stage)),
                **_costs(report.cost(stage), buffers=False),
                "depth": report.depth(stage.nodes),
            }
            for stage in report.stages
        ],
        "outputs": [{"name": output.name, "shape": list(nodes[output.node].shape)} for output in network.outputs],
        "totals": {
            **_costs(totals),
            "activations": report.activations(everything),
            "depth": report.depth(everything),
        },
    }


def _layer(report: Report, index: int) -> dict[str, object]:
    nodes = report.network.nodes
    node = nodes[index]
    cost = report.costs[index]
    return {
        "name": node.name,
        "stage": node.stage,
        "kind": node.kind,
        "from": [nodes[i].name for i in node.inputs],
        "input_shapes": [list(nodes[i].shape) for i in node.inputs],
        "output_shape": list(node.shape),
        **_costs(cost._replace(macs=cost.macs * report.batch, flops=cost.flops * report.batch)),
        **_field(report, index),
    }


def _field(report: Report, index: int) -> dict[str, object]:
    """Extent and jump of the receptive field on each space axis of the network's input; fractions as "p/q"."""
    fields = report.receptive_fields.fields[index]
    if not fields:
        return {"receptive_field": None, "jump": None}
    return {
        "receptive_field": [_exact(field.size) for field in fields],
        "jump": [_exact(field.jump) for field in fields],
    }


def _exact(value: int | Fraction | None) -> int | str | None:
    return value if value is None or isinstance(value, int) else str(value)


def _costs(cost: object, buffers: bool = True) -> dict[str, int]:
    names = ("params", "weights", "buffers", "macs", "flops")
    return {name: getattr(cost, name) for name in names if buffers or name != "buffers"}


def _listed(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)
