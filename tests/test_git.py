"""Git is asked about hostile repositories, and runs nothing of theirs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from convcalc import git

from .command import run
from .module_imports import PACKAGE

SPEC = "convcalc: 1\nname: Net\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 3}}]\n"
NOWHERE = "1234567890123456789012345678901234567890"


def plain(*arguments: str, at: Path) -> None:
    """Git as anyone calls it; whether it fails is of no interest."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", *identity, *arguments], cwd=at, env=environment, capture_output=True, timeout=60)


def repository(at: Path) -> Path:
    """A repository with one commit of one spec."""
    at.mkdir(parents=True)
    (at / "a.yaml").write_text(SPEC, "utf-8")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "one")):
        plain(*arguments, at=at)
    return at


def program(mark: Path) -> Path:
    """A program that leaves a mark."""
    path = mark.parent / "program"
    path.write_text(f'#!/bin/sh\ntouch "{mark}"\nexit 1\n')
    path.chmod(0o755)
    return path


def add_settings(folder: Path, text: str) -> None:
    with (folder / "config").open("a") as file:
        file.write(text)


def promise(data: Path, url: str, mark: Path) -> None:
    """A remote that is said to have what is missing, and an index and a branch that miss something."""
    run_this = program(mark)
    add_settings(data, "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = evil\n")
    add_settings(data, f'[remote "evil"]\n\tpromisor = true\n\turl = {url}\n\tuploadpack = {run_this}\n')
    add_settings(data, f"[core]\n\tsshCommand = {run_this}\n\tgitProxy = {run_this}\n")
    for name in ("notes", "more.txt"):
        Path(top_of(data), name).write_text("what nobody added makes git look for what is ignored\n")
    line = f"100644 {NOWHERE} 0\t.gitignore\n".encode()
    call = ["git", "-c", "safe.bareRepository=all", f"--git-dir={data}"]
    subprocess.run([*call, "update-index", "--index-info"], input=line, check=True, cwd=data)
    subprocess.run([*call, "update-index", "--skip-worktree", ".gitignore"], check=True, cwd=data)
    (data / "refs" / "heads" / "gone").write_text(NOWHERE + "\n")


def top_of(data: Path) -> Path:
    """The folder whose files a repository is about."""
    return data.parent if data.name == ".git" else data if data.name == "specs" else data.parent / "top" / "specs"


def bare(top: Path, mark: Path) -> Path:
    """A bare repository among the files of a folder of an honest one: all of it can be committed."""
    folder = top / "specs"
    folder.mkdir()
    (folder / "a.yaml").write_text(SPEC, "utf-8")
    plain("init", "-q", "--bare", ".", at=folder)
    add_settings(folder, f"[core]\n\tbare = false\n\tworktree = {folder}\n")
    promise(folder, str(top), mark)
    return folder


def nested(url: str) -> Callable[[Path, Path], Path]:
    def plant(top: Path, mark: Path) -> Path:
        folder = repository(top / "specs")
        promise(folder / ".git", url.replace("PROGRAM", str(program(mark))), mark)
        return folder

    return plant


def elsewhere(top: Path, mark: Path) -> Path:
    """A file `.git` that names a repository somewhere else."""
    folder = repository(top / "specs")
    (folder / ".git").rename(top.parent / "elsewhere")
    (folder / ".git").write_text(f"gitdir: {top.parent / 'elsewhere'}\n")
    promise(top.parent / "elsewhere", str(top), mark)
    return folder


def configured(text: str, attributes: str = "") -> Callable[[Path, Path], Path]:
    """A repository whose configuration names programs."""

    def plant(top: Path, mark: Path) -> Path:
        folder = repository(top / "specs")
        add_settings(folder / ".git", text.replace("PROGRAM", str(program(mark))))
        (folder / ".gitattributes").write_text(attributes)
        (folder / "a.yaml").write_text(SPEC.replace("out: 8", "out: 16"), "utf-8")
        return folder

    return plant


