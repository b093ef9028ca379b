"""A candidate of a run as a spec: the run's own spec, with the values of the candidate in it."""

from __future__ import annotations

from collections.abc import Sequence

from ..findings import SpecError, UsageError
from ..language.load import expand
from ..language.settled import settled, value_text
from ..language.values import Value
from ..marked import Source
from ..terminal import printable
from .candidates import Refused
from .faults import quoted
from .plan import Plan
from .store import Store

LONGEST_REMARK = 200
"""Characters of the remark on the first line."""


def row_spec(path: str, number: int) -> Source:
    """The spec of a row of the run in a file. Raises UsageError for what is no run, for a row that there is not, and
    for one that there is no network of.
    """
    with Store.open(path) as store:
        return plan_spec(store.plan, number, path)


def plan_spec(plan: Plan, number: int, path: str) -> Source:
    """The spec of a candidate of a plan; the same errors."""
    if not 0 <= number < plan.space.size:
        raise UsageError(f"there is no row {number} in {quoted(path)}", f"its rows are 0 to {plan.space.size - 1:,}")
    candidate = plan.space.candidate(number)
    if isinstance(candidate, Refused):
        raise _refused(number, path, candidate.code, candidate.message)
    try:
        network = expand(plan.document, params=candidate.params, variant=candidate.variant, input=candidate.input)
    except SpecError as error:
        raise _refused(number, path, error.findings[0].code, error.findings[0].message) from None
    said = _remark(path, number, plan.space.names, candidate.values)
    return Source(settled(network, said), f"{path}:{number}")


def _refused(number: int, path: str, code: str, message: str) -> UsageError:
    return UsageError(f"there is no network of row {number} in {quoted(path)}: {code} {message}")


def _remark(path: str, number: int, names: Sequence[str], values: Sequence[Value | None]) -> str:
    pairs = ", ".join(
        f"{name} {value_text(value)}" for name, value in zip(names, values, strict=True) if value is not None
    )
    text = printable(f"row {number} of {path}: {pairs}")
    return text if len(text) <= LONGEST_REMARK else f"{text[: LONGEST_REMARK - 1]}…"
