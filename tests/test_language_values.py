"""What a scalar or a list of a spec means: numbers, truth values, words, expressions of names that are seen."""

from __future__ import annotations

import pytest

from convcalc.geometry import LIMIT
from convcalc.language.expressions import Expression
from convcalc.language.params import INVALID, Compiled, Expressions, Listed, Names, Param, evaluate, read_value, weight
from convcalc.language.problems import Findings, TooMuch
from convcalc.limits import EXPRESSIONS_CHARACTERS
from convcalc.marked import List, Marked, Source, Text

HERE = Text("", True, 1, 1, 1)


def text(written: str) -> Text:
    return Text(written, True, 1, 1, len(written))


def listed(*items: str) -> List:
    found = List(1, 1, True)
    found.items.extend(map(text, items))
    return found


def names(*declared: str) -> Names:
    return Names({name: Param(name, HERE, position) for position, name in enumerate(declared)})


def read(node: Marked, seen: Names | None = None) -> tuple[Compiled, list[str]]:
    """What a node means, and what is wrong with it."""
    findings = Findings(Source(""))
    value = read_value(node, names() if seen is None else seen, findings)
    return value, [finding.message for finding in findings.all]


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "false", "False", "FALSE"])
def test_truth_values_that_every_yaml_knows(word: str) -> None:
    assert read(text(word)) == (word.lower() == "true", [])


@pytest.mark.parametrize(("written", "value"), [("0", 0), ("7", 7), (str(LIMIT), LIMIT), ("7.50", None), ("~", None)])
def test_numbers(written: str, value: int | None) -> None:
    found, wrong = read(text(written))
    assert wrong == [] and (found == value or (written == "7.50" and 2 * found == 15))  # type: ignore[operator]


@pytest.mark.parametrize("written", [str(LIMIT + 1), "9" * 19, "1" * 20])
def test_numbers_above_the_limit(written: str) -> None:
    found, wrong = read(text(written))
    assert found is INVALID and wrong == [f"'{written}' is above 2^63 - 1"]


def test_a_list_is_a_value_where_all_of_it_is() -> None:
    seen = names("k")
    assert read(listed("1", "2"))[0] == (1, 2)
    found, wrong = read(listed("1", "k + 1"), seen)
    assert isinstance(found, Listed) and wrong == [] and evaluate(found, {"k": 4}) == (1, 5)
    assert read(listed("1", "q"), seen)[0] is INVALID


def test_names_are_seen_from_above() -> None:
    """Of three params the second sees the first, and neither itself nor the third."""
    seen = names("a", "b", "c").before(1)
    assert seen.all() == ["a"] and [seen.knows(name) for name in "abc"] == [True, False, False]
    assert [seen.below(name) for name in "abcd"] == [False, True, True, False]
    for name in "abc":
        seen.use(name)
    assert seen.used == {"a"}
    assert read(text("b + 1"), seen)[1] == ["'b' stands below; only names above are seen"]


def test_a_block_sees_the_names_of_the_spec_behind_its_own() -> None:
    outer = names("width", "k")
    inner = Names({"k": Param("k", HERE, 0)}, outer=outer, extra=frozenset({"index"}))
    assert inner.find("k") is not outer.find("k") and inner.find("width") is outer.find("width")
    assert inner.all() == ["k", "index", "width", "k"] and inner.plus("in_channels").knows("in_channels")
    for name in ("k", "width", "index"):
        inner.use(name)
    assert inner.used == {"k"} and outer.used == {"width"}


def test_what_a_value_weighs() -> None:
    """A constant nothing, an expression a step and its own, a list a step, one for ten values, and theirs."""
    seen = names("k")
    (one, _), (ten, _) = read(text("k + 1"), seen), read(listed(*["k"] * 10, "1"), seen)
    assert isinstance(one, Expression) and isinstance(ten, Listed)
    assert [weight(value) for value in (7, None, (1, 2), one, ten)] == [0, 0, 0, 1, 1 + 1 + 10]
    heavy, _ = read(text("+".join(["k"] * 21)), seen)
    assert isinstance(heavy, Expression) and weight(heavy) == 1 + heavy.weight > 3


def test_the_expressions_of_a_file_are_counted_once_each() -> None:
    expressions = Expressions()
    expressions.characters = EXPRESSIONS_CHARACTERS - 5
    assert expressions["1 + 1"] is expressions["1 + 1"] and len(expressions) == 1
    with pytest.raises(TooMuch, match=f"more than {EXPRESSIONS_CHARACTERS:,} characters"):
        expressions["2"]
