"""Items, flow and names: section by section, what the language says."""

from __future__ import annotations

import pytest
from .spec_text import build, caret, error, errors, names, shapes, spec, wiring

CONV = "conv2d: {out: 8, k: 3, p: 1}"
BLOCK = """
blocks:
  conv_relu:
    params: {out: ~, k: 3}
    layers: [{conv2d: {out: out, k: k, p: k // 2}}, relu]
"""


class TestItems:
    """An item is a kind's name, or a mapping of one kind or block, beside the wiring keys."""

    @pytest.mark.parametrize("item", ["relu", "relu:", "{relu: }", "{relu: ~}", "{relu: {}}"])
    def test_a_kind_without_fields(self, item: str) -> None:
        assert names(build(f"- {item}")) == ["relu"]

    def test_long_names_and_letters_are_the_same(self) -> None:
        long = build("- conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1, dilation: 1, groups: 1}")
        short = build("- conv2d: {out: 8, k: 3, s: 2, p: 1, d: 1, g: 1}")
        assert long.nodes[1].layer == short.nodes[1].layer

    def test_kinds_take_named_fields_only(self) -> None:
        found = error("- conv2d: [8, 3]")
        assert (found.code, found.hint) == ("CC103", "write conv2d: {out_channels: ...}")
        assert error("- conv2d: 8").code == "CC103"

    def test_two_kinds_in_one_item(self) -> None:
        found = error("- {conv2d: {out: 8, k: 3}, relu: {}}")
        assert found.code == "CC101" and "one kind or block" in found.message

    def test_a_field_beside_the_kind(self) -> None:
        found = error("- {conv2d: {out: 8, k: 3}, stride: 2}")
        assert found.code == "CC101" and caret(found) == "stride"
        assert found.hint == "fields stand under the kind: {conv2d: {stride: ...}}"

    def test_a_misspelt_wiring_key(self) -> None:
        found = error("- {relu: {}, form: x}")
        assert found.hint == "did you mean 'from'?"

    def test_a_wiring_key_under_the_kind(self) -> None:
        found = error("- relu: {name: a}")
        assert found.code == "CC101" and found.hint == "name stands beside the kind: {relu: {...}, name: ...}"

    def test_no_kind(self) -> None:
        assert error("- {name: a}").code == "CC102"
        assert error("- {}").code == "CC102"

    @pytest.mark.parametrize("item", ["[relu]", "- relu"])
    def test_a_list_is_no_item(self, item: str) -> None:
        found = error(f"- {item}")
        assert found.code == "CC103" and found.hint == "a group is {layers: [...]}"

    def test_unknown_kind(self) -> None:
        found = error("- conv2: {out: 8, k: 3}")
        assert (found.code, caret(found)) == ("CC102", "conv2")
        assert found.hint in ("did you mean 'conv2d'?", "did you mean 'conv1d'?")

    def test_unknown_field(self) -> None:
        found = error("- conv2d: {outs: 8, k: 3, out: 1}")
        assert (found.code, caret(found), found.hint) == ("CC101", "outs", "did you mean 'out'?")

    def test_units_are_out(self) -> None:
        found = [f for f in errors(spec("- linear: {units: 10}")) if f.code == "CC101"]
        assert found[0].hint == "did you mean 'out'?"

    def test_a_letter_and_its_name_together(self) -> None:
        found = error("- conv2d: {out: 8, k: 3, kernel_size: 5}")
        assert (found.code, caret(found)) == ("CC002", "kernel_size")

    def test_a_required_field_is_missing(self) -> None:
        found = error("- conv2d: {out: 8}")
        assert (found.code, found.hint) == ("CC104", "conv2d: {k: ...}")

    def test_input_channels_are_never_written(self) -> None:
        found = error("- conv2d: {in_channels: 3, out: 8, k: 3}")
        assert found.hint == "input channels are never written: they follow from what arrives"

    def test_scalar_list_words_and_pairs(self) -> None:
        network = build("""
            - conv2d: {out: 8, k: [3, 5], p: [1, 2]}
            - conv2d: {out: 8, k: 3, s: 2, p: same}
            - conv2d: {out: 8, k: 3, p: same_lower}
            - conv2d: {out: 8, k: 3, p: valid}
            - conv2d: {out: 8, k: 3, p: [[1, 0], [2, 0]]}
        """)
        assert [node.shape[1:] for node in network.nodes[1:]] == [(32, 32), (16, 16), (16, 16), (14, 14), (13, 14)]

    def test_a_list_has_one_value_an_axis(self) -> None:
        found = error("- conv2d: {out: 8, k: [3, 3, 3]}")
        assert found.code == "CC202" and caret(found) == "["

    def test_a_wrong_rank_is_an_error(self) -> None:
        found = error("- conv1d: {out: 8, k: 3}")
        assert (found.code, found.hint) == ("CC208", "use conv2d")

    def test_a_linear_layer_on_an_unflattened_input(self) -> None:
        found = error("- global_avg_pool\n- linear: {out: 10}")
        assert found.code == "CC209" and "flatten" in str(found.hint)


