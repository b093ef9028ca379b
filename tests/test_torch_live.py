"""Models of PyTorch read while it runs: the tape of a run, what stays untouched, what is said of what goes wrong."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import convcalc
from convcalc import SpecError, UsageError, from_torch, load, reference
from convcalc.export.torch_module import torch_module
from convcalc.torch.tape import Tape, refs

from .command import run as command

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
recording = pytest.importorskip("convcalc.torch.live.record")
Failed, Input, record, run = recording.Failed, recording.Input, recording.record, recording.run

IMAGE = [Input((3, 32, 32))]


class Model(nn.Module):
    """A model whose forward pass is a function of the module and its input."""

    def __init__(self, forward: Callable[..., Any], **parts: nn.Module) -> None:
        super().__init__()
        self.work = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Any) -> Any:
        return self.work(self, x)


def taped(
    forward: Callable[..., Any], *, size: tuple[int, ...] = (3, 32, 32), device: str = "meta", **parts: Any
) -> Tape:
    return record(Model(forward, **parts), [Input(size)], device=device)


def functions(tape: Tape) -> list[str]:
    return [call.function for call in tape.calls]


def wiring(tape: Tape) -> list[tuple[str, list[int], tuple[int, ...]]]:
    return [(call.function, refs((call.args, call.kwargs)), call.outputs) for call in tape.calls]


def test_the_outermost_calls_are_on_the_tape_with_their_modules_and_costs() -> None:
    conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
    tape = taped(lambda self, x: F.relu(self.conv(x)).mean((2, 3)), conv=conv)
    assert functions(tape) == ["torch.nn.functional.conv2d", "torch.nn.functional.relu", "torch.Tensor.mean"]
    assert [tape.scopes[call.scope].path for call in tape.calls] == ["conv", "", ""]
    assert [call.macs for call in tape.calls] == [8 * 32 * 32 * 27, 0, 0]
    assert tape.calls[0].macs_of == (("aten::convolution", 8 * 32 * 32 * 27),)
    assert tape.parameters == {"conv.weight": (8, 3, 3, 3)} and tape.tensors[tape.outputs[0][1]].shape == (1, 8)
    assert [(scope.path, scope.cls, scope.parent) for scope in tape.scopes] == [
        ("", "Model", -1),
        ("conv", "Conv2d", 0),
    ]


@pytest.mark.parametrize(
    ("call", "shapes", "macs"),
    [
        (torch.matmul, [(2, 5, 7), (2, 7, 3)], 2 * 5 * 7 * 3),
        (torch.mm, [(5, 7), (7, 3)], 5 * 7 * 3),
        (F.linear, [(4, 5, 7), (3, 7), (3,)], 4 * 5 * 7 * 3),
        (F.conv_transpose2d, [(2, 4, 5, 5), (4, 6, 3, 3)], 2 * 4 * 25 * 6 * 9),
        (lambda x, w: F.conv2d(x, w, groups=2), [(1, 4, 6, 6), (8, 2, 3, 3)], 8 * 16 * 2 * 9),
        (F.scaled_dot_product_attention, [(2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 4)], 2 * 3 * 5 * 7 * (8 + 4)),
        (lambda a, b: torch.einsum("bij,bkj->bik", a, b), [(2, 5, 7), (2, 3, 7)], 2 * 5 * 7 * 3),
        (lambda b, x, y: torch.baddbmm(b, x, y), [(2, 5, 3), (2, 5, 7), (2, 7, 3)], 2 * 5 * 7 * 3),
        (torch.mv, [(5, 7), (7,)], 35),
        (torch.dot, [(9,), (9,)], 9),
    ],
)
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_multiply_accumulates_are_those_of_aten(call: Any, shapes: list[Any], macs: int, device: str) -> None:
    class Called(nn.Module):
        def forward(self, *tensors: Any) -> Any:
            return call(*tensors)

    tape = run(Called(), [torch.zeros(shape, device=device) for shape in shapes], {}, device=device)
    assert sum(each.macs for each in tape.calls) == macs


def test_deformable_convolutions_have_their_cost_and_their_public_name() -> None:
    ops = pytest.importorskip("torchvision.ops")
    layer = ops.DeformConv2d(3, 4, 3)
    tape = taped(lambda self, x: self.layer(x, x.new_zeros(1 * x.shape[0], 18, 30, 30)), layer=layer)
    assert "torchvision.ops.deform_conv2d" in functions(tape)
    assert sum(call.macs for call in tape.calls) == 4 * 30 * 30 * 27


def test_what_is_written_in_place_is_the_newest_value_of_its_tensor() -> None:
    def forward(self: Any, x: Any) -> Any:
        y = x * 2
        y += 1
        F.relu(y, inplace=True)
        y[:, 0] = 3
        return y

    tape = taped(forward)
    assert functions(tape) == [
        "torch.Tensor.mul", "torch.Tensor.add_", "torch.nn.functional.relu", "torch.Tensor.__setitem__",
    ]  # fmt: skip
    chain = [call.outputs[0] for call in tape.calls]
    assert [refs[0] for _, refs, _ in wiring(tape)] == [tape.inputs[0], *chain[:-1]]
    assert tape.outputs == (("", chain[-1]),)


def test_a_write_through_a_view_is_seen_in_what_it_is_a_view_of() -> None:
    def forward(self: Any, x: Any) -> Any:
        y = x * 2
        part = y[:, :1]
        part += 3
        return y + 1

    tape = taped(forward)
    assert functions(tape)[-2:] == ["convcalc.written_elsewhere", "torch.Tensor.add"]
    doubled, _, written, both, last = tape.calls
    assert wiring(tape)[3][1] == [doubled.outputs[0], written.outputs[0]]
    assert wiring(tape)[4][1] == [both.outputs[0]] and last.outputs[0] == tape.outputs[0][1]


def test_a_dropout_is_a_call_though_it_gives_its_input_itself() -> None:
    tape = taped(lambda self, x: x + self.drop(x), drop=nn.Dropout(0.5))
    dropped, added = tape.calls
    assert wiring(tape)[1][1] == [tape.inputs[0], dropped.outputs[0]] and added.function == "torch.Tensor.add"


def test_what_changes_nothing_is_no_call() -> None:
    tape = taped(lambda self, x: x.contiguous().float().to(torch.float32) * 1)
    assert functions(tape) == ["torch.Tensor.mul"]


def test_iterating_is_unbinding_and_parts_keep_their_places() -> None:
    def forward(self: Any, x: Any) -> Any:
        first, _, third = x.flatten(2).transpose(1, 2).chunk(3, dim=2)
        return sum(part for part in x.transpose(0, 1)) + third.mean() + first.mean()

    tape = taped(forward)
    assert functions(tape).count("torch.Tensor.unbind") == 1
    chunk = next(call for call in tape.calls if call.function == "torch.Tensor.chunk")
    assert len(chunk.outputs) == 3


class Named(NamedTuple):
    low: Any
    high: Any


@dataclasses.dataclass
class Held:
    logits: Any
    nothing: Any = None


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (lambda x: x + 1, [""]),
        (lambda x: {"out": x + 1, "aux": {"a": x + 2}}, ["out", "aux.a"]),
        (lambda x: (x + 1, [x + 2, x + 3]), ["0", "1.0", "1.1"]),
        (lambda x: Named(x + 1, x + 2), ["low", "high"]),
        (lambda x: Held(x + 1), ["logits"]),
        (lambda x: [None, x + 1], ["1"]),
    ],
)
def test_outputs_have_the_names_that_the_model_gives_them(result: Callable[[Any], Any], names: list[str]) -> None:
    tape = taped(lambda self, x: result(x))
    assert [name for name, _ in tape.outputs] == names


def test_constants_of_the_code_have_numbers_and_may_be_asked_for_them() -> None:
    def forward(self: Any, x: Any) -> Any:
        rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        return x * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1) + rates[1] + torch.arange(32)

    tape = taped(forward)
    numbers = {call.function: tape.tensors[call.outputs[0]].numbers for call in tape.calls}
    assert numbers["torch.tensor"] == (1, 2, 3) and numbers["torch.Tensor.view"] == (1, 2, 3)
    assert numbers["torch.arange"] == tuple(range(32))
    assert tape.tensors[tape.outputs[0][1]].shape == (1, 3, 32, 32)


def test_what_is_written_into_a_constant_is_kept() -> None:
    def forward(self: Any, x: Any) -> Any:
        board = torch.zeros(1, 3, 32, 32)
        board[:, :1] = x[:, :1]
        return board + x

    tape = taped(forward)
    added = wiring(tape)[-1]
    write = next(call for call in tape.calls if call.function == "torch.Tensor.__setitem__")
    assert added[1] == [write.outputs[0], tape.inputs[0]]


def test_small_buffers_have_their_numbers_and_parameters_none() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1))
            self.gain = nn.Parameter(torch.ones(3, 1, 1))

        def forward(self, x: Any) -> Any:
            return (x - self.mean) * self.gain

    tape = record(Scaled(), IMAGE)
    found = {tensor.name: tensor for tensor in tape.tensors}
    assert found["mean"].origin == "buffer" and found["mean"].numbers == (1, 2, 3)
    assert found["gain"].origin == "parameter" and found["gain"].numbers is None


def test_tied_and_unread_parameters_are_known() -> None:
    first, second = nn.Linear(32, 32), nn.Linear(32, 32)
    second.weight = first.weight
    tape = taped(lambda self, x: self.second(self.first(x)), first=first, second=second, unread=nn.Linear(2, 2))
    assert tape.aliases == {"second.weight": "first.weight"}
    assert set(tape.parameters) == {"first.weight", "first.bias", "second.bias", "unread.weight", "unread.bias"}
    assert tape.unused == ("unread.weight", "unread.bias")


def test_each_call_of_a_module_is_a_scope() -> None:
    tape = taped(lambda self, x: self.act(self.act(x)), act=nn.ReLU())
    assert [(scope.path, scope.call, scope.start, scope.stop) for scope in tape.scopes[1:]] == [
        ("act", 0, 0, 1), ("act", 1, 1, 2),
    ]  # fmt: skip


# The second run.


def test_the_second_run_tells_computed_sizes() -> None:
    def forward(self: Any, x: Any) -> Any:
        height, width = x.shape[-2:]
        return F.pad(x, (0, -width % 48, 0, -height % 48)).flatten(1).view(x.shape[0], 3, -1)

    tape = taped(forward)
    assert tape.second is not None and tape.second[tape.inputs[0]] == (2, 3, 96, 64)
    pad, flat, view = tape.calls
    assert (pad.args[1], tape.second_arguments[0][0][1]) == ((0, 16, 0, 16), (0, 32, 0, 0))
    assert 1 not in tape.second_arguments and flat.function == "torch.Tensor.flatten"
    assert (view.args[1], tape.second_arguments[2][0][1]) == (1, 2)


def test_a_model_of_one_size_is_run_a_second_time_on_that() -> None:
    tape = taped(lambda self, x: self.fc(x.flatten(1)), fc=nn.Linear(3 * 32 * 32, 4))
    assert tape.second is not None and tape.second[tape.inputs[0]] == (2, 3, 32, 32)


def test_a_model_of_one_batch_is_run_once() -> None:
    tape = taped(lambda self, x: x.view(3, 32, 32) * 2)
    assert tape.second is None and tape.second_arguments == {}


def test_the_second_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def forward(self: Any, x: Any) -> Any:
        print("shape", x.shape)
        return x * 2

    taped(forward)
    assert capsys.readouterr().out == "shape torch.Size([1, 3, 32, 32])\n"


# What stays as it was.


class Stateful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.conv = torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 1))
        self.seen: list[int] = []
        self.cache = None
        self.table = torch.ones(3, 1, 1)
        self.fail = False

    def forward(self, x: Any) -> Any:
        self.cache = x
        y = self.conv(self.norm(x) * self.table)
        if self.fail:
            raise KeyError("later")
        return y


@pytest.mark.parametrize("fail", [False, True])
def test_a_live_model_stays_as_it_was(fail: bool) -> None:
    model = Stateful().train()
    model.conv.eval()
    model.fail = fail
    before = {
        name: (id(tensor), tensor._version, tensor.clone()) for name, tensor in model.state_dict(keep_vars=True).items()
    }
    modes = [part.training for part in model.modules()]
    state = torch.get_rng_state()
    for training in (False, True):
        with pytest.raises(Failed, match="later") if fail else nullcontext():
            record(model, IMAGE, training=training)
    after = model.state_dict(keep_vars=True)
    assert [(name, id(tensor), tensor._version) for name, tensor in after.items()] == [
        (name, identity, version) for name, (identity, version, _) in before.items()
    ]
    assert all(torch.equal(tensor, before[name][2]) for name, tensor in after.items())
    assert [part.training for part in model.modules()] == modes and model.cache is None
    assert not vars(model.table) and torch.equal(torch.get_rng_state(), state)
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_old_weight_norm_is_read_and_stays() -> None:
    with pytest.warns(FutureWarning):
        conv = nn.utils.weight_norm(nn.Conv2d(3, 4, 1))
    weight = conv.weight
    tape = record(conv, IMAGE)
    assert conv.weight is weight and set(tape.parameters) == {"bias", "weight_g", "weight_v"}


# What cannot be recorded, and what goes wrong in the model's code.


def test_script_modules_are_refused_with_the_reason() -> None:
    with pytest.warns(FutureWarning, match="deprecated"):
        script = torch.jit.script(nn.Conv2d(3, 4, 3))
    for model, said in ((script, "it is a ScriptModule"), (nn.Sequential(script), "its module '0' is a ScriptModule")):
        with pytest.raises(SpecError) as caught:
            from_torch(model, (3, 8, 8))
        (finding,) = caught.value.findings
        assert finding.code == "CC722" and finding.message.startswith(said)


def test_a_live_model_with_lazy_layers_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        from_torch(nn.LazyLinear(4), (8,))
    assert "has no shape yet" in caught.value.findings[0].message


def test_a_question_for_values_says_how_to_answer_it() -> None:
    def forward(self: Any, x: Any) -> Any:
        return x * 2 if x.mean() > 0 else x

    with pytest.raises(SpecError) as caught:
        from_torch(Model(forward), (3, 8, 8))
    (finding,) = caught.value.findings
    assert finding.code == "CC721" and finding.path.endswith("test_torch_live.py")
    assert "x.mean() > 0" in finding.excerpt and 'device="cpu"' in (finding.hint or "")
    network = from_torch(Model(forward), (3, 8, 8), device="cpu")
    assert [node.kind for node in network] == ["rescale"]


def test_an_exception_is_placed_at_the_models_own_line() -> None:
    model = Model(lambda self, x: self.fc(x.flatten(1)), fc=nn.Linear(5, 2))
    with pytest.raises(SpecError) as caught:
        from_torch(model, (3, 8, 8))
    (finding,) = caught.value.findings
    assert finding.where == "fc" and "which was given [1, 192]" in finding.message
    assert finding.excerpt[finding.column - 1 :][: finding.width] == "self.fc(x.flatten(1))"


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(UsageError, match="not Linear"):
        from_torch(_Linear(), (3,))
    with pytest.raises(UsageError, match="what shape does Linear read") as caught:
        from_torch(nn.Linear(5, 2))
    assert caught.value.hint == "sizes without the batch, for example input=(5,)"
    with pytest.raises(UsageError, match="sizes of an input are at least 1"):
        from_torch(nn.Linear(5, 2), (0,))
    with pytest.raises(UsageError, match="Two has no input 'lft'") as caught:
        from_torch(Two(), {"lft": (3,), "right": (3,)})
    assert caught.value.hint == "did you mean 'left'?"


class _Linear:
    pass


_Linear.__name__ = "Linear"


class Two(nn.Module):
    def forward(self, left: Any, right: Any) -> Any:
        return {"sum": left + right, "left": left * 2}


@pytest.mark.parametrize(
    "given",
    [
        [(3, 8, 8), (3, 8, 8)],
        {"right": (3, 8, 8), "left": (3, 8, 8)},
        [torch.zeros(4, 3, 8, 8), torch.zeros(4, 3, 8, 8)],
    ],
)
def test_several_inputs_are_given_in_order_by_name_or_as_examples(given: Any) -> None:
    network = from_torch(Two(), given)
    assert dict(sorted(network.inputs.items())) == {"left": (3, 8, 8), "right": (3, 8, 8)}


def test_a_network_of_a_model_is_read_again_on_another_input() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    network = from_torch(model, (3, 32, 32), name="net")
    assert network.origin is not None and network.name == "net"
    again = network.origin.reload(input=[3, 64, 48])
    assert again.inputs == {"input": (3, 64, 48)} and again.nodes[1].shape == (8, 31, 23)
    with pytest.raises(UsageError, match="has no params"):
        network.origin.reload(params={"a": 1})


# Models in code.

NET = """
import torch
from torch import nn
from torch.nn import functional as F

