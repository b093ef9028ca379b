"""`share`: items that compute with the weights of others, and what is said where they cannot."""

from __future__ import annotations

import pytest

from convcalc.analysis.report import analyse
from convcalc.findings import SpecError
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.network import Network, Node
from tests.spec_text import build, caret, error

LEVELS = "{p3: [8, 32, 32], p4: [8, 16, 16]}"
HEAD = """
blocks:
  head:
    params: {out: 4, wide: false}
    layers:
      - {conv2d: {out: 8, k: 3, p: 1}, name: tower}
      - batch_norm
      - relu
      - {conv2d: {out: 8, k: 1}, name: more, when: wide}
      - {conv2d: {out: out, k: 3, p: 1}, name: last}
"""


def shares(network: Network) -> dict[str, str]:
    """Layer -> the layer whose weights it has."""
    nodes = network.nodes
    return {node.name: nodes[node.shares].name for node in nodes if node.shares is not None}


class TestLayers:
    def test_a_layer_has_the_weights_of_another(self) -> None:
        network = build(
            "- {conv2d: {out: 8, k: 3, p: 1}, name: a}\n- {conv2d: {out: 8, k: 3, p: 1}, name: b}", input="[8, 9, 9]"
        )
        assert shares(network) == {}
        network = build(
            "- {conv2d: {out: 8, k: 3, p: 1}, name: a}\n- {conv2d: {out: 8, k: 3, p: 1}, share: a}", input="[8, 9, 9]"
        )
        assert shares(network) == {"conv2d": "a"}

    def test_the_holder_is_the_first_never_a_chain(self) -> None:
        conv = "conv2d: {out: 8, k: 3, p: 1}"
        network = build(
            f"- {{{conv}, name: a}}\n- {{{conv}, name: b, share: a}}\n- {{{conv}, name: c, share: b}}",
            input="[8, 9, 9]",
        )
        assert shares(network) == {"b": "a", "c": "a"}

    def test_strides_and_dilations_may_differ(self) -> None:
        network = build(
            "- {conv2d: {out: 8, k: 3}, name: a}\n- {conv2d: {out: 8, k: 3, s: 2, d: 2, p: 2}, share: a}",
            input="[8, 9, 9]",
        )
        assert shares(network) == {"conv2d": "a"}

    def test_a_path_descends_as_from_does(self) -> None:
        network = build(
            "- {layers: [{conv2d: {out: 8, k: 1}, name: a}, relu], name: g}\n- {conv2d: {out: 8, k: 1}, share: g.a}",
            input="[8, 9, 9]",
        )
        assert shares(network) == {"conv2d": "g.a"}

    def test_what_is_passed_over_shares_nothing_and_looks_nothing_up(self) -> None:
        network = build("- {conv2d: {out: 8, k: 1}, name: a}\n- {conv2d: {out: 8, k: 1}, share: gone, when: false}")
        assert shares(network) == {}


class TestBlocks:
    def test_each_layer_has_the_weights_of_the_one_of_its_path(self) -> None:
        network = build(
            "- {head: , name: a, from: p3}\n- {head: , name: b, from: p4, share: a}", input=LEVELS, head=HEAD
        )
        assert shares(network) == {"b.tower": "a.tower", "b.batch_norm": "a.batch_norm", "b.last": "a.last"}

    def test_a_use_may_have_some_of_the_layers_of_the_other(self) -> None:
        network = build(
            "- {head: {wide: true}, name: a, from: p3}\n- {head: , name: b, from: p4, share: a}",
            input=LEVELS,
            head=HEAD,
        )
        assert shares(network) == {"b.tower": "a.tower", "b.batch_norm": "a.batch_norm", "b.last": "a.last"}

    def test_a_group_and_an_unnamed_join(self) -> None:
        join = "add: {branches: {x: [{conv2d: {out: 8, k: 1}}], y: []}}"
        network = build(f"- {{{join}, name: a, from: p3}}\n- {{{join}, from: p4, share: a}}", input=LEVELS)
        assert shares(network) == {"x.conv2d": "a.x.conv2d"}

    def test_sharing_within_a_block_and_between_its_uses(self) -> None:
        head = """
        blocks:
          twice: {layers: [{conv2d: {out: 8, k: 1}, name: one}, {conv2d: {out: 8, k: 1}, name: two, share: one}]}
        """
        network = build(
            "- {twice: , name: a, from: p3}\n- {twice: , name: b, from: p4, share: a}", input=LEVELS, head=head
        )
        assert shares(network) == {"a.two": "a.one", "b.one": "a.one", "b.two": "a.one"}


