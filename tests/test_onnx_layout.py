"""Operators of products and layout: what each becomes, and that a spec comes back from its own ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convcalc.analysis.report import analyse
from convcalc.export.onnx_model import onnx_model
from convcalc.findings import UsageError
from convcalc.onnx import load_onnx
from tests.exported_layers import layer_cases
from tests.onnx_models import Maker, conversion_of, inferred_shapes, kinds, shapes_of
from tests.token_numbers import KINDS

Case = tuple[tuple[int, ...], Callable[[Maker], Any], list[str], dict[str, Any]]


def _rolled(m: Maker) -> str:
    """Two slices of each of two axes, the end before the rest, as torch.roll is exported."""
    x = "x"
    for axis, cut in ((1, 3), (2, 5)):
        parts = [
            m.node("Slice", x, m.constant([start]), m.constant([stop]), m.constant([axis]))
            for start, stop in ((cut, 100), (0, cut))
        ]
        x = m.node("Concat", *parts, axis=axis)
    return x


def _rows(m: Maker, numbers: list[int], length: int) -> str:
    """Constants in rows of a length."""
    return m.node("Reshape", m.constant(numbers), m.constant([-1, length]))


def _states(m: Maker) -> str:
    """An LSTM as PyTorch exports it: the batch second, and back."""
    x = m.node("Transpose", "x", perm=[1, 0, 2])
    zero = m.constant([0.0] * 4, floating=True)
    state = m.node("Reshape", zero, m.constant([1, 1, 4]))
    weights = (m.weight(1, 16, 6), m.weight(1, 16, 4), m.weight(1, 32))
    states = m.node("LSTM", x, *weights, "", state, state, hidden_size=4, outputs=3)
    flat = m.node("Squeeze", states, m.constant([1]))
    return m.node("Transpose", flat, perm=[1, 0, 2])


CASES: dict[str, Case] = {
    "a matrix on the left is a product with a parameter": (
        (1, 6, 7),
        lambda m: m.node("MatMul", m.weight(4, 6), "x"),
        ["parameter", "matmul"],
        {},
    ),
    "a matrix for each of the first axes": (
        (1, 3, 5, 6),
        lambda m: m.node("MatMul", "x", m.weight(3, 6, 4)),
        ["parameter", "matmul"],
        {},
    ),
    "a product with itself": (
        (1, 3, 5, 6),
        lambda m: m.node("MatMul", "x", m.node("Transpose", "x", perm=[0, 1, 3, 2])),
        ["permute", "matmul"],
        {},
    ),
    "one position of an axis": ((1, 5, 6), lambda m: m.node("Gather", "x", m.constant(-1), axis=1), ["select"],
                                {"dim": 0, "index": 4}),
    "positions in another order": (
        (1, 5, 6),
        lambda m: m.node("Gather", "x", m.constant([3, 0, 0]), axis=2),
        ["index_select"],
        {"dim": 1, "indices": (3, 0, 0)},
    ),
    "positions of the first axis as slices": (
        (1, 5, 6),
        lambda m: m.node("GatherND", m.node("Transpose", "x", perm=[1, 2, 0]), _rows(m, [3, 0, 0], 1)),
        ["reshape", "index_select"],
        {"dim": 0, "indices": (3, 0, 0)},
    ),
    "positions of several axes": (
        (1, 5, 6),
        lambda m: m.node("GatherND", "x", _rows(m, [0, 3, 1, 0, 0, 2], 3)),
        ["opaque"],
        {"output": (2,)},
    ),
    "neighbouring positions": (
        (1, 5, 6),
        lambda m: m.node("Gather", "x", m.constant([2, 3, 4]), axis=2),
        ["slice"],
        {"dim": 1, "start": 2, "stop": 5},
    ),
    "the only example": ((1, 5, 6), lambda m: m.node("Relu", m.node("Gather", "x", m.constant(0), axis=0)), ["relu"],
                         {}),
    "every other position": (
        (1, 5, 6),
        lambda m: m.node("Slice", "x", m.constant([1]), m.constant([6]), m.constant([2]), m.constant([2])),
        ["slice"],
        {"dim": 1, "start": 1, "step": 2},
    ),
    "two axes at once": (
        (1, 6, 8, 8),
        lambda m: m.node("Slice", "x", m.constant([0, 1]), m.constant([6, 8]), m.constant([1, 2]), m.constant([2, 2])),
        ["slice", "slice"],
        {"dim": 1, "start": 1, "step": 2},
    ),
    "backwards": (
        (1, 5, 6),
        lambda m: m.node("Slice", "x", m.constant([-1]), m.constant([-100]), m.constant([1]), m.constant([-1])),
        ["flip"],
        {"dims": (0,)},
    ),
    "parts of the last axis": (
        (1, 5, 6),
        lambda m: m.node("Split", "x", m.constant([2, 4]), axis=-1, outputs=2),
        ["split", "split"],
        {"dim": 1, "channels": (2, 4)},
    ),
    "a class token": (
        (1, 5, 6),
        lambda m: m.node("Concat", m.weight(1, 1, 6), "x", axis=1),
        ["parameter", "concat"],
        {},
    ),
    "repeated along an axis": (
        (1, 1, 6),
        lambda m: m.node("Expand", "x", m.constant([1, 4, 1])),
        ["expand"],
        {"shape": (4, 6)},
    ),
    "tiles": ((1, 5, 6), lambda m: m.node("Tile", "x", m.constant([1, 2, 3])), ["tile"], {"reps": (2, 3)}),
    "a new axis": ((1, 5, 6), lambda m: m.node("Unsqueeze", "x", m.constant([2])), ["unsqueeze"], {"dim": 1}),
    "axes of one": ((1, 5, 1, 6, 1), lambda m: m.node("Squeeze", "x", m.constant([2, 4])), ["squeeze"],
                    {"dim": (1, 3)}),
    "two slices, the end first": ((1, 7, 9, 4), _rolled, ["roll"], {"shifts": (-3, 4), "dims": (0, 1)}),
    "a sum of one tensor": (
        (1, 3, 5, 6),
        lambda m: m.node("Einsum", "x", equation="nchw->nwc"),
        ["sum", "permute"],
        {"dims": (1, 0)},
    ),
    "attention scores": (
        (1, 3, 5, 6),
        lambda m: m.node("Einsum", "x", "x", equation="bhqd,bhkd->bhqk"),
        ["permute", "matmul"],
        {},
    ),
    "a linear layer": (
        (1, 5, 6),
        lambda m: m.node("Einsum", "x", m.weight(4, 6), equation="bnd,ed->bne"),
        ["linear"],
        {"out_features": 4},
    ),
    "a recurrent layer": ((1, 7, 6), _states, ["lstm"], {"hidden_size": 4}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_operator(case: Case, tmp_path: Path) -> None:
    shape, make, wanted, fields = case
    maker = Maker(*shape)
    made = make(maker)
    network = maker.load(tmp_path)
    assert kinds(network) == wanted
    layer = network.nodes[-1].layer
    assert layer is not None
    given = layer.fields()
    assert {name: given.get(name) for name in fields} == fields
    model = maker.model(made)
    ours, inferred = shapes_of(conversion_of(model.SerializeToString())), inferred_shapes(model)
    assert {name: ours[name] for name in inferred if name in ours} == {n: s for n, s in inferred.items() if n in ours}


def test_attention_of_opset_23(tmp_path: Path) -> None:
    """Heads side by side, with a bias of the scores; ONNX infers the same shape."""
    maker = Maker(1, 7, 12, opset=23)
    bias = maker.weight(7, 7)
    made = maker.node("Attention", "x", "x", "x", bias, q_num_heads=3, kv_num_heads=3, scale=0.25)
    network = maker.load(tmp_path)
    assert kinds(network)[-4:] == ["parameter", "scaled_dot_product_attention", "permute", "flatten"]
    (attention,) = [node.layer for node in network if node.kind == "scaled_dot_product_attention"]
    assert attention is not None and attention.fields() == {"scale": 0.25}
    assert network.nodes[-1].shape == (7, 12)
    assert analyse(network).totals.macs == 2 * 7 * 7 * 12
    inferred = inferred_shapes(maker.model(made))
    assert inferred.get(made, (1, 7, 12)) == (1, 7, 12)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"softcap": 5.0}, "caps its scores"), ({"kv_num_heads": 1}, "share their keys")],
)
def test_attention_that_the_language_lacks_keeps_its_macs(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    maker = Maker(1, 7, 12, opset=23)
    read = maker.node("Relu", "x")
    key = maker.node("Slice", read, *(maker.constant([n]) for n in (0, 4, 2))) if "kv_num_heads" in options else read
    maker.node("Attention", read, key, key, **{"q_num_heads": 3, "kv_num_heads": 3, **options})
    network = maker.load(tmp_path)
    layer = network.nodes[-1].layer
    assert layer is not None and network.nodes[-1].kind == "opaque"
    assert reason in str(layer.fields()["reason"]) and layer.fields()["macs"] == 2 * 7 * 7 * 12


def test_queries_keys_and_values_of_a_batch_that_is_moved(tmp_path: Path) -> None:
    """As torchvision's Swin has it: [B, N, 3C] is cut in three by moving an axis before the batch."""
    maker = Maker(1, 49, 18)
    apart = maker.node("Reshape", "x", maker.constant([1, 49, 3, 2, 3]))
    moved = maker.node("Transpose", apart, perm=[2, 0, 3, 1, 4])
    query, key, value = (maker.node("Gather", moved, maker.constant(n), axis=0) for n in range(3))
    turned = maker.node("Transpose", key, perm=[0, 1, 3, 2])
    shares = maker.node("Softmax", maker.node("MatMul", query, turned), axis=-1)
    merged = maker.node("Transpose", maker.node("MatMul", shares, value), perm=[0, 2, 1, 3])
    network = maker.load(tmp_path, maker.node("Reshape", merged, maker.constant([1, 49, 6])))
    assert "opaque" not in kinds(network)
    assert network.nodes[-1].shape == (49, 6)
    report = analyse(network)
    assert report.totals.macs == report.summed(lambda layer, *shapes: layer.activation_macs(*shapes), report.whole)
    assert report.totals.macs == 2 * 2 * 49 * 49 * 3


