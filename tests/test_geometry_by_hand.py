"""The arithmetic of windows against windows laid out one by one, and what its arguments are where none is given."""

from __future__ import annotations

import inspect
from itertools import product

import pytest

from convcalc import geometry
from convcalc.geometry import (
    AdaptiveWindow,
    EmptyOutput,
    InvalidWindow,
    KernelTooLarge,
    OutputPaddingOutOfRange,
    Resize,
    TooLarge,
    TransposedWindow,
    UnequalInputs,
    Window,
    adaptive_step,
    adaptive_taps,
    adaptive_window,
    check_window,
    checked,
    conv_output,
    conv_transpose_output,
    effective_taps,
    fitted_after,
    input_sizes,
    interior_overlap,
    leftover,
    overhang,
    pool_output,
    resolve_crop,
    resolve_padding,
    same_padding,
    unread_inputs,
)
from convcalc.geometry.dialects import OnnxTransposed, keras_refuses, keras_same, onnx_transposed
from convcalc.geometry.inversion import AxisInversion, invert
from convcalc.geometry.transposed import LARGEST_STRIDE, contribution_counts

WINDOWS = list(product((1, 2, 3, 4), (1, 2, 3, 4), (0, 1, 2), (0, 1, 3), (1, 2, 3)))
"""(kernel_size, stride, before, after, dilation)."""
PLAIN = {"stride": 1, "before": 0, "after": 0, "dilation": 1, "output_padding": 0, "lower": False, "kernel_size": 1}


@pytest.mark.parametrize("name", sorted(set(geometry.__all__) - {"invert", "formula"}))
def test_what_is_not_given_is_plain(name: str) -> None:
    """A window moves by one, is not padded and not dilated, unless something else is said."""
    member = getattr(geometry, name)
    if not callable(member) or (isinstance(member, type) and not issubclass(member, tuple)):
        return
    for parameter in inspect.signature(member).parameters.values():
        if parameter.default is not parameter.empty and parameter.name in PLAIN:
            assert parameter.default == PLAIN[parameter.name], parameter


def test_records_are_plain_where_nothing_is_given() -> None:
    assert Window() == (1, 1, 0, 0, 1) and TransposedWindow() == (1, 1, 0, 0, 1, 0)
    assert Resize(2, 4) == (2, 4, "nearest", False, None) and AdaptiveWindow(5, 2) == (5, 2)


def starts(size: int, k: int, s: int, before: int, after: int, d: int) -> list[int]:
    """First taps of all windows that lie within the padded axis, counted from the first input."""
    return [a for a in range(-before, size + after, s) if a + d * (k - 1) <= size + after - 1]


@pytest.mark.parametrize("size", [1, 2, 5, 8, 11])
def test_windows_that_lie_within(size: int) -> None:
    for k, s, before, after, d in WINDOWS:
        firsts = starts(size, k, s, before, after, d)
        if not firsts:
            with pytest.raises(KernelTooLarge) as caught:
                conv_output(size, k, s, before, after, d)
            missing = d * (k - 1) + 1 - size - before - after
            assert f"the input is {missing} too small" in (caught.value.hint or "")
            assert pool_refused(size, k, s, before, after, d)
            continue
        assert conv_output(size, k, s, before, after, d) == len(firsts)
        assert pool_output(size, k, s, before, after, d) == len(firsts)
        read = {a + t * d for a in firsts for t in range(k)}
        end = firsts[-1] + d * (k - 1)
        assert leftover(size, k, s, before, after, d) == size + after - 1 - end
        behind = [i for i in range(size) if i > end]
        assert unread_inputs(size, k, s, before, after, d) == len(behind)
        taps = sum(0 <= a + t * d < size for a in firsts for t in range(k))
        assert effective_taps(size, len(firsts), k, s, before, d) == taps
        assert read or not behind


def pool_refused(size: int, k: int, s: int, before: int, after: int, d: int) -> bool:
    with pytest.raises(EmptyOutput):
        pool_output(size, k, s, before, after, d)
    return True


def test_sizes_of_an_output() -> None:
    for k, s, before, after, d in WINDOWS:
        for output in (1, 2, 4):
            found = [n for n in range(1, 40) if len(starts(n, k, s, before, after, d)) == output]
            assert [n for n in input_sizes(output, k, s, before, after, d) if n >= 1] == found


