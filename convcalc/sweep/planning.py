"""From what a call names and says to a plan: over a spec, or of a plan's file with the call's words beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..marked import Source
from .asked import Options
from .join import Join, joined
from .paths import judge_paths
from .plan import Plan
from .plan_file import PlanFile, declares_plan
from .store import Store


def planned(source: Source, given: Mapping[str, Any]) -> tuple[Plan, Join | None]:
    """The plan of a text, which is that of a spec or of a plan, and what is joined; every word of it is read.

    `given` are fields of a Plan, and of its options, by name; nothing is said by None and by no texts. `join` is the
    path of a file. Raises SpecError for what is wrong in a file, UsageError for a wrong call.
    """
    said = {name: value for name, value in given.items() if value not in (None, (), "")}
    path = said.pop("join", None)
    if declares_plan(source):
        file = PlanFile(source)
        plan = file.plan(said)
        with file.placed():
            return _read(plan, path or file.join())
    options = Options(**{name: said.pop(name) for name in Options._fields if name in said})
    return _read(Plan(spec=source.path, text=source.text, options=options, **said), path)


def _read(plan: Plan, path: str | None) -> tuple[Plan, Join | None]:
    """The plan, every word of it read, with the columns of a file."""
    join = None
    if path is not None:
        plan, join = joined(plan, path)
    plan.validate()
    judge_paths(plan)
    return plan, join


def of_run(path: str) -> tuple[Plan, Join | None]:
    """The plan of a run that is kept, and what it joins. Raises UsageError."""
    with Store.open(path) as store:
        plan = store.plan
    return _read(plan, plan.join[0] if plan.join else None)
