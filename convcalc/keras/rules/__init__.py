"""What each class of Keras becomes: a file a family, one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..builder import Builder, Use
from ..tensor import Tensor
from . import activation, attention, conv, join, layout, norm, operations, pool, recurrent, wrapper

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]

PLAIN: dict[str, Rule] = {
    **activation.RULES,
    **attention.RULES,
    **conv.RULES,
    **join.RULES,
    **layout.RULES,
    **norm.RULES,
    **pool.RULES,
    **recurrent.RULES,
    **wrapper.RULES,
}
RULES: dict[str, Rule] = {**PLAIN, **wrapper.wrapped(PLAIN)}
"""Class of a layer -> its rule."""


def rule_of(use: Use) -> Rule | None:
    """The rule of a layer or an operation; None where there is none. Raises `Unsupported`."""
    config = use.config
    if config.foreign:
        return None
    if config.class_name in ("TFOpLambda", "SlicingOpLambda"):
        return operations.lambda_of(use)
    if config.module.startswith(("keras.src.ops", "keras.ops")):
        return operations.OPERATIONS.get(config.class_name)
    return RULES.get(config.class_name)
