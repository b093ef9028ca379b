"""What PyTorch counts of other implementations, against the gallery: parameters and multiply-accumulates exactly.

Source: timm 1.0.31, torchvision 0.29.1 and modules written from the papers, on the meta device of PyTorch 2.14 with
`torch.utils.flop_counter`; the comment of a row says which.
"""

from __future__ import annotations

import pytest

from convcalc import analyse, load

COUNTED: tuple[tuple[str, str | None, dict[str, object], int, int | None], ...] = (
    ("convnext", "convnext_xlarge", {}, 350_196_968, None),  # timm convnext_xlarge
    ("mnasnet", "mnasnet_a1", {}, 3_887_038, 311_579_072),  # timm semnasnet_100
    ("mnasnet", "mnasnet_a1", {"width": 0.75}, 2_912_278, 223_448_480),  # timm semnasnet_075
    ("mnasnet", "mnasnet_small", {}, 2_030_264, 68_339_184),  # timm mnasnet_small
    ("mobilenet_v3", None, {"width": 0.75}, 3_993_528, 154_560_624),  # timm mobilenetv3_large_075
    ("mobilenet_v3", "mobilenet_v3_small", {"width": 0.75}, 2_041_872, 43_399_344),  # timm mobilenetv3_small_075
    ("resnet_video", "f_r2d_18", {}, 11_381_712, None),  # torchvision's VideoResNet of Conv3DNoTemporal
    ("resnet_video", "r2plus1d_18_paper", {}, 33_370_839, None),  # torchvision's with a middle for each convolution
)
"""Spec, variant, params, parameters, MACs where they were counted."""


@pytest.mark.parametrize(("spec", "variant", "params", "parameters", "macs"), COUNTED)
def test_counted_totals(
    spec: str, variant: str | None, params: dict[str, object], parameters: int, macs: int | None
) -> None:
    totals = analyse(load(spec, variant=variant, params=params)).totals
    assert totals.params == parameters
    assert macs in (None, totals.macs)
