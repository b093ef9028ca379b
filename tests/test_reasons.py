"""No reason of the gallery that a reader could refute with the tool itself: what names arithmetic is run.

A reason may name numbers that its cell shows: the printed one, the computed one, those of the reading that explains it.
Whatever else a reason or a note claims is a claim of `CLAIMS`, each with the computation that confirms it; a command
that it names is run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import pytest

from convcalc import forensics, load
from convcalc.analysis.cost import Cost
from convcalc.analysis.published import Comparison, TableResult, compare
from convcalc.analysis.report import analyse
from convcalc.language.published import Reading
from convcalc.language.sources import gallery_names

from .command import run

NUMBER = re.compile(r"(?<![\w.:])\d[\d,]*(?:\.\d+)?(?:[×x^]\d+)*")
ARITHMETIC = re.compile(
    r"\b(?:truncat\w*|round\w*|without|biases|counted|sums?|twice|times|half|exact\w*|count|less|more|would|gives?|(?<!-)adds?|widens?|doubles|larger|smaller|fewer)\b"
    r"|[%=·*/+]"
)
COMMAND = re.compile(r'convcalc forensics [^"();,]*')


class Said(NamedTuple):
    """A reason or a note, with the numbers that its place shows."""

    spec: str
    text: str
    shown: str
    executed: bool
    """Whether a reading stands beside it that gives the printed cell."""


def of_table(spec: str, result: TableResult) -> Iterator[Said]:
    printed = " ".join(cell.printed.text for row in result.rows for cell in row)
    names = " ".join([*result.table.columns, *(row.label for row in result.table.rows.values())])
    for _, _, cell in result.differing():
        assert cell.difference is not None
        shown = f"{cell.printed.text} {cell.computed} {cell.difference.explanation} {printed} {names}"
        yield Said(spec, cell.difference.reason, shown, bool(cell.explained))
    if result.table.note:
        also = " ".join(str(other.reading) for other in result.also)
        yield Said(spec, result.table.note.strip(), f"{printed} {names} {also}", bool(result.also))


@cache
def all_said(spec: str) -> tuple[Said, ...]:
    return tuple(said for result in compare(load(spec)) for said in of_table(spec, result))


def claims_arithmetic(said: Said) -> bool:
    """Whether a text says what its cell and a reading that is run do not show."""
    text = COMMAND.sub("", said.text)
    unknown = [number for number in NUMBER.findall(text) if number.strip(",") not in said.shown]
    return bool(unknown) or (not said.executed and ARITHMETIC.search(text) is not None)


def macs(spec: str, variant: str | None = None, input: list[int] | None = None, **params: object) -> int:
    return analyse(load(spec, variant=variant, params=params, input=input)).totals.macs


def params(spec: str, variant: str) -> int:
    return analyse(load(spec, variant=variant)).totals.params


def cost(spec: str, stage: str) -> Cost:
    report = analyse(load(spec))
    (found,) = (each for each in report.stages if each.name == stage)
    return report.cost(found)


def cell(spec: str, row: str, column: str, **reading: object) -> tuple[str, str]:
    """(printed, computed under what is said on top of its reading) of a cell of the first table that has it."""
    network = load(spec)
    for result in compare(network):
        if row in result.table.rows and column in result.table.columns:
            table = result.table
            place = list(table.columns).index(column)
            printed = table.rows[row].cells[place]
            read = table.reading(table.rows[row], table.columns[column], printed).merged(Reading(reading))
            return printed.text, Comparison(network).text(printed, read)
    raise LookupError(row, column)


def follows(spec: str, row: str, column: str, **reading: object) -> bool:
    printed, computed = cell(spec, row, column, **reading)
    return printed == computed


def times_positions(row: str) -> bool:
    """The printed params of a row of GoogLeNet, K = 1024, times its positions: the printed ops."""
    shape = load("googlenet")[row].shape
    params, ops = (int(cell("googlenet", row, column)[0].rstrip("KM")) for column in ("params", "ops"))
    return round(Fraction(params * 1024 * shape[1] * shape[2], 10**6)) == ops


def outputs(variant: str, *rows: str) -> set[int]:
    network = load("bn_inception", variant=variant)
    return {network[row].shape[0] for row in rows}


def no_reading(spec: str, row: str, column: str) -> bool:
    return all(answer.best == 0 for answer in forensics(spec, rows=[row], columns=[column]).answers)


ROWS = ("4b", "4c", "4d", "4e", "5b")
OTHERS = ("default", "width_0_75", "shallow", "width_0_5", "width_0_25", "size_192", "size_128")

CLAIMS: dict[str, dict[str, Callable[[], bool]]] = {
    "alexnet": {
        "the count of maps of 55×48; the layer's are 55×55": lambda: (
            load("alexnet", input=[3, 227, 199])["conv1"].shape[1:] == (55, 48)
            and load("alexnet")["conv1"].shape[1:] == (55, 55)
        ),
        "60.97 million, truncated": lambda: round(analyse(load("alexnet")).totals.params / 10**6, 2) == 60.97,
    },
    "alexnet_v2": {"FLOPs are summed from the first layer on": lambda: whole("alexnet_v2", "Receptive fields")},
    "bn_inception": {
        "the depth of the 3×3 alone; GoogLeNet's table prints 2": lambda: (
            cell("googlenet", "conv2", "depth") == ("2", "2")
        ),
        "with 128 the output would have 608 channels, not the printed 576": lambda: (
            outputs("as_printed", "inception_4c", "inception_4d") == {608}
        ),
        "the printed height and width are those of the module's input: the module has stride 2": lambda: (
            cell("bn_inception", "inception_3c", "patch size/stride") == ("stride 2", "stride 2")
        ),
        "no reading gives it": lambda: no_reading("bn_inception", "default", "parameters"),
    },
    "efficientnet_v2": {
        "FLOPs are half of all operations, truncated: multiply-adds alone give 8.4B, 24.6B and 56.1B": lambda: (
            [
                cell("efficientnet_v2", row, "FLOPs", value="macs", unit={"B": Fraction(10**9)}, round="half_up")[1]
                for row in "sml"
            ]
            == ["8.4B", "24.6B", "56.1B"]
            and not follows("efficientnet_v2", "l", "FLOPs", round="half_up")
        ),
        "no reading gives it": lambda: no_reading("efficientnet_v2", "l", "Params"),
    },
    "enet": {
        "Section 3 repeats section 2 without bottleneck2.0": lambda: (
            cost("enet", "section3") == cost("enet", "section2")
        ),
    },
    "fsrcnn": {"The paper counts the weights of the convolutions": lambda: whole("fsrcnn", "Table 1: the transitions")},
    "teaching_depthwise_separable": {
        "ρ = 0.714 makes 10 of 14": lambda: (
            round(0.714 * 14) == 10 and whole("teaching_depthwise_separable", "Table 3")
        ),
    },
    "swin": {
        "28.3 million": lambda: round(analyse(load("swin")).totals.params / 10**6, 1) == 28.3,
    },
    "vit": {
        "ViT-L/16 has 303M before the head": lambda: cell("vit", "large", "Params") == ("307M", "303M"),
        "Params are those before the head; patches are of 16×16 pixels, of ViT-Huge 14×14": lambda: (
            cell("vit", "base", "Params") == ("86M", "86M")
            and load("vit")["patches"].shape == (768, 224 // 16, 224 // 16)
            and load("vit", variant="vit_h_14")["patches"].shape == (1280, 224 // 14, 224 // 14)
        ),
    },
    "vgg": {"FLOPs are summed from the first layer on": lambda: whole("vgg", "Receptive fields")},
    "googlenet": {
        "fits rounded; the row above needs truncation": lambda: (
            follows("googlenet", "inception_3a", "params")
            and not follows("googlenet", "inception_3a", "params", round="half_up")
        ),
        "does not follow from the printed widths; times the positions it gives": lambda: (
            times_positions("inception_4a") and times_positions("inception_5a")
        ),
        "does not follow from the printed widths; it is the printed params": lambda: times_positions("inception_5a"),
        "does not follow from the printed widths; the printed ops": lambda: all(
            follows("googlenet", f"inception_{row}", "ops") for row in ROWS
        ),
        "73.61 M truncated; the other cells are rounded": lambda: (
            cell("googlenet", "inception_4a", "ops", unit={"M": Fraction(10**4)})[1] == "7361M"
            and not follows("googlenet", "inception_5b", "ops", round="down")
        ),
        "params counts biases, K = 1024": lambda: googlenet_note(),
    },
    "hrnet": {
        "GFLOPs are 2^30 multiply-adds": lambda: not follows("hrnet", "w18", "GFLOPs", unit={"": Fraction(10**9)}),
        "rounded to 7.1, as the other rows are to one digit": lambda: (
            round(macs("hrnet", "pose_w32", [3, 256, 192]) / 2**30, 1) == 7.1
        ),
        "no reading gives it": lambda: no_reading("hrnet", "w40", "#param.") and no_reading("hrnet", "w40", "GFLOPs"),
    },
    "i3d": {
        "Of two streams, counted as twice the one that reads colours; that of optical flow has 0.02M less": lambda: (
            follows("i3d", "total", "#Params") and round(params("i3d", "rgb") - params("i3d", "flow"), -4) == 20_000
        ),
    },
    "lenet5": {
        "The network's connections include the 840 of the output layer": lambda: (
            whole("lenet5", "Section II-B") and cell("lenet5", "total", "connections", at="output")[1] == "840"
        ),
    },
    "mobilenet_v1": {
        "a misprint: from 7×7 to 7×7 the stride is 1": lambda: (
            load("mobilenet_v1")["conv10.depthwise"].shape[1:] == load("mobilenet_v1")["conv9"].shape[1:] == (7, 7)
        ),
        "a misprint of 1.91%, two digits exchanged: the printed column sums to 99.29%": lambda: (
            sum(
                Fraction(cell("mobilenet_v1", row, "Mult-Adds")[0].rstrip("%"))
                for row in ("**.pointwise", "**.depthwise", "conv1", "fc")
            )
            == Fraction("99.29")
        ),
        "without the linear layer, which other cells need": lambda: any(
            follows("mobilenet_v1", row, "Million Mult-Adds")
            and not follows("mobilenet_v1", row, "Million Mult-Adds", at="**.conv2d")
            for row in OTHERS
        ),
        "Weights of convolutions and the linear layer": lambda: (
            follows("mobilenet_v1", "fc", "Parameters")
            and not follows("mobilenet_v1", "fc", "Parameters", value="params")
        ),
        "The rows of other authors' networks are left out. Table 10": lambda: (
            load("mobilenet_v1", params={"classes": 120})["fc"].shape == (120,)
        ),
    },
    "mobilenet_v2": {
        "no reading gives it": lambda: no_reading("mobilenet_v2", "wide", "Params"),
        "does not follow by the reading of the other cell": lambda: (
            follows("mobilenet_v2", "default", "MAdds") and not follows("mobilenet_v2", "wide", "MAdds")
        ),
        "The rows of other networks are left out. Both columns are truncated": lambda: all(
            follows("mobilenet_v2", "default", column)
            and not follows("mobilenet_v2", "default", column, round="half_up")
            for column in ("Params", "MAdds")
        ),
    },
    "mobilenet_v3": {
        "with 1024, as in torchvision's model, it would have 2.5M parameters": lambda: (
            cell("mobilenet_v3", "small", "Params", **{"with": {"last": 1024}}) == ("2.9M", "2.5M")
            and load("mobilenet_v3", variant="mobilenet_v3_small")["fc1"].shape == (1024,)
        ),
        "no reading gives it": lambda: no_reading("mobilenet_v3", "small", "MAdds"),
    },
    "nasnet": {
        "the channels of the last cell are a multiple of 24": lambda: all(
            load("nasnet", params={"filters": filters})["relu"].shape[0] == 24 * filters for filters in (44, 64)
        ),
        "Parameters include the moving averages of batch norm, truncated": lambda: (
            follows("nasnet", "4032", "parameters")
            and not follows("nasnet", "4032", "parameters", value="params")
            and not follows("nasnet", "4032", "parameters", round="half_up")
        ),
    },
    "pix2pix_discriminator": {
        "A last convolution gives one channel": lambda: load("pix2pix_discriminator")["score"].shape[0] == 1,
    },
    "pix2pix_generator": {
        "The decoder's channels are those that a layer gives without skip connections": lambda: whole(
            "pix2pix_generator", "Section 6.1.1: decoder"
        ),
    },
    "regnet": {
        "RegNetX-400MF would have 5.5, RegNetY-800MF 6.4 and RegNetY-8.0GF 39.4 million parameters": lambda: (
            whole("regnet", "RegNet")
            and [
                round(params("regnet", variant) / 10**6, 1)
                for variant in ("regnet_x_400mf", "regnet_y_800mf", "regnet_y_8gf")
            ]
            == [5.5, 6.4, 39.4]
        ),
    },
    "repvgg": {
        "Inference forms, parameters truncated; Wino MULs are multiplications by F(2×2, 3×3)": lambda: (
            whole("repvgg", "Tables 4 and 5")
            and not follows("repvgg", "a0", "Params (M)", variant="repvgg_a0")
            and not follows("repvgg", "a0", "Params (M)", round="half_up")
            and not follows("repvgg", "a0", "Wino MULs (B)", value="macs")
            and not follows("repvgg", "a0", "Wino MULs (B)", value="winograd4")
        ),
    },
    "resnet": {
        "The paper calls its FLOPs multiply-adds": lambda: (
            forensics("resnet", table=2, every=True).answers[0].as_good > 1
        ),
    },
    "resnet_cifar": {
        "Batch norm is counted, without it the last row would be 19.3M": lambda: (
            cell("resnet_cifar", "1202", "# params", value="filter_params") == ("19.4M", "19.3M")
        ),
    },
    "resnext": {
        "the paper's own table prints 4.2": lambda: cell("resnext", "flops", "ResNeXt-50 (32×4d)")[0] == "4.2×10^9",
        "printed as that of ResNet-101, which does less": lambda: (
            cell("resnext", "resnet101", "GFLOPS")[0] == cell("resnext", "resnext101", "GFLOPS")[0]
            and macs("resnext", "resnet50_1x64d", depths="[3, 4, 23, 3]")
            < macs("resnext", "resnext101_64x4d", groups=32)
            and no_reading("resnext", "resnext101", "GFLOPS")
        ),
        "printed as twice the number of the rows above": lambda: (
            Fraction(cell("resnext", "resnext101_64", "GFLOPS")[0].strip("~"))
            == 2 * Fraction(cell("resnext", "resnext101", "GFLOPS")[0].strip("~"))
        ),
        "The parameters are those of convolutions and the linear layer": lambda: (
            not follows("resnext", "total", "ResNet-50", value="params")
        ),
    },
    "se_resnet": {
        "The sums and products of the blocks are counted beside the multiply-adds": lambda: (
            not follows("se_resnet", "resnet101", "multiply-adds", value="macs")
        ),
    },
    "shufflenet_v1": {
        "with the linear layer three of the five cells would differ": lambda: (
            sum(not follows("shufflenet_v1", "**.conv2d", f"g = {g}", at="total") for g in (1, 2, 3, 4, 8)) == 3
        ),
    },
    "shufflenet_v2": {
        "The units are those of the authors' code": lambda: (
            not follows("shufflenet_v2", "total", "1×", **{"with": {"projection_keeps": "false"}})
        ),
    },
    "sknet": {
        "#P counts the running statistics of batch norm and is truncated; GFLOPs are multiply-adds": lambda: (
            follows("sknet", "sknet50", "#P")
            and not follows("sknet", "sknet50", "#P", value="params")
            and not follows("sknet", "sknet50", "#P", round="half_up")
            and follows("sknet", "sknet50", "GFLOPs")
            and not follows("sknet", "sknet50", "GFLOPs", value="macs")
        ),
    },
    "squeezenet": {
        "from 224 the first convolution would give 109": lambda: (
            load("squeezenet", input=[3, 224, 224])["conv1"].shape[1:] == (109, 109)
        ),
        "Without padding 111×111 needs an input of 227×227": lambda: (
            load("squeezenet", input=[3, 227, 227])["conv1"].shape[1:] == (111, 111)
        ),
    },
    "srcnn": {
        "the weights of the convolutions, without biases": lambda: (
            not any(
                follows("srcnn", row, "parameters", value="params") for row in ("srcnn_915", "srcnn_935", "srcnn_955")
            )
        ),
    },
    "vnet": {
        "the printed rule sums kernel size - 1 positions of the larger of a layer's maps": lambda: vnet_fields(),
    },
    "wide_resnet": {
        "N is (depth - 4) / 6 for every block type": lambda: (
            whole("wide_resnet", "Table 2")
            and not follows(
                "wide_resnet", "b131", "# params", **{"with": {"depth": 40, "k": 2, "kernels": "[1, 3, 1]", "units": 4}}
            )
        ),
    },
}


def vnet_fields() -> bool:
    """Whether kernel size - 1 positions of the larger of its maps, summed over the layers, are what is printed."""
    report = analyse(load("vnet"))
    field, fields = 1, {}
    for i, node in enumerate(report.network.nodes):
        if node.layer is not None and node.layer.patch is not None:
            jumps = [report.receptive_fields.fields[at][0].jump for at in (i, *node.inputs)]
            field += (node.layer.patch.kernel_size[0] - 1) * min(jumps)
        fields[node.stage] = f"{field}×{field}×{field}"
    (table,) = (result.table for result in compare(load("vnet")) if "Receptive Field" in result.table.columns)
    return all(fields[name] == row.cells[-1].text for name, row in table.rows.items())


def googlenet_note() -> bool:
    """The numbers of the note are those that its command gives."""
    (answer,) = forensics("googlenet", columns=["params"]).answers
    control = answer.control
    note = next(said.text for said in all_said("googlenet") if said.text.startswith("params counts biases"))
    return (
        f"of {answer.tried:,} readings" in note
        and f"none gives more than {answer.best} of the {len(answer.now)} cells" in note
        and f"{control.reaching} of {control.tables} permuted tables have one that gives as many" in note
    )


def whole(spec: str, title: str) -> bool:
    """Whether every cell of a table follows by its readings: what its note says of them is what is run."""
    return all(
        result.cells == result.reproduced > 0 for result in compare(load(spec)) if result.table.title.startswith(title)
    )


def claim(said: Said) -> Callable[[], bool] | None:
    found = [check for start, check in CLAIMS.get(said.spec, {}).items() if start in said.text]
    return found[0] if found else None


@pytest.mark.slow
@pytest.mark.parametrize("spec", gallery_names())
def test_what_names_arithmetic_is_run(spec: str) -> None:
    for said in filter(claims_arithmetic, all_said(spec)):
        check = claim(said)
        assert check is not None, f"'{said.text}' needs a reading that gives the cell, or a claim that is run"
        assert check(), said.text


@pytest.mark.slow
def test_every_claim_is_made() -> None:
    """A claim that no text makes any more is none."""
    texts = {spec: [said.text for said in all_said(spec)] for spec in CLAIMS}
    stale = [start for spec, claims in CLAIMS.items() for start in claims if not any(start in t for t in texts[spec])]
    assert stale == []


@pytest.mark.parametrize(
    ("text", "executed", "found"),
    [
        ("290,400 = 55·55·96", False, True),
        ("1 % more than the convolutions do", False, True),
        ("7.570 by the same count", False, True),
        ("73.61 M truncated", True, True),
        ("without batch norm", False, True),
        ("without batch norm", True, False),
        ("a misprint of 13×13", False, False),
        ("does not follow from the printed widths", False, False),
        ("no reading: convcalc forensics net --rows 99", False, False),
        ("the first layer was a separable convolution (arXiv:1502.03167, appendix)", True, False),
    ],
)
def test_arithmetic_is_noticed(text: str, executed: bool, found: bool) -> None:
    assert claims_arithmetic(Said("net", text, "13×12 13×13", executed)) is found


@pytest.mark.slow
@pytest.mark.parametrize("spec", gallery_names())
def test_commands_that_are_named_run(spec: str) -> None:
    for command in [command for said in all_said(spec) for command in COMMAND.findall(said.text)]:
        done = run(*shlex.split(command)[1:])
        assert (done.code, done.stderr) == (0, ""), command
