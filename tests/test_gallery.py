"""The gallery: every spec and variant builds, its claims hold, and its printed tables differ only where it says so."""

from __future__ import annotations

import pytest

from convcalc import analyse, load
from convcalc.published.compare import compare
from convcalc.spec import gallery_names
from tests.gallery import variants

NETWORKS = [(spec, variant) for spec, names in variants().items() for variant in (None, *names)]


@pytest.mark.parametrize(("spec", "variant"), NETWORKS)
def test_it_builds(spec: str, variant: str | None) -> None:
    network = load(spec, variant=variant)
    totals = analyse(network).totals
    assert network.source
    assert network.outputs
    assert totals.params > 0
    assert totals.macs > 0


@pytest.mark.parametrize("spec", gallery_names())
def test_it_makes_claims(spec: str) -> None:
    origin = load(spec).origin
    assert origin is not None
    assert origin.section("expect") is not None


@pytest.mark.parametrize("spec", gallery_names())
def test_printed_tables(spec: str) -> None:
    for result in compare(load(spec)):
        title = result.table.title
        wrong = [
            (row, column, cell.printed.text, cell.computed, cell.explained)
            for row, column, cell in result.differing()
            if cell.difference is None or cell.explained is False
        ]
        listed_but_equal = [
            (printed.text, cell.computed)
            for row in result.rows
            for cell in row
            for printed in (cell.printed,)
            if cell.status == "equal" and cell.difference is not None
        ]
        assert (title, wrong, listed_but_equal, result.stray) == (title, [], [], ())
        assert result.cells > 0
