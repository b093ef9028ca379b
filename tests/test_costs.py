"""Costs against golden figures, brute force over taps, and the formulas' own text."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load
from convcalc.analysis import device, multiplications, receptive_field  # noqa: F401 - they file their formulas
from convcalc.analysis.cost import Cost, layer_cost, total
from convcalc.analysis.multiplications import effective_macs, fft_flops, im2col_elements, winograd_macs
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import Report, analyse
from convcalc.geometry import FORMULAS, TooLarge
from convcalc.layers.base import Shape
from convcalc.layers.registry import build
from convcalc.network import Network

from .published_architectures import ALEXNET, MOBILENET_V2, RESNET18, VGG16, bottleneck_resnet, network


def of(report: Report, name: str) -> object:
    return QUANTITIES[name].get(report, report.whole)


@pytest.mark.parametrize(
    ("net", "all_taps", "effective"),
    [
        (network(ALEXNET), 714_188_480, 657_918_720),
        (network(VGG16), 15_470_264_320, 14_969_824_000),
        (network(RESNET18), 1_814_073_344, 1_680_390_912),
        (network(bottleneck_resnet()), 4_089_184_256, 3_948_251_904),
        (network(MOBILENET_V2), 300_774_272, 299_676_304),
        (load("googlenet", variant="torchvision"), 1_498_376_192, 1_434_527_488),
    ],
    ids=["alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2", "googlenet"],
)
def test_macs_with_and_without_padding(net: Network, all_taps: int, effective: int) -> None:
    report = analyse(net)
    assert (of(report, "macs"), of(report, "effective_macs")) == (all_taps, effective)


WINDOWS = st.fixed_dictionaries(
    {
        "k": st.integers(1, 4),
        "s": st.integers(1, 3),
        "p": st.integers(0, 3),
        "d": st.integers(1, 3),
    }
)


@settings(max_examples=100)
@given(st.sampled_from(["conv1d", "conv_transpose1d", "separable_conv1d"]), WINDOWS, st.integers(1, 14))
def test_effective_macs_equal_counting_taps(kind: str, window: dict[str, int], size: int) -> None:
    layer = build(kind, {"out": 2, **window})
    try:
        output = layer.output_shape(((3, size),))
    except ValueError:
        return
    k, s, p, d = window["k"], window["s"], window["p"], window["d"]
    if kind == "conv_transpose1d":
        real = sum(0 <= i * s + t * d - p < output[1] for i in range(size) for t in range(k))
    else:
        real = sum(0 <= q * s + t * d - p < size for q in range(output[1]) for t in range(k))
    wanted = 3 * real + 3 * 2 * output[1] if kind == "separable_conv1d" else 3 * 2 * real
    assert effective_macs(layer, ((3, size),), output) == wanted


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
def test_taps_of_axes_multiply(height: int, width: int, groups: int) -> None:
    layer = build("conv2d", {"out": 2 * groups, "k": [3, 2], "p": [1, 1], "g": groups})
    inputs = ((groups, height, width),)
    output = layer.output_shape(inputs)
    rows = sum(0 <= q + t - 1 < height for q in range(output[1]) for t in range(3))
    columns = sum(0 <= q + t - 1 < width for q in range(output[2]) for t in range(2))
    assert effective_macs(layer, inputs, output) == 2 * groups * rows * columns


@pytest.mark.parametrize(
    ("tile", "size", "gain"),
    [
        (2, 56, Fraction(9, 4)),
        (2, 7, Fraction(441, 256)),
        (4, 56, Fraction(4)),
        (4, 28, Fraction(4)),
        (4, 14, Fraction(49, 16)),
    ],
)
def test_winograd_gains(tile: int, size: int, gain: Fraction) -> None:
    """Lavin & Gray 2015: 2.25 for F(2×2, 3×3) and 4 for F(4×4, 3×3), less where tiles overhang."""
    conv = build("conv2d", {"out": 64, "k": 3, "p": 1})
    shape = (64, size, size)
    assert Fraction(9 * 64 * 64 * size * size, winograd_macs(conv, (shape,), shape, tile)) == gain


def test_methods_that_do_not_apply_count_directly() -> None:
    strided = build("conv2d", {"out": 8, "k": 3, "s": 2})
    assert winograd_macs(strided, ((3, 9, 9),), (8, 4, 4), 2) == 8 * 3 * 9 * 16
    linear = build("linear", {"out": 10})
    assert fft_flops(linear, ((5,),), (10,)) == 100
    assert im2col_elements(linear, ((5,),), (10,)) == 0
    assert im2col_elements(build("conv2d", {"out": 8, "k": 1}), ((3, 9, 9),), (8, 9, 9)) == 0


def test_fft_counts_padded_powers_of_two() -> None:
    conv = build("conv2d", {"out": 2, "k": 3, "p": 1})
    assert fft_flops(conv, ((1, 6, 6),), (2, 6, 6)) == (1 + 2 + 2) * 5 * 64 * 6 // 2 + 2 * 32 * 8


VIDEO = (64, 16, 28, 28)


@pytest.mark.parametrize(
    ("fields", "shape", "two", "four"),
    [
        # A kernel of 1 on time: F(m × m, 3 × 3) on each of its 16 frames.
        ({"k": [1, 3, 3], "p": [0, 1, 1]}, VIDEO, 16 * 14 * 14 * 16, 36 * 7 * 7 * 16),
        ({"k": 3, "p": 1}, VIDEO, 64 * 8 * 14 * 14, 216 * 4 * 7 * 7),
        # Time strides: its taps are multiplied one by one.
        ({"k": 3, "s": [2, 1, 1], "p": 1}, (64, 8, 28, 28), 16 * 14 * 14 * 3 * 8, 36 * 7 * 7 * 3 * 8),
        ({"k": [3, 1, 1], "p": [1, 0, 0]}, VIDEO, 4 * 8 * 28 * 28, 6 * 4 * 28 * 28),
        ({"k": [1, 7, 3], "p": [0, 3, 1]}, VIDEO, 4 * 14 * 28 * 7 * 16, 6 * 7 * 28 * 7 * 16),
        ({"k": 3, "d": [1, 2, 1], "p": [1, 2, 1]}, VIDEO, 16 * 8 * 14 * 28 * 3, 36 * 4 * 7 * 28 * 3),
        ({"k": 1}, VIDEO, 16 * 28 * 28, 16 * 28 * 28),
    ],
)
def test_winograd_is_judged_axis_by_axis(fields: dict[str, Any], shape: Shape, two: int, four: int) -> None:
    conv = build("conv3d", {"out": 64, **fields})
    assert conv.output_shape((VIDEO,)) == shape
    assert winograd_macs(conv, (VIDEO,), shape, 2) == 64 * 64 * two
    assert winograd_macs(conv, (VIDEO,), shape, 4) == 64 * 64 * four


def test_winograd_of_a_kernel_of_one_frame() -> None:
    """The 2-D F(2 × 2, 3 × 3) of every frame: 205,520,896 multiplications for 462,422,016 MACs."""
    conv = build("conv3d", {"out": 64, "k": [1, 3, 3], "p": [0, 1, 1]})
    assert winograd_macs(conv, (VIDEO,), VIDEO, 2) == 205_520_896
    assert conv.operations((VIDEO,), VIDEO)["mac"] == 462_422_016


def test_fft_goes_along_the_axes_whose_kernel_is_larger_than_one() -> None:
    conv = build("conv3d", {"out": 2, "k": [1, 3, 3], "p": [0, 1, 1]})
    frame = build("conv2d", {"out": 2, "k": 3, "p": 1})
    kernels = 2 * 5 * 64 * 6 // 2
    each = fft_flops(frame, ((1, 6, 6),), (2, 6, 6)) - kernels
    assert fft_flops(conv, ((1, 5, 6, 6),), (2, 5, 6, 6)) == 5 * each + kernels
    pointwise = build("conv2d", {"out": 8, "k": 1, "s": 2})
    assert fft_flops(pointwise, ((3, 9, 9),), (8, 5, 5)) == 2 * 8 * 3 * 25


def test_flops_are_the_sum_of_their_kinds() -> None:
    report = analyse(network(MOBILENET_V2), 2)
    kinds = ("mac", "bias", "activation", "normalization", "pooling", "elementwise", "interpolation")
    values = [of(report, f"{kind}_flops") for kind in kinds]
    assert sum(v for v in values if isinstance(v, int)) == of(report, "flops")


def test_flops_beyond_63_bits_are_refused() -> None:
    """A product of 3 and (2**62 - 1) / 3 channels has 2**63 - 2 of them."""
    most = (2**62 - 1) // 3
    assert layer_cost(build("linear", {"out": most, "bias": False}), ((3,),), (most,)).flops == 2**63 - 2
    with pytest.raises(TooLarge, match=r"^linear's flops of 9223372036854775808 "):
        layer_cost(build("linear", {"out": 2**62, "bias": False}), ((1,),), (2**62,))


def test_work_is_what_a_batch_multiplies_and_what_is_held_is_not() -> None:
    cost = Cost(params=10, weights=9, buffers=4, macs=90, flops=190)
    assert cost.work == (0, 0, 0, 90, 190)
    assert cost.times(3) == (10, 9, 4, 270, 570)
    assert total([cost]) == cost and total([cost] * 20) == (200, 180, 80, 1800, 3800)


def test_backward_costs_twice_forward_but_the_first_layer_once() -> None:
    report = analyse(network(VGG16))
    first = report.costs[1].macs
    assert of(report, "backward_macs") == 2 * report.totals.macs - first
    assert of(report, "step_macs") == 3 * report.totals.macs - first


def test_the_lectures_sums() -> None:
    net = network(
        "{convcalc: 1, input: [4, 8, 8], layers: [{conv2d: {out: 8, k: 3, g: 4}}, relu, flatten, {linear: {out: 2}}]}"
    )
    report = analyse(net, 3)
    assert of(report, "time_complexity") == 3 * (6 * 6 * 3 * 3 * 4 * 8)
    assert of(report, "space_complexity") == 3 * 3 * 4 * 8 + 6 * 6 * 8


ANALYSIS = sorted(n for n, f in FORMULAS.items() if f.function.__module__.startswith("convcalc.analysis"))


@pytest.mark.parametrize("name", ANALYSIS)
def test_text_equals_function(name: str) -> None:
    formula = FORMULAS[name]

    @settings(max_examples=60)
    @given(st.fixed_dictionaries({p: st.integers(1, 9) for p in formula.symbols.values()}))
    def holds(numbers: dict[str, int]) -> None:
        letters = {letter: Fraction(numbers[p]) for letter, p in formula.symbols.items()}
        value = eval(formula.expression, {"__builtins__": {}, "max": max}, letters)
        assert value == formula.function(**numbers)
        assert eval(formula.substituted(**{p: Fraction(n) for p, n in numbers.items()}), {"max": max}) == pytest.approx(
            float(value)
        )

    holds()


def test_formulas_of_the_analyses_are_filed() -> None:
    assert {"field_size", "winograd_multiplications", "least_seconds"} <= set(ANALYSIS)
