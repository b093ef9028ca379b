"""The generators, the oracles and the processes of tools/fuzz: what they promise, and that each of them can fail."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import yaml

from convcalc.check import run as run_module
from convcalc.cli import app
from convcalc.cli.commands import COMMANDS
from convcalc.language import events
from convcalc.language.pure_yaml import PureLoader
from convcalc.onnx.messages import parse_model
from tools.fuzz import guided
from tools.fuzz.__main__ import main
from tools.fuzz.case import Case, read_case
from tools.fuzz.generators import KINDS, Kind, command_lines, exported_files, exported_steps, onnx_files, runs
from tools.fuzz.generators.layers import layer
from tools.fuzz.oracles import ANSWERED, HEADERS, MEBI, ORACLES, REFUSED, judge
from tools.fuzz.programs import PAGE
from tools.fuzz.run import Outcome, ready, run
from tools.fuzz.shrink import shrink
from tools.fuzz.workers import Prober, Work, reports

ROOT = Path(__file__).parent.parent
CORPUS = sorted((ROOT / "tools" / "fuzz" / "corpus").glob("*.json"))
SPEC = b"convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 3}}]\n"


@pytest.fixture
def prepared() -> Iterator[None]:
    with ready():
        yield


def oracles_of(case: Case, outcome: Outcome) -> list[str]:
    return [failure.oracle for failure in judge(case, outcome)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_seed_and_a_number_make_one_case(kind: Kind) -> None:
    cases = [kind.case(1, number) for number in range(30)]
    assert cases == [kind.case(1, number) for number in range(30)]
    assert cases != [kind.case(2, number) for number in range(30)]


@pytest.mark.slow
def test_cases_do_not_depend_on_the_process() -> None:
    code = "from tools.fuzz.generators import KINDS; print([k.case(3, n) for k in KINDS.values() for n in range(40)])"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(found) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("specs", 0.5),
        ("onnx", 0.5),
        ("exported", 0.5),
        ("published", 0.9),
        ("commands", 0.15),
        ("sweeps", 0.5),
        ("runs", 0.45),
        ("playground", 0.4),
        ("watch", 0.2),
    ],
)
def test_enough_cases_get_past_the_reader(kind: str, least: float, tmp_path: Path) -> None:
    built = [run(KINDS[kind].case(1, number), tmp_path).built for number in range(200)]
    assert sum(built) >= least * len(built)


def test_layers_of_every_kind_are_made() -> None:
    random = Random(1)
    shapes = [(8,), (8, 12), (8, 12, 9), (8, 6, 5, 4)]
    kinds = {layer(random, random.choice(shapes)).kind for _ in range(8000)}
    assert len(kinds) > 50, "all but joins, which are items of their own"


def test_graphs_are_onnx() -> None:
    onnx = pytest.importorskip("onnx")
    random = Random(1)
    for _ in range(30):
        data = onnx_files.encode(onnx_files.model(random))
        assert len(onnx.load_model_from_string(data).graph.node) == len(parse_model(data).graph.nodes)  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(60))
def test_programs_are_those_of_torch(number: int) -> None:
    """torch reads what is drawn, runs it, and gives every tensor the sizes and the type that are written."""
    torch = pytest.importorskip("torch")
    drawn = exported_steps.program(Random(number), strange=False)
    with zipfile.ZipFile(written := io.BytesIO(), "w") as target:
        for name, content in exported_files.members(json.dumps(drawn.model()), drawn.weights).items():
            target.writestr(name, content)
    read, made = torch.export.load(io.BytesIO(written.getvalue())), {}

    class Run(torch.fx.Interpreter):  # type: ignore[misc, name-defined]
        def run_node(self, n: object) -> object:
            made[n.name] = found = super().run_node(n)  # type: ignore[attr-defined]
            return found

    inputs = [drawn.said(spec["user_input"]["arg"]["as_tensor"]["name"]) for spec in drawn.specs["user_input"]]
    example = [torch.zeros(sizes, dtype=torch.int64 if whole else torch.float32) for sizes, whole in inputs]
    Run(read.module(), garbage_collect_values=False).run(*example)
    written = {name: drawn.said(name) for name in made if name in drawn.tensors}
    assert written == {name: (tuple(made[name].shape), not made[name].is_floating_point()) for name in written}
    assert drawn.end.name in written


def test_every_command_is_called() -> None:
    called = {KINDS[kind].case(1, number).arguments[:1] for kind in KINDS for number in range(400)}
    assert {(command,) for command in COMMANDS if command not in command_lines.ENDLESS} <= called


def test_every_option_that_has_values_is_an_option() -> None:
    known = {name for command in COMMANDS for option in command_lines.options(command) for name in option.names}
    assert command_lines.VALUES.keys() <= known


FINE = Outcome(0, b"a\n", b"", built=True)
TABLE, JSON = Case(("table", "-"), ci=True), Case(("table", "-", "--format", "json"))
ASKED, ANSWERED_ONCE = Case((), b"{}", program="playground"), FINE._replace(stdout=b"{}\n")
KNOWN = Case((), b"GET /{token}/page HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\r\n", program="watch")
STRANGER = Case((), b"GET /{token}/page HTTP/1.1\r\nHost: evil.example\r\n\r\n", program="watch")
BODY = b"<p>the page"
SERVED = FINE._replace(
    stdout=b"\r\n".join((b"HTTP/1.0 200 OK", *sorted(HEADERS), b"Content-Length: %d" % len(BODY), b"", BODY))
)
FAULTS: list[tuple[str, Case, Outcome]] = [
    ("exception", TABLE, FINE._replace(code=None, raised=ZeroDivisionError())),
    ("exception", TABLE, FINE._replace(stderr=b"Traceback (most recent call last):\n")),
    ("exit code", TABLE, FINE._replace(code=3)),
    ("exit code", TABLE, FINE._replace(code=2, stdout=b"")),
    ("warning", TABLE, FINE._replace(warned=("RuntimeWarning: overflow",))),
    ("files", Case(("sweep", "run.sqlite")), FINE._replace(touched=("a.yaml",))),
    ("bounds", TABLE, FINE._replace(seconds=ANSWERED[0] + 1)),
    ("bounds", TABLE, FINE._replace(code=1, built=False, seconds=REFUSED[0] + 0.1)),
    ("bounds", TABLE, FINE._replace(code=1, built=False, memory=REFUSED[1] + MEBI)),
    ("encoding", TABLE, FINE._replace(stdout=b"\xff\n")),
    *(
        ("invisible", TABLE, FINE._replace(stdout=f"a{sign}b\n".encode()))
        for sign in "\x1b\x9b\u202e\u200b\xad\U000e0041\r"
    ),
    ("invisible", JSON, FINE._replace(stdout='{"a": "\u202e"}\n'.encode())),
    ("invisible", TABLE, FINE._replace(stderr=b"error: \x07\n")),
    ("workflow command", TABLE, FINE._replace(stdout=b"a\n  ::error::b\n")),
    ("workflow command", TABLE, FINE._replace(stderr=b"error: ##[error]b\n")),
    (
        "workflow command",
        Case(("check", "--format=github"), ci=True),
        FINE._replace(stdout=b"::error file=a::b\n::x::y\n"),
    ),
    ("python", Case(("export", "-", "--to", "torch")), FINE._replace(stdout=b"x = = 1\n")),
    ("python", Case(("export", "-", "--to", "keras")), FINE._replace(stdout=b"'\\d'\n")),
    ("form", JSON, FINE._replace(stdout=b'{"a": NaN}\n')),
    ("form", JSON, FINE._replace(stdout=b"{\n")),
    ("form", Case(("export", "-", "--to", "svg")), FINE._replace(stdout=b"<svg>\n")),
    ("form", Case(("export", "-", "--to", "onnx")), FINE._replace(stdout=b"\x07")),
    ("form", Case(("check", "-", "--format", "junit")), FINE._replace(stdout=b"<a>&</a>\n")),
    ("form", Case(("check", "-", "--format", "sarif")), FINE._replace(stdout=b'{"version": "2.0.0", "runs": []}\n')),
    (
        "form",
        Case(("check", "-", "--format", "json")),
        FINE._replace(stdout=b'{"findings": [{"severity": "error"}]}\n'),
    ),
    ("form", Case(("check", "-", "--format", "json")), FINE._replace(code=1, stdout=b'{"findings": []}\n')),
    ("form", Case(("table", "-", "--format", "csv")), FINE._replace(stdout=b"a,b\nc\n")),
    ("form", Case(("import", "m.onnx")), FINE._replace(stdout=b"input: [3]\n")),
    ("form", Case(("report", "-")), FINE._replace(stdout=b"<!doctype html><p onclick=x>\n")),
    ("form", Case(("report", "-")), FINE._replace(stdout=b"<!doctype html><script src=http://x.y>\n")),
    ("form", ASKED, ANSWERED_ONCE._replace(stdout=b"{}\n{}\n")),
    ("form", ASKED, ANSWERED_ONCE._replace(stdout=b'{"svg": "<svg>"}\n')),
    ("form", ASKED, ANSWERED_ONCE._replace(stdout=b'{"findings": [{"line": 0, "column": 1, "width": 1}]}\n')),
    ("exception", ASKED, ANSWERED_ONCE._replace(stdout=b'{"error": {"message": "internal error: KeyError"}}\n')),
    ("bounds", ASKED, ANSWERED_ONCE._replace(seconds=2 * ANSWERED[0])),
    ("form", STRANGER, SERVED),
    ("form", Case((), b"GET /{token}/page HTTP/1.1\nHost: {host}\nHost: x\n\n", program="watch"), SERVED),
    ("form", Case((), b"GET /{token}/page HTTP/1.1\nHost: {host}\nOrigin: null\n\n", program="watch"), SERVED),
    ("form", KNOWN, SERVED._replace(stdout=SERVED.stdout.replace(b"X-Content", b"X-Other"))),
    ("form", KNOWN, SERVED._replace(stdout=SERVED.stdout.replace(b"\r\n", b"\r\nX: y\r\n", 1))),
    ("form", KNOWN, SERVED._replace(stdout=SERVED.stdout + b"more")),
    ("form", KNOWN, SERVED._replace(stdout=b"<p>the page")),
    ("form", KNOWN, SERVED._replace(stdout=SERVED.stdout.replace(b"<p>the", b"{token}"))),
]


@pytest.mark.parametrize(("oracle", "case", "outcome"), FAULTS)
def test_an_oracle_sees_its_fault(oracle: str, case: Case, outcome: Outcome) -> None:
    assert oracles_of(case, outcome) == [oracle]


def test_every_oracle_has_a_fault() -> None:
    assert {oracle for oracle, _, _ in FAULTS} == ORACLES.keys()


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (TABLE, FINE),
        (TABLE, FINE._replace(code=1, stdout=b"", stderr=b"a.yaml: error\n")),
        (Case(("table", "-", "--format", "csv")), FINE._replace(stdout=b"a,b\r\nc,d\r\n")),
        (Case(("check", "--format", "github"), ci=True), FINE._replace(stdout=b"::error file=a,line=1::b\n")),
        (Case(("table", "-"), ci=False), FINE._replace(stdout=b"::error::b\n")),
        (Case(("export", "-", "--to", "onnx")), FINE._replace(stdout=b"\x08\x08")),
        (Case(("table", "--help", "--format", "json")), FINE),
        (Case(("table", "-", "--format", "json", "-f", "text")), FINE),
        (Case(("table", "-", "--format", "csv")), FINE._replace(stdout=b"a,b\r\n\r\nc,d,e\r\n")),
        (Case(("table", "-", "-fcsv")), FINE._replace(stdout=b"a,b\r\nc,d\r\n")),
        (Case(("export", "-", "--to=torch")), FINE._replace(stdout=b"x = 1\n")),
        (Case(("report", "-")), FINE._replace(stdout=b'<!doctype html><img src="data:image/svg+xml;base64,PA==">\n')),
        (Case(("sweep", "run.sqlite")), FINE._replace(touched=("run.sqlite", "run.sqlite-journal"))),
        (ASKED, ANSWERED_ONCE),
        (KNOWN, SERVED),
        (
            Case((), KNOWN.data.replace(b"GET", b"HEAD"), program="watch"),
            SERVED._replace(stdout=SERVED.stdout[: -len(BODY)]),
        ),
        (STRANGER, SERVED._replace(code=1, stdout=SERVED.stdout.replace(b"200 OK", b"421 Misdirected Request"))),
        (Case((), b"", program="watch"), FINE._replace(code=1, stdout=b"")),
    ],
)
def test_what_is_right_is_no_failure(case: Case, outcome: Outcome) -> None:
    assert oracles_of(case, outcome) == []


def test_answers_are_judged_one_by_one() -> None:
    """Bounds are those of each answer."""
    case = Case((), b"{}\n{}\n{}", program="playground")
    outcome = FINE._replace(stdout=b"{}\n" * 3, seconds=2.5 * ANSWERED[0])
    assert oracles_of(case, outcome) == []


@pytest.mark.usefixtures("prepared")
def test_every_program_is_run(tmp_path: Path) -> None:
    spec = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [relu]\n"
    asked = json.dumps({"ask": "network", "text": spec}) + '\n{"ask": "graph"}'
    played = run(Case((), asked.encode(), program="playground"), tmp_path)
    assert played.code == 0 and [*map(set, map(json.loads, played.stdout.splitlines()))][1] == {"graph"}
    assert run(KNOWN, tmp_path).stdout.endswith(PAGE)
    assert run(STRANGER, tmp_path).code == 1
    assert events.Loader is not PureLoader, "the playground's scanner is its own alone"


def _raise() -> None:
    raise ZeroDivisionError


def _take_memory() -> None:
    assert len(b"x" * (300 * MEBI)) and sys.exit(1)


def _take_time() -> None:
    while time.process_time() < _take_time_until:
        pass
    sys.exit(1)


_take_time_until = 0.0


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(("fault", "oracle"), [(_raise, "exception"), (_take_memory, "bounds"), (_take_time, "bounds")])
def test_a_fault_of_the_program_is_measured(
    fault: Callable[[], None], oracle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(("check", "-"), SPEC.replace(b"k: 3", b"k: 33"), spec="-")
    assert oracles_of(case, run(case, tmp_path)) == []
    monkeypatch.setattr(sys.modules[__name__], "_take_time_until", time.process_time() + REFUSED[0] + 0.1)
    monkeypatch.setattr(app, "main", fault)
    assert oracle in oracles_of(case, run(case, tmp_path))


@pytest.mark.usefixtures("prepared")
def test_a_fault_behind_the_command_line_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_module, "check_source", broken)
    case = Case(("check", "-"), SPEC, spec="-")
    failures = judge(case, run(case, tmp_path))
    assert [(failure.oracle, failure.place) for failure in failures] == [
        ("exception", "ZeroDivisionError in check/run.py _check_file")
    ]


@pytest.mark.usefixtures("prepared")
def test_files_that_a_program_touches_are_seen(tmp_path: Path) -> None:
    case = Case(("export", "a.yaml", "--to", "torch", "-o", "out.py"), files={"a.yaml": SPEC}, spec="a.yaml")
    assert run(case, tmp_path).touched == ("out.py",)
    assert run(Case(("sweep", "b", "-o", "a.yaml", "--force"), files={"a.yaml": SPEC}), tmp_path).touched == ()
    broken = Case(
        ("sweep", runs.RUN), files={runs.RUN: runs.made(0), f"{runs.RUN}-journal": runs.journal(runs.made(0))}
    )
    assert run(broken, tmp_path).touched == (f"{runs.RUN}-journal",)


@pytest.mark.usefixtures("prepared")
def test_a_case_leaves_nothing_behind(tmp_path: Path) -> None:
    here = Path.cwd()
    written = Case(("export", "-", "--to", "torch", "-o", "out.py"), SPEC, spec="-")
    for case in (written, Case(("check", "a.yaml"), files={"a.yaml": SPEC})):
        assert run(case, tmp_path).code == 0
    assert Path.cwd() == here and [path for path in tmp_path.rglob("*") if path.is_file()] == []


LARGE = (
    "specs-onnx-of-many-layers",
    "specs-too-many-different-layers",
    "specs-decoder-longer-than-a-spec",
    "specs-decoder-of-many-activations",
)
"""Kept cases that take seconds."""


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if path.stem in LARGE else [], id=path.stem) for path in CORPUS],
)
def test_kept_cases(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    assert judge(case, run(case, tmp_path)) == []
    assert case.to_json() == path.read_text("utf-8")


def dying(case: Case, folder: Path) -> Outcome:
    """A program that some cases end, each in another way."""
    match case.data:
        case b"signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"exit":
            os._exit(7)
        case b"hang":
            time.sleep(60)
    return FINE


def deadly(random: Random) -> Case:
    return Case(("table", "-"), random.choice((b"", b"", b"", b"signal", b"exit", b"hang")))


def mortal(random: Random) -> Case:
    return Case(("table", "-"), random.choice((b"", b"exit")))


def quiet(random: Random) -> Case:
    return Case(("table", "-"))


DEADLY = Kind("deadly", deadly, dying)


@pytest.mark.slow
def test_the_death_of_a_worker_is_a_failure_of_its_case() -> None:
    numbers = range(12)
    expected = {number: DEADLY.case(1, number).data for number in numbers}
    assert set(expected.values()) == {b"", b"signal", b"exit", b"hang"}
    found = {report.number: report for report in reports(DEADLY, Work(1, numbers), jobs=2, patience=0.5)}
    assert found.keys() == expected.keys()
    said = {b"": [], b"signal": ["death"], b"exit": ["death"], b"hang": ["hang"]}
    assert {n: [f.oracle for f in report.failures] for n, report in found.items()} == {
        n: said[d] for n, d in expected.items()
    }
    places = {expected[number]: f.place for number, report in found.items() for f in report.failures}
    assert places[b"signal"].startswith("signal SIGSEGV") and places[b"exit"] == "exit 7"


@pytest.mark.slow
def test_a_prober_survives_what_it_is_asked() -> None:
    prober = Prober(DEADLY)
    try:
        found = [prober.report(Case(("table", "-"), data)).failures for data in (b"", b"signal", b"", b"exit")]
    finally:
        prober.close()
    assert [[failure.oracle for failure in failures] for failures in found] == [[], ["death"], [], ["death"]]


def test_a_failing_case_is_made_small() -> None:
    case = Case(
        ("table", "-", "--format", "json", "--exact"), SPEC * 20 + b"BUG\n" + SPEC, {"a": b"x", "b": b"y"}, True, "-"
    )
    small = shrink(case, lambda made: b"UG" in made.data and made.arguments[:1] == ("table",))
    assert small == Case(("table",), b"UG", {}, False, "-")
    assert shrink(case, lambda made: False) == case


def test_shrinking_ends_when_its_time_is_over() -> None:
    """A large case has as many pieces as bytes, and each try copies them."""
    tried: list[Case] = []
    case = Case(("table", "-"), data=b"a" * 300_000)

    def fails(made: Case) -> bool:
        tried.append(made)
        return False

    assert shrink(case, fails, seconds=-1) == case
    assert not tried


@pytest.mark.slow
def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "specs", Kind("deadly", mortal, dying))
    arguments = ["specs", "--count", "3", "--seed", "1", "--jobs", "1", "--shrink", "0", "--out", str(tmp_path)]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "\ndeadly  3       " in printed and "python -m tools.fuzz deadly --seed 1 --number" in printed
    kept = sorted(tmp_path.glob("*.json"))
    assert kept and all(read_case(path).data for path in kept)
    assert main(["replay", str(kept[0])]) == 1
    monkeypatch.setitem(KINDS, "specs", Kind("quiet", quiet, dying))
    assert main(arguments) == 0
    assert "\nquiet  3       3      0        0:3" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    "kind", ["specs", "onnx", "exported", "commands", "published", "sweeps", "runs", "playground", "watch"]
)
def test_the_program_stands_what_nobody_wrote(kind: str, tmp_path: Path) -> None:
    found = {}
    for number in range(120):
        case = KINDS[kind].case(0, number)
        failures = judge(case, run(case, tmp_path))
        if failures:
            found[number] = failures
    assert found == {}


def test_the_nightly_workflow_has_the_least_rights_and_runs_a_million() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8"))
    assert set(workflow[True]) == {"schedule", "workflow_dispatch"}, "YAML 1.1 reads the key 'on' as true"
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all("permissions" not in job and "timeout-minutes" in job for job in workflow["jobs"].values())
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    scripts = [step["run"] for step in steps if "run" in step]
    assert not any("${{" in script for script in scripts)
    (count,) = re.findall(r"tools\.fuzz all --count (\d+)", "\n".join(scripts))
    assert int(count) * len(KINDS) >= 1_000_000
    assert any("pip-audit --strict" in script for script in scripts)


def test_ci_runs_twenty_thousand_of_each_kind() -> None:
    assert "-m tools.fuzz all --count 20000 --seed 1\n" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_guided_search_asks_for_what_it_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guided, "find_spec", lambda name: None)
    assert guided.main(["specs"]) == 2
    assert "convcalc[fuzz]" in capsys.readouterr().err


def test_a_run_that_is_interrupted_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tools.fuzz import __main__ as program

    def interrupted(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(program, "reports", interrupted)
    assert program.main(["all", "--count", "5", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "specs: interrupted after 0 of 5" in said.err and "onnx" not in said.out
