"""`convcalc diff`: what is matched with what, what it costs, revisions of git, thresholds."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import loads
from convcalc.analysis.diff import diff
from convcalc.analysis.matching import match
from convcalc.analysis.report import analyse
from convcalc.render.diff import diff_document
from convcalc.render.markup import markdown

from .command import run

BASE = """\
convcalc: 1
name: Net
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - relu
  - {conv2d: {out: 32, k: 3, s: 2, p: 1}}
  - relu
  - {conv2d: {out: 64, k: 3, s: 2, p: 1}}
  - global_avg_pool
  - flatten
  - {linear: {out_features: 10}, name: fc}
"""


def changes(before: str, after: str) -> list[tuple[str, str | None, str | None, list[str]]]:
    found = diff(analyse(loads(before)), analyse(loads(after)))
    return [(c.status, c.before, c.after, [change.what for change in c.changes]) for c in found.layers]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "a.yaml").write_text(BASE, "utf-8")
    (tmp_path / "b.yaml").write_text(BASE.replace("out: 32", "out: 48"), "utf-8")
    return tmp_path


def test_the_same_is_no_difference() -> None:
    report = analyse(loads(BASE))
    assert diff(report, report).empty and diff(report, analyse(loads(BASE))).empty


def test_a_changed_field() -> None:
    assert changes(BASE, BASE.replace("out: 32", "out: 48")) == [
        ("changed", "conv2d", "conv2d", ["out_channels", "output", "params", "macs"]),
        ("changed", "relu_2", "relu_2", ["output"]),
        ("changed", "conv2d_2", "conv2d_2", ["input", "params", "macs"]),
    ]


def test_what_a_layer_reads_and_costs_is_a_change_of_it() -> None:
    found = diff(analyse(loads(BASE)), analyse(loads(BASE.replace("out: 64", "out: 48"))))
    fc = next(layer for layer in found.layers if layer.after == "fc")
    values = [(change.what, change.before, change.after) for change in fc.changes]
    assert values == [("input", [64], [48]), ("params", 650, 490), ("macs", 640, 480)]
    joined = "convcalc: 1\ninput: [8, 9, 9]\nlayers: [relu, {concat: , from: [input, relu]}, global_avg_pool]"
    assert changes(joined, joined.replace("[8, 9", "[8, 8"))[-1] == (
        "changed",
        "global_avg_pool",
        "global_avg_pool",
        ["input"],
    )


def test_growth_over_a_limit_is_a_finding(folder: Path) -> None:
    (folder / "b.yaml").write_text(BASE.replace("out: 32", "out: 48"), "utf-8")
    call = ("diff", "a.yaml", "b.yaml", "--fail-over", "params=1%", "--fail-over", "depth=0", "--fail-over", "macs=5")
    message = "params grows by 11,536 (+47.6 %), from 24,234 to 35,770; the limit is 1%"
    done = run(*call)
    assert f"b.yaml:2:7: error CC601 {message}\n  2 | name: Net\n    |       ^^^\n" in done.stdout
    assert done.stderr == "error: b.yaml grows more than --fail-over allows: params, macs\n"
    assert f"| b.yaml:2:7 | CC601 | {message}<br>" in run(*call, "--format", "markdown").stdout
    first, _ = json.loads(run(*call, "--format", "json").stdout)["findings"]
    assert (first["code"], first["path"], first["line"], first["message"]) == ("CC601", "b.yaml", 2, message)
    lines = run(*call, "--format", "github").stdout.splitlines()
    assert len(lines) == 2 and lines[0].startswith(
        "::error file=b.yaml,line=2,col=7,endColumn=10,title=convcalc CC601::"
    )
    assert run("diff", "a.yaml", "b.yaml", "--fail-over", "params=48%", "--format", "github") == (0, "", "")


def test_a_new_layer_does_not_shift_the_unnamed_ones() -> None:
    inserted = BASE.replace("  - relu\n", "  - {conv2d: {out: 16, k: 5, p: 2}}\n  - relu\n", 1)
    assert changes(BASE, inserted) == [
        ("added", None, "conv2d", ["output"]),
        ("renamed", "conv2d", "conv2d_2", []),
        ("renamed", "conv2d_2", "conv2d_3", []),
    ]
    assert [status for status, *_ in changes(inserted, BASE)] == ["removed", "renamed", "renamed"]


def test_given_names_come_before_structure() -> None:
    renamed = BASE.replace("name: stem", "name: entry")
    assert changes(BASE, renamed) == [("renamed", "stem", "entry", [])]
    two = (
        "convcalc: 1\ninput: [8, 9, 9]\nlayers: [{conv2d: {out: 8, k: 3}, name: a}, {conv2d: {out: 8, k: 1}, name: b}]"
    )
    one = "convcalc: 1\ninput: [8, 9, 9]\nlayers: [{conv2d: {out: 8, k: 1}, name: a}]"
    assert [(s, b, a) for s, b, a, _ in changes(two, one)] == [("removed", "b", None), ("changed", "a", "a")]


def test_wiring_is_a_change() -> None:
    layers = "{relu: {}, name: a}, {tanh: {}, name: b}, {relu6: {}, name: c}"
    straight = f"convcalc: 1\ninput: [8, 9, 9]\nlayers: [{layers}]"
    assert changes(straight, straight.replace("name: c", "name: c, from: a")) == [("changed", "c", "c", ["from"])]


def test_stages_and_totals() -> None:
    found = diff(analyse(loads(BASE)), analyse(loads(BASE.replace("out: 64", "out: 65"))))
    totals = {change.what: (change.before, change.after) for change in found.totals}
    assert totals["params"] == (448 + 4640 + 18496 + 650, 448 + 4640 + 18785 + 660)
    assert totals["output"] == ([10], [10])
    assert [stage.name for stage in found.stages] == ["conv2d_2", "global_avg_pool", "flatten", "fc"]


LAYERS = st.lists(
    st.sampled_from(["relu", "{conv2d: {out: 8, k: 1}}", "{conv2d: {out: 8, k: 3, p: 1}}", "{tanh: {}, name: NAME}"]),
    min_size=1,
    max_size=8,
)


def written(layers: list[str]) -> str:
    items = [layer.replace("NAME", f"n{i}") for i, layer in enumerate(layers)]
    return f"convcalc: 1\ninput: [8, 4, 4]\nlayers: [{', '.join(items)}]"


@settings(max_examples=100)
@given(LAYERS, LAYERS)
def test_matching_is_one_to_one_and_of_one_kind(first: list[str], second: list[str]) -> None:
    before, after = loads(written(first)), loads(written(second))
    pairs = match(before, after)
    assert len(set(pairs.values())) == len(pairs)
    assert all(before.nodes[i].kind == after.nodes[j].kind for i, j in pairs.items())
    assert match(before, before) == {i: i for i in range(len(before.nodes))}
    forward = {c[0] for c in changes(written(first), written(second))}
    backward = {c[0] for c in changes(written(second), written(first))}
    assert ("added" in forward) == ("removed" in backward)


def test_text_markdown_and_json(folder: Path) -> None:
    done = run("diff", "a.yaml", "b.yaml")
    assert done.code == 0 and "~ conv2d (conv2d): out_channels 32 → 48, output 32×16×16 → 48×16×16" in done.stdout
    assert "params" in done.stdout and "+11,536" in done.stdout
    markdown = run("diff", "a.yaml", "b.yaml", "--format", "markdown").stdout
    assert "| params | 24,234 | 35,770 | +11,536 | +47.6 |" in markdown and "<details>" in markdown
    data = json.loads(run("diff", "a.yaml", "b.yaml", "--format", "json").stdout)
    assert data["totals"]["params"] == {"before": 24234, "after": 35770}
    assert data["layers"][0]["changes"][0] == {"what": "out_channels", "before": 32, "after": 48}
    assert run("diff", "a.yaml", "a.yaml").stdout == "Net\nno difference\n"


def test_markdown_is_inert() -> None:
    hostile = BASE.replace("name: Net", 'name: "<img src=x> @team [x](y) | ``` </details>"')
    found = diff(analyse(loads(hostile)), analyse(loads(hostile.replace("out: 32", "out: 48"))))
    text = markdown(diff_document(found, comment=True))
    assert "<img" not in text and "@team" not in text and "[x](" not in text and text.count("</details>") == 1


@pytest.mark.parametrize(
    ("threshold", "code"),
    [
        ("params=1%", 1),
        ("params=48%", 0),
        ("params=11535", 1),
        ("params=11536", 0),
        ("macs=0", 1),
        ("depth=0", 0),
        ("parms=1%", 2),
        ("params", 2),
        ("params=-1", 2),
    ],
)
def test_thresholds(folder: Path, threshold: str, code: int) -> None:
    done = run("diff", "a.yaml", "b.yaml", "--fail-over", threshold)
    assert done.code == code, done.stderr
    assert run("diff", "b.yaml", "a.yaml", "--fail-over", threshold).code in (0, 2), "less never fails"
    assert ("error:" in done.stderr) == (code > 0)


def test_revisions_of_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True, capture_output=True
        )

    git("init", "-q")
    (folder / "deep").mkdir()
    (folder / "deep" / "c.yaml").write_text(BASE, "utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    (folder / "a.yaml").write_text(BASE.replace("out: 64", "out: 65"), "utf-8")
    assert "conv2d_2 (conv2d): out_channels 64 → 65" in run("diff", "git:HEAD:a.yaml", "a.yaml").stdout
    assert run("diff", "git:HEAD:deep/c.yaml", "git:HEAD:./a.yaml").stdout == "Net\nno difference\n"
    with monkeypatch.context() as windows:
        windows.setattr(os, "sep", "\\")
        assert run("diff", "git:HEAD:deep\\c.yaml", "git:HEAD:.\\a.yaml").stdout == "Net\nno difference\n"
    for name in ("git:HEAD:none.yaml", "git:none:a.yaml", "git:HEAD", "git:", "git:HEAD:deep", "git:--output=x:a.yaml"):
        done = run("diff", name, "a.yaml")
        assert done.code == 2 and done.stdout == "" and "Traceback" not in done.stderr, name
    assert not (folder / "x").exists() and not (folder / "x:./a.yaml").exists()


def test_a_wrong_spec_is_reported(folder: Path) -> None:
    (folder / "b.yaml").write_text(BASE.replace("k: 3", "k: 99"), "utf-8")
    done = run("diff", "a.yaml", "b.yaml")
    assert done.code == 1 and "CC201" in done.stderr and done.stdout == ""
