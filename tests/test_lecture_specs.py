"""The specs that the lecture's page compares, against counts by hand and against networks of the gallery."""

from __future__ import annotations

import pytest

from convcalc import load
from convcalc.analysis.report import Report, analyse


def of(name: str, variant: str | None = None) -> Report:
    return analyse(load(name, variant=variant))


def figures(report: Report) -> tuple[int, int]:
    return report.totals.params, report.totals.macs


def test_the_naive_module_by_hand() -> None:
    weights = 192 * 64 + 192 * 128 * 9 + 192 * 32 * 25
    assert figures(of("teaching_inception", "naive")) == (weights + 64 + 128 + 32, 28 * 28 * weights)
    assert figures(of("teaching_inception", "naive")) == (387_296, 303_464_448)
    assert load("teaching_inception", variant="naive").nodes[-1].shape == (192 + 64 + 128 + 32, 28, 28)


def test_the_reduced_module_is_googlenets() -> None:
    googlenet = of("googlenet")
    (stage,) = (subject for subject in googlenet.stages if subject.name == "inception_3a")
    cost = googlenet.cost(stage)
    assert figures(of("teaching_inception")) == (cost.params, cost.macs)


@pytest.mark.parametrize("variant", ["wider", "deeper"])
def test_what_the_reduction_saves_buys_width_or_depth(variant: str) -> None:
    naive, reduced, more = (
        of("teaching_inception", "naive"),
        of("teaching_inception"),
        of("teaching_inception", variant),
    )
    assert reduced.totals.macs < more.totals.macs < naive.totals.macs and more.totals.params < naive.totals.params
    widths = [report.network.nodes[-1].shape[0] for report in (reduced, more)]
    depths = [report.depth(report.whole.nodes) for report in (reduced, more)]
    assert (widths[1] == 3 * widths[0] // 2, depths[1] == 2 * depths[0]) == (variant == "wider", variant == "deeper")


@pytest.mark.parametrize(("depth", "blocks"), [(18, "18"), (34, "34")])
def test_plain_and_residual_differ_by_the_projections_alone(depth: int, blocks: str) -> None:
    plain, zeros, projected = (
        of("teaching_residual", f"{name}{blocks}{option}")
        for name, option in (("plain", ""), ("resnet", "_a"), ("resnet", "_b"))
    )
    steps = ((64, 128, 28), (128, 256, 14), (256, 512, 7))
    more = sum(a * b + 2 * b for a, b, _ in steps), sum(a * b * size**2 for a, b, size in steps)
    assert figures(plain) == figures(zeros)
    assert figures(projected) == tuple(one + another for one, another in zip(figures(plain), more, strict=True))
    assert {report.depth(report.whole.nodes) for report in (plain, zeros, projected)} == {depth}
    assert figures(projected) == figures(of("resnet", f"resnet{blocks}"))


def test_additions_are_what_shortcuts_of_zeros_cost() -> None:
    plain, zeros = of("teaching_residual", "plain34"), of("teaching_residual", "resnet34_a")
    additions = sum(
        units * channels * size**2 for units, channels, size in ((3, 64, 56), (4, 128, 28), (6, 256, 14), (3, 512, 7))
    )
    assert zeros.totals.flops - plain.totals.flops >= additions
    assert zeros.totals.flops - plain.totals.flops < 2 * additions, "and the comparisons of pools of one, which sample"


@pytest.mark.parametrize(
    ("d", "k", "s", "p"), [(7, 3, 2, 0), (8, 3, 2, 0), (224, 7, 2, 3), (5, 3, 1, 1), (28, 5, 3, 2)]
)
def test_the_lectures_rules_of_sizes(d: int, k: int, s: int, p: int) -> None:
    """Starts of windows, counted: the rule with the + 1 in the quotient holds at stride 1, or where it divides."""
    counted = len(range(0, d + 2 * p - k + 1, s))
    assert counted == (d + 2 * p - k) // s + 1
    if (d + 2 * p - k) % s:
        assert (d + 2 * p - k) / s + 1 != counted
    elif s > 1:
        assert (d + 2 * p - k + 1) / s != counted
