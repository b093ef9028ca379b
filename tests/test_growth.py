"""`check --base`: specs beside what they were, whatever their key and their path look like; and a gate that closes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import convcalc
from convcalc.check.config import config_of

from .command import run

SPEC = "convcalc: 1\nname: Net\ninput: [3, 8, 8]\nlayers:\n  - {conv2d: {out: 8, k: 3}}\n"
WIDE = SPEC.replace("out: 8", "out: 16")
GATE = ("--base", "HEAD", "--fail-over", "params=1%")
GROWN = "CC601 params grows by 224 (+100 %), from 224 to 448; the limit is 1%"


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_of.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(SPEC, "utf-8")
    Path("specs/b.yaml").write_text(SPEC.replace("Net", "Other"), "utf-8")
    for call in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        git(*call)


@pytest.mark.parametrize("revision", ["nothere", "origin/main", "", "*", "HEAD..HEAD", "--output=x", "HEAD:specs"])
def test_an_unknown_base_is_a_wrong_call(revision: str) -> None:
    done = run("check", f"--base={revision}", "--fail-over", "params=1%")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: nothing can be compared with '{revision}': ")


def test_without_a_repository_is_a_wrong_call(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("bare"))
    Path("a.yaml").write_text(SPEC, "utf-8")
    done = run("check", *GATE)
    assert done.code == 2 and "not a git repository" in done.stderr


def test_a_limit_needs_a_base() -> None:
    assert run("check", "--fail-over", "params=1%").stderr.startswith("error: --fail-over needs --base\n")
    assert run("check", "--base", "HEAD", "--fail-over", "parms=1%").code == 2


@pytest.mark.parametrize(
    "text",
    [
        WIDE,
        WIDE.replace("convcalc:", '"convcalc":'),
        WIDE.replace("convcalc:", "'convcalc' :"),
        "\ufeff" + WIDE,
        "\ufeff" + WIDE.replace("convcalc:", '"convcalc":'),
        WIDE.replace("convcalc:", '"conv\\u0063alc":'),
        WIDE.removeprefix("convcalc: 1\n") + "convcalc: 1\n",
        "# filled\n" * 20_000 + WIDE,
        "{convcalc: 1, name: Net, input: [3, 8, 8], layers: [{conv2d: {out: 16, k: 3}}]}",
        WIDE.replace("\n", "\r\n"),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("path", ["specs/a.yaml", "specs/renamed.yml", "elsewhere/deep/new.yaml"])
@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.slow
def test_growth_is_seen_whatever_the_file_looks_like(text: str, path: str, staged: bool) -> None:
    Path("specs/a.yaml").unlink()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, "utf-8", newline="")
    if staged:
        git("add", "-A")
    done = run("check", *GATE)
    assert done.code == 1 and GROWN in done.stdout and f"{path}:" in done.stdout
    assert f"{path} since HEAD" in done.stdout
    assert ("was specs/a.yaml" in done.stdout) == (path != "specs/a.yaml")


def test_a_base_that_was_quoted_is_a_spec_too() -> None:
    Path("specs/a.yaml").write_text("\ufeff" + SPEC.replace("convcalc:", '"convcalc":'), "utf-8")
    git("commit", "-qam", "two")
    Path("specs/a.yaml").write_text(WIDE, "utf-8")
    assert run("check", *GATE).code == 1


def test_a_link_in_the_place_of_a_spec_is_no_way_out() -> None:
    Path("specs/wide.yaml").write_text(WIDE, "utf-8")
    Path("specs/a.yaml").unlink()
    Path("specs/a.yaml").symlink_to("wide.yaml")
    done = run("check", *GATE)
    assert done.code == 1 and "specs/wide.yaml since HEAD (was specs/a.yaml)" in done.stdout


def test_no_comment_and_no_configuration_hides_growth() -> None:
    Path("specs/a.yaml").write_text(WIDE.replace("name: Net", "name: Net  # convcalc: ignore"), "utf-8")
    Path("convcalc.toml").write_text('ignore = ["CC6"]\nselect = ["CC1"]\n', "utf-8")
    assert run("check", *GATE).code == 1


def test_what_is_not_compared_is_told() -> None:
    Path("specs/new.yaml").write_text("convcalc: 1\ninput: [1]\nlayers: [relu, tanh]\n", "utf-8")
    Path("specs/b.yaml").write_text("b: 1\n", "utf-8")
    done = run("check", *GATE)
    assert done.code == 0
    assert done.stderr.splitlines() == [
        "specs/new.yaml is new: there is nothing to compare it with",
        "specs/b.yaml of HEAD is no spec any more",
    ]


@pytest.mark.parametrize("text", [SPEC.replace("k: 3", "k: 99"), "convcalc: 1\nname: \xff\n", "convcalc: [\n"])
def test_what_does_not_build_on_one_side_is_told(text: str) -> None:
    Path("specs/a.yaml").write_bytes(text.encode("latin-1"))
    done = run("check", *GATE)
    assert done.code == 1 and "specs/a.yaml is not compared" in done.stderr
    git("commit", "-qam", "two")
    Path("specs/a.yaml").write_text(WIDE, "utf-8")
    done = run("check", *GATE)
    assert done.code == 0 and "specs/a.yaml is not compared" in done.stderr


def test_what_has_not_changed_is_not_told() -> None:
    Path("specs/a.yaml").write_text(SPEC.replace("name: Net", "name: Net  # the same"), "utf-8")
    assert run("check", *GATE) == (0, "All 2 specs passed.\n", "")
    Path("specs/a.yaml").write_text(WIDE, "utf-8")
    assert run("check", "--base", "HEAD", "--fail-over", "params=100%").code == 0


def test_paths_count_from_this_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("specs/a.yaml").write_text(WIDE, "utf-8")
    monkeypatch.chdir("specs")
    for path in ("a.yaml", str(tmp_path / "specs" / "a.yaml"), "../specs", "."):
        assert run("check", *GATE, path).code == 1, path
    assert run("check", *GATE, "b.yaml").code == 0


def test_json_and_reports() -> None:
    Path("specs/a.yaml").write_text(WIDE, "utf-8")
    data = json.loads(run("check", *GATE, "--format", "json").stdout)
    assert (data["base"], data["not_compared"]) == ("HEAD", [])
    (spec,) = data["compared"]
    assert (spec["path"], spec["before_path"]) == ("specs/a.yaml", "specs/a.yaml")
    assert spec["totals"]["params"] == {"before": 224, "after": 448}
    assert [finding["code"] for finding in data["findings"]] == ["CC601"]
    formats = ("json", "sarif", "junit", "github", "markdown")
    reports = [f"--report={name}=out.{name}" for name in formats]
    assert run("check", *GATE, *reports, "--quiet").code == 1
    for name in formats:
        assert "params grows by 224" in Path(f"out.{name}").read_text("utf-8")
        if name != "junit":  # it says when it was made
            assert Path(f"out.{name}").read_text("utf-8") == run("check", *GATE, "--format", name).stdout, name
    assert "base" not in json.loads(run("check", "--format", "json").stdout)


@pytest.mark.parametrize("text", ["xml=a", "text=a", "json", "json=", "=a", ""])
def test_what_is_no_report_is_a_wrong_call(text: str) -> None:
    done = run("check", "--report", text)
    assert done.code == 2 and done.stderr.startswith("error: --report takes FORMAT=FILE, not '")


@pytest.mark.parametrize("text", ["json=folder/", "json=a\0b"])
def test_a_report_is_a_file(text: str) -> None:
    done = run("check", "--report", text)
    assert (done.code, done.stdout) == (2, "") and "error: --report takes a file, not" in done.stderr


def test_a_report_takes_the_place_of_the_one_before_and_follows_no_link(tmp_path: Path) -> None:
    Path("out.json").write_text("old", "utf-8")
    assert run("check", "-q", "--report", "json=out.json").code == 0
    assert json.loads(Path("out.json").read_text("utf-8"))["files"] == 2
    Path("kept").write_text("kept", "utf-8")
    for target in ("kept", "nowhere"):
        Path("out.json").unlink()
        Path("out.json").symlink_to(target)
        done = run("check", "--report", "json=out.json")
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr == (f"error: 'out.json' is a symbolic link to '{target}'\n  hint: name the file itself\n")
    assert Path("kept").read_text("utf-8") == "kept" and not Path("nowhere").exists()


def test_a_report_is_not_written_over_what_it_is_about() -> None:
    before = Path("specs/a.yaml").read_text("utf-8")
    done = run("check", "specs", "--report", "json=out.json", "--report", "sarif=./specs/../specs/a.yaml")
    said = (
        "error: --report: './specs/../specs/a.yaml' is one of the files that are checked\n  hint: name another file\n"
    )
    assert (done.code, done.stdout, done.stderr) == (2, "", said)
    assert Path("specs/a.yaml").read_text("utf-8") == before and not Path("out.json").exists()


class TestFromPython:
    def test_it_is_what_the_command_says(self) -> None:
        Path("specs/a.yaml").write_text(WIDE, "utf-8")
        limits: tuple[dict[str, object] | list[str], ...] = ({"params": "1%"}, ["params=1%"])
        for fail_over in limits:
            result = convcalc.check(base="HEAD", fail_over=fail_over)
            assert (result.ok, result.failed, [finding.code for finding in result.findings]) == (False, True, ["CC601"])
            assert result.to_dict() == json.loads(run("check", *GATE, "--format", "json").stdout)
            assert f"{result}\n" == run("check", *GATE).stdout
            with pytest.raises(convcalc.SpecError, match="params grows by 224"):
                result.raise_any()
        assert convcalc.check(base="HEAD", fail_over={"params": 224}).ok
        assert not convcalc.check(base="HEAD", fail_over={"params": 223}).ok

    def test_growth_can_be_looked_at(self) -> None:
        Path("specs/a.yaml").write_text(WIDE, "utf-8")
        Path("specs/b.yaml").write_text("b: 1\n", "utf-8")
        result = convcalc.check("specs", base="HEAD")
        assert result.ok and result.growth is not None
        assert repr(result.growth) == "<Growth since HEAD: 1 spec changed, 1 not compared>"
        (change,) = result.growth.differences.values()
        assert list(result.growth.differences) == ["specs/a.yaml"] and "params" in str(change)
        assert "specs/a.yaml since HEAD" in str(result.growth)
        assert str(result.growth).endswith("specs/b.yaml of HEAD is no spec any more")
        assert "specs/a.yaml since HEAD" in result.growth._repr_html_()
        assert result.growth.to_dict().items() <= result.to_dict().items()
        assert convcalc.check("specs").growth is None

    def test_what_is_passed_over_is_told(self) -> None:
        Path("specs/link.yaml").symlink_to("/etc/passwd")
        assert convcalc.check("specs").passed_over == ("specs/link.yaml is a symbolic link",)
        assert convcalc.check("specs/a.yaml").passed_over == ()

    def test_wrong_calls(self) -> None:
        with pytest.raises(convcalc.UsageError, match="nothing can be compared with 'nowhere'"):
            convcalc.check(base="nowhere")
        with pytest.raises(convcalc.UsageError, match="--fail-over needs --base"):
            convcalc.check(fail_over=["params=1%"])
        with pytest.raises(convcalc.UsageError, match="--fail-over knows no 'parms'"):
            convcalc.check(base="HEAD", fail_over={"parms": "1%"})
        with pytest.raises(convcalc.UsageError, match="NAME=N or NAME=N%, not 'params'"):
            convcalc.check(base="HEAD", fail_over="params")
        with pytest.raises(convcalc.UsageError, match="a text has nothing to be compared with"):
            convcalc.check(text=SPEC, base="HEAD")
