"""What one file may ask for, counted over all that stands in it; and how long what is told of it may be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from convcalc import limits
from convcalc.analysis import kept, looks
from convcalc.check import builds
from convcalc.check.run import Task, check_file
from convcalc.findings import Finding
from convcalc.language import unfinished
from convcalc.language.expansion import NETWORK_STEPS
from convcalc.limits import EXCERPT_CHARACTERS, FILE_LOOKS, FILE_STEPS, LIMITS, LIST_VALUES, MESSAGE_CHARACTERS, STEPS
from convcalc.marked import Source
from convcalc.render.text import finding_text
from tests.command import run
from tests.spec_text import build, error, spec

SECONDS = 12
"""Of CPU time: some times what is taken here, for machines that are busy."""


def checked(text: str, folder: Path) -> list[tuple[str, str]]:
    """(code, message) of the findings of a text, which come soon."""
    path = folder / "spec.yaml"
    path.write_text(text, "utf-8")
    started = process_time()
    found = check_file(Task(str(path))).findings
    assert process_time() - started < SECONDS
    return [(finding.code, finding.message) for finding in found]


def test_every_limit_is_listed() -> None:
    numbers = [value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)]
    assert sorted(numbers) == sorted(limit.most for limit in LIMITS)
    assert all(limit.unit and limit.what for limit in LIMITS)


def test_variants_are_counted_together(tmp_path: Path) -> None:
    variants = "variants:\n" + "".join(f"  v{n}: {{n: {200_000 - n}}}\n" for n in range(200))
    head = f"params: {{n: 200000}}\n{variants}"
    found = checked(spec("- {relu: , repeat: n}", input="[1, 4]", head=head), tmp_path)
    assert {code for code, _ in found} == {"CC111"} and len(found) == 200
    assert all("steps that are left for this file" in message for _, message in found)


def test_variants_that_fail_are_counted_too(tmp_path: Path) -> None:
    variants = "variants:\n" + "".join(f"  v{n}: {{n: {n + 100_000}}}\n" for n in range(200))
    head = f"params: {{n: 1}}\n{variants}"
    found = checked(spec("- {layers: [{relu: , when: false}], repeat: n}\n- relu", input="[1]", head=head), tmp_path)
    assert sum("this file asks for" in message for _, message in found) > 100


@pytest.mark.slow
def test_claims_and_cells_are_counted_together(tmp_path: Path) -> None:
    layers = spec("- {relu: , name: r, repeat: 200000}", input="[1]")
    batches = ", ".join(f"{{params: 0, batch: {n + 2}}}" for n in range(20))
    assert dict(checked(f"{layers}expect: [{batches}]\n", tmp_path)).keys() == {"CC111"}
    names = ", ".join(f"'r.*{n}': {{params: 0}}" for n in range(20))
    assert dict(checked(f"{layers}expect: {{stages: {{{names}}}}}\n", tmp_path)).keys() == {"CC111"}
    table = "published: {title: T, columns: {p: {value: params}}, rows: {%s}}\n"
    rows = ", ".join(f"'{n}': {{at: 'r.**', cells: [0]}}" for n in range(20))
    assert dict(checked(layers + table % rows, tmp_path)).keys() == {"CC111"}
    rows = ", ".join(f"'{n}': {{with: {{n: {200_000 - n}}}, at: r, cells: [0]}}" for n in range(20))
    computed = spec("- {relu: , name: r, repeat: n}", input="[1]", head="params: {n: 1}\n")
    assert dict(checked(computed + table % rows, tmp_path)).keys() == {"CC111"}


def test_what_a_file_asks_for_within_the_limits_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits count what is done: one step less stops what just went through."""
    text = spec("- {relu: , repeat: n}", input="[1]", head="params: {n: 5}\nvariants: {a: {n: 6}, b: {n: 7}}\n")
    assert checked(text, tmp_path) == []
    origin = build(
        "- {relu: , repeat: n}", input="[1]", head="params: {n: 5}\nvariants: {a: {n: 6}, b: {n: 7}}\n"
    ).origin
    assert origin is not None
    for variant in origin.variants:
        origin.reload(variant=variant)
    monkeypatch.setattr(builds, "FILE_STEPS", origin.steps)
    assert checked(text, tmp_path) == []
    monkeypatch.setattr(builds, "FILE_STEPS", origin.steps - NETWORK_STEPS - 1)
    assert [code for code, _ in checked(text, tmp_path)] == ["CC111"]
    claim = text + "expect: [{params: 0}, {params: 0, batch: 2}]\n"
    monkeypatch.setattr(builds, "FILE_STEPS", FILE_STEPS)
    assert checked(claim, tmp_path) == []
    monkeypatch.setattr(looks, "FILE_LOOKS", 2 * looks.EACH + 20)
    assert [code for code, _ in checked(claim, tmp_path)] == ["CC111"]
    assert FILE_LOOKS == 600_000


