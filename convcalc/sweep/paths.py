"""Paths that are asked for: whether any network of the space has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.figures import Figures, find
from ..findings import SpecError
from ..hints import suggest
from ..language.load import expand
from ..language.problems import Problem
from ..network import Network
from .candidates import Candidate
from .plan import Plan, WordError

TRIED = 8
"""Candidates whose networks are looked at, evenly spread over the space."""
LOOKED_AT = 400
"""Candidates that are made until there are so many."""


def judge_paths(plan: Plan) -> None:
    """Raise a WordError for a word about a layer or a stage that none of some networks of the space has."""
    waiting = {asked.path for asked in plan.asked if asked.path != "total"}
    seen: dict[str, None] = {}
    if not waiting:
        return
    for network in _networks(plan):
        figures = Figures(network)
        waiting = {path for path in waiting if find(figures, path) is None}
        if not waiting:
            return
        seen.update(dict.fromkeys((*network.groups, *(node.name for node in network.nodes))))
    if not seen:
        return
    for key, number, text, asked in plan.words_of_asked():
        if asked.path in waiting:
            where = max(text.find(asked.path), 0)
            message = f"no network has '{asked.path}'"
            hint = suggest(asked.path, seen, "'convcalc table SPEC' shows the names of layers and stages")
            raise WordError(key, number, text, Problem("CC306", message, hint, where, len(asked.path)))


def _networks(plan: Plan) -> Iterator[Network]:
    """Networks of candidates that build."""
    space, found = plan.space, 0
    step = max(space.size // LOOKED_AT, 1)
    for number in range(0, space.size, step):
        candidate = space.candidate(number)
        if not isinstance(candidate, Candidate):
            continue
        network = _network(plan, candidate)
        if network is not None:
            yield network
        found += 1
        if found == TRIED:
            return


def _network(plan: Plan, candidate: Candidate) -> Network | None:
    try:
        return expand(plan.document, params=candidate.params, variant=candidate.variant, input=candidate.input)
    except SpecError:
        return None