class TestGroups:
    def test_a_named_group_adds_its_name(self) -> None:
        network = build("- {layers: [relu, relu], name: stem}")
        assert names(network) == ["stem.relu", "stem.relu_2"]
        assert network.groups["stem"] == ("stem", "layers", 1, 3, 2, 1)

    def test_unnamed_groups_are_counted(self) -> None:
        network = build("- layers: [relu]\n- layers: [relu]")
        assert names(network) == ["layers.relu", "layers_2.relu"]

    def test_groups_take_the_wiring_keys(self) -> None:
        network = build("""
            - {relu: {}, name: a}
            - relu
            - {layers: [relu, sigmoid], name: g, from: a, repeat: 2}
        """)
        assert wiring(network)["g.0.relu"] == ["a"]
        assert wiring(network)["g.1.relu"] == ["g.0.sigmoid"]

    def test_an_empty_group_is_the_identity(self) -> None:
        network = build("- relu\n- {layers: [], name: g}\n- sigmoid")
        assert network.groups["g"] == ("g", "layers", 2, 2, 1, 1)
        assert wiring(network)["sigmoid"] == ["relu"]


class TestNames:
    def test_paths(self) -> None:
        network = build(
            """
            - concat:
                branches:
                  1x1: [{conv_relu: [8, 1]}]
                  3x3: [{conv_relu: [4, 1], name: reduce}, {conv_relu: [8], name: conv}]
            """,
            head=BLOCK,
        )
        assert names(network) == [
            "1x1.conv_relu.conv2d", "1x1.conv_relu.relu", "3x3.reduce.conv2d", "3x3.reduce.relu",
            "3x3.conv.conv2d", "3x3.conv.relu", "concat",
        ]  # fmt: skip

    def test_unnamed_items_are_kind_kind_2(self) -> None:
        assert names(build("- relu\n- sigmoid\n- relu\n- relu")) == ["relu", "sigmoid", "relu_2", "relu_3"]

    def test_unnamed_items_give_way_to_names(self) -> None:
        assert names(build("- {sigmoid: {}, name: relu_2}\n- relu\n- relu")) == ["relu_2", "relu", "relu_3"]

    def test_repeat_adds_its_number(self) -> None:
        network = build("- {conv_relu: [8], name: conv2_x, repeat: 2}\n- {relu: {}, repeat: 2}", head=BLOCK)
        assert names(network) == [
            "conv2_x.0.conv2d", "conv2_x.0.relu", "conv2_x.1.conv2d", "conv2_x.1.relu", "relu.0", "relu.1",
        ]  # fmt: skip
        assert network.groups["conv2_x"] == ("conv2_x", "repeat", 1, 5, 4, 2)
        assert network.groups["conv2_x.1"] == ("conv2_x.1", "conv_relu", 3, 5, 4, 1)
        assert network.groups["relu"].kind == "repeat"

    def test_a_named_layer_is_just_its_node(self) -> None:
        network = build("- {relu: {}, name: a}")
        assert names(network) == ["a"] and not network.groups

    def test_a_name_stands_twice(self) -> None:
        found = error("- {relu: {}, name: a}\n- {sigmoid: {}, name: a}")
        assert (found.code, found.line, caret(found)) == ("CC105", 5, "a")
        assert "first on line 4" in found.message

    def test_a_name_that_an_unnamed_item_has(self) -> None:
        found = error("- relu\n- {sigmoid: {}, name: relu}")
        assert found.code == "CC105" and "line 4" in found.message

    def test_uniqueness_is_judged_after_when(self) -> None:
        layers = "- {relu: {}, name: act, when: smooth == 0}\n- {sigmoid: {}, name: act, when: smooth == 1}"
        for smooth, kind in ((0, "relu"), (1, "sigmoid")):
            network = build(layers, head=f"params: {{smooth: {smooth}}}\n")
            assert [(node.name, node.kind) for node in network.nodes[1:]] == [("act", kind)]

    @pytest.mark.parametrize("name", ["in", "input", "index", "total"])
    def test_reserved(self, name: str) -> None:
        found = error(f"- {{relu: {{}}, name: {name}}}")
        assert found.code == "CC105" and "reserved" in found.message

    @pytest.mark.parametrize("name", ["3", "007", "a.b", "a b", "-a", "é", "[red]", "a/b", "'*'", '""'])
    def test_not_names(self, name: str) -> None:
        assert error(f"- {{relu: {{}}, name: {name}}}").code in ("CC105", "CC103")

    @pytest.mark.parametrize("name", ["1x1", "3_3", "a-b", "A", "_", "1e3", "No", "null", "3x3"])
    def test_names_are_verbatim(self, name: str) -> None:
        assert names(build(f"- {{relu: {{}}, name: {name}}}")) == [name]

    @pytest.mark.parametrize("name", ['"\\e[31mred"', '"[bold]x[/]"', '"a\\u202eb"', '"\\x07"'])
    def test_control_characters_and_markup_are_refused_escaped(self, name: str) -> None:
        found = error(f"- {{relu: {{}}, name: {name}}}")
        assert found.code == "CC105"
        assert found.message.isprintable()

    def test_branch_names_are_names(self) -> None:
        found = error("- add: {branches: {a: [relu], 1: []}}")
        assert found.code == "CC105" and caret(found) == "1"


