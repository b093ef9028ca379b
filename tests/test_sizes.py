"""Classes of input sizes: published ones, and every answer against brute force over random networks."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc import SpecError, load, loads
from convcalc.analysis.size_sets import SizeSet, floor_expression, periodic_set, ranges, reduced
from convcalc.analysis.size_survey import bits_of, flags_of
from convcalc.analysis.sizes import AxisSizes, axis_sizes, interchangeable, sizes
from convcalc.findings import UsageError
from convcalc.network import Network

from .small_architectures import ALEXNET, RESNET, UNET, VGG16, spec


def axis(text: str) -> AxisSizes:
    found = sizes(loads(text))
    assert found.axes_agree
    return found.axes[0]


def value(expression: str, size: int) -> int:
    """An expression of the report at one size; `ceil(i/32)` takes exact fractions."""
    exact = re.sub(r"ceil\(i/(\d+)\)", r"(-(-i//\1))", expression)
    return int(eval(exact, {"__builtins__": {}}, {"i": size}))


@pytest.mark.parametrize(
    ("text", "minimum", "period", "exact", "ratio", "output"),
    [
        (UNET, 188, 16, (12, 16), None, "16*((i - 188)//16) + 4"),
        (VGG16, 32, 32, (0, 32), (0, 32), "i//32"),
        (RESNET, 1, 32, (1, 32), (0, 32), "ceil(i/32)"),
        (ALEXNET, 63, 32, (31, 32), None, "(i - 31)//32"),
    ],
    ids=["unet", "vgg16", "resnet", "alexnet"],
)
def test_published_classes(
    text: str, minimum: int, period: int, exact: tuple[int, int], ratio: tuple[int, int] | None, output: str
) -> None:
    found = axis(text).to_dict()
    assert (found["minimum"], found["period"], found["output"]) == (minimum, period, output)
    for name, wanted in (("exact", exact), ("ratio", ratio)):
        got: Any = found[name]
        assert (got and (got["residue"], got["modulus"])) == wanted, name


def test_each_answer_names_the_layer_that_decides_it() -> None:
    unet, alexnet, vgg = axis(UNET), axis(ALEXNET), axis(VGG16)
    assert unet.minimum_by and unet.minimum_by.kind == "conv2d" and "at 187" in unet.minimum_by.reason
    assert unet.exact_by and unet.exact_by.kind == "max_pool2d"
    assert unet.ratio_by and unet.ratio_by.reason == "its output is i - 2, where the ratio asks for i"
    assert alexnet.ratio_by and alexnet.ratio_by.layer == "conv1"
    assert vgg.weights_by and vgg.weights_by.layer == "fc6" and str(vgg.weights) == "only 224 to 255"
    assert str(alexnet.weights) == "every size from 63" and alexnet.weights_by is None


def test_demands_refine_the_class_layer_by_layer() -> None:
    found = axis(ALEXNET).demands
    assert [(d.layer, d.residue, d.residues, d.modulus) for d in found] == [
        ("conv1", 3, (3,), 4),
        ("pool1", 1, (7,), 8),
        ("pool2", 1, (15,), 16),
        ("pool5", 1, (31,), 32),
    ]


def test_a_remainder_within_the_padding_loses_no_pixel() -> None:
    over = {r.layer: (r.size, r.over, r.unread) for r in axis(RESNET).remainders}
    assert over["conv1"] == (224, 1, 0)
    assert over["l2.shortcut.conv2d"] == (56, 1, 1)
    (ceil,) = axis(spec([3, 112, 112], [{"max_pool2d": {"k": 3, "s": 2, "ceil_mode": True}}])).remainders
    assert (ceil.over, ceil.unread) == (-1, 0)


def test_axes_that_differ_are_answered_apart() -> None:
    found = sizes(loads(spec([3, 224, 100], [{"conv2d": {"out": 8, "k": [7, 1], "s": [2, 1], "p": [3, 0]}}])))
    assert not found.axes_agree
    first, second = found.axes
    assert (str(first.exact), str(second.exact)) == ("1 mod 2, from 1", "every size from 1")
    data: Any = found.to_dict()
    assert [entry["axis"] for entry in data["axes"]] == [1, 2] and "minimum" not in data


def test_a_permuted_axis_keeps_its_identity() -> None:
    layers = [{"permute": {"dims": [0, 2, 1]}}, {"max_pool2d": {"k": [1, 2]}}]
    first, second = sizes(loads(spec([3, 32, 32], layers))).axes
    assert (str(first.exact), str(second.exact)) == ("0 mod 2, from 2", "every size from 1")


def test_sizes_that_build_only_by_coincidence_are_listed() -> None:
    found = axis(
        spec(
            [3, 64],
            [
                {"conv1d": {"out": 8, "k": 3, "s": 2, "p": 1}, "name": "a"},
                {"upsample": {"size": 32}, "name": "b"},
                {"add": {}, "from": ["a", "b"]},
            ],
        )
    )
    assert str(found.builds) == "only 1, 2, 63 and 64" and str(found.exact) == "only 1 and 63"
    assert found.exact.to_dict() == {"residue": None, "modulus": None, "minimum": 1, "ranges": [[1, 1], [63, 63]]}
    assert found.builds_by and found.builds_by.layer == "add"


def test_json_says_of_single_sizes_what_the_text_says() -> None:
    found = axis(spec([1, 49], [{"conv1d": {"out": 8, "k": 7, "s": 7}}, {"reshape": {"shape": [56]}}]))
    assert str(found.exact) == str(found.ratio) == "only 49"
    said = found.to_dict()
    assert said["exact"] == said["ratio"] == {"residue": None, "modulus": None, "minimum": 49, "ranges": [[49, 49]]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SizeSet(1, (), 1), None),
        (SizeSet(4, (1,), 5), {"residue": 1, "modulus": 4, "minimum": 5}),
        (SizeSet(4, (1, 2), 5), {"residue": 1, "modulus": 4, "minimum": 5, "residues": [1, 2]}),
        (SizeSet(4, (1,), 5, (2, 3)), {"residue": 1, "modulus": 4, "minimum": 5, "ranges": [[2, 3]]}),
        (SizeSet(1, (), 9, (2, 3, 4, 8)), {"residue": None, "modulus": None, "minimum": 2, "ranges": [[2, 4], [8, 8]]}),
    ],
)
def test_a_set_as_json_says_every_size_of_it(found: SizeSet, said: dict[str, Any] | None) -> None:
    """Read back, it holds the sizes that the set does."""
    assert found.to_dict() == said
    known = said or {"modulus": None}
    read = {n for low, high in known.get("ranges", []) for n in range(low, high + 1)}
    if known["modulus"] is not None:
        classes = known.get("residues", [known["residue"]])
        read |= {n for n in range(known["minimum"], 60) if n % known["modulus"] in classes}
    assert read == {n for n in range(60) if n in found}


def test_a_join_that_needs_the_ratio() -> None:
    layers = [
        {"conv1d": {"out": 3, "k": 3, "s": 4, "p": 1}},
        {"upsample": {"scale_factor": 4}, "name": "up"},
        {"concat": {}, "from": ["up", "input"]},
    ]
    found = axis(spec([3, 64], layers))
    assert str(found.builds) == "0 mod 4, from 4"
    assert str(found.exact) == "none" and found.exact_by and found.exact_by.kind == "conv1d"


def test_sizes_of_fixed_reshapes() -> None:
    found = axis(spec([4, 16], [{"max_pool1d": {"k": 4}}, {"reshape": {"shape": [16]}}]))
    assert str(found.builds) == "only 16 to 19"


@pytest.mark.slow
def test_a_long_period_is_tried_size_by_size() -> None:
    layers = [{"conv1d": {"out": 1, "k": 97, "s": 97}}, {"conv1d": {"out": 1, "k": 89, "s": 89}}]
    found = axis(spec([1, 20000], layers))
    assert found.period == 97 * 89 and not found.settled and found.minimum == 8633


def test_a_period_that_was_not_surveyed_gives_no_expression() -> None:
    found = axis(spec([1, 20000], [{"conv1d": {"out": 1, "k": 97, "s": 97}}, {"conv1d": {"out": 1, "k": 89, "s": 89}}]))
    assert found.outputs[0].expression == "about i/8633: --all lists it"


def test_rounding_in_floating_point_has_no_period() -> None:
    found = axis(spec([3, 64], [{"upsample": {"scale_factor": 0.29}}]))
    assert not found.settled and found.outputs[0].expression.startswith("about 29*i/100")


def test_merged_axes_grow_with_the_input() -> None:
    found = sizes(loads(spec([4, 8, 6], [{"max_pool2d": {"k": 2}}, "flatten"]))).axes[0]
    assert (found.outputs[0].expression, found.outputs[0].axis) == ("12*(i//2)", 0)


def test_no_space_axis_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="no space axes"):
        sizes(loads(spec([784], [{"linear": {"out": 10}}])))


def test_a_deep_minimum_is_found() -> None:
    found = axis(spec([1, 9000], [{"conv1d": {"out": 1, "k": 3}, "repeat": 1000}, {"max_pool1d": {"k": 8}}]))
    assert found.minimum == 2008 and str(found.exact) == "0 mod 8, from 2008"


# --- brute force -----------------------------------------------------------------------------------------------

WINDOWS = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))


@st.composite
def windowed(draw: st.DrawFn) -> dict[str, Any]:
    k, s, p, d = draw(WINDOWS)
    kind = draw(st.sampled_from(["conv", "conv", "same", "pool", "ceil", "up", "stretch", "pad", "asymmetric"]))
    if kind == "conv":
        return {"conv1d": {"out": 2, "k": k, "s": s, "p": p, "d": d}}
    if kind == "asymmetric":
        return {"conv1d": {"out": 2, "k": k, "s": s, "p": [[p, draw(st.integers(0, 2))]]}}
    if kind == "same":
        return {"conv1d": {"out": 2, "k": k, "s": s, "p": draw(st.sampled_from(["same", "same_lower"]))}}
    if kind in ("pool", "ceil"):
        return {"max_pool1d": {"k": k, "s": s, "p": min(p, k // 2), "ceil_mode": kind == "ceil"}}
    if kind == "up":
        return {"conv_transpose1d": {"out": 2, "k": k, "s": s, "p": min(p, k // 2)}}
    if kind == "pad":
        return {"pad": {"p": [[p, 0]]}}
    return {"upsample": {"scale_factor": draw(st.sampled_from([1, 2, 3, 1.5, 0.5, 0.75]))}}


@st.composite
def layer_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A chain, and perhaps a join of its end with a layer in between."""
    layers = draw(st.lists(windowed(), min_size=1, max_size=5))
    layers = [{**layer, "name": f"n{n}"} for n, layer in enumerate(layers)]
    join = draw(st.sampled_from(["none", "none", "concat", "add", "crop", "fit"]))
    if join != "none" and len(layers) > 1:
        other = f"n{draw(st.integers(0, len(layers) - 2))}"
        kinds = {"concat": "concat", "add": "add", "crop": "crop", "fit": "upsample"}
        layers.append({kinds[join]: {}, "from": [layers[-1]["name"], other]})
    return layers


