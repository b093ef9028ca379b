"""Whole files: those that the onnx package ships and recorded exports of both PyTorch exporters.

The recorded shapes are onnxruntime's; totals are PyTorch's. See tests/oracle/onnx/facts.json.gz.
"""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest

from convcalc.analysis.report import analyse
from convcalc.findings import SpecError, UsageError
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.network import Network
from convcalc.onnx import load_onnx

from .onnx_models import (
    FACTS,
    LIGHT,
    PACKAGED,
    SMALL,
    conversion_of,
    inferred_shapes,
    recorded,
    shapes_of,
    weight_elements,
)

LIGHT_TOTALS = {
    "light_bvlc_alexnet.onnx": (60_965_224, 654_560_384),
    "light_inception_v1.onnx": (6_998_552, 1_431_556_352),
    "light_resnet50.onnx": (25_557_032, 4_089_184_256),
    "light_squeezenet.onnx": (1_235_496, 349_151_936),
    "light_vgg19.onnx": (143_667_240, 19_632_062_464),
}
"""Params and MACs of the files whose network has published totals."""

CONSTANT = {"simple/test_sequence_model6/model.onnx"}
"""It puts out the length of a sequence."""
OPEN = {"simple/test_sequence_model8/model.onnx"}
"""Its input's size is open."""


def matching(found: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]) -> int:
    """How many tensors both know; all of them must agree."""
    common = found.keys() & wanted.keys()
    assert {name: found[name] for name in common} == {name: wanted[name] for name in common}
    return len(common)


def batch_norms(network: Network) -> int:
    return sum(node.kind == "batch_norm" for node in network.nodes)


def assert_same_as_written(network: Network) -> None:
    """The YAML of a network gives its report."""
    again = loads(write(network))
    assert [(n.kind, n.layer, n.inputs, n.shape) for n in again.nodes] == [
        (n.kind, n.layer, n.inputs, n.shape) for n in network.nodes
    ]
    assert [output.node for output in again.outputs] == [output.node for output in network.outputs]
    assert analyse(again).totals == analyse(network).totals


@pytest.mark.parametrize("name", LIGHT)
def test_light_files(name: str) -> None:
    path = PACKAGED / "light" / name
    data = path.read_bytes()
    model = onnx.load_from_string(data)
    assert matching(shapes_of(conversion_of(data)), inferred_shapes(model)) >= len(model.graph.node) - 4
    network = load_onnx(str(path))
    totals = analyse(network).totals
    assert totals.params + totals.buffers - batch_norms(network) == weight_elements(model)
    assert not [node.kind for node in network.nodes if node.kind == "opaque"]
    if name in LIGHT_TOTALS:
        assert (totals.params, totals.macs) == LIGHT_TOTALS[name]
    assert_same_as_written(network)


@pytest.mark.parametrize("name", FACTS)
def test_recorded_exports(name: str, tmp_path: Path) -> None:
    facts, data = FACTS[name], recorded(name)
    model = onnx.load_from_string(data)
    wanted = {tensor: tuple(shape) for tensor, shape in facts["outputs"].items()}
    assert matching(shapes_of(conversion_of(data)), wanted) == len(wanted)
    path = tmp_path / name
    path.write_bytes(data)
    network = load_onnx(str(path))
    totals = analyse(network, facts["batch"]).totals
    assert totals.macs == facts["macs"]
    assert totals.params + totals.buffers - batch_norms(network) == weight_elements(model)
    if "kept" in facts["exporter"]:
        assert totals.params == facts["params"]
    assert not [node.kind for node in network.nodes if node.kind == "opaque"]
    folded = [
        int(re.sub(r".*: ([\d,]+) parameters fewer", r"\1", note.message).replace(",", "")) for note in network.notes
    ]
    assert [note.code for note in network.notes] == ["CC709"] * len(folded)
    assert totals.params + sum(folded) == facts["params"]
    assert_same_as_written(network)


@pytest.mark.parametrize("name", SMALL)
def test_small_files(name: str) -> None:
    path = PACKAGED / name
    if name in CONSTANT:
        with pytest.raises(SpecError, match="no output depends on an input"):
            load_onnx(str(path))
    elif name in OPEN:
        with pytest.raises(UsageError, match="leaves the size"):
            load_onnx(str(path))
    else:
        data = path.read_bytes()
        matching(shapes_of(conversion_of(data)), inferred_shapes(onnx.load_from_string(data)))
        analyse(load_onnx(str(path))).to_dict()


def test_a_wrong_shape_is_found() -> None:
    with pytest.raises(AssertionError):
        matching({"a": (1, 2)}, {"a": (1, 3)})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_operator_of_the_standard(tmp_path: Path) -> None:
    """The standard's own test cases, one operator each: every shape that is given is the one that they compute."""
    from onnx.backend.test.case.node import collect_testcases

    read = refused = 0
    for case in collect_testcases(None):
        if case.model is None or not case.data_sets:
            continue
        data = case.model.SerializeToString()
        path = tmp_path / "case.onnx"
        path.write_bytes(data)
        try:
            load_onnx(str(path))
        except (SpecError, UsageError):
            refused += 1
            continue
        read += 1
        names = [info.name for info in case.model.graph.output]
        shapes = shapes_of(conversion_of(data))
        for name, value in zip(names, case.data_sets[0][1], strict=False):
            if name in shapes and hasattr(value, "shape"):
                assert shapes[name] == value.shape, case.name
    assert read > 1200 and refused < read // 3, (read, refused)
