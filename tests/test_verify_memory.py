"""The estimate of memory is an upper bound of the measured peak, and not a wild one."""

from __future__ import annotations

import tracemalloc

import pytest

from convcalc import load, loads
from convcalc.network import Network
from convcalc.verify import footprint
from convcalc.verify.confirm import verify
from convcalc.verify.footprint import FIXED, free_bytes, needed_bytes
from tests.layer_samples import SAMPLES, Sample


def peak_bytes(network: Network, dtype: str, backward: bool) -> int:
    """The most that was allocated at once."""
    tracemalloc.start(1)
    try:
        verify(network, dtype=dtype, backward=backward)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "dtype", "backward", "within"),
    [
        ("googlenet", None, "float32", False, 3),
        ("googlenet", None, "float16", False, 3),
        ("squeezenet", (3, 96, 96), "float64", True, 3),
        ("resnet", (3, 64, 64), "float32", True, 3),
        ("mobilenet_v2", (3, 96, 96), "float16", True, 3),
        ("convnext", (3, 32, 32), "float32", False, 4),
        ("deeplabv3", (3, 16, 16), "float32", False, 4),
        ("dcgan_generator", None, "float32", True, 4),
    ],
)
def test_measured_peaks(name: str, size: tuple[int, ...] | None, dtype: str, backward: bool, within: int) -> None:
    network = load(name, input=size)
    verify(loads("{convcalc: 1, input: [3, 9, 9], layers: [{conv2d: {out: 3, k: 3}}]}"), backward=True)
    peak = peak_bytes(network, dtype, backward)
    assert peak <= needed_bytes(network, 1, dtype, backward) <= within * peak + FIXED


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_kind_stays_below(sample: Sample) -> None:
    network = sample.network()
    for dtype in ("float16", "float64"):
        for backward in (False, True):
            assert peak_bytes(network, dtype, backward) <= needed_bytes(network, 1, dtype, backward)


WIDE = {
    "conv2d": "{conv2d: {out: 16, k: 3, p: 1}}",
    "conv_transpose2d": "{conv_transpose2d: {out: 16, k: 4, s: 2, p: 1}}",
    "mish": "mish",
    "hardswish": "hardswish",
    "softmax": "softmax",
    "prelu": "prelu",
    "batch_norm": "batch_norm",
    "layer_norm": "{layer_norm: {dim: 0}}",
    "local_response_norm": "{local_response_norm: {size: 5}}",
    "max_pool2d": "{max_pool2d: {k: 3, s: 2, p: 1}}",
    "avg_pool2d": "{avg_pool2d: {k: 3, s: 1, p: 1}}",
    "lp_pool2d": "{lp_pool2d: {k: 3, norm_type: 2}}",
    "adaptive_avg_pool2d": "{adaptive_avg_pool2d: {output_size: 7}}",
    "upsample": "{upsample: {scale_factor: 2, mode: bilinear}}",
    "bicubic": "{upsample: {scale_factor: 2, mode: bicubic}}",
    "unfold": "{unfold: {k: 3, p: 1}}",
    "fold": "{unfold: {k: 3, p: 1}}, {fold: {output_size: 200, k: 3, p: 1}}",
    "pad": "{pad: {padding: 3, mode: reflect}}",
    "channel_shuffle": "{channel_shuffle: {groups: 4}}",
    "pixel_shuffle": "{pixel_shuffle: {upscale_factor: 2}}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_layers_on_large_arrays_stay_below(name: str) -> None:
    """Large enough that the fixed part of the estimate hides nothing."""
    network = loads(f"{{convcalc: 1, input: [16, 200, 200], layers: [{WIDE[name]}]}}")
    for dtype, backward in (("float16", False), ("float32", False), ("float64", False), ("float32", True)):
        assert peak_bytes(network, dtype, backward) <= needed_bytes(network, 1, dtype, backward), (dtype, backward)


@pytest.mark.slow
def test_gelu_stays_below() -> None:
    """The reference's error function goes through Python's numbers, which take more than arrays."""
    network = loads("{convcalc: 1, input: [16, 150, 150], layers: [gelu]}")
    assert peak_bytes(network, "float32", True) <= needed_bytes(network, 1, "float32", True)


def test_without_backward_the_depth_does_not_count() -> None:
    """Of a chain, only what one layer needs is alive at a time."""
    chains = [
        loads(f"{{convcalc: 1, input: [16, 64, 64], layers: [{{repeat: {n}, conv2d: {{out: 16, k: 3, p: 1}}}}]}}")
        for n in (4, 40)
    ]
    short, long = (needed_bytes(chain, 1, "float32") for chain in chains)
    assert short == long
    short, long = (needed_bytes(chain, 1, "float32", backward=True) for chain in chains)
    assert long > short


def test_batch_and_type_multiply() -> None:
    network = loads("{convcalc: 1, input: [16, 64, 64], layers: [relu]}")
    one = needed_bytes(network, 1, "float32") - FIXED
    assert needed_bytes(network, 5, "float32") - FIXED == 5 * one
    assert needed_bytes(network, 1, "float64") - FIXED == 2 * one


def test_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_bytes() > 0
    monkeypatch.setattr(footprint, "_available", lambda: 8 << 30)
    monkeypatch.setattr(footprint, "_group_rest", lambda: 2 << 30)
    assert footprint.free_bytes() == 2 << 30
    assert footprint.default_limit() == 1 << 30
    monkeypatch.setattr(footprint, "_available", lambda: None)
    monkeypatch.setattr(footprint, "_group_rest", lambda: None)
    assert footprint.free_bytes() == footprint.UNKNOWN_FREE
    monkeypatch.setattr(footprint, "_group_rest", lambda: -5)
    assert footprint.free_bytes() == 0
