"""Names and groups of layers, from what exporters leave in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from convcalc.language import loads
from convcalc.language.write import write
from convcalc.language.write_blocks import write_blocks
from convcalc.limits import NAME_CHARACTERS
from convcalc.onnx import load_onnx
from convcalc.onnx.scopes import SCOPES

from .onnx_models import PACKAGED, Maker, recorded


def names_of(tmp_path: Path, name: str) -> list[str]:
    path = tmp_path / name
    path.write_bytes(recorded(name))
    return [node.name for node in load_onnx(str(path)).nodes]


def test_modules_of_pytorch(tmp_path: Path) -> None:
    names = names_of(tmp_path, "resnet18.onnx")
    assert names[:8] == ["input", "conv1", "bn1", "relu", "maxpool", "layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu"]
    assert names[8:12] == ["layer1.0.conv2", "layer1.0.bn2", "layer1.0.add", "layer1.0.relu_2"]
    assert "layer2.0.downsample.0" in names and names[-1] == "fc"


def test_names_of_weights_where_nodes_say_nothing(tmp_path: Path) -> None:
    names = names_of(tmp_path, "googlenet_dynamo.onnx")
    assert names[1:4] == ["conv1.conv", "conv1.relu", "max_pool2d"]
    assert "inception3a.branch2.0.conv" in names and "inception3a.branch2.0.relu" in names
    assert "inception3a.concat" in names and names[-1] == "fc"


def test_scopes_of_the_dynamo_exporter(tmp_path: Path) -> None:
    maker = Maker(1, 3, 8, 8)
    for position, scope in enumerate(("'stem', 'stem.0'", "'stem', 'stem.1'", "'head'")):
        source = "x" if not position else f"t{position - 1}"
        maker.node("Relu", source, name=f"node_relu_{position}")
        maker.nodes[-1].metadata_props.add(key=SCOPES, value=f"['', {scope}, 'relu']")
    assert [node.name for node in maker.load(tmp_path).nodes] == ["input", "stem.0", "stem.1", "head"]


def test_a_convolution_is_called_by_its_weights_where_a_batch_norm_was_folded_into_it(tmp_path: Path) -> None:
    maker = Maker(1, 3, 8, 8)
    for name, shape in (("stem.conv.weight", (4, 3, 1, 1)), ("stem.conv.weight_bias", (4,))):
        maker.tensors.append(TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT))
    conv = maker.node("Conv", "x", "stem.conv.weight", "stem.conv.weight_bias", name="node_Conv_1")
    maker.nodes[-1].metadata_props.add(key=SCOPES, value="['', 'stem', 'stem.bn', 'batch_norm']")
    maker.node("Relu", conv, name="node_relu")
    maker.nodes[-1].metadata_props.add(key=SCOPES, value="['', 'stem', 'stem.act', 'relu']")
    maker.node("Relu", "t1", name="node_relu_1")
    maker.nodes[-1].metadata_props.add(key=SCOPES, value="['', 'head', 'relu']")
    assert [node.name for node in maker.load(tmp_path).nodes] == ["input", "stem.conv", "stem.act", "head"]


def test_a_dot_between_slashes_is_part_of_a_name(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    first = maker.node("Relu", "x", name="mobilenetv2_1.00_224/Conv1_relu/Relu6")
    maker.node("Sigmoid", first, name="mobilenetv2_1.00_224/out/Sigmoid")
    names = [node.name for node in maker.load(tmp_path).nodes]
    assert not any("00_224_1" in name or name.startswith("00_") for name in names), names


def chain(tmp_path: Path, *names: str) -> list[str]:
    """Names of a chain of activations whose nodes are called so."""
    maker = Maker(1, 3, 8, 8)
    source = "x"
    for name in names:
        source = maker.node("Relu", source, name=name)
    return [node.name for node in maker.load(tmp_path, source).nodes][1:]


def test_operators_of_tensorflow_are_no_modules(tmp_path: Path) -> None:
    model = "StatefulPartitionedCall/mobilenetv2_1.00_224"
    names = ("Conv1/Conv2D", "bn_Conv1/FusedBatchNormV3", "Conv1_relu/Relu6", "fork/add", "fork_add/add_1")
    found = ["Conv1", "bn_Conv1", "Conv1_relu", "fork.add", "fork_add"]
    assert chain(tmp_path, *[f"{model}/{name}" for name in names]) == found


def test_numbered_beginnings_of_names_are_parts(tmp_path: Path) -> None:
    names = [f"res{stage}_{block}_conv{n}" for stage in (2, 3) for block in (0, 1) for n in (1, 2)]
    assert chain(tmp_path, "conv1", *names, "pred") == ["conv1", *[name.replace("_", ".") for name in names], "pred"]
    blocks = [f"block_{block}_{layer}" for block in (1, 2) for layer in ("expand", "project")]
    assert chain(tmp_path, *blocks) == ["block_1.expand", "block_1.project", "block_2.expand", "block_2.project"]


def test_beginnings_that_stand_apart_or_alone_are_no_parts(tmp_path: Path) -> None:
    apart = ("conv1_a", "conv2_a", "conv1_b", "conv2_b")
    alone = ("stage1_a", "stage1_b", "head_a")
    single = ("res1_a", "res2_a", "res3_a")
    for names in (apart, alone, single):
        assert chain(tmp_path, *names) == list(names)


def test_names_of_caffe2_give_the_stages_of_a_resnet(tmp_path: Path) -> None:
    network = load_onnx(str(PACKAGED / "light" / "light_resnet50.onnx"))
    names = [node.name for node in network.nodes]
    assert names[5:9] == [
        "res2.0.branch2a.conv2d",
        "res2.0.branch2a.batch_norm",
        "res2.0.relu",
        "res2.0.branch2b.conv2d",
    ]
    text = write_blocks(network)
    assert "- {res: {width: 256, s: 2 if index == 0 else 1}, name: res4, repeat: 6}" in text
    assert text.count("\n") <= 33


def test_groups_stand_together(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(recorded("googlenet.onnx"))
    network = load_onnx(str(path))
    group = network.groups["inception3a"]
    assert network.nodes[group.output].name == "inception3a.concat" and group.stop - group.start == 20
    for path_, found in network.groups.items():
        inside = [i for i, node in enumerate(network.nodes) if node.name.startswith(f"{path_}.")]
        assert inside == list(range(found.start, found.stop)), path_


def test_an_interrupted_group_becomes_flat(tmp_path: Path) -> None:
    maker = Maker(1, 3)
    first = maker.node("Relu", "x", name="a.b")
    second = maker.node("Relu", first, name="c")
    maker.node("Relu", second, name="a.d")
    assert [node.name for node in maker.load(tmp_path).nodes] == ["input", "a_b", "c", "a_d"]


PATH = st.lists(
    st.sampled_from(["a", "b", "0", "1", "in", "total", "x y", "é", "a.0", "-", "", ".", "a_1"]), max_size=4
)


@settings(max_examples=80)
@given(st.lists(PATH, min_size=1, max_size=8))
def test_any_names(tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]) -> None:
    """Whatever nodes are called, paths are unique, allowed, and those of a group stand together."""
    maker = Maker(1, 3)
    before = "x"
    for position, path in enumerate(paths):
        maker.nodes.append(helper.make_node("Relu", [before], [f"t{position}"], name="/".join(["", *path, "Relu"])))
        before = f"t{position}"
    network = maker.load(tmp_path_factory.getbasetemp(), before)
    names = [node.name for node in network.nodes]
    assert len(set(names)) == len(names) and not set(names) & network.groups.keys()
    for part in (part for name in names[1:] for part in name.split(".")):
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", part)
        assert part not in ("in", "input", "index", "total")
    for path_, found in network.groups.items():
        inside = [i for i, name in enumerate(names) if name.startswith(f"{path_}.")]
        assert inside == list(range(found.start, found.stop))


@pytest.mark.parametrize(
    "names",
    [
        ["a" * 300 + "/b", "a" * 300 + "/b", "a" * 300 + "c/b", "q"],
        [
            "/".join(chr(97 + level) * 150 for level in range(20)),
            "/".join(chr(97 + level) * 150 for level in range(20)),
        ],
        ["a" * 99 + "/b", "c", "a" * 99 + "/d", "a" * 99 + "_b", "1" * 300],
    ],
)
def test_names_are_no_longer_than_names_may_be(names: list[str], tmp_path: Path) -> None:
    maker = Maker(1, 4)
    tensor = "x"
    for name in names:
        tensor = maker.node("Relu", tensor, name=name)
    network = maker.load(tmp_path, tensor)
    found = [node.name for node in network.nodes]
    assert len(set(found)) == len(found)
    assert all(len(part) <= NAME_CHARACTERS for name in found for part in name.split("."))
    assert [node.kind for node in loads(write(network)).nodes] == [node.kind for node in network.nodes]