print("imported")

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
    def forward(self, x):
        return F.relu(self.conv(x)) + x

class Net(nn.Module):
    def __init__(self, width=8, classes: int = 10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList([Block(width) for _ in range(2)])
        self.fc = nn.Linear(width, classes)
    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))

class Wrong(nn.Module):
    def __init__(self):
        super().__init__()
        self.width = 1 / 0

class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.LazyLinear(4)
    def forward(self, x):
        return self.fc(x.flatten(1))

class Computed(Net):
    def __init__(self):
        super().__init__(width=int(torch.linspace(1, 8, 3).round()[-1]))

def factory(width): return Net(width)
def other(): return {"net": 1}
net = Net(4)
number = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def test_a_class_a_function_and_an_instance_are_models(folder: Path) -> None:
    first = load("./net.py:Net", input=(3, 32, 32), arguments={"width": 4})
    assert first.name == "Net" and len(first) == 9
    for spec, arguments in (("./net.py:factory", {"width": 4}), ("./net.py:net", {}), ("net.py:net", {})):
        assert [node.shape for node in load(spec, input=(3, 32, 32), arguments=arguments)] == [n.shape for n in first]
    block = load("./net.py:Net.blocks.0", input=(8, 16, 16))
    assert [node.name for node in block] == ["conv", "relu", "add"]
    assert load("./net.py:Computed", input=(3, 32, 32)).nodes[1].shape == (8, 16, 16)
    assert load("./net.py:Lazy", input=(3, 4, 4)).nodes[-1].shape == (4,)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["./net.py:Nett"], 2, "./net.py has no attribute 'Nett'\n  hint: did you mean './net.py:Net'?"),
        (["./nte.py:Net"], 2, "there is no file './nte.py'\n  hint: did you mean './net.py'?"),
        (["nte.models:Net"], 2, "there is no module 'nte'\n  hint: did you mean 'net'?"),
        (["./net.py:Net.stemm", "--input", "3,8,8"], 2, "did you mean './net.py:Net.stem'?"),
        (["./net.py:factory"], 2, "./net.py:factory needs width\n  hint: give its arguments: --arg width=…"),
        (["./net.py:Net", "--arg", "widht=3"], 2, "has no argument 'widht'\n  hint: did you mean 'width'?"),
        (["./net.py:net", "--arg", "width=3"], 2, "--arg does not go with ./net.py:net"),
        (["./net.py:other"], 2, "./net.py:other gives a dict, and no module of PyTorch"),
        (["./net.py:number"], 2, "./net.py:number is an int, and no module of PyTorch"),
        (
            ["./net.py:Net"],
            2,
            "what shape does ./net.py:Net read?\n  hint: sizes without the batch, for example --input 3,224,224",
        ),
        (["./net.py:Wrong", "--input", "3"], 1, "net.py:30:22: error CC721 ZeroDivisionError: division by zero"),
        (["./net.py:Net", "--input", "1,3,32,32"], 1, "hint: --input is without the batch"),
        (["./net.py:Net", "--input", "4,32,32"], 1, "the model was given [1, 4, 32, 32]"),
        (["./net.py:Net", "--input", "3,32,32", "--input", "3"], 1, "--input for each of several inputs"),
    ],
)
def test_what_is_said_of_a_wrong_call(folder: Path, arguments: list[str], code: int, said: str) -> None:
    done = command("table", *arguments)
    assert done.code == code and said in done.stderr and "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import einopsy\n", "net.py:1:1: error CC721 ModuleNotFoundError: No module named 'einopsy'"),
        ("def f(:\n", "net.py:1:7: error CC721 SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)\n", "net.py:2:1: error CC721 its code ends the program (exit 3)"),
        ("from .net import Net\n", "hint: it is part of a package: name it as package.module:Net"),
    ],
)
def test_what_is_said_of_code_that_cannot_be_imported(folder: Path, text: str, said: str) -> None:
    (folder / "net.py").write_text(text)
    done = command("table", "./net.py:Net", "--input", "3,8,8")
    assert done.code == 1 and said in done.stderr and "Traceback" not in done.stderr


