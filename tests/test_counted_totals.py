"""What PyTorch counts of other implementations, against the gallery: parameters and multiply-accumulates exactly.

Source: timm 1.0.31, torchvision 0.29.1 and modules written from the papers or the authors' code without convcalc, on
the meta device of PyTorch 2.14 with `torch.utils.flop_counter`. The comment of a row says which.
"""

from __future__ import annotations

import pytest

from convcalc import analyse, load

REGNET_X_400MF = {"depths": "[1, 2, 7, 12]", "widths": "[32, 64, 160, 384]", "group_width": 16, "excite": False}
REGNET_Y_8GF = {"depths": "[2, 4, 10, 1]", "widths": "[168, 448, 896, 2016]", "group_width": 56}

COUNTED: tuple[tuple[str, str | None, dict[str, object], int, int | None], ...] = (
    ("convnext", "convnext_xlarge", {}, 350_196_968, None),  # timm convnext_xlarge
    ("enet", None, {}, 364_311, 1_961_033_728),  # a module from the authors' encoder.lua and decoder.lua
    ("hrnet", "hrnet_w18_c", {}, 21_299_004, 4_283_537_072),  # timm hrnet_w18
    ("hrnet", "hrnet_w30_c", {}, 37_712_220, 8_105_781_680),  # timm hrnet_w30
    ("hrnet", "hrnet_w40_c", {}, 57_557_160, 12_691_997_440),  # timm hrnet_w40
    ("hrnet", "pose_w32", {}, 28_536_113, None),  # timm hrnet_w32 without what only the other streams take
    ("hrnet", "pose_w48", {}, 63_595_745, None),  # timm hrnet_w48 in the same way
    ("hrnet", "seg_w40", {}, 45_894_435, None),  # the body of timm hrnet_w40 and the head of the paper
    ("hrnet", "seg_w48", {}, 65_859_379, None),  # the body of timm hrnet_w48 and the head of the paper
    ("i3d", "rgb", {}, 12_697_264, 111_153_143_808),  # a module from the paper
    ("i3d", "flow", {}, 12_675_312, 102_341_435_392),  # the same
    ("lenet5", "original", {}, 60_840, 326_520),  # a module from the paper's Table I
    ("mnasnet", "mnasnet_a1", {}, 3_887_038, 311_579_072),  # timm semnasnet_100
    ("mnasnet", "mnasnet_a1", {"width": 0.75}, 2_912_278, 223_448_480),  # timm semnasnet_075
    ("mnasnet", "mnasnet_small", {}, 2_030_264, 68_339_184),  # timm mnasnet_small
    ("mobilenet_v3", None, {"width": 0.75}, 3_993_528, 154_560_624),  # timm mobilenetv3_large_075
    ("mobilenet_v3", "mobilenet_v3_small", {"width": 0.75}, 2_041_872, 43_399_344),  # timm mobilenetv3_small_075
    ("pggan_discriminator", None, {}, 23_077_137, 42_672_923_136),  # a module from the authors' networks.py
    ("pggan_generator", None, {}, 23_071_507, 42_672_848_896),  # the same
    ("pix2pix_discriminator", "pixel", {}, 9_025, 570_425_344),  # a module from the authors' networks.py
    ("pix2pix_discriminator", "patch_70", {}, 2_768_705, 3_197_140_992),  # the same
    ("pix2pix_discriminator", "image_286", {}, 11_159_361, 2_185_527_296),  # the same
    ("pix2pix_generator", "unet", {}, 54_413_955, 6_048_186_368),  # the same
    ("pix2pix_generator", "encoder_decoder", {}, 39_075_459, 4_034_920_448),  # the same
    ("regnet", None, REGNET_X_400MF, 5_157_512, 397_677_568),  # timm regnetx_004
    ("regnet", None, REGNET_Y_8GF, 39_180_068, 7_963_057_312),  # timm regnety_080
    ("resnet_video", "f_r2d_18", {}, 11_381_712, None),  # torchvision's VideoResNet of Conv3DNoTemporal
    ("resnet_video", "r2plus1d_18_paper", {}, 33_370_839, None),  # torchvision's, a middle for each convolution
    ("srcnn", "srcnn_915", {}, 8_129, 4_872_800),  # a module from the paper
    ("srcnn", "srcnn_955", {}, 57_281, 26_050_400),  # the same
    ("srgan_discriminator", None, {}, 23_565_505, 884_147_200),  # a module from the paper
    ("srgan_generator", None, {}, 1_549_462, 1_277_669_376),  # the same
    ("unet3d", "caffe", {}, 19_069_955, 266_731_018_496),  # a module from the paper
    ("vnet", None, {}, 65_175_314, 502_142_074_880),  # a module from the paper
)
"""Spec, variant, params, parameters, MACs where they were counted."""


@pytest.mark.parametrize(("spec", "variant", "params", "parameters", "macs"), COUNTED)
def test_counted_totals(
    spec: str, variant: str | None, params: dict[str, object], parameters: int, macs: int | None
) -> None:
    totals = analyse(load(spec, variant=variant, params=params)).totals
    assert totals.params == parameters
    assert macs in (None, totals.macs)
