"""What README says of speed is a run of `benchmarks/processes.py`, in which every command is within its reach."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.processes import COMMANDS, REACH, RECORD
from tools.pages import REMARKS, ROOT, speed_section

RECORDED = json.loads(RECORD.read_text("utf-8"))


@pytest.mark.parametrize("command", REACH)
def test_a_command_is_within_reach(command: str) -> None:
    assert RECORDED["commands"][command]["multiple"] <= REACH[command]


def test_readme_has_every_command_of_the_record() -> None:
    assert set(REMARKS) == set(RECORDED["commands"]) - {"pass", "import convcalc"}
    assert set(RECORDED["commands"]) == set(COMMANDS)
    section = speed_section()
    assert section in (ROOT / "README.md").read_text("utf-8")
    for command in REMARKS:
        (row,) = re.findall(rf"^\| `convcalc {re.escape(command)}`.*\| (\S+) s \| \d+ \| \d+ MiB \|$", section, re.M)
        assert float(row) == pytest.approx(RECORDED["commands"][command]["seconds"], abs=0.005)