HOSTILE = """
import sys
import torch

class Stopped(torch.nn.Module):
    def forward(self, x):
        sys.exit("bye")

class Silent(torch.nn.Module):
    def forward(self, x):
        return {"sizes": list(x.shape)}

class Endless(torch.nn.Module):
    def forward(self, x):
        return self.forward(x)

class Moved(torch.nn.Module):
    def forward(self, x):
        raise RuntimeError("Found no NVIDIA driver on your system. Please check it")

class Choosing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU()
    def forward(self, x):
        return self.head(self.backbone(x)) if x.mean() > 0 else x

def pair():
    return torch.optim.SGD, Silent()

def number():
    return 3
"""


@pytest.mark.parametrize(
    ("name", "code", "said", "hint"),
    [
        ("Stopped", 1, "net.py:7:9: error CC721 its code ends the program (exit bye), in Stopped", None),
        ("Silent", 1, "error CC722 it gives no tensor, so that nothing is its output", None),
        ("Endless", 1, "error CC721 RecursionError: maximum recursion depth exceeded", None),
        ("Moved", 1, "RuntimeError: Found no NVIDIA driver", "its code asks for a GPU: x.device is where its input is"),
        (
            "pair",
            2,
            "gives a tuple, and no module of PyTorch",
            "its item 1 is one: name a function that gives it alone",
        ),
        ("number", 2, "gives an int, and no module of PyTorch", None),
    ],
)
def test_what_is_said_of_models_that_give_nothing(
    folder: Path, name: str, code: int, said: str, hint: str | None
) -> None:
    (folder / "net.py").write_text(HOSTILE)
    done = command("table", f"./net.py:{name}", "--input", "3,8,8")
    assert done.code == code and said in done.stderr and "Traceback" not in done.stderr
    assert (f"hint: {hint}" in done.stderr) if hint else "hint" not in done.stderr


