"""The fast forms of convolutions hold equal to their textbook definition, in values and in what they multiply."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.layers.registry import build
from convcalc.reference import Counter, columns, correlation, definition, forward, scattering
from convcalc.reference.border import border
from convcalc.reference.windows import positions, reach


class Shape(NamedTuple):
    batch: int
    groups: int
    inputs: int
    """Channels a group of the convolution's input."""
    outputs: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    space: tuple[int, ...]
    """Padded."""

    @property
    def counts(self) -> tuple[int, ...]:
        return positions(self.space, self.kernel, self.stride, self.dilation)

    @property
    def steps(self) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        return self.stride, self.dilation, self.groups

    @property
    def macs(self) -> int:
        outputs = self.groups * self.outputs * prod(self.counts)
        return self.batch * outputs * self.inputs * prod(self.kernel)

    def arrays(self) -> tuple[Any, Any, Any]:
        """(x, w, y) of whole numbers, on which every order of summation is exact."""
        rng = np.random.default_rng(prod(self.space))
        shapes = (
            (self.batch, self.groups * self.inputs, *self.space),
            (self.groups * self.outputs, self.inputs, *self.kernel),
            (self.batch, self.groups * self.outputs, *self.counts),
        )
        x, w, y = (rng.integers(-5, 6, shape).astype(float) for shape in shapes)
        return x, w, y


@st.composite
def shapes(draw: st.DrawFn, dilations: int = 3) -> Shape:
    rank = draw(st.integers(1, 3))

    def each(largest: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(1, largest), min_size=rank, max_size=rank)))

    kernel, stride, dilation, room = each(4 if rank < 3 else 2), each(3), each(dilations), each(6 if rank < 3 else 3)
    space = tuple(reach(k, d) + extra for k, d, extra in zip(kernel, dilation, room, strict=True))
    numbers = [draw(st.integers(1, 3)) for _ in range(4)]
    return Shape(*numbers, kernel, stride, dilation, space)


@st.composite
def borders(draw: st.DrawFn) -> tuple[Shape, tuple[tuple[int, int], ...]]:
    """A convolution, and how much of its space is a border of zeros. Rows keep their length in every second."""
    shape = draw(shapes())
    pads: list[tuple[int, int]] = []
    for size in shape.space:
        before = draw(st.integers(0, size - 1))
        pads.append((before, draw(st.integers(0, size - 1 - before))))
    if draw(st.booleans()):
        far = reach(shape.kernel[-1], shape.dilation[-1])
        before = draw(st.integers(0, far))
        pads[-1] = (before, far - before)
        shape = shape._replace(stride=(*shape.stride[:-1], 1), space=(*shape.space[:-1], draw(st.integers(1, 6)) + far))
    return shape, tuple(pads)


@pytest.fixture(params=[64, 1 << 21], ids=["many tiles", "one tile"])
def tile_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "TILE_BYTES", request.param)


@pytest.fixture(params=[False, True], ids=["in one step", "by rows"])
def steps_of_columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "rows_pay_off", lambda *sizes: request.param)


some = settings(max_examples=60)