def brute(network: Network, size: int) -> tuple[bool, bool, bool]:
    """(builds, nothing over, pixels unread) at a size, from the lecture's formulas."""
    try:
        built = network.at({"input": [2, size]})
    except SpecError:
        return False, False, False
    exact, unread = True, False
    for node in built.nodes:
        layer: Any = node.layer
        if node.kind not in ("conv1d", "max_pool1d"):
            continue
        (k,), (s,), (d,) = layer.kernel_size, layer.stride, layer.dilation
        i, o = built.input_shapes(node)[0][1], node.shape[1]
        extent = d * (k - 1) + 1
        if isinstance(layer.padding, str):
            total = max((math.ceil(i / s) - 1) * s + extent - i, 0)
            pads = (
                (total - total // 2, total // 2) if layer.padding == "same_lower" else (total // 2, total - total // 2)
            )
        else:
            pads = layer.padding[0]
        exact &= (i + sum(pads) - extent) % s == 0
        reached = {q * s + t * d - pads[0] for q in (o - 1,) for t in range(k)}
        unread |= s > 1 and max(reached) < i - 1
    return True, exact, unread


@pytest.mark.slow
@settings(max_examples=120)
@given(layer_lists(), st.integers(5, 60))
def test_classes_match_brute_force(layers: list[dict[str, Any]], size: int) -> None:
    """Every set holds exactly the sizes for which the formulas say so, near and far."""
    try:
        network = loads(spec([2, size], layers))
    except SpecError:
        assume(False)
    found = sizes(network).axes[0]
    assume(found.settled)
    bound = max(found.tried.stop, size) + 2 * min(found.period, 40)
    outputs = {}
    for candidate in (*range(1, min(bound, 200)), *range(5000, 5000 + min(found.period, 40))):
        builds, exact, unread = brute(network, candidate)
        assert (candidate in found.builds) == builds, candidate
        assert (candidate in found.exact) == (builds and exact), candidate
        if builds:
            outputs[candidate] = network.at({"input": [2, candidate]})
            edges = found.surveyor.survey(range(candidate, candidate + 1)).edges
            assert any(edge.unread[0] for edge in edges) == unread, candidate
    for output in found.outputs:
        index = next(o.node for o in network.outputs if o.name == output.name) if output.is_output else None
        for candidate, built in outputs.items():
            if index is not None and not output.expression.startswith("about"):
                assert value(output.expression, candidate) == built.nodes[index].shape[output.axis], candidate


@settings(max_examples=120)
@given(st.lists(windowed().filter(lambda layer: "pad" not in layer), min_size=1, max_size=4), st.integers(20, 60))
def test_ratios_match_brute_force(layers: list[dict[str, Any]], size: int) -> None:
    """o·s = i at every window and o = i·s at every transposed one, where no window is as large as its input."""
    try:
        network = loads(spec([2, size], layers))
    except SpecError:
        assume(False)
    found = sizes(network).axes[0]
    assume(found.settled and not any(source < 0 for node in found.surveyor.growths for source in node.descent))
    for candidate in range(1, 120):
        try:
            built = network.at({"input": [2, candidate]})
        except SpecError:
            continue
        keeps = True
        for node in built.nodes[1:]:
            i, o, model = built.input_shapes(node)[0][1], node.shape[1], node.layer
            s = model.scale_factor if node.kind == "upsample" else model.stride[0]  # type: ignore[union-attr]
            keeps &= o * s == i if node.kind in ("conv1d", "max_pool1d") else o == i * s
        assert (candidate in found.ratio) == keeps, candidate


@settings(max_examples=80)
@given(layer_lists(), st.integers(8, 60))
def test_the_period_is_a_period(layers: list[dict[str, Any]], size: int) -> None:
    """Beyond the minimum every layer grows by a constant a period: f(i + period) = f(i) + constant."""
    try:
        network = loads(spec([2, size], layers))
    except SpecError:
        assume(False)
    found = sizes(network).axes[0]
    assume(found.settled and found.builds.residues)
    first = next(s for s in range(max(found.builds.start, found.tried.start), 10**6) if s in found.builds)
    period = found.period
    shapes = [[node.shape[1] for node in network.at({"input": [2, first + n * period]}).nodes] for n in range(3)]
    growth = [[b - a for a, b in zip(low, high, strict=True)] for low, high in pairwise(shapes)]
    assert growth[0] == growth[1]


@settings(max_examples=120)
@given(st.lists(windowed().filter(lambda layer: "pad" not in layer and "upsample" not in layer), max_size=5))
@pytest.mark.slow
def test_exact_class_matches_the_residues_propagated_backwards(layers: list[dict[str, Any]]) -> None:
    """Conv and pool: c <- s(c − 1) + K − P, M <- sM; a transposed convolution x -> s·x + b inverts the congruence."""
    steps = []
    for layer in layers:
        ((kind, fields),) = layer.items()
        if fields.get("p") in ("same", "same_lower"):
            assume(False)
        pads = fields["p"][0] if isinstance(fields["p"], list) else [fields["p"]] * 2
        b = fields.get("d", 1) * (fields["k"] - 1) + 1 - sum(pads)
        steps.append(("up", fields["s"], b - fields["s"]) if "transpose" in kind else ("down", fields["s"], b))
    try:
        network = loads(spec([2, 400], layers))
    except SpecError:
        assume(False)
    assume(all(size > 0 for node in network.nodes for size in node.shape))
    found = sizes(network).axes[0]
    assume(found.settled)
    wanted = exact_class(steps)
    if wanted is None:
        assert not found.exact.residues
    else:
        residue, modulus = wanted
        assert reduced(modulus, frozenset({residue % modulus})) == (
            found.exact.modulus,
            frozenset(found.exact.residues),
        )


def exact_class(steps: list[tuple[str, int, int]]) -> tuple[int, int] | None:
    """Residue and modulus of the sizes at which a chain leaves nothing over, propagated from its end."""
    c, modulus = 0, 1
    for kind, s, b in reversed(steps):
        if kind == "down":
            modulus *= s
            c = (s * (c - 1) + b) % modulus
        else:
            shared = math.gcd(s, modulus)
            if (c - b) % shared:
                return None
            modulus //= shared
            c = (c - b) // shared * pow(s // shared, -1, modulus) % modulus if modulus > 1 else 0
    return c, modulus


def test_the_twin_of_the_brute_force_fails() -> None:
    """A class shifted by one, a minimum too low, a wrong period: each is caught by the comparison above."""
    network = loads(spec([2, 40], [{"conv1d": {"out": 2, "k": 4, "s": 3}}]))
    found = sizes(network).axes[0]
    true = {size for size in range(1, 60) if brute(network, size)[1]}
    assert {size for size in range(1, 60) if size in found.exact} == true
    for wrong in (SizeSet(3, (2,), 4), SizeSet(3, (1,), 1), SizeSet(6, (1,), 4)):
        assert {size for size in range(1, 60) if size in wrong} != true


# --- sets and expressions -----------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.sets(st.integers(0, 11)), st.sets(st.integers(1, 20)), st.integers(0, 24))
def test_a_periodic_set_holds_what_it_was_made_of(
    period: int, residues: set[int], early: set[int], settles: int
) -> None:
    pattern = frozenset(r for r in residues if r < period)
    members = {s for s in range(1, 60) if (s % period in pattern if s >= settles else s in early)}
    found = periodic_set(members, range(1, 60), period, pattern)
    assert {s for s in range(1, 60) if s in found} == members
    assert found.minimum == (min(members) if members else None)


def test_texts_of_sets() -> None:
    assert str(SizeSet(1, (0,), 63)) == "every size from 63"
    assert str(SizeSet(4, (0, 1), 5, (2,))) == "0 or 1 mod 4, from 5, and 2"
    assert str(SizeSet(1, (), 1)) == "none"
    assert ranges([1, 2, 3, 5, 6]) == "1 to 3, 5 and 6"


@given(st.integers(1, 9), st.integers(-20, 20), st.integers(1, 6), st.integers(0, 9))
def test_expressions_give_their_values(q: int, c: int, p: int, offset: int) -> None:
    values = {i: p * ((i + c) // q) + offset for i in range(1, 4 * q + 4)}
    expression = floor_expression(values, q, p)
    assert {i: value(expression, i) for i in values} == values


def test_json_is_stable() -> None:
    data: Any = sizes(loads(VGG16)).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["format"] == 1 and data["exact"] == {"residue": 0, "modulus": 32, "minimum": 32}


@given(st.sets(st.integers(0, 300)))
def test_sets_of_sizes_are_bits(members: set[int]) -> None:
    bits = bits_of(sorted(members))
    assert bits == sum(1 << n for n in members)
    assert [n for n, member in enumerate(flags_of(bits, 301)) if member] == sorted(members)


def agree_with_the_plain_definition(network: Network) -> None:
    for found in sizes(network).axes[1:]:
        plain = axis_sizes(network, found.axis)
        assert found.to_dict(range(1, 30)) == plain.to_dict(range(1, 30)) and found.key == plain.key


@pytest.mark.slow
@settings(max_examples=150)
@given(layer_lists(), st.integers(5, 60), st.integers(0, 3))
def test_equal_axes_have_equal_answers(layers: list[dict[str, Any]], size: int, longer: int) -> None:
    """What is taken from another axis is what computing it gives."""
    two = [{kind.replace("1d", "2d"): fields for kind, fields in layer.items()} for layer in layers]
    try:
        network = loads(spec([2, size, size + longer * (longer == 3)], two))
    except SpecError:
        assume(False)
    agree_with_the_plain_definition(network)


@pytest.mark.parametrize("name", ["lenet5", "unet", "resnet", "conv_autoencoder"])
def test_equal_axes_of_the_gallery(name: str) -> None:
    agree_with_the_plain_definition(load(name))


@pytest.mark.parametrize(
    "layers",
    [
        "[{conv2d: {out: 4, k: [3, 5]}}]",
        "[{conv2d: {out: 4, k: 3, p: [[1, 0], [0, 1]]}}]",
        "[{permute: {dims: [0, 2, 1]}}]",
        "[{permute: {dims: [1, 2, 0]}}, {conv2d: {out: 4, k: 3}}]",
        "[{reshape: {shape: [3, 16, 64]}}]",
        "[{reshape: {shape: [6, 16, 32]}}, flatten]",
    ],
)
def test_axes_that_differ(layers: str) -> None:
    network = loads(f"{{convcalc: 1, input: [3, 32, 32], layers: {layers}}}")
    assert not interchangeable(network, 1, 2)
    agree_with_the_plain_definition(network)
