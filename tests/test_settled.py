"""A network as a spec of its own: its text gives the network again, and nothing but values differs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convcalc import SpecError, UsageError, load, loads
from convcalc.language import gallery_names
from convcalc.language.settled import settled
from convcalc.network import Network

SPEC = """\
# a net of ours
convcalc: 1
name: ours

input: [3, 32, 32]        # small
params:
  width: 16               # of the stem
  depths: [2, 2]
  ratio: 0.25
  act: relu
  head: 2 * width
variants:
  wide: {width: 32, act: gelu}

# what it says of itself
expect:
  macs: 1
  # a remark of this section

# the layers
layers:
  - {conv2d: {out: width, k: 3}}
  - {relu: {}, when: act == 'relu'}
  - {conv2d: {out: make_divisible(width * ratio), k: 1}, repeat: "depths[0]"}
  - {conv2d: {out: head, k: 1}}
"""


def lines(text: str) -> list[str]:
    return text.splitlines()


def same(text: str, network: Network) -> bool:
    found = loads(text)
    return found.nodes == network.nodes and found.outputs == network.outputs


def test_values_alone_change() -> None:
    network = loads(SPEC, params={"width": 24, "ratio": "1/3", "depths": [1, 1]}, input=[3, 48, 48])
    text = settled(network)
    assert same(text, network)
    gone = {"variants:", "  wide: {width: 32, act: gelu}", "# what it says of itself", "expect:", "  macs: 1"}
    kept = [line for line in lines(SPEC) if line not in gone and line != "  # a remark of this section"]
    changed = [
        (old, new)
        for old, new in zip([line for line in kept if line], filter(None, lines(text)), strict=True)
        if old != new
    ]
    assert changed == [
        ("input: [3, 32, 32]        # small", "input: [3, 48, 48]        # small"),
        ("  width: 16               # of the stem", "  width: 24               # of the stem"),
        ("  depths: [2, 2]", "  depths: [1, 1]"),
        ("  ratio: 0.25", "  ratio: 1/3"),
    ]
    assert "\n\n\n" not in text


def test_a_variant_is_written_into_the_params() -> None:
    network = loads(SPEC, variant="wide")
    text = settled(network, "row 3 of run.sqlite")
    assert text.startswith("# row 3 of run.sqlite\n# a net of ours\n")
    assert "  width: 32   " in text and "  act: gelu\n" in text and "variants" not in text
    assert same(text, network)


@pytest.mark.parametrize(
    ("spec", "params", "part"),
    [
        (
            "{input: [3, 8, 8], params: {c: 4}, layers: [{conv2d: {out: c, k: 1}}], expect: {params: 16}}",
            {"c": 5},
            "{c: 5}, layers: [{conv2d: {out: c, k: 1}}]}",
        ),
        (
            "{expect: {params: 16}, input: [3, 8, 8], params: {c: 4}, layers: [{conv2d: {out: c, k: 1}}]}",
            {"c": 5},
            "{input: [3, 8, 8], params: {c: 5}",
        ),
        ("input: [3, 8, 8]\nparams: [c]\nlayers: [{conv2d: {out: c, k: 1}}]\n", {"c": 5}, "params: {c: 5}\n"),
        ("input: [3, 8, 8]\nparams:\n  c:\nlayers: [{conv2d: {out: c, k: 1}}]\n", {"c": 5}, "  c: 5\n"),
        (
            "input: [3, 8, 8]\nparams:\n  c:\n    - 4 # four\n    - 5\n  # remark\n"
            'layers: [{conv2d: {out: "c[0]", k: 1}}]\n',
            {"c": [7, 8]},
            "    [7, 8]\n  # remark\nlayers",
        ),
        ("input:\n  a: [3, 8, 8]\nparams: {c: 4}\r\nlayers: [{conv2d: {out: c, k: 1}}]\r\n", {"c": 5}, "{c: 5}\r\n"),
        (
            "# ünïcode – ×\u2028\ninput: [3, 8, 8]\nparams: {c: 4}\nlayers: [{conv2d: {out: c, k: 1}}]\n",
            {"c": 5},
            "c: 5}",
        ),
    ],
)
def test_every_way_of_writing(spec: str, params: dict[str, object], part: str) -> None:
    network = loads(spec, params=params)
    text = settled(network)
    assert part in text
    assert same(text, network)


def test_a_value_with_an_alias_elsewhere_is_not_written_over() -> None:
    spec = "input: [3, 8, 8]\nparams: {c: &c 4}\nlayers: [{conv2d: {out: c, k: 1}}, {conv2d: {out: *c, k: 1}}]\n"
    network = loads(spec, params={"c": 9})
    text = settled(network, "about")
    assert [node.shape[0] for node in loads(text).nodes] == [3, 9, 4]
    assert text.startswith("# about\nconvcalc: 1\n")


@pytest.mark.parametrize("word", ["no", "off", "y_es"])
def test_words_that_yaml_reads_otherwise_are_quoted(word: str) -> None:
    head = f"input: [3, 8, 8]\nparams: {{a: x}}\nvariants: {{v: {{a: '{word}'}}}}\n"
    spec = head + "layers: [{relu: {}, when: a == 'x'}, relu]\n"
    network = loads(spec, variant="v")
    assert same(settled(network), network)


def cases(name: str) -> Iterator[Network]:
    """Networks of a spec: its variants, each number of its params changed, larger inputs."""
    base = load(name)
    assert base.origin is not None
    calls: list[dict[str, object]] = [{"variant": variant} for variant in base.origin.variants]
    values = base.origin.params
    for param, value in values.items():
        if type(value) is int:
            calls += [{"params": {param: value + 1}}, {"params": {param: 2 * value}}]
    calls.append(
        {"input": {each: (shape[0], *(size + 32 for size in shape[1:])) for each, shape in base.inputs.items()}}
    )
    for call in calls:
        try:
            yield load(name, **call)  # type: ignore[arg-type]
        except (SpecError, UsageError):
            continue


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(each, marks=[] if each in ("resnet", "unet", "squeezenet") else pytest.mark.slow)
        for each in gallery_names()
    ],
)
def test_the_gallery_is_written_in_place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcalc.language.settled.write", lambda network: pytest.fail("written out flat"))
    for network in cases(name):
        assert same(settled(network), network)
