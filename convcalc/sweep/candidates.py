"""What a sweep goes through: candidates, each made from its number alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ..language.values import Value as ParamValue

Inputs = Mapping[str, tuple[int, ...]]
"""Name of an input -> its shape without the batch."""


class Candidate(NamedTuple):
    """One network of a design space: what the spec is expanded with."""

    number: int
    params: Mapping[str, ParamValue]
    """The spec's params that axes and derived values set; the others are the spec's own."""
    variant: str | None
    input: Inputs | None
    values: tuple[ParamValue | None, ...]
    """What it has of each of `Space.names`, in order: words, numbers and lists as the spec would write them; None for
    an element of a list that became shorter."""


class Refused(NamedTuple):
    """A candidate that there is no network of: the code and the message of the first error."""

    number: int
    values: tuple[ParamValue | None, ...]
    """What it has of each of `Space.names`; None where that could not be worked out."""
    code: str
    message: str


class Space(Protocol):
    """A design space: any candidate by its number, so that chunks of numbers can be worked on anywhere."""

    @property
    def names(self) -> tuple[str, ...]:
        """Axes, then derived values, in the order in which they were said."""

    @property
    def size(self) -> int:
        """How many candidates there are."""

    def candidate(self, number: int) -> Candidate | Refused:
        """The candidate of a number from 0 to `size` - 1: the same on every machine."""
