"""`convcalc report`: one page that asks for nothing, whose figures are those of `table` and `explain`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from string import ascii_lowercase

import pytest

import convcalc
from convcalc import UsageError, load, loads
from convcalc.analysis.controller import Controller
from convcalc.analysis.gallery import read_index
from convcalc.analysis.memory import liveness
from convcalc.analysis.report import analyse
from convcalc.page.memory import MOST_LANES, MOST_LISTED, bars
from convcalc.render.explain import value_of
from tests.command import run
from tests.pages import Page, said

SPEC = b"convcalc: 1\nname: tiny\ninput: [3, 8, 8]\nparams: {out: 4}\nlayers: [{conv2d: {out: out, k: 3}}, relu]\n"
COLUMNS = "name,kind,patch,output,receptive_field,live,activation,params,flops,macs"


@pytest.fixture(scope="module")
def resnet() -> Page:
    return Page(convcalc.report(load("resnet", variant="resnet50")))


@pytest.fixture(scope="module")
def googlenet() -> Page:
    return Page(convcalc.report("googlenet"))


def test_the_page_is_whole_and_names_its_parts(googlenet: Page) -> None:
    assert googlenet.text.startswith("<!doctype html>") and googlenet.text.endswith("</html>")
    assert googlenet.unclosed == []
    ids = googlenet.ids()
    assert len(ids) == len(set(ids))
    assert {"summary", "diagram", "memory", "field", "roofline", "published", "layer"} <= set(ids)
    links = [attributes["href"] for tag, attributes in googlenet.elements if tag == "a"]
    assert links == [f"#{name}" for name in ("summary", "diagram", "memory", "field", "roofline", "published", "layer")]


def test_the_policy_names_what_stands_in_the_page(resnet: Page) -> None:
    policy = next(a["content"] for t, a in resnet.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'; ")
    (style,) = resnet.raw["style"]
    for text in (style, *resnet.scripts):
        assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.count("sha256-") == 1 + len(resnet.scripts) == 3
    assert "unsafe" not in policy and "http" not in policy


def test_nothing_is_asked_for_and_nothing_runs_but_the_scripts(resnet: Page) -> None:
    for tag, attributes in resnet.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "foreignobject"}
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value is not None and value.startswith(("#", "data:image/svg+xml;base64,")), value
    scripts = " ".join(resnet.scripts)
    for asked in ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "fetch(", "XMLHttpRequest"):
        assert asked not in scripts
    for marked in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert marked not in scripts


@pytest.mark.parametrize(
    ("spec", "options"), [("googlenet", ()), ("resnet", ("--variant", "resnet50")), ("unet3d", ())]
)
def test_the_tree_is_that_of_table(spec: str, options: tuple[str, ...]) -> None:
    page = Page(run("report", spec, *options).stdout)
    asked = run("table", spec, *options, "--depth", "all", "--columns", COLUMNS, "--format", "csv").stdout
    heads, *rows = [line.split(",") for line in asked.splitlines()]
    first, *found = page.tables["layers"]
    assert [head.replace(" ", "_") for head in first] == [*heads, "%_of_macs"]
    *found, total = found
    assert len(found) == len(rows)
    paths = [page.data["pages"][number][0] for number in page.data["rows"]]
    for cells, row, path in zip(found, rows, paths, strict=True):
        assert re.sub(r"(\d+)–\d+", r"\1", row[0]) == path
        assert [_plain(cell) for cell in cells[2:-1]] == row[2:]
    totals = run("table", spec, *options, "--format", "json").stdout
    for name in ("params", "macs", "flops"):
        assert f'"{name}": {_plain(total[heads.index(name)])}' in totals.partition('"totals"')[2]


def _plain(cell: str) -> str:
    return cell.replace(",", "").removesuffix(" B")


def test_totals_stand_short_and_exact(resnet: Page) -> None:
    text = " ".join(resnet.visible)
    for figure in ("25.6 M", "25,557,032", "4.09 G", "4,089,184,256", "9.19 MiB", "9,633,792 B"):
        assert figure in text


def test_layers_and_groups_are_explained_as_explain_does(resnet: Page) -> None:
    report = analyse(load("resnet", variant="resnet50"))
    data = resnet.data
    for path in ("conv1", "conv2_x.0", "conv2_x.0.body.bottleneck.conv2.conv2d", "pool1", "fc"):
        explained = convcalc.explain(report.network, path)
        found = said(data, path)
        assert [heading for heading, _ in found] == [section.heading for section in explained.sections]
        for (_, steps), section in zip(found, explained.sections, strict=True):
            assert [step[0] for step in steps] == [step.result for step in section.steps]
            assert [step[3] for step in steps] == [value_of(step) for step in section.steps]
    assert {page[0] for page in data["pages"]} >= {layer.name for layer in report.layers}
    assert len(data["sections"]) == len({str(section) for section in data["sections"]}), "equal sections stand once"


def test_pages_say_what_a_layer_reads(resnet: Page) -> None:
    pages = resnet.data["pages"]
    read = {page[0]: [pages[s][0] if isinstance(s, int) else s for s in page[7]] for page in pages}
    assert read["conv1.conv_bn.conv2d"] == ["input"]
    assert read["conv2_x.0.add"] == [
        "conv2_x.0.body.bottleneck.conv3.batch_norm",
        "conv2_x.0.shortcut.conv_bn.batch_norm",
    ]


def test_fields_are_those_of_the_analysis(resnet: Page) -> None:
    report = analyse(load("resnet", variant="resnet50"))
    data = resnet.data
    by_path = {page[0]: page for page in data["pages"]}
    for layer in report.layers:
        fields = report.receptive_fields.fields[layer.nodes[0]]
        number = by_path[layer.name][5]
        if not fields:
            assert number == -1
            continue
        sizes, axes = data["fields"][number]
        assert sizes == [224, 224]
        assert [axis[:3] for axis in axes] == [[field.first, field.last, field.jump] for field in fields]
        assert [axis[3] for axis in axes] == [str(field.size) for field in fields]


def test_the_first_field_stands_without_scripts(resnet: Page) -> None:
    assert resnet.tables["field-table"][1] == ["h", "224", "427", "32", "3 of 7", "-117 … 309", "203"]


@pytest.mark.parametrize("spec", ["lenet5", "resnet", "unet", "densenet", "hrnet"])
def test_no_bars_of_one_lane_overlap(spec: str) -> None:
    report = analyse(load(spec))
    found = bars(report)
    facts = liveness(report.network)
    lanes: dict[int, int] = {}
    for bar in sorted(found, key=lambda bar: (bar.first, bar.last)):
        assert bar.first > lanes.get(bar.lane, -1), bar
        lanes[bar.lane] = bar.last
    assert max(lanes) < MOST_LANES
    assert sum(bar.size for bar in found if bar.at_peak) == 4 * facts.live[facts.peak]
    for step in range(len(report.network.nodes)):
        assert sum(bar.size for bar in found if bar.first <= step <= bar.last) == 4 * facts.live[step]


def test_what_is_alive_at_the_peak_is_listed(resnet: Page) -> None:
    table = next(rows for rows in resnet.tables.values() if rows[0] == ["tensor", "shape", "bytes"])
    *tensors, together = table[1:]
    assert together == ["together", "", "9,633,792"]
    assert sum(int(row[2].replace(",", "")) for row in tensors) == 9_633_792


def test_the_arena_is_that_of_the_command() -> None:
    page = Page(run("report", "mobilenet_v2", "--dtype", "int8").stdout)
    plan = Controller(analyse(load("mobilenet_v2"), dtype="int8"))
    assert plan.said().removeprefix("arena: ") in " ".join(page.visible)
    assert "Arena of " in page.text
    head, *rows = page.tables["buffers"]
    assert head == ["letter", "buffer", "bytes", "offset", "from", "until"]
    asked = json.loads(run("arena", "mobilenet_v2", "--format", "json").stdout)["buffers"]
    keys = ("bytes", "offset", "first", "last")
    assert [row[2:] for row in rows] == [[f"{buffer[key]:,}" for key in keys] for buffer in asked]
    assert [row[0] for row in rows[:27]] == [*ascii_lowercase, "aa"]


def test_of_many_buffers_the_largest_are_listed_in_their_order() -> None:
    page = Page(convcalc.report("densenet"))
    rows = [[int(cell.replace(",", "")) for cell in row[2:]] for row in page.tables["buffers"][1:]]
    sizes = sorted((buffer.size for buffer in analyse(load("densenet")).arena.buffers), reverse=True)
    assert sorted((row[0] for row in rows), reverse=True) == sizes[:MOST_LISTED] and len(sizes) > MOST_LISTED
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)
    assert f"lists {len(sizes) - MOST_LISTED} more" in " ".join(" ".join(page.visible).split())


def test_the_roofline_is_that_of_the_device() -> None:
    page = Page(run("report", "resnet", "--device", "v100", "--batch", "8").stdout)
    report = analyse(load("resnet"), 8, device="v100")
    rows = page.tables["roofs"][1:]
    assert len(rows) == sum(moved > 0 for _, moved in report.fused)
    assert sum(int(row[2].replace(",", "")) for row in rows) == 2 * report.totals.macs
    assert sum(int(row[3].replace(",", "")) for row in rows) == sum(moved for _, moved in report.fused)
    text = " ".join(page.visible)
    assert "v100" in text and "No device was asked for" not in text
    bounds = [row[7] for row in rows]
    assert f"{bounds.count('compute')} products and pools are bound by compute" in text
    assert "time" in page.tables["layers"][0] and "batch 8" in text


def test_a_device_that_was_not_asked_for_is_said(resnet: Page) -> None:
    assert "No device was asked for" in " ".join(resnet.visible)


def test_printed_cells_that_differ_have_their_reason_and_reading(googlenet: Page) -> None:
    (whys,) = [rows for rows in googlenet.tables.values() if rows[0][0] == "cell that differs"]
    assert whys[1][:4] == ["conv1", "params", "2.7K", "9.2K"]
    assert whys[1][4:] == [
        "the first layer was a separable convolution with multiplier 8 (arXiv:1502.03167, appendix)",
        "with stem: separable",
    ]
    text = " ".join(googlenet.visible)
    (result,) = [result for result in analyse(load("googlenet")).published if "Table 1" in result.table.title]
    assert f"{result.reproduced} of {result.cells}" in text
    assert len(whys) - 1 == len(result.differing())


def test_printed_tables_are_computed_under_the_options(resnet: Page) -> None:
    assert "computed under --variant; the printed tables describe the spec without" in " ".join(resnet.visible)


def test_a_network_without_printed_tables_or_fields_has_no_such_part() -> None:
    text = convcalc.report(loads("{convcalc: 1, input: [8], layers: [{linear: {out: 4}}]}"))
    assert not {"published", "field", "diff"} & set(Page(text).ids())


def test_a_change_shows_what_each_layer_costs() -> None:
    head = "convcalc: 1, input: [3, 8, 8]"
    before = loads(
        f"{{{head}, layers: [{{conv2d: {{out: 4, k: 3}}}}, relu, {{conv2d: {{out: 2, k: 1}}, name: last}}]}}"
    )
    after = loads(f"{{{head}, layers: [{{conv2d: {{out: 8, k: 3}}}}, batch_norm, relu]}}")
    page = Page(convcalc.report(after, against=before))
    rows = next(rows for rows in page.tables.values() if rows[0][0] == "status")
    assert rows[1:] == [
        ["changed", "conv2d", "conv2d", "out_channels 4 → 8, output 4×6×6 → 8×6×6", "224", "+112", "7,776", "+3,888"],
        ["changed", "relu", "relu", "output 4×6×6 → 8×6×6", "0", "0", "0", "0"],
        ["added", "batch_norm", "batch_norm", "output 8×6×6", "16", "+16", "0", "0"],
        ["removed", "last", "conv2d", "output 2×6×6", "10", "-10", "288", "-288"],
    ]
    totals = next(rows for rows in page.tables.values() if rows[0][0] == "total")
    assert ["params", "122", "240", "+118", "+96.7"] in totals
    kinds = [a.get("class") for t, a in page.elements if t == "tr" and a.get("class")]
    assert kinds[:3] == [" changed", " added", " changed"]
    nodes = page.data["graph"]["nodes"]
    changes = [row[nodes["keys"].index("change")] for row in nodes["rows"]]
    assert {"added", "removed", "changed"} <= set(changes)


def test_no_change_is_said() -> None:
    assert "Nothing differs." in " ".join(Page(convcalc.report("lenet5", against="lenet5")).visible)


HOSTILE = "</script><img src=x onerror=alert(1)>\"'><b>\u202e<!--" + "x" * 10_000


def test_hostile_texts_are_texts() -> None:
    column, cell = HOSTILE[:60], HOSTILE[:900]
    table = {
        "title": HOSTILE,
        "note": HOSTILE,
        "source": HOSTILE,
        "columns": {column: {"value": "params"}},
        "rows": {"r": {"at": "conv2d", "label": HOSTILE, "cells": [cell]}},
        "differs": [{"row": "r", "column": column, "reason": HOSTILE}],
    }
    spec = {"convcalc": 1, "name": HOSTILE, "source": HOSTILE, "input": [3, 8, 8], "published": [table]}
    network = loads(json.dumps({**spec, "layers": [{"conv2d": {"out": 4, "k": 3}}]}))
    text = convcalc.report(network, against="lenet5")
    page = Page(text)
    assert page.unclosed == [] and "\u202e" not in text
    assert [tag for tag, _ in page.elements if tag in ("script", "b", "img")].count("script") == 3
    assert all(a.get("src", "").startswith("data:") for tag, a in page.elements if tag == "img")  # type: ignore[union-attr]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    cut = [title for _, a in page.elements if (title := a.get("title")) and len(title) > 10_000]
    assert cut and all("</script><img src=x" in title and "\\u202e" in title for title in cut)
    assert not re.search("x{1500}", "".join(page.visible))


def test_without_its_extra_the_command_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = run("report", "lenet5")
    assert (done.code, done.stdout) == (2, "")
    assert "jinja2" in done.stderr and 'pip install "convcalc[report]"' in done.stderr
    with pytest.raises(UsageError, match="jinja2"):
        convcalc.report("lenet5")


def test_the_page_goes_to_standard_output_or_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "tiny.html"
    piped = run("report", "-", data=SPEC)
    assert (piped.code, piped.stderr) == (0, "")
    done = run("report", "-", "-o", str(target), data=SPEC)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert target.read_text("utf-8") == piped.stdout.removesuffix("\n")
    again = run("report", "-", "-o", str(target), data=SPEC)
    assert again.code == 2 and "--force" in again.stderr
    assert run("report", "-", "-o", str(target), "--force", data=SPEC).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "no_such_spec"), "no_such_spec"),
        (("report", "lenet5", "--against", "no_such_spec"), "no_such_spec"),
        (("report", "lenet5", "--variant", "nothing"), "nothing"),
        (("report", "lenet5", "-o", "/"), "takes a file"),
        (("report", "lenet5", "-o", "/no/such/folder/r.html"), "no/such/folder"),
        (("report", "lenet5", "--device", "abacus"), "abacus"),
        (("report", "lenet5", "--against", "-"), "convcalc"),
        (("report",), "SPEC"),
    ],
)
def test_wrong_calls_are_told(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments, data=b"convcalc: 1\n")
    assert done.code in (1, 2) and done.stdout == ""
    assert words in done.stderr and "Traceback" not in done.stderr and "internal error" not in done.stderr


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    done = run("report", "lenet5", "-o", str(tmp_path))
    assert done.code == 2 and done.stdout == "" and list(tmp_path.iterdir()) == []


def test_options_are_those_of_table() -> None:
    text = " ".join(
        Page(run("report", "-", "--set", "out=6", "--input", "1,9,9", "--batch", "2", data=SPEC).stdout).visible
    )
    assert "1×9×9 → 6×7×7, batch 2" in text and "60" in text


RESNET50, LARGEST = 600_000, 1_200_000
"""Bytes of pages."""
TIMES = 3
"""How much of the processor a report may take, in calls of `table --format json`."""


@pytest.mark.slow
def test_pages_of_the_gallery_are_small(resnet: Page) -> None:
    assert len(resnet.text.encode()) <= RESNET50
    sizes = {entry["name"]: len(convcalc.report(entry["name"]).encode()) for entry in read_index()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["lenet5", "resnet", "googlenet", "nasnet", "hrnet"])
def test_a_report_takes_no_longer_than_a_few_tables(spec: str) -> None:
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def seconds(*arguments: str) -> float:
        """Of the processor, the least of three runs; the first may compile what it imports."""
        runs = []
        for _ in range(3):
            before = os.times()
            command = [sys.executable, "-m", "convcalc", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=compiled)
            after = os.times()
            runs.append(after.children_user - before.children_user + after.children_system - before.children_system)
        return min(runs)

    assert seconds("report", spec) <= TIMES * seconds("table", spec, "--format", "json")


@pytest.mark.slow
def test_long_networks_have_bounds() -> None:
    layers = ", ".join(f"{{relu: {{}}, name: r{i}}}" for i in range(6000))
    network = loads(f"{{convcalc: 1, input: [8, 4, 4], layers: [{layers}]}}")
    page = Page(convcalc.report(network))
    assert len(page.tables["layers"]) == 5000 + 2
    assert "1,000 layers have no row here" in " ".join(page.visible)


def test_a_page_in_a_log_says_no_command_to_a_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    spec = SPEC.replace(b"tiny", b'"##[error]x ::error::y"')
    text = run("report", "-", data=spec).stdout
    assert "##[" not in text and not re.search(r"^\s*::", text, re.M)
    assert Page(text).data["format"] == 1


def test_a_page_is_no_pdf(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    done = run("report", "lenet5", "-o", str(path))
    assert (done.code, path.exists()) == (2, False)
    assert done.stderr.endswith("the report is a page of HTML\n  hint: name it .html; a browser prints it as PDF\n")
