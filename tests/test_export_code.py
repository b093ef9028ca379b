"""The exported Python code itself: structure, names, texts."""

from __future__ import annotations

import ast
import json
import re
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
    assert "    def __init__(self, in_channels, out_channels, stride=1, shortcut=False):" in text
    assert "            ConvBn(in_channels, out_channels, 1, stride=2) if shortcut else nn.Identity()\n" in text
    assert "Residual(64, 128, stride=2, shortcut=True), Residual(128, 128)" in text
    keras = keras_module(load("resnet", variant="resnet18"))
    assert "residual2" not in functions(keras) and "conv_bn2" not in functions(keras)
    shortcut = """    if shortcut:
        x = conv_bn(x, filters, 1, strides=2, name=f"{name}_shortcut")
"""
    assert shortcut in keras
    assert 'x = residual(x, 128, padding=1, strides=2, shortcut=True, name="conv3_x_0")' in keras


def test_a_sum_that_some_blocks_lack_is_optional() -> None:
    text = torch_module(load("mobilenet_v2"))
    assert [name for name in functions(text) if name.startswith("Bottleneck")] == ["Bottleneck"]
    assert "        return x + body if self.residual else body\n" in text
    keras = keras_module(load("mobilenet_v2"))
    assert "    return layers.Add()([x, body]) if residual else body\n" in keras


def test_arguments_that_follow_from_others_are_no_parameters() -> None:
    """Four times the width, half a kernel, a part of what arrives; each seen at three blocks or more."""
    resnet = torch_module(load("resnet"))
    assert "def __init__(self, in_channels, channels, stride=1):" in resnet
    assert "self.conv3 = ConvBn(channels, 4 * channels, 1)" in resnet
    assert "padding=kernel_size // 2" in resnet
    assert "self.norm_conv = NormConv(in_channels, in_channels // 2, 1)" in torch_module(load("densenet"))
    assert "body = layers.Dense(4 * units, name=" in keras_module(load("convnext"))


@pytest.mark.parametrize(("widths", "related"), [((4, 8), False), ((4, 8, 16), True)])
def test_a_relation_needs_three_points_and_no_parameter_of_the_spec(widths: tuple[int, ...], related: bool) -> None:
    convs = "{conv2d: {out: one, k: 1}, name: a}, {conv2d: {out: %s, k: 1}, name: b}"
    spec = f"{{convcalc: 1, input: [3, 8, 8], blocks: {{unit: {{params: [%s], layers: [{convs}]}}}}, layers: [%s]}}"
    alone = spec % ("one", "2 * one", ", ".join(f"{{unit: [{width}]}}" for width in widths))
    assert ("2 * one" in torch_module(loads(alone))) is related
    given = spec % ("one, two", "two", ", ".join(f"{{unit: [{width}, {2 * width}]}}" for width in widths))
    assert "def __init__(self, in_channels, one, two):" in torch_module(loads(given))


def test_sizes_follow_from_others_element_by_element() -> None:
    torch, keras = torch_module(load("swin")), keras_module(load("swin"))
    assert "def __init__(self, in_channels, heads, side, p, shift=False):" in torch
    assert "nn.Unflatten(1, (side // 7, 7, side // 7, 7, channels))" in torch
    assert "layers.Reshape((side // 7, 7, side // 7, 7, channels))" in keras
    assert "layers.Reshape(((side // 7) ** 2, 49, channels))" in keras
    assert 'x = block(x, 96, 3, 56, 0.01818181818181818, shift=True, name="stage1_1")' in keras
    assert max(map(len, keras.partition("def window_attention")[2].splitlines())) <= 110


def test_what_only_an_optional_statement_reads_stands_in_its_choice() -> None:
    choice = """    if shift:
        bias_2 = Constant(((side // 7) ** 2, 1, 49, 49), learned=False, name=f"{name}_bias_mask")(bias)
        bias = layers.Add()([bias, bias_2])
"""
    assert choice in keras_module(load("swin"))


