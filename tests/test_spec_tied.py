"""Single tensors that layers have in common, as a head has the table of an embedding."""

from __future__ import annotations

import numpy as np
import pytest

from convcalc.analysis.diff import Change, diff
from convcalc.analysis.explain_layer import layer_sections
from convcalc.analysis.report import analyse
from convcalc.export.onnx_model import onnx_model
from convcalc.findings import SpecError, UsageError
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.language.write_blocks import equal, write_blocks
from convcalc.network import Network, Tied, own_weights, renumbered
from convcalc.reference import run
from convcalc.verify.variation import with_norm
from tests.exports import keras_module, torch_module
from tests.spec_text import build, caret, error

TOKENS = "- {embedding: {num_embeddings: 100, embedding_dim: 8}, name: tokens}\n"
HEAD = "- {linear: {out: 100, dim: last}, name: head, share: {weight: tokens}}\n"
PLAIN = "- {linear: {out: 100, dim: last, bias: false}, name: head, share: tokens}\n"
T5 = f"""
convcalc: 1
input: {{source: [12], target: [9]}}
blocks:
  side: {{layers: [{TOKENS[2:].strip()}, {{linear: {{out: 8, dim: last}}, name: mix}}]}}
layers:
  - {{side: , name: encoder, from: source}}
  - {{side: , name: decoder, from: target, share: encoder}}
  - {{linear: {{out: 100, dim: last, bias: false}}, name: head, share: encoder.tokens}}
  - {{linear: {{out: 100, dim: last}}, name: biased, from: decoder, share: {{weight: decoder.tokens}}}}
  - {{linear: {{out: 100, dim: last}}, name: again, from: decoder, share: biased}}
outputs: [encoder, head, biased, again]
"""


def tied(network: Network) -> dict[str, dict[str, str]]:
    """Layer -> tensor -> the layer that holds it."""
    nodes = network.nodes
    return {node.name: {tensor: nodes[place].name for tensor, place in node.tied} for node in nodes if node.tied}


def params(network: Network) -> int:
    return analyse(network).totals.params