@pytest.mark.parametrize("size", [1, 4, 6, 7, 12])
def test_pools_that_round_up(size: int) -> None:
    """A last window that reaches beyond the padding is kept, but not one that starts behind the input."""
    for k, s, before, after, d in WINDOWS:
        reach = d * (k - 1)
        room = size + before + after - reach - 1
        if room < 0:
            continue
        windows = [a for a in range(0, room + s, s) if a < room + s]
        up = len([a for a in windows if a - s < room or a == 0])
        kept = [a for n, a in enumerate(range(0, up * s, s)) if n == 0 or n < up - 1 or a < size + before]
        assert pool_output(size, k, s, before, after, d, "ceil_keep") == up
        assert pool_output(size, k, s, before, after, d, "ceil") == len(kept)
        assert pool_output(size, k, s, before, after, d, "ceil_caffe", True) == len(kept)
        assert pool_output(size, k, s, before, after, d, "ceil_caffe", False) == up
        by_axis = len(kept) if before or after else up
        assert pool_output(size, k, s, before, after, d, "ceil_caffe") == by_axis
        for output in {up, len(kept)}:
            end = (output - 1) * s + reach + 1
            assert overhang(size, k, s, before, after, d, output) == max(0, end - size - before - after)
            fitted = fitted_after(size, k, s, before, after, d, output)
            fitting = [p for p in range(-size, size + 40) if size + before + p > reach
                       and len(starts(size, k, s, before, p, d)) == output]  # fmt: skip
            assert fitted in fitting and abs(fitted - after) == min(abs(p - after) for p in fitting)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_transposed_windows_by_writing(size: int) -> None:
    for k, s, before, after, d in WINDOWS:
        for more in range(max(s, d)):
            written: dict[int, int] = {}
            for j, t in product(range(size), range(k)):
                written[j * s + t * d] = written.get(j * s + t * d, 0) + 1
            extent = range(before, max(written) + 1 - after + more)
            if not extent:
                with pytest.raises(EmptyOutput):
                    conv_transpose_output(size, k, s, before, after, d, more)
                continue
            assert conv_transpose_output(size, k, s, before, after, d, more) == len(extent)
            counts = contribution_counts(size, k, s, before, after, d, more)
            assert counts == tuple(written.get(q, 0) for q in extent)
        with pytest.raises(OutputPaddingOutOfRange):
            conv_transpose_output(size, k, s, 0, 0, d, max(s, d))
        with pytest.raises(OutputPaddingOutOfRange):
            conv_transpose_output(size, k, s, 0, 0, d, -1)
        inner = contribution_counts(40, k, s, 0, 0, d)[20 * s : 21 * s]
        assert interior_overlap(k, s, d) == inner


def test_the_overlap_of_a_huge_stride_is_not_listed() -> None:
    assert len(interior_overlap(1, LARGEST_STRIDE, dilation=LARGEST_STRIDE)) == LARGEST_STRIDE == 1_000_000
    with pytest.raises(InvalidWindow):
        interior_overlap(1, LARGEST_STRIDE + 1)


def test_contributions_of_neighbours_where_nothing_is_said() -> None:
    assert contribution_counts(4, 3) == (1, 2, 3, 3, 2, 1)