@pytest.mark.usefixtures("tile_bytes", "steps_of_columns")
class TestFastForms:
    @given(shape=shapes())
    @some
    def test_correlate_is_the_product_with_im2col(self, shape: Shape) -> None:
        x, w, _ = shape.arrays()
        fast, textbook = Counter(), Counter()
        y = correlation.correlate(x, w, *shape.steps, fast)
        np.testing.assert_array_equal(y, definition.convolve(x, w, *shape.steps, textbook))
        assert fast.macs == textbook.macs == shape.macs

    @given(example=borders())
    @some
    def test_a_border_of_zeros_need_not_be_there(self, example: tuple[Shape, Any]) -> None:
        shape, pads = example
        bordered, w, _ = shape.arrays()
        inside = tuple(slice(before, size - after) for size, (before, after) in zip(shape.space, pads, strict=True))
        x = bordered[(..., *inside)].copy()
        counter = Counter()
        y = correlation.correlate(x, w, *shape.steps, counter, pads=pads)
        np.testing.assert_array_equal(y, definition.convolve(border(x, pads, "zeros"), w, *shape.steps))
        assert counter.macs == shape.macs

    @given(shape=shapes())
    @some
    def test_scatter_is_its_transpose_and_the_zero_inserted_convolution(self, shape: Shape) -> None:
        _, w, y = shape.arrays()
        fast, textbook = Counter(), Counter()
        x = scattering.scatter(y, w, *shape.steps, shape.space, fast)
        np.testing.assert_array_equal(x, definition.convolve_transposed(y, w, *shape.steps, shape.space, textbook))
        np.testing.assert_array_equal(x, definition.convolve_zero_inserted(y, w, *shape.steps, shape.space))
        np.testing.assert_array_equal(x, scattering.scatter(y, w, *shape.steps, shape.space))
        assert fast.macs == textbook.macs == shape.macs

    @given(shape=shapes())
    @some
    def test_the_gradient_of_the_weights_is_the_sum_of_all_products(self, shape: Shape) -> None:
        x, w, y = shape.arrays()
        counter = Counter()
        total = correlation.correlate_weights(x, y, shape.kernel, *shape.steps, counter)
        assert total.shape == w.shape
        assert (total * w).sum() == (definition.convolve(x, w, *shape.steps) * y).sum()
        windows = definition.im2col(x, shape.kernel, shape.stride, shape.dilation)
        windows = windows.reshape(shape.batch, shape.groups, -1, prod(shape.counts))
        values = y.reshape(shape.batch, shape.groups, shape.outputs, -1)
        by_definition = (values @ windows.swapaxes(2, 3)).sum(axis=0)
        np.testing.assert_array_equal(total, by_definition.reshape(w.shape))
        assert counter.macs == shape.macs


@given(shape=shapes(dilations=1))
@some
def test_phases_equal_the_transposed_convolution(shape: Shape) -> None:
    _, w, y = shape.arrays()
    x = scattering.scatter_by_phases(y, w, shape.stride, shape.groups, shape.space)
    np.testing.assert_array_equal(x, definition.convolve_transposed(y, w, *shape.steps, shape.space))


@given(shape=shapes())
@some
def test_im2col_and_col2im_are_transposes(shape: Shape) -> None:
    x, _, _ = shape.arrays()
    fields = (shape.kernel, shape.stride, shape.dilation)
    windows = definition.im2col(x, *fields)
    g = np.random.default_rng(0).integers(-5, 6, windows.shape).astype(float)
    assert (windows * g).sum() == (x * definition.col2im(g, shape.space, *fields, shape.counts)).sum()


@pytest.mark.usefixtures("tile_bytes")
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "counts"),
    [
        ((4, 4), (2, 2), (1, 1), (7, 20)),
        ((3, 5), (1, 2), (2, 1), (6, 40)),
        ((3, 3), (2, 2), (3, 3), (5, 40)),
        ((2, 3), (3, 1), (1, 1), (6, 33)),
        ((3, 3, 2), (1, 1, 1), (1, 1, 1), (3, 33, 33)),
        ((4, 2), (2, 2), (1, 1), (1, 20)),
        ((5,), (2,), (1,), (19,)),
    ],
    ids=["2D", "a dilated axis", "dilated", "a phase without taps", "3D", "one row", "1D"],
)
@pytest.mark.parametrize("room", [0, 3], ids=["as far as windows reach", "beyond"])
def test_room_behind_the_rows_changes_nothing(
    kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], counts: tuple[int, ...], room: int
) -> None:
    """What a tap adds stays in its row, its channel and its image; tiles hand on what reaches into the next."""
    rng = np.random.default_rng(0)
    y = rng.integers(-5, 6, (2, 4, *counts)).astype(float)
    w = rng.integers(-5, 6, (4, 3, *kernel)).astype(float)
    axes = zip(kernel, stride, dilation, counts, strict=True)
    space = tuple((n - 1) * s + reach(k, d) + 1 + room for k, s, d, n in axes)
    sizes = (stride, dilation, 2, space)
    wanted = definition.convolve_transposed(y, w, *sizes)
    np.testing.assert_array_equal(scattering.scatter(y, w, *sizes), wanted)
    counter = Counter()
    np.testing.assert_array_equal(scattering.scatter(y, w, *sizes, counter), wanted)
    assert counter.macs == prod(w.shape) * prod(counts) * 2


