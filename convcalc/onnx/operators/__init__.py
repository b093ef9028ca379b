"""The operators of ONNX: one record each, in a file for each family."""

from __future__ import annotations

from functools import lru_cache

from . import (
    activations,
    arithmetic,
    attention,
    constants,
    costly,
    einsum,
    fused,
    layout,
    norms,
    parts,
    products,
    quantized,
    recurrent,
    resizing,
    scattering,
    windows,
)
from .record import Operator

FAMILIES = (
    windows,
    products,
    arithmetic,
    activations,
    norms,
    layout,
    parts,
    scattering,
    resizing,
    constants,
    quantized,
    fused,
    costly,
    einsum,
    attention,
    recurrent,
)


def _registered() -> dict[tuple[str, str], list[Operator]]:
    found: dict[tuple[str, str], list[Operator]] = {}
    for family in FAMILIES:
        for record in family.OPERATORS:
            for domain in record.domains:
                found.setdefault((domain, record.name), []).append(record)
    for records in found.values():
        records.sort(key=lambda record: record.since)
    return found


_RECORDS = _registered()


@lru_cache(maxsize=4096)
def operator_of(domain: str, op: str, opset: int) -> Operator:
    """The record of an operator, as of this version of the operators; one that knows nothing where there is none.

    >>> operator_of("", "Conv", 17).weights, operator_of("", "NonZero", 17).layers
    ((1, 2), None)
    """
    records = _RECORDS.get((domain, op))
    if records is None:
        return Operator(op, inputs=(0, None))
    return next((record for record in reversed(records) if record.since <= opset), records[0])
