"""ONNX files that were made to do harm: findings, within limits of time and memory."""

from __future__ import annotations

import io
import math
import re
import sys
from pathlib import Path
from time import process_time
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from convcalc.findings import SpecError
from convcalc.onnx import inference, load, load_onnx, skim
from convcalc.onnx.messages import Malformed, OnnxNode, parse_model
from convcalc.onnx.operators import FAMILIES
from convcalc.onnx.skim import LARGE, skimmed
from convcalc.onnx.values import Call
from convcalc.onnx.wire import MOST_FIELDS, MOST_WORK, Damaged, Excessive, written_message

from .onnx_models import Maker

SECONDS = 4
"""Of CPU time: some times what is taken here, for machines that are busy."""


def refused(content: bytes, folder: Path) -> tuple[str, str]:
    """(code, message) of a file's only finding, which comes soon."""
    path = folder / "model.onnx"
    path.write_bytes(content)
    started = process_time()
    with pytest.raises(SpecError) as caught:
        load_onnx(str(path))
    assert process_time() - started < SECONDS
    (finding,) = caught.value.findings
    return finding.code, finding.message


def refuse(maker: Maker, folder: Path, match: str, code: str = "CC706") -> None:
    found, message = refused(maker.model(maker.nodes[-1].output[0]).SerializeToString(), folder)
    assert match in message and found == code


def test_records_take_as_many_inputs_as_onnx_says() -> None:
    """Over all versions: what a record takes is what some version takes."""
    schemas: dict[tuple[str, str], list[Any]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        schemas.setdefault((schema.domain, schema.name), []).append(schema)
    compared = 0
    for record in (record for family in FAMILIES for record in family.OPERATORS):
        versions = schemas.get(("", record.name)) if "" in record.domains else None
        if versions is not None:
            most = max(schema.max_input for schema in versions)
            fewest = min(schema.min_input for schema in versions)
            assert record.inputs == (fewest, None if most > 1000 else most), record.name
            compared += 1
    assert compared > 120


@pytest.mark.parametrize(
    ("op", "inputs", "match"),
    [
        ("Mean", [], "input 0 is missing"),
        ("BitShift", [], "input 0 is missing"),
        ("Sub", ["x", "x", "x"], "it takes 2 inputs, not 3"),
        ("Relu", ["x", "x"], "it takes 1 input, not 2"),
        ("Where", ["x", "", "x"], "input 1 is missing"),
    ],
)
def test_an_input_too_few_or_too_many(op: str, inputs: list[str], match: str, tmp_path: Path) -> None:
    maker = Maker(1, 3, 8, 8)
    maker.node(op, *inputs)
    refuse(maker, tmp_path, match)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e30])
def test_sizes_that_are_no_integers(number: float, tmp_path: Path) -> None:
    for op in ("Reshape", "Expand", "Tile"):
        maker = Maker(1, 3)
        maker.node(op, "x", maker.constant([1.0, number], floating=True))
        refuse(maker, tmp_path, "no integers of 64 bits" if op == "Reshape" else "", "CC706")
    maker = Maker(1, 3)
    ends = [maker.constant(value, floating=True) for value in (0.0, number, 1.0)]
    maker.node("Add", "x", maker.node("Range", *ends))
    refuse(maker, tmp_path, "its ends are")
    maker = Maker(1, 3)
    maker.node("Reshape", "x", maker.node("Gather", maker.constant([1, 3]), maker.constant([number], floating=True)))
    refuse(maker, tmp_path, "its indices are no integers")


def test_what_an_output_makes_too_large(tmp_path: Path) -> None:
    maker = Maker(1, 2**62, 8, 8)
    assert refused(maker.model("x").SerializeToString(), tmp_path)[0] == "CC212"


def test_an_input_that_is_too_large_for_a_spec(tmp_path: Path) -> None:
    maker = Maker(1, 2**40, 4, 4, 2**40)
    pooled = maker.node("GlobalAveragePool", "x")
    assert refused(maker.model(pooled).SerializeToString(), tmp_path)[0] == "CC212"