def test_a_large_kernel_takes_phases_unless_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """FCN's upsampling by 8; a counted pass multiplies what the definition multiplies, and gives the same."""
    layer = build("conv_transpose2d", {"out": 3, "k": 16, "s": 8, "p": 4, "bias": False})
    rng = np.random.default_rng(0)
    x, w = rng.integers(-5, 6, (1, 3, 16, 17)).astype(float), rng.integers(-5, 6, (3, 3, 16, 16)).astype(float)
    calls: list[str] = []
    by_phases = scattering.scatter_by_phases
    monkeypatch.setattr(scattering, "scatter_by_phases", lambda *a: (calls.append("phases"), by_phases(*a))[1])
    fast = forward(layer, x, {"weight": w})
    assert calls == ["phases"]
    counter = Counter()
    np.testing.assert_array_equal(fast, forward(layer, x, {"weight": w}, counter=counter))
    assert calls == ["phases"]
    assert counter.macs == 3 * 3 * 16 * 16 * 16 * 17


@pytest.mark.parametrize(
    ("kernel", "stride", "counts", "wanted"),
    [
        ((5, 5), (1, 1), (14, 14), True),
        ((3, 3), (1, 1), (56, 56), False),
        ((7, 7), (2, 2), (28, 112), True),
        ((3, 3), (2, 2), (28, 28), False),
        ((16, 16), (16, 16), (14, 14), False),
        ((5,), (1,), (14,), False),
        ((1, 5), (1, 1), (14, 14), False),
        ((3, 3, 3), (1, 1, 1), (7, 7, 7), True),
    ],
    ids=["short rows", "long rows", "numbers apart", "few share a row", "none share a row", "a line", "one row", "3D"],
)
def test_columns_are_written_by_rows_where_that_copies_for_less(
    kernel: tuple[int, ...], stride: tuple[int, ...], counts: tuple[int, ...], wanted: bool
) -> None:
    assert columns.rows_pay_off(kernel, stride, (1,) * len(kernel), counts) is wanted


@pytest.mark.parametrize(
    ("kernel", "counts", "wanted"),
    [((3, 3), (28, 28), True), ((3, 3), (112, 112), False), ((7, 1), (17, 17), True), ((1, 7), (17, 17), False)],
    ids=["short rows", "long rows", "a column", "one row"],
)
def test_shifted_rows_are_taken_where_that_copies_for_less(
    kernel: tuple[int, ...], counts: tuple[int, ...], wanted: bool
) -> None:
    assert columns.rows_pay_off(kernel, (1, 1), (1, 1), counts, shifted=True) is wanted


@pytest.mark.usefixtures("steps_of_columns")
def test_rows_shorter_than_their_padding_are_read_with_all_of_it() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.integers(-4, 5, (1, 2, 3, 2)).astype(float), rng.integers(-4, 5, (1, 2, 3, 7)).astype(float)
    layer = build("conv2d", {"out": 1, "k": [3, 7], "p": [1, 3], "bias": False})
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (3, 3)))
    np.testing.assert_array_equal(forward(layer, x, {"weight": w}), definition.convolve(padded, w, (1, 1), (1, 1)))


def test_what_stands_beside_a_shifted_row_is_zero() -> None:
    """What begins the next row gets into no window that ends this one, not even times 0."""
    layer = build("conv2d", {"out": 1, "k": 3, "p": 1, "bias": False})
    x = np.ones((1, 1, 4, 4), np.float32)
    x[..., 0] = np.nan
    y = forward(layer, x, {"weight": np.ones((1, 1, 3, 3), np.float32)})
    assert y[0, 0, 1].tolist()[2:] == [9, 6]


