"""Slips that are easily made, and the remedy that each is told."""

from __future__ import annotations

import pytest

from convcalc import load, parse_layer
from convcalc.findings import SpecError, UsageError
from tests.spec_text import build, caret, error, errors, spec


class TestMisspeltWiring:
    def test_a_misspelt_key_beside_a_misspelt_kind_and_wrong_fields(self) -> None:
        found = errors(spec("- {conv_2d: {out: 8}, nam: x}\n- {conv2d: {out: 8}, form: input}"))
        assert [(f.code, f.hint) for f in found] == [
            ("CC102", "did you mean 'conv2d'?"),
            ("CC101", "did you mean 'name'?"),
            ("CC104", "conv2d: {k: ...}"),
            ("CC101", "did you mean 'from'?"),
        ]

    def test_a_misspelt_key_under_the_kind(self) -> None:
        found = error("- conv2d: {out: 8, k: 3, nam: x}")
        assert found.hint == "did you mean 'name'? It stands beside the kind: {conv2d: {...}, name: ...}"

    def test_two_kinds(self) -> None:
        assert error("- {relu: , tanh: }").hint == "start each item with a '- ' of its own"


class TestCountsOfValues:
    @pytest.mark.parametrize(
        ("item", "message", "hint"),
        [
            ("conv2d: {out: 8, k: [3]}", "kernel_size has 1 value for 2 axes", "one value an axis"),
            ("conv2d: {out: 8, k: 3, p: [0, 1, 2, 3]}", "padding has 4 values for 2 axes", "[[0, 1], [2, 3]]"),
            ("conv1d: {out: 8, k: 3, p: [2, 0]}", "padding has 2 values for 1 axis", "[[2, 0]]"),
            ("max_pool2d: {k: 3, s: [1, 2, 3]}", "stride has 3 values for 2 axes", "one value an axis"),
            ("pad: {padding: [1, 2, 3, 4]}", "pad has padding [1, 2, 3, 4] for 4 axes", "[[1, 2], [3, 4]]"),
        ],
    )
    def test_as_many_as_axes(self, item: str, message: str, hint: str) -> None:
        found = error(f"- {item}")
        assert found.message.startswith(message)
        assert found.hint is not None and hint in found.hint

    def test_a_wrong_value_of_all_axes_is_told_once(self) -> None:
        assert error("- conv3d: {out: 8, k: 0}").message == "kernel_size must be at least 1, not 0"

    def test_whole_numbers_are_said_as_such(self) -> None:
        assert error("- dropout: {p: 2}").message == "p must be at most 1, not 2"
        assert error("- dropout: {p: -0.5}").message == "p must be at least 0, not -0.5"

    def test_one_argument(self) -> None:
        found = error("- b: [1, 2]", head="blocks: {b: {params: [o], layers: [{conv2d: {out: o, k: 1}}]}}\n")
        assert found.message == "b takes 1 argument, not 2"


class TestForeignSpellings:
    @pytest.mark.parametrize("word", ["true", "True", "TRUE"])
    def test_truth_in_capitals_means_nothing_else(self, word: str) -> None:
        assert parse_layer(f"conv2d: {{out: 8, k: 3, bias: {word}}}").fields()["bias"] is True
        assert parse_layer(f"conv2d: {{out: 8, k: 3, bias: not {word.title()}}}").fields()["bias"] is False
        assert build("- {relu: , when: on_top}", head=f"params: {{on_top: {word}}}\n").outputs[0].name == "relu"

    @pytest.mark.parametrize("nothing", ["~", "null", ""])
    def test_a_pool_without_stride_in_so_many_words(self, nothing: str) -> None:
        written = parse_layer(f"max_pool2d: {{kernel_size: 3, stride: {nothing}, padding: 1}}")
        assert written.output_shape(((4, 9, 9),)) == (4, 3, 3)

    def test_other_fields_are_not_left_out_so(self) -> None:
        with pytest.raises(SpecError, match="stride takes an integer or a list, not nothing"):
            parse_layer("conv2d: {out: 8, k: 3, stride: ~}")

    def test_a_parameter_of_none(self) -> None:
        with pytest.raises(UsageError, match="expected, not nothing"):
            build("- {conv2d: {out: c, k: 1}}", head="params: {c: 3}\n", params={"c": None})


