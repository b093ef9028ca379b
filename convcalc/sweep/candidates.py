"""What a sweep goes through: candidates, each made from its number alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

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
    """What it has of each of `DesignSpace.names`, in order: words, numbers and lists as the spec would write them; None
    for an element of a list that became shorter."""


class Refused(NamedTuple):
    """A candidate that there is no network of: the code and the message of the first error."""

    number: int
    values: tuple[ParamValue | None, ...]
    """What it has of each of `DesignSpace.names`; None where that could not be worked out."""
    code: str
    message: str
