"""What a model refuses is said in words of the language, whatever form of the field it came nearest to."""

from __future__ import annotations

import pytest

from convcalc import parse_layer
from convcalc.findings import SpecError
from convcalc.language.items import fields_of
from convcalc.layers.registry import KINDS

VALUES = (
    "0",
    "-1",
    "9999999999999999999",
    "1.5",
    "[]",
    "[1, 2, 3, 4, 5]",
    "[[1]]",
    "[[1, 2, 3]]",
    "[same]",
    "[[same]]",
)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("conv2d: {out: 8, k: 3, p: [[1], 1]}", "padding takes pairs [before, after], not [1]"),
        ("conv2d: {out: 8, k: 3, p: [same, 1]}", "padding takes a whole number, not the word 'same'"),
        ("conv2d: {out: 8, k: 3, p: [[1, 2, 3], 1]}", "padding takes at most 2 values, not [1, 2, 3]"),
        ("conv2d: {out: 8, k: 0}", "kernel_size must be at least 1, not 0"),
        ("dropout: {p: 7}", "p must be at most 1, not 7"),
        ("lp_pool2d: {k: 2, norm_type: 0}", "norm_type must be above 0, not 0"),
        ("reshape: {shape: 0}", "shape takes a list, not 0"),
        ("permute: {dims: []}", "dims takes at least 1 value, not []"),
        ("layer_norm: {dim: -1}", "dim must be 0, not -1"),
    ],
)
def test_one_message_in_words(layer: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_layer(layer)
    assert [finding.message for finding in caught.value.findings] == [message]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_word_of_pydantic(kind: str) -> None:
    """Every field of every kind, given what it does not take."""
    fields = fields_of(kind).values()
    required = {field.name: "1" for field in fields if field.required}
    for field in fields:
        for value in VALUES:
            given = {**required, field.name: value}
            try:
                parse_layer(f"{kind}: {{{', '.join(f'{name}: {text}' for name, text in given.items())}}}")
            except SpecError as error:
                for finding in error.findings:
                    assert not any(
                        word in finding.message for word in ("Input", "Field", "Tuple", "input should", "valid")
                    )