class TestRepetitions:
    CONV = "conv2d: {out: 8, k: 3, p: 1}"

    def test_true_gives_all_the_weights_of_the_first(self) -> None:
        network = build(f"- {{{self.CONV}, repeat: 3, name: u, share: true}}", input="[8, 9, 9]")
        assert shares(network) == {"u.1": "u.0", "u.2": "u.0"}
        network = build("- {head: {out: 8}, repeat: 2, share: true}", input="[8, 9, 9]", head=HEAD)
        assert shares(network) == {f"head.1.{name}": f"head.0.{name}" for name in ("tower", "batch_norm", "last")}

    def test_the_first_is_the_first_that_is_there(self) -> None:
        network = build(f"- {{{self.CONV}, repeat: 3, name: u, share: true, when: index > 0}}", input="[8, 9, 9]")
        assert shares(network) == {"u.2": "u.1"}

    def test_a_name_gives_every_repetition_the_weights_of_that_item(self) -> None:
        network = build(
            f"- {{{self.CONV}, name: a}}\n- {{{self.CONV}, repeat: 2, name: u, share: a}}", input="[8, 9, 9]"
        )
        assert shares(network) == {"u.0": "a", "u.1": "a"}

    def test_a_repeated_item_s_name_gives_each_those_of_its_number(self) -> None:
        network = build(
            f"- {{{self.CONV}, repeat: 3, name: a}}\n- {{{self.CONV}, repeat: 2, name: u, share: a}}", input="[8, 9, 9]"
        )
        assert shares(network) == {"u.0": "a.0", "u.1": "a.1"}

    def test_once_or_never(self) -> None:
        assert shares(build(f"- {{{self.CONV}, repeat: 1, share: true}}", input="[8, 9, 9]")) == {}
        assert shares(build(f"- relu\n- {{{self.CONV}, repeat: 0, share: true}}", input="[8, 9, 9]")) == {}


CONV = "- {conv2d: {out: 8, k: 3, p: 1}, name: a, from: p3}\n"


@pytest.mark.parametrize(
    ("items", "code", "message", "hint"),
    [
        ("- {conv2d: {out: 8, k: 3}, share: b}", "CC106", "nothing above is called 'b'", ""),
        (
            "- {conv2d: {out: 8, k: 3}, share: z, name: b}\n- {relu: , name: z}",
            "CC106",
            "'z' stands below, on line 6",
            "'share' sees what stands above: move one of the two",
        ),
        ("- {conv2d: {out: 8, k: 3}, share: in}", "CC113", "'in' is an input, and has no weights", ""),
        ("- {conv2d: {out: 8, k: 3}, share: p4}", "CC113", "p4 has no weights", ""),
        ("- {relu: , name: r, share: a}", "CC113", "r has no weights", ""),
        ("- {relu: , name: r, repeat: 2, share: true}", "CC113", "r.1 has no weights", ""),
        (
            "- {prelu: , name: b, share: a}",
            "CC114",
            "b is prelu, and a, whose weights it is to have, conv2d",
            "layers that share weights have tensors of the same names and shapes",
        ),
        (
            "- {conv_transpose2d: {out: 8, k: 3, bias: false}, name: b, share: a}",
            "CC114",
            "b is conv_transpose2d, and a, whose weights it is to have, conv2d",
            "share: {weight: a} shares its weight alone",
        ),
        (
            "- {conv2d: {out: 4, k: 3}, name: b, share: a}",
            "CC214",
            "b has a weight of 4×8×3×3, and a, whose weights it is to have, 8×8×3×3",
            "give b the fields of a that its weights follow from",
        ),
        (
            "- {conv2d: {out: 8, k: 3, bias: false}, name: b, share: a}",
            "CC214",
            "b has no bias, and a, whose weights it is to have, a bias of 8",
            "give b the fields of a that its weights follow from",
        ),
        (
            "- {conv2d: {out: 8, k: 3}, name: b, share: a, from: p5}",
            "CC214",
            "b has a weight of 8×4×3×3, and a, whose weights it is to have, 8×8×3×3",
            "4 channels arrive at b, 8 at a: convolve one of them to the other's before",
        ),
        (
            "- {conv2d: {out: 8, k: 3}, name: b, share: a.*}",
            "CC105",
            "'a.*' may be several items",
            "share takes the name of one",
        ),
        ("- {conv2d: {out: 8, k: 3}, name: b, share: a.conv}", "CC106", "a is a layer and holds no 'conv'", ""),
        (
            "- {conv2d: {out: 8, k: 3}, name: b, share: true}",
            "CC103",
            "share: true is of repetitions, and this item has no repeat",
            "name the item whose weights it has: share: head",
        ),
        (
            "- {conv2d: {out: 8, k: 3}, name: b, share: [a]}",
            "CC103",
            "share takes a name",
            "share: head, or share: true beside repeat",
        ),
        (
            "- {conv2d: {out: 8, k: 3, share: a}, name: b}",
            "CC101",
            "conv2d has no field 'share'",
            "share stands beside the kind: {conv2d: {...}, share: ...}",
        ),
        (
            "- {conv2d: {out: 8, k: 3, p: 1}, repeat: 2, name: r}\n- {conv2d: {out: 8, k: 3}, name: b, share: r}",
            "CC114",
            "r is repeated, each time with weights of its own",
            "name one repetition: r.0",
        ),
        (
            "- {layers: [{conv2d: {out: 8, k: 3}, share: g}], name: g}",
            "CC106",
            "'g' is not complete here",
            "it contains this item",
        ),
    ],
)
def test_what_cannot_be_shared_is_said(items: str, code: str, message: str, hint: str) -> None:
    found = error(CONV + items, input="{p3: [8, 32, 32], p4: [8, 16, 16], p5: [4, 8, 8]}")
    assert (found.code, found.message) == (code, message)
    assert not hint or found.hint == hint


