"""The origin of a network: places, sections, other params, what is declared and never used."""

from __future__ import annotations

import pytest

from convcalc.findings import SpecError, UsageError
from convcalc.language import SpecOrigin, loads, parse_layer
from convcalc.network import Network, finding_in

TEXT = """\
convcalc: 1
name: tiny
title: "A tiny one"
description: for tests
input: [3, size, size]
params: {size: 32, c: 8, nothing: 3}
variants: {wide: {c: 16}}
blocks:
  used: {params: {out: ~, k: 3, spare: 1}, layers: [{conv2d: {out: out, k: k}}, relu]}
  unused: {layers: [relu]}
layers:
  - {used: [c], name: stem, repeat: 2}
  - add:
      branches:
        left: [relu]
        right: []
expect: {params: 3}
"""


def origin(network: Network) -> SpecOrigin:
    assert isinstance(network.origin, SpecOrigin)
    return network.origin


@pytest.mark.parametrize(
    ("name", "line", "column"),
    [
        ("stem", 12, 6),
        ("stem.0", 12, 6),
        ("stem.1.conv2d", 9, 54),
        ("left", 15, 9),
        ("left.relu", 15, 16),
        ("right", 16, 9),
        ("add", 13, 5),
        ("input", 5, 8),
        ("stem.1.conv2d.deeper", 9, 54),
        ("nowhere", 1, 1),
        ("", 1, 1),
    ],
)
def test_places(name: str, line: int, column: int) -> None:
    found = finding_in(loads(TEXT, path="t.yaml"), "CC305", "too much", name, hint="less")
    assert (found.path, found.line, found.column, found.where, found.hint) == ("t.yaml", line, column, name, "less")
    assert found.excerpt == TEXT.splitlines()[line - 1]


def test_sections_and_facts() -> None:
    network = loads(TEXT)
    found = origin(network)
    section = found.section("expect")
    assert section is not None
    assert found.finding_at("CC301", "no", section).line == 17
    assert (found.title, found.description, network.name) == ("A tiny one", "for tests", "tiny")
    assert found.variants == ("wide",)
    assert found.params == {"size": 32, "c": 8, "nothing": 3}
    assert found.source.text == TEXT


def test_reload_takes_exactly_what_it_is_given() -> None:
    network = loads(TEXT, params={"c": 4})
    assert network.origin is not None
    assert network.nodes[1].shape == (4, 30, 30)
    assert network.origin.reload().nodes[1].shape == (8, 30, 30)
    assert network.origin.reload(variant="wide").nodes[1].shape == (16, 30, 30)
    assert network.origin.reload(params={"size": 16}, input=None).nodes[1].shape == (8, 14, 14)
    assert network.origin.reload(input=(3, 10, 12)).nodes[1].shape == (8, 8, 10)
    with pytest.raises(SpecError):
        network.origin.reload(input=(3, 2, 2))
    with pytest.raises(UsageError):
        network.origin.reload(variant="none")


def test_equal_layers_share_one_model_across_reloads() -> None:
    network = loads(TEXT)
    assert network.nodes[2].layer is network.nodes[4].layer
    assert network.origin is not None
    assert network.origin.reload().nodes[2].layer is network.nodes[2].layer


def test_what_is_never_used() -> None:
    found = origin(loads(TEXT))
    assert [name for name, _ in found.unused_params] == ["nothing", "used.spare"]
    assert [(name, at.line) for name, at in found.unused_blocks] == [("unused", 10)]


def test_a_parameter_that_a_block_s_own_hides() -> None:
    block = "{params: {k: k, n: 1}, layers: [{relu: , repeat: k + n}]}"
    text = f"input: [3]\nparams: {{k: 1, n: 2}}\nblocks: {{b: {block}}}\nlayers: [b]\n"
    assert [name for name, _ in origin(loads(text)).unused_params] == ["n"]
    assert [name for name, _ in origin(loads(text, params={"n": "k + 1"})).unused_params] == ["n"]


def test_at_runs_the_shape_rules_again() -> None:
    network = loads(TEXT).at({"input": (3, 16, 16)})
    assert network.nodes[-1].shape == (8, 12, 12)
    with pytest.raises(SpecError) as caught:
        loads(TEXT).at({"input": (3, 2, 2)})
    (found,) = caught.value.findings
    assert (found.code, found.line, found.where) == ("CC201", 9, "stem.0.conv2d")


def test_stages_are_the_top_level_items() -> None:
    text = TEXT.replace("  - add:\n", "  - name: mix\n    add:\n")
    network = loads(text)
    assert [(name, rows.start, rows.stop, network.nodes[out].name) for name, rows, out in network.stages()] == [
        ("stem", 1, 5, "stem.1.relu"),
        ("mix", 5, 7, "mix"),
    ]


class TestParseLayer:
    @pytest.mark.parametrize(
        ("text", "kind", "fields"),
        [
            ("conv2d: {out_channels: 8, k: 3}", "conv2d", {"out_channels": 8, "kernel_size": (3, 3)}),
            (
                "conv2d: {out: 64, k: 7, s: 2, p: 3}",
                "conv2d",
                {"out_channels": 64, "kernel_size": (7, 7), "stride": (2, 2), "padding": ((3, 3), (3, 3))},
            ),
            ("relu", "relu", {}),
            ("dropout: {p: 1 / 4}", "dropout", {"p": 0.25}),
            ("concat", "concat", {}),
            ("split: {channels: [1, 2]}", "split", {"channels": (1, 2), "part": 0}),
            ('linear: {out: "max(3, 4)"}', "linear", {"out_features": 4}),
        ],
    )
    def test_layers(self, text: str, kind: str, fields: dict[str, object]) -> None:
        layer = parse_layer(text)
        assert (layer.kind, layer.fields()) == (kind, fields)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "CC006"),
            ("conv2", "CC102"),
            ("conv2d", "CC104"),
            ("conv2d: {out: 1, k: 1, outs: 3}", "CC101"),
            ("conv2d: {out: 8, k: w}", "CC106"),
            ("conv2d: {out: 8, k: in_channels}", "CC106"),
            ("conv2d: {out: 8, k: 0}", "CC202"),
            ("{relu: {}, name: a}", "CC103"),
            ("[relu]", "CC103"),
            ("conv2d: {out: 8", "CC001"),
            ("add: {branches: {a: [], b: []}}", "CC103"),
            ("conv2d: 3", "CC103"),
            ("name: x", "CC102"),
            ("relu: {}\nrelu: {}", "CC002"),
        ],
    )
    def test_errors(self, text: str, code: str) -> None:
        with pytest.raises(SpecError) as caught:
            parse_layer(text)
        assert caught.value.findings[0].code == code