def test_a_slice_that_is_no_roll_stays_a_concat(tmp_path: Path) -> None:
    maker = Maker(1, 7, 9)
    bounds = ((3, 7), (0, 2))
    parts = [maker.node("Slice", "x", *(maker.constant([n]) for n in (*bound, 1))) for bound in bounds]
    network = maker.load(tmp_path, maker.node("Concat", *parts, axis=1))
    assert kinds(network)[-1] == "concat"


LIKE = {
    "stack": ["unsqueeze", "concat"],
    "repeat_interleave": ["unsqueeze", "expand", "reshape"],
}
"""Kinds that ONNX writes as others."""


def test_specs_come_back_from_their_own_files(tmp_path: Path) -> None:
    """Params, MACs and shapes of every kind, and the kind itself where ONNX has it."""
    path, ran = tmp_path / "model.onnx", 0
    for label, network in layer_cases():
        layer = network.nodes[-1].layer
        assert layer is not None
        if layer.kind not in KINDS and not layer.batch_axes:
            continue
        try:
            path.write_bytes(onnx_model(network))
        except UsageError:
            continue
        ran += 1
        read = load_onnx(str(path))
        before, after = analyse(network).totals, analyse(read).totals
        if not {"opaque"} & set(kinds(read)):
            assert (after.params, after.macs) == (before.params, before.macs), label
            assert read.nodes[read.outputs[0].node].shape == network.nodes[-1].shape, label
        elif layer.kind not in ("scaled_dot_product_attention", "multihead_attention"):
            assert layer.kind == "lstm" and layer.batch_axes, label
        if layer.kind in ("matmul", "roll", "flip", "tile", "select", "index_select", "expand", "rnn", "gru"):
            assert layer.kind in kinds(read), label
        if layer.kind in LIKE:
            assert list(dict.fromkeys(kinds(read))) == LIKE[layer.kind], label
    assert ran > 40