def test_what_the_code_prints_does_not_stand_in_the_answer(folder: Path) -> None:
    done = command("table", "./net.py:Net", "--input", "3,32,32", "--format", "json")
    assert done.code == 0 and json.loads(done.stdout)["spec"] == "Net" and "imported" in done.stderr


def test_a_model_in_code_goes_where_a_spec_goes(folder: Path) -> None:
    given = ("--input", "3,32,32")
    assert command("import", "./net.py:Net", *given, "-o", "net.yaml").code == 0
    table, tree = command("table", "./net.py:Net", *given), command("table", "net.yaml")
    assert table.code == 0 and table.stdout.splitlines()[-2:] == tree.stdout.splitlines()[-2:]
    for arguments in (["verify"], ["sizes"], ["arena"], ["explain"], ["export", "--to", "mermaid"]):
        done = command(arguments[0], "./net.py:Net", *given, *arguments[1:])
        assert done.code == 0, done.stderr
    assert command("table", "./net.py:Net", "net.yaml", *given).code == 0


def test_diff_holds_code_and_spec_together(folder: Path) -> None:
    assert command("import", "./net.py:Net", "--input", "3,32,32", "-o", "net.yaml").code == 0
    same = command("diff", "net.yaml", "./net.py:Net", "--fail-over", "params=0")
    assert same.code == 0, same.stderr
    wider = command("diff", "net.yaml", "./net.py:Net", "--fail-over", "params=0", "--arg", "width=16")
    assert wider.code == 1 and "./net.py:Net grows more than --fail-over allows" in wider.stderr
    backwards = command("diff", "./net.py:Net", "net.yaml")
    assert backwards.code == 0


