"""The pager: which output goes through it, whose it is, and what happens when it does not work."""

from __future__ import annotations

import shutil

import pytest

from tests.terminal import at_terminal

LONG = ("table", "resnet", "--by", "layer")
FIRST = "sed -n 1,2p"
"""A pager that shows two lines."""


def lines(*arguments: str, **environment: str) -> int:
    """How many lines are shown."""
    done = at_terminal(*arguments, **environment)
    assert (done.code, "Traceback" in done.stdout) == (0, False), done.stdout[:2000]
    return len(done.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [LONG, (*LONG, "--format", "markdown"), ("help", "table"), ("specs", "vgg")], ids=" ".join
)
def test_long_output_goes_through_the_pager(arguments: tuple[str, ...]) -> None:
    assert lines(*arguments, PAGER=FIRST) == 2
    assert lines(*arguments, PAGER=FIRST, CONVCALC_PAGER="sed -n 1,3p") == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((*LONG, "--no-pager"), {}),
        (("--no-pager", *LONG), {}),
        (LONG, {"CI": "true"}),
        (LONG, {"TERM": "dumb"}),
        (LONG, {"CONVCALC_PAGER": ""}),
        (LONG, {"CONVCALC_PAGER": "cat"}),
        ((*LONG, "--format", "json"), {}),
        ((*LONG, "--format", "csv"), {}),
    ],
)
def test_what_does_not(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    assert lines(*arguments, **{"PAGER": FIRST, **environment}) > 24


@pytest.mark.slow
def test_what_fits_the_screen_does_not() -> None:
    assert lines("solve", "--in", "8", "--out", "4", "--top", "3", PAGER="sed -n 1,1p") > 3


@pytest.mark.slow
@pytest.mark.parametrize("pager", ["/nowhere/pager", "'unclosed", "false", "/"])
def test_a_pager_that_does_not_work_is_none(pager: str) -> None:
    assert lines(*LONG, PAGER=pager) > 24


@pytest.mark.slow
def test_words_are_not_a_program_of_the_shell(tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("pager") / "made"
    assert lines(*LONG, PAGER=f"sed -n '1,2p' /dev/stdin; touch {target}") > 2
    assert not target.exists()


@pytest.mark.slow
def test_whoever_quits_early_has_read_enough() -> None:
    assert lines(*LONG, PAGER="head -n 1") == 1


@pytest.mark.slow
def test_colours_go_through_it() -> None:
    assert "\x1b[1m" in at_terminal(*LONG, PAGER=FIRST).stdout
    assert "\x1b[" not in at_terminal(*LONG, PAGER=FIRST, NO_COLOR="1").stdout


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
@pytest.mark.slow
def test_less_keeps_colours_and_is_left_with_q() -> None:
    done = at_terminal(*LONG, keys=b"q", PAGER="less")
    assert done.code == 0
    assert "\x1b[1m" in done.stdout and "ESC[" not in done.stdout
    assert len(done.stdout.splitlines()) < 60


@pytest.mark.slow
def test_findings_fail_even_so() -> None:
    assert at_terminal("check", "missing.yaml", PAGER=FIRST).code == 2