class TestLanguage:
    def test_all_tensors_of_another_kind(self) -> None:
        network = build(TOKENS + PLAIN, input="[12]")
        assert tied(network) == {"head": {"weight": "tokens"}}
        assert [node.shares for node in network.nodes] == [None] * 3

    def test_one_tensor_beside_a_bias(self) -> None:
        network = build(TOKENS + HEAD, input="[12]")
        assert tied(network) == {"head": {"weight": "tokens"}}
        assert [weight.name for weight in own_weights(network.nodes, 2)] == ["bias"]

    def test_layers_of_one_kind_have_biases_of_their_own(self) -> None:
        head = "- {linear: {out: 8}, name: a}\n- {linear: {out: 8}, name: b, share: {weight: a}}\n"
        network = build(head + "- {linear: {out: 8, bias: false}, name: c, share: {weight: b}}", input="[8]")
        assert tied(network) == {"b": {"weight": "a"}, "c": {"weight": "a"}}
        assert params(network) == 64 + 8 + 8

    def test_all_tensors_by_their_names_are_the_layer_s(self) -> None:
        head = "- {linear: {out: 8}, name: a}\n- {linear: {out: 8}, name: b, share: {weight: a, bias: a}}"
        assert [node.shares for node in build(head, input="[8]").nodes] == [None, None, 1]

    def test_the_holder_is_the_first_through_shared_layers(self) -> None:
        network = loads(T5)
        assert tied(network) == {name: {"weight": "encoder.tokens"} for name in ("head", "biased")}
        assert {n.name: network.nodes[n.shares].name for n in network.nodes if n.shares is not None} == {
            "decoder.tokens": "encoder.tokens",
            "decoder.mix": "encoder.mix",
            "again": "biased",
        }
        assert params(network) == 800 + 72 + 100

    def test_a_block_that_ties_its_head_shares_with_another_use(self) -> None:
        block = f"blocks: {{lm: {{layers: [{TOKENS[2:].strip()}, {HEAD[2:].strip()}]}}}}\n"
        items = "- {lm: , name: a, from: x}\n- {lm: , name: b, from: y"
        apart = build(f"{items}}}", input="{x: [12], y: [9]}", head=block)
        assert tied(apart) == {"a.head": {"weight": "a.tokens"}, "b.head": {"weight": "b.tokens"}}
        shared = build(f"{items}, share: a}}", input="{x: [12], y: [9]}", head=block)
        assert tied(shared) == {"a.head": {"weight": "a.tokens"}}
        assert (params(apart), params(shared)) == (1800, 900)

    @pytest.mark.parametrize(
        ("item", "code", "message", "hint"),
        [
            (
                "{linear: {out: 100, dim: last}, name: head, share: tokens}",
                "CC114",
                "head is linear, and tokens, whose weights it is to have, embedding",
                "share: {weight: tokens} shares its weight alone",
            ),
            (
                "{linear: {out: 90, dim: last}, name: head, share: {weight: tokens}}",
                "CC214",
                "head has a weight of 90×8, and tokens, whose weight it is to have, 100×8",
                "give head the fields of tokens that its weight follows from",
            ),
            (
                "{linear: {out: 90, dim: last, bias: false}, name: head, share: tokens}",
                "CC214",
                "head has a weight of 90×8, and tokens, whose weights it is to have, 100×8",
                "give head the fields of tokens that its weights follow from",
            ),
            (
                "{linear: {out: 100, dim: last}, name: head, share: {bias: tokens}}",
                "CC114",
                "tokens has no bias",
                "embedding has here: weight",
            ),
            (
                "{linear: {out: 100, dim: last}, name: head, share: {kernel: tokens}}",
                "CC114",
                "head has no kernel",
                "linear has here: weight, bias",
            ),
            ("{relu: , name: act, share: {weight: tokens}}", "CC113", "act has no weights", None),
            ("{layers: [relu], name: act, share: {weight: tokens}}", "CC114", None, "name one of them: act.relu"),
            ("{linear: {out: 8, dim: last}, repeat: 2, name: u, share: {weight: tokens}}", "CC114", None, None),
            ("{linear: {out: 100, dim: last}, share: {weight: gone}}", "CC106", "nothing above is called 'gone'", None),
            ("{linear: {out: 100, dim: last}, share: {weight: true}}", "CC106", None, None),
            ("{linear: {out: 100, dim: last}, share: {}}", "CC103", "share names tensors, or an item", None),
            ("{linear: {out: 100, dim: last}, share: {weight: [tokens]}}", "CC103", "share takes a name", None),
        ],
    )
    def test_what_cannot_be_tied_is_said(self, item: str, code: str, message: str | None, hint: str | None) -> None:
        found = error(TOKENS + f"- {item}", input="[12]")
        assert found.code == code
        assert message is None or found.message == message
        assert hint is None or found.hint == hint

    def test_a_matrix_is_no_kernel(self) -> None:
        items = (
            "- {conv2d: {out: 6, k: 1}, name: conv}\n- {linear: {out: 6, dim: last}, name: l, share: {weight: conv}}"
        )
        found = error(items, input="[4, 3, 4]")
        assert (found.code, found.message) == (
            "CC214",
            "l has a weight of 6×4, and conv, whose weight it is to have, 6×4×1×1",
        )
        assert caret(found) == "conv"

    def test_a_layer_has_a_tensor_of_one_other(self) -> None:
        block = f"blocks: {{lm: {{layers: [{TOKENS[2:].strip()}, {HEAD[2:].strip()}]}}}}\n"
        other = f"- {{layers: [{TOKENS[2:].strip()}, {HEAD.replace('tokens', 'head')[2:].strip()}], name: x}}"
        items = other.replace(", share: {weight: head}", "") + "\n- {lm: , name: y, from: input, share: x}"
        found = error(items, input="[12]", head=block)
        assert (found.code, found.message) == (
            "CC114",
            "y.head has the weights of x.tokens already, and cannot have those of x.head too",
        )

    def test_other_sizes_are_checked_again(self) -> None:
        items = "- {flatten: }\n- {linear: {out: 8}, name: a}\n- {linear: {out: 100}, name: b, share: {weight: t}}\n"
        table = "- {embedding: {num_embeddings: 100, embedding_dim: 8}, name: t, from: i}\n"
        network = build(table + items.replace("{flatten: }", "{flatten: , from: x}"), input="{i: [3], x: [2, 4]}")
        assert tied(network.at({"i": (3,), "x": (2, 9)})) == {"b": {"weight": "t"}}

    @pytest.mark.parametrize("text", [T5, write(build(TOKENS + HEAD, input="[12]"))])
    def test_it_is_written_and_read_again(self, text: str) -> None:
        network = loads(text)
        for written in (write(network), write_blocks(network)):
            assert equal(loads(written), network)
            assert "share: {weight: " in written


