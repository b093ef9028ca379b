"""Every layer against PyTorch: about 1,500 random layers that really ran, and those that it refused."""

from __future__ import annotations

from collections import Counter
from math import prod

import pytest

from convcalc.geometry import GeometryError
from convcalc.inference import output_shape
from convcalc.layers.registry import build
from tests.recorded_torch_layers import Inexpressible, Record, records, translate, without_batch


class Refused(Exception):
    """convcalc refuses the record."""


def run(record: Record) -> tuple[tuple[int, ...], int, int]:
    """(output shape without batch, parameters, MACs at the record's batch) as convcalc has them."""
    batch, shape = without_batch(record)
    try:
        kind, fields = translate(record)
        layer = build(kind, fields)
        out = output_shape(layer, (shape,))
    except (ValueError, GeometryError) as error:
        raise Refused(str(error)) from error
    params = sum(prod(weight.shape) for weight in layer.weights((shape,)) if weight.learnable)
    return out, params, batch * layer.operations((shape,), out).get("mac", 0)


ALLOWED_MORE = {
    "same with stride": lambda r: r.args.get("padding") == "same",
}
"""What PyTorch refuses and the language takes on purpose: `same` at a stride, as TensorFlow and ONNX have it."""

ACCEPTED = [record for record in records() if record.out is not None]
REFUSED = [record for record in records() if record.out is None]


def agrees(record: Record) -> bool:
    """Whether shape, parameters and MACs are PyTorch's."""
    assert record.out is not None
    out, params, macs = run(record)
    leading = len(record.shape) - len(without_batch(record)[1])
    return out == record.out[leading:] and params == record.params and macs == (record.macs or 0)


def test_accepted_layers_agree() -> None:
    wrong = []
    for record in ACCEPTED:
        try:
            if not agrees(record):
                wrong.append((record, run(record)))
        except Refused as error:
            wrong.append((record, str(error)))
    assert not wrong
    assert len(ACCEPTED) == 1184


def test_refused_layers_are_refused() -> None:
    allowed: Counter[str] = Counter()
    for record in REFUSED:
        try:
            result = run(record)
        except Refused:
            continue
        rules = [name for name, applies in ALLOWED_MORE.items() if applies(record)]
        assert rules, (record, result)
        allowed.update(rules)
    assert allowed == {"same with stride": 2}
    assert len(REFUSED) == 301


def test_what_the_language_cannot_say() -> None:
    rules: Counter[str] = Counter()
    for record in [*ACCEPTED, *REFUSED]:
        try:
            translate(record)
        except Inexpressible as error:
            assert record.out is None, record
            rules[error.rule] += 1
    assert rules == {
        "input channels follow from the input": 15,
        "output_size is at most the smallest size and the stride minus 1": 6,
    }


def test_the_comparison_can_fail() -> None:
    record = next(r for r in ACCEPTED if r.operator == "Conv2d" and r.args["bias"])
    assert record.out is not None
    assert agrees(record)
    assert not agrees(record._replace(out=(*record.out[:-1], record.out[-1] + 1)))
    assert not agrees(record._replace(params=record.params + 1))
    assert not agrees(record._replace(macs=1))
    with pytest.raises(Refused):
        run(record._replace(args={**record.args, "kernel_size": 10_000}))
