"""Convolutions on numbers: what is printed against sums written out, and every product that is printed multiplied."""

from __future__ import annotations

import json
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.analysis.explain_flip import flip
from convcalc.analysis.explain_matrix import products
from convcalc.analysis.explain_shift import Axis, axis_of
from convcalc.analysis.small_gradients import gradients
from convcalc.analysis.small_layer import MOST, SmallLayer, counting, filled_from, small_layer
from convcalc.findings import UsageError
from convcalc.geometry import Window
from convcalc.inference import output_shape
from convcalc.layers.registry import build
from convcalc.reference import forward
from convcalc.reference.border import source_indices
from convcalc.render.document import Matrices, Matrix
from convcalc.render.matrices import latex_matrices, matrix_lines
from convcalc.verify import explained
from convcalc.verify.learning import learned

from .command import run

Fields = dict[str, Any]


def small(kind: str, fields: Fields, shape: tuple[int, ...]) -> SmallLayer:
    layer: Any = build(kind, fields)
    found = small_layer(layer, shape, output_shape(layer, (shape,)))
    assert found is not None
    return found


def example() -> SmallLayer:
    """The lecture's image 1…9 under a kernel 1…4."""
    return small("conv2d", {"out_channels": 1, "kernel_size": 2, "bias": False}, (1, 3, 3))


