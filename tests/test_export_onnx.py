"""Exported ONNX graphs: checked, their shapes inferred, run by onnxruntime, read back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from convcalc import analyse, load, loads
from convcalc.export.onnx_graph import Weights
from convcalc.export.onnx_model import BATCH, onnx_model, onnx_pieces
from convcalc.findings import UsageError
from convcalc.language import gallery_names
from convcalc.language.write import write
from convcalc.network import Network, Node
from convcalc.onnx import load_onnx
from convcalc.reference import init, run
from convcalc.reference.running import generator
from tests.exported_layers import drawn_weights, layer_cases

SMALL = ("lenet5", "conv_autoencoder", "fsrcnn", "highway_conv", "textcnn", "dcgan_generator", "shufflenet_v2")
NOT_READ_BACK = {"highway": "1 - gate", "highway_conv": "1 - gate"}
"""Specs whose graph has an operator that is no layer of the language."""


def outputs(data: bytes, inputs: dict[str, Any]) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    read = {value.name for value in session.get_inputs()}
    return list(session.run(None, {name: x.astype(np.float32) for name, x in inputs.items() if name in read}))


def worst(found: Any, wanted: Any) -> float:
    """The largest difference over the largest value; infinite where shapes differ."""
    if found.shape != wanted.shape:
        return float("inf")
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    return float(
        np.where(same, 0, np.abs(found - wanted)).max() / np.abs(np.where(np.isfinite(wanted), wanted, 1)).max()
    )


def test_single_layers_have_the_references_values() -> None:
    ran = 0
    for label, network in layer_cases():
        weights = drawn_weights(network)
        try:
            data = onnx_model(network, lambda node: weights[node.name])  # noqa: B023
        except UsageError:
            continue
        onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
        rng = np.random.default_rng(1)
        inputs = {name: rng.standard_normal((2, *shape)) for name, shape in network.inputs.items()}
        (*_, last) = run(network, inputs, dtype="float64", weights=weights)
        assert worst(outputs(data, inputs)[0], last.output) < 1e-5, label
        ran += 1
    assert ran > 150


def test_other_weights_give_other_values() -> None:
    network = next(network for label, network in layer_cases() if label.startswith("conv2d "))
    inputs = {"input": np.random.default_rng(0).standard_normal((1, *network.nodes[0].shape))}
    drawn = [drawn_weights(network, seed) for seed in (0, 1)]
    first, second = (outputs(onnx_model(network, lambda n: one[n.name]), inputs)[0] for one in drawn)  # noqa: B023
    assert worst(first, second) > 0.1


@pytest.mark.parametrize("name", SMALL)
def test_seeded_networks_have_the_references_values(name: str) -> None:
    network = load(name)

    def weights_of(node: Any) -> Any:
        return init(node.layer, network.input_shapes(node), generator(7, node.name))

    inputs = {
        node.name: generator(7, node.name).standard_normal((1, *node.shape), np.float32)
        for node in network.nodes
        if node.layer is None
    }
    found = outputs(onnx_model(network, weights_of), inputs)
    wanted = {step.number: step.output for step in run(network, inputs, seed=7)}
    for y, output in zip(found, network.outputs, strict=True):
        assert worst(y, wanted[output.node]) < 2e-5


def test_what_onnx_cannot_say_is_refused_with_the_reason() -> None:
    layers = "[{parameter: {shape: [4]}}, {index_select: {dim: 0, count: 9}}]"
    with pytest.raises(UsageError, match="which positions it takes is not said"):
        onnx_model(loads(f"{{convcalc: 1, input: [3], layers: {layers}}}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery_names())
def test_graphs_infer_the_same_shapes_and_are_read_back(name: str, tmp_path: Path) -> None:
    network = load(name)
    data = onnx_model(network)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in [*inferred.graph.value_info, *inferred.graph.output]
    }
    for node in network.nodes[len(network.inputs) :]:
        assert shapes[node.name][1:] == list(node.shape), node.name
    for output in network.outputs:
        assert shapes[network.nodes[output.node].name][0] == BATCH
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    back = load_onnx(str(path))
    totals, again = (analyse(one).to_dict()["totals"] for one in (reached(network), back))
    assert (again["params"], again["buffers"]) == (totals["params"], totals["buffers"])
    assert again["macs"] == totals["macs"]
    if name not in NOT_READ_BACK:
        assert totals_of(loads(write(back))) == totals_of(back)


@pytest.mark.parametrize("drawn", [False, True], ids=["zero weights", "weights"])
def test_what_nothing_learns_comes_back_as_a_buffer(drawn: bool, tmp_path: Path) -> None:
    layers = "[{parameter: {shape: [3, 5, 5], learned: false}, name: mask}, {add: {}, from: [input, mask]}, batch_norm]"
    network = loads(f"{{convcalc: 1, input: [3, 5, 5], layers: {layers}}}")
    weights = drawn_weights(network)
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_model(network, (lambda node: weights[node.name]) if drawn else None))
    totals, again = (analyse(one).totals for one in (network, load_onnx(str(path))))
    assert (again.params, again.buffers) == (totals.params, totals.buffers) == (6, 75 + 7)


def totals_of(network: Network) -> Any:
    return analyse(network).to_dict()["totals"]


def reached(network: Network) -> Network:
    """The network without layers that lead to no output, which ONNX files are read without."""
    used = {output.node for output in network.outputs}
    for index in reversed(range(len(network.nodes))):
        if index in used:
            used.update(network.nodes[index].inputs)
    order = {old: new for new, old in enumerate(sorted(used))}
    nodes = tuple(
        network.nodes[n]._replace(inputs=tuple(order[source] for source in network.nodes[n].inputs))
        for n in sorted(used)
    )
    renamed = tuple(output._replace(node=order[output.node]) for output in network.outputs)
    return Network(network.name, nodes, renamed, {})


def test_zero_weights_take_no_room() -> None:
    network = load("vgg")
    assert len(onnx_model(network)) < 50_000
    assert analyse(network).to_dict()["totals"]["params"] > 100_000_000


@pytest.mark.slow
def test_the_pieces_are_what_the_library_writes() -> None:
    for name in ("lenet5", "resnet", "unet"):
        network = load(name)
        asked: list[str] = []

        def weights_of(node: Node) -> Weights:
            asked.append(node.name)  # noqa: B023
            return init(node.layer, network.input_shapes(node), generator(1, node.name))  # type: ignore[arg-type] # noqa: B023

        pieces = onnx_pieces(network, weights_of)
        first = next(pieces)
        assert asked == [], "nothing is drawn before it is written"
        data = first + b"".join(pieces)
        read = onnx.load_model_from_string(data)
        assert onnx.load_model_from_string(read.SerializeToString()) == read and read.ByteSize() == len(data)
        assert len(asked) == len(set(asked)), "a layer is drawn once"


def test_weights_that_do_not_fit_into_a_file_are_refused() -> None:
    network = loads("{convcalc: 1, input: [40000], layers: [{linear: {out: 40000}}]}")
    with pytest.raises(UsageError, match="6,400,160,000 bytes"):
        onnx_model(network, lambda node: {})
    assert onnx_model(network)


def test_an_input_that_is_an_output_is_refused() -> None:
    network = loads("{convcalc: 1, input: [4], layers: [relu], outputs: [input, relu]}")
    with pytest.raises(UsageError, match="pass an input on"):
        onnx_model(network)


def test_without_onnx_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError) as caught:
        onnx_model(load("lenet5"))
    assert caught.value.hint == 'pip install "convcalc[onnx]"'
