"""An item that is passed over anyhow may name what is not there: a spec under other parameters has both or neither."""

from __future__ import annotations

import pytest

from tests.spec_text import build, error, names

SKIP = "- {conv2d: {out: 8, k: 1}, name: skip, when: wide}\n"
HEAD = "params: {wide: false, depth: 2}\n"


class TestPassedOverWithItsSource:
    @pytest.mark.parametrize("own", ["when: wide", "when: 'wide and depth > 1'", "repeat: 1 if wide else 0"])
    def test_what_an_item_that_is_passed_over_names_may_be_passed_over(self, own: str) -> None:
        layers = SKIP + f"- {{tanh: , from: skip, name: t, {own}}}\n- relu"
        assert names(build(layers, head=HEAD)) == ["relu"]
        made = "t.0" if "repeat" in own else "t"
        assert names(build(layers, head=HEAD, params={"wide": True})) == ["skip", made, "relu"]

    def test_its_name_is_that_of_an_item_that_is_passed_over(self) -> None:
        layers = SKIP + "- {tanh: , from: skip, name: t, when: wide}\n- {relu: , from: t}"
        assert "passed over" in error(layers, head=HEAD).message

    def test_a_repetition_that_is_not_made(self) -> None:
        layers = "- {relu: , repeat: depth, name: stack}\n- {tanh: , from: stack.3, when: depth > 3}\n- sigmoid"
        assert names(build(layers, head=HEAD))[2:] == ["sigmoid"]
        assert names(build(layers, head=HEAD, params={"depth": 4}))[4:] == ["tanh", "sigmoid"]

    def test_an_input_that_the_block_does_not_get(self) -> None:
        head = "blocks: {up: {params: {skip: false}, layers: [relu, {add: , from: [relu, in.1], when: skip}]}}\n"
        head = head.replace("[relu, {add", "[{relu: , from: in.0}, {add")
        assert names(build("- up", head=head)) == ["up.relu"]
        layers = "- {up: {skip: true}, from: [input, input]}"
        assert names(build(layers, head=head)) == ["up.relu", "up.add"]

    def test_a_collection_that_finds_nothing(self) -> None:
        layers = "- {layers: [relu], repeat: depth, name: s}\n- {concat: , from: s.*.tanh, when: depth > 9}\n- sigmoid"
        assert names(build(layers, head=HEAD))[-1] == "sigmoid"


class TestStillAnError:
    def test_a_misspelt_source_is_found_even_so(self) -> None:
        found = error("- {relu: , name: skip}\n- {tanh: , from: skp, when: false}")
        assert (found.code, found.hint) == ("CC106", "did you mean 'skip'?")

    def test_a_true_when(self) -> None:
        assert "passed over" in error(SKIP + "- {tanh: , from: skip, when: not wide}", head=HEAD).message

    def test_a_when_that_reads_what_arrives(self) -> None:
        assert "passed over" in error(SKIP + "- {tanh: , from: skip, when: in_channels > 3}", head=HEAD).message

    def test_a_when_of_every_repetition(self) -> None:
        layers = SKIP + "- {tanh: , from: skip, repeat: 2, when: index > 5}"
        assert "passed over" in error(layers, head=HEAD).message

    def test_its_repetitions_are_counted(self) -> None:
        layers = SKIP + "- {tanh: , from: skip, repeat: 10**9, when: wide}"
        assert error(layers, head=HEAD).code == "CC111"
