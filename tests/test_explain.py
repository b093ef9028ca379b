"""Explanations: each line's text evaluates to its value, figures equal the report's, and the golden text."""

from __future__ import annotations

import json
from fractions import Fraction
from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load
from convcalc.analysis.device import read_device
from convcalc.analysis.explain import explain
from convcalc.analysis.explain_layer import draw_window
from convcalc.analysis.explanation import Explanation, Step
from convcalc.analysis.figures import find
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.geometry import TransposedWindow, Window
from convcalc.render.explain import explain_document
from convcalc.render.markup import latex, markdown

from .command import run
from .golden_output import COMMANDS, Golden
from .published_architectures import MOBILENET_V2, network


def explained(text: str, name: str, at: tuple[int, ...] | None = None) -> Explanation:
    report = analyse(network(text))
    subject = find(report, name)
    assert subject is not None
    return explain(report, subject, at)


def steps(explanation: Explanation) -> dict[str, Step]:
    return {step.result: step for section in explanation.sections for step in section.steps}


@pytest.mark.parametrize(
    "golden", [g for g in COMMANDS if g.arguments[0] == "explain"], ids=lambda golden: golden.path.name
)
def test_golden_text(golden: Golden) -> None:
    assert golden.run() == (0, golden.expected, "")
    if golden.columns is not None:
        assert max(map(len, golden.expected.splitlines())) <= golden.columns


LAYERS = st.one_of(
    st.builds(
        lambda k, s, p, d, g: f"conv2d: {{out: {2 * g}, k: {k}, s: {s}, p: {p}, d: {d}, g: {g}}}",
        st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2), st.sampled_from([1, 2, 4]),
    ),
    st.builds(
        lambda k, s, p: f"conv_transpose2d: {{out: 4, k: {k}, s: {s}, p: {p}}}",
        st.integers(1, 4), st.integers(1, 3), st.integers(0, 2),
    ),
    st.builds(
        lambda k, c: f"max_pool2d: {{k: {k}, s: 2, ceil_mode: {c}}}",
        st.integers(1, 4), st.sampled_from(["true", "false"]),
    ),
    st.builds(lambda m: f"separable_conv2d: {{out: 4, k: 3, depth_multiplier: {m}}}", st.integers(1, 3)),
    st.sampled_from(
        ["relu: {}", "batch_norm: {}", "upsample: {scale_factor: 2}", "global_avg_pool: {}", "linear: {out: 3}"]
    ),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(LAYERS, min_size=1, max_size=3))
def test_every_line_evaluates_to_its_value(layers: list[str]) -> None:
    body = "".join(f"  - {{{layer}, name: n{n}}}\n" for n, layer in enumerate(layers))
    try:
        report = analyse(network(f"convcalc: 1\ninput: [4, 17, 15]\nlayers:\n{body}"))
    except ValueError:
        return
    for subject in report.layers:
        found = explain(report, subject)
        for section in found.sections:
            for step in section.steps:
                if step.substituted and not isinstance(step.value, str):
                    value = eval(step.substituted, {"__builtins__": {}, "max": max, "min": min, "gcd": gcd})
                    assert value == pytest.approx(float(step.value)), (section.heading, step)
        known = steps(found)
        cost = report.costs[subject.nodes[0]]
        assert known["params"].value == cost.params and known["flops"].value == cost.flops
        if cost.macs:
            assert known["MACs"].value == cost.macs
        document = explain_document(found)
        assert markdown(document) and latex(document) and json.dumps(found.to_dict())


def test_a_group_is_the_sum_of_its_layers() -> None:
    report = analyse(load("googlenet"))
    subject = find(report, "inception_3a")
    assert subject is not None
    known = steps(explain(report, subject))
    assert known["params"].value == 163_696 and known["MACs"].value == 128_049_152
    assert known["MACs"].substituted.count("+") == 5


def test_the_network_says_memory_training_lecture_and_roofline() -> None:
    report = analyse(network(MOBILENET_V2), optimizer="adam", device=read_device("v100"))
    found = explain(report, report.whole)
    known = steps(found)
    headings = [section.heading for section in found.sections]
    assert "memory in training" in headings and headings[-1] == "roofline on v100"
    assert known["training"].value == QUANTITIES["training"].get(report, report.whole)
    assert known["released"].value == QUANTITIES["training_released"].get(report, report.whole)
    assert "backward: params, buffers and state" in known["training"].note
    nothing = explain(analyse(report.network, dtype="int8"), report.whole)
    assert "memory in training" not in [section.heading for section in nothing.sections]
    assert known["peak, best order"].note.startswith("proven")
    bound, eager = known["time, fused"], known["time, eager"]
    assert bound.note.startswith("a bound") and eager.note.startswith("an estimate") and bound.value < eager.value
    assert "on a microcontroller" not in headings
    assert any("data sheet" in source for source in found.sources)


