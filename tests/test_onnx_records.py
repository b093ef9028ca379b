"""The records of ONNX's operators: found by domain, name and version, and each says its dims once for all."""

from __future__ import annotations

from collections import Counter

from convcalc.onnx.convert import Conversion
from convcalc.onnx.operators import FAMILIES, operator_of
from convcalc.onnx.values import Call

from .onnx_models import LIGHT, PACKAGED, SMALL, Maker, conversion_of

RECORDS = [record for family in FAMILIES for record in family.OPERATORS]
READABLE = [name for name in SMALL if "sequence_model" not in name]
"""Files whose values are tensors."""


def agreeing_outputs(conversion: Conversion) -> int:
    """How many outputs of nodes have dims by the node's record; they are those that the tensors have."""
    b, count = conversion.builder, 0
    for node in conversion.graph.nodes:
        if any(name and name not in b.values for name in (*node.inputs, *node.outputs[:1])):
            continue
        call = Call(node, tuple(b.values[name] if name else None for name in node.inputs), b.call.opset)
        record = operator_of(node.domain, node.op, b.call.opset)
        for position, name in enumerate(node.outputs):
            dims = record.output_dims(call, position)
            if name in b.values and dims is not None:
                assert b.values[name].dims == dims, node.label
                count += 1
    return count


def test_records_are_told_apart_by_domain_and_version() -> None:
    keys = Counter((domain, record.name, record.since) for record in RECORDS for domain in record.domains)
    assert [key for key, count in keys.items() if count > 1] == []


def test_what_is_folded_has_dims() -> None:
    assert [record.name for record in RECORDS if record.fold is not None and record.dims is None] == []


def test_a_record_holds_from_its_version_on() -> None:
    old, new = operator_of("", "Softmax", 12), operator_of("", "Softmax", 13)
    assert (old.since, new.since) == (1, 13)
    assert operator_of("", "Softmax", 0) is old and operator_of("", "Softmax", 99) is new


def test_a_record_holds_in_its_domains_alone() -> None:
    assert operator_of("com.microsoft", "Gelu", 1).layers is not None
    assert operator_of("com.microsoft", "Conv", 17).layers is None
    assert operator_of("", "FusedConv", 17).layers is None


def test_dims_of_a_record_are_those_of_its_layers() -> None:
    files = [*(PACKAGED / "light" / name for name in LIGHT), *(PACKAGED / name for name in READABLE)]
    assert sum(agreeing_outputs(conversion_of(path.read_bytes())) for path in files) > 3000


def test_a_constant_that_nothing_computes_keeps_its_dims() -> None:
    """Its numbers stay unknown, its shape does not."""
    maker = Maker(1, 3)
    shown = maker.node("Sin", maker.constant([1.0, 2.0, 3.0], floating=True))
    conversion = conversion_of(maker.model(maker.node("Add", "x", shown)).SerializeToString())
    assert conversion.builder.values[shown].dims == (3,)
