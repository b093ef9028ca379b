"""What differs between the uses of a block: the params that say it, what they follow from, and conditions."""

from __future__ import annotations

import pytest

from convcalc.blocks import merging
from convcalc.layers.registry import build as build_layer
from convcalc.network import Network
from tests.block_measures import items, survives
from tests.module_networks import Modules


def residual_blocks(*widths: int, project: bool = True) -> Network:
    """Blocks of a convolution and a shortcut, which is projected where widths differ."""
    m = Modules(16, 8, 8)
    for number, width in enumerate(widths):
        with m(f"unit{number}", "Unit") as before:
            differs = m.draft.shape(before)[0] != width
            after = m.layer("conv2d", "conv", out=width, k=3, p=1)
            if differs and project:
                before = m.layer("conv2d", "project", before, out=width, k=1)
            m.layer("add", "", after, before)
    return m.network("Units")


def test_a_shortcut_that_some_have_stands_under_a_condition() -> None:
    assert items(residual_blocks(16, 32, 32, 64))[:8] == [
        "blocks:",
        "  unit:",
        "    params: {out: ~, project: in_channels != out}",
        "    layers:",
        "      - {conv2d: {out: out, k: 3, p: 1}, name: conv}",
        "      - {conv2d: {out: out, k: 1}, name: project, from: in, when: project}",
        "      - {add: {}, from: [conv, project], when: project}",
        "      - {add: {}, from: [conv, in], when: not project}",
    ]


def test_a_condition_that_two_uses_alone_would_show_is_a_param() -> None:
    lines = items(residual_blocks(16, 32))
    assert "    params: {out: ~, project: false}" in lines
    assert "  - {unit: {out: 32, project: true}, name: unit1}" in lines


def stack(*rows: tuple[int, int, int]) -> Network:
    """Blocks of two convolutions: (width, kernel of the first, width of the second)."""
    m = Modules(3, 64, 64)
    for number, (width, kernel, out) in enumerate(rows):
        with m(f"pair{number}", "Pair"):
            m.layer("conv2d", "a", out=width, k=kernel)
            m.layer("conv2d", "b", out=out, k=1)
    return m.network("Pairs")


def test_widths_follow_from_widths_at_enough_points() -> None:
    lines = items(stack((8, 3, 32), (16, 3, 64), (32, 3, 128)))
    layers = "[{conv2d: {out: width, k: 3}, name: a}, {conv2d: {out: 4 * width, k: 1}, name: b}]"
    assert lines[1] == f"  pair: {{params: [width], layers: {layers}}}"
    text = survives(stack((8, 3, 32), (16, 3, 64)))
    assert "4 *" not in text and "  pair: {params: [width, out], layers: " in text


