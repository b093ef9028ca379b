"""What exported Python code does in PyTorch and Keras, from recorded runs of exactly this code."""

from __future__ import annotations

import pytest

from convcalc import analyse, load
from convcalc.language import gallery_names
from convcalc.network import Network
from tests.exported_layers import layer_cases
from tests.recorded_exports import AGAIN, WRITE, exported, record, record_path, renewed


def differences(framework: str, label: str, network: Network) -> list[str]:
    """Where the record of a network and convcalc disagree."""
    recorded = record(framework)["networks"].get(label)
    if recorded is None:
        return [f"{label} has not been run: {AGAIN.format(framework)}"]
    now = exported(framework, network)
    if now != {key: recorded[key] for key in ("code", "refused") if key in recorded}:
        return [f"the code of {label} has changed: {AGAIN.format(framework)}"]
    if "refused" in now:
        return []
    totals = analyse(network).to_dict()["totals"]
    outputs = [list(network.nodes[n].shape) for n in dict.fromkeys(output.node for output in network.outputs)]
    expected = {"outputs": outputs, **{name: totals[name] for name in ("params", "buffers", "macs")}}
    return [
        f"{label}: {name} is {value} in {framework}, {expected[name]} here"
        for name, value in recorded.items()
        if name in expected and value != expected[name]
    ]


@pytest.mark.parametrize("name", gallery_names())
def test_torch_has_the_same_shapes_parameters_and_multiplications(name: str) -> None:
    assert differences("torch", name, load(name)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery_names())
def test_torch_agrees_on_every_variant(name: str) -> None:
    for variant in getattr(load(name).origin, "variants", ()):
        assert differences("torch", f"{name}:{variant}", load(name, variant=variant)) == []


UNREAD = {"wavenet": 420224}
"""Parameters of specs with layers that lead to no output, which Keras's models do not hold."""


@pytest.mark.parametrize("name", gallery_names())
@pytest.mark.slow
def test_keras_has_the_same_shapes_and_parameters(name: str) -> None:
    found = differences("keras", name, load(name))
    if name in UNREAD:
        assert [line.partition(" is ")[0] for line in found] == [f"{name}: params"]
        assert record("keras")["networks"][name]["params"] == UNREAD[name]
    else:
        assert found == []


@pytest.mark.parametrize("framework", WRITE)
def test_single_layers_have_the_references_values(framework: str) -> None:
    """The scripts compare values with the reference and write no record where they differ."""
    rows = record(framework)["layers"]
    labels = []
    for label, network in layer_cases():
        labels.append(label)
        assert rows.get(label) == exported(framework, network), AGAIN.format(framework)
    assert set(rows) == set(labels)


def test_what_keras_cannot_say_is_recorded_with_the_reason() -> None:
    refused = {name: row["refused"] for name, row in record("keras")["networks"].items() if "refused" in row}
    assert list(refused) == ["sknet"]
    assert "a stride and a dilation above 1" in refused["sknet"]


def test_a_disagreement_is_found() -> None:
    network = load("lenet5")
    assert differences("torch", "lenet5", load("lenet5", input=[1, 36, 36])) != []
    assert "has changed" in differences("torch", "alexnet", network)[0]
    assert "has not been run" in differences("torch", "nothing", network)[0]


@pytest.mark.slow
@pytest.mark.parametrize("framework", WRITE)
def test_no_run_is_out_of_date(framework: str) -> None:
    assert renewed(framework) == (record_path(framework).read_text("utf-8"), [])
