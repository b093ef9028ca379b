"""What a version promises stays: the record of the last one is held against the program."""

from __future__ import annotations

from typing import Any

import pytest

from tools import contract


@pytest.fixture(scope="module")
def recorded() -> Any:
    return contract.recorded()


@pytest.mark.parametrize("part", ["formats", "language", "exits", "options", "python"])
def test_nothing_is_lost(part: str, recorded: Any) -> None:
    now = {
        "formats": contract.formats,
        "language": contract.language,
        "exits": contract.exits,
        "options": contract.options,
        "python": contract.names,
    }[part]()
    assert contract.broken({part: recorded[part]}, {part: now}) == []


@pytest.mark.slow
def test_no_key_of_json_is_lost(recorded: Any) -> None:
    assert contract.broken({"json": recorded["json"]}, {"json": contract.keys()}) == []


def test_a_lost_word_and_a_parameter_that_became_required_are_found() -> None:
    recorded = {"language": ["conv2d.dilation"], "python": ["load(0, spec)", "load(variant) optional"]}
    now = {"language": [], "python": ["load(0, spec)", "load(variant)"]}
    assert contract.broken(recorded, now) == ["language: conv2d.dilation", "python: load(variant) optional"]
