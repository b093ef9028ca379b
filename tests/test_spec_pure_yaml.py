"""Where PyYAML has no libyaml, its scanner in Python reads the same: the same nodes, marks and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convcalc.findings import SpecError
from convcalc.language import events
from convcalc.language.pure_yaml import PureLoader
from convcalc.language.sources import gallery_path
from convcalc.marked import List, Map, Marked, Source, Text
from tools.fuzz.case import Case

ROOT = Path(__file__).parent.parent
libyaml = pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML is built without libyaml")


def laid_out(node: Marked) -> object:
    """A node with everything below it as plain data, marks and all."""
    where = (node.line, node.column, node.size)
    if isinstance(node, Text):
        return ("text", *where, node.text, node.plain, node.width)
    if isinstance(node, List):
        return ("list", *where, node.flow, [laid_out(item) for item in node.items])
    assert isinstance(node, Map)
    entries = [(laid_out(node.keys[name]), laid_out(value)) for name, value in node.entries.items()]
    return ("map", *where, node.flow, entries)


def read(text: str, loader: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """What a text is by one reader, or the finding that refuses it."""
    with monkeypatch.context() as patch:
        patch.setattr(events, "Loader", loader)
        try:
            return laid_out(events.parse(Source(text)))
        except SpecError as error:
            return error.findings


def both(text: str) -> tuple[object, object]:
    patch = pytest.MonkeyPatch()
    return read(text, yaml.CSafeLoader, patch), read(text, PureLoader, patch)


def spec_texts() -> list[str]:
    """The gallery, the specs of the golden output, wrong ones among them, and those of the fuzzer's corpus."""
    files = [*gallery_path().glob("*.yaml"), *(ROOT / "tests").rglob("*.yaml")]
    texts = [path.read_text("utf-8", errors="replace") for path in sorted(files)]
    for path in sorted((ROOT / "tools" / "fuzz" / "corpus").glob("*.json")):
        case = Case.from_json(path.read_text("utf-8"))
        texts += [data.decode("utf-8", "replace") for data in (case.data, *case.files.values())]
    return [text for text in texts if text]


@libyaml
@pytest.mark.slow
def test_specs_are_read_alike() -> None:
    texts = spec_texts()
    assert len(texts) > 150
    for text in texts:
        fast, pure = both(text)
        assert fast == pure, text


@libyaml
@pytest.mark.parametrize(
    "text",
    [
        "a:\tb\t\n",  # tabs between tokens and behind a scalar
        "a: b\tc\n  \td\n",  # tabs inside a plain scalar, and before its second line
        "a:\n\tb\n",  # a tab as indentation
        "- a\n -\tb\n",
        "{k: , s: 2}",  # a value that is absent stands where the comma is
        "{k:",
        "a: 1\n{",
        "[a?b, ?c]",
        "?",
        "[?:",
        "[? : b]",
        "[?]",
        "[? , a]",
        "[? a : b]",
        "[a:,b]",  # no value: a plain scalar cannot say this
        "{a:b, http://c}",
        "a: |2#x\n  b\n",
        "a: >-\n b\n\n c\n",
        "a: |0\n b\n",
        "|\x85\t",
        "a: |\n  b\n \tc\n",  # a tab in the indentation of a block scalar, and one behind it
        "a: |\n  b\n  \tc\n",
        "a: >2\n\tb\n",
        "a: > # folded\n b\n",
        'a: "\\l"',
        'a: "\\xZZ"',
        'a: "b\\ud800"',  # half a character, and numbers of none
        'a: "\\U0000dfff"',
        'a: "\\U00110000"',
        'a: "\\UFFFFFFFF"',
        'a: "\\ud83d\\ude00"',
        'a: "b\n  c\n\n  \\\\ud800 \\udc00 \\l"',
        'a: "\\l \\ud800"',
        "a: 'b\\ud800'",
        'a: "b\n---\nc"',
        "\ufeffa: 1",
        "a:\ufeff1\n\ufeffb: 2",
        "a: 'it''s'\n...\n",
        "a: \x07",
        "a: @b",
        "a: b: c",
        "- a\nb",
        "'a' b",
        "*",
        "",
    ],
)
def test_edges_are_read_alike(text: str) -> None:
    fast, pure = both(text)
    assert fast == pure


LINES = st.sampled_from(
    [line for text in spec_texts() for line in text.splitlines(keepends=True) if len(line) < 200 and "!" not in line]
)
PARTS = st.one_of(LINES, st.text(" \t\n\r{}[]:,-?#&*|>'\"@`~\\\x85\u2028é0ab=", max_size=12))


@libyaml
@settings(max_examples=300)
@given(st.lists(PARTS, max_size=8).map("".join), st.data())
@example("a: [1,\n", None)
def test_texts_are_read_alike(text: str, data: st.DataObject | None) -> None:
    """Tags and directives, which the language has none of, are refused too, in other words."""
    if data is not None and text:
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.sampled_from("{}[]:,-?#\t \n'\"|>x")) + text[place:]
    fast, pure = both("".join(text.split("%")))
    assert fast == pure


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a:\tb"
    assert read(text, yaml.SafeLoader, monkeypatch) != read(text, PureLoader, monkeypatch)


@libyaml
@pytest.mark.parametrize("text", ["!a b", "%TAG ! x", "a: !!int 3"])
def test_tags_and_directives_are_refused_by_both(text: str) -> None:
    fast, pure = both(f"{text}\n")
    assert isinstance(fast, tuple) and isinstance(pure, tuple)
    assert [found.code for found in fast] == [found.code for found in pure] or text == "%TAG ! x"


def test_a_spec_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    from convcalc import analyse, load

    known = analyse(load("resnet", variant="resnet50")).to_dict()
    monkeypatch.setattr(events, "Loader", PureLoader)
    assert analyse(load("resnet", variant="resnet50")).to_dict() == known