def test_an_input_that_is_an_output_too_is_no_weight(tmp_path: Path) -> None:
    maker = Maker(4, 3, 3, 3)
    maker.node("Conv", maker.weight(1, 3, 8, 8), "x")
    assert [node.name for node in maker.load(tmp_path, "x").nodes] == ["input", "identity"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(written_message(2, b"") * MOST_WORK, marks=pytest.mark.slow),
        written_message(7, written_message(1, b"") * MOST_WORK),
        pytest.param(
            written_message(7, written_message(1, written_message(1, b"x") * MOST_WORK)), marks=pytest.mark.slow
        ),
        pytest.param(
            written_message(7, written_message(1, written_message(5, written_message(8, bytes(MOST_WORK))))),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            written_message(7, written_message(11, written_message(2, b"")) * (MOST_WORK // 8)), marks=pytest.mark.slow
        ),
    ],
    ids=["producer", "nodes", "inputs", "integers", "infos"],
)
def test_more_fields_than_are_read(content: bytes, tmp_path: Path) -> None:
    code, message = refused(content, tmp_path)
    assert code == "CC004" and re.search(r"more than (3,000,000|1,000,000) fields", message)


def test_a_field_that_stands_again_and_again_is_refused_soon(tmp_path: Path) -> None:
    """Two millions of them took 340 MB; what one message keeps is bounded by itself."""
    content = written_message(2, b"a") * (MOST_FIELDS + 1)
    assert refused(content, tmp_path) == ("CC004", "more than 1,000,000 fields in one message")


def test_more_kinds_of_fields_than_there_are(tmp_path: Path) -> None:
    content = b"".join(written_message(number, b"") for number in range(1, 2000))
    assert refused(content, tmp_path)[0] == "CC705"


def test_functions_that_grow(tmp_path: Path) -> None:
    """Each calls the next ten times."""
    maker = Maker(1, 3)
    maker.node("f0", "x", domain="mine")
    model = maker.model("t0")
    for n in range(8):
        op, domain = (f"f{n + 1}", "mine") if n < 7 else ("Relu", "")
        body = [helper.make_node(op, ["a" if i == 0 else f"b{i}"], [f"b{i + 1}"], domain=domain) for i in range(10)]
        model.functions.append(
            helper.make_function("mine", f"f{n}", ["a"], ["b10"], body, [helper.make_opsetid("mine", 1)])
        )
    code, message = refused(model.SerializeToString(), tmp_path)
    assert code == "CC004" and "where its functions are written out" in message


def large_model() -> onnx.ModelProto:
    """Weights inside the file, in initialisers, in a Constant and in a subgraph."""
    maker = Maker(1, 256)
    weight = helper.make_tensor("w", TensorProto.FLOAT, [256, 256], bytes(4 * 256 * 256), raw=True)
    floats = helper.make_tensor("v", TensorProto.FLOAT, [256, 256], [0.5] * 256 * 256)
    maker.tensors += [weight, floats]
    made = maker.node("MatMul", maker.node("MatMul", "x", "w"), "v")
    held = helper.make_tensor("c", TensorProto.FLOAT, [256, 256], bytes(4 * 256 * 256), raw=True)
    maker.node("MatMul", made, maker.node("Constant", value=held))
    return maker.model(maker.nodes[-1].output[0])


def test_a_large_file_is_read_without_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    content = large_model().SerializeToString()
    path.write_bytes(content)
    whole = load_onnx(str(path))
    monkeypatch.setattr(load, "SKIMMED", 1000)
    short = load_onnx(str(path))
    assert whole.nodes == short.nodes and len(whole.nodes) == 4
    light = skimmed(io.BytesIO(content), len(content))
    assert len(light) < 3 * LARGE + 2000 < len(content)
    assert parse_model(light).graph is not None


def test_a_file_that_is_truncated_while_it_is_read() -> None:
    content = large_model().SerializeToString()
    for stop in range(0, len(content), 7919):
        with pytest.raises(Damaged, match="ends"):
            skimmed(io.BytesIO(content[:stop]), len(content))


def test_a_large_file_has_a_limit_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skim, "MOST_COPIED", 1000)
    content = written_message(2, bytes(2000))
    with pytest.raises(Excessive, match="beside the weights"):
        skimmed(io.BytesIO(content), len(content))


def asking() -> Maker:
    """A model with an operator whose shape only the onnx package knows."""
    maker = Maker(1, 8, 5, 5)
    maker.node("GridSample", "x", maker.weight(1, 4, 6, 2))
    return maker


def test_shapes_are_inferred_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert asking().load(tmp_path).nodes[-1].shape == (8, 4, 6)


@pytest.mark.parametrize(
    ("program", "match"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it ends with SIGSEGV"),
        ("raise MemoryError", "it takes more than 512 MiB"),
        ("import time; time.sleep(60)", "infers no shapes of it in 1 seconds"),
    ],
)
def test_what_the_process_dies_of_is_a_finding(
    program: str, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "program.py"
    script.write_text(program)
    monkeypatch.setattr(inference, "PROGRAM", script)
    monkeypatch.setattr(inference, "PATIENCE", 1 if "sleep" in program else 30)
    refuse(asking(), tmp_path, match)


def limited_by(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Why the process ends that runs this code under the limits."""
    script = tmp_path / "program.py"
    script.write_text(f"{code}\n")
    monkeypatch.setattr(inference, "PROGRAM", script)
    monkeypatch.setattr(inference, "MOST_SECONDS", 1)
    with pytest.raises(Malformed) as caught:
        inference.Inference().outputs(Call(OnnxNode("GridSample", "", "", (), (), {}, {}), (), 17))
    return str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of processes are the system's")
def test_the_process_has_limits_of_memory_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "512 MiB" in limited_by("bytes(1 << 30)", tmp_path, monkeypatch)
    assert "SIGXCPU" in limited_by("while True: pass", tmp_path, monkeypatch)


def test_nothing_is_imported_from_the_folder_that_is_worked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert asking().load(tmp_path).nodes[-1].shape == (8, 4, 6)
