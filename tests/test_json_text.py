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

from convcalc import load, loads
from convcalc.analysis.alike import Alike, Keys, Part
from convcalc.analysis.gallery import read_index
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.quantity import plain_figure
from convcalc.analysis.report import analyse
from convcalc.findings import SpecError, UsageError
from convcalc.language.sources import gallery_path
from convcalc.network import works
from convcalc.render import streams
from convcalc.render.json_text import AT_ONCE, MOST_KEPT, SHORT, json_pieces
from tools.fuzz.generators import KINDS

from .command import run

SEEN = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xAC, exclude_categories=["Cc"]) | st.sampled_from('\n\t"\\é層🙂')
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


@settings(max_examples=25)
@given(st.lists(st.tuples(VALUES, st.integers(0, 2), st.integers(0, 2)), max_size=5), st.booleans())
def test_objects_that_are_alike_and_share_parts(objects: list[tuple[Any, int, int]], ascii: bool) -> None:
    keys: Keys = ("own", ("a", "b"), "100%", ('c"',), "é")
    parts: list[tuple[Any, ...]] = [([1, 2], None), ({"b": ["c", True]}, 1), ([[3], [4.5, 6]], "")]

    def rows() -> Iterator[tuple[object, ...]]:
        """Rows that share parts, of a stream of their own."""
        shared, single = [Part(*part) for part in parts], [Part(part) for part in parts]
        return ((own, shared[one], one, single[two], [own]) for own, one, two in objects)

    expected = [
        {"own": own, "a": parts[one][0], "b": parts[one][1], "100%": one, 'c"': parts[two], "é": [own]}
        for own, one, two in objects
    ]
    assert list(Alike(keys, rows())) == expected
    text = "".join(json_pieces({"rows": Alike(keys, rows())}, ascii))
    assert text == json.dumps({"rows": expected}, indent=2, ensure_ascii=ascii)


COLUMNS = (
    [["a"], ["b", "c"], [], ["d"], ["e", "f"]],
    [[1, 1], [2, 2], [3, 3]],
    [[1, True], [2, 1.0], [3, 3]],
    [[n] * n for n in range(SHORT + 3)],
    [[[1, 2], [3, 4]], [[5, 6]], [["7", None]]],
    [[None, None], [None, None]],
    ["plain", 'a "quoted" one', "back\\slash", "é", ""],
    ["a", None, "b"],
    [True, 1, 1.0, False],
    [(1, 2), [1, 2]],
    [{"a": 1}, {}, [], ""],
)


@pytest.mark.parametrize("column", COLUMNS, ids=str)
@pytest.mark.parametrize("ascii", [False, True])
def test_what_is_written_together_is_what_is_written_alone(column: list[object], ascii: bool) -> None:
    together = Alike(("own", ("shared",)), ((value, Part(value)) for value in column))
    rows = [{"own": value, "shared": value} for value in column]
    assert "".join(json_pieces({"rows": together}, ascii)) == json.dumps({"rows": rows}, indent=2, ensure_ascii=ascii)


def test_what_nobody_sees_is_escaped_in_columns_too() -> None:
    column = ["plain", "\u202e", "\x7f", "\u00ad", "\ud800"]
    text = "".join(json_pieces({"rows": Alike(("name",), ((name,) for name in column))}))
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == {"rows": [{"name": name} for name in column]}


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE])
def test_so_many_objects_as_there_are(count: int) -> None:
    rows = ((number, Part(str(number))) for number in range(count))
    pieces = list(json_pieces({"rows": Alike(("a", ("b",)), rows)}))
    assert "".join(pieces) == json.dumps(
        {"rows": [{"a": number, "b": str(number)} for number in range(count)]}, indent=2
    )
    assert max(piece.count('"a"') for piece in pieces) == min(count, AT_ONCE)


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
    rows = {key: list(value) for key, value in found.items() if isinstance(value, Iterator)}
    assert list(rows) == ["groups", "layers", "stages"]
    assert {**found, **rows} == report.to_dict()
    assert list(report.streamed()) == list(report.to_dict())