# summary


def test_summary_prints_the_tree_of_modules(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model(
        lambda self, x: self.fc(self.shared(self.shared(self.stem(x))).mean((2, 3))),
        stem=nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()),
        shared=nn.Conv2d(8, 8, 1, groups=2),
        fc=nn.Linear(8, 10),
    )
    found = convcalc.summary(model, (2, 3, 16, 16), verbose=1)
    assert capsys.readouterr().out == f"{found}\n"
    lines = str(found).splitlines()
    assert lines[3].split() == ["Model", "[2,", "10]", "--"]
    assert lines[4].split() == ["├─Sequential:", "1-1", "[2,", "8,", "16,", "16]", "--"]
    assert lines[5].split()[-1] == "224" and lines[5].startswith("│    └─Conv2d: 2-1")
    assert "(recursive)" in lines[8]
    assert found.total_params == found.trainable_params == 224 + 40 + 90
    assert found.total_mult_adds == 2 * (8 * 256 * 27 + 2 * 8 * 256 * 4 + 80)
    assert "Total mult-adds (M): 0.14" in lines
    assert found.total_input == 2 * 3 * 256 * 4 and found.input_size == [(2, 3, 16, 16)]


def test_summary_takes_torchinfos_arguments() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.BatchNorm2d(8))
    columns = [
        "input_size",
        "output_size",
        "num_params",
        "params_percent",
        "kernel_size",
        "groups",
        "mult_adds",
        "trainable",
    ]
    given = {"col_names": columns, "col_width": 18, "verbose": 2, "mode": "train", "depth": 1}
    rows = ("var_names", "ascii_only")
    text = str(convcalc.summary(model, input_data=torch.zeros(3, 8, 8), batch_dim=0, row_settings=rows, **given))
    assert "+ Conv2d (0)" in text and "[3, 3]" in text and f"{8 * 36 * 27:,}" in text and "93.33%" in text
    assert "weight" in text and "[8, 3, 3, 3]" in text
    assert not model.training or model[1].num_batches_tracked == 0
    shallow = convcalc.summary(model, verbose=0)
    assert "Output Shape" not in str(shallow) and shallow.total_params == 240
    assert convcalc.summary(Two(), [(1, 3), (1, 3)], verbose=0, cache_forward_pass=True).total_params == 0
    assert convcalc.summary(Two(), input_data={"left": torch.zeros(1), "right": torch.zeros(1)}, verbose=0)
    types = convcalc.summary(nn.Embedding(5, 4), (1, 7), dtypes=[torch.long], verbose=0)
    assert types.summary_list[0].outputs == ((1, 7, 4),)
    with pytest.raises(UsageError, match="there is no 'output'"):
        convcalc.summary(model, (1, 3, 8, 8), col_names=["output"])
    with pytest.raises(UsageError, match="needs input_size or input_data"):
        convcalc.summary(model, col_names=["output_size"])


