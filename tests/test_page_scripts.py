"""The built scripts of the page are those that their sources give, and carry the licences of what they bundle."""

from __future__ import annotations

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "web" / "report"
SCRIPTS = ROOT / "convcalc" / "page" / "scripts"
HASHES = json.loads((SCRIPTS / "hashes.json").read_text("utf-8"))


def test_every_built_file_has_its_hash() -> None:
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in SCRIPTS.iterdir()}
    del found["hashes.json"]
    assert HASHES["files"] == found


def test_packages_are_locked_and_licensed() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))
    licences = (SCRIPTS / "LICENSES.txt").read_text("utf-8")
    assert HASHES["packages"]
    for name, package in HASHES["packages"].items():
        locked = lock["packages"][f"node_modules/{name}"]
        assert (locked["version"], locked["integrity"]) == (package["version"], package["integrity"])
        assert f"{name} {package['version']} ({package['licence']})" in licences


def test_versions_are_exact_and_no_registry_is_named() -> None:
    package = json.loads((SOURCES / "package.json").read_text("utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(version.replace(".", "").isdecimal() for version in versions)
    assert "resolved" not in (SOURCES / "package-lock.json").read_text("utf-8")


@pytest.mark.slow
def test_the_sources_give_the_built_files(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    sources = tmp_path / "web" / "report"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("node_modules"))
    built = tmp_path / "convcalc" / "page" / "scripts"
    built.mkdir(parents=True)
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *command], cwd=sources, check=True, capture_output=True, timeout=300)
    for path in SCRIPTS.iterdir():
        assert (built / path.name).read_bytes() == path.read_bytes(), path.name