class TestFlow:
    def test_the_item_before(self) -> None:
        assert wiring(build("- relu\n- sigmoid")) == {"relu": ["input"], "sigmoid": ["relu"]}

    def test_from_takes_what_stands_above(self) -> None:
        network = build("""
            - {relu: {}, name: a}
            - {relu: {}, name: b}
            - {add: {}, from: [a, b]}
            - {sigmoid: {}, from: input}
        """)
        assert wiring(network)["add"] == ["a", "b"]
        assert wiring(network)["sigmoid"] == ["input"]

    def test_what_stands_below_is_unknown(self) -> None:
        found = error("- {relu: {}, from: b}\n- {relu: {}, name: b}")
        assert (found.code, caret(found)) == ("CC106", "b")

    def test_did_you_mean(self) -> None:
        found = error("- {relu: {}, name: stem}\n- {relu: {}, from: stam}")
        assert found.hint == "did you mean 'stem'?"

    def test_inputs_by_name(self) -> None:
        network = build(
            "- {relu: {}, from: left, name: a}\n- {add: {}, from: [a, right]}",
            input="{left: [3, 8, 8], right: [3, 8, 8]}",
        )
        assert network.inputs == {"left": (3, 8, 8), "right": (3, 8, 8)}
        assert wiring(network)["add"] == ["a", "right"]

    def test_the_first_item_receives_all_inputs(self) -> None:
        network = build("- concat", input="{left: [3, 8, 8], right: [2, 8, 8]}")
        assert shapes(network)["concat"] == (5, 8, 8)

    def test_too_many_inputs(self) -> None:
        found = error("- relu", input="{left: [3, 8, 8], right: [2, 8, 8]}")
        assert found.code == "CC213"

    @pytest.mark.parametrize("reference", ["a..b", ".a", "a.", "'a b'", "[]", "{a: b}", "[[a]]", "'**'"])
    def test_not_references(self, reference: str) -> None:
        assert error(f"- {{relu: {{}}, name: a}}\n- {{relu: {{}}, from: {reference}}}").code in ("CC105", "CC103")

    def test_from_descends_into_a_block(self) -> None:
        head = "blocks: {b: {layers: [{relu: {}, name: skip}, sigmoid]}}\n"
        network = build("- {b: , name: stack, repeat: 4}\n- {relu: {}, from: stack.3.skip, name: r}", head=head)
        assert wiring(network)["r"] == ["stack.3.skip"]

    def test_from_collects(self) -> None:
        head = "blocks: {b: {layers: [{relu: {}, name: skip}, sigmoid]}}\n"
        network = build("- {b: , name: stack, repeat: 3}\n- {concat: {}, from: stack.*.skip}", head=head)
        assert wiring(network)["concat"] == ["stack.0.skip", "stack.1.skip", "stack.2.skip"]

    def test_from_collects_through_two_levels_in_order(self) -> None:
        layers = """
            - {layers: [{layers: [{relu: {}, name: skip}], name: b, repeat: 2}], name: a, repeat: 2}
            - {concat: {}, from: a.*.b.*.skip}
        """
        assert wiring(build(layers))["concat"] == [f"a.{i}.b.{j}.skip" for i in range(2) for j in range(2)]

    def test_collecting_nothing_is_an_error(self) -> None:
        found = error("- {layers: [relu], name: a, repeat: 2}\n- {concat: {}, from: a.*.skip}")
        assert found.code == "CC106" and "matches" in found.message

    def test_the_output_of_a_group_is_its_last_item(self) -> None:
        network = build("- {layers: [relu, sigmoid], name: g}\n- tanh\n- {add: {}, from: [g, tanh]}")
        assert wiring(network)["add"] == ["g.sigmoid", "tanh"]

    def test_a_layer_holds_nothing(self) -> None:
        found = error("- {relu: {}, name: a}\n- {relu: {}, from: a.b}")
        assert found.code == "CC106" and "is a layer and holds no 'b'" in found.message

    def test_a_path_into_a_group_that_lacks_it(self) -> None:
        found = error("- {layers: [{relu: {}, name: skip}], name: g}\n- {relu: {}, from: g.skap}")
        assert found.hint == "did you mean 'skip'?"

    def test_a_group_cannot_read_itself(self) -> None:
        found = error("- {layers: [relu, {sigmoid: {}, from: g}], name: g}")
        assert found.code == "CC106" and "not complete" in found.message

    def test_an_earlier_repetition_can_be_read(self) -> None:
        layers = "- {layers: [{relu: {}, name: r}, {add: {}, from: [r, s.0.r]}], name: s, repeat: 2}"
        assert wiring(build(layers))["s.1.add"] == ["s.1.r", "s.0.r"]


