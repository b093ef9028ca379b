"""Layers that read nothing, kinds that give way to blocks of their name, and shapes without axes, in specs."""

from __future__ import annotations

import pytest

from convcalc import loads
from convcalc.analysis.report import analyse
from convcalc.findings import SpecError
from convcalc.language.write import write
from convcalc.layers.registry import KINDS, TAKEN, YIELDING
from convcalc.network import Network
from convcalc.reference import run
from convcalc.verify.confirm import verify

TOKENS = """convcalc: 1
name: tokens
input: [3, 32, 32]
blocks:
  biased:
    params: [width]
    layers:
      - {parameter: {shape: [1, width]}, name: bias}
      - {rescale: {scale: 2}, name: twice}
      - {add: {}, from: [in, twice]}
layers:
  - {conv2d: {out: 8, k: 16, s: 16}, name: patches}
  - {flatten: {start_dim: 1}}
  - {permute: {dims: [1, 0]}, name: tokens}
  - {parameter: {shape: [1, 8]}, name: class}
  - {concat: {dim: 0}, from: [class, tokens], name: all}
  - add: {branches: {x: [], position: [{parameter: {shape: [5, 8]}}]}}
  - {biased: [8], name: block}
  - {sub: {}, from: [block, all]}
  - {mean: {dim: 0}}
  - {linear: {out: 10}}
"""


def layers(text: str) -> Network:
    return loads(f"{{convcalc: 1, input: [3, 4, 4], layers: [{text}]}}")