class TestFigures:
    def test_a_table_counts_once_and_its_work_each_time(self) -> None:
        """As sum(p.numel() for p in parameters()) of nn.Embedding(100, 8) and an nn.Linear(8, 100) with its weight."""
        report = analyse(build(TOKENS + HEAD, input="[12]"), optimizer="adam")
        assert report.totals.params == 900
        assert [cost.params for cost in report.costs] == [0, 800, 100]
        assert report.totals.macs == 12 * 800
        rows = {row["name"]: row for row in report.to_dict()["layers"]}  # type: ignore[attr-defined]
        assert [(rows[name]["shares"], rows[name]["params"]) for name in rows] == [(None, 800), ("tokens", 100)]
        apart = analyse(build(TOKENS + HEAD.replace(", share: {weight: tokens}", ""), input="[12]"), optimizer="adam")
        assert (report.backward, report.moved) == (apart.backward, apart.moved)

    def test_gpt_2_counts_as_it_is_printed(self) -> None:
        """Radford et al. 2019: 124,439,808 with the head tied; a block has 12 d² + 13 d numbers."""
        norm = "{layer_norm: {normalized_shape: 768}}"
        widths = (2304, 768, 3072, 768)
        first, second, third, last = (f"{{linear: {{out: {width}, dim: last}}}}" for width in widths)
        block = ", ".join((norm, first, "{slice: {dim: -1, stop: 768}}", second, norm, third, last))
        items = (
            "- {embedding: {num_embeddings: 50257, embedding_dim: 768}, name: wte}\n"
            "- {parameter: {shape: [1024, 768]}, name: wpe}\n"
            "- {add: {}, from: [wte, wpe]}\n"
            f"- {{layers: [{block}], repeat: 12}}\n- {norm}\n"
            "- {linear: {out: 50257, dim: last, bias: false}, share: wte}\n"
        )
        assert params(build(items, input="[1024]")) == 124_439_808

    def test_flash_holds_what_is_laid_out_alike_once(self) -> None:
        """A table beside a matrix is there once; a transposed convolution has its kernel in an order of its own."""
        report = analyse(build(TOKENS + HEAD, input="[12]"))
        assert [flash.total for flash in report.flash] == [0, 3200, 400]
        conv = "- {conv2d: {out: 6, k: 3, bias: false}, name: c}\n"
        twice = build(conv + "- {conv_transpose2d: {out: 4, k: 3, bias: false}, share: c}", input="[4, 9, 9]")
        kernel = 4 * 6 * 4 * 9
        assert [flash.weights for flash in analyse(twice).flash] == [0, kernel, kernel]
        quantised = analyse(build(TOKENS + HEAD, input="[12]"), dtype="int8").flash
        assert [(flash.weights, flash.biases, flash.scales) for flash in quantised] == [
            (0, 0, 0), (800, 0, 0), (0, 400, 400)
        ]  # fmt: skip

    def test_the_explanation_names_who_holds_it(self) -> None:
        report = analyse(build(TOKENS + HEAD, input="[12]"))
        (section,) = [section for section in layer_sections(report, 2) if section.heading == "parameters"]
        assert [(step.result, step.value, step.note) for step in section.steps] == [
            ("weight", 800, "of tokens"), ("bias", 100, ""), ("params", 100, "")
        ]  # fmt: skip

    def test_a_change_of_what_is_tied_is_a_change(self) -> None:
        before = build(TOKENS + HEAD.replace(", share: {weight: tokens}", ""), input="[12]")
        found = diff(analyse(before), analyse(build(TOKENS + HEAD, input="[12]")))
        (layer,) = found.layers
        assert Change("shares", None, "weight of tokens") in layer.changes


