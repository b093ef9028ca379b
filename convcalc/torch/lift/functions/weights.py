"""How weights come to the layers that multiply with them: as they are stored, standardised, gained, fixed, computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from ....models.making import Fields
from ...tape import refs
from ..builder import Builder
from ..names import base_name
from ..values import Constant, Derived, Parameter, Value


@dataclass
class Form:
    """The fields of a layer that say where its weights come from, and what it reads and holds for them."""

    fields: Fields
    inputs: tuple[int, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)
    after: Value | None = None
    """A bias that is added by a layer of its own."""

    def biased(self, b: Builder, step: int, channel: int | None, space: int = 0) -> int:
        """The step, with the bias that has a layer of its own added along an axis."""
        if self.after is None:
            return step
        bias = b.active(self.after)
        shape, count = b.steps[step].shape, prod(self.after.sizes.first)
        at = len(shape) - 1 if channel is None else channel
        wanted = tuple(count if axis == at else 1 for axis in range(len(shape)))
        return b.layer("add", {}, step, b.settled(bias, wanted))


def formed(b: Builder, weight: Value, bias: Value | None) -> Form:
    """How a layer has this weight and this bias."""
    if isinstance(weight, Parameter):
        return _stored(bias, {}, {"weight": weight.source})
    if isinstance(weight, Derived):
        found = _standardized(b, weight)
        if found is not None:
            fields, weights = found
            return _stored(bias, fields, weights)
    if isinstance(weight, Constant):
        if bias is None or isinstance(bias, Constant):
            return Form({"bias": bias is not None, "fixed": True})
        return Form({"bias": False, "fixed": True}, after=bias)
    inputs = [b.settled(b.active(weight))]
    if bias is not None:
        inputs.append(b.settled(b.active(bias)))
    return Form({"bias": bias is not None, "weight": "input"}, tuple(inputs))


def _stored(bias: Value | None, fields: Fields, weights: dict[str, int]) -> Form:
    if bias is None:
        return Form({**fields, "bias": False}, weights=weights)
    if isinstance(bias, Parameter):
        return Form({**fields, "bias": True}, weights={**weights, "bias": bias.source})
    return Form({**fields, "bias": False}, weights=weights, after=bias)


NORMS = {"batch_norm", "native_batch_norm", "_native_batch_norm_legit"}
VIEWS = {"reshape", "view", "reshape_as", "view_as", "mul", "to", "type_as", "flatten"}


def _standardized(b: Builder, weight: Derived) -> tuple[Fields, dict[str, int]] | None:
    """Weights that a batch norm without statistics of its own standardises, perhaps with a gain a channel."""
    norm: int | None = None
    stored: list[Parameter] = []
    pending = [weight.call]
    seen = set()
    while pending:
        index = pending.pop()
        if index in seen:
            continue
        seen.add(index)
        call = b.tape.calls[index]
        name = base_name(call.function)
        if name in NORMS and norm is None:
            norm = index
        elif name not in VIEWS:
            return None
        for tensor in refs((call.args, call.kwargs)):
            value = b.values[tensor]
            if isinstance(value, Derived):
                pending.append(value.call)
            elif isinstance(value, Parameter) and value.source not in [found.source for found in stored]:
                stored.append(value)
    if norm is None:
        return None
    shape, outputs = weight.sizes.first, weight.sizes.first[0]
    kernels = [p for p in stored if prod(b.sizes(p.source).first) == prod(shape) and prod(shape) != outputs]
    gains = [p for p in stored if p not in kernels and prod(b.sizes(p.source).first) == outputs]
    if len(kernels) != 1 or len(gains) > 1 or len(stored) != len(kernels) + len(gains):
        return None
    fields: Fields = {"standardize": True}
    weights = {"weight": kernels[0].source}
    if gains:
        fields["gain"] = True
        weights["gain"] = gains[0].source
    return fields, weights