def test_summary_of_what_cannot_be_run() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1))
    with pytest.warns(FutureWarning):
        script = torch.jit.script(nn.Conv2d(3, 4, 3))
    with pytest.raises(SpecError, match="CC722 it is a ScriptModule"):
        convcalc.summary(script, (1, 3, 8, 8), verbose=0)
    with pytest.raises(UsageError, match="there is no device 'nowhere' here"):
        convcalc.summary(model, (1, 3, 8, 8), device="nowhere", verbose=0)
    nothing = Model(lambda self, x: None if self.conv(x) is not None else x, conv=nn.Conv2d(3, 2, 1))
    assert convcalc.summary(nothing, (1, 3, 8, 8), verbose=0).total_mult_adds == 6 * 64
    with pytest.raises(SpecError, match="CC722 it gives no tensor"):
        from_torch(nothing, (3, 8, 8))


def test_summary_runs_on_numbers_where_the_code_asks_for_them() -> None:
    model = Model(lambda self, x: self.fc(x) if x.sum() >= 0 else x, fc=nn.Linear(3, 4))
    assert convcalc.summary(model, (2, 3), verbose=0).total_mult_adds == 24


def test_a_constant_may_be_an_argument_of_a_module() -> None:
    model = Model(lambda self, x: self.add(self.table, x), add=Two())
    model.table = torch.ones(3, 1, 1)
    tape = record(model, IMAGE)
    constant = next(index for index, tensor in enumerate(tape.tensors) if tensor.origin == "constant")
    assert tape.scopes[1].inputs == (constant, tape.inputs[0]) and tape.tensors[constant].numbers == (1, 1, 1)
    assert functions(tape) == ["torch.Tensor.add", "torch.Tensor.mul"]


