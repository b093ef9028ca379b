"""Limits: stated as constants, refused with an error before the work is done."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from time import process_time

import pytest

from convcalc.language import loads
from convcalc.limits import EXPRESSIONS_CHARACTERS, FINDINGS, LAYERS, NESTING, SPEC_NODES, STEPS
from tests.spec_text import build, caret, error, errors, spec


class TestRecursion:
    def test_a_block_that_contains_itself(self) -> None:
        found = error("- relu", head="blocks:\n  b: {layers: [relu, {b: , when: false}]}\n")
        assert (found.code, found.line, caret(found)) == ("CC110", 4, "b")
        assert found.message == "the block b contains itself: b > b"

    def test_through_others_and_inside_branches(self) -> None:
        head = """
            blocks:
              a: {layers: [{add: {branches: {x: [b], y: []}}}]}
              b: {layers: [{layers: [c]}]}
              c: {layers: [a]}
            """
        found = error("- a", head=head)
        assert found.code == "CC110" and "a > b > c > a" in found.message

    def test_a_long_chain_is_not_followed_by_recursion(self) -> None:
        count = 3000
        links = "".join(f"  b{i}: {{layers: [b{i + 1}]}}\n" for i in range(count))
        head = f"blocks:\n{links}  b{count}: {{layers: [relu]}}\n"
        found = error("- b0", head=head)
        assert found.code == "CC111" and "nested deeper" in found.message
        assert len(build("- b2990", head=head).nodes) == 2

    def test_nesting(self) -> None:
        def head(depth: int) -> str:
            return "blocks:\n" + "".join(
                f"  b{i}: {{layers: [{'relu' if i == depth - 1 else f'b{i + 1}'}]}}\n" for i in range(depth)
            )

        assert len(build("- b0", head=head(NESTING)).nodes) == 2
        assert error("- b0", head=head(NESTING + 1)).code == "CC111"


class TestSteps:
    @pytest.mark.parametrize("count", ["10**9", "1000000000", "9223372036854775807", "in_channels * 10**9"])
    def test_repetitions_are_counted_before_expanding(self, count: str) -> None:
        found = error(f"- {{relu: {{}}, repeat: {count}, when: false}}")
        assert (found.code, caret(found)) == ("CC111", count)
        assert f"{STEPS:,} steps" in found.message

    def test_nested_repetitions(self) -> None:
        layers = "- relu"
        for _ in range(10):
            layers = "- {layers: [" + layers[2:] + "], repeat: 100}"
        assert error(layers).code == "CC111"

    def test_blocks_that_multiply(self) -> None:
        head = (
            "blocks:\n"
            + "".join(f"  b{i}: {{layers: [b{i + 1}, b{i + 1}]}}\n" for i in range(60))
            + "  b60: {layers: [relu]}\n"
        )
        found = error("- b0", head=head)
        assert found.code == "CC111"

    def test_blocks_that_multiply_and_pass_over_everything(self) -> None:
        head = (
            "blocks:\n"
            + "".join(f"  b{i}: {{layers: [{{b{i + 1}: , when: in_channels == 3}}, b{i + 1}]}}\n" for i in range(60))
            + "  b60: {layers: [{relu: , when: false}]}\n"
        )
        assert error("- b0", head=head).code == "CC111"

    def test_what_is_passed_over_costs_its_step(self) -> None:
        found = error("- {layers: [{relu: , when: false}], repeat: 900000}\n- {relu: , repeat: 200000, when: false}")
        assert found.code == "CC111"

    def test_layers(self) -> None:
        assert len(build(f"- {{relu: , repeat: {LAYERS}}}", input="[1]").nodes) == LAYERS + 1
        found = error(f"- {{relu: , repeat: {LAYERS + 1}}}", input="[1]")
        assert found.code == "CC111" and f"{LAYERS:,} layers" in found.message
        assert STEPS == 750_000

    def test_a_large_network_in_groups(self) -> None:
        """As deep learning has them, with some room: 240,000 layers, half as many groups."""
        unit = "{repeat: 4, layers: [{conv2d: {out: 64, k: 3, p: 1}}, batch_norm, relu]}"
        network = build(f"- {{repeat: 100, layers: [{{repeat: 200, layers: [{unit}]}}]}}", input="[64, 8, 8]")
        assert len(network) == 240_000 and len(network.groups) == 120_201

    @pytest.mark.slow
    def test_what_is_read_is_counted(self) -> None:
        items = "relu," * (SPEC_NODES - 20)
        text = f"convcalc: 1\ninput: [1]\nlayers: [{items}]"
        assert len(loads(text)) == SPEC_NODES - 20
        (found,) = errors(text.replace("[relu", "[{layers: [{relu: , when: false}], repeat: 60000}"))
        assert found.code == "CC111" and f"{STEPS:,} steps" in found.message

    def test_everything_found_before_a_limit_is_told(self) -> None:
        found = errors(spec("- {conv2d: {out: 8, k: 50}}\n- {relu: , from: input, repeat: 10**7}"))
        assert [finding.code for finding in found] == ["CC201", "CC111"]


class TestWhatTakesLong:
    """Work that one item asks for again and again; each took seconds, or minutes, while it was one step."""

    @pytest.fixture(autouse=True)
    def soon(self) -> Iterator[None]:
        started = process_time()
        yield
        assert process_time() - started < 5

    def test_a_split_into_many_parts(self) -> None:
        parts = ", ".join(["1"] * 1000)
        item = f"{{layers: [{{split: {{channels: [{parts}]}}, name: s}}, {{concat: , from: s}}], repeat: 500}}"
        assert error(f"- {item}", input="[1000, 1]").code == "CC111"
        found = build(f"- {item.replace('500', '2')}", input="[1000, 1]")
        assert [node.shape for node in found.nodes[-2:]] == [(1, 1), (1000, 1)]

    def test_recurrent_layers_of_many_weights(self) -> None:
        layers = "\n".join(f"- {{rnn: {{hidden_size: {size}, num_layers: 1000}}}}" for size in range(1, 500))
        assert error(layers, input="[2, 3]").code == "CC111"
        assert error("- {lstm: {hidden_size: 1, num_layers: 1000000000}}", input="[2, 3]").code == "CC103"
        assert build("- {lstm: {hidden_size: 1, num_layers: 1000}}", input="[2, 3]").nodes[-1].shape == (2, 1)

    def test_joins_of_many_inputs(self) -> None:
        parts = ", ".join(["1"] * 1000)
        layers = f"- {{split: {{channels: [{parts}]}}, name: s}}\n- {{layers: [{{add: , from: s}}], repeat: 20000}}"
        assert error(layers, input="[1000, 1]").code == "CC111"

    def test_blocks_of_many_parameters(self) -> None:
        params = ", ".join([f"p{n}: {n}" for n in range(3000)])
        head = f"blocks: {{b: {{params: {{{params}}}, layers: [relu]}}}}\n"
        assert error("- {b: , repeat: 5000}", head=head).code == "CC111"

    def test_shapes_that_are_all_different(self) -> None:
        assert error("- {max_pool2d: {k: 3, s: 1, p: 0}, repeat: 240000}", input="[1, 480009, 480009]").code == "CC111"

    def test_layers_that_are_all_different(self) -> None:
        found = error("- {conv2d: {out: index + 1, k: 1}, repeat: 200000}", input="[1, 1, 1]")
        assert found.code == "CC111" and "more than 10,000 layers that differ" in found.message
        (found,) = errors(
            spec("\n".join([f"- {{conv1d: {{out: {n + 1}, k: 1}}}}" for n in range(15_000)]), input="[1, 1]")
        )
        assert found.code == "CC111" and "more than 10,000 layers that differ" in found.message

    def test_expressions_that_are_all_different(self) -> None:
        items = "\n".join([f"- {{conv1d: {{out: {n} + in_channels, k: 1}}}}" for n in range(15_000)])
        (found,) = errors(spec(items, input="[1, 1]"))
        assert found.code == "CC111" and f"more than {EXPRESSIONS_CHARACTERS:,} characters" in found.message
        equal = "\n".join(["- {conv1d: {out: 1 + in_channels - 1, k: 1}}"] * 15_000)
        assert len(build(equal, input="[1, 1]")) == 15_000


class TestWhatIsHeld:
    def test_a_network_is_freed_without_a_search(self) -> None:
        """No circle holds what its expansion made: the collector need not go through it."""
        network = build("- {layers: [{layers: [relu, {add: {branches: {a: [tanh], b: []}}}], repeat: 3}], name: g}")
        held = weakref.ref(network.nodes[-1].layer), weakref.ref(network)  # type: ignore[arg-type]
        collecting = gc.isenabled()
        gc.disable()
        try:
            del network
            assert [found() for found in held] == [None, None]
        finally:
            if collecting:
                gc.enable()

    def test_what_was_built_is_not_gone_through_again(self) -> None:
        network = build("- {relu: , repeat: 100000}", input="[1]")
        assert gc.get_count()[0] < 50_000 and len(network) == 100_000

    def test_what_the_caller_froze_stays_frozen(self) -> None:
        gc.freeze()
        try:
            build("- relu")
            assert gc.get_freeze_count()
        finally:
            gc.unfreeze()


class TestCollecting:
    def test_what_is_looked_at_is_counted(self) -> None:
        layers = "- {relu: , name: g, repeat: 20000}\n" + "\n".join(["- {concat: , from: g.*}"] * 100)
        found = error(layers, input="[1]")
        assert found.code == "CC111" and "collecting" in found.message

    def test_looking_in_vain_is_counted(self) -> None:
        layers = "- {layers: [relu, {tanh: , name: t, when: index == 0}], name: g, repeat: 20000}\n"
        found = error(layers + "\n".join(["- {concat: , from: g.*.t}"] * 100), input="[1]")
        assert found.code == "CC111"


class TestFindings:
    def test_a_thousand_are_told(self) -> None:
        found = errors(spec("\n".join(["- {conv2d: {out: 8, kernel: 3}, from: nowhere}"] * 3000)))
        assert len(found) == FINDINGS + 1
        assert "the rest is not told" in found[-1].message

    def test_so_are_those_of_the_shapes(self) -> None:
        found = errors(spec("\n".join([f"- {{relu: , from: nowhere_{i}}}" for i in range(3000)])))
        assert len(found) == FINDINGS + 1


class TestPaths:
    def test_length(self) -> None:
        layers = "- " + f"{{name: {'n' * 90}, layers: [" * 12 + "relu" + "]}" * 12
        found = error(layers)
        assert found.code == "CC111" and "1000 characters" in found.message

    def test_names(self) -> None:
        assert error(f"- {{relu: , name: {'n' * 101}}}").code == "CC105"


class TestDepthOfText:
    def test_groups_as_deep_as_the_text_may_be(self) -> None:
        for depth in (20, 45):
            layers = "- " + "{layers: [" * depth + "relu" + "]}" * depth
            assert len(build(layers).nodes) == 2

    def test_wide_collections(self) -> None:
        network = build(
            "- {layers: [{relu: , name: r}], name: g, repeat: 2000}\n- {concat: , from: g.*.r}", input="[1]"
        )
        assert len(network.nodes[-1].inputs) == 2000


class TestNames:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["z", "b{}"])
    def test_names_that_stand_below_are_looked_up_once(self, name: str) -> None:
        """Going through the items again for each took a second for 10,000 of them, and 100 for ten times as many."""
        items = [f"- {{relu: , from: {name.format(n)}}}" for n in range(15_000)]
        items += [f"- {{relu: , name: b{n}}}" for n in range(15_000)]
        text = spec("\n".join(items))
        started = process_time()
        found = errors(text)
        assert process_time() - started < 8
        assert len(found) == FINDINGS + 1 and ("stands below" in found[0].message) == (name != "z")

    def test_the_nearest_below_is_told(self) -> None:
        found = error("- {relu: , from: a}\n- {when: false, tanh: , name: a}\n- {relu: , name: c}", input="[1]")
        assert "'a' stands below, on line 5" in found.message
