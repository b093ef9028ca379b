"""Axes, derived values and requirements of sweeps: every number gives a candidate, the same one everywhere."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.findings import SpecError, UsageError
from convcalc.language.problems import Problem
from convcalc.sweep.axes import Axis, read_grid, read_range, read_shapes
from convcalc.sweep.candidates import Candidate, Refused
from convcalc.sweep.plan import Plan
from convcalc.sweep.space import MOST_CANDIDATES, DesignSpace

SPEC = """convcalc: 1
name: Net
input: [3, size, size]
params: {size: 32, width: 8, depths: [1, 2, 3], act: relu, wide: false, last: 2 * width}
variants: {small: {width: 4}, large: {width: 16, depths: [3, 3, 3]}, other: {act: silu}}
layers:
  - {conv2d: {out: width, k: 3, p: 1}, repeat: "depths[0]"}
  - {relu: {}, when: act == 'relu'}
  - {silu: {}, when: act == 'silu'}
  - {conv2d: {out: last, k: 1}, when: not wide}
"""


def plan(**words: Any) -> Plan:
    return Plan("net.yaml", SPEC, **words)


def space(**words: Any) -> DesignSpace:
    return plan(**words).space


def values(found: DesignSpace) -> list[tuple[object, ...]]:
    return [found.candidate(number).values for number in range(found.size)]


def fails(**words: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        plan(**words).validate()
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width=32:64:8", (32, 40, 48, 56, 64)),
        ("width=32:63:8", (32, 40, 48, 56)),
        ("width=1:4", (1, 2, 3, 4)),
        ("width=5:5", (5,)),
        ("width=0.5:1:0.25", (Fraction(1, 2), Fraction(3, 4), 1)),
        ("width=0.1:0.4:0.1", (Fraction(1, 10), Fraction(1, 5), Fraction(3, 10), Fraction(2, 5))),
        ("width=-2:2:2", (-2, 0, 2)),
        ("width=1,2:4,2*8", (1, 2, 3, 4, 16)),
        ("depths=[2,3,4],[3, 4, 2*3]", ((2, 3, 4), (3, 4, 6))),
        ("depths=[[1],[2]]", (((1,), (2,)),)),
        ("act=relu,silu", ("relu", "silu")),
        ("act='relu',\"silu\"", ("relu", "silu")),
        ("wide=true,false", (True, False)),
        ("variant=A-LRN, C,v1_50", ("A-LRN", "C", "v1_50")),
        ("variant=1,1+1", (1, 2)),
        (" width = 1 , 2 ", (1, 2)),
    ],
)
def test_what_a_grid_goes_through(text: str, expected: tuple[object, ...]) -> None:
    axis = read_grid(text)
    found = tuple(axis.value(number) for number in range(axis.size))
    assert found == expected and list(map(type, found)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("reader", "text", "said", "offset"),
    [
        (read_grid, "width", "expected NAME=VALUES", 0),
        (read_grid, "width=", "expected NAME=VALUES", 0),
        (read_grid, "=3", "expected NAME=VALUES", 0),
        (read_grid, "wi dth=3", "a name is expected", 0),
        (read_grid, "width[=3", "a name is expected", 0),
        (read_grid, "width=1,,2", "a value is expected", 8),
        (read_grid, "width=2:1", "'2:1' is empty", 6),
        (read_grid, "width=1:2:0", "a step is above 0", 10),
        (read_grid, "width=1:2:-1", "a step is above 0", 10),
        (read_grid, "width=1:2:3:4", "expected START:STOP:STEP", 6),
        (read_grid, "width=1.5:2", "a step is needed", 6),
        (read_grid, "width=a:2", "expected a number", 6),
        (read_grid, "width=0x10", "no plain decimal number", 6),
        (read_grid, "width=.nan", "not finite", 6),
        (read_grid, "width=1e99", "above 2^63 - 1", 6),
        (read_grid, "width=1,[2", "YAML", 8),
        (read_grid, "width=" + "[" * 3000, "deeper than", 106),
        (read_grid, "width=" + "9" * 5000, "above 2^63 - 1", 6),
        (read_grid, "width=x + 1", "names nothing here", 6),
        (read_grid, "width=1," * 20_000, "characters", 0),
        (read_grid, "width=\x1b[31m", "control characters", 6),
        (read_range, "width=3", "expected START:STOP:STEP", 6),
        (read_range, "width=1:8:1,exp", "expected linear or log", 12),
        (read_range, "width=0:8:1,log", "a logarithm starts above 0", 6),
        (read_range, "width=1:8:1,log,2", "expected START:STOP:STEP", 6),
        (read_shapes, "3,224,x,1", "expected channels and sizes", 0),
        (read_shapes, "3,224;;3", "expected channels and sizes", 6),
    ],
)
def test_axes_that_mean_nothing(reader: Any, text: str, said: str, offset: int) -> None:
    with pytest.raises(Problem) as caught:
        reader(text)
    assert said in caught.value.message and caught.value.offset == offset


@settings(max_examples=25)
@given(
    st.integers(-1000, 1000), st.integers(0, 10**6), st.fractions(Fraction(1, 100), 50, max_denominator=100), st.data()
)
def test_ranges_have_both_ends(start: int, length: int, step: Fraction, data: st.DataObject) -> None:
    axis = read_grid(f"width={start}:{start + length}:{step.numerator}/{step.denominator}")
    assert axis.value(0) == start
    last = axis.value(axis.size - 1)
    assert isinstance(last, (int, Fraction)) and start + length - step < last <= start + length
    number = data.draw(st.integers(0, axis.size - 1))
    assert axis.value(number) == start + number * step


def test_the_product_is_in_the_order_of_nested_loops() -> None:
    found = space(grid=("variant=small,large", "depths[1]=4:6", "act=relu,silu"), input=("3,8,8;3,16,16",))
    shapes = [(3, 8, 8), (3, 16, 16)]
    assert found.names == ("variant", "depths[1]", "act", "input")
    assert values(found) == list(product(["small", "large"], [4, 5, 6], ["relu", "silu"], shapes))
    last = found.candidate(found.size - 1)
    assert isinstance(last, Candidate)
    assert last.params == {"depths": (3, 6, 3), "act": "silu"} and last.variant == "large"
    assert last.input == {"input": (3, 16, 16)}


@settings(max_examples=12)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 5), st.integers(0, 2**70))
def test_even_draws_are_a_permutation(a: int, b: int, c: int, seed: int) -> None:
    """Each of the product once, and the same whichever is asked for first."""
    grid = (f"width=1:{a}", f"size=8:{7 + b}", f"depths[0]=1:{c}")
    drawn = space(grid=grid, random=10**6, seed=seed)
    assert drawn.size == a * b * c and drawn.distinct
    assert Counter(values(drawn)) == Counter(values(space(grid=grid)))
    again = space(grid=grid, random=3, seed=seed)
    assert values(again) == values(drawn)[: again.size]
    assert [drawn.candidate(n).values for n in reversed(range(drawn.size))] == values(drawn)[::-1]


def test_draws_are_those_of_the_seed_on_every_machine() -> None:
    """Recorded: whoever changes them changes what --seed means in papers and manifests."""
    found = space(range=("width=24:128:8,log", "size=8:64:8"), grid=("act=relu,silu",), random=4, seed=7)
    assert [candidate[:3] for candidate in values(found)] == RECORDED_LOG
    found = space(grid=("width=1:1000", "size=1:1000"), random=4, seed=7)
    assert values(found) == RECORDED_EVEN
    assert values(space(grid=("width=1:1000", "size=1:1000"), random=4, seed=8)) != RECORDED_EVEN


RECORDED_LOG = [("relu", 24, 40), ("relu", 32, 48), ("silu", 88, 56), ("relu", 32, 8)]
RECORDED_EVEN = [(601, 573), (751, 687), (32, 26), (184, 729)]


def test_candidates_beyond_all_bounds_are_reached_by_number() -> None:
    """10^18 candidates, and far more."""
    grid = tuple(f"{name}=1:1000000" for name in ("depths[0]", "depths[1]", "depths[2]", "width", "size"))
    drawn = space(grid=grid, random=MOST_CANDIDATES)
    assert drawn.product == 10**30 and drawn.size == MOST_CANDIDATES
    seen = {drawn.candidate(number).values for number in (0, 1, 2, 10**6, MOST_CANDIDATES - 1)}
    assert len(seen) == 5
    said = fails(grid=grid)
    assert "candidates are more than" in said.message and "--random" in (said.hint or "")


def test_draws_in_the_logarithm_are_even_in_it() -> None:
    """Each of the doublings of 8 to 512 is drawn as often, and the ends are reached."""
    found = space(range=("width=8:511:1,log",), random=3000)
    drawn = [width for (width,) in values(found) if isinstance(width, int)]
    octaves = Counter(int(math.log2(width / 7.5)) for width in drawn)
    assert set(octaves) == set(range(7)) and octaves.pop(6) < 60
    assert all(abs(count - 500) < 90 for count in octaves.values())
    small = {width for (width,) in values(space(range=("width=8:16:8,log",), random=50))}
    assert small == {8, 16}


@settings(max_examples=30)
@given(
    st.fractions(Fraction(1, 10), 300, max_denominator=10),
    st.fractions(Fraction(1, 1000), 20, max_denominator=1000),
    st.integers(1, 3000),
    st.integers(0, 2**64 - 1),
)
def test_draws_are_those_of_forty_digits(start: Fraction, step: Fraction, count: int, draw: int) -> None:
    """What floats decide is what the definition gives."""
    stop = start + (count - 1) * step
    axis = read_range(f"width={start.numerator}/{start.denominator}:{stop.numerator}/{stop.denominator}:{step},log")
    with localcontext(prec=60):

        def decimal(value: Fraction) -> Decimal:
            return Decimal(value.numerator) / Decimal(value.denominator)

        low, high = decimal(max(start - step / 2, start / 2)).ln(), decimal(stop + step / 2).ln()
        drawn = Fraction((low + Decimal(draw) / 2**64 * (high - low)).exp())
    nearest = min(max(math.floor((drawn - start) / step + Fraction(1, 2)), 0), axis.size - 1)
    assert axis.size == count and axis.drawn(draw) == nearest


def test_an_element_starts_from_what_the_list_is() -> None:
    assert values(space(grid=("depths[-1]=7,8",)))[0] == (7,)
    found = space(grid=("variant=small,large", "depths[0]=9")).candidate(1)
    assert isinstance(found, Candidate) and found.params["depths"] == (9, 3, 3)
    found = space(grid=("depths=[1,2],[3,4,5]", "depths[2]=6")).candidate(0)
    assert isinstance(found, Refused) and found.code == "CC108" and "has no element 2" in found.message
    assert found.values == ((1, 2), None)


@pytest.mark.parametrize(
    ("words", "params", "shown"),
    [
        ({"let": ("width=2*size",)}, {"width": 64}, (64,)),
        ({"let": ("width=2*width", "size=width+1")}, {"width": 16, "size": 17}, (16, 17)),
        ({"let": ("size=last", "width=3", "depths[1]=last")}, {"size": 16, "width": 3, "depths": (1, 6, 3)}, None),
        ({"let": ("depths[0]=depths[-1]", "depths[1]=depths[0]")}, {"depths": (3, 3, 3)}, (3, 3)),
        ({"let": ("phi=3", "width=ceil(1.2**phi)")}, {"width": 2}, (3, 2)),
        ({"let": ("_phi=3", "width=ceil(1.2**_phi)")}, {"width": 2}, (2,)),
        ({"grid": ("phi=3",), "let": ("width=phi",)}, {"width": 3}, (3, 3)),
        ({"grid": ("width=5",), "let": ("width=width+1",)}, {"width": 6}, (6,)),
        ({"set": ("width=5",), "let": ("size=width",)}, {"width": 5, "size": 5}, (5,)),
        ({"set": ("size=5", "width=2*size")}, {"width": 10, "size": 5}, ()),
        ({"set": ("width=2*size",)}, {"width": 64}, ()),
        ({"variant": "large", "let": ("size=width",)}, {"size": 16}, (16,)),
        ({"let": ("act='silu'", "wide=width>4")}, {"act": "silu", "wide": True}, ("silu", True)),
        ({"let": ("depths=[2*d for d in depths]",)}, {"depths": (2, 4, 6)}, ((2, 4, 6),)),
    ],
)
def test_derived_values(words: dict[str, Any], params: dict[str, object], shown: tuple[object, ...] | None) -> None:
    found = space(**words).candidate(0)
    assert isinstance(found, Candidate) and found.params == params
    assert shown is None or found.values == shown


def test_derived_sizes_of_the_input() -> None:
    found = space(let=("input=[3, 2*size, size]", "input[2]=input[1]+1")).candidate(0)
    assert isinstance(found, Candidate) and found.input == {"input": (3, 64, 65)}
    found = space(grid=("input[1]=16,48",), let=("input[2]=input[1]",)).candidate(1)
    assert isinstance(found, Candidate) and found.input == {"input": (3, 48, 48)}
    found = space(grid=("size=5",), let=("width=input[1]",)).candidate(0)
    assert isinstance(found, Candidate) and found.params["width"] == 5 and found.input is None


def test_several_inputs_by_name() -> None:
    text = "convcalc: 1\ninput: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [{add: {}, from: [a, b]}]\n"
    two = Plan("two.yaml", text, input=("a=3,4,4;3,8,8", "b=3,8,8")).space
    found = two.candidate(0)
    assert two.names == ("input.a", "input.b") and two.size == 2
    assert isinstance(found, Candidate) and found.input == {"a": (3, 4, 4), "b": (3, 8, 8)}
    with pytest.raises(UsageError, match=r"there is no input 'input.c'"):
        Plan("two.yaml", text, input=("c=3,4,4",)).validate()
    with pytest.raises(UsageError, match="there is no input 'input'"):
        Plan("two.yaml", text, input=("3,4,4",)).validate()


def test_what_cannot_be_derived_is_a_row() -> None:
    found = space(grid=("size=1,0",), let=("width=8/size",))
    first, second = found.candidate(0), found.candidate(1)
    assert isinstance(first, Candidate) and isinstance(second, Refused)
    assert (second.code, second.values) == ("CC108", (0, None)) and "by zero" in second.message
    for let, said in (
        ("input=[3, 0, 4]", "whole numbers of at least 1"),
        ("input=[3, 1.5, 4]", "whole numbers"),
        ("input=[1,1,1,1,1]", "channels and 0 to 3 sizes"),
        ("input=[2**40, 2**40]", "above 2^63 - 1"),
        ("input=3", "is a list of"),
        ("act=3", "act takes words"),
        ("wide=1", "wide takes true or false"),
        ("width='relu'", "width takes numbers"),
    ):
        refused = space(let=(let,)).candidate(0)
        assert isinstance(refused, Refused) and said in refused.message, let


def test_requirements() -> None:
    found = space(grid=("width=1:4", "size=1:4"), require=("width<size", "width+size==5"))
    built = [found.candidate(n).values for n in range(16) if isinstance(found.candidate(n), Candidate)]
    assert built == [(1, 4), (2, 3)]
    refused = found.candidate(0)
    assert isinstance(refused, Refused) and (refused.code, refused.message) == ("CC301", "width<size does not hold")
    refused = space(require=("width",)).candidate(0)
    assert isinstance(refused, Refused) and refused.code == "CC108"


def test_requirements_are_asked_as_soon_as_they_are_known() -> None:
    found = space(grid=("phi=1:3",), let=("_a=phi", "_b=1/0", "width=_b", "_c=9"), require=("_a>3",)).candidate(0)
    assert isinstance(found, Refused) and found.message == "_a>3 does not hold"
    assert found.values == (1, None)
    found = space(grid=("width=1",), let=("width=width+1", "_x=last"), require=("last==4",)).candidate(0)
    assert isinstance(found, Candidate), "a param follows from others: it is asked behind all that set one"


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ({"grid": ("widht=1",)}, "there is no parameter 'widht'", "did you mean 'width'?"),
        ({"grid": ("x=1",)}, "there is no parameter 'x'", "read by a --let"),
        ({"grid": ("variant=smal",)}, "there is no variant 'smal'", "did you mean 'small'?"),
        ({"grid": ("act=relu,silo",)}, "act does not take the word 'silo'", "did you mean 'silu'?"),
        ({"grid": ("wide=1",)}, "wide takes true or false, not 1", None),
        ({"grid": ("width=1", "width=2")}, "width is an axis twice", None),
        ({"grid": ("width=1",), "range": ("width=1:2",)}, "width is an axis twice", None),
        ({"range": ("width=1:8:1,log",)}, "width is drawn in the logarithm", "--random 1000"),
        ({"input": ("3,0,3",)}, "whole numbers of at least 1", None),
        ({"set": ("wdth=1",)}, "there is no parameter 'wdth'", "did you mean 'width'?"),
        ({"set": ("width",)}, "expected NAME=VALUE", None),
        ({"variant": "big"}, "there is no variant 'big'", "variants: small, large, other"),
        ({"let": ("width=2*sze",)}, "'sze' names nothing here", "did you mean 'size'?"),
        ({"let": ("width=2*",)}, "is no expression", None),
        ({"let": ("widht=2",)}, "there is no parameter 'widht'", "did you mean 'width'?"),
        ({"let": ("variant='small'",)}, "the variant is an axis", None),
        ({"let": ("phi[0]=1",)}, "there is no parameter 'phi'", None),
        ({"require": ("withd<3",)}, "'withd' names nothing here", "did you mean 'width'?"),
        ({"require": ("width<",)}, "is no expression", None),
    ],
)
def test_words_that_mean_nothing(words: dict[str, Any], said: str, hint: str | None) -> None:
    found = fails(**words)
    assert said in found.message and (hint is None or hint in (found.hint or ""))


def test_messages_point_at_the_word() -> None:
    assert str(fails(let=("width = 2 * sze",))) == (
        "--let: 'sze' names nothing here\n  width = 2 * sze\n              ^^^\n  hint: did you mean 'size'?"
    )
    long = "width=" + "1," * 300 + "x+1," + "2," * 300
    lines = str(fails(grid=(long + "2",))).splitlines()
    assert len(lines[1]) <= 78 and lines[1].find("x+1") == lines[2].find("^")
    assert "\x1b" not in str(fails(grid=("wi\x1bdth=1",))), "controls are not shown again"


def test_a_plan_is_json() -> None:
    found = plan(grid=("width=1:3",), let=("size=width",), random=2, seed=5, where=("macs<=1M",))
    assert Plan.from_dict(found.to_dict()) == found
    import json

    assert Plan.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    for wrong in (
        {},
        {**found.to_dict(), "grid": "width=1"},
        {**found.to_dict(), "grid": [1]},
        {**found.to_dict(), "random": True},
        {**found.to_dict(), "options": {"batch": "x"}},
        {**found.to_dict(), "options": 3},
        {**found.to_dict(), "text": SPEC + " "},
        {**found.to_dict(), "seed": None},
    ):
        with pytest.raises(UsageError):
            Plan.from_dict(wrong)


def test_a_wrong_spec_is_told_as_such() -> None:
    with pytest.raises(SpecError):
        replace(plan(), text="convcalc: 1").validate()


def test_axes_are_read_in_no_time_however_large() -> None:
    axis = read_grid("width=" + ",".join(f"{n}:{n + 10**17}" for n in range(60)))
    assert isinstance(axis, Axis) and axis.value(axis.size - 1) == 59 + 10**17
