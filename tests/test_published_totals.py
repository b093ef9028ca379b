"""What torchvision publishes of its models, against the gallery: parameters exactly, MACs to the printed digits.

Source: torchvision 0.29, the metadata of the pretrained weights (`num_params` and `_ops`, in units of 10^9
multiply-accumulates of convolutions and linear layers, rounded to three decimals) and the input that they are
evaluated at.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcalc import analyse, load
from tests.gallery_variants import spec_of

PUBLISHED: tuple[tuple[str, int, str, tuple[int, ...]], ...] = (
    ("alexnet", 61_100_840, "0.714", (3, 224, 224)),
    ("convnext_base", 88_591_464, "15.355", (3, 224, 224)),
    ("convnext_large", 197_767_336, "34.361", (3, 224, 224)),
    ("convnext_small", 50_223_688, "8.684", (3, 224, 224)),
    ("convnext_tiny", 28_589_128, "4.456", (3, 224, 224)),
    ("densenet121", 7_978_856, "2.834", (3, 224, 224)),
    ("densenet161", 28_681_000, "7.728", (3, 224, 224)),
    ("densenet169", 14_149_480, "3.360", (3, 224, 224)),
    ("densenet201", 20_013_928, "4.291", (3, 224, 224)),
    ("efficientnet_b0", 5_288_548, "0.386", (3, 224, 224)),
    ("efficientnet_b1", 7_794_184, "0.687", (3, 240, 240)),
    ("efficientnet_b2", 9_109_994, "1.088", (3, 288, 288)),
    ("efficientnet_b3", 12_233_232, "1.827", (3, 300, 300)),
    ("efficientnet_b4", 19_341_616, "4.394", (3, 380, 380)),
    ("efficientnet_b5", 30_389_784, "10.266", (3, 456, 456)),
    ("efficientnet_b6", 43_040_704, "19.068", (3, 528, 528)),
    ("efficientnet_b7", 66_347_960, "37.746", (3, 600, 600)),
    ("efficientnet_v2_l", 118_515_272, "56.080", (3, 480, 480)),
    ("efficientnet_v2_m", 54_139_356, "24.582", (3, 480, 480)),
    ("efficientnet_v2_s", 21_458_488, "8.366", (3, 384, 384)),
    ("googlenet", 6_624_904, "1.498", (3, 224, 224)),
    ("inception_v3", 27_161_264, "5.713", (3, 299, 299)),
    ("mnasnet0_5", 2_218_512, "0.104", (3, 224, 224)),
    ("mnasnet0_75", 3_170_208, "0.215", (3, 224, 224)),
    ("mnasnet1_0", 4_383_312, "0.314", (3, 224, 224)),
    ("mnasnet1_3", 6_282_256, "0.526", (3, 224, 224)),
    ("mobilenet_v2", 3_504_872, "0.301", (3, 224, 224)),
    ("mobilenet_v3_large", 5_483_032, "0.217", (3, 224, 224)),
    ("mobilenet_v3_small", 2_542_856, "0.057", (3, 224, 224)),
    ("regnet_x_16gf", 54_278_536, "15.941", (3, 224, 224)),
    ("regnet_x_1_6gf", 9_190_136, "1.603", (3, 224, 224)),
    ("regnet_x_32gf", 107_811_560, "31.736", (3, 224, 224)),
    ("regnet_x_3_2gf", 15_296_552, "3.177", (3, 224, 224)),
    ("regnet_x_400mf", 5_495_976, "0.414", (3, 224, 224)),
    ("regnet_x_800mf", 7_259_656, "0.800", (3, 224, 224)),
    ("regnet_x_8gf", 39_572_648, "7.995", (3, 224, 224)),
    ("regnet_y_128gf", 644_812_894, "374.570", (3, 384, 384)),
    ("regnet_y_128gf", 644_812_894, "127.518", (3, 224, 224)),
    ("regnet_y_16gf", 83_590_140, "15.912", (3, 224, 224)),
    ("regnet_y_16gf", 83_590_140, "46.735", (3, 384, 384)),
    ("regnet_y_1_6gf", 11_202_430, "1.612", (3, 224, 224)),
    ("regnet_y_32gf", 145_046_770, "32.280", (3, 224, 224)),
    ("regnet_y_32gf", 145_046_770, "94.826", (3, 384, 384)),
    ("regnet_y_3_2gf", 19_436_338, "3.176", (3, 224, 224)),
    ("regnet_y_400mf", 4_344_144, "0.402", (3, 224, 224)),
    ("regnet_y_800mf", 6_432_512, "0.834", (3, 224, 224)),
    ("regnet_y_8gf", 39_381_472, "8.473", (3, 224, 224)),
    ("resnet101", 44_549_160, "7.801", (3, 224, 224)),
    ("resnet152", 60_192_808, "11.514", (3, 224, 224)),
    ("resnet18", 11_689_512, "1.814", (3, 224, 224)),
    ("resnet34", 21_797_672, "3.664", (3, 224, 224)),
    ("resnet50", 25_557_032, "4.089", (3, 224, 224)),
    ("resnext101_32x8d", 88_791_336, "16.414", (3, 224, 224)),
    ("resnext101_64x4d", 83_455_272, "15.460", (3, 224, 224)),
    ("resnext50_32x4d", 25_028_904, "4.230", (3, 224, 224)),
    ("shufflenet_v2_x0_5", 1_366_792, "0.040", (3, 224, 224)),
    ("shufflenet_v2_x1_0", 2_278_604, "0.145", (3, 224, 224)),
    ("shufflenet_v2_x1_5", 3_503_624, "0.296", (3, 224, 224)),
    ("shufflenet_v2_x2_0", 7_393_996, "0.583", (3, 224, 224)),
    ("squeezenet1_0", 1_248_424, "0.819", (3, 224, 224)),
    ("squeezenet1_1", 1_235_496, "0.349", (3, 224, 224)),
    ("vgg11", 132_863_336, "7.609", (3, 224, 224)),
    ("vgg11_bn", 132_868_840, "7.609", (3, 224, 224)),
    ("vgg13", 133_047_848, "11.308", (3, 224, 224)),
    ("vgg13_bn", 133_053_736, "11.308", (3, 224, 224)),
    ("vgg16", 138_357_544, "15.470", (3, 224, 224)),
    ("vgg16_bn", 138_365_992, "15.470", (3, 224, 224)),
    ("vgg19", 143_667_240, "19.632", (3, 224, 224)),
    ("vgg19_bn", 143_678_248, "19.632", (3, 224, 224)),
    ("wide_resnet101_2", 126_886_696, "22.753", (3, 224, 224)),
    ("wide_resnet50_2", 68_883_240, "11.398", (3, 224, 224)),
    ("deeplabv3_resnet101", 60_996_202, "258.743", (3, 520, 520)),
    ("deeplabv3_resnet50", 42_004_074, "178.722", (3, 520, 520)),
    ("fcn_resnet101", 54_314_346, "232.738", (3, 520, 520)),
    ("fcn_resnet50", 35_322_218, "152.717", (3, 520, 520)),
    ("mc3_18", 11_695_440, "43.343", (3, 16, 112, 112)),
    ("r2plus1d_18", 31_505_325, "40.519", (3, 16, 112, 112)),
    ("r3d_18", 33_371_472, "40.697", (3, 16, 112, 112)),
    ("s3d", 8_320_048, "17.979", (3, 16, 224, 224)),
)
"""Model, parameters, 10^9 MACs, input."""

AUXILIARY = {"fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"}
"""Models whose published figures include the auxiliary head."""


@pytest.mark.parametrize(("model", "params", "gmacs", "shape"), PUBLISHED)
def test_published_totals(model: str, params: int, gmacs: str, shape: tuple[int, ...]) -> None:
    spec, variant = spec_of(model)
    given = {"aux": True} if model in AUXILIARY else {}
    totals = analyse(load(spec, variant=variant, params=given, input=shape)).totals
    if model == "inception_v3":
        # The parameters are those of the network with the auxiliary classifier, the MACs those without it.
        assert analyse(load(spec, variant=variant, params={"aux": True})).totals.params == params
    else:
        assert totals.params == params
    assert abs(Fraction(totals.macs, 10**9) - Fraction(gmacs)) <= Fraction(1, 2000)
