"""What must hold for every kind: the registry, the models, and that their facts agree with each other."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from math import prod
from pathlib import Path

import pytest
from pydantic import ValidationError

import convcalc.layers
from convcalc.geometry import (
    AdaptiveWindow,
    AxisLink,
    Resize,
    TransposedWindow,
    Window,
    conv_output,
    conv_transpose_output,
)
from convcalc.inference import output_shape
from convcalc.layers.base import OPERATIONS, Layer
from convcalc.layers.registry import KINDS, build, layer_class
from tests.layer_samples import COMPUTED, SAMPLES, Sample

FOLDER = Path(inspect.getfile(convcalc.layers)).parent
SHARED = {"base", "batched", "formed", "sharing", "spatial"}
FAMILIES = sorted({module for module, _ in KINDS.values()})
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=str)


def test_every_kind_has_a_sample() -> None:
    assert {sample.kind for sample in SAMPLES} == set(COMPUTED)


def test_every_layer_class_is_registered() -> None:
    registered = set(KINDS.values())
    for module in FAMILIES:
        found = import_module(f"convcalc.layers.{module}")
        for name, member in vars(found).items():
            if isinstance(member, type) and issubclass(member, Layer) and member.__module__ == found.__name__:
                assert name.startswith("_") or (module, name) in registered, name


def test_every_module_is_a_family_or_shared() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {
        "__init__",
        "registry",
        "kind_table",
        "refusals",
        *SHARED,
        *FAMILIES,
    }


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_imports_no_other(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1}
    assert imported <= SHARED


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_documented_with_its_source(kind: str) -> None:
    text = inspect.getdoc(layer_class(kind)) or ""
    assert "Source" in text
    assert len(text.splitlines()[0]) > 20


@pytest.mark.parametrize("kind", sorted(COMPUTED))
def test_every_kind_refuses_fields_that_it_has_not(kind: str) -> None:
    sample = next(sample for sample in SAMPLES if sample.kind == kind)
    with pytest.raises(ValidationError, match="unheard_of"):
        build(kind, {**sample.fields, "unheard_of": 1})


@pytest.mark.parametrize("kind", sorted(COMPUTED))
def test_every_field_refuses_what_makes_no_sense(kind: str) -> None:
    sample = next(sample for sample in SAMPLES if sample.kind == kind)
    cls = layer_class(kind)
    given = {cls.short_forms.get(name, name): value for name, value in sample.fields.items()}
    for field in set(cls.model_fields) - {"kind"}:
        for nonsense in ("nonsense", {"a": 1}, [[[1]]]):
            with pytest.raises(ValidationError):
                build(kind, {**given, field: nonsense})


def test_short_forms_name_fields() -> None:
    for kind in KINDS:
        cls = layer_class(kind)
        assert set(cls.short_forms.values()) <= set(cls.model_fields)


@each_sample
def test_output(sample: Sample) -> None:
    assert output_shape(sample.layer(), sample.inputs) == sample.output


@each_sample
def test_given_fields_build_the_same_layer(sample: Sample) -> None:
    layer = sample.layer()
    again = build(sample.kind, layer.fields())
    assert again == layer
    assert set(layer.fields()) == {layer.short_forms.get(name, name) for name in sample.fields}


@each_sample
def test_layers_are_frozen(sample: Sample) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sample.layer().kind = "other"


@each_sample
def test_operations_are_of_the_documented_kinds(sample: Sample) -> None:
    operations = sample.layer().operations(sample.inputs, sample.output)
    assert set(operations) <= set(OPERATIONS)
    assert all(type(count) is int and count > 0 for count in operations.values())


@each_sample
def test_saved_tensors_exist(sample: Sample) -> None:
    for saved in sample.layer().saved(sample.inputs, sample.output):
        assert saved.which < len(sample.inputs)
        assert (saved.elements > 0) == (saved.tensor == "extra")


@each_sample
def test_views_keep_numbers_and_cost_nothing(sample: Sample) -> None:
    layer = sample.layer()
    if layer.is_view:
        assert prod(sample.output) <= prod(sample.inputs[0]) or sample.kind == "expand"
        assert not layer.operations(sample.inputs, sample.output)
        assert not layer.saved(sample.inputs, sample.output)
        assert not layer.weights(sample.inputs)


@each_sample
def test_weighted_layers_multiply(sample: Sample) -> None:
    layer = sample.layer()
    products = layer.operations(sample.inputs, sample.output).get("mac", 0)
    of_activations = layer.activation_macs(sample.inputs, sample.output)
    assert 0 <= of_activations <= products
    assert (layer.weighted or layer.multiplies_inputs) >= (products > 0)
    assert layer.weighted <= (products > 0)


def mapped(link: AxisLink, size: int) -> int | None:
    """The output size that an axis link gives an input of `size`; None where it sees the whole axis."""
    match link.map:
        case TransposedWindow():
            return conv_transpose_output(size, *link.map)
        case Window():
            return conv_output(size, *link.map)
        case Resize() | AdaptiveWindow():
            assert link.map.size == size
            return link.map.output
    return None


@each_sample
def test_axis_links_give_the_output(sample: Sample) -> None:
    layer = sample.layer()
    assert not sample.inputs or layer.axes(sample.inputs) == layer.axes_of(sample.inputs, 0)
    for which, shape in enumerate(sample.inputs[: layer.data_inputs]):
        links = layer.axes_of(sample.inputs, which)
        assert len(links) == len(sample.output)
        for link, size in zip(links, sample.output, strict=True):
            if link is not None and (found := mapped(link, shape[link.source])) is not None:
                assert found == size or (shape[link.source] == 1 and sample.kind in BROADCAST)


BROADCAST = ("add", "sub", "multiply", "div", "maximum", "minimum")
PRODUCTS = ("matmul", "scaled_dot_product_attention", "multihead_attention")


def test_the_axis_check_can_fail() -> None:
    assert mapped(AxisLink(1, Window(3, 2)), 9) == 4 != 5


def test_the_language_gives_branches_to_what_joins() -> None:
    assert {kind for kind in KINDS if layer_class(kind).joins} == {"concat", "gate", "stack", *BROADCAST, *PRODUCTS}
    assert [kind for kind in KINDS if layer_class(kind).splits] == ["split", "unbind"]
