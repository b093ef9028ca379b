"""Limits: stated as constants, refused with an error before the work is done."""

from __future__ import annotations

from time import process_time

import pytest

from convcalc.limits import FINDINGS, LAYERS, NESTING, STEPS
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
        assert "1,000,000 steps" in found.message

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
        assert found.code == "CC111" and "250,000 layers" in found.message
        assert STEPS == 1_000_000

    def test_everything_found_before_a_limit_is_told(self) -> None:
        found = errors(spec("- {conv2d: {out: 8, k: 50}}\n- {relu: , from: input, repeat: 10**7}"))
        assert [finding.code for finding in found] == ["CC201", "CC111"]


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
    @pytest.mark.parametrize("name", ["z", "b{}"])
    def test_names_that_stand_below_are_looked_up_once(self, name: str) -> None:
        """Going through the items again for each took a second for 10,000 of them, and 100 for ten times as many."""
        items = [f"- {{relu: , from: {name.format(n)}}}" for n in range(30_000)]
        items += [f"- {{relu: , name: b{n}}}" for n in range(30_000)]
        text = spec("\n".join(items))
        started = process_time()
        found = errors(text)
        assert process_time() - started < 8
        assert len(found) == FINDINGS + 1 and ("stands below" in found[0].message) == (name != "z")

    def test_the_nearest_below_is_told(self) -> None:
        found = error("- {relu: , from: a}\n- {when: false, tanh: , name: a}\n- {relu: , name: c}", input="[1]")
        assert "'a' stands below, on line 5" in found.message
