"""Blocks of written specs, of networks that are drawn and of the whole gallery, held to `tests/block_measures.py`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load
from convcalc.language import gallery_names, loads
from convcalc.language.write_blocks import write_blocks
from tests.block_measures import faults, survives
from tests.gallery_variants import variants
from tests.spec_text import spec

BODIES = st.lists(
    st.sampled_from(
        (
            "{conv2d: {out: c, k: 3, s: s, p: 1}}",
            "{conv2d: {out: c, k: k, p: k // 2}, name: conv}",
            "{conv2d: {out: in_channels, k: 3, p: 1, groups: in_channels}}",
            "batch_norm",
            "relu",
            "{silu: {}, when: extra}",
            "{layers: [{conv2d: {out: c, k: 1}}, relu], name: side, when: extra}",
            "{add: {branches: {body: [{conv2d: {out: in_channels, k: 3, p: 1}}, relu], skip: []}}, name: sum}",
            "{max_pool2d: {k: 3, s: 1, p: 1}, repeat: 2, name: pools}",
        )
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(("one", "two")),
        st.sampled_from((4, 8, 12, 16)),
        st.sampled_from((1, 3, 5)),
        st.sampled_from((1, 2)),
        st.booleans(),
        st.sampled_from((None, 1, 2, 3)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40)
@given(one=BODIES, two=BODIES, calls=CALLS, nested=st.booleans())
def test_specs_with_blocks_survive(
    one: list[str], two: list[str], calls: list[tuple[str, int, int, int, bool, int | None]], nested: bool
) -> None:
    params = "{c: ~, k: 3, s: 1, extra: false}"
    inner = "{one: {c: c, k: k}, name: inner}" if nested else "relu"
    head = f"""
    blocks:
      one: {{params: {params}, layers: [{", ".join(one)}]}}
      two: {{params: {params}, layers: [{", ".join([*two, inner])}]}}
    """
    lines = []
    for number, (block, c, k, s, extra, times) in enumerate(calls):
        repeat = f", repeat: {times}" if times else ""
        stride = f"{s} if index == 0 else 1" if times else str(s)
        arguments = f"{{c: {c}, k: {k}, s: {stride}, extra: {str(extra).lower()}}}"
        lines.append(f"- {{{block}: {arguments}, name: stage{number}{repeat}}}")
    network = loads(spec("\n".join(lines), head=head, input="[4, 64, 64]"))
    text = survives(network)
    # Each block twice, with and without what only some of its uses have.
    assert text.count("\n") <= 4 + 2 * sum(4 + 3 * len(body) for body in (one, [*two, inner])) + len(calls), text


@pytest.mark.parametrize(
    ("block", "uses", "fault"),
    [
        ("unit: {layers: [relu, tanh]}", ["unit: {}"], "unit: used 1 times"),
        ("unit: {params: [c], layers: [{linear: {out: c}}, relu]}", ["unit: [4]"] * 2, "unit: c is always the same"),
        ("unit: {params: {c: 4}, layers: [relu, tanh]}", ["unit: {c: 8}", "unit: {}"], "unit: c is not read"),
        (
            "unit: {params: {c: 4}, layers: [{linear: {out: c}}, relu]}",
            ["unit: {c: 8}", "unit: {c: 4}"],
            "unit: c is given its default",
        ),
        ("other: {layers: [relu, tanh]}", ["other: {}"] * 2, "other: nothing is called so"),
    ],
)
def test_a_measure_finds_what_is_wrong(block: str, uses: list[str], fault: str) -> None:
    items = "\n".join(f"- {{{use}, name: a{number}}}" for number, use in enumerate(uses))
    text = spec(items, head=f"blocks: {{{block}}}\n", input="[4]")
    called = {"other": "unit"}
    network = loads(text)
    groups = {path: group._replace(kind=called.get(group.kind, group.kind)) for path, group in network.groups.items()}
    assert fault in faults(replace(network, groups=groups), text, network)


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery_names())
def test_the_whole_gallery_survives(name: str) -> None:
    for variant in (None, *variants()[name]):
        network = load(name, variant=variant)
        text = survives(network)
        assert write_blocks(loads(text)).count("\n") <= text.count("\n")