def test_the_lectures_image_by_hand() -> None:
    made = products(example())
    assert made.columns.tolist() == [[[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]]
    assert made.linear.tolist() == [[[37, 47], [67, 77]]]
    assert made.c[0].tolist() == [1, 2, 0, 3, 4, 0, 0, 0, 0] and made.c[3].tolist() == [0, 0, 0, 0, 1, 2, 0, 3, 4]
    assert made.back.tolist() == [[[37, 121, 94], [178, 500, 342], [201, 499, 308]]]


def written_out(found: SmallLayer, x: Any, w: Any) -> Any:
    """A convolution of two axes with padding of zeros, sum by sum; a transposed one, product by product."""
    layer: Any = found.layer
    y = np.zeros(found.output, dtype=object)
    groups, (s, t), (d, e) = layer.groups, layer.stride, layer.dilation
    windows = layer.windows(found.shape)
    (up, left) = (windows[0].before, windows[1].before)
    inputs, outputs = len(x) // groups, len(y) // groups
    for g, j, i in product(range(groups), range(inputs), range(outputs)):
        c, o = g * inputs + j, g * outputs + i
        kernel = w[c, i] if found.transposed else w[o, j]
        big, little = (y[o], x[c]) if found.transposed else (x[c], y[o])
        for (q, r), (a, b) in product(np.ndindex(little.shape), np.ndindex(kernel.shape)):
            row, column = q * s + a * d - up, r * t + b * e - left
            if 0 <= row < big.shape[0] and 0 <= column < big.shape[1]:
                if found.transposed:
                    big[row, column] += little[q, r] * kernel[a, b]
                else:
                    little[q, r] += big[row, column] * kernel[a, b]
    return y


@st.composite
def cases(draw: st.DrawFn) -> SmallLayer:
    rank = draw(st.integers(1, 3))
    groups, kind = draw(st.integers(1, 2)), draw(st.sampled_from(["conv", "conv_transpose"]))
    each = st.lists(st.integers(1, 3), min_size=rank, max_size=rank)
    fields: Fields = {
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": draw(each),
        "stride": draw(each),
        "dilation": draw(each),
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding": draw(st.sampled_from([0, 1, 2, "same", "valid", [[0, 1]] * rank])),
    }
    if kind == "conv":
        fields["padding_mode"] = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    shape = (groups * draw(st.integers(1, 2)), *draw(st.lists(st.integers(1, 6), min_size=rank, max_size=rank)))
    layer: Any = build(f"{kind}{rank}d", fields)
    try:
        found = small_layer(layer, shape, output_shape(layer, (shape,)))
    except ValueError:
        assume(False)
    assert found is not None
    return found


@settings(max_examples=150)
@given(cases())
def test_outputs_are_those_of_the_sums(found: SmallLayer) -> None:
    made = products(found)
    assert all(one.same for one in explained.confirm_products(found, made))
    assert made.c.shape == (prod(found.map.narrow), prod(found.map.wide))
    if len(found.shape) == 3 and found.map.mode == "zeros":
        assert (made.linear == written_out(found, found.x(), found.w())).all()


@settings(max_examples=150)
@given(cases(), st.randoms(use_true_random=False))
def test_gradients_are_differences_of_the_loss(found: SmallLayer, random: Any) -> None:
    """<Y, dY> is linear in every number: one more of it adds the gradient, exactly."""
    made = gradients(found)
    assert all(one.same for one in explained.confirm_gradients(found, made))
    x, w = found.x().astype(float), found.w().astype(float)
    b = found.b().astype(float)

    def loss() -> float:
        weights = {"weight": w, "bias": b} if found.layer.bias else {"weight": w}
        return float((forward(found.layer, x[None], weights)[0] * made.y.astype(float)).sum())

    before = loss()
    for array, gradient in ((x, made.x), (w, made.w), *([(b, made.b)] if found.layer.bias else [])):
        place = tuple(random.randrange(size) for size in array.shape)
        array[place] += 1
        assert loss() - before == gradient[place]
        array[place] -= 1


def test_filled_padding_is_that_of_the_reference() -> None:
    for mode, before, after in (("reflect", 3, 2), ("replicate", 5, 7), ("circular", 4, 3), ("reflect", -1, 2)):
        found = filled_from(np.arange(-before, 4 + after), 4, mode)
        assert found.tolist() == source_indices(4, before, after, mode).tolist()


@pytest.mark.parametrize(
    ("kind", "fields", "shape"),
    [
        ("conv2d", {"out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3}, (3, 224, 224)),
        ("conv2d", {"out_channels": 512, "kernel_size": 3, "padding": "same", "groups": 512}, (512, 14, 14)),
        ("conv3d", {"out_channels": 64, "kernel_size": 3, "stride": [1, 2, 2], "padding": 1}, (3, 16, 112, 112)),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 2, "padding_mode": "reflect"}, (8, 99, 98)),
        ("conv_transpose2d", {"out_channels": 64, "kernel_size": 4, "stride": 2, "padding": 1}, (128, 16, 16)),
        ("conv_transpose2d", {"out_channels": 50, "kernel_size": 3, "padding": 4}, (40, 30, 30)),
        (
            "conv_transpose3d",
            {"out_channels": 2, "kernel_size": 3, "stride": 3, "dilation": 3, "groups": 2},
            (2, 2, 2, 2),
        ),
        ("conv1d", {"out_channels": 1, "kernel_size": 2, "dilation": 1 << 40}, (1, (1 << 41) + 5)),
    ],
)
def test_a_large_layer_becomes_its_window_on_a_smaller_input(kind: str, fields: Fields, shape: Any) -> None:
    layer: Any = build(kind, fields)
    output = output_shape(layer, (shape,))
    found = small_layer(layer, shape, output)
    if max(layer.dilation) > 3:
        assert found is None, "the input that its window needs is too long"
        return
    assert found is not None and not found.whole
    assert prod(found.shape) * prod(found.output) <= MOST
    assert found.layer.kernel_size == layer.kernel_size and found.layer.padding == layer.padding
    if kind.startswith("conv_t"):
        return
    for size, smaller, window, positions in zip(
        shape[1:], found.shape[1:], layer.windows(shape), found.output[1:], strict=True
    ):
        assert (size - smaller) % window.stride == 0 and positions >= 2


def explanation(*arguments: str) -> Any:
    done = run("explain", *arguments, "--format", "json")
    assert (done.code, done.stderr) == (0, "")
    return json.loads(done.stdout)


CALLS = [
    ("-k", "2", "--size", "3"),
    ("conv2d: {out: 2, k: 3, s: 2, p: 1}", "--input", "3,5,4"),
    ("conv2d: {out: 4, k: 2, g: 2}", "--input", "4,3,3"),
    ("conv_transpose2d: {out: 2, k: 3, s: 2, p: 1, output_padding: 1}", "--input", "2,2,3"),
    ("conv1d: {out: 2, k: 3, p: 2, padding_mode: circular}", "--input", "1,7"),
    ("conv3d: {out: 1, k: 2}", "--input", "1,3,3,3"),
    ("googlenet", "conv1"),
]


@pytest.mark.parametrize("arguments", CALLS, ids=[call[0] for call in CALLS])
def test_every_printed_product_is_one(arguments: tuple[str, ...]) -> None:
    found = explanation(*arguments, "--matrix")
    assert found["confirmed"] is True
    displays = [display for section in found["sections"] for display in section["matrices"] or ()]
    named = {part["name"]: np.array(part["rows"]) for display in displays for part in display if isinstance(part, dict)}
    assert (named["C^T"] == named["C"].T).all()
    multiplied = 0
    for display in displays:
        if "·" not in display:
            continue
        parts = [np.array(part["rows"]) if isinstance(part, dict) else part for part in display]
        result = parts[0] @ parts[2]
        if parts[3] == "+":
            result, parts = result + parts[4], parts[2:]
        assert (result == parts[4]).all()
        multiplied += 1
    assert multiplied >= 3


@pytest.mark.parametrize("option", ["--matrix", "--backward", "--flip", "--shift"])
@pytest.mark.parametrize("columns", [50, 80])
def test_nothing_is_wider_than_the_terminal(option: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in (*CALLS[:2], ("googlenet", "conv1"), ("-k", "5,3", "-d", "2", "--size", "12")):
        done = run("explain", *arguments, option)
        lines = [line for line in done.stdout.splitlines() if columns == 80 or line.startswith("  [ ")]
        assert done.code == 0 and [line for line in lines if len(line) > columns] == []


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        ("", "explain needs a spec, a layer, or the kernel of a convolution", "for example convcalc explain -k 3"),
        ("-k 3 --matrix", "a kernel needs the size of its input", "for example convcalc explain -k 3 --size 5"),
        ("--size 3 --matrix", "explain needs a spec, a layer, or the kernel of a convolution", "for example"),
        ("-k 0 --size 3", "kernel_size must be at least 1, not 0", ""),
        ("-k 3 -s 0 --size 3", "stride must be at least 1, not 0", ""),
        ("-k 9 --size 3 --matrix", "kernel of 9 is larger than the input of 3", "the input is 6 too small"),
        ("-k 3 --size 0", "--size takes sizes of at least 1", ""),
        ("-k 3,3,3,3 --size 5", "-k, -s, -p, -d and --size take one number, or one for each of 2 or 3 axes", ""),
        ("-k 3,3 --size 5,5,5", "-k, -s, -p, -d and --size take one number, or one for each of 2 or 3 axes", ""),
        ("-k x --size 5", "--k: expected a whole number, or one an axis (3 or 3,5), not 'x'", ""),
        ("lenet5 C1 -k 3", "--k does not go with a SPEC or a layer", ""),
        ("-k 3 --size 5 --input 1,5,5", "--input needs a SPEC", ""),
        ("-k 3 --size 5 --matrix --at 0,0", "--at does not go with --matrix", ""),
        ("lenet5 S2 --matrix", "'S2' has no convolution and no transposed one: numbers are of those", "one of C1"),
        ("lenet5 --backward", "'total' has 3 convolutions: numbers are of one", "one of C1, C3, C5"),
        ("highway --matrix", "'total' has no convolution and no transposed one", "convcalc explain -k 3 --size 5"),
        ("-k 300 --size 400 --matrix", "a window of 300×300 gives matrices of more than 20,000 numbers", "a smaller"),
        ("-k 30 --size 40 --flip", "a kernel of 30×30 is too large to be written out: at most 121 taps", "a smaller"),
        ("-k 3 -d 999 --size 9999 --shift", "a window of 3×3 is too long to be shown", "convcalc explain -k 3"),
        ("-k 1 -s 9223372036854775807 --size 1 --matrix", "a stride or a dilation of 9223372036854775807 is too", "a"),
        ("-k 100000 -p 100000 --size 100000", "conv2d's flops of 800008000020000000000 is above 2^63 - 1", ""),
        ("-k 1 --size 9223372036854775807", "an output of 85070591730234615847396907784232501249", ""),
        ("-k 1 -d 10001 --size 1 --shift", "a stride or a dilation of 10001 is too large to be written out", "a sm"),
        ("-k 1 -s 9000 -p 9000 --size 1 --backward", "a window of 1×1 gives matrices of more than 20,000", "a sm"),
        ("dcgan_generator project --flip", "flip is of convolutions: a transposed one flips back", "convcalc explain"),
        ("dcgan_generator project --shift", "shift is of convolutions", "convcalc explain"),
    ],
)
def test_what_cannot_be_said_is_refused(call: str, message: str, hint: str) -> None:
    done = run("explain", *call.split())
    assert (done.code, done.stdout) == (2, "")
    first, *more = done.stderr.splitlines()
    assert first.startswith(f"error: {message}")
    assert not hint or more[0].startswith(f"  hint: {hint}")


