"""A chunk of a sweep: the candidates of a range of numbers, worked out anywhere from the plan alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from time import thread_time

from ..findings import SpecError, UsageError, unforeseen
from ..hints import installing
from ..version import __version__
from .candidates import Refused
from .cells import Cell, cell, setting
from .evaluation import Evaluator
from .plan import Plan


@dataclass
class Chunk:
    """What came of the candidates `start` to `stop` - 1, as columns; it travels as JSON."""

    start: int
    stop: int
    numbers: list[int]
    """Those that are kept: all, or, of a sweep that wants so many that fit, these and the refused ones."""
    values: list[list[Cell]]
    """One column for each of the space's names."""
    figures: list[list[Cell]]
    """One column for each that is asked."""
    fits: list[bool]
    refused: list[tuple[int, str, str]]
    """(place in `numbers`, code, message)"""


class Worker:
    """Works out chunks of one plan; what it learns of the spec's blocks serves the next chunk."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.space = plan.space
        self._evaluator = Evaluator(plan.document, plan.asked, plan.options)

    def chunk(self, start: int, stop: int) -> Chunk:
        """The candidates of these numbers."""
        plan, space, evaluator = self.plan, self.space, self._evaluator
        only_fitting = plan.wanted is not None
        nothing: list[Cell] = [None] * len(plan.asked)
        numbers: list[int] = []
        fits: list[bool] = []
        values: list[list[Cell]] = []
        figures: list[list[Cell]] = []
        refused: list[tuple[int, str, str]] = []
        for number in range(start, stop):
            candidate = space.candidate(number)
            found = candidate if isinstance(candidate, Refused) else evaluator.values(candidate)
            if isinstance(found, Refused):
                refused.append((len(numbers), found.code, found.message))
                figures.append(nothing)
                fits.append(False)
            else:
                fitting = plan.fits(found)
                if only_fitting and not fitting:
                    continue
                figures.append([cell(value) for value in found])
                fits.append(fitting)
            numbers.append(number)
            values.append([None if value is None else setting(value) for value in candidate.values])
        columns = [list(column) for column in zip(*values, strict=True)] if values else [[] for _ in space.names]
        found_columns = [list(column) for column in zip(*figures, strict=True)] if figures else [[] for _ in nothing]
        return Chunk(start, stop, numbers, columns, found_columns, fits, refused)


class Unforeseen(RuntimeError):
    """An error of this program itself, where a chunk was worked out."""


def answer(plan: str, version: str, start: int, stop: int) -> bytes:
    """A chunk worked out where only the plan is known, as JSON text; `version` is that of who asks for it.

    The answer is JSON: the chunk and the seconds of a processor that it took, or what is wrong. Never raises.
    """
    return json.dumps(_answer(plan, version, start, stop)).encode()


def _answer(plan: str, version: str, start: int, stop: int) -> dict[str, object]:
    if version != __version__:
        hint = f"install the same on all machines: {installing('cluster', version)}"
        return {"wrong": f"a worker has convcalc {__version__}, and this is convcalc {version}", "hint": hint}
    try:
        with _ONE_AT_A_TIME:
            began = thread_time()
            return {"chunk": vars(_worker(plan).chunk(start, stop)), "seconds": thread_time() - began}
    except MemoryError:
        return {"wrong": "not enough memory for a worker", "hint": "fewer workers take less"}
    except (UsageError, SpecError) as error:
        return {"wrong": str(error)}
    except Exception as error:
        return {"unforeseen": f"{unforeseen(error)}, in candidates {start} to {stop - 1}"}


_ONE_AT_A_TIME = Lock()
"""Threads of one process share what is remembered of a spec, and Python's one core."""


@lru_cache(maxsize=2)
def _worker(plan: str) -> Worker:
    """What works out the chunks of a plan; it stays for the next one."""
    return Worker(Plan.from_dict(json.loads(plan)))


def read_answer(text: bytes) -> tuple[Chunk, float]:
    """The chunk of an answer, and the seconds that it took. Raises UsageError and Unforeseen for what went wrong."""
    found = json.loads(text)
    if "wrong" in found:
        raise UsageError(found["wrong"], found.get("hint"))
    if "unforeseen" in found:
        raise Unforeseen(found["unforeseen"])
    chunk = found["chunk"]
    refused = [(place, code, message) for place, code, message in chunk["refused"]]
    return Chunk(**{**chunk, "refused": refused}), found["seconds"]
