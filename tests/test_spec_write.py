"""Written as a flat spec and read again, a network has the same layers, shapes and wiring."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.blocks.literals import scalar
from convcalc.language import load, loads
from convcalc.language.write import write
from convcalc.network import Network, Output
from tests.spec_text import build


def same(network: Network, other: Network) -> None:
    assert [(n.layer, n.inputs, n.shape) for n in network.nodes] == [(n.layer, n.inputs, n.shape) for n in other.nodes]
    for one, same in zip(network.outputs, other.outputs, strict=True):
        assert (one.node, one.loss_weight, one.loss) == (same.node, same.loss_weight, same.loss)
    assert (network.name, network.source) == (other.name, other.source)


def test_it_is_readable() -> None:
    network = build("""
        - {conv2d: {out: 8, k: [3, 5], s: 1, p: [[1, 1], [2, 2]], bias: false}, name: stem}
        - relu
        - {add: {branches: {a: [{conv2d: {out: 8, k: 3, p: same}}, relu], b: []}}, name: mix}
        - {dropout: {p: 0.4}}
        - {relu: {}, name: relu_9}
    """)
    assert write(network, title="A: B").splitlines() == [
        "convcalc: 1",
        "name: text",
        'title: "A: B"',
        "input: [3, 32, 32]",
        "layers:",
        "  - {conv2d: {out: 8, k: [3, 5], p: [1, 2], bias: false}, name: stem}",
        "  - relu",
        "  - {conv2d: {out: 8, k: 3, p: same}, name: mix_a_conv2d}",
        "  - {relu: {}, name: mix_a_relu}",
        "  - {add: {}, name: mix, from: [mix_a_relu, relu]}",
        "  - dropout: {p: 0.4}",
        "  - {relu: {}, name: relu_9}",
    ]
    same(network, loads(write(network)))


@pytest.mark.parametrize(
    ("layers", "head", "input"),
    [
        (
            "- {split: {channels: [1, 2]}, name: s}\n- {concat: , from: [s.1, s.0]}\n- {relu: , from: s.1}",
            "",
            "[3, 4, 4]",
        ),
        ("- {layers: [{split: {channels: [1, 2]}}, concat], repeat: 2}", "", "[3, 4, 4]"),
        ("- concat\n- {relu: , from: left}", "", "{left: [3, 4], right: [1, 4]}"),
        ("- relu", "", "{data: [3]}"),
        ("- {relu: , repeat: 3}\n- {relu: , name: a-b}\n- {relu: , name: a_b}", "", "[3]"),
        ("- {relu: , name: a}\n- {relu: , name: b, from: input}", "outputs: {b: {loss_weight: 0.3}}\n", "[3]"),
        ("- {relu: , name: a}\n- relu", "outputs: {a: {loss: mean_square, loss_weight: 2}, relu: }\n", "[3]"),
        ("- relu", "outputs: {relu: {loss: linear}}\n", "[3]"),
        ("- {relu: , when: false}", "", "[3]"),
        ("- {max_pool2d: {k: 3, s: 2, p: [[1, 2], [1, 2]]}}\n- {flatten: {start_dim: 1}}", "", "[3, 9, 9]"),
        ("- {batch_norm: {momentum: ~, eps: 0.001}}\n- {reshape: {shape: [3, 81]}}", "", "[3, 9, 9]"),
        ("- {upsample: {scale_factor: 2}}\n- {crop: {}, from: [upsample, input]}", "", "[3, 9, 9]"),
    ],
)
def test_round_trips(layers: str, head: str, input: str) -> None:
    network = build(layers, head=head, input=input)
    same(network, loads(write(network)))


def test_googlenet() -> None:
    text = """
    params: {classes: 10}
    blocks:
      conv_relu: {params: {out: ~, k: 1, s: 1}, layers: [{conv2d: {out: out, k: k, s: s, p: k // 2}}, relu]}
      inception:
        params: [a, b, c]
        layers:
          - concat: {branches: {x: [{conv_relu: [a]}], y: [{conv_relu: [b]}, {conv_relu: [c, 3]}], z: []}}
    """
    network = build("- {inception: [4, 8, 12], repeat: 3, name: stage}\n- flatten\n- linear: {out: classes}", head=text)
    same(network, loads(write(network)))


def test_parts_that_stand_apart_cannot_be_written() -> None:
    network = build("- split: {channels: [1, 2]}")
    with pytest.raises(ValueError, match="do not stand together"):
        write(replace(network, nodes=network.nodes[:2], outputs=(Output("x", 1),)))


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_any_text_is_a_scalar(text: str) -> None:
    """A text written as a YAML scalar is read as the same text."""
    printable = "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)
    network = loads(f"name: {scalar(printable)}\ninput: [3]\nlayers: [relu]\n")
    assert network.name == printable or not printable


def test_the_gallery_round_trips() -> None:
    from convcalc.language import gallery_names

    for name in gallery_names():
        network = load(name)
        same(replace(network, source=None), loads(write(replace(network, source=None))))