def test_a_group_with_one_convolution_is_that_convolution() -> None:
    assert explanation("resnet", "conv1", "--matrix")["name"] == "conv1.conv_bn.conv2d"
    separable = run("explain", "separable_conv2d: {out: 2, k: 3}", "--input", "2,5,5", "--matrix")
    assert separable.code == 2 and "no convolution" in separable.stderr


def test_a_kernel_alone_is_a_layer_of_one_channel_without_bias() -> None:
    short, long = (
        explanation("-k", "3,2", "-s", "2", "-p", "1:0,1", "-d", "1", "--size", "5x6"),
        explanation("conv2d: {out: 1, k: [3, 2], s: 2, p: [[1, 0], [1, 1]], bias: false}", "--input", "1,5,6"),
    )
    assert short == long


def test_subjects_come_one_behind_the_other() -> None:
    both = explanation("-k", "2", "--size", "3", "--backward", "--matrix")["sections"]
    matrix = explanation("-k", "2", "--size", "3", "--matrix")["sections"]
    backward = explanation("-k", "2", "--size", "3", "--backward")["sections"]
    assert both == [*matrix, *backward]


@pytest.mark.parametrize(("option", "name"), [("--matrix", "forward"), ("--backward", "kernel_gradient")])
def test_a_reference_that_disagrees_fails_the_call(option: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(explained, name)
    monkeypatch.setattr(explained, name, lambda *args: right(*args) + 1)
    done = run("explain", "-k", "2", "--size", "3", option)
    assert done.code == 1 and "NOT confirmed by the reference" in done.stdout and "NOT the same" in done.stdout


def test_python_has_it_too() -> None:
    found = convcalc.explain("lenet5", "C1", on_numbers=["matrix", "shift"])
    assert found.confirmed is True and "im2col" in str(found) and "<pre>" in found._repr_html_()
    assert convcalc.explain("lenet5", "C1").confirmed is None
    with pytest.raises(UsageError, match="nothing called 'matrices'"):
        convcalc.explain("lenet5", "C1", on_numbers=["matrices"])  # type: ignore[list-item]
    with pytest.raises(UsageError, match="a position does not go with numbers"):
        convcalc.explain("lenet5", "C1", at=(0, 0), on_numbers=["matrix"])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 2)])
