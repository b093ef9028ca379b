"""What other repositories use: the pre-commit hook, the GitHub Action and its script; and this one's own workflow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
SCRIPT = ROOT / ".github" / "check.sh"
SPEC = "convcalc: 1\nname: Net\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 3}}]\n"


def test_inputs_reach_the_shell_through_the_environment() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"], "an expression in a script is text that the shell reads"
        assert step["shell"] == "bash"


def test_every_input_is_described_and_used() -> None:
    used = re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", (ROOT / "action.yml").read_text("utf-8"))
    assert sorted(used) == sorted(ACTION["inputs"])
    assert all(entry["description"] and "default" in entry for entry in ACTION["inputs"].values())
    handed_on = {name for step in ACTION["runs"]["steps"] for name in step["env"] if name.startswith("INPUT_")}
    assert handed_on == set(re.findall(r"INPUT_\w+", SCRIPT.read_text("utf-8"))) - {"INPUT_"}


def test_the_hook_runs_check() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["id"] == "convcalc-check" and hook["language"] == "python"
    assert hook["entry"] == "convcalc check" and hook["pass_filenames"] is False
    looked_at = ("a.yaml", "deep/b.yml", "convcalc.toml", "deep/convcalc.toml", "pyproject.toml")
    assert all(re.search(hook["files"], name) for name in looked_at)
    assert not any(re.search(hook["files"], name) for name in ("a.py", "other.toml", "myconvcalc.toml"))
    assert "types" not in hook, "a configuration is no YAML"


def pinned(text: str) -> dict[str, str]:
    """Name -> version of the lines `name==version`."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_what_ci_installs_is_pinned_by_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.split(r"\n(?=[a-z])", lock.strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in lock, "where packages come from is the machine's to say"
    constraints = pinned((ROOT / "constraints.txt").read_text("utf-8"))
    assert constraints.items() <= pinned(lock).items(), "CONTRIBUTING.md says how requirements.lock is made"
    assert {"hatchling", "editables"} <= pinned(lock).keys(), "what builds the package"
    assert "--require-hashes -r requirements.lock" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_what_the_action_installs_is_pinned() -> None:
    install = ACTION["runs"]["steps"][0]
    assert '--constraint "$ACTION/constraints.txt"' in install["run"]
    assert install["env"]["PIP_CONSTRAINT"] == "${{ github.action_path }}/constraints.txt"
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    needed = re.findall(r'^  "([\w-]+)>=', text.partition("dependencies = [")[2].partition("]")[0], re.MULTILINE)
    assert len(needed) == 5 and set(needed) <= pinned((ROOT / "constraints.txt").read_text("utf-8")).keys()


