"""Builds the playground: a folder of static files in which convcalc runs in the browser, with nothing from elsewhere.

    python -m tools.playground --out site

Scripts and the Python of the browser come from npm in the versions of `web/playground/package-lock.json`, packages of
Python from PyPI with the hashes of `web/playground/wheels.json`, convcalc from this folder. That Python compiles them
here, so that no browser has to. What was fetched stays in `build/playground`, so that a second build fetches nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from convcalc.analysis.gallery import read_index
from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.language.json_schema import language_schema
from convcalc.language.sources import gallery_path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "web" / "playground"
CACHE = ROOT / "build" / "playground"
DIAGRAM = ROOT / "convcalc" / "page"
DATE = (2020, 1, 1, 0, 0, 0)
"""Of every file in the archive of packages, so that equal sources give equal bytes."""
NATIVE = (".so", ".pyd")
LEFT_OUT = ("pydantic/v1/", "pydantic/mypy.py")
"""Of the packages, what convcalc does not import."""
POLICY = (
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval' {diagram}",
    "style-src 'self'",
    "img-src data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
)
"""The page's scripts and files, the diagram's script by its hash, the worker that lays it out; and nothing else."""


class BuildError(Exception):
    """What is missing, or is not what was recorded."""


class Wheel(NamedTuple):
    """A package of PyPI: its version, the hash of the file, and for which machine the file is where it is not pure."""

    name: str
    version: str
    sha256: str
    platform: str = ""
    abi: str = ""


def wheels() -> tuple[str, list[Wheel]]:
    """The version of Python in the browser, and the packages that convcalc needs there."""
    recorded = json.loads((SOURCES / "wheels.json").read_text("utf-8"))
    return recorded["python"], [Wheel(**each) for each in recorded["wheels"]]


def run(*command: str, where: Path = ROOT) -> None:
    """Run a program. Raises BuildError where it fails or does not exist."""
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BuildError(f"there is no program {command[0]}") from None
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def fetched(wheel: Wheel, python: str, folder: Path) -> Path:
    """The file of a package, fetched where it is not there yet. Raises BuildError where its bytes are others."""
    place = folder / wheel.sha256
    found = next(place.glob("*.whl"), None) if place.is_dir() else None
    if found is None:
        place.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        if wheel.platform:
            command += ["--platform", wheel.platform, "--abi", wheel.abi, "--implementation", "cp"]
            command += ["--python-version", python]
        run(*command, "--dest", str(place), f"{wheel.name}=={wheel.version}")
        found = next(place.glob("*.whl"))
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != wheel.sha256:
        found.unlink()
        raise BuildError(f"{found.name} has the hash {digest}, recorded is {wheel.sha256}")
    return found


def entries(path: Path, wheel: Wheel | None) -> Iterator[tuple[str, bytes]]:
    """The files of a wheel that the browser needs: what is compiled only where it is compiled for the browser."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            native = info.filename.endswith(NATIVE) and (wheel is None or "emscripten" not in wheel.platform)
            if not info.is_dir() and not native:
                yield info.filename, archive.read(info)


def imported(name: str) -> bool:
    """Whether a file of a package is one that an import can need.

    >>> [name for name in ("a/b.py", "a.dist-info/METADATA", "pydantic/v1/main.py", "a/c.pyi") if imported(name)]
    ['a/b.py']
    """
    return ".dist-info/" not in name and not name.startswith(LEFT_OUT) and not name.endswith(".pyi")


def pack(target: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """One archive of all packages, the same bytes for the same files."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files):
            if not imported(name):
                continue
            archive.writestr(zipfile.ZipInfo(name, DATE), data, zipfile.ZIP_DEFLATED)


def own_wheel(folder: Path) -> Path:
    """The wheel of this folder's convcalc."""
    shutil.rmtree(folder, ignore_errors=True)
    here = ["--no-isolation"] if find_spec("hatchling") is not None else []
    run(sys.executable, "-m", "build", "--wheel", *here, "--outdir", str(folder), ".")
    return next(folder.glob("*.whl"))


def page() -> str:
    """The page, with the diagram's script in it and a policy that names it."""
    script = (DIAGRAM / "scripts" / "diagram.js").read_text("utf-8").strip()
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "; ".join(POLICY).replace("{diagram}", f"'sha256-{digest}'")
    text = (SOURCES / "index.html").read_text("utf-8")
    return text.replace("{policy}", policy).replace("{diagram}", script)


def write_gallery(out: Path) -> None:
    """The gallery's texts, and its list."""
    (out / "specs").mkdir()
    index = [{"name": each["name"], "title": each["title"]} for each in read_index()]
    for each in index:
        shutil.copy(gallery_path() / f"{each['name']}.yaml", out / "specs")
    (out / "gallery.json").write_text(json.dumps({"specs": index}, ensure_ascii=False), "utf-8")


def build(out: Path, cache: Path = CACHE) -> None:
    """The whole site in a folder, which is made anew. Raises BuildError."""
    if out.exists() and any(out.iterdir()) and not (out / "playground.js").exists():
        raise BuildError(f"{out} holds something else than the playground")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    run("npm", "ci", "--no-audit", "--no-fund", where=SOURCES)
    run("node", "build.mjs", str(out.resolve()), where=SOURCES)
    python, packages = wheels()
    files = [file for each in packages for file in entries(fetched(each, python, cache / "wheels"), each)]
    files += entries(own_wheel(cache / "own"), None)
    pack(out / "packages.zip", files)
    run("node", "compile.mjs", str(out.resolve()), where=SOURCES)
    (out / "index.html").write_text(page(), "utf-8")
    shutil.copy(SOURCES / "playground.css", out)
    shutil.copy(DIAGRAM / "styles" / "diagram.css", out)
    schema = json.dumps(language_schema(QUANTITY_NAMES), ensure_ascii=False, separators=(",", ":"))
    (out / "schema.json").write_text(schema, "utf-8")
    write_gallery(out)
    licences = [(out / "LICENSES.txt").read_text("utf-8"), (DIAGRAM / "scripts" / "LICENSES.txt").read_text("utf-8")]
    licences += [
        f"{name.split('/')[0]}\n\n{data.decode('utf-8', 'replace').strip()}\n"
        for name, data in sorted(files)
        if ".dist-info/" in name and Path(name).name.upper().startswith("LICEN")
    ]
    (out / "LICENSES.txt").write_text(f"\n{'-' * 80}\n\n".join(licences), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the playground.")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the site")
    given = parser.parse_args()
    try:
        build(given.out)
    except BuildError as error:
        sys.exit(f"error: {error}")
    files = [path for path in given.out.rglob("*") if path.is_file()]
    print(f"{given.out}: {len(files)} files, {sum(path.stat().st_size for path in files) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
