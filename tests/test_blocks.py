"""Networks written with blocks: what a person would have written, and the same network when it is read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from convcalc import diff, load
from convcalc.blocks import find
from convcalc.language import loads
from convcalc.language.write_blocks import equal, write_blocks
from convcalc.layers.registry import build as build_layer
from convcalc.models.steps import Place
from tests.block_measures import items, survives
from tests.module_networks import NETWORKS, Modules
from tests.spec_text import build, spec

GOLDEN = Path(__file__).parent / "golden" / "blocks"
LINES = {"resnet50": 40, "googlenet": 50, "densenet121": 80, "mobilenet_v2": 45}
"""The most lines of a spec that a person would write."""


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_modules_are_written_as_a_person_would(name: str) -> None:
    network = NETWORKS[name]()
    text = survives(network)
    assert text == (GOLDEN / f"{name}.yaml").read_text()
    assert len(text.splitlines()) <= LINES[name]
    assert diff(network, loads(text)).empty


@pytest.mark.parametrize("name", ["resnet", "mobilenet_v2", "googlenet", "unet", "efficientnet_v2", "enet", "hrnet"])
def test_the_gallery_survives(name: str) -> None:
    survives(load(name))


def test_more_blocks_than_say_anything_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load("googlenet")
    assert "blocks:" in survives(network)
    monkeypatch.setattr(find, "MOST_BLOCKS", 1)
    text = write_blocks(network)
    assert "blocks:" not in text and equal(network, loads(text))


def test_a_class_whose_uses_differ_is_no_block_of_one_use() -> None:
    m = Modules(8, 8, 8)
    for number, kinds in enumerate((("relu", "sigmoid"), ("tanh", "silu"), ("relu", "sigmoid"))):
        with m(f"stage{number}", "Stage"):
            for kind in kinds:
                m.layer(kind)
    assert items(m.network("Stages")) == [
        "blocks:",
        "  stage: {layers: [relu, sigmoid]}",
        "layers:",
        "  - {stage: {}, name: stage0}",
        "  - {layers: [tanh, silu], name: stage1}",
        "  - {stage: {}, name: stage2}",
    ]


def test_the_values_of_repetitions_are_listed_where_nothing_says_them() -> None:
    m = Modules(3, 64, 64)
    with m("stages"):
        for number, width in enumerate((24, 40, 112, 104)):
            with m(str(number), "Unit"):
                m.conv_bn(width, 3, "conv", "bn", s=2 if number in (0, 3) else 1)
    assert items(m.network("Stages"))[-1] == (
        '  - {unit: {out: "[24, 40, 112, 104][index]", s: "[2, 1, 1, 2][index]"}, name: stages, repeat: 4}'
    )


def test_blocks_whose_repetitions_have_other_values_take_a_list() -> None:
    m = Modules(3, 64, 64)
    for stage, widths in enumerate(((24, 40, 112), (16, 88, 96))):
        with m(f"stage{stage}", "Stage"):
            m.layer("relu", "act")
            with m("blocks"):
                for number, width in enumerate(widths):
                    with m(str(number), "Unit"):
                        m.conv_bn(width, 3, "conv", "bn")
    lines = items(m.network("Stages"))
    layers = '[{relu: {}, name: act}, {unit: {out: "out[index]"}, name: blocks, repeat: 3}]'
    assert f"  stage: {{params: [out], layers: {layers}}}" in lines
    assert lines[-1] == "  - {stage: {out: [16, 88, 96]}, name: stage1}"


def test_long_lists_of_values_are_broken_inside_their_quotes() -> None:
    m = Modules(3, 64, 64)
    with m("stages"):
        for number in range(9):
            with m(str(number), "Unit"):
                m.layer("conv2d", "conv", out=8, k=1)
                m.layer("rescale", "", scale=0.123456789012345 + 0.1 * number**2)
    assert all(len(line) <= 120 for line in items(m.network("Factors")))


def test_what_only_some_repetitions_have_needs_no_value_in_others() -> None:
    m = Modules(8, 64, 64)
    with m("stages"):
        for number, factor in enumerate((None, 0.5, 0.25, 0.75)):
            with m(str(number), "Unit"):
                m.layer("conv2d", "conv", out=8, k=1)
                if factor is not None:
                    m.layer("rescale", "", scale=factor)
    said = '{rescale_scale: "[0.5, 0.5, 0.25, 0.75][index]", with_rescale: index != 0}'
    assert items(m.network("Factors"))[-1] == f"  - {{unit: {said}, name: stages, repeat: 4}}"


def test_uses_whose_repetitions_differ_the_other_way_round_are_no_block() -> None:
    m = Modules(8, 8, 8)
    for stage, first in enumerate((True, False)):
        with m(f"stage{stage}", "Stage"):
            m.layer("relu", "act")
            with m("blocks"):
                for number in range(3):
                    with m(str(number), "Unit"):
                        m.layer("conv2d", "conv", out=8, k=1, bias=(number == 0) is first)
                        m.layer("batch_norm", "bn")
    assert items(m.network("Stages"))[-2:] == [
        "  - {layers: [{relu: {}, name: act}, {unit: {bias: index == 0}, name: blocks, repeat: 3}], name: stage0}",
        "  - {layers: [{relu: {}, name: act}, {unit: {bias: index != 0}, name: blocks, repeat: 3}], name: stage1}",
    ]


def test_layers_called_by_their_kinds_meet_under_other_numbers() -> None:
    m = Modules(8, 64, 64)
    for number, expanded in enumerate((False, True, True)):
        with m(f"unit{number}", "Unit"):
            if expanded:
                m.layer("conv2d", "expand", out=32, k=1)
                m.layer("relu")
            m.layer("conv2d", "reduce", out=8, k=3)
            m.layer("relu")
    assert items(m.network("Units"))[3:8] == [
        "    layers:",
        "      - {conv2d: {out: 32, k: 1}, name: expand, when: with_expand}",
        "      - {relu: {}, when: with_expand}",
        "      - {conv2d: {out: 8, k: 3}, name: reduce}",
        "      - relu",
    ]


def test_a_layer_that_is_read_keeps_its_number() -> None:
    m = Modules(8, 64, 64)
    for number, expanded in enumerate((False, True, True)):
        with m(f"unit{number}", "Unit"):
            if expanded:
                m.layer("conv2d", "expand", out=8, k=1)
                m.layer("relu")
            kept = m.layer("relu")
            m.layer("conv2d", "reduce", out=8, k=3, p=1)
            m.layer("add", "", m.x, kept)
    survives(m.network("Units"))


def test_scopes_that_read_in_many_ways_are_one_block_where_they_share_enough() -> None:
    text = spec(
        "- {unit: [true], name: u0}\n- {unit: [false], name: u1}\n- {unit: [false], name: u2}",
        head="""
        blocks:
          unit:
            params: [first]
            layers:
              - {conv2d: {out: 16, k: 1, bias: false}, name: conv}
              - {batch_norm: {}, name: bn}
              - {split: {channels: [4, 4, 4, 4]}, name: parts}
              - {conv2d: {out: 4, k: 3, p: 1}, name: conv0, from: parts.0}
              - {batch_norm: {}, name: bn0}
              - {relu: {}, name: act0}
              - {add: {}, name: sum1, from: [act0, parts.1], when: not first}
              - {conv2d: {out: 4, k: 3, p: 1}, name: conv1, when: not first}
              - {conv2d: {out: 4, k: 3, p: 1}, name: conv1, from: parts.1, when: first}
              - {batch_norm: {}, name: bn1}
              - {relu: {}, name: act1}
              - {add: {}, name: sum2, from: [act1, parts.2], when: not first}
              - {conv2d: {out: 4, k: 3, p: 1}, name: conv2, when: not first}
              - {conv2d: {out: 4, k: 3, p: 1}, name: conv2, from: parts.2, when: first}
              - {batch_norm: {}, name: bn2}
              - {relu: {}, name: act2}
              - {max_pool2d: {k: 3, s: 1, p: 1}, name: pool, from: parts.3, when: first}
              - {concat: {}, from: [act0, act1, act2, pool], when: first}
              - {concat: {}, from: [act0, act1, act2, parts.3], when: not first}
        """,
    )
    lines = items(loads(text))
    assert [line for line in lines if line.startswith("  unit")] == ["  unit:"]
    assert "      - {conv2d: {out: 4, k: 3, p: 1}, name: conv1, from: parts.1, when: not residual}" in lines


def test_groups_with_repetitions_are_repeated() -> None:
    inner = "{layers: [{relu: {}, name: r, repeat: 2}, tanh], name: inner}"
    head = "blocks: {b: {layers: [relu, sigmoid]}}\n"
    network = build(
        f"- {{b: {{}}, name: x}}\n- {{layers: [{inner}], name: s, repeat: 3}}\n- {{b: {{}}, name: y}}", head=head
    )
    assert items(network)[-6:] == [
        "  - {b: {}, name: x}",
        "  - name: s",
        "    repeat: 3",
        "    layers:",
        f"      - {inner}",
        "  - {b: {}, name: y}",
    ]


def test_repetitions_that_take_turns() -> None:
    m = Modules(3, 64, 64)
    for stage, depth in enumerate((2, 4, 6)):
        with m(f"layer{stage}"):
            for number in range(depth):
                with m(str(number), "Unit"):
                    m.conv_bn(8 if number % 2 == 0 else 12, 3, "conv", "bn")
    assert items(m.network("Turns"))[-3:] == [
        "  - {unit: {out: 8 if index == 0 else 12}, name: layer0, repeat: 2}",
        "  - {unit: {out: 8 if index % 2 == 0 else 12}, name: layer1, repeat: 4}",
        "  - {unit: {out: 8 if index % 2 == 0 else 12}, name: layer2, repeat: 6}",
    ]


def test_flags_that_take_turns() -> None:
    m = Modules(3, 64, 64)
    with m("layer"):
        for number in range(6):
            with m(str(number), "Unit"):
                m.conv_bn(8, 3, "conv", "bn")
                if number % 2:
                    m.layer("relu")
    assert items(m.network("Turns"))[-1] == "  - {unit: {act: index % 2 != 0}, name: layer, repeat: 6}"


def test_the_first_repetition_may_move() -> None:
    m = Modules(3, 64, 64)
    for stage, depth in enumerate((2, 3, 1)):
        with m(f"layer{stage}"):
            for number in range(depth):
                with m(str(number), "Unit"):
                    m.conv_bn(8, 3, "conv", "bn", s=2 if number == 0 else 1)
    assert items(m.network("Stages"))[-3:] == [
        "  - {unit: {s: 2 if index == 0 else 1}, name: layer0, repeat: 2}",
        "  - {unit: {s: 2 if index == 0 else 1}, name: layer1, repeat: 3}",
        "  - {unit: {s: 2}, name: layer2, repeat: 1}",
    ]


def test_stages_of_one_class_take_the_number_of_their_blocks() -> None:
    m = Modules(3, 64, 64)
    for stage, depth in enumerate((2, 3, 4)):
        with m(f"stage{stage}", "Stage"):
            m.layer("conv2d", "down", out=8 << stage, k=2, s=2)
            with m("blocks"):
                for number in range(depth):
                    with m(str(number), "Unit"):
                        m.conv_bn(8 << stage, 3, "conv", "bn")
    lines = items(m.network("Stages"))
    layers = "[{conv2d: {out: in_channels, k: 3, p: 1, bias: false}, name: conv}, {batch_norm: {}, name: bn}]"
    assert f"  unit: {{layers: {layers}}}" in lines
    assert (
        "    layers: [{conv2d: {out: out, k: 2, s: 2}, name: down}, {unit: {}, name: blocks, repeat: depth}]" in lines
    )
    assert lines[-1] == "  - {stage: {out: 32, depth: 4}, name: stage2}"


def test_unlike_modules_keep_their_numbers() -> None:
    m = Modules(3, 64, 64)
    with m("features"):
        m.layer("conv2d", "0", out=8, k=3)
        m.layer("relu", "1")
        m.layer("conv2d", "3", out=8, k=3)
        m.layer("relu")
    network = m.network("Features")
    assert [node.name for node in network] == ["features.0", "features.1", "features.3", "features.relu"]
    assert items(network) == [
        "layers:",
        "  - name: features",
        "    layers:",
        "      - {conv2d: {out: 8, k: 3}, name: 0}",
        "      - relu",
        "      - {conv2d: {out: 8, k: 3}, name: 3}",
        "      - {relu: {}, name: relu}",
    ]


def test_a_group_that_hides_a_name_is_a_block() -> None:
    m = Modules(8, 8, 8)
    first = m.layer("batch_norm", "bn")
    with m("inner", "Inner"):
        m.layer("batch_norm", "bn")
        m.layer("add", "", m.x, first)
    assert items(m.network("Hidden")) == [
        "blocks:",
        "  inner: {layers: [{batch_norm: {}, name: bn}, {add: {}, from: [bn, in]}]}",
        "layers:",
        "  - {batch_norm: {}, name: bn}",
        "  - inner",
    ]


def test_a_group_that_hides_a_name_and_begins_with_a_constant_is_a_block() -> None:
    m = Modules(8, 8, 8)
    first = m.layer("batch_norm", "bn")
    with m("inner", "Inner"):
        constant = build_layer("parameter", {"shape": (8, 8, 8), "learned": False})
        place = Place(("bn",), "Constant", next(m.calls))
        m.layer("add", "", first, m.draft.add(constant, (), scope=[*m.scope, place]))
    assert items(m.network("Hidden"))[:2] == [
        "blocks:",
        "  inner: {layers: [{parameter: {shape: [8, 8, 8], learned: false}, name: bn}, {add: {}, from: [in, bn]}]}",
    ]


def test_what_has_the_weights_of_another_says_so() -> None:
    text = spec(
        """
        - {conv2d: {out: 8, k: 3, p: 1}, name: stem}
        - {head: [8], name: p3}
        - {head: [8], name: p4, from: stem, share: p3}
        - {layers: [{conv2d: {out: 8, k: 3}, name: x}, {conv2d: {out: 8, k: 3}, name: y, share: x}], name: twice}
        - {conv2d: {out: 8, k: 3, p: 1}, name: end, share: p3.a}
        """,
        head="""
        blocks:
          head: {params: [out], layers: [{conv2d: {out: out, k: 3, p: 1}, name: a}, relu, batch_norm]}
        """,
    )
    assert items(loads(text))[-5:] == [
        "  - {conv2d: {out: 8, k: 3, p: 1}, name: stem}",
        "  - {head: {}, name: p3}",
        "  - {head: {}, name: p4, from: stem, share: p3}",
        "  - {layers: [{conv2d: {out: 8, k: 3}, name: x}, {conv2d: {out: 8, k: 3}, name: y, share: x}], name: twice}",
        "  - {conv2d: {out: 8, k: 3, p: 1}, name: end, share: p3.a}",
    ]


def test_batch_axes_and_constants_survive() -> None:
    network = build(
        """
        - {parameter: {shape: [1, 8, 8]}, name: token}
        - {concat: {}, from: [token, input], name: joined}
        - {layers: [{unsqueeze: {dim: 0}}, {conv2d: {out: 4, k: 3}, batch_axes: 1}, relu], name: frames}
        """,
        input="[3, 8, 8]",
    )
    assert items(network)[:3] == [
        "layers:",
        "  - {parameter: {shape: [1, 8, 8]}, name: token}",
        "  - {concat: {}, name: joined, from: [token, input]}",
    ]


def test_a_block_reads_several_values() -> None:
    m = Modules(8, 8, 8)
    a = m.layer("relu", "a")
    b = m.layer("silu", "b")
    for number in range(2):
        with m(f"mix{number}", "Mix"):
            m.layer("relu", "act", b)
            m.layer("add", "", m.x, a)
            a, b = b, m.x
    assert items(m.network("Mixed")) == [
        "blocks:",
        "  mix: {layers: [{relu: {}, name: act, from: in.0}, {add: {}, from: [act, in.1]}]}",
        "layers:",
        "  - {relu: {}, name: a}",
        "  - {silu: {}, name: b}",
        "  - {mix: {}, name: mix0, from: [b, a]}",
        "  - {mix: {}, name: mix1, from: [mix0, b]}",
    ]


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("Conv2dNormActivation", "conv2d_norm_activation"),
        ("_DenseLayer", "dense_layer"),
        ("SEModule", "se_module"),
        ("Concat", "concat_2"),
        ("Layers", "layers_2"),
        ("Repeat", "repeat_2"),
        ("3D Block", "block_3_d_block"),
        ("名前", "block"),
    ],
)
def test_blocks_are_called_by_their_classes(cls: str, name: str) -> None:
    m = Modules(8, 8, 8)
    for number in range(2):
        with m(f"m{number}", cls):
            m.layer("relu", "a")
            m.layer("silu", "b")
    assert items(m.network("Named"))[1] == f"  {name}: {{layers: [{{relu: {{}}, name: a}}, {{silu: {{}}, name: b}}]}}"


def test_what_has_no_groups_is_flat() -> None:
    network = build("[{conv2d: {out: 8, k: 3}, name: a}, relu, {add: {}, from: [a, relu]}]")
    assert items(network) == [
        "layers:",
        "  - {conv2d: {out: 8, k: 3}, name: a}",
        "  - relu",
        "  - {add: {}, from: [a, relu]}",
    ]


def test_it_is_the_same_text_each_time() -> None:
    assert len({write_blocks(NETWORKS["googlenet"]()) for _ in range(3)}) == 1


def test_many_layers_take_little_time() -> None:
    from time import process_time

    network = NETWORKS["resnet50"](depths=(3, 40, 155, 3))  # type: ignore[call-arg]
    start = process_time()
    text = write_blocks(network)
    assert len(network) > 2000 and process_time() - start < 4
    assert len(text.splitlines()) < 40


def test_joins_with_names_are_written_with_their_branches() -> None:
    network = build("""
        - {conv2d: {out: 8, k: 1}, name: stem}
        - concat:
            branches:
              plain: [{conv2d: {out: 4, k: 3, p: 1}}, relu]
              skip: []
              far: [{conv2d: {out: 4, k: 1}, from: input}, {sigmoid: {}, repeat: 2, name: twice}]
          name: mixed
        - {relu: {}, from: mixed.plain}
    """)
    assert items(network) == [
        "layers:",
        "  - {conv2d: {out: 8, k: 1}, name: stem}",
        "  - name: mixed",
        "    concat:",
        "      branches:",
        "        plain: [{conv2d: {out: 4, k: 3, p: 1}}, relu]",
        "        skip: []",
        "        far: [{conv2d: {out: 4, k: 1}, from: input}, {sigmoid: {}, name: twice, repeat: 2}]",
        "  - {relu: {}, from: mixed.plain}",
    ]


def test_joins_of_repetitions_and_blocks_are_written_with_their_branches() -> None:
    gate = (
        "{multiply: {branches: {way: [{conv2d: {out: c, k: 1}}], gate: [{conv2d: {out: c, k: 1}}, sigmoid]}}, name: g}"
    )
    head = f"blocks: {{unit: {{params: [c], layers: [{gate}, relu]}}}}\n"
    network = loads(spec("- {unit: [4], name: a}\n- {unit: [6], repeat: 3, name: b}", head=head, input="[4, 8, 8]"))
    assert items(network) == [
        "blocks:",
        "  unit:",
        "    params: [out]",
        "    layers:",
        "      - name: g",
        "        multiply:",
        "          branches:",
        "            way: [{conv2d: {out: out, k: 1}}]",
        "            gate: [{conv2d: {out: out, k: 1}}, sigmoid]",
        "      - relu",
        "layers:",
        "  - {unit: {out: 4}, name: a}",
        "  - {unit: {out: 6}, name: b, repeat: 3}",
    ]


def test_a_join_that_also_reads_something_else_is_no_join_with_branches() -> None:
    """As readers of models make it: a group of the join's name, and a branch that another layer stands between."""
    branches = "{add: {branches: {a: [relu], b: [tanh]}}, name: s}"
    network = build(f"[{branches}]")
    nodes = list(network.nodes)
    last = nodes[-1]
    nodes[-1] = last._replace(inputs=(last.inputs[1], last.inputs[0]))
    text = write_blocks(replace(network, nodes=tuple(nodes)))
    assert "branches" not in text and loads(text).nodes[-1].inputs == (2, 1)
