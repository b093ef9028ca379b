"""Recorded runs of exported Python code: under which fingerprint of the code they stand, and which are out of date.

A record belongs to one text: code that changes must be run again, by `benchmarks/exported_torch.py` and
`benchmarks/exported_keras.py`. What is refused needs no run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from convcalc import load
from convcalc.findings import UsageError
from convcalc.language import gallery_names
from convcalc.network import Network
from tests.exported_layers import layer_cases
from tests.exports import keras_module, torch_module

WRITE: dict[str, Callable[[Network], str]] = {"torch": torch_module, "keras": keras_module}
AGAIN = "run python -m benchmarks.exported_{} --write where the framework is installed"


def fingerprint(text: str) -> str:
    """A short hash of the code without docstrings, shape comments and empty lines.

    >>> fingerprint("x = 1") == fingerprint("'a'\\nx = 1  # [3]\\n"), fingerprint("x = 1") == fingerprint("x = 2")
    (True, False)
    """
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            said.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line for number, line in enumerate(text.splitlines(), start=1) if number not in said]
    code = [re.sub(r"  # \[[\d, ]*\]$", "", line).rstrip() for line in lines]
    return hashlib.sha256("\n".join(filter(None, code)).encode()).hexdigest()[:16]


def record_path(framework: str) -> Path:
    """The file of a framework's records."""
    return Path(__file__).parent / f"recorded_{framework}.json"


@cache
def record(framework: str) -> Any:
    """The framework's version, and the rows of networks and of single layers by their labels."""
    return read_record(record_path(framework))


def read_record(path: Path) -> Any:
    """What a file of records holds."""
    return json.loads(path.read_text("utf-8"))


def record_text(framework: str, version: str, networks: Mapping[str, Any], layers: Mapping[str, Any]) -> str:
    """A record as its file holds it, one row a line."""
    lines = [f'"{framework}": {json.dumps(version)}']
    for title, rows in (("networks", networks), ("layers", layers)):
        body = ",\n".join(f" {json.dumps(label)}: {json.dumps(row)}" for label, row in rows.items())
        lines.append(f'"{title}": {{\n{body}\n}}')
    return "{" + ",\n".join(lines) + "}\n"


def gallery_networks(framework: str) -> Iterator[tuple[str, Network]]:
    """(label, network) of every spec of the gallery: in all variants for torch, as it is for keras."""
    for name in gallery_names():
        base = load(name)
        yield name, base
        if framework == "torch" and base.origin is not None:
            for variant in base.origin.variants:
                yield f"{name}:{variant}", load(name, variant=variant)


def exported(framework: str, network: Network) -> dict[str, str]:
    """The part of a row that needs no run: the code's fingerprint, or why it is refused."""
    try:
        return {"code": fingerprint(WRITE[framework](network))}
    except UsageError as refused:
        return {"refused": refused.message}


def renewed(framework: str) -> tuple[str, list[str]]:
    """(the record with all that needs no run, labels whose code has not been run as it is now)."""
    old, unrun = record(framework), []
    rows: dict[str, dict[str, Any]] = {"networks": {}, "layers": {}}
    for title, cases in (("networks", gallery_networks(framework)), ("layers", layer_cases())):
        for label, network in cases:
            now, before = exported(framework, network), old[title].get(label, {})
            if "refused" in now:
                rows[title][label] = now
            elif before.get("code") == now["code"]:
                rows[title][label] = before
            else:
                unrun.append(label)
    return record_text(framework, old[framework], rows["networks"], rows["layers"]), unrun
