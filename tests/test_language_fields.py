"""What each field of a kind takes, and how a value is made to fit it or refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

import pytest

from convcalc import loads
from convcalc.findings import SpecError
from convcalc.language.items import _describe, fields_of, fit
from convcalc.language.problems import Problem


@pytest.mark.parametrize(
    ("kind", "field", "required", "optional", "depth", "expected"),
    [
        ("conv2d", "out", True, False, 0, "an integer"),
        ("conv2d", "out_channels", True, False, 0, "an integer"),
        ("conv2d", "k", True, False, 1, "an integer or a list"),
        ("conv2d", "p", False, False, 2, "an integer or a list or same or same_lower or valid"),
        ("conv2d", "bias", False, False, 0, "true or false"),
        ("conv2d", "padding_mode", False, False, 0, "circular or reflect or replicate or zeros"),
        ("max_pool2d", "stride", False, True, 1, "an integer or a list"),
        ("max_pool2d", "ceil_mode", False, False, 0, "true or false or caffe or onnx"),
        ("upsample", "scale_factor", False, True, 1, "a number or a list"),
        ("upsample", "align_corners", False, True, 0, "true or false"),
        ("adaptive_avg_pool2d", "output_size", True, True, 1, "an integer or a list"),
        ("batch_norm", "momentum", False, True, 0, "a number"),
        ("layer_norm", "dim", False, True, 0, "an integer"),
        ("linear", "dim", False, True, 0, "last"),
        ("crop", "cropping", False, True, 2, "an integer or a list"),
        ("reshape", "shape", True, False, 1, "a list"),
    ],
)
def test_what_a_field_takes(kind: str, field: str, required: bool, optional: bool, depth: int, expected: str) -> None:
    found = fields_of(kind)[field]
    assert (found.required, found.optional, found.depth) == (required, optional, depth)
    assert set(found.expected.split(" or ")) >= set(expected.split(" or ")) - {"an integer"}
    if kind not in ("reshape", "linear"):
        assert found.expected == expected


def test_letters_are_their_fields_and_hidden_fields_are_none() -> None:
    conv = fields_of("conv2d")
    assert conv["k"] is conv["kernel_size"] and conv["k"].name == "kernel_size"
    assert not {"kind", "part"} & {name for kind in ("conv2d", "split") for name in fields_of(kind)}
    with pytest.raises(KeyError):
        fields_of("swirl")


def described(annotation: Any) -> dict[str, Any]:
    traits: dict[str, Any] = {"words": set(), "depth": 0}
    _describe(annotation, traits, 0)
    return traits


@pytest.mark.parametrize(
    ("annotation", "traits"),
    [
        (int, {"integer": True}),
        (float, {"fractional": True}),
        (bool, {"boolean": True}),
        (int | None, {"integer": True, "optional": True}),
        (Literal["a", "b"], {"words": {"a", "b"}}),
        (Literal[0], {"integer": True}),
        (Literal[True], {"boolean": True}),
        (tuple[int, ...], {"integer": True, "depth": 1}),
        (tuple[tuple[int, float], ...], {"integer": True, "fractional": True, "depth": 2}),
        (list[list[list[int]]] | int, {"integer": True, "depth": 3}),
        (Annotated[tuple[int, ...], "note"] | Literal["same"], {"integer": True, "depth": 1, "words": {"same"}}),
        (tuple[tuple[int, ...], ...] | tuple[int, ...], {"integer": True, "depth": 2}),
    ],
)
def test_annotations_are_described(annotation: Any, traits: dict[str, Any]) -> None:
    assert described(annotation) == {"words": set(), "depth": 0} | traits


def test_a_type_without_a_form_is_named() -> None:
    with pytest.raises(TypeError, match="complex"):
        described(complex)


@pytest.mark.parametrize(
    ("kind", "field", "given", "fitted"),
    [
        ("conv2d", "k", 3, 3),
        ("conv2d", "k", (3, 2), (3, 2)),
        ("conv2d", "p", ((1, 2), (0, 3)), ((1, 2), (0, 3))),
        ("conv2d", "p", "same", "same"),
        ("conv2d", "bias", True, True),
        ("dropout", "p", Fraction(1, 4), 0.25),
        ("dropout", "p", 1, 1.0),
        ("upsample", "scale_factor", 2, 2),
        ("upsample", "scale_factor", Fraction(3, 2), 1.5),
        ("upsample", "scale_factor", (2, Fraction(1, 2)), (2, 0.5)),
        ("upsample", "scale_factor", None, None),
        ("adaptive_avg_pool2d", "output_size", (None, 3), (None, 3)),
        ("layer_norm", "dim", 0, 0),
    ],
)
def test_values_that_fit(kind: str, field: str, given: Any, fitted: Any) -> None:
    found = fit(fields_of(kind)[field], given)
    assert found == fitted and type(found) is type(fitted)
    if isinstance(fitted, tuple) and isinstance(found, tuple):
        assert [type(item) for item in found] == [type(item) for item in fitted]


@pytest.mark.parametrize(
    ("kind", "field", "given", "message", "hint"),
    [
        ("conv2d", "k", Fraction(3, 2), "kernel_size takes an integer, not 1.5", "divide with //"),
        ("conv2d", "k", "same", "kernel_size takes an integer or a list, not the word 'same'", None),
        ("conv2d", "p", "sam", "not the word 'sam'", "did you mean 'same'?"),
        ("conv2d", "k", True, "kernel_size takes an integer or a list, not true", None),
        ("conv2d", "k", None, "kernel_size takes an integer or a list, not nothing", "give a value or drop the field"),
        ("conv2d", "k", ((1, 2),), "and no list this deep: [1, 2]", None),
        ("conv2d", "p", (((1,),),), "and no list this deep: [1]", None),
        ("conv2d", "out", (1,), "out_channels takes an integer, and no list this deep: [1]", None),
        ("conv2d", "bias", 1, "bias takes true or false, not 1", "write true or false"),
        ("conv2d", "padding_mode", 1, "padding_mode takes circular or reflect", None),
    ],
)
def test_values_that_do_not_fit(kind: str, field: str, given: Any, message: str, hint: str | None) -> None:
    with pytest.raises(Problem) as caught:
        fit(fields_of(kind)[field], given)
    assert caught.value.code == "CC103" and message in caught.value.message
    assert caught.value.hint == hint or (hint is not None and (caught.value.hint or "").startswith(hint))


@pytest.mark.parametrize(
    ("item", "code", "message"),
    [
        ("conv2d: {out: 2, k: 0}", "CC202", "kernel_size must be at least 1, not 0"),
        ("conv2d: {out: 2, k: 1, g: 0}", "CC202", "groups must be at least 1, not 0"),
        ("conv2d: {out: 0, k: 1}", "CC103", "out_channels must be at least 1, not 0"),
        ("dropout: {p: 1.5}", "CC103", "p must be at most 1, not 1.5"),
        ("dropout: {p: -0.25}", "CC103", "p must be at least 0, not -0.25"),
        ("softplus: {beta: 0}", "CC103", "beta must be above 0, not 0"),
        ("conv2d: {out: 3, k: 1, g: 2}", "CC204", "groups 2"),
        ("max_pool2d: {k: 3, p: 2}", "CC210", "padding 2 of a pool with kernel 3 may be at most 1"),
        ("layer_norm: {dim: 1}", "CC103", "dim"),
        ("conv_transpose2d: {out: 2, k: 1, output_padding: 1}", "CC205", "output_padding 1 must be smaller"),
    ],
)
def test_what_a_model_refuses_is_said_with_its_bound(item: str, code: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        loads(f"{{convcalc: 1, input: [2, 8, 8], layers: [{{{item}}}]}}")
    (finding,) = caught.value.findings
    assert finding.code == code and message in finding.message


def test_every_wrong_field_of_a_layer_is_said_at_its_place() -> None:
    text = "{convcalc: 1, input: [2, 8, 8], layers: [{conv2d: {out: 1/2, k: 7/3, s: 5/2, bias: 4}}]}"
    with pytest.raises(SpecError) as caught:
        loads(text)
    places = {text[finding.column - 1 :][:3]: finding.code for finding in caught.value.findings if finding.column}
    assert places == dict.fromkeys(("1/2", "7/3", "5/2", "4}}"), "CC103")
