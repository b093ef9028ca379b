"""The published models of a paper are rows of a sweep over its design space: the plans of the gallery.

Params are those that timm, torchvision and Keras count (tests/oracle/design_spaces.json, made by
tools/design_spaces.py). What is printed is from the papers, pycls (MODEL_ZOO.md), torchvision's documentation, and
TensorFlow's table of MobileNetV2 checkpoints (models/research/slim/nets/mobilenet/README.md), which has the weights
of convolutions and truncates MACs.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from convcalc.language.sources import read
from convcalc.sweep.axes import Progression, read_range
from convcalc.sweep.candidates import Candidate
from convcalc.sweep.evaluation import Evaluator
from convcalc.sweep.plan import Plan
from convcalc.sweep.plan_file import plan_path
from convcalc.sweep.planning import planned

RECORD: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "oracle" / "design_spaces.json").read_text())


def plan(name: str, **given: Any) -> Plan:
    return planned(read(plan_path(name)), given)[0]


def row(found: Plan, values: tuple[object, ...]) -> tuple[Candidate, list[Any]]:
    """The candidate of a space that has these values on its first axes, and its figures."""
    for number in range(found.space.size):
        candidate = found.space.candidate(number)
        if candidate.values[: len(values)] == values and isinstance(candidate, Candidate):
            figures = Evaluator(found.document, found.asked, found.options).values(candidate)
            assert isinstance(figures, tuple)
            return candidate, list(figures)
    raise AssertionError(f"{values} is no candidate")


REGNETX = {
    "regnetx_002": ([1, 1, 4, 7], [24, 56, 152, 368], "0.2", "2.7", "2.2"),
    "regnetx_004": ([1, 2, 7, 12], [32, 64, 160, 384], "0.4", "5.2", "3.1"),
    "regnetx_006": ([1, 3, 5, 7], [48, 96, 240, 528], "0.6", "6.2", "4.0"),
    "regnetx_008": ([1, 3, 7, 5], [64, 128, 288, 672], "0.8", "7.3", "5.1"),
    "regnetx_016": ([2, 4, 10, 2], [72, 168, 408, 912], "1.6", "9.2", "7.9"),
    "regnetx_032": ([2, 6, 15, 2], [96, 192, 432, 1008], "3.2", "15.3", "11.4"),
    "regnetx_040": ([2, 5, 14, 2], [80, 240, 560, 1360], "4.0", "22.1", "12.2"),
    "regnetx_064": ([2, 4, 10, 1], [168, 392, 784, 1624], "6.5", "26.2", "16.4"),
    "regnetx_080": ([2, 5, 15, 1], [80, 240, 720, 1920], "8.0", "39.6", "14.1"),
    "regnetx_120": ([2, 5, 11, 1], [224, 448, 896, 2240], "12.1", "46.1", "21.4"),
    "regnetx_160": ([2, 6, 13, 1], [256, 512, 896, 2048], "15.9", "54.3", "25.5"),
    "regnetx_320": ([2, 7, 13, 1], [336, 672, 1344, 2520], "31.7", "107.8", "36.3"),
}
"""Depths and widths of the stages, billions of MACs, millions of params and of activations, as pycls prints them."""


@pytest.mark.parametrize("name", REGNETX)
def test_regnetx(name: str) -> None:
    """The five numbers of the paper give the printed stages, and these the printed figures."""
    said = RECORD["regnetx"][name]
    numbers = {key: said[key] for key in ("d", "w0", "wa", "wm", "group_width")}
    space = plan("regnetx_space", columns=("params", "macs", "**.conv2d.activations", "bias_flops"))
    for text in space.range:
        axis = read_range(text)
        (part,) = axis.parts
        assert isinstance(part, Progression)
        place = (Fraction(numbers[str(axis.target)]) - part.start) / part.step
        assert place.denominator == 1 and 0 <= place < part.size, f"{name} is in the ranges"
    pinned = plan(
        "regnetx_space",
        columns=("params", "macs", "**.conv2d.activations", "bias_flops"),
        grid=tuple(f"{key}={value}" for key, value in numbers.items()),
    )
    assert pinned.space.size == 1
    candidate, (params, macs, activations, biases) = row(pinned, ())
    depths, widths, *printed = REGNETX[name]
    assert (list(candidate.params["depths"]), list(candidate.params["widths"])) == (depths, widths)  # type: ignore[arg-type]
    assert params == said["params"]
    assert [f"{macs / 1e9:.1f}", f"{params / 1e6:.1f}", f"{(activations + biases) / 1e6:.1f}"] == printed


EFFICIENTNETS = {
    "efficientnet_b0": (1, 1, 224, "5.3", "0.39"),
    "efficientnet_b1": (1, Fraction(11, 10), 240, "7.8", "0.70"),
    "efficientnet_b2": (Fraction(11, 10), Fraction(6, 5), 260, "9.2", "1.0"),
    "efficientnet_b3": (Fraction(6, 5), Fraction(7, 5), 300, "12", "1.8"),
    "efficientnet_b4": (Fraction(7, 5), Fraction(9, 5), 380, "19", "4.2"),
    "efficientnet_b5": (Fraction(8, 5), Fraction(11, 5), 456, "30", "9.9"),
    "efficientnet_b6": (Fraction(9, 5), Fraction(13, 5), 528, "43", "19"),
    "efficientnet_b7": (2, Fraction(31, 10), 600, "66", "37"),
}
"""Width, depth and resolution of the authors, and the params (M) and FLOPs (B) that table 2 of the paper prints."""


@pytest.mark.parametrize("name", EFFICIENTNETS)
def test_efficientnet(name: str) -> None:
    """Params and MACs at torchvision's resolution to the last digit; the paper's within some percent."""
    width, depth, size, params, macs = EFFICIENTNETS[name]
    said = RECORD["efficientnet"][name]
    space = plan("efficientnet_space")
    _, figures = row(space, (width, depth, said["size"]))
    assert figures[0] == said["params"] and f"{figures[1] / 1e9:.3f}" == said["gigamacs"]
    _, figures = row(space, (width, depth, size))
    assert figures[0] / 1e6 == pytest.approx(float(params), rel=0.025)
    assert figures[1] / 1e9 == pytest.approx(float(macs), rel=0.065)


def test_compound_scaling() -> None:
    """phi 0, 0.5, 1 and 2 are B0 to B3 as the authors rounded them, who have 260 for 258 and 300 for 296."""
    found = plan("efficientnet_scaling")
    scaled = {phi: (depth, width, size) for phi, depth, width, size in (
        found.space.candidate(number).values for number in range(found.space.size)
    )}  # fmt: skip
    assert scaled[0] == (1, 1, 224)
    assert scaled[Fraction(1, 2)] == (Fraction(11, 10), 1, 240)
    assert scaled[1] == (Fraction(6, 5), Fraction(11, 10), 258)
    assert scaled[2] == (Fraction(7, 5), Fraction(6, 5), 296)


@pytest.mark.parametrize(
    ("width", "size", "macs", "params"),
    [
        (1, 224, 569, 4.2),
        (1, 192, 418, 4.2),
        (1, 160, 290, 4.2),
        (1, 128, 186, 4.2),
        (Fraction(3, 4), 224, 325, 2.6),
        (Fraction(1, 2), 224, 149, 1.3),
        (Fraction(1, 4), 224, 41, 0.5),
        (Fraction(1, 2), 160, 76, 1.32),
    ],
)
def test_mobilenet_v1(width: int | Fraction, size: int, macs: int, params: float) -> None:
    """Tables 6, 7 and 8 of the paper."""
    _, figures = row(plan("mobilenet_v1_space", columns=("params", "macs", "filter_weights")), (width, size))
    assert figures[0] == RECORD["mobilenet"][f"mobilenet_v1_{float(width)}"]["params"]
    assert abs(figures[1] / 1e6 - macs) < 1
    assert figures[2] / 1e6 == pytest.approx(params, abs=0.05)


V2_PARAMS = {1.4: "6.06", 1.3: "5.34", 1.0: "3.47", 0.75: "2.61", 0.5: "1.95", 0.35: "1.66"}
V2_MACS = {
    1.4: {224: 582},
    1.3: {224: 509},
    1.0: {224: 300, 192: 221, 160: 154, 128: 99, 96: 56},
    0.75: {224: 209, 192: 153, 160: 107, 128: 69, 96: 39},
    0.5: {224: 97, 192: 71, 160: 50, 128: 32, 96: 18},
    0.35: {224: 59, 192: 43, 160: 30, 128: 20, 96: 11},
}


@pytest.mark.parametrize("width", V2_MACS)
def test_mobilenet_v2(width: float) -> None:
    """All 22 checkpoints."""
    found = plan("mobilenet_v2_space", columns=("params", "macs", "filter_weights"))
    exact = Fraction(str(width))
    for size, macs in V2_MACS[width].items():
        value = exact.numerator if exact.denominator == 1 else exact
        candidate, figures = row(found, (value, size))
        assert candidate.input == {"input": (3, size, size)}
        assert figures[0] == RECORD["mobilenet"][f"mobilenet_v2_{width}"]["params"]
        assert int(figures[1] / 1e6) == macs and f"{figures[2] / 1e6:.2f}" == V2_PARAMS[width]
