"""Files that coverage leads to: atheris changes those that reach new branches of the program.

python -m tools.fuzz.guided specs --seconds 600
python -m tools.fuzz.guided onnx --seconds 600

It needs atheris, the extra `convcalc[fuzz]`. A file that fails in a new way is written, and the search goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .case import Case
    from .oracles import Failure

LONGEST = 4096
"""Bytes of a file."""
PATIENCE = 30
"""Seconds that a file may take; the program is several times slower while its branches are counted."""
BEGINNING = 200
"""Files that the search begins with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the search ends the process itself."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.guided", description="Search for files that fail.")
    parser.add_argument("kind", choices=["specs", "onnx"], help="what the files are")
    parser.add_argument("--seconds", type=int, default=600, help="how long to search (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another search (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="where failing cases go (default: %(default)s)")
    given = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("the search needs atheris: pip install 'convcalc[fuzz]'", file=sys.stderr)
        return 2
    _search(given.kind, given.seconds, given.seed, given.out)
    return 0


def _search(kind: str, seconds: int, seed: int, out: Path) -> None:
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["convcalc"], enable_loader_override=False):
        from .generators import KINDS, onnx_files, specs
        from .oracles import judge
        from .run import ready, run, scratch
        from .workers import warm

        makers: dict[str, tuple[Callable[[Random], bytes], Callable[[bytes], Case]]] = {
            "specs": (specs.spec, lambda data: specs.of_text(_random(data), data)),
            "onnx": (onnx_files.file, lambda data: onnx_files.of_file(_random(data), data)),
        }
        folder = Path(scratch().name)
        folder.mkdir(exist_ok=True)
        with ready():
            warm(KINDS[kind], folder)
    make, case_of = makers[kind]
    seen: set[tuple[str, str]] = set()

    def one(data: bytes) -> None:
        case = case_of(data)
        for failure in judge(case, run(case, folder)):
            if failure.oracle != "bounds" and (failure.oracle, failure.place) not in seen:
                seen.add((failure.oracle, failure.place))
                _keep(case, failure, out)

    with tempfile.TemporaryDirectory() as begin, ready():
        for number in range(BEGINNING):
            (Path(begin) / str(number)).write_bytes(make(Random(f"{seed}/{number}")))
        limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={PATIENCE}", f"-seed={seed}"]
        atheris.Setup([sys.argv[0], *limits, begin], one)
        atheris.Fuzz()


def _random(data: bytes) -> Random:
    """What a file draws its command from: a file always has the same one."""
    return Random(hashlib.sha256(data).digest())


def _keep(case: Case, failure: Failure, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"guided-{hashlib.sha256(repr(failure[:2]).encode()).hexdigest()[:12]}.json"
    path.write_text(case.to_json(), encoding="utf-8")
    print(f"{failure.oracle}: {failure.place}\n  {failure.message.strip()}\n  {path}: {case.command()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
