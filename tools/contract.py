"""What may not change while the major version stays: the words of the language, the keys of the JSON, the exit codes,
the options of the commands and the Python API, each as a list of texts, under the release that promised them.

python -m tools.contract --write takes down what there is; done at a release, so that the record only ever grows.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import convcalc
from convcalc.cli.commands import COMMANDS
from convcalc.cli.program import Program
from convcalc.language.items import fields_of
from convcalc.language.sections import VERSION
from convcalc.layers.registry import KINDS
from convcalc.version import FORMAT, __version__

RECORD = Path(__file__).resolve().parent.parent / "tests" / "contract.json"
SPEC = """\
convcalc: 1
name: Small
source: "Nobody 2000"
input: [3, 16, 16]
params: {width: 4, pool: 2}
variants: {wide: {width: 8}}
blocks:
  unit: {params: [c], layers: [{conv2d: {out: c, k: 3, p: 1}, name: conv}, batch_norm, relu]}
layers:
  - {unit: [width], repeat: 2, name: body}
  - {max_pool2d: {k: pool, s: 2}, name: pool}
  - flatten
  - {linear: {out: 10}, name: fc}
expect: [{params: 1}]
published: [{title: Table 1, columns: {params: ~}, rows: {total: ["1"]}}]
"""
CALLS = {
    "table": "table small.yaml",
    "table --published": "table small.yaml --published",
    "table A B": "table small.yaml other.yaml",
    "explain": "explain small.yaml body.0.conv",
    "arena": "arena small.yaml",
    "invert": "invert -k 3 -s 2 -p 1",
    "solve": "solve --in 8 --out 4",
    "check": "check small.yaml",
    "diff": "diff small.yaml other.yaml",
    "sizes": "sizes small.yaml",
    "specs": "specs lenet5",
    "sweep": "sweep small.yaml --grid width=4,6 --grid pool=2,40 --where params<=3K --minimize params",
    "sweep --pareto": "sweep small.yaml --grid width=4,6 --pareto params,macs",
    "verify": "verify small.yaml",
    "verify --backward": "verify small.yaml --backward",
}
"""What prints JSON -> a call of it."""
EXITS = {
    "table small.yaml": 0,
    "check small.yaml": 1,
    "table wrong.yaml": 1,
    "table nowhere.yaml": 2,
    "table small.yaml --nothing": 2,
}
"""Calls -> their exit codes."""


def language() -> list[str]:
    """Every section, key and word of the JSON Schema, and every field of every kind."""
    words: set[str] = set()
    _words(json.loads(_run("schema").stdout), "spec", words)
    fields = {f"{kind}.{name}" for kind in KINDS for name in fields_of(kind)}
    return sorted(words | fields)


def _words(node: object, path: str, found: set[str]) -> None:
    if isinstance(node, list):
        for part in node:
            _words(part, path, found)
    if not isinstance(node, Mapping):
        return
    for key, part in node.items():
        if key in ("properties", "definitions"):
            for name, inner in part.items():
                inside = f"{path}.{name}" if key == "properties" else name
                found.add(inside)
                _words(inner, inside, found)
        elif key == "enum":
            found.update(f"{path} = {json.dumps(word)}" for word in part)
        elif key != "examples":
            _words(part, path, found)


def keys() -> dict[str, list[str]]:
    """Of each call, the paths of the keys of its JSON; `[]` stands for the items of a list."""
    found = {}
    for name, call in CALLS.items():
        done = _run(f"{call} --format json")
        found[name] = sorted(set(_paths(json.loads(done.stdout), "")))
    return found


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f"{path}.{key}".removeprefix(".")
            yield from _paths(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")


def exits() -> list[str]:
    """Each call with its exit code."""
    return [f"{call}: {_run(call).returncode}" for call in EXITS]


def _run(call: str) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as folder:
        texts = {"small": SPEC, "other": SPEC.replace("width: 4", "width: 5"), "wrong": SPEC.replace("relu", "reul")}
        for name, text in texts.items():
            (Path(folder) / f"{name}.yaml").write_text(text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": str(RECORD.parent.parent), "PYTHONUTF8": "1"}
        arguments = [sys.executable, "-m", "convcalc", *call.split()]
        return subprocess.run(
            arguments, capture_output=True, encoding="utf-8", cwd=folder, env=environment, check=False
        )


def options() -> list[str]:
    """Every command, and every option of it."""
    program = Program(name="convcalc")
    return sorted({text for name in COMMANDS for text in (name, *(f"{name} {o}" for o in program.options(name)))})


def names() -> list[str]:
    """Every public name of the package, the parameters of functions, and what classes show."""
    return sorted(text for name in convcalc.__all__ for text in _named(name, getattr(convcalc, name)))


def _named(name: str, value: Any) -> Iterator[str]:
    yield name
    if inspect.isfunction(value):
        yield from _parameters(name, value)
    elif inspect.isclass(value):
        for part in members(value):
            yield f"{name}.{part}"
            inner = getattr(value, part, None)
            if inspect.isfunction(inner):
                yield from _parameters(f"{name}.{part}", inner)


def members(of: type) -> set[str]:
    """What a class promises: fields, properties and methods that it, or a base in convcalc, has without an underscore.

    >>> sorted(members(convcalc.SpecError)), "nodes" in members(convcalc.Network)
    (['findings'], True)
    """
    bases = [base for base in of.__mro__ if base.__module__.partition(".")[0] == convcalc.__name__]
    found = {part for base in bases for part in (*vars(base), *inspect.get_annotations(base))}
    return {part for part in found if not part.startswith("_")}


def _parameters(name: str, function: Any) -> Iterator[str]:
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        by_place = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        where = f"{place}, " if by_place else ""
        yield f"{name}({where}{parameter.name})" + ("" if parameter.default is inspect.Parameter.empty else " optional")


def formats() -> list[str]:
    """The versions that specs and JSON say of themselves.

    >>> formats()
    ['convcalc: 1', '"format": 1']
    """
    return [f"convcalc: {VERSION}", f'"format": {FORMAT}']


def contract() -> dict[str, Any]:
    """All of it."""
    return {
        "formats": formats(),
        "language": language(),
        "json": keys(),
        "exits": exits(),
        "options": options(),
        "python": names(),
    }


def recorded() -> dict[str, Any]:
    """What was promised, without the release that promised it."""
    return {part: texts for part, texts in json.loads(RECORD.read_text("utf-8")).items() if part != "release"}


def release() -> str:
    """The version whose promise the record is."""
    return str(json.loads(RECORD.read_text("utf-8"))["release"])


def broken(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What was promised and is not there any more.

    >>> broken({"json": {"table": ["params", "macs"]}, "exits": ["a: 0"]}, {"json": {"table": ["macs"]}, "exits": []})
    ['json table: params', 'exits: a: 0']
    """
    lost = []
    for part, promised in recorded.items():
        if isinstance(promised, Mapping):
            lost += [f"{part} {line}" for line in broken(promised, now.get(part, {}))]
        else:
            there = set(now.get(part, ()))
            lost += [f"{part}: {text}" for text in promised if text not in there]
    return lost


def main() -> int:
    """Print what is broken, or write the record."""
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=__doc__)
    parser.add_argument("--write", action="store_true", help="take down what there is")
    now = contract() if parser.parse_args().write else None
    if now is not None:
        record = {"release": __version__, **now}
        RECORD.write_text(json.dumps(record, ensure_ascii=False, indent=0) + "\n", "utf-8")
        return 0
    lost = broken(recorded(), contract())
    print("\n".join(lost) or "nothing that was promised is lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
