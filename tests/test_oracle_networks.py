"""The gallery against PyTorch: every step of every recorded network, its shape, parameters, MACs and wiring."""

from __future__ import annotations

from typing import Any

import pytest

from convcalc import analyse, load
from convcalc.network import Network
from tests.gallery_variants import spec_of
from tests.network_steps import Step, Steps, differences, steps_of
from tests.recorded_torch_networks import records, steps_of_record

SPECS: dict[str, tuple[str, str | None, dict[str, object]]] = {
    "alexnet_2012": ("alexnet", None, {}),
    "conv_autoencoder_28": ("conv_autoencoder", None, {}),
    "context_basic_64": ("context_module", "basic", {}),
    "dcgan_discriminator_64": ("dcgan_discriminator", None, {}),
    "dcgan_generator_64": ("dcgan_generator", None, {}),
    "espcn_x3": ("espcn", None, {}),
    "googlenet_aux_train": ("googlenet", "torchvision", {"aux": True}),
    "mobilenet_v1_224": ("mobilenet_v1", None, {}),
    "unet_572": ("unet", None, {}),
    "unet_pad_256": ("unet", "padded", {}),
    "wavenet_2x10": ("wavenet", None, {}),
}
"""Records that are not called like a model: spec, variant, params."""

RECORDS = {record["name"]: record for record in records()}


def network_of(record: dict[str, Any]) -> Network:
    """The gallery's network of a record, on the record's input."""
    name = record["name"]
    spec, variant, params = SPECS.get(name) or (*spec_of(name), {})
    return load(spec, variant=variant, params=params, input=record["inputs"][0][1:])


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_step_agrees(name: str) -> None:
    record = RECORDS[name]
    network = network_of(record)
    assert differences(steps_of(network), steps_of_record(record)) == []
    totals = analyse(network).totals
    assert {key: getattr(totals, key) for key in record["totals"]} == record["totals"]


def test_every_leaf_module_is_a_step() -> None:
    """Nothing that holds parameters or does work is lost in translation."""
    for record in RECORDS.values():
        translated = steps_of_record(record).steps
        leaves = [call for call in record["steps"] if "params" in call]
        assert sum(step.macs for step in translated) == sum(call.get("macs", 0) for call in leaves)
        assert len(translated) >= len(leaves)


SMALL = Steps(
    [
        Step("a", "relu", {}, (-1,), (4, 8, 8)),
        Step("b", "conv2d", {"bias": True}, (0,), (4, 8, 8), 40, 2560),
        Step("c", "add", {}, (1, 0), (4, 8, 8)),
        Step("d", "tanh", {}, (2,), (4, 8, 8)),
    ],
    [3],
)


@pytest.mark.parametrize(
    "change",
    [
        {1: {"kind": "conv1d"}},
        {1: {"fields": {"bias": False}}},
        {1: {"output_shape": (4, 8, 7)}},
        {1: {"params": 41}},
        {1: {"macs": 2561}},
        {2: {"inputs": (0, 0)}},
        {2: {"kind": "multiply"}},
        {3: {"inputs": (1,)}},
    ],
)
def test_a_difference_is_found(change: dict[int, dict[str, Any]]) -> None:
    steps = [step._replace(**change.get(i, {})) for i, step in enumerate(SMALL.steps)]
    assert differences(Steps(steps, [3]), SMALL) != []
    assert differences(SMALL, SMALL) == []


def test_other_outputs_and_other_lengths_are_found() -> None:
    assert differences(SMALL._replace(outputs=[1]), SMALL) != []
    assert differences(Steps(SMALL.steps[:3], [2]), SMALL) != []