class TestNamesOfSpecs:
    def test_a_variant_of_the_gallery(self) -> None:
        with pytest.raises(UsageError) as caught:
            load("resnet50")
        assert caught.value.hint == "it is a variant: resnet --variant resnet50"

    def test_no_name_at_all(self) -> None:
        with pytest.raises(UsageError, match="no spec is named"):
            load("")


class TestColonsWithoutSpace:
    @pytest.mark.parametrize(
        ("item", "underlined", "hint"),
        [
            ("- conv2d: {out:8, k: 3}", "out:8", "out: 8"),
            ("- conv2d: {out: 8, k:3}", "k:3", "k: 3"),
            ("- conv2d:{out: 8}", "conv2d:{out", "conv2d: ..."),
            ("- b: {width:8}", "width:8", "width: 8"),
        ],
    )
    def test_a_space_after_the_colon(self, item: str, underlined: str, hint: str) -> None:
        found = errors(spec(item, head="blocks: {b: {params: {width: 4}, layers: [{conv2d: {out: width, k: 1}}]}}\n"))
        assert [(caret(f), f.hint) for f in found] == [(underlined, f"put a space after the colon: {hint}")]

    def test_in_a_section(self) -> None:
        found = errors("convcalc: 1\ninput: [3, 8, 8]\nlayers: [relu]\noutputs: {relu: {loss_weight:1}}\n")
        assert [f.hint for f in found] == ["put a space after the colon: loss_weight: 1"]


class TestWordsForNumbers:
    @pytest.mark.parametrize("item", ["conv2d: {out: three, k: 3}", "conv2d: {out: 8, k: [3, treu]}"])
    def test_a_number_is_no_truth_value(self, item: str) -> None:
        hint = error(f"- {item}").hint
        assert hint == "a number belongs here; names that are known: in_channels"

    def test_of_a_repeat_and_an_input(self) -> None:
        assert error("- {relu: , repeat: three}").hint == "a number belongs here; names that are known: in_channels"
        assert error("- relu", input="[three, 8, 8]").hint == "a number belongs here"

    def test_where_a_truth_value_may_stand_it_is_named(self) -> None:
        assert error("- conv2d: {out: 8, k: 3, bias: treu}").hint == "did you mean 'true'?"
        assert error("- conv2d: {out: 8 if treu else 4, k: 3}").hint == "did you mean 'true'?"
        assert error("- {relu: , when: treu}").hint == "did you mean 'true'?"


class TestTheBatch:
    @pytest.mark.parametrize("shape", ["[1, 3, 64, 64]", "[8, 3, 64, 64]"])
    def test_is_not_written(self, shape: str) -> None:
        found = error("- {conv2d: {out: 8, k: 3}}", input=shape)
        assert (found.code, found.hint) == ("CC208", "an input is written without the batch: [3, 64, 64]")

    def test_a_volume_asks_for_another_kind(self) -> None:
        assert error("- {conv2d: {out: 8, k: 3}}", input="[8, 16, 64, 64]").hint == "use conv3d"


class TestReferencesDownwards:
    def test_it_says_that_it_stands_below(self) -> None:
        found = error("- relu\n- {add: {}, from: [relu, late]}\n- {conv2d: {out: 3, k: 1}, name: late}")
        assert (found.code, caret(found), found.message) == ("CC106", "late", "'late' stands below, on line 6")
        assert found.hint == "'from' sees what stands above: move one of the two"

    def test_outside_of_the_branch_and_without_a_name(self) -> None:
        layers = "- concat: {branches: {a: [{relu: , from: tanh}], b: []}}\n- tanh"
        assert error(layers).message == "'tanh' stands below, on line 5"

    def test_an_item_is_not_below_itself(self) -> None:
        assert error("- {relu: , name: x, from: x}").message == "nothing above is called 'x'"


