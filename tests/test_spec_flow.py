"""Names are paths, and an item takes what stands before it or what `from` names."""

from __future__ import annotations

import pytest

from convcalc.inference import Inference
from convcalc.language import unfinished
from convcalc.layers.base import Layer, Shape, Shapes
from tests.spec_text import build, caret, error, names, shapes, wiring

BLOCK = """
blocks:
  conv_relu:
    params: {out: ~, k: 3}
    layers: [{conv2d: {out: out, k: k, p: k // 2}}, relu]
"""


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
            "1x1.conv_relu.conv2d",
            "1x1.conv_relu.relu",
            "3x3.reduce.conv2d",
            "3x3.reduce.relu",
            "3x3.conv.conv2d",
            "3x3.conv.relu",
            "concat",
        ]

    def test_unnamed_items_are_kind_kind_2(self) -> None:
        assert names(build("- relu\n- sigmoid\n- relu\n- relu")) == ["relu", "sigmoid", "relu_2", "relu_3"]

    def test_unnamed_items_give_way_to_names(self) -> None:
        assert names(build("- {sigmoid: {}, name: relu_2}\n- relu\n- relu")) == ["relu_2", "relu", "relu_3"]

    def test_repeat_adds_its_number(self) -> None:
        network = build("- {conv_relu: [8], name: conv2_x, repeat: 2}\n- {relu: {}, repeat: 2}", head=BLOCK)
        assert names(network) == [
            "conv2_x.0.conv2d",
            "conv2_x.0.relu",
            "conv2_x.1.conv2d",
            "conv2_x.1.relu",
            "relu.0",
            "relu.1",
        ]
        assert network.groups["conv2_x"][:6] == ("conv2_x", "repeat", 1, 5, 4, 2)
        assert network.groups["conv2_x.1"][:6] == ("conv2_x.1", "conv_relu", 3, 5, 4, 1)
        assert network.groups["relu"].kind == "repeat"

    @pytest.mark.parametrize(
        ("item", "shapes", "times"),
        [
            ("{relu: , repeat: 5}", [(2, 9)] * 5, 1),
            ("{conv1d: {out: 2, k: 2}, repeat: 4}", [(2, 8), (2, 7), (2, 6), (2, 5)], 4),
            ("{conv1d: {out: 4, k: 1}, repeat: 3}", [(4, 9)] * 3, 2),
            ("{concat: , from: [input, input], repeat: 3}", [(4, 9)] * 3, 2),
        ],
    )
    def test_a_repeated_layer_is_inferred_until_it_keeps_its_shape(
        self, item: str, shapes: list[tuple[int, int]], times: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Shapes] = []

        class Counted(Inference):
            def shape(self, layer: Layer, inputs: Shapes) -> Shape:
                asked.append(inputs)
                return super().shape(layer, inputs)

        monkeypatch.setattr(unfinished, "Inference", Counted)
        network = build(f"- {item}", input="[2, 9]")
        assert [node.shape for node in network] == shapes
        assert len(asked) == times

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

    def test_a_number_as_a_name_counts_on(self) -> None:
        network = build("""
            - {layers: [{relu: {}, name: 0}, sigmoid, {tanh: {}, name: 5}, relu, {relu: {}, name: act}], name: features}
            - relu
        """)
        numbers = ["features.0", "features.1", "features.5", "features.6", "features.act"]
        assert names(network) == [*numbers, "relu"]

    def test_what_is_passed_over_takes_no_number(self) -> None:
        layers = """
            - {relu: {}, name: 0, when: more}
            - sigmoid
            - {tanh: {}, when: more}
            - {relu: {}, repeat: 2}
            - {add: {}, name: sum, from: [0, 1.1]}
        """
        assert names(build(layers, head="params: {more: false}\n")) == ["0", "1.0", "1.1", "sum"]
        assert error(layers, head="params: {more: true}\n").message == "1 is a layer and holds no '1'"

    def test_a_number_stands_twice(self) -> None:
        found = error("- {relu: {}, name: 1}\n- sigmoid\n- {tanh: {}, name: 2}")
        assert found.code == "CC105" and "line 5" in found.message

    def test_a_number_that_other_params_would_give_may_be_named_by_what_is_passed_over(self) -> None:
        layers = "- {relu: {}, name: 0}\n- {tanh: {}, when: more}\n- {add: {}, name: sum, from: [0, 1], when: more}"
        assert names(build(layers, head="params: {more: false}\n")) == ["0"]

    @pytest.mark.parametrize("name", ["in", "input", "index", "total"])
    def test_reserved(self, name: str) -> None:
        found = error(f"- {{relu: {{}}, name: {name}}}")
        assert found.code == "CC105" and "reserved" in found.message

    @pytest.mark.parametrize(
        "name", ["007", "1000000000", "'-1'", "a.b", "a b", "-a", "é", "[red]", "a/b", "'*'", '""']
    )
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

    def test_in_channels_is_the_first_source_s(self) -> None:
        network = build("""
            - {conv2d: {out: 5, k: 1}, name: a}
            - {conv2d: {out: 7, k: 1}, name: b, from: input}
            - {layers: [concat, {conv2d: {out: in_channels, k: 1}, name: c}], name: g, from: [b, a]}
            - {concat: {branches: {x: [concat], y: [{conv2d: {out: in_channels, k: 1}, from: b}]}}, from: [b, a]}
        """)
        assert shapes(network)["g.c"][0] == 12 and shapes(network)["y.conv2d"][0] == 7

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

    def test_from_collects_what_begins_alike(self) -> None:
        layers = """
            - {relu: {}, name: unit1}
            - {layers: [relu, {relu: {}, name: unit2}], name: unit2, when: more}
            - {relu: {}, name: unit10, from: unit1}
            - {relu: {}, name: other}
            - {layers: [{concat: {}, from: [input, unit*]}], name: head}
        """
        assert wiring(build(layers, head="params: {more: true}\n"))["head.concat"] == [
            "input",
            "unit1",
            "unit2.unit2",
            "unit10",
        ]
        assert wiring(build(layers, head="params: {more: false}\n"))["head.concat"] == ["input", "unit1", "unit10"]

    def test_nothing_begins_alike(self) -> None:
        found = error("- {relu: {}, name: a}\n- {concat: {}, from: b*}")
        assert found.code == "CC106" and "nothing above is called 'b*'" in found.message

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
        assert network.groups["right"][:6] == ("right", "branch", 4, 4, 1, 1)
        assert network.groups["left"][:6] == ("left", "branch", 2, 4, 3, 1)

    def test_an_unnamed_join_adds_no_name_and_no_group(self) -> None:
        network = build("- {layers: [{concat: {branches: {a: [relu], b: []}}}], name: g}")
        assert names(network) == ["g.a.relu", "g.concat"]
        assert list(network.groups) == ["g", "g.a", "g.b"]

    def test_a_named_join_is_both_group_and_node(self) -> None:
        network = build("- {concat: {branches: {a: [relu], b: []}}, name: mix}")
        assert names(network) == ["mix.a.relu", "mix"]
        assert network.groups["mix"][:6] == ("mix", "concat", 1, 3, 2, 1)
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
