"""Inverting one axis, held against windows that are counted one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from convcalc.geometry import InvalidWindow, KernelTooLarge, TooLarge
from convcalc.geometry.inversion import AxisInversion, invert
from convcalc.geometry.transposed import contribution_counts, interior_overlap, uniform_overlap

CONFIGURATIONS = 12_000


def windows(size: int, axis: AxisInversion) -> list[int]:
    """Starts of all windows that fit into the padded input."""
    end = axis.dilation * (axis.kernel_size - 1)
    padded = size + axis.before + axis.after
    return [start for start in range(0, padded, axis.stride) if start + end < padded]


def configurations(count: int = CONFIGURATIONS, seed: int = 7) -> Iterator[tuple[AxisInversion, int]]:
    """Random axes with sizes that fit: dilated, padded unevenly, and padded beyond the kernel."""
    draw = random.Random(seed)
    while count:
        axis = AxisInversion(
            draw.randint(1, 7), draw.randint(1, 6), draw.randint(0, 9), draw.randint(0, 9), draw.randint(1, 4)
        )
        size = draw.randint(1, 40)
        if windows(size, axis):
            count -= 1
            yield axis, size


def test_sizes_remainders_and_families_are_those_of_counted_windows() -> None:
    cropping = 0
    for axis, size in configurations():
        back = axis.at(size)
        starts = windows(size, axis)
        unused = size + axis.before + axis.after - starts[-1] - axis.effective_kernel
        assert (back.conv_output, back.remainder) == (len(starts), unused)
        assert back.output_padding == back.remainder < axis.stride
        assert back.restored == size
        assert (back.without_output_padding or 0) == max(size - unused, 0)
        assert (unused == 0) == (size % axis.stride == axis.exact_residue)
        family = [other for other in range(1, size + 20) if len(windows(other, axis)) == len(starts)]
        assert list(back.family) == family
        cropping += min(axis.transposed_padding) < 0
    assert cropping > 2_000


def test_zeros_padding_and_a_stride_one_convolution_give_the_size_back() -> None:
    for axis, size in configurations(seed=8):
        back = axis.at(size)
        row = [1] + ([0] * axis.zeros_between + [1]) * (back.conv_output - 1)
        before, after = axis.transposed_padding
        padded = len(row) + before + after + back.output_padding
        assert padded - axis.effective_kernel + 1 == size


def test_contributions_are_those_of_taps_written_one_by_one() -> None:
    for axis, size in configurations(4_000, seed=9):
        back = axis.at(size)
        counts: dict[int, int] = {}
        for j in range(back.conv_output):
            for tap in range(axis.kernel_size):
                position = j * axis.stride + tap * axis.dilation
                counts[position] = counts.get(position, 0) + 1
        expected = tuple(counts.get(position + axis.before, 0) for position in range(size))
        window = (axis.kernel_size, axis.stride, axis.before, axis.after, axis.dilation)
        assert contribution_counts(back.conv_output, *window, output_padding=back.output_padding) == expected
        taps = [tap * axis.dilation % axis.stride for tap in range(axis.kernel_size)]
        assert axis.overlap == tuple(taps.count(residue) for residue in range(axis.stride))
        assert axis.uniform_overlap == (len(set(axis.overlap)) == 1)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation", "output", "remainder", "bare", "zeros", "pad", "family"),
    [
        (5, 3, 2, 1, 1, 3, 0, 5, 1, 1, (5, 6)),
        (6, 3, 2, 1, 1, 3, 1, 5, 1, 1, (5, 6)),
        (224, 7, 2, 3, 1, 112, 1, 223, 1, 3, (223, 224)),
        (224, 11, 4, 2, 1, 55, 1, 223, 3, 8, (223, 226)),
        (32, 4, 2, 1, 1, 16, 0, 32, 1, 2, (32, 33)),
        (16, 3, 2, 2, 2, 8, 1, 15, 1, 2, (15, 16)),
        (10, 1, 3, 1, 1, 4, 2, 8, 2, -1, (8, 10)),
    ],
)
def test_worked_cases(
    size: int,
    kernel: int,
    stride: int,
    padding: int,
    dilation: int,
    output: int,
    remainder: int,
    bare: int,
    zeros: int,
    pad: int,
    family: tuple[int, int],
) -> None:
    axis = AxisInversion(kernel, stride, padding, padding, dilation)
    back = axis.at(size)
    assert (back.conv_output, back.remainder, back.without_output_padding) == (output, remainder, bare)
    assert (axis.zeros_between, axis.transposed_padding, back.restored) == (zeros, (pad, pad), size)
    assert (back.family[0], back.family[-1]) == family


def test_one_inside_the_quotient_is_wrong() -> None:
    """o = (i + 2p − k + 1)/s, as some lecture notes have it, differs from the counted windows."""
    axis = AxisInversion(3, stride=2)
    assert len(windows(7, axis)) == axis.at(7).conv_output == 3
    assert (7 - 3 + 1) / 2 == 2.5
    assert len(windows(8, axis)) == axis.at(8).conv_output == 3 == (8 - 3 + 1) // 2
    assert len(windows(6, AxisInversion(2, stride=3))) == 2 != (6 - 2 + 1) // 3


def test_overlap_patterns() -> None:
    assert contribution_counts(4, 3, 2) == (1, 1, 2, 1, 2, 1, 2, 1, 1)
    assert interior_overlap(4, 2) == (2, 2)
    assert interior_overlap(5, 3) == (2, 2, 1)
    assert interior_overlap(3, 2, dilation=2) == (3, 0)
    assert interior_overlap(2, 4) == (1, 1, 0, 0)
    assert [uniform_overlap(k, 2) for k in (2, 3, 4)] == [True, False, True]
    assert not uniform_overlap(4, 2, dilation=2)
    with pytest.raises(InvalidWindow, match="too large to list"):
        interior_overlap(3, 10**9)


def test_a_layer_that_crops_everything_has_no_size_without_output_padding() -> None:
    back = AxisInversion(1, 5, 2, 2).at(1)
    assert (back.conv_output, back.remainder, back.without_output_padding, back.restored) == (1, 4, None, 1)


def test_the_samples_fit_and_come_back() -> None:
    for axis, _ in configurations(500, seed=10):
        sizes = axis.sample_sizes()
        assert list(sizes) == sorted(set(sizes))
        assert all(axis.at(size).restored == size for size in sizes)
    assert AxisInversion(11, 4, 2, 2).sample_sizes()[-1] == 224
    assert 224 not in AxisInversion(300).sample_sizes()


def test_json_is_one_object_or_one_an_axis() -> None:
    single = invert(7, 2, 3, sizes=[224]).to_dict()
    assert single == {
        "format": 1,
        "kernel": 7,
        "stride": 2,
        "padding": [3, 3],
        "dilation": 1,
        "zeros_between": 1,
        "transposed_padding": [3, 3],
        "exact": {"residue": 1, "modulus": 2},
        "sizes": [
            {
                "input": 224,
                "conv_output": 112,
                "remainder": 1,
                "without_output_padding": 223,
                "output_padding": 1,
                "restored": 224,
                "family": [223, 224],
            }
        ],
        "uniform_overlap": False,
        "overlap": [4, 3],
    }
    assert invert([7, 7], 2, [3, 3], sizes=[(224, 224)]).to_dict() == single
    differing = invert([3, 5], 2, [(0, 1), 2], sizes=[224]).to_dict()
    axes = differing["axes"]
    assert isinstance(axes, list)
    assert [axis["padding"] for axis in axes] == [[0, 1], [2, 2]]
    assert invert(3, padding=(1, 2)).axes == (AxisInversion(3, 2, 1, 2),)


def test_impossible_numbers_are_typed_errors() -> None:
    with pytest.raises(KernelTooLarge):
        invert(7, sizes=[3], padding=0)
    with pytest.raises(InvalidWindow, match="stride"):
        invert(3, stride=0)
    with pytest.raises(InvalidWindow, match="padding"):
        invert(3, padding=-1)
    with pytest.raises(InvalidWindow, match="2 and 3 axes"):
        invert([3, 3], stride=[1, 2, 3])
    with pytest.raises(InvalidWindow, match="empty"):
        invert([])
    with pytest.raises(InvalidWindow, match="before, after"):
        invert(padding=[])
    with pytest.raises(TooLarge):
        invert(3, sizes=[2**63])
    with pytest.raises(TooLarge, match="a padding of 9223372036854775808"):
        invert(3, padding=(2**62, 2**62))