def test_every_cell_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = "published: {title: T, columns: {p: {value: params}}, rows: {%s}}\n"
    text = spec("- {relu: , name: r}", input="[1]") + cells % ", ".join(f"{n}: {{at: r, cells: [0]}}" for n in range(9))
    monkeypatch.setattr(looks, "FILE_LOOKS", 9 * (looks.EACH + 1))
    assert checked(text, tmp_path) == []
    monkeypatch.setattr(looks, "FILE_LOOKS", 9 * (looks.EACH + 1) - 1)
    assert [code for code, _ in checked(text, tmp_path)] == ["CC111"]


def test_every_shape_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "STEPS", 1000)
    assert len(build("- {conv1d: {out: 1, k: 1}, repeat: 150}", input="[1, 400]").nodes) == 151
    found = error("- {conv1d: {out: 1, k: 2}, repeat: 150}", input="[1, 400]")
    assert found.code == "CC111" and "its shapes take" in found.message


@pytest.mark.slow
def test_a_library_loads_as_often_as_it_likes() -> None:
    network = build("- {relu: , repeat: n}", input="[1]", head="params: {n: 200000}\n")
    assert network.origin is not None
    for count in (200_000, 200_001, 200_002, 200_003):
        assert len(network.origin.reload(params={"n": count}).nodes) == count + 1
    assert network.origin.steps > FILE_STEPS


@pytest.mark.parametrize("quote", ["", "'"])
def test_lists_of_lists_have_a_size(quote: str) -> None:
    levels = [f"  a: {quote}[{', '.join(['1'] * 10)}]{quote}\n"]
    levels += [f"  {chr(98 + n)}: {quote}[{', '.join([chr(97 + n)] * 10)}]{quote}\n" for n in range(8)]
    found = error("- {conv1d: {out: 1, k: 'len(i)'}}", input="[1, 4]", head="params:\n" + "".join(levels))
    assert (found.code, found.line) == ("CC108", 6) and "more than 1,000 values" in found.message
    short = f"params: {{a: [{', '.join(['1'] * LIST_VALUES)}]}}\n"
    assert build("- {conv1d: {out: 'len(a)', k: 1}}", input="[1, 4]", head=short).nodes[1].shape == (LIST_VALUES, 4)


def test_long_expressions_are_steps() -> None:
    long = " + ".join(["index"] * 45)
    found = error(f"- {{conv1d: {{out: '1 + {long}', k: 1}}, repeat: 250000}}", input="[1, 4]")
    assert found.code == "CC111" and f"{STEPS:,} steps" in found.message
    through = " + ".join(["sum(a)"] * 40)
    listed = "params: {a: [1, 1]}\n"
    found = error(f"- {{conv1d: {{out: '{through} + index', k: 1}}, repeat: 5000}}", input="[1, 4]", head=listed)
    assert found.code == "CC111"


def test_groups_are_steps() -> None:
    layers = "{relu: , when: index < 0}"
    for _ in range(3):
        layers = f"{{layers: [{layers}], repeat: in_channels}}"
    assert error(f"- {layers}", input="[70, 4]").code == "CC111"
    assert len(build(f"- {layers}\n- relu", input="[20, 4]").nodes) == 2