class TestJoins:
    def test_branches(self) -> None:
        network = build("- relu\n- add: {branches: {left: [relu, sigmoid], right: []}}")
        assert wiring(network)["add"] == ["left.sigmoid", "relu"]
        assert network.groups["right"] == ("right", "branch", 4, 4, 1, 1)
        assert network.groups["left"] == ("left", "branch", 2, 4, 3, 1)

    def test_an_unnamed_join_adds_no_name_and_no_group(self) -> None:
        network = build("- {layers: [{concat: {branches: {a: [relu], b: []}}}], name: g}")
        assert names(network) == ["g.a.relu", "g.concat"]
        assert list(network.groups) == ["g", "g.a", "g.b"]

    def test_a_named_join_is_both_group_and_node(self) -> None:
        network = build("- {concat: {branches: {a: [relu], b: []}}, name: mix}")
        assert names(network) == ["mix.a.relu", "mix"]
        assert network.groups["mix"] == ("mix", "concat", 1, 3, 2, 1)
        assert list(network.groups) == ["mix", "mix.a", "mix.b"]

    def test_two_unnamed_joins_that_share_branch_names(self) -> None:
        found = error("- add: {branches: {a: [relu], b: []}}\n- add: {branches: {a: [relu], c: []}}")
        assert (found.code, caret(found)) == ("CC105", "a")
        assert "name" in str(found.hint)
        build("- {add: {branches: {a: [relu], b: []}}, name: x}\n- {add: {branches: {a: [relu], b: []}}, name: y}")

    def test_with_branches_from_feeds_every_branch(self) -> None:
        network = build("""
            - {relu: {}, name: a}
            - tanh
            - {add: {branches: {left: [sigmoid], right: []}}, from: a}
        """)
        assert wiring(network)["left.sigmoid"] == ["a"]
        assert wiring(network)["add"] == ["left.sigmoid", "a"]

    def test_joins_under_repeat(self) -> None:
        network = build("- {add: {branches: {left: [sigmoid], right: []}}, repeat: 2}")
        assert wiring(network)["add.1"] == ["add.1.left.sigmoid", "add.0"]

    def test_gate_takes_its_branches_by_role(self) -> None:
        network = build("- gate: {branches: {carry: [], gate: [sigmoid], transform: [relu]}}")
        assert wiring(network)["gate_2"] == ["transform.relu", "gate.sigmoid", "input"]

    def test_gate_needs_all_its_branches(self) -> None:
        found = error("- gate: {branches: {gate: [sigmoid], transform: [relu]}}")
        assert found.code == "CC103" and found.hint == "an identity is an empty list: carry: []"

    def test_branches_belong_to_joins(self) -> None:
        found = error("- relu: {branches: {a: []}}")
        assert found.code == "CC101" and "add" in str(found.hint)

    @pytest.mark.parametrize("branches", ["[[relu], []]", "{}", "{a: relu}", "{a: ~}", "3"])
    def test_what_branches_are(self, branches: str) -> None:
        assert error(f"- add: {{branches: {branches}}}").code in ("CC103", "CC104")

    def test_a_join_that_does_not_fit(self) -> None:
        found = error("- add: {branches: {a: [{conv2d: {out: 8, k: 1}}], b: []}}")
        assert (found.code, found.line, caret(found)) == ("CC203", 4, "add")

    def test_fields_beside_branches(self) -> None:
        network = build("- concat: {dim: 1, branches: {a: [], b: []}}")
        assert shapes(network)["concat"] == (3, 64, 32)

    def test_an_empty_branch_passes_one_value(self) -> None:
        found = error("- add: {branches: {a: [concat], b: []}}", input="{x: [1, 4, 4], y: [1, 4, 4]}")
        assert found.code == "CC213" and "passes on 2 values" in found.message