class TestNamesAtJoins:
    def test_branches(self) -> None:
        branches = "a: [{conv2d: {out: 8, k: 3, p: 1}}], b: [{conv2d: {out: 8, k: 3}}]"
        found = error(f"- concat: {{branches: {{{branches}}}}}", input="[3, 28, 28]")
        sizes = "axis 1: 28 and 26, axis 2: 28 and 26"
        assert found.message == f"concat cannot join a [8, 28, 28] and b [8, 26, 26]: {sizes}"

    def test_sources_as_they_are_written(self) -> None:
        head = "blocks: {half: {layers: [{max_pool2d: {k: 2}}]}}\n"
        found = error("- relu\n- {half: , name: low}\n- {add: {}, from: [relu, low, relu]}", head=head)
        assert found.message.startswith("add cannot join relu [3, 32, 32] and low [3, 16, 16]: ")

    def test_on_another_input(self) -> None:
        layers = "- {max_pool2d: {k: 2}}\n- {upsample: {scale_factor: 2}}\n- {add: {}, from: [upsample, input]}"
        with pytest.raises(SpecError, match=r"add cannot join upsample \[3, 32, 32\] and input \[3, 33, 33\]"):
            build(layers).at({"input": (3, 33, 33)})


class TestFlatten:
    def test_a_forgotten_one_is_an_error(self) -> None:
        found = error("- {linear: {out: 10}}", input="[512, 7, 7]")
        assert (found.code, found.message) == ("CC209", "linear takes [features], not [512, 7, 7]")
        hint = "put a 'flatten' before it, which gives [25088]; dim: last where the last axis is meant"
        assert found.hint == hint

    def test_the_last_axis_is_meant(self) -> None:
        network = build("- {linear: {out: 10, dim: last}}", input="[512, 7, 7]")
        assert network.nodes[-1].shape == (512, 7, 10)
        assert build("- {linear: {out: 10, dim: last}}", input="[7]").nodes[-1].shape == (10,)
        assert error("- {linear: {out: 10, dim: first}}", input="[7]").code == "CC106"


class TestOtherLanguages:
    @pytest.mark.parametrize(
        ("item", "hint"),
        [
            ("conv1: {conv2d: {out: 8, k: 3}}", "a name stands beside the kind: {conv2d: {...}, name: conv1}"),
            ("stem: [{conv2d: {out: 8, k: 3}}, relu]", "a group with a name: {layers: [...], name: stem}"),
            ("stem: [relu]", "a group with a name: {layers: [...], name: stem}"),
            ("conv2d(8, 3)", "write conv2d: {out: ..., k: ...}"),
            ("nn.Linear(8, 3)", "write linear: {out: ...}"),
            ("{type: conv2d, out: 8}", "the kind is the key, and its fields stand under it: conv2d: {...}"),
            ("{op: MaxPool2d, kernel: 8}", "the kind is the key, and its fields stand under it: max_pool2d: {...}"),
            ("{type: ~, out: 8}", "what a layer is stands under its kind; only name, from, repeat, when, batch_axes"),
            ("pool: {k: 2}", "did you mean 'max_pool2d'?"),
            ("nn.Dense: {k: 2}", "did you mean 'linear'?"),
            ("residual", "did you mean 'add'?"),
            ("depthwise_conv2d: {k: 3}", "conv2d: {out: in_channels, k: 3, groups: in_channels}"),
            ("add: [c1, c2]", "write {add: {}, from: [c1, c2]} or add: {branches: {a: [...], b: []}}"),
            ("add: 3", "write {add: {}, from: [a, b]} or add: {branches: {a: [...], b: []}}"),
            ("conv2d: {out: 8, k: 3, activation: relu}", "an activation is an item of its own, behind this one: relu"),
            ("conv2d: {out: 8, k: 3x5}", "a value for each axis stands in square brackets: [3, 5]"),
            ("conv2d: {out: 8, k: (3, 5)}", "a value for each axis stands in square brackets: [3, ...]"),
        ],
    )
    def test_what_was_meant(self, item: str, hint: str) -> None:
        assert (error(f"- {item}").hint or "").startswith(hint)

    def test_a_torn_tuple_is_told_once_and_the_rest_too(self) -> None:
        found = errors(spec("- conv2d: {out: 8, k: (3, 3), p: (1, 1), kk: 3}"))
        assert [(f.code, caret(f)) for f in found] == [("CC107", "("), ("CC107", "("), ("CC101", "kk")]

    def test_a_bracket_that_nothing_opened_is_told(self) -> None:
        assert caret(error("- conv2d: {out: 8, k: 3, 3): 1}")) == "3)"

    @pytest.mark.parametrize("written", ["3x32x32", "3,32,32", "(3, 32, 32)", "3 × 32 × 32", "3 32 32"])
    def test_a_shape_that_is_no_list(self, written: str) -> None:
        assert error("- relu", input=written).hint == "input: [3, 32, 32]"

    def test_a_word_is_no_shape(self) -> None:
        assert error("- relu", input="image").hint == "input: [3, 224, 224]"