def test_messages_and_excerpts_are_cut() -> None:
    line = "x" * 500_000 + "!" + "y" * 500_000
    found = Source(line).finding("CC103", "m" * 5000, None, hint="h" * 5000)
    assert (
        len(found.message) == MESSAGE_CHARACTERS == len(found.hint or "") and len(found.excerpt) == EXCERPT_CHARACTERS
    )
    found = Finding("CC103", "m", column=500_001, excerpt=line)
    assert found.excerpt[found.column - 1 - found.cut] == "!" and len(found.excerpt) == EXCERPT_CHARACTERS
    _, shown, caret = finding_text([found]).splitlines()[:3]
    assert shown[caret.index("^")] == "!" and "…x" in shown
    assert replace(found, path="other").cut == found.cut
    last = Finding("CC103", "m", column=len(line), excerpt=line)
    assert last.excerpt[last.column - 1 - last.cut] == "y" == last.excerpt[-1]


def test_a_long_line_with_many_findings_is_a_short_report(tmp_path: Path) -> None:
    items = ", ".join(f"{{relu: , from: nowhere_{n}}}" for n in range(1200))
    path = tmp_path / "long.yaml"
    path.write_text(f"{{convcalc: 1, input: [1, 4], layers: [{items}], description: '{'x' * 5_000_000}'}}\n")
    done = run("check", "--format", "sarif", str(path))
    assert len(json.loads(done.stdout)["runs"][0]["results"]) > 1000 and len(done.stdout) < 5_000_000


def test_a_text_of_many_nodes_is_refused_soon(tmp_path: Path) -> None:
    text = "convcalc: 1\ninput: [1]\nlayers:\n" + "  - relu\n" * 1_500_000
    assert [code for code, _ in checked(text, tmp_path)] == ["CC004"]


def test_claims_over_further_networks_count_their_figures(tmp_path: Path) -> None:
    claims = "".join(f"  - {{with: {{a: {n}}}, macs: 192000, receptive_field: [1, 1]}}\n" for n in range(2000))
    text = spec("- {conv2d: {out: 3, k: 1}, repeat: 1000}", input="[3, 8, 8]", head="params: {a: 1}\n")
    found = checked(f"{text}expect:\n{claims}", tmp_path)
    assert {code for code, _ in found} == {"CC111", "CC301"} and sum(code == "CC301" for code, _ in found) < 100
    assert all("look at more" in message for code, message in found if code == "CC111")


@pytest.mark.parametrize("pattern", ["**.c*{}*", "**.b.**.c{}", "a.*.b.*{}.c"])
def test_patterns_over_many_names_are_quick(pattern: str, tmp_path: Path) -> None:
    """A pattern was held against each path from its start: ten of them took seconds."""
    unit = "{layers: [{conv2d: {out: 3, k: 1}, name: c}], name: b, repeat: 40}"
    text = spec(f"- {{layers: [{unit}], name: a, repeat: 300}}", input="[3, 8, 8]")
    claims = ", ".join([f"'{pattern.format(n)}': {{params: 0}}" for n in range(5)])
    started = process_time()
    assert {code for code, _ in checked(f"{text}expect: {{stages: {{{claims}}}}}\n", tmp_path)} <= {"CC301", "CC306"}
    assert process_time() - started < 6


def test_few_networks_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_LAYERS", 25)
    network = build("- {relu: , repeat: n}", input="[1]", head="params: {n: 9}\n")
    made = builds.Builds(network)
    keys = [(None, (("n", str(n)),), None) for n in (8, 9, 10)]
    whole = made.report()
    first = made.report(keys[0])
    assert made.report(keys[1]) is made.report(keys[1]) and made.report(keys[0]) is first
    made.report(keys[2])
    assert made.report() is whole and made.report(keys[0]) is not first
    monkeypatch.setattr(kept, "KEPT_LAYERS", 1)
    assert made.report(keys[1]) is made.report(keys[1])
