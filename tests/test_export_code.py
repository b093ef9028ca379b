"""The exported Python code itself: structure, names, texts."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable

import pytest

from convcalc import load, loads
from convcalc.export.python_code import Names, class_name, docstring, identifier
from convcalc.export.torch_module import MODULE_ATTRIBUTES
from convcalc.layers.registry import build
from convcalc.network import BlockGroup, Network, Node, Output
from tests.exports import keras_module, torch_module

WRITERS = (torch_module, keras_module)
HOSTILE = [
    *('"""', "'''\"", "\\", 'a"', "x\\", "\n\n", "\r", "\x1b[31m", "\u202e", "{name}", "%s", "# no", "<script>&amp;"),
    *("class", "None", "forward", "half", "training", "self", "torch", "F", "nn", "super", "range", "layers", "ops"),
    *("1x1", "7", "a-b", "a_b", "a b", "ünï", "層", "", "_modules", "__init__", "Permute", "center_crop", "keras"),
]


def functions(text: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    return {n.name: n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def test_blocks_that_differ_in_numbers_share_a_class() -> None:
    text = torch_module(load("googlenet"))
    assert text.count("class Inception(") == 1 and "class Inception2" not in text
    assert "self.inception_3a = Inception(192, 64, 96, 128, 16, 32, 32)" in text
    assert text.count("= Inception(") == 9


def test_a_module_that_some_blocks_lack_is_optional() -> None:
    text = torch_module(load("resnet", variant="resnet18"))
    assert "Residual2" not in text
    assert "    def __init__(self, in_channels, out_channels, stride, shortcut=False):" in text
    assert "self.shortcut = ConvBn(in_channels, out_channels, 1, 2, 0) if shortcut else nn.Identity()" in text
    assert "self.conv3_x = nn.Sequential(Residual(64, 128, 2, shortcut=True), Residual(128, 128, 1))" in text
    assert {"residual", "residual2"} <= set(functions(keras_module(load("resnet", variant="resnet18"))))


def test_blocks_of_which_one_reads_otherwise_have_classes_of_their_own() -> None:
    """Without the relu of the first, the sum would read the convolution twice, and not what comes in."""
    spec = """
    convcalc: 1
    input: [3, 8, 8]
    blocks:
      unit:
        params: [more]
        layers:
          - {conv2d: {out: 3, k: 1}, name: conv}
          - {relu: {}, name: act, when: more}
          - {add: {}, from: [conv, act], when: more}
          - {add: {}, from: [conv, in], when: not more}
    layers: [{unit: [true]}, {unit: [false]}]
    """
    assert {"Unit", "Unit2"} <= set(functions(torch_module(loads(spec))))


def test_the_arguments_of_a_call_that_is_too_long_stand_on_a_line_of_their_own() -> None:
    fields = "out: 8, k: 3, s: 2, p: 1, d: 2, bias: false, padding_mode: reflect"
    lines = torch_module(loads(f"{{convcalc: 1, input: [3, 9, 9], layers: [{{conv2d: {{{fields}}}, name: a_name}}]}}"))
    at = lines.splitlines().index("        self.a_name = nn.Conv2d(")
    arguments = '3, 8, kernel_size=3, stride=2, padding=1, dilation=2, bias=False, padding_mode="reflect"'
    assert [line.strip() for line in lines.splitlines()[at + 1 : at + 3]] == [arguments, ")"]


def test_a_block_is_a_class_whatever_it_is_called() -> None:
    """A group is a block because the spec says so, not because of its name."""
    blocks = {"branch": {"layers": ["relu", "tanh"]}}
    network = loads(json.dumps({"convcalc": 1, "input": [3, 4, 4], "blocks": blocks, "layers": [{"branch": {}}]}))
    assert [group.is_block for group in network.groups.values()] == [True]
    assert "Branch" in functions(torch_module(network)) and "branch" in functions(keras_module(network))


def test_equal_repetitions_are_written_once() -> None:
    spec = (
        "{convcalc: 1, input: [4, 8, 8], blocks: {b: {layers: [{conv2d: {out: 4, k: 3, p: 1}}, relu]}}, layers: [%s]}"
    )
    text = torch_module(loads(spec % "{b: {}, repeat: 50, name: deep}, relu"))
    assert "self.deep = nn.Sequential(*(B() for _ in range(50)))" in text


def test_forward_keeps_a_value_that_is_read_later() -> None:
    layers = [{"conv2d": {"out": 3, "k": 1}, "name": "a"}, {"relu": {}, "name": "b"}]
    layers += [{"add": {}, "from": ["input", "b"]}, {"add": {}, "from": ["add", "a"], "name": "last"}]
    text = torch_module(loads(json.dumps({"convcalc": 1, "input": [3, 4, 4], "layers": layers})))
    lines = [line.strip().partition("  #")[0] for line in text.partition("def forward")[2].splitlines()]
    assert lines[1:6] == ["a = self.a(x)", "b = self.b(a)", "x = x + b", "x = x + a", "return x"]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_valid_code(write: Callable[[Network], str], text: str) -> None:
    """Names of the network, its source, inputs, blocks and layers, some of which only other front ends could give."""
    relu, add, pad = build("relu", {}), build("add", {}), build("permute", {"dims": [0, 2, 1]})
    nodes = (
        Node(text, None, (), (3, 4, 4)),
        Node(f"{text}_", None, (), (3, 4, 4)),
        Node(f"{text}.{text}", relu, (0,), (3, 4, 4)),
        Node(f"{text}.x", relu, (2,), (3, 4, 4)),
        Node(f"x{text}", add, (3, 1, 2), (3, 4, 4)),
        Node(f"y.{text}", pad, (4,), (3, 4, 4)),
    )
    groups = {text: BlockGroup(text, text, 2, 4, 3)}
    network = Network(text, nodes, (Output(text, 5), Output("b", 3)), groups, source=text * 2, variant=text)
    code = write(network)
    tree = ast.parse(code)
    assert ast.get_docstring(tree) is not None
    assert not set(code) & set("\x1b\u202e\r\x00")
    compile(code, "exported", "exec")


def test_attributes_do_not_hide_those_of_modules() -> None:
    names = ["half", "forward", "type", "double", "training"]
    layers = [{"linear": {"out": 3}, "name": name} for name in names]
    text = torch_module(loads(json.dumps({"convcalc": 1, "input": [3], "layers": layers})))
    built = [line.split(" = ")[0].strip().removeprefix("self.") for line in text.splitlines() if "nn.Linear" in line]
    assert len(set(built)) == 5 and not set(built) & MODULE_ATTRIBUTES


@pytest.mark.parametrize("text", HOSTILE)
def test_a_docstring_says_its_text(text: str) -> None:
    tree = ast.parse("\n".join(["def f():", *docstring(text, "    "), "    return 1"]))
    assert isinstance(tree.body[0], ast.FunctionDef)
    said = ast.get_docstring(tree.body[0], clean=False)
    assert said is not None
    if text.isprintable():
        assert said == text


@pytest.mark.parametrize("text", HOSTILE)
def test_identifiers_are_identifiers(text: str) -> None:
    for name in (identifier(text), class_name(text)):
        assert name.isidentifier() and name.isascii()
        compile(f"{name} = 1", "name", "exec")


def test_a_name_is_given_once() -> None:
    names = Names(["a"])
    assert [names.unique(name) for name in ("a", "a", "b", "b2", "b", "c1", "c1")] == [
        *("a2", "a3", "b", "b2", "b3", "c1", "c1_2")
    ]


@pytest.mark.parametrize("write", WRITERS)
def test_deep_networks_take_linear_time(write: Callable[[Network], str]) -> None:
    """5,000 layers are written by loops: none of them deepens the stack."""
    spec = {"convcalc": 1, "input": [4, 8, 8], "layers": [{"layers": ["relu", "tanh"], "repeat": 2500, "name": "r"}]}
    assert write(loads(json.dumps(spec))).count("\n") > 20
