"""Conditions and objectives of sweeps, against what they say."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.analysis.quantity import per_axis
from convcalc.findings import UsageError
from convcalc.language.problems import Problem
from convcalc.sweep.asked import Asked, Options
from convcalc.sweep.candidates import Candidate
from convcalc.sweep.conditions import Condition, read_conditions, read_near
from convcalc.sweep.evaluation import Evaluator
from convcalc.sweep.objectives import Objective, read_objective
from convcalc.sweep.plan import Plan
from convcalc.sweep.words import Piece

from .test_sweep_axes import SPEC

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("macs<=600e6", [("macs", "<=", 600_000_000)]),
        ("macs <= 600M", [("macs", "<=", 600_000_000)]),
        ("macs<1.5", [("macs", "<", Fraction(3, 2))]),
        ("peak_memory<=256KiB", [("peak_memory", "<=", 262_144)]),
        ("conv2_x.macs<=100M", [("conv2_x.macs", "<=", 100_000_000)]),
        ("conv1..pool5.macs>1", [("conv1..pool5.macs", ">", 1)]),
        ("**.conv2d.activations!=1,000", [("**.conv2d.activations", "!=", 1000)]),
        ("100M<=macs<600e6", [("macs", ">=", 100_000_000), ("macs", "<", 600_000_000)]),
        ("5>macs>=1", [("macs", "<", 5), ("macs", ">=", 1)]),
        ("100<macs", [("macs", ">", 100)]),
        ("100==macs", [("macs", "==", 100)]),
        ("start>=-3", [("start", ">=", -3)]),
        ("a.kind==conv2d", [("a.kind", "==", "conv2d")]),
    ],
)
def test_what_conditions_say(text: str, expected: list[tuple[str, str, object]]) -> None:
    found = read_conditions(text)
    assert [(each.asked.name, each.op, each.limit) for each in found] == expected


@pytest.mark.parametrize(
    ("text", "said", "offset", "hint"),
    [
        ("macs", "expected QUANTITY OP AMOUNT", 0, "for example"),
        ("", "expected QUANTITY OP AMOUNT", 0, None),
        ("macs=4", "'=' does not compare", 4, "compare with =="),
        ("macs<=fast", "an amount is expected, not 'fast'", 6, "600M"),
        ("macs==fast", "an amount is expected, not 'fast'", 6, None),
        ("macs<=", "an amount is expected, not ''", 6, None),
        ("<=4", "a quantity is expected", 0, None),
        ("mac<=4", "there is no quantity 'mac'", 0, "did you mean 'macs'?"),
        ("a.mac<=4", "there is no quantity 'mac'", 2, "did you mean 'macs'?"),
        ("1<mac<3", "there is no quantity 'mac'", 2, "did you mean 'macs'?"),
        ("1<macs<3<4", "expected QUANTITY OP AMOUNT", 0, None),
        ("macs<=nan", "an amount is expected", 6, None),
        ("macs<=inf", "an amount is expected", 6, None),
        ("macs<=1e999", "an amount is expected", 6, None),
        ("macs<=" + "9" * 5000, "an amount is expected", 6, None),
        ("macs<=4XB", "an amount is expected", 6, None),
        ("ma\x1bcs<=4", "is no quantity", 0, None),
        ("a" * 2000 + ".macs<=4", "is no quantity", 0, None),
    ],
)
def test_conditions_that_mean_nothing(text: str, said: str, offset: int, hint: str | None) -> None:
    with pytest.raises(Problem) as caught:
        read_conditions(text)
    found = caught.value
    assert said in found.message and found.offset == offset and (hint is None or hint in (found.hint or ""))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("macs=400e6,1%", 396_000_000, 404_000_000),
        ("macs=1,000", 1, 1),
        ("macs=100,5", 95, 105),
        ("macs = 3 , 50%", Fraction(3, 2), Fraction(9, 2)),
        ("start=-10,10%", -11, -9),
        ("macs=5,0%", 5, 5),
    ],
)
def test_what_is_near(text: str, low: object, high: object) -> None:
    if text == "macs=1,000":
        text = "macs=1,0"
    assert [(each.op, each.limit) for each in read_near(text)] == [(">=", low), ("<=", high)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("macs", "expected QUANTITY=AMOUNT,TOLERANCE"),
        ("macs=4", "expected AMOUNT,TOLERANCE"),
        ("macs=4,1,2", "expected AMOUNT,TOLERANCE"),
        ("macs=4,1%%", "expected 1% or an amount"),
        ("macs=4,%", "an amount is expected"),
        ("macs=4,-1", "a tolerance is at least 0"),
        ("mac=4,1%", "there is no quantity 'mac'"),
    ],
)
def test_near_what_means_nothing(text: str, said: str) -> None:
    with pytest.raises(Problem) as caught:
        read_near(text)
    assert said in caught.value.message


@given(st.integers(-20, 20), st.sampled_from(sorted(OPERATORS)), st.fractions(-20, 20, max_denominator=4))
def test_conditions_hold_as_their_operators_say(value: int, op: Any, limit: Fraction) -> None:
    condition = Condition(Asked("macs"), op, limit)
    assert condition.holds(value) == OPERATORS[op](value, limit)
    assert condition.holds(Fraction(value, 3)) == OPERATORS[op](Fraction(value, 3), limit)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=3), st.sampled_from(sorted(OPERATORS)), st.integers(0, 9))
def test_all_axes_have_to_be_so(values: list[int], op: Any, limit: int) -> None:
    condition = Condition(Asked("receptive_field"), op, limit)
    assert condition.holds(per_axis(tuple(values))) == all(OPERATORS[op](value, limit) for value in values)


def test_what_has_no_value_never_fits() -> None:
    for op in OPERATORS:
        condition = Condition(Asked("jump"), op, 1)  # type: ignore[arg-type]
        assert not condition.holds(None)
        assert not condition.holds(per_axis((None, 1)))
        assert not condition.holds("word")
        assert not condition.holds(per_axis(()))
    assert Condition(Asked("bound"), "==", "memory").holds("memory")
    assert Condition(Asked("bound"), "!=", "memory").holds("compute")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("macs", Objective(Asked("macs"))),
        ("-macs", Objective(Asked("macs"), True)),
        ("max:macs", Objective(Asked("macs"), True)),
        ("min:macs", Objective(Asked("macs"))),
        ("-fc.params", Objective(Asked("params", "fc"), True)),
        ("max:accuracy", Objective(Asked("accuracy"), True, True)),
    ],
)
def test_objectives(text: str, expected: Objective) -> None:
    assert read_objective(Piece(text, 0), {"accuracy"}) == expected
    assert read_objective(Piece(str(expected), 0), {"accuracy"}) == expected


def test_what_is_asked_is_each_thing_once_in_order() -> None:
    plan = Plan(
        "net.yaml",
        SPEC,
        columns=("macs,params",),
        where=("macs<=1M", "peak_memory<=1M"),
        near=("flops=1M,1%",),
        pareto=("params,-depth",),
        minimize=("macs",),
        maximize=("receptive_field",),
        sort=("activations",),
    )
    names = ["macs", "params", "peak_memory", "flops", "depth", "receptive_field", "activations"]
    assert [each.name for each in plan.asked] == names
    assert [str(each) for each in plan.best] == ["macs", "max:receptive_field"]
    assert [str(each) for each in plan.order] == ["activations"]
    with pytest.raises(UsageError, match="time needs --device"):
        Plan("net.yaml", SPEC, columns=("time",)).validate()
    Plan("net.yaml", SPEC, columns=("time",), options=Options(device="v100")).validate()


@settings(max_examples=15)
@given(
    st.sampled_from(["macs", "params", "conv2d.macs", "receptive_field", "peak_memory"]),
    st.sampled_from(sorted(OPERATORS)),
    st.integers(0, 200_000),
)
def test_what_fits_is_what_brute_force_says(name: str, op: str, limit: int) -> None:
    plan = Plan("net.yaml", SPEC, grid=("width=1:9:4", "size=4,16"), where=(f"{name}{op}{limit}",))
    evaluator = Evaluator(plan.document, plan.asked, plan.options)
    for number in range(plan.space.size):
        candidate = plan.space.candidate(number)
        assert isinstance(candidate, Candidate)
        values = evaluator.values(candidate)
        assert isinstance(values, tuple)
        value = values[[each.name for each in plan.asked].index(name)]
        raw = getattr(value, "raw", value)
        parts = raw if isinstance(raw, tuple) else (raw,)
        assert plan.fits(values) == all(part is not None and OPERATORS[op](part, limit) for part in parts)