@pytest.mark.parametrize(("dtype", "unit"), [(np.float32, 2.0**-24), (np.float64, 2.0**-53)])
def test_rounding_stays_within_the_bound_of_its_sums(dtype: Any, unit: float) -> None:
    """The error relative to Σ|x||w| is at most 4·√R·u for sums of R products, as random rounding gives."""
    rng = np.random.default_rng(5)
    x, w = rng.standard_normal((1, 48, 12, 12)), rng.standard_normal((32, 48, 3, 3))
    steps = ((1, 1), (1, 1))
    exact = definition.convolve(x.astype(np.longdouble), w.astype(np.longdouble), *steps)
    x, w = x.astype(dtype), w.astype(dtype)
    if dtype == np.float32:
        exact = definition.convolve(x.astype(float), w.astype(float), *steps)
    magnitude = definition.convolve(np.abs(x).astype(float), np.abs(w).astype(float), *steps)
    error = np.abs(correlation.correlate(x, w, *steps) - exact) / magnitude
    assert float(error.max()) <= 4 * (48 * 9) ** 0.5 * unit


def test_half_precision_is_computed_in_single_and_returned_as_half() -> None:
    rng = np.random.default_rng(0)
    layer = build("conv2d", {"out": 4, "k": 3, "bias": False})
    x, w = rng.standard_normal((1, 3, 8, 8)).astype(np.float16), rng.standard_normal((4, 3, 3, 3)).astype(np.float16)
    single = forward(layer, x.astype(np.float32), {"weight": w.astype(np.float32)})
    half = forward(layer, x, {"weight": w})
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, single.astype(np.float16))


def test_a_tile_has_no_fewer_columns_than_the_weights_have_rows() -> None:
    single = np.dtype(np.float32)
    assert columns.positions_a_tile(single, 16 * 9, 2) == columns.TILE_BYTES // (4 * 16 * 9)
    assert columns.positions_a_tile(single, 4608, 512) == 512


def test_a_tile_bounds_the_memory_of_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    empty = np.empty

    def recording(shape: Any, dtype: Any = float) -> Any:
        sizes.append(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        return empty(shape, dtype)

    monkeypatch.setattr(np, "empty", recording)
    x, w = np.zeros((1, 16, 130, 130), np.float32), np.zeros((2, 16, 3, 3), np.float32)
    y = correlation.correlate(x, w, (1, 1), (1, 1))
    assert max(size for size in sizes if size != y.nbytes) <= columns.TILE_BYTES


@pytest.mark.parametrize(
    ("fields", "size", "wanted"),
    [
        ({"k": 3, "s": 2, "p": 1, "output_padding": 1}, 3, [10, 101, 10, 101, 10, 100]),
        ({"k": 3, "s": 2, "padding": "same"}, 3, [1, 10, 101, 10, 101, 10]),
        ({"k": 3, "s": 4, "padding": "valid"}, 2, [1, 10, 100, 0, 1, 10, 100, 0]),
        ({"k": 3, "s": 1, "d": 3, "output_padding": 2}, 2, [1, 1, 0, 10, 10, 0, 100, 100, 0, 0]),
        ({"k": 1, "s": 5, "p": 2, "output_padding": 4}, 1, [0]),
    ],
    ids=["PyTorch", "Keras same", "Keras valid", "output padding beyond the stride", "cropped beyond the extent"],
)
def test_transposed_convolutions_of_ones(fields: dict[str, Any], size: int, wanted: list[int]) -> None:
    layer = build("conv_transpose1d", {"out": 1, "bias": False, **fields})
    weight = np.array([1, 10, 100][: layer.kernel_size[0]]).reshape(1, 1, -1)
    assert forward(layer, np.ones((1, 1, size), int), {"weight": weight})[0, 0].tolist() == wanted
