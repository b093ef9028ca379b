"""JSON in pieces: the bytes of the standard library, and a large network's layers as they come."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import analyse, loads
from convcalc.analysis.report import Joined
from convcalc.findings import SpecError
from convcalc.render import streams
from convcalc.render.json_text import MOST_KEPT, json_pieces

from .command import run

SEEN = st.text(st.characters(min_codepoint=32, max_codepoint=0xAC) | st.sampled_from('\n\t"\\é層🙂')).filter(
    lambda text: not any(0x7F <= ord(c) <= 0x9F for c in text)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | SEEN,
    lambda inner: st.lists(inner) | st.dictionaries(SEEN, inner) | st.lists(inner).map(tuple),
)
SPEC = "{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}, relu]}"


@pytest.mark.slow
@given(st.dictionaries(SEEN, VALUES), st.booleans())
def test_the_bytes_are_those_of_the_standard_library(data: dict[str, Any], ascii: bool) -> None:
    assert "".join(json_pieces(data, ascii)) == json.dumps(data, indent=2, ensure_ascii=ascii)


def test_equal_lists_of_other_types_stay_apart() -> None:
    data = {"a": [[1], [True], [1.0], [[1]], [[True]], ["1"], [1], (1,)]}
    assert "".join(json_pieces(data)) == json.dumps(data, indent=2)


def test_more_keys_than_are_kept() -> None:
    data = {"a": [{str(n): n} for n in range(3 * MOST_KEPT)] * 2}
    assert "".join(json_pieces(data)) == json.dumps(data, indent=2)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.dictionaries(SEEN, VALUES, max_size=2), st.integers(0, 2), st.integers(0, 2)), max_size=5))
def test_an_object_in_parts_is_one_object(objects: list[tuple[dict[str, Any], int, int]]) -> None:
    parts: list[dict[str, Any]] = [{"a": [1, 2]}, {"b": {"c": "d"}, "e": 1}, {}]
    keys = ("own", None, "100%", None)
    rows = [Joined(keys, (own, parts[one], one, {"other": parts[two]})) for own, one, two in objects]
    expected = json.dumps({"rows": [row.whole for row in rows]}, indent=2, ensure_ascii=False)
    assert "".join(json_pieces({"rows": iter(rows)})) == expected


def test_more_parts_than_are_kept() -> None:
    rows = [Joined(("own", None, None), (n, {"n": n}, {"n of it": [n]})) for n in range(3 * MOST_KEPT)]
    assert json.loads("".join(json_pieces({"rows": iter(rows)})))["rows"] == [row.whole for row in rows]


def test_an_iterator_is_an_array_that_comes_as_it_is_made() -> None:
    made = []

    def values() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    pieces = json_pieces({"a": values(), "b": iter(())})
    assert made == []
    assert next(pieces) == '{\n  "a": [\n    0'
    assert made == [0]
    assert json.loads('{\n  "a": [\n    0' + "".join(pieces)) == {"a": [0, 1, 2], "b": []}


@pytest.mark.parametrize("value", [{1}, object()])
def test_what_json_has_not_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        list(json_pieces({"a": value}))


def test_what_nobody_sees_is_escaped_and_means_itself() -> None:
    data = {"\u202e": "\x85\x9b\u2028\ufeff\U000e0041\uffff\x7f\ud800"}
    text = "".join(json_pieces(data))
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == data


def test_layers_are_made_when_they_are_written() -> None:
    report = analyse(loads(SPEC))
    found = report.streamed()
    assert isinstance(found["layers"], Iterator)
    rows = {key: [row.whole for row in value] for key, value in found.items() if isinstance(value, Iterator)}
    assert list(rows) == ["groups", "layers"]
    assert {**found, **rows} == report.to_dict()
    assert list(report.streamed()) == list(report.to_dict())


def test_what_fails_fails_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    report = analyse(loads(SPEC))

    def fails(_: object) -> None:
        raise SpecError(())

    monkeypatch.setattr(type(report), "receptive_fields", property(fails))
    with pytest.raises(SpecError):
        report.streamed()


def test_the_command_writes_layers_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    data: Mapping[str, object] = analyse("resnet").streamed()
    with redirect_stdout(Watched()):
        streams.write_json(data)
    assert max(map(len, written)) < 20_000 < sum(map(len, written))
    text = run("table", "resnet", "--format", "json").stdout
    assert "".join(written) == text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
