"""What a rule says of one layer."""

from __future__ import annotations

from typing import NamedTuple

from ...marked import Marked


class Remark(NamedTuple):
    """One piece of advice, at a layer or at a place of the document."""

    code: str
    message: str
    where: str = ""
    hint: str | None = None
    at: Marked | None = None
