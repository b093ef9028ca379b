"""Items: what a layer is stands under the kind, where it stands stands beside it."""

from __future__ import annotations

import pytest

from convcalc.language.items import Group, Item, below
from convcalc.marked import Text
from tests.spec_text import build, caret, error, errors, names, spec, wiring


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
        assert (found.code, found.hint) == ("CC103", "write conv2d: {out: ..., k: ...}")
        assert error("- conv2d: 8").code == "CC103"
        assert error("- dropout: 0.5").hint == "write dropout: {p: 0.5}"
        assert error("- relu: 3").hint == "write relu alone"
        assert "branches" in str(error("- add: [a, b]").hint)

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

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("dense", "linear"),
            ("ReLU", "relu"),
            ("Conv2D", "conv2d"),
            ("BatchNorm", "batch_norm"),
            ("LRN", "local_response_norm"),
            ("maxpool2d", "max_pool2d"),
            ("conv", "conv2d"),
            ("avgpool3d", "avg_pool3d"),
        ],
    )
    def test_kinds_under_other_names(self, written: str, meant: str) -> None:
        assert error(f"- {written}").hint == f"did you mean '{meant}'?"

    def test_two_items_in_one(self) -> None:
        assert error("- relu: {}\n  sigmoid: {}").hint == "start each item with a '- ' of its own"

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

    def test_nested_pairs_in_one_dimension(self) -> None:
        assert build("- conv1d: {out: 8, k: 2, p: [[1, 0]]}", input="[3, 16]").nodes[1].shape == (8, 16)

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
        assert network.groups["stem"][:6] == ("stem", "layers", 1, 3, 2, 1)

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
        assert network.groups["g"][:6] == ("g", "layers", 2, 2, 1, 1)
        assert wiring(network)["sigmoid"] == ["relu"]

    def test_a_list_that_stands_in_several_places_is_passed_once(self) -> None:
        at = Text("layers", True, 1, 1, 6)
        inner = [Item("layers", Group([]), at)]
        twice = [Item("layers", Group(inner), at), Item("layers", Group(inner), at)]
        assert sorted(map(id, below(twice))) == sorted(map(id, [*twice, *inner]))


class TestSplit:
    def test_parts(self) -> None:
        network = build("- {split: {channels: [1, 2]}, name: s}\n- {relu: {}, from: s.1}")
        assert [(node.name, node.shape) for node in network.nodes[1:]] == [
            ("s.0", (1, 32, 32)),
            ("s.1", (2, 32, 32)),
            ("relu", (2, 32, 32)),
        ]
        assert network.groups["s"][:6] == ("s", "split", 1, 3, 2, 1)

    def test_the_next_item_takes_all_parts(self) -> None:
        assert wiring(build("- split: {channels: [1, 2]}\n- concat"))["concat"] == ["split.0", "split.1"]

    def test_computed_channels(self) -> None:
        network = build("- conv2d: {out: 8, k: 1}\n- split: {channels: [in_channels // 2, in_channels // 2]}")
        assert network.nodes[-1].shape == (4, 32, 32)

    def test_parts_that_do_not_sum(self) -> None:
        assert error("- {split: {channels: [1, 1]}, name: s}").code == "CC203"

    def test_the_part_is_not_written(self) -> None:
        assert error("- split: {channels: [1, 2], part: 1}").code == "CC101"
