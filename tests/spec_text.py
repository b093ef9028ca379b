"""Short ways to state specs in tests."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from convcalc.findings import Finding, SpecError
from convcalc.language import loads
from convcalc.network import Network


def spec(layers: str, *, input: str = "[3, 32, 32]", head: str = "") -> str:
    """A whole spec around items that are given as an indented list."""
    return f"convcalc: 1\ninput: {input}\n{dedent(head)}layers:\n{indent(dedent(layers).strip(chr(10)), '  ')}\n"


def build(layers: str, *, input: str = "[3, 32, 32]", head: str = "", **options: object) -> Network:
    return loads(spec(layers, input=input, head=head), **options)  # type: ignore[arg-type]


def names(network: Network) -> list[str]:
    return [node.name for node in network.nodes if node.layer is not None]


def wiring(network: Network) -> dict[str, list[str]]:
    return {node.name: [network.nodes[i].name for i in node.inputs] for node in network.nodes if node.layer}


def shapes(network: Network) -> dict[str, tuple[int, ...]]:
    return {node.name: node.shape for node in network.nodes}


def errors(text: str, **options: object) -> tuple[Finding, ...]:
    """The findings of a text that must not load."""
    with pytest.raises(SpecError) as caught:
        loads(text, **options)  # type: ignore[arg-type]
    return caught.value.findings


def error(layers: str, *, input: str = "[3, 32, 32]", head: str = "", **options: object) -> Finding:
    """The only finding of a spec around these items."""
    found = errors(spec(layers, input=input, head=head), **options)
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0]


def caret(finding: Finding) -> str:
    """What the caret underlines."""
    return finding.excerpt[finding.column - 1 : finding.column - 1 + finding.width]
