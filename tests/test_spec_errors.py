"""Every error has its place, the line, the caret, the path of the layer, what was expected and a hint."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.codes import codes
from convcalc.findings import Finding, SpecError
from convcalc.language import loads
from tests.spec_text import build, caret, error, errors, spec

BLOCKS = """
blocks:
  conv_relu:
    params: {out: ~, k: 1, s: 1}
    layers:
      - {conv2d: {out: out, k: k, s: s}}
      - relu
"""


class TestPlaces:
    def test_all_schema_errors_at_once_in_the_order_of_the_text(self) -> None:
        text = """\
convcalc: 1
input: [3, 32, 32]
params: {for: 1}
variants: {v: {nothing: 1}}
blocks:
  b: {params: {a: 1 +}, layers: [{conv2d: {out: a, k: 3, paddin: 1}}]}
unknown: 1
layers:
  - {conv2: {out: 8, k: 3}}
  - {conv2d: {k: 3}, name: 07}
  - {conv2d: {out: 8, k: 0}, form: x}
  - {conv2d: {out: 8, k: unknown}, when: 1}
  - {add: {branches: {a: [rleu], b: [{b: {q: 1}}]}}}
  - {relu: {}, from: a b, repeat: x}
outputs: [a b]
"""
        found = errors(text)
        assert [finding.line for finding in found] == [3, 4, 6, 6, 7, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15]
        assert [finding.code for finding in found] == [
            "CC105",
            "CC109",
            "CC107",
            "CC101",
            "CC101",
            "CC102",
            "CC104",
            "CC105",
            "CC202",
            "CC101",
            "CC106",
            "CC103",
            "CC102",
            "CC109",
            "CC105",
            "CC106",
            "CC105",
        ]
        for finding in found:
            assert finding.code in codes()
            assert finding.excerpt == text.splitlines()[finding.line - 1]
            assert finding.hint
            assert 1 <= finding.column <= len(finding.excerpt)

    def test_literals_are_checked_even_where_nothing_reaches(self) -> None:
        head = "blocks: {b: {layers: [{conv2d: {out: 0, k: 3}}, {conv2d: {out: 8, k: 3, g: 3}}]}}\n"
        layers = "- relu\n- {conv2d: {out: 8, k: -1}, when: false}"
        assert [f.code for f in errors(spec(layers, head=head))] == ["CC103", "CC204", "CC202"]

    def test_a_wrong_field_is_underlined(self) -> None:
        found = error("- conv2d: {out: 8, k: 3, s: 0}")
        assert (found.code, caret(found)) == ("CC202", "0")
        assert found.message == "stride must be at least 1, not 0"

    def test_a_name_inside_an_expression_is_underlined(self) -> None:
        found = error("- conv2d: {out: 8 * (1 + widht), k: 3}", head="params: {width: 2}\n")
        assert (found.code, caret(found), found.hint) == ("CC106", "widht", "did you mean 'width'?")
        found = error('- conv2d: {out: "8 * max(widht, 1)", k: 3}', head="params: {width: 2}\n")
        assert caret(found) == "widht"

    def test_where_is_the_path_of_the_layer(self) -> None:
        layers = "- {layers: [relu, {add: {branches: {a: [sigmoid, {relu: {q: 1}}], b: []}}, name: j}], name: g}"
        assert error(layers).where == "g.j.a.relu"
        assert error("- relu\n- relu: {q: 1}").where == "relu_2"

    def test_a_shape_error_in_a_block(self) -> None:
        found = error("- {conv_relu: [8, 40], name: stem}", head=BLOCKS)
        assert (found.code, found.line, caret(found), found.where) == ("CC201", 8, "conv2d", "stem.conv2d")
        assert found.message.endswith("(in conv_relu, called on line 11)")
        assert found.hint is not None

    def test_a_value_error_in_a_block(self) -> None:
        found = error("- {conv_relu: {out: 8, k: 3, s: 0}, name: stem}", head=BLOCKS)
        assert (found.code, found.line, found.where) == ("CC202", 8, "stem.conv2d")
        assert caret(found) == "s" and "called on line 11" in found.message

    def test_a_mistake_in_a_block_is_told_once(self) -> None:
        layers = "\n".join("- {conv_relu: {out: 1 / 2, k: 3}, from: input}" for _ in range(20))
        found = errors(spec(layers, head=BLOCKS))
        assert [(f.code, f.line, f.where) for f in found] == [("CC103", 8, "conv_relu.conv2d")]


class TestOnePass:
    def test_the_first_shape_error_of_each_branch(self) -> None:
        layers = """
            - {relu: {}, name: a}
            - add:
                branches:
                  left: [{conv2d: {out: 8, k: 50}}, {conv2d: {out: 8, k: 60}}]
                  right: [{conv2d: {out: 8, k: 70}}, {conv2d: {out: 8, k: 80}}]
            - {conv2d: {out: 8, k: 90}}
            - {conv2d: {out: 8, k: 100}, from: a}
            """
        found = errors(spec(layers))
        assert [(f.code, f.line) for f in found] == [("CC201", 7), ("CC201", 8), ("CC201", 10)]
        assert [f.where for f in found] == ["left.conv2d", "right.conv2d", "conv2d_2"]

    def test_what_depends_on_a_failure_is_skipped(self) -> None:
        layers = """
            - {conv2d: {out: 8, k: 50}, name: bad}
            - {relu: {}, from: bad, name: r}
            - {layers: [relu, tanh], name: g}
            - {add: {branches: {a: [], b: [relu]}}, from: g}
            - {concat: {}, from: [r, g.relu, bad]}
            - {relu: {}, repeat: in_channels, when: in_channels > 100}
            """
        assert [f.where for f in errors(spec(layers))] == ["bad"]

    def test_two_alternatives_of_a_failed_source(self) -> None:
        layers = """
            - {conv2d: {out: 8, k: 50}, name: bad}
            - {relu: {}, name: act, when: in_channels == 8}
            - {tanh: {}, name: act, when: in_channels != 8}
            """
        assert [f.where for f in errors(spec(layers))] == ["bad"]

    def test_errors_of_evaluation_have_their_place(self) -> None:
        found = error("- conv2d: {out: 8, k: 3}\n- conv2d: {out: 8 // (in_channels - 8), k: 3}")
        assert (found.code, found.line, found.where) == ("CC108", 5, "conv2d_2")
        assert "division by zero in '8 // (in_channels - 8)'" in found.message

    @pytest.mark.parametrize("beside", ["relu: {}, repeat: ", "relu: {}, when: ", "conv_relu: {out: "])
    def test_errors_of_evaluation_beside_a_layer_have_their_place(self, beside: str) -> None:
        wrong = "8 // (in_channels - 3)"
        found = error(f"- {{{beside}{wrong}{'}' * beside.count('{out')}}}", head=BLOCKS)
        assert (found.code, found.line, caret(found)) == ("CC108", 11, wrong)

    def test_fractions_in_integer_fields(self) -> None:
        found = error("- conv2d: {out: in_channels / 2, k: 3}")
        assert found.code == "CC103"
        assert found.message == "out_channels takes an integer, not 1.5"
        assert found.hint == "divide with //, or use floor, ceil, round or make_divisible"

    def test_a_word_for_a_number(self) -> None:
        found = error("- conv2d: {out: w, k: 3}", head="params: {w: wide}\n")
        assert found.code == "CC103" and "not the word 'wide'" in found.message

    def test_the_product_of_an_output_is_bounded(self) -> None:
        found = error("- conv2d: {out: 4611686018427387904, k: 1}")
        assert found.code == "CC212"


BASE = spec(
    """
    - {conv_relu: [8, 3], name: stem}
    - {add: {branches: {a: [{conv2d: {out: w, k: 3, p: same}}], b: []}}, name: join}
    - {layers: [relu, {conv2d: {out: "max(8, w)", k: 1}, when: index == 0}], repeat: 2, name: g}
    - {split: {channels: [4, 4]}, name: s}
    - {linear: {out: 10}, from: [g.*.relu, s.1]}
    """,
    head=BLOCKS + "params: {w: 8, act: relu}\nvariants: {v: {w: 16}}\noutputs: {join: {loss_weight: 0.5}}\n",
)


PIECES = ["", *":[]{},~-'\"10w.#% \n\t", "*a", "&a ", "9" * 25, "in", "index", "relu", "**", "//", "no"]


@settings(max_examples=200)
@given(st.data())
def test_no_edit_of_a_spec_gives_anything_but_findings(data: st.DataObject) -> None:
    """A spec with pieces cut out, doubled or replaced loads, or raises SpecError with placed findings."""
    text = BASE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text) - 1))
        stop = min(len(text), start + data.draw(st.integers(0, 6)))
        piece = data.draw(st.sampled_from([*PIECES, text[start:stop] * 2]))
        text = text[:start] + piece + text[stop:]
    for finding in findings(text):
        assert finding.code in codes() and finding.line >= 1 and finding.column >= 1 and finding.message
        assert finding.hint, finding


def findings(text: str) -> tuple[Finding, ...]:
    """The findings of a text that may load."""
    try:
        loads(text)
    except SpecError as caught:
        return caught.findings
    return ()


def test_the_base_of_the_edits_is_nearly_right() -> None:
    assert [finding.code for finding in errors(BASE)] == ["CC213"]
    assert build("- relu").outputs[0].name == "relu"


@pytest.mark.parametrize("value", ["relu", "[relu]", "{relu: {}}", "3", "~", "''", "[[]]", "{a: {b: {c: d}}}"])
@pytest.mark.parametrize(
    "key",
    [
        "convcalc",
        "name",
        "title",
        "description",
        "source",
        "input",
        "params",
        "variants",
        "blocks",
        "layers",
        "outputs",
    ],
)
def test_any_value_in_any_section(key: str, value: str) -> None:
    sections = {"input": "[3]", "layers": "[relu]", key: value}
    found = findings("".join(f"{name}: {content}\n" for name, content in sections.items()))
    assert all(finding.code in codes() for finding in found)
