"""`convcalc check` on anything: no traceback, no hang, and an exit code that says what the findings say.

The default run takes a few hundred cases; `pytest -m slow` takes 20,000.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcalc.check import run as run_module
from convcalc.findings import Finding
from convcalc.language import gallery_path
from convcalc.language.items import fields_of
from convcalc.language.sections import Sections
from convcalc.layers.registry import KINDS
from convcalc.render.text import finding_text

from .command import run

GOLDEN = Path(__file__).parent / "golden"
SECONDS = 20
"""Of CPU time for one case: far more than any takes, far less than a hang."""


def judge(data: bytes) -> None:
    """Assert what must hold for every input."""
    started = time.process_time()
    done = run("check", "--advice", "--format", "json", "-", data=data)
    assert time.process_time() - started < SECONDS
    assert "Traceback" not in done.stdout + done.stderr
    found = json.loads(done.stdout)
    errors = [finding for finding in found["findings"] if finding["severity"] == "error"]
    assert done.code == (1 if errors else 0), done
    for finding in found["findings"]:
        assert finding["line"] >= 1 and finding["column"] >= 1 and finding["message"], finding
        assert "\x1b" not in finding_text([Finding(**{k: v for k, v in finding.items() if k != "severity"})])


SEEDS = [
    path.read_bytes().decode("utf-8", "replace")
    for path in [*sorted(gallery_path().glob("*.yaml")), *sorted(GOLDEN.rglob("*.yaml"))]
    if path.stat().st_size < 20_000
]
WORDS = [
    *("{", "}", "[", "]", ": ", "- ", ", ", "#", "'", '"', "&a ", "*a", "~", "!!int ", "<<", "|", ">", "?"),
    *("\t", "\n", "\n  ", "0", "-1", "1", "2", "7", "1.5", "1e9", "99999999999999999999", "1000000000", "x", "in"),
    *("index", "in_channels", "total", "true", "no", "1:30", "k // 0", "2 ** 9999", "[1, 2]", "{a: 1}", "relu"),
    *("conv2d", "from: input", "repeat: 3", "when: x", "<= 1", "7M ± 1%", "# convcalc: ignore[CC3]", "é"),
    *("\u202e", "\x00", "\ufeff", "\U0001f600", "\x1b[31m", "\x85", "\u2028"),
]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A spec of the gallery or of the golden ones, changed at a few places."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20, 80]))
        inserted = draw(st.sampled_from(["", *WORDS]))
        text = text[:start] + inserted + text[start + length :]
    return text.encode("utf-8", "surrogatepass")


KEYS = tuple(Sections.keys)
FIELDS = sorted({name for kind in KINDS for name in fields_of(kind)})
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 9),
    st.sampled_from([2**63, 10**30, 0.5, -0.0, "", *WORDS, *KINDS, *KEYS]),
)
NAMES = st.sampled_from(
    [*KEYS, *KINDS, *FIELDS, "name", "from", "repeat", "when", "branches", "a", "b", "1x1", "0", "input"]
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
KIND_ITEMS = st.dictionaries(st.sampled_from(sorted(KINDS)), TREES, max_size=2)
WIRING = {"repeat": SCALARS, "name": NAMES, "from": NAMES}


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Joins and groups of items."""
    branches = st.dictionaries(NAMES, st.lists(inner, max_size=3), max_size=3)
    join = st.fixed_dictionaries({"concat": st.fixed_dictionaries({"branches": branches})})
    return join | st.fixed_dictionaries({"layers": st.lists(inner, max_size=3)}, optional=WIRING)


ITEMS = st.recursive(st.sampled_from(["relu", "flatten", "batch_norm", "a"]) | KIND_ITEMS, containers, max_leaves=6)
SPECS = st.fixed_dictionaries(
    {
        "input": st.lists(st.integers(1, 9), min_size=1, max_size=4) | TREES,
        "layers": st.lists(ITEMS, max_size=5) | TREES,
    },
    optional={key: TREES for key in KEYS if key not in ("input", "layers")},
)


def structures() -> st.SearchStrategy[bytes]:
    """Documents with the keys of the language and anything under them."""
    return (SPECS | TREES).map(lambda tree: json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace"))


def anything() -> st.SearchStrategy[bytes]:
    """Bytes, text, and text behind a beginning that looks right."""
    text = st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))
    return st.binary(max_size=200) | text | text.map(lambda t: b"convcalc: 1\ninput: [3, 8, 8]\nlayers:\n" + t)


SOURCES: list[Callable[[], st.SearchStrategy[bytes]]] = [mutations, structures, anything]


def fuzz(source: Callable[[], st.SearchStrategy[bytes]], cases: int) -> None:
    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(source())
    def cases_of(data: bytes) -> None:
        judge(data)

    cases_of()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_check_stands_anything(source: Callable[[], st.SearchStrategy[bytes]]) -> None:
    fuzz(source, 100)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_check_stands_anything_for_long(source: Callable[[], st.SearchStrategy[bytes]]) -> None:
    fuzz(source, 7_000)


def test_the_judge_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_module, "check_source", broken)
    with pytest.raises(ZeroDivisionError):
        judge(b"convcalc: 1\n")
