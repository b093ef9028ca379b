"""Outputs: named, or what nothing consumes."""

from __future__ import annotations

import pytest

from tests.spec_text import build, caret, error, errors, spec

HEADS = """
- {relu: {}, name: trunk}
- {layers: [relu, tanh], name: aux1, from: trunk, when: training}
- {sigmoid: {}, name: main, from: trunk}
"""
TRAINING = "params: {training: true}\n"


def outputs(network: object) -> list[tuple[str, str, float]]:
    return [(o.name, network.nodes[o.node].name, o.loss_weight) for o in network.outputs]  # type: ignore[attr-defined]


def test_what_nothing_consumes() -> None:
    assert outputs(build(HEADS, head=TRAINING)) == [("aux1.tanh", "aux1.tanh", 1.0), ("main", "main", 1.0)]


def test_named() -> None:
    assert outputs(build(HEADS, head=TRAINING + "outputs: [main]\n")) == [("main", "main", 1.0)]
    assert outputs(build(HEADS, head=TRAINING + "outputs: [aux1.relu, aux1]\n")) == [
        ("aux1.relu", "aux1.relu", 1.0),
        ("aux1", "aux1.tanh", 1.0),
    ]


def test_weights() -> None:
    head = TRAINING + "outputs: {main: , aux1: {loss_weight: 3 / 10}}\n"
    assert outputs(build(HEADS, head=head)) == [("main", "main", 1.0), ("aux1", "aux1.tanh", 0.3)]


def test_losses() -> None:
    network = build(HEADS, head=TRAINING + "outputs: {main: {loss: mean_square}, aux1: {loss_weight: 0.3}}\n")
    assert [(o.loss, o.loss_weight) for o in network.outputs] == [("mean_square", 1.0), (None, 0.3)]
    network = build("- {relu: , name: g, repeat: 2}", head="outputs: {g.*: {loss: linear}}\n")
    assert [(o.name, o.loss) for o in network.outputs] == [("g.0", "linear"), ("g.1", "linear")]


def test_a_loss_that_does_not_exist() -> None:
    found = error(HEADS, head=TRAINING + "outputs: {main: {loss: cross_entropi}}\n")
    assert (found.code, caret(found), found.hint) == ("CC103", "cross_entropi", "did you mean 'cross_entropy'?")
    found = error(HEADS, head=TRAINING + "outputs: {main: {loss: 1}}\n")
    assert found.hint == "one of cross_entropy, mean_square, linear"


def test_an_output_that_is_passed_over_is_none() -> None:
    head = "params: {training: false}\noutputs: {main: , aux1: {loss_weight: 0.3}}\n"
    assert [name for name, _, _ in outputs(build(HEADS, head=head))] == ["main"]


def test_one_must_be_left() -> None:
    found = error(HEADS, head="params: {training: false}\noutputs: [aux1]\n")
    assert found.code == "CC106" and "every output" in found.message


def test_collected() -> None:
    layers = "- {layers: [relu, tanh], name: g, repeat: 2}"
    assert [name for name, _, _ in outputs(build(layers, head="outputs: [g.*.relu]\n"))] == ["g.0.relu", "g.1.relu"]


def test_the_parts_of_a_split() -> None:
    assert [name for name, _, _ in outputs(build("- split: {channels: [1, 2]}"))] == ["split.0", "split.1"]


def test_unknown() -> None:
    found = error(HEADS, head=TRAINING + "outputs: [mian]\n")
    assert (found.code, caret(found), found.hint) == ("CC106", "mian", "did you mean 'main'?")


@pytest.mark.parametrize(
    "section",
    [
        "main",
        "[]",
        "{}",
        "[[main]]",
        "[main, main]",
        "{main: 3}",
        "{main: {loss: 1}}",
        "{main: {loss: [linear]}}",
        "{main: {loss: ~}}",
        "{main: {loss_weight: x}}",
        "{main: {loss_weight: -1}}",
        "{main: {loss_weight: 1 / 0}}",
        "{main: {loss_weight: ~}}",
        "{main: {loss_weight: true}}",
    ],
)
def test_what_outputs_are(section: str) -> None:
    assert errors(spec(HEADS, head=TRAINING + f"outputs: {section}\n"))


def test_everything_passed_over_leaves_the_input() -> None:
    assert outputs(build("- {relu: , when: false}")) == [("input", "input", 1.0)]
