"""Upsampling against the matrices that PyTorch multiplies by: its values, gradients, and which inputs are read."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc.analysis.receptive_field import receptive_fields
from convcalc.analysis.report import analyse
from convcalc.analysis.seen import seen_from
from convcalc.layers.registry import build
from convcalc.network import Network
from convcalc.reference import backward, forward

from .published_architectures import network

CASES = json.loads(gzip.decompress((Path(__file__).parent / "oracle" / "interpolation.json.gz").read_bytes()))["cases"]
SPACE_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def name_of(case: dict[str, Any]) -> str:
    to = f"x{case['scale_factor']}" if "scale_factor" in case else case["size"]
    return f"{case['mode']}-{case['in']}-{to}{'-corners' * bool(case['align_corners'])}"


def fields_of(case: dict[str, Any]) -> dict[str, Any]:
    """The fields of the layer: along the first space axis as recorded, the others have one position."""
    others = SPACE_AXES.get(case["mode"], 1) - 1
    given: dict[str, Any] = {"mode": case["mode"]}
    if case["align_corners"] is not None:
        given["align_corners"] = case["align_corners"]
    if "size" in case:
        return given | {"size": [case["size"], *[1] * others]}
    return given | {"scale_factor": [case["scale_factor"], *[1] * others]}


def shape_of(case: dict[str, Any]) -> tuple[int, ...]:
    return (1, case["in"], *[1] * (SPACE_AXES.get(case["mode"], 1) - 1))


def network_of(case: dict[str, Any]) -> Network:
    spec = {"convcalc": 1, "input": list(shape_of(case)), "layers": [{"upsample": fields_of(case)}]}
    return network(json.dumps(spec))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_values_and_gradients_are_those_of_pytorchs_matrix(case: dict[str, Any]) -> None:
    layer, matrix = build("upsample", fields_of(case)), np.array(case["matrix"])
    shape = shape_of(case)
    units = np.eye(case["in"]).reshape(-1, *shape)
    values = forward(layer, units)
    assert values.shape[1:] == layer.output_shape((shape,))
    np.testing.assert_allclose(values.reshape(case["in"], -1).T, matrix, atol=1e-12)
    grads = np.eye(len(matrix)).reshape(-1, *layer.output_shape((shape,)))
    (grad,), _ = backward(layer, np.zeros((len(matrix), *shape)), None, grads)
    np.testing.assert_allclose(grad.reshape(len(matrix), -1), matrix, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_is_seen_is_what_the_matrix_takes(case: dict[str, Any]) -> None:
    net = network_of(case)
    (_, fields) = receptive_fields(net).fields
    assert fields is not None
    others = (0,) * (len(fields) - 1)
    for position, row in enumerate(case["matrix"]):
        taken = {i for i, weight in enumerate(row) if weight}
        assert set(seen_from(net, 1, (position, *others))[0].axes[0]) == taken
        reach = fields[0].at(position)
        assert reach is not None and reach[0] <= min(taken) and max(taken) <= reach[1]


@pytest.mark.parametrize(
    ("mode", "input", "size", "saved"),
    [
        ("area", [3, 6, 6], [3, 3], 864),
        ("area", [3, 6, 6], [9, 12], 864),
        ("area", [3, 6, 6], [6, 6], 864),
        ("area", [3, 6, 6], [1, 3], 864),
        ("area", [3, 6, 6], [1, 2], 864),
        ("area", [3, 6, 6], [1, 1], 0),
        ("area", [3, 6], [4], 144),
        ("area", [3, 6], [1], 0),
        ("area", [3, 4, 6, 5], [2, 3, 4], 2880),
        ("area", [2, 4, 6, 5], [1, 1, 1], 0),
        ("nearest", [3, 6, 6], [9, 12], 0),
        ("bilinear", [3, 6, 6], [9, 12], 0),
        ("bicubic", [3, 6, 6], [9, 12], 0),
    ],
)
def test_saved_bytes_equal_pytorchs(mode: str, input: list[int], size: list[int], saved: int) -> None:
    """torch.autograd.graph.saved_tensors_hooks of PyTorch 2.14.1 at batch 2: to one position it takes the mean."""
    layers = [{"upsample": {"size": size, "mode": mode}}]
    assert sum(analyse(network(json.dumps({"convcalc": 1, "input": input, "layers": layers})), 2).saved) == saved


@pytest.mark.parametrize("mode", ["linear", "bicubic"])
@pytest.mark.parametrize("scale", [0.29, 3.3, 7.1])
@pytest.mark.parametrize("size", [20, 33])
def test_bounds_of_a_long_pattern_hold_what_the_kernel_reads(mode: str, scale: float, size: int) -> None:
    """Two neighbours, or four: Keys 1981. The positions are those of PyTorch's area_pixel_compute_source_index."""
    case = {"mode": mode, "in": size, "scale_factor": scale, "align_corners": None}
    net = network_of(case)
    (_, fields) = receptive_fields(net).fields
    assert fields is not None
    beside = 1 if mode == "bicubic" else 0
    for q in range(net.nodes[1].shape[1]):
        left = np.floor((q + 0.5) / scale - 0.5)
        reach = fields[0].at(q)
        assert reach is not None and reach[0] <= left - beside and left + 1 + beside <= reach[1]
        assert reach[1] - reach[0] <= 2 * (3 + 1 / scale)


def test_the_reach_of_cubic_is_one_more_on_each_side() -> None:
    """Where the pattern repeats soon the field is exact: from 4 to 8 a position reads 4 inputs, in linear mode 2."""
    sizes = {}
    for mode in ("linear", "bicubic"):
        net = network_of({"mode": mode, "in": 4, "size": 8, "align_corners": None})
        (_, fields) = receptive_fields(net).fields
        assert fields is not None
        reaches = [fields[0].at(q) for q in range(8)]
        assert all(reach is not None for reach in reaches)
        assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(reach for reach in reaches if reach))
        sizes[mode] = (fields[0].size, reaches[4])
    assert sizes == {"linear": (2, (1, 2)), "bicubic": (4, (0, 3))}
