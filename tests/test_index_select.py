"""`index_select: {relative: [7, 7]}`: the entries of a table of offsets, through every room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc import load, loads
from convcalc.export.onnx_model import onnx_model
from convcalc.findings import SpecError, UsageError
from convcalc.layers.layout import relative_positions, relative_window
from convcalc.network import Network
from tests.exports import judge, keras_module, torch_module

TABLE = "{parameter: {shape: [15, 4]}, name: table}"
TORCHVISION = [
    7,
    6,
    5,
    2,
    1,
    0,
    8,
    7,
    6,
    3,
    2,
    1,
    9,
    8,
    7,
    4,
    3,
    2,
    12,
    11,
    10,
    7,
    6,
    5,
    13,
    12,
    11,
    8,
    7,
    6,
    14,
    13,
    12,
]
"""The first 33 of ShiftedWindowAttention(4, [2, 3], [0, 0], 1).relative_position_index of torchvision 0.29.1."""


def spec(fields: str, table: str = TABLE) -> str:
    return f"{{convcalc: 1, input: [3], layers: [{table}, {{index_select: {{dim: 0, {fields}}}}}]}}"


def test_the_offset_between_two_tokens_counts_from_the_most_negative_one() -> None:
    assert list(relative_positions((2, 3)))[:33] == TORCHVISION
    assert loads(spec("relative: [2, 3]")).nodes[-1].shape == (36, 4)


@pytest.mark.parametrize("window", [(2,), (3, 3), (2, 5), (4, 2)])
def test_a_window_is_known_by_its_positions(window: tuple[int, ...]) -> None:
    positions = relative_positions(window)
    assert relative_window(positions, max(positions) + 1) == window
    assert relative_window(positions[::-1], max(positions) + 1) is None
    assert relative_window(positions, max(positions) + 2) is None
    assert relative_window((), 1) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("relative: [2, 2]", r"a window of \[2, 2\] has 9 offsets; axis 0 has 15: \[15, 4\]"),
        ("relative: [2, 3], count: 4", "one of indices, relative"),
        ("relative: []", "relative"),
        ("relative: [0, 3]", "relative"),
    ],
)
def test_what_it_refuses(fields: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        loads(spec(fields))


@pytest.mark.parametrize("write", [torch_module, keras_module])
def test_a_count_alone_is_refused_and_a_window_is_written_as_one(write: Callable[[Network], str]) -> None:
    with pytest.raises(UsageError, match="which positions it takes is not said"):
        write(loads(spec("count: 36")))
    text = write(loads(spec("relative: [2, 3]")))
    assert "relative_positions((2, 3))" in text and "def relative_positions(window):" in text


@pytest.mark.slow
def test_the_window_survives_onnx(tmp_path: Path) -> None:
    path = tmp_path / "swin.onnx"
    path.write_bytes(onnx_model(load("swin")))
    judge("onnx", path.read_bytes())
    network = load(path)
    read = [node.layer for node in network.nodes if node.layer is not None and node.kind == "index_select"]
    assert read and all(dict(layer)["relative"] == (7, 7) for layer in read)
