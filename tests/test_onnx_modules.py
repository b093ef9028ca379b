"""Modules of PyTorch in ONNX files: both exporters give the names, blocks and repetitions that the model has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto

from convcalc.analysis.diff import diff
from convcalc.analysis.report import analyse
from convcalc.language.write_blocks import write_blocks
from convcalc.network import Network
from convcalc.onnx import load_onnx
from convcalc.onnx.scopes import CLASSES, NAMESPACE, SCOPES

from .onnx_models import RECORDED, Maker, recorded

CALLS: dict[str, Any] = json.loads((RECORDED / "modules.json").read_text())
KINDS = {"Conv2d": "conv2d", "BatchNorm2d": "batch_norm", "ReLU": "relu"}
FUNCTIONS = ("add", "sub", "parameter")
"""Kinds of layers that no module of the network makes."""


def network_of(name: str, folder: Path) -> Network:
    path = folder / name
    path.write_bytes(recorded(name))
    return load_onnx(str(path))


def called(network: Network) -> list[tuple[str, str]]:
    """(module, kind) of the layers that modules make, without what tells calls apart; lists of modules joined names."""
    own = [node for node in network.nodes if node.layer is not None and node.kind not in FUNCTIONS]
    return [(re.sub(r"_2(?=\.|$)", "", node.name).replace("levels_", "levels."), node.kind) for node in own]


@pytest.mark.parametrize("name", ["modules.onnx", "modules_dynamo.onnx"])
def test_layers_are_called_by_the_modules_that_pytorch_called(name: str, tmp_path: Path) -> None:
    network = network_of(name, tmp_path)
    expected = [(module, KINDS[cls]) for module, cls in CALLS["calls"]]
    if "dynamo" in name:
        expected = [(module, kind) for module, kind in expected if kind != "batch_norm"]
    assert called(network) == expected


def test_what_the_older_exporter_leaves_as_it_is_has_all_parameters(tmp_path: Path) -> None:
    network = network_of("modules.onnx", tmp_path)
    assert analyse(network).totals.params == CALLS["params"]


@pytest.mark.parametrize(("name", "block"), [("modules.onnx", "layer"), ("modules_dynamo.onnx", "residual")])
def test_stages_are_repetitions_of_one_block(name: str, block: str, tmp_path: Path) -> None:
    text = write_blocks(network_of(name, tmp_path))
    assert f"- {{{block}: {{out: 8}}, name: layer1, repeat: 3}}" in text
    assert f"- {{{block}: {{out: 16, s: 2 if index == 0 else 1}}, name: layer2, repeat: 3}}" in text
    assert "- {head: {}, share: head}" in text
    assert "params: {out: ~, s: 1, downsample: in_channels != out}" in text


def test_two_exports_of_one_model_differ_by_folded_norms_alone(tmp_path: Path) -> None:
    found = diff(analyse(network_of("modules.onnx", tmp_path)), analyse(network_of("modules_dynamo.onnx", tmp_path)))
    kinds = {(layer.status, layer.kind) for layer in found.layers if layer.status != "same"}
    assert kinds == {("removed", "batch_norm"), ("changed", "conv2d")}


def test_classes_are_those_of_the_model_where_the_file_has_them(tmp_path: Path) -> None:
    network = network_of("modules_dynamo.onnx", tmp_path)
    kinds = {path: group.kind for path, group in network.groups.items()}
    assert kinds["layer1"] == "repeat" and kinds["layer1.0"] == kinds["layer2.2"] == "Residual"
    assert kinds["head"] == kinds["head_2"] == "Head" and kinds["stem"] == "layers"


def chain(folder: Path, *names: str, weights: tuple[str, ...] = ()) -> list[str]:
    """Names of a chain of convolutions of these names, with weights of these names."""
    maker = Maker(1, 3, 8, 8)
    source = "x"
    for position, name in enumerate(names):
        weight = weights[position] if weights else f"onnx::Conv_{position + 900}"
        if weight not in [tensor.name for tensor in maker.tensors]:
            maker.tensors.append(TensorProto(name=weight, dims=(3, 3, 1, 1), data_type=TensorProto.FLOAT))
        source = maker.node("Conv", source, weight, name=name)
    return [node.name for node in maker.load(folder, source).nodes][1:]


def test_a_number_behind_a_later_call_goes(tmp_path: Path) -> None:
    shared = ("head.conv.weight",) * 3
    names = ("/head/conv/Conv", "/head/conv_1/Conv", "/head/conv_2/Conv")
    assert chain(tmp_path, *names, weights=shared) == ["head.conv", "head.conv_2", "head.conv_3"]


def test_a_number_of_a_module_with_weights_of_its_own_stays(tmp_path: Path) -> None:
    own = ("head.conv.weight", "head.conv_1.weight")
    assert chain(tmp_path, "/head/conv/Conv", "/head/conv_1/Conv", weights=own) == ["head.conv", "head.conv_1"]
    assert chain(tmp_path, "/head/conv/Conv", "/head/conv_1/Conv") == ["head.conv", "head.conv_1"]
    assert chain(tmp_path, "/a/conv_1/Conv", "/a/conv_2/Conv") == ["a.conv_1", "a.conv_2"]


def test_a_module_that_is_entered_again_is_called_again(tmp_path: Path) -> None:
    names = ("/a/b/Conv", "/c/Conv", "/a/b_1/Conv", "/a/d/Conv")
    assert chain(tmp_path, *names) == ["a.b", "c", "a_2.b_1", "a_2.d"]


def written(folder: Path, *scopes: tuple[str, str], key: str = SCOPES, bias: bool = False) -> list[str]:
    """Names of a chain of convolutions in these (scopes, classes), whose weights are w.conv, w.conv2, …"""
    maker = Maker(1, 3, 8, 8)
    source = "x"
    for position, (names, classes) in enumerate(scopes):
        stem = f"w.conv{position + 1}"
        tensors = [(f"{stem}.weight", (3, 3, 1, 1)), *([(f"{stem}.weight_bias", (3,))] if bias else [])]
        for name, dims in tensors:
            maker.tensors.append(TensorProto(name=name, dims=dims, data_type=TensorProto.FLOAT))
        source = maker.node("Conv", source, *[name for name, _ in tensors], name=f"node_Conv_{position}")
        maker.nodes[-1].metadata_props.add(key=key, value=names)
        maker.nodes[-1].metadata_props.add(key=CLASSES, value=classes)
    return [node.name for node in maker.load(folder, source).nodes][1:]


def test_a_convolution_in_the_scope_of_a_norm_is_called_by_its_weights(tmp_path: Path) -> None:
    conv, norm = "['N', 'B', 'torch.nn.modules.conv.Conv2d', 'aten']", "['N', 'B', 'torch.nn.BatchNorm2d', 'aten']"
    assert written(tmp_path, ("['', 'w', 'w.bn', 'bn']", norm), ("['', 'w', 'w.bn2', 'bn_1']", norm)) == [
        "w.conv1",
        "w.conv2",
    ]
    assert written(tmp_path, ("['', 'w', 'w.bn', 'bn']", ""), bias=True) == ["w.conv1"]
    assert written(tmp_path, ("['', 'w', 'w.a', 'conv']", conv), ("['', 'w', 'w.b', 'conv_1']", conv)) == ["w.a", "w.b"]


def test_neighbouring_calls_of_one_module_are_told_apart(tmp_path: Path) -> None:
    conv = "['N', 'torch.nn.modules.conv.Conv2d', 'aten.conv2d.default']"
    assert written(tmp_path, ("['', 'head', 'conv2d']", conv), ("['', 'head', 'conv2d_1']", conv)) == [
        "head",
        "head_2",
    ]
    other = "['N', 'torch.nn.modules.conv.Conv2d', 'aten.pad.default']"
    assert written(tmp_path, ("['', 'head', 'pad']", other), ("['', 'head', 'conv2d']", conv)) == [
        "head.conv2d",
        "head.conv2d_2",
    ]


def test_namespaces_say_it_where_scopes_are_missing(tmp_path: Path) -> None:
    names = [f": N/layer1: torch.nn.Sequential/layer1.{n}: torch.nn.Conv2d/conv2d: aten.conv2d.default" for n in (0, 1)]
    assert written(tmp_path, *[(name, "") for name in names], key=NAMESPACE) == ["layer1.0", "layer1.1"]


def test_a_parameter_that_was_computed_with_is_called_by_its_name(tmp_path: Path) -> None:
    network = network_of("modules_dynamo.onnx", tmp_path)
    assert [node.name for node in network.nodes if node.kind == "parameter"] == ["shift"]


@pytest.mark.parametrize(
    ("name", "lines", "repeats"),
    [
        ("resnet18.onnx", 32, 4),
        ("resnet18_dynamo.onnx", 26, 4),
        ("mobilenet_v2.onnx", 46, 0),
        ("googlenet.onnx", 42, 0),
    ],
)
def test_imports_are_short(name: str, lines: int, repeats: int, tmp_path: Path) -> None:
    text = write_blocks(network_of(name, tmp_path))
    assert text.count("\n") <= lines and text.count("repeat: 2") == repeats


def test_names_of_weights_give_blocks_where_nodes_say_nothing(tmp_path: Path) -> None:
    """The recorded file has lost its metadata: sums and activations are told by where paths part."""
    network = network_of("mobilenet_v2_dynamo.onnx", tmp_path)
    assert network.groups["features.3"].kind == network.groups["features.17"].kind == "features"
    names = [node.name for node in network.nodes]
    assert "features.3.add" in names and "features.3.conv.0.relu6" in names and "features.2.add" not in names
