"""`convcalc check --update`: present values go into the text, everything else stays as it is."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from convcalc.check import update as update_module

from .command import run

SPEC = """\
convcalc: 1
input: [3, 32, 32]        # RGB
params: {classes: 10}
layers:
  - {conv2d: {out: 16, k: 3, s: 2, p: 1}, name: conv1}
  - {global_avg_pool: {}, name: pool}
  - flatten
  - {linear: {out_features: classes}, name: fc}
"""
CLAIMS = """\
expect:            # what the paper says
  - params: 1      # all
    macs: "1.0M ± 1%"     # about
    flops: '7'
    weights: <= 1
    output: [7, 7]  # shape
    buffers:
    depth: ~       # none yet
    stages: {conv1: {output: [1,
      2], kind: relu, patch: 1×1/1}, fc: {params: 5}}
  - {with: {classes: 100}, params: 3}
"""
UPDATED = """\
expect:            # what the paper says
  - params: 618      # all
    macs: "110752 ± 1%"     # about
    flops: '229706'
    weights: <= 1
    output: [10]  # shape
    buffers: 0
    depth: 2       # none yet
    stages: {conv1: {output: [16, 16, 16], kind: 'conv2d', patch: '3×3/2'}, fc: {params: 170}}
  - {with: {classes: 100}, params: 2148}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "a.yaml"


def update(path: Path, text: str) -> tuple[int, str]:
    path.write_bytes(text.encode("utf-8"))
    code = run("check", "--update", "--quiet", path.name).code
    return code, path.read_bytes().decode("utf-8")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_values_are_written_in_place(path: Path, ends: str, bom: str) -> None:
    given, wanted = (bom + (SPEC + claims).replace("\n", ends) for claims in (CLAIMS, UPDATED))
    code, text = update(path, given)
    assert text == wanted.replace(f"1,{ends}      2", "16")
    assert code == 1, "the bound stays, and fails"
    assert update(path, text)[1] == text


def test_nothing_to_do_writes_nothing(path: Path) -> None:
    path.write_text(SPEC + "expect: {params: 618}\n", "utf-8")
    before, text = path.stat(), path.read_bytes()
    assert run("check", "--update", "a.yaml").code == 0
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert path.read_bytes() == text


def test_the_mode_of_the_file_stays(path: Path) -> None:
    path.write_text(SPEC + "expect: {params: 1}\n", "utf-8")
    path.chmod(0o640)
    done = run("check", "--update", "a.yaml")
    assert (done.code, done.stderr) == (0, "a.yaml: 1 value written\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == ["a.yaml"]


def test_a_link_is_followed(path: Path) -> None:
    path.write_text(SPEC + "expect: {params: 1}\n", "utf-8")
    link = path.parent / "link.yaml"
    link.symlink_to(path)
    assert run("check", "--update", "link.yaml").code == 0
    assert link.is_symlink() and "params: 618" in path.read_text("utf-8")


def test_shared_values_are_left(path: Path) -> None:
    text = SPEC + "expect: {params: &n 1, macs: *n}\n"
    assert update(path, text) == (1, text)


def test_an_edit_that_breaks_the_spec_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SPEC + "expect: {params: 1}\n"
    monkeypatch.setattr(update_module, "say_plain", lambda value: "}")
    monkeypatch.setattr(update_module, "with_number", lambda text, value: "}")
    assert update(path, text) == (2, text)
    assert [p.name for p in path.parent.iterdir()] == ["a.yaml"]


def test_a_spec_that_does_not_build_is_left(path: Path) -> None:
    text = SPEC.replace("k: 3", "k: 99") + "expect: {params: 1}\n"
    assert update(path, text) == (1, text)


def test_standard_input_cannot_be_updated() -> None:
    assert run("check", "--update", "-", data=SPEC.encode()).code == 2


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SPEC + CLAIMS)

    def denied(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".net.yaml.k2"))

    monkeypatch.setattr("os.fsync", denied)
    monkeypatch.chdir(tmp_path)
    done = run("check", "--update", "net.yaml")
    assert done.code == 2 and "error: no permission to write 'net.yaml'\n" in done.stderr
    assert path.read_text() == SPEC + CLAIMS
