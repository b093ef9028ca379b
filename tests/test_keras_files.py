"""Files of Keras: archives that are right, damaged and hostile, HDF5 files, and what the commands make of them."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcalc import SpecError, UsageError, analyse, diff, load
from convcalc.keras import load_keras
from convcalc.keras.configuration import MOST_BYTES, MOST_VALUES
from convcalc.models.archive import MOST_DIRECTORY
from convcalc.models.document import DEEPEST
from convcalc.reference import run as run_reference
from tests.exported_layers import drawn_weights

from .command import run
from .keras_records import configuration


def archive(members: dict[str, bytes | str], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as writer:
        for name, data in members.items():
            writer.writestr(name, data)
    return file.getvalue()


def saved(folder: Path, content: bytes | str, name: str = "model.keras") -> str:
    """A file with this content: bytes as they are, a text as the configuration of an archive."""
    data = content if isinstance(content, bytes) else archive({"metadata.json": "{}", "config.json": content})
    (folder / name).write_bytes(data)
    return str(folder / name)


def chain(*layers: dict[str, Any]) -> str:
    """A sequential model of Keras 3 on [6, 5, 3]: class, name and settings of each layer."""
    items: list[dict[str, Any]] = [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 6, 5, 3], "name": "x"}}
    ]
    for number, layer in enumerate(layers):
        settings = {"name": f"layer{number}", **{key: value for key, value in layer.items() if key != "class"}}
        items.append({"module": "keras.layers", "class_name": layer["class"], "config": settings})
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": items}}
    return json.dumps(model)


CONV = {"class": "Conv2D", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_is_read_stored_and_deflated(tmp_path: Path, method: int) -> None:
    content = archive({"config.json": chain(CONV), "model.weights.h5": b"\0" * 10_000}, method)
    network = load(saved(tmp_path, content))
    assert (network.name, network.nodes[-1].shape, network.nodes[-1].name) == ("net", (4, 3, 3), "layer0")
    assert network.inputs == {"input": (3, 6, 5)}
    assert network.source == "model.keras: Keras"


def test_a_file_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    assert len(load(saved(tmp_path, chain(CONV), "model.h5"))) == 1


def refused(folder: Path, content: bytes | str) -> tuple[str, str]:
    with pytest.raises(SpecError) as caught:
        load_keras(saved(folder, content))
    (finding,) = caught.value.findings
    return finding.code, f"{finding.where}: {finding.message}"


def damaged(change: str) -> bytes:
    """An archive of one member in which something is wrong."""
    data = bytearray(archive({"config.json": chain(CONV)}))
    end = data.rfind(b"PK\x05\x06")
    entry = data.rfind(b"PK\x01\x02")
    if change == "encrypted":
        data[entry + 8] |= 1
    elif change == "method":
        data[entry + 10] = 12
    elif change == "checksum":
        data[entry + 16] ^= 1
    elif change == "offset":
        data[entry + 42 : entry + 46] = struct.pack("<L", 7)
    elif change == "size":
        data[entry + 20 : entry + 24] = struct.pack("<L", 1 << 31)
    elif change == "list":
        data[entry] = 0
    elif change == "directory":
        data[end + 12 : end + 16] = struct.pack("<L", MOST_DIRECTORY + 1)
    elif change == "far":
        data[end + 16 : end + 20] = struct.pack("<L", 1 << 30)
    elif change == "wide":
        data[end + 12 : end + 20] = b"\xff" * 8
    elif change == "cut":
        del data[end + 10 :]
    return bytes(data)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("encrypted", "CC715", "config.json is encrypted"),
        ("method", "CC715", "packed by method 12"),
        ("checksum", "CC715", "its checksum differs"),
        ("offset", "CC715", "not where the list says"),
        ("size", "CC004", "more than 33,554,432"),
        ("list", "CC715", "the list of its members is damaged"),
        ("directory", "CC004", "the list of its members takes 1,048,577 bytes"),
        ("far", "CC715", "it is cut off"),
        ("wide", "CC715", "the end of the archive is missing"),
        ("cut", "CC715", "the end of the archive is missing"),
    ],
)
def test_damaged_archives_are_findings(tmp_path: Path, change: str, code: str, said: str) -> None:
    found, message = refused(tmp_path, damaged(change))
    assert found == code and said in message


def test_a_member_that_unpacks_to_more_than_it_claims_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"config.json": b" " * (MOST_BYTES + 10)}, zipfile.ZIP_DEFLATED))
    assert len(data) < 1 << 20
    entry = data.rfind(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<L", 100)
    assert refused(tmp_path, bytes(data)) == ("CC004", ": config.json unpacks to more than 33,554,432 bytes")


def test_a_small_file_of_millions_of_values_is_refused_before_they_are_read(tmp_path: Path) -> None:
    data = archive({"config.json": b'{"a": [' + b"[]," * (MOST_VALUES // 2) + b"[]]}"}, zipfile.ZIP_DEFLATED)
    assert len(data) < 1 << 14
    assert refused(tmp_path, data) == ("CC004", ": its JSON has more than 1,000,000 values and keys")


def test_a_deflated_member_that_is_cut_off_or_no_stream_is_refused(tmp_path: Path) -> None:
    whole = bytearray(archive({"config.json": chain(CONV)}, zipfile.ZIP_DEFLATED))
    short, wrong = bytearray(whole), bytearray(whole)
    entry = whole.rfind(b"PK\x01\x02")
    short[entry + 20 : entry + 24] = struct.pack("<L", 20)
    wrong[41:45] = b"\xff" * 4
    assert refused(tmp_path, bytes(short)) == ("CC715", ": config.json is cut off")
    assert refused(tmp_path, bytes(wrong)) == ("CC715", ": config.json does not unpack")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a zip archive"),
        (b"GIF89a............", "neither a zip archive"),
        (archive({"weights": b"1"}), "an archive without config.json"),
        (archive({"../config.json": chain(CONV)}), "an archive without config.json"),
        (b"PK\x03\x04" + b"\0" * 40, "the end of the archive is missing"),
    ],
)
def test_what_is_no_file_of_keras_is_a_finding(tmp_path: Path, content: bytes, said: str) -> None:
    code, message = refused(tmp_path, content)
    assert code == "CC715" and said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("{", "it is no JSON"),
        ("[1]", "it is [1], not an object"),
        ("{}", "it has no class_name"),
        ('{"class_name": "Net", "config": {}}', "Net states no layers: a subclassed model keeps them in its code"),
        ('{"class_name": "Sequential", "config": {"layers": 3}}', "layers must be a list, not 3"),
        ('{"class_name": "Sequential", "config": {"layers": [3]}}', "a layer must be an object, not 3"),
        ('{"class_name": "Sequential", "config": {"layers": []}}', "sequential has no layers"),
        ("[" * 100_000, "nested deeper than"),
        ('{"class_name": "Sequential", "config": {"layers": ' + "[" * 300 + "]" * 300 + "}}", f"than {DEEPEST} levels"),
        ('{"class_name": "Sequential", "x": ' + "9" * 5000 + "}", "too long a number"),
        (chain({"class": "Conv2D", "filters": "4", "kernel_size": 3}), "layer0: filters must be a whole number"),
        (chain({"class": "Conv2D", "filters": 4, "kernel_size": [3]}), "kernel_size must have 2 values, not 1"),
        (chain({"class": "Conv2D", "filters": -4, "kernel_size": 3}), "out_channels must be at least 1, not -4"),
        (chain({"class": "Conv2D", "filters": 4, "kernel_size": 9}), "layer0: "),
        (chain({"class": "Conv2D", "filters": 4, "kernel_size": 3, "padding": "some"}), "must be valid or same"),
        (chain({"class": "Reshape", "target_shape": [7, 7]}), "the 90 numbers of [6, 5, 3] do not fit"),
        (chain({"class": "Permute", "dims": [1, 1, 2]}), "are not those of [6, 5, 3]"),
        (
            chain({"class": "Conv1D", "filters": 4, "kernel_size": 3}),
            "works on 1 space axes, and its input [6, 5, 3] has",
        ),
        (chain({"class": "Mystery"}), "the language has no Mystery, and nothing in the file says what it gives"),
        (chain({"class": "Activation", "activation": 3}), "activation must be a name, not 3"),
        (chain({"class": "BatchNormalization", "axis": 7}), "axis 7 of a tensor with 4 axes"),
        (chain({"class": "Dense", "units": 2**70}), "out_features"),
    ],
)
def test_what_is_no_model_is_a_finding_with_its_layer(tmp_path: Path, text: str, said: str) -> None:
    code, message = refused(tmp_path, text)
    assert code.startswith("CC") and said in message


def functional(layers: list[dict[str, Any]], inputs: list[Any], outputs: list[Any]) -> str:
    config = {"name": "net", "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.15.0"})


def old(kind: str, name: str, reads: list[Any], **settings: Any) -> dict[str, Any]:
    """A layer as Keras 2 writes it."""
    return {"class_name": kind, "config": {"name": name, **settings}, "name": name, "inbound_nodes": reads}


IMAGE = old("InputLayer", "image", [], batch_input_shape=[None, 6, 5, 3])


@pytest.mark.parametrize(
    ("layers", "outputs", "said"),
    [
        (
            [IMAGE, old("ReLU", "a", [[["b", 0, 0, {}]]]), old("ReLU", "b", [[["a", 0, 0, {}]]])],
            [["a", 0, 0]],
            "circle",
        ),
        (
            [IMAGE, old("ReLU", "a", [[["nowhere", 0, 0, {}]]])],
            [["a", 0, 0]],
            "nowhere: it is read, and the model has no",
        ),
        ([IMAGE, old("ReLU", "a", [[["image", 0, 0, {}]]])], [["a", 5, 0]], "its output of call"),
        ([IMAGE, old("ReLU", "a", [[["image", 0, 3, {}]]])], [["a", 0, 0]], "gives no such output"),
        ([IMAGE, old("ReLU", "a", [[["image", 0, 0, {}]]])], [["b", 0, 0]], "b: it is read"),
        ([IMAGE, old("ReLU", "a", [[["image"]]])], [["a", 0, 0]], "it reads nothing"),
        ([IMAGE, old("ReLU", "a", [3])], [["a", 0, 0]], "a call must be a list, not 3"),
        ([IMAGE], [], "net names no output_layers"),
    ],
)
def test_graphs_that_are_wrong_are_findings(tmp_path: Path, layers: list[Any], outputs: list[Any], said: str) -> None:
    code, message = refused(tmp_path, functional(layers, [["image", 0, 0]], outputs))
    assert code == "CC716" and said in message


def test_layers_that_double_in_models_in_models_are_refused_soon(tmp_path: Path) -> None:
    """Forty models, each of which calls the one inside it twice, would be a million million layers."""
    model: dict[str, Any] = {"class_name": "ReLU", "config": {"name": "r"}}
    for level in range(40):
        name = f"m{level}"
        inner = dict(model, name=model["config"]["name"])
        first = 1 if "layers" in inner["config"] else 0
        calls = [[["x", 0, 0, {}]], [[inner["name"], first, 0, {}]]]
        layers = [old("InputLayer", "x", [], batch_input_shape=[None, 4]), {**inner, "inbound_nodes": calls}]
        config = {
            "name": name,
            "layers": layers,
            "input_layers": [["x", 0, 0]],
            "output_layers": [[inner["name"], first + 1, 0]],
        }
        model = {"class_name": "Functional", "config": config}
    code, message = refused(tmp_path, json.dumps({**model, "keras_version": "2.15.0"}))
    assert code == "CC716" and "250,000 layers" in message


def test_open_sizes_are_asked_for_and_taken_in_either_order(tmp_path: Path) -> None:
    text = chain(CONV).replace("[null, 6, 5, 3]", "[null, null, null, 3]")
    path = saved(tmp_path, text)
    with pytest.raises(UsageError, match=r"the input 'x' has open sizes: \[3, \?, \?\]"):
        load(path)
    assert load(path, input=[3, 8, 6]).inputs == {"input": (3, 8, 6)} == load(path, input=[8, 6, 3]).inputs
    with pytest.raises(UsageError, match="has 3 axes"):
        load(path, input=[3, 8])
    with pytest.raises(UsageError, match="--set does not go with"):
        load(path, params={"classes": 3})


def test_what_is_no_file_is_said_as_for_other_files(tmp_path: Path) -> None:
    saved(tmp_path, chain(CONV), "resnet.keras")
    with pytest.raises(UsageError, match="there is no file") as caught:
        load(str(tmp_path / "resnt.keras"))
    assert "resnet.keras" in str(caught.value.hint)
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        load(str(tmp_path / "folder.keras"))
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(UsageError, match="is not a file"):
        load(str(tmp_path / "pipe.keras"))


def test_an_hdf5_file_without_h5py_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcalc.keras.h5.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        load(saved(tmp_path, b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "model.h5"))
    assert 'pip install "convcalc[h5]"' in str(caught.value.hint)


@pytest.mark.skipif(find_spec("h5py") is None, reason="needs h5py")
def test_hdf5_files_are_read_by_h5py_in_a_process_of_its_own(tmp_path: Path) -> None:
    import h5py  # type: ignore[import-not-found,unused-ignore]

    path = str(tmp_path / "model.h5")
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = configuration("applications", "VGG16")
    assert load(path).nodes[-1].shape == (1000,)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a"]
    assert refused_at(path) == ("CC715", "it holds no model_config: weights alone are no model")
    Path(path).write_bytes(b"\x89HDF\r\n\x1a\n" + b"\xff" * 100)
    assert refused_at(path) == ("CC715", "the h5py package cannot read it")


def refused_at(path: str) -> tuple[str, str]:
    with pytest.raises(SpecError) as caught:
        load(path)
    return caught.value.findings[0].code, caught.value.findings[0].message


def test_commands_take_a_file_of_keras(tmp_path: Path) -> None:
    path = saved(tmp_path, configuration("applications", "MobileNet"))
    spec = str(tmp_path / "net.yaml")
    table = run("table", path, "--format", "json")
    assert table.code == 0 and json.loads(table.stdout)["totals"]["params"] == 4_231_976
    done = run("import", path, "-o", spec)
    assert done.code == 0, done.stderr
    assert analyse(load(spec)).totals.params == 4_231_976
    assert run("check", path).code == 0 and run("check", spec).code == 0
    assert diff(path, spec).empty
    wrong = run("check", saved(tmp_path, b"x", "wrong.keras"))
    assert wrong.code == 1 and "CC715" in wrong.stdout


def test_what_the_language_cannot_say_is_said(tmp_path: Path) -> None:
    frozen = saved(tmp_path, configuration("layers", "frozen"), "frozen.keras")
    (note,) = load(frozen).notes
    assert (note.code, note.message) == ("CC717", "111 of the params are frozen (trainable: false)")
    (note,) = load(saved(tmp_path, configuration("layers", "conv_lstm_hard"))).notes
    assert note.code == "CC701" and note.hint == "the language has no ConvLSTM2D with tanh and hard_sigmoid"


def test_convolutional_lstms_give_their_last_state_or_all(tmp_path: Path) -> None:
    last = load(saved(tmp_path, configuration("layers", "conv_lstm")))
    assert [(node.kind, node.shape) for node in last.nodes[1:]] == [
        *(("permute", (5, 2, 8, 9)), ("conv_lstm2d", (5, 3, 8, 9)), ("select", (3, 8, 9))),
    ]
    every = load(saved(tmp_path, configuration("layers", "conv_lstm1d")))
    assert every.nodes[-1].kind == "conv_lstm1d" and every.nodes[-1].shape == (5, 3, 4)


@pytest.mark.parametrize("name", ["gru_reset_first", "gru_reset_first_both_ways"])
def test_a_gru_of_keras_that_resets_first_has_one_bias(name: str, tmp_path: Path) -> None:
    layer = load(saved(tmp_path, configuration("layers", name))).nodes[1].layer
    assert layer is not None and (layer.fields()["reset_after"], layer.fields()["biases"]) == (False, 1)


def test_attention_of_keras_is_causal_where_it_says_so(tmp_path: Path) -> None:
    for name in ("multi_head_causal", "multi_head_causal_alone", "attention_causal"):
        network = load(saved(tmp_path, configuration("layers", name)))
        found = [node.layer for node in network if node.kind == "scaled_dot_product_attention"]
        assert [layer.fields()["is_causal"] for layer in found if layer is not None] == [True]


@pytest.mark.parametrize(
    ("name", "mask"),
    [("multi_head_masked", (12, 12)), ("multi_head_masked_positions", (12,)), ("attention_masked", (9,))],
)
def test_what_a_mask_of_keras_leaves_out_changes_nothing(name: str, mask: tuple[int, ...], tmp_path: Path) -> None:
    """The last position is seen by none, so that its numbers may be any, but for what it asks itself."""
    network = load(saved(tmp_path, configuration("layers", name)))
    rng = np.random.default_rng(7)
    inputs = {key: rng.standard_normal((1, *shape)) for key, shape in network.inputs.items()}
    (values, *_), masks = (
        list(inputs),
        [key for key, shape in network.inputs.items() if shape in ((12, 12), (12,), (9,))],
    )
    values = values if name != "attention_masked" else list(inputs)[1]
    for key in masks:
        inputs[key] = np.ones_like(inputs[key])
        if inputs[key].shape[1:] == mask:
            inputs[key][..., -1] = 0
    weights = drawn_weights(network)

    def ran(changed: float) -> Any:
        given = {key: array.copy() for key, array in inputs.items()}
        given[values][:, -1] += changed
        (*_, last) = run_reference(network, given, dtype="float64", weights=weights)
        return last.output[0]

    rows = slice(None) if name == "attention_masked" else slice(0, -1)
    np.testing.assert_array_equal(ran(0.0)[rows], ran(3.0)[rows])
    for key in masks:
        inputs[key] = np.ones_like(inputs[key])
    assert not np.allclose(ran(0.0)[rows], ran(3.0)[rows])


def test_a_recurrent_layer_of_keras_has_one_bias(tmp_path: Path) -> None:
    network = load(saved(tmp_path, configuration("layers", "lstm")))
    assert [(node.kind, node.shape) for node in network.nodes[1:]] == [("lstm", (12, 5)), ("select", (5,))]
    assert network.nodes[1].layer is not None and network.nodes[1].layer.fields()["biases"] == 1
    both = load(saved(tmp_path, configuration("layers", "lstm_both_ways")))
    kinds = ["lstm", "select", "slice", "select", "slice", "concat"]
    assert [node.kind for node in both.nodes[1:]] == kinds and both.nodes[-1].shape == (10,)


def test_a_class_of_somebody_elses_stands_with_the_shape_that_what_reads_it_states(tmp_path: Path) -> None:
    layers = [
        IMAGE,
        old("my>Mystery", "odd", [[["image", 0, 0, {}]]]),
        {**old("Dense", "end", [[["odd", 0, 0, {}]]], units=2), "build_config": {"input_shape": [None, 7]}},
    ]
    network = load(saved(tmp_path, functional(layers, [["image", 0, 0]], [["end", 0, 0]])))
    assert [(node.kind, node.shape) for node in network] == [("opaque", (7,)), ("linear", (2,))]
    assert [note.code for note in network.notes] == ["CC701", "CC718"]
    assert network.notes[1].message == "weights that the configuration does not state are not counted: odd"