@pytest.mark.parametrize("folder", ["bin", "Scripts"])
def test_the_action_finds_what_it_installs_on_every_system(folder: str, tmp_path: Path) -> None:
    program = f"$3/{folder}/python"
    made = f'mkdir -p "$3/{folder}" && echo \'echo "$@"\' >"{program}" && chmod +x "{program}"'
    (tmp_path / "python").write_text(f"#!/bin/sh\n{made}\n")
    (tmp_path / "python").chmod(0o755)
    output = tmp_path / "output"
    given = {"PYTHON": str(tmp_path / "python"), "RUNNER_TEMP": str(tmp_path), "ACTION": "the action", "VERSION": ""}
    install, check = ACTION["runs"]["steps"]
    done = subprocess.run(
        ["bash", "-euc", install["run"]],
        env={**os.environ, **given, "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("-m pip install") and done.stdout.endswith("-- the action\n")
    assert output.read_text() == f"programs={tmp_path}/convcalc/{folder}\n"
    assert check["env"]["CONVCALC"] == f"${{{{ steps.{install['id']}.outputs.programs }}}}/convcalc"


def test_the_workflow_runs_ci_with_the_least_rights() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert set(workflow[True]) == {"push", "pull_request"}, "YAML 1.1 reads the key 'on' as true"
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job and job["runs-on"].startswith("ubuntu-")
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in used), (
        "actions by their hashes"
    )


def test_the_workflow_runs_supported_versions_of_python() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    supported = re.findall(r"Programming Language :: Python :: (3\.\d+)", text)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    run = workflow["jobs"]["ci"]["strategy"]["matrix"]["python"]
    assert set(run) <= set(supported) and supported[0] in run and supported[-1] in run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    program = tmp_path / "convcalc"
    calls = tmp_path / "calls"
    program.write_text(f'#!/bin/sh\necho "$1" >>"{calls}"\nexec "{sys.executable}" -m convcalc "$@"\n')
    program.chmod(0o755)
    work = tmp_path / "work"
    (work / "specs").mkdir(parents=True)
    (work / "specs" / "a.yaml").write_text(SPEC)
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", *arguments], cwd=work, check=True)
    return work


def action(work: Path, **inputs: str) -> tuple[int, str, str, str]:
    """(exit code, standard output, summary, outputs) of the action's script."""
    summary, outputs = work.parent / "summary.md", work.parent / "output"
    summary.write_text("")
    outputs.write_text("")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CONVCALC": str(work.parent / "convcalc"),
        "RUNNER_TEMP": str(work.parent),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
        **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
    }
    bash = shutil.which("bash") or "bash"
    done = subprocess.run([bash, str(SCRIPT)], cwd=work, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, summary.read_text(), outputs.read_text()


def test_findings_are_annotations_and_a_summary(repository: Path) -> None:
    (repository / "specs" / "b.yaml").write_text(SPEC.replace("k: 3", "k: 9"))
    code, out, summary, outputs = action(repository, paths="specs\n", sarif="../log.sarif")
    assert code == 1 and outputs == "exit-code=1\n"
    assert out.startswith("::error file=specs/b.yaml,line=4,") and out.count("\n") == 1
    assert "| specs/b.yaml:4:11 | CC201 |" in summary
    assert '"version": "2.1.0"' in (repository.parent / "log.sarif").read_text()
    assert (repository.parent / "calls").read_text() == "check\n", "one run gives every report"
    assert not list(repository.parent.glob("convcalc.*")), "nothing is left behind"


def test_a_change_is_compared_with_its_base(repository: Path) -> None:
    (repository / "specs" / "a.yaml").write_text(SPEC.replace("out: 8", "out: 16"))
    code, out, summary, _ = action(repository, paths=".", base="HEAD")
    assert (code, out) == (0, "") and "| params | 224 | 448 | +224 | +100 |" in summary
    code, out, summary, _ = action(repository, paths=".", base="HEAD", fail_over="params=10%\nmacs=300%")
    assert code == 1 and out.count("\n") == 1
    assert out.startswith("::error file=specs/a.yaml,line=2,") and "title=convcalc CC601::params grows by 224" in out
    assert "| specs/a.yaml:2:7 | CC601 | params grows by 224 (+100 %), from 224 to 448; the limit is 10%<br>" in summary


def test_inputs_are_data_to_the_script(repository: Path) -> None:
    mark = repository.parent / "mark"
    hostile = f'$(touch "{mark}"); `touch "{mark}"`'
    (repository / "specs" / "a.yaml").write_text(SPEC.replace("out: 8", "out: 16"))
    action(repository, paths=hostile, select=hostile, ignore=hostile, strict=hostile, advice=hostile)
    action(repository, paths=".", base=f"--output={mark}", fail_over=hostile)
    action(repository, paths=".", base="HEAD", fail_over=hostile)
    assert not mark.exists()


@pytest.mark.parametrize("base", ["origin/main", "nothere", "*", "--output=x"])
def test_an_unknown_base_fails(repository: Path, base: str) -> None:
    code, out, _, outputs = action(repository, paths=".", base=base, fail_over="params=1%")
    assert (code, out, outputs) == (2, "", "exit-code=2\n")


@pytest.mark.parametrize(
    "text", [SPEC.replace("convcalc:", '"convcalc":'), "\ufeff" + SPEC, "\ufeff'convcalc': 1" + SPEC.partition("1")[2]]
)
@pytest.mark.parametrize("name", ["a.yaml", "moved.yml"])
@pytest.mark.slow
def test_the_gate_knows_a_spec_again(repository: Path, text: str, name: str) -> None:
    (repository / "specs" / "a.yaml").unlink()
    (repository / "specs" / name).write_text(text.replace("out: 8", "out: 16"), "utf-8")
    code, out, _, _ = action(repository, paths=".", base="HEAD", fail_over="params=10%")
    assert code == 1 and f"::error file=specs/{name}," in out and "CC601" in out


def test_sarif_is_not_written_through_a_link(repository: Path) -> None:
    victim = repository.parent / "victim"
    for make in (
        lambda: (repository / "log.sarif").symlink_to(victim),
        lambda: (repository / "out").symlink_to(repository.parent),
        lambda: os.mkfifo(repository / "pipe.sarif"),
    ):
        make()
    for target in ("log.sarif", "out/victim", "out/../victim", "pipe.sarif", "nowhere/log.sarif"):
        code, _, _, outputs = action(repository, paths=".", sarif=target)
        assert (code, outputs) == (2, "exit-code=2\n"), target
    assert not victim.exists() and not (repository.parent / "calls").exists()
    victim.write_text("kept")
    os.link(victim, repository / "same.sarif")
    assert action(repository, paths=".", sarif="same.sarif")[0] == 0
    assert victim.read_text() == "kept" and "2.1.0" in (repository / "same.sarif").read_text()


def test_paths_that_lead_out_of_the_workspace_are_not_read(repository: Path) -> None:
    (repository.parent / "secret.yaml").write_text("convcalc: 1\npassword: hunter2\n")
    (repository / "specs" / "link.yaml").symlink_to("../../secret.yaml")
    (repository / "folder").symlink_to(repository.parent)
    (repository / "environ.yaml").symlink_to("/proc/self/environ")
    (repository / "git.yaml").symlink_to(".git/config")
    for path in ("specs/link.yaml", "folder", "folder/*.yaml", "environ.yaml", "git.yaml", ".git/config", ".."):
        code, out, summary, _ = action(repository, paths=path)
        assert (code, out, summary) == (2, "", ""), path
    code, out, summary, _ = action(repository, paths="specs\n*/*.yaml\n**/*.yaml")
    assert (code, out) == (0, "") and "hunter2" not in summary


PROFILES = """
import json, sys
from hypothesis import settings
import tests.conftest
searching = settings.get_profile(sys.argv[1])
print(json.dumps([(s.derandomize, s.deadline) for s in (settings.default, searching)]))
"""


@pytest.mark.parametrize("ci", [{}, {"CI": "true", "GITHUB_ACTIONS": "true"}])
def test_properties_are_the_same_in_every_run_and_others_every_night(ci: dict[str, str]) -> None:
    (searching,) = re.findall(
        r"--hypothesis-profile (\w+)", (ROOT / ".github/workflows/nightly.yml").read_text("utf-8")
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")} | ci
    process = subprocess.run(
        [sys.executable, "-c", PROFILES, searching], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == [[True, None], [False, None]]
