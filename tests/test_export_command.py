"""`convcalc export`: targets, options, files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.command import run

SPEC = b"convcalc: 1\nname: tiny\ninput: [3, 8, 8]\nparams: {out: 4}\nlayers: [{conv2d: {out: out, k: 3}}, relu]\n"
WORDS = {
    "torch": "nn.Conv2d(3, 4, kernel_size=3)",
    "keras": "layers.Conv2D(4, kernel_size=3",
    "mermaid": "flowchart TD",
    "dot": 'digraph "tiny"',
    "svg": "<svg ",
}


@pytest.mark.parametrize("target", WORDS)
def test_text_goes_to_standard_output(target: str) -> None:
    done = run("export", "-", "--to", target, data=SPEC)
    assert (done.code, done.stderr) == (0, "")
    assert WORDS[target] in done.stdout
    assert done.stdout.endswith("\n") and not done.stdout.endswith("\n\n")


def test_a_spec_is_read_under_the_usual_options() -> None:
    done = run("export", "-", "--to", "torch", "--set", "out=6", "--input", "1,9,9", data=SPEC)
    assert "nn.Conv2d(1, 6, kernel_size=3)" in done.stdout and "# [6, 7, 7]" in done.stdout
    assert "class ResNet(" in run("export", "resnet", "--variant", "resnet18", "--to", "torch").stdout


@pytest.mark.parametrize(("options", "initial"), [([], False), (["--weights", "seeded"], True)])
def test_onnx_goes_to_a_file_or_a_pipe(options: list[str], initial: bool, tmp_path: Path) -> None:
    target = tmp_path / "tiny.onnx"
    assert run("export", "-", "--to", "onnx", "-o", str(target), *options, data=SPEC).code == 0
    model = onnx.load(str(target))
    onnx.checker.check_model(model)
    assert ("conv2d.weight" in {tensor.name for tensor in model.graph.initializer}) is initial
    piped = subprocess.run(
        [sys.executable, "-m", "convcalc", "export", "-", "--to", "onnx", *options], input=SPEC, capture_output=True
    )
    assert piped.stdout == target.read_bytes()


def test_seeds_tell_weights_apart(tmp_path: Path) -> None:
    written = []
    for number, seed in enumerate(("1", "1", "2")):
        target = tmp_path / f"{number}.onnx"
        run("export", "-", "--to", "onnx", "--weights", "seeded", "--seed", seed, "-o", str(target), data=SPEC)
        written.append(target.read_bytes())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "torch", "--by", "layer"], "--by goes with mermaid, dot, svg, not with torch"),
        (["--to", "svg", "--weights", "zero"], "--weights and --seed go with onnx, not with svg"),
        (["--to", "onnx", "--seed", "1"], "--seed goes with --weights seeded"),
        (["--to", "dot", "-o", "nowhere/at/all.dot"], "the folder of 'nowhere/at/all.dot' does not exist"),
        (["--to", "pytorch"], "--to takes torch, keras, onnx, mermaid, dot, svg or arena, not 'pytorch'"),
        ([], "export needs --to"),
    ],
)
def test_a_wrong_call_is_code_2(arguments: list[str], message: str) -> None:
    done = run("export", "-", *arguments, data=SPEC)
    assert done.code == 2 and message in done.stderr and done.stdout == ""


def test_what_a_target_cannot_say_is_code_2(tmp_path: Path) -> None:
    target = tmp_path / "kept.py"
    target.write_text("kept")
    spec = b"{convcalc: 1, input: [3, 8, 8], layers: [{unfold: {k: 2}, name: columns}]}"
    done = run("export", "-", "--to", "keras", "-o", str(target), "--force", data=spec)
    assert (done.code, done.stderr) == (
        2,
        "error: keras cannot say columns (unfold): Keras has no layer that writes windows out as columns\n",
    )
    assert target.read_text() == "kept"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The file behind a link is replaced, with its permissions; no other file is left behind."""
    target, link = tmp_path / "net.py", tmp_path / "link.py"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert run("export", "-", "--to", "torch", "-o", str(link), "--force", data=SPEC).code == 0
    assert link.is_symlink() and "class Tiny(" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.py", "net.py"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "net.py"
    target.write_text("old")

    def fail(self: Path, other: Path) -> None:
        raise OSError("no room")

    monkeypatch.setattr(Path, "replace", fail)
    done = run("export", "-", "--to", "torch", "-o", str(target), "--force", data=SPEC)
    assert done.code == 2 and "no room" in done.stderr
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


@pytest.mark.parametrize(
    ("name", "start"), [("n.svg", b"<svg"), ("n.onnx", b"\x08"), ("n.dot", b"digraph"), ("n.mmd", b"flow")]
)
def test_the_suffix_of_the_file_says_what_is_written(name: str, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    assert run("export", "lenet5", "-o", str(path)).code == 0
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("name", "to", "told"),
    [
        ("n.png", "svg", "--to svg writes no .png\n  hint: name the file .svg"),
        ("n.svg", "onnx", "--to onnx writes no .svg\n  hint: name the file .onnx"),
        ("n.py", "", "export needs --to"),
        ("n.pt", "", "export needs --to"),
    ],
)
def test_a_file_that_would_say_something_else(name: str, to: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    done = run("export", "lenet5", "-o", str(path), *(["--to", to] if to else []))
    assert (done.code, path.exists()) == (2, False) and told in done.stderr