class TestChannelsLast:
    def test_a_kernel_that_does_not_fit(self) -> None:
        found = error("- {conv2d: {out: 8, k: 7}}", input="[224, 224, 3]")
        assert (found.code, found.hint) == ("CC201", "the channels of an input stand first: [3, 224, 224]")

    def test_no_window_that_fits(self) -> None:
        found = error("- {max_pool2d: {k: 7}}", input="[224, 224, 3]")
        assert (found.code, found.hint) == ("CC207", "the channels of an input stand first: [3, 224, 224]")

    @pytest.mark.parametrize("shape", ["[3, 5, 5]", "[64, 100, 1]", "[4, 4, 3]"])
    def test_other_inputs_keep_the_hint_of_the_arithmetic(self, shape: str) -> None:
        assert "too small" in (error("- {conv2d: {out: 8, k: 7}}", input=shape).hint or "")


class TestRemediesThatRead:
    """What a hint says to write is read: no text of the spec stands in it that is not."""

    @pytest.mark.parametrize(
        ("item", "hint"),
        [
            ("elu: 0.5", "write elu: {alpha: 0.5}"),
            ("elu: '{'", "write elu: {alpha: ...}"),
            ('celu: "\\e[31m\\u202e"', "write celu: {alpha: ...}"),
            ("concat: [a, stem.1, '{', 'b c']", "write {concat: {}, from: [a, stem.1]} or concat: {branches: ...}"),
            ("stem: {conv2d: {out: 8, k: 3}}", "a name stands beside the kind: {conv2d: {...}, name: stem}"),
            ("stem[1]: {conv2d: {out: 8, k: 3}}", "a name stands beside the kind: {conv2d: {...}, name: ...}"),
            ("stem: [relu]", "a group with a name: {layers: [...], name: stem}"),
            ("'{': [relu]", "a group with a name: {layers: [...], name: ...}"),
            ("input: [relu]", "a group with a name: {layers: [...], name: ...}"),
        ],
    )
    def test_what_does_not_read_is_left_out(self, item: str, hint: str) -> None:
        found = error(f"- {item}").hint
        assert found is not None and found.replace("{a: [...], b: []}", "...") == hint

    def test_a_field_beside_its_kind_is_no_misspelt_wiring(self) -> None:
        found = error("- {reshape: , shape: [3, -1]}").hint
        assert found == "fields stand under the kind: {reshape: {shape: ...}}"

    def test_branches_go_under_what_takes_them(self) -> None:
        assert error("- {add: {}, branches: {}}").hint == "fields stand under the kind: {add: {branches: ...}}"
        found = error("- {relu: , branches: {}}").hint
        assert found is not None and found.startswith("branches belong to add, concat, ")