def test_same_padding_is_tensorflows() -> None:
    """ceil(i / s) outputs; what the windows lack is padded, the odd one after, with `lower` before."""
    for size, k, s, d in product(range(1, 12), (1, 2, 3, 5), (1, 2, 3), (1, 2)):
        outputs = -(-size // s)
        lacking = max((outputs - 1) * s + d * (k - 1) + 1 - size, 0)
        assert same_padding(size, k, s, d) == (lacking // 2, lacking - lacking // 2)
        assert same_padding(size, k, s, d, lower=True) == (lacking - lacking // 2, lacking // 2)
        assert resolve_padding("same", size, k, s, d) == same_padding(size, k, s, d)
        assert resolve_padding("same_lower", size, k, s, d) == same_padding(size, k, s, d, lower=True)
        assert resolve_padding("valid", size, k, s, d) == (0, 0)
        assert resolve_padding((3, 1), size, k, s, d) == (3, 1)
        assert conv_output(size, k, s, *same_padding(size, k, s, d), d) == outputs


def test_same_crops_are_kerass() -> None:
    """`same` leaves i·s outputs, `valid` at least the stride of each input."""
    for size, k, s, d in product((1, 2, 5), (1, 2, 3, 5), (1, 2, 3), (1, 2)):
        full = (size - 1) * s + d * (k - 1) + 1
        for word in ("same", "same_lower", "valid"):
            before, after = resolve_crop(word, k, s, d)  # type: ignore[arg-type]
            left = full - before - after
            assert left == (max(full, size * s) if word == "valid" else size * s)
            assert before >= 0 and (before == 0 or after >= 0)
            if word == "valid":
                assert before == 0
            elif full > size * s:
                assert (after - before if word == "same" else before - after) in (0, 1)
    assert resolve_crop((2, -1), 3) == (2, -1)
    assert resolve_crop("same", 3) == (1, 1) and resolve_crop("valid", 3) == (0, 0)


def test_adaptive_windows_by_pixels() -> None:
    """Output j reads the pixels that [j·i/o, (j + 1)·i/o) touches."""
    for size, output in product(range(1, 13), range(1, 13)):
        windows = []
        for j in range(output):
            touched = [i for i in range(size) if i * output < (j + 1) * size and (i + 1) * output > j * size]
            assert adaptive_window(size, output, j) == (touched[0], touched[-1] + 1)
            windows.append(touched)
        assert adaptive_taps(size, output) == sum(map(len, windows))
        lengths = {len(window) for window in windows}
        equal = len(lengths) == 1 and sum(map(len, windows)) == size
        assert adaptive_step(size, output) == (lengths.pop() if equal else None)


@pytest.mark.parametrize(
    ("window", "named"),
    [
        ((0, 1), "kernel"),
        ((1, 0), "stride"),
        ((1, 1, 0), "dilation"),
        ((1, 1, 1, -1), "padding"),
        ((1, 1, 1, 0, -1), "padding"),
    ],
)
def test_windows_out_of_range(window: tuple[int, ...], named: str) -> None:
    with pytest.raises(InvalidWindow, match=named):
        check_window(*window)
    check_window(1, 1, 1, 0, 0)


def test_the_largest_number() -> None:
    assert geometry.LIMIT == 9_223_372_036_854_775_807
    assert checked("a size", geometry.LIMIT) == geometry.LIMIT
    with pytest.raises(TooLarge, match=r"a size of 9223372036854775808 is above 2\^63 - 1"):
        checked("a size", geometry.LIMIT + 1)
    assert TooLarge("it", 2**255 - 1).message == f"it of {2**255 - 1} is above 2^63 - 1"
    assert TooLarge("it", 2**255).message == "it of a number of 256 bits is above 2^63 - 1"


def test_errors_say_the_numbers_that_made_them() -> None:
    with pytest.raises(KernelTooLarge, match=r"larger than the input of 2 \+ 0 \+ 1 padding") as caught:
        conv_output(2, 9, before=0, after=1)
    assert caught.value.args == (caught.value.message,)
    with pytest.raises(EmptyOutput, match=r"no window of 7 fits into the input of 1 \+ 1 \+ 0 padding") as empty:
        pool_output(1, 3, 1, 1, 0, dilation=3)
    assert empty.value.hint == "the input is 5 too small: pool less before this, or pad"
    with pytest.raises(OutputPaddingOutOfRange, match=r"max\(stride 1, dilation 3\) = 3") as bound:
        conv_transpose_output(4, 3, dilation=3, output_padding=3)
    assert bound.value.hint == "use an output_padding from 0 to 2"


def test_an_input_without_a_name_is_said_by_its_number() -> None:
    error = UnequalInputs("add", 0, (8, 4), 1, (8, 2), "axis 1: 4 and 2")
    assert error.said(["a"]) == error.message
    size = KernelTooLarge(5, 0, 0, 7, 1)
    assert size.said(["a"]) == size.message


def test_formulas_are_filed_under_the_name_of_their_function() -> None:
    for name, formula in geometry.FORMULAS.items():
        assert formula.name == name == formula.function.__name__
        assert formula.result != formula.expression
    assert geometry.FORMULAS["conv_output"].result == "o" and geometry.FORMULAS["zeros_between"].result == "z"


def test_numbers_below_zero_and_fractions_stand_in_brackets() -> None:
    padding = geometry.FORMULAS["transposed_padding"]
    assert padding.substituted(kernel_size=3, before=-1, dilation=2) == "2*(3 - 1) - (-1)"
    assert padding.substituted(kernel_size=3, before="1/2") == "d*(3 - 1) - (1/2)"


@pytest.mark.parametrize(
    ("stride", "sizes"),
    [
        (1, [5, 6, 7, 8, 224]),
        (2, [7, 8, 9, 10, 224]),
        (4, [11, 12, 13, 14, 15, 16, 17, 18, 224]),
        (5, [13, 14, 17, 18, 224]),
    ],
)
def test_sizes_for_a_first_look(stride: int, sizes: list[int]) -> None:
    """From the first size with three outputs on: all residues up to stride 4, beyond it the first and last ones."""
    assert list(AxisInversion(3, stride=stride).sample_sizes()) == sizes
    assert conv_output(sizes[0], 3, stride) == 3


def test_sizes_for_a_first_look_begin_at_1_where_padding_alone_gives_outputs() -> None:
    """(1 + 4 - 3) + 1 = 3 outputs of a single position; with more padding there is no smaller size."""
    assert AxisInversion(3, 1, 2, 2).sample_sizes() == (1, 2, 3, 4, 224)
    assert AxisInversion(3, 1, 3, 3).sample_sizes() == (1, 2, 3, 4, 224)


@pytest.mark.parametrize(("kernel_size", "fits"), [(226, True), (227, False)])
def test_224_is_looked_at_where_the_window_fits(kernel_size: int, fits: bool) -> None:
    axis = AxisInversion(kernel_size, before=1, after=1)
    assert (224 in axis.sample_sizes()) is fits
    assert all(axis.at(size).restored == size for size in axis.sample_sizes())


def test_without_numbers_a_convolution_of_3_halves() -> None:
    assert invert().axes == (AxisInversion(3, stride=2, before=1, after=1),)


def test_keras_takes_a_stride_or_a_dilation() -> None:
    """keras.layers.Conv2DTranspose(strides=1, dilation_rate=2) is built, strides=2 with it is refused."""
    dilated = TransposedWindow(3, dilation=2)
    assert not keras_refuses([dilated, dilated]) and not keras_refuses([TransposedWindow(3, 2), TransposedWindow(3, 2)])
    assert keras_refuses([TransposedWindow(3, 2, dilation=2)])


def test_a_kernel_below_the_stride_leaves_kerass_same_nothing_to_crop() -> None:
    """It would add a position behind the extent of 3: (2 - 1)*2 + 1."""
    axis = AxisInversion(1, stride=2)
    assert keras_same(axis, axis.at(4)) is None and keras_same(axis, axis.at(3)) == (0, (0, 0))


@pytest.mark.parametrize(("after", "expected"), [(2, (2, 0, 0)), (3, (2, 1, 0)), (1, (2, 0, 1)), (0, (2, 0, 2))])
def test_an_output_padding_from_the_stride_on_is_cropped_less(after: int, expected: tuple[int, ...]) -> None:
    window = TransposedWindow(3, 1, 2, after, dilation=3, output_padding=2)
    assert onnx_transposed(window) == expected
    before, rest, more = onnx_transposed(window)
    size = conv_transpose_output(9, *window)
    assert (9 - 1) * 1 + 7 - before - rest + more == size
    assert isinstance(onnx_transposed(window), OnnxTransposed)
    assert onnx_transposed(TransposedWindow(3, 2, 2, 1, dilation=3, output_padding=2)) == (2, 0, 1)


def test_inversions_at_their_edges() -> None:
    """Padding of one before a kernel of one: of size 1 nothing is left without the output padding."""
    found = AxisInversion(1, stride=2, before=1, after=0).at(1)
    assert (found.output_padding, found.without_output_padding) == (1, None)
    assert AxisInversion(2, stride=2, before=1, after=0).at(1).without_output_padding == 1
    with pytest.raises(TooLarge, match="a stride of"):
        AxisInversion(3, stride=geometry.LIMIT + 1)
    both = invert(kernel=[3], stride=[2, 1], padding=1)
    assert [axis.stride for axis in both.axes] == [2, 1] and [axis.kernel_size for axis in both.axes] == [3, 3]


def test_a_window_that_does_not_fit_says_its_padding() -> None:
    for function in (conv_output, leftover):
        with pytest.raises(KernelTooLarge) as caught:
            function(2, 9, 1, 1, 3)
        numbers = {"size": 2, "before": 1, "after": 3, "kernel_size": 9, "dilation": 1}
        assert caught.value.numbers == numbers and "2 + 1 + 3 padding" in caught.value.message