def test_parameters_are_called_as_the_spec_does_where_the_framework_has_one_name_for_several() -> None:
    text = torch_module(load("googlenet"))
    assert "def __init__(self, in_channels, one, reduce3, three, reduce5, fives, proj):" in text
    assert "def inception(x, one, reduce3, three, reduce5, fives, proj, name):" in keras_module(load("googlenet"))


@pytest.mark.parametrize(
    "name", ["resnet", "mobilenet_v3", "densenet", "convnext", "efficientnet", "googlenet", "unet", "vit"]
)
@pytest.mark.parametrize("write", WRITERS)
def test_no_name_is_leaked_and_nothing_is_written_twice(write: Callable[[Network], str], name: str) -> None:
    text = write(load(name))
    assert "relu_2" not in text
    names = [re.sub(r"\d+$", "", found) for found in functions(text) if found[-1].isdigit()]
    assert not set(names) & set(functions(text)), "numbered twins"
    for found in functions(text).values():
        if isinstance(found, ast.FunctionDef):
            leaked = [one.arg for one in found.args.args if one.arg.endswith(("_out_channels", "_out_features"))]
            assert not leaked


def test_an_activation_that_differs_is_an_argument() -> None:
    text = torch_module(load("mobilenet_v3"))
    assert "self.activation = activation()" in text and "Conv(3, 16, 3, nn.Hardswish, stride=2)" in text
    assert "return layers.Activation(activation)(x)" in keras_module(load("mobilenet_v3"))


def test_one_activation_serves_a_block_unless_it_has_names() -> None:
    spec = "{convcalc: 1, input: [3, 4, 4], layers: [relu, {conv2d: {out: 3, k: 1}}, relu, {relu: {}, name: last}]}"
    text = torch_module(loads(spec))
    assert text.count("nn.ReLU()") == 2 and text.count("self.relu(x)") == 2 and "self.last(x)" in text


def test_blocks_in_a_row_that_differ_in_a_number_are_a_generator() -> None:
    text = torch_module(load("densenet"))
    assert "nn.Sequential(*(Dense(in_channels) for in_channels in range(64, 256, 32)))" in text
    assert "*(Block(96, p) for p in (0.0, 0.0058823529411764705, 0.011764705882352941))" in torch_module(
        load("convnext")
    )


def test_keras_layers_in_a_row_that_differ_in_their_names_are_a_loop() -> None:
    text = keras_module(load("densenet"))
    loop = """    for i in range(24):
        x = dense(x, name=f"block3_{i}")  # [14, 14, 1024] after the last
"""
    assert loop in text


def test_what_is_read_much_later_has_a_name_of_its_own() -> None:
    text = torch_module(load("unet"))
    assert "down0 = self.down0(x)  #" in text and "x = self.pool0(down0)  #" in text
    assert "x = self.up0(x, down0)  #" in text


def test_blocks_that_repeat_something_more_often_have_classes_of_their_own() -> None:
    text = torch_module(load("darknet", variant="darknet53"))
    assert text.count("nn.Identity()") == 0
    assert all(f"for _ in range({count})" in text for count in (2, 4, 8))


def test_equal_modules_that_some_lack_are_all_written() -> None:
    spec = """
    convcalc: 1
    input: [3, 8, 8]
    blocks:
      unit:
        params: [more]
        layers:
          - layers:
              - {conv2d: {out: 3, k: 1}}
              - {dropout: {}, name: a, when: more}
              - {dropout: {}, name: b, when: more}
              - relu
            name: body
    layers: [{unit: [true]}, {unit: [false]}]
    """
    assert torch_module(loads(spec)).count("nn.Dropout() if more else nn.Identity()") == 2


def test_twins_are_told_apart_by_a_word() -> None:
    """Keras has two layers for a convolution with and without groups."""
    assert {"conv_bn", "depthwise_conv_bn"} <= set(functions(keras_module(load("efficientnet"))))


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
