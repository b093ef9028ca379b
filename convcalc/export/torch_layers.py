"""PyTorch's modules: one table from the layers of the language to what builds them.

Source: torch.nn of PyTorch 2.1 and newer. Where no module says exactly what the layer does, a small one of
`torch_helpers` stands in, or the padding is written out for the input's size.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..layers.kind_table import BATCHED, KindTable
from .for_torch import activation, arithmetic, conv, layout, norm, pool, product, space
from .for_torch.common import Mapper
from .program import OPAQUE, Call, Inline, Step, keywords

if TYPE_CHECKING:
    from ..layers.base import Shape, Shapes
    from ..layers.batched import Batched


def _batched(layer: Batched, inputs: Shapes, output: Shape) -> list[Step]:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    axes = layer.batch_axes
    flat = f".flatten(0, {axes})"
    steps = TORCH.of(inner)(inner, inside, result)
    if len(inputs) > 1:
        first, *rest = steps
        steps = [_merged(first, flat), *rest]
    else:
        steps = [Inline("{0}.flatten(0, {axes})", keywords(axes=axes)), *steps]
    return [*steps, Inline("{0}.unflatten(0, {shape})", keywords(shape=(-1, *inputs[0][:axes])))]


def _merged(step: Step, flat: str) -> Step:
    """A step whose inputs have their batch axes merged."""
    if isinstance(step, Call):
        return step._replace(reads=tuple(text + flat for text in step.reads))
    return step._replace(template=re.sub(r"\{\d+\}", lambda found: found[0] + flat, step.template))


TORCH: KindTable[Mapper] = KindTable(
    {
        **conv.ROWS,
        **pool.ROWS,
        **space.ROWS,
        **layout.ROWS,
        **norm.ROWS,
        **activation.ROWS,
        **arithmetic.ROWS,
        **product.ROWS,
        BATCHED: _batched,
    },
    absent="no module of PyTorch is known to do what it does",
    refused=OPAQUE,
)
"""Kind or family -> its modules and expressions."""
