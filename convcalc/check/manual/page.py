"""One code's page of the manual: what it means, a wrong spec, a right one."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """What a code means, with a spec that has it and the same spec mended. The tests run both.

    Codes about files that are no specs have no examples.
    """

    code: str
    meaning: str
    wrong: str = ""
    right: str = ""
    encoding: str = "utf-8"
    """How the wrong spec is saved."""
    config: str = ""
    """The `convcalc.toml` beside them."""
