"""Write everything that is made from something else: the gallery's index, pages, golden output, recorded runs.

python -m tools.regenerate          writes what is out of date, and says what it wrote, what it skipped and why
python -m tools.regenerate --check  writes nothing; exit code 1 where something is out of date

What is written is to be read: a difference in golden output or in an example of the documentation is a change that a
user sees.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests import golden_output
from tests.recorded_exports import WRITE, record_path, renewed
from tools import examples, gallery, notebooks, pages, pictures

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python -m tools.regenerate"


class Part(NamedTuple):
    """Files that are made together."""

    name: str
    texts: Callable[[], dict[Path, str]]
    """Each file and what belongs into it now."""


PARTS = (
    Part("gallery", gallery.texts),
    Part("pages", pages.texts),
    Part("pictures", pictures.texts),
    Part("golden output", golden_output.texts),
    Part("examples of the documentation", examples.texts),
    Part("notebooks", notebooks.texts),
)
"""In the order in which they are written: the examples show what the others made."""


def stale(texts: dict[Path, str]) -> dict[Path, str]:
    """The files that are not what they are to be."""
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text}


def name_of(path: Path) -> str:
    """A path as it is printed."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def write(part: Part) -> None:
    """Bring the files of a part up to date, and say so."""
    found = stale(part.texts())
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")
        print(f"{part.name}: wrote {name_of(path)}")
    if not found:
        print(f"{part.name}: up to date")


def check(part: Part) -> bool:
    """Whether the files of a part are up to date; says which are not."""
    found = stale(part.texts())
    for path in found:
        print(f"{part.name}: {name_of(path)} is out of date: run {COMMAND}")
    return not found


def record(framework: str) -> bool:
    """Bring the recorded runs of a framework up to date as far as it can be done here; whether they are."""
    text, unrun = renewed(framework)
    path = record_path(framework)
    if unrun and find_spec(framework) is not None:
        done = subprocess.run([sys.executable, "-m", f"benchmarks.exported_{framework}", "--write"], cwd=ROOT)
        outcome = "wrote" if done.returncode == 0 else "runs differ, did not write"
        print(f"recorded runs: {outcome} {name_of(path)}")
        return done.returncode == 0
    if text != path.read_text("utf-8") and not unrun:
        path.write_text(text, encoding="utf-8")
        print(f"recorded runs: wrote {name_of(path)}: what changed needs no run")
    elif unrun:
        print(f"recorded runs: skipped {name_of(path)}: {framework} is not installed, and {said(unrun)}")
    else:
        print(f"recorded runs: {framework} is up to date")
    return not unrun


def check_record(framework: str) -> bool:
    """Whether the recorded runs of a framework are of the code as it is; says which are not."""
    text, unrun = renewed(framework)
    path = record_path(framework)
    if unrun:
        where = f"run {COMMAND} where {framework} is installed"
        print(f"recorded runs: {name_of(path)} is out of date: {where}, {said(unrun)}")
    elif text != path.read_text("utf-8"):
        print(f"recorded runs: {name_of(path)} is out of date: run {COMMAND}")
    return not unrun and text == path.read_text("utf-8")


def said(labels: list[str]) -> str:
    """What has not been run, in short."""
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"this code has not been run: {', '.join(labels[:3])}{more}"


def main(arguments: list[str] | None = None) -> int:
    """Write or check all parts; the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 where something is out of date"
    )
    if parser.parse_args(arguments).check:
        return 0 if all([*map(check, PARTS), *map(check_record, WRITE)]) else 1
    for part in PARTS:
        write(part)
    return 0 if all([*map(record, WRITE)]) else 1


if __name__ == "__main__":
    sys.exit(main())
