"""The texts that are committed: whole, and about the project alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINARY = (".png", ".gif", ".gz", ".npz", ".onnx", ".keras", ".h5", ".pt2", ".zip", ".pb", ".woff2", ".ico")
MARKERS = re.compile(r"^(?:<{7} |>{7} |={7}$)", re.MULTILINE)
"""What git leaves where two versions could not be merged."""


def texts() -> list[Path]:
    """The committed files that are read as text; none where there is no repository, as in an unpacked archive."""
    if not (ROOT / ".git").exists():
        return []
    call = ("git", "-C", str(ROOT), "ls-files", "-z")
    names = subprocess.run(call, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and not name.endswith(BINARY)]


def test_no_file_is_half_merged() -> None:
    found = texts()
    if not found:
        pytest.skip("there is no repository")
    assert [str(path) for path in found if path.exists() and MARKERS.search(path.read_text("utf-8", "replace"))] == []


def test_markers_are_found() -> None:
    for line in ("<<<<<<< HEAD", "=======", ">>>>>>> other"):
        assert MARKERS.search(f"one\n{line}\ntwo\n")
    assert not MARKERS.search("Title\n========\nx = '======='\n")
