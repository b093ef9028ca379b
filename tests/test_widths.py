"""Other widths of single layers: what follows from them does, everything else stays."""

from __future__ import annotations

import pytest

from convcalc import analyse, load, loads
from convcalc.analysis.widths import Widths
from convcalc.findings import SpecError, UsageError

SPEC = """
convcalc: 1
name: net
params: {{a: {a}, b: {b}, fc: {fc}}}
input: [3, 16, 16]
layers:
  - {{layers: [{{conv2d: {{out: a, k: 3, bias: false}}}}, batch_norm, relu], name: first}}
  - {{conv2d: {{out: in_channels * 2, k: 3, g: in_channels}}, name: depthwise}}
  - {{separable_conv2d: {{out: b, k: 3}}, name: separable}}
  - {{concat: {{branches: {{left: [{{conv2d: {{out: 4, k: 1}}}}], right: []}}}}, name: join}}
  - global_avg_pool
  - flatten
  - {{linear: {{out: fc}}, name: fc}}
"""


def net(a: int = 4, b: int = 6, fc: int = 10) -> str:
    return SPEC.format(a=a, b=b, fc=fc)


@pytest.mark.parametrize(
    ("widths", "same"),
    [
        ({}, net()),
        ({"first": 7}, net(a=7)),
        ({"first.conv2d": 7}, net(a=7)),
        ({"separable": 9, "fc": 3}, net(b=9, fc=3)),
        ({"first": 1, "separable": 1, "fc": 1}, net(a=1, b=1, fc=1)),
    ],
)
def test_it_is_the_network_that_the_spec_gives_with_these_numbers(widths: dict[str, int], same: str) -> None:
    changed, expected = Widths(loads(net())).changed(widths), loads(same)
    assert [node.shape for node in changed.nodes] == [node.shape for node in expected.nodes]
    assert analyse(changed).totals == analyse(expected).totals


def test_networks_are_made_again_and_again() -> None:
    widths = Widths(loads(net()))
    totals = [analyse(widths.changed({"first": width})).totals.params for width in range(1, 9)]
    assert totals == [analyse(loads(net(a=width))).totals.params for width in range(1, 9)]
    assert analyse(widths.network).totals == analyse(loads(net())).totals


def test_mobilenets_expansion_takes_its_depthwise_convolution_along() -> None:
    network = Widths(load("mobilenet_v2")).changed({"bottleneck3.0.body.expand": 100})
    depthwise = network["bottleneck3.0.body.depthwise"]
    assert depthwise.shape[0] == 100 and network["bottleneck3.0"].shape == load("mobilenet_v2")["bottleneck3.0"].shape


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("frist", "there is no layer 'frist' in net"),
        ("first.relu", "'first.relu' has no width of its own"),
        ("global_avg_pool", "'global_avg_pool' has no width of its own"),
        ("input", "'input' has no width of its own"),
    ],
)
def test_a_path_that_has_no_width(path: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Widths(loads(net())).changed({path: 3})
    assert caught.value.message == message and caught.value.hint


def test_a_group_of_several_widths_names_them() -> None:
    with pytest.raises(UsageError, match="'inception_3a' has 6 layers") as caught:
        Widths(load("googlenet")).layer("inception_3a")
    assert caught.value.hint is not None and caught.value.hint.endswith("3x3.conv.conv2d, ...") is False
    assert caught.value.hint.startswith("name one: inception_3a.1x1.conv_relu.conv2d, ")


@pytest.mark.parametrize("width", [3, 2**62])
def test_widths_that_do_not_fit(width: int) -> None:
    """A residual joins equal shapes; a tensor has its limit."""
    with pytest.raises(SpecError) as caught:
        Widths(load("resnet")).changed({"conv2_x.0.body.bottleneck.conv3": width})
    assert caught.value.findings[0].code in ("CC203", "CC212")


def test_groups_that_do_not_divide_a_width() -> None:
    network = loads("{convcalc: 1, input: [4, 8, 8], layers: [{conv2d: {out: 8, k: 3, g: 2}, name: c}]}")
    assert Widths(network).changed({"c": 6})["c"].shape == (6, 6, 6)
    with pytest.raises((SpecError, UsageError)):
        Widths(network).changed({"c": 5})