class TestBlocks:
    def test_named_and_positional_arguments(self) -> None:
        for arguments in ("[8]", "[8, 3]", "{out: 8}", "{out: 8, k: 3}"):
            network = build(f"- conv_relu: {arguments}", head=BLOCK)
            assert shapes(network)["conv_relu.conv2d"] == (8, 32, 32)
            assert network.groups["conv_relu"] == ("conv_relu", "conv_relu", 1, 3, 2, 1)

    def test_unnamed_blocks_are_counted(self) -> None:
        network = build("- conv_relu: [8]\n- conv_relu: [8]", head=BLOCK)
        assert list(network.groups) == ["conv_relu", "conv_relu_2"]

    def test_a_missing_argument(self) -> None:
        found = error("- conv_relu: {k: 3}", head=BLOCK)
        assert found.code == "CC104" and "needs out" in found.message
        assert error("- conv_relu", head=BLOCK).code == "CC104"

    def test_an_unknown_argument(self) -> None:
        found = error("- conv_relu: {out: 8, kk: 3}", head=BLOCK)
        assert (found.code, caret(found), found.hint) == ("CC109", "kk", "did you mean 'k'?")

    def test_too_many_arguments(self) -> None:
        found = error("- conv_relu: [8, 3, 5]", head=BLOCK)
        assert (found.code, caret(found)) == ("CC109", "5")

    def test_a_bare_argument(self) -> None:
        assert error("- conv_relu: 8", head=BLOCK).code == "CC103"

    def test_in_is_the_block_s_input(self) -> None:
        head = "blocks: {res: {layers: [relu, sigmoid, {add: {}, from: [sigmoid, in]}]}}\n"
        assert wiring(build("- tanh\n- res", head=head))["res.add"] == ["res.sigmoid", "tanh"]

    def test_several_inputs(self) -> None:
        head = "blocks: {b: {layers: [concat, {relu: {}, from: in.1, name: r}, {add: {}, from: [r, in.0]}]}}\n"
        network = build("- {relu: {}, name: x}\n- {tanh: {}, name: y}\n- {b: , from: [x, y]}", head=head)
        assert wiring(network)["b.concat"] == ["x", "y"]
        assert wiring(network)["b.r"] == ["y"] and wiring(network)["b.add"] == ["b.r", "x"]

    def test_an_input_that_is_not_there(self) -> None:
        head = "blocks: {b: {layers: [{relu: {}, from: in.1}]}}\n"
        found = error("- b", head=head)
        assert found.code == "CC106" and "1 input here" in found.message

    def test_in_outside_of_blocks(self) -> None:
        found = error("- {relu: {}, from: in}")
        assert found.code == "CC106" and found.hint == "the network's input is 'input'"

    def test_lookup_is_block_then_top_never_the_caller(self) -> None:
        head = """
            blocks:
              inner: {layers: [{relu: {}, from: a}]}
              outer: {layers: [{tanh: {}, name: a}, inner]}
            """
        network = build("- {relu: {}, name: a}\n- outer", head=head)
        assert wiring(network)["outer.inner.relu"] == ["a"]
        assert error("- outer", head=head).code == "CC106"

    def test_lookup_is_branch_then_enclosing_branches_then_block(self) -> None:
        layers = """
            - {tanh: {}, name: a}
            - add:
                branches:
                  left:
                    - {relu: {}, name: a}
                    - add: {branches: {deep: [{sigmoid: {}, from: a, name: s}], other: []}}
                  right: [{sigmoid: {}, from: a, name: t}]
            """
        found = wiring(build(layers))
        assert found["left.deep.s"] == ["left.a"] and found["right.t"] == ["a"]

    def test_the_network_s_input_is_seen_in_blocks(self) -> None:
        head = "blocks: {b: {layers: [relu, {add: {}, from: [relu, input]}]}}\n"
        assert wiring(build("- tanh\n- b", head=head))["b.add"] == ["b.relu", "input"]

    def test_block_names_may_not_be_kinds_or_keys(self) -> None:
        for name in ("relu", "name", "from", "repeat", "when", "layers", "in"):
            found = errors(spec("- tanh", head=f"blocks: {{{name}: {{layers: [tanh]}}}}\n"))
            assert found[0].code == "CC105", name

    @pytest.mark.parametrize("body", ["[relu]", "{params: []}", "{layers: relu}", "{layer: [relu]}", "~"])
    def test_what_a_block_is(self, body: str) -> None:
        assert errors(spec("- tanh", head=f"blocks: {{b: {body}}}\n"))


