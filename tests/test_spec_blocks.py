"""Blocks, repetitions and conditions."""

from __future__ import annotations

import pytest

from tests.spec_text import build, caret, error, errors, names, shapes, spec, wiring

BLOCK = """
blocks:
  conv_relu:
    params: {out: ~, k: 3}
    layers: [{conv2d: {out: out, k: k, p: k // 2}}, relu]
"""


class TestBlocks:
    def test_named_and_positional_arguments(self) -> None:
        for arguments in ("[8]", "[8, 3]", "{out: 8}", "{out: 8, k: 3}"):
            network = build(f"- conv_relu: {arguments}", head=BLOCK)
            assert shapes(network)["conv_relu.conv2d"] == (8, 32, 32)
            assert network.groups["conv_relu"][:6] == ("conv_relu", "conv_relu", 1, 3, 2, 1)

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
        assert network.groups["a"][:6] == ("a", "branch", 2, 2, 1, 1)

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

    def test_when_inside_a_repeated_group(self) -> None:
        network = build("- {layers: [{relu: {}, when: index == 1}, tanh], name: g, repeat: 2}")
        assert names(network) == ["g.0.tanh", "g.1.relu", "g.1.tanh"]

    @pytest.mark.parametrize("condition", ["1", "in_channels", "'yes'", "[true]", "~"])
    def test_when_takes_truth_values(self, condition: str) -> None:
        assert error(f"- {{relu: {{}}, when: {condition}}}").code in ("CC103", "CC106", "CC005")