def test_what_no_function_of_python_calls_is_on_the_tape_as_its_operator() -> None:
    def forward(self: Any, x: Any) -> Any:
        with torch._C.DisableTorchFunction():  # as code in C++ does
            y = torch.relu(x)
        return y + 1

    tape = taped(forward)
    assert functions(tape) == ["aten.relu.default", "torch.Tensor.add"]
    assert wiring(tape)[1][1] == [tape.calls[0].outputs[0]]


def test_check_runs_the_model_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self, width=4):\n"
        "        super().__init__(nn.Conv2d(3, width, 3), nn.ReLU())\n"
    )
    assert convcalc.check("./net.py:Net", input=[3, 8, 8], arguments={"width": 2}).ok
    assert command("check", "./net.py:Net", "--input", "3,8,8").code == 0
    assert command("check", "./net.py:Net", "--input", "3,2,2").code == 1
    assert command("check", "./net.py:Net").code == 2


class Tokens(nn.Module):
    """Words in the order of a sentence, and a picture beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.picture = nn.Embedding(50, 8), nn.Linear(6, 8)

    def forward(self, picture: Any, words: Any) -> Any:
        return self.words(words).mean(1) + self.picture(picture)


def test_inputs_that_hold_positions_are_whole_numbers() -> None:
    tape = record(Tokens(), [Input((6,)), Input((12,))])
    assert [tape.tensors[index].dtype for index in tape.inputs] == ["float32", "int64"]
    named = record(Tokens(), [], {"words": Input((12,)), "picture": Input((6,))})
    assert {named.tensors[index].name: named.tensors[index].dtype for index in named.inputs} == {
        "picture": "float32",
        "words": "int64",
    }
    found = from_torch(nn.Sequential(nn.Embedding(100, 8), nn.Flatten(), nn.Linear(96, 2)), (12,))
    assert [(node.kind, node.shape) for node in found][:2] == [("embedding", (12, 8)), ("flatten", (96,))]
    assert convcalc.analyse(found).totals.params == 100 * 8 + 96 * 2 + 2


def test_what_whole_numbers_do_not_mend_is_said_as_it_was() -> None:
    model = Model(lambda self, x: self.linear(self.words(x)), words=nn.Embedding(50, 8), linear=nn.Linear(9, 2))
    with pytest.raises(Failed, match="scalar types: Long"):
        record(model, [Input((12,))])


def test_two_inputs_may_hold_positions() -> None:
    model = nn.Module()
    model.words, model.kinds = nn.Embedding(50, 8), nn.Embedding(3, 8)
    model.forward = lambda words, kinds: model.words(words) + model.kinds(kinds)  # type: ignore[method-assign]
    tape = record(model, [Input((12,)), Input((12,))])
    assert [tape.tensors[index].dtype for index in tape.inputs] == ["int64", "int64"]


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda part: torch.compile(nn.DataParallel(part), backend="eager")])
def test_what_is_copied_to_several_devices_is_read_as_the_model_below(wrap: Callable[[Any], Any]) -> None:
    network = from_torch(wrap(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())), (3, 8, 8))
    assert [node.name for node in network if node.layer is not None] == ["0", "1"]


def test_a_view_of_a_fixed_size_does_not_take_pixels_for_examples() -> None:
    """As in PyTorch's example of a variational autoencoder, whose `view(-1, 784)` takes larger images too."""
    code = nn.Linear(784, 8)
    network = from_torch(Model(lambda self, x: self.code(x.view(-1, 784)), code=code), (1, 28, 28))
    assert [node.shape for node in network] == [(784,), (8,)] and not network.notes


