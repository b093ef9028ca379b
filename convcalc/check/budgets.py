"""Budgets: what the configuration allows the specs of a folder (CC305)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ..analysis.quantities import quantity
from ..analysis.quantity import number
from ..findings import Finding
from .builds import Builds
from .expect import say


class Budget(NamedTuple):
    """The most that a quantity of the whole network may be."""

    quantity: str
    limit: Fraction
    text: str
    """The limit as it is written."""
    place: str
    """Where the configuration says so."""


def check_budgets(builds: Builds, budgets: Sequence[Budget]) -> Iterator[Finding]:
    """A finding for each budget that the network exceeds, at the name of the spec."""
    report = builds.report() if budgets else None
    for budget in budgets:
        found = quantity(budget.quantity)
        assert found is not None and report is not None
        value = found.get(report, report.whole)
        reached = number(value)
        if reached is not None and reached > budget.limit:
            by = f" by {float(Fraction(reached - budget.limit) * 100 / budget.limit):.1f} %" if budget.limit else ""
            message = f"{budget.quantity} is {say(value)}, over the budget of {budget.text}{by}"
            at = builds.origin.section("name")
            yield builds.origin.finding_at("CC305", message, at, hint=f"the budget is set in {budget.place}")
