"""docs/security.md says the limits that hold."""

from __future__ import annotations

import re
from pathlib import Path

from convcalc import git
from convcalc.check import config
from convcalc.language import events, expansion, expressions, problems

PAGE = (Path(__file__).parent.parent / "docs" / "security.md").read_text("utf-8")
LIMITS = {
    "a spec": f"{events.MAX_BYTES // 2**20} MiB",
    "its nesting": f"{events.MAX_DEPTH} levels",
    "its nodes, aliases expanded": f"{events.MAX_NODES:,}",
    "layers of a network": f"{expansion.MAX_LAYERS:,}",
    "steps of an expansion": f"{expansion.MAX_STEPS:,}",
    "blocks inside each other": f"{expansion.MAX_NESTING}",
    "findings of a text": f"{problems.MAX_FINDINGS:,}",
    "characters of an expression": f"{expressions.MAX_LENGTH:,}",
    "a configuration": f"{config.MAX_BYTES // 2**10} KiB",
    "digits of a number in it": f"{config.MAX_DIGITS:,}",
    "a call of git": f"{git.SECONDS} seconds",
    "names that git may print": f"{git.MOST_NAMES // 2**20} MiB",
}


def test_the_limits_are_those_of_the_program() -> None:
    table = PAGE.partition("## Limits")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", table, re.MULTILINE)
    assert dict(rows) == {"what": "limit", **LIMITS}


def test_the_guards_of_git_are_those_of_the_program() -> None:
    calls = PAGE.partition("## How git is called")[2].partition("\n## ")[0]
    settings = {**git._ENVIRONMENT, **git._SETTINGS}
    named = re.findall(r"`([A-Za-z_.]+)=(\w+)`", calls)
    assert len(named) == 3 and all(settings[name] == value for name, value in named)