class TestSplit:
    def test_parts(self) -> None:
        network = build("- {split: {channels: [1, 2]}, name: s}\n- {relu: {}, from: s.1}")
        assert [(node.name, node.shape) for node in network.nodes[1:]] == [
            ("s.0", (1, 32, 32)), ("s.1", (2, 32, 32)), ("relu", (2, 32, 32)),
        ]  # fmt: skip
        assert network.groups["s"] == ("s", "split", 1, 3, 2, 1)

    def test_the_next_item_takes_all_parts(self) -> None:
        assert wiring(build("- split: {channels: [1, 2]}\n- concat"))["concat"] == ["split.0", "split.1"]

    def test_computed_channels(self) -> None:
        network = build("- conv2d: {out: 8, k: 1}\n- split: {channels: [in_channels // 2, in_channels // 2]}")
        assert network.nodes[-1].shape == (4, 32, 32)

    def test_parts_that_do_not_sum(self) -> None:
        assert error("- {split: {channels: [1, 1]}, name: s}").code == "CC203"

    def test_the_part_is_not_written(self) -> None:
        assert error("- split: {channels: [1, 2], part: 1}").code == "CC101"


class TestRepeat:
    def test_from_feeds_the_first_repetition_only(self) -> None:
        found = wiring(build("- {relu: {}, name: a}\n- tanh\n- {sigmoid: {}, name: s, from: a, repeat: 3}"))
        assert found["s.0"] == ["a"] and found["s.1"] == ["s.0"] and found["s.2"] == ["s.1"]

    def test_index(self) -> None:
        network = build("- {conv2d: {out: 8, k: 3, s: 2 if index == 0 else 1, p: 1}, repeat: 3}")
        assert [node.shape[1] for node in network.nodes[1:]] == [16, 16, 16]

    def test_index_inside_a_group(self) -> None:
        network = build("- {layers: [{conv2d: {out: 8 * (index + 1), k: 1}}, relu], repeat: 2}")
        assert network.nodes[-1].shape[0] == 16

    def test_index_of_the_inner_repeat(self) -> None:
        inner = "{conv2d: {out: index + 1, k: 1}, repeat: 2}"
        network = build(f"- {{layers: [{inner}, {{conv2d: {{out: 10 + index, k: 1}}, name: c}}], name: g, repeat: 2}}")
        assert shapes(network)["g.1.conv2d.1"][0] == 2
        assert shapes(network)["g.1.c"][0] == 11

    def test_no_index_outside(self) -> None:
        found = error("- conv2d: {out: index, k: 1}")
        assert found.code == "CC106" and found.hint == "index counts the repetitions of an item with repeat"

    def test_index_is_not_the_caller_s(self) -> None:
        head = "blocks: {b: {layers: [{conv2d: {out: index, k: 1}}]}}\n"
        assert error("- {b: , repeat: 2}", head=head).code == "CC106"

    @pytest.mark.parametrize("count", ["-1", "1.5", "'two'", "true", "[2]", "~", "{a: 1}"])
    def test_what_repeat_takes(self, count: str) -> None:
        assert error(f"- {{relu: {{}}, repeat: {count}}}").code in ("CC103", "CC106")

    def test_computed_counts(self) -> None:
        assert len(build("- {relu: {}, repeat: in_channels - 1}").nodes) == 3
        assert error("- {relu: {}, repeat: in_channels - 4}").code == "CC103"

    def test_in_channels_at_each_repetition(self) -> None:
        network = build("- {conv2d: {out: in_channels * 2, k: 1}, repeat: 3}")
        assert network.nodes[-1].shape[0] == 24


