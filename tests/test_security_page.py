"""docs/security.md says the limits that hold."""

from __future__ import annotations

import re
from pathlib import Path

from convcalc import git
from convcalc.serve.server import HOST, MOST_CONNECTIONS, REQUEST_SECONDS, Handler

PAGE = (Path(__file__).parent.parent / "docs" / "security.md").read_text("utf-8")


def test_the_guards_of_git_are_those_of_the_program() -> None:
    calls = PAGE.partition("## How git is called")[2].partition("\n## ")[0]
    settings = {**git._ENVIRONMENT, **git._SETTINGS}
    named = re.findall(r"`([A-Za-z_.]+)=(\w+)`", calls)
    assert len(named) == 3 and all(settings[name] == value for name, value in named)


def test_what_watch_serves_is_said_as_it_is() -> None:
    served = " ".join(PAGE.partition("## What watch serves")[2].partition("\n## ")[0].split())
    assert f"listens on {HOST} alone" in served and f"At most {MOST_CONNECTIONS} connections" in served
    assert Handler.timeout == REQUEST_SECONDS == 10 and "has not asked within ten seconds is closed" in served
