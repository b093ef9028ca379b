"""Files are written whole or not at all, and what the system refuses is a sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from convcalc.files import NotRegular, read_regular, sentence, taken, write
from tests.command import run

SPEC = b"convcalc: 1\nname: tiny\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 3}}, relu]\n"


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new", b"text")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"text"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    assert left(tmp_path) == ["new"]


def test_what_stands_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    (tmp_path / "nowhere").symlink_to("missing")
    for name in ("old", "link", "nowhere"):
        assert taken(tmp_path / name)
        with pytest.raises(FileExistsError):
            write(tmp_path / name, b"new")
    assert (tmp_path / "old").read_text() == "old"
    assert left(tmp_path) == ["link", "nowhere", "old"]


def test_overwriting_keeps_the_link_and_the_mode(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o604)
    (tmp_path / "link").symlink_to("old")
    write(tmp_path / "link", b"new", overwrite=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "old").read_bytes() == b"new"
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o604


def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "net.py"
    monkeypatch.setattr(os, "fsync", lambda descriptor: target.write_text("theirs"))
    with pytest.raises(FileExistsError):
        write(target, b"ours")
    assert target.read_text() == "theirs" and left(tmp_path) == ["net.py"]


@pytest.mark.parametrize("came", [False, True])
def test_a_file_system_without_hard_links(came: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "net.py"

    def no_links(written: Path, name: Path) -> None:
        if came:
            target.write_text("theirs")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    if came:
        with pytest.raises(FileExistsError):
            write(target, b"ours")
    else:
        write(target, b"ours")
    assert target.read_text() == ("theirs" if came else "ours") and left(tmp_path) == ["net.py"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("export", "-", "--to", "torch", "-o", str(tmp_path / "net.py"), data=SPEC)
    assert (done.code, done.stderr) == (2, f"error: no space is left to write {files_name(tmp_path / 'net.py')}\n")
    assert left(tmp_path) == []


def files_name(path: Path) -> str:
    """A path as messages show it."""
    text = str(path)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def test_two_writers_leave_one_whole_file(tmp_path: Path) -> None:
    target, ended = tmp_path / "net.py", []

    def one(letter: bytes) -> None:
        try:
            write(target, letter * 100_000)
            ended.append(letter)
        except FileExistsError:
            pass

    writers = [threading.Thread(target=one, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(ended) == 1 and target.read_bytes() == ended[0] * 100_000 and left(tmp_path) == ["net.py"]


def test_the_standard_streams_by_their_paths(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("kept\n")
    command = f"{sys.executable} -m convcalc export - --to dot -o /dev/stdout >> {log}"
    for _ in range(2):
        subprocess.run(["bash", "-c", command], input=SPEC, check=True, timeout=60)
    text = log.read_text()
    assert text.startswith("kept\n") and text.count('digraph "tiny"') == 2


def test_devices_and_pipes_are_written_as_they_are(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert run("export", "-", "--to", "dot", "-o", str(pipe), data=SPEC).code == 0
    reader.join(10)
    assert 'digraph "tiny"' in read[0] and pipe.is_fifo()
    assert run("export", "-", "--to", "dot", "-o", "/dev/null", data=SPEC).code == 0
    full = run("export", "-", "--to", "dot", "-o", "/dev/full", data=SPEC)
    assert (full.code, full.stderr) == (2, "error: no space is left to write '/dev/full'\n")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere/net.py", "the folder of 'nowhere/net.py' does not exist"),
        ("folder", "'folder' is a directory, not a file"),
        ("folder/", "--output takes a file, not 'folder/'"),
        ("", "--output takes a file, not ''"),
        ("old/net.py", "'old/net.py' goes through something that is no directory"),
        ("loop", "'loop' is a symbolic link that leads in a circle"),
        ("n" * 300, f"'{'n' * 57}...' is too long for a path"),
        ("old", "'old' exists already\n  hint: --force overwrites it"),
        ("link", "'link' is a symbolic link to 'missing'\n  hint: --force writes the file behind it"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(
    target: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("old").write_text("old")
    Path("loop").symlink_to("loop")
    Path("link").symlink_to("missing")
    before = left(tmp_path)
    for command in (["export", "-", "--to", "torch"], ["schema"], ["invert", "alexnet"], ["import", "net.onnx"]):
        done = run(*command, "-o", target, data=SPEC)
        if command[0] == "import" and "net.onnx" in done.stderr:
            continue  # what cannot be written at all is said when it is written
        assert (done.code, done.stdout) == (2, "") and done.stderr.startswith(f"error: {message}"), command
    assert left(tmp_path) == before and Path("old").read_text() == "old"


def test_force_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for command in (["export", "-", "--to", "torch"], ["schema"], ["invert", "alexnet"]):
        target.write_text("old")
        assert run(*command, "-o", str(target), data=SPEC).code == 2
        assert run(*command, "-o", str(target), "--force", data=SPEC).code == 0
        assert target.read_text() != "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run("export", "-", "--to", "torch", "-o", str(tmp_path / "net.py"), data=SPEC)
    tmp_path.chmod(0o700)
    assert (done.code, done.stderr) == (2, f"error: no permission to write {files_name(tmp_path / 'net.py')}\n")


def test_no_temporary_name_is_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".net.py.x7"))

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PermissionError) as caught:
        write(tmp_path / "net.py", b"")
    assert caught.value.filename == str(tmp_path / "net.py")


@pytest.mark.parametrize("call", ["open", "fsync", "link", "replace"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_no_file_behind(
    call: str, overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    does = getattr(os, call)

    def interrupted(*arguments: object, **options: object) -> None:
        does(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupted)
    if (call, overwrite) not in (("link", True), ("replace", False)):  # which of them gives the name
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "net.py", b"text", overwrite=overwrite)
    assert left(tmp_path) == (["net.py"] if (tmp_path / "net.py").exists() else [])


@pytest.mark.parametrize("number", sorted(errno.errorcode))
@pytest.mark.parametrize("doing", ["read", "write", "run"])
def test_every_error_of_the_system_is_a_sentence(number: int, doing: str) -> None:
    said = sentence(OSError(number, os.strerror(number)), doing, "'net.py'")  # type: ignore[arg-type]
    assert "'net.py'" in said and "Errno" not in said and str(number) not in said


def test_an_error_without_a_number() -> None:
    assert sentence(OSError("No room"), "write", "'x'") == "cannot write 'x': no room"
    assert sentence(OSError(), "read", "'x'") == "cannot read 'x': the system refused"


def test_what_has_nothing_to_read_yet_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc/kmsg says that it is an ordinary file, and gives nothing until something happens."""
    path = tmp_path / "kmsg"
    path.touch()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    fstat = os.fstat
    monkeypatch.setattr(os, "open", lambda *_: reading)
    monkeypatch.setattr(os, "fstat", lambda descriptor: path.stat() if descriptor == reading else fstat(descriptor))
    with pytest.raises(NotRegular, match="it is a stream"):
        read_regular(str(path), 10)
    os.close(writing)