def test_int8_says_what_a_microcontroller_needs() -> None:
    report = analyse(load("mobilenet_v2"), dtype="int8")
    known = steps(explain(report, report.whole))
    names = ("alive", "arena", "gaps", "arena with PAD", "weights", "biases", "scales", "flash")
    assert [known[name].value for name in names] == [
        *(1_505_280, 1_505_280, 0, 2_451_840),
        *(3_469_760, 72_224, 72_224, 3_614_208),
    ]


def test_dilation_ceil_and_drop_are_explained() -> None:
    pool = explained(
        "{convcalc: 1, input: [1, 2], layers: [{max_pool1d: {k: 1, s: 2, p: 0, ceil_mode: true}, name: p}]}", "p"
    )
    assert "dropped" in steps(pool)["o"].note
    over = steps(
        explained("{convcalc: 1, input: [1, 6], layers: [{max_pool1d: {k: 3, s: 2, ceil_mode: true}, name: p}]}", "p")
    )
    assert over["overhang"].value == 1
    dilated = steps(explained("{convcalc: 1, input: [1, 9], layers: [{conv1d: {out: 1, k: 3, d: 2}, name: c}]}", "c"))
    assert dilated["K"].value == 5


def test_inputs_that_no_window_reads_are_named() -> None:
    known = steps(explained("{convcalc: 1, input: [1, 6], layers: [{conv1d: {out: 1, k: 3, s: 2}, name: c}]}", "c"))
    assert known["unread"].value == 1


def test_a_position_with_gaps_lists_them() -> None:
    found = explained(
        "{convcalc: 1, input: [1, 11], layers: [{conv1d: {out: 1, k: 3, d: 3, p: 3}, name: c}]}", "c", (1,)
    )
    known = steps(found)
    assert known["l"].value == "1 … 4" and known["l"].note == "with gaps: 1, 4"
    assert known["effective"].value == Fraction(2, 7)
    assert found.to_dict()["seen"] == [{"input": "input", "positions": [[1, 4]], "pixels": 2}]


def test_joins_are_explained() -> None:
    text = (
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 1, k: 3, p: [[0, 2]]}, name: a},"
        " {add: {}, from: [a, input], name: join}]}"
    )
    assert "misaligned" in steps(explained(text, "join"))


def test_drawings() -> None:
    assert draw_window(Window(3, 1, 0, 0, 2), 6, 2) == [
        "input   0 1 2 3 4 5",
        "out 0   # - # - #",
        "out 1     # - # - #",
    ]
    assert draw_window(TransposedWindow(2, 2), 2, 4) == ["output   0 1 2 3", "in 0     # #", "in 1         # #"]
    assert draw_window(Window(200), 300, 101) == []


@pytest.mark.parametrize("columns", [50, 64, 80])
def test_nothing_is_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for layer in ("conv1.conv2d", "inception_3a", "total"):
        lines = run("explain", "googlenet", layer).stdout.splitlines()
        assert [line for line in lines if len(line) > columns] == []


def test_a_layer_may_be_longer_than_a_path() -> None:
    item = "conv2d: {out: 1, k: 3" + ", groups: 1" + " " * 300 + "}"
    said = run("explain", item, "--input", "1,8,8")
    assert (said.code, said.stdout) == (0, run("explain", "conv2d: {out: 1, k: 3}", "--input", "1,8,8").stdout)


def test_it_is_said_in_words_of_its_own() -> None:
    text = run("explain", "conv2d: {out: 1, k: 8}", "--input", "1,8,8").stdout
    assert "`" not in text and "A convolution" not in text
    assert "= 1 position  [1]" in text and "= 1 pixel a position" in text and "bias      = 1 flop " in text
    page = run("explain", "googlenet", "conv1.conv2d", "--format", "markdown").stdout
    assert "3×224×224 -> 64×112×112" in page and "Dumoulin & Visin" in page and "&gt;" not in page
