"""What names a model in code, and what is said where it is not to be run; nothing here needs PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc import SpecError, UsageError, check, load
from convcalc.cli.options import read_arguments, read_devices, read_inputs, read_run
from convcalc.torch.spec import ModelSpec, argument, choice, model_spec
from convcalc.torch.tape import Call, Ref, Scope, Tape, Tensor, from_json, refs, to_json

from .command import run

NET = """
from torch import nn

class Block(nn.Module):
    def forward(self, x):
        return x

class Net(nn.Module):
    def forward(self, x):
        return x

class Options:
    width = 3
"""


@pytest.mark.parametrize(
    ("text", "module", "attribute"),
    [
        ("torchvision.models:resnet18", "torchvision.models", "resnet18"),
        ("./net.py:Net", "./net.py", "Net"),
        ("nets/a b/net.py:Net", "nets/a b/net.py", "Net"),
        ("net:Net.backbone.0", "net", "Net.backbone.0"),
    ],
)
def test_a_model_in_code_is_named_by_its_module_and_its_attribute(text: str, module: str, attribute: str) -> None:
    assert model_spec(text) == ModelSpec(module, attribute)


@pytest.mark.parametrize(
    "text",
    ["net.yaml", "resnet", "git:main:net.py:Net", "C:/nets/net.yaml", "./net.py", "net.py:", ":Net", "a:b c", "-"],
)
def test_what_names_no_model_in_code(text: str) -> None:
    assert model_spec(text) is None


def test_a_file_whose_name_has_a_colon_stays_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net:Net").write_text("{convcalc: 1, input: [3, 8, 8], layers: [relu]}")
    assert model_spec("net:Net") is None
    assert load("net:Net").inputs == {"input": (3, 8, 8)}


@pytest.mark.parametrize(
    "text", ["run.sqlite:x", "run.sqlite:", "run.sqlite:-1", "run.sqlite:1.5", "run.sqlite:best.one"]
)
def test_a_run_has_rows_and_no_models(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_spec("run.sqlite:x") is None, "nothing of its name is imported"
    assert run("sweep", "lenet5", "--input", "1,32,32;1,36,36", "-o", "run.sqlite").code == 0
    name = text.partition(":")[2]
    for command in ("table", "sweep", "check", "explain"):
        done = run(command, text)
        assert done.code == 2, command
        assert f"error: '{name}' is no row of 'run.sqlite'\n  hint: a row is named by its number: run.sqlite:17" in (
            done.stderr + done.stdout
        ), command


def test_a_file_of_data_has_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.notes").write_text("convcalc: 1\n", "utf-8")
    assert model_spec("net.notes:Net") is None and model_spec("net.other:Net") is not None
    assert run("table", "net.notes:Net").stderr == (
        "error: there is no 'Net' in 'net.notes'\n  hint: the file alone: net.notes\n"
    )


def test_arguments_are_words_literals_and_texts() -> None:
    given = [
        "aux=true",
        "norm=None",
        "width=0.5",
        "sizes=[1, 2]",
        "name=batch",
        "text='64'",
        "eq=a=b",
        "deep=" + "[" * 300,
    ]
    found = read_arguments(given)
    assert list(found.values())[:7] == [True, None, 0.5, [1, 2], "batch", "64", "a=b"]
    assert found["deep"] == "[" * 300 and argument("__import__('os')") == "__import__('os')"


@pytest.mark.parametrize(
    ("given", "said"),
    [(["width"], "NAME=VALUE"), (["=3"], "NAME=VALUE"), (["a b=3"], "NAME=VALUE"), (["w=1", "w=2"], "twice")],
)
def test_wrong_arguments_are_refused(given: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_arguments(given)


def test_inputs_of_a_model_in_code_are_given_in_order_or_by_name() -> None:
    assert read_inputs(["3,64,64"]) == [[3, 64, 64]]
    assert read_inputs(["3,64,64", "1x8"]) == [[3, 64, 64], [1, 8]]
    assert read_inputs(["b=1,8", "a=3"]) == {"b": [1, 8], "a": [3]}
    assert read_inputs(None) is None
    with pytest.raises(UsageError, match="with and without a name"):
        read_inputs(["3", "a=3"])


def test_a_device_is_one_for_the_roofline_and_one_for_the_run() -> None:
    machine, run_on = read_devices(["cpu", "v100"])
    assert machine is not None and machine.name == "v100" and run_on == "cpu"
    assert read_devices(None) == (None, None) and read_run("meta") == "meta"
    with pytest.raises(UsageError, match="given twice: cpu and meta"):
        read_devices(["cpu", "meta"])
    with pytest.raises(UsageError, match="given twice: v100 and t4"):
        read_devices(["v100", "t4"])
    with pytest.raises(UsageError, match="meta or cpu, not 'gpu'"):
        read_run("gpu")
    with pytest.raises(UsageError, match="'cuda' is no device") as caught:
        read_devices(["cuda"])
    assert caught.value.hint is not None and caught.value.hint.endswith("; a model in code runs on meta or cpu")


def test_a_file_of_code_asks_for_the_model_in_it(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET)
    assert choice(str(path)) == f"{path}:NAME, with one of Block, Net"
    with pytest.raises(UsageError, match="is code: name the model in it") as caught:
        load(path)
    assert caught.value.hint == f"{path}:NAME, with one of Block, Net"
    shown = run("import", str(path))
    assert shown.code == 2 and "one of Block, Net" in shown.stderr


def test_a_file_of_code_without_a_name_behind_the_colon(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET)
    with pytest.raises(UsageError, match="py is code: name the model in it") as caught:
        load(f"{path}:")
    assert caught.value.hint == f"{path}:NAME, with one of Block, Net"


@pytest.mark.parametrize("command", ["table", "import", "verify"])
@pytest.mark.parametrize("name", ["net.pt", "net.PTH", "net.ckpt"])
def test_pickles_are_never_loaded(command: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04")
    done = run(command, str(path))
    assert done.code == 2 and f"{name} would be a pickle, which runs what is in it: it is never loaded" in done.stderr
    assert "hint: name the model in its code, ./net.py:Net, or save it by torch.export as .pt2" in done.stderr


@pytest.mark.parametrize(
    ("name", "why", "hint"),
    [
        ("net.safetensors", "has weights alone, which say nothing of the layers", "name the model in its code"),
        ("net.tflite", "is in a format that is not read", "export the model as .onnx"),
    ],
)
def test_files_that_people_have_of_models_and_nobody_reads(name: str, why: str, hint: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(64))
    for command in ("table", "import"):
        done = run(command, str(path))
        assert done.code == 2 and f"{name} {why}" in done.stderr and f"hint: {hint}" in done.stderr


@pytest.mark.parametrize("text", ["x = (", "\0", "import torch\nclass Net: pass\n"])
def test_the_models_of_a_file_are_looked_for_without_running_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(text)
    assert choice(str(path)) == f"{path}:NAME, with a class, a function or a module"


def test_check_runs_the_code_that_is_named_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("raise SystemExit('it ran')")
    assert run("check").code == 2  # the folder has no spec, and its code is not looked at
    assert run("check", "*.py").code == 2
    with pytest.raises(UsageError, match="go with models"):
        check("lenet5", input=[1, 32, 32])
    (error,) = check("./none.py:Net", input=[3, 8, 8]).unreadable
    assert "PyTorch" in error.message or "none.py" in error.message


def test_a_revision_of_git_is_never_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("raise SystemExit('it ran')")
    with pytest.raises((UsageError, SpecError)):
        load("git:HEAD:net.py:Net")


def test_options_of_a_model_in_code_go_with_nothing_else() -> None:
    with pytest.raises(UsageError, match="--arg does not go with lenet5"):
        load("lenet5", arguments={"classes": 3})
    with pytest.raises(UsageError, match="--device does not go with lenet5"):
        load("lenet5", device="cpu")
    with pytest.raises(UsageError, match="the inputs of lenet5 are given by name"):
        load("lenet5", input=[(1, 32, 32)])
    with pytest.raises(UsageError, match="--set does not go with net:Net") as caught:
        load("net:Net", params={"a": 1})
    assert caught.value.hint == "a model in code has arguments: --arg NAME=VALUE"
    shown = run("table", "lenet5", "--arg", "classes=3")
    assert shown.code == 2 and "./net.py:Net" in shown.stderr


def test_a_missing_torch_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import convcalc.torch.load as reader

    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    for call in (lambda: load("net:Net"), lambda: reader.from_torch(None, (3, 8, 8))):
        with pytest.raises(UsageError, match="needs torch, which is not installed") as caught:
            call()
        assert caught.value.hint == 'pip install "convcalc[torch]"'


def test_a_tape_is_the_same_after_json() -> None:
    import json

    tape = Tape(
        tensors=[Tensor((1, 3), "float32", "input", "x"), Tensor((2,), "int64", "constant", "", (1.0, 2.0))],
        calls=[
            Call("f", (Ref(0), (slice(None, Ref(1)), ...), 1j, None), {"d": {"a": 2}}, (1,), 0, 6, (("aten::mm", 6),))
        ],
        scopes=[Scope("", "Net", -1, 0, 0, 1, (0,), (1,))],
        inputs=(0,),
        outputs=(("out", 1),),
        parameters={"w": (2, 3)},
        buffers={"b": (1,)},
        aliases={"v": "w"},
        unused=("w",),
        second=[(2, 3), (2,)],
        second_arguments={0: ((Ref(0), 7), {})},
        versions={"torch": "2"},
    )
    assert from_json(json.loads(json.dumps(to_json(tape)))) == tape
    assert refs(tape.calls[0].args) == [0, 1]