def test_each_kind_of_sum_learns_the_others_kernel_flipped(shape: tuple[int, ...]) -> None:
    kernel = counting(shape)
    for teacher, student in product((False, True), repeat=2):
        wanted = np.flip(kernel) if teacher != student else kernel
        found = learned(kernel, teacher, student)
        assert found.steps < 200 and np.allclose(found.kernel, wanted.astype(float), atol=1e-3)


def test_the_flip_against_numpy() -> None:
    made = flip((3,))
    x, w = made.x.astype(float), made.w.astype(float)
    assert made.correlation.tolist() == np.correlate(x, w, "valid").tolist()
    assert made.convolution.tolist() == np.convolve(x, w, "valid").tolist()
    assert made.convolved.tolist() == made.w.tolist() and made.correlated.tolist() == made.w[::-1].tolist()


@pytest.mark.parametrize(
    ("window", "mode", "by", "along"),
    [
        (Window(3), "zeros", 1, (True,) * 5),
        (Window(3, 1, 1, 1), "zeros", 1, (False, True, True, True, False)),
        (Window(3, 1, 1, 1), "circular", 1, (True,) * 5),
        (Window(3, 2), "zeros", 2, (True,) * 5),
        (Window(3, 2), "zeros", 1, None),
        (Window(1, 1, 0, 0), "zeros", 3, (True,) * 3),
    ],
)
def test_what_moves_along(window: Window, mode: str, by: int, along: tuple[bool, ...] | None) -> None:
    axis = axis_of(window, mode)
    assert axis is not None and axis.moved_along(by) == along


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2))
def test_moved_outputs_against_sums(k: int, s: int, p: int, d: int) -> None:
    axis = axis_of(Window(k, s, p, p, d))
    assert axis is not None
    moved = [*axis.x[-s:], *axis.x[:-s]]
    padded = [0] * p + moved + [0] * p
    starts = range(0, len(padded) - d * (k - 1), s)
    sums = [sum(padded[q + t * d] * (t + 1) for t in range(k)) for q in starts]
    along = tuple(a == b for a, b in zip(sums[1:], axis.y(axis.x), strict=False))
    assert axis.moved_along(s) == along


def test_an_axis_that_is_too_long_is_not_shown() -> None:
    assert axis_of(Window(100)) == Axis(Window(100), "zeros", 105) and axis_of(Window(300)) is None


def test_matrices_that_have_no_room_stand_below_or_lose_their_middle() -> None:
    wide = Matrix("W", [[str(n) for n in range(100, 140)]] * 40)
    lines = list(matrix_lines(Matrices((wide, "·", wide)), 60))
    assert max(map(len, lines)) <= 60 and sum("..." in line or ":" in line for line in lines) == len(lines) - 3
    assert lines[1].startswith("[ 100 101") and lines[1].endswith("139 ]") and len(lines) == 2 * 21 + 1
    assert [line for line in lines if line.startswith("· ")] == [next(line for line in lines if line.startswith("· "))]
    pair = Matrices((Matrix("A", [["1"]]), Matrix("B", [["2"]])))
    assert list(matrix_lines(pair, None)) == ["A       B", "[ 1 ]   [ 2 ]"]
    assert r"\cdots" in latex_matrices(Matrices((wide,))) and r"\quad" in latex_matrices(pair)