def said(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        layers(text)
    return [(finding.code, finding.message) for finding in caught.value.findings]


def test_a_parameter_reads_nothing_wherever_it_stands() -> None:
    network = loads(TOKENS)
    held = [node for node in network if node.kind == "parameter"]
    assert [(node.name, node.inputs, node.shape) for node in held] == [
        ("class", (), (1, 8)),
        ("position.parameter", (), (5, 8)),
        ("block.bias", (), (1, 8)),
    ]
    first = network.nodes.index(held[0])
    assert [node.name for node in network if node.inputs[:1] == (first,)] == ["all"]
    assert network["block.twice"].shape == (1, 8)
    assert analyse(network).totals.params == 8 * (3 * 256 + 1) + 8 + 40 + 8 + 90
    outcome = verify(network, backward=True)
    assert outcome.ok and not outcome.findings


def test_every_example_of_a_batch_gets_the_same_constant() -> None:
    steps = {step.node.name: step.output for step in run(loads(TOKENS), batch=3)}
    assert steps["class"].shape == (3, 1, 8)
    assert (steps["class"] == steps["class"][:1]).all()
    assert steps["linear"].shape == (3, 10)


def test_a_spec_with_constants_is_written_and_read_back() -> None:
    network = loads(TOKENS)
    again = loads(write(network))
    assert [(node.kind, node.inputs, node.shape) for node in again.nodes] == [
        (node.kind, node.inputs, node.shape) for node in network.nodes
    ]
    assert "from: []" not in write(network)


def test_a_parameter_takes_no_from() -> None:
    found = said("relu, {parameter: {shape: [3, 4, 4]}, from: relu}, {add: {}, from: [relu, parameter]}")
    assert found == [("CC213", "parameter reads nothing, so that it has no 'from'")]


def test_a_parameter_is_repeated_and_left_out_like_other_items() -> None:
    network = layers(
        "{parameter: {shape: [3, 4, 4]}, repeat: 2, name: p}, {parameter: {shape: [9]}, when: false}, relu"
    )
    assert [node.name for node in network] == ["p.0", "p.1", "relu"]
    assert [node.inputs for node in network] == [(), (), (2,)]


def test_what_arrives_at_its_place_is_known_to_its_fields() -> None:
    network = layers("{parameter: {shape: [in_channels, 1, 1]}, name: p}, {multiply: {}, from: [input, p]}")
    assert network["p"].shape == (3, 1, 1)


def test_buffers_are_no_params() -> None:
    network = layers("{parameter: {shape: [3, 4, 4], learned: false}, name: p}, {add: {}, from: [input, p]}")
    totals = analyse(network).totals
    assert (totals.params, totals.buffers) == (0, 48)
    assert verify(network, backward=True).ok


def test_constants_take_no_memory_beside_the_params() -> None:
    with_table = layers("{parameter: {shape: [3, 4, 4]}, name: p}, {add: {}, from: [input, p]}")
    assert analyse(with_table).liveness.live[-1] == 2 * 48
    assert analyse(with_table).to_dict()["totals"]["activations"] == 48


def test_a_block_of_the_name_of_a_later_kind_wins() -> None:
    block = "{params: [w], layers: [{conv2d: {out: w, k: 1}}]}"
    text = f"{{convcalc: 1, input: [3, 4, 4], blocks: {{%s: {block}}}, layers: [%s: [5]]}}"
    for kind in ("norm", "mean", "parameter", "softsign"):
        network = loads(text % (kind, kind))
        assert [(node.name, node.shape) for node in network] == [(f"{kind}.conv2d", (5, 4, 4))]
    with pytest.raises(SpecError, match="a block cannot be called 'relu', as a kind or a key is"):
        loads(text % ("relu", "relu"))
    assert set(TAKEN) | YIELDING == set(KINDS) and not set(TAKEN) & YIELDING


def test_a_shape_without_axes_goes_everywhere() -> None:
    network = layers("sum, exp, {scale: {size: 1}}, {reshape: {shape: [1]}}, {linear: {out: in_channels}}")
    assert [node.shape for node in network] == [(), (), (), (1,), (1,)]
    assert [row["output_shape"] for row in analyse(network).to_dict()["layers"]][:3] == [[], [], []]
    assert [found.total for found in analyse(network, dtype="int8").flash][1:4] == [0, 0, 1 + 4]
    assert verify(network, backward=True).ok
    assert [node.shape for node in loads(write(network))] == [node.shape for node in network]


@pytest.mark.parametrize(
    ("item", "code", "message"),
    [
        ("{mean: {dim: 3}}", "CC208", "mean has dim 3, but [3, 4, 4] has the axes 0 to 2"),
        ("{sum: {dim: [0, -3]}}", "CC202", "sum has an axis twice in dim [0, -3]"),
        ("{var: {dim: 0, correction: 3}}", "CC202", "var with correction 3 needs more than 3 numbers, not 3"),
        ("{clamp: {}}", "CC202", "clamp needs min, max or both"),
        ("{clamp: {min: 2, max: 1}}", "CC202", "clamp has min 2 above max 1"),
        ("{hardtanh: {min_val: 1}}", "CC202", "hardtanh has min_val 1, which is not below max_val 1"),
        ("{rescale: {scale: [1, 2]}}", "CC203", "rescale has 2 numbers as scale for the 3 channels of [3, 4, 4]"),
        ("{glu: {dim: 0}}", "CC204", "glu halves axis 0 of [3, 4, 4], which is odd: 3"),
        ("{rms_norm: {normalized_shape: 5}}", "CC203", "normalized_shape [5] is not how [3, 4, 4] ends"),
        ("sum, relu, {batch_norm: {}}", "CC208", "batch_norm has dim 0, but [] has no axes"),
        ("{div: {}, from: [input, input, input]}", "CC213", "div takes 2 inputs, not 3"),
        ("{conv2d: {out: 2, k: 1, weight: input}}", "CC213", "conv2d takes 3 inputs, not 1"),
        (
            "{conv2d: {out: 2, k: 1, weight: input, bias: false}, from: [input, input]}",
            "CC203",
            "conv2d needs weights of [2, 3, 1, 1], and input 1 is [3, 4, 4]",
        ),
        (
            "{conv2d: {out: 2, k: 1, weight: input, gain: true}}",
            "CC202",
            "conv2d takes its weights from an input, and holds none that are gain",
        ),
    ],
)
def test_what_does_not_fit_is_said(item: str, code: str, message: str) -> None:
    assert said(item) == [(code, message)]
