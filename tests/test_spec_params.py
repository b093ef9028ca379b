"""Parameters, variants and what the call gives."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcalc.findings import SpecError, UsageError
from convcalc.language import SpecOrigin, loads
from convcalc.network import Network
from tests.spec_text import build, caret, error, errors, shapes, spec

STEM = """
params: {classes: 1000, stem: dense, width: 1.5, wide: false, sizes: [8, 16]}
variants: {separable_stem: {stem: separable}, big: {classes: 2000, width: 2}}
"""
LAYERS = """
- {conv2d: {out: 64 * width, k: 3}, when: stem == 'dense'}
- {separable_conv2d: {out: 64, k: 3}, when: stem == 'separable'}
- {relu: {}, when: wide}
- {conv2d: {out: "sizes[1]", k: 1}}
- flatten
- {linear: {out: classes}, name: fc}
"""


def kinds(network: Network) -> list[str]:
    return [node.kind for node in network.nodes[1:]]


def values(network: Network) -> dict[str, object]:
    assert isinstance(network.origin, SpecOrigin)
    return dict(network.origin.params)


def usage(**options: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        build(LAYERS, head=STEM, **options)
    return caught.value


class TestDefaults:
    def test_values(self) -> None:
        network = build(LAYERS, head=STEM)
        assert values(network) == {
            "classes": 1000,
            "stem": "dense",
            "width": Fraction(3, 2),
            "wide": False,
            "sizes": (8, 16),
        }
        assert kinds(network) == ["conv2d", "conv2d", "flatten", "linear"]
        assert network.nodes[1].shape == (96, 30, 30)

    def test_defaults_see_earlier_params(self) -> None:
        assert values(build("- relu", head="params: {a: 2, b: a * 3, c: b + a}\n"))["c"] == 8

    def test_defaults_do_not_see_later_ones(self) -> None:
        found = error("- relu", head="params: {b: a, a: 2}\n")
        assert found.code == "CC106" and "stands below" in found.message

    def test_block_defaults_see_in_channels_and_the_spec(self) -> None:
        head = """
            params: {t: 6}
            blocks:
              b:
                params: {out: ~, hidden: in_channels * t, half: hidden // 2}
                layers: [{conv2d: {out: hidden, k: 1}}, {conv2d: {out: half, k: 1}}, {conv2d: {out: out, k: 1}}]
            """
        network = build("- conv2d: {out: 4, k: 1}\n- b: [7]", head=head)
        assert [node.shape[0] for node in network.nodes[2:]] == [24, 12, 7]

    def test_a_block_s_params_come_before_the_spec_s(self) -> None:
        head = "params: {k: 3}\nblocks: {b: {params: {k: 1}, layers: [{conv2d: {out: 2, k: k}}]}}\n"
        assert shapes(build("- b", head=head))["b.conv2d"] == (2, 32, 32)

    def test_never_the_caller_s(self) -> None:
        head = """
            blocks:
              inner: {layers: [{conv2d: {out: c, k: 1}}]}
              outer: {params: [c], layers: [inner]}
            """
        found = error("- outer: [3]", head=head)
        assert (found.code, caret(found), found.line) == ("CC106", "c", 5)

    def test_a_required_param_without_a_value(self) -> None:
        found = error("- linear: {out: classes}", head="params: {classes: ~}\n", input="[3]")
        assert (found.code, caret(found)) == ("CC104", "classes")
        assert found.hint == "--set classes=..."
        head = "params: [classes]\n"
        assert build("- linear: {out: classes}", head=head, input="[3]", params={"classes": "7"}).nodes[1].shape == (7,)

    def test_a_list_of_names_is_required(self) -> None:
        assert error("- relu", head="params: [a]\n").code == "CC104"

    def test_null_default_of_a_block_is_required(self) -> None:
        assert error("- b", head="blocks: {b: {params: {a: ~}, layers: [relu]}}\n").code == "CC104"


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "for",
            "if",
            "lambda",
            "min",
            "make_divisible",
            "in_channels",
            "index",
            "yes",
            "off",
            "a-b",
            "3x3",
            "a b",
            "é",
            "None",
            "true",
        ],
    )
    def test_params_are_identifiers_neither_keywords_nor_functions(self, name: str) -> None:
        found = errors(spec("- relu", head=f"params: {{{name}: 1}}\n"))
        assert [finding.code for finding in found] == ["CC105"]

    def test_in_lists(self) -> None:
        assert error("- relu", head="params: [a, a]\n").code == "CC105"
        assert error("- relu", head="params: [[a]]\n").code == "CC103"
        assert error("- relu", head="params: 3\n").code == "CC103"

    def test_a_word_of_a_field_that_is_a_param_s_name(self) -> None:
        found = error("- conv2d: {out: 1, k: 3, p: same}", head="params: {same: 1}\n")
        assert (found.code, caret(found), found.hint) == ("CC105", "same", "rename the parameter")


class TestWords:
    def test_one_identifier_that_names_nothing_is_a_word(self) -> None:
        assert values(build("- relu", head="params: {a: dense, b: a, c: 'dense', d: a == 'dense'}\n")) == {
            "a": "dense",
            "b": "dense",
            "c": "dense",
            "d": True,
        }

    def test_unknown_names_inside_expressions_are_errors(self) -> None:
        found = error("- {relu: {}, when: stem == dense}", head="params: {stem: dense}\n")
        assert (found.code, caret(found)) == ("CC106", "dense")
        assert "quote words" in str(found.hint)

    def test_a_numeric_default_takes_no_word(self) -> None:
        problem = usage(params={"classes": "ten"})
        assert problem.message == "parameter classes: classes takes numbers; the word 'ten' names nothing here"

    def test_a_word_default_takes_only_that_and_the_variants(self) -> None:
        problem = usage(params={"stem": "seperable"})
        assert problem.hint == "did you mean 'separable'?"
        assert kinds(build(LAYERS, head=STEM, params={"stem": "separable"}))[0] == "separable_conv2d"

    def test_a_word_default_takes_no_number(self) -> None:
        assert "takes words" in usage(params={"stem": "3"}).message

    def test_truth_values(self) -> None:
        assert "true or false" in usage(params={"wide": "3"}).message
        assert "takes numbers" in usage(params={"classes": "true"}).message
        assert kinds(build(LAYERS, head=STEM, params={"wide": "true"}))[1] == "relu"

    def test_a_misspelt_word_of_a_block(self) -> None:
        head = """
            blocks:
              b:
                params: {act: relu, pad: same, mode: ~}
                layers:
                  - {relu: {}, when: act == 'relu'}
                  - {tanh: {}, when: act == 'tanh'}
                  - {conv2d: {out: 1, k: 3, p: pad}}
            """
        found = error("- b: {act: tnah, mode: x}", head=head)
        assert (found.code, caret(found), found.hint) == ("CC109", "tnah", "did you mean 'tanh'?")
        assert kinds(build("- b: {act: tanh, mode: x, pad: valid}", head=head)) == ["tanh", "conv2d"]
        assert error("- b: {pad: vlaid, mode: x}", head=head).hint == "did you mean 'valid'?"

    def test_a_word_that_reaches_a_numeric_param_by_name(self) -> None:
        head = "params: {stem: dense}\nblocks: {b: {params: {c: 3}, layers: [{conv2d: {out: c, k: 1}}]}}\n"
        found = error("- b: [stem]", head=head)
        assert found.code == "CC109" and "c takes numbers" in found.message

    def test_words_are_handed_on(self) -> None:
        head = """
            params: {act: relu}
            variants: {smooth: {act: tanh}}
            blocks:
              inner: {params: {a: relu}, layers: [{relu: {}, when: a == 'relu'}, {tanh: {}, when: a == 'tanh'}]}
              outer: {params: {a: act}, layers: [{inner: [a]}]}
            """
        assert kinds(build("- outer", head=head, variant="smooth")) == ["tanh"]
        assert kinds(build("- outer: [tanh]", head=head)) == ["tanh"]

    def test_quoted_in_yaml_a_yaml_boolean_is_a_word(self) -> None:
        assert values(build("- relu", head="params: {a: 'no'}\n"))["a"] == "no"
        assert error("- relu", head="params: {a: no}\n").code == "CC005"


class TestVariants:
    def test_a_variant(self) -> None:
        network = build(LAYERS, head=STEM, variant="separable_stem")
        assert network.variant == "separable_stem" and kinds(network)[0] == "separable_conv2d"
        assert isinstance(network.origin, SpecOrigin)
        assert network.origin.variants == ("separable_stem", "big")

    def test_set_beats_the_variant(self) -> None:
        assert values(build(LAYERS, head=STEM, variant="big", params={"classes": 5}))["classes"] == 5

    def test_an_unknown_variant(self) -> None:
        assert usage(variant="bigg").hint == "did you mean 'big'?"

    def test_a_variant_of_an_unknown_param(self) -> None:
        found = error("- relu", head="params: {a: 1}\nvariants: {v: {aa: 1}}\n")
        assert (found.code, caret(found), found.where) == ("CC109", "aa", "variants.v")

    @pytest.mark.parametrize(
        ("layers", "head"),
        [
            ("- {conv2d: {out: n, k: 1}}", "params: {n: 1}\nvariants: {v: {n: {out: 1}}}\n"),
            ("- {b: {n: {out: 1}}}", "blocks: {b: {params: [n], layers: [{conv2d: {out: n, k: 1}}]}}\n"),
        ],
    )
    def test_a_mapping_for_a_value_is_told_once(self, layers: str, head: str) -> None:
        found = error(layers, head=head)
        assert (found.code, found.message) == ("CC103", "a number, a word or a list is expected, not a mapping")

    def test_a_variant_gives_a_word_to_a_number(self) -> None:
        assert error("- relu", head="params: {a: 1}\nvariants: {v: {a: x}}\n").code == "CC109"

    @pytest.mark.parametrize("variants", ["[a]", "3", "{v: [1]}", "{v: 3}", "{1: {}}", "{v: {a: {}}}"])
    def test_what_variants_are(self, variants: str) -> None:
        assert errors(spec("- relu", head=f"params: {{a: 1}}\nvariants: {variants}\n"))

    def test_values_are_expressions_over_earlier_params(self) -> None:
        network = build("- relu", head="params: {a: 2, b: 1}\nvariants: {v: {b: a * 4}}\n", variant="v")
        assert values(network)["b"] == 8


class TestCalls:
    @pytest.mark.parametrize(
        ("given", "value"),
        [
            ({"classes": "10"}, 10),
            ({"classes": 10}, 10),
            ({"classes": "5 * 2"}, 10),
            ({"width": 0.1}, Fraction(1, 10)),
            ({"width": "0.1"}, Fraction(1, 10)),
            ({"width": 2.0}, 2),
            ({"sizes": [1, 2]}, (1, 2)),
            ({"sizes": "[1, 1 + 1]"}, (1, 2)),
            ({"wide": True}, True),
            ({"stem": "separable"}, "separable"),
            ({"width": "classes / 500"}, 2),
        ],
    )
    def test_given_values(self, given: dict[str, object], value: object) -> None:
        network = build("- {relu: {}, when: wide or stem == 'x'}", head=STEM, params=given)
        found = values(network)[next(iter(given))]
        assert found == value and type(found) is type(value)

    @pytest.mark.parametrize(
        "given",
        [
            {"classes": "1 +"},
            {"classes": "nothing + 1"},
            {"classes": "1 / 0"},
            {"classes": ""},
            {"classes": "~"},
            {"classes": float("inf")},
            {"classes": float("nan")},
            {"classes": None},
            {"classes": object()},
            {"classes": 2**63},
            {"classes": "9**9**9"},
            {"classes": "{a: 1}"},
            {"classes": "010"},
            {"classes": "no"},
            {"classes": "width"},
            {"classes": b"3"},
            {"classes": "[1"},
            {"classes": "a: b"},
            {"clases": "1"},
        ],
    )
    def test_wrong_calls(self, given: dict[str, object]) -> None:
        assert usage(params=given).message

    def test_did_you_mean(self) -> None:
        assert usage(params={"clases": 10}).hint == "did you mean 'classes'?"

    def test_a_given_value_that_does_not_fit_the_layers(self) -> None:
        with pytest.raises(SpecError) as caught:
            build(LAYERS, head=STEM, params={"width": "0.3"})
        (found,) = caught.value.findings
        assert found.code == "CC103" and "integer, not 19.2" in found.message and found.where == "conv2d"


class TestInput:
    def test_expressions(self) -> None:
        network = build("- relu", input="[3, size, size // 2]", head="params: {size: 64}\n")
        assert network.inputs == {"input": (3, 64, 32)}

    @pytest.mark.parametrize("shape", ["[8]", "[8, 4]", "[8, 4, 4]", "[8, 4, 4, 4]"])
    def test_channels_then_up_to_three_space_axes(self, shape: str) -> None:
        assert len(build("- relu", input=shape).nodes[0].shape) == shape.count(",") + 1

    @pytest.mark.parametrize(
        "shape",
        [
            "[]",
            "[1, 1, 1, 1, 1]",
            "3",
            "{}",
            "[3, 0]",
            "[3, -1]",
            "[3, 1.5]",
            "[3, x]",
            "[[3]]",
            "{a: 3}",
            "{1: [3]}",
            "{total: [3]}",
            "[3, 4294967296, 4294967296]",
        ],
    )
    def test_wrong_shapes(self, shape: str) -> None:
        assert errors(spec("- relu", input=shape))

    def test_given_shapes(self) -> None:
        assert build("- relu", input="[3, 8, 8]").inputs == {"input": (3, 8, 8)}
        text = spec("- relu", input="[3, 8, 8]")
        assert loads(text, input=(3, 9, 7)).nodes[1].shape == (3, 9, 7)
        assert loads(text, input={"input": [3, 9, 7]}).nodes[1].shape == (3, 9, 7)
        two = spec("- concat", input="{a: [1, 4, 4], b: [2, 4, 4]}")
        assert loads(two, input={"b": (5, 4, 4)}).nodes[-1].shape == (6, 4, 4)

    @pytest.mark.parametrize(
        "given",
        [
            (),
            (3, 0),
            (3, -1),
            (3, 1.5),
            (True, 3),
            "3,4",
            7,
            (1,) * 5,
            {"x": (3,)},
            (3, 2**63),
            {"input": 3},
            (2**40, 2**40),
        ],
    )
    def test_wrong_given_shapes(self, given: object) -> None:
        with pytest.raises(UsageError):
            loads(spec("- relu"), input=given)  # type: ignore[arg-type]

    def test_several_inputs_need_names(self) -> None:
        with pytest.raises(UsageError, match="2 inputs"):
            loads(spec("- concat", input="{a: [1], b: [2]}"), input=(3,))


@pytest.mark.parametrize(
    ("written", "code", "said", "hint"),
    [
        ("yes", "CC005", "a truth value to some", "write true; for the word, quote it: 'yes'"),
        ("Off", "CC005", "a truth value to some", "write false; for the word, quote it: 'Off'"),
        ("Null", "CC005", "nothing to some", "write ~"),
        (".inf", "CC103", "is not finite", "numbers are finite here"),
        ("-.NaN", "CC103", "is not finite", "numbers are finite here"),
        ("3:30", "CC005", "in base 60 to YAML 1.1", "write the number in base 10"),
        ("-1:30:00.5", "CC005", "in base 60 to YAML 1.1", "write the number in base 10"),
        ("' '", "CC103", "not an empty text", "write what is expected"),
    ],
)
def test_what_yaml_reads_as_something_else_is_no_value(written: str, code: str, said: str, hint: str | None) -> None:
    """The types of YAML 1.1: truth values, nothing, and numbers that are infinite, none, or in base 60."""
    found = error(f"[{{conv2d: {{out: {written}, k: 1}}}}]")
    assert found.code == code and said in found.message and found.hint == hint