class TestWhen:
    def test_what_is_passed_over_leaves_no_trace(self) -> None:
        network = build("- relu\n- {tanh: {}, when: false}\n- {tanh: {}, repeat: 0}\n- sigmoid")
        assert wiring(network) == {"relu": ["input"], "sigmoid": ["relu"]} and not network.groups

    def test_from_naming_it_is_an_error(self) -> None:
        found = error("- {relu: {}, name: a, when: false}\n- {tanh: {}, from: a}")
        assert found.code == "CC106" and "passed over" in found.message
        assert "passed over" in error("- {relu: {}, name: a, repeat: 0}\n- {tanh: {}, from: a}").message

    def test_a_branch_whose_items_are_passed_over_is_the_identity(self) -> None:
        network = build("- relu\n- add: {branches: {a: [{tanh: {}, when: false}], b: [sigmoid]}}")
        assert wiring(network)["add"] == ["relu", "b.sigmoid"]
        assert network.groups["a"] == ("a", "branch", 2, 2, 1, 1)

    def test_in_channels_means_what_arrives(self) -> None:
        head = """
            blocks:
              basic:
                params: {c: ~, s: 1}
                layers:
                  - add:
                      branches:
                        main: [{conv2d: {out: c, k: 3, s: s, p: 1}}]
                        skip: [{conv2d: {out: c, k: 1, s: s}, when: in_channels != c or s != 1}]
            """
        network = build("- basic: [8]\n- basic: [8]\n- basic: [8, 2]", head=head)
        assert [name for name in names(network) if "skip" in name] == ["basic.skip.conv2d", "basic_3.skip.conv2d"]

    def test_a_group_s_when_is_evaluated_once(self) -> None:
        network = build("- {layers: [{conv2d: {out: 8, k: 1}}, relu], when: in_channels == 3, repeat: 2}")
        assert len(names(network)) == 4

    def test_when_may_look_at_the_repetition(self) -> None:
        network = build("- {relu: {}, name: r, repeat: 4, when: index % 2 == 1}")
        assert names(network) == ["r.1", "r.3"] and network.groups["r"].repeats == 4

    @pytest.mark.parametrize("condition", ["1", "in_channels", "'yes'", "[true]", "~"])
    def test_when_takes_truth_values(self, condition: str) -> None:
        assert error(f"- {{relu: {{}}, when: {condition}}}").code in ("CC103", "CC106", "CC005")
