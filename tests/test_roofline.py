"""The roofline: a bound below every measured run, by layers that ride with what feeds them; eager time is no bound."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from convcalc import load, loads
from convcalc.analysis.device import DEVICES, Device, UnknownDevice, least_seconds, least_total, limit, read_device
from convcalc.analysis.fusion import in_passing
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import Report, analyse
from convcalc.analysis.traffic import NOTHING
from convcalc.language import gallery_names

from .command import run
from .published_architectures import network

RECORDED = json.loads((Path(__file__).parent / "oracle" / "roofline.json").read_text("utf-8"))
"""A run of `benchmarks/roofline.py`: onnxruntime on one thread, and what that thread could do."""
RATE = RECORDED["flops"]
CACHES = Device("caches", RATE, max(RECORDED["bandwidths"].values()))
MEMORY = Device("memory", RATE, RECORDED["bandwidths"][str(2**27)])
OPTIONS = {name: {"name": "resnet", "variant": name} for name in ("resnet18", "resnet50")}
OPTIONS["vgg11"] = {"name": "vgg", "variant": "vgg11"}


def recorded(name: str) -> Report:
    options = dict(OPTIONS.get(name, {"name": name}))
    return analyse(load(options.pop("name"), **options))


@pytest.mark.parametrize("device", [CACHES, MEMORY], ids=lambda device: device.name)
@pytest.mark.parametrize("name", RECORDED["seconds"])
def test_no_measured_run_is_below_the_bound(name: str, device: Device) -> None:
    bound = least_total(recorded(name).fused, device)
    assert bound <= RECORDED["seconds"][name] <= 3 * bound


@pytest.mark.parametrize("name", ["densenet", "mobilenet_v2", "resnet18", "resnet50", "squeezenet"])
def test_a_trip_of_every_layer_is_no_bound(name: str) -> None:
    assert RECORDED["seconds"][name] < least_total(recorded(name).eager, MEMORY)


def test_bytes_moved_read_and_write_each_tensor_once() -> None:
    net = network("{convcalc: 1, input: [2, 4], layers: [{conv1d: {out: 3, k: 1}}, flatten, dropout, relu]}")
    report = analyse(net, 2)
    assert report.moved == [0, ((8 + 12) * 2 + 9) * 4, 0, 0, (12 + 12) * 2 * 4]
    intensity = QUANTITIES["intensity"].get(report, report.layers[3])
    assert getattr(intensity, "raw", None) == Fraction(24, 192)


def test_statistics_are_read_beside_params() -> None:
    """Two channels of four numbers, read and written; weight, bias, mean and variance of each, and a counter."""
    report = analyse(network("{convcalc: 1, input: [2, 4], layers: [batch_norm]}"), 3)
    assert report.moved == [0, (3 * (8 + 8) + 4 * 2 + 1) * 4]


def test_a_tensor_that_gives_a_size_alone_is_not_read() -> None:
    text = "{convcalc: 1, input: {x: [2, 4], like: [5, 8]}, layers: [{upsample: {}, from: [x, like]}]}"
    assert analyse(network(text)).moved[-1] == (2 * 4 + 2 * 8) * 4


def test_what_the_network_holds_is_none_of_what_passes() -> None:
    """Two sums of equal shapes, one of which adds a tensor that is held: 4 numbers in place of 8 are read."""
    layers = "[relu, {parameter: {shape: [4]}, name: held}, {add: , from: [relu, input]}, {add: , from: [relu, held]}]"
    report = analyse(network(f"{{convcalc: 1, input: [4], layers: {layers}}}"))
    assert report.moved[-2:] == [(4 + 4 + 4) * 4, (4 + 4) * 4]


def test_weights_that_several_have_are_read_by_each() -> None:
    layers = "[{conv1d: {out: 2, k: 1}, name: a}, {conv1d: {out: 2, k: 1}, name: b, share: a}]"
    report = analyse(network(f"{{convcalc: 1, input: [2, 4], layers: {layers}}}"))
    assert report.moved[1:] == [(8 + 8 + 6) * 4] * 2


@pytest.mark.parametrize(
    "text", ["", "tpu9", "10TFLOP/s", "10TFLOP/s,5GFLOP/s", "0FLOP/s,1B/s", "1XB/s,1FLOP/s", "1B/s,1FLOP/s,"]
)
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(UnknownDevice):
        read_device(text)


def of(report: Report, name: str) -> object:
    return QUANTITIES[name].get(report, report.whole)


def work(layers: str, outputs: str = "") -> dict[str, tuple[int, int]]:
    """(FLOPs, elements that pass) of each layer that does something, for an input of 4×8×8 = 256 numbers."""
    net = loads(f"{{convcalc: 1, input: [4, 8, 8], layers: [{layers}]{outputs}}}")
    report = analyse(net, dtype="int8")
    return {node.name: tuple(found) for node, found in zip(net.nodes, report.fused, strict=True) if found != NOTHING}


CONV = "{conv2d: {out: 2, k: 1, bias: false}, name: c}"
"""8 weights, 512 MACs, 128 numbers put out."""


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (CONV, {"c": (1024, 256 + 8 + 128)}),
        (f"{CONV}, batch_norm, dropout, relu", {"c": (1024, 256 + 8 + 128)}),
        ("tanh", {"tanh": (0, 256 + 256)}),
        (f"batch_norm, tanh, {CONV}", {"c": (1024, 392)}),
        (f"{{concat: {{}}, from: [input, input], name: j}}, batch_norm, relu, {CONV}", {"c": (2048, 512 + 16 + 128)}),
        (f"{CONV}, {{max_pool2d: {{k: 2}}, name: p}}, relu", {"c": (1024, 392), "p": (0, 128 + 32)}),
        (f"{CONV}, {{add: {{}}, from: [c, c]}}", {"c": (1024, 392)}),
        (f"{CONV}, flatten, tanh", {"c": (1024, 392)}),
        (f"{CONV}, {{pad: {{p: 1}}}}, {{max_pool2d: {{k: 2}}, name: p}}", {"c": (1024, 392), "p": (0, 128 + 50)}),
        (f"{CONV}, {{upsample: {{scale_factor: 2}}}}, relu", {"c": (1024, 392)}),
        ("{conv2d: {out: 1, k: 1, s: 2, bias: false}, name: c}", {"c": (128, 64 + 4 + 16)}),
        ("{conv2d: {out: 1, k: 2, s: 4, d: 2, bias: false}, name: c}", {"c": (128, 4 * 4 * 4 + 16 + 4)}),
        ("{linear: {out: 3, dim: last}, name: l}", {"l": (2 * 3 * 256, 256 + 27 + 96)}),
    ],
)
def test_what_passes_at_least(layers: str, found: dict[str, tuple[int, int]]) -> None:
    assert work(layers) == found


def test_what_others_need_is_written_too() -> None:
    pools = "{max_pool2d: {k: 2}, from: c, name: p}, {max_pool2d: {k: 2}, from: t, name: q}"
    assert work(f"{CONV}, {{tanh: {{}}, name: t}}, {pools}")["c"] == (1024, 256 + 8 + 128 + 128)
    assert work(f"{CONV}, {{tanh: {{}}, name: t}}", ", outputs: [c, t]")["c"] == (1024, 256 + 8 + 128 + 128)


def test_a_sum_rides_with_the_later_branch_and_reads_the_other() -> None:
    found = work(
        "{conv2d: {out: 4, k: 1, bias: false}, name: a}, {conv2d: {out: 4, k: 1, bias: false}, name: b}, relu, "
        "{add: {}, from: [relu, a]}"
    )
    assert found == {"a": (2048, 256 + 16 + 256), "b": (2048, 256 + 16 + 256)}, "a is read once by b, and written once"


def test_a_tensor_and_a_view_of_it_are_read_once() -> None:
    layers = "{conv2d: {out: 4, k: 1, bias: false}, name: a}, {identity: {}, name: view}, "
    found = work(layers + "{conv2d: {out: 4, k: 1, bias: false}, from: input, name: b}, {add: {}, from: [a, view, b]}")
    assert found == {"a": (2048, 256 + 16 + 256), "b": (2048, 256 + 16 + 256 + 256)}


def test_tensors_side_by_side_move_nothing_and_a_part_is_read_as_a_part() -> None:
    found = work(
        f"{CONV}, {{conv2d: {{out: 6, k: 1, bias: false}}, from: input, name: d}}, "
        "{concat: {}, from: [c, d], name: j}, "
        "{split: {channels: [3, 5]}, name: s}, {global_avg_pool: {}, from: s.0, name: p}"
    )
    assert found == {"c": (1024, 392), "d": (3072, 256 + 24 + 384), "p": (0, 3 * 64 + 3)}


def test_a_batch_multiplies_all_but_the_weights() -> None:
    net = loads(f"{{convcalc: 1, input: [4, 8, 8], layers: [{CONV}, relu]}}")
    assert analyse(net, 3).fused[1] == (3 * 1024, (3 * 384 + 8) * 4)


@pytest.mark.parametrize("name", gallery_names())
def test_the_least_is_no_more_than_what_every_layer_does_alone(name: str) -> None:
    """Of each spec of the gallery: in all, and of each product and pool with what rides with it."""
    report = analyse(load(name))
    heads = in_passing(report.network).heads
    alone: dict[int, int] = {}
    for index, head in enumerate(heads):
        alone[head] = alone.get(head, 0) + report.moved[index]
    assert sum(found.flops for found in report.fused) == 2 * report.totals.macs
    assert all(found.bytes <= alone[head] for head, found in enumerate(report.fused) if found != NOTHING)
    assert sum(report.moved) >= sum(found.bytes for found in report.fused) > 0


def test_the_roofline_is_the_larger_of_two_times() -> None:
    chip = read_device("10TFLOP/s,400GB/s")
    assert (chip.flops, chip.bandwidth) == (10**13, 4 * 10**11)
    report = analyse(load("googlenet"), device=chip)
    for name, all_work in (("time", report.fused), ("eager_time", report.eager)):
        total = sum(least_seconds(found.flops, found.bytes, 10**13, 4 * 10**11) for found in all_work)
        assert of(report, name) == int(total * 10**9)
    assert limit(100, 1, chip) == "compute" and limit(1, 100, chip) == "memory"
    assert all(device.source for device in DEVICES.values())


def test_what_rides_takes_no_time_and_has_no_limit() -> None:
    report = analyse(load("mobilenet_v2"), device=DEVICES["v100"])
    conv, norm, clip = report.layers[:3]
    values = [[QUANTITIES[name].get(report, row) for name in ("time", "bound")] for row in (conv, norm, clip)]
    assert values[0][1] in ("memory", "compute") and values[1:] == [[0, None], [0, None]]
    eager = QUANTITIES["eager_time"].get(report, norm)
    assert isinstance(eager, int) and eager > 0
    assert of(report, "fused_bytes") == sum(found.bytes for found in report.fused)


def test_the_table_says_which_is_the_bound() -> None:
    shown = run("table", "mobilenet_v2", "--columns", "name,time,eager_time", "--device", "v100", "--legend")
    said = " ".join(shown.stdout.split())
    assert "layers fused: a bound, not an estimate" in said and "an estimate of eager execution, no bound" in said