@pytest.mark.parametrize("name", ["googlenet", "unet", "teaching_grouped"])
def test_stages_have_the_figures_of_their_subjects(name: str) -> None:
    report = analyse(load(name), batch=3)
    rows = report.to_dict()["stages"]
    wanted = [QUANTITIES[key] for key in ("params", "weights", "macs", "flops", "depth")]
    assert rows == [
        {
            "name": stage.name,
            "output_shape": list(report.shape(stage) or ()),
            **{quantity.name: plain_figure(quantity.get(report, stage)) for quantity in wanted},
        }
        for stage in report.stages
    ]


def test_stages_of_equal_layers_whose_weights_others_hold_hold_none() -> None:
    conv = "conv2d: {out: 3, k: 3, p: 1}"
    layers = f"[{{{conv}, name: a}}, {{{conv}, name: b, share: a}}, {{{conv}, name: c}}, {{{conv}, name: d, share: c}}]"
    rows = analyse(loads(f"{{convcalc: 1, input: [3, 8, 8], layers: {layers}}}")).to_dict()["stages"]
    assert [row["params"] for row in rows] == [84, 0, 84, 0]
    assert len({row["macs"] for row in rows}) == 1


def test_what_fails_fails_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    report = analyse(loads(SPEC))

    def fails(_: object) -> None:
        raise SpecError(())

    monkeypatch.setattr(type(report), "receptive_fields", property(fails))
    with pytest.raises(SpecError):
        report.streamed()


def test_the_command_writes_layers_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    data: Mapping[str, object] = analyse(load("resnet")).streamed()
    with redirect_stdout(Watched()):
        streams.write_json(data)
    assert max(piece.count('"last_reader"') for piece in written) == AT_ONCE
    text = run("table", "resnet", "--format", "json").stdout
    assert "".join(written) == text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def assert_is_what_the_standard_library_writes(text: str, **options: Any) -> None:
    network = loads(text)
    report = analyse(network, **options)
    columns = [QUANTITIES[name] for name in ("name", "live", "receptive_field", "start", "intensity", "macs")]
    for asked in ((), (report.layers[1::2], report.stages[:1]), (None, None, columns)):
        for ascii in (False, True):
            written = "".join(json_pieces(report.streamed(*asked), ascii))
            expected = json.dumps(report.to_dict(*asked), indent=2, ensure_ascii=ascii)
            if expected.replace("\n", "").isprintable():  # what nobody sees is escaped
                assert written == expected


QUICK = ("fsrcnn", "teaching_grouped", "unet", "wavenet", "vit")


@pytest.mark.parametrize(
    "name",
    [pytest.param(spec["name"], marks=() if spec["name"] in QUICK else pytest.mark.slow) for spec in read_index()],
)
def test_reports_of_the_gallery_are_what_the_standard_library_writes(name: str) -> None:
    text = (gallery_path() / f"{name}.yaml").read_text(encoding="utf-8")
    assert_is_what_the_standard_library_writes(text)
    assert_is_what_the_standard_library_writes(text, batch=3, dtype="int8")


def test_reports_of_generated_specs_are_what_the_standard_library_writes() -> None:
    built = 0
    for number in range(60):
        text = KINDS["specs"].case(seed=11, number=number).text
        try:
            assert_is_what_the_standard_library_writes((text or b"").decode("utf-8", "replace"), batch=2)
            built += 1
        except (SpecError, UsageError):
            continue
    assert built > 10


def test_nodes_do_the_same_where_layer_and_shapes_are_equal() -> None:
    convolutions = "{conv2d: {out: 3, k: 3}, repeat: 2}, {conv2d: {out: 3, k: 1}, repeat: 2}"
    layers = f"[{convolutions}, relu, {{add: {{branches: {{a: [], b: [relu]}}}}}}]"
    network = loads(f"{{convcalc: 1, input: [3, 8, 8], layers: {layers}}}")
    numbers, different = works(network)
    assert numbers == [0, 1, 2, 3, 3, 4, 4, 5]
    for node, number in zip(network.nodes, numbers, strict=True):
        if number:
            assert different[number - 1] == (node.layer, network.input_shapes(node), node.shape)
