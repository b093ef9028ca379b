"""Which layer is which: by name, and by structure where names fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from time import process_time

import pytest

from convcalc import load, loads
from convcalc.analysis.diff import diff
from convcalc.analysis.matching import match
from convcalc.analysis.report import analyse
from convcalc.export.onnx_model import onnx_model
from convcalc.language.write import write
from convcalc.network import Network

from .command import run
from .spec_text import build

STEM = """
- {conv2d: {out: 8, k: 3, p: 1}, name: conv1}
- {batch_norm: {}, name: bn1}
- {relu: {}, name: act1}
- {conv2d: {out: 8, k: 3, p: 1}, name: conv2}
- {batch_norm: {}, name: bn2}
- {relu: {}, name: act2}
- {conv2d: {out: 16, k: 3, s: 2, p: 1}, name: conv3}
- {batch_norm: {}, name: bn3}
- {add: {branches: {body: [{conv2d: {out: 16, k: 1}}], skip: []}}}
- {linear: {out: 10, dim: last}, name: fc}
"""


def renamed(network: Network, seed: int = 0) -> Network:
    """The same network under names that say nothing: each layer is called as another one was."""
    names = [node.name.replace(".", "_") for node in network.nodes if node.layer is not None]
    Random(seed).shuffle(names)
    given = iter(names)
    nodes = tuple(node if node.layer is None else node._replace(name=next(given)) for node in network.nodes)
    outputs = tuple(output._replace(name=nodes[output.node].name) for output in network.outputs)
    return replace(network, nodes=nodes, outputs=outputs, groups={})


def numbered(network: Network) -> Network:
    """The same network under names that no other has."""
    nodes = tuple(node._replace(name=f"l{i}" if node.layer else node.name) for i, node in enumerate(network.nodes))
    outputs = tuple(output._replace(name=nodes[output.node].name) for output in network.outputs)
    return replace(network, nodes=nodes, outputs=outputs, groups={})


def without(network: Network, name: str) -> Network:
    """The network without one layer; what read it reads what it read."""
    gone = next(i for i, node in enumerate(network.nodes) if node.name == name)
    (source,) = network.nodes[gone].inputs

    def moved(index: int) -> int:
        index = source if index == gone else index
        return index - (index > gone)

    nodes = tuple(
        node._replace(inputs=tuple(map(moved, node.inputs))) for i, node in enumerate(network.nodes) if i != gone
    )
    outputs = tuple(output._replace(node=moved(output.node)) for output in network.outputs)
    return replace(network, nodes=nodes, outputs=outputs, groups={})


def statuses(before: Network, after: Network) -> Counter[str]:
    return Counter(layer.status for layer in diff(analyse(before), analyse(after)).layers)


@pytest.mark.parametrize("name", ["resnet", "googlenet", "densenet_cifar", "hrnet", "unet", "inception_v3"])
def test_a_network_under_other_names_is_the_same(name: str) -> None:
    network = load(name)
    other = renamed(network)
    assert match(network, other) == {i: i for i in range(len(network.nodes))}
    found = diff(analyse(network), analyse(other))
    assert found.only_names and {layer.status for layer in found.layers} == {"renamed"}


def test_layers_called_as_others_were_are_renamed() -> None:
    """As exporters do that fold a norm into the convolution before and keep the norm's name."""
    old = build(
        "- {conv2d: {out: 8, k: 3}, name: conv1}\n- {relu: {}, name: relu}\n- {conv2d: {out: 8, k: 1}, name: conv2}"
    )
    new = build(
        "- {conv2d: {out: 8, k: 3}, name: bn1}\n- {relu: {}, name: conv1}\n- {conv2d: {out: 8, k: 1}, name: paths_0}"
    )
    found = diff(analyse(old), analyse(new))
    assert [(c.status, c.before, c.after) for c in found.layers] == [
        ("renamed", "conv1", "bn1"),
        ("renamed", "relu", "conv1"),
        ("renamed", "conv2", "paths_0"),
    ]
    assert found.only_names and not found.empty and found.stages == ()


def test_a_layer_that_is_gone_is_gone_whatever_the_others_are_called() -> None:
    network = build(STEM)
    for name in ("bn2", "act1", "conv2", "act2"):
        fewer = without(network, name)
        other = numbered(fewer)
        found = diff(analyse(network), analyse(other)).layers
        gone = [(layer.status, layer.before) for layer in found if layer.status != "renamed"]
        assert [status for status, _ in gone] == ["removed"], (name, gone)
        assert gone[0][1] == name or name in ("act1", "act2")
        assert Counter(layer.status for layer in diff(analyse(other), analyse(network)).layers)["added"] == 1


