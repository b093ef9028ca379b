"""YAML: scalars as they are written, and what YAML would turn into something else."""

from __future__ import annotations

import pytest

from convcalc.language import loads
from tests.spec_text import build, caret, error, errors, spec


class TestVerbatim:
    @pytest.mark.parametrize("text", ["3.10", "No", "1e3", "on", "2012-01-01", "3:30", "0o17", "~x", "é"])
    def test_headings(self, text: str) -> None:
        network = loads(f"name: {text}\nsource: {text}\ninput: [3]\nlayers: [relu]\n")
        assert (network.name, network.source) == (text, text)

    def test_hash_is_quoted(self) -> None:
        network = loads('name: "#3x3 reduce"\ninput: [3]\nlayers: [relu]\n')
        assert network.name == "#3x3 reduce"


class TestSurprises:
    @pytest.mark.parametrize(
        ("field", "code", "hint"),
        [
            ("bias: no", "CC005", "write false"),
            ("bias: Yes", "CC005", "write true"),
            ("bias: off", "CC005", "write false"),
            ("bias: 0", "CC103", "write true or false"),
            ("bias: tRUE", "CC106", "did you mean 'true'?"),
            ("bias: 'no'", "CC106", None),
            ("groups: 3:30", "CC005", "base 10"),
            ("groups: 010", "CC005", "write 10, or 8"),
            ("groups: 0o17", "CC005", "write 15"),
            ("groups: 0x10", "CC005", "write 16"),
            ("groups: 1_000", "CC005", "write 1000"),
            ("groups: on", "CC005", "write true"),
            ("groups: .inf", "CC103", "finite"),
            ("groups: -.inf", "CC103", "finite"),
            ("groups: .NaN", "CC103", "finite"),
            ("groups: inf", "CC103", "finite"),
            ("groups: ~", "CC103", "give a value"),
            ("groups: null", "CC103", "give a value"),
            ("groups: NULL", "CC005", "write ~"),
            ("groups: ''", "CC103", None),
            ("groups: true", "CC103", None),
            ("groups: 1.5", "CC103", "divide with //"),
            ("groups: {a: 1}", "CC103", None),
            ("groups: [1, 1]", "CC103", None),
            ("groups: 9223372036854775808", "CC212", None),
            ("padding: [[1, [2, 3]], 0]", "CC103", None),
            ("padding: smae", "CC106", "did you mean 'same'?"),
            ("padding: same + 1", "CC106", None),
        ],
    )
    def test_in_fields(self, field: str, code: str, hint: str | None) -> None:
        found = error(f"- conv2d: {{out: 8, k: 3, {field}}}")
        assert found.code == code, found
        assert found.line == 4 and found.where == "conv2d"
        if hint is not None:
            assert hint in str(found.hint)

    def test_plain_values_in_words(self) -> None:
        assert build("- {conv2d: {out: 8, k: 3, bias: false, p: 'same'}}").nodes[1].shape == (8, 32, 32)
        assert build("- {conv2d: {out: '8', k: '1 + 2', bias: 'true'}}").nodes[1].shape == (8, 30, 30)
        assert build("- {conv2d: {out: 1e1, k: 3.0}}").nodes[1].shape == (10, 30, 30)

    def test_fractions_in_float_fields(self) -> None:
        network = build("- {dropout: {p: 1 / 4}}\n- {leaky_relu: {negative_slope: 0.2}}\n- {dropout: {p: 0}}")
        assert [node.layer.fields() for node in network.nodes[1:] if node.layer] == [
            {"p": 0.25},
            {"negative_slope": 0.2},
            {"p": 0.0},
        ]


