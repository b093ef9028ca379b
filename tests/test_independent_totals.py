"""The gallery against implementations that others wrote: parameters and multiply-accumulates, exactly.

Recorded with PyTorch 2.14 on the meta device: what modules hold, and the products of convolutions and linear layers.
"""

from __future__ import annotations

import pytest

from convcalc import analyse, load

TIMM = (
    ("repvgg", "repvgg_a0", 9_108_968, 1_512_581_120),
    ("repvgg", "repvgg_a1", 14_092_264, 2_626_488_320),
    ("repvgg", "repvgg_a2", 28_210_600, 5_685_345_280),
    ("repvgg", "repvgg_b0", 15_817_960, 3_397_191_680),
    ("repvgg", "repvgg_b1", 57_415_016, 13_128_089_600),
    ("repvgg", "repvgg_b1g4", 39_966_056, 8_118_517_760),
    ("repvgg", "repvgg_b2", 89_022_376, 20_418_170_880),
    ("repvgg", "repvgg_b2g4", 61_758_376, 12_590_714_880),
    ("repvgg", "repvgg_b3", 123_085_288, 29_120_696_320),
    ("repvgg", "repvgg_b3g4", 83_825_128, 17_849_159_680),
    ("ghostnet", "ghostnet_050", 2_587_292, 42_328_152),
    ("ghostnet", "ghostnet_100", 5_182_508, 141_150_512),
    ("ghostnet", "ghostnet_130", 7_358_820, 227_003_256),
    ("darknet", "darknet53", 41_609_928, 9_285_115_904),
    ("inception_v4", None, 42_679_816, 12_253_974_624),
    ("inception_resnet", "inception_resnet_v2_released", 55_843_464, 13_155_794_016),
    ("nasnet", "nasnet_large", 88_753_150, 23_783_414_658),
    ("sknet", "sknet50", 27_479_784, 4_462_710_784),
)
"""timm 1.0.31, at the inputs of the specs: repvgg_*, ghostnet_*, darknet53, ..., nasnetalarge, skresnext50_32x4d."""

PYTORCHCV = (
    ("wide_resnet", "wrn_16_10", 17_116_634, 2_412_173_568),
    ("wide_resnet", "wrn_28_10", 36_479_194, 5_243_328_768),
    ("wide_resnet", "wrn_40_8", 35_748_314, 5_172_024_320),
    ("zfnet", None, 62_357_608, 1_168_032_896),
    ("zfnet", "zfnet_wide", 107_627_624, 2_476_704_896),
    ("darknet", "darknet19", 20_842_376, 2_790_989_824),
    ("sknet", "sknet101", 48_736_040, 8_448_724_992),
)
"""pytorchcv 0.0.74: wrn*_cifar10, zfnet, zfnetb, darknet19, sknet101."""


@pytest.mark.parametrize(("spec", "variant", "params", "macs"), TIMM + PYTORCHCV)
def test_another_implementation_has_the_same_totals(spec: str, variant: str | None, params: int, macs: int) -> None:
    totals = analyse(load(spec, variant=variant)).totals
    assert (totals.params, totals.macs) == (params, macs)


PARAMS = (
    ("nasnet", "nasnet_mobile", 5_289_978, 36_738),
    ("nasnet", "nasnet_large", 88_753_150, 196_668),
)
"""Keras 3.15.1, NASNetMobile and NASNetLarge: trainable and other weights."""


@pytest.mark.parametrize(("spec", "variant", "params", "buffers"), PARAMS)
def test_keras_has_the_same_weights(spec: str, variant: str, params: int, buffers: int) -> None:
    """But for PyTorch's counter of batches, one a norm, which is a buffer too."""
    network = load(spec, variant=variant)
    totals = analyse(network).totals
    norms = sum(node.layer is not None and node.layer.kind == "batch_norm" for node in network.nodes)
    assert (totals.params, totals.buffers) == (params, buffers + norms)


LAYERS = (
    ("all_cnn", "model_a", 839_242),
    ("all_cnn", "model_b", 885_610),
    ("all_cnn", "model_c", 954_730),
    ("all_cnn", "all_cnn_b", 1_300_618),
    ("all_cnn", "all_cnn_c", 1_369_738),
    ("overfeat", "overfeat_fast", 145_920_872),
    ("overfeat", "overfeat_accurate", 144_656_488),
    ("inception_resnet", "inception_resnet_v2", 32_433_928),
)
"""The layers of the papers' tables and figures, written out one by one in PyTorch."""


@pytest.mark.parametrize(("spec", "variant", "params"), LAYERS)
def test_the_layers_written_out_have_the_same_parameters(spec: str, variant: str, params: int) -> None:
    assert analyse(load(spec, variant=variant)).totals.params == params


def test_inception_resnet_v1_is_pytorchcvs_without_its_last_unit_and_its_head() -> None:
    report = analyse(load("inception_resnet", variant="inception_resnet_v1"))
    assert report.totals.params - (1792 + 1) * 1000 == 20_963_328
