"""Layers that have the weights of another one: which may, and what is said of those that may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..geometry import GeometryError

if TYPE_CHECKING:
    from .base import Layer, Shapes, Weight


class OtherKind(GeometryError):
    """A layer that is to have the weights of a layer of another kind."""

    code = "CC114"


class OtherWeights(GeometryError):
    """A layer that is to have weights of other shapes than it needs."""

    code = "CC214"


class Use(NamedTuple):
    """A layer in its place."""

    name: str
    layer: Layer
    inputs: Shapes
    """The shapes that it reads."""

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The tensors with which it computes."""
        return self.layer.weights(self.inputs)


def check_shared(use: Use, holder: Use) -> None:
    """Raise `OtherKind` or `OtherWeights` unless a layer can have all weights that another one holds.

    Their weights and buffers are of one name and shape. Strides, dilations and other fields may differ, and so may
    their kinds: the logits of a language model are made with the table of its embedding (Press and Wolf 2017).

    >>> from convcalc.layers.registry import build
    >>> p3 = Use("p3", build("conv2d", {"out": 8, "k": 3}), ((4, 9, 9),))
    >>> check_shared(Use("p4", build("conv2d", {"out": 8, "k": 3, "s": 2}), ((4, 5, 5),)), p3)
    >>> check_shared(Use("p4", build("conv2d", {"out": 8, "k": 3}), ((6, 5, 5),)), p3)
    Traceback (most recent call last):
    convcalc.layers.sharing.OtherWeights: p4 has a weight of 8×6×3×3, and p3, whose weights it is to have, 8×4×3×3
      hint: 6 channels arrive at p4, 4 at p3: convolve one of them to the other's before
    """
    own, held = _tensors(use), _tensors(holder)
    if use.layer.kind != holder.layer.kind and own.keys() != held.keys():
        message = f"{use.name} is {use.layer.kind}, and {holder.name}, whose weights it is to have, {holder.layer.kind}"
        alike = [name for name in own if own[name] == held.get(name)]
        hint = f"share: {{{alike[0]}: {holder.name}}} shares its {alike[0]} alone" if alike else None
        raise OtherKind(message, hint=hint or "layers that share weights have tensors of the same names and shapes")
    for name in [*own, *(name for name in held if name not in own)]:
        if own.get(name) != held.get(name):
            said = f"{use.name} has {_said(name, own.get(name))}, and {holder.name}, whose weights it is to have"
            raise OtherWeights(f"{said}, {_said(name, held.get(name), short=name in own)}", hint=_hint(use, holder))


def check_tied(use: Use, name: str, holder: Use) -> None:
    """Raise `OtherKind` or `OtherWeights` unless a layer can have the tensor of that name that another one holds.

    >>> from convcalc.layers.registry import build
    >>> tokens = Use("tokens", build("embedding", {"num_embeddings": 90, "embedding_dim": 8}), ((5,),))
    >>> check_tied(Use("head", build("linear", {"out": 90}), ((5, 8),)), "weight", tokens)
    >>> check_tied(Use("head", build("linear", {"out": 80}), ((5, 8),)), "weight", tokens)
    Traceback (most recent call last):
    convcalc.layers.sharing.OtherWeights: head has a weight of 80×8, and tokens, whose weight it is to have, 90×8
      hint: give head the fields of tokens that its weight follows from
    """
    own, held = _tensors(use), _tensors(holder)
    for which, found in ((use, own), (holder, held)):
        if name not in found:
            raise OtherKind(f"{which.name} has no {name}", hint=f"{which.layer.kind} has here: {', '.join(found)}")
    if own[name] != held[name]:
        said = f"{use.name} has {_said(name, own[name])}, and {holder.name}, whose {name} it is to have"
        hint = f"give {use.name} the fields of {holder.name} that its {name} follows from"
        raise OtherWeights(f"{said}, {_said(name, held[name], short=True)}", hint=hint)


def _tensors(use: Use) -> dict[str, Weight]:
    """The tensors of a layer by their names."""
    return {weight.name: weight for weight in use.weights}


def _said(name: str, weight: Weight | None, short: bool = False) -> str:
    """A tensor with its shape; `short` leaves its name out.

    >>> from convcalc.layers.base import Weight
    >>> _said("weight", Weight("weight", (8, 4))), _said("bias", None), _said("bias", Weight("bias", (8,)), short=True)
    ('a weight of 8×4', 'no bias', '8')
    """
    if weight is None:
        return f"no {name}" if not short else "none"
    sizes = "×".join(map(str, weight.shape)) or "one number"
    learned = "" if weight.learnable else ", not learned"
    return f"{sizes}{learned}" if short else f"a {name} of {sizes}{learned}"


def _hint(use: Use, holder: Use) -> str:
    """What the weights differ by: the channels that arrive, or the fields."""
    arriving, held = (which.inputs[0][0] if which.inputs and which.inputs[0] else 0 for which in (use, holder))
    if arriving != held:
        return (
            f"{arriving} channels arrive at {use.name}, {held} at {holder.name}: "
            "convolve one of them to the other's before"
        )
    return f"give {use.name} the fields of {holder.name} that its weights follow from"
