"""`convcalc check` as it is called: paths, selection, comments, configuration, exit codes, processes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from convcalc.check.config import config_of
from convcalc.check.run import Task, check_file, check_files
from convcalc.check.selection import Selection, read_selection
from convcalc.findings import UsageError

from .command import run

GOOD = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 3}}]\n"
BAD = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 9}}]\n"
CLAIM = GOOD + "expect: {params: 1}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config_of.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def checked(*arguments: str) -> tuple[int, list[str]]:
    """(exit code, "path:line code" of every finding)."""
    done = run("check", "--format", "json", *arguments)
    found = json.loads(done.stdout)["findings"] if done.stdout else []
    return done.code, [f"{f['path']}:{f['line']} {f['code']}" for f in found]


def test_a_folder_gives_the_files_that_declare_the_language() -> None:
    write("specs/good.yaml", GOOD)
    write("specs/deep/bad.yml", BAD)
    write("specs/flow.yaml", "{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 8, k: 9}}]}")
    write("specs/other.yaml", "services: {convcalc: 1}\n")
    write("specs/nested.yaml", "hooks:\n  convcalc: 1\n")
    write("specs/broken.yaml", "convcalc: 1\ninput: [3, 8\n")
    write("specs/text.txt", BAD)
    write("specs/.hidden/bad.yaml", BAD)
    code, found = checked("specs")
    assert code == 1
    assert found == ["specs/broken.yaml:3 CC001", "specs/deep/bad.yml:3 CC201", "specs/flow.yaml:1 CC201"]
    assert checked() == checked(".")


def test_ignored_files_are_left_out() -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    write(".gitignore", "generated/\nlocal*.yaml\n")
    for name in ("a.yaml", "generated/b.yaml", "local1.yaml", "deep/c.yaml"):
        write(name, BAD)
    assert checked(".")[1] == ["a.yaml:3 CC201", "deep/c.yaml:3 CC201"]
    assert checked("deep")[1] == ["deep/c.yaml:3 CC201"]
    assert checked("generated/b.yaml")[1] == ["generated/b.yaml:3 CC201"], "a file that is named is checked"


def test_globs_files_standard_input_and_gallery_names() -> None:
    write("a1.yaml", GOOD)
    write("a2.yaml", BAD)
    write("[a].yaml", BAD)
    assert checked("a?.yaml") == (1, ["a2.yaml:3 CC201"])
    assert checked("[a].yaml") == (1, ["[a].yaml:3 CC201"]), "an existing file beats a glob"
    assert checked("a2.yaml", "./a2.yaml", "a*.yaml")[1] == ["a2.yaml:3 CC201"], "each file once"
    assert checked("lenet5") == (0, [])
    done = run("check", "-", data=BAD.encode())
    assert done.code == 1 and done.stdout.startswith("<stdin>:3:")


def test_calls_that_are_wrong_exit_with_2_and_check_the_rest() -> None:
    write("bad.yaml", BAD)
    for arguments in (("missing.yaml",), ("x*.yaml",), ("--select", "CC9"), ("--format", "xml"), ("--jobs", "0")):
        done = run("check", *arguments)
        assert done.code == 2 and done.stdout == "" and "Traceback" not in done.stderr, arguments
    done = run("check", "missing.yaml", "bad.yaml")
    assert done.code == 2 and "bad.yaml:3:" in done.stdout and "missing.yaml" in done.stderr


def test_a_folder_without_specs_is_a_wrong_call() -> None:
    hint = "  hint: a spec is a YAML file with 'convcalc: 1' at its top\n"
    assert run("check") == (2, "", "error: there is no spec in this folder\n" + hint)
    write("good.yaml", GOOD)
    write("empty/other.yaml", "a: 1\n")
    done = run("check", "empty", "good.yaml")
    assert (done.code, done.stdout) == (2, "The spec passed.\n")
    assert done.stderr == "error: there is no spec in 'empty'\n" + hint


@pytest.mark.parametrize("text", ["a: 1\n", "hello\n", "", "# A page\n\n- *one*: [two\n"])
def test_a_named_file_that_is_no_spec_is_a_wrong_call(text: str) -> None:
    write("other.md", text)
    done = run("check", "other.md")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: 'other.md' is no spec\n")


@pytest.mark.parametrize("text", [GOOD.partition("\n")[2], "{input: [3, 8, 8], layers: [relu]}"])
def test_a_named_spec_says_its_version(text: str) -> None:
    write("a.yaml", text)
    assert checked("a.yaml") == (1, ["a.yaml:1 CC104"])
    assert checked("--ignore", "CC104", "a.yaml") == (0, [])


def test_a_version_may_stand_anywhere() -> None:
    write("a.yaml", "{input: [3, 8, 8], layers: [relu], convcalc: 1}")
    write("b.yaml", "input: [3, 8, 8]\nlayers: [relu]\nconvcalc: 1\n")
    assert checked("a.yaml", "b.yaml") == (0, [])


def test_selection() -> None:
    write("claim.yaml", CLAIM)
    write("bad.yaml", BAD)
    assert checked("--select", "CC3", ".") == (1, ["claim.yaml:4 CC301"])
    assert checked("--ignore", "CC301,CC2", ".") == (0, [])
    assert checked("--ignore", "CC3", "--select", "CC301", ".") == (1, ["claim.yaml:4 CC301"])
    assert "1 finding not selected" in run("check", "--select", "CC1", "bad.yaml").stderr


def test_advice_never_fails_and_warnings_fail_when_strict() -> None:
    write("a.yaml", GOOD.replace("k: 3", "k: 3, s: 2"))
    write("b.yaml", GOOD + "name: x  # convcalc: ignore[CC301]\n")
    assert checked("a.yaml") == (0, [])
    assert checked("--advice", "--strict", "a.yaml") == (0, ["a.yaml:3 CC401"])
    assert checked("--select", "CC4", "a.yaml") == (0, ["a.yaml:3 CC401"])
    assert checked("b.yaml") == (0, ["b.yaml:4 CC307"])
    assert checked("--strict", "b.yaml") == (1, ["b.yaml:4 CC307"])


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# convcalc: ignore[CC301]", []),
        ("# known, # convcalc: ignore[CC3]", []),
        ("#convcalc:ignore", []),
        ("# convcalc: ignore[CC302]", ["CC301", "CC307"]),
        ("# convcalc: ignore[CC301, CC302]", ["CC307"]),
        ("# convcalc: ignore[CC999]", ["CC301", "CC307"]),
        ("# convcalc: ignored", ["CC301"]),
    ],
)
def test_ignore_comments(comment: str, expected: list[str]) -> None:
    path = write("a.yaml", f"{GOOD}expect: {{params: 1}} {comment}\n")
    assert sorted(finding.code for finding in check_file(Task(str(path))).findings) == expected


def test_configuration_is_the_nearest_above() -> None:
    write("pyproject.toml", '[tool.convcalc]\nignore = ["CC301"]\n[tool.other]\n')
    write("a.yaml", CLAIM)
    write("deep/down/b.yaml", CLAIM)
    assert checked(".") == (0, [])
    write("deep/convcalc.toml", 'max_params = "200"\nstrict = true\n')
    config_of.cache_clear()
    assert checked(".") == (1, ["deep/down/b.yaml:1 CC305", "deep/down/b.yaml:4 CC301"])


def test_excluded_folders_are_left_out() -> None:
    write("convcalc.toml", 'exclude = ["old", "*.draft.yaml"]\n')
    for name in ("a.yaml", "b.draft.yaml", "old/deep/c.yaml"):
        write(name, BAD)
    assert checked(".")[1] == ["a.yaml:3 CC201"]
    assert checked("old/deep/c.yaml")[1] == ["old/deep/c.yaml:3 CC201"]


def test_budgets_of_folders_and_globs() -> None:
    write(
        "convcalc.toml",
        'max_macs = "1G"\n[budgets."small"]\nmax_params = 223\n[budgets."small/big*.yaml"]\nmax_params = "1K"\n',
    )
    for name in ("a.yaml", "small/b.yaml", "small/big.yaml"):
        write(name, GOOD)
    done = run("check", ".")
    assert done.code == 1 and done.stdout.count("CC305") == 1
    assert "small/b.yaml:1:1: error CC305 params is 224, over the budget of 223 by 0.4 %" in done.stdout
    assert "the budget is set in convcalc.toml" in done.stdout


def memory(*claims: str) -> str:
    return GOOD + "expect:\n" + "".join(f"  - {{{claim}}}\n" for claim in claims)


def test_claims_have_a_dtype_and_a_batch() -> None:
    """224 params, 3×8×8 in and 8×6×6 out: 480 numbers alive at the peak; 7,776 MACs an example."""
    write("a.yaml", memory("dtype: int8, peak_memory: 480, params_memory: 224", "batch: 4, macs: 31104", "live: 1920"))
    assert checked("a.yaml") == (0, [])
    write("b.yaml", memory("dtype: int8, batch: 4, peak_memory: <= 1 KiB"))
    done = run("check", "b.yaml")
    assert done.code == 1
    assert "CC301 peak_memory is 1.88 KiB (1,920 bytes), expected <= 1 KiB (int8, batch 4)" in done.stdout
    for claim in ("dtype: int7, macs: 7776", "batch: 0, macs: 7776"):
        write("c.yaml", memory(claim))
        assert checked("c.yaml") == (1, ["c.yaml:5 CC103"])


def test_the_dtype_of_what_says_none() -> None:
    write("a.yaml", memory("live: 480", "dtype: float32, live: 1920"))
    assert checked("a.yaml") == (1, ["a.yaml:5 CC301"])
    assert checked("--dtype", "int8", "a.yaml") == (0, [])
    assert checked("--batch", "2", "--dtype", "int8", "a.yaml") == (1, ["a.yaml:5 CC301", "a.yaml:6 CC301"])
    write("convcalc.toml", 'dtype = "int8"\n')
    config_of.cache_clear()
    assert checked("a.yaml") == (0, [])
    assert checked("--dtype", "float32", "a.yaml") == (1, ["a.yaml:5 CC301"])
    write("u.yaml", memory("live: ~"))
    assert run("check", "--update", "u.yaml").code == 0
    assert "live: 480" in Path("u.yaml").read_text("utf-8")


def test_budgets_have_a_dtype_and_a_batch() -> None:
    write("a.yaml", GOOD)
    write("deep/b.yaml", GOOD)
    write("convcalc.toml", 'max_live = "1 KiB"\ndtype = "int8"\n[budgets.deep]\nmax_macs = 8000\nbatch = 2\n')
    done = run("check", ".")
    assert done.stdout.count("CC305") == 1
    assert "CC305 macs is 15,552 MACs, over the budget of 8000 by 94.4 % (int8, batch 2)" in done.stdout
    assert "CC305 live is 1.88 KiB (1,920 bytes)" in run("check", "--dtype", "float32", "a.yaml").stdout


WRONG_CONFIGURATION = [
    *('ignores = ["CC1"]', "ignore = 1", 'ignore = ["CC9"]', "strict = 1", "budgets = 1", "a = ["),
    *('dtype = "int7"', "batch = 0", "batch = true", "max_parms = 1", 'max_params = "<= 1"', "max_params = true"),
]


@pytest.mark.parametrize("text", WRONG_CONFIGURATION)
def test_wrong_configuration_is_a_usage_error(text: str) -> None:
    write("convcalc.toml", text + "\n")
    write("a.yaml", GOOD)
    done = run("check", "a.yaml")
    assert done.code == 2 and "Traceback" not in done.stderr and done.stderr.startswith("error: ")


def test_quiet_and_summary() -> None:
    write("a.yaml", GOOD)
    assert run("check", "a.yaml") == (0, "The spec passed.\n", "")
    assert run("check", "--quiet", "a.yaml") == (0, "", "")


def test_processes_give_the_same_as_one() -> None:
    for number in range(6):
        write(f"{number}.yaml", (GOOD, BAD, CLAIM)[number % 3])
    tasks = [Task(f"{number}.yaml") for number in range(6)]
    assert list(check_files(tasks, jobs=2)) == list(check_files(tasks, jobs=1))
    assert [r.failed for r in check_files(tasks)] == [False, True, True] * 2


def test_unreadable_files_are_usage_errors() -> None:
    os.mkfifo("pipe.yaml")
    result = check_file(Task("pipe.yaml"))
    assert isinstance(result.unreadable, UsageError) and result.findings == ()


def test_longer_codes_decide() -> None:
    selection = read_selection(["CC"], ["CC3", "cc401"], advice=False)
    assert [selection.shows(code) for code in ("CC001", "CC301", "CC401", "CC402")] == [True, False, False, True]
    assert not Selection().wants("CC4") and read_selection([], [], advice=True).wants("CC4")
