"""Mirrored decoders: the spec that is written loads, and gives the encoder's input shape back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc import SpecError, load, loads
from convcalc.analysis.decoder import Mirror, mirror
from convcalc.analysis.decoder_answers import ANSWERS
from convcalc.check.rules.transposed import uneven_overlap
from convcalc.findings import UsageError
from convcalc.limits import NAME_CHARACTERS
from convcalc.network import Network
from convcalc.render.invert import decoder_text

from .small_architectures import ALEXNET, RESNET, UNET, VGG16, spec

GALLERY = sorted(path.stem for path in (Path(__file__).parent.parent / "specs").glob("*.yaml"))
TOKENS = ("swin", "vit")
"""Networks that take a part of their tokens alone."""
FORMS: list[dict[str, bool]] = [{}, {"resize": True}, {"skips": True}]


def given_back(network: Network, made: Mirror) -> None:
    """The decoder's outputs, as the written spec gives them, are the encoder's inputs."""
    written = loads(decoder_text(made))
    assert [node.shape for node in written.nodes] == [node.shape for node in made.network.nodes]
    assert [written.nodes[output.node].shape for output in written.outputs] == list(network.inputs.values())


@pytest.mark.parametrize("name", TOKENS)
def test_what_tokens_lost_cannot_be_given_back(name: str) -> None:
    with pytest.raises(UsageError, match="the language has no layer that undoes its shape"):
        mirror(load(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GALLERY if name not in TOKENS])
def test_every_spec_of_the_gallery_is_mirrored(name: str) -> None:
    network = load(name)
    for form in FORMS:
        given_back(network, mirror(network, **form))


@pytest.mark.parametrize("text", [UNET, VGG16, RESNET, ALEXNET], ids=["unet", "vgg16", "resnet", "alexnet"])
@pytest.mark.parametrize("form", FORMS, ids=["plain", "resize", "skips"])
def test_published_networks_come_back(text: str, form: dict[str, bool]) -> None:
    network = loads(text)
    given_back(network, mirror(network, **form))


def kinds(made: Mirror) -> list[str]:
    return [node.kind for node in made.network.nodes]


def model(made: Mirror, name: str) -> Any:
    return next(node.layer for node in made.network.nodes if node.name == name)


def test_output_padding_is_what_each_stride_left_over() -> None:
    made = mirror(loads(ALEXNET))
    conv1, pool1 = model(made, "conv1"), model(made, "pool1")
    assert (conv1.kind, conv1.out_channels, conv1.output_padding) == ("conv_transpose2d", 3, (1, 1))
    assert (conv1.kernel_size, conv1.stride, conv1.padding) == ((11, 11), (4, 4), ((2, 2), (2, 2)))
    assert (pool1.kind, pool1.out_channels, pool1.output_padding) == ("conv_transpose2d", 64, (0, 0))


def test_channels_are_mirrored() -> None:
    decoder = mirror(loads(VGG16), until="max_pool2d_5").network
    channels = [node.shape[0] for node in decoder.nodes if node.kind == "conv_transpose2d"]
    assert channels[:4] == [512] * 4 and channels[-2:] == [64, 3]


def test_resize_paints_no_checkerboard() -> None:
    network = loads(ALEXNET)
    assert "CC402" in {remark.code for remark in uneven_overlap(mirror(network).network)}
    resized = mirror(network, resize=True)
    assert not list(uneven_overlap(resized.network)) and "upsample" in kinds(resized)


def test_skips_make_a_unet_of_encoder_and_decoder() -> None:
    made = mirror(loads(RESNET), skips=True)
    network = made.network
    joins = [network.input_shapes(node) for node in network.nodes if node.kind == "concat"]
    assert [first[1:] for first, _ in joins] == [(14, 14), (28, 28), (56, 56), (112, 112)]
    assert all(first == second for first, second in joins)
    assert network.inputs == {"input": (3, 224, 224)} and "global_avg_pool" not in kinds(made)


def test_norms_and_activations_follow_their_answer_but_not_the_last() -> None:
    layers = [
        *({"conv2d": {"out": 8, "k": 3, "s": 2, "p": 1}}, "batch_norm", "relu"),
        *({"conv2d": {"out": 16, "k": 3, "s": 2, "p": 1}}, {"group_norm": {"num_groups": 16}}, "relu"),
    ]
    assert kinds(mirror(loads(spec([3, 32, 32], layers)))) == [
        *("input", "conv_transpose2d", "batch_norm", "relu", "conv_transpose2d")
    ]


def test_joins_are_mirrored_by_sums_and_splits() -> None:
    branches = {"one": [{"conv1d": {"out": 4, "k": 1}}], "three": [{"conv1d": {"out": 6, "k": 3, "p": 1}}]}
    made = mirror(loads(spec([8, 16], [{"concat": {"branches": branches}}])))
    assert kinds(made) == ["input", "split", "split", "conv_transpose1d", "conv_transpose1d", "add"]
    given_back(loads(spec([8, 16], [{"concat": {"branches": branches}}])), made)


def test_parts_of_a_split_are_joined_and_missing_ones_made_up() -> None:
    layers = [
        {"split": {"channels": [2, 3, 3]}, "name": "parts"},
        {"conv1d": {"out": 5, "k": 3, "s": 2}, "from": "parts.1", "name": "b"},
        {"conv1d": {"out": 5, "k": 3, "s": 2}, "from": "parts.2", "name": "c"},
        {"add": {}, "from": ["b", "c"]},
    ]
    network = loads(spec([8, 16], layers, outputs=["add"]))
    for form in FORMS:
        given_back(network, mirror(network, **form))


def test_an_axis_that_was_taken_apart_is_stacked_again() -> None:
    layers: list[Any] = [{"conv1d": {"out": 6, "k": 3, "p": 1}}, {"reshape": {"shape": [6, 2, 8]}}]
    whole = [*layers, {"unbind": {"parts": 2, "dim": 1}, "name": "parts"}, {"add": {}, "from": ["parts.0", "parts.1"]}]
    network = loads(spec([4, 16], whole))
    made = mirror(network)
    assert kinds(made) == ["input", "stack", "reshape", "conv_transpose1d"]
    assert model(made, "reshape_parts").fields() == {"dim": 1}
    given_back(network, made)
    one = loads(spec([4, 16], [*whole[:-1], {"relu": {}, "from": "parts.1"}], outputs=["relu"]))
    with pytest.raises(UsageError, match="of its 2 parts 1 come back"):
        mirror(one)


def test_what_has_no_answer_is_named_with_the_reason() -> None:
    layers = [{"conv2d": {"out": 8, "k": 3}}, {"dropout": {"p": 0.5}}, "softmax"]
    made = mirror(loads(spec([3, 9, 9], layers)))
    assert made.summary() == [
        "no answer to dropout (dropout): it belongs to the training of the encoder",
        "no answer to softmax (softmax): it has no inverse",
    ]
    assert decoder_text(made).startswith("# no answer to dropout")


def test_columns_are_folded_back_and_images_unfolded() -> None:
    layers = [{"unfold": {"k": 3, "s": 2, "p": 1}}, {"fold": {"output_size": 9, "k": 3, "s": 2, "p": 1}}]
    network = loads(spec([3, 9, 9], layers))
    made = mirror(network)
    assert [node.kind for node in made.network.nodes] == ["input", "unfold", "fold"]
    given_back(network, made)


def test_a_way_back_that_ends_is_a_wrong_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ANSWERS, "entries", {})
    with pytest.raises(UsageError, match=r"reaches no input: unfold \(unfold\): the language has no layer"):
        mirror(loads(spec([3, 9, 9], [{"unfold": {"k": 3}}])))
    with pytest.raises(UsageError, match="no layer or group 'nowhere'"):
        mirror(loads(VGG16), until="nowhere")


def test_a_squeeze_and_excitation_gate_gets_no_tensor() -> None:
    gate = ["global_avg_pool", {"conv2d": {"out": 8, "k": 1}}, "sigmoid"]
    layers = [{"conv2d": {"out": 8, "k": 3}}, {"multiply": {"branches": {"x": [], "gate": gate}}}]
    network = loads(spec([3, 9, 9], layers))
    made = mirror(network)
    given_back(network, made)
    assert [omission.kind for omission in made.omissions] == ["multiply"]


def test_several_inputs_come_back_each() -> None:
    layers = [
        {"conv2d": {"out": 4, "k": 3, "s": 2}, "from": "left", "name": "a"},
        {"conv2d": {"out": 4, "k": 3, "s": 2}, "from": "right", "name": "b"},
        {"concat": {}, "from": ["a", "b"]},
    ]
    network = loads(spec({"left": [3, 20, 20], "right": [1, 20, 20]}, layers))
    given_back(network, mirror(network))


def test_a_network_that_changes_nothing() -> None:
    network = loads(spec([3, 8], ["relu"]))
    given_back(network, mirror(network))
    given_back(network, mirror(network, skips=True))


def test_the_twin_of_the_shape_check_fails() -> None:
    """A decoder without its output padding is one pixel short, and the check sees it."""
    network = loads(ALEXNET)
    text = decoder_text(mirror(network)).replace(", output_padding: 1", "")
    short = loads(text)
    assert [short.nodes[output.node].shape for output in short.outputs] == [(3, 223, 223)]


RANKS = st.integers(1, 3)


@st.composite
def layers(draw: st.DrawFn, rank: int) -> list[Any]:
    """A chain of every sort of layer that moves sizes, with a residual or a concatenation now and then."""
    found: list[Any] = []
    for n in range(draw(st.integers(1, 5))):
        k, s, d = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
        p = [[draw(st.integers(0, 2)), draw(st.integers(0, 2))] for _ in range(rank)]
        out = draw(st.sampled_from([4, 6]))
        conv = {f"conv{rank}d": {"out": out, "k": k, "s": s, "p": p, "d": d, "g": draw(st.sampled_from([1, 2]))}}
        pool = {"k": k, "s": s, "p": k // 2, "ceil_mode": draw(st.booleans())}
        residual = [{f"conv{rank}d": {"out": 4, "k": 3, "p": 1}}, "batch_norm"]
        found.append(
            draw(
                st.sampled_from(
                    [
                        conv,
                        conv,
                        {f"conv{rank}d": {"out": out, "k": k, "s": s, "p": "same"}},
                        {f"max_pool{rank}d": pool},
                        {f"avg_pool{rank}d": pool},
                        {f"conv_transpose{rank}d": {"out": out, "k": k, "s": s, "p": min(k // 2, 1), "d": d}},
                        {f"conv_transpose{rank}d": {"out": out, "k": k, "s": s, "p": "same"}},
                        {"upsample": {"scale_factor": draw(st.sampled_from([2, 1.5]))}},
                        {f"adaptive_avg_pool{rank}d": {"output_size": 3}},
                        {"pad": {"p": p}},
                        {"crop": {"cropping": 1}},
                        {"permute": {"dims": [0, *range(rank, 0, -1)]}},
                        {
                            "layers": [
                                {f"conv{rank}d": {"out": 4, "k": 1}},
                                {"add": {"branches": {"a": residual, "b": []}}},
                            ]
                        },
                        {"concat": {"branches": {"a": residual, "b": []}}, "name": f"join{n}"},
                        "relu",
                    ]
                )
            )
        )
    return found


@settings(max_examples=150)
@given(st.data(), RANKS, st.sampled_from(FORMS))
def test_random_chains_come_back(data: st.DataObject, rank: int, form: dict[str, bool]) -> None:
    """Shapes come back exactly for asymmetric padding, dilation, groups, ceil and same, in 1 to 3 dimensions."""
    size = st.integers(4, 24)
    text = spec([4, *(data.draw(size) for _ in range(rank))], data.draw(layers(rank)))
    try:
        network = loads(text)
    except SpecError:
        assume(False)
    given_back(network, mirror(network, **form))


@pytest.mark.parametrize("form", [{}, {"skips": True}, {"resize": True}])
def test_a_part_of_a_plain_vector_is_made_whole_by_a_linear_layer(form: dict[str, bool]) -> None:
    layers = "[{linear: {out: 10}}, {split: {channels: [7, 3]}, name: s}, {elu: {}, from: s.0}]"
    made = mirror(loads(f"{{convcalc: 1, input: [3], layers: {layers}}}"), **form)
    assert "linear" in kinds(made) and model(made, f"linear{'_mirror' * form.get('skips', False)}_parts_channels")
    loads(decoder_text(made))


@pytest.mark.parametrize("join", ["{add: {}, from: [%s, b]}", "{concat: {}, from: [%s, b]}"])
def test_names_of_the_decoder_are_no_longer_than_names_may_be(join: str) -> None:
    long = "x" * NAME_CHARACTERS
    strided = f"{{conv1d: {{out: 4, k: 3, s: 2, p: 1}}, name: {long}}}"
    layers = f"[relu, {strided}, {{relu: {{}}, name: b}}, {join % long}]"
    for form in ({}, {"skips": True}, {"resize": True}):
        made = mirror(loads(f"{{convcalc: 1, input: [4, 8], layers: {layers}}}"), **form)
        given_back(loads(f"{{convcalc: 1, input: [4, 8], layers: {layers}}}"), made)
        loads(decoder_text(made))


def test_splits_of_names_that_become_one_are_two() -> None:
    parts = "{relu: {}, name: p, from: input}, {tanh: {}, name: q, from: input}"
    cut = f"{{layers: [{parts}, {{concat: {{}}, from: [p, q], name: b}}], name: a}}"
    other = "{conv1d: {out: 4, k: 1}, from: a, name: r}, {concat: {}, from: [r, a], name: a_b}"
    made = mirror(loads(f"{{convcalc: 1, input: [4, 8], layers: [{cut}, {other}]}}"))
    names = {node.stage for node in made.network.nodes if node.kind == "split"}
    assert names == {"a_b", "a_b_2"}
    assert [node.shape for node in loads(decoder_text(made)).nodes] == [node.shape for node in made.network.nodes]