def test_layers_of_other_paths() -> None:
    other = "- {layers: [{conv2d: {out: 8, k: 3, p: 1}, name: t}], name: g}\n"
    found = error(other + "- {head: , share: g}", input="[8, 9, 9]", head=HEAD)
    assert (found.code, found.message) == ("CC114", "g has no layer with weights called 'tower', as head has")
    assert caret(found) == "g"
    found = error(other + "- {conv2d: {out: 8, k: 3}, name: b, share: g}", input="[8, 9, 9]")
    assert (found.message, found.hint) == ("b is one layer, and g holds others", "name one of them: g.t")
    found = error(CONV.replace("p3", "input") + "- {head: , share: a}", input="[8, 9, 9]", head=HEAD)
    assert (found.message, found.hint) == (
        "a is one layer, and head holds others",
        "share between uses of one block",
    )


def test_weights_of_two_layers() -> None:
    head = """
    blocks:
      pair:
        params: {one: true}
        layers:
          - {conv2d: {out: 8, k: 1}, name: a}
          - {conv2d: {out: 8, k: 1}, name: b, when: not one}
          - {conv2d: {out: 8, k: 1}, name: b, share: a, when: one}
    """
    found = error("- {pair: {one: false}, name: x}\n- {pair: , name: y, share: x}", input="[8, 9, 9]", head=head)
    assert (found.code, found.message) == (
        "CC114",
        "y.b has the weights of x.a already, and cannot have those of x.b too",
    )


def test_what_failed_is_told_once() -> None:
    found = error("- {conv2d: {out: 8, k: 99}, name: a}\n- {conv2d: {out: 8, k: 3}, name: b, share: a, from: input}")
    assert found.code == "CC201"


def test_other_sizes_of_the_inputs_are_checked_again() -> None:
    network = build(
        "- {flatten: , from: p3}\n- {linear: {out: 2}, name: a}\n"
        "- {flatten: , from: p4}\n- {linear: {out: 2}, name: b, share: a}",
        input="{p3: [8, 4, 4], p4: [8, 4, 4]}",
    )
    assert shares(network.at({"p3": (8, 2, 2), "p4": (8, 2, 2)})) == {"b": "a"}
    with pytest.raises(SpecError) as caught:
        network.at({"p3": (8, 2, 2)})
    (found,) = caught.value.findings
    assert (found.code, found.line) == ("CC214", 7)


def test_weights_count_once_and_work_counts_each_time() -> None:
    items = "- {{head: , name: a, from: p3}}\n- {{head: , name: b, from: p4{}}}\n"
    apart = analyse(build(items.format(""), input=LEVELS, head=HEAD))
    network = build(items.format(", share: a"), input=LEVELS, head=HEAD)
    shared = analyse(network)
    assert apart.totals.params == 2 * shared.totals.params == 2 * (8 * 8 * 9 + 8 + 2 * 8 + 8 * 4 * 9 + 4)
    assert apart.totals.buffers == 2 * shared.totals.buffers == 2 * (2 * 8 + 1)
    assert (apart.totals.macs, apart.totals.flops) == (shared.totals.macs, shared.totals.flops)
    assert [shared.cost(stage).params for stage in shared.stages] == [shared.totals.params, 0]
    rows = {row["name"]: row for row in shared.to_dict()["layers"]}  # type: ignore[attr-defined]
    assert (rows["a.tower"]["shares"], rows["b.tower"]["shares"]) == (None, "a.tower")
    assert (rows["b.tower"]["params"], rows["b.batch_norm"]["buffers"]) == (0, 0)
    assert shared.backward == apart.backward


def test_it_is_written_and_read_again() -> None:
    network = build("- {head: , name: a, from: p3}\n- {head: , name: b, from: p4, share: a}", input=LEVELS, head=HEAD)
    assert "  - {conv2d: {out: 8, k: 3, p: 1}, name: b_tower, from: p4, share: a_tower}" in write(network).splitlines()
    again = loads(write(network))
    assert [node.shares for node in again.nodes] == [node.shares for node in network.nodes]


def test_a_node_holds_its_own_weights_unless_it_says_otherwise() -> None:
    assert Node("input", None, (), (3,)).shares is None