def test_a_layer_that_changed_is_found_at_its_place() -> None:
    network, wider = (
        build(STEM),
        build(STEM.replace("out: 8, k: 3, p: 1}, name: conv2", "out: 12, k: 3, p: 1}, name: conv2")),
    )
    other = numbered(wider)
    changed = [layer for layer in diff(analyse(network), analyse(other)).layers if layer.status == "changed"]
    assert [(layer.before, layer.after) for layer in changed] == [
        ("conv2", "l4"),
        ("bn2", "l5"),
        ("act2", "l6"),
        ("conv3", "l7"),
    ]
    assert [change.what for change in changed[0].changes] == ["out_channels", "output", "params", "macs"]
    assert [change.what for change in changed[3].changes] == ["input", "params", "macs"]


def test_given_names_that_hold_elsewhere_tell_layers_apart() -> None:
    """One layer in the place of another, under another name: the rest says that names mean something."""
    other = build(STEM.replace("conv2d: {out: 8, k: 3, p: 1}, name: conv2", "conv2d: {out: 8, k: 5, p: 2}, name: wide"))
    found = diff(analyse(build(STEM)), analyse(other)).layers
    assert [(layer.status, layer.before, layer.after) for layer in found] == [
        ("removed", "conv2", None),
        ("added", None, "wide"),
    ]


def test_paths_with_other_signs_between_their_parts_are_the_same_names() -> None:
    before = build("- {layers: [{conv2d: {out: 8, k: 1}, name: a}, {conv2d: {out: 8, k: 3}, name: b}], name: s}")
    after = build("- {conv2d: {out: 8, k: 3}, name: s_b}\n- {conv2d: {out: 8, k: 1}, name: s_a}")
    names = [(before.nodes[i].name, after.nodes[j].name) for i, j in match(before, after).items()]
    assert ("s.a", "s_a") in names and ("s.b", "s_b") in names


def test_whose_weights_a_layer_has_is_a_change() -> None:
    conv = "conv2d: {out: 8, k: 3, p: 1}"
    items = f"- {{{conv}, name: a}}\n- {{{conv}, name: b}}\n- {{{conv}, name: c%s}}"
    apart, shared = build(items % "", input="[8, 9, 9]"), build(items % ", share: a", input="[8, 9, 9]")
    (found,) = diff(analyse(apart), analyse(shared)).layers
    assert (found.status, found.after, found.changes[0]) == ("changed", "c", ("shares", None, "a"))
    assert found.changes[1] == ("params", 584, 0)
    (found,) = diff(analyse(shared), analyse(build(items % ", share: b", input="[8, 9, 9]"))).layers
    assert found.changes == (("shares", "a", "b"),)
    other = renamed(shared, 5)
    assert statuses(shared, other).keys() <= {"renamed"}


def test_stages_that_group_the_same_layers_otherwise_are_no_change() -> None:
    network = load("resnet")
    flat = loads(write(network))
    found = diff(analyse(network), analyse(flat))
    assert found.only_names and len(network.stages()) < len(flat.stages())


def test_a_stage_under_another_name_has_its_figures_compared() -> None:
    a = build("- {layers: [{conv2d: {out: 8, k: 3}}, relu], name: stem}\n- {linear: {out: 4, dim: last}, name: fc}")
    b = build("- {layers: [{conv2d: {out: 9, k: 3}}, relu], name: entry}\n- {linear: {out: 4, dim: last}, name: fc}")
    stages = diff(analyse(a), analyse(b)).stages
    assert [(stage.name, stage.status) for stage in stages] == [("stem → entry", "changed"), ("fc", "changed")]


def test_a_spec_and_the_import_of_its_own_export_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.onnx").write_bytes(onnx_model(load("mobilenet_v3")))
    assert run("import", "net.onnx", "-o", "net.yaml").code == 0
    for first, second in (("mobilenet_v3", "net.onnx"), ("net.yaml", "net.onnx"), ("mobilenet_v3", "net.yaml")):
        done = run("diff", first, second, "--fail-over", "params=0", "--fail-over", "macs=0")
        assert done.code == 0
        assert "no difference" in done.stdout or "nothing changed but names" in done.stdout, (first, second)
        assert len(done.stdout.splitlines()) <= 5, "many new names are said in one line"


def test_many_layers_take_no_time() -> None:
    items = "- {conv2d: {out: 8, k: 3, p: 1}, repeat: 20000, name: a}\n- {relu: {}, name: end}"
    network = build(items, input="[8, 9, 9]")
    other = numbered(without(network, "a.7777"))
    begin = process_time()
    pairs = match(network, other)
    assert process_time() - begin < 5
    assert len(pairs) == len(other.nodes)


def test_a_layer_that_reads_many_is_matched_once() -> None:
    names = ", ".join(f"t{i}" for i in range(300))
    items = (
        "\n".join(f"- {{tanh: {{}}, name: t{i}, from: input}}" for i in range(300))
        + f"\n- {{concat: {{}}, from: [{names}]}}"
    )
    network = build(items)
    assert len(match(network, renamed(network, 2))) == len(network.nodes)
