"""The smallest files of what exports showed, one mechanism each: their layers, and their totals reckoned by hand."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from onnx import TensorProto

from convcalc.analysis.report import analyse
from convcalc.onnx import load_onnx
from tools.onnx_graph import Graph
from tools.onnx_minimal import loop_scan

from .command import run
from .onnx_models import RECORDED, kinds

FILES: dict[str, str] = json.loads(gzip.decompress((RECORDED / "minimal.json.gz").read_bytes()))["files"]
LINEAR = (96 * 384 + 384, 56 * 56 * 96 * 384)
CONV = (8 * 3 * 3 * 3, 30 * 30 * 8 * 27)
PADDED = 16 * 16 * 8 * 72
EXPECTED: dict[str, tuple[list[str], int, int]] = {
    "gemm_tokens": (["reshape", "linear", "reshape"], *LINEAR),
    "gemm_tokens_of_4": (["reshape", "linear", "reshape"], *LINEAR),
    "conv_windows": (["conv2d", "batch_norm", "avg_pool2d"], 576 + 16, 4 * PADDED),
    "conv_windows_of_4": (["conv2d", "batch_norm", "avg_pool2d"], 576 + 16, 4 * PADDED),
    "bias_table": (["parameter", "index_select", "permute", "reshape", "add"], 169 * 4, 0),
    "matmul_left": (["parameter", "matmul"], 640, 10 * 64 * 100),
    "matmul_batch": (["parameter", "matmul"], 4 * 64 * 32, 4 * 10 * 64 * 32),
    "condconv": (["global_avg_pool", "mean", "parameter", "reshape", "multiply", "conv2d"], 576, PADDED),
    "gained": (["conv2d"], CONV[0] + 8, CONV[1]),
    "conv_bias_expand": (["conv2d"], *CONV),
    "conv_const_input": (["parameter", "parameter", "conv2d", "add"], 2048 + 576, PADDED),
    "instance_norm_plain": (["instance_norm"], 0, 0),
    "shared_head": (["conv2d", "conv2d", "conv2d"], 576, 3 * 32 * 32 * 8 * 72),
    "if_inside": (["opaque"], 2 * 216, 32 * 32 * 8 * 27),
    "lstm_state": (["lstm", "reshape", "squeeze"], 32 * 4 + 32 * 8 + 64, 10 * 32 * 12),
    "pads_clip": (["pad", "conv2d"], 216, 16 * 16 * 8 * 27),
    "pad_channels": (["reshape", "pad", "relu", "reshape"], 0, 0),
    "sin_const": (["parameter", "add"], 0, 0),
    "scatternd": (["conv2d", "opaque", "relu"], CONV[0] + 1800, CONV[1]),
    "scatternd_block": (["conv2d", "parameter", "slice", "slice", "concat", "relu"], CONV[0] + 2700, CONV[1]),
    "scatternd_window": (["crop", "relu", "slice", "slice", "slice", "concat", "concat"], 0, 0),
    "scatternd_nothing": (["parameter", "reshape", "add"], 0, 0),
    "mask_of_constants": (["parameter", "add"], 0, 0),
    "blur": (["conv2d"], 0, 8 * 8 * 4 * 9),
    "blur_buffer": (["conv2d"], 0, 8 * 8 * 4 * 9),
    "depthwise_ones": (["conv2d"], 36, 16 * 16 * 4 * 9),
    "coordinates": (["parameter", "parameter", "matmul", "reshape", "permute", "add"], 4, 15 * 2 * 2),
    "layer_norm_without_bias": (["layer_norm"], 64, 0),
    "layer_norm_plain": (["layer_norm"], 0, 0),
    "frozen_norm": (["conv2d", "parameter", "multiply", "parameter", "add"], 216, 14 * 14 * 8 * 27),
    "lstm_rows": (["permute", "permute", "lstm", "reshape", "permute", "squeeze"], 384, 5 * 10 * 32 * 12),
    "split_by_loop": (["roll"], 0, 0),
    "loop_scan": ([*["linear", "tanh"] * 3, *["reshape"] * 3, "concat", "reshape"], 64, 3 * 64),
    "chosen": (["conv2d", "flatten"], 27, 30 * 30 * 27),
    "empty_slice": (["conv2d"], *CONV),
    "sequence": (["relu"], 0, 0),
    "nonzero": (["conv2d"], *CONV),
    "deform": (["opaque"], 216, 32 * 32 * 8 * 27),
    "matmulinteger": (["linear"], 640, 640),
    "qlinearadd": (["add"], 0, 0),
    "no_batch": (["conv2d"], 216, 222 * 222 * 8 * 27),
    "gemm_open": (["linear"], 640, 640),
    "fused_conv": (["conv2d", "add", "relu"], 576 + 8, PADDED),
    "fused_clip": (["conv2d", "relu6"], 64, 16 * 16 * 64),
    "channels_in_blocks": (["conv2d", "relu", "conv2d", "permute"], 420 + 200, 64 * (400 + 180)),
    "norm_in_blocks": (["scale", "relu", "global_avg_pool"], 64, 0),
    "fused_matmul": (["permute", "matmul", "rescale"], 0, 4 * 10 * 10 * 64),
    "skip_layer_norm": (["add", "layer_norm", "add"], 128, 0),
    "bias_gelu": (["linear", "gelu"], 64 * 32 + 32, 10 * 64 * 32),
    "hard_sigmoid": (["rescale", "clamp"], 0, 0),
    "folded_mask": (["parameter", "add"], 0, 0),
    "scalar_out": (["reshape", "mean"], 0, 0),
}


def written(name: str, folder: Path) -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(base64.b64decode(FILES[name]))
    return path


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_mechanism_is_read_as(name: str, tmp_path: Path) -> None:
    network = load_onnx(str(written(name, tmp_path)))
    totals = analyse(network).totals
    found, params, macs = EXPECTED[name]
    assert (kinds(network), totals.params, totals.macs) == (found, params, macs)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.slow
def test_no_command_gives_a_traceback(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    for command in ("table", "verify", "check", "import"):
        done = run(command, str(path))
        assert done.code in (0, 1, 2) and "internal error" not in done.stderr, (command, done.stderr)


def test_a_reshape_that_is_written_as_a_gather_is_one(tmp_path: Path) -> None:
    network = load_onnx(str(written("gather_reshape", tmp_path)))
    assert "index_select" not in kinds(network) and analyse(network).totals.macs == 80


def test_a_product_in_letters_keeps_its_cost(tmp_path: Path) -> None:
    totals = analyse(load_onnx(str(written("einsum", tmp_path)))).totals
    assert (totals.params, totals.macs) == (32, 16 * 16 * 8 * 4)


def test_where_shapes_end_the_network_ends_and_says_why(tmp_path: Path) -> None:
    (note,) = load_onnx(str(written("nonzero", tmp_path))).notes
    assert note.code == "CC708" and "NonZero" in note.message and "depends on what flows" in note.message


def test_parameters_behind_what_has_no_shape_are_said(tmp_path: Path) -> None:
    (note,) = load_onnx(str(written("chosen", tmp_path))).notes
    assert note.code == "CC708" and note.message.endswith("; 40 parameters behind it are not counted")


@pytest.mark.parametrize("turns", [-1, 10**6, 10**18])
def test_loops_of_no_or_too_many_turns_end_the_network(turns: int, tmp_path: Path) -> None:
    path = tmp_path / "loop.onnx"
    path.write_bytes(loop_scan(turns).model().SerializeToString())
    done = run("table", str(path))
    assert done.code == 1 and "CC706" in done.stderr and "its shape depends on what flows" in done.stderr


def saved(graph: Graph, folder: Path) -> str:
    path = folder / "made.onnx"
    path.write_bytes(graph.model().SerializeToString())
    return str(path)


@pytest.mark.parametrize("dims", [(3, 0, 2), (0, 1, 2), (4, 1, 0), (0, 16, 16)])
def test_tensors_without_numbers_are_no_tables(dims: tuple[int, ...], tmp_path: Path) -> None:
    graph = Graph(x=(1, 3, 8, 8))
    graph.numbers("a.table", [], dims, TensorProto.FLOAT)
    graph.node("Relu", "x")
    assert kinds(load_onnx(saved(graph, tmp_path))) == ["relu"]


@pytest.mark.parametrize(("indices", "dims"), [([0], ()), ([0] * 4, (1, 4)), ([], (1, 0))])
def test_indices_that_are_no_positions_are_refused(indices: list[float], dims: tuple[int, ...], tmp_path: Path) -> None:
    graph = Graph(x=(1, 3, 8))
    graph.node("ScatterND", f"x {graph.numbers('i', indices, dims)} {graph.weight('u', 1, 8)}")
    done = run("table", saved(graph, tmp_path))
    assert done.code == 1 and "CC706" in done.stderr and "are not positions in [1, 3, 8]" in done.stderr


@pytest.mark.parametrize("indices", [[0, 7], [0, -1], [0, 2, 0, 1]])
def test_positions_that_are_no_block_leave_the_operator_as_it_is(indices: list[float], tmp_path: Path) -> None:
    graph, rows = Graph(x=(1, 3, 8)), len(indices) // 2
    graph.node("ScatterND", f"x {graph.numbers('i', indices, (rows, 2))} {graph.weight('u', rows, 8)}")
    (layer,) = [node.layer for node in load_onnx(saved(graph, tmp_path)) if node.layer]
    assert layer.fields()["reason"] == "where it writes is no block"


def test_a_body_that_does_not_fit_its_loop_is_refused(tmp_path: Path) -> None:
    graph = loop_scan()
    graph.nodes[0].input.append("x")
    done = run("table", saved(graph, tmp_path))
    assert done.code == 1 and "CC706" in done.stderr and "its body takes 3 tensors and gives 3, not 4" in done.stderr


def test_what_is_written_to_a_block_stands_in_its_place(tmp_path: Path) -> None:
    network = load_onnx(str(written("scatternd_window", tmp_path)))
    assert [node.shape for node in network if node.kind == "slice"] == [(1, 1, 81), (1, 80, 81), (1, 80, 1)]
    joined = [(node.layer.fields(), node.shape) for node in network if node.kind == "concat" and node.layer]
    assert joined == [({"dim": 2}, (1, 80, 81)), ({"dim": 1}, (1, 81, 81))]


@pytest.mark.parametrize("name", ["blur", "blur_buffer"])
def test_filters_that_nothing_learns_are_fixed(name: str, tmp_path: Path) -> None:
    (layer,) = [node.layer for node in load_onnx(str(written(name, tmp_path))) if node.layer]
    assert layer.fields()["fixed"] is True


def test_costs_that_are_not_known_are_said_and_fail_where_that_is_asked_for(tmp_path: Path) -> None:
    path = str(written("scatternd", tmp_path))
    table = run("table", path)
    assert table.code == 0 and "without the macs of 1 opaque layer with weights: scatter_nd" in table.stdout
    for command in (("table", "--strict"), ("import", "--strict"), ("check",)):
        done = run(*command, path)
        assert done.code == 1 and "CC707" in done.stdout + done.stderr, command
    known = run("table", "--strict", str(written("deform", tmp_path)))
    assert known.code == 0 and "without the macs" not in known.stdout