class TestReference:
    def test_layers_compute_with_the_same_array(self) -> None:
        steps = {step.node.name: step for step in run(loads(T5), batch=2, seed=1)}
        table = steps["encoder.tokens"].weights["weight"]
        for name in ("decoder.tokens", "head", "biased", "again"):
            assert steps[name].weights["weight"] is table
        assert steps["again"].weights["bias"] is steps["biased"].weights["bias"]

    def test_what_stays_of_a_network_has_the_tensor_of_the_first_that_is_there(self) -> None:
        nodes = [node._replace(inputs=()) for node in loads(T5).nodes]
        left = [
            index for index, node in enumerate(nodes) if node.name in ("source", "biased", "decoder.tokens", "again")
        ]
        found = renumbered(nodes, {old: new for new, old in enumerate(left)})
        assert [(node.name, node.shares, node.tied) for node in found][1:] == [
            ("decoder.tokens", None, ()), ("biased", None, (Tied("weight", 1),)), ("again", 2, ())
        ]  # fmt: skip
        heads = [node for node in nodes if node.name in ("head", "biased")]
        found = renumbered(nodes, {nodes.index(node): new for new, node in enumerate(heads)})
        assert [node.tied for node in found] == [(), (Tied("weight", 0),)]

    def test_variations_keep_it(self) -> None:
        assert tied(with_norm(loads(T5), "layer")) == tied(loads(T5))


class TestExports:
    def test_torch_assigns_the_parameter(self) -> None:
        text = torch_module(loads(T5))
        assert [line.strip() for line in text.splitlines() if ".weight = " in line] == [
            "self.head.weight = self.encoder.tokens.weight",
            "self.biased.weight = self.encoder.tokens.weight",
        ]
        assert "Parameters: 972" in text

    def test_torch_assigns_it_where_the_block_is_made(self) -> None:
        block = f"blocks: {{lm: {{layers: [{TOKENS[2:].strip()}, {HEAD[2:].strip()}]}}}}\n"
        text = torch_module(
            build("- {lm: , name: a, from: x}\n- {lm: , name: b, from: y}", input="{x: [12], y: [9]}", head=block)
        )
        assert text.count("self.head.weight = self.tokens.weight") == 1

    def test_keras_refuses_it_with_the_reason(self) -> None:
        with pytest.raises(UsageError) as caught:
            keras_module(build(TOKENS + HEAD, input="[12]"))
        reason = "it has the weight of tokens, and layers share all that they hold, or nothing"
        assert caught.value.message == f"keras cannot say head (linear): {reason}"

    def test_onnx_has_one_initialiser_and_transposes_it(self) -> None:
        import onnx

        network = loads(T5)
        drawn = {node.name: dict(step.weights) for step in run(network, batch=1, seed=3) if (node := step.node)}
        model = onnx.load_model_from_string(onnx_model(network, lambda node: drawn[node.name]))
        onnx.checker.check_model(model)
        sizes = {one.name: tuple(one.dims) for one in model.graph.initializer}
        assert [name for name, dims in sizes.items() if set(dims) == {100, 8}] == ["encoder.tokens.weight"]
        assert sizes["biased.bias"] == (100,) and "again.bias" not in sizes

    def test_onnx_transposes_a_square_matrix_too(self) -> None:
        """A Gemm has it as it is, a product of rows in reverse: equal dims are no equal layout."""
        import onnx
        from onnx.reference import ReferenceEvaluator

        items = "- {linear: {out: 8}, name: a, from: x}\n- {linear: {out: 8, dim: last}, name: b, from: y, share: a}"
        network = build(items, input="{x: [8], y: [5, 8]}")
        rng = np.random.default_rng(0)
        given = {"x": rng.standard_normal((2, 8), np.float32), "y": rng.standard_normal((2, 5, 8), np.float32)}
        steps = {step.node.name: step for step in run(network, given, seed=3)}
        model = onnx.load_model_from_string(onnx_model(network, lambda node: steps[node.name].weights))
        (found,) = ReferenceEvaluator(model).run(["b"], given)
        np.testing.assert_allclose(found, steps["b"].output, rtol=1e-5, atol=1e-5)


def test_a_path_that_changes_widths_keeps_what_fits_and_says_what_does_not() -> None:
    from convcalc.analysis.widths import Widths

    with pytest.raises(SpecError) as caught:
        Widths(build(TOKENS + HEAD, input="[12]")).changed({"head": 90})
    assert caught.value.findings[0].code == "CC214"