class TestQuoting:
    def test_commas_and_brackets_are_quoted_in_flow_style(self) -> None:
        head = "params: {c: 10, w: [8, 16]}\n"
        network = build('- {conv2d: {out: "make_divisible(c * 1.75, 8)", k: "[3, 5][0]"}}', head=head)
        assert network.nodes[1].shape == (16, 30, 30)
        assert build("- conv2d:\n    out: make_divisible(c * 1.75, 8)\n    k: w[0]", head=head).nodes[1].shape[0] == 16

    @pytest.mark.parametrize(
        "item", ["{conv2d: {out: make_divisible(c * 1.75, 8), k: 3}}", "{conv2d: {out: w[0], k: 3}}"]
    )
    def test_with_a_hint_when_forgotten(self, item: str) -> None:
        found = errors(spec(f"- {item}", head="params: {c: 10, w: [8, 16]}\n"))
        assert all("must be quoted" in str(finding.hint) for finding in found)


class TestDocuments:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "CC006"),
            ("\n# nothing\n", "CC006"),
            ("---\n", "CC006"),
            ("~", "CC006"),
            ("- relu\n", "CC006"),
            ("hello", "CC006"),
            ("a: 1\na: 2\n", "CC002"),
            ("input: [3]\nlayers:\n\t- relu\n", "CC001"),
            ("input: [3\nlayers: [relu]\n", "CC001"),
            ("input: [3]\nlayers: [*nothing]\n", "CC001"),
            ("layers: &a [*a]\n", "CC004"),
            ("input: !!python/object [3]\nlayers: [relu]\n", "CC005"),
            ("input: [3]\nlayers: [{relu: {}, <<: {a: 1}}]\n", "CC005"),
            ("input: [3]\nlayers: [relu]\n---\ninput: [3]\n", "CC006"),
            ("? [a]\n: 1\n", "CC103"),
            ("input: [3]\nlayers: " + "[" * 200 + "]" * 200, "CC004"),
        ],
    )
    def test_what_is_no_spec(self, text: str, code: str) -> None:
        found = errors(text)
        assert [finding.code for finding in found] == [code]
        assert found[0].line >= 1 and found[0].column >= 1

    def test_aliases_that_explode(self) -> None:
        lines = ["a0: &a0 [relu, relu, relu, relu, relu, relu, relu, relu, relu, relu]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
        assert errors("\n".join(lines))[0].code == "CC004"

    def test_aliases_work(self) -> None:
        network = build(
            "- {layers: &body [relu, {conv2d: {out: 4, k: 1}}]}\n- layers: *body\n- {layers: *body, repeat: 2}"
        )
        assert len(network.nodes) == 9

    def test_duplicate_keys(self) -> None:
        found = error("- conv2d: {out: 8, k: 3, out: 9}")
        assert (found.code, caret(found)) == ("CC002", "out")
        assert found.column > 20

    def test_tabs(self) -> None:
        found = errors("input: [3]\nlayers:\n\t- relu\n")[0]
        assert found.hint == "indent with spaces: YAML forbids tabs"

    @pytest.mark.parametrize(
        ("version", "code"), [("2", "CC112"), ("one", "CC112"), ("[1]", "CC112"), ("1.0", "CC112")]
    )
    def test_unknown_versions(self, version: str, code: str) -> None:
        assert errors(f"convcalc: {version}\ninput: [3]\nlayers: [relu]\n")[0].code == code

    def test_unknown_sections(self) -> None:
        found = errors("convcalc: 1\ninput: [3]\nlayer: [relu]\nlayers: [relu]\n")[0]
        assert (found.code, found.hint) == ("CC101", "did you mean 'layers'?")

    @pytest.mark.parametrize("key", ["input", "layers"])
    def test_missing_and_empty_sections(self, key: str) -> None:
        text = {"input": "[3]", "layers": "[relu]"}
        del text[key]
        assert errors("convcalc: 1\n" + "".join(f"{k}: {v}\n" for k, v in text.items()))[0].code == "CC104"
        assert errors(f"{key}: {{}}\n" + "".join(f"{k}: {v}\n" for k, v in text.items()))[0].code in ("CC104", "CC103")

    def test_sections_that_are_not_interpreted_here(self) -> None:
        network = loads("input: [3]\nlayers: [relu]\nexpect: [anything, {a: [b]}]\npublished: 3\nnotes: {x: y}\n")
        assert network.origin is not None and network.origin.section("expect") is not None
        assert network.origin.section("nothing") is None