@pytest.mark.parametrize("functional", [False, True])
def test_a_head_that_has_an_embedding_s_table_counts_as_pytorch_counts_it(functional: bool) -> None:
    tokens, head = nn.Embedding(50, 8), nn.Linear(8, 50)
    head.weight = tokens.weight

    def forward(self: Any, x: Any) -> Any:
        rows = self.tokens(x)
        return F.linear(rows, self.tokens.weight, self.head.bias) if functional else self.head(rows)

    model = Model(forward, tokens=tokens, head=head)
    network = from_torch(model, input=torch.zeros(1, 12, dtype=torch.long))
    counted = convcalc.analyse(network).totals.params
    assert counted == sum(parameter.numel() for parameter in model.parameters()) == 450
    assert [note.code for note in network.notes] == []


def test_exported_code_computes_with_one_table() -> None:
    """Parameters as they are counted, and the logits of the reference on the same numbers."""
    spec = """
convcalc: 1
name: Logits
input: [12]
layers:
  - {embedding: {num_embeddings: 50, embedding_dim: 8}, name: tokens}
  - {linear: {out: 50, dim: last}, name: head, share: {weight: tokens}}
"""
    network, scope = convcalc.loads(spec), {"__name__": "exported"}
    exec(torch_module(network), scope)
    model = scope["Logits"]().double()  # type: ignore[operator]
    assert sum(parameter.numel() for parameter in model.parameters()) == 450
    held = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    weights = {"tokens": {"weight": held["tokens.weight"]}, "head": {"bias": held["head.bias"]}}
    rows = torch.arange(24.0, dtype=torch.float64).reshape(2, 12)
    *_, last = reference.run(network, rows.numpy(), weights=weights, dtype="float64")
    torch.testing.assert_close(model(rows).detach(), torch.as_tensor(last.output))
