"""Exports of generated specs: Python that compiles, models that onnx accepts, drawings that are XML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import loads
from convcalc.export.drawing import drawing, svg
from convcalc.export.onnx_model import onnx_model
from convcalc.findings import UsageError
from tests.exports import judge, keras_module, torch_module

HOSTILE = st.text(st.sampled_from("a7\"'\\`{}<>&#%()[]|;:,.$ \n\t\u202e\u0007é層"), max_size=8)
TITLES = st.one_of(HOSTILE, st.sampled_from(["foo\" '", 'foo" ', '"""', "\\", "Foo", "class", "torch", "layers"]))
NAMES = st.sampled_from(["a", "b", "c", "1x1", "class", "torch", "self", "forward", "x", "layers-2", "nn", "F", "name"])
CHANNELS = 64


def _layer(kind: str, **fields: Any) -> st.SearchStrategy[Any]:
    return st.just({kind: fields})


LAYERS = st.one_of(
    st.builds(
        lambda k, bias: {"conv2d": {"out": CHANNELS, "k": k, "p": "same", "bias": bias}},
        st.sampled_from([1, 3, [1, 3]]),
        st.booleans(),
    ),
    st.builds(lambda g: {"conv2d": {"out": CHANNELS, "k": 3, "p": 1, "g": g}}, st.sampled_from([1, 4, CHANNELS])),
    _layer("separable_conv2d", out=CHANNELS, k=3, p="same"),
    _layer("conv_transpose2d", out=CHANNELS, k=3, p=1),
    _layer("batch_norm"),
    _layer("layer_norm"),
    _layer("relu"),
    _layer("leaky_relu", negative_slope=0.1),
    _layer("dropout"),
    _layer("max_pool2d", k=3, s=1, p=1),
    _layer("avg_pool2d", k=3, s=1, p=1, count_include_pad=False),
    _layer("channel_shuffle", groups=4),
)
"""Layers that keep the shape of what they read, so that any order of them builds."""


def _named(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    more = st.fixed_dictionaries({}, optional={"name": NAMES, "repeat": st.integers(1, 4)})
    return st.builds(lambda item, said: {**item, **said}, items, more)


def _joined(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = st.dictionaries(NAMES, st.lists(items, max_size=3), min_size=2, max_size=3)
    return st.builds(lambda found: {"add": {"branches": found}}, branches)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    groups = st.builds(lambda found: {"layers": found}, st.lists(inner, min_size=1, max_size=4))
    return _named(groups | _joined(inner))


ITEMS = st.recursive(_named(LAYERS), _nested, max_leaves=8)
BLOCKS = st.dictionaries(st.sampled_from(["block", "Block", "unit_2"]), st.lists(ITEMS, min_size=1, max_size=4))


@st.composite
def specs(draw: st.DrawFn) -> str:
    """The text of a spec that builds but for names that stand twice."""
    blocks = draw(BLOCKS)
    items = draw(st.lists(ITEMS, min_size=1, max_size=5))
    items += [{name: {}, "repeat": draw(st.integers(1, 3))} for name in blocks]
    return json.dumps(
        {
            "convcalc": 1,
            "name": draw(TITLES) or "n",
            "source": draw(TITLES),
            "input": [CHANNELS, 8, 8],
            "blocks": {name: {"layers": layers} for name, layers in blocks.items()},
            "layers": items,
        }
    )


@pytest.mark.slow
@settings(max_examples=60)
@given(specs())
def test_what_is_exported_is_read_by_its_parser(text: str) -> None:
    try:
        network = loads(text)
    except ValueError:
        return
    for target, writer in (("torch", torch_module), ("keras", keras_module), ("onnx", onnx_model)):
        try:
            written = writer(network)
        except UsageError:
            continue
        judge(target, written if isinstance(written, bytes) else written.encode())
    for by in ("stage", "layer"):
        judge("svg", svg(drawing(network, by)).encode())


def test_a_chain_that_is_repeated_stands_on_lines_of_its_own() -> None:
    conv = {"conv2d": {"out": 64, "k": 3, "p": 1, "bias": False}}
    layers = [{"layers": [conv, "batch_norm", "relu"], "repeat": 3}]
    text = torch_module(loads(json.dumps({"convcalc": 1, "input": [64, 32, 32], "layers": layers})))
    assert "\n                for _ in range(3)\n            ),\n" in text


def test_a_name_that_ends_with_a_quote_and_a_space_is_a_docstring() -> None:
    network = loads(json.dumps({"convcalc": 1, "name": 'foo" ', "input": [1, 4], "layers": ["relu"]}))
    assert '"""foo\\""""' in torch_module(network)
    keras_module(network)
