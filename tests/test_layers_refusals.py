"""What a model refuses, in words: one sentence for each reason that a value can be refused for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from convcalc.layers.refusals import asked, deepest, is_bound
from convcalc.layers.registry import build


@pytest.mark.parametrize(
    ("kind", "fields", "words", "bound"),
    [
        ("conv2d", {"out": 0, "k": 1}, "must be at least 1", True),
        ("conv2d", {"out": 2**63, "k": 1}, "must be at most 9223372036854775807", True),
        ("dropout", {"p": 1.5}, "must be at most 1", True),
        ("dropout", {"p": -0.5}, "must be at least 0", True),
        ("softplus", {"beta": 0}, "must be above 0", True),
        ("conv2d", {"out": 1.5, "k": 1}, "takes a whole number", False),
        ("conv2d", {"out": "x", "k": 1}, "takes a whole number", False),
        ("conv2d", {"out": 1, "k": 1, "bias": 1}, "takes true or false", False),
        ("elu", {"alpha": float("inf")}, "takes a finite number", False),
        (
            "conv2d",
            {"out": 1, "k": 1, "padding_mode": "x"},
            "must be 'zeros', 'reflect', 'replicate' or 'circular'",
            False,
        ),
        ("permute", {"dims": []}, "takes at least 1 value", False),
        ("reshape", {"shape": 3}, "takes a list", False),
        ("pad", {"padding": [[1, 2, 3], 0]}, "takes at most 2 values", False),
        ("pad", {"padding": [[1], 0]}, "takes pairs [before, after]", False),
        ("elu", {"alpha": "x"}, "takes another value", False),
    ],
)
def test_what_is_asked(kind: str, fields: dict[str, Any], words: str, bound: bool) -> None:
    with pytest.raises(ValidationError) as caught:
        build(kind, fields)
    entry = deepest(caught.value.errors())
    assert (asked(entry), is_bound(entry)) == (words, bound)


@pytest.mark.parametrize("kind", ["lp_pool1d", "lp_pool2d"])
def test_a_pool_without_padding_has_none_on_any_side(kind: str) -> None:
    patch = build(kind, {"k": 3, "norm_type": 2}).patch
    rank = int(kind[-2])
    assert patch == ((3,) * rank, (3,) * rank, ((0, 0),) * rank, (1,) * rank)


def test_of_several_forms_the_one_that_fits_furthest_is_told() -> None:
    outer: Any = {"type": "tuple_type", "loc": ("padding", "number"), "msg": "", "input": 1}
    inner: Any = {"type": "int_type", "loc": ("padding", "list", 0), "msg": "", "input": 1}
    assert deepest([outer, inner]) is inner and deepest([inner, outer]) is inner and deepest([outer]) is outer
