"""What each class of Keras becomes: a file a family, one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..builder import Builder, Use
from ..tensor import Tensor
from . import activation, conv, join, layout, norm, pool

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]

RULES: dict[str, Rule] = {
    **activation.RULES,
    **conv.RULES,
    **join.RULES,
    **layout.RULES,
    **norm.RULES,
    **pool.RULES,
}
"""Class -> its rule."""
