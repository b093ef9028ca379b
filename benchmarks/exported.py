"""Run exported code in a framework, compare it with convcalc, and record what it does.

A framework's own module says how; this one goes over the gallery and over every single layer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from convcalc.findings import UsageError
from convcalc.network import Network
from convcalc.reference import run
from tests.exported_layers import drawn_weights, layer_cases
from tests.recorded_exports import fingerprint, gallery_networks, record, record_path, record_text

Row = dict[str, Any]


class Framework(NamedTuple):
    """How code for a framework is written and run."""

    name: str
    version: str
    write: Callable[[Network], str]
    counted: Callable[[Network, str], Row]
    """(network, code) -> what the framework counts."""
    expected: Callable[[Network], Row]
    """What convcalc counts of the same."""
    values: Callable[[Network, str, Row, Row], Any]
    """(network, code, inputs, weights by node) -> the last layer's output as the reference lays it out."""
    tolerance: float
    """The largest difference of values over the largest value."""


def values_differ(framework: Framework, network: Network, text: str) -> float:
    """The largest difference of values over the largest value."""
    weights = drawn_weights(network)
    rng = np.random.default_rng(1)
    inputs = {name: rng.standard_normal((2, *shape)) for name, shape in network.inputs.items()}
    if network.nodes[-1].kind == "embedding":
        inputs = {name: np.floor(np.abs(x)) for name, x in inputs.items()}
    (*_, last) = run(network, inputs, dtype="float64", weights=weights)
    y = framework.values(network, text, inputs, weights)
    assert y.shape == last.output.shape, (y.shape, last.output.shape)
    same = (y == last.output) | (np.isnan(y) & np.isnan(last.output))
    differences = np.where(same, 0, np.abs(y - last.output))
    return float(differences.max() / np.abs(np.where(np.isfinite(y), y, 1)).max())


def network_row(framework: Framework, network: Network, text: str) -> tuple[Row, str]:
    """What is recorded of a network, and how it differs."""
    found, wanted = framework.counted(network, text), framework.expected(network)
    return found, "" if found == wanted else f"{found} {wanted}"


def layer_row(framework: Framework, network: Network, text: str) -> tuple[Row, str]:
    """What is recorded of a single layer beside its code, and how its values differ."""
    try:
        difference = values_differ(framework, network, text)
    except Exception as error:
        return {}, f"{network.nodes[-1].layer} {type(error).__name__} {str(error)[:300]}"
    return {}, "" if difference < framework.tolerance else f"values differ by {difference}"


def main(framework: Framework) -> int:
    """Check everything, print differences, and with --write record what was run where nothing differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help=f"record the runs in tests/recorded_{framework.name}.json")
    parser.add_argument("--changed", action="store_true", help="run what has changed since it was recorded alone")
    given = parser.parse_args()
    known = record(framework.name)
    before = known if given.changed and known[framework.name] == framework.version else {}
    tables: dict[str, dict[str, Row]] = {"networks": {}, "layers": {}}
    wrong = 0
    for title, cases, row_of in (
        ("networks", gallery_networks(framework.name), network_row),
        ("layers", layer_cases(), layer_row),
    ):
        for label, network in cases:
            try:
                text = framework.write(network)
            except UsageError as refused:
                tables[title][label] = {"refused": refused.message}
                print(refused.message)
                continue
            ran = before.get(title, {}).get(label, {})
            if ran.get("code") == fingerprint(text):
                tables[title][label] = ran
                continue
            row, difference = row_of(framework, network, text)
            tables[title][label] = {"code": fingerprint(text), **row}
            if difference:
                wrong += 1
                print(label, difference)
    counts = ", ".join(f"{len(rows)} {title}" for title, rows in tables.items())
    print(f"{framework.name} {framework.version}: {counts}, {wrong} differ")
    if given.write and not wrong:
        text = record_text(framework.name, framework.version, tables["networks"], tables["layers"])
        record_path(framework.name).write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def model_of(text: str) -> Callable[[], Any]:
    """What builds the model of an exported file: the last class or function that it defines."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), space)
    return [v for v in space.values() if callable(v) and getattr(v, "__module__", "") == "exported"][-1]