def test_parts_of_a_split_follow_from_what_arrives() -> None:
    m = Modules(8, 8, 8)
    for number, width in enumerate((16, 32, 64)):
        m.layer("conv2d", out=width, k=1)
        with m(f"half{number}", "Half"):
            part = build_layer("split", {"channels": [width // 2, width // 2]})
            parts = [part, part.model_copy(update={"part": 1})]
            first, second = m.draft.split(parts, m.x, scope=m.scope)
            m.layer("add", "", first, second)
    lines = items(m.network("Halves"))
    assert lines[1] == "  half: {layers: [{split: {channels: [in_channels // 2, in_channels // 2]}}, add]}"


def test_a_width_follows_from_no_kernel() -> None:
    text = survives(stack((8, 1, 24), (24, 3, 24), (40, 5, 24)))
    assert "8 *" not in text and "{a: 8, k: 1}" not in text
    assert "  pair: {params: [width, k], layers: " in text


def test_half_a_kernel_is_its_padding() -> None:
    m = Modules(3, 64, 64)
    for number, (width, kernel) in enumerate(((8, 1), (16, 3), (24, 5))):
        with m(f"part{number}", "Part"):
            m.conv_bn(width, kernel, "conv", "bn")
    assert "p: k // 2" in survives(m.network("Parts"))


def test_most_paddings_give_the_default() -> None:
    m = Modules(3, 64, 64)
    for number, (width, kernel, padding) in enumerate(((8, 1, 0), (16, 3, 1), (24, 5, 2), (32, 3, 0))):
        with m(f"part{number}", "Part"):
            m.conv_bn(width, kernel, "conv", "bn", p=padding)
    lines = items(m.network("Parts"))
    assert "    params: {out: ~, k: ~, p: k // 2}" in lines
    assert lines[-1] == "  - {part: {out: 32, k: 3, p: 0}, name: part3}"


def test_a_word_says_which_activation_stands() -> None:
    m = Modules(3, 8, 8)
    for number, act in enumerate(("relu", "silu", "relu", "")):
        with m(f"part{number}", "Part"):
            m.conv_bn(8, 3, "conv", "bn")
            if act:
                m.layer(act)
    lines = items(m.network("Parts"))
    assert "    params: {act: none}" in lines
    assert "      - {silu: {}, when: act == 'silu'}" in lines
    assert lines[-4:] == [
        "  - {part: {act: relu}, name: part0}",
        "  - {part: {act: silu}, name: part1}",
        "  - {part: {act: relu}, name: part2}",
        "  - {part: {}, name: part3}",
    ]


def test_one_word_says_both_activations_where_these_are_always_the_same() -> None:
    m = Modules(8, 8, 8)
    for number, act in enumerate(("relu", "silu", "relu", "silu")):
        with m(f"unit{number}", "Unit"):
            for place in "ab":
                m.layer("conv2d", f"conv_{place}", out=8, k=1)
                m.layer("batch_norm", f"bn_{place}")
                m.layer(act, f"act_{place}")
    lines = items(m.network("Units"))
    assert "    params: {act: relu}" in lines
    assert [line for line in lines if "when" in line] == [
        f"      - {{{act}: {{}}, name: act_{place}, when: act == '{act}'}}"
        for place in "ab"
        for act in ("relu", "silu")
    ]


def test_activations_in_one_place_take_turns() -> None:
    m = Modules(3, 64, 64)
    for number, act in enumerate(("relu", "hardswish", "relu", "hardswish")):
        with m(f"norm{number}", "NormAct"):
            m.layer("batch_norm")
            m.layer(act, "act")
    lines = items(m.network("Acts"))
    assert lines[1:6] == [
        "  norm_act:",
        "    params: {act: relu}",
        "    layers:",
        "      - batch_norm",
        "      - {relu: {}, name: act, when: act == 'relu'}",
    ]
    assert lines[-1] == "  - {norm_act: {act: hardswish}, name: norm3}"


def test_scopes_of_too_many_pairs_are_not_laid_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    network = residual_blocks(16, 32, 16, 16)
    assert "when:" in survives(network)
    monkeypatch.setattr(merging, "LARGEST", 0)
    assert "when:" not in survives(network)


def test_a_condition_compares_no_channels_that_arrive_inside() -> None:
    m = Modules(16, 64, 64)
    for number, (width, s) in enumerate(((16, 2), (16, 1), (32, 2), (24, 1))):
        with m(f"unit{number}", "Unit") as before:
            if s == 2:
                m.layer("conv2d", "down", before, out=4 * width, k=1, s=2)
                before = m.x
            m.layer("conv2d", "conv", out=width, k=3, p=1)
            after = m.layer("conv2d", "expand", out=4 * width, k=1)
            if s == 2:
                m.layer("add", "", after, before)
    assert "4 * in_channels" not in "".join(line for line in items(m.network("Units")) if "params:" in line)


def test_a_width_that_some_have_earlier_is_that_of_all() -> None:
    m = Modules(16, 64, 64)
    for number, (width, projected) in enumerate(((64, True), (64, False), (128, True), (128, False), (256, True))):
        with m(f"unit{number}", "Unit") as before:
            m.layer("relu", "act")
            start = m.x
            if projected:
                before = m.layer("conv2d", "project", start, out=width, k=1)
            m.layer("conv2d", "conv", start, out=width // 4, k=3, p=1)
            after = m.layer("conv2d", "expand", out=width, k=1)
            m.layer("add", "", after, before)
    lines = items(m.network("Units"))
    assert "    params: {out: ~, width: ~, project: in_channels != out}" in lines
    assert "      - {conv2d: {out: out, k: 1}, name: project, when: project}" in lines


def test_the_channels_that_arrive_at_a_block_are_a_default() -> None:
    m = Modules(16, 64, 64)
    for number, (width, s) in enumerate(((32, 1), (48, 1), (72, 2), (96, 1))):
        with m(f"unit{number}", "Unit") as before:
            arriving = m.draft.shape(before)[0]
            m.layer("conv2d", "conv", out=width, k=3, p=1, s=s)
            if s == 1:
                m.layer("conv2d", "back", out=arriving, k=1)
                m.layer("add", "", m.x, before)
                m.layer("conv2d", "last", out=width, k=1)
    assert "in_channels" in next(line for line in items(m.network("Units")) if "params:" in line)


def test_params_are_called_as_no_function_and_no_word() -> None:
    m = Modules(8, 8, 8)
    for number in range(4):
        with m(f"m{number}", "Unit"):
            m.layer("relu", "a")
            if number % 2:
                m.layer("batch_norm", "max")
    assert "with_max" in survives(m.network("Named"))