def hooked(top: Path, mark: Path) -> Path:
    """A repository with hooks, some of them where the configuration says."""
    folder = repository(top / "specs")
    for hooks in (folder / ".git" / "hooks", folder / ".git" / "more"):
        hooks.mkdir(exist_ok=True)
        for name in ("post-index-change", "post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
            (hooks / name).symlink_to(program(mark))
    add_settings(folder / ".git", f"[core]\n\thooksPath = {folder / '.git' / 'more'}\n")
    return folder


class Attack(NamedTuple):
    """How a hostile folder is made below an honest repository, and the plain call that it is made for."""

    plant: Callable[[Path, Path], Path]
    call: tuple[str, ...]


LIST = ("ls-files", "--cached", "--others", "--exclude-standard")
ATTACKS = {
    "a bare repository": Attack(bare, LIST),
    "a repository that promises": Attack(nested("/"), LIST),
    "a promise over ssh": Attack(nested("ssh://nobody@localhost/x"), LIST),
    "a promise through git": Attack(nested("git://localhost/x"), LIST),
    "a promise of a helper": Attack(
        nested("ext::PROGRAM"), ("-c", "protocol.ext.allow=always", "cat-file", "-e", NOWHERE)
    ),
    "a file named .git": Attack(elsewhere, LIST),
    "a monitor of files": Attack(configured("[core]\n\tfsmonitor = PROGRAM\n"), LIST),
    "a program that compares": Attack(configured("[diff]\n\texternal = PROGRAM\n"), ("diff",)),
    "a program that turns into text": Attack(
        configured('[diff "d"]\n\ttextconv = PROGRAM\n', "*.yaml diff=d\n"), ("diff",)
    ),
    "a filter": Attack(
        configured('[filter "f"]\n\tclean = PROGRAM\n\tsmudge = PROGRAM\n', "*.yaml filter=f\n"), ("diff",)
    ),
    "a pager": Attack(configured("[core]\n\tpager = PROGRAM\n[pager]\n\tls-files = PROGRAM\n"), ("-p", "log")),
    "hooks": Attack(hooked, ("checkout", "-q", "-b", "other")),
}


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = repository(tmp_path / "top")
    monkeypatch.chdir(found)
    return found


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
@pytest.mark.slow
def test_no_command_of_a_checked_folder_runs(attack: Attack, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = top.parent / "mark"
    folder = attack.plant(top, mark)
    mark.unlink(missing_ok=True)
    for call in (("check", "specs"), ("check", "specs/*.yaml"), ("check", "sp*/**/*.yaml"), ("check", ".")):
        assert run(*call).code == 0, call
    monkeypatch.chdir(folder)
    assert run("check").code == 0
    for revision in ("main", "gone", NOWHERE, "gone:a.yaml^"):
        run("diff", f"git:{revision}:a.yaml", "a.yaml")
        run("table", f"git:{revision}:./a.yaml")
        run("check", "--base", revision)
    assert not mark.exists(), "a command of the folder ran"


PROVEN = [name for name in ATTACKS if name not in ("a promise through git", "a pager", "a promise of a helper")]
"""Attacks that need no network, no terminal and no setting of the user's."""


@pytest.mark.parametrize("name", PROVEN)
def test_the_attacks_are_attacks(name: str, top: Path) -> None:
    mark = top.parent / "mark"
    folder = ATTACKS[name].plant(top, mark)
    mark.unlink(missing_ok=True)
    plain(*ATTACKS[name].call, at=folder)
    assert mark.exists(), "plain git runs the command: this is what is guarded against"


def test_git_of_the_checked_folder_is_not_run(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = top.parent / "mark"
    program(mark).rename(top / "git")
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", os.environ["PATH"]]))
    assert run("check", ".").code == 0 and not mark.exists()


def test_variables_that_name_another_repository_do_not_count(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / ".gitignore").write_text("b.yaml\n")
    (top / "b.yaml").write_text("convcalc: 2\n")
    monkeypatch.setenv("GIT_DIR", str(top.parent / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nothing")
    assert run("check", ".") == (0, "The spec passed.\n", "")


def test_a_git_that_hangs_is_ended(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = top.parent / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 100 & sleep 100\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(slow.parent), os.environ["PATH"]]))
    monkeypatch.setattr(git, "GIT_SECONDS", 0.2)
    with pytest.raises(git.GitFailed, match=r"longer than 0\.2 seconds"):
        git.unignored(".")
    done = run("check", ".")
    assert done.code == 0
    assert done.stderr == "passed over: . is read without its .gitignore: git took longer than 0.2 seconds\n"


def test_without_git_folders_are_walked(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert run("check", ".") == (0, "The spec passed.\n", "")
    done = run("table", "git:main:a.yaml")
    assert (done.code, done.stdout) == (2, "") and "git is not installed" in done.stderr


def test_what_git_says_is_bounded(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "GIT_BYTES", 3)
    with pytest.raises(git.GitFailed, match="more than 3 bytes"):
        git.unignored(".")
    commit = git.commit_of("main")
    assert git.content_of(commit, "./a.yaml", 10) == SPEC.encode()[:11]


@pytest.mark.parametrize(
    "revision", ["*", "A..B", "HEAD..HEAD", "HEAD^@", "HEAD^{tree}", "--help", "-x", "none", "@{9}"]
)
def test_what_is_no_revision_is_a_wrong_call(revision: str, top: Path) -> None:
    done = run("diff", f"git:{revision}:a.yaml", "a.yaml")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: git knows no revision '{revision}': ")


@pytest.mark.parametrize(("path", "reason"), [("none.yaml", "there is no such file in it"), ("./", "it is a folder")])
def test_what_a_revision_does_not_have_is_a_wrong_call(path: str, reason: str, top: Path) -> None:
    done = run("table", f"git:main:{path}")
    assert (done.code, done.stderr) == (2, f"error: git cannot show '{path}' of 'main': {reason}\n")


def users_of_processes() -> dict[str, set[str]]:
    """Module -> how it starts other programs."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        if "copied" in path.parts:
            continue
        text = path.read_text("utf-8")
        if not re.search(r"\b(os|subprocess|pty|asyncio)\b", text):
            continue
        for node in ast.walk(ast.parse(text)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                names = [f"os.{node.attr}"]
            for name in names:
                starts = name.startswith(("os.exec", "os.spawn", "os.posix_spawn", "os.popen", "os.system", "os.fork"))
                if starts or name.split(".")[0] in ("subprocess", "pty", "asyncio"):
                    found.setdefault(path.relative_to(PACKAGE).as_posix(), set()).add(name)
    return found


def test_programs_are_git_the_pager_and_python_itself() -> None:
    homes = (
        "git.py",
        "keras/h5.py",
        "onnx/inference.py",
        "render/streams.py",
        "serve/reading.py",
        "sweep/processes.py",
    )
    assert users_of_processes() == {home: {"subprocess"} for home in homes}


def test_revisions_are_named_as_one_types_them(top: Path) -> None:
    plain("tag", "v1", at=top)
    plain("branch", "side/way", at=top)
    assert git.revisions() == ["main", "side/way", "v1"]
