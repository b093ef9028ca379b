"""Exported code of layers that share weights: modules that are called again, and modules that are tied."""

from __future__ import annotations

import ast

import pytest

from convcalc.export.onnx_model import onnx_model
from convcalc.export.sharing import dissolved
from convcalc.findings import UsageError
from convcalc.network import Network
from tests.exports import keras_module, torch_module
from tests.spec_text import build

LEVELS = "{p3: [4, 16, 16], p4: [4, 8, 8]}"
UNIT = """
blocks:
  unit:
    params: {s: 1}
    layers: [{conv2d: {out: 4, k: 3, s: s, p: 1}, name: c}, {batch_norm: {}, name: n}, relu]
  pair: {layers: [{unit: , name: u}, {unit: , name: v}]}
"""


def lines(text: str) -> list[str]:
    """Statements without comments and indents."""
    ast.parse(text)
    return [line.partition("  #")[0].strip() for line in text.splitlines()]


def two_levels(block: str, more: str = "") -> Network:
    return build(
        f"- {{{block}, name: a, from: p3}}\n- {{{block}, name: b, from: p4, share: a}}{more}", input=LEVELS, head=UNIT
    )


class TestTorch:
    def test_a_block_is_called_again(self) -> None:
        text = lines(torch_module(two_levels("unit: ")))
        assert "self.a = Unit()" in text and "self.b = Unit()" not in text
        assert [line for line in text if "self.a(" in line] == ["p3 = self.a(p3)", "p4 = self.a(p4)"]

    def test_a_chain_is_called_again(self) -> None:
        text = lines(torch_module(two_levels("layers: [{conv2d: {out: 4, k: 1}}, relu]")))
        assert [line for line in text if "self.a" in line][1:] == ["p3 = self.a(p3)", "p4 = self.a(p4)"]

    def test_repetitions_are_a_loop(self) -> None:
        network = build("- {unit: , name: u, repeat: 12, share: true}", input="[4, 9, 9]", head=UNIT)
        text = lines(torch_module(network))
        assert text.count("self.u_0 = Unit()") == 1
        at = text.index("for _ in range(12):")
        assert text[at + 1] == "x = self.u_0(x)"

    def test_repetitions_with_weights_of_their_own_stay_a_sequence(self) -> None:
        network = build("- {unit: , name: u, repeat: 12}", input="[4, 9, 9]", head=UNIT)
        assert "range(12)" in "".join(line for line in lines(torch_module(network)) if "Unit()" in line)

    def test_other_strides_have_the_same_parameters(self) -> None:
        network = build(
            "- {conv2d: {out: 4, k: 3, p: 1}, name: a}\n- {conv2d: {out: 4, k: 3, s: 2, p: 1}, name: b, share: a}",
            input="[4, 9, 9]",
        )
        text = lines(torch_module(network))
        assert "share_weights(self.b, self.a)" in text and any(line.startswith("def share_weights") for line in text)

    def test_a_part_of_another_block_is_tied(self) -> None:
        network = build(
            "- {pair: , name: p}\n- {unit: , name: late, share: p.v}\n"
            "- {conv2d: {out: 4, k: 3, p: 1}, name: c, share: p.u.c}",
            input="[4, 9, 9]",
            head=UNIT,
        )
        text = lines(torch_module(network))
        assert [line for line in text if "= self.p." in line] == [
            "self.late.c = self.p.v.c",
            "self.late.n = self.p.v.n",
            "self.c = self.p.u.c",
        ]

    def test_sharing_inside_a_block_stands_in_its_class(self) -> None:
        one, two = "conv2d: {out: 4, k: 1}, name: one", "conv2d: {out: 4, k: 1}, name: two"
        head = f"blocks: {{b: {{layers: [{{{one}}}, {{{two}, share: one}}]}}}}\n"
        apart = f"blocks: {{b: {{layers: [{{{one}}}, {{{two}}}]}}}}\n"
        items = "- {b: , name: x}\n- {b: , name: y}"
        shared = lines(torch_module(build(items, input="[4, 9, 9]", head=head)))
        assert shared.count("x = self.one(x)") == 2 and "self.two" not in " ".join(shared)
        assert "return self.two(x)" in lines(torch_module(build(items, input="[4, 9, 9]", head=apart)))

    def test_a_module_of_which_some_layers_are_another_s_is_built(self) -> None:
        more = "\n- {unit: , name: c}\n- {conv2d: {out: 4, k: 3, p: 1}, name: d, share: c.c}"
        text = lines(torch_module(two_levels("pair: ", more)))
        assert "self.b = Pair()" not in text and "self.d = self.c.c" in text


class TestKeras:
    def test_a_layer_is_called_again(self) -> None:
        text = lines(keras_module(two_levels("unit: ")))
        assert [line for line in text if "a_c_layer" in line] == [
            'a_c_layer = layers.Conv2D(4, kernel_size=3, padding="same", name="a_c")',
            "p3 = a_c_layer(p3)",
            "p4 = a_c_layer(p4)",
        ]

    def test_blocks_that_share_with_others_are_written_out(self) -> None:
        network = build(
            "- {pair: , name: p}\n- {pair: , name: q}\n- {unit: , name: late, share: p.v}", input="[4, 9, 9]", head=UNIT
        )
        assert dissolved(network) == {"p", "p.v", "late"}
        text = lines(keras_module(network))
        assert 'x = pair(x, name="q")' in text and 'x = unit(x, 1, name="p.u")' not in text

    def test_other_strides_are_refused(self) -> None:
        network = build(
            "- {conv2d: {out: 4, k: 3, p: 1}, name: a}\n- {conv2d: {out: 4, k: 3, s: 2, p: 1}, name: b, share: a}",
            input="[4, 9, 9]",
        )
        with pytest.raises(
            UsageError, match=r"keras cannot say b \(conv2d\): it has the weights of a, but other fields"
        ):
            keras_module(network)

    def test_padding_beside_a_shared_layer_may_differ(self) -> None:
        conv = "conv2d: {out: 4, k: 3, s: 2, p: 1}"
        text = lines(
            keras_module(
                build(f"- {{{conv}, name: a, from: p3}}\n- {{{conv}, name: b, from: p4, share: a}}", input=LEVELS)
            )
        )
        assert len([line for line in text if "a_layer(" in line]) == 2


def test_onnx_has_the_initialisers_once() -> None:
    import onnx

    network = two_levels("unit: ")
    model = onnx.load_model_from_string(onnx_model(network))
    onnx.checker.check_model(model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert [list(node.input)[1:] for node in convolutions] == [["a.c.weight", "a.c.bias"]] * 2
    made = [name for node in model.graph.node for name in node.output]
    assert len(made) == len(set(made))


def test_the_head_of_the_file_counts_parameters_once() -> None:
    assert "Parameters: 156" in torch_module(two_levels("unit: "))
