"""What a folder or a glob gives: ordinary files below it, whatever stands there, and what is passed over is told."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from convcalc.check import discover
from convcalc.check.config import config_of
from convcalc.check.discover import find_specs
from convcalc.findings import UsageError
from convcalc.language import read
from convcalc.language.declaration import declared, declares
from convcalc.marked import Source

from .command import run

GOOD = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [relu]\n"
SECRET = "convcalc: 1\npassword: hunter2\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config_of.cache_clear()
    work = tmp_path / "work"
    (work / "specs").mkdir(parents=True)
    (work / "specs" / "a.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "secret.yaml").write_text(SECRET, "utf-8")
    monkeypatch.chdir(work)
    return work


@pytest.fixture(params=[False, True], ids=["no repository", "repository"])
def repository(request: pytest.FixtureRequest, folder: Path) -> None:
    if request.param:
        subprocess.run(["git", "init", "-q"], check=True)


PATHS = ("specs", ".", "specs/*.yaml", "**/*.yaml", "s*/**/*.y*ml")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("target", ["../../secret.yaml", "/proc/self/environ", "../.git/config", "nowhere"])
def test_a_link_is_passed_over_and_told(path: str, target: str) -> None:
    Path("specs/link.yaml").symlink_to(target)
    done = run("check", path)
    assert (done.code, done.stdout) == (0, "The spec passed.\n")
    assert done.stderr == "passed over: specs/link.yaml is a symbolic link\n"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("path", PATHS)
def test_a_link_to_what_is_checked_is_not_told(path: str) -> None:
    Path("specs/link.yaml").symlink_to("a.yaml")
    assert run("check", path) == (0, "The spec passed.\n", "")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("path", PATHS)
def test_a_link_to_a_folder_elsewhere_is_passed_over_and_told(path: str, tmp_path: Path) -> None:
    Path("specs/more").symlink_to(tmp_path)
    done = run("check", path)
    assert (done.code, done.stdout) == (0, "The spec passed.\n")
    told = path != "specs/*.yaml"
    assert done.stderr == told * "passed over: specs/more is a symbolic link to a folder elsewhere\n"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("path", PATHS)
def test_links_that_go_round_end(path: str) -> None:
    for name in "abcdefgh":
        Path("specs", name).symlink_to(".")
        Path("specs", f"up{name}").symlink_to("..")
    assert run("check", path).stdout == "The spec passed.\n"


def test_many_stars_end() -> None:
    place = Path("specs")
    for _ in range(40):
        place = place / "d"
    place.mkdir(parents=True)
    (place / "b.yaml").write_text(GOOD, "utf-8")
    assert run("check", "**/" * 20 + "*.yaml").stdout == "All 2 specs passed.\n"


def test_a_folder_of_git_that_became_a_link_is_not_entered(tmp_path: Path) -> None:
    Path("specs/deep").mkdir()
    Path("specs/deep/secret.yaml").write_text(GOOD, "utf-8")
    for call in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *call], check=True)
    Path("specs/deep/secret.yaml").unlink()
    Path("specs/deep").rmdir()
    Path("specs/deep").symlink_to(tmp_path)
    done = run("check", "specs")
    assert (done.code, done.stdout) == (0, "The spec passed.\n") and "specs/deep is a symbolic link" in done.stderr


@pytest.mark.parametrize("path", ["specs", "specs/*.yaml"])
def test_what_is_no_file_is_passed_over_and_told(path: str) -> None:
    os.mkfifo("specs/fifo.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("specs/socket.yaml")
        done = run("check", path)
    assert (done.code, done.stdout) == (0, "The spec passed.\n")
    lines = done.stderr.splitlines()
    assert [line for line in lines if "is a FIFO" in line or "is a socket" in line or "is no ordinary file" in line]
    assert all(line.startswith("passed over: specs/") for line in lines)


def test_a_repository_inside_is_told() -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "init", "-q", "inner"], check=True)
    Path("inner/b.yaml").write_text(GOOD, "utf-8")
    assert run("check", ".").stderr == "passed over: inner/ is a repository of its own\n"


def test_large_files_are_read_in_part_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "SPEC_BYTES", 100)
    Path("specs/data.yaml").write_text("- 1\n" * 100, "utf-8")
    assert run("check", "specs").stderr == "passed over: specs/data.yaml is larger than 0 MiB\n"


def test_a_spec_that_is_too_large_is_a_finding() -> None:
    Path("specs/large.yaml").write_text(GOOD + "# filled\n" * (2 << 20), "utf-8")
    done = run("check", "specs")
    assert done.code == 1 and "specs/large.yaml:1:1: error CC004 larger than 8 MiB" in done.stdout


def test_many_notices_are_counted() -> None:
    for number in range(30):
        Path(f"specs/{number:02}.yaml").symlink_to("/nowhere")
    lines = run("check", "specs").stderr.splitlines()
    assert len(lines) == 21 and lines[-1] == "10 more files are passed over"
    assert run("check", "-q", "specs").stderr == ""


def test_a_named_link_is_read_and_a_named_pipe_is_not() -> None:
    Path("link.yaml").symlink_to("specs/a.yaml")
    Path("zero.yaml").symlink_to("/dev/zero")
    os.mkfifo("fifo.yaml")
    assert run("check", "link.yaml").code == 0
    for name, what in (("zero.yaml", "a device"), ("fifo.yaml", "a FIFO")):
        done = run("check", name)
        assert (done.code, done.stderr.splitlines()[0]) == (2, f"error: '{name}' is {what}, not a file")


def test_the_pipe_of_a_shell_is_read() -> None:
    read, write = os.pipe()
    os.write(write, GOOD.encode())
    os.close(write)
    for place in (f"/dev/fd/{os.dup(read)}", f"/proc/self/fd/{read}"):
        assert run("table", place).code == (0 if place.startswith("/dev") else 1)
    os.close(read)


@pytest.mark.slow
def test_a_deep_folder_is_walked(folder: Path) -> None:
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(folder)
    try:
        assert run("check", ".").stdout == "The spec passed.\n"
        assert run("check", "**/*.yaml").stdout == "The spec passed.\n"
    finally:
        subprocess.run(["rm", "-rf", "d"], check=True)


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "x" * 5000 + "*", "*\0", "*/" * 3000])
def test_what_is_no_path_is_a_wrong_call(path: str) -> None:
    done = run("check", path, "specs")
    assert (done.code, done.stdout) == (2, "The spec passed.\n") and "Traceback" not in done.stderr


def test_globs_are_the_shells() -> None:
    for name in ("specs/b.yml", "specs/.hidden.yaml", "specs/deep/c.yaml", "specs/.dark/d.yaml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(GOOD, "utf-8")

    def found(path: str) -> list[str]:
        return sorted(find_specs([path]).specs)

    assert found("specs/*.yaml") == ["specs/a.yaml"]
    assert found("./specs/?.y*ml") == ["./specs/a.yaml", "./specs/b.yml"]
    assert found("specs/**/*.yaml") == ["specs/a.yaml", "specs/deep/c.yaml"]
    assert found("*/.*.yaml") == ["specs/.hidden.yaml"]
    assert found("*/deep/*.yaml") == ["specs/deep/c.yaml"]
    assert found("s*/../specs/deep/*.yaml") == ["specs/../specs/deep/c.yaml"]
    assert found(str(Path.cwd() / "s*" / "[ab].y*")) == [str(Path.cwd() / "specs" / n) for n in ("a.yaml", "b.yml")]
    Path("specs/.hidden.yaml").unlink()
    assert found("spec*") == ["specs/a.yaml", "specs/b.yml", "specs/deep/c.yaml"], "a folder that is matched"


SPECS = [
    "convcalc: 1\n",
    '"convcalc": 1\n',
    "'convcalc' : 1\n",
    "\ufeffconvcalc: 1\n",
    "\ufeff'convcalc': 1\n",
    "? convcalc\n: 1\n",
    '"conv\\x63alc": 1\n',
    "---\nconvcalc: 1\n",
    "%YAML 1.1\n---\nconvcalc: 1\n",
    "name: x\ninput: [3, 8, 8]\nconvcalc: 1\n",
    "{name: x, convcalc: 1}\n",
    "  convcalc: 1\n  name: x\n",
    "!!map\nconvcalc: 1\n",
    "a: &k convcalc\n*k : 1\n",
    "# filled\n" * 20_000 + "convcalc: 1\n",
    "convcalc: 1\ninput: [3, 8\n",
    "input: [3, 8\nconvcalc: 1\n",
]
NO_SPECS = [
    "",
    "a: 1\n",
    "services:\n  convcalc: 1\n",
    "services: {convcalc: 1}\n",
    "- convcalc: 1\n",
    "convcalc\n",
    "text: |\n  convcalc: 1\n",
    "name: 'convcalc: 1'\n",
    "# convcalc: 1\n",
    "[convcalc, 1]\n",
    "image: convcalc\n",
]


@pytest.mark.parametrize("text", SPECS)
def test_what_the_parser_finds_the_key_in_is_a_spec(text: str) -> None:
    assert declares(Source(text.removeprefix("\ufeff"))) and declared(text.encode(), "a.yaml")
    Path("specs/b.yml").write_text(text, "utf-8")
    assert find_specs(["specs"]).specs == ["specs/a.yaml", "specs/b.yml"]


@pytest.mark.parametrize("text", NO_SPECS)
def test_what_else_holds_the_word_is_none(text: str) -> None:
    assert not declares(Source(text)) and not declared(text.encode(), "a.yaml")
    Path("specs/b.yml").write_text(text, "utf-8")
    assert find_specs(["specs"]).specs == ["specs/a.yaml"]


def test_the_search_for_the_key_is_bounded() -> None:
    started = time.process_time()
    assert not declares(Source("{x: [" + "[]," * 5_000_000 + "convcalc]}"))
    assert declares(Source("x:\n" + "- a\n" * 3_000_000 + "convcalc: 1\n"))
    assert not declares(Source("{x: " + "[" * 3_000_000 + "convcalc"))
    assert time.process_time() - started < 15


def test_what_is_no_text_is_a_spec_where_it_says_so() -> None:
    assert declared(b"convcalc: 1\nname: \xff\n", "a.yaml") and not declared(b"name: \xff\n", "a.yaml")


@pytest.mark.parametrize("path", ["\ud800", "\ud800/*", "specs/\ud800*", "a\0b"])
def test_what_no_file_can_be_called_is_told(path: str) -> None:
    """Arguments of the command line are names of files; those of a function need not be."""
    found = find_specs([path, "specs"])
    assert "specs/a.yaml" in found.specs
    assert found.errors or read_fails(path)


def read_fails(path: str) -> bool:
    with pytest.raises(UsageError, match="is no path"):
        read(path)
    return True


def test_a_link_that_may_not_be_read_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of /proc to the folders of other processes are."""
    Path("specs/secret.yaml").symlink_to("/proc/1/cwd")
    readlink = os.readlink

    def refuse(path: str, *more: int) -> str:
        if path.endswith("/cwd"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return readlink(path)

    monkeypatch.setattr(os, "readlink", refuse)
    for path in ("specs", "specs/*"):
        found = find_specs([path])
        assert found.specs == ["specs/a.yaml"] and not found.errors
        assert found.passed_over == ["specs/secret.yaml is a symbolic link"]


def test_globs_have_the_separators_of_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "altsep", "\\")  # there the other two are exchanged
    assert find_specs(["specs\\*.yaml"]).specs == find_specs(["specs/*.yaml"]).specs == ["specs/a.yaml"]
    monkeypatch.setattr(os.path, "splitdrive", lambda path: (path[:2], path[2:]) if path[1:2] == ":" else ("", path))
    Path("d:").mkdir()
    Path("d:/b.yaml").write_text(GOOD, "utf-8")
    assert find_specs(["d:\\*.yaml"]).specs == ["d:/b.yaml"]


def test_a_folder_that_is_misspelt_is_named() -> None:
    done = run("check", "spec")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "error: there is no file or folder 'spec'\n  hint: did you mean the folder 'specs'?\n"
    Path("lenet5s").mkdir()
    Path("net").mkdir()
    assert run("check", "lenet5").code == 0, "a name of the gallery"
    assert "folder" not in run("check", "./net.py:Net").stderr, "a model in code"
