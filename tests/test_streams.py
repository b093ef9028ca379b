"""Where output goes: pipes that close early, closed streams, terminals without Unicode, narrow ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SPEC = 'convcalc: 1\nname: "{name}"\nsource: "{source}"\ninput: [3, 32, 32]\nlayers:\n{layers}'
RELU = "  - {relu: , name: first}\n"


def run(arguments: str, *, after: str = "", stdin: str | None = None, **environment: str) -> tuple[str, str, int]:
    """What `convcalc ARGUMENTS AFTER` in a shell prints, and how it ends."""
    command = f"set -o pipefail; {sys.executable} -m convcalc {arguments} {after}"
    done = subprocess.run(
        ["bash", "-c", command],
        input=(stdin or SPEC.format(name="n", source="s", layers=RELU)).encode(),
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    return done.stdout.decode(), done.stderr.decode(), done.returncode


class TestPipesAndStreams:
    def test_a_reader_that_goes_early_is_no_error(self) -> None:
        many = SPEC.format(name="n", source="s", layers="  - {relu: , repeat: 5000}\n")
        out, err, code = run("table -", after="| head -n 1", stdin=many)
        assert (out, err, code) == ("n   3×32×32 → 3×32×32   s\n", "", 0)

    def test_findings_fail_even_so(self) -> None:
        wrong = SPEC.format(name="n", source="s", layers="  - rleu\n")
        out, err, code = run("table -", after="| true", stdin=wrong)
        assert (out, code) == ("", 1)
        assert "did you mean 'relu'?" in err

    @pytest.mark.parametrize(("stream", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)])
    def test_closed_streams(self, stream: str, code: int) -> None:
        _, err, ended = run("table -", after=stream)
        assert (err, ended) == ("", code)

    def test_a_full_disk_is_an_error_of_the_call(self) -> None:
        _, err, code = run("table -", after="> /dev/full")
        assert (err, code) == ("error: no space is left to write standard output\n", 2)

    def test_a_standard_input_that_is_closed(self) -> None:
        assert run("table -", after="<&-") == ("", "error: standard input is closed\n", 2)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [("table nothing", 2), ("table -", 1), ("check -", 1), ("table", 2), ("check --base x", 2)],
    )
    def test_a_full_standard_error_keeps_the_exit_code(self, arguments: str, code: int) -> None:
        wrong = SPEC.format(name="n", source="s", layers="  - rleu\n")
        _, _, ended = run(arguments, after="2> /dev/full", stdin=wrong)
        assert ended == code


class TestWithoutUnicode:
    SPEC = SPEC.format(name="Réseau × 2", source="s", layers=RELU)

    def test_our_own_signs_become_ascii_and_columns_stay_straight(self) -> None:
        out, _, code = run("table -", stdin=self.SPEC, PYTHONIOENCODING="ascii")
        lines = out.splitlines()
        assert code == 0 and out.isascii()
        assert lines[0] == r"R\u00e9seau x 2   3x32x32 -> 3x32x32   s"
        assert lines[2] == "layer  kind   output  params  macs"
        assert lines[3] == "first  relu  3x32x32       .     ."
        assert lines[4] == "0 params . 0 macs . 3,072 flops . depth 0"

    def test_json_is_exact(self) -> None:
        out, _, _ = run("table - --format json", stdin=self.SPEC, PYTHONIOENCODING="ascii")
        assert out.isascii()
        assert json.loads(out)["spec"] == "Réseau × 2"


@pytest.mark.parametrize("columns", [20, 40, 80, 160])
def test_lines_fit_the_terminal(columns: int) -> None:
    source = "Somebody, Sombody Else, 2015, A long title of a paper about networks, a journal of networks 86(11)"
    out, _, _ = run("table -", stdin=SPEC.format(name="n", source=source, layers=RELU), COLUMNS=str(columns))
    assert max(map(len, out.splitlines())) <= columns
